//! The table of what each op has: `tests/golden/transforms.txt`, made from code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::smooth;
use crate::transform::batch::batch;
use crate::transform::differentiate::{Treatment, jvp, treatment, vjp};
use crate::{Graph, Op};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The graphs of the filetests that run: each op of the table is in one of them.
fn graphs() -> Vec<(String, Graph)> {
    let folder = root().join("tests/filetests/run");
    let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut graphs = Vec::new();
    for file in files {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        graphs.push((path.display().to_string(), text.parse().unwrap()));
    }
    graphs.sort_by(|a: &(String, Graph), b| a.0.cmp(&b.0));
    graphs
}

/// How an op is differentiated, over all attributes with which it occurs.
fn words(found: &[Treatment]) -> String {
    let has = |treatment: Treatment| found.contains(&treatment);
    let words = [
        (Treatment::Rule, "rule"),
        (Treatment::Expansion, "by expansion"),
        (Treatment::Zero, "zero"),
        (Treatment::None, "none"),
    ];
    let words: Vec<&str> = words
        .iter()
        .filter(|(t, _)| has(*t))
        .map(|(_, w)| *w)
        .collect();
    words.join(", ")
}

/// The treatment of ops in batches of examples: leaves are the same for all but arguments, and an op in a graph of which a batch can be
/// made has a rule, which `batch/tests.rs` compares with one example after the other.
fn batched(graphs: &[(String, Graph)]) -> BTreeMap<&'static str, &'static str> {
    let mut found: BTreeMap<&'static str, &'static str> = BTreeMap::new();
    found.insert("opaque", "by registration");
    for (name, graph) in graphs {
        let flags = vec![true; graph.input_types().len()];
        let result = batch(graph, &flags, 3).and_then(|(batched, _)| batched.verify());
        assert!(result.is_ok(), "{name}: {result:?}");
        for node in graph.nodes() {
            let word = match node.op.is_leaf() {
                true => "shared",
                false => "rule",
            };
            found.insert(node.op.name(), word);
        }
    }
    found.insert("input", "as asked for");
    found
}

#[test]
fn table() {
    let graphs = graphs();
    let batched = batched(&graphs);
    let mut found: BTreeMap<&'static str, Vec<Treatment>> = BTreeMap::new();
    // Random draws and functions of the user's cannot be read from text.
    found.insert("opaque", vec![Treatment::None]);
    found.insert("random", vec![Treatment::Zero]);
    for (_, graph) in &graphs {
        for node in graph.nodes() {
            found
                .entry(node.op.name())
                .or_default()
                .push(treatment(&node.op));
        }
    }
    let mut text =
        String::from("op                 vjp                 jvp                 batch\n");
    for name in Op::NAMES {
        let treatments = found
            .get(name)
            .unwrap_or_else(|| panic!("no filetest has {name}"));
        // Both modes come from one rule.
        let (reverse, forward) = match *name {
            // With a pullback of its own, a function has that, and no derivative in a direction.
            "opaque" => ("by custom_vjp".into(), words(treatments)),
            "while_loop" => ("none".into(), words(treatments)),
            _ => (words(treatments), words(treatments)),
        };
        let batch = batched[name];
        text += format!("{name:18} {reverse:19} {forward:19} {batch}").trim_end();
        text.push('\n');
    }
    let path = root().join("tests/golden/transforms.txt");
    if std::env::var_os("AUTOJIT_BLESS").is_some_and(|v| v == "1") {
        fs::write(&path, &text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "run again with AUTOJIT_BLESS=1");
}

/// Whatever is in a graph, its derivatives are graphs.
#[test]
fn all_graphs_have_derivatives() {
    let mut failures = Vec::new();
    for (name, graph) in graphs() {
        let types = super::output_types(&graph);
        let (wrt, outputs) = (smooth(graph.input_types()), smooth(&types));
        let mut derivatives = vec![jvp(&graph, &wrt, &outputs)];
        if graph
            .nodes()
            .iter()
            .all(|node| node.op.name() != "while_loop")
        {
            derivatives.push(vjp(&graph, &wrt, &outputs));
        }
        for derivative in derivatives {
            let result = derivative.and_then(|derivative| {
                derivative.verify()?;
                // Again: the derivatives of derivatives.
                let types = super::output_types(&derivative);
                jvp(
                    &derivative,
                    &smooth(derivative.input_types()),
                    &smooth(&types),
                )?
                .verify()
            });
            if let Err(error) = result {
                failures.push(format!("{name}: {error}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
