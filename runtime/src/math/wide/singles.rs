//! Lanes of `f32` behind one trait, and the functions of single precision that are computed in them: as many again as of
//! double precision are in a vector.
//!
//! Invariants are those of [`lanes`](super::lanes), and:
//!
//! - a form in these lanes holds for arguments up to [`InSingles::LARGEST`] in magnitude, where results are finite and
//!   normal, so that one rounding is left to them; others take the form of [`single`](super::single), apart;
//! - which of the two an element takes depends on itself alone, not on its neighbours.

mod exponential;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::lanes::Lanes;
use super::{Function, map_lanes};
#[cfg(target_arch = "aarch64")]
pub(super) use neon::Neon;
use std::marker::PhantomData;
use std::ops::{Add, Mul, Sub};
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

/// Some lanes of `f32` that are worked on together.
pub(super) trait Singles:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// At most 16.
    const LANES: usize;

    /// The first `lanes` lanes from memory, the rest zero; `lanes` is in `1..=LANES`. Only those are read.
    ///
    /// # Safety
    /// The machine must have the instructions of this type, and `from` must be valid for reading `lanes` numbers.
    unsafe fn load(from: *const f32, lanes: usize) -> Self;
    /// The first `lanes` lanes to memory; `lanes` is in `1..=LANES`.
    ///
    /// # Safety
    /// `to` must be valid for writing `lanes` numbers.
    unsafe fn store(self, to: *mut f32, lanes: usize);

    /// Other lanes, all equal to a constant.
    fn of(self, lane: f32) -> Self;
    /// `self * factor + addend`, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// `addend - self * factor`, rounded once.
    fn subtract_from(self, factor: Self, addend: Self) -> Self;
    /// `self * factor - subtrahend`, rounded once.
    fn mul_sub(self, factor: Self, subtrahend: Self) -> Self;
    /// Whether all magnitudes are at most `limit`; none is NaN then.
    fn are_within(self, limit: f32) -> bool;
    /// The number of a table that the five lowest bits say.
    fn entry(self, table: &[f32; 32]) -> Self;
    /// Times `2^n` with `n` what the bits of `exponent` but the five lowest say, modulo 2^9; the product must be normal.
    fn scale(self, exponent: Self) -> Self;

    /// `self`, but the form in lanes of double precision where `x` is not within its limit.
    fn mend<F: InSingles>(self, x: Self) -> Self;
}

/// A function of single precision with a form in lanes of single precision.
pub(super) trait InSingles: Function<1> {
    /// The largest magnitude of arguments for which this form holds.
    const LARGEST: f32;
    fn of_singles<S: Singles>(x: S) -> S;
}

impl InSingles for super::Exp {
    const LARGEST: f32 = 87.0;
    #[inline(always)]
    fn of_singles<S: Singles>(x: S) -> S {
        exponential::exp(x)
    }
}

impl InSingles for super::Exp2 {
    const LARGEST: f32 = 126.0;
    #[inline(always)]
    fn of_singles<S: Singles>(x: S) -> S {
        exponential::exp2(x)
    }
}

/// The loop over a slice.
///
/// # Safety
/// The machine must have the instructions of `S`; the rest is as of [`map_lanes`].
#[inline(always)]
pub(super) unsafe fn map_singles<F: InSingles, S: Singles>(
    from: *const f32,
    to: *mut f32,
    n: usize,
) {
    let mut position = 0;
    // Apart from the rest, because the number of lanes is known.
    while n - position >= S::LANES {
        // SAFETY: `LANES` elements from `position` on lie within the `n` that the caller promises.
        unsafe { of_some::<F, S>(from.add(position), to.add(position), S::LANES) };
        position += S::LANES;
    }
    if position < n {
        // SAFETY: as many elements from `position` on lie within the `n` that the caller promises.
        unsafe { of_some::<F, S>(from.add(position), to.add(position), n - position) };
    }
}

/// One vector.
///
/// # Safety
/// As of [`Singles::load`] and [`Singles::store`].
#[inline(always)]
unsafe fn of_some<F: InSingles, S: Singles>(from: *const f32, to: *mut f32, lanes: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let x = S::load(from, lanes);
        let mut result = F::of_singles(x);
        if !x.are_within(F::LARGEST) {
            result = result.mend::<F>(x);
        }
        result.store(to, lanes);
    }
}

/// What [`Singles::mend`] does, to `LANES` elements of arrays by the lanes `V`.
///
/// # Safety
/// The machine must have the instructions of `V`.
#[inline(always)]
unsafe fn mend<F: InSingles, V: Lanes, const LANES: usize>(
    result: &mut [f32; LANES],
    x: &[f32; LANES],
) {
    let mut of_doubles = [0.0_f32; LANES];
    // SAFETY: the caller promises the instructions, and both arrays have as many elements.
    unsafe { map_lanes::<F, V, f32, 1>([x.as_ptr()], of_doubles.as_mut_ptr(), LANES) };
    for ((result, of_doubles), x) in result.iter_mut().zip(of_doubles).zip(x) {
        // NaN is not.
        let within = x.abs() <= F::LARGEST;
        if !within {
            *result = of_doubles;
        }
    }
}

/// One lane, whose form of double precision is in one lane of `V`. Without the instruction, multiply-add is a slow call to the C
/// library, but right.
#[derive(Clone, Copy)]
pub(super) struct Single<V>(f32, PhantomData<V>);

impl<V> Single<V> {
    #[inline(always)]
    fn new(lane: f32) -> Self {
        Single(lane, PhantomData)
    }
}

macro_rules! operators_of_one {
    ($($trait:ident $method:ident $operator:tt;)*) => {$(
        impl<V> $trait for Single<V> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Single::new(self.0 $operator other.0)
            }
        }
    )*};
}

operators_of_one! { Add add +; Sub sub -; Mul mul *; }

impl<V: Lanes> Singles for Single<V> {
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const f32, _: usize) -> Self {
        // SAFETY: the caller promises a number.
        Single::new(unsafe { *from })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, _: usize) {
        // SAFETY: the caller promises room for a number.
        unsafe { *to = self.0 };
    }
    #[inline(always)]
    fn of(self, lane: f32) -> Self {
        Single::new(lane)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Single::new(self.0.mul_add(factor.0, addend.0))
    }
    #[inline(always)]
    fn subtract_from(self, factor: Self, addend: Self) -> Self {
        Single::new((-self.0).mul_add(factor.0, addend.0))
    }
    #[inline(always)]
    fn mul_sub(self, factor: Self, subtrahend: Self) -> Self {
        Single::new(self.0.mul_add(factor.0, -subtrahend.0))
    }
    #[inline(always)]
    fn are_within(self, limit: f32) -> bool {
        self.0.abs() <= limit
    }
    #[inline(always)]
    fn entry(self, table: &[f32; 32]) -> Self {
        Single::new(table[(self.0.to_bits() % 32) as usize])
    }
    #[inline(always)]
    fn scale(self, exponent: Self) -> Self {
        let exponent = exponent.0.to_bits() >> 5 << 23;
        Single::new(f32::from_bits(self.0.to_bits().wrapping_add(exponent)))
    }
    #[inline(always)]
    fn mend<F: InSingles>(self, x: Self) -> Self {
        let mut result = [self.0];
        // SAFETY: a value is where the machine has the instructions of `V`: it was loaded.
        unsafe { mend::<F, V, 1>(&mut result, &[x.0]) };
        Single::new(result[0])
    }
}
