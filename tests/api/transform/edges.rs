//! Derivatives and batches of odd arguments and functions: numbers that are none, no elements, views, guards, updates, results that
//! are arguments.

use autojit::{
    Array, DType, Error, Result, autojit, grad, ix, jvp, lazy, numpy as np, scan, value_and_grad,
    vjp, vmap,
};
use num_complex::Complex64;

fn values(x: &Array) -> Vec<f64> {
    np::astype(x, DType::Float64).to_vec::<f64>().unwrap()
}

fn same(found: &[f64], expected: &[f64], what: &str) {
    let near = |(a, b): (&f64, &f64)| {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-13 * b.abs().max(1e-300)
    };
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(near),
        "{what}: {found:?} is not {expected:?}"
    );
}

/// The gradient of a function eagerly, lazily, and compiled by everything that compiles, all the same.
fn gradient(what: &str, f: impl Fn(Array) -> Array + Copy, x: &Array) -> Result<Vec<f64>> {
    let eager = values(&grad(f)(x.clone())?);
    let lazily = values(&grad(f)(lazy::array(x))?.compute()?);
    same(&lazily, &eager, &format!("{what}, lazily"));
    for backend in autojit::backends() {
        let compiled = autojit(grad(f)).backend(backend);
        let found = values(&compiled.call(x)??);
        same(&found, &eager, &format!("{what}, {backend}"));
    }
    Ok(eager)
}

#[test]
fn numbers_that_are_none_stay_where_they_are() -> Result<()> {
    let x = Array::from([f64::NAN, 1.0, f64::INFINITY, -f64::INFINITY, -0.0, 1e308]);
    let square = |x: Array| np::sum(&x * &x, ..);
    let found = gradient("square", square, &x)?;
    same(
        &found,
        &[
            f64::NAN,
            2.0,
            f64::INFINITY,
            -f64::INFINITY,
            0.0,
            f64::INFINITY,
        ],
        "square",
    );
    // Elements beside a NaN have their own derivative.
    let found = gradient("tanh", |x: Array| np::sum(np::tanh(x), ..), &x)?;
    same(
        &found[1..5],
        &[1.0 - 1f64.tanh().powi(2), 0.0, 0.0, 1.0],
        "tanh",
    );
    assert!(found[0].is_nan());
    let guarded = |x: Array| {
        let fits = np::isfinite(&x);
        let inside = np::where_(&fits, &x, 1.0);
        np::sum(np::where_(&fits, np::exp(-inside), 0.0), ..)
    };
    let found = gradient("guarded", guarded, &x)?;
    same(
        &found,
        &[0.0, -(-1f64).exp(), 0.0, 0.0, -1.0, 0.0],
        "guarded",
    );
    gradient("clip", |x: Array| np::sum(np::clip(&x, -1.0, 1.0), ..), &x)?;
    gradient("maximum", |x: Array| np::sum(np::maximum(&x, 0.5), ..), &x)?;
    gradient(
        "cumsum",
        |x: Array| np::sum(np::sin(np::cumsum(&x, ..)), ..),
        &x,
    )?;
    gradient(
        "sort",
        |x: Array| {
            np::sum(
                np::sort(&x, ..) * Array::from([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
                ..,
            )
        },
        &x,
    )?;
    Ok(())
}

#[test]
fn no_elements_and_no_axes() -> Result<()> {
    for shape in [vec![0], vec![2, 0], vec![0, 3, 2]] {
        let x = np::zeros(shape.clone(), ..);
        let f = |x: Array| np::sum(np::tanh(&x) * &x, ..) + np::prod(&x, ..);
        assert_eq!(grad(f)(x.clone())?.shape()?, shape);
        assert!(gradient("nothing", f, &x)?.is_empty());
    }
    let x = Array::from(2.0);
    assert_eq!(gradient("number", |x: Array| &x * &x * &x, &x)?, [12.0]);
    assert_eq!(gradient("itself", |x: Array| x, &x)?, [1.0]);
    assert_eq!(
        gradient("constant", |_: Array| Array::from(1.0), &x)?,
        [0.0]
    );
    // No examples of a gradient.
    let none = vmap(grad(|x: Array| np::sum(&x * &x, ..)))(np::zeros([0, 3], ..))??;
    assert_eq!(none.shape()?, [0, 3]);
    Ok(())
}

#[test]
fn views_are_like_copies() -> Result<()> {
    let x = np::reshape(np::linspace(0.1, 1.2, 12), [3, 4]);
    let weights = np::reshape(np::linspace(1.0, 2.0, 12), [4, 3]);
    let f = |x: Array| np::sum(np::sin(&x) * &x, ..);
    let g = |x: Array| np::sum(np::matmul(np::exp(&x), np::transpose(&x, ..)), ..);
    for view in [
        np::flip(&x, 0),
        np::transpose(&x, ..),
        np::flip(np::transpose(&x, ..), 1),
    ] {
        let copy = Array::from(values(&view));
        let copy = np::reshape(copy, view.shape()?);
        same(
            &gradient("view", f, &view)?,
            &gradient("copy", f, &copy)?,
            "views",
        );
        same(
            &values(&grad(g)(view)?),
            &values(&grad(g)(copy)?),
            "views of views",
        );
    }
    // Derivatives go back through views that turn around.
    let turned = |x: Array| np::sum(np::flip(np::transpose(&x, ..), 0) * &weights, ..);
    let expected = values(&np::transpose(np::flip(&weights, 0), ..));
    same(&values(&grad(turned)(x)?), &expected, "turned");
    Ok(())
}

#[test]
fn signed_zeros_of_complex_numbers() -> Result<()> {
    let zeros = [(0.0, 0.0), (-0.0, 0.0), (0.0, -0.0), (-0.0, -0.0)];
    let z: Vec<Complex64> = zeros
        .iter()
        .map(|&(re, im)| Complex64::new(re, im))
        .collect();
    let z = Array::from(z);
    type Function = fn(&Array) -> Array;
    let functions: [(&str, Function); 5] = [
        ("absolute", |z| np::absolute(z)),
        ("exp", |z| np::real(np::exp(z))),
        ("square", |z| np::real(z * z)),
        ("sin", |z| np::imag(np::sin(z))),
        ("conj", |z| np::real(np::conj(z) * z)),
    ];
    for (name, f) in functions {
        let total = |z: Array| np::sum(f(&z), ..);
        let eager = grad(total)(z.clone())?.to_vec::<Complex64>()?;
        assert!(eager.iter().all(|g| g.is_finite()), "{name}: {eager:?}");
        for backend in autojit::backends() {
            let found = autojit(grad(total)).backend(backend).call(&z)??;
            let found = found.to_vec::<Complex64>()?;
            assert_eq!(found, eager, "{name}, {backend}");
        }
    }
    Ok(())
}

#[test]
fn updates_cut_and_pass() -> Result<()> {
    let f = |(x, v): (Array, Array)| {
        let y = x
            .at(ix![1..3])
            .set(&v)
            .at(0)
            .multiply(3.0)
            .at(ix![..2])
            .add(&v);
        np::sum(&y * &y, ..)
    };
    let args = (Array::from([1.0, 2.0, 3.0, 4.0]), Array::from([5.0, 6.0]));
    // y = [3 x0 + v0, v0 + v1, v1, x3]
    let (y0, y1, y2, y3) = (8.0, 11.0, 6.0, 4.0);
    let (gx, gv) = grad(f)(args.clone())?;
    assert_eq!(values(&gx), [6.0 * y0, 0.0, 0.0, 2.0 * y3]);
    assert_eq!(values(&gv), [2.0 * (y0 + y1), 2.0 * (y1 + y2)]);
    for backend in autojit::backends() {
        let (gx, gv) = autojit(grad(f)).backend(backend).call(args.clone())??;
        assert_eq!(values(&gx), [48.0, 0.0, 0.0, 8.0], "{backend}");
        assert_eq!(values(&gv), [38.0, 34.0], "{backend}");
    }
    Ok(())
}

#[test]
fn results_that_are_arguments_or_twice_there() -> Result<()> {
    let f = |x: Array| {
        let y = &x * &x;
        (x.clone(), y.clone(), y, x)
    };
    let x = Array::from([2.0, 3.0]);
    let (_, pullback) = vjp(f, x.clone())?;
    let ct = |k: f64| np::full([2], k, ..);
    let g = pullback((ct(1.0), ct(10.0), ct(100.0), ct(1000.0)))?;
    assert_eq!(values(&g), [1001.0 + 440.0, 1001.0 + 660.0]);
    let (_, (a, b, c, d)) = jvp(f, x.clone(), ct(1.0))?;
    assert_eq!(values(&a), values(&d));
    assert_eq!(values(&b), [4.0, 6.0]);
    assert_eq!(values(&b), values(&c));
    let same_twice = |(x, y): (Array, Array)| np::sum(&x * &y, ..);
    let (gx, gy) = grad(same_twice)((x.clone(), x.clone()))?;
    assert_eq!((values(&gx), values(&gy)), (vec![2.0, 3.0], vec![2.0, 3.0]));
    let compiled = autojit(|x: Array| {
        let (value, (gx, gy)) = value_and_grad(same_twice)((x.clone(), x.clone()))?;
        Ok::<_, Error>((value.clone(), gx, gy, value, x))
    });
    let (value, gx, gy, again, itself) = compiled.call(&x)??;
    assert_eq!((values(&value), values(&again)), (vec![13.0], vec![13.0]));
    assert_eq!(
        (values(&gx), values(&gy), values(&itself)),
        (vec![2.0, 3.0], vec![2.0, 3.0], vec![2.0, 3.0])
    );
    Ok(())
}

#[test]
fn loops_in_gradients_in_batches_with_captured_arrays() -> Result<()> {
    let xs = Array::from([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]]);
    let scale = Array::from(1.5);
    let total = |scale: &Array, xs: Array| -> Result<Array> {
        let step = |carried: Array, x: Array| {
            let next = np::tanh(&carried * scale + &x);
            (next.clone(), &next * scale)
        };
        let (last, ys) = scan(step, Array::from(0.25), xs)?;
        Ok(last + np::sum(ys, ..))
    };
    let unrolled = |scale: &Array, xs: &Array| {
        let (mut carried, mut sum) = (Array::from(0.25), Array::from(0.0));
        for i in 0..3 {
            carried = np::tanh(&carried * scale + xs.get(i));
            sum += &carried * scale;
        }
        carried + sum
    };
    let expected: Vec<f64> = (0..2)
        .flat_map(|i| {
            let g = grad(|xs: Array| unrolled(&scale, &xs))(xs.get(i)).unwrap();
            values(&g)
        })
        .collect();
    let each = |scale: Array, xs: Array| vmap(grad(|xs: Array| total(&scale, xs)))(xs);
    same(
        &values(&each(scale.clone(), xs.clone())??),
        &expected,
        "eagerly",
    );
    let compiled = autojit(|(scale, xs): (Array, Array)| each(scale, xs));
    same(
        &values(&compiled.call((&scale, &xs))???),
        &expected,
        "compiled",
    );
    // By what all examples share, and is captured twice.
    let shared = grad(|scale: Array| -> Result<Array> {
        let losses = vmap(|xs: Array| total(&scale, xs))(xs.clone())??;
        Ok(np::sum(losses, ..))
    })(scale.clone())?;
    let expected =
        grad(|scale: Array| unrolled(&scale, &xs.get(0)) + unrolled(&scale, &xs.get(1)))(scale)?;
    same(&values(&shared), &values(&expected), "shared");
    Ok(())
}

/// Functions that are written with a choice: at the place where it changes, derivatives are those of the function.
#[test]
fn smooth_functions_where_their_formula_changes() -> Result<()> {
    let everywhere = |f: &(dyn Fn(Array) -> Array + Send + Sync), x: f64| -> Result<Vec<f64>> {
        let x = Array::from(x);
        let mut found = vec![f(x.clone()).item::<f64>()?];
        for backend in autojit::backends() {
            found.push(autojit(f).backend(backend).call(&x)?.item::<f64>()?);
        }
        Ok(found)
    };
    let slope = |x: Array| grad(|x: Array| np::sinc(x))(x).unwrap_or_else(|_| f64::NAN.into());
    let bend = move |x: Array| grad(slope)(x).unwrap_or_else(|_| f64::NAN.into());
    for zero in [0.0, -0.0] {
        assert!(everywhere(&slope, zero)?.iter().all(|&y| y == 0.0));
        let pi = std::f64::consts::PI;
        let close = |y: &f64| (y + pi * pi / 3.0).abs() < 1e-14;
        assert!(everywhere(&bend, zero)?.iter().all(close));
    }
    type Function = fn(Array) -> Array;
    let both: [Function; 2] = [
        |x| np::logaddexp(x.get(0), x.get(1)),
        |x| np::logaddexp2(x.get(0), x.get(1)),
    ];
    for f in both {
        for x in [0.0, 1.5, -0.0, 1e300, f64::INFINITY, f64::NEG_INFINITY] {
            let x = Array::from([x, x]);
            let half = [0.5, 0.5];
            assert_eq!(grad(f)(x.clone())?.to_vec::<f64>()?, half, "{x}");
            let found = autojit(grad(f)).call(&x)??;
            assert_eq!(found.to_vec::<f64>()?, half, "{x}");
        }
    }
    // At a point of an interpolation the slope is that of the line to its right; the last one has the line to its left.
    let interpolated = |x: Array| {
        let (xp, fp) = (Array::from([0.0, 1.0, 2.0]), Array::from([0.0, 1.0, 4.0]));
        np::sum(np::interp(x, xp, fp, ..), ..)
    };
    let x = Array::from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0]);
    let slopes = gradient("interp", interpolated, &x)?;
    assert_eq!(slopes, [0.0, 1.0, 1.0, 3.0, 3.0, 0.0]);
    let of_values = |fp: Array| {
        let (x, xp) = (Array::from([0.0, 0.5, 2.0]), Array::from([0.0, 1.0, 2.0]));
        np::sum(np::interp(x, xp, fp, ..), ..)
    };
    let shares = gradient("interp", of_values, &Array::from([0.0, 1.0, 4.0]))?;
    assert_eq!(shares, [1.5, 0.5, 1.0]);
    Ok(())
}
