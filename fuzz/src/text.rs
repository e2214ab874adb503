//! The text form of graphs: arbitrary text, and text that was one of a graph before it was changed.

use autojit::ir::Graph;

use crate::bytes::Bytes;
use crate::{numbers, program};

/// The text of a graph is read back as the same graph.
fn read(text: &str) {
    let Ok(graph) = text.parse::<Graph>() else {
        return;
    };
    graph
        .verify()
        .expect("a graph that was read is well-formed");
    let printed = graph.to_string();
    let again: Graph = printed
        .parse()
        .unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert_eq!(printed, again.to_string());
}

/// Bytes as text; and, as choices, a graph whose text is changed in a few places.
pub(crate) fn check(bytes: &[u8]) {
    read(&String::from_utf8_lossy(bytes));
    let (changes, graph) = bytes.split_at(bytes.len().min(12));
    let text = program::decode(&numbers(graph)).graph.to_string();
    read(&text);
    let mut text: Vec<char> = text.chars().collect();
    let mut changes = Bytes::new(changes);
    for _ in 0..=changes.below(3) {
        let at = changes.below(text.len().min(65536));
        let replaced = char::from(changes.byte() & 127);
        match changes.below(3) {
            0 => text[at] = replaced,
            1 => text.insert(at, replaced),
            _ => drop(text.remove(at)),
        }
    }
    read(&text.into_iter().collect::<String>());
}
