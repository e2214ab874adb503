//! Transforms against their definition, in every layout, and against each other.

use super::*;

/// Test values in `-1..1` from a linear congruential generator.
fn random(len: usize) -> Vec<f64> {
    let mut state = 9_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 23) as f64 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn complex(len: usize) -> Vec<Complex<f64>> {
    random(2 * len)
        .chunks(2)
        .map(|x| Complex::new(x[0], x[1]))
        .collect()
}

/// `factor * sum of x[t] exp(sign 2 pi i t f / n)` for `x` padded or cut to `n`.
fn definition(x: &[Complex<f64>], n: usize, sign: f64, factor: f64) -> Vec<Complex<f64>> {
    (0..n)
        .map(|f| {
            let terms = x.iter().take(n).enumerate().map(|(t, x)| {
                let angle = sign * std::f64::consts::TAU * ((t * f) % n) as f64 / n as f64;
                x * Complex::new(0.0, angle).exp()
            });
            terms.sum::<Complex<f64>>() * factor
        })
        .collect()
}

fn distance(a: &[Complex<f64>], b: &[Complex<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    let errors = a.iter().zip(b).map(|(a, b)| (a - b).norm());
    errors.fold(0.0, |largest, x| {
        if x.is_nan() {
            f64::INFINITY
        } else {
            x.max(largest)
        }
    })
}

/// Runs on buffers of the sizes that the description asks for.
fn run<I: Copy, O: Clone>(fft: &Fft, input: &[I], fill: O) -> Vec<O> {
    assert_eq!(input.len(), fft.outer * fft.len_in * fft.inner);
    let (real, complex) = (fft.kind.size() / 2, fft.kind.size());
    let sizes = match fft.transform {
        Transform::Forward | Transform::Inverse => (complex, complex),
        Transform::Real => (real, complex),
        Transform::RealInverse => (complex, real),
    };
    assert_eq!((size_of::<I>(), size_of::<O>()), sizes);
    let mut output = vec![fill; fft.outer * fft.len_out() * fft.inner];
    // SAFETY: the sizes are right, and callers give the element types of the transform.
    unsafe { fft.run(input.as_ptr().cast(), output.as_mut_ptr().cast()) }.unwrap();
    output
}

/// Elements of one row.
fn row<T: Copy>(x: &[T], len: usize, inner: usize, index: usize) -> Vec<T> {
    (0..len)
        .map(|t| x[(index / inner) * len * inner + t * inner + index % inner])
        .collect()
}

#[test]
fn every_transform_layout_and_length() {
    let nan = Complex::new(f64::NAN, f64::NAN);
    for n in [1, 2, 3, 4, 5, 7, 8, 12, 30, 31, 64, 97, 101, 127] {
        for len_in in [n, n + 2, n / 2, 0] {
            for (outer, inner) in [(1, 1), (3, 1), (1, 3), (2, 5), (11, 1), (2, 19)] {
                for transform in [
                    Transform::Forward,
                    Transform::Inverse,
                    Transform::Real,
                    Transform::RealInverse,
                ] {
                    let fft = Fft {
                        kind: Kind::Complex128,
                        transform,
                        n,
                        len_in,
                        outer,
                        inner,
                        factor: if n == 12 { 0.25 } else { 1.0 },
                    };
                    check(&fft, nan);
                }
            }
        }
    }
}

fn check(fft: &Fft, nan: Complex<f64>) {
    let Fft {
        n,
        len_in,
        inner,
        factor,
        ..
    } = *fft;
    let rows = fft.outer * inner;
    let x = complex(rows * len_in);
    let sign = match fft.transform {
        Transform::Forward | Transform::Real => -1.0,
        _ => 1.0,
    };
    let (x, y): (Vec<Complex<f64>>, Vec<Complex<f64>>) = match fft.transform {
        Transform::Forward | Transform::Inverse => {
            let y = run(fft, &x, nan);
            (x, y)
        }
        Transform::Real => {
            let x: Vec<f64> = x.iter().map(|x| x.re).collect();
            let y = run(fft, &x, nan);
            (x.iter().map(|&x| x.into()).collect(), y)
        }
        Transform::RealInverse => {
            let y: Vec<f64> = run(fft, &x, f64::NAN);
            (x, y.iter().map(|&y| y.into()).collect())
        }
    };
    for index in 0..rows {
        let mut x = row(&x, len_in, inner, index);
        if fft.transform == Transform::RealInverse {
            // The Hermitian sequence of which the input is the first half.
            x.resize(n / 2 + 1, Complex::new(0.0, 0.0));
            x[0].im = 0.0;
            if n.is_multiple_of(2) {
                x[n / 2].im = 0.0;
            }
            x = (0..n)
                .map(|t| if t <= n / 2 { x[t] } else { x[n - t].conj() })
                .collect();
        }
        let mut want = definition(&x, n, sign, factor);
        want.truncate(fft.len_out());
        let got = row(&y, fft.len_out(), inner, index);
        let error = distance(&got, &want);
        assert!(error <= 1e-13 * n as f64, "{fft:?}: {error:e}");
    }
}

#[test]
fn single_precision_and_a_long_prime() {
    let fft = |transform, n: usize, kind| Fft {
        kind,
        transform,
        n,
        len_in: n,
        outer: 1,
        inner: 1,
        factor: if transform == Transform::Forward {
            1.0
        } else {
            1.0 / n as f64
        },
    };
    let x = complex(10_007);
    let kind = Kind::Complex128;
    let there = run(&fft(Transform::Forward, x.len(), kind), &x, x[0]);
    let back = run(&fft(Transform::Inverse, x.len(), kind), &there, x[0]);
    assert!(distance(&x, &back) < 1e-13);
    let kind = Kind::Complex64;
    let x: Vec<Complex<f32>> = x[..360]
        .iter()
        .map(|x| Complex::new(x.re as f32, x.im as f32))
        .collect();
    let there = run(&fft(Transform::Forward, x.len(), kind), &x, x[0]);
    let back = run(&fft(Transform::Inverse, x.len(), kind), &there, x[0]);
    let error = x.iter().zip(&back).map(|(a, b)| (a - b).norm());
    assert!(error.fold(0.0, f32::max) < 1e-6);
}

#[test]
fn nothing_and_not_a_number() {
    let mut fft = Fft {
        kind: Kind::Complex128,
        transform: Transform::Forward,
        n: 4,
        len_in: 4,
        outer: 0,
        inner: 3,
        factor: 1.0,
    };
    let (null, none) = (std::ptr::null(), std::ptr::null_mut());
    // SAFETY: nothing is read or written.
    unsafe {
        assert_eq!(fft.run(null, none), Ok(()));
        (fft.outer, fft.inner) = (1, 0);
        assert_eq!(fft.run(null, none), Ok(()));
        (fft.inner, fft.n, fft.len_in) = (1, 0, 0);
        assert_eq!(fft.run(null, none), Ok(()));
        fft.kind = Kind::Float64;
        assert_eq!(
            fft.run(null, none),
            Err(Failure::UnsupportedKind(Kind::Float64))
        );
    }
    (fft.kind, fft.n, fft.len_in, fft.outer) = (Kind::Complex128, 4, 4, 2);
    let mut x = complex(8);
    x[1].re = f64::NAN;
    let y = run(&fft, &x, x[0]);
    assert!(y[..4].iter().all(|y| y.is_nan()) && y[4..].iter().all(|y| y.is_finite()));
}

#[test]
fn threads_share_plans() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 1..700 {
                    let fft = Fft {
                        kind: Kind::Complex64,
                        transform: Transform::Forward,
                        n,
                        len_in: 1,
                        outer: 1,
                        inner: 1,
                        factor: 1.0,
                    };
                    let one = Complex::new(1.0_f32, 0.0);
                    for y in run(&fft, &[one], 2.0 * one) {
                        assert!((y - one).norm() < 1e-5, "{n}: {y}");
                    }
                }
            });
        }
    });
    let kept = <f32 as Precision>::plans().held.read().unwrap().len();
    assert!((1..=MOST_PLANS).contains(&kept));
}

/// `cargo test --release -p autojit-runtime fft_timings -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn fft_timings() {
    for (n, outer, inner) in [
        (1, 1, 1),
        (8, 1, 1),
        (64, 1, 1),
        (1024, 1, 1),
        (1009, 1, 1),
        (64, 64, 1),
        (64, 1, 64),
        (1024, 1, 1024),
    ] {
        let mut line = format!("n {n}, outer {outer}, inner {inner}: ns");
        for transform in [Transform::Forward, Transform::Real, Transform::RealInverse] {
            let fft = Fft {
                kind: Kind::Complex128,
                transform,
                n,
                len_in: match transform {
                    Transform::RealInverse => n / 2 + 1,
                    _ => n,
                },
                outer,
                inner,
                factor: 1.0,
            };
            // Large enough for every side; half of it where elements are real.
            let x = complex(outer * inner * n.max(2));
            let mut y = x.clone();
            let mut best = f64::INFINITY;
            for _ in 0..20 {
                let start = std::time::Instant::now();
                let calls = 1 + 20_000 / (n * outer * inner);
                for _ in 0..calls {
                    // SAFETY: the buffers are large enough.
                    unsafe { fft.run(x.as_ptr().cast(), y.as_mut_ptr().cast()) }.unwrap();
                }
                best = best.min(start.elapsed().as_nanos() as f64 / calls as f64);
            }
            line += &format!(" {transform:?} {best:.0}");
        }
        println!("{line}");
    }
}
