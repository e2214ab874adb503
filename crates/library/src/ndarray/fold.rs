//! Reductions of elements: one monomorph per reduction and element type, called by pointer.
//!
//! A [`Fold`] knows its element type and nothing of shapes; [`super::reduce`] knows shapes.

use autojit_runtime::sum::Summand;
use num_complex::{Complex, Complex32, Complex64};

use super::number::Basic;
use super::sum::WriteSums;
use autojit_ir::{DType, Element};

/// A reduction of elements of one type.
pub(super) struct Fold {
    /// Writes the result for no elements.
    ///
    /// Safety: `out` must be writable.
    pub(super) neutral: unsafe fn(out: *mut u8),
    /// Writes the reduction of at least one element.
    ///
    /// Safety: `x` must be readable for `len` elements that lie `stride` elements apart, `out` writable.
    pub(super) run: unsafe fn(x: *const u8, len: usize, stride: isize, out: *mut u8),
    /// Whether the elements must be taken in order, one by one, from the first on: floating products, which round, and complex
    /// extrema, where the order decides over which NaN comes out.
    pub(super) in_order: bool,
    /// The function that writes all results of a sum, which has an order of its own, see [`super::sum::write`].
    pub(super) sums: Option<WriteSums>,
    /// Writes what a reduction in order begins with.
    ///
    /// Safety: `first` must be readable, `out` writable.
    pub(super) begin: unsafe fn(first: *const u8, out: *mut u8),
    /// Combines a total with `len` elements that lie `stride` elements apart, in order.
    ///
    /// Safety: `total` must be readable and writable, `x` readable; the two must not overlap.
    pub(super) go_on: unsafe fn(total: *mut u8, x: *const u8, len: usize, stride: isize),
    /// Combines each of `len` totals, next to each other, with one of `len` elements that lie `step` elements apart.
    ///
    /// Safety: `totals` must be readable and writable, `x` readable; the two must not overlap.
    pub(super) combine: unsafe fn(totals: *mut u8, len: usize, x: *const u8, step: isize),
}

impl Fold {
    const fn of<T: Element, R: Reduction<T>>() -> Self {
        Self {
            neutral: neutral::<T, R>,
            run: run::<T, R>,
            in_order: R::IN_ORDER,
            begin: begin::<T, R>,
            go_on: go_on::<T, R>,
            combine: combine::<T, R>,
            sums: R::SUMS,
        }
    }
}

/// # Safety
/// As for [`Fold::neutral`].
unsafe fn neutral<T: Element, R: Reduction<T>>(out: *mut u8) {
    // SAFETY: passed on from the caller.
    unsafe { out.cast::<T>().write(R::neutral()) };
}

/// # Safety
/// As for [`Fold::run`].
unsafe fn run<T: Element, R: Reduction<T>>(x: *const u8, len: usize, stride: isize, out: *mut u8) {
    // SAFETY: passed on from the caller.
    unsafe { out.cast::<T>().write(R::run(x.cast(), len, stride)) };
}

/// # Safety
/// As for [`Fold::begin`].
unsafe fn begin<T: Element, R: Reduction<T>>(first: *const u8, out: *mut u8) {
    // SAFETY: passed on from the caller.
    unsafe { out.cast::<T>().write(R::begin(*first.cast::<T>())) };
}

/// # Safety
/// As for [`Fold::go_on`].
unsafe fn go_on<T: Element, R: Reduction<T>>(
    total: *mut u8,
    x: *const u8,
    len: usize,
    stride: isize,
) {
    // SAFETY: the caller vouches for every element.
    unsafe {
        let (total, x) = (total.cast::<T>(), x.cast::<T>());
        for i in 0..len as isize {
            *total = R::combine(*total, *x.offset(i * stride));
        }
    }
}

/// # Safety
/// As for [`Fold::combine`].
unsafe fn combine<T: Element, R: Reduction<T>>(
    totals: *mut u8,
    len: usize,
    x: *const u8,
    step: isize,
) {
    let (totals, x) = (totals.cast::<T>(), x.cast::<T>());
    // SAFETY: the caller vouches for every element.
    unsafe {
        if step == 1 {
            for i in 0..len {
                *totals.add(i) = R::combine(*totals.add(i), *x.add(i));
            }
        } else {
            for i in 0..len {
                *totals.add(i) = R::combine(*totals.add(i), *x.offset(i as isize * step));
            }
        }
    }
}

/// An associative operation on elements.
trait Reduction<T: Element> {
    /// As [`Fold::in_order`].
    const IN_ORDER: bool = false;
    /// As [`Fold::sums`].
    const SUMS: Option<WriteSums> = None;

    /// The result for no elements, where there is one.
    fn neutral() -> T;

    fn combine(x: T, y: T) -> T;

    /// The value that a reduction in order begins with; the first element is combined with that too.
    fn begin(_first: T) -> T {
        Self::neutral()
    }

    /// Reduces at least one element.
    ///
    /// # Safety
    /// `x.offset(i * stride)` must be readable for every `i` in `0..len`, and `len` must not be zero.
    unsafe fn run(x: *const T, len: usize, stride: isize) -> T {
        // SAFETY: passed on from the caller.
        unsafe {
            let mut total = *x;
            for i in 1..len as isize {
                total = Self::combine(total, *x.offset(i * stride));
            }
            total
        }
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
            const SUMS: Option<WriteSums> = Some(super::sum::write::<$t>);

            fn neutral() -> $t {
                <$t as Summand>::ZERO
            }

            fn combine(x: $t, y: $t) -> $t {
                x + y
            }
        }
    )*};
}

float_sum! { f32 f64 Complex32 Complex64 }

impl Reduction<i64> for Sum {
    fn neutral() -> i64 {
        0
    }

    fn combine(x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }
}

macro_rules! products {
    ($($t:ty, $one:expr, $in_order:literal;)*) => {$(
        impl Reduction<$t> for Product {
            /// Floating products multiply in C order. They begin with 1, which only complex infinities show.
            const IN_ORDER: bool = $in_order;

            fn neutral() -> $t {
                $one
            }

            fn combine(x: $t, y: $t) -> $t {
                x.multiply(y)
            }
        }
    )*};
}

products! {
    i64, 1, false;
    f32, 1.0, true;
    f64, 1.0, true;
    Complex32, Complex::new(1.0, 0.0), true;
    Complex64, Complex::new(1.0, 0.0), true;
}

/// Reduces a contiguous run in eight independent chains, which the processor works on at once.
///
/// # Safety
/// `x` must be readable for `len` elements, at least eight.
#[inline(always)]
unsafe fn run_in_lanes<T: Element>(x: *const T, len: usize, combine: impl Fn(T, T) -> T) -> T {
    // SAFETY: passed on from the caller; every index below is less than `len`.
    unsafe {
        let mut lanes = x.cast::<[T; 8]>().read();
        let mut from = 8;
        while from + 8 <= len {
            for (lane, total) in lanes.iter_mut().enumerate() {
                *total = combine(*total, *x.add(from + lane));
            }
            from += 8;
        }
        let mut total = lanes[0];
        for &lane in &lanes[1..] {
            total = combine(total, lane);
        }
        for i in from..len {
            total = combine(total, *x.add(i));
        }
        total
    }
}

macro_rules! extrema {
    ($($reduction:ident $combine:ident;)*) => {$(
        impl<T: Basic> Reduction<T> for $reduction {
            const IN_ORDER: bool = !T::ONE_NAN;

            fn begin(first: T) -> T {
                first
            }

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
                unsafe {
                    let mut total = *x;
                    for i in 1..len as isize {
                        total = total.$combine(*x.offset(i * stride));
                    }
                    total
                }
            }
        }
    )*};
}

extrema! {
    Maximum larger;
    Minimum smaller;
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
                for i in 0..len as isize {
                    // SAFETY: passed on from the caller.
                    let decides = unsafe { *x.offset(i * stride) } != $neutral;
                    if decides {
                        return !$neutral;
                    }
                }
                $neutral
            }
        }
    )*};
}

quantifiers! {
    Any false |;
    All true &;
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident: $reduction:ident [$($variant:ident: $t:ty),*];)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(dtype: DType) -> Option<&'static Fold> {
            match dtype {
                $(DType::$variant => Some(const { &Fold::of::<$t, $reduction>() }),)*
                #[allow(unreachable_patterns, reason = "some rows list all dtypes")]
                _ => None,
            }
        }
    )*};
}

table! {
    /// Sums; inference has widened small integers.
    sum: Sum [Int64: i64, Float32: f32, Float64: f64, Complex64: Complex32, Complex128: Complex64];
    /// Products; inference has widened small integers.
    prod: Product [Int64: i64, Float32: f32, Float64: f64, Complex64: Complex32, Complex128: Complex64];
    /// Largest elements; NaN wins.
    max: Maximum [
        Bool: bool, Uint8: u8, Int32: i32, Int64: i64,
        Float32: f32, Float64: f64, Complex64: Complex32, Complex128: Complex64
    ];
    /// Smallest elements; NaN wins.
    min: Minimum [
        Bool: bool, Uint8: u8, Int32: i32, Int64: i64,
        Float32: f32, Float64: f64, Complex64: Complex32, Complex128: Complex64
    ];
    /// Whether any element is true.
    any: Any [Bool: bool];
    /// Whether all elements are true.
    all: All [Bool: bool];
}
