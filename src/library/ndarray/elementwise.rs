//! Elementwise ops: choosing the typed function for the dtype of the inputs.
//!
//! The macros are the bodies of arms in [`super::spell_elementwise`]: each names the traits' function once and
//! lists the dtypes by class. Inference has already refused every other dtype, so the last arm is a mistake of
//! our own.

use autojit_runtime::math::{Integer, Real};

use super::number::{Basic, Floating};
use super::strided::{Shared, from_vec, map1, map2, map3};
use crate::error::{Error, Result};
use crate::ir::{Element, HostArray};

/// Inputs whose dtypes inference should have refused.
pub(super) fn unexpected(x: &HostArray) -> Error {
    Error::internal(format!("an op met {}", x.ty()))
}

macro_rules! unary {
    ($x:expr, $f:path, [$($variant:ident)*]) => {
        match $x {
            $(HostArray::$variant(x) => map1(x, $f),)*
            other => Err(unexpected(other)),
        }
    };
}

macro_rules! unary_numbers {
    ($x:expr, $f:path) => {
        unary!($x, $f, [Uint8 Int32 Int64 Float32 Float64 Complex64 Complex128])
    };
}

macro_rules! unary_floating {
    ($x:expr, $f:path) => { unary!($x, $f, [Float32 Float64 Complex64 Complex128]) };
}

macro_rules! binary {
    ($x:expr, $y:expr, $shape:expr, $f:path, [$($variant:ident)*]) => {
        match ($x, $y) {
            $((HostArray::$variant(x), HostArray::$variant(y)) => map2(x, y, $shape, $f),)*
            (other, _) => Err(unexpected(other)),
        }
    };
}

macro_rules! binary_all {
    ($x:expr, $y:expr, $shape:expr, $f:path) => {
        binary!($x, $y, $shape, $f, [Float64 Complex128 Bool Uint8 Int32 Int64 Float32 Complex64])
    };
}

macro_rules! binary_numbers {
    ($x:expr, $y:expr, $shape:expr, $f:path) => {
        binary!($x, $y, $shape, $f, [Float64 Complex128 Uint8 Int32 Int64 Float32 Complex64])
    };
}

macro_rules! binary_floating {
    ($x:expr, $y:expr, $shape:expr, $f:path) => {
        binary!($x, $y, $shape, $f, [Float64 Complex128 Float32 Complex64])
    };
}

macro_rules! binary_bool {
    ($x:expr, $y:expr, $shape:expr, $f:path) => {
        binary!($x, $y, $shape, $f, [Bool])
    };
}

pub(super) use {
    binary, binary_all, binary_bool, binary_floating, binary_numbers, unary, unary_floating,
    unary_numbers,
};

/// The complex conjugate; real arrays are it already.
pub(super) fn conj(x: &HostArray) -> Result<HostArray> {
    match x {
        HostArray::Complex64(x) => map1(x, |z| z.conj()),
        HostArray::Complex128(x) => map1(x, |z| z.conj()),
        real => Ok(real.clone()),
    }
}

/// The real part; real arrays are it already.
pub(super) fn real(x: &HostArray) -> Result<HostArray> {
    match x {
        HostArray::Complex64(x) => map1(x, Basic::real),
        HostArray::Complex128(x) => map1(x, Basic::real),
        real => Ok(real.clone()),
    }
}

/// Whether an element is NaN, which only floating ones can be.
pub(super) fn isnan(x: &HostArray) -> Result<HostArray> {
    match x {
        HostArray::Float32(x) => map1(x, Basic::is_nan),
        HostArray::Float64(x) => map1(x, Basic::is_nan),
        HostArray::Complex64(x) => map1(x, Basic::is_nan),
        HostArray::Complex128(x) => map1(x, Basic::is_nan),
        exact => from_vec(exact.shape(), vec![false; exact.shape().iter().product()]),
    }
}

/// Reciprocals of floating numbers; integers have an expansion.
pub(super) fn reciprocal(x: &HostArray) -> Result<Option<HostArray>> {
    match x {
        HostArray::Float32(x) => map1(x, Floating::reciprocal),
        HostArray::Float64(x) => map1(x, Floating::reciprocal),
        HostArray::Complex64(x) => map1(x, Floating::reciprocal),
        HostArray::Complex128(x) => map1(x, Floating::reciprocal),
        _ => return Ok(None),
    }
    .map(Some)
}

/// Division rounded down.
pub(super) fn floor_divide(x: &HostArray, y: &HostArray, shape: &[usize]) -> Result<HostArray> {
    match (x, y) {
        (HostArray::Float32(x), HostArray::Float32(y)) => map2(x, y, shape, Real::floor_divide),
        (HostArray::Float64(x), HostArray::Float64(y)) => map2(x, y, shape, Real::floor_divide),
        _ => binary!(x, y, shape, Integer::floor_divide, [Uint8 Int32 Int64]),
    }
}

/// The remainder with the sign of the divisor.
pub(super) fn remainder(x: &HostArray, y: &HostArray, shape: &[usize]) -> Result<HostArray> {
    match (x, y) {
        (HostArray::Float32(x), HostArray::Float32(y)) => map2(x, y, shape, Real::remainder),
        (HostArray::Float64(x), HostArray::Float64(y)) => map2(x, y, shape, Real::remainder),
        _ => binary!(x, y, shape, Integer::remainder, [Uint8 Int32 Int64]),
    }
}

/// Powers; a square is by far the most frequent, and multiplying is exact where `pow` is slow.
pub(super) fn power(x: &HostArray, y: &HostArray, shape: &[usize]) -> Result<HostArray> {
    fn floating<T: Floating>(
        x: &Shared<T>,
        y: &Shared<T>,
        two: T,
        shape: &[usize],
    ) -> Result<HostArray> {
        if y.ndim() == 0 && y.first() == Some(&two) {
            return map1(x, Basic::square);
        }
        map2(x, y, shape, Floating::power)
    }
    fn integer<T: Integer + Element>(
        x: &Shared<T>,
        y: &Shared<T>,
        shape: &[usize],
    ) -> Result<HostArray> {
        if y.iter().any(|&y| y < T::default()) && !x.is_empty() {
            return Err(Error::value(
                "integers to negative integer powers are not allowed",
            ));
        }
        map2(x, y, shape, Integer::power)
    }
    match (x, y) {
        (HostArray::Float64(x), HostArray::Float64(y)) => floating(x, y, 2.0, shape),
        (HostArray::Float32(x), HostArray::Float32(y)) => floating(x, y, 2.0, shape),
        (HostArray::Complex64(x), HostArray::Complex64(y)) => floating(x, y, 2.0.into(), shape),
        (HostArray::Complex128(x), HostArray::Complex128(y)) => floating(x, y, 2.0.into(), shape),
        (HostArray::Uint8(x), HostArray::Uint8(y)) => integer(x, y, shape),
        (HostArray::Int32(x), HostArray::Int32(y)) => integer(x, y, shape),
        (HostArray::Int64(x), HostArray::Int64(y)) => integer(x, y, shape),
        (other, _) => Err(unexpected(other)),
    }
}

/// The angle of the point `(y, x)`.
pub(super) fn arctan2(y: &HostArray, x: &HostArray, shape: &[usize]) -> Result<HostArray> {
    binary!(y, x, shape, Real::arctan2, [Float32 Float64])
}

/// `x` where the condition holds, else `y`.
pub(super) fn select(
    condition: &HostArray,
    x: &HostArray,
    y: &HostArray,
    shape: &[usize],
) -> Result<HostArray> {
    fn typed<T: Element>(
        condition: &Shared<bool>,
        x: &Shared<T>,
        y: &Shared<T>,
        shape: &[usize],
    ) -> Result<HostArray> {
        map3(condition, x, y, shape, |c, x, y| if c { x } else { y })
    }
    let HostArray::Bool(condition) = condition else {
        return Err(unexpected(condition));
    };
    macro_rules! arms {
        ($($variant:ident)*) => {
            match (x, y) {
                $((HostArray::$variant(x), HostArray::$variant(y)) => typed(condition, x, y, shape),)*
                (other, _) => Err(unexpected(other)),
            }
        };
    }
    arms!(Bool Uint8 Int32 Int64 Float32 Float64 Complex64 Complex128)
}
