//! How the native engine runs loops: numbers in registers, arrays that stay where they are, and memory that is known before.

use autojit::{
    Array, DType, Report, Result, autojit, control::*, fori_loop, ix, numpy as np, scan, while_loop,
};
use num_complex::Complex64;

fn values(x: &[Array]) -> Vec<Vec<Complex64>> {
    let value = |x: &Array| np::astype(x, DType::Complex128).to_vec::<Complex64>();
    x.iter().map(|x| value(x).unwrap()).collect()
}

/// Runs a function as it is and compiled, where it gives the same; what compiling reports.
fn same(f: impl Fn(Array) -> Result<Vec<Array>>, x: &Array) -> Report {
    let eager = f(x.clone()).unwrap();
    let compiled = autojit(&f).backend(super::NATIVE).strict(true);
    for _ in 0..2 {
        let results = compiled.call(x).unwrap().unwrap();
        for (got, expected) in results.iter().zip(&eager) {
            assert_eq!(got.dtype().unwrap(), expected.dtype().unwrap());
        }
        assert_eq!(values(&results), values(&eager));
    }
    compiled.compile(x).unwrap()
}

/// Entries of the program and of those inside it.
fn entries(report: &Report) -> Option<usize> {
    report.code.tape_entries
}

#[test]
fn numbers_of_every_dtype_are_carried() {
    use DType::*;
    for dtype in [
        Bool, Uint8, Int32, Int64, Float32, Float64, Complex64, Complex128,
    ] {
        let xs = Array::from([1.5, 2.0, 0.25, 3.0, 0.0]).astype(dtype);
        let f = |xs: Array| {
            // The carried values change places, so each number must be read before it is written.
            let step = |(a, b, n): (Array, Array, Array), x: Array| {
                let next = np::multiply(&a, &x) + &b;
                let next = next.astype(dtype);
                ((b, next.clone(), n + 1), (next, a))
            };
            let init = || {
                let number = |x: f64| Array::from(x).astype(dtype);
                (number(1.0), number(2.0), Array::from(0_i64))
            };
            let ((a, b, n), (c, d)) = scan(step, init(), xs.clone())?;
            let ((e, ..), (g, h)) = scan_reverse(step, init(), xs)?;
            Ok(vec![a, b, n, c, d, e, g, h])
        };
        same(f, &xs);
    }
}

#[test]
fn numbers_are_one_kernel() {
    let f = |xs: Array| {
        let numbers = (0..60).map(|i| Array::from(f64::from(i))).collect();
        let step = |numbers: Vec<Array>, x: Array| {
            let mut from = x;
            let mut next = Vec::new();
            for number in &numbers {
                let out = number / (1.0 + number * number);
                next.push(number + (&from - &out) * 0.5);
                from = out;
            }
            (next, from)
        };
        let (mut numbers, out): (Vec<Array>, Array) = scan(step, numbers, xs)?;
        numbers.push(out);
        Ok(numbers)
    };
    let report = same(f, &np::linspace(0.0, 1.0, 7));
    if let Some(entries) = entries(&report) {
        // Of the whole: to write the numbers, to run the loop, to give the results.
        assert!(entries < 60 + 1 + 61 + 5, "{entries} entries");
    }
}

#[test]
fn elements_that_are_arrays_and_results_that_are_one_value() {
    let f = |xs: Array| {
        let step = |(sum, same): (Array, Array), x: Array| {
            let sum = sum + x.get(0) * x.get(2) - x.get(1);
            ((sum.clone(), same.clone()), (sum.clone(), sum, same))
        };
        let init = (Array::from(0.5), Array::from(3_i64));
        let ((a, b), (c, d, e)) = scan(step, init, xs)?;
        Ok(vec![a, b, c, d, e])
    };
    same(f, &np::reshape(np::linspace(-1.0, 2.0, 15), [5, 3]));
}

#[test]
fn numbers_until_a_condition_fails() {
    let newton = |x: Array| {
        let init = (x.clone(), np::zeros_like(&x, ..), Array::from(0_i64));
        let changes = |(new, old, _): (Array, Array, Array)| np::greater(np::abs(new - old), 1e-12);
        let step = |(new, _, n): (Array, Array, Array)| ((&new + &x / &new) * 0.5, new, n + 1);
        let (root, before, n) = while_loop(changes, step, init)?;
        Ok(vec![root, before, n])
    };
    for x in [2.0, 1e6, 0.0] {
        same(newton, &Array::from(x));
    }
    let limited = autojit(|x: Array| {
        let up = |(x, n): (Array, Array)| (x * 2.0, n + 1);
        let goes_on = |(x, _): (Array, Array)| np::less(x, 100.0);
        while_loop_within(5, goes_on, up, (x, Array::from(0_i64)))
    });
    let (x, n) = limited.call(Array::from(4.0)).unwrap().unwrap();
    assert_eq!(
        (x.item::<f64>().unwrap(), n.item::<i64>().unwrap()),
        (128.0, 5)
    );
    let none = limited.call(Array::from(400.0)).unwrap().unwrap();
    assert_eq!(none.1.item::<i64>().unwrap(), 0);
    let error = limited.call(Array::from(1.0)).map(|_| ()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains('5') && message.contains("native.rs"),
        "{message}"
    );
}

#[test]
fn arrays_that_are_changed_in_one_place() {
    // Sums of these are exact.
    let start = np::arange(40, ..).astype(DType::Float64);
    // Alone; after what reads the array; before that; twice; by positions.
    let alone = |x: Array| {
        let step = |i: Array, x: Array| x.at(3).set(np::cos(x.get(5)) + i);
        Ok(vec![fori_loop(0, 7, step, x.clone())?, x])
    };
    same(alone, &start);
    let read = |x: Array| {
        let step = |x: Array| {
            let next = x.at(ix![2..4]).set(x.get(ix![3..5]) * 2.0);
            let both = np::sum(&x, ..) + np::sum(&next, ..);
            (next, (x, both))
        };
        let (x, (all, sums)) = scan_length(step, x, 5)?;
        Ok(vec![x, all, sums])
    };
    same(read, &start);
    let twice = |x: Array| {
        let step = |x: Array, i: Array| {
            let x = x.at(0).set(&i).at(1).add(x.get(2));
            (x.clone(), x.get(1))
        };
        let (x, ys) = scan(step, x, np::arange(6, ..).astype(DType::Float64))?;
        Ok(vec![x, ys])
    };
    same(twice, &start);
    let places = |x: Array| {
        let step = |x: Array, i: Array| (x.at(&i).set(np::sum(&x, ..)), Vec::<Array>::new());
        Ok(vec![
            scan(step, x, np::arange(9, ..).astype(DType::Int64))?.0,
        ])
    };
    same(places, &start);
    let until = |x: Array| {
        let goes_on = |x: Array| np::less(x.get(0), 50.0);
        let step = |x: Array| x.at(0).set(x.get(0) * 2.0 + 1.0);
        Ok(vec![while_loop(goes_on, step, x.clone())?, x])
    };
    same(until, &start);
}

/// A million steps in a thousand blocks: what is carried is kept for each block, and what the slopes need for the steps of one block.
#[cfg(feature = "cranelift")]
#[test]
fn a_gradient_of_a_million_steps_keeps_the_root() -> Result<()> {
    use autojit::{checkpoint, grad};

    const BLOCKS: usize = 1000;
    const STEPS: usize = 1000;
    fn steps(x: Array, count: usize) -> Array {
        let step = |x: Array| (np::sin(&x * 1.5), Vec::<Array>::new());
        scan_length(step, x, count).map_or_else(|_| Array::from(f64::NAN), |(x, _)| x)
    }
    let flat = |x: Array| np::sum(steps(x, BLOCKS * STEPS), ..);
    let nested = |x: Array| {
        let block = |x: Array| {
            let x = checkpoint(|x: Array| steps(x, STEPS))(x);
            let x = x.unwrap_or_else(|_| Array::from(f64::NAN));
            (x, Vec::<Array>::new())
        };
        scan_length(block, x, BLOCKS).map(|(x, _)| np::sum(x, ..))
    };
    let x = np::linspace(-1.0, 1.0, 8);
    let array = 8 * 8;
    let planned = |report: Report| report.code.planned_peak_bytes.unwrap_or(0);
    let whole = planned(autojit(grad(flat)).compile(&x)?);
    let root = planned(autojit(grad(nested)).compile(&x)?);
    // A slope for each step, or what is carried for each block and a slope or two for each step of one.
    assert!(whole >= BLOCKS * STEPS * array, "{} arrays", whole / array);
    let bound = (BLOCKS + 3 * STEPS + 100) * array;
    assert!(root <= bound, "{} arrays", root / array);
    Ok(())
}

/// Numbers that are no small integers, so that an order of summation shows.
fn fractions(shape: [i64; 2]) -> Array {
    let n = shape[0] * shape[1];
    let x = 1.0 / (np::arange(n, ..).astype(DType::Float64) % 97.0 + 3.0);
    np::reshape(x, shape)
}

#[test]
fn products_of_elements_are_those_of_one_iteration() {
    // More or fewer iterations than products at a time; rows that are and are not in groups of four; both orders.
    for (count, rows) in [
        (1, 48),
        (2, 64),
        (7, 47),
        (16, 64),
        (17, 64),
        (33, 50),
        (300, 64),
        (301, 128),
    ] {
        let (w, u) = (fractions([rows, 40]), fractions([rows, rows]) / 16.0);
        let f = |xs: Array| {
            let step = |h: Array, x: Array| {
                let once = np::matmul(&w, &x);
                let h = np::tanh(&once + np::matmul(&u, &h) + np::matmul(u.get(ix![.., ..40]), &x));
                (h.clone(), (h, once, x))
            };
            let zeros = || np::zeros([rows as usize], ..);
            let (h, (hs, onces, same)) = scan(step, zeros(), xs.clone())?;
            let (last, (back, ..)) = scan_reverse(step, zeros(), xs)?;
            Ok(vec![h, hs, onces, same, last, back])
        };
        same(f, &fractions([count, 40]));
    }
}

#[test]
fn what_is_carried_and_given_is_written_once() {
    for count in [1, 2, 3, 8] {
        let f = |xs: Array| {
            let step = |(a, b, same): (Array, Array, Array), x: Array| {
                let next = np::cos(&a * &x + &b);
                // The first is carried twice and given twice, the second is given late.
                (
                    (next.clone(), &a + 1.0, next.clone()),
                    (next.clone(), next + same, a),
                )
            };
            let init = || {
                (
                    fractions([1, 5]).get(0),
                    np::zeros([5], ..),
                    np::ones([5], ..),
                )
            };
            let ((a, b, c), (d, e, g)) = scan(step, init(), xs.clone())?;
            let ((h, i, j), (k, l, m)) = scan_reverse(step, init(), xs)?;
            Ok(vec![a, b, c, d, e, g, h, i, j, k, l, m])
        };
        same(f, &fractions([count, 5]));
    }
}
