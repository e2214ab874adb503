//! Writing elements to given positions of a copy of an array (`numpy.put`, `numpy.add.at`) on contiguous buffers.
//!
//! Values are taken in order, one by one, so the last of several values for one position wins, and sums over repeated
//! positions add up in order. Refuses positions outside `0..size` before it writes through them.

use num_complex::Complex;

use crate::kind::{Failure, Kind};
use crate::math::complex;

/// The use of the element that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The value takes its place.
    Set,
    /// The value is added to it; integers wrap, booleans are or-ed.
    Add,
    /// It is multiplied with the value; integers wrap, booleans are and-ed.
    Multiply,
    /// The smaller of both; NaN if either is.
    Min,
    /// The larger of both; NaN if either is.
    Max,
}

/// A copy of `x`, or `x` itself, with `out[positions[i]]` combined with `values[i]`, for one `i` after the other.
///
/// ```
/// use autojit_runtime::{abi::Kind, scatter::{Mode, Scatter}};
/// let scatter = Scatter { kind: Kind::Float64, mode: Mode::Add, size: 3, count: 3 };
/// let (x, positions, values) = ([1.0_f64, 2.0, 3.0], [2_i64, 0, 2], [10.0_f64, 20.0, 30.0]);
/// let mut out = [0.0_f64; 3];
/// // SAFETY: the buffers have the lengths that `scatter` states.
/// unsafe {
///     scatter.run(
///         x.as_ptr().cast(), positions.as_ptr(), values.as_ptr().cast(), out.as_mut_ptr().cast(),
///     )
/// }.unwrap();
/// assert_eq!(out, [21.0, 2.0, 43.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scatter {
    /// The kind of the elements.
    pub kind: Kind,
    /// How values are combined with what is there.
    pub mode: Mode,
    /// Number of elements of `x` and of `out`.
    pub size: usize,
    /// Number of positions and of values.
    pub count: usize,
}

impl Scatter {
    /// Copies, unless `out` is `x`, and scatters.
    ///
    /// # Errors
    /// [`Failure::IndexOutOfRange`] with the first offending position. `out` is then partly written.
    ///
    /// # Safety
    /// `x` must be readable and `out` writable for `size` elements, `positions` and `values` readable for `count`, all
    /// aligned; `out` must lie apart from the others, or be `x`, which is then changed itself.
    pub unsafe fn run(
        &self,
        x: *const u8,
        positions: *const i64,
        values: *const u8,
        out: *mut u8,
    ) -> Result<(), Failure> {
        // SAFETY: passed on from the caller, for elements of the stated kind.
        unsafe {
            match self.kind {
                Kind::Bool => self.typed::<bool>(x, positions, values, out),
                Kind::Uint8 => self.typed::<u8>(x, positions, values, out),
                Kind::Int32 => self.typed::<i32>(x, positions, values, out),
                Kind::Int64 => self.typed::<i64>(x, positions, values, out),
                Kind::Float32 => self.typed::<f32>(x, positions, values, out),
                Kind::Float64 => self.typed::<f64>(x, positions, values, out),
                Kind::Complex64 => self.typed::<Complex<f32>>(x, positions, values, out),
                Kind::Complex128 => self.typed::<Complex<f64>>(x, positions, values, out),
            }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run), with elements of type `T`.
    unsafe fn typed<T: Element>(
        &self,
        x: *const u8,
        positions: *const i64,
        values: *const u8,
        out: *mut u8,
    ) -> Result<(), Failure> {
        let (x, values, out) = (x.cast::<T>(), values.cast::<T>(), out.cast::<T>());
        if !std::ptr::eq(x, out) {
            // SAFETY: the caller promises buffers of `size` elements that lie apart if they are not one.
            unsafe { std::ptr::copy_nonoverlapping(x, out, self.size) };
        }
        let combine = match self.mode {
            Mode::Set => |_: T, value: T| value,
            Mode::Add => T::add,
            Mode::Multiply => T::multiply,
            Mode::Min => T::min,
            Mode::Max => T::max,
        };
        for i in 0..self.count {
            // SAFETY: `i` lies below the `count` that the caller promises.
            let (position, value) = unsafe { (*positions.add(i), *values.add(i)) };
            let inside = usize::try_from(position).ok().filter(|&p| p < self.size);
            let Some(place) = inside else {
                return Err(Failure::IndexOutOfRange {
                    index: position,
                    len: self.size,
                });
            };
            // SAFETY: the place was found to lie below `size`.
            unsafe {
                let element = out.add(place);
                *element = combine(*element, value);
            }
        }
        Ok(())
    }
}

/// How elements are combined.
trait Element: Copy {
    fn add(self, value: Self) -> Self;
    fn multiply(self, value: Self) -> Self;
    fn min(self, value: Self) -> Self;
    fn max(self, value: Self) -> Self;
}

impl Element for bool {
    fn add(self, value: bool) -> bool {
        self | value
    }

    fn multiply(self, value: bool) -> bool {
        self & value
    }

    fn min(self, value: bool) -> bool {
        self & value
    }

    fn max(self, value: bool) -> bool {
        self | value
    }
}

macro_rules! integers {
    ($($t:ty)*) => {$(
        impl Element for $t {
            fn add(self, value: $t) -> $t {
                self.wrapping_add(value)
            }

            fn multiply(self, value: $t) -> $t {
                self.wrapping_mul(value)
            }

            fn min(self, value: $t) -> $t {
                Ord::min(self, value)
            }

            fn max(self, value: $t) -> $t {
                Ord::max(self, value)
            }
        }
    )*};
}

integers! { u8 i32 i64 }

macro_rules! floats {
    ($($t:ty)*) => {$(
        impl Element for $t {
            fn add(self, value: $t) -> $t {
                self + value
            }

            fn multiply(self, value: $t) -> $t {
                self * value
            }

            fn min(self, value: $t) -> $t {
                if self <= value || self.is_nan() { self } else { value }
            }

            fn max(self, value: $t) -> $t {
                if self >= value || self.is_nan() { self } else { value }
            }
        }

        /// Complex numbers compare by real, then imaginary part.
        impl Element for Complex<$t> {
            fn add(self, value: Self) -> Self {
                self + value
            }

            fn multiply(self, value: Self) -> Self {
                complex::multiply(self, value)
            }

            fn min(self, value: Self) -> Self {
                let less = self.re < value.re || (self.re == value.re && self.im <= value.im);
                let known = !(value.re.is_nan() || value.im.is_nan());
                if self.is_nan() || (less && known) { self } else { value }
            }

            fn max(self, value: Self) -> Self {
                let greater = self.re > value.re || (self.re == value.re && self.im >= value.im);
                let known = !(value.re.is_nan() || value.im.is_nan());
                if self.is_nan() || (greater && known) { self } else { value }
            }
        }
    )*};
}

floats! { f32 f64 }

#[cfg(test)]
mod tests {
    use super::*;

    fn scatter<T: Copy + Default>(
        kind: Kind,
        mode: Mode,
        x: &[T],
        positions: &[i64],
        values: &[T],
    ) -> Result<Vec<T>, Failure> {
        assert_eq!(positions.len(), values.len());
        let mut out = vec![T::default(); x.len()];
        let plan = Scatter {
            kind,
            mode,
            size: x.len(),
            count: positions.len(),
        };
        // SAFETY: the lengths are those of the slices.
        unsafe {
            plan.run(
                x.as_ptr().cast(),
                positions.as_ptr(),
                values.as_ptr().cast(),
                out.as_mut_ptr().cast(),
            )
        }?;
        Ok(out)
    }

    #[test]
    fn repeated_positions_combine_in_order() {
        let run = |mode| {
            let (x, values) = ([1.0, 2.0, 3.0], [5.0, f64::NAN, -7.0, 0.5]);
            scatter(Kind::Float64, mode, &x, &[0, 1, 0, 0], &values).unwrap()
        };
        assert_eq!(run(Mode::Set)[0], 0.5);
        assert_eq!(run(Mode::Add)[0], -0.5);
        assert_eq!(run(Mode::Multiply)[0], -17.5);
        assert_eq!(run(Mode::Min)[0], -7.0);
        assert_eq!(run(Mode::Max)[0], 5.0);
        for mode in [Mode::Set, Mode::Add, Mode::Multiply, Mode::Min, Mode::Max] {
            assert!(run(mode)[1].is_nan());
            assert_eq!(run(mode)[2], 3.0);
        }
        let wrapped = scatter(Kind::Uint8, Mode::Add, &[250_u8], &[0, 0], &[5, 3]);
        assert_eq!(wrapped.unwrap(), [2]);
        let least = scatter(Kind::Int32, Mode::Multiply, &[i32::MIN], &[0], &[-1]);
        assert_eq!(least.unwrap(), [i32::MIN]);
    }

    #[test]
    fn refuses_positions_out_of_range() {
        for index in [2, -1, i64::MIN, i64::MAX] {
            assert_eq!(
                scatter(Kind::Int64, Mode::Set, &[1_i64, 2], &[0, index], &[3, 4]),
                Err(Failure::IndexOutOfRange { index, len: 2 })
            );
        }
        let nothing = scatter::<i64>(Kind::Int64, Mode::Set, &[], &[], &[]);
        assert_eq!(nothing.unwrap(), []);
        let failure = Failure::IndexOutOfRange { index: 0, len: 0 };
        assert_eq!(
            scatter(Kind::Int64, Mode::Set, &[], &[0], &[1_i64]),
            Err(failure)
        );
    }
}
