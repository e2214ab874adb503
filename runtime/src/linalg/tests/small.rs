//! Residuals of awkward matrices, and results that do not depend on the batch or the processor.

use super::*;
use crate::linalg::small::{ORDER, eigh, eigh_by};
use crate::processor::{self, Level};

/// Numbers as the bits of their parts.
type Bits = Vec<(u64, u64)>;

/// Matrices that have led iterations astray: zero, equal, degenerate, graded either way, nearly diagonal, and tridiagonal.
fn awkward<T: Field>(n: usize) -> Vec<T> {
    let noise = random::<T>(n * n, n as u64);
    let entry = |form: usize, i: usize, j: usize| {
        let (re, im) = noise[i * n + j].parts();
        let diagonal = if i == j { 1.0 } else { 0.0 };
        let beside = if i.abs_diff(j) == 1 { 1.0 } else { 0.0 };
        let graded = |digits: f64, from: usize| {
            let power = 10_f64.powf(-digits * (i.abs_diff(from) + j.abs_diff(from)) as f64 / 2.0);
            T::from_parts(re * power, im * power)
        };
        match form {
            0 => T::NULL,
            1 => T::from_parts(diagonal, 0.0),
            2 => T::UNIT,
            3 => T::from_parts(re, im),
            4 => graded(2.0, 0),
            5 => graded(2.0, n - 1),
            6 => graded(10.0, 0),
            7 => graded(10.0, n - 1),
            8 => T::from_parts(diagonal * re + beside * 1e-30, beside * 1e-30),
            9 => T::from_parts(diagonal + 1e-9 * re, 1e-9 * im),
            10 => T::from_parts(beside, 0.0),
            11 => T::from_parts(
                diagonal * (i as f64 - n as f64 / 2.0).abs() + beside,
                beside,
            ),
            12 => T::from_parts(if i == n - 1 || i == j { 1.0 } else { 0.0 }, 0.0),
            13 => T::from_parts(if i + j + 1 == n { 1.0 } else { 0.0 }, re),
            // Blocks of which one is far smaller, so that squares of its elements vanish.
            _ if i.max(j) < n / 2 => T::from_parts(re, im),
            _ if i.min(j) >= n / 2 => T::from_parts(re * 1e-20, im * 1e-20),
            _ => T::from_parts(re * 1e-35, im * 1e-35),
        }
    };
    let all = (0..15).flat_map(|form| (0..n * n).map(move |k| (form, k / n, k % n)));
    all.map(|(form, i, j)| entry(form, i, j)).collect()
}

/// Eigenvalues and vectors of one matrix hold to a few roundings of the largest element.
fn check<T: Field>(a: &[T], n: usize, values: &[T::Magnitude], vectors: &[T], what: &str) {
    let double = |x: T| {
        let (re, im) = x.parts();
        Complex::new(re, im)
    };
    let a = |i: usize, j: usize| match j.cmp(&i) {
        std::cmp::Ordering::Less => double(a[i * n + j]),
        std::cmp::Ordering::Equal => Complex::new(double(a[i * n + i]).re, 0.0),
        std::cmp::Ordering::Greater => double(a[j * n + i]).conj(),
    };
    let size = (0..n * n).fold(f64::MIN_POSITIVE, |size, k| {
        size.max(a(k / n, k % n).re.abs())
            .max(a(k / n, k % n).im.abs())
    });
    // Subnormal results have no more digits than they have.
    let bound = 10.0 * n as f64 * T::PRECISION;
    let least = T::from_parts(f64::from_bits(1), 0.0).parts().0;
    let least = if least == 0.0 {
        f64::from(f32::from_bits(1))
    } else {
        least
    };
    let values: Vec<f64> = values.iter().map(|x| x.parts().0).collect();
    assert!(values.is_sorted(), "{what}: {values:?}");
    let vectors: Vec<Complex<f64>> = vectors.iter().map(|&x| double(x)).collect();
    for i in 0..n {
        for j in 0..n {
            let mut residual = Complex::<f64>::ZERO;
            let mut gram = residual;
            for k in 0..n {
                residual += a(i, k) / size * vectors[k * n + j];
                gram += vectors[k * n + i].conj() * vectors[k * n + j];
            }
            residual -= vectors[i * n + j] * (values[j] / size);
            gram.re -= f64::from(u8::from(i == j));
            assert!(
                residual.norm() <= bound + 8.0 * (least / size),
                "{what}: {residual:e}"
            );
            assert!(gram.norm() <= bound, "{what}: {gram:e}");
        }
    }
}

fn check_awkward<T: Field>(scales: &[f64]) {
    for n in 1..=ORDER {
        for &scale in scales {
            let factor = T::from_parts(scale, 0.0);
            let a: Vec<T> = awkward::<T>(n).into_iter().map(|x| x * factor).collect();
            let count = a.len() / (n * n);
            let mut values = vec![T::Magnitude::default(); count * n];
            let mut vectors = vec![T::NULL; a.len()];
            eigh(&a, n, &mut values, Some(&mut vectors)).unwrap();
            let mut alone = values.clone();
            eigh(&a, n, &mut alone, None).unwrap();
            for m in 0..count {
                let what = format!("{:?} {n} {scale:e} form {m}", T::KIND);
                let (rows, all) = (m * n..(m + 1) * n, m * n * n..(m + 1) * n * n);
                check(
                    &a[all.clone()],
                    n,
                    &values[rows.clone()],
                    &vectors[all.clone()],
                    &what,
                );
                let size = a[all].iter().fold(0.0, |size: f64, x| {
                    let (re, im) = x.parts();
                    size.max(re.abs()).max(im.abs())
                });
                for (x, y) in values[rows.clone()].iter().zip(&alone[rows.clone()]) {
                    let (x, y) = (x.parts().0, y.parts().0);
                    let near = 20.0 * n as f64 * T::PRECISION.max(f64::from_bits(1) / size);
                    let same = size == 0.0 || (x / size - y / size).abs() <= near;
                    assert!(same, "{what}: {x:e} {y:e}");
                }
                assert!(alone[rows].is_sorted_by_key(|x| x.parts().0), "{what}");
            }
        }
    }
}

#[test]
fn awkward_matrices_have_small_residuals() {
    check_awkward::<f64>(&[1.0, 1e300, 1e-300, 1e-310, 1e150, 1e-150]);
    check_awkward::<Complex<f64>>(&[1.0, 1e300, 1e-300, 1e-310]);
    check_awkward::<f32>(&[1.0, 1e30, 1e-30]);
    check_awkward::<Complex<f32>>(&[1.0, 1e30, 1e-30]);
}

/// Values and vectors as bits.
fn bits<T: Field>(level: Level, a: &[T], n: usize) -> (Bits, Bits) {
    let mut values = vec![T::Magnitude::default(); a.len() / n];
    let mut vectors = vec![T::NULL; a.len()];
    let mut alone = values.clone();
    assert!(level <= processor::level());
    // SAFETY: the processor has the instructions of its level, and those below.
    unsafe {
        eigh_by(level, a, n, &mut values, Some(&mut vectors)).unwrap();
        eigh_by(level, a, n, &mut alone, None).unwrap();
    }
    values.extend(alone);
    let of = |(re, im): (f64, f64)| (re.to_bits(), im.to_bits());
    let values = values.iter().map(|x| of(x.parts())).collect();
    (values, vectors.iter().map(|x| of(x.parts())).collect())
}

fn check_bits<T: Field>() {
    for n in 1..=ORDER {
        let mut a = awkward::<T>(n);
        a.extend(random::<T>(4 * n * n, 5));
        let size = n * n;
        let count = a.len() / size;
        let best = bits(processor::level(), &a, n);
        for level in [Level::Avx2, Level::Avx512, Level::Baseline] {
            if level > processor::level() {
                continue;
            }
            let all = bits(level, &a, n);
            let same = |x: &[(u64, u64)], y: &[(u64, u64)], what: &str| {
                let differ = x.iter().zip(y).position(|(x, y)| x != y);
                assert!(
                    x.len() == y.len() && differ.is_none(),
                    "{level:?} {n} {what}: {differ:?}"
                );
            };
            same(&all.0, &best.0, "values");
            same(&all.1, &best.1, "vectors");
            for m in 0..count {
                let (values, vectors) = bits(level, &a[m * size..(m + 1) * size], n);
                same(&values[..n], &best.0[m * n..(m + 1) * n], "values of one");
                let alone = count * n + m * n;
                same(
                    &values[n..],
                    &best.0[alone..alone + n],
                    "values alone of one",
                );
                same(
                    &vectors,
                    &best.1[m * size..(m + 1) * size],
                    "vectors of one",
                );
            }
        }
    }
}

#[test]
fn bits_depend_on_the_matrix_alone() {
    check_bits::<f64>();
    check_bits::<Complex<f32>>();
}

#[test]
fn one_matrix_that_is_not_finite_fails_the_batch() {
    for n in 1..=ORDER {
        for bad in [f64::NAN, f64::INFINITY] {
            let mut a = random::<Complex<f64>>(9 * n * n, 3);
            let mut values = vec![0.0; 9 * n];
            // Neither the upper triangle nor imaginary parts of the diagonal are read.
            for item in a.chunks_exact_mut(n * n) {
                for i in 0..n {
                    item[i * n + i].im = bad;
                    item[i * n + i + 1..(i + 1) * n].fill(Complex::new(bad, bad));
                }
            }
            assert_eq!(eigh(&a, n, &mut values, None), Ok(()));
            assert!(values.iter().all(|x| x.is_finite()));
            a[8 * n * n + (n - 1) * n].re = bad;
            assert_eq!(eigh(&a, n, &mut values, None), Err(Failure::NoConvergence));
        }
    }
}
