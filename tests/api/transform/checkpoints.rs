//! `checkpoint`: the same numbers, with less memory.

use autojit::{
    Array, Error, Result, autojit, checkpoint, grad, hvp, jvp, lazy, numpy as np, value_and_grad,
    vjp, vmap,
};

fn bits(x: &Array) -> Vec<u64> {
    let numbers = x.to_vec::<f64>().unwrap();
    numbers.into_iter().map(f64::to_bits).collect()
}

fn layer(x: &Array, w: &Array) -> Array {
    np::tanh(np::matmul(x, w))
}

/// A loss of layers in blocks, each in a checkpoint or not.
fn chain(blocks: usize, layers: usize, is_cut: bool) -> impl Fn((Array, Array)) -> Result<Array> {
    move |(mut x, w): (Array, Array)| {
        let block = |(mut x, w): (Array, Array)| {
            for _ in 0..layers {
                x = layer(&x, &w);
            }
            x
        };
        for _ in 0..blocks {
            x = match is_cut {
                true => checkpoint(block)((x, w.clone()))?,
                false => block((x, w.clone())),
            };
        }
        Ok(np::sum(&x * &x, ..))
    }
}

fn arguments(rows: i64, columns: i64) -> (Array, Array) {
    let x = np::reshape(np::linspace(-1.0, 1.0, rows * columns), [rows, columns]);
    let w = np::reshape(
        np::linspace(-0.7, 0.9, columns * columns),
        [columns, columns],
    );
    (x, w)
}

/// The value and the gradient by the first argument are the same bits. The second one is used in all blocks: what it gets of
/// each is added up block by block.
fn assert_same((value, (by_x, by_w)): (Array, (Array, Array)), expected: &[Array; 3], what: &str) {
    assert_eq!(bits(&value), bits(&expected[0]), "{what}");
    assert_eq!(bits(&by_x), bits(&expected[1]), "{what}");
    let (got, expected) = (
        by_w.to_vec::<f64>().unwrap(),
        expected[2].to_vec::<f64>().unwrap(),
    );
    let close = |(x, y): (&f64, &f64)| (x - y).abs() <= 1e-14 * (1.0 + y.abs());
    assert!(
        got.iter().zip(&expected).all(close),
        "{what}: {got:?} {expected:?}"
    );
}

#[test]
fn values_and_gradients_are_the_same_bits() -> Result<()> {
    let args = arguments(3, 2);
    let (value, (by_x, by_w)) = value_and_grad(chain(3, 2, false))(args.clone())?;
    let expected = [value, by_x, by_w];
    let eagerly = value_and_grad(chain(3, 2, true))(args.clone())?;
    assert_same(eagerly, &expected, "eager");
    let lazily = (lazy::array(&args.0), lazy::array(&args.1));
    let (value, (by_x, by_w)) = value_and_grad(chain(3, 2, true))(lazily)?;
    let lazily = (value.compute()?, (by_x.compute()?, by_w.compute()?));
    assert_same(lazily, &expected, "lazy");
    for backend in autojit::backends() {
        let run = |is_cut: bool| {
            let compiled = autojit(value_and_grad(chain(3, 2, is_cut)));
            compiled.backend(backend).strict(true).call(args.clone())?
        };
        let (value, (by_x, by_w)) = run(false)?;
        assert_same(run(true)?, &[value, by_x, by_w], backend);
    }
    // A checkpoint of checkpoints, and of the whole.
    let nested = |args: (Array, Array)| checkpoint(chain(3, 2, true))(args)?;
    assert_same(value_and_grad(nested)(args)?, &expected, "nested");
    Ok(())
}

#[test]
fn it_composes_with_the_other_transformations() -> Result<()> {
    let (x, w) = arguments(2, 2);
    let f = |is_cut: bool| {
        let w = w.clone();
        move |x: Array| chain(2, 2, is_cut)((x, w.clone()))
    };
    let plain = || f(false);
    assert_eq!(bits(&f(true)(x.clone())?), bits(&plain()(x.clone())?));
    let direction = || &x * 0.5;
    let (_, expected) = jvp(plain(), x.clone(), direction())?;
    let (_, tangent) = jvp(f(true), x.clone(), direction())?;
    assert_eq!(bits(&tangent?), bits(&expected?));
    let second = |is_cut| hvp(f(is_cut), x.clone(), direction());
    let (a, b) = (second(true)?, second(false)?);
    assert!(np::allclose(&a, &b, ..).item::<bool>()?);
    let inner = |is_cut: bool| {
        grad(move |x: Array| Ok::<_, Error>(np::sum(np::square(grad(f(is_cut))(x)?), ..)))
    };
    let twice = |is_cut| inner(is_cut)(x.clone());
    assert!(np::allclose(twice(true)?, twice(false)?, ..).item::<bool>()?);
    let (value, pullback) = vjp(f(true), x.clone())?;
    let gradient = pullback(Ok(Array::from(1.0)))?;
    assert_eq!(bits(&value?), bits(&plain()(x.clone())?));
    assert_eq!(bits(&gradient), bits(&grad(plain())(x.clone())?));
    let many = np::stack([&x, &(&x * 2.0)], ..);
    let of_many = |is_cut| vmap(grad(f(is_cut)))(many.clone());
    assert_eq!(bits(&of_many(true)??), bits(&of_many(false)??));
    // What the closure captures of the trace around it is an argument like the others.
    let captured = |w: Array| checkpoint(|x: Array| np::sum(layer(&x, &w), ..))(x.clone());
    let open = |w: Array| np::sum(layer(&x, &w), ..);
    assert_eq!(
        bits(&grad(captured)(w.clone())?),
        bits(&grad(open)(w.clone())?)
    );
    Ok(())
}

#[test]
fn several_results_and_integers_pass() -> Result<()> {
    let f = checkpoint(|(x, k): (Array, Array)| {
        let y = np::sin(&x) * np::exp(&x);
        (np::sum(&y, ..), np::take(&y, &k, ..), k)
    });
    let k = Array::from([1, 0]);
    let loss = |x: Array| {
        let (total, picked, _) = f((x * 1.0, k.clone()))?;
        Ok::<_, Error>(total + np::sum(picked * Array::from([2.0, 3.0]), ..))
    };
    autojit::check_grads(loss, Array::from([0.3, 0.7, -0.2]))?;
    // What is not asked for is not differentiated.
    let unused = |x: Array| Ok::<_, Error>(f((x, k.clone()))?.2.astype(autojit::DType::Float64));
    let zero = grad(|x: Array| Ok::<_, Error>(np::sum(unused(x)?, ..)))(Array::from([1.0, 2.0]))?;
    assert_eq!(zero.to_vec::<f64>()?, [0.0, 0.0]);
    Ok(())
}

#[test]
fn errors_name_the_line_in_the_closure() {
    let f = checkpoint(|x: Array| np::reshape(&x, [3]));
    let error =
        grad(|x: Array| Ok::<_, Error>(np::sum(f(x)?, ..)))(Array::from([1.0, 2.0])).unwrap_err();
    assert!(error.is_shape(), "{error}");
    assert!(error.to_string().contains("checkpoints.rs"), "{error}");
}

#[cfg(feature = "cranelift")]
fn planned(blocks: usize, layers: usize, is_cut: bool) -> Result<usize> {
    let args = arguments(256, 16);
    let compiled = autojit(value_and_grad(chain(blocks, layers, is_cut)));
    let report = compiled.compile(args)?;
    report
        .code
        .planned_peak_bytes
        .ok_or_else(|| Error::value("no plan"))
}

#[cfg(feature = "cranelift")]
#[test]
fn a_deep_chain_takes_less_memory() -> Result<()> {
    let array = 256 * 16 * 8;
    // 64 layers: all of them are kept, or eight, and then eight again with their slopes.
    let (whole, cut) = (planned(8, 8, false)?, planned(8, 8, true)?);
    assert!(whole >= 64 * array, "{} arrays", whole / array);
    assert!(cut <= 28 * array, "{} arrays", cut / array);
    // It grows by the root of the depth.
    let deeper = planned(16, 16, true)?;
    assert!(deeper <= 2 * 28 * array, "{} arrays", deeper / array);
    Ok(())
}
