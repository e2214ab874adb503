//! Sums of floating and complex numbers: the one order in which everything here adds them up, eagerly and compiled, whatever
//! the processor, the strides and the number of threads.
//!
//! # The order
//!
//! The order of a sum depends on the lengths of the axes that it sums over and on the dtype, and on nothing else:
//!
//! 1. **Rows.** Of the summed axes, those of length one are left out. The last ones are joined, in C order, until there are
//!    [`SHORTEST_ROW`] elements or no more axes: these are the rows. They follow each other in C order of the other
//!    summed axes.
//! 2. **Blocks.** A row is cut into blocks of [`BLOCK`] elements; the last one may be shorter.
//! 3. **Lanes.** Element `i` of a block belongs to lane `i mod L`, where `L` lanes take 128 bytes: 16 of float64, 32 of
//!    float32, 8 of complex128, 16 of complex64. A lane adds its elements from the first to the last, beginning with +0.
//! 4. **Folding.** The lanes become one in halves: lane `l` is the sum of the lanes `l` and `l + L/2`, then of `l` and
//!    `l + L/4`, and so on. This is the sum of the block.
//! 5. **Total.** The sums of the blocks of all rows are added in their order with compensation (Neumaier 1974; the errors by Knuth's
//!    exact two-sum). In the end the compensation is added to the total if it is neither zero nor NaN.
//!
//! Real and imaginary parts are added each on its own. Every operation is rounded to the dtype, no product is fused into a
//! sum. So a lane adds at most 32 numbers in a row, and the error of a long sum does not grow with its length; a sum of one
//! block is as accurate as NumPy's pairwise sum. As lanes begin with +0 the sum of negative zeros is +0, and what follows from
//! that: lanes without elements may be left out.
//!
//! Dot products are sums of rounded products. Products of all elements (`numpy.prod`) are not sums: they multiply in C order.
//! Products of matrices add in an order of their own (see [`crate::matmul`]), unless both sides are vectors.

use num_complex::Complex;
use std::ops::{Add, Mul, Sub};

/// The fewest elements of a row, where there are so many.
pub const SHORTEST_ROW: usize = 32;

/// Elements that lanes add up before they are folded.
pub const BLOCK: usize = 256;

/// Bytes of all lanes.
pub const LANE_BYTES: usize = 128;

/// The number of elements of a row, given the lengths of the summed axes in order.
#[must_use]
pub fn row_length(axes: impl DoubleEndedIterator<Item = usize>) -> usize {
    let mut length = 1usize;
    for axis in axes.rev() {
        length = length.saturating_mul(axis);
        if length >= SHORTEST_ROW {
            break;
        }
    }
    length
}

/// An element type that is summed in the defined order.
pub trait Summand:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + 'static
{
    /// The sum of nothing.
    const ZERO: Self;
    /// How many lanes there are.
    const LANES: usize = LANE_BYTES / size_of::<Self>();

    /// A total with its compensation, part by part.
    #[must_use]
    fn corrected(self, compensation: Self) -> Self;
}

macro_rules! summand {
    ($($type:ty)*) => {$(
        impl Summand for $type {
            const ZERO: Self = 0.0;

            #[inline(always)]
            fn corrected(self, compensation: Self) -> Self {
                // An infinite total has no error: its compensation is NaN.
                if compensation != 0.0 && !compensation.is_nan() {
                    self + compensation
                } else {
                    self
                }
            }
        }

        impl Summand for Complex<$type> {
            const ZERO: Self = Complex::new(0.0, 0.0);

            #[inline(always)]
            fn corrected(self, compensation: Self) -> Self {
                Complex::new(self.re.corrected(compensation.re), self.im.corrected(compensation.im))
            }
        }
    )*};
}

summand! { f32 f64 }

/// A running total of blocks.
#[derive(Clone, Copy, Debug)]
pub struct Total<T> {
    sum: T,
    compensation: T,
}

impl<T: Summand> Default for Total<T> {
    fn default() -> Self {
        Self {
            sum: T::ZERO,
            compensation: T::ZERO,
        }
    }
}

impl<T: Summand> Total<T> {
    /// Adds the sum of a block.
    #[inline(always)]
    pub fn add_block(&mut self, x: T) {
        let sum = self.sum + x;
        let x_part = sum - self.sum;
        let lost = (self.sum - (sum - x_part)) + (x - x_part);
        self.compensation = self.compensation + lost;
        self.sum = sum;
    }

    /// Adds a row of `len` elements, which `at` gives by position.
    #[inline(always)]
    pub fn add_row(&mut self, len: usize, at: impl Fn(usize) -> T) {
        let mut start = 0;
        while start < len {
            let end = len.min(start + BLOCK);
            self.add_block(block(start, end, &at));
            start = end;
        }
    }

    /// Adds a row of elements that lie `stride` elements apart.
    ///
    /// # Safety
    /// `x.offset(i * stride)` must be readable and aligned for every `i` in `0..len`.
    pub unsafe fn add_strided(&mut self, x: *const T, len: usize, stride: isize) {
        if stride == 1 {
            // SAFETY: passed on from the caller, as below.
            self.add_row(len, |i| unsafe { *x.add(i) });
        } else {
            // SAFETY: passed on from the caller.
            self.add_row(len, |i| unsafe { *x.offset(i as isize * stride) });
        }
    }

    /// The sum.
    #[inline(always)]
    pub fn value(self) -> T {
        self.sum.corrected(self.compensation)
    }
}

/// The sum of the elements from `start` to `end`, one block.
#[inline(always)]
fn block<T: Summand>(start: usize, end: usize, at: &impl Fn(usize) -> T) -> T {
    // Written for 32 lanes; other types use the first ones.
    let lanes = T::LANES;
    if end - start <= 4 {
        // Lanes of one element each, and no others.
        let first = |i| T::ZERO + at(start + i);
        return match end - start {
            0 => T::ZERO,
            1 => first(0),
            2 => first(0) + first(1),
            3 => (first(0) + first(2)) + first(1),
            _ => (first(0) + first(2)) + (first(1) + first(3)),
        };
    }
    let mut sums = [T::ZERO; 32];
    let mut from = start;
    while from + lanes <= end {
        for (lane, sum) in sums.iter_mut().enumerate().take(lanes) {
            *sum = *sum + at(from + lane);
        }
        from += lanes;
    }
    for (lane, i) in (from..end).enumerate() {
        sums[lane] = sums[lane] + at(i);
    }
    fold(&mut sums, lanes.min(end - start))
}

/// The fold of the lanes from the first, of which so many have elements.
#[inline(always)]
fn fold<T: Summand>(sums: &mut [T; 32], used: usize) -> T {
    let mut half = used.next_power_of_two() / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] = sums[lane] + sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The sum of `len` elements of one row that lie `stride` elements apart.
///
/// # Safety
/// As for [`Total::add_strided`].
pub unsafe fn sum<T: Summand>(x: *const T, len: usize, stride: isize) -> T {
    let mut total = Total::default();
    // SAFETY: passed on from the caller.
    unsafe { total.add_strided(x, len, stride) };
    total.value()
}

/// The sum of the products of two rows whose elements lie `strides` elements apart.
///
/// # Safety
/// `x.offset(i * strides[0])` and `y.offset(i * strides[1])` must be readable and aligned for every `i` in `0..len`.
#[inline(always)]
pub unsafe fn dot<T: Summand>(x: *const T, y: *const T, len: usize, strides: [isize; 2]) -> T {
    let mut total = Total::default();
    if strides == [1, 1] {
        // SAFETY: passed on from the caller, as below.
        total.add_row(len, |i| unsafe { *x.add(i) * *y.add(i) });
    } else {
        total.add_row(len, |i| {
            let i = i as isize;
            // SAFETY: passed on from the caller.
            unsafe { *x.offset(i * strides[0]) * *y.offset(i * strides[1]) }
        });
    }
    total.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice<T: Summand>(x: &[T]) -> T {
        // SAFETY: a slice is readable in steps of one.
        unsafe { sum(x.as_ptr(), x.len(), 1) }
    }

    #[test]
    fn sums_are_accurate() {
        for len in [0, 1, 3, 7, 8, 9, 127, 255, 256, 257, 1000, 4096, 5003] {
            let x: Vec<f64> = (0..len).map(|i| f64::from(i) - 3.0).collect();
            let exact = f64::from(len) * (f64::from(len) - 1.0) / 2.0 - 3.0 * f64::from(len);
            assert_eq!(slice(&x), exact, "{len}");
            let z: Vec<Complex<f64>> = x.iter().map(|&x| Complex::new(x, -x)).collect();
            assert_eq!(slice(&z), Complex::new(exact, -exact), "{len}");
        }
        // A million tenths: naive summation in f32 is off by about one percent.
        let tenths = vec![0.1_f32; 1_000_000];
        assert!((slice(&tenths) - 100_000.0).abs() < 0.02);
    }

    #[test]
    fn lanes_are_added_in_halves() {
        // One number per lane: 1 and the numbers below half its last place meet in the last step only.
        let tiny = f64::EPSILON / 4.0;
        let mut x = [tiny; 16];
        x[0] = 1.0;
        // 1 meets x[8], x[4], x[2] one after the other, each lost; the eight of the odd lanes are two last places.
        let even = ((1.0 + tiny) + (tiny + tiny)) + ((tiny + tiny) + (tiny + tiny));
        let odd = 8.0 * tiny;
        assert_eq!(slice(&x), even + odd);
        // So they are in lanes of their own in later rounds.
        let mut y = [0.0; 32];
        y[16..].copy_from_slice(&x);
        assert_eq!(slice(&y), slice(&x));
    }

    #[test]
    fn blocks_are_added_with_compensation() {
        let mut x = vec![0.0; 3 * BLOCK];
        (x[0], x[BLOCK], x[2 * BLOCK]) = (1.0, 1e100, -1e100);
        assert_eq!(slice(&x), 1.0);
        x[2 * BLOCK] = f64::INFINITY;
        assert_eq!(slice(&x), f64::INFINITY);
    }

    #[test]
    fn rows_have_so_many_elements() {
        assert_eq!(row_length([3, 40].into_iter()), 40);
        assert_eq!(row_length([3, 40, 31].into_iter()), 1240);
        assert_eq!(row_length([2, 3].into_iter()), 6);
        assert_eq!(row_length([5, 32, 1].into_iter()), 32);
        assert_eq!(row_length(std::iter::empty()), 1);
    }

    #[test]
    fn strides_do_not_matter_and_zeros_are_positive() {
        let x: Vec<f64> = (0..700).map(|i| f64::from(i) * 0.1 - 3.7).collect();
        let backwards: Vec<f64> = x.iter().rev().copied().collect();
        // SAFETY: positions 699, 698, ... lie in `x`, and 0 does 300 times.
        unsafe {
            let strided = sum(x.as_ptr().add(699), 700, -1);
            assert_eq!(strided.to_bits(), slice(&backwards).to_bits());
            assert_eq!(sum(x.as_ptr().add(37), 300, 0), 300.0 * x[37]);
        }
        assert!(slice(&[-0.0_f64, -0.0]).is_sign_positive());
        assert!(slice::<f64>(&[]).is_sign_positive());
        assert!(slice(&[1.0, f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }
}
