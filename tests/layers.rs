//! Modules depend on each other in one direction, in every crate of the workspace and at every level of its folders.
//!
//! At a level (the root of a crate, or a folder) the nodes are the modules in it, each with all that is below, and an
//! arrow goes from a module to another one that a path in it names. A strongly connected component of two modules or
//! more is a cycle, reported with the files and paths that close it. The rule holds for all levels that are found.
//!
//! Paths that count: those that begin with `crate`, `$crate`, `self`, `super` or the name of a module next to the file, in
//! `use` and elsewhere; a name that a module re-exports counts as the module it comes from. What does not: unit tests,
//! calls of methods (an `impl` may stand above the type), and the file of the folder itself (`mod.rs`, `lib.rs`), which
//! gathers what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module: the segments of its path below the root of the crate.
type Module = Vec<String>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The folders of the workspace's crates.
fn crates() -> Vec<PathBuf> {
    let mut crates: Vec<PathBuf> = ["", "runtime", "benches", "fuzz", "python"]
        .map(|folder| root().join(folder))
        .into();
    let others = fs::read_dir(root().join("crates")).unwrap();
    crates.extend(others.map(|entry| entry.unwrap().path()));
    crates.retain(|folder| folder.join("src").is_dir());
    crates.sort();
    crates
}

/// The sources of a crate: for each file its path below the crate's folder, and its text.
fn sources(folder: &Path) -> BTreeMap<String, String> {
    files_below(folder, &folder.join("src"))
}

/// The Rust files of a folder and of those in it: for each its path below `base`, and its text.
fn files_below(base: &Path, folder: &Path) -> BTreeMap<String, String> {
    fn collect(base: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(base, &path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(base).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), read(&path));
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(base, folder, &mut files);
    assert!(!files.is_empty(), "{} has no sources", folder.display());
    files
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
        } else if let ('r', Some(end)) = (c, raw_string(&chars, i)) {
            i = end;
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
            && i + 1 + hashes <= chars.len()
            && chars[i + 1..].iter().take(hashes).all(|&c| c == '#')
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

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The same tokens without unit tests: without what follows `#[cfg(test)]`.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let (mut kept, mut i) = (Vec::new(), 0);
    while i < tokens.len() {
        if !is(tokens, i, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        }
        i += 7;
        while i < tokens.len() && tokens[i] != "{" && tokens[i] != ";" {
            i = match tokens[i].as_str() {
                "(" | "[" => after_group(tokens, i),
                _ => i + 1,
            };
        }
        i = if is(tokens, i, &["{"]) {
            after_group(tokens, i)
        } else {
            i + 1
        };
    }
    kept
}

/// The paths that start at `at`, each with the name it gets: several for a group in braces.
fn paths(tokens: &[String], at: usize) -> Vec<(Vec<String>, String)> {
    let (mut path, mut i) = (Vec::new(), at);
    loop {
        match tokens.get(i).map(String::as_str) {
            Some("{") => {
                let (end, mut next, mut all) = (after_group(tokens, i) - 1, i + 1, Vec::new());
                while next < end {
                    for (mut tail, name) in paths(&tokens[..end], next) {
                        tail.retain(|segment| segment != "self");
                        all.push(([path.clone(), tail].concat(), name));
                    }
                    while next < end && tokens[next] != "," {
                        next = match tokens[next].as_str() {
                            "{" => after_group(tokens, next),
                            _ => next + 1,
                        };
                    }
                    next += 1;
                }
                return all;
            }
            Some("*") => path.push("*".to_owned()),
            Some(word) if is_word(word) => path.push(word.to_owned()),
            _ => {}
        }
        if !is(tokens, i + 1, &["::"]) {
            let own = path.last().cloned().unwrap_or_default();
            let name = match (tokens.get(i + 1), tokens.get(i + 2)) {
                (Some(word), Some(name)) if word == "as" => name.clone(),
                _ => own,
            };
            return vec![(path, name)];
        }
        i += 2;
    }
}

/// One crate, read.
struct Crate {
    /// The file of each module.
    files: BTreeMap<Module, String>,
    /// Where the names that a module re-exports come from; `*` for all of another module.
    exports: BTreeMap<(Module, String), Vec<Module>>,
    /// The names that a module defines.
    items: BTreeSet<Module>,
    /// From a module to another one: the path that names it.
    arrows: BTreeMap<(Module, Module), String>,
}

/// `["lazy", "node"]` for `src/lazy/node.rs`.
fn module_of(file: &str) -> Module {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut segments: Module = path.split('/').map(str::to_owned).collect();
    if matches!(segments.last().unwrap().as_str(), "mod" | "lib" | "main") {
        segments.pop();
    }
    segments
}

/// The modules in files of their own that a module has for its tests.
fn tests_of(module: &Module, tokens: &[String]) -> Vec<Module> {
    let test = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let at = (0..tokens.len()).filter(|&i| is(tokens, i, &test) && is(tokens, i + 9, &[";"]));
    at.map(|i| [module.clone(), vec![tokens[i + 8].clone()]].concat())
        .collect()
}

impl Crate {
    fn read(sources: &BTreeMap<String, String>) -> Self {
        let mut read = Self {
            files: BTreeMap::new(),
            exports: BTreeMap::new(),
            items: BTreeSet::new(),
            arrows: BTreeMap::new(),
        };
        let words: Vec<(Module, Vec<String>)> = sources
            .iter()
            .map(|(file, text)| (module_of(file), tokens(text)))
            .collect();
        let tests: BTreeSet<Module> = words
            .iter()
            .flat_map(|(m, words)| tests_of(m, words))
            .collect();
        let is_test = |module: &Module| (1..=module.len()).any(|n| tests.contains(&module[..n]));
        let mut all = Vec::new();
        for ((module, words), file) in words.into_iter().zip(sources.keys()) {
            if !is_test(&module) {
                read.files.insert(module.clone(), file.clone());
                all.push((module, without_tests(&words)));
            }
        }
        for (module, tokens) in &all {
            read.define(module, tokens);
        }
        for (module, tokens) in &all {
            read.connect(module, tokens);
        }
        read
    }

    /// A path, seen from the root of the crate; `None` if it leads out of the crate.
    fn absolute(&self, module: &Module, inline: usize, path: &[String]) -> Option<Module> {
        let (mut base, mut rest) = match path.first()?.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (module.clone(), &path[1..]),
            "super" => (module.clone(), path),
            first => {
                let child = [module.clone(), vec![first.to_owned()]].concat();
                let known = self.files.contains_key(&child) && inline == 0;
                return known.then(|| [module.clone(), path.to_vec()].concat());
            }
        };
        let mut inline = inline;
        while rest.first().is_some_and(|first| first == "super") {
            rest = &rest[1..];
            if inline > 0 {
                inline -= 1;
            } else {
                base.pop()?;
            }
        }
        (inline == 0 || path[0] == "crate").then(|| [base, rest.to_vec()].concat())
    }

    /// Notes what a module defines and re-exports.
    fn define(&mut self, module: &Module, tokens: &[String]) {
        let within = |name: &str| [module.clone(), vec![name.to_owned()]].concat();
        for i in 0..tokens.len() {
            let defines = matches!(
                tokens[i].as_str(),
                "fn" | "struct" | "enum" | "trait" | "const" | "static" | "type" | "union"
            );
            if let (true, Some(name)) = (defines, tokens.get(i + 1)) {
                self.items.insert(within(name));
            }
            if is(tokens, i, &["macro_rules", "!"]) {
                let before = &tokens[i.saturating_sub(12)..i];
                let exported = before.iter().rposition(|t| t == "macro_export");
                if exported.is_some_and(|at| before.len() - at <= 8) {
                    let key = (Module::new(), tokens[i + 2].clone());
                    self.exports.entry(key).or_default().push(module.clone());
                }
                self.items.insert(within(&tokens[i + 2]));
            }
            if tokens[i] == "use" && i > 0 && matches!(tokens[i - 1].as_str(), "pub" | ")") {
                for (path, name) in paths(tokens, i + 1) {
                    if let Some(target) = self.absolute(module, 0, &path) {
                        let key = (module.clone(), name);
                        self.exports.entry(key).or_default().push(target);
                    }
                }
            }
        }
    }

    /// The module that a path ends in, with re-exports followed.
    fn resolve(&self, path: &[String], steps: usize) -> Module {
        let mut module = Module::new();
        for (i, segment) in path.iter().enumerate() {
            let child = [module.clone(), vec![segment.clone()]].concat();
            if self.files.contains_key(&child) {
                module = child;
                continue;
            }
            if self.items.contains(&child) || steps == 0 {
                break;
            }
            let rest = &path[i + 1..];
            let of = |name: &str| self.exports.get(&(module.clone(), name.to_owned()));
            if let Some(targets) = of(segment) {
                return self.resolve(&[targets[0].clone(), rest.to_vec()].concat(), steps - 1);
            }
            // What a macro re-exports stands nowhere by name: it is the module below that defines it.
            let below = self.files.keys().filter(|file| {
                let is_below = file.len() == module.len() + 1 && file.starts_with(&module);
                is_below
                    && self
                        .items
                        .contains(&[(*file).clone(), vec![segment.clone()]].concat())
            });
            if let [only] = below.collect::<Vec<_>>()[..] {
                return only.clone();
            }
            for all in of("*").into_iter().flatten() {
                let target = [&all[..all.len() - 1], std::slice::from_ref(segment)].concat();
                let found = self.resolve(&target, steps - 1);
                let defined = [found.clone(), vec![segment.clone()]].concat();
                if self.items.contains(&defined) {
                    return found;
                }
            }
            break;
        }
        module
    }

    /// Draws the arrows of a module.
    fn connect(&mut self, module: &Module, tokens: &[String]) {
        // Ends of the inline modules around a token: `super` leaves those first.
        let mut inline: Vec<usize> = Vec::new();
        for i in 0..tokens.len() {
            inline.retain(|&end| i < end);
            if tokens[i] == "mod" && is(tokens, i + 2, &["{"]) {
                inline.push(after_group(tokens, i + 2));
            }
            let begins = is_word(&tokens[i])
                && is(tokens, i + 1, &["::"])
                && (i == 0 || tokens[i - 1] != "::");
            if !begins {
                continue;
            }
            for (path, _) in paths(tokens, i) {
                if let Some(target) = self.absolute(module, inline.len(), &path) {
                    let to = self.resolve(&target, 8);
                    if to != *module {
                        let key = (module.clone(), to);
                        self.arrows.entry(key).or_insert_with(|| path.join("::"));
                    }
                }
            }
        }
    }

    /// The folders of the crate, its root among them.
    fn levels(&self) -> BTreeSet<Module> {
        let parents = self.files.keys().filter_map(|m| m.split_last());
        parents.map(|(_, parent)| parent.to_vec()).collect()
    }

    /// The arrows between the modules of a level, each with a file and a path in it that draws it.
    fn arrows_at(&self, level: &Module) -> BTreeMap<(String, String), String> {
        let below = |module: &Module| {
            let rest = module.strip_prefix(level.as_slice())?;
            rest.first().cloned()
        };
        let mut arrows = BTreeMap::new();
        for ((from, to), path) in &self.arrows {
            if let (Some(x), Some(y)) = (below(from), below(to))
                && x != y
            {
                let why = format!("{} uses {path}", self.files[from]);
                arrows.entry((x, y)).or_insert(why);
            }
        }
        arrows
    }

    /// The cycles of a level, in words.
    fn cycles(&self, level: &Module) -> Vec<String> {
        let arrows = self.arrows_at(level);
        let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, _) in arrows.keys() {
            let (mut found, mut stack) = (BTreeSet::new(), vec![from.as_str()]);
            while let Some(at) = stack.pop() {
                let next = arrows.keys().filter(|(x, _)| x == at);
                stack.extend(next.map(|(_, y)| y.as_str()).filter(|y| found.insert(*y)));
            }
            reached.insert(from, found);
        }
        let connected = |x: &str, y: &str| {
            let reaches = |x: &str, y: &str| reached.get(x).is_some_and(|r| r.contains(y));
            reaches(x, y) && reaches(y, x)
        };
        let mut components: BTreeSet<Vec<&str>> = BTreeSet::new();
        for x in reached.keys().filter(|x| connected(x, x)) {
            let members = reached.keys().filter(|y| connected(x, y));
            components.insert(members.copied().collect());
        }
        let describe = |component: Vec<&str>| {
            let within = |x: &str| component.contains(&x);
            let inner = arrows.iter().filter(|((x, y), _)| within(x) && within(y));
            let lines: Vec<String> = inner
                .map(|((x, y), why)| format!("    {x} -> {y}: {why}"))
                .collect();
            format!("{{{}}}\n{}", component.join(", "), lines.join("\n"))
        };
        components.into_iter().map(describe).collect()
    }
}

fn name_of(folder: &Path) -> String {
    let manifest = read(&folder.join("Cargo.toml"));
    let package = manifest.split("[package]").nth(1).unwrap();
    let name = package.lines().find_map(|l| l.strip_prefix("name = "));
    name.unwrap().trim_matches('"').to_owned()
}

#[test]
fn modules_depend_on_each_other_in_one_direction() {
    let mut wrong = Vec::new();
    for folder in crates() {
        let name = name_of(&folder);
        let read = Crate::read(&sources(&folder));
        for level in read.levels() {
            let shown = level.join("/");
            let cycles = read.cycles(&level);
            wrong.extend(cycles.iter().map(|c| format!("{name} src/{shown}: {c}")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn planted(files: &[(&str, &str)]) -> Crate {
    let sources = files.iter();
    let sources = sources.map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
    Crate::read(&sources.collect())
}

#[test]
fn a_planted_cycle_is_found_and_described() {
    let lib = ("src/lib.rs", "mod a; mod b; mod c; pub use c::Name;");
    let straight = planted(&[
        lib,
        ("src/a.rs", "use crate::b::X; fn f() { crate::Name::g() }"),
        ("src/b.rs", "#[cfg(test)] mod tests { use crate::a; }"),
        ("src/c.rs", "/* crate::a */ pub struct Name;"),
    ]);
    assert_eq!(straight.cycles(&vec![]), [""; 0]);

    // Through a name that the root re-exports.
    let cycle = planted(&[
        lib,
        ("src/a.rs", "fn f() { crate::Name::g() }"),
        ("src/b.rs", "use super::a;"),
        ("src/c.rs", "use crate::{d, b::{self, X}}; pub struct Name;"),
    ]);
    assert_eq!(
        cycle.cycles(&vec![]),
        [
            "{a, b, c}\n    a -> c: src/a.rs uses crate::Name::g\n    b -> a: src/b.rs uses super::a\n    \
             c -> b: src/c.rs uses crate::b"
        ]
    );

    // Between the files of a folder, one of them through what the folder re-exports.
    let nested = planted(&[
        ("src/lib.rs", "mod a;"),
        ("src/a/mod.rs", "mod x; mod y; pub(crate) use y::Y;"),
        ("src/a/x.rs", "use super::Y;"),
        ("src/a/y/mod.rs", "mod deep; pub struct Y;"),
        ("src/a/y/deep.rs", "fn f() { super::super::x::g() }"),
    ]);
    assert_eq!(nested.cycles(&vec![]), [""; 0]);
    assert_eq!(
        nested.cycles(&vec!["a".to_owned()]),
        [
            "{x, y}\n    x -> y: src/a/x.rs uses super::Y\n    y -> x: src/a/y/deep.rs uses super::super::x::g"
        ]
    );
}

#[test]
fn paths_are_read_as_rust_does() {
    let arrows = |text: &str| {
        let read = planted(&[
            ("src/lib.rs", ""),
            ("src/lazy/mod.rs", ""),
            ("src/lazy/node.rs", text),
            ("src/ir.rs", ""),
            ("src/jit.rs", ""),
            ("src/tree.rs", ""),
        ]);
        let to = read.arrows.keys().map(|(_, to)| to.join("::"));
        to.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(arrows("use crate::ir::Op;"), "ir");
    assert_eq!(
        arrows("use crate::{ir::{self, Op}, lazy, jit as np};"),
        "ir jit lazy"
    );
    assert_eq!(
        arrows("fn f() -> crate::tree::Tree { crate::jit::g() }"),
        "jit tree"
    );
    assert_eq!(arrows("use super::super::ir::{a, b};"), "ir");
    let inner = "mod inner { use super::super::super::jit; use super::x; }";
    assert_eq!(arrows(inner), "jit");
    let words = "// crate::ir\n/* crate::jit */ const X: &str = \"crate::tree\"; 'x'";
    assert_eq!(arrows(words), "");
    assert_eq!(arrows("r#\"crate::ir\"# '\\'' 'a crate::jit::x"), "jit");
    let tests = "#[cfg(test)] mod tests { use crate::jit; } use crate::ir;";
    assert_eq!(arrows(tests), "ir");
    assert_eq!(
        arrows("macro_rules! m { () => { $crate::tree::f() } }"),
        "tree"
    );
}

/// The crates of this workspace that the manifest in a folder depends on, tests aside.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = read(&root().join(folder).join("Cargo.toml"));
    let section = manifest.split("\n[dependencies]").nth(1).unwrap_or("");
    let section = section.split("\n[").next().unwrap();
    let names = section
        .lines()
        .filter_map(|l| l.split(['.', ' ', '=']).next());
    let ours = names.filter(|name| name.starts_with("autojit"));
    ours.map(str::to_owned).collect()
}

#[test]
fn crates_below_know_none_above() {
    let ours = |folder: &str| dependencies(folder).into_iter().collect::<Vec<_>>();
    assert_eq!(ours("runtime"), [""; 0]);
    assert_eq!(ours("crates/contract"), [""; 0]);
    assert_eq!(ours("crates/ir"), ["autojit-contract"]);
    assert_eq!(ours("crates/library"), ["autojit-ir", "autojit-runtime"]);
    for backend in ["crates/engine", "crates/torch", "crates/xla"] {
        let below = ["autojit-ir", "autojit-library", "autojit-runtime"];
        let ours = ours(backend);
        assert!(
            ours.iter().all(|name| below.contains(&name.as_str())),
            "{backend}: {ours:?}"
        );
    }
}

#[test]
fn graphs_and_transforms_name_no_backend() {
    let backends = ["cranelift", "torch", "xla", "engine", "avx512"];
    for (file, text) in sources(&root().join("crates/ir")) {
        for token in tokens(&text) {
            let word = token.to_lowercase();
            let named = backends.iter().find(|name| word.contains(**name));
            assert!(named.is_none(), "crates/ir/{file} names `{token}`");
        }
    }
}

/// What one test registers, all others of its process would see: results change, and what was compiled is compiled again.
#[test]
fn tests_that_register_have_a_process_of_their_own() {
    let mut found = 0;
    for (file, text) in files_below(&root(), &root().join("tests")) {
        if file == "tests/layers.rs" {
            continue;
        }
        for test in text.split("\n#[test]\n").skip(1) {
            let test = test.split("\n}\n").next().unwrap();
            let registers = ["register_function", "register_library", "::register()"];
            if registers.iter().any(|word| test.contains(word)) {
                found += 1;
                let name = test.lines().next().unwrap();
                assert!(test.contains("in_own_process!();"), "{file}: {name}");
            }
        }
    }
    assert!(found > 20, "{found}");
}
