//! Lanes of `f64` behind one trait: what the functions of this module are written in, once for every machine.
//!
//! Invariants:
//!
//! - a value exists only where the machine has the instructions of its type: it is born in an `unsafe` method
//!   ([`Lanes::splat`], [`Lanes::load`], [`Lanes::load_single`]) or from another value, hence all other methods are safe;
//! - every operation rounds as IEEE 754 says and multiply-add rounds once, so all implementations agree to the last bit
//!   in everything but the payload of a NaN;
//! - every method is `#[inline(always)]`, so that it is compiled with the instructions of the `#[target_feature]`
//!   function that it ends up in. No closure goes to a function of the standard library: inside, they are missing.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// The bit that holds the sign.
pub(super) const SIGN: u64 = 1 << 63;
/// `1.5 * 2^52`: adding it to a small integer leaves the integer in the low bits.
pub(super) const INTEGER_IN_LOW_BITS: f64 = 6_755_399_441_055_744.0;

/// A power of two in whose low bits an integer can be put, its value being the sum.
pub(super) const INTEGER: f64 = 4_503_599_627_370_496.0;

/// Some lanes of `f64` that are worked on together.
pub(crate) trait Lanes:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// A truth value for each lane.
    type Mask: Copy
        + BitAnd<Output = Self::Mask>
        + BitOr<Output = Self::Mask>
        + Not<Output = Self::Mask>;
    /// At most eight.
    const LANES: usize;

    /// All lanes equal.
    ///
    /// # Safety
    /// The machine must have the instructions of this type.
    unsafe fn splat(lane: f64) -> Self;
    /// The first `lanes` lanes from memory, the rest zero; `lanes` is in `1..=LANES`. Only those are read.
    ///
    /// # Safety
    /// The machine must have the instructions of this type, and `from` must be valid for reading `lanes` numbers.
    unsafe fn load(from: *const f64, lanes: usize) -> Self;
    /// The same from numbers of single precision.
    ///
    /// # Safety
    /// As of [`load`](Self::load).
    unsafe fn load_single(from: *const f32, lanes: usize) -> Self;
    /// The first `lanes` lanes to memory; `lanes` is in `1..=LANES`.
    ///
    /// # Safety
    /// `to` must be valid for writing `lanes` numbers.
    unsafe fn store(self, to: *mut f64, lanes: usize);
    /// The same, rounded to single precision.
    ///
    /// # Safety
    /// As of [`store`](Self::store).
    unsafe fn store_single(self, to: *mut f32, lanes: usize);

    /// Other lanes, all equal to a constant.
    fn of(self, lane: f64) -> Self;
    /// `self * factor + addend`, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Nearest integer, ties to even.
    fn round(self) -> Self;
    /// The larger; NaN where `self` is NaN, if `other` is not.
    fn at_least(self, other: Self) -> Self;
    /// The smaller; NaN where `self` is NaN, if `other` is not.
    fn at_most(self, other: Self) -> Self;

    /// `self < other`, false for NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`, false for NaN.
    fn le(self, other: Self) -> Self::Mask;
    /// `self == other`, false for NaN.
    fn eq(self, other: Self) -> Self::Mask;
    /// Whether the sign bit is set.
    fn is_negative(self) -> Self::Mask;
    /// `self` where the mask holds, `other` elsewhere.
    fn where_or(self, mask: Self::Mask, other: Self) -> Self;
    /// Whether the mask holds in any lane.
    fn any(self, mask: Self::Mask) -> bool;

    /// Bitwise and with a constant.
    fn and_bits(self, bits: u64) -> Self;
    /// Bitwise or.
    fn or(self, other: Self) -> Self;
    /// Bitwise exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Wrapping sum of the bits, as integers, and a constant.
    fn add_bits(self, bits: u64) -> Self;
    /// Wrapping sum of the bits as integers.
    fn plus_bits(self, other: Self) -> Self;
    /// Wrapping difference of the bits as integers.
    fn sub_bits(self, other: Self) -> Self;
    /// Bits moved up, by less than 64.
    fn shl(self, by: u32) -> Self;
    /// Bits moved down, by less than 64, zeros moved in.
    fn shr(self, by: u32) -> Self;

    /// `F::of(self)`, compiled apart with the same instructions, for vectors that are few. Where the call is inside of a loop,
    /// nothing but the result should be needed after it: what else is live is kept in memory by the vectors that do
    /// not call, too.
    fn seldom<F: Seldom>(self) -> Self;

    /// The lanes, then zeros.
    fn to_array(self) -> [f64; 8];
    /// Other lanes, the first of an array.
    fn of_array(self, lanes: &[f64; 8]) -> Self;

    /// `self * 2^exponent` for an integer of magnitude up to 2000, rounded once.
    #[inline(always)]
    fn scale(self, exponent: Self) -> Self {
        let half = (exponent * exponent.of(0.5)).round();
        self * half.power_of_two() * (exponent - half).power_of_two()
    }

    /// The same for an integer in `-1022..=1023`.
    #[inline(always)]
    fn scale_little(self, exponent: Self) -> Self {
        self * exponent.power_of_two()
    }

    /// `(k, m)` with `self = 2^k m` and `m` from 3/4 to 3/2, for positive normal numbers below 2^1023; anything for others.
    #[inline(always)]
    fn split_normal(self) -> (Self, Self) {
        const THREE_QUARTERS: u64 = 0x3fe8_0000_0000_0000;
        /// Keeps exponents positive while they are shifted down: a multiple of 2^52.
        const BIAS: u64 = 1024 << 52;
        let offset = self.add_bits(BIAS - THREE_QUARTERS);
        let m = offset.and_bits((1 << 52) - 1).add_bits(THREE_QUARTERS);
        let k = offset.shr(52).or(self.of(INTEGER)) - self.of(INTEGER + 1024.0);
        (k, m)
    }
    /// `self`, but what a logarithm is where `x`, whose logarithm this is, is not positive and finite.
    #[inline(always)]
    fn or_logarithm_of_special(self, x: Self) -> Self {
        let (zero, infinity) = (x.of(0.0), x.of(f64::INFINITY));
        let outside = (-infinity).where_or(x.eq(zero), x.of(f64::NAN));
        let result = self.where_or(x.lt(infinity), x);
        outside.where_or(x.le(zero), result)
    }
    /// `2^self` for an integer in `-1022..=1023`.
    #[inline(always)]
    fn power_of_two(self) -> Self {
        (self + self.of(INTEGER_IN_LOW_BITS + 1023.0)).shl(52)
    }
    /// Magnitude.
    #[inline(always)]
    fn abs(self) -> Self {
        self.and_bits(!SIGN)
    }
    /// The magnitude of `self` with the sign of `sign`.
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        self.abs().or(sign.and_bits(SIGN))
    }
    /// `addend - self * factor`, rounded once.
    #[inline(always)]
    fn subtract_from(self, factor: Self, addend: Self) -> Self {
        (-self).mul_add(factor, addend)
    }
    /// Whether this is not a number.
    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        !self.eq(self)
    }
}

/// A function that few vectors need, for [`Lanes::seldom`].
pub(crate) trait Seldom {
    /// Must be `#[inline(always)]`, as all that it calls, lest the instructions of `V` are missing.
    fn of<V: Lanes>(x: V) -> V;
}

/// The sum and its rounding error, which is exact (Knuth's TwoSum).
#[inline(always)]
pub(super) fn two_sum<V: Lanes>(a: V, b: V) -> (V, V) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// The same where `|a| >= |b|` or `a` is zero (Dekker's FastTwoSum).
#[inline(always)]
pub(super) fn fast_two_sum<V: Lanes>(a: V, b: V) -> (V, V) {
    let sum = a + b;
    (sum, (a - sum) + b)
}

/// The product and its rounding error, which is exact but for underflow.
#[inline(always)]
pub(super) fn two_product<V: Lanes>(a: V, b: V) -> (V, V) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// A polynomial by its coefficients, from the constant term on; two interleaved chains of Horner's.
#[inline(always)]
pub(super) fn polynomial<V: Lanes, const N: usize>(x: V, coefficients: &[f64; N]) -> V {
    let square = x * x;
    let (mut last, mut before) = (x.of(coefficients[N - 1]), x.of(coefficients[N - 2]));
    let mut position = N - 2;
    while position >= 2 {
        last = last.mul_add(square, x.of(coefficients[position - 1]));
        before = before.mul_add(square, x.of(coefficients[position - 2]));
        position -= 2;
    }
    if position == 1 {
        // An odd number of coefficients: the chain of the last one holds the even powers.
        last = last.mul_add(square, x.of(coefficients[0]));
        before.mul_add(x, last)
    } else {
        last.mul_add(x, before)
    }
}

/// One lane, on any machine. Without the instruction, multiply-add is a slow call to the C library, but right.
#[derive(Clone, Copy)]
pub(crate) struct Scalar(f64);

macro_rules! operators {
    ($($trait:ident $method:ident $operator:tt;)*) => {$(
        impl $trait for Scalar {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Scalar(self.0 $operator other.0)
            }
        }
    )*};
}

operators! { Add add +; Sub sub -; Mul mul *; Div div /; }

impl Neg for Scalar {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Scalar(-self.0)
    }
}

impl Lanes for Scalar {
    type Mask = bool;
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn splat(lane: f64) -> Self {
        Scalar(lane)
    }
    #[inline(always)]
    unsafe fn load(from: *const f64, _: usize) -> Self {
        // SAFETY: the caller promises a number.
        Scalar(unsafe { *from })
    }
    #[inline(always)]
    unsafe fn load_single(from: *const f32, _: usize) -> Self {
        // SAFETY: the caller promises a number.
        Scalar(f64::from(unsafe { *from }))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64, _: usize) {
        // SAFETY: the caller promises room for a number.
        unsafe { *to = self.0 };
    }
    #[inline(always)]
    unsafe fn store_single(self, to: *mut f32, _: usize) {
        // SAFETY: the caller promises room for a number.
        unsafe { *to = self.0 as f32 };
    }
    #[inline(always)]
    fn of(self, lane: f64) -> Self {
        Scalar(lane)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Scalar(self.0.mul_add(factor.0, addend.0))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Scalar(self.0.sqrt())
    }
    #[inline(always)]
    fn round(self) -> Self {
        Scalar(self.0.round_ties_even())
    }
    #[inline(always)]
    fn at_least(self, other: Self) -> Self {
        if other.0 > self.0 { other } else { self }
    }
    #[inline(always)]
    fn at_most(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self.0 < other.0
    }
    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self.0 <= other.0
    }
    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self.0 == other.0
    }
    #[inline(always)]
    fn is_negative(self) -> bool {
        self.0.is_sign_negative()
    }
    #[inline(always)]
    fn where_or(self, mask: bool, other: Self) -> Self {
        if mask { self } else { other }
    }
    #[inline(always)]
    fn any(self, mask: bool) -> bool {
        mask
    }
    #[inline(always)]
    fn and_bits(self, bits: u64) -> Self {
        Scalar(f64::from_bits(self.0.to_bits() & bits))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Scalar(f64::from_bits(self.0.to_bits() | other.0.to_bits()))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Scalar(f64::from_bits(self.0.to_bits() ^ other.0.to_bits()))
    }
    #[inline(always)]
    fn add_bits(self, bits: u64) -> Self {
        Scalar(f64::from_bits(self.0.to_bits().wrapping_add(bits)))
    }
    #[inline(always)]
    fn plus_bits(self, other: Self) -> Self {
        Scalar(f64::from_bits(
            self.0.to_bits().wrapping_add(other.0.to_bits()),
        ))
    }
    #[inline(always)]
    fn sub_bits(self, other: Self) -> Self {
        Scalar(f64::from_bits(
            self.0.to_bits().wrapping_sub(other.0.to_bits()),
        ))
    }
    #[inline(always)]
    fn shl(self, by: u32) -> Self {
        Scalar(f64::from_bits(self.0.to_bits() << by))
    }
    #[inline(always)]
    fn shr(self, by: u32) -> Self {
        Scalar(f64::from_bits(self.0.to_bits() >> by))
    }
    #[inline(always)]
    fn seldom<F: Seldom>(self) -> Self {
        seldom_scalar::<F>(self)
    }
    #[inline(always)]
    fn to_array(self) -> [f64; 8] {
        [self.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    }
    #[inline(always)]
    fn of_array(self, lanes: &[f64; 8]) -> Self {
        Scalar(lanes[0])
    }
}

#[cold]
#[inline(never)]
fn seldom_scalar<F: Seldom>(x: Scalar) -> Scalar {
    F::of(x)
}
