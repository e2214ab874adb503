//! Text graphs in, optimised text graphs out: `tests/filetests/opt/*.graph`.
//!
//! ```text
//! ;! core                  the graph is written with core ops, as for native code
//! ;! fast_math             rules that are not exact are on; the results are compared with a tolerance
//! ;! reorder_products      chains of products are reordered; the results are compared with a tolerance
//! ;! fold_limit 16         the largest constant that is folded, in bytes
//! ;= transpose 1           a rule that applied, and how often
//! ;> %0 = input ..         a line of the optimised graph
//! ```
//!
//! `AUTOJIT_BLESS=1` rewrites what follows `;=` and `;>`. Both graphs are run by the reference interpreter on numbers
//! among which there are infinities, NaN and zeros of both signs, and must give the same bits.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use autojit::ir::{Graph, HostArray, Scalar};
use autojit::{DType, OptimizerOptions, PassReport, optimize_graph};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests/opt")
}

struct Test {
    path: PathBuf,
    text: String,
    core: bool,
    is_exact: bool,
    options: OptimizerOptions,
}

fn tests() -> Vec<Test> {
    let entries = fs::read_dir(folder()).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Test {
    let text = fs::read_to_string(&path).unwrap();
    let mut test = Test {
        path,
        core: false,
        is_exact: true,
        options: OptimizerOptions::default(),
        text: String::new(),
    };
    for directive in text.lines().filter_map(|line| line.strip_prefix(";! ")) {
        match directive.split_once(' ').unwrap_or((directive, "")) {
            ("core", "") => test.core = true,
            ("fast_math", "") => test.options.fast_math = true,
            ("reorder_products", "") => test.options.reorder_products = true,
            ("fold_limit", bytes) => test.options.fold_limit = bytes.parse().unwrap(),
            _ => panic!("{}: unknown directive {directive}", test.path.display()),
        }
    }
    test.is_exact = !test.options.fast_math && !test.options.reorder_products;
    test.text = text;
    test
}

impl Test {
    fn optimized(&self) -> (Graph, Graph, Vec<PassReport>) {
        let graph: Graph = self.text.parse().unwrap();
        let backend = if self.core { "cranelift" } else { "replay" };
        let (optimized, passes) = optimize_graph(backend, &graph, self.options).unwrap();
        (graph, optimized, passes)
    }

    fn is_available(&self) -> bool {
        !self.core || autojit::backends().contains(&"cranelift")
    }
}

/// Numbers that find out what a rule takes for granted.
fn argument(ty: &autojit::ArrayType) -> HostArray {
    const FLOATS: [f64; 8] = [
        1.5,
        -0.0,
        f64::INFINITY,
        -2.25,
        f64::NAN,
        0.0,
        3.0,
        f64::NEG_INFINITY,
    ];
    let scalar = |i: usize| match ty.dtype {
        DType::Bool => Scalar::Bool(i.is_multiple_of(3)),
        DType::Int8
        | DType::Uint8
        | DType::Int16
        | DType::Uint16
        | DType::Int32
        | DType::Uint32
        | DType::Int64
        | DType::Uint64 => Scalar::Int(i as i64 % 5),
        DType::Float32 | DType::Float64 => Scalar::Float(FLOATS[i % 8]),
        DType::Complex64 | DType::Complex128 => Scalar::Complex(num_complex::Complex64::new(
            FLOATS[i % 8],
            FLOATS[(i / 8 + 3) % 8],
        )),
    };
    let data: Vec<Scalar> = (0..ty.size()).map(scalar).collect();
    HostArray::from_scalars(ty, &data).unwrap()
}

/// Numbers that no rule may take wrong.
fn tame(ty: &autojit::ArrayType) -> HostArray {
    let data: Vec<Scalar> = (0..ty.size())
        .map(|i| Scalar::Float(i as f64 * 0.5 + 1.0))
        .collect();
    HostArray::from_scalars(ty, &data).unwrap()
}

#[test]
fn graphs_are_optimised_as_written() {
    let mut failures = Vec::new();
    for test in tests().iter().filter(|test| test.is_available()) {
        let (graph, optimized, passes) = test.optimized();
        optimized.verify_shared().unwrap();
        let rules = passes.iter().flat_map(|pass| &pass.rules);
        let mut got: String = rules
            .map(|(rule, count)| format!(";= {rule} {count}\n"))
            .collect();
        for line in optimized.to_string().lines() {
            got += &format!(";> {line}\n");
        }
        let is_golden = |l: &&str| l.starts_with(";> ") || l.starts_with(";= ");
        let (golden, source): (Vec<&str>, Vec<&str>) = test.text.lines().partition(is_golden);
        if std::env::var_os("AUTOJIT_BLESS").is_some_and(|v| v == "1") {
            let source = source.join("\n");
            fs::write(&test.path, format!("{}\n\n{got}", source.trim_end())).unwrap();
        } else if got.lines().ne(golden) {
            failures.push(format!("{}:\n{got}", test.path.display()));
        }
        let make = if test.is_exact { argument } else { tame };
        let inputs: Vec<HostArray> = graph.input_types().iter().map(make).collect();
        let (before, after) = (
            graph.evaluate(&inputs).unwrap(),
            optimized.evaluate(&inputs).unwrap(),
        );
        for (a, b) in before.iter().zip(&after) {
            let close = |(a, b): (&Scalar, &Scalar)| {
                let (a, b) = (a.to_complex(), b.to_complex());
                (a - b).norm() <= 1e-12 * a.norm()
            };
            let same = match test.is_exact {
                true => a.same_bits(b),
                false => a.to_scalars().iter().zip(&b.to_scalars()).all(close),
            };
            if !same || before.len() != after.len() {
                let path = test.path.display();
                failures.push(format!(
                    "{path}: {:?} became {:?}",
                    a.to_scalars(),
                    b.to_scalars()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_rule_has_a_test() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/ir/src/transform/simplify");
    let mut rules = BTreeSet::new();
    for entry in fs::read_dir(sources).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        // A rule is a pair of its name and the function of that name.
        for part in text.split("(\"").skip(1) {
            if let Some((name, rest)) = part.split_once("\", ")
                && rest.starts_with(&format!("{name})"))
            {
                rules.insert(name.to_owned());
            }
        }
    }
    assert!(rules.len() > 20, "{rules:?}");
    for test in tests() {
        for line in test
            .text
            .lines()
            .filter_map(|line| line.strip_prefix(";= "))
        {
            rules.remove(line.split_once(' ').unwrap().0);
        }
    }
    assert!(rules.is_empty(), "rules without a test: {rules:?}");
}

#[test]
fn folding_keeps_to_its_budget() {
    // 200 different constants of 4 000 elements: folding all of them would take the interpreter too long.
    let mut text = String::from("%0 = input index=0 ty=f64[4000]\n");
    let mut constants = String::new();
    for i in 0..200 {
        let numbers: Vec<String> = (0..4000).map(|j| format!("{i}.{j:04}")).collect();
        constants += &format!("constant {i} = f64[4000] {}\n", numbers.join(" "));
        text += &format!("%c{i} = constant index={i} ty=f64[4000]\n%e{i} = exp %c{i}\n");
    }
    let returned: Vec<String> = (0..200).map(|i| format!("%e{i}")).collect();
    let text = format!("{constants}{text}return {}", returned.join(" "));
    let graph: Graph = text.parse().unwrap();
    let (optimized, passes) =
        optimize_graph("replay", &graph, OptimizerOptions::default()).unwrap();
    let folded = passes.iter().flat_map(|pass| &pass.rules);
    let folded = folded
        .filter(|(rule, _)| *rule == "fold")
        .map(|(_, count)| count);
    let folded: usize = folded.sum();
    assert!((1..100).contains(&folded), "{folded}");
    let left = optimized
        .nodes()
        .iter()
        .filter(|node| node.op.name() == "exp")
        .count();
    assert_eq!(left + folded, 200);
}
