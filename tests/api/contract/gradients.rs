//! Gradients of contractions: in traces, and as runs of their own, slice by slice.

use std::ops::ControlFlow;
use std::time::Duration;

use autojit::contract::{CompiledGradient, Execute, Network, Options, Plan, Progress, Run, plan};
use autojit::num_complex::Complex64;
use autojit::{Array, DType, numpy as np, value_and_grad, vjp};

use super::{DTYPES, assert_near, bits, case, cases, labels, lattice};

#[test]
fn slices_have_gradients() {
    let case = case(
        "ab,bc,cd,da->",
        &[&[3, 4], &[4, 5], &[5, 6], &[6, 3]],
        "bd",
        DType::Float64,
    );
    let plan = &case.plan;
    let sliced =
        value_and_grad(|x: Vec<Array>| plan.contract(&x).unwrap_or_else(|_| Array::from(0.0)));
    let whole = value_and_grad(|x: Vec<Array>| np::einsum("ab,bc,cd,da->", &x));
    let (value, gradient) = sliced(case.operands.clone()).unwrap();
    let (expected, gradients) = whole(case.operands.clone()).unwrap();
    assert_near("the value", &value, &expected);
    for (got, expected) in gradient.iter().zip(&gradients) {
        assert_near("a gradient", got, expected);
    }
}

/// The value and the gradients of the whole, by `einsum`.
fn whole(text: &str, operands: &[Array], dtype: DType) -> (Array, Vec<Array>) {
    let f = |x: Vec<Array>| np::einsum(text, &x);
    let (value, pullback) = vjp(f, operands.to_vec()).unwrap();
    let one = Array::from(1.0).astype(dtype);
    (value, pullback(one).unwrap())
}

#[test]
fn gradients_of_slices_are_added() {
    for dtype in DTYPES {
        for case in cases(dtype) {
            let what = format!("{} {dtype} {:?}", case.text, case.plan.sliced());
            if !case.text.ends_with("->") {
                let error = case.plan.compile_gradient().unwrap_err();
                assert!(error.is_value(), "{what}: {error}");
                assert!(
                    error.to_string().contains("contract/gradients.rs"),
                    "{error}"
                );
                continue;
            }
            let compiled = case.plan.compile_gradient().unwrap();
            let run = |threads| compiled.run(&case.operands, Run::new().threads(threads));
            let (value, gradient) = run(1).unwrap();
            let (expected, gradients) = whole(case.text, &case.operands, dtype);
            assert_near(&what, &value, &expected);
            assert_eq!(gradient.len(), gradients.len());
            let (_, again) = run(3).unwrap();
            for ((got, expected), again) in gradient.iter().zip(&gradients).zip(&again) {
                assert_near(&what, got, expected);
                assert_eq!(bits(got), bits(again), "{what}");
            }
            assert_eq!(compiled.row().compilations(), 1);
        }
    }
}

/// The lattice without its open leg.
fn closed() -> (CompiledGradient, Vec<Array>) {
    let (open, operands) = lattice(DType::Complex128);
    let mut inputs = open.network().operands().to_vec();
    inputs[5].pop();
    let sizes = inputs.iter().flatten().map(|&label| (label, 4));
    let network = Network::new(inputs.clone(), vec![], sizes).unwrap();
    let options = Options {
        steps: 20_000,
        ..Options::default()
    };
    let plan = plan(&network, &options).unwrap();
    let plan = plan.sliced_by(&[2, 10, 18]).unwrap();
    let mut operands = operands;
    operands[5] = np::take(&operands[5], 0, -1);
    (plan.compile_gradient().unwrap(), operands)
}

#[test]
fn a_run_of_gradients_goes_on_from_its_checkpoint() {
    let (compiled, operands) = closed();
    let (_, expected) = compiled.run(&operands, Run::new()).unwrap();
    let path = std::env::temp_dir().join(format!("autojit-{}-gradient", std::process::id()));
    let mut half = |progress: &Progress| match 2 * progress.done < progress.total {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    let run = Run::new().checkpoint(&path, Duration::MAX);
    let error = compiled
        .run(&operands, run.progress(&mut half))
        .unwrap_err();
    assert!(error.is_interrupted(), "{error}");
    // It is not that of the contraction alone.
    let plain = compiled.row().plan().compile().unwrap();
    let run = || Run::new().checkpoint(&path, Duration::MAX);
    assert!(plain.run(&operands, run()).unwrap_err().is_file());
    let mut first = None;
    let mut report = |progress: &Progress| {
        first.get_or_insert(progress.done);
        ControlFlow::Continue(())
    };
    let (_, gradient) = compiled
        .run(&operands, run().progress(&mut report))
        .unwrap();
    assert!(first.unwrap() > 32, "{first:?}");
    for (got, expected) in gradient.iter().zip(&expected) {
        assert_eq!(bits(got), bits(expected));
    }
    assert!(!path.exists());

    let short = Array::from(vec![Complex64::ONE; 3]);
    let error = compiled.split(&short).unwrap_err();
    assert!(error.is_shape(), "{error}");
}

/// Reverse mode keeps the intermediate results of one slice, not of all: here a matrix of 512 times 512, or a row of it.
#[test]
fn gradients_take_the_memory_of_one_slice() {
    let shapes: [&[u64]; 4] = [&[512, 4], &[512, 4], &[512, 4], &[512, 4]];
    let case = case("ab,cb,ad,cd->", &shapes, "a", DType::Float64);
    let path = [vec![0, 1], vec![0, 2], vec![0, 1]];
    let whole = Plan::from_path(case.plan.network(), &path).unwrap();
    let memory = |sliced: &str| {
        let plan = whole.sliced_by(&labels(sliced)).unwrap();
        let compiled = plan.compile_gradient().unwrap();
        compiled.row().memory(&case.operands).unwrap()
    };
    let (rows, whole) = (memory("a"), memory(""));
    assert!(whole.call > 512 * 512 * 8, "{whole}");
    assert!(rows.call < 512 * 512 * 8 / 2, "{rows}");
}
