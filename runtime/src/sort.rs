//! Sorting along an axis (`numpy.sort`, `numpy.argsort`), stable.
//!
//! NumPy's order: NaN comes last; complex numbers go by real, then imaginary part, and behind all others come those
//! with a NaN in the imaginary part, in the real part, and in both.

use crate::kind::{Failure, Kind};
use crate::lines::Lines;
use num_complex::Complex;
use std::cmp::Ordering;

/// A stable sort along an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Element type of the input.
    pub kind: Kind,
    /// Whether the positions of the elements are wanted, as `i64`; else the elements themselves.
    pub positions: bool,
    /// The lines of the array.
    pub lines: Lines,
}

impl Sort {
    /// Writes each line in order, or the positions that put it in order.
    ///
    /// # Safety
    /// Every position of the lines must be readable from `x` as an aligned element of `kind`, and writable in `out` as
    /// one of the same kind, or as an `i64` for positions; the two must not overlap.
    ///
    /// # Errors
    /// There is no memory for the elements of a line.
    pub unsafe fn run(&self, x: *const u8, out: *mut u8) -> Result<(), Failure> {
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
    unsafe fn run_elements<T: Sorted>(&self, x: *const T, out: *mut u8) -> Result<(), Failure> {
        // There may be no line, however long they are.
        if self.lines.len == 0 || self.lines.outer.contains(&0) {
            return Ok(());
        }
        let mut line: Vec<T> = reserved(self.lines.len)?;
        let mut order: Vec<i64> = Vec::new();
        if self.positions {
            order = reserved(self.lines.len)?;
            check_memory::<i64>(self.lines.len)?;
        } else {
            check_memory::<T>(self.lines.len)?;
        }
        self.lines.for_each(|from, to| {
            line.clear();
            // SAFETY: the offset is that of a line, and every index lies in it.
            line.extend(
                (0..self.lines.len as isize)
                    .map(|i| unsafe { *x.offset(from + i * self.lines.stride_in) }),
            );
            // SAFETY: as above, for the output.
            unsafe {
                if self.positions {
                    order.clear();
                    order.extend(0..self.lines.len as i64);
                    order.sort_by(|&i, &j| line[i as usize].order(line[j as usize]));
                    self.write(&order, out.cast::<i64>().offset(to));
                } else {
                    line.sort_by(|x, y| x.order(*y));
                    self.write(&line, out.cast::<T>().offset(to));
                }
            }
        });
        Ok(())
    }

    /// # Safety
    /// `out` must be writable for every index of a line.
    unsafe fn write<T: Copy>(&self, line: &[T], out: *mut T) {
        for (index, &x) in line.iter().enumerate() {
            // SAFETY: passed on from the caller.
            unsafe { *out.offset(index as isize * self.lines.stride_out) = x };
        }
    }
}

/// Room for so many elements.
fn reserved<T>(count: usize) -> Result<Vec<T>, Failure> {
    let mut room = Vec::new();
    room.try_reserve_exact(count)
        .map_err(|_| Failure::OutOfMemory)?;
    Ok(room)
}

/// Asks whether there is memory for so many elements, which the sort of the standard library takes and would abort
/// without. Short lines do not ask: failing to allocate that little aborts everywhere in Rust.
fn check_memory<T>(count: usize) -> Result<(), Failure> {
    const LARGE: usize = 1 << 17;
    if count.saturating_mul(size_of::<T>()) < LARGE {
        return Ok(());
    }
    let room: Vec<T> = reserved(count)?;
    // What is not used may be optimised away, and with it the answer.
    std::hint::black_box(&room);
    Ok(())
}

/// An element type with the order in which NumPy sorts.
trait Sorted: Copy {
    fn order(self, other: Self) -> Ordering;
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Sorted for $type {
            fn order(self, other: Self) -> Ordering {
                self.cmp(&other)
            }
        }
    )*};
}

integers! { u8 i32 i64 }

macro_rules! floats {
    ($($type:ty)*) => {$(
        impl Sorted for $type {
            fn order(self, other: Self) -> Ordering {
                // What has no order has a NaN on at least one side.
                self.partial_cmp(&other).unwrap_or_else(|| self.is_nan().cmp(&other.is_nan()))
            }
        }

        impl Sorted for Complex<$type> {
            fn order(self, other: Self) -> Ordering {
                let nans = |z: Self| (z.re.is_nan(), z.im.is_nan());
                nans(self)
                    .cmp(&nans(other))
                    .then_with(|| self.re.order(other.re))
                    .then_with(|| self.im.order(other.im))
            }
        }
    )*};
}

floats! { f32 f64 }

#[cfg(test)]
mod tests {
    use super::*;

    fn sort<T: Copy, U: Copy>(kind: Kind, x: &[T], positions: bool, zero: U) -> Vec<U> {
        let mut out = vec![zero; x.len()];
        let lines = Lines::new(&[x.len()], &[1], &[1], 0);
        let sort = Sort {
            kind,
            positions,
            lines,
        };
        // SAFETY: both have as many elements as the line, of the kind.
        unsafe { sort.run(x.as_ptr().cast(), out.as_mut_ptr().cast()) }.unwrap();
        out
    }

    #[test]
    fn nan_comes_last_and_ties_keep_their_order() {
        let x = [2.0, f64::NAN, -1.0, 2.0, f64::NEG_INFINITY, f64::INFINITY];
        assert_eq!(sort(Kind::Float64, &x, true, 0_i64), [4, 2, 0, 3, 5, 1]);
        let sorted = sort(Kind::Float64, &x, false, 0.0);
        assert_eq!(
            sorted[..5],
            [f64::NEG_INFINITY, -1.0, 2.0, 2.0, f64::INFINITY]
        );
        assert!(sorted[5].is_nan());
        assert_eq!(sort(Kind::Uint8, &[3_u8, 255, 0], false, 0_u8), [0, 3, 255]);
    }

    #[test]
    fn complex_numbers_with_nan_come_last_by_part() {
        let nan = f32::NAN;
        let z = |re, im| Complex::new(re, im);
        let x = [
            z(nan, nan),
            z(nan, 1.0),
            z(1.0, nan),
            z(2.0, 0.0),
            z(1.0, 5.0),
            z(1.0, -5.0),
        ];
        assert_eq!(sort(Kind::Complex64, &x, true, 0_i64), [5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn empty_lines_are_left_alone() {
        let sort = Sort {
            kind: Kind::Int64,
            positions: true,
            lines: Lines::new(&[2, 0], &[0, 1], &[0, 1], 1),
        };
        // SAFETY: nothing is read or written.
        unsafe { sort.run(std::ptr::null(), std::ptr::null_mut()) }.unwrap();
    }
}
