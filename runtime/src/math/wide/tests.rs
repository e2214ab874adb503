//! Accuracy against arbitrary precision, special values against the C library, and that all instances agree.
//!
//! The two accuracy tests print a table with `--nocapture`. They look at `AUTOJIT_SAMPLES` points of each way of sampling
//! (default: few); `cargo test --release -p autojit-runtime densely -- --ignored --nocapture` looks at many more.

mod accuracy;
mod numpy;
mod reference;
mod single;

use super::*;
use std::f64::consts::PI;

/// Numbers at which functions have special values, and their neighbours.
const SPECIAL: [f64; 47] = [
    0.0,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    1.5,
    -1.5,
    1e300,
    -1e300,
    1e-300,
    -1e-300,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    -f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    3e-310,
    -3e-310,
    0.999_999_999_999_999_9,
    1.000_000_000_000_000_2,
    -1.000_000_000_000_000_2,
    -0.999_999_999_999_999_9,
    PI,
    -PI,
    1e22,
    -1e22,
    9_007_199_254_740_991.0,
    -9_007_199_254_740_991.0,
    9_007_199_254_740_993.0,
    4_503_599_627_370_497.5,
    709.782_712_893_384,
    709.782_712_893_384_1,
    -745.133_219_101_941_2,
    -745.133_219_101_941_1,
    710.475_860_073_943_9,
    -708.4,
    1074.0,
    -1074.0,
];

/// Equal bits, with every NaN equal to every other.
fn same(x: f64, y: f64) -> bool {
    x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan())
}

/// Numbers from a seed, uniform over 64 bits (SplitMix64).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `0..1`.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Of random sign, its logarithm uniform between those of the bounds.
    fn magnitude(&mut self, low: f64, high: f64) -> f64 {
        let x = (low.ln() + self.unit() * (high.ln() - low.ln())).exp();
        if self.bits() & 1 == 0 { x } else { -x }
    }
}

/// The machines whose instructions are here.
fn machines() -> Vec<Machine> {
    let mut machines = vec![Machine::Portable];
    #[cfg(target_arch = "x86_64")]
    if Machine::here() == Machine::Avx512 {
        machines.push(Machine::Avx2);
    }
    if Machine::here() != Machine::Portable {
        machines.push(Machine::here());
    }
    machines
}

/// The C library's function, as Rust gives it; it knows the special values.
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
        Cbrt => f64::cbrt,
        // Those of Rust are its own, and overflow.
        Arcsinh | Arccosh | Arctanh => return None,
        Erf => return None,
    })
}

fn library_of_two(function: BinaryFunction) -> fn(f64, f64) -> f64 {
    match function {
        BinaryFunction::Power => f64::powf,
        BinaryFunction::Arctan2 => f64::atan2,
        BinaryFunction::Hypot => f64::hypot,
    }
}

/// Equal in class and sign, and within 4 units in the last place.
fn close(got: f64, want: f64) -> bool {
    if got.is_nan() || want.is_nan() || want == 0.0 || want.is_infinite() {
        return same(got, want);
    }
    got.to_bits().abs_diff(want.to_bits()) <= 4
}

#[test]
fn special_values_are_those_of_the_c_library() {
    for &function in UnaryFunction::ALL {
        let Some(library) = library(function) else {
            continue;
        };
        for x in SPECIAL {
            let (got, want) = (function.of_f64(x), library(x));
            assert!(
                close(got, want),
                "{}({x:e}) = {got:e}, not {want:e}",
                function.name()
            );
            let single = x as f32;
            let (got, want) = (function.of_f32(single), library(f64::from(single)) as f32);
            assert!(
                got == want
                    || (got.is_nan() && want.is_nan())
                    || got.to_bits().abs_diff(want.to_bits()) <= 1,
                "{}({single:e}_f32) = {got:e}, not {want:e}",
                function.name()
            );
            assert!(got.is_nan() || got.is_sign_negative() == want.is_sign_negative());
        }
    }
    for &function in BinaryFunction::ALL {
        let library = library_of_two(function);
        for x in SPECIAL {
            for y in SPECIAL {
                let (got, want) = (function.of_f64(x, y), library(x, y));
                assert!(
                    close(got, want),
                    "{}({x:e}, {y:e}) = {got:e}, not {want:e}",
                    function.name()
                );
                let (x, y) = (x as f32, y as f32);
                let (got, want) = (
                    function.of_f32(x, y),
                    library(f64::from(x), f64::from(y)) as f32,
                );
                assert!(
                    same(got.into(), want.into()) || got.to_bits().abs_diff(want.to_bits()) <= 1,
                    "{}({x:e}_f32, {y:e}) = {got:e}, not {want:e}",
                    function.name()
                );
            }
        }
    }
}

#[test]
fn error_function_of_special_values() {
    let erf = |x| UnaryFunction::Erf.of_f64(x);
    assert_eq!(
        [f64::INFINITY, 30.0, 6.0, -6.5, f64::NEG_INFINITY].map(erf),
        [1.0, 1.0, 1.0, -1.0, -1.0]
    );
    assert!(erf(f64::NAN).is_nan() && same(erf(-0.0), -0.0) && same(erf(0.0), 0.0));
    assert_eq!(
        [erf(5e-324), erf(-1e-310)],
        [5e-324, -1.128_379_167_095_5e-310]
    );
}

/// NumPy 2.4's values.
#[test]
fn inverse_hyperbolic_functions_of_special_values() {
    const INF: f64 = f64::INFINITY;
    use UnaryFunction::{Arccosh, Arcsinh, Arctanh};
    for (function, x, want) in [
        (Arcsinh, -0.0, -0.0),
        (Arcsinh, 0.0, 0.0),
        (Arcsinh, INF, INF),
        (Arcsinh, -INF, -INF),
        (Arcsinh, f64::NAN, f64::NAN),
        (Arcsinh, f64::MAX, 710.475_860_073_944),
        (Arcsinh, f64::MIN, -710.475_860_073_944),
        (Arcsinh, 5e-324, 5e-324),
        (Arcsinh, -3e-310, -3e-310),
        (Arccosh, 1.0, 0.0),
        (Arccosh, 0.999_999_999_999_999_9, f64::NAN),
        (Arccosh, -1.0, f64::NAN),
        (Arccosh, -1e300, f64::NAN),
        (Arccosh, -INF, f64::NAN),
        (Arccosh, f64::NAN, f64::NAN),
        (Arccosh, INF, INF),
        (Arccosh, f64::MAX, 710.475_860_073_944),
        (Arctanh, -0.0, -0.0),
        (Arctanh, 0.0, 0.0),
        (Arctanh, 1.0, INF),
        (Arctanh, -1.0, -INF),
        (Arctanh, 1.000_000_000_000_000_2, f64::NAN),
        (Arctanh, -1e300, f64::NAN),
        (Arctanh, INF, f64::NAN),
        (Arctanh, f64::NAN, f64::NAN),
        (Arctanh, 5e-324, 5e-324),
        (Arctanh, -3e-310, -3e-310),
    ] {
        let (got, single) = (function.of_f64(x), function.of_f32(x as f32));
        let name = function.name();
        assert!(same(got, want), "{name}({x:e}) = {got:e}, not {want:e}");
        // The largest numbers in double precision are infinite in single precision, and neighbours of 1 are 1.
        if f64::from(x as f32) == x || x.is_nan() {
            assert!(same(single.into(), want), "{name}({x:e}_f32) = {single:e}");
        }
    }
}

#[test]
fn exact_results_are_exact() {
    for n in -1074..=1023 {
        let x = if n < -1022 {
            f64::from_bits(1 << (n + 1074))
        } else {
            f64::from_bits(((n + 1023) as u64) << 52)
        };
        let n = f64::from(n);
        assert_eq!(UnaryFunction::Exp2.of_f64(n), x, "2^{n}");
        assert_eq!(BinaryFunction::Power.of_f64(2.0, n), x, "2^{n}");
        assert_eq!(UnaryFunction::Log2.of_f64(x), n, "log2(2^{n})");
    }
    let mut power_of_ten = 1.0;
    for n in 0..=22 {
        assert_eq!(UnaryFunction::Log10.of_f64(power_of_ten), f64::from(n));
        power_of_ten *= 10.0;
    }
    for n in -1000..=1000 {
        let n = f64::from(n);
        assert_eq!(UnaryFunction::Cbrt.of_f64(n * n * n), n);
        assert_eq!(BinaryFunction::Power.of_f64(n, 2.0), n * n);
        assert_eq!(
            BinaryFunction::Hypot.of_f64(3.0 * n, -4.0 * n),
            5.0 * n.abs()
        );
    }
}

/// Of their series the terms after the first are less than half a unit there.
#[test]
fn functions_of_tiny_arguments_are_these() {
    use UnaryFunction::*;
    let mut random = Random(11);
    for (functions, limit) in [
        (
            &[Arcsinh, Arctanh, Sinh, Tanh, Sin, Tan, Arcsin, Arctan][..],
            -28_f64,
        ),
        (&[Expm1, Log1p][..], -54.0),
    ] {
        let limit = limit.exp2();
        let others = (0..2000).map(|_| random.magnitude(1e-310, limit));
        for x in [limit * 0.75, -limit, 5e-324].into_iter().chain(others) {
            for function in functions {
                assert_eq!(function.of_f64(x), x, "{} of {x:e}", function.name());
            }
        }
    }
    for function in [Arcsinh, Arctanh] {
        let x = 1.157_726_090_496_784e-16;
        assert_eq!(function.of_f64(x), x, "{}", function.name());
    }
}

/// Whatever the instructions, the position and the length, and in place, too.
#[test]
fn results_depend_on_the_arguments_alone() {
    let mut random = Random(7);
    let mut x: Vec<f64> = (0..200)
        .map(|position| match position % 4 {
            0 => SPECIAL[position % SPECIAL.len()],
            1 => f64::from_bits(random.bits()),
            2 => random.magnitude(1e-3, 1e3),
            _ => random.unit() * 2.0 - 1.0,
        })
        .collect();
    x.extend(SPECIAL);
    let y: Vec<f64> = x.iter().rev().copied().collect();
    let (x_single, y_single): (Vec<f32>, Vec<f32>) = x
        .iter()
        .zip(&y)
        .map(|(&x, &y)| (x as f32, y as f32))
        .unzip();
    for machine in machines() {
        for (start, n) in (0..20)
            .map(|n| (n, n))
            .chain([(0, x.len()), (1, x.len() - 2)])
        {
            let range = start..start + n;
            for &function in UnaryFunction::ALL {
                let mut got = x.clone();
                let mut got_single = x_single.clone();
                let to = &mut got[range.clone()];
                let to_single = &mut got_single[range.clone()];
                // SAFETY: the source is the destination, of `n` elements.
                unsafe {
                    function.map_on(machine, to.as_ptr(), to.as_mut_ptr(), n);
                    function.map_on(machine, to_single.as_ptr(), to_single.as_mut_ptr(), n);
                }
                for position in 0..x.len() {
                    let inside = range.contains(&position);
                    let (x, single) = (x[position], x_single[position]);
                    let (want, want_single) = if inside {
                        (function.of_f64(x), function.of_f32(single))
                    } else {
                        (x, single)
                    };
                    assert!(
                        same(got[position], want)
                            && same(got_single[position].into(), want_single.into()),
                        "{}({x:e}) on {machine:?} of {n}",
                        function.name()
                    );
                }
            }
            for &function in BinaryFunction::ALL {
                let mut got = vec![0.25; x.len()];
                let mut got_single = y_single.clone();
                let to_single = &mut got_single[range.clone()];
                // SAFETY: all have `n` elements, and the second source is the destination or they are apart.
                unsafe {
                    let to = got[range.clone()].as_mut_ptr();
                    function.map_on(machine, x[start..].as_ptr(), y[start..].as_ptr(), to, n);
                    let (second, to) = (to_single.as_ptr(), to_single.as_mut_ptr());
                    function.map_on(machine, x_single[start..].as_ptr(), second, to, n);
                }
                for position in 0..x.len() {
                    let (want, want_single) = if range.contains(&position) {
                        (
                            function.of_f64(x[position], y[position]),
                            function.of_f32(x_single[position], y_single[position]),
                        )
                    } else {
                        (0.25, y_single[position])
                    };
                    assert!(
                        same(got[position], want)
                            && same(got_single[position].into(), want_single.into()),
                        "{}({:e}, {:e}) on {machine:?} of {n}",
                        function.name(),
                        x[position],
                        y[position]
                    );
                }
            }
        }
    }
}

#[test]
fn other_kinds_are_refused() {
    let mut to = [7_i32; 2];
    // SAFETY: nothing is read or written.
    let result = unsafe {
        UnaryFunction::Exp.run(Kind::Int32, to.as_ptr().cast(), to.as_mut_ptr().cast(), 2)
    };
    assert_eq!(result, Err(Failure::UnsupportedKind(Kind::Int32)));
    assert_eq!(to, [7; 2]);
}
