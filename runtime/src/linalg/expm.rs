//! The exponential of a matrix, in double precision.
//!
//! N. J. Higham, "The scaling and squaring method for the matrix exponential revisited" (2005): a diagonal Padé approximant
//! of order 3, 5, 7, 9 or 13, chosen by the 1-norm, and repeated squaring.

use super::field::{Field, all_finite, convert};
use super::householder::Scalar;
use super::solve::solve_in_place;
use crate::kind::Failure;
use crate::math::complex;
use crate::matmul::MatrixProduct;
use num_complex::Complex;

/// Up to these 1-norms the approximant of this order is accurate to double precision (Higham, table 2.3).
const ORDERS: [(usize, f64); 4] = [
    (3, 1.495_585_217_958_292e-2),
    (5, 2.539_398_330_063_23e-1),
    (7, 9.504_178_996_162_932e-1),
    (9, 2.097_847_961_257_068),
];
/// The same for order 13, to which larger matrices are scaled down.
const LARGEST: f64 = 5.371_920_351_148_152;

/// The matrix exponential (`scipy.linalg.expm`) of `a` of shape `[n, n]`. Input that is not finite gives NaN.
///
/// # Errors
/// [`Failure::Singular`] if the denominator of the approximant is, which is not known to happen.
///
/// # Panics
/// If `a` does not have `n * n` elements.
pub fn expm<T: Field>(a: &[T], n: usize) -> Result<Vec<T>, Failure> {
    let mut result = vec![T::NULL; n * n];
    expm_into(a, n, &mut result)?;
    Ok(result)
}

/// [`expm`] into a given slice.
pub(super) fn expm_into<T: Field>(a: &[T], n: usize, result: &mut [T]) -> Result<(), Failure> {
    assert_eq!((a.len(), result.len()), (n * n, n * n));
    if !all_finite(a) {
        result.fill(T::NAN);
        return Ok(());
    }
    // As in SciPy; also because squaring would make NaN of infinities and zeros.
    let diagonal = |position: usize| position.is_multiple_of(n + 1);
    let mut off_diagonal = a.iter().enumerate().filter(|&(i, _)| !diagonal(i));
    if off_diagonal.all(|(_, &x)| x == T::NULL) {
        for (position, (result, x)) in result.iter_mut().zip(a).enumerate() {
            let (re, im) = x.parts();
            let exp = complex::exp(Complex::new(re, im));
            *result = if diagonal(position) {
                T::from_parts(exp.re, exp.im)
            } else {
                T::NULL
            };
        }
        return Ok(());
    }
    let a: Vec<T::Double> = a.iter().map(|&x| convert(x)).collect();
    for (result, x) in result.iter_mut().zip(double(a, n)?) {
        *result = convert(x);
    }
    Ok(())
}

/// The numerator's coefficients of the diagonal Padé approximant, from the constant term on; the last one is 1.
fn coefficients(order: usize) -> Vec<f64> {
    let mut coefficients = vec![1.0; order + 1];
    for j in (0..order).rev() {
        let ratio = ((2 * order - j) * (j + 1)) as f64 / (order - j) as f64;
        coefficients[j] = (coefficients[j + 1] * ratio).round();
    }
    coefficients
}

/// A product of two matrices of order `n`.
fn product<T: Field>(a: &[T], b: &[T], n: usize) -> Vec<T> {
    assert_eq!((a.len(), b.len()), (n * n, n * n));
    let mut c = vec![T::NULL; n * n];
    let strides = [n as isize, 1];
    let product = MatrixProduct {
        kind: T::KIND,
        batch: vec![],
        m: n,
        k: n,
        n,
        a_batch: vec![],
        b_batch: vec![],
        c_batch: vec![],
        a: strides,
        b: strides,
        c: strides,
    };
    // SAFETY: three contiguous matrices of the kind and the order that were said.
    unsafe {
        product.run(a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast());
    }
    c
}

/// `constant + sum of coefficient * power`.
fn combination<T: Scalar>(constant: f64, terms: &[(f64, &[T])], n: usize) -> Vec<T> {
    let mut sum = vec![T::NULL; n * n];
    for &(coefficient, power) in terms {
        let coefficient = T::from_parts(coefficient, 0.0);
        for (sum, &x) in sum.iter_mut().zip(power) {
            *sum = *sum + coefficient * x;
        }
    }
    let constant = T::from_parts(constant, 0.0);
    sum.iter_mut()
        .step_by(n + 1)
        .for_each(|x| *x = *x + constant);
    sum
}

/// Scaling, approximant, squaring.
fn double<T: Field>(mut a: Vec<T>, n: usize) -> Result<Vec<T>, Failure> {
    let norm = (0..n)
        .map(|column| {
            let column = a.iter().skip(column).step_by(n);
            column
                .map(|x| {
                    let (re, im) = x.parts();
                    re.hypot(im)
                })
                .sum::<f64>()
        })
        .fold(0.0, f64::max);
    let mut squarings = 0;
    let order = ORDERS.iter().find(|(_, bound)| norm <= *bound);
    let (odd, even) = if let Some(&(order, _)) = order {
        short_approximant(&a, n, order)
    } else {
        // Halves, so that neither an infinite norm nor a power of two beyond the exponent range does harm.
        let mut scaled = norm.min(f64::MAX);
        while scaled > LARGEST {
            scaled *= 0.5;
            squarings += 1;
        }
        for _ in 0..squarings {
            let half = T::from_parts(0.5, 0.0);
            a.iter_mut().for_each(|x| *x *= half);
        }
        long_approximant(&a, n)
    };
    let (mut numerator, mut denominator) = (even.clone(), even);
    for ((p, q), &u) in numerator.iter_mut().zip(&mut denominator).zip(&odd) {
        *p += u;
        *q -= u;
    }
    solve_in_place(&denominator, &mut numerator, n, n)?;
    for _ in 0..squarings {
        numerator = product(&numerator, &numerator, n);
    }
    Ok(numerator)
}

/// Odd and even part of the numerator of order 3, 5, 7 or 9.
fn short_approximant<T: Field>(a: &[T], n: usize, order: usize) -> (Vec<T>, Vec<T>) {
    let b = coefficients(order);
    let mut powers = vec![product(a, a, n)];
    while 2 * powers.len() + 1 < order {
        powers.push(product(&powers[0], &powers[powers.len() - 1], n));
    }
    let part = |offset: usize| {
        let terms: Vec<_> = powers
            .iter()
            .enumerate()
            .map(|(i, power)| (b[2 * (i + 1) + offset], power.as_slice()))
            .collect();
        combination(b[offset], &terms, n)
    };
    (product(a, &part(1), n), part(0))
}

/// Odd and even part of the numerator of order 13, with six products in all.
fn long_approximant<T: Field>(a: &[T], n: usize) -> (Vec<T>, Vec<T>) {
    let b = coefficients(13);
    let a2 = product(a, a, n);
    let a4 = product(&a2, &a2, n);
    let a6 = product(&a4, &a2, n);
    let part = |offset: usize| {
        let high = combination(
            0.0,
            &[
                (b[12 + offset], a6.as_slice()),
                (b[10 + offset], &a4),
                (b[8 + offset], &a2),
            ],
            n,
        );
        let high = product(&a6, &high, n);
        combination(
            b[offset],
            &[
                (1.0, high.as_slice()),
                (b[6 + offset], &a6),
                (b[4 + offset], &a4),
                (b[2 + offset], &a2),
            ],
            n,
        )
    };
    (product(a, &part(1), n), part(0))
}
