//! Elementary functions of vectors that fit into the second-level cache, in double and single precision.

use autojit::{Array, DType, numpy as np};
use serde_json::json;

use super::results::{expect_close, reals};
use super::{Case, REAL, Workload, program, sleef, tolerance, uniform};

/// A function of arrays, its counterpart in SLEEF, the ranges of its arguments, and the same of numbers.
macro_rules! function {
    ($name:ident($($low:literal..$high:literal),+), $sleef:literal, |$x:ident| $exact:expr) => {
        Workload {
            name: concat!("functions.", stringify!($name)),
            about: concat!("`", stringify!($name), "` of vectors"),
            size: "elements",
            sizes: &[10_000],
            dtypes: REAL,
            build: |n, dtype| {
                let ranges = [$(($low, $high)),+];
                let run = |x: Vec<Array>| function!(@call $name, x, $($low)+);
                build(n, dtype, &ranges, stringify!($name), $sleef, run, |$x| $exact)
            },
            size_of_nodes: None,
        }
    };
    (@call $name:ident, $x:ident, $first:literal) => { np::$name(&$x[0]) };
    (@call $name:ident, $x:ident, $first:literal $second:literal) => { np::$name(&$x[0], &$x[1]) };
}

pub(super) const WORKLOADS: &[Workload] = &[
    function!(exp(-5.0..5.0), "exp_u10", |x| x[0].exp()),
    function!(exp2(-5.0..5.0), "exp2_u10", |x| x[0].exp2()),
    function!(expm1(-5.0..5.0), "expm1_u10", |x| x[0].exp_m1()),
    function!(log(0.01..5.0), "log_u10", |x| x[0].ln()),
    function!(log1p(0.01..5.0), "log1p_u10", |x| x[0].ln_1p()),
    function!(log2(0.01..5.0), "log2_u10", |x| x[0].log2()),
    function!(log10(0.01..5.0), "log10_u10", |x| x[0].log10()),
    function!(sin(-5.0..5.0), "sin_u10", |x| x[0].sin()),
    function!(cos(-5.0..5.0), "cos_u10", |x| x[0].cos()),
    function!(tan(-1.5..1.5), "tan_u10", |x| x[0].tan()),
    function!(arcsin(-1.0..1.0), "asin_u10", |x| x[0].asin()),
    function!(arccos(-1.0..1.0), "acos_u10", |x| x[0].acos()),
    function!(arctan(-5.0..5.0), "atan_u10", |x| x[0].atan()),
    function!(sinh(-5.0..5.0), "sinh_u10", |x| x[0].sinh()),
    function!(cosh(-5.0..5.0), "cosh_u10", |x| x[0].cosh()),
    function!(tanh(-5.0..5.0), "tanh_u10", |x| x[0].tanh()),
    function!(arcsinh(-5.0..5.0), "asinh_u10", |x| x[0].asinh()),
    function!(arccosh(1.0..5.0), "acosh_u10", |x| x[0].acosh()),
    function!(arctanh(-0.9..0.9), "atanh_u10", |x| x[0].atanh()),
    function!(cbrt(-5.0..5.0), "cbrt_u10", |x| x[0].cbrt()),
    function!(erf(-3.0..3.0), "erf_u10", |x| libm::erf(x[0])),
    function!(power(0.01..5.0, -2.0..3.0), "pow_u10", |x| x[0].powf(x[1])),
    function!(arctan2(-5.0..5.0, -5.0..5.0), "atan2_u10", |x| x[0]
        .atan2(x[1])),
    function!(hypot(-5.0..5.0, -5.0..5.0), "hypot_u05", |x| x[0]
        .hypot(x[1])),
];

fn build(
    n: usize,
    dtype: DType,
    ranges: &[(f64, f64)],
    name: &'static str,
    of_sleef: &str,
    run: fn(Vec<Array>) -> Array,
    exact: fn(&[f64]) -> f64,
) -> Result<Case, String> {
    let arguments: Vec<Array> = ranges
        .iter()
        .enumerate()
        .map(|(i, &(low, high))| uniform(i as u64, low, high, &[n], dtype))
        .collect();
    let v: Vec<Vec<f64>> = arguments.iter().map(reals).collect();
    let baselines = sleef::function(of_sleef, &arguments, dtype);
    let check = move |results: &[Array]| {
        let value = |i| exact(&v.iter().map(|x| x[i]).collect::<Vec<f64>>());
        let expected = Array::from((0..n).map(value).collect::<Vec<f64>>());
        expect_close(results, &[expected], tolerance(dtype))
    };
    let case = Case::new(program(arguments, run), check)
        .per(n, "element")
        .parameters(json!({ "function": name }));
    Ok(baselines.into_iter().fold(case, Case::baseline))
}
