//! The documentation of NumPy's functions is whole: an example, which is a test, and where the function comes from.

use std::fs;
use std::path::{Path, PathBuf};

use autojit::ir::MapOp;

/// The Rust files of a folder and of those below it.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The functions of a module, which are those that begin a line, and what their documentation lacks.
fn gaps(source: &str) -> Vec<String> {
    let mut gaps = Vec::new();
    let mut docs = String::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            docs += text;
            docs.push('\n');
        } else if let Some(rest) = line.strip_prefix("pub fn ") {
            let name = &rest[..rest.find(['(', '<']).unwrap()];
            // Options are explained by their type, and another name by the first one.
            let is_option = docs.contains("See [`");
            let is_alias = docs.contains("The same as [`");
            if !is_alias && !docs.contains("```\n") {
                gaps.push(format!("{name} has no example"));
            }
            if !is_alias && !is_option && !docs.contains("Source: ") {
                gaps.push(format!("{name} has no source"));
            }
            docs.clear();
        } else if !line.starts_with("#[") {
            docs.clear();
        }
    }
    gaps
}

#[test]
fn numpy_functions_have_an_example_and_a_source() {
    let mut found = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/numpy"),
        &mut found,
    );
    assert!(found.len() > 30, "{}", found.len());
    let mut all = Vec::new();
    for file in found {
        for gap in gaps(&fs::read_to_string(&file).unwrap()) {
            all.push(format!("{}: {gap}", file.display()));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// Those that the op table makes have their examples in one file.
#[test]
fn elementwise_functions_have_an_example() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/numpy/elementwise/docs.rs");
    let docs = fs::read_to_string(docs).unwrap();
    for op in MapOp::ELEMENTWISE {
        let arm = match op.name() {
            "where" => "    (where_) => {".to_owned(),
            name => format!("    ({name}) => {{"),
        };
        assert!(docs.contains(&arm), "{} has no example", op.name());
    }
}

#[test]
fn gaps_are_found() {
    let source = "/// Adds.\n#[must_use]\npub fn add(x: i32) {\n/// ```\n/// ```\n///\n/// Source: `numpy.sub`.\npub fn sub<'a>() {";
    assert_eq!(gaps(source), ["add has no example", "add has no source"]);
}
