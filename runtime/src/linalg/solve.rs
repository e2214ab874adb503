//! Linear systems, inverses and determinants, all by LU decomposition with partial pivoting.
//!
//! A matrix is singular where a pivot is exactly zero, as in NumPy; nearly singular ones give large numbers.

use super::elimination::{Factors, factorised};
use super::field::{Field, guarded};
use super::lu::{Large, by_hand};
use crate::kind::Failure;
use faer::Par;

/// Solves `a x = b` (`numpy.linalg.solve`) for `a` of shape `[n, n]` and `b` of shape `[n, k]`.
///
/// ```
/// use autojit_runtime::linalg::solve;
/// assert_eq!(solve(&[2.0, 1.0, 0.0, 4.0], &[4.0, 8.0], 2, 1), Ok(vec![1.0, 2.0]));
/// ```
///
/// # Errors
/// [`Failure::Singular`] if a pivot is exactly zero.
///
/// # Panics
/// If `a` does not have `n * n` elements or `b` not `n * k`.
pub fn solve<T: Field>(a: &[T], b: &[T], n: usize, k: usize) -> Result<Vec<T>, Failure> {
    assert_eq!(b.len(), n * k);
    let mut x = b.to_vec();
    solve_in_place(a, &mut x, n, k)?;
    Ok(x)
}

/// [`solve`] with `b` in the place of the result.
pub(super) fn solve_in_place<T: Field>(
    a: &[T],
    x: &mut [T],
    n: usize,
    k: usize,
) -> Result<(), Failure> {
    assert_eq!((a.len(), x.len()), (n * n, n * k));
    if !by_hand::<T>(n) {
        return guarded(|| {
            let large = Large::factorise(a, n, n);
            if large.singular() {
                return Err(Failure::Singular);
            }
            large.solve(x, k, Par::Seq);
            Ok(())
        });
    }
    factorised(a, n, |factors: Factors<'_, T>| {
        if factors.singular {
            return Err(Failure::Singular);
        }
        if k > 0 {
            factors.solve(x, k);
        }
        Ok(())
    })
}

/// The inverse (`numpy.linalg.inv`) of `a` of shape `[n, n]`.
///
/// # Errors
/// [`Failure::Singular`] if a pivot is exactly zero.
///
/// # Panics
/// If `a` does not have `n * n` elements.
pub fn inv<T: Field>(a: &[T], n: usize) -> Result<Vec<T>, Failure> {
    let mut inverse = vec![T::NULL; n * n];
    inv_into(a, n, &mut inverse)?;
    Ok(inverse)
}

/// [`inv`] into a given slice.
pub(super) fn inv_into<T: Field>(a: &[T], n: usize, inverse: &mut [T]) -> Result<(), Failure> {
    inverse.fill(T::NULL);
    inverse.iter_mut().step_by(n + 1).for_each(|x| *x = T::UNIT);
    if !by_hand::<T>(n) {
        return solve_in_place(a, inverse, n, n);
    }
    assert_eq!(a.len(), n * n);
    factorised(a, n, |factors: Factors<'_, T>| {
        if factors.singular {
            return Err(Failure::Singular);
        }
        // Of the factors' order, so that it is a constant where that is one.
        factors.solve(inverse, factors.order);
        Ok(())
    })
}

/// The sign or phase of a number that is not zero; infinities and NaN give NaN where they are complex.
fn phase<T: Field>(x: T) -> T {
    let (re, im) = x.parts();
    if im == 0.0 && !re.is_nan() {
        return T::from_parts(1.0_f64.copysign(re), 0.0);
    }
    let modulus = re.hypot(im);
    T::from_parts(re / modulus, im / modulus)
}

/// Sign and logarithm of the modulus of the product of `pivots`.
fn sign_and_logarithm<T: Field>(pivots: impl Iterator<Item = T>, odd: bool) -> (T, f64) {
    let mut sign = if odd { -T::UNIT } else { T::UNIT };
    let mut logarithm = 0.0;
    for pivot in pivots {
        if pivot == T::NULL {
            return (T::NULL, f64::NEG_INFINITY);
        }
        let (re, im) = pivot.parts();
        sign *= phase(pivot);
        logarithm += if im == 0.0 { re.abs() } else { re.hypot(im) }.ln();
    }
    (sign, logarithm)
}

/// A multiple of `x` by a power of two that is safe to multiply, and the exponent that was taken out.
fn tamed<T: Field>(x: T) -> (T, i32) {
    let (re, im) = x.parts();
    let modulus = re.abs().max(im.abs());
    let bound = 2.0_f64.powi(T::SAFE_EXPONENT);
    if (modulus <= bound && modulus >= bound.recip()) || modulus == 0.0 || !x.finite() {
        return (x, 0);
    }
    let exponent = modulus.log2().floor() as i32;
    let scaled = |part| times_power_of_two(part, -exponent);
    (T::from_parts(scaled(re), scaled(im)), exponent)
}

/// `x 2^exponent`; in steps, because the power may overflow where the product does not.
fn times_power_of_two(x: f64, exponent: i32) -> f64 {
    let step = exponent.clamp(-4000, 4000) / 4;
    let last = exponent.clamp(-4000, 4000) - 3 * step;
    let power = 2.0_f64.powi(step);
    x * power * power * power * 2.0_f64.powi(last)
}

/// The product of `pivots`, right also where intermediate products leave the range of the type.
#[inline]
fn product<T: Field>(pivots: impl Iterator<Item = T>, odd: bool) -> T {
    let mut product = if odd { -T::UNIT } else { T::UNIT };
    let mut exponent = 0_i32;
    for pivot in pivots {
        if pivot == T::NULL {
            return T::NULL;
        }
        let (pivot, first) = tamed(pivot);
        let (next, second) = tamed(product * pivot);
        product = next;
        exponent = exponent.saturating_add(first + second);
    }
    if exponent == 0 {
        return product;
    }
    let (re, im) = product.parts();
    T::from_parts(
        times_power_of_two(re, exponent),
        times_power_of_two(im, exponent),
    )
}

/// The determinant (`numpy.linalg.det`) of `a` of shape `[n, n]`; 1 if `n` is 0.
///
/// ```
/// assert_eq!(autojit_runtime::linalg::det(&[1.0, 2.0, 3.0, 4.0], 2), Ok(-2.0));
/// ```
///
/// # Errors
/// [`Failure::NoConvergence`] if faer panics, which is not known to happen.
///
/// # Panics
/// If `a` does not have `n * n` elements.
pub fn det<T: Field>(a: &[T], n: usize) -> Result<T, Failure> {
    assert_eq!(a.len(), n * n);
    if !by_hand::<T>(n) {
        let mut result = T::NULL;
        guarded(|| {
            let large = Large::factorise(a, n, n);
            result = product(large.diagonal(), large.odd);
            Ok(())
        })?;
        return Ok(result);
    }
    Ok(factorised(a, n, |factors: Factors<'_, T>| {
        product(factors.diagonal(), factors.odd)
    }))
}

/// Sign (or phase) of the determinant and the logarithm of its modulus (`numpy.linalg.slogdet`); `(0, -inf)` for a singular
/// matrix, `(1, 0)` if `n` is 0.
///
/// # Errors
/// [`Failure::NoConvergence`] if faer panics, which is not known to happen.
///
/// # Panics
/// If `a` does not have `n * n` elements.
pub fn slogdet<T: Field>(a: &[T], n: usize) -> Result<(T, T::Magnitude), Failure> {
    assert_eq!(a.len(), n * n);
    let mut result = (T::NULL, 0.0);
    if !by_hand::<T>(n) {
        guarded(|| {
            let large = Large::factorise(a, n, n);
            result = sign_and_logarithm(large.diagonal(), large.odd);
            Ok(())
        })?;
    } else {
        result = factorised(a, n, |factors: Factors<'_, T>| {
            sign_and_logarithm(factors.diagonal(), factors.odd)
        });
    }
    let (sign, logarithm) = result;
    Ok((sign, super::householder::Scalar::from_parts(logarithm, 0.0)))
}
