//! The exponential of a matrix, in double precision.
//!
//! A. H. Al-Mohy and N. J. Higham, "A new scaling and squaring algorithm for the matrix exponential" (2009): a diagonal Padé
//! approximant of order 3, 5, 7, 9 or 13 and repeated squaring, chosen by norms of powers. Those may be far below powers of
//! the norm, which would scale too much: every squaring loses accuracy. Exponentials of the diagonal and next to it are
//! known for triangular matrices and put in after each squaring.

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
/// The same for order 13, to which larger matrices are scaled down (Al-Mohy and Higham, algorithm 5.1).
const LARGEST: f64 = 4.25;
/// The binary exponent of the norm of matrices whose powers overflow, once divided by a power of two: the tenth power of
/// that fits.
const SAFE_EXPONENT: i32 = 90;

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

fn magnitude<T: Field>(x: &T) -> f64 {
    let (re, im) = x.parts();
    re.hypot(im)
}

/// The largest sum of magnitudes of a column.
fn one_norm<T: Field>(a: &[T], n: usize) -> f64 {
    let column = |column: usize| a.iter().skip(column).step_by(n).map(magnitude).sum::<f64>();
    (0..n).map(column).fold(0.0, f64::max)
}

/// The matrix times a power of two, which may be beyond the range of the type.
fn times_power_of_two<T: Field>(a: &mut [T], exponent: i32) {
    let mut left = exponent;
    while left != 0 {
        let part = left.clamp(-1000, 1000);
        let factor = T::from_parts(2.0_f64.powi(part), 0.0);
        a.iter_mut().for_each(|x| *x *= factor);
        left -= part;
    }
}

/// How often `a / 2^scale` must be halved, so that the approximant of this order is accurate in spite of large elements
/// that cancel in the powers (the function called l in the paper).
fn extra_halvings<T: Field>(a: &[T], n: usize, order: usize, scale: i32) -> i32 {
    // The numerator and the denominator of the leading coefficient of the backward error.
    let coefficient: f64 = match order {
        3 => 100_800.0,
        5 => 10_059_033_600.0,
        7 => 4_487_938_430_976_000.0,
        9 => 5_914_384_781_877_411_840_000.0,
        _ => 113_250_775_606_021_113_483_283_660_800_000_000.0,
    };
    let magnitudes: Vec<f64> = a.iter().map(magnitude).collect();
    let norm = one_norm(a, n);
    // The norm of the power of the magnitudes is that of the row of ones times the power; its logarithm does not overflow.
    let (mut row, mut logarithm) = (vec![1.0; n], 0.0);
    for _ in 0..=2 * order {
        let mut next = vec![0.0; n];
        for (x, elements) in row.iter().zip(magnitudes.chunks_exact(n)) {
            for (sum, element) in next.iter_mut().zip(elements) {
                *sum += x * (element / norm);
            }
        }
        let largest = next.iter().copied().fold(0.0, f64::max);
        if largest == 0.0 {
            return 0;
        }
        logarithm += largest.log2();
        row = next;
        row.iter_mut().for_each(|x| *x /= largest);
    }
    // log2 of (norm of the power) / (norm * coefficient * unit roundoff).
    let excess = logarithm + 2.0 * order as f64 * (norm.log2() - f64::from(scale))
        - coefficient.log2()
        + 53.0;
    (excess / (2 * order) as f64).ceil().max(0.0) as i32
}

/// Whether all elements below, or above, the diagonal are zero.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Upper,
    Lower,
    Full,
}

fn shape<T: Field>(a: &[T], n: usize) -> Shape {
    let zero = |keep: fn(usize, usize) -> bool| {
        let mut elements = a.iter().enumerate();
        elements.all(|(at, &x)| keep(at / n, at % n) || x == T::NULL)
    };
    if zero(|row, column| row <= column) {
        Shape::Upper
    } else if zero(|row, column| row >= column) {
        Shape::Lower
    } else {
        Shape::Full
    }
}

/// Scaling, approximant, squaring.
fn double<T: Field>(a: Vec<T>, n: usize) -> Result<Vec<T>, Failure> {
    let (parts, squarings) = approximant(&a, n);
    let (odd, even) = parts;
    let (mut numerator, mut denominator) = (even.clone(), even);
    for ((p, q), &u) in numerator.iter_mut().zip(&mut denominator).zip(&odd) {
        *p += u;
        *q -= u;
    }
    solve_in_place(&denominator, &mut numerator, n, n)?;
    let shape = if squarings > 0 {
        shape(&a, n)
    } else {
        Shape::Full
    };
    if shape != Shape::Full {
        put_in_known(&mut numerator, &a, n, squarings, shape);
    }
    for left in (0..squarings).rev() {
        numerator = product(&numerator, &numerator, n);
        if shape != Shape::Full {
            put_in_known(&mut numerator, &a, n, left, shape);
        }
    }
    Ok(numerator)
}

/// Odd and even part of the approximant, and how often its quotient is to be squared.
fn approximant<T: Field>(a: &[T], n: usize) -> ((Vec<T>, Vec<T>), i32) {
    let norm = one_norm(a, n);
    // Norms of powers are not above powers of the norm, so where that is small they need not be known.
    if let Some(&(order, _)) = ORDERS.iter().find(|(_, bound)| norm <= *bound) {
        return (short_approximant(a, n, order), 0);
    }
    let mut scaled = a.to_vec();
    let mut powers = even_powers(&scaled, n);
    let mut scale = 0;
    if !powers.iter().all(|power| all_finite(power)) {
        scale = norm.min(f64::MAX).log2().ceil() as i32 - SAFE_EXPONENT;
        times_power_of_two(&mut scaled, -scale);
        powers = even_powers(&scaled, n);
    }
    let [a2, a4, a6] = powers;
    let root = |norm: f64, power: f64| norm.powf(1.0 / power) * 2.0_f64.powi(scale);
    let (norm4, norm6) = (one_norm(&a4, n), one_norm(&a6, n));
    let (d4, d6) = (root(norm4, 4.0), root(norm6, 6.0));
    let fits = |size: f64, index: usize| {
        let (order, bound) = ORDERS[index];
        size < bound && extra_halvings(a, n, order, 0) == 0
    };
    for index in [0, 1] {
        if fits(d4.max(d6), index) {
            return (short_approximant(a, n, ORDERS[index].0), 0);
        }
    }
    // These bounds do; the powers are formed where they would ask for scaling.
    let (mut d8, mut d10) = (d4, root(norm4 * norm6, 10.0));
    if d6.max(d8).min(d8.max(d10)) > ORDERS[3].1 {
        d8 = root(one_norm(&product(&a4, &a4, n), n), 8.0);
        d10 = root(one_norm(&product(&a4, &a6, n), n), 10.0);
    }
    let size = d6.max(d8);
    for index in [2, 3] {
        if fits(size, index) {
            return (short_approximant(a, n, ORDERS[index].0), 0);
        }
    }
    let size = size.min(d8.max(d10));
    let mut squarings = if size > LARGEST {
        (size / LARGEST).log2().ceil() as i32
    } else {
        0
    };
    squarings += extra_halvings(a, n, 13, squarings);
    if scale == 0 {
        let mut powers = [scaled, a2, a4, a6];
        for (power, factor) in powers.iter_mut().zip([1, 2, 4, 6]) {
            times_power_of_two(power, -factor * squarings);
        }
        let [a, a2, a4, a6] = powers;
        return (long_approximant(&a, [&a2, &a4, &a6], n), squarings);
    }
    let mut a = a.to_vec();
    times_power_of_two(&mut a, -squarings);
    let [a2, a4, a6] = even_powers(&a, n);
    (long_approximant(&a, [&a2, &a4, &a6], n), squarings)
}

/// The second, fourth and sixth power.
fn even_powers<T: Field>(a: &[T], n: usize) -> [Vec<T>; 3] {
    let a2 = product(a, a, n);
    let a4 = product(&a2, &a2, n);
    let a6 = product(&a4, &a2, n);
    [a2, a4, a6]
}

/// Puts the diagonal of the exponential of a triangular `a / 2^left`, and what is next to it, into `x`; zeros on the other
/// side (code fragment 2.1 of the paper).
fn put_in_known<T: Field>(x: &mut [T], a: &[T], n: usize, left: i32, shape: Shape) {
    let factor = 2.0_f64.powi(-left);
    let number = |at: usize| {
        let (re, im) = a[at].parts();
        Complex::new(re * factor, im * factor)
    };
    for i in 0..n {
        for j in 0..n {
            let is_outside = if shape == Shape::Upper { j < i } else { i < j };
            if is_outside {
                x[i * n + j] = T::NULL;
            }
        }
        let exp = complex::exp(number(i * n + i));
        x[i * n + i] = T::from_parts(exp.re, exp.im);
    }
    for i in 1..n {
        let at = if shape == Shape::Upper {
            (i - 1) * n + i
        } else {
            i * n + i - 1
        };
        let quotient = divided_difference(number((i - 1) * (n + 1)), number(i * (n + 1)));
        let known = complex::multiply(number(at), quotient);
        if known.re.is_finite() && known.im.is_finite() {
            x[at] = T::from_parts(known.re, known.im);
        }
    }
}

/// `(e^y - e^x) / (y - x)` without cancellation.
fn divided_difference(x: Complex<f64>, y: Complex<f64>) -> Complex<f64> {
    let half = (y - x) * 0.5;
    if half.re.hypot(half.im) > 1.0 {
        return complex::divide(complex::exp(y) - complex::exp(x), y - x);
    }
    // e^((x + y) / 2) sinh(h) / h.
    let middle = complex::exp((x + y) * 0.5);
    if half.re == 0.0 && half.im == 0.0 {
        return middle;
    }
    complex::multiply(middle, complex::divide(complex::sinh(half), half))
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

/// Odd and even part of the numerator of order 13, from the matrix and three even powers.
fn long_approximant<T: Field>(a: &[T], [a2, a4, a6]: [&[T]; 3], n: usize) -> (Vec<T>, Vec<T>) {
    let b = coefficients(13);
    let part = |offset: usize| {
        let high = combination(
            0.0,
            &[
                (b[12 + offset], a6),
                (b[10 + offset], a4),
                (b[8 + offset], a2),
            ],
            n,
        );
        let high = product(a6, &high, n);
        combination(
            b[offset],
            &[
                (1.0, high.as_slice()),
                (b[6 + offset], a6),
                (b[4 + offset], a4),
                (b[2 + offset], a2),
            ],
            n,
        )
    };
    (product(a, &part(1), n), part(0))
}
