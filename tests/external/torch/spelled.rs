//! Ops that libtorch lacks, or leaves open, spelled with what it has: scatters, complex order, random draws.
//!
//! Each function runs on ndarray, which the differential tests hold to the reference interpreter, eagerly on torch, and as a
//! TorchScript module with `strict`, so that nothing is replayed.

use autojit::ir::HostArray;
use autojit::numpy::random;
use autojit::tch::{CModule, IValue, Tensor};
use autojit::{Array, DType, Value, autojit, ix, numpy as np, register_function};
use num_complex::Complex64;

use super::{array, values};
use crate::process::in_own_process;

fn host(x: &Array) -> HostArray {
    HostArray::try_from(&x.to("ndarray")).unwrap()
}

/// Equal but for the kind of a NaN: the bits, or the elements of equal ones.
#[track_caller]
fn assert_same(got: &Array, expected: &Array, what: &str) {
    let (got, expected) = (host(got), host(expected));
    assert_eq!(got.ty(), expected.ty(), "{what}");
    let text = |x: &HostArray| format!("{:?}", x.to_scalars());
    assert_eq!(text(&got), text(&expected), "{what}");
}

/// Runs a function everywhere.
#[track_caller]
fn agrees(f: impl Fn(Array) -> Array, x: &Array, what: &str) {
    let expected = f(x.clone()).check().unwrap();
    let in_torch = x.to("torch");
    let eager = f(in_torch.clone()).check().unwrap();
    assert_eq!(eager.library().unwrap(), "torch");
    assert_same(&eager, &expected, what);
    let compiled = autojit(f).strict(true);
    assert_same(&compiled.call(&in_torch).unwrap(), &expected, what);
    assert_eq!(compiled.explain(&in_torch).unwrap().backend(), "torch");
}

fn complex(numbers: &[(f64, f64)]) -> Array {
    let numbers: Vec<Complex64> = numbers
        .iter()
        .map(|&(re, im)| Complex64::new(re, im))
        .collect();
    Array::from(numbers)
}

const NAN: f64 = f64::NAN;

/// Ties in the real part, both zeros, infinities, and NaN in either part and in both.
fn odd_numbers() -> Vec<(f64, f64)> {
    const INF: f64 = f64::INFINITY;
    vec![
        (2.0, 1.0),
        (1.0, 5.0),
        (1.0, -5.0),
        (0.0, 3.0),
        (-0.0, 3.0),
        (2.0, 1.0),
        (INF, 0.0),
        (-INF, INF),
        (-INF, -INF),
        (1.0, INF),
        (0.0, -0.0),
        (NAN, 1.0),
        (1.0, NAN),
        (NAN, NAN),
        (0.5, NAN),
        (NAN, 0.0),
    ]
}

#[test]
fn complex_numbers_are_sorted_and_compared_in_order() {
    let all = odd_numbers();
    let finite: Vec<_> = all
        .iter()
        .copied()
        .filter(|z| !z.0.is_nan() && !z.1.is_nan())
        .collect();
    let cubes = [
        complex(&all),
        complex(&finite),
        complex(&all).reshape([4, 4]),
        complex(&all).reshape([2, 2, 4]),
        np::transpose(complex(&all).reshape([2, 2, 4]), ..),
        np::astype(complex(&all).reshape([4, 4]), DType::Complex64),
        complex(&[(1.0, -2.0)]),
        complex(&[
            (f64::NEG_INFINITY, f64::NEG_INFINITY),
            (f64::NEG_INFINITY, f64::NEG_INFINITY),
        ]),
        complex(&[]).reshape([0, 3]),
        complex(&[]).reshape([3, 0]),
    ];
    for x in &cubes {
        let ty = x.ty().unwrap();
        for axis in 0..ty.ndim() as i64 {
            let what = format!("{ty} along {axis}");
            agrees(|x| np::sort(&x, axis), x, &what);
            agrees(|x| np::argsort(&x, axis), x, &what);
            if ty.shape[axis as usize] == 0 {
                continue;
            }
            agrees(|x| np::max(&x, axis), x, &what);
            agrees(|x| np::min(&x, axis), x, &what);
            agrees(|x| np::argmax(&x, axis), x, &what);
            agrees(|x| np::argmin(&x, axis), x, &what);
        }
        // Of several NaN, ndarray takes the first in memory, as NumPy does.
        if ty.size() > 0 && ty.shape[..] != [4, 2, 2] {
            agrees(|x| np::max(&x, ..), x, "all");
            agrees(|x| np::min(&x, ..), x, "all");
        }
    }
}

#[test]
fn scatters_take_repeated_positions_one_after_the_other() {
    // Each position often, and some never; small whole numbers, so that sums are exact.
    let positions: Vec<i64> = (0..300).map(|i| i * i % 31 % 12 - 2).collect();
    let numbers = Array::from((0..300).map(|i| i * 7 % 13 - 4).collect::<Vec<i64>>());
    let signs = Array::from((0..300).map(|i| [1, -1][i % 5 % 2]).collect::<Vec<i64>>());
    for dtype in DType::ALL {
        let (mut values, signs) = (np::astype(&numbers % 2, dtype), np::astype(&signs, dtype));
        if dtype.is_complex() {
            let i = np::astype(Array::from([Complex64::i()]), dtype);
            values += i * np::astype(&numbers, dtype);
        }
        let x = np::astype(np::arange(10, ..) % 3, dtype);
        let index = || Array::from(positions.clone());
        agrees(|x| x.at(index()).set(&values), &x, &format!("set, {dtype}"));
        agrees(|x| x.at(index()).add(&values), &x, &format!("add, {dtype}"));
        agrees(|x| x.at(index()).min(&values), &x, &format!("min, {dtype}"));
        agrees(|x| x.at(index()).max(&values), &x, &format!("max, {dtype}"));
        // Zeros of either sign become positive.
        let positive = |x: Array| &x + np::zeros([10], np::like(&x));
        let what = format!("multiply, {dtype}");
        agrees(|x| positive(x.at(index()).multiply(&signs)), &x, &what);
    }
}

#[test]
fn scatters_of_complex_numbers_know_nan() {
    let all = odd_numbers();
    let x = complex(&all[..4]);
    for shift in 0..4 {
        let values = complex(&all);
        let positions: Vec<i64> = (0..all.len() as i64).map(|i| (i * 3 + shift) % 4).collect();
        let index = || Array::from(positions.clone());
        agrees(|x| x.at(index()).max(&values), &x, "max");
        agrees(|x| x.at(index()).min(&values), &x, "min");
    }
}

#[test]
fn scatters_by_keys_of_every_kind() {
    let x = Array::from((0..12).map(f64::from).collect::<Vec<_>>()).reshape([3, 4]);
    agrees(|x| x.at(1).set(5.0), &x, "a row");
    agrees(|x| x.at(ix![.., 3]).add(0.5), &x, "a column");
    agrees(
        |x| x.at(..).multiply(np::astype(&x, DType::Float64)),
        &x,
        "all",
    );
    agrees(|x| x.at(ix![2..0, ..]).set(7.0), &x, "nothing");
    agrees(|x| x.at(ix![-1, -1]).max(100.0), &x, "one element");
    agrees(
        |x| x.at(&x).set(0),
        &np::astype(x.reshape([12]) * 0.0, DType::Int64),
        "by itself",
    );
    let one = Array::from(3.0);
    agrees(|x| x.at(ix![]).add(2.0), &one, "0-d");
    // The argument is a copy's origin, and stays as it was.
    let tensor = Tensor::from_slice(&[1.0, 2.0]);
    let _ = Array::from(&tensor).at(0).set(9.0);
    assert_eq!(Vec::<f64>::try_from(tensor).unwrap(), [1.0, 2.0]);
}

/// libtorch's order of the values would show in the last bits, or in which one stays.
#[test]
fn large_scatters_are_as_small_ones() {
    let n = 200_000;
    let numbers: Vec<f64> = (0..n)
        .map(|i| (f64::from(i) * 0.618_033_988).fract() - 0.5)
        .collect();
    let positions: Vec<i64> = (0..i64::from(n)).map(|i| i * i % 1009 % 100).collect();
    let (values, positions) = (Array::from(numbers), Array::from(positions));
    for dtype in [DType::Float32, DType::Float64] {
        let (values, x) = (np::astype(&values, dtype), np::zeros([100], dtype));
        agrees(|x| x.at(&positions).set(&values), &x, "set");
        agrees(|x| x.at(&positions).add(&values), &x, "add");
        agrees(|x| x.at(&positions).max(&values), &x, "max");
    }
}

// ---- random draws ----

fn draws(x: &Array, generator: &random::Generator) -> Vec<Array> {
    let like = || random::size([3, 2]).like(x);
    vec![
        generator.random(like()),
        generator.random(like()) * 2.0,
        generator.integers(-5, 5, random::size([7]).like(np::astype(x, DType::Int64))),
        np::astype(x, DType::Float64)
            + generator.random(random::size([1]).like(np::astype(x, DType::Float64))),
    ]
}

#[test]
fn random_draws_are_the_same_numbers_in_torch() {
    let x = Array::from([1.0, 2.0]);
    let (on_ndarray, on_torch, inside, replayed) = (
        random::default_rng(7),
        random::default_rng(7),
        random::default_rng(7),
        random::default_rng(7),
    );
    let compiled = autojit(move |x: Array| draws(&x, &inside)).strict(true);
    let replay = autojit(move |x: Array| draws(&x, &replayed)).backend("replay");
    let mut before: Vec<Array> = Vec::new();
    for call in 0..3 {
        let expected = draws(&x, &on_ndarray);
        let in_torch = x.to("torch");
        let others = [
            draws(&in_torch, &on_torch),
            compiled.call(&in_torch).unwrap(),
            replay.call(&in_torch).unwrap(),
        ];
        for (way, got) in others.iter().enumerate() {
            for (got, expected) in got.iter().zip(&expected) {
                assert_eq!(got.library().unwrap(), "torch");
                assert_same(got, expected, &format!("call {call}, way {way}"));
            }
        }
        // Each call draws anew.
        for (old, new) in before.iter().zip(&expected) {
            assert_ne!(old.to_string(), new.to_string());
        }
        before = expected;
    }
    assert_eq!((compiled.misses(), compiled.hits()), (1, 2));
    assert_eq!(compiled.explain(x.to("torch")).unwrap().backend(), "torch");
}

#[test]
fn normal_numbers_are_the_same_bits_in_torch() {
    let (outside, inside) = (random::default_rng(3), random::default_rng(3));
    let normal = |x: &Array, g: &random::Generator| g.standard_normal(random::size([101]).like(x));
    let compiled = autojit(move |x: Array| normal(&x, &inside)).strict(true);
    for dtype in [DType::Float32, DType::Float64] {
        let x = np::astype(Array::from([1.0]), dtype);
        let got = compiled.call(x.to("torch")).unwrap();
        assert!(
            host(&got).same_bits(&host(&normal(&x, &outside))),
            "{dtype}"
        );
    }
}

#[test]
fn draws_are_arguments_of_a_saved_module() {
    let generator = random::default_rng(1);
    let f = autojit(move |x: Array| x + generator.random(random::size([2])) - generator.random(..));
    let x = array(&[1.0, 2.0]);
    let code = f.torchscript_source(&x).unwrap();
    assert!(
        code.contains("forward(self: __torch__.M, x0: Tensor, r0: Tensor, r1: Tensor)"),
        "{code}"
    );
    let path = std::env::temp_dir().join(format!("autojit-draws-{}.pt", std::process::id()));
    f.save_torchscript(&path, &x).unwrap();
    let module = CModule::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let inputs = [
        Tensor::from_slice(&[1.0, 2.0]),
        Tensor::from_slice(&[10.0, 20.0]),
        Tensor::from(1.0),
    ];
    match module.forward_is(&inputs.map(IValue::Tensor)).unwrap() {
        IValue::TensorList(list) => {
            assert_eq!(Vec::<f64>::try_from(&list[0]).unwrap(), [10.0, 21.0]);
        }
        other => panic!("{other:?}"),
    }
}

/// A result that is a draw is not the memory that was lent for it.
#[test]
fn draws_that_are_results_live_on() {
    let generator = random::default_rng(5);
    let expected = random::default_rng(5).random([1000]);
    let f = autojit(move |x: Array| {
        let drawn = generator.random([1000]);
        (drawn.clone(), np::reshape(drawn, [10, 100]), x)
    });
    let (a, b, _) = f.call(array(&[1.0])).unwrap();
    let _ = f.call(array(&[1.0])).unwrap();
    assert_eq!(values(&a), values(&expected));
    assert_eq!(values(&b.ravel()), values(&expected));
}

// ---- what is declined ----

#[test]
fn registered_functions_are_left_to_replay() {
    in_own_process!();
    register_function(
        "torch",
        "sinh",
        |arguments: &autojit::dispatch::Arguments| Ok(Value::from(arguments.array(0) * 0.0 + 42.0)),
    )
    .unwrap();
    let f = autojit(|x: Array| np::sinh(x) + 1.0);
    let x = array(&[1.0]);
    assert_eq!(values(&f.call(&x).unwrap()), [43.0]);
    let explanation = f.explain(&x).unwrap();
    assert_eq!(
        (explanation.backend(), explanation.declined().len()),
        ("replay", 1)
    );
    let error = f.strict(true).call(&x).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
}
