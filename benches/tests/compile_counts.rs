//! The cost of compiling and calling the workloads of the benchmarks, in counts that do not depend on the machine.
//!
//! A regression of compile time shows here without a clock: passes that look at nodes twice, kernels that are no longer
//! shared, entries of the tape that no longer merge, and calls that allocate. The counts stand in
//! `tests/golden/compile_counts.txt`; `AUTOJIT_BLESS=1` rewrites them, and a change of one belongs into the commit that
//! causes it. A backend that is not built keeps its lines.
//!
//! Allocations are counted by the allocator of this file, so the test has a process of its own.

#[path = "../harness/memory.rs"]
#[allow(dead_code, reason = "bytes are the harness's business")]
mod memory;
#[path = "../workloads/mod.rs"]
#[allow(dead_code, reason = "baselines and peers are the harness's business")]
mod workloads;

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use crate::process::in_own_process;
use autojit::{DType, Report};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Backends whose counts are kept. What libtorch allocates is not seen, and what it compiles to is its own affair.
const BACKENDS: &[&str] = &["cranelift", "replay"];

/// Small enough for debug builds; sizes in pairs show what grows with nodes and what must not.
const CASES: &[(&str, usize, DType)] = &[
    ("mgs", 10, DType::Float64),
    ("mgs", 20, DType::Float64),
    ("mgs", 20, DType::Complex128),
    ("chain", 500, DType::Float64),
    ("chain", 2_000, DType::Float64),
    ("dag", 200, DType::Float64),
    ("dag", 800, DType::Float64),
    ("arith", 100, DType::Float64),
    ("exp", 100, DType::Float64),
    ("black_scholes", 100, DType::Float64),
    ("call", 3, DType::Float64),
    ("softmax", 8, DType::Float64),
    ("layernorm", 8, DType::Float64),
    ("attention", 8, DType::Float64),
    ("mlp", 8, DType::Float64),
    ("circuit", 20, DType::Complex128),
    ("circuit", 40, DType::Complex128),
    ("kalman", 5, DType::Float64),
    ("kalman", 10, DType::Float64),
    ("rk4", 2, DType::Float64),
    ("rk4", 4, DType::Float64),
    ("heat", 5, DType::Float64),
    ("heat", 10, DType::Float64),
    ("updates.rows", 20, DType::Float64),
    ("updates.rows", 40, DType::Float64),
    ("updates.elements", 20, DType::Float64),
    ("updates.elements", 40, DType::Float64),
    ("updates.jacobi", 20, DType::Float64),
    ("networks.chain_64", 3, DType::Float64),
    ("linalg", 8, DType::Float64),
    ("matmul", 8, DType::Float64),
    ("grad_mgs", 5, DType::Float64),
    ("grad_mgs", 10, DType::Float64),
    ("grad_kalman", 2, DType::Float64),
    ("grad_kalman", 4, DType::Float64),
    ("grad_rk4", 1, DType::Float64),
    ("grad_rk4", 2, DType::Float64),
    ("grad_circuit", 1, DType::Float64),
    ("grad_circuit", 2, DType::Float64),
    ("grad_mps", 3, DType::Float64),
    ("grad_mps", 6, DType::Float64),
    ("vmap_kalman", 3, DType::Float64),
    ("scan_kalman", 5, DType::Float64),
    ("scan_kalman", 10, DType::Float64),
    ("scan_scalars", 10, DType::Float64),
    ("scan_scalars", 20, DType::Float64),
    ("grad_scan_scalars", 5, DType::Float64),
    ("scan_iir", 20, DType::Float64),
    ("scan_lstm", 3, DType::Float64),
    ("fori_heat", 5, DType::Float64),
    ("fori_heat", 10, DType::Float64),
    ("while_dopri", 1, DType::Float64),
    ("vmap_mgs", 4, DType::Float64),
    ("vmap_mgs", 8, DType::Float64),
    ("kinematics", 3, DType::Float64),
    ("kinematics", 6, DType::Float64),
    ("grad_kinematics", 3, DType::Float64),
    ("grad_kinematics", 6, DType::Float64),
    ("quasiseparable.scan", 5, DType::Float64),
    ("quasiseparable.scan", 10, DType::Float64),
    ("quasiseparable.unrolled", 5, DType::Float64),
    ("quasiseparable.unrolled", 10, DType::Float64),
    ("mps_gates", 4, DType::Complex128),
    ("mps_gates", 8, DType::Complex128),
    ("tiny.independent", 3, DType::Float64),
    ("tiny.chain", 3, DType::Float64),
    ("tiny.chain", 3, DType::Complex128),
    ("tiny.eigvalsh", 10, DType::Float64),
    ("plan_ladder", 5, DType::Float64),
    ("plan_ladder", 10, DType::Float64),
];

/// The counts of a case.
struct Counted {
    report: Report,
    results: usize,
    /// Allocations of a call that finds what calls before left, where they are all of our making: products and
    /// decompositions take what suits the machine.
    allocations: Option<u64>,
}

fn counted(name: &str, n: usize, dtype: DType, backend: &str) -> Counted {
    let found = workloads::find(name);
    let [workload] = found[..] else {
        panic!("{name} is not one workload");
    };
    let case = (workload.build)(n, dtype).unwrap();
    let compiled = case.program.with_backend(backend);
    let report = compiled.compile().unwrap();
    let results = compiled.results().unwrap();
    (case.check)(&results).unwrap_or_else(|e| panic!("{name} {n} {dtype} by {backend}: {e}"));
    compiled.call().unwrap();
    let (called, count) = memory::count(|| compiled.call());
    called.unwrap();
    let all_ours = report.code.runtime_calls == Some(0);
    Counted {
        report,
        results: results.len(),
        allocations: all_ours.then_some(count.allocations),
    }
}

fn line(counted: &Counted) -> String {
    let Counted {
        report,
        results,
        allocations,
    } = counted;
    let code = &report.code;
    let visited: usize = report.passes.iter().map(|pass| pass.visited).sum();
    let counts = [
        ("nodes", Some(report.traced_nodes)),
        ("visited", Some(visited)),
        ("left", Some(report.optimized_nodes)),
        ("instructions", code.instructions),
        ("kernels", code.kernels),
        ("tape", code.tape_entries),
        ("runtime", code.runtime_calls),
        ("workspace", code.workspace_bytes),
        ("results", Some(*results)),
        ("allocations", allocations.map(|count| count as usize)),
    ];
    let known = counts
        .iter()
        .filter_map(|(name, count)| Some(format!("{name} {}", (*count)?)));
    known.collect::<Vec<_>>().join(", ")
}

/// A pass looks at each node that it is given once, whatever the size of the graph.
fn assert_linear(name: &str, report: &Report) {
    let mut given = report.traced_nodes;
    for pass in &report.passes {
        let visited = pass.visited;
        assert!(
            visited <= given,
            "{name}: {} looked at {visited} nodes of {given}",
            pass.name
        );
        given = pass.nodes;
    }
}

#[test]
fn counts_are_those_that_were_agreed_on() {
    in_own_process!();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/compile_counts.txt");
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let parse = |line: &str| {
        let (name, counts) = line.split_once(": ")?;
        Some((name.to_owned(), counts.to_owned()))
    };
    let agreed: BTreeMap<String, String> = golden.lines().filter_map(parse).collect();
    let built = autojit::backends();
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut skipped = 0;
    for backend in BACKENDS {
        for &(name, n, dtype) in CASES {
            let title = format!("{backend} {name} {n} {dtype}");
            if built.contains(backend) {
                let counted = counted(name, n, dtype, backend);
                assert_linear(&title, &counted.report);
                lines.push((title, line(&counted)));
            } else if let Some(counts) = agreed.get(&title) {
                skipped += 1;
                lines.push((title, counts.clone()));
            }
        }
    }
    println!("{skipped} lines are of backends that are not built");
    if env::var_os("AUTOJIT_BLESS").is_some_and(|v| v == "1") {
        let text = lines
            .iter()
            .map(|(title, counts)| format!("{title}: {counts}\n"));
        fs::write(&path, text.collect::<String>()).unwrap();
        return;
    }
    let mut differences = String::new();
    for (title, counts) in &lines {
        let before = agreed.get(title).map_or("nothing", String::as_str);
        if before != counts {
            differences += &format!("{title}\n    agreed {before}\n    now    {counts}\n");
        }
    }
    assert!(
        differences.is_empty() && agreed.len() == lines.len(),
        "{}: AUTOJIT_BLESS=1 rewrites it\n{differences}",
        path.display()
    );
}

/// A call of a network allocates its result and nothing else: lists of arguments and copies of factors have room that is kept. The kernels that this holds for want fused multiply-add of a processor.
#[test]
#[cfg(target_arch = "x86_64")]
fn calls_of_networks_allocate_their_results_only() {
    use autojit::{Array, autojit};
    use workloads::networks::{Instance, contract, steps, tensor};

    in_own_process!();
    if !is_x86_feature_detected!("fma") {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let networks: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    assert_eq!(networks.len(), 6);
    for path in networks {
        let file = path.file_stem().unwrap().to_str().unwrap();
        let instance = Instance::read(file).unwrap();
        let order = steps(instance.format(), instance.path()).unwrap();
        // Builds for tests compute slowly, so axes are cut: most where the result has many.
        let (_, result) = instance.format().split_once("->").unwrap();
        let axis = if result.chars().count() > 4 { 3 } else { 32 };
        let shapes = instance
            .shapes
            .iter()
            .map(|shape| shape.iter().map(|&n| n.min(axis)));
        let shapes: Vec<Vec<usize>> = shapes.map(Iterator::collect).collect();
        let tensors = shapes.iter().enumerate();
        let tensors: Vec<Array> = tensors
            .map(|(i, shape)| tensor(i as u64, shape, DType::Float64))
            .collect();
        let f = autojit(|tensors: Vec<Array>| contract(tensors, &order)).backend("cranelift");
        let result = f.call(&tensors[..]).unwrap();
        f.call(&tensors[..]).unwrap();
        let shape = result.shape().unwrap();
        let (called, count) = memory::count(|| f.call(&tensors[..]));
        called.unwrap();
        assert_eq!(count.allocations, 1, "{file}, a result of shape {shape:?}");
    }
}

/// QR and singular value decompositions of small matrices work in memory that the thread keeps, here those of gates on a matrix
/// product state.
#[test]
fn decompositions_of_small_matrices_allocate_nothing() {
    in_own_process!();
    let case = (workloads::find("mps_gates")[0].build)(6, DType::Complex128).unwrap();
    let compiled = case.program.with_backend("cranelift");
    let report = compiled.compile().unwrap();
    assert_ne!(report.code.runtime_calls, Some(0));
    let results = compiled.results().unwrap().len();
    compiled.call().unwrap();
    let (called, count) = memory::count(|| compiled.call());
    called.unwrap();
    assert_eq!(count.allocations, results as u64);
}

#[test]
fn calls_into_given_results_allocate_nothing() {
    in_own_process!();
    use autojit::{Array, autojit};
    let f = autojit(|(x, y): (Array, Array)| (&x * &y + 1.0, x - y)).backend("cranelift");
    let (x, y) = (Array::from([1.0, 2.0, 3.0]), Array::from([4.0, 5.0, 6.0]));
    let mut results = f.call((&x, &y)).unwrap();
    for _ in 0..3 {
        let (called, count) = memory::count(|| f.call_into((&x, &y), results));
        results = called.unwrap();
        assert_eq!(count.allocations, 0);
    }
    // An array that is held elsewhere stays as it is.
    let held = results.0.clone();
    let results = f.call_into((&y, &y), results).unwrap();
    assert_eq!(held.to_vec::<f64>().unwrap(), [5.0, 11.0, 19.0]);
    assert_eq!(results.0.to_vec::<f64>().unwrap(), [17.0, 26.0, 37.0]);
    // An argument may be among the results that are given up.
    let (first, second) = results;
    let argument = first.clone();
    let results = f.call_into((&argument, &y), (first, second)).unwrap();
    assert_eq!(results.1.to_vec::<f64>().unwrap(), [13.0, 21.0, 31.0]);
}
