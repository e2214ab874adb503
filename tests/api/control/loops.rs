//! Loops and branches give the same eagerly, lazily and compiled.

use autojit::{
    Array, DType, Exported, Result, autojit, cond, control::*, fori_loop, lazy, numpy as np, scan,
    switch, while_loop,
};

fn values(x: &Array) -> Vec<f64> {
    np::astype(x, DType::Float64).to_vec::<f64>().unwrap()
}

/// The result of a function for an array eagerly, lazily, compiled and by replay: the same everywhere.
fn everywhere(f: impl Fn(Array) -> Result<Array>, x: &Array) -> Vec<f64> {
    let eager = values(&f(x.clone()).unwrap());
    let later = f(lazy::array(x)).unwrap();
    assert!(later.as_lazy().is_some());
    assert_eq!(values(&later.compute().unwrap()), eager, "lazily");
    for backend in super::backends() {
        let compiled = autojit(&f).backend(backend).strict(true);
        assert_eq!(
            values(&compiled.call(x).unwrap().unwrap()),
            eager,
            "by {backend}"
        );
        assert_eq!(
            values(&compiled.call(x).unwrap().unwrap()),
            eager,
            "by {backend} again"
        );
    }
    eager
}

#[test]
fn scans_carry_and_stack() {
    let xs = Array::from([1.0, 2.0, 3.0, 4.0]);
    let step = |(sum, product): (Array, Array), x: Array| {
        let (sum, product) = (sum + &x, product * x);
        ((sum.clone(), product.clone()), (sum, product))
    };
    let init = || (Array::from(0.0), Array::from(1.0));
    let forward = |xs: Array| {
        let ((sum, _), (sums, products)) = scan(step, init(), xs)?;
        np::concatenate(&[np::reshape(&sum, [1]), sums, products], ..).check()
    };
    assert_eq!(
        everywhere(forward, &xs),
        [10., 1., 3., 6., 10., 1., 2., 6., 24.]
    );
    let backward = |xs: Array| Ok(scan_reverse(step, init(), xs)?.1.1);
    assert_eq!(everywhere(backward, &xs), [24., 24., 12., 4.]);
    // An odd number of iterations, one, and none.
    for n in [3_usize, 1, 0] {
        let some = Array::from(vec![2.0; n]);
        assert_eq!(everywhere(forward, &some).len(), 1 + 2 * n);
        let last = |xs: Array| Ok(scan(step, init(), xs)?.0.1);
        assert_eq!(everywhere(last, &some), [2f64.powi(n as i32)]);
    }
}

#[test]
fn elements_may_be_arrays_and_what_is_captured_stays() {
    let a = Array::from([[0.5, 0.25], [-0.25, 0.5]]);
    let f = |x: Array| {
        let scale = np::sum(&x, ..);
        let step = |state: Array, row: Array| {
            let state = np::matmul(&a, &state) * &scale + row;
            (state.clone(), np::sum(&state, ..))
        };
        let (last, sums) = scan(step, Array::from([1.0, -1.0]), x.clone())?;
        np::concatenate(&[last, sums], ..).check()
    };
    let x = Array::from([[1.0, 2.0], [0.5, -3.0], [0.125, 4.0]]);
    let mut state = [1.0, -1.0];
    let mut sums = Vec::new();
    for row in [[1.0, 2.0], [0.5, -3.0], [0.125, 4.0]] {
        let scale = 4.625;
        state = [
            (0.5 * state[0] + 0.25 * state[1]) * scale + row[0],
            (-0.25 * state[0] + 0.5 * state[1]) * scale + row[1],
        ];
        sums.push(state[0] + state[1]);
    }
    assert_eq!(everywhere(f, &x), [state.to_vec(), sums].concat());
}

#[test]
fn results_that_are_one_value_or_an_argument() {
    // The element is what was carried; what is carried twice is one value; one array goes through unchanged.
    let f = |x: Array| {
        let step = |(a, b, c): (Array, Array, Array), x: Array| {
            let next = &a + x;
            ((next.clone(), next.clone(), c), (next.clone(), next, b))
        };
        let init = (Array::from(0.0), Array::from(7.0), Array::from(9.0));
        let ((a, b, c), (d, e, g)) = scan(step, init, x)?;
        let last = np::stack(&[a, b, c], ..);
        np::concatenate(&[last, d, e, g], ..).check()
    };
    assert_eq!(
        everywhere(f, &Array::from([1.0, 2.0, 3.0])),
        [6., 6., 9., 1., 3., 6., 1., 3., 6., 7., 1., 3.]
    );
}

#[test]
fn loops_over_numbers() {
    let f = |x: Array| fori_loop(2, 5, |i: Array, x: Array| x * 2.0 + i, x);
    assert_eq!(everywhere(f, &Array::from([1.0, 0.0])), [26., 18.]);
    // The number of iterations is an argument.
    let f = |n: Array| fori_loop(0, &n, |i: Array, sum: Array| sum + i, &n - &n);
    assert_eq!(everywhere(f, &Array::from(5_i64)), [10.]);
    assert_eq!(everywhere(|n| f(n - 10), &Array::from(10_i64)), [0.]);
    let powers = scan_length(|x: Array| (&x * 2.0, x), Array::from(1.0), 3);
    assert_eq!(values(&powers.unwrap().1), [1., 2., 4.]);
}

#[test]
fn loops_that_end_by_themselves() {
    let collatz = |n: Array| {
        let goes_on = |(n, _): (Array, Array)| np::greater(n, 1);
        let step = |(n, steps): (Array, Array)| {
            let odd = np::equal(np::remainder(&n, 2), 1);
            (
                np::where_(odd, &n * 3 + 1, np::floor_divide(&n, 2)),
                steps + 1,
            )
        };
        Ok(while_loop(goes_on, step, (n, Array::from(0_i64)))?.1)
    };
    assert_eq!(everywhere(collatz, &Array::from(27_i64)), [111.]);
    assert_eq!(everywhere(collatz, &Array::from(2_i64)), [1.]);
    assert_eq!(everywhere(collatz, &Array::from(1_i64)), [0.]);
}

#[test]
fn branches_run_one_side() {
    // The other side would fail.
    let f = |x: Array| {
        let safe = |x: Array| &x * 2;
        let fails = |x: Array| {
            let index = &x + 100;
            np::take(Array::from([1_i64, 2]), &index, ..)
        };
        cond(np::greater(&x, 0), safe, fails, x)
    };
    assert_eq!(everywhere(f, &Array::from(4_i64)), [8.]);
    let error = autojit(f).call(Array::from(-4_i64)).unwrap_err();
    assert!(error.is_index(), "{error}");
    let g = |index: Array| {
        let x = Array::from([1.0, 2.0]);
        let scale = np::astype(&index, DType::Float64);
        let a = |x: Array| x * &scale;
        let b = |x: Array| x + 10.0;
        let c = |x: Array| -x;
        switch(&index, &[&a, &b, &c], x)
    };
    for (index, expected) in [(0, [0., 0.]), (1, [11., 12.]), (2, [-1., -2.])] {
        assert_eq!(everywhere(g, &Array::from(index as i64)), expected);
    }
    // Out of range is the nearest one.
    assert_eq!(everywhere(g, &Array::from(-7_i64)), [-7., -14.]);
    assert_eq!(everywhere(g, &Array::from(7_i64)), [-1., -2.]);
}

#[test]
fn maps_and_loops_in_loops() {
    let f = |rows: Array| {
        let of_row = |row: Array| {
            let n = np::astype(np::sum(&row, ..), DType::Int64);
            let powers = |_: Array, x: Array| {
                let large = np::greater(np::max(&x, ..), 10.0);
                let halved = |x: Array| x / 2.0;
                let doubled = |x: Array| x * 2.0 + &row;
                cond(large, halved, doubled, x).unwrap()
            };
            fori_loop(0, n, powers, row.clone()).unwrap()
        };
        map(of_row, rows)
    };
    let rows: [[f64; 2]; 3] = [[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]];
    let mut expected = Vec::new();
    for row in rows {
        let mut x = row;
        for _ in 0..(row[0] + row[1]) as usize {
            let large = x[0] > 10.0 || x[1] > 10.0;
            for (x, r) in x.iter_mut().zip(row) {
                *x = if large { *x / 2.0 } else { *x * 2.0 + r };
            }
        }
        expected.extend(x);
    }
    assert_eq!(everywhere(f, &Array::from(rows)), expected);
}

#[test]
fn compiling_does_not_take_longer_for_more_iterations() {
    let nodes = |n: usize| {
        let f = autojit(|x: Array| {
            let step = |x: Array| (np::sin(&x) * 0.5 + &x, np::sum(&x, ..));
            scan_length(step, x, n)
        });
        let report = f.compile(Array::from([1.0, 2.0])).unwrap();
        (
            report.optimized_nodes,
            report.code.instructions,
            report.code.kernels,
        )
    };
    assert_eq!(nodes(3), nodes(30_000));
}

#[test]
fn loops_go_into_files() -> Result<()> {
    let f = autojit(|x: Array| {
        let step = |sum: Array, x: Array| {
            let scaled = cond(
                np::greater(&x, 2.0),
                |x: Array| x * 0.1,
                |x: Array| np::square(&x),
                x,
            );
            let sum = sum + scaled.unwrap();
            (sum.clone(), sum)
        };
        scan(step, Array::from(0.0), x)
    });
    let x = Array::from([1.0, 2.0, 3.0]);
    let (_, expected) = f.call(&x)??;
    let bytes = f.to_exported(&x)?.to_bytes()?;
    let loaded = Exported::from_bytes(&bytes)?;
    let (_, sums): (Array, Array) = loaded.call(&x)?;
    assert_eq!(values(&sums), values(&expected));
    Ok(())
}

#[test]
fn conditions_may_fail_by_the_question_mark() {
    let far = |x: Array| -> Result<Array> { np::greater(np::abs(&x * &x - 2.0), 1e-12).check() };
    let step = |x: Result<Array>| -> Result<Array> { Ok((x.clone()? + 2.0 / x?) / 2.0) };
    let root = while_loop(|x: Result<Array>| far(x?), step, Ok(Array::from(1.0)));
    assert!((root.unwrap().unwrap().item::<f64>().unwrap() - 2f64.sqrt()).abs() < 1e-12);
    let failing = |x: Array| -> Result<Array> { np::reshape(&x, [2]).check() };
    let error = while_loop(failing, |x: Array| x, Array::from(1.0)).unwrap_err();
    assert!(error.is_shape(), "{error}");
}
