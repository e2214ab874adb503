//! Random graphs on every engine.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::agreement::check;
use super::program::{Numbers, decode};
use super::values::{Random, seed};

pub(super) fn numbers(random: &mut Random) -> Numbers {
    let many = |random: &mut Random, from, to| from + random.below(to - from);
    let inputs = many(random, 1, 5);
    let steps = many(random, 1, 40);
    let outputs = many(random, 1, 6);
    Numbers {
        inputs: (0..inputs)
            .map(|_| (random.below(256) as u8, random.below(256) as u8))
            .collect(),
        steps: (0..steps)
            .map(|_| [(); 4].map(|()| random.below(1 << 16) as u16))
            .collect(),
        outputs: (0..outputs).map(|_| random.below(24) as u16).collect(),
        seed: random.below(256) as u8,
    }
}

/// Programs that are simpler in one respect, the simplest first: with fewer parts, or smaller numbers.
fn simpler(numbers: &Numbers) -> Vec<Numbers> {
    fn without<T: Clone>(list: &[T], least: usize) -> Vec<Vec<T>> {
        let mut shorter = Vec::new();
        let mut count = list.len() / 2;
        while count > 0 {
            for start in (0..list.len()).step_by(count) {
                let end = (start + count).min(list.len());
                let rest = [&list[..start], &list[end..]].concat();
                if rest.len() >= least {
                    shorter.push(rest);
                }
            }
            count /= 2;
        }
        shorter
    }
    let mut all = Vec::new();
    for steps in without(&numbers.steps, 0) {
        all.push(Numbers {
            steps,
            ..numbers.clone()
        });
    }
    for outputs in without(&numbers.outputs, 1) {
        all.push(Numbers {
            outputs,
            ..numbers.clone()
        });
    }
    for inputs in without(&numbers.inputs, 1) {
        all.push(Numbers {
            inputs,
            ..numbers.clone()
        });
    }
    let mut with = |change: &dyn Fn(&mut Numbers)| {
        let mut changed = numbers.clone();
        change(&mut changed);
        all.push(changed);
    };
    for divisor in [u16::MAX, 2] {
        for (i, step) in numbers.steps.iter().enumerate() {
            for k in (0..4).filter(|&k| step[k] > 0) {
                with(&|numbers| numbers.steps[i][k] /= divisor);
            }
        }
        for (i, _) in numbers.outputs.iter().enumerate().filter(|(_, n)| **n > 0) {
            with(&|numbers| numbers.outputs[i] /= divisor);
        }
        for (i, &(a, b)) in numbers.inputs.iter().enumerate() {
            if a > 0 {
                with(&|numbers| numbers.inputs[i].0 = (u16::from(a) / divisor) as u8);
            }
            if b > 0 {
                with(&|numbers| numbers.inputs[i].1 = (u16::from(b) / divisor) as u8);
            }
        }
    }
    all
}

/// The simplest program that is found to fail as well, and how.
pub(super) fn shrunk(
    mut numbers: Numbers,
    mut failure: String,
    check: impl Fn(&Numbers) -> Result<(), String>,
) -> (Numbers, String) {
    let mut checks = 0;
    'simpler: loop {
        for candidate in simpler(&numbers) {
            checks += 1;
            if checks > 20_000 {
                break 'simpler;
            }
            if let Err(text) = check(&candidate) {
                (numbers, failure) = (candidate, text);
                continue 'simpler;
            }
        }
        break;
    }
    (numbers, failure)
}

/// A panic is a failure like others.
fn checked(numbers: &Numbers) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| check(numbers))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "a panic".to_owned()))
    })
}

#[test]
fn random_graphs_agree_with_the_reference() {
    let cases: usize = std::env::var("AUTOJIT_CASES")
        .map_or(200, |s| s.parse().expect("AUTOJIT_CASES is a number"));
    let seed = seed();
    println!("seed {seed}, {cases} cases");
    let mut random = Random::new(seed);
    for _ in 0..cases {
        let numbers = numbers(&mut random);
        if let Err(failure) = checked(&numbers) {
            let (numbers, failure) = shrunk(numbers, failure, checked);
            panic!("seed {seed}: {failure}\n{numbers:?}");
        }
    }
}

/// A program that fails because of one of its steps is shrunk to that.
#[test]
fn failures_are_shrunk() {
    let check = |numbers: &Numbers| match numbers.steps.iter().any(|step| step[0] >= 100) {
        true => Err(String::new()),
        false => Ok(()),
    };
    let mut random = Random::new(3);
    let failing = (0..).map(|_| numbers(&mut random));
    let failing = failing
        .into_iter()
        .find(|n| check(n).is_err() && n.steps.len() > 10);
    let (small, _) = shrunk(failing.unwrap(), String::new(), check);
    assert_eq!((small.inputs.len(), small.outputs.len()), (1, 1));
    assert_eq!(small.steps.len(), 1);
    let [first, rest @ ..] = small.steps[0];
    assert!((100..200).contains(&first) && rest == [0; 3], "{small:?}");
}

/// Random graphs that hold only a part of the table would prove nothing.
#[test]
fn random_graphs_have_most_ops() {
    // Left out: what is tested op by op alone, because its results cannot be used further.
    let rare = ["norm", "wrap_index", "opaque", "scatter_flat", "random"];
    // Their attributes are graphs: `control.rs` has random ones.
    let control = ["scan", "while_loop", "switch"];
    // Not drawn: `lgamma` is near a zero somewhere for most arguments, eigenvalues have no order, and exponentials of
    // matrices overflow; `stop_gradient` is its input. The table test runs them one by one.
    let not_drawn = ["lgamma", "eig", "eigvals", "expm", "stop_gradient"];
    let mut missing: std::collections::BTreeSet<&str> = autojit::ir::Op::NAMES
        .iter()
        .copied()
        .filter(|name| !rare.contains(name) && !not_drawn.contains(name))
        .filter(|name| !control.contains(name))
        .collect();
    let mut random = Random::new(1);
    // The rarest, `lstsq`, is not among the first 9000.
    for _ in 0..50_000 {
        let program = decode(&numbers(&mut random));
        for (node, live) in program.graph.nodes().iter().zip(program.graph.live()) {
            if live {
                missing.remove(node.op.name());
            }
        }
        if missing.is_empty() {
            break;
        }
    }
    assert!(missing.is_empty(), "no random graph has {missing:?}");
}
