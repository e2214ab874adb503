//! Rounding, bitwise logic, shifts and inverse hyperbolic functions on each Rust element type.
//!
//! Invariants: nothing panics; a shift by a negative number or by all bits is NumPy's.

use autojit_runtime::math::{Real, complex};
use num_complex::Complex;

use super::elementwise::{binary, unary, unexpected};
use super::strided::{map1, map2};
use crate::error::Result;
use crate::ir::{HostArray, Op};

/// An integer or a boolean as a row of bits.
trait Bits: Copy {
    fn and(self, y: Self) -> Self;
    fn or(self, y: Self) -> Self;
    fn xor(self, y: Self) -> Self;
    fn invert(self) -> Self;
}

macro_rules! bits {
    ($($t:ty)*) => {$(
        impl Bits for $t {
            fn and(self, y: $t) -> $t {
                self & y
            }

            fn or(self, y: $t) -> $t {
                self | y
            }

            fn xor(self, y: $t) -> $t {
                self ^ y
            }

            fn invert(self) -> $t {
                !self
            }
        }
    )*};
}

bits! { bool u8 i32 i64 }

/// Shifts and remainders of integers.
trait Integral: Copy {
    fn left_shift(self, y: Self) -> Self;
    fn right_shift(self, y: Self) -> Self;
    fn fmod(self, y: Self) -> Self;
}

macro_rules! integral {
    ($($t:ty)*) => {$(
        impl Integral for $t {
            fn left_shift(self, y: $t) -> $t {
                u32::try_from(y).ok().and_then(|y| self.checked_shl(y)).unwrap_or(0)
            }

            fn right_shift(self, y: $t) -> $t {
                let places = u32::try_from(y).unwrap_or(<$t>::BITS);
                // All but one place, then one more: the sign is left, or nothing.
                self.checked_shr(places).unwrap_or((self >> (<$t>::BITS - 1)) >> 1)
            }

            fn fmod(self, y: $t) -> $t {
                if y == 0 { 0 } else { self.wrapping_rem(y) }
            }
        }
    )*};
}

integral! { u8 i32 i64 }

/// Rounds floating numbers; integers are whole already.
fn round(x: &HostArray, f32: fn(f32) -> f32, f64: fn(f64) -> f64) -> Result<HostArray> {
    match x {
        HostArray::Float32(x) => map1(x, f32),
        HostArray::Float64(x) => map1(x, f64),
        HostArray::Complex64(x) => map1(x, |z| Complex::new(f32(z.re), f32(z.im))),
        HostArray::Complex128(x) => map1(x, |z| Complex::new(f64(z.re), f64(z.im))),
        whole => Ok(whole.clone()),
    }
}

macro_rules! real_or_complex {
    ($x:expr, $name:ident) => {
        match $x {
            HostArray::Float32(x) => map1(x, Real::$name),
            HostArray::Float64(x) => map1(x, Real::$name),
            HostArray::Complex64(x) => map1(x, complex::$name),
            HostArray::Complex128(x) => map1(x, complex::$name),
            other => Err(unexpected(other)),
        }
    };
}

/// The ops of this file with one input; `None` for all others.
pub(super) fn spell_unary(op: &Op, x: &HostArray) -> Option<Result<HostArray>> {
    Some(match op {
        Op::Floor => round(x, f32::floor, f64::floor),
        Op::Ceil => round(x, f32::ceil, f64::ceil),
        Op::Trunc => round(x, f32::trunc, f64::trunc),
        Op::Rint => round(x, f32::round_ties_even, f64::round_ties_even),
        Op::Cbrt => unary!(x, Real::cbrt, [Float32 Float64]),
        Op::Erf => unary!(x, Real::erf, [Float32 Float64]),
        Op::Lgamma => unary!(x, Real::lgamma, [Float32 Float64]),
        Op::Arcsinh => real_or_complex!(x, arcsinh),
        Op::Arccosh => real_or_complex!(x, arccosh),
        Op::Arctanh => real_or_complex!(x, arctanh),
        Op::Invert => unary!(x, Bits::invert, [Bool Uint8 Int32 Int64]),
        _ => return None,
    })
}

/// The ops of this file with two inputs; `None` for all others.
pub(super) fn spell_binary(
    op: &Op,
    x: &HostArray,
    y: &HostArray,
    shape: &[usize],
) -> Option<Result<HostArray>> {
    Some(match op {
        Op::Fmod => match (x, y) {
            (HostArray::Float32(x), HostArray::Float32(y)) => map2(x, y, shape, Real::fmod),
            (HostArray::Float64(x), HostArray::Float64(y)) => map2(x, y, shape, Real::fmod),
            _ => binary!(x, y, shape, Integral::fmod, [Uint8 Int32 Int64]),
        },
        Op::Hypot => binary!(x, y, shape, Real::hypot, [Float32 Float64]),
        Op::Copysign => match (x, y) {
            (HostArray::Float32(x), HostArray::Float32(y)) => map2(x, y, shape, f32::copysign),
            (HostArray::Float64(x), HostArray::Float64(y)) => map2(x, y, shape, f64::copysign),
            (other, _) => Err(unexpected(other)),
        },
        Op::BitwiseAnd => binary!(x, y, shape, Bits::and, [Bool Uint8 Int32 Int64]),
        Op::BitwiseOr => binary!(x, y, shape, Bits::or, [Bool Uint8 Int32 Int64]),
        Op::BitwiseXor => binary!(x, y, shape, Bits::xor, [Bool Uint8 Int32 Int64]),
        Op::LeftShift => binary!(x, y, shape, Integral::left_shift, [Uint8 Int32 Int64]),
        Op::RightShift => binary!(x, y, shape, Integral::right_shift, [Uint8 Int32 Int64]),
        _ => return None,
    })
}
