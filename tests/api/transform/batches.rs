//! `vmap`: axes, trees, what is shared, random draws.

use std::collections::BTreeMap;

use autojit::{
    Array, DType, Error, Result, autojit, lazy, numpy as np,
    transform::{BatchAxes, SHARED},
    vmap, vmap_axes,
};

fn values(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

#[test]
fn axes_follow_the_tree() -> Result<()> {
    type Args = (Array, Vec<Array>, BTreeMap<String, Array>, i64);
    let f = |(x, list, map, n): Args| {
        let y = &x + &list[0] * n + &list[1] + &map["k"];
        (y, vec![np::sum(&x, ..)])
    };
    let map = |x: Array| BTreeMap::from([("k".to_owned(), x)]);
    let args = (
        np::reshape(np::arange(6.0, ..), [2, 3]),
        vec![
            Array::from([1.0, 2.0, 3.0]),
            np::reshape(np::arange(6.0, ..), [3, 2]),
        ],
        map(Array::from(100.0)),
        10,
    );
    let axes = (0, [SHARED, BatchAxes::from(-1)], SHARED, SHARED);
    let (y, sums) = vmap_axes(f, axes, (-1, [0]))(args.clone())?;
    assert_eq!((y.shape()?, sums[0].shape()?), (vec![3, 2], vec![2]));
    for i in 0..2 {
        let column = np::take(&args.1[1], i, 1);
        let one = f((
            args.0.get(i),
            vec![args.1[0].clone(), column],
            args.2.clone(),
            10,
        ));
        assert_eq!(values(&np::take(&y, i, 1)), values(&one.0));
        assert_eq!(values(&sums[0].get(i)), values(&one.1[0]));
    }
    Ok(())
}

#[test]
fn what_does_not_differ_is_repeated_or_shared() -> Result<()> {
    let x = np::ones([4, 2], ..);
    let f = |x: Array| (np::sum(&x, ..), Array::from([7.0, 8.0]));
    let (sums, same) = vmap(f)(x.clone())?;
    assert_eq!((sums.shape()?, same.shape()?), (vec![4], vec![4, 2]));
    let (_, same) = vmap_axes(f, 0, (0, SHARED))(x.clone())?;
    assert_eq!(same.shape()?, [2]);
    let (_, same) = vmap_axes(f, 0, (0, 1))(x)?;
    assert_eq!(same.shape()?, [2, 4]);
    Ok(())
}

#[test]
fn no_examples_and_one() -> Result<()> {
    for size in [0, 1] {
        let x = np::ones([size, 3], ..);
        let f = |x: Array| {
            (
                np::max(&x, ..),
                np::sort(&x, 0),
                np::matmul(&x, &x),
                np::linalg::norm(&x, ..),
            )
        };
        let (max, sorted, dot, norm) = vmap(f)(x)?;
        assert_eq!(sorted.shape()?, [size, 3]);
        for y in [max, dot, norm] {
            assert_eq!(y.shape()?, [size]);
        }
    }
    Ok(())
}

#[test]
fn each_example_draws_numbers_of_its_own() -> Result<()> {
    let generator = np::random::default_rng(3);
    let f = |x: Array| generator.normal(0.0, 1.0, [2]) * x;
    let x = np::ones([50], ..);
    let first = vmap(f)(x.clone())?;
    assert_eq!(first.shape()?, [50, 2]);
    let mut drawn = values(&first);
    drawn.sort_by(f64::total_cmp);
    drawn.dedup();
    assert_eq!(drawn.len(), 100);
    let again = vmap(f)(x.clone())?;
    assert_ne!(values(&first), values(&again));
    // Compiled, each call draws anew, and the same numbers as eagerly.
    let compiled = autojit(vmap(f));
    let (one, two) = (compiled.call(&x)??, compiled.call(&x)??);
    assert_ne!(values(&one), values(&two));
    // Of arrays with values inside of a trace, it is part of that.
    let inside = autojit(|y: Array| Ok::<Array, Error>(vmap(f)(np::ones([3], ..))? + y));
    let zero = Array::from(0.0);
    let (one, two) = (inside.call(&zero)??, inside.call(&zero)??);
    assert_ne!(values(&one), values(&two));
    // What is drawn and does not depend on an example is drawn for each too.
    let noise = |_: Array| generator.random([]);
    let mut drawn = values(&vmap(noise)(x)?);
    drawn.dedup();
    assert_eq!(drawn.len(), 50);
    Ok(())
}

#[test]
fn all_modes_agree() -> Result<()> {
    let f = |(a, b): (Array, Array)| np::linalg::solve(&a, &b);
    let a = np::reshape(
        Array::from([2.0, 1.0, 1.0, 3.0, 4.0, 0.0, 1.0, 5.0]),
        [2, 2, 2],
    );
    let b = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    let eager = values(&vmap(f)((a.clone(), b.clone()))?);
    let lazily = vmap(f)((lazy::array(&a), b.clone()))?;
    assert!(lazily.as_lazy().is_some());
    assert_eq!(values(&lazily.compute()?), eager);
    for backend in autojit::backends() {
        let compiled = autojit(vmap(f)).backend(backend);
        let got = values(&compiled.call((&a, &b))??);
        let close = got.iter().zip(&eager).all(|(x, y)| (x - y).abs() < 1e-14);
        assert!(close, "{backend}");
    }
    Ok(())
}

/// One matrix for many right sides is decomposed once; many rows are one product.
#[test]
fn rules_do_not_repeat_what_is_shared() -> Result<()> {
    let ops = |y: Array| -> Vec<(String, String)> {
        let nodes = y.as_lazy().unwrap().ascend();
        let node = |n: &lazy::LazyArray| Some((n.fn_name()?.to_owned(), n.ty().to_string()));
        nodes.iter().filter_map(node).collect()
    };
    let a = lazy::variable(&[4, 4], DType::Float64);
    let b = lazy::variable(&[100, 4], DType::Float64);
    let solved = vmap(|b: Array| np::linalg::solve(&a, &b))(b.clone())?;
    let ops_of_solve = ops(solved);
    assert!(
        ops_of_solve.contains(&("solve".into(), "f64[4,100]".into())),
        "{ops_of_solve:?}"
    );
    let rows = lazy::variable(&[100, 3, 4], DType::Float64);
    let product = vmap(|x: Array| np::matmul(&x, &a))(rows)?;
    let ops_of_product = ops(product);
    assert!(
        ops_of_product.contains(&("matmul".into(), "f64[300,4]".into())),
        "{ops_of_product:?}"
    );
    Ok(())
}

#[test]
fn least_squares_of_many_matrices() -> Result<()> {
    let f = |(a, b): (Array, Array)| np::linalg::lstsq(&a, &b, ..);
    let a = np::reshape(np::sin(np::arange(36.0, ..) * 1.7), [3, 4, 3]);
    let b = np::reshape(np::cos(np::arange(24.0, ..)), [3, 4, 2]);
    for right in [b.clone(), np::take(&b, 0, 2)] {
        let (x, residuals, rank, s) = vmap(f)((a.clone(), right.clone()))?;
        for i in 0..3 {
            let one = f((a.get(i), right.get(i)));
            for (many, one) in [(&x, &one.0), (&residuals, &one.1), (&s, &one.3)] {
                let (many, one) = (values(&many.get(i)), values(one));
                assert!(
                    many.iter().zip(&one).all(|(x, y)| (x - y).abs() < 1e-12),
                    "{many:?} {one:?}"
                );
            }
            assert_eq!(rank.get(i).item::<i32>()?, one.2.item::<i32>()?);
        }
        let (x, residuals, rank, _) =
            vmap_axes(f, (SHARED, 0), (0, 0, SHARED, SHARED))((a.get(0), right.clone()))?;
        let one = f((a.get(0), right.get(1)));
        for (many, one) in [(&x, &one.0), (&residuals, &one.1)] {
            let (many, one) = (values(&many.get(1)), values(one));
            assert!(many.iter().zip(&one).all(|(x, y)| (x - y).abs() < 1e-12));
        }
        assert_eq!(rank.item::<i32>()?, one.2.item::<i32>()?);
    }
    Ok(())
}
