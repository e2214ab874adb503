//! `erf` and `lgamma` in every mode, and by name.

use autojit::{Array, DType, autojit, call, lazy, numpy as np};

const X: [f64; 9] = [
    0.5,
    -2.0,
    0.0,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    -1.0,
    1.0,
];

fn check(got: &Array, expected: &[f64]) {
    let got = got.to_vec::<f64>().unwrap();
    assert_eq!(got.len(), expected.len());
    for (g, e) in got.iter().zip(expected) {
        let close = g == e || (g - e).abs() <= 4e-16 * e.abs() || (g.is_nan() && e.is_nan());
        assert!(close, "{got:?} is not {expected:?}");
        assert!(g.is_nan() || g.is_sign_negative() == e.is_sign_negative());
    }
}

#[test]
fn special_functions_agree_in_every_mode() {
    let infinity = f64::INFINITY;
    let erf = [
        0.520_499_877_813_046_5,
        -0.995_322_265_018_952_7,
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::NAN,
        -0.842_700_792_949_714_9,
        0.842_700_792_949_714_9,
    ];
    let lgamma = [
        0.572_364_942_924_700_1,
        infinity,
        infinity,
        infinity,
        infinity,
        infinity,
        f64::NAN,
        infinity,
        0.0,
    ];
    let x = Array::from(X);
    check(&np::erf(&x), &erf);
    check(&np::lgamma(&x), &lgamma);
    let node = lazy::array(&x);
    check(&np::erf(&node).compute().unwrap(), &erf);
    check(&np::lgamma(&node).compute().unwrap(), &lgamma);
    for backend in autojit::backends() {
        let f = autojit(|x: Array| (np::erf(&x), np::lgamma(&x))).backend(backend);
        let (a, b) = f.call(x.clone()).unwrap();
        check(&a, &erf);
        check(&b, &lgamma);
    }
    for name in ["erf", "special.erf"] {
        let y: Array = call!(name, &x).unwrap().try_into().unwrap();
        check(&y, &erf);
    }
    for name in ["lgamma", "gammaln", "special.gammaln"] {
        let y: Array = call!(name, x = &x).unwrap().try_into().unwrap();
        check(&y, &lgamma);
    }
}

#[test]
fn special_functions_are_real_and_floating() {
    let integers = np::erf(Array::from([0i64, 1]));
    assert_eq!(integers.dtype().unwrap(), DType::Float64);
    let single = np::lgamma(Array::from([3.0f32]));
    assert_eq!(single.to_vec::<f32>().unwrap(), [2f32.ln()]);
    let complex = Array::from([num_complex::Complex64::new(1.0, 0.0)]);
    for failed in [np::erf(&complex), np::lgamma(&complex)] {
        let error = failed.check().unwrap_err();
        assert!(error.is_dtype());
        assert!(
            error.to_string().contains("tests/api/numpy/special.rs"),
            "{error}"
        );
    }
}
