//! Batches of random graphs against a loop over the examples.

use std::panic::{AssertUnwindSafe, catch_unwind};

use autojit::ir::{ArrayType, Graph, HostArray, Op, ValueId, batch};
use autojit::{Result, run_graph};

use super::compare::differences;
use super::program::{Numbers, Program, decode};
use super::random::{numbers, shrunk};
use super::values::{Random, seed};

/// The elements of an array in another order: those that follow come first.
fn rotated(array: &HostArray, by: usize) -> HostArray {
    let mut scalars = array.to_scalars();
    if !scalars.is_empty() {
        let by = by % scalars.len();
        scalars.rotate_left(by);
    }
    HostArray::from_scalars(&array.ty(), &scalars).unwrap()
}

/// Arrays along a new first axis.
fn stacked(ty: &ArrayType, examples: &[HostArray]) -> HostArray {
    let shape: Vec<usize> = [examples.len()]
        .into_iter()
        .chain(ty.shape.iter().copied())
        .collect();
    let scalars: Vec<_> = examples.iter().flat_map(HostArray::to_scalars).collect();
    HostArray::from_scalars(&ArrayType::new(ty.dtype, &shape), &scalars).unwrap()
}

/// The results of each example, stacked where they differ.
fn expected(graph: &Graph, examples: &[Vec<HostArray>], flags: &[bool]) -> Result<Vec<HostArray>> {
    let results = examples.iter().map(|inputs| graph.evaluate(inputs));
    let results = results.collect::<Result<Vec<Vec<HostArray>>>>()?;
    let outputs = graph.outputs().iter().zip(flags).enumerate();
    let stack = |(i, (&output, &differs)): (usize, (&ValueId, &bool))| {
        let of_each: Vec<HostArray> = results.iter().map(|r| r[i].clone()).collect();
        if differs {
            Ok(stacked(graph.ty(output)?, &of_each))
        } else {
            Ok(of_each[0].clone())
        }
    };
    outputs.map(stack).collect()
}

/// Decompositions are unique only for matrices like those that the generator made: their arguments stay.
fn is_sensitive(graph: &Graph) -> bool {
    let live = graph.nodes().iter().zip(graph.live());
    live.into_iter()
        .any(|(node, live)| live && matches!(node.op, Op::Linalg(_)))
}

fn check(numbers: &Numbers) -> std::result::Result<(), String> {
    let Program {
        graph,
        inputs,
        tolerances,
    } = decode(numbers);
    let mut random = Random::new(u64::from(numbers.seed) + numbers.steps.len() as u64);
    let size = 1 + random.below(4);
    let batched: Vec<bool> = inputs.iter().map(|_| random.below(3) > 0).collect();
    let still = is_sensitive(&graph);
    let examples: Vec<Vec<HostArray>> = (0..size)
        .map(|example| {
            let of_example = inputs.iter().zip(&batched).map(|(input, &batched)| {
                let by = if batched && !still { example } else { 0 };
                rotated(input, by)
            });
            of_example.collect()
        })
        .collect();
    let given: Vec<HostArray> = (0..inputs.len())
        .map(|i| {
            let of_each: Vec<HostArray> = examples.iter().map(|e| e[i].clone()).collect();
            match batched[i] {
                true => stacked(&inputs[i].ty(), &of_each),
                false => inputs[i].clone(),
            }
        })
        .collect();
    let described = |text: String| {
        let mut text = format!("{text}\n{size} examples, batched: {batched:?}\n{graph}");
        for input in &inputs {
            let scalars: Vec<String> = input.to_scalars().iter().map(ToString::to_string).collect();
            text += &format!(";! in {} {}\n", input.ty(), scalars.join(" "));
        }
        text
    };
    let (whole, flags) = batch(&graph, &batched, size).map_err(|e| described(e.to_string()))?;
    whole.verify().map_err(|e| described(e.to_string()))?;
    let expected = expected(&graph, &examples, &flags);
    let mut found = vec![("reference", whole.evaluate(&given))];
    for backend in ["replay", "cranelift"] {
        if autojit::backends().contains(&backend) {
            found.push((backend, run_graph(backend, &whole, &given)));
        }
    }
    for (engine, got) in found {
        // What is folded or left out cannot fail.
        if expected.is_err() && got.is_ok() && engine != "reference" {
            continue;
        }
        if let Some((output, wrong)) = differences(engine, &got, &expected, &tolerances).first() {
            return Err(described(format!(
                "{engine}, result {output}: {wrong}\n{whole}"
            )));
        }
    }
    Ok(())
}

/// A panic is a failure like others.
fn checked(numbers: &Numbers) -> std::result::Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| check(numbers))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "a panic".to_owned()))
    })
}

#[test]
fn batches_of_random_graphs_are_loops_over_their_examples() {
    let cases: usize = std::env::var("AUTOJIT_CASES")
        .map_or(400, |s| s.parse().expect("AUTOJIT_CASES is a number"));
    let seed = seed();
    println!("seed {seed}, {cases} cases");
    let mut random = Random::new(seed + 100);
    for _ in 0..cases {
        let numbers = numbers(&mut random);
        if let Err(failure) = checked(&numbers) {
            let (numbers, failure) = shrunk(numbers, failure, checked);
            panic!("seed {seed}: {failure}\n{numbers:?}");
        }
    }
}
