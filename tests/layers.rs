//! The modules use each other as `ARCHITECTURE.md` draws it, and not otherwise.
//!
//! The drawing is the code block marked `arrows` there, with lines `from -> to to to`. A module is the first
//! segment of a path under `src/`; `runtime` and `derive` are the crates of this workspace. A name that
//! `lib.rs` re-exports counts as the module it comes from. Unit tests may use what they like; `lib.rs`
//! gathers everything and is not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From a module to those that it uses.
type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The Rust files below a folder, except those of unit tests.
fn source_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            source_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Words and single signs, without comments, literals and lifetimes.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut tokens, mut i) = (Vec::new(), 0);
    while i < chars.len() {
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            while i < chars.len() && !(at(i) == '*' && at(i + 1) == '/') {
                i += 1;
            }
            i += 2;
        } else if c == 'r' && matches!(at(i + 1), '"' | '#') && raw_string(&chars, i).is_some() {
            i = raw_string(&chars, i).unwrap();
        } else if c == '"' {
            i += 1;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if c == '\'' && at(i + 1) == '\\' {
            i += 3;
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
        } else if c == '\'' && at(i + 2) == '\'' {
            i += 3;
        } else if c == '\'' {
            i += 1;
        } else if c.is_alphanumeric() || c == '_' {
            let start = i;
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            tokens.push(chars[start..i].iter().collect());
        } else if c == ':' && at(i + 1) == ':' {
            tokens.push("::".to_owned());
            i += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            i += 1;
        }
    }
    tokens
}

/// The end of the raw string that starts here, if one does.
fn raw_string(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start + 1..].iter().take_while(|&&c| c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let ends = |i: &usize| {
        chars[*i] == '"'
            && chars[i + 1..].iter().take(hashes).all(|&c| c == '#')
            && i + 1 + hashes <= chars.len()
    };
    (open + 1..chars.len()).find(ends).map(|i| i + 1 + hashes)
}

/// The position after the group whose opening bracket is at `open`.
fn after_group(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

fn is(tokens: &[String], at: usize, expected: &[&str]) -> bool {
    tokens.len() >= at + expected.len()
        && tokens[at..]
            .iter()
            .zip(expected)
            .all(|(token, e)| token == e)
}

/// The first segments of what follows `::`: one word, or those of a braced group.
fn first_segments(tokens: &[String], at: usize) -> Vec<String> {
    if tokens.get(at).map(String::as_str) != Some("{") {
        return tokens.get(at).cloned().into_iter().collect();
    }
    let end = after_group(tokens, at) - 1;
    let (mut segments, mut i) = (Vec::new(), at + 1);
    while i < end {
        segments.push(tokens[i].clone());
        while i < end && tokens[i] != "," {
            i = if tokens[i] == "{" {
                after_group(tokens, i)
            } else {
                i + 1
            };
        }
        i += 1;
    }
    segments
}

/// What the paths of a file begin with, seen from the root of the crate; `path` is that of its module.
fn uses(path: &[String], tokens: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    // Ends of the inline modules that we are in: `super` leaves those first.
    let mut inline: Vec<usize> = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        inline.retain(|&end| i < end);
        if is(tokens, i, &["#", "[", "cfg", "(", "test", ")", "]", "mod"]) {
            // `mod tests;` is a file that is not read, `mod tests { .. }` is skipped.
            let body = i + 9;
            i = if is(tokens, body, &["{"]) {
                after_group(tokens, body)
            } else {
                body
            };
            continue;
        }
        if tokens[i] == "mod" && is(tokens, i + 2, &["{"]) {
            inline.push(after_group(tokens, i + 2));
        }
        let follows = |word: &str| i > 0 && tokens[i - 1] == word;
        if is(tokens, i, &["crate", "::"]) {
            found.extend(first_segments(tokens, i + 2));
        } else if is(tokens, i, &["autojit_runtime"]) {
            found.push("runtime".to_owned());
        } else if is(tokens, i, &["autojit_derive"]) {
            found.push("derive".to_owned());
        } else if is(tokens, i, &["super", "::"]) && !follows("::") {
            let (mut up, mut next) = (0, i);
            while is(tokens, next, &["super", "::"]) {
                (up, next) = (up + 1, next + 2);
            }
            if up == path.len() + inline.len() {
                found.extend(first_segments(tokens, next));
            }
        }
        i += 1;
    }
    found
}

/// The module that each name at the root of the crate comes from: re-exports of `lib.rs`, and macros.
fn origins(files: &[(PathBuf, Vec<String>)]) -> BTreeMap<String, String> {
    let mut origins = BTreeMap::new();
    let lib = tokens(&read(&root().join("src/lib.rs")));
    for i in 0..lib.len() {
        if is(&lib, i, &["pub", "use"]) && is(&lib, i + 3, &["::"]) {
            let end = (i..lib.len()).find(|&j| lib[j] == ";").unwrap();
            let module = lib[i + 2].trim_start_matches("autojit_");
            for name in lib[i + 4..end].iter().filter(|t| t.len() > 1) {
                // A module of that name comes first: `crate::backends` is not the function.
                origins.insert(name.clone(), module.to_owned());
            }
        }
    }
    for (path, tokens) in files {
        for i in 0..tokens.len() {
            if is(tokens, i, &["macro_rules", "!"]) {
                origins.insert(tokens[i + 2].clone(), module_path(path)[0].clone());
            }
        }
        origins.insert(module_path(path)[0].clone(), module_path(path)[0].clone());
    }
    origins
}

/// `["lazy", "node"]` for `src/lazy/node.rs`.
fn module_path(file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root().join("src")).unwrap();
    let segments = relative.with_extension("");
    let mut segments: Vec<String> = segments
        .iter()
        .map(|s| s.to_str().unwrap().to_owned())
        .collect();
    if segments.last().is_some_and(|last| last == "mod") {
        segments.pop();
    }
    segments
}

/// The arrows of the code, each with a file that draws it.
fn arrows_of_code() -> BTreeMap<(String, String), String> {
    let mut paths = Vec::new();
    source_files(&root().join("src"), &mut paths);
    paths.retain(|path| !path.ends_with("src/lib.rs"));
    paths.sort();
    let files: Vec<_> = paths
        .into_iter()
        .map(|path| {
            let tokens = tokens(&read(&path));
            (path, tokens)
        })
        .collect();
    let origins = origins(&files);
    let mut arrows = BTreeMap::new();
    for (path, tokens) in &files {
        let module = module_path(path);
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        for name in uses(&module, tokens) {
            let outside = matches!(name.as_str(), "runtime" | "derive");
            let to = match origins.get(&name) {
                Some(to) => to.clone(),
                None if outside => name,
                None => panic!("{shown} uses `crate::{name}`, which is nowhere to be found"),
            };
            if to != module[0] {
                arrows
                    .entry((module[0].clone(), to))
                    .or_insert(shown.clone());
            }
        }
    }
    arrows
}

/// The arrows that the text draws.
fn arrows_of_text(text: &str) -> Result<Arrows, String> {
    let missing = "ARCHITECTURE.md has no code block marked `arrows`";
    let block = text.split_once("```arrows\n").ok_or(missing)?.1;
    let block = block.split_once("```").ok_or(missing)?.0;
    let mut arrows = Arrows::new();
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let (from, to) = line
            .split_once("->")
            .ok_or_else(|| format!("expected `from -> to to`, got `{line}`"))?;
        let to = to.split_whitespace().map(str::to_owned);
        arrows.entry(from.trim().to_owned()).or_default().extend(to);
    }
    Ok(arrows)
}

fn block(arrows: impl Iterator<Item = (String, String)>) -> String {
    let mut lines = Arrows::new();
    for (from, to) in arrows {
        lines.entry(from).or_default().insert(to);
    }
    let line = |(from, to): (&String, &BTreeSet<String>)| {
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        format!("{from} -> {}\n", to.join(" "))
    };
    lines.iter().map(line).collect()
}

#[test]
fn modules_use_each_other_as_drawn() {
    let used = arrows_of_code();
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap_or_default();
    let drawn = arrows_of_text(&text).unwrap_or_else(|problem| {
        let block = block(used.keys().cloned());
        panic!("{problem}; the code as it stands would need\n\n```arrows\n{block}```\n")
    });
    let is_drawn = |(from, to): &(String, String)| drawn.get(from).is_some_and(|d| d.contains(to));
    let mut problems: Vec<String> = used
        .iter()
        .filter(|(arrow, _)| !is_drawn(arrow))
        .map(|((from, to), file)| format!("{from} -> {to} is not drawn, but {file} uses it"))
        .collect();
    for (from, targets) in &drawn {
        for to in targets {
            if !used.contains_key(&(from.clone(), to.clone())) {
                problems.push(format!("{from} -> {to} is drawn, but nothing uses it"));
            }
        }
    }
    assert!(
        problems.is_empty(),
        "ARCHITECTURE.md and src/ disagree:\n{}",
        problems.join("\n")
    );
}

#[test]
fn the_runtime_depends_on_nothing_of_ours() {
    let mut files = Vec::new();
    source_files(&root().join("runtime/src"), &mut files);
    assert!(!files.is_empty());
    for file in files {
        let uses = tokens(&read(&file)).windows(2).any(|pair| {
            pair[0].starts_with("autojit") && pair[0] != "autojit_runtime" && pair[1] == "::"
        });
        assert!(!uses, "{} uses autojit", file.display());
    }
    let manifest = read(&root().join("runtime/Cargo.toml"));
    assert!(!manifest.contains("path = \"..\""), "{manifest}");
}

#[test]
fn paths_are_read_as_rust_does() {
    let path = ["lazy".to_owned(), "node".to_owned()];
    let of = |text: &str| uses(&path, &tokens(text));
    assert_eq!(of("use crate::ir::Op;"), ["ir"]);
    assert_eq!(
        of("use crate::{ir::{self, Op}, lazy, numpy as np};"),
        ["ir", "lazy", "numpy"]
    );
    assert_eq!(
        of("fn f() -> crate::tree::Tree { crate::jit::g() }"),
        ["tree", "jit"]
    );
    assert_eq!(
        of("use super::super::opt::{a, b}; use super::graph;"),
        ["opt"]
    );
    assert_eq!(
        of("mod inner { use super::super::super::opt; use super::super::x; }"),
        ["opt"]
    );
    assert_eq!(
        of("// crate::a\n/* crate::b */ const X: &str = \"crate::c\"; 'x'"),
        [""; 0]
    );
    assert_eq!(of("r#\"crate::a\"# '\\'' 'a crate::b"), ["b"]);
    assert_eq!(
        of("#[cfg(test)] mod tests { use crate::jit; } use crate::ir;"),
        ["ir"]
    );
    assert_eq!(of("autojit_runtime::f(crate::ix!(1))"), ["runtime", "ix"]);
    let drawn = arrows_of_text("x\n```arrows\na -> b c\nb -> c\n```\n").unwrap();
    assert_eq!(drawn["a"].len() + drawn["b"].len(), 3);
    assert!(arrows_of_text("```\na -> b\n```").is_err());
}
