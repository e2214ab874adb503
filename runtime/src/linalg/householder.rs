//! QR of small matrices by Householder reflections, with LAPACK's choice of signs.
//!
//! `geqr2` and `org2r` of LAPACK, on columns: below some size faer's blocking costs more than it gains, and for complex
//! matrices faer leaves a phase on the diagonal of `r` where LAPACK, hence NumPy, makes it real.

use super::workspace::{numbers, take_filled, with_workspace};
use crate::math::complex::divide;
use num_complex::Complex;
use std::ops::{Add, Mul, Neg, Sub};

/// The operations on elements that kernels written by hand need. Magnitudes are computed in double precision.
pub trait Scalar:
    Copy
    + PartialEq
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// The number zero.
    const NULL: Self;
    /// The number one.
    const UNIT: Self;
    /// Magnitudes below this are scaled up, lest reciprocals overflow.
    const TINY: f64;
    /// From real and imaginary part; a real type ignores the second.
    fn from_parts(re: f64, im: f64) -> Self;
    /// Real and imaginary part.
    fn parts(self) -> (f64, f64);
    /// Complex conjugate.
    fn conj(self) -> Self;
    /// The quotient; a zero divisor gives infinities and NaN.
    fn over(self, divisor: Self) -> Self;
}

macro_rules! scalar {
    ($($type:ident)*) => {$(
        impl Scalar for $type {
            const NULL: Self = 0.0;
            const UNIT: Self = 1.0;
            const TINY: f64 = ($type::MIN_POSITIVE / $type::EPSILON) as f64;
            #[inline(always)]
            fn from_parts(re: f64, _: f64) -> Self {
                re as $type
            }
            #[inline(always)]
            fn parts(self) -> (f64, f64) {
                (f64::from(self), 0.0)
            }
            #[inline(always)]
            fn conj(self) -> Self {
                self
            }
            #[inline(always)]
            fn over(self, divisor: Self) -> Self {
                self / divisor
            }
        }

        impl Scalar for Complex<$type> {
            const NULL: Self = Complex::new(0.0, 0.0);
            const UNIT: Self = Complex::new(1.0, 0.0);
            const TINY: f64 = <$type as Scalar>::TINY;
            #[inline(always)]
            fn from_parts(re: f64, im: f64) -> Self {
                Complex::new(re as $type, im as $type)
            }
            #[inline(always)]
            fn parts(self) -> (f64, f64) {
                (f64::from(self.re), f64::from(self.im))
            }
            #[inline(always)]
            fn conj(self) -> Self {
                Complex::new(self.re, -self.im)
            }
            #[inline(always)]
            fn over(self, divisor: Self) -> Self {
                divide(self, divisor)
            }
        }
    )*};
}

scalar! { f32 f64 }

/// Euclidean norm; a second, scaled pass where squares leave the range of doubles.
fn norm<T: Scalar>(x: &[T]) -> f64 {
    let squares = |scale: f64| {
        let mut sums = [0.0; 2];
        for (position, &x) in x.iter().enumerate() {
            let (re, im) = x.parts();
            let (re, im) = (re * scale, im * scale);
            sums[position % 2] += re * re + im * im;
        }
        sums[0] + sums[1]
    };
    let plain = squares(1.0);
    if (1e-280..1e300).contains(&plain) {
        return plain.sqrt();
    }
    let largest = x.iter().fold(0.0, |largest: f64, x| {
        let (re, im) = x.parts();
        largest.max(re.abs()).max(im.abs())
    });
    if largest == 0.0 {
        return 0.0;
    }
    // A power of two near 1 / largest; the clamp keeps it and its inverse finite.
    let scale = 2.0_f64.powi((-largest.log2().floor()).clamp(-1000.0, 1000.0) as i32);
    squares(scale).sqrt() / scale
}

/// `sum of conj(x) y`.
fn conjugate_dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::NULL; 4];
    let (mut left, mut right) = (x.chunks_exact(4), y.chunks_exact(4));
    for (x, y) in left.by_ref().zip(right.by_ref()) {
        for lane in 0..4 {
            sums[lane] = sums[lane] + x[lane].conj() * y[lane];
        }
    }
    let mut total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    for (&x, &y) in left.remainder().iter().zip(right.remainder()) {
        total = total + x.conj() * y;
    }
    total
}

/// `y -= factor x`.
fn subtract_multiple<T: Scalar>(factor: T, x: &[T], y: &mut [T]) {
    for (&x, y) in x.iter().zip(y) {
        *y = *y - factor * x;
    }
}

/// LAPACK's `larfg`: turns `column` into `(beta, tail of v)` and returns tau, where `(1 - tau v v^H)^H` maps the column
/// to `(beta, 0, ...)` with real beta and `v` begins with 1.
fn reflector<T: Scalar>(column: &mut [T]) -> T {
    let Some((&mut alpha, tail)) = column.split_first_mut() else {
        return T::NULL;
    };
    let (re, im) = alpha.parts();
    let tail_norm = norm(tail);
    if tail_norm == 0.0 && im == 0.0 {
        return T::NULL;
    }
    let beta = -re.hypot(im).hypot(tail_norm).copysign(re);
    if beta.abs() < T::TINY {
        // Once suffices: the smallest subnormal number over this is far above it.
        let up = T::from_parts(T::TINY.recip(), 0.0);
        for x in column.iter_mut() {
            *x = *x * up;
        }
        let tau = reflector(column);
        column[0] = column[0] * T::from_parts(T::TINY, 0.0);
        return tau;
    }
    // 1 / (alpha - beta); re - beta cannot cancel, their signs differ.
    let (difference, beta_scaled) = ((re - beta) / beta, im / beta);
    let scale = (difference * difference + beta_scaled * beta_scaled) * beta;
    let inverse = T::from_parts(difference / scale, -beta_scaled / scale);
    for x in tail {
        *x = *x * inverse;
    }
    column[0] = T::from_parts(beta, 0.0);
    T::from_parts((beta - re) / beta, -im / beta)
}

/// QR of the `m` by `n` matrix `a`, with as many columns of `q` as told: `min(m, n)` or `m`. All three matrices are
/// row-major; none may be empty.
pub(super) fn qr<T: Scalar>(
    a: &[T],
    m: usize,
    n: usize,
    q_columns: usize,
    q: &mut [T],
    r: &mut [T],
) {
    let size = m.min(n);
    // Columns a power of two apart alias in the cache (measured at 64 rows: a factor of three to five), hence the padding.
    let stride = if m.is_multiple_of(16) { m + 4 } else { m };
    // Columns of `a`, whose reflectors become columns of `q`.
    let room = stride * n.max(q_columns);
    with_workspace(numbers::<T>(room).and(numbers::<T>(size)), |stack| {
        let (mut columns, stack) = take_filled(room, T::NULL, stack);
        let (mut taus, _) = take_filled(size, T::NULL, stack);
        qr_within(a, [m, n, q_columns], stride, &mut columns, &mut taus, q, r);
    });
}

/// [`qr`] with columns `stride` apart and the factors of the reflections in given slices of zeros.
fn qr_within<T: Scalar>(
    a: &[T],
    [m, n, q_columns]: [usize; 3],
    stride: usize,
    columns: &mut [T],
    taus: &mut [T],
    q: &mut [T],
    r: &mut [T],
) {
    let size = m.min(n);
    for (column, target) in columns[..stride * n].chunks_exact_mut(stride).enumerate() {
        for (row, x) in target[..m].iter_mut().enumerate() {
            *x = a[row * n + column];
        }
    }
    for step in 0..size {
        let (done, rest) = columns[..stride * n].split_at_mut((step + 1) * stride);
        let column = &mut done[step * stride + step..step * stride + m];
        let tau = reflector(column);
        taus[step] = tau;
        if tau == T::NULL {
            continue;
        }
        for other in rest.chunks_exact_mut(stride) {
            let other = &mut other[step..m];
            let dot = other[0] + conjugate_dot(&column[1..], &other[1..]);
            let factor = tau.conj() * dot;
            other[0] = other[0] - factor;
            subtract_multiple(factor, &column[1..], &mut other[1..]);
        }
    }
    for (row, r) in r.chunks_exact_mut(n).enumerate() {
        for (column, r) in r.iter_mut().enumerate() {
            *r = if row <= column {
                columns[column * stride + row]
            } else {
                T::NULL
            };
        }
    }
    let columns = &mut columns[..stride * q_columns];
    for column in size..q_columns {
        columns[column * stride..(column + 1) * stride].fill(T::NULL);
        columns[column * stride + column] = T::UNIT;
    }
    // Accumulate the product of the reflections from the last to the first, in place of the reflectors.
    for step in (0..size).rev() {
        let (done, rest) = columns.split_at_mut((step + 1) * stride);
        let column = &mut done[step * stride..step * stride + m];
        let tau = taus[step];
        if tau != T::NULL {
            for other in rest.chunks_exact_mut(stride) {
                let other = &mut other[step..m];
                let factor = tau * (other[0] + conjugate_dot(&column[step + 1..], &other[1..]));
                other[0] = other[0] - factor;
                subtract_multiple(factor, &column[step + 1..], &mut other[1..]);
            }
        }
        column[..step].fill(T::NULL);
        column[step] = T::UNIT - tau;
        for x in &mut column[step + 1..] {
            *x = T::NULL - tau * *x;
        }
    }
    for (row, q) in q.chunks_exact_mut(q_columns).enumerate() {
        for (column, q) in q.iter_mut().enumerate() {
            *q = columns[column * stride + row];
        }
    }
}
