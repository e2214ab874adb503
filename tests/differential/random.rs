//! Random graphs on every engine.

use autojit::ir::{Graph, HostArray};
use autojit::run_graph;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::compare::{differences, flushed};
use super::program::{Numbers, decode};
use super::values::seed;

fn programs() -> impl Strategy<Value = Numbers> {
    let inputs = vec(any::<(u8, u8)>(), 1..5);
    let steps = vec(any::<[u16; 4]>(), 1..40);
    let outputs = vec(0u16..24, 1..6);
    (inputs, steps, outputs, any::<u8>()).prop_map(|(inputs, steps, outputs, seed)| Numbers {
        inputs,
        steps,
        outputs,
        seed,
    })
}

/// The same graph with every array that its results depend on as a result.
fn with_all_results(graph: &Graph) -> Graph {
    let mut all = graph.clone();
    let live = graph.values().zip(graph.live());
    let arrays = live.filter(|&(value, live)| live && graph.ty(value).is_ok());
    all.set_outputs(arrays.map(|(value, _)| value).collect());
    all
}

/// What is wrong, with the program in the form of a file test.
fn check(numbers: &Numbers) -> Result<(), String> {
    let program = decode(numbers);
    program.graph.verify().map_err(|e| e.to_string())?;
    let expected = program.graph.evaluate(&program.inputs);
    let flushed: Vec<HostArray> = program.inputs.iter().map(flushed).collect();
    for backend in autojit::backends() {
        let (inputs, expected) = if backend == "xla" {
            (&flushed, &program.graph.evaluate(&flushed))
        } else {
            (&program.inputs, &expected)
        };
        let mut got = run_graph(backend, &program.graph, inputs);
        if expected.is_err() && got.is_ok() {
            // What nothing needs is not computed, so it cannot fail: with all values as results nothing is left out.
            got = run_graph(backend, &with_all_results(&program.graph), inputs);
        }
        if let Some((output, wrong)) =
            differences(backend, &got, expected, &program.tolerances).first()
        {
            let mut text = format!("{backend}, result {output}: {wrong}\n{}", program.graph);
            for input in &program.inputs {
                let scalars: Vec<String> =
                    input.to_scalars().iter().map(ToString::to_string).collect();
                text += &format!(";! in {} {}\n", input.ty(), scalars.join(" "));
            }
            return Err(text);
        }
    }
    Ok(())
}

#[test]
fn random_graphs_agree_with_the_reference() {
    let cases = std::env::var("AUTOJIT_CASES")
        .map_or(200, |s| s.parse().expect("AUTOJIT_CASES is a number"));
    let seed = seed();
    println!("seed {seed}, {cases} cases");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&programs(), |numbers| {
        check(&numbers).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("seed {seed}: {error}");
    }
}

/// Random graphs that hold only a part of the table would prove nothing.
#[test]
fn random_graphs_have_most_ops() {
    use proptest::strategy::ValueTree;
    let mut runner = TestRunner::deterministic();
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for _ in 0..9000 {
        let numbers = programs().new_tree(&mut runner).unwrap().current();
        let program = decode(&numbers);
        for (node, live) in program.graph.nodes().iter().zip(program.graph.live()) {
            if live {
                *counts.entry(node.op.name()).or_default() += 1;
            }
        }
    }
    println!("{counts:?}");
    // Left out: what is tested op by op alone, because its results cannot be used further.
    let rare = ["norm", "wrap_index", "opaque", "scatter_flat", "random"];
    // Not drawn: `lgamma` is near a zero somewhere for most arguments, eigenvalues have no order, and exponentials of
    // matrices overflow; the table test runs them one by one.
    let not_drawn = ["lgamma", "eig", "eigvals", "expm"];
    let missing: Vec<_> = autojit::ir::Op::NAMES
        .iter()
        .filter(|name| {
            !counts.contains_key(*name) && !rare.contains(name) && !not_drawn.contains(name)
        })
        .collect();
    assert!(missing.is_empty(), "no random graph has {missing:?}");
}
