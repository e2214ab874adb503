//! `interp`, and the arguments of `diff`, `cross`, `bincount` and `unique` that are rarely given. Expected values are
//! NumPy's.

use autojit::numpy::{self as np, calculus::Differences, interpolation, searching};
use autojit::{Array, DType, Value, autojit, call, lazy};

fn values(x: &Array) -> Vec<f64> {
    let x = np::astype(x.compute().unwrap(), DType::Float64);
    x.ravel().to_vec::<f64>().unwrap()
}

fn same(got: &Array, expected: &[f64]) {
    let got = values(got);
    let close =
        |(g, e): (&f64, &f64)| g == e || (g - e).abs() < 1e-14 || (g.is_nan() && e.is_nan());
    assert!(
        got.len() == expected.len() && got.iter().zip(expected).all(close),
        "{got:?} {expected:?}"
    );
}

/// Runs eagerly, lazily and on each backend.
fn everywhere(
    x: &Array,
    expected: &[f64],
    f: impl Fn(&Array) -> Array + Clone + Send + Sync + 'static,
) {
    same(&f(x), expected);
    same(&f(&lazy::array(x)), expected);
    for backend in autojit::backends() {
        let f = f.clone();
        let jit = autojit(move |x: Array| f(&x)).backend(backend);
        same(&jit.call(x).unwrap(), expected);
    }
}

#[test]
fn interpolation() {
    let (nan, infinity) = (f64::NAN, f64::INFINITY);
    let xp = Array::from([1.0, 2.0, 4.0, 4.0, 7.0]);
    let fp = Array::from([3.0, 2.0, 0.0, 5.0, -1.0]);
    let x = Array::from([0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.5, 7.0, 9.0, nan]);
    let points = (xp.clone(), fp.clone());
    everywhere(
        &x,
        &[3.0, 3.0, 2.5, 2.0, 1.0, 5.0, 2.0, -1.0, -1.0, nan],
        move |x| np::interp(x, &points.0, &points.1, ..),
    );
    let points = (xp.clone(), fp.clone());
    everywhere(
        &x,
        &[-9.0, 3.0, 2.5, 2.0, 1.0, 5.0, 2.0, -1.0, 8.0, nan],
        move |x| np::interp(x, &points.0, &points.1, interpolation::left(-9).right(8)),
    );
    let x = Array::from([-180.0, -170.0, -185.0, 185.0, -10.0, -5.0, 0.0, 365.0]);
    everywhere(&x, &[7.5, 5.0, 8.75, 6.25, 3.0, 3.25, 3.5, 3.75], |x| {
        let xp = Array::from([190i64, -190, 350, -350]);
        np::interp(
            x,
            xp,
            Array::from([5i64, 10, 3, 4]),
            interpolation::period(-360.0),
        )
    });
    let one = np::interp(
        Array::from([0.0, 5.0]),
        Array::from([3.0]),
        Array::from([7.0]),
        ..,
    );
    same(&one, &[7.0, 7.0]);
    let ends = Array::from([0.0, infinity, -infinity]);
    same(
        &np::interp(
            ends,
            Array::from([0.0, 1.0]),
            Array::from([infinity, 2.0]),
            ..,
        ),
        &[infinity, 2.0, infinity],
    );
    // Beside an infinite value the direction that has a limit decides; zeros keep the sign that the formula gives.
    let x = Array::from([-0.0, 0.25, 1.0, 1.25, 2.0, 3.0]);
    for (fp, expected) in [
        (
            [-infinity, infinity, -0.0, 0.5],
            [-infinity, nan, infinity, infinity, -0.0, 0.5],
        ),
        ([-0.0, 0.0, 1.0, 2.0], [-0.0, 0.0, 0.0, 0.25, 1.0, 2.0]),
        ([-0.0, -0.0, 1.0, 2.0], [-0.0, 0.0, -0.0, 0.25, 1.0, 2.0]),
        ([0.0, nan, 1.0, 1.0], [0.0, nan, nan, nan, 1.0, 1.0]),
        (
            [infinity, infinity, 1.0, 2.0],
            [infinity, infinity, infinity, infinity, 1.0, 2.0],
        ),
    ] {
        let fp = Array::from(fp);
        let at = move |x: &Array| np::interp(x, Array::from([0.0, 1.0, 2.0, 3.0]), &fp, ..);
        everywhere(&x, &expected, at.clone());
        let signs: Vec<bool> = np::signbit(at(&x)).to_vec().unwrap();
        let zeros = |i: usize| expected[i] == 0.0;
        assert!(
            (0..6)
                .filter(|&i| zeros(i))
                .all(|i| signs[i] == expected[i].is_sign_negative())
        );
    }
    let i = num_complex::Complex64::new(0.0, 1.0);
    let complex = np::interp(
        1.5,
        Array::from([1i64, 2]),
        Array::from([i, 2.0.into()]),
        ..,
    );
    assert_eq!(
        complex.item::<num_complex::Complex64>().unwrap(),
        num_complex::Complex64::new(1.0, 0.5)
    );
    let none = np::zeros([0, 2], ..);
    assert_eq!(np::interp(none, &xp, &fp, ..).shape().unwrap(), [0, 2]);
    let named: Array = call!("interp", 9, &xp, &fp, right = 1.5)
        .unwrap()
        .try_into()
        .unwrap();
    same(&named, &[1.5]);
    for (wrong, part) in [
        (np::interp(1.0, &xp, fp.get(1..), ..), "same length"),
        (
            np::interp(1.0, np::zeros(0, ..), np::zeros(0, ..), ..),
            "same length",
        ),
        (np::interp(i, &xp, &fp, ..), "real positions"),
        (
            np::interp(1.0, &xp, &fp, interpolation::period(0.0)),
            "period",
        ),
    ] {
        let error = wrong.check().unwrap_err();
        assert!(
            error.to_string().contains(part) && error.to_string().contains("interp"),
            "{error}"
        );
        assert_eq!(error.location().unwrap().file(), file!());
    }
}

#[test]
fn differences_with_more_at_the_ends() {
    everywhere(
        &Array::from([1i64, 4, 9]),
        &[1.0, 3.0, 5.0, 7.0, 9.0],
        |x| {
            np::diff(
                x,
                Differences::from(1)
                    .prepend(0)
                    .append(Array::from([16i64, 25])),
            )
        },
    );
    everywhere(
        &Array::from([[1i64, 4], [9, 16]]),
        &[1.0, 4.0, 8.0, 12.0],
        |x| np::diff(x, Differences::from(1).prepend(0).axis(0)),
    );
    everywhere(&Array::from([[1i64, 4], [9, 16]]), &[-7.0, -22.0], |x| {
        np::diff(
            x,
            Differences::from(2)
                .append(Array::from([[0i64], [1]]))
                .axis(1),
        )
    });
    let x = Array::from([1i64, 4]);
    assert_eq!(
        np::diff(&x, Differences::from(0).prepend(9)).to_string(),
        "[1 4]"
    );
    assert!(
        np::diff(&x, Differences::from(1).append(Array::from([[1i64]])))
            .check()
            .is_err()
    );
    let named: Array = call!("diff", &x, prepend = 0).unwrap().try_into().unwrap();
    assert_eq!(named.to_string(), "[1 3]");
}

#[test]
fn cross_products_in_the_plane() {
    let (a, b) = (Array::from([1i64, 2]), Array::from([3i64, 4]));
    assert_eq!(np::cross(&a, &b, ..).item::<i64>().unwrap(), -2);
    let right = b.clone();
    everywhere(&Array::from([[1i64, 2], [5, 6]]), &[-2.0, 2.0], move |x| {
        np::cross(x, &right, ..)
    });
    same(
        &np::cross(&a, Array::from([3i64, 4, 5]), ..),
        &[10.0, -5.0, -2.0],
    );
    same(
        &np::cross(Array::from([1i64, 2, 3]), &b, ..),
        &[-12.0, 9.0, -2.0],
    );
    assert!(np::cross(&a, Array::from([1i64]), ..).check().is_err());
}

#[test]
fn weighted_counts() {
    let x = Array::from([0i64, 1, 1, 3]);
    let weights = Array::from([0.5, 1.0, 2.0, -1.0]);
    let counts = np::bincount(&x, searching::weights(&weights).minlength(6));
    same(&counts, &[0.5, 3.0, 0.0, -1.0, 0.0, 0.0]);
    assert_eq!(np::bincount(&x, 5).to_string(), "[1 2 0 1 0]");
    let inner = x.clone();
    let f = autojit(move |w: Array| np::bincount(&inner, searching::weights(&w)));
    same(&f.call(&weights).unwrap(), &[0.5, 3.0, 0.0, -1.0]);
    let named: Array = call!("bincount", &x, weights = &weights)
        .unwrap()
        .try_into()
        .unwrap();
    same(&named, &[0.5, 3.0, 0.0, -1.0]);
    let none = np::bincount(
        np::zeros(0, DType::Int64),
        searching::weights(np::zeros(0, ..)),
    );
    assert_eq!(none.ty().unwrap().to_string(), "f64[0]");
    assert!(np::bincount(&x, -1).check().is_err());
    assert!(np::bincount(&x, searching::weights(1.0)).check().is_err());
}

#[test]
fn unique_elements_and_where_they_are() {
    let nan = f64::NAN;
    let x = Array::from([[3.0, nan], [1.0, nan], [3.0, -1.0]]);
    let all = np::unique_with(&x);
    same(&all.values, &[-1.0, 1.0, 3.0, nan]);
    same(&all.index, &[5.0, 2.0, 0.0, 1.0]);
    assert_eq!(all.inverse.shape().unwrap(), [3, 2]);
    same(&all.inverse, &[2.0, 3.0, 1.0, 3.0, 2.0, 0.0]);
    same(&all.counts, &[1.0, 1.0, 2.0, 2.0]);
    let named = call!("unique", &x, return_counts = true, return_index = true).unwrap();
    let Value::List(parts) = named else {
        panic!("{named:?}")
    };
    assert_eq!(parts.len(), 3);
    let plain: Array = call!("unique", &x).unwrap().try_into().unwrap();
    same(&plain, &[-1.0, 1.0, 3.0, nan]);
    let none = np::unique_with(np::zeros([0, 2], DType::Int64));
    assert_eq!(none.inverse.shape().unwrap(), [0, 2]);
    assert_eq!(none.counts.shape().unwrap(), [0]);
    let bools = np::unique_with(Array::from([true, true]));
    same(&bools.counts, &[2.0]);
    let error = np::unique_with(lazy::array(&x)).counts.check().unwrap_err();
    assert!(
        error.is_unsupported() && error.to_string().contains("use sort"),
        "{error}"
    );
}
