//! Derivatives of functions of trees.

use std::collections::BTreeMap;

use autojit::{
    Array, DType, Error, Result, Tree, autojit, check_grads, grad, hessian, hvp, jacobian, jvp,
    lazy, linearize, numpy as np, value_and_grad, value_and_grad_aux, vjp,
};
use num_complex::Complex64;

fn values(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

#[test]
fn gradients_have_the_structure_of_the_argument() -> Result<()> {
    #[derive(Tree, Debug)]
    struct Model {
        weights: Array,
        bias: Option<Array>,
        power: i64,
        layers: Vec<(Array, f64)>,
    }
    let loss = |model: Model| {
        let mut y = np::sum(&model.weights * &model.weights, ..) * model.power;
        if let Some(bias) = &model.bias {
            y += np::sum(bias, ..);
        }
        for (layer, factor) in &model.layers {
            y += np::sum(layer * *factor, ..);
        }
        y
    };
    let model = || Model {
        weights: Array::from([1.0, 2.0]),
        bias: Some(Array::from(5.0)),
        power: 3,
        layers: vec![(Array::from([[1.0]]), 0.5), (Array::from([2.0, 3.0]), 2.0)],
    };
    let gradient = grad(loss)(model())?;
    assert_eq!(values(&gradient.weights), [6.0, 12.0]);
    assert_eq!(gradient.bias.as_ref().map(values), Some(vec![1.0]));
    assert_eq!(gradient.power, 3);
    assert_eq!(gradient.layers[0].0.shape()?, [1, 1]);
    assert_eq!(values(&gradient.layers[1].0), [2.0, 2.0]);
    assert_eq!(gradient.layers[1].1, 2.0);
    let (value, _) = value_and_grad(loss)(model())?;
    assert_eq!(value.item::<f64>()?, 15.0 + 5.0 + 0.5 + 10.0);

    let map = BTreeMap::from([
        ("a".to_owned(), Array::from([3.0])),
        ("b".into(), Array::from(2.0)),
    ]);
    let of_map = |map: BTreeMap<String, Array>| np::sum(&map["a"] * &map["b"], ..);
    let gradient = grad(of_map)(map)?;
    assert_eq!(
        (values(&gradient["a"]), values(&gradient["b"])),
        (vec![2.0], vec![3.0])
    );
    Ok(())
}

#[test]
fn auxiliary_results_come_along() -> Result<()> {
    let f = |(x, name): (Array, String)| {
        let y = &x * 2.0;
        (np::sum(&y, ..), (y, name, np::argmax(&x, ..)))
    };
    let ((value, (y, name, best)), (gradient, same)) =
        value_and_grad_aux(f)((Array::from([1.0, 3.0]), "n".to_owned()))?;
    assert_eq!(value.item::<f64>()?, 8.0);
    assert_eq!(
        (values(&y), &*name, best.item::<i64>()?),
        (vec![2.0, 6.0], "n", 1)
    );
    assert_eq!((values(&gradient), &*same), (vec![2.0, 2.0], "n"));
    Ok(())
}

/// `dL = Re sum(conj(g) dx)`, as PyTorch has it.
#[test]
fn the_gradient_of_a_complex_array_is_the_direction_of_steepest_ascent() -> Result<()> {
    let z = Array::from([Complex64::new(3.0, 4.0)]);
    let complex = |x: &Array| x.to_vec::<Complex64>().unwrap();
    // |z|^2: torch gives 2 z.
    let square = |z: Array| np::sum(np::real(np::conj(&z) * &z), ..);
    assert_eq!(
        complex(&grad(square)(z.clone())?),
        [Complex64::new(6.0, 8.0)]
    );
    // Re(c z): torch gives conj(c).
    let c = Complex64::new(1.0, 2.0);
    let linear = move |z: Array| np::sum(np::real(&z * c), ..);
    assert_eq!(complex(&grad(linear)(z.clone())?), [c.conj()]);
    // A step along the gradient ascends.
    let f = |z: Array| np::sum(np::real(np::sin(&z)), ..);
    let g = grad(f)(z.clone())?;
    let rate = 1e-4;
    let step = f(&z + &g * rate).item::<f64>()? - f(z.clone()).item::<f64>()?;
    let size: f64 = complex(&g).iter().map(Complex64::norm_sqr).sum();
    assert!((step / rate - size).abs() < 0.05 * size, "{step} {size}");

    // Of a holomorphic function the Jacobian is the complex derivative.
    let matrix = jacobian(|z: Array| &z * &z)(z.clone())?;
    assert_eq!(complex(&matrix), [Complex64::new(6.0, 8.0)]);
    // A real gradient of what is complex on the way.
    let x = Array::from([0.5]);
    let phase = |x: Array| np::real(np::sum(np::exp(&x * Complex64::i()), ..));
    let g = grad(phase)(x)?;
    assert_eq!(g.dtype()?, DType::Float64);
    assert!((values(&g)[0] + 0.5f64.sin()).abs() < 1e-15);
    check_grads(|z: Array| np::exp(&z) * np::conj(&z), z)
}

#[test]
fn all_modes_agree() -> Result<()> {
    let f = |x: Array| np::sum(np::tanh(np::matmul(&x, &x)), ..);
    let x = Array::from([[0.1, 0.4], [0.3, -0.2]]);
    let eager = values(&grad(f)(x.clone())?);
    let lazily = grad(f)(lazy::array(&x))?;
    assert!(lazily.as_lazy().is_some());
    assert_eq!(values(&lazily.compute()?), eager);
    for backend in autojit::backends() {
        let compiled = autojit(grad(f)).backend(backend).strict(true);
        let got = values(&compiled.call(&x)??);
        let close = got.iter().zip(&eager).all(|(a, b)| (a - b).abs() < 1e-14);
        assert!(close, "{backend}: {got:?}, {eager:?}");
    }
    let x = x.astype(DType::Float32);
    assert_eq!(grad(f)(x)?.dtype()?, DType::Float32);
    Ok(())
}

#[test]
fn pullbacks_and_derivatives_are_called_again() -> Result<()> {
    let f = |(x, y): (Array, Array)| (np::sin(&x) * &y, np::argmax(&x, ..));
    let args = (Array::from([0.3, 0.6]), Array::from([2.0, 3.0]));
    let ((value, index), pullback) = vjp(f, args.clone())?;
    assert_eq!(index.item::<i64>()?, 1);
    for factor in [1.0, -2.0] {
        let ones = np::ones_like(&value, ..) * factor;
        let (gx, gy) = pullback((ones, index.clone()))?;
        let expected: Vec<f64> = [(0.3, 2.0), (0.6, 3.0)]
            .iter()
            .map(|(x, y)| factor * f64::cos(*x) * y)
            .collect();
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
        assert!(close(&values(&gx), &expected));
        assert!(close(
            &values(&gy),
            &[factor * 0.3f64.sin(), factor * 0.6f64.sin()]
        ));
    }
    let (_, derivative) = linearize(f, args.clone())?;
    let zero = np::zeros_like(&args.0, ..);
    let (dy, di) = derivative((zero.clone(), np::ones_like(&args.1, ..)))?;
    assert_eq!(values(&dy), values(&np::sin(&args.0)));
    assert_eq!(di.dtype()?, DType::Int64);
    let (_, (dy, _)) = jvp(f, args.clone(), (np::ones_like(&args.0, ..), zero))?;
    assert_eq!(values(&dy), values(&(np::cos(&args.0) * &args.1)));
    Ok(())
}

#[test]
fn matrices_of_derivatives() -> Result<()> {
    let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    // Wide and tall, so by both modes.
    let rows = jacobian(|x: Array| np::sum(&x * &x, 1))(x.clone())?;
    assert_eq!(rows.shape()?, [2, 2, 2]);
    assert_eq!(values(&rows), [2.0, 4.0, 0.0, 0.0, 0.0, 0.0, 6.0, 8.0]);
    let outer = jacobian(|x: Array| np::outer(&x, &x))(Array::from([2.0, 5.0]))?;
    assert_eq!(outer.shape()?, [2, 2, 2]);
    assert_eq!(values(&outer), [4.0, 0.0, 5.0, 2.0, 5.0, 2.0, 0.0, 10.0]);
    // Nothing depends on it.
    let constant = jacobian(|_: Array| Array::from([1.0, 2.0, 3.0]))(Array::from([2.0]))?;
    assert_eq!(
        (constant.shape()?, values(&constant)),
        (vec![3, 1], vec![0.0; 3])
    );

    let f = |x: Array| np::sum(np::exp(&x), ..) * np::sum(&x, ..);
    let x = Array::from([0.1, 0.2, 0.3]);
    let matrix = hessian(f)(x.clone())?;
    let direction = Array::from([1.0, -1.0, 0.5]);
    let product = hvp(f, x, direction.clone())?;
    let expected = values(&np::matmul(&matrix, &direction));
    let close = values(&product)
        .iter()
        .zip(&expected)
        .all(|(a, b)| (a - b).abs() < 1e-13);
    assert!(close);
    Ok(())
}

#[test]
fn wrong_derivatives_are_found() -> Result<()> {
    check_grads(
        |(x, y): (Array, Array)| (np::tanh(&x * &y), np::sum(&y, ..)),
        (Array::from([0.2, 0.4]), Array::from([1.0, 2.0])),
    )?;
    check_grads(|x: Array| np::exp(&x), Array::from([0.5f32]))?;
    let jump = |x: Array| np::floor(&x) + &x;
    let error = check_grads(jump, Array::from([1.0])).unwrap_err();
    assert!(error.is_failed_check());
    let text = error.to_string();
    assert!(
        text.starts_with("the derivative of element 0 of the result is "),
        "{text}"
    );
    let nan = check_grads(|x: Array| np::log(&x), Array::from([-1.0]));
    assert!(nan.unwrap_err().is_failed_check());
    Ok::<(), Error>(())
}
