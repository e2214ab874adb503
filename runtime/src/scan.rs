//! Running sums and products along an axis (`numpy.cumsum`, `numpy.cumprod`).
//!
//! Each element is added to the total so far, in order and in the type of the elements, as NumPy does it.
//! Integers wrap. There is no scan of booleans or small integers: whoever calls widens them first.

use crate::kind::{Failure, Kind};
use crate::lines::Lines;
use num_complex::Complex;
use std::ops::{Add, Mul};

/// A running total along an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Element type of input and output.
    pub kind: Kind,
    /// Whether elements are multiplied, else added.
    pub product: bool,
    /// The lines of the array.
    pub lines: Lines,
}

impl Scan {
    /// Writes the total up to and with each element.
    ///
    /// # Errors
    /// The kind is none of `Int64`, `Float32`, `Float64`, `Complex64` and `Complex128`.
    ///
    /// # Safety
    /// Every position of the lines must be readable from `x` and writable in `out` as an aligned element of `kind`,
    /// and the two must not overlap.
    pub unsafe fn run(&self, x: *const u8, out: *mut u8) -> Result<(), Failure> {
        /// An integer that wraps.
        type Wrapping = std::num::Wrapping<i64>;
        // SAFETY: passed on from the caller; the type is that of the kind, and `Wrapping` is laid out as its number.
        unsafe {
            match self.kind {
                Kind::Int64 => self.run_elements::<Wrapping>(x.cast(), out.cast()),
                Kind::Float32 => self.run_elements::<f32>(x.cast(), out.cast()),
                Kind::Float64 => self.run_elements::<f64>(x.cast(), out.cast()),
                Kind::Complex64 => self.run_elements::<Complex<f32>>(x.cast(), out.cast()),
                Kind::Complex128 => self.run_elements::<Complex<f64>>(x.cast(), out.cast()),
                kind => return Err(Failure::UnsupportedKind(kind)),
            }
        }
        Ok(())
    }

    /// # Safety
    /// As for [`run`](Self::run), with elements of type `T`.
    unsafe fn run_elements<T>(&self, x: *const T, out: *mut T)
    where
        T: Copy + Add<Output = T> + Mul<Output = T>,
    {
        // SAFETY: passed on from the caller.
        unsafe {
            if self.product {
                self.run_with(x, out, |total, x| total * x);
            } else {
                self.run_with(x, out, |total, x| total + x);
            }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run), with elements of type `T`.
    #[inline(always)]
    unsafe fn run_with<T: Copy>(&self, x: *const T, out: *mut T, combine: impl Fn(T, T) -> T) {
        if self.lines.len == 0 {
            return;
        }
        self.lines.for_each(|from, to| {
            // SAFETY: the offsets are those of a line, and every index lies in it.
            unsafe {
                let (x, out) = (x.offset(from), out.offset(to));
                let mut total = *x;
                *out = total;
                for index in 1..self.lines.len as isize {
                    total = combine(total, *x.offset(index * self.lines.stride_in));
                    *out.offset(index * self.lines.stride_out) = total;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(kind: Kind, product: bool, len: usize) -> Scan {
        let lines = Lines::new(&[len], &[1], &[1], 0);
        Scan {
            kind,
            product,
            lines,
        }
    }

    #[test]
    fn totals_run_in_order() {
        let x = [1.0_f64, 2.0, -4.0, 0.5];
        let mut out = [0.0_f64; 4];
        // SAFETY: both have four elements.
        unsafe {
            let sum = scan(Kind::Float64, false, 4);
            sum.run(x.as_ptr().cast(), out.as_mut_ptr().cast()).unwrap();
            assert_eq!(out, [1.0, 3.0, -1.0, -0.5]);
            let product = scan(Kind::Float64, true, 4);
            product
                .run(x.as_ptr().cast(), out.as_mut_ptr().cast())
                .unwrap();
            assert_eq!(out, [1.0, 2.0, -8.0, -4.0]);
        }
    }

    #[test]
    fn integers_wrap_and_small_ones_are_refused() {
        let x = [i64::MAX, 1];
        let mut out = [0_i64; 2];
        // SAFETY: both have two elements.
        unsafe {
            let sum = scan(Kind::Int64, false, 2);
            sum.run(x.as_ptr().cast(), out.as_mut_ptr().cast()).unwrap();
            assert_eq!(out, [i64::MAX, i64::MIN]);
            let refused = scan(Kind::Bool, false, 0);
            let result = refused.run(std::ptr::null(), std::ptr::null_mut());
            assert_eq!(result, Err(Failure::UnsupportedKind(Kind::Bool)));
        }
    }

    #[test]
    fn lines_may_be_strided() {
        // Columns of a 2 by 3 matrix, written to its transpose.
        let x = [1.0_f32, 2.0, 3.0, 10.0, 20.0, 30.0];
        let mut out = [0.0_f32; 6];
        let scan = Scan {
            kind: Kind::Float32,
            product: false,
            lines: Lines::new(&[2, 3], &[3, 1], &[1, 2], 0),
        };
        // SAFETY: both have six elements, which the strides reach.
        let result = unsafe { scan.run(x.as_ptr().cast(), out.as_mut_ptr().cast()) };
        assert_eq!(result, Ok(()));
        assert_eq!(out, [1.0, 11.0, 2.0, 22.0, 3.0, 33.0]);
    }
}
