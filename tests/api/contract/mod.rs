//! `autojit::contract`: plans with and without slices against `einsum`, eagerly, in traces and compiled; runs on threads and within
//! memory.

mod checkpoints;
mod gradients;

use std::collections::BTreeSet;

use autojit::contract::{Execute, Label, Network, Options, Plan, Run, plan};
use autojit::dispatch::Arguments;
use autojit::lazy::{array, variable};
use autojit::num_complex::Complex64;
use autojit::{Array, DType, Error, autojit, numpy as np, register_function};

use crate::lazy::memory::peak_of;
use crate::process::in_own_process;

const DTYPES: [DType; 4] = [
    DType::Float32,
    DType::Float64,
    DType::Complex64,
    DType::Complex128,
];

/// Numbers without a pattern.
fn draws(shape: &[u64], dtype: DType, seed: usize) -> Array {
    let shape: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
    let size: usize = shape.iter().product();
    let number = |i: usize| ((i * 7 + seed * 13 + 5) as f64 * 0.7548776662466927).fract() - 0.5;
    let array = match dtype {
        DType::Complex64 | DType::Complex128 => {
            let z = |i| Complex64::new(number(i), number(i + 1000));
            Array::from((0..size).map(z).collect::<Vec<_>>())
        }
        _ => Array::from((0..size).map(number).collect::<Vec<_>>()),
    };
    array.reshape(shape).astype(dtype)
}

/// A network in letters, its plan with these labels sliced, and operands.
struct Case {
    text: &'static str,
    plan: Plan,
    operands: Vec<Array>,
}

fn labels(text: &str) -> Vec<Label> {
    text.chars().map(Label::from).collect()
}

fn case(text: &'static str, shapes: &[&[u64]], sliced: &str, dtype: DType) -> Case {
    let shapes: Vec<Vec<u64>> = shapes.iter().map(|shape| shape.to_vec()).collect();
    let network = Network::parse(text, &shapes).unwrap();
    let found = plan(&network, &Options::default()).unwrap();
    let operands = shapes.iter().enumerate();
    let operands = operands.map(|(i, shape)| draws(shape, dtype, i));
    Case {
        text,
        plan: found.sliced_by(&labels(sliced)).unwrap(),
        operands: operands.collect(),
    }
}

fn cases(dtype: DType) -> Vec<Case> {
    let case = |text, shapes: &[&[u64]], sliced| case(text, shapes, sliced, dtype);
    vec![
        case("ab,bc,cd,da->", &[&[3, 4], &[4, 5], &[5, 6], &[6, 3]], ""),
        case("ab,bc,cd,da->", &[&[3, 4], &[4, 5], &[5, 6], &[6, 3]], "bd"),
        case(
            "ab,bc,cd,da->",
            &[&[3, 4], &[4, 5], &[5, 6], &[6, 3]],
            "abcd",
        ),
        // A label of three operands, and one of three and of the result.
        case("ab,bc,bd->dac", &[&[3, 4], &[4, 5], &[4, 2]], "b"),
        case("xab,bcx,xd->dxac", &[&[7, 3, 4], &[4, 5, 7], &[7, 2]], "xb"),
        // Labels of the result alone, of both kinds, and all.
        case("ab,bc->ca", &[&[3, 4], &[4, 5]], "a"),
        case("ab,bc->ca", &[&[3, 4], &[4, 5]], "cab"),
        // Diagonals, and labels of one operand.
        case("aab,bce->ac", &[&[3, 3, 4], &[4, 5, 2]], "a"),
        case("aab,bce->ac", &[&[3, 3, 4], &[4, 5, 2]], "eb"),
        // One operand.
        case("ab->ba", &[&[3, 4]], ""),
        case("ab->ba", &[&[3, 4]], "b"),
        case("aab->b", &[&[3, 3, 4]], "a"),
        case("abc->", &[&[3, 2, 4]], "ac"),
        // Nothing in common, scalars, and axes of length one.
        case("a,b,->ba", &[&[3], &[4], &[]], "b"),
        case("ab,b->a", &[&[3, 1], &[1]], "b"),
        // A step that is the same in all slices.
        case(
            "ab,bc,cd,de,ef->af",
            &[&[3, 4], &[4, 5], &[5, 6], &[6, 3], &[3, 2]],
            "b",
        ),
        // Without elements: nothing is added, or there is no result.
        case("ab,bc->ac", &[&[3, 0], &[0, 5]], "b"),
        case("ab,bc->ac", &[&[3, 0], &[0, 5]], "a"),
        case("ab,bc->ac", &[&[0, 4], &[4, 5]], "a"),
        case("ab,bc->ac", &[&[0, 4], &[4, 5]], "b"),
    ]
}

/// The elements as complex numbers.
fn values(x: &Array) -> Vec<Complex64> {
    x.astype(DType::Complex128).to_vec().unwrap()
}

#[track_caller]
fn assert_near(what: &str, got: &Array, expected: &Array) {
    assert_eq!(got.ty().unwrap(), expected.ty().unwrap(), "{what}");
    let tolerance = match got.dtype().unwrap() {
        DType::Float32 | DType::Complex64 => 1e-5,
        _ => 1e-13,
    };
    for (x, y) in values(got).iter().zip(values(expected)) {
        assert!(
            (x - y).norm() <= tolerance * (1.0 + y.norm()),
            "{what}: {x} and {y}"
        );
    }
}

/// The bits of the elements.
fn bits(x: &Array) -> Vec<(u64, u64)> {
    let parts = |z: &Complex64| (z.re.to_bits(), z.im.to_bits());
    values(x).iter().map(parts).collect()
}

#[test]
fn plans_contract_as_einsum_does() {
    for dtype in DTYPES {
        for Case {
            text,
            plan,
            operands,
        } in cases(dtype)
        {
            let what = format!("{text} {dtype} {:?}", plan.sliced());
            let expected = np::einsum(text, &operands).check().unwrap();
            assert_near(&what, &plan.contract(&operands).unwrap(), &expected);
            let compiled = plan.compile().unwrap();
            let run = |threads| {
                compiled
                    .run(&operands, Run::new().threads(threads))
                    .unwrap()
            };
            let one = run(1);
            assert_near(&what, &one, &expected);
            assert_eq!(bits(&one), bits(&run(3)), "{what}");
            // Where there are no slices, nothing is called.
            let compilations = u64::from(compiled.slices() > 0);
            assert_eq!(compiled.compilations(), compilations, "{what}");
        }
    }
}

#[test]
fn plans_contract_lazily_and_in_traces() {
    for case in cases(DType::Float64) {
        let (text, plan) = (case.text, &case.plan);
        let what = format!("{text} {:?}", plan.sliced());
        let expected = np::einsum(text, &case.operands).check().unwrap();
        let traced = autojit(|operands: Vec<Array>| plan.contract(&operands));
        let result = traced.call(case.operands.as_slice()).unwrap().unwrap();
        assert_near(&what, &result, &expected);
        let lazy: Vec<Array> = case.operands.iter().map(array).collect();
        let result = plan.contract(&lazy).unwrap();
        assert_near(&what, &result.compute().unwrap(), &expected);
        // With variables it is a node.
        let unknown = case
            .operands
            .iter()
            .map(|x| variable(&x.shape().unwrap()[..], DType::Float64));
        let result = plan.contract(&unknown.collect::<Vec<_>>()).unwrap();
        let is_node = result.as_lazy().is_some();
        let known = plan.slices() == Some(0);
        assert!(is_node != known, "{what}");
        assert_eq!(result.ty().unwrap(), expected.ty().unwrap(), "{what}");
    }
}

#[test]
fn integers_are_added_exactly() {
    let case = case("ab,bc->ac", &[&[3, 4], &[4, 5]], "b", DType::Float64);
    let operands: Vec<Array> = case
        .operands
        .iter()
        .map(|x| (x * 100.0).astype(DType::Int64))
        .collect();
    let expected: Vec<i64> = np::einsum("ab,bc->ac", &operands).to_vec().unwrap();
    let got = case.plan.contract(&operands).unwrap();
    assert_eq!(got.to_vec::<i64>().unwrap(), expected);
    let error = case.plan.compile().unwrap().run(&operands, Run::new());
    let error = error.unwrap_err();
    assert!(error.is_dtype());
    let text = error.to_string();
    assert!(
        text.starts_with("runs add floating and complex numbers, got int64"),
        "{text}"
    );
}

/// What a long sum loses is made good: as much as all ones are added to a number that each of them is lost in.
#[test]
fn sums_of_slices_are_compensated() {
    let mut numbers = vec![1f32; 1 << 12];
    numbers[0] = 3e8;
    numbers[1 << 11] = -3e8;
    let network = Network::parse("a->", &[vec![1 << 12]]).unwrap();
    let path: [Vec<usize>; 0] = [];
    let plan = Plan::from_path(&network, &path).unwrap();
    let plan = plan.sliced_by(&labels("a")).unwrap();
    let x = [Array::from(numbers)];
    assert_eq!(plan.contract(&x).unwrap().item::<f32>().unwrap(), 4094.0);
    let compiled = plan.compile().unwrap();
    let sum = compiled.run(&x, Run::new().threads(2)).unwrap();
    assert_eq!(sum.item::<f32>().unwrap(), 4094.0);
    // Where a number is infinite, so is the sum.
    let mut numbers = x[0].to_vec::<f32>().unwrap();
    numbers[77] = f32::INFINITY;
    let x = [Array::from(numbers)];
    assert_eq!(
        plan.contract(&x).unwrap().item::<f32>().unwrap(),
        f32::INFINITY
    );
    let sum = compiled.run(&x, Run::new()).unwrap();
    assert_eq!(sum.item::<f32>().unwrap(), f32::INFINITY);
}

/// A network with some thousand slices.
fn lattice(dtype: DType) -> (Plan, Vec<Array>) {
    const SIDE: u32 = 4;
    let mut operands = Vec::new();
    for (row, column) in (0..SIDE * SIDE).map(|i| (i / SIDE, i % SIDE)) {
        let edge = |row: u32, column: u32, down: u32| 2 * (row * SIDE + column) + down;
        let mut labels = BTreeSet::new();
        labels.extend((column + 1 < SIDE).then(|| edge(row, column, 0)));
        labels.extend((row + 1 < SIDE).then(|| edge(row, column, 1)));
        labels.extend((column > 0).then(|| edge(row, column.wrapping_sub(1), 0)));
        labels.extend((row > 0).then(|| edge(row.wrapping_sub(1), column, 1)));
        operands.push(labels.into_iter().collect::<Vec<_>>());
    }
    // One open leg, which is sliced too.
    operands[5].push(1000);
    let all: BTreeSet<Label> = operands.iter().flatten().copied().collect();
    let sizes: Vec<(Label, u64)> = all
        .iter()
        .map(|&l| (l, if l == 1000 { 5 } else { 4 }))
        .collect();
    let network = Network::new(operands, vec![1000], sizes).unwrap();
    let options = Options {
        steps: 20_000,
        ..Options::default()
    };
    let found = plan(&network, &options).unwrap();
    let found = found.sliced_by(&[2, 10, 18, 26, 9, 1000]).unwrap();
    let operands = network.operands().iter().enumerate().map(|(i, labels)| {
        let shape: Vec<u64> = labels.iter().filter_map(|&l| network.size(l)).collect();
        draws(&shape, dtype, i)
    });
    let operands = operands.collect();
    (found, operands)
}

#[test]
fn results_have_the_same_bits_for_any_number_of_threads() {
    for dtype in [DType::Float32, DType::Complex128] {
        let (plan, operands) = lattice(dtype);
        let compiled = plan.compile().unwrap();
        assert_eq!(compiled.slices(), 5 * 1024);
        let run = |threads| {
            compiled
                .run(&operands, Run::new().threads(threads))
                .unwrap()
        };
        let expected = run(1);
        for threads in [2, 3, 8] {
            assert_eq!(bits(&run(threads)), bits(&expected), "{threads} threads");
        }
        assert_eq!(compiled.compilations(), 1);
        let whole = plan.sliced_by(&[]).unwrap().contract(&operands).unwrap();
        assert_near("slices", &expected, &whole);
    }
}

#[test]
fn slices_can_be_distributed_by_the_caller() {
    let case = case(
        "ab,bc,cd,da->",
        &[&[3, 4], &[4, 5], &[5, 6], &[6, 3]],
        "bd",
        DType::Float64,
    );
    let compiled = case.plan.compile().unwrap();
    assert_eq!(compiled.slices(), 24);
    let mut total = Array::from(0.0);
    for first in [0, 5, 19] {
        let count = [5, 14, 5][[0, 5, 19].iter().position(|&f| f == first).unwrap()];
        let (sum, lost) = compiled.sum_slices(&case.operands, first, count).unwrap();
        total = total + sum + lost;
    }
    assert_near("parts", &total, &np::einsum(case.text, &case.operands));
    assert_eq!(compiled.compilations(), 1);
    for (first, count) in [(0, 25), (25, 0), (24, 1), (u64::MAX, 2)] {
        let error = compiled
            .sum_slices(&case.operands, first, count)
            .unwrap_err();
        assert!(error.is_value(), "{error}");
    }
}

#[test]
fn wrong_operands_are_named() {
    let case = case("ab,bc->ac", &[&[3, 4], &[4, 5]], "b", DType::Float64);
    let good = &case.operands;
    let message = |operands: &[Array]| {
        let compiled = case.plan.compile().unwrap();
        let errors = [
            case.plan.contract(operands).unwrap_err(),
            compiled.run(operands, Run::new()).unwrap_err(),
            compiled.memory(operands).unwrap_err(),
            compiled.sum_slices(operands, 0, 1).unwrap_err(),
        ];
        let text = |error: &autojit::Error| {
            let text = error.to_string();
            assert!(text.contains("tests/api/contract/mod.rs:"), "{text}");
            text.split(" in ").next().unwrap().to_owned()
        };
        let texts: BTreeSet<String> = errors.iter().map(text).collect();
        assert_eq!(texts.len(), 1, "{texts:?}");
        texts.into_iter().next().unwrap()
    };
    let one = &good[..1];
    assert_eq!(message(one), "the network has 2 operands, got 1");
    let turned = [good[0].clone(), good[1].t()];
    assert_eq!(
        message(&turned),
        "operand 1 is f64[5,4], expected the shape [4, 5]"
    );
    let mixed = [good[0].clone(), good[1].astype(DType::Float32)];
    assert_eq!(
        message(&mixed),
        "operand 1 is f32[4,5], expected the dtype of operand 0, f64[3,4]"
    );
    let failed = [good[0].clone(), np::matmul(&good[0], &good[0])];
    let error = case.plan.contract(&failed).unwrap_err().to_string();
    assert!(error.contains("matmul"), "{error}");

    let lazy = [good[0].clone(), variable(&[4, 5], DType::Float64)];
    let error = case
        .plan
        .compile()
        .unwrap()
        .run(&lazy, Run::new())
        .unwrap_err();
    assert!(
        error.to_string().starts_with("operand 1 is lazy"),
        "{error}"
    );

    let empty = Network::new(vec![], vec![], []).unwrap();
    let empty = plan(&empty, &Options::default()).unwrap();
    let none: [Array; 0] = [];
    assert!(empty.contract(&none).unwrap_err().is_value());
    assert!(empty.compile().unwrap_err().is_value());
    let huge = Network::new(vec![vec![0, 1]], vec![], [(0, 1 << 40), (1, 1 << 40)]).unwrap();
    let huge = plan(&huge, &Options::default()).unwrap();
    let huge = huge.sliced_by(&[0, 1]).unwrap();
    assert!(huge.compile().unwrap_err().is_value());
}

/// What fails in a slice is told at the line of the call.
#[test]
fn what_fails_in_a_slice_names_the_call() {
    in_own_process!();
    let case = case("ab,bc->ac", &[&[3, 4], &[4, 5]], "b", DType::Float64);
    let (plan, operands) = (&case.plan, &case.operands);
    let fails = |_: &Arguments| Err::<Array, _>(Error::value("no products today"));
    register_function("ndarray", "einsum", fails).unwrap();
    let eager = plan.contract(operands).unwrap_err();
    let eager = (line!() - 1, eager);
    register_function("lazy", "einsum", fails).unwrap();
    let compiled = plan.compile().unwrap();
    let traced = autojit(|x: Vec<Array>| plan.contract(&x));
    let at = line!() - 1;
    let errors = [
        eager,
        (at, traced.call(&operands[..]).and_then(|x| x).unwrap_err()),
        (line!(), compiled.run(operands, Run::new()).unwrap_err()),
        (line!(), compiled.sum_slices(operands, 0, 1).unwrap_err()),
        (line!(), compiled.memory(operands).unwrap_err()),
    ];
    for (line, error) in errors {
        let text = error.to_string();
        assert!(text.starts_with("no products today in einsum"), "{text}");
        let here = format!("tests/api/contract/mod.rs:{line}:");
        assert!(text.contains(&here), "{text}, expected {here}");
    }
}

#[test]
fn memory_is_known_before_and_limited() {
    let (plan, operands) = lattice(DType::Float64);
    let compiled = plan.compile().unwrap();
    let memory = compiled.memory(&operands).unwrap();
    let estimate = plan.memory(DType::Float64).unwrap();
    assert_eq!(memory.operands, estimate.operands);
    // A workspace is rounded up, and steps that run together keep a little more alive.
    assert!(
        memory.call < 4 * estimate.call + 65536,
        "{memory} and {estimate}"
    );
    let run = |limit| compiled.run(&operands, Run::new().threads(4).memory_limit(limit));
    let expected = compiled.run(&operands, Run::new()).unwrap();
    // Enough for four threads, and for one.
    for limit in [memory.total(4), memory.total(1)] {
        assert_eq!(bits(&run(limit).unwrap()), bits(&expected));
    }
    let error = run(memory.total(1) - 1).unwrap_err();
    assert!(error.is_value());
    let text = format!("one thread takes {} bytes", memory.total(1));
    assert!(error.to_string().starts_with(&text), "{error}");
    // Without slices the same network takes more.
    let whole = plan.sliced_by(&[]).unwrap();
    let whole = whole.memory(DType::Float64).unwrap();
    assert!(whole.call > estimate.call, "{whole} and {estimate}");
}

/// The allocator counts bytes, so the test has a process of its own.
#[test]
fn a_run_takes_the_memory_that_was_predicted() {
    in_own_process!();
    // The product of the first two operands has 5 MB, as the third has.
    let shapes: [&[u64]; 3] = [&[800, 40], &[40, 800], &[800, 800]];
    let case = case("ab,bc,ac->", &shapes, "", DType::Float64);
    let path = [vec![0, 1], vec![0, 1]];
    let along = Plan::from_path(case.plan.network(), &path).unwrap();
    for (sliced, threads) in [("", 1), ("b", 1), ("b", 2), ("c", 2)] {
        let compiled = along.sliced_by(&labels(sliced)).unwrap().compile().unwrap();
        let memory = compiled.memory(&case.operands).unwrap();
        let run = || {
            let run = Run::new().threads(threads);
            compiled.run(&case.operands, run.memory_limit(memory.total(threads)))
        };
        let (peak, result) = peak_of(|| run().unwrap());
        assert_near(sliced, &result, &np::einsum(case.text, &case.operands));
        let predicted = memory.total(threads) - memory.operands;
        // Products of matrices pack blocks of their operands into buffers that each thread keeps.
        let buffers = threads as u64 * (2 << 20);
        let most = predicted + predicted / 10 + buffers;
        assert!(peak as u64 <= most, "{peak} of {most}: {memory}");
    }
}
