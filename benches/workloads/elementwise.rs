//! Elementwise work: a formula of five arrays, an elementary function, option prices, and calls of next to nothing.

use autojit::{Array, DType, numpy as np};
use ndarray::Array1;

use super::results::{expect_close, reals};
use super::{Baseline, Case, DOUBLE, REAL, Workload, baseline, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "arith",
        about: "a * b + c * d - e of vectors",
        size: "elements",
        sizes: &[500, 10_000, 1_000_000, 10_000_000],
        dtypes: REAL,
        build: build_arith,
        size_of_nodes: None,
    },
    Workload {
        name: "exp",
        about: "exp of a vector",
        size: "elements",
        sizes: &[1_000, 10_000, 100_000],
        dtypes: REAL,
        build: build_exp,
        size_of_nodes: None,
    },
    Workload {
        name: "black_scholes",
        about: "prices of call and put options by the Black-Scholes formula",
        size: "options",
        sizes: &[1_000, 10_000, 100_000],
        dtypes: REAL,
        build: build_black_scholes,
        size_of_nodes: None,
    },
    Workload {
        name: "call",
        about: "x * y + z of n elements each: what a call costs",
        size: "elements",
        sizes: &[3],
        dtypes: DOUBLE,
        build: build_call,
        size_of_nodes: None,
    },
];

fn build_arith(n: usize, dtype: DType) -> Result<Case, String> {
    let arrays: Vec<Array> = (0..5).map(|i| uniform(i, -1.0, 1.0, &[n], dtype)).collect();
    let v: Vec<Vec<f64>> = arrays.iter().map(reals).collect();
    let check = move |results: &[Array]| {
        let value = |i| v[0][i] * v[1][i] + v[2][i] * v[3][i] - v[4][i];
        let expected = Array::from((0..n).map(value).collect::<Vec<f64>>());
        expect_close(results, &[expected], tolerance(dtype))
    };
    let run = |v: Vec<Array>| &v[0] * &v[1] + &v[2] * &v[3] - &v[4];
    let mut case = Case::new(program(arrays.clone(), run), check).per(n, "element");
    if dtype == DType::Float64 {
        case = case
            .baseline(fused_loop(&arrays))
            .baseline(with_ndarray(&arrays));
    }
    Ok(case)
}

/// The loop that one would write, for `rustc` to vectorise.
#[inline(always)]
fn fused(v: &[Vec<f64>; 5], out: &mut [f64]) {
    let [a, b, c, d, e] = v;
    let inputs = a.iter().zip(b).zip(c).zip(d).zip(e);
    for (out, ((((a, b), c), d), e)) in out.iter_mut().zip(inputs) {
        *out = a * b + c * d - e;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq")]
fn fused_avx512(v: &[Vec<f64>; 5], out: &mut [f64]) {
    fused(v, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused_avx2(v: &[Vec<f64>; 5], out: &mut [f64]) {
    fused(v, out);
}

type FusedLoop = fn(&[Vec<f64>; 5], &mut [f64]);

/// The widest version that this machine has, as a library would choose it.
fn widest() -> (&'static str, FusedLoop) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
        {
            // SAFETY: the machine has these instructions, as was just found.
            return ("rust avx512", |v, out| unsafe { fused_avx512(v, out) });
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return ("rust avx2", |v, out| unsafe { fused_avx2(v, out) });
        }
    }
    ("rust", |v, out| fused(v, out))
}

fn fused_loop(arrays: &[Array]) -> Box<dyn Baseline> {
    let v: [Vec<f64>; 5] = std::array::from_fn(|i| reals(&arrays[i]));
    let n = v[0].len();
    let (name, run) = widest();
    // A vector of its own for each result, as every contestant gives.
    baseline(
        name,
        (v, Vec::new()),
        move |(v, out)| {
            // Freed before the next one is made, so that the allocator can give the same memory again.
            *out = Vec::new();
            *out = vec![0.0; n];
            run(v, out);
        },
        |(_, out)| vec![Array::from(out)],
    )
}

fn with_ndarray(arrays: &[Array]) -> Box<dyn Baseline> {
    let v: [Array1<f64>; 5] = std::array::from_fn(|i| Array1::from(reals(&arrays[i])));
    baseline(
        "ndarray",
        (v, Array1::default(0)),
        |([a, b, c, d, e], out)| *out = &*a * &*b + &*c * &*d - &*e,
        |(_, out)| vec![Array::from(out)],
    )
}

fn build_exp(n: usize, dtype: DType) -> Result<Case, String> {
    let x = uniform(1, -5.0, 5.0, &[n], dtype);
    let v = reals(&x);
    let by_hand = each(v.clone(), f64::exp);
    let check = move |results: &[Array]| {
        let expected = Array::from(v.iter().map(|x| x.exp()).collect::<Vec<f64>>());
        expect_close(results, &[expected], tolerance(dtype))
    };
    let case = Case::new(program(x, |x: Array| np::exp(x)), check).per(n, "element");
    Ok(match dtype {
        DType::Float64 => case.baseline(by_hand),
        _ => case,
    })
}

/// A function of each element, into a new vector.
fn each(x: Vec<f64>, f: fn(f64) -> f64) -> Box<dyn Baseline> {
    baseline(
        "rust",
        (x, Vec::new()),
        move |(x, out)| {
            *out = Vec::new();
            *out = x.iter().map(|&x| f(x)).collect();
        },
        |(_, out)| vec![Array::from(out)],
    )
}

const RATE: f64 = 0.05;
const VOLATILITY: f64 = 0.3;

/// Prices of calls and puts: spot, strike and years to expiry of each option.
fn black_scholes((spot, strike, years): (Array, Array, Array)) -> (Array, Array) {
    let normal_cdf = |x: &Array| (np::erf(x * std::f64::consts::FRAC_1_SQRT_2) + 1.0) * 0.5;
    let deviation = np::sqrt(&years) * VOLATILITY;
    let drift = &years * (RATE + 0.5 * VOLATILITY * VOLATILITY);
    let d1 = (np::log(&spot / &strike) + drift) / &deviation;
    let d2 = &d1 - &deviation;
    let discounted = &strike * np::exp(&years * -RATE);
    let call = &spot * normal_cdf(&d1) - &discounted * normal_cdf(&d2);
    let put = &call - &spot + &discounted;
    (call, put)
}

fn option_prices(spot: f64, strike: f64, years: f64) -> (f64, f64) {
    let normal_cdf = |x: f64| 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2));
    let deviation = VOLATILITY * years.sqrt();
    let drift = (RATE + 0.5 * VOLATILITY * VOLATILITY) * years;
    let d1 = ((spot / strike).ln() + drift) / deviation;
    let discounted = strike * (-RATE * years).exp();
    let call = spot * normal_cdf(d1) - discounted * normal_cdf(d1 - deviation);
    (call, call - spot + discounted)
}

fn build_black_scholes(n: usize, dtype: DType) -> Result<Case, String> {
    let spot = uniform(1, 80.0, 120.0, &[n], dtype);
    let strike = uniform(2, 80.0, 120.0, &[n], dtype);
    let years = uniform(3, 0.1, 2.0, &[n], dtype);
    let v = [&spot, &strike, &years].map(reals);
    let by_hand = baseline(
        "rust",
        (v.clone(), (Vec::new(), Vec::new())),
        |([spot, strike, years], out)| {
            *out = (Vec::new(), Vec::new());
            let options = spot.iter().zip(&*strike).zip(&*years);
            *out = options.map(|((&s, &k), &t)| option_prices(s, k, t)).unzip();
        },
        |(_, (call, put))| vec![Array::from(call), Array::from(put)],
    );
    let check = move |results: &[Array]| {
        let price = |i| option_prices(v[0][i], v[1][i], v[2][i]);
        let (call, put): (Vec<f64>, Vec<f64>) = (0..n).map(price).unzip();
        let expected = [Array::from(call), Array::from(put)];
        expect_close(results, &expected, tolerance(dtype))
    };
    let case = Case::new(program((spot, strike, years), black_scholes), check).per(n, "option");
    Ok(match dtype {
        DType::Float64 => case.baseline(by_hand),
        _ => case,
    })
}

fn build_call(n: usize, dtype: DType) -> Result<Case, String> {
    let [x, y, z] = [1, 2, 3].map(|seed| uniform(seed, -1.0, 1.0, &[n], dtype));
    let v = [&x, &y, &z].map(reals);
    let expected = move || {
        let value = |i| v[0][i] * v[1][i] + v[2][i];
        Array::from((0..n).map(value).collect::<Vec<f64>>())
    };
    let check = {
        let expected = expected.clone();
        move |results: &[Array]| expect_close(results, &[expected()], tolerance(dtype))
    };
    // Gives what a call must give, an array of its own, and does nothing else.
    let empty = baseline(
        "rust empty call",
        (expected().to_vec::<f64>().unwrap_or_default(), None),
        |(values, out)| *out = Some(same_outputs(values)),
        |(_, out)| out.iter().cloned().collect(),
    );
    let run = |(x, y, z): (Array, Array, Array)| x * y + z;
    Ok(Case::new(program((x, y, z), run), check).baseline(empty))
}

#[inline(never)]
fn same_outputs(values: &[f64]) -> Array {
    Array::from(values)
}
