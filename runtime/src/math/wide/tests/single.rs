//! Single precision: rounded once, over all arguments, on all machines.
//!
//! The reference is double precision, whose errors (`accuracy`) are some 2^-28 of these units. The exhaustive test takes
//! twenty minutes and more: `cargo test --release --lib every_argument -- --ignored --nocapture`.

use super::accuracy::error_in_single_units;
use super::{BinaryFunction, Random, SPECIAL, UnaryFunction, machines, same};
use std::f32::consts;

/// Units in the last place that are allowed, where half of one is the least.
pub(super) const ALLOWED: f64 = 0.51;

/// Of the arguments: the function on each machine, the same bits on all; then the largest error, and where.
fn worst(function: UnaryFunction, x: &[f32], all_machines: bool) -> (f64, f32) {
    let double: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let mut want = vec![0.0; x.len()];
    // SAFETY: both have as many elements and are apart.
    unsafe { function.map_f64(double.as_ptr(), want.as_mut_ptr(), x.len()) };
    let machines = machines();
    let first = if all_machines {
        0
    } else {
        machines.len().min(2) - 1
    };
    let mut results = machines[first..].iter().map(|&machine| {
        let mut got = vec![0.0_f32; x.len()];
        // SAFETY: likewise.
        unsafe { function.map_on(machine, x.as_ptr(), got.as_mut_ptr(), x.len()) };
        (machine, got)
    });
    let (_, got) = results.next().expect("a machine");
    for (machine, other) in results {
        for ((&x, &got), &other) in x.iter().zip(&got).zip(&other) {
            assert!(
                got.to_bits() == other.to_bits() || (got.is_nan() && other.is_nan()),
                "{}({x:e}) = {other:e} on {machine:?}, elsewhere {got:e}",
                function.name()
            );
        }
    }
    let mut worst = (0.0, 0.0);
    for ((&x, &got), &want) in x.iter().zip(&got).zip(&want) {
        let error = error_in_single_units(got, want);
        if error > worst.0 {
            worst = (error, x);
        }
        assert!(
            got.is_nan() || got.is_sign_negative() == want.is_sign_negative(),
            "{}({x:e}) = {got:e}, not {want:e}",
            function.name()
        );
    }
    worst
}

/// All signs and exponents with many mantissas, and the neighbours of special values.
fn arguments(random: &mut Random) -> Vec<f32> {
    const MANTISSA: u32 = (1 << 23) - 1;
    let mut x = Vec::new();
    for exponent in 0..512_u32 {
        for mantissa in [
            0,
            1,
            2,
            MANTISSA / 2,
            MANTISSA / 2 + 1,
            MANTISSA - 1,
            MANTISSA,
        ] {
            x.push(f32::from_bits((exponent << 23) | mantissa));
        }
        for _ in 0..9 {
            x.push(f32::from_bits(
                (exponent << 23) | (random.bits() as u32 & MANTISSA),
            ));
        }
    }
    for special in SPECIAL {
        let bits = (special as f32).to_bits();
        x.extend((0..33).map(|step| f32::from_bits((bits + step).wrapping_sub(16))));
    }
    // Where results overflow, underflow, round to 1, or another piece begins.
    for border in [
        88.722_84,
        89.415_985,
        103.972_08,
        87.336_54,
        // Where forms in lanes of single precision end.
        87.0,
        126.0,
        127.0,
        128.0,
        149.0,
        150.0,
        9.010_913,
        3.919_206,
        17.328_68,
        0.75,
        1.25,
        consts::LN_2 / 2.0,
        0.201_357_92,
        1.525_878_9e-5,
        1.073_741_8e9,
        consts::FRAC_PI_4,
        consts::FRAC_PI_2,
        consts::PI,
        1.001,
        16_367_173.0,
    ] {
        for sign in [border, -border] {
            let bits = f32::to_bits(sign);
            x.extend((0..33).map(|step| f32::from_bits((bits + step).wrapping_sub(16))));
        }
    }
    x
}

#[test]
fn results_are_rounded_once_on_all_machines() {
    let mut random = Random(11);
    let x = arguments(&mut random);
    for &function in UnaryFunction::ALL {
        let (error, at) = worst(function, &x, true);
        assert!(
            error <= ALLOWED,
            "{}({at:e}): {error} units",
            function.name()
        );
    }
}

#[test]
fn powers_and_angles_are_rounded_once_on_all_machines() {
    let mut random = Random(12);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..4000 {
        let any = f32::from_bits(random.bits() as u32);
        let base = any.abs();
        x.extend([any, base, (1.0 + random.magnitude(1e-7, 0.5)) as f32]);
        let exponent = (random.unit() * 210.0 - 105.0) / f64::from(base).ln();
        y.extend([f32::from_bits(random.bits() as u32), exponent as f32]);
        y.push(((random.unit() * 210.0 - 105.0) / f64::from(x[x.len() - 1]).ln()) as f32);
        x.push(any);
        y.push((f64::from(any) * random.magnitude(1e-9, 1e9)) as f32);
    }
    for special in SPECIAL {
        x.extend(SPECIAL.map(|_| special as f32));
        y.extend(SPECIAL.map(|other| other as f32));
    }
    for &function in BinaryFunction::ALL {
        for machine in machines() {
            let mut got = vec![0.0_f32; x.len()];
            // SAFETY: all have as many elements and are apart.
            unsafe { function.map_on(machine, x.as_ptr(), y.as_ptr(), got.as_mut_ptr(), x.len()) };
            for ((&x, &y), &got) in x.iter().zip(&y).zip(&got) {
                let want = function.of_f64(f64::from(x), f64::from(y));
                assert!(
                    error_in_single_units(got, want) <= ALLOWED
                        && (got.is_nan() || got.is_sign_negative() == want.is_sign_negative()),
                    "{}({x:e}, {y:e}) = {got:e} on {machine:?}, not {want:e}",
                    function.name()
                );
            }
        }
    }
}

#[test]
fn exact_results_are_exact() {
    use UnaryFunction::*;
    for n in -149..=127 {
        let (x, n) = (2.0_f64.powi(n) as f32, n as f32);
        assert_eq!(Exp2.of_f32(n), x, "2^{n}");
        assert_eq!(BinaryFunction::Power.of_f32(2.0, n), x, "2^{n}");
        assert_eq!(Log2.of_f32(x), n, "log2(2^{n})");
    }
    for n in 0..=10 {
        assert_eq!(Log10.of_f32(10.0_f32.powi(n)), n as f32);
    }
    for n in -256..=256 {
        let n = n as f32;
        assert_eq!(Cbrt.of_f32(n * n * n), n);
        assert_eq!(BinaryFunction::Power.of_f32(n, 2.0), n * n);
        assert_eq!(BinaryFunction::Power.of_f32(n, 3.0), n * n * n);
        assert_eq!(
            BinaryFunction::Hypot.of_f32(3.0 * n, -4.0 * n),
            5.0 * n.abs()
        );
    }
    assert_eq!(
        [Exp, Exp2, Cos, Cosh].map(|function| function.of_f32(-0.0)),
        [1.0; 4]
    );
    assert_eq!(
        [Log, Log2, Log10, Arccosh].map(|function| function.of_f32(1.0)),
        [0.0; 4]
    );
    // Half a unit in the last place is more than the next term of the series is.
    for bits in (0..f32::to_bits(1.0 / 33_554_432.0)).step_by(99_991) {
        for x in [f32::from_bits(bits), -f32::from_bits(bits)] {
            for function in [
                Expm1, Log1p, Sin, Tan, Arcsin, Arctan, Sinh, Tanh, Arcsinh, Arctanh,
            ] {
                let got = function.of_f32(x);
                assert!(
                    same(got.into(), x.into()),
                    "{}({x:e}) = {got:e}",
                    function.name()
                );
            }
        }
    }
}

/// The errors that `docs/benchmark_notes.md` states.
#[test]
#[ignore = "takes twenty minutes and more in release mode"]
fn every_argument() {
    const BLOCK: u64 = 1 << 16;
    let mut failed = Vec::new();
    for &function in UnaryFunction::ALL {
        let mut largest = (0.0, 0.0);
        for start in (0..1 << 32).step_by(BLOCK as usize) {
            let x: Vec<f32> = (start..start + BLOCK)
                .map(|bits| f32::from_bits(bits as u32))
                .collect();
            let found = worst(function, &x, false);
            if found.0 > largest.0 {
                largest = found;
            }
        }
        println!(
            "| {:8} | {:.5} | at {:e} |",
            function.name(),
            largest.0,
            largest.1
        );
        if largest.0 > ALLOWED {
            failed.push(function.name());
        }
    }
    assert!(failed.is_empty(), "too inaccurate: {failed:?}");
}

/// Vectors in which some lanes take another form than the others: each by itself, and all but one.
#[test]
fn forms_do_not_depend_on_neighbours() {
    use UnaryFunction::{Exp, Exp2};
    const N: usize = 37;
    for function in [Exp, Exp2] {
        for outside in [f32::NAN, f32::INFINITY, -1e30, -87.5, 88.5, -126.5, -140.0] {
            for machine in machines() {
                for odd in 0..N {
                    for others in [0.7, -100.25] {
                        let x: Vec<f32> = (0..N)
                            .map(|i| {
                                if i == odd {
                                    outside
                                } else {
                                    others + i as f32 / 64.0
                                }
                            })
                            .collect();
                        let mut got = [0.0_f32; N];
                        // SAFETY: both have `N` elements and are apart.
                        unsafe { function.map_on(machine, x.as_ptr(), got.as_mut_ptr(), N) };
                        for (&x, got) in x.iter().zip(got) {
                            let want = function.of_f32(x);
                            assert!(
                                same(got.into(), want.into()),
                                "{}({x:e}) = {got:e} on {machine:?}, alone {want:e}",
                                function.name()
                            );
                        }
                    }
                }
            }
        }
    }
}
