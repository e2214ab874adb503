//! Random programs with loops and branches in each other, on every engine; and their gradients against those of the same programs
//! with loops unrolled.
//!
//! A program changes a number and a vector of three. What grows is cut off. Its arithmetic is exact, so that engines which round
//! products with sums once give the same: numbers are rounded to some digits, but for programs that have gradients.

use autojit::{
    Array, DType, Result, autojit, cond, control::scan_reverse, fori_loop, lazy, numpy as np, scan,
    switch, value_and_grad, while_loop,
};

use super::values::{Random, seed};

/// The native engine, where it is built in.
const NATIVE: &str = if cfg!(feature = "cranelift") {
    "cranelift"
} else {
    "replay"
};

/// The data of a program.
type State = (Array, Array);

enum Statement {
    /// One of some operations, and whether its results are rounded.
    Change(usize, bool),
    /// Over the elements of the vector, with the number carried, and the vector carried too if the flag is set.
    Scan(Vec<Statement>, bool),
    Count(i64, Vec<Statement>),
    /// As long as the number is small, at most so often.
    While(i64, Vec<Statement>),
    Cond([Vec<Statement>; 2]),
    Switch([Vec<Statement>; 3]),
}
use Statement::{Change, Cond, Count, Scan, Switch, While};

/// `smooth` programs have gradients.
fn statements(random: &mut Random, levels: usize, smooth: bool) -> Vec<Statement> {
    let count = 1 + random.below(3);
    let mut list: Vec<Statement> = Vec::new();
    for _ in 0..count {
        let kind = if levels == 0 { 0 } else { random.below(7) };
        let mut inner = || statements(random, levels - 1, smooth);
        list.push(match kind {
            0 | 1 => Change(random.below(8), !smooth),
            2 => {
                let body = inner();
                Scan(body, random.below(2) == 0)
            }
            3 => {
                let body = inner();
                Count(random.below(4) as i64, body)
            }
            4 if !smooth => {
                let body = inner();
                While(random.below(5) as i64, body)
            }
            5 => Switch([inner(), inner(), inner()]),
            _ => Cond([inner(), inner()]),
        });
    }
    list
}

fn change(kind: usize, rounds: bool, (s, v): State) -> State {
    let at = |v: &Array, i: i64| np::take(v, i, 0);
    let rounded = |x: Array| match rounds {
        true => np::rint(x * 1024.0) / 1024.0,
        false => x,
    };
    let cut = |x: Array| rounded(np::minimum(np::maximum(x, -8.0), 8.0));
    match kind {
        0 => (cut(&s * 0.5 + at(&v, 0)), v),
        1 => (s.clone(), cut(&v + &s)),
        2 => (s.clone(), cut(&v * &s)),
        3 => (cut(&s * &s - 1.0), v),
        4 => (np::max(&v, ..), -v),
        5 => (s - at(&v, 2), v),
        6 => (
            s.clone(),
            rounded(np::where_(np::greater(&v, &s), &v * 0.25, &v - 0.5)),
        ),
        _ => (-s, np::flip(&v, 0)),
    }
}

fn predicate((s, v): &State) -> Array {
    np::greater(s, np::take(v, 1, 0))
}

fn index((s, _): &State) -> Array {
    np::astype(np::floor(s), DType::Int64)
}

/// The program with loops.
fn run(program: &[Statement], mut state: State) -> Result<State> {
    for statement in program {
        state = match statement {
            Change(kind, rounds) => change(*kind, *rounds, state),
            Scan(body, reverse) => {
                let (s, v) = state;
                let step = |(s, v): State, x: Array| {
                    let (s, v) = run(body, (s + x, v)).unwrap();
                    ((s.clone(), v), s)
                };
                let init = (s, v.clone());
                let ((s, _), v) = match reverse {
                    true => scan_reverse(step, init, v)?,
                    false => scan(step, init, v)?,
                };
                (s, v)
            }
            Count(n, body) => {
                let step = |i: Array, (s, v): State| run(body, (s + i * 0.25, v)).unwrap();
                fori_loop(0, *n, step, state)?
            }
            While(n, body) => {
                let goes_on = |((s, _), left): (State, Array)| {
                    np::logical_and(np::less(s, 6.0), np::greater(left, 0))
                };
                let step = |(state, left): (State, Array)| (run(body, state).unwrap(), left - 1);
                while_loop(goes_on, step, (state, Array::from(*n)))?.0
            }
            Cond([yes, no]) => {
                let (yes, no) = (
                    |s: State| run(yes, s).unwrap(),
                    |s: State| run(no, s).unwrap(),
                );
                cond(predicate(&state), yes, no, state)?
            }
            Switch([a, b, c]) => {
                let a = |s: State| run(a, s).unwrap();
                let b = |s: State| run(b, s).unwrap();
                let c = |s: State| run(c, s).unwrap();
                switch(index(&state), &[&a, &b, &c], state)?
            }
        };
    }
    Ok(state)
}

/// The program without loops, and with all branches.
fn unrolled(program: &[Statement], mut state: State) -> State {
    let select =
        |flag: &Array, x: State, y: State| (np::where_(flag, x.0, y.0), np::where_(flag, x.1, y.1));
    for statement in program {
        state = match statement {
            Change(kind, rounds) => change(*kind, *rounds, state),
            Scan(body, reverse) => {
                let xs = state.1.clone();
                let mut rows = vec![Array::from(0.0); 3];
                for i in 0..3 {
                    let i = if *reverse { 2 - i } else { i };
                    let x = np::take(&xs, i as i64, 0);
                    state = unrolled(body, (state.0 + x, state.1));
                    rows[i] = state.0.clone();
                }
                (state.0, np::stack(&rows, ..))
            }
            Count(n, body) => {
                for i in 0..*n {
                    state = unrolled(body, (state.0 + i as f64 * 0.25, state.1));
                }
                state
            }
            While(..) => unreachable!("it has no gradient"),
            Cond([yes, no]) => {
                let flag = predicate(&state);
                let no = unrolled(no, state.clone());
                select(&flag, unrolled(yes, state), no)
            }
            Switch([a, b, c]) => {
                let index = index(&state);
                let (a, b) = (unrolled(a, state.clone()), unrolled(b, state.clone()));
                let c = unrolled(c, state);
                let ab = select(&np::greater_equal(&index, 1), b, a);
                select(&np::greater_equal(&index, 2), c, ab)
            }
        };
    }
    state
}

fn arguments(random: &mut Random) -> State {
    let mut number = || (random.unit() * 16.0).round() / 4.0;
    (
        Array::from(number()),
        Array::from([number(), number(), number()]),
    )
}

fn bits((s, v): &State) -> Vec<u64> {
    let all = [s.to_vec::<f64>().unwrap(), v.to_vec::<f64>().unwrap()];
    all.concat().into_iter().map(f64::to_bits).collect()
}

fn cases(default: usize) -> usize {
    std::env::var("AUTOJIT_CASES")
        .map_or(default, |s| s.parse().expect("AUTOJIT_CASES is a number"))
}

#[test]
fn random_loops_agree_with_the_reference() {
    let mut random = Random::new(seed());
    for case in 0..cases(150) {
        let program = statements(&mut random, 2, false);
        let args = arguments(&mut random);
        let f = |state: State| run(&program, state);
        let compiled = autojit(f).backend(NATIVE).strict(true);
        let exported = compiled.to_exported(&args).unwrap();
        exported.graph().verify().unwrap();
        let hosts = [&args.0, &args.1]
            .map(|x| autojit::ir::HostArray::from(x.to_ndarray::<f64>().unwrap()));
        let expected_arrays = exported.graph().evaluate(&hosts).unwrap();
        let expected: Vec<u64> = expected_arrays
            .iter()
            .flat_map(autojit::ir::HostArray::to_scalars)
            .map(|x| match x {
                autojit::Scalar::Float(x) => x.to_bits(),
                other => panic!("{other} is no float"),
            })
            .collect();
        // What the optimiser makes of it means the same, and so does its text.
        let options = autojit::OptimizerOptions::default();
        let (optimized, _) = autojit::optimize_graph(NATIVE, exported.graph(), options).unwrap();
        optimized.verify_shared().unwrap();
        let read: autojit::ir::Graph = optimized.to_string().parse().unwrap();
        for graph in [&optimized, &read] {
            for (x, y) in graph.evaluate(&hosts).unwrap().iter().zip(&expected_arrays) {
                assert!(x.same_bits(y), "case {case}\n{graph}");
            }
        }
        let same = |name: &str, found: &State| {
            assert_eq!(
                bits(found),
                expected,
                "case {case}, {name}\n{}",
                exported.graph()
            );
        };
        same("eager", &f(args.clone()).unwrap());
        let later = f((lazy::array(&args.0), lazy::array(&args.1))).unwrap();
        same(
            "lazy",
            &(later.0.compute().unwrap(), later.1.compute().unwrap()),
        );
        same("native", &compiled.call(&args).unwrap().unwrap());
        same("native again", &compiled.call(&args).unwrap().unwrap());
        for backend in autojit::backends() {
            // XLA compiles for longer than all others run.
            if backend == "xla" && case % 6 != 0 {
                continue;
            }
            let compiled = autojit(f).backend(backend).strict(true);
            let (s, v) = compiled.call(&args).unwrap().unwrap();
            match backend {
                // They lose signs of zeros.
                "torch" | "xla" => {
                    let found = [s.to_vec::<f64>().unwrap(), v.to_vec::<f64>().unwrap()].concat();
                    let expected: Vec<f64> = expected.iter().map(|&x| f64::from_bits(x)).collect();
                    assert_eq!(
                        found,
                        expected,
                        "case {case}, {backend}\n{}",
                        exported.graph()
                    );
                }
                _ => same(backend, &(s, v)),
            }
        }
    }
}

#[test]
fn gradients_of_random_loops_are_those_of_unrolled_programs() {
    let mut random = Random::new(seed() + 1);
    for case in 0..cases(60) {
        let program = statements(&mut random, 2, true);
        let args = arguments(&mut random);
        let total = |(s, v): State| s * 3.0 + np::sum(v, ..);
        let looped = |state: State| run(&program, state).map(total);
        let (value, found) = value_and_grad(looped)(args.clone()).unwrap();
        let (expected_value, expected) =
            value_and_grad(|state: State| total(unrolled(&program, state)))(args.clone()).unwrap();
        let compiled = autojit(value_and_grad(looped)).backend(NATIVE).strict(true);
        let (_, compiled) = compiled.call(&args).unwrap().unwrap();
        let numbers =
            |(s, v): &State| [s.to_vec::<f64>().unwrap(), v.to_vec::<f64>().unwrap()].concat();
        assert_eq!(
            value.item::<f64>().unwrap(),
            expected_value.item::<f64>().unwrap(),
            "case {case}"
        );
        for (name, found) in [("eager", found), ("native", compiled)] {
            for (x, y) in numbers(&found).iter().zip(numbers(&expected)) {
                assert!(
                    (x - y).abs() <= 1e-9 * (1.0 + y.abs()),
                    "case {case}, {name}: {found:?} is not {expected:?}"
                );
            }
        }
    }
}
