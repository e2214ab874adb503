//! Positions of extreme elements over strided memory.
//!
//! Axis order, empty-axis errors and output shapes belong to the caller.

use crate::kind::Kind;
use crate::odometer::for_each_offset;
use num_complex::Complex;

/// Positions of the largest or smallest elements along one axis (`numpy.argmax`, `numpy.argmin`).
///
/// The first of equal elements wins; a NaN beats every number, the first NaN beats the others; complex numbers are
/// ordered by real, then imaginary part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgReduce {
    /// Element type.
    pub kind: Kind,
    /// Lengths of the axes that stay.
    pub outer: Vec<usize>,
    /// Strides of the axes that stay, in elements.
    pub outer_strides_in: Vec<isize>,
    /// Length of the reduced axis; at least 1 unless `outer` has a zero.
    pub len: usize,
    /// Stride of the reduced axis, in elements.
    pub stride: isize,
    /// Whether to look for the largest element, else the smallest.
    pub largest: bool,
}

impl ArgReduce {
    /// Writes the positions contiguously, in row-major order of `outer`. An empty axis, which NumPy refuses, gives 0.
    ///
    /// # Safety
    /// Every position that `outer`, `len` and the strides reach must be readable from `x` as an aligned element of `kind`;
    /// `out` must be writable for the product of `outer`.
    pub unsafe fn run(&self, x: *const u8, out: *mut i64) {
        // SAFETY: passed on from the caller; the type is that of the kind. A bool is read as a byte.
        unsafe {
            match self.kind {
                Kind::Bool | Kind::Uint8 => self.run_elements::<u8>(x.cast(), out),
                Kind::Int32 => self.run_elements::<i32>(x.cast(), out),
                Kind::Int64 => self.run_elements::<i64>(x.cast(), out),
                Kind::Float32 => self.run_elements::<f32>(x.cast(), out),
                Kind::Float64 => self.run_elements::<f64>(x.cast(), out),
                Kind::Complex64 => self.run_elements::<Complex<f32>>(x.cast(), out),
                Kind::Complex128 => self.run_elements::<Complex<f64>>(x.cast(), out),
            }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run), with elements of type `T`.
    unsafe fn run_elements<T: Ordered>(&self, x: *const T, mut out: *mut i64) {
        for_each_offset(&self.outer, [&self.outer_strides_in], |[offset]| {
            // SAFETY: the offset is that of a position in `outer`, and `out` advances once per position.
            unsafe {
                let row = x.offset(offset);
                *out = if self.largest {
                    self.position(row, |candidate: T, best| candidate.above(best))
                } else {
                    self.position(row, |candidate: T, best| best.above(candidate))
                };
                out = out.add(1);
            }
        });
    }

    /// # Safety
    /// As for [`run`](Self::run), for the elements along the reduced axis from `row`.
    #[inline(always)]
    unsafe fn position<T: Ordered>(&self, row: *const T, better: impl Fn(T, T) -> bool) -> i64 {
        if self.len == 0 {
            return 0;
        }
        // SAFETY: every index below lies in the axis.
        let at = |index: usize| unsafe { *row.offset(index as isize * self.stride) };
        let (mut best, mut position) = (at(0), 0);
        if best.unordered() {
            return 0;
        }
        for index in 1..self.len {
            let candidate = at(index);
            if candidate.unordered() {
                return index as i64;
            }
            if better(candidate, best) {
                (best, position) = (candidate, index as i64);
            }
        }
        position
    }
}

/// An element type with NumPy's order.
trait Ordered: Copy {
    /// Whether this element is larger; false where either is NaN.
    fn above(self, other: Self) -> bool;
    /// Whether this element has a NaN in it.
    fn unordered(self) -> bool;
}

macro_rules! ordered {
    ($($type:ty)*) => {$(
        impl Ordered for $type {
            #[inline(always)]
            fn above(self, other: Self) -> bool {
                self > other
            }
            #[inline(always)]
            #[allow(clippy::eq_op)]
            fn unordered(self) -> bool {
                self != self
            }
        }
    )*};
}

ordered! { u8 i32 i64 f32 f64 }

impl<T: Ordered + PartialEq> Ordered for Complex<T> {
    #[inline(always)]
    fn above(self, other: Self) -> bool {
        self.re.above(other.re) || (self.re == other.re && self.im.above(other.im))
    }
    #[inline(always)]
    fn unordered(self) -> bool {
        self.re.unordered() || self.im.unordered()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg<T>(kind: Kind, x: &[T]) -> (i64, i64) {
        let mut out = [-1; 2];
        for (largest, out) in [true, false].into_iter().zip(&mut out) {
            let reduce = ArgReduce {
                kind,
                outer: vec![],
                outer_strides_in: vec![],
                len: x.len(),
                stride: 1,
                largest,
            };
            // SAFETY: `x` has `len` elements of the kind.
            unsafe { reduce.run(x.as_ptr().cast(), out) };
        }
        (out[0], out[1])
    }

    #[test]
    fn first_occurrence_wins() {
        assert_eq!(arg(Kind::Int64, &[3_i64, 9, 9, -1, -1]), (1, 3));
        assert_eq!(arg(Kind::Bool, &[false, true, true]), (1, 0));
        assert_eq!(arg(Kind::Uint8, &[200_u8, 255, 0]), (1, 2));
        assert_eq!(arg(Kind::Float64, &[0.0, -0.0]), (0, 0));
        assert_eq!(
            arg(Kind::Float32, &[1.0_f32, f32::INFINITY, f32::NEG_INFINITY]),
            (1, 2)
        );
    }

    #[test]
    fn first_nan_wins() {
        let nan = f64::NAN;
        assert_eq!(arg(Kind::Float64, &[1.0, nan, 5.0, nan]), (1, 1));
        assert_eq!(arg(Kind::Float64, &[nan, 1.0]), (0, 0));
        let z = |re, im| Complex::new(re, im);
        assert_eq!(
            arg(Kind::Complex128, &[z(1.0, 0.0), z(9.0, nan), z(nan, 0.0)]),
            (1, 1)
        );
        assert_eq!(
            arg(
                Kind::Complex128,
                &[z(1.0, 2.0), z(1.0, 3.0), z(0.0, 9.0), z(0.0, 8.0)]
            ),
            (1, 3)
        );
    }

    #[test]
    fn axes_may_be_strided_reversed_or_empty() {
        let x = [1_i32, 5, 2, 7, 0, 3];
        let mut reduce = ArgReduce {
            kind: Kind::Int32,
            outer: vec![3],
            outer_strides_in: vec![1],
            len: 2,
            stride: 3,
            largest: true,
        };
        let mut out = [-1; 3];
        // SAFETY: a 2 by 3 matrix reduced along its rows.
        unsafe { reduce.run(x.as_ptr().cast(), out.as_mut_ptr()) };
        assert_eq!(out, [1, 0, 1]);
        (reduce.outer_strides_in, reduce.stride) = (vec![-1], -3);
        // SAFETY: the same matrix from its other corner.
        unsafe { reduce.run(x.as_ptr().add(5).cast(), out.as_mut_ptr()) };
        assert_eq!(out, [0, 1, 0]);
        reduce.outer = vec![0];
        // SAFETY: nothing is read or written.
        unsafe { reduce.run(std::ptr::null(), std::ptr::null_mut()) };
    }
}
