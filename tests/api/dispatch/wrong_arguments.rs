//! Every function of the table is called with wrong arguments, in every mode: none panics, and each error names a line of
//! this file and never one of the library's own.
//!
//! Calls by name pass the caller's line through the typed functions, so both chains are walked. Arguments come from a list
//! of values that are wrong for most parameters, by a generator whose seed is fixed.

use autojit::dispatch;
use autojit::{Array, DType, Error, Result, Value, autojit, lazy, numpy as np};

/// A generator of numbers that says the same each time (Vigna's splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// Arrays that are wrong, or right, for one parameter or another.
fn arrays() -> Vec<Array> {
    vec![
        Array::from([1.0, 2.0, 3.0]),
        Array::from([1.0; 5]),
        Array::from([[1.0, 2.0], [3.0, 4.0]]),
        Array::from([[1.0, 2.0, 3.0]; 2]),
        np::zeros([0, 3], ..),
        np::zeros([2, 0], DType::Complex64),
        Array::from([true, false, true]),
        Array::from([7i64, -9, 2]),
        Array::from([0u8, 1, 255]),
        Array::from(num_complex::Complex64::new(1.0, -1.0)),
        Array::from([[f64::NAN, f64::INFINITY], [0.0, -0.0]]),
        np::ones([2, 2, 2], DType::Float32),
    ]
}

fn value(numbers: &mut Numbers, arrays: &[Array]) -> Value {
    let int = |numbers: &mut Numbers| [0i64, 1, -1, 2, 3, 7, -4][numbers.below(7)];
    match numbers.below(12) {
        0..=5 => (&arrays[numbers.below(arrays.len())]).into(),
        6 => int(numbers).into(),
        7 => [0.5, -2.0, f64::NAN, f64::INFINITY][numbers.below(4)].into(),
        8 => {
            let count = numbers.below(4);
            Value::List((0..count).map(|_| int(numbers).into()).collect())
        }
        9 => ["full", "ij,j->i", "", "mean", "C"][numbers.below(5)].into(),
        10 => {
            let count = 1 + numbers.below(2);
            let arrays = (0..count).map(|_| (&arrays[numbers.below(arrays.len())]).into());
            Value::List(arrays.collect())
        }
        _ => Value::None,
    }
}

/// Functions whose time or memory a number decides, or that affect the process.
const LEFT_OUT: &[&str] = &["random.seed"];

#[track_caller]
fn has_our_line(error: &Error, call: &str) {
    let text = error.to_string();
    assert!(!error.is_internal(), "{call}: {text}");
    let file = error.location().map_or("", |location| location.file());
    assert!(file.ends_with("wrong_arguments.rs"), "{call}: {text}");
}

fn all(value: Value) -> Result<Vec<Array>> {
    match value {
        Value::Array(_) | Value::List(_) => value.into_arrays(),
        _ => Ok(Vec::new()),
    }
}

#[test]
fn every_error_has_the_line_of_the_user() {
    let mut numbers = Numbers(17);
    let eager = arrays();
    let (mut calls, mut errors) = (0, 0);
    for (name, _) in dispatch::functions() {
        if LEFT_OUT.contains(&name) {
            continue;
        }
        let described = dispatch::described();
        let function = described.iter().find(|f| f.name == name).unwrap();
        let required = function.parameters.iter().filter(|p| p.default.is_none());
        let required = required.count();
        for round in 0..60 {
            let most = function.parameters.len() + usize::from(function.rest.is_some());
            let count = required + numbers.below(most - required + 1);
            // Some calls have an argument too many or too few.
            let count = match round % 20 {
                0 => count + 1,
                1 => count.saturating_sub(1),
                _ => count,
            };
            let args: Vec<Value> = (0..count).map(|_| value(&mut numbers, &eager)).collect();
            let shown = format!("{name}({args:?})");
            let as_lazy = |value: &Value| match value {
                Value::Array(array) => lazy::array(array).into(),
                Value::List(items) => Value::List(
                    items
                        .iter()
                        .map(|item| match item {
                            Value::Array(array) => lazy::array(array).into(),
                            other => other.clone(),
                        })
                        .collect(),
                ),
                other => other.clone(),
            };
            calls += 1;
            if let Err(error) = dispatch::call(name, &args, &[]).and_then(all) {
                has_our_line(&error, &shown);
                errors += 1;
            }
            let lazily: Vec<Value> = args.iter().map(as_lazy).collect();
            let results = dispatch::call(name, &lazily, &[]).and_then(all);
            if let Err(error) = results.and_then(lazy::compute) {
                has_our_line(&error, &format!("lazily {shown}"));
            }
            if round < 12 {
                let f = autojit(|_: Array| dispatch::call(name, &lazily, &[]).and_then(all));
                if let Err(error) = f.backend("replay").call(&eager[0]) {
                    has_our_line(&error, &format!("traced {shown}"));
                }
            }
        }
    }
    assert!(errors * 4 > calls, "{errors} errors in {calls} calls");
}

#[test]
fn wrong_sizes_have_the_line_of_the_user() {
    let huge = i64::MAX;
    let errors = [
        np::zeros([huge, 2], ..),
        np::eye(huge, ..),
        np::tri(huge, ..),
        np::tril(np::ones((), ..), ..),
        np::triu(np::ones((), ..), ..),
        np::random::normal(0.0, 1.0, np::random::size([1_i64 << 60, 2])),
        np::random::random([-1]),
        np::random::choice(np::ones((), ..), ..),
        np::random::choice(3, np::random::size(2).p([0.5, 0.5])),
        np::random::permutation(np::ones((), ..)),
        np::tril_indices(huge, ..).0,
        np::unravel_index(Array::from([1.0]), [2], ..).remove(0),
        np::vstack([np::ones([2], ..), np::ones([3], ..)]),
        np::column_stack([np::ones([2], ..), np::ones([3], ..)]),
        np::corrcoef(np::ones([1, 1, 1], ..), ..),
        np::quantile(Array::from([1.0]), 2.0, ..),
        np::block([np::ones([2, 2], ..), np::ones([3, 3], ..)]),
        np::linalg::sqrtm(np::ones([2, 3], ..)),
        np::fft::irfftn(1.0, ..),
    ];
    for (index, result) in errors.into_iter().enumerate() {
        has_our_line(&result.check().unwrap_err(), &index.to_string());
    }
    // Diagonals beyond all corners are no mistake.
    let x = Array::from([[1, 2], [3, 4]]);
    for k in [i64::MAX, i64::MIN, 5, -5] {
        let (lower, upper) = (np::tril(&x, k), np::triu(&x, k));
        let (all, none) = ("[[1 2]\n [3 4]]", "[[0 0]\n [0 0]]");
        let expected = if k > 0 { (all, none) } else { (none, all) };
        assert_eq!(
            (lower.to_string().as_str(), upper.to_string().as_str()),
            expected,
            "{k}"
        );
    }
}
