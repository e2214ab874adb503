//! Nanoseconds per element of the functions of whole slices, beside those of one element and Rust's own (the C library's).
//!
//! `cargo bench -p autojit-runtime --bench wide [-- name]`; blocks of `N` elements, the best of many runs on one core.

use autojit_runtime::math::wide::{BinaryFunction, UnaryFunction};
use std::time::Instant;

/// Fits the second-level cache.
const N: usize = 10_000;

/// Nanoseconds per element of the fastest run.
fn fastest(mut run: impl FnMut()) -> f64 {
    (0..200)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64 / N as f64
        })
        .fold(f64::INFINITY, f64::min)
}

fn library(function: UnaryFunction) -> Option<fn(f64) -> f64> {
    use UnaryFunction::*;
    Some(match function {
        Exp => f64::exp,
        Exp2 => f64::exp2,
        Expm1 => f64::exp_m1,
        Log => f64::ln,
        Log1p => f64::ln_1p,
        Log2 => f64::log2,
        Log10 => f64::log10,
        Sin => f64::sin,
        Cos => f64::cos,
        Tan => f64::tan,
        Arcsin => f64::asin,
        Arccos => f64::acos,
        Arctan => f64::atan,
        Sinh => f64::sinh,
        Cosh => f64::cosh,
        Tanh => f64::tanh,
        Arcsinh => f64::asinh,
        Arccosh => f64::acosh,
        Arctanh => f64::atanh,
        Cbrt => f64::cbrt,
        Erf => return None,
    })
}

fn line(name: &str, double: f64, single: f64, one: f64, library: Option<f64>) {
    let library = library.map_or_else(|| "    -".into(), |time| format!("{time:5.2}"));
    println!("{name:8} {double:8.2} {single:8.2} {one:10.2} {library:>8}");
}

fn main() {
    let wanted = std::env::args().skip(1).find(|name| !name.starts_with('-'));
    let wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
    // Positive and without pattern, so that branches cannot be foreseen.
    let spread = |factor: f64, low: f64, width: f64| -> Vec<f64> {
        (0..N)
            .map(|i| low + (i as f64 * factor).fract() * width)
            .collect()
    };
    let (x, y) = (spread(0.618_034, 0.01, 5.0), spread(0.414_214, -2.0, 5.0));
    let unit = spread(0.618_034, -1.0, 2.0);
    let singles = |x: &[f64]| -> Vec<f32> { x.iter().map(|&x| x as f32).collect() };
    let (mut to, mut to_single) = (vec![0.0_f64; N], vec![0.0_f32; N]);
    println!("ns/element  f64      f32  f64 alone  library (f64)");
    for &function in UnaryFunction::ALL {
        if !wanted(function.name()) {
            continue;
        }
        let inverse = matches!(function, UnaryFunction::Arcsin | UnaryFunction::Arccos);
        let x = if inverse { &unit } else { &x };
        let x_single = singles(x);
        // SAFETY: all have `N` elements and are apart.
        let double = fastest(|| unsafe { function.map_f64(x.as_ptr(), to.as_mut_ptr(), N) });
        let single = fastest(|| {
            // SAFETY: as above.
            unsafe { function.map_f32(x_single.as_ptr(), to_single.as_mut_ptr(), N) }
        });
        let mut each = |f: &dyn Fn(f64) -> f64| {
            fastest(|| to.iter_mut().zip(x).for_each(|(to, &x)| *to = f(x)))
        };
        let one = each(&|x| function.of_f64(x));
        let library = library(function).map(|library| each(&library));
        line(function.name(), double, single, one, library);
    }
    let (x_single, y_single) = (singles(&x), singles(&y));
    for &function in BinaryFunction::ALL {
        if !wanted(function.name()) {
            continue;
        }
        let library: fn(f64, f64) -> f64 = match function {
            BinaryFunction::Power => f64::powf,
            BinaryFunction::Arctan2 => f64::atan2,
            BinaryFunction::Hypot => f64::hypot,
        };
        // SAFETY: all have `N` elements and are apart.
        let double = fastest(|| unsafe {
            function.map_f64(x.as_ptr(), y.as_ptr(), to.as_mut_ptr(), N);
        });
        let single = fastest(|| {
            let (x, y) = (x_single.as_ptr(), y_single.as_ptr());
            // SAFETY: as above.
            unsafe { function.map_f32(x, y, to_single.as_mut_ptr(), N) }
        });
        let mut each = |f: &dyn Fn(f64, f64) -> f64| {
            fastest(|| {
                for (to, (&x, &y)) in to.iter_mut().zip(x.iter().zip(&y)) {
                    *to = f(x, y);
                }
            })
        };
        let one = each(&|x, y| function.of_f64(x, y));
        let library = each(&library);
        line(function.name(), double, single, one, Some(library));
    }
}
