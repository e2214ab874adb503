//! Reductions over any set of axes.
//!
//! The reduced axes are walked as rows if they are the faster ones in memory; else whole rows of results are
//! accumulated at once, so that memory is always read in order. Floating sums are pairwise both ways: their
//! errors grow with the logarithm of the number of elements, as NumPy's do at best.
//!
//! Reducing nothing gives the neutral element; inference refuses it where there is none.

use autojit_runtime::abi::Kind;
use autojit_runtime::reduce::{ArgReduce, Summand, pairwise_sum};
use smallvec::SmallVec;

use super::elementwise::unexpected;
use super::number::Basic;
use super::strided::{Shared, Walk, from_vec};
use crate::error::Result;
use crate::ir::{DType, Element, HostArray, dispatch_host};

/// How many rows are accumulated one after the other before sums are split: as many as NumPy adds up in each of
/// its eight lanes.
const ROWS: usize = 16;

/// An associative operation on elements.
trait Reduction<T: Element> {
    /// The result for no elements, where there is one.
    fn neutral() -> T;

    fn combine(x: T, y: T) -> T;

    /// What a total becomes in the end.
    fn finish(total: T) -> T {
        total
    }

    /// Reduces at least one element.
    ///
    /// # Safety
    /// `x.offset(i * stride)` must be readable for every `i` in `0..len`, and `len` must not be zero.
    unsafe fn run(x: *const T, len: usize, stride: isize) -> T {
        // SAFETY: passed on from the caller.
        let at = |i: usize| unsafe { *x.offset(i as isize * stride) };
        (1..len).fold(at(0), |total, i| Self::combine(total, at(i)))
    }
}

struct Sum;
struct Product;
struct Maximum;
struct Minimum;
struct Any;
struct All;

macro_rules! float_sum {
    ($($t:ty)*) => {$(
        impl Reduction<$t> for Sum {
            fn neutral() -> $t {
                <$t as Summand>::ZERO
            }

            fn combine(x: $t, y: $t) -> $t {
                x + y
            }

            /// Sums start at +0, so that of negative zeros is +0.
            fn finish(total: $t) -> $t {
                total + <$t as Summand>::ZERO
            }

            unsafe fn run(x: *const $t, len: usize, stride: isize) -> $t {
                // SAFETY: passed on from the caller.
                unsafe { pairwise_sum(x, len, stride) }
            }
        }
    )*};
}

float_sum! { f32 f64 num_complex::Complex32 num_complex::Complex64 }

impl Reduction<i64> for Sum {
    fn neutral() -> i64 {
        0
    }

    fn combine(x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }
}

macro_rules! products {
    ($($t:ty, $one:expr;)*) => {$(
        impl Reduction<$t> for Product {
            fn neutral() -> $t {
                $one
            }

            fn combine(x: $t, y: $t) -> $t {
                x.multiply(y)
            }

            /// Products start at 1, which only complex infinities show.
            fn finish(total: $t) -> $t {
                total.multiply($one)
            }
        }
    )*};
}

products! {
    i64, 1;
    f32, 1.0;
    f64, 1.0;
    num_complex::Complex32, num_complex::Complex::new(1.0, 0.0);
    num_complex::Complex64, num_complex::Complex::new(1.0, 0.0);
}

/// Reduces a contiguous run in eight independent chains, which the processor works on at once.
///
/// # Safety
/// `x` must be readable for `len` elements, at least eight.
unsafe fn run_in_lanes<T: Element>(x: *const T, len: usize, combine: impl Fn(T, T) -> T) -> T {
    // SAFETY: passed on from the caller.
    let x = unsafe { std::slice::from_raw_parts(x, len) };
    let (first, rest) = x.split_at(8);
    let mut lanes: [T; 8] = std::array::from_fn(|i| first[i]);
    let chunks = rest.chunks_exact(8);
    let tail = chunks.remainder();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = combine(*lane, x);
        }
    }
    let total = lanes[1..].iter().fold(lanes[0], |a, &b| combine(a, b));
    tail.iter().fold(total, |a, &b| combine(a, b))
}

macro_rules! extrema {
    ($($reduction:ident $combine:ident;)*) => {$(
        impl<T: Basic> Reduction<T> for $reduction {
            // Never used: inference refuses extrema of nothing.
            fn neutral() -> T {
                T::default()
            }

            fn combine(x: T, y: T) -> T {
                x.$combine(y)
            }

            unsafe fn run(x: *const T, len: usize, stride: isize) -> T {
                if T::ONE_NAN && stride == 1 && len >= 16 {
                    // SAFETY: passed on from the caller.
                    return unsafe { run_in_lanes(x, len, T::$combine) };
                }
                // SAFETY: passed on from the caller.
                let at = |i: usize| unsafe { *x.offset(i as isize * stride) };
                (1..len).fold(at(0), |total, i| total.$combine(at(i)))
            }
        }
    )*};
}

extrema! {
    Maximum maximum;
    Minimum minimum;
}

macro_rules! quantifiers {
    ($($reduction:ident $neutral:literal $operator:tt;)*) => {$(
        impl Reduction<bool> for $reduction {
            fn neutral() -> bool {
                $neutral
            }

            fn combine(x: bool, y: bool) -> bool {
                x $operator y
            }

            unsafe fn run(x: *const bool, len: usize, stride: isize) -> bool {
                // SAFETY: passed on from the caller.
                let at = |i: usize| unsafe { *x.offset(i as isize * stride) };
                // Stops at the first element that decides.
                if $neutral { (0..len).all(at) } else { (0..len).any(at) }
            }
        }
    )*};
}

quantifiers! {
    Any false |;
    All true &;
}

/// Reduces over `axes`; `shape` is the shape of the result, with or without the reduced axes.
fn reduce<T: Element, R: Reduction<T>>(
    x: &Shared<T>,
    axes: &[usize],
    shape: &[usize],
) -> Result<HostArray> {
    let size = shape.iter().product();
    if x.is_empty() {
        return from_vec(shape, vec![R::neutral(); size]);
    }
    if axes.len() == x.ndim()
        && let Some(x) = x.as_slice()
    {
        // SAFETY: a slice that is not empty.
        let total = unsafe { R::run(x.as_ptr(), x.len(), 1) };
        return from_vec(shape, vec![R::finish(total)]);
    }
    let axis = |&axis: &usize| (x.shape()[axis], [x.strides()[axis]]);
    let kept: SmallVec<[usize; 4]> = (0..x.ndim()).filter(|a| !axes.contains(a)).collect();
    let kept = Walk::new(kept.iter().map(axis));
    let mut reduced: SmallVec<[usize; 4]> = axes.into();
    reduced.sort_by_key(|&a| std::cmp::Reverse(x.strides()[a].unsigned_abs()));
    let reduced = Walk::new(reduced.iter().map(axis));
    let mut out = Vec::with_capacity(size);
    // A kept axis that is faster in memory than every reduced one.
    if kept.len > 1 && kept.step[0].unsigned_abs() < reduced.step[0].unsigned_abs() {
        let mut offsets = Vec::with_capacity(reduced.rows() * reduced.len);
        reduced.for_each_row(&mut |[offset]| {
            offsets.extend((0..reduced.len as isize).map(|i| offset + i * reduced.step[0]));
        });
        kept.for_each_row(&mut |[offset]| {
            // SAFETY: both walks stay within the positions that shape and strides of `x` reach, and the sum
            // of a kept and a reduced offset is such a position.
            unsafe {
                let x = x.as_ptr().offset(offset);
                accumulate::<T, R>(x, &offsets, kept.len, kept.step[0], &mut out);
            }
        });
        out.iter_mut().for_each(|total| *total = R::finish(*total));
        return from_vec(shape, out);
    }
    let mut partial = Vec::new();
    kept.for_each_row(&mut |[offset]| {
        for i in 0..kept.len as isize {
            // SAFETY: as above.
            let x = unsafe { x.as_ptr().offset(offset + i * kept.step[0]) };
            partial.clear();
            reduced.for_each_row(&mut |[offset]| {
                // SAFETY: as above; a row has at least one element because `x` is not empty.
                partial.push(unsafe { R::run(x.offset(offset), reduced.len, reduced.step[0]) });
            });
            out.push(R::finish(match partial.as_slice() {
                [total] => *total,
                // SAFETY: a slice that is not empty, for the same reason.
                totals => unsafe { R::run(totals.as_ptr(), totals.len(), 1) },
            }));
        }
    });
    from_vec(shape, out)
}

/// Pushes `len` results, the reductions over `offsets` of neighbouring columns, splitting in halves above
/// [`ROWS`] offsets.
///
/// # Safety
/// `x.offset(offsets[j] + i * step)` must be readable for every `j`, and `i` in `0..len`; `offsets` is not empty.
unsafe fn accumulate<T: Element, R: Reduction<T>>(
    x: *const T,
    offsets: &[isize],
    len: usize,
    step: isize,
    out: &mut Vec<T>,
) {
    let start = out.len();
    if offsets.len() > ROWS {
        let (low, high) = offsets.split_at(offsets.len() / 2);
        // SAFETY: passed on from the caller, for parts of the offsets.
        unsafe {
            accumulate::<T, R>(x, low, len, step, out);
            accumulate::<T, R>(x, high, len, step, out);
        }
        let (low, high) = out[start..].split_at_mut(len);
        for (low, &mut high) in low.iter_mut().zip(high) {
            *low = R::combine(*low, high);
        }
        out.truncate(start + len);
        return;
    }
    let (first, rest) = offsets.split_at(1);
    // SAFETY: the caller vouches for all positions; with a step of one they are a slice.
    unsafe {
        if step == 1 {
            out.extend_from_slice(std::slice::from_raw_parts(x.offset(first[0]), len));
            for &offset in rest {
                let row = std::slice::from_raw_parts(x.offset(offset), len);
                for (total, &x) in out[start..].iter_mut().zip(row) {
                    *total = R::combine(*total, x);
                }
            }
        } else {
            out.extend((0..len as isize).map(|i| *x.offset(first[0] + i * step)));
            for &offset in rest {
                for (i, total) in out[start..].iter_mut().enumerate() {
                    *total = R::combine(*total, *x.offset(offset + i as isize * step));
                }
            }
        }
    }
}

macro_rules! by_dtype {
    ($x:expr, $axes:expr, $shape:expr, $reduction:ident, [$($variant:ident)*]) => {
        match $x {
            $(HostArray::$variant(x) => reduce::<_, $reduction>(x, $axes, $shape),)*
            other => Err(unexpected(other)),
        }
    };
}

/// Sums; inference has widened small integers.
pub(super) fn sum(x: &HostArray, axes: &[usize], shape: &[usize]) -> Result<HostArray> {
    by_dtype!(x, axes, shape, Sum, [Int64 Float32 Float64 Complex64 Complex128])
}

/// Products; inference has widened small integers.
pub(super) fn prod(x: &HostArray, axes: &[usize], shape: &[usize]) -> Result<HostArray> {
    by_dtype!(x, axes, shape, Product, [Int64 Float32 Float64 Complex64 Complex128])
}

/// Largest elements; NaN wins.
pub(super) fn max(x: &HostArray, axes: &[usize], shape: &[usize]) -> Result<HostArray> {
    dispatch_host!(x, x => reduce::<_, Maximum>(x, axes, shape))
}

/// Smallest elements; NaN wins.
pub(super) fn min(x: &HostArray, axes: &[usize], shape: &[usize]) -> Result<HostArray> {
    dispatch_host!(x, x => reduce::<_, Minimum>(x, axes, shape))
}

/// Whether any element is true.
pub(super) fn any(x: &HostArray, axes: &[usize], shape: &[usize]) -> Result<HostArray> {
    by_dtype!(x, axes, shape, Any, [Bool])
}

/// Whether all elements are true.
pub(super) fn all(x: &HostArray, axes: &[usize], shape: &[usize]) -> Result<HostArray> {
    by_dtype!(x, axes, shape, All, [Bool])
}

/// The runtime's name of a dtype.
pub(super) fn kind(dtype: DType) -> Kind {
    match dtype {
        DType::Bool => Kind::Bool,
        DType::Uint8 => Kind::Uint8,
        DType::Int32 => Kind::Int32,
        DType::Int64 => Kind::Int64,
        DType::Float32 => Kind::Float32,
        DType::Float64 => Kind::Float64,
        DType::Complex64 => Kind::Complex64,
        DType::Complex128 => Kind::Complex128,
    }
}

/// Positions of the first largest or smallest elements along an axis.
pub(super) fn arg_extremum(
    x: &HostArray,
    axis: usize,
    largest: bool,
    shape: &[usize],
) -> Result<HostArray> {
    let strides = dispatch_host!(x, x => x.strides());
    let kept = || (0..x.shape().len()).filter(|&a| a != axis);
    let plan = ArgReduce {
        kind: kind(x.dtype()),
        outer: kept().map(|a| x.shape()[a]).collect(),
        outer_strides_in: kept().map(|a| strides[a]).collect(),
        len: x.shape()[axis],
        stride: strides[axis],
        largest,
    };
    let mut out = vec![0_i64; shape.iter().product()];
    // SAFETY: shape and strides are those of `x`, and `out` has one element per position of the other axes.
    unsafe { plan.run(x.as_ptr(), out.as_mut_ptr()) };
    from_vec(shape, out)
}
