//! The tutorial is the program that is run: each of its blocks stands in `examples/tutorial.rs`, in order, and that runs.

#[path = "../../examples/tutorial.rs"]
#[allow(dead_code, reason = "the test calls the steps, not the program")]
mod program;

const TEXT: &str = include_str!("../../docs/tutorial.md");
const PROGRAM: &str = include_str!("../../examples/tutorial.rs");

/// The lines without indentation and line breaks: a formatter moves both.
fn words(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn each_block_stands_in_the_program_in_order() {
    let mut rest = words(PROGRAM);
    // What a formatter adds where it breaks a line.
    rest = rest.replace(",)", ")");
    let blocks: Vec<&str> = TEXT
        .split("```rust\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .collect();
    assert!(blocks.len() > 15, "{}", blocks.len());
    for block in blocks {
        let wanted = words(block).replace(",)", ")");
        let Some(at) = rest.find(&wanted) else {
            panic!("not in the program, or not in this order:\n{block}");
        };
        rest = rest[at + wanted.len()..].to_owned();
    }
}

#[test]
fn the_program_runs() {
    let folder = std::env::temp_dir().join(format!("autojit-tutorial-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ran = program::steps(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    ran.unwrap();
}
