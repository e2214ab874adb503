//! Complex functions against NumPy on special values, branch cuts and ordinary arguments.
//!
//! `tests/data/complex_functions.txt` is made by the script beside it, with NumPy 2.4 over glibc.

use super::*;
use std::collections::HashMap;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const SPECIAL: [f64; 10] = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e300, -1e300, 1e-300];
const ORDINARY: [f64; 7] = [0.5, -2.0, 3.25, 1e-12, 30.0, -710.0, 1e5];
const BINARY: [f64; 6] = [0.0, 1.0, -2.0, -INF, NAN, 0.5];

/// Where NumPy's `log1p` rounds `1 + z` first and loses the real part: what it is.
const ROUNDED: [(Complex<f64>, f64); 4] = [
    (Complex::new(1e-300, 0.0), 1e-300),
    (Complex::new(1e-300, 1e-300), 1e-300),
    (Complex::new(-2.0, 1e-12), 5e-25),
    (Complex::new(1e-12, 1e-12), 1e-12),
];

type Unary = fn(Complex<f64>) -> Complex<f64>;

const UNARY: [(&str, Unary); 20] = [
    ("exp", exp),
    ("log", log),
    ("sqrt", sqrt),
    ("sin", sin),
    ("cos", cos),
    ("tan", tan),
    ("sinh", sinh),
    ("cosh", cosh),
    ("tanh", tanh),
    ("arcsin", arcsin),
    ("arccos", arccos),
    ("arctan", arctan),
    ("arcsinh", arcsinh),
    ("arccosh", arccosh),
    ("arctanh", arctanh),
    ("exp2", exp2),
    ("expm1", expm1),
    ("log2", log2),
    ("log10", log10),
    ("log1p", log1p),
];

fn expected() -> HashMap<&'static str, Vec<Complex<f64>>> {
    let mut table = HashMap::new();
    let mut current: &mut Vec<Complex<f64>> = &mut Vec::new();
    for line in include_str!("../../../tests/data/complex_functions.txt").lines() {
        if let Some(name) = line.strip_prefix("function ") {
            current = table.entry(name).or_default();
        } else {
            let bits = |text: &str| f64::from_bits(u64::from_str_radix(text, 16).unwrap());
            let (re, im) = line.split_once(' ').unwrap();
            current.push(Complex::new(bits(re), bits(im)));
        }
    }
    table
}

fn pairs(values: &[f64]) -> impl Iterator<Item = Complex<f64>> + '_ {
    values
        .iter()
        .flat_map(move |&re| values.iter().map(move |&im| Complex::new(re, im)))
}

/// Each part on its own: NaN for NaN, zeros with their signs, the rest to `tolerance`.
fn close(got: Complex<f64>, want: Complex<f64>, tolerance: f64) -> bool {
    let part = |got: f64, want: f64| {
        (got.is_nan() && want.is_nan())
            || got.to_bits() == want.to_bits()
            || (want != 0.0 && want.is_finite() && (got - want).abs() <= tolerance * want.abs())
    };
    part(got.re, want.re) && part(got.im, want.im)
}

#[test]
fn unary_functions_agree_with_numpy() {
    let table = expected();
    let mut failures = Vec::new();
    for (name, function) in UNARY {
        let arguments = pairs(&SPECIAL).chain(pairs(&ORDINARY));
        for (z, &numpy) in arguments.zip(&table[name]) {
            let mut want = numpy;
            if let Some((_, re)) = ROUNDED.iter().find(|(x, _)| name == "log1p" && *x == z) {
                want.re = *re;
            }
            let got = function(z);
            if !close(got, want, 1e-15) {
                failures.push(format!("{name}({z:?}) = {got:?}, NumPy {want:?}"));
            }
        }
        assert_eq!(table[name].len(), 149);
    }
    assert!(
        failures.is_empty(),
        "{}\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn binary_functions_agree_with_numpy() {
    let table = expected();
    let mut failures = Vec::new();
    for (name, function) in [
        ("power", power as fn(_, _) -> _),
        (
            "divide",
            divide as fn(Complex<f64>, Complex<f64>) -> Complex<f64>,
        ),
    ] {
        assert_eq!(table[name].len(), 1296);
        let arguments = pairs(&BINARY).flat_map(|a| pairs(&BINARY).map(move |b| (a, b)));
        for ((a, b), &want) in arguments.zip(&table[name]) {
            let got = function(a, b);
            if !close(got, want, 1e-14) {
                failures.push(format!("{name}({a:?}, {b:?}) = {got:?}, NumPy {want:?}"));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn single_precision_widens_and_rounds_once() {
    let z = Complex::new(3e38_f32, -3e38);
    assert_eq!(sqrt(z), Complex::new(1.902_976_7e19, -7.882_388e18));
    assert_eq!(
        exp(Complex::new(89.0_f32, 0.0)),
        Complex::new(f32::INFINITY, 0.0)
    );
    assert_eq!(absolute(Complex::new(3.0_f32, 4.0)), 5.0);
    assert_eq!(
        power(Complex::new(0.0_f32, 1.0), Complex::new(2.0, 0.0)),
        Complex::new(-1.0, 0.0)
    );
}

#[test]
fn logarithm_is_accurate_near_the_unit_circle() {
    // log |z| of the doubles nearest to 0.6 + 0.8i, from mpmath.
    let z = log(Complex::new(0.6_f64, 0.8));
    assert!(
        (z.re / 2.220_446_049_250_313_2e-17 - 1.0).abs() <= 1e-14,
        "{z}"
    );
    // Moduli far outside the range of their squares.
    let tiny = log(Complex::new(5e-324_f64, 5e-324));
    assert!((tiny.re - -744.093_498_331_101_3).abs() < 1e-12, "{tiny}");
    let huge = log(Complex::new(f64::MAX, f64::MAX));
    assert!((huge.re - 710.129_286_483_663_9).abs() < 1e-12, "{huge}");
}
