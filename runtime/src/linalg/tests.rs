//! Decompositions against their defining properties, NumPy's signs, and inputs that break iterations.

mod reference;
mod small;
mod systems;
mod timings;

use super::field::guarded;
use super::*;
use crate::kind::{Failure, Kind};
use num_complex::Complex;

/// Test values in `-1..1` from a linear congruential generator.
fn random<T: Field>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 23) as f64 - 1.0
    };
    (0..len).map(|_| T::from_parts(next(), next())).collect()
}

/// `a b` for row-major `a` (`m` by `k`) and `b` (`k` by `n`).
fn multiply<T: Field>(a: &[T], b: &[T], m: usize, k: usize, n: usize) -> Vec<T> {
    let mut c = vec![T::NULL; m * n];
    for i in 0..m {
        for p in 0..k {
            for j in 0..n {
                c[i * n + j] += a[i * k + p] * b[p * n + j];
            }
        }
    }
    c
}

fn adjoint<T: Field>(a: &[T], m: usize, n: usize) -> Vec<T> {
    (0..n * m)
        .map(|i| Scalar::conj(a[i % m * n + i / m]))
        .collect()
}

fn distance<T: Field>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |largest: f64, (&a, &b)| {
        let (re, im) = (a - b).parts();
        if re.is_nan() || im.is_nan() {
            f64::INFINITY
        } else {
            largest.max(re.abs()).max(im.abs())
        }
    })
}

fn identity<T: Field>(n: usize) -> Vec<T> {
    (0..n * n)
        .map(|i| if i % (n + 1) == 0 { T::UNIT } else { T::NULL })
        .collect()
}

const SIZES: [(usize, usize); 14] = [
    (0, 0),
    (0, 3),
    (3, 0),
    (1, 1),
    (1, 4),
    (4, 1),
    (2, 2),
    (3, 5),
    (7, 4),
    (20, 20),
    (40, 3),
    (3, 40),
    (70, 66),
    (66, 90),
];

fn check_qr<T: Field>(a: &[T], m: usize, n: usize, tolerance: f64) {
    let size = m.min(n);
    let (q, r) = qr(a, m, n, false).unwrap();
    assert!(
        distance(&multiply(&q, &r, m, size, n), a) <= tolerance,
        "{m}x{n}: q r"
    );
    let gram = multiply(&adjoint(&q, m, size), &q, size, m, size);
    assert!(
        distance(&gram, &identity(size)) <= tolerance,
        "{m}x{n}: q^H q"
    );
    for row in 0..size {
        assert!(r[row * n..row * n + row].iter().all(|&x| x == T::NULL));
        assert_eq!(r[row * n + row].parts().1, 0.0, "the diagonal of r is real");
    }
}

fn check_svd<T: Field<Magnitude: Field>>(a: &[T], m: usize, n: usize, tolerance: f64) {
    let size = m.min(n);
    for full in [false, true] {
        let (u, s, vh) = svd(a, m, n, full).unwrap();
        let (columns, rows) = if full { (m, n) } else { (size, size) };
        let mut scaled = vec![T::NULL; m * rows];
        for i in 0..m {
            for j in 0..size {
                scaled[i * rows + j] = u[i * columns + j] * T::from_parts(s[j].parts().0, 0.0);
            }
        }
        assert!(
            distance(&multiply(&scaled, &vh, m, rows, n), a) <= tolerance,
            "{m}x{n} {full}"
        );
        let left = multiply(&adjoint(&u, m, columns), &u, columns, m, columns);
        assert!(
            distance(&left, &identity(columns)) <= tolerance,
            "{m}x{n} {full}: u"
        );
        let right = multiply(&vh, &adjoint(&vh, rows, n), rows, n, rows);
        assert!(
            distance(&right, &identity(rows)) <= tolerance,
            "{m}x{n} {full}: vh"
        );
        let s: Vec<f64> = s.iter().map(|s| s.parts().0).collect();
        assert!(s.windows(2).all(|pair| pair[0] >= pair[1]) && s.iter().all(|&s| s >= 0.0));
    }
}

fn check_random<T: Field<Magnitude: Field>>(tolerance: f64) {
    for (m, n) in SIZES {
        let a = random::<T>(m * n, 7);
        check_qr(&a, m, n, tolerance);
        check_svd(&a, m, n, tolerance);
    }
}

#[test]
fn factors_multiply_back_and_are_unitary() {
    check_random::<f64>(1e-12);
    check_random::<f32>(1e-4);
    check_random::<Complex<f64>>(1e-12);
    check_random::<Complex<f32>>(1e-4);
}

#[test]
fn singular_and_zero_matrices() {
    for value in [0.0, 1.0] {
        let a = vec![value; 30];
        check_qr(&a, 6, 5, 1e-13);
        check_svd(&a, 6, 5, 1e-13);
        check_svd(
            &a.iter().map(|&x| Complex::new(x, x)).collect::<Vec<_>>(),
            5,
            6,
            1e-13,
        );
    }
}

#[test]
fn signs_of_qr_are_lapacks() {
    // Rows made with NumPy 2.4.
    let (q, r) = qr(&[3.0, 1.0, 1.0, -4.0, 2.0, 2.0], 3, 2, false).unwrap();
    let expected = [
        -0.801_783_73,
        0.079_155_95,
        -0.267_261_24,
        -0.934_040_19,
        -0.534_522_48,
        0.348_286_17,
    ];
    assert!(distance(&q, &expected) < 1e-8);
    assert!(distance(&r, &[-3.741_657_39, -0.801_783_73, 0.0, 4.511_889_06]) < 1e-8);
    assert_eq!(
        qr(&[3.0, 0.0, 0.0, -4.0], 2, 2, false).unwrap().1,
        [3.0, 0.0, 0.0, -4.0]
    );
    let z = |re, im| Complex::new(re, im);
    let a = [z(3.0, 1.0), z(1.0, 0.0), z(1.0, 0.0), z(0.0, -4.0)];
    let (q, r) = qr(&a, 2, 2, false).unwrap();
    let expected_q = [
        z(-0.904_534_03, -0.301_511_34),
        z(-0.073_127_24, 0.292_508_97),
        z(-0.301_511_34, 0.0),
        z(-0.073_127_24, -0.950_654_15),
    ];
    let expected_r = [
        z(-3.316_624_79, 0.0),
        z(-0.904_534_03, 1.507_556_72),
        z(0.0, 0.0),
        z(3.729_489_36, 0.0),
    ];
    assert!(distance(&q, &expected_q) < 1e-8 && distance(&r, &expected_r) < 1e-8);
}

#[test]
fn extreme_magnitudes_neither_overflow_nor_vanish() {
    for scale in [1e200, 1e-200, 1e-310] {
        let a: Vec<f64> = random::<f64>(12, 3).iter().map(|x| x * scale).collect();
        let (q, r) = qr(&a, 4, 3, false).unwrap();
        let gram = multiply(&adjoint(&q, 4, 3), &q, 3, 4, 3);
        assert!(distance(&gram, &identity(3)) < 1e-13, "{scale}");
        assert!(
            distance(&multiply(&q, &r, 4, 3, 3), &a) <= scale * 1e-13,
            "{scale}"
        );
        let (_, s, _) = svd(&a, 4, 3, false).unwrap();
        assert!(s[0] > 0.1 * scale && s[0] < 10.0 * scale, "{scale}: {s:?}");
        // Large enough for faer's QR.
        let a: Vec<f64> = random::<f64>(70 * 70, 5)
            .iter()
            .map(|x| x * scale)
            .collect();
        let (q, r) = qr(&a, 70, 70, false).unwrap();
        assert!(
            distance(&multiply(&q, &r, 70, 70, 70), &a) <= scale * 1e-12,
            "{scale}"
        );
    }
}

#[test]
fn input_that_is_not_finite() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let a = [1.0, 2.0, bad, 4.0, 5.0, 6.0];
        let (q, r) = qr(&a, 3, 2, false).unwrap();
        assert!(q.iter().all(|x| x.is_nan()) && r[0].is_nan() && r[1].is_nan() && r[3].is_nan());
        assert_eq!(r[2], 0.0);
        assert_eq!(svd(&a, 3, 2, false), Err(Failure::NoConvergence));
        let z = a.map(|x| Complex::new(0.0, x));
        assert_eq!(svd(&z, 2, 3, true), Err(Failure::NoConvergence));
    }
}

#[test]
fn a_panic_becomes_a_failure() {
    assert_eq!(
        guarded(|| panic!("on purpose")),
        Err(Failure::NoConvergence)
    );
}

#[test]
fn batches_agree_with_single_matrices() {
    let (batch, m, n) = (3, 4, 5);
    let a = random::<Complex<f64>>(batch * m * n, 11);
    let mut q = vec![Complex::new(f64::NAN, 0.0); batch * m * m];
    let mut r = vec![Complex::new(f64::NAN, 0.0); batch * m * n];
    let (mut u, mut s, mut vh) = (q.clone(), vec![f64::NAN; batch * m], r.clone());
    let kind = Kind::Complex128;
    // SAFETY: the buffers have the sizes that the functions ask for.
    unsafe {
        let (q, r) = (q.as_mut_ptr().cast(), r.as_mut_ptr().cast());
        qr_batched(kind, batch, m, n, a.as_ptr().cast(), q, r).unwrap();
        let (u, s, vh) = (
            u.as_mut_ptr().cast(),
            s.as_mut_ptr().cast(),
            vh.as_mut_ptr().cast(),
        );
        svd_batched(kind, false, batch, m, n, a.as_ptr().cast(), u, s, vh).unwrap();
    }
    for item in 0..batch {
        let single = &a[item * m * n..(item + 1) * m * n];
        let (q_single, r_single) = qr(single, m, n, false).unwrap();
        assert_eq!(q[item * m * m..(item + 1) * m * m], q_single[..]);
        assert_eq!(r[item * m * n..(item + 1) * m * n], r_single[..]);
        let (u_single, s_single, vh_single) = svd(single, m, n, false).unwrap();
        assert_eq!(u[item * m * m..(item + 1) * m * m], u_single[..]);
        assert_eq!(s[item * m..(item + 1) * m], s_single[..]);
        assert_eq!(vh[item * m * n..(item + 1) * m * n], vh_single[..]);
    }
}

#[test]
fn batches_of_nothing_and_of_other_kinds() {
    let (null, none) = (std::ptr::null(), std::ptr::null_mut());
    let mut u = [f64::NAN; 8];
    // SAFETY: nothing is read; two identity matrices of order two are written.
    unsafe {
        assert_eq!(qr_batched(Kind::Float32, 0, 3, 3, null, none, none), Ok(()));
        assert_eq!(qr_batched(Kind::Float64, 5, 0, 3, null, none, none), Ok(()));
        let result = svd_batched(
            Kind::Float64,
            true,
            2,
            2,
            0,
            null,
            u.as_mut_ptr().cast(),
            none,
            none,
        );
        assert_eq!(result, Ok(()));
        let kind = Kind::Int64;
        let unsupported = Err(Failure::UnsupportedKind(kind));
        assert_eq!(qr_batched(kind, 1, 1, 1, null, none, none), unsupported);
        assert_eq!(
            svd_batched(kind, true, 1, 1, 1, null, none, none, none),
            unsupported
        );
    }
    assert_eq!(u, [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
}
