//! Elementwise ops: one table from op and dtype to an inner loop.
//!
//! Each row names the traits' function once and lists the dtypes by class; where there is no kernel, the op is expanded,
//! or made of primitives (`primitives.rs`). A few ops look at their inputs before the table does.

use autojit_runtime::math::{Integer, Real, complex};
use num_complex::{Complex, Complex32, Complex64};
use smallvec::SmallVec;

use super::bits::{Bits, Integral};
use super::kernel::{INPUTS, Kernel};
use super::number::{Basic, Floating, Number};
use super::strided::{View, map};
use super::wide;
use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, HostArray, MapOp, SharedArray};

/// The result of an elementwise op on inputs that broadcast to `shape`; `None` if it is not computed here.
pub(super) fn run(op: MapOp, inputs: &[&HostArray], shape: &[usize]) -> Result<Option<HostArray>> {
    let Some(&last) = inputs.last() else {
        return Ok(None);
    };
    let dtype = last.dtype();
    if is_identity(op, dtype) {
        return Ok(Some(last.clone()));
    }
    if let (MapOp::Power, &[x, y]) = (op, inputs)
        && is_square(x, y)?
    {
        return run(MapOp::Square, &[x], shape);
    }
    if let Some(result) = wide::run(op, inputs, shape) {
        return result.map(Some);
    }
    let Some(kernel) = kernel(op, dtype) else {
        return Ok(None);
    };
    let views: SmallVec<[View<'_>; INPUTS]> = inputs.iter().map(|x| View::new(x)).collect();
    map(kernel, &views, shape).map(Some)
}

/// Whether the op gives what it is given: parts of real numbers, and whole numbers rounded.
fn is_identity(op: MapOp, dtype: DType) -> bool {
    match op {
        MapOp::Conj | MapOp::Real => !dtype.is_complex(),
        MapOp::Floor | MapOp::Ceil | MapOp::Trunc | MapOp::Rint => {
            !dtype.is_complex() && !dtype.is_float()
        }
        _ => false,
    }
}

/// Whether a power is a square: by far the most frequent, and multiplying gives the same bits sooner. Refuses integers to
/// negative powers.
fn is_square(x: &HostArray, y: &HostArray) -> Result<bool> {
    fn is<T: PartialEq>(y: &SharedArray<T>, two: T) -> bool {
        y.ndim() == 0 && y.first() == Some(&two)
    }
    let is_negative = match y {
        HostArray::Float64(y) => return Ok(is(y, 2.0)),
        HostArray::Float32(y) => return Ok(is(y, 2.0)),
        HostArray::Complex64(y) => return Ok(is(y, 2.0.into())),
        HostArray::Complex128(y) => return Ok(is(y, 2.0.into())),
        HostArray::Int32(y) => y.iter().any(|&y| y < 0),
        HostArray::Int64(y) => y.iter().any(|&y| y < 0),
        HostArray::Bool(_) | HostArray::Uint8(_) => false,
        // These are computed with as int64.
        HostArray::Int8(_)
        | HostArray::Int16(_)
        | HostArray::Uint16(_)
        | HostArray::Uint32(_)
        | HostArray::Uint64(_) => false,
    };
    if is_negative && !x.shape().contains(&0) {
        return Err(Error::value(
            "integers to negative integer powers are not allowed",
        ));
    }
    Ok(false)
}

/// One kernel per listed dtype: `$make` is a constructor of [`Kernel`], `$f` a function of the type `$T`.
macro_rules! by_dtype {
    ($dtype:expr, $make:ident, [$($variant:ident: $t:ty),*], $T:ident => $f:expr) => {
        match $dtype {
            $(DType::$variant => {
                type $T = $t;
                Some(Kernel::$make($f))
            })*
            #[allow(unreachable_patterns, reason = "some rows list all dtypes")]
            _ => None,
        }
    };
}

macro_rules! bools {
    ($dtype:expr, $make:ident, $T:ident => $f:expr) => {
        by_dtype!($dtype, $make, [Bool: bool], $T => $f)
    };
}

macro_rules! integers {
    ($dtype:expr, $make:ident, $T:ident => $f:expr) => {
        by_dtype!($dtype, $make, [Uint8: u8, Int32: i32, Int64: i64], $T => $f)
    };
}

macro_rules! bits {
    ($dtype:expr, $make:ident, $T:ident => $f:expr) => {
        by_dtype!($dtype, $make, [Bool: bool, Uint8: u8, Int32: i32, Int64: i64], $T => $f)
    };
}

macro_rules! reals {
    ($dtype:expr, $make:ident, $T:ident => $f:expr) => {
        by_dtype!($dtype, $make, [Float32: f32, Float64: f64], $T => $f)
    };
}

macro_rules! complexes {
    ($dtype:expr, $make:ident, $T:ident => $f:expr) => {
        by_dtype!($dtype, $make, [Complex64: Complex32, Complex128: Complex64], $T => $f)
    };
}

macro_rules! floating {
    ($dtype:expr, $make:ident, $T:ident => $f:expr) => {
        by_dtype!($dtype, $make,
            [Float32: f32, Float64: f64, Complex64: Complex32, Complex128: Complex64], $T => $f)
    };
}

macro_rules! numbers {
    ($dtype:expr, $make:ident, $T:ident => $f:expr) => {
        by_dtype!($dtype, $make, [
            Uint8: u8, Int32: i32, Int64: i64,
            Float32: f32, Float64: f64, Complex64: Complex32, Complex128: Complex64
        ], $T => $f)
    };
}

macro_rules! all {
    ($dtype:expr, $make:ident, $T:ident => $f:expr) => {
        by_dtype!($dtype, $make, [
            Bool: bool, Uint8: u8, Int32: i32, Int64: i64,
            Float32: f32, Float64: f64, Complex64: Complex32, Complex128: Complex64
        ], $T => $f)
    };
}

/// A function that exists under one name for real and for complex numbers.
macro_rules! real_or_complex {
    ($dtype:expr, $name:ident) => {
        match $dtype {
            DType::Complex64 | DType::Complex128 => {
                complexes!($dtype, unary, T => |z: T| complex::$name(z))
            }
            _ => reals!($dtype, unary, T => <T as Real>::$name),
        }
    };
}

/// Rounds floating numbers; complex ones part by part.
macro_rules! rounding {
    ($dtype:expr, $name:ident) => {
        match $dtype {
            DType::Complex64 => Some(Kernel::unary(|z: Complex32| Complex::new(z.re.$name(), z.im.$name()))),
            DType::Complex128 => Some(Kernel::unary(|z: Complex64| Complex::new(z.re.$name(), z.im.$name()))),
            _ => reals!($dtype, unary, T => T::$name),
        }
    };
}

/// The kernel of an op on inputs of this dtype; for `where`, those that are chosen from.
pub(super) fn kernel(op: MapOp, dtype: DType) -> Option<Kernel> {
    match op {
        MapOp::Negative => numbers!(dtype, unary, T => <T as Number>::negative),
        MapOp::Absolute => all!(dtype, unary, T => <T as Basic>::absolute),
        MapOp::Square => all!(dtype, unary, T => <T as Basic>::square),
        MapOp::Sign => numbers!(dtype, unary, T => <T as Number>::sign),
        MapOp::Reciprocal => floating!(dtype, unary, T => <T as Floating>::reciprocal),
        MapOp::Sqrt => floating!(dtype, unary, T => <T as Floating>::sqrt),
        MapOp::Conj => complexes!(dtype, unary, T => |z: T| z.conj()),
        MapOp::Real => complexes!(dtype, unary, T => <T as Basic>::real),
        MapOp::Imag => all!(dtype, unary, T => <T as Basic>::imag),
        MapOp::LogicalNot => bools!(dtype, unary, T => <T as std::ops::Not>::not),
        MapOp::IsNan => all!(dtype, unary, T => <T as Basic>::is_nan),

        MapOp::Floor => rounding!(dtype, floor),
        MapOp::Ceil => rounding!(dtype, ceil),
        MapOp::Trunc => rounding!(dtype, trunc),
        MapOp::Rint => rounding!(dtype, round_ties_even),
        MapOp::Invert => bits!(dtype, unary, T => <T as Bits>::invert),

        MapOp::Exp => floating!(dtype, unary, T => <T as Floating>::exp),
        MapOp::Exp2 => floating!(dtype, unary, T => <T as Floating>::exp2),
        MapOp::Expm1 => floating!(dtype, unary, T => <T as Floating>::expm1),
        MapOp::Log => floating!(dtype, unary, T => <T as Floating>::log),
        MapOp::Log2 => floating!(dtype, unary, T => <T as Floating>::log2),
        MapOp::Log10 => floating!(dtype, unary, T => <T as Floating>::log10),
        MapOp::Log1p => floating!(dtype, unary, T => <T as Floating>::log1p),
        MapOp::Sin => floating!(dtype, unary, T => <T as Floating>::sin),
        MapOp::Cos => floating!(dtype, unary, T => <T as Floating>::cos),
        MapOp::Tan => floating!(dtype, unary, T => <T as Floating>::tan),
        MapOp::Arcsin => floating!(dtype, unary, T => <T as Floating>::arcsin),
        MapOp::Arccos => floating!(dtype, unary, T => <T as Floating>::arccos),
        MapOp::Arctan => floating!(dtype, unary, T => <T as Floating>::arctan),
        MapOp::Sinh => floating!(dtype, unary, T => <T as Floating>::sinh),
        MapOp::Cosh => floating!(dtype, unary, T => <T as Floating>::cosh),
        MapOp::Tanh => floating!(dtype, unary, T => <T as Floating>::tanh),
        MapOp::Arcsinh => real_or_complex!(dtype, arcsinh),
        MapOp::Arccosh => real_or_complex!(dtype, arccosh),
        MapOp::Arctanh => real_or_complex!(dtype, arctanh),
        MapOp::Cbrt => reals!(dtype, unary, T => <T as Real>::cbrt),
        MapOp::Erf => reals!(dtype, unary, T => <T as Real>::erf),
        MapOp::Lgamma => reals!(dtype, unary, T => <T as Real>::lgamma),

        MapOp::Add => all!(dtype, binary, T => <T as Basic>::add),
        MapOp::Subtract => numbers!(dtype, binary, T => <T as Number>::subtract),
        MapOp::Multiply => all!(dtype, binary, T => <T as Basic>::multiply),
        MapOp::Divide => floating!(dtype, binary, T => <T as Floating>::divide),
        MapOp::FloorDivide => match dtype {
            DType::Float32 | DType::Float64 => {
                reals!(dtype, binary, T => <T as Real>::floor_divide)
            }
            _ => integers!(dtype, binary, T => <T as Integer>::floor_divide),
        },
        MapOp::Remainder => match dtype {
            DType::Float32 | DType::Float64 => reals!(dtype, binary, T => <T as Real>::remainder),
            _ => integers!(dtype, binary, T => <T as Integer>::remainder),
        },
        MapOp::Fmod => match dtype {
            DType::Float32 | DType::Float64 => reals!(dtype, binary, T => <T as Real>::fmod),
            _ => integers!(dtype, binary, T => <T as Integral>::fmod),
        },
        MapOp::Copysign => reals!(dtype, binary, T => T::copysign),
        MapOp::Maximum => all!(dtype, binary, T => <T as Basic>::maximum),
        MapOp::Minimum => all!(dtype, binary, T => <T as Basic>::minimum),

        MapOp::Equal => all!(dtype, binary, T => <T as Basic>::equal),
        MapOp::NotEqual => all!(dtype, binary, T => <T as Basic>::not_equal),
        MapOp::Less => all!(dtype, binary, T => <T as Basic>::less),
        MapOp::LessEqual => all!(dtype, binary, T => <T as Basic>::less_equal),
        MapOp::Greater => all!(dtype, binary, T => <T as Basic>::greater),
        MapOp::GreaterEqual => all!(dtype, binary, T => <T as Basic>::greater_equal),
        MapOp::LogicalAnd => bools!(dtype, binary, T => <T as Basic>::multiply),
        MapOp::LogicalOr => bools!(dtype, binary, T => <T as Basic>::add),
        MapOp::LogicalXor => bools!(dtype, binary, T => <T as Basic>::not_equal),

        MapOp::BitwiseAnd => bits!(dtype, binary, T => <T as Bits>::and),
        MapOp::BitwiseOr => bits!(dtype, binary, T => <T as Bits>::or),
        MapOp::BitwiseXor => bits!(dtype, binary, T => <T as Bits>::xor),
        MapOp::LeftShift => integers!(dtype, binary, T => <T as Integral>::left_shift),
        MapOp::RightShift => integers!(dtype, binary, T => <T as Integral>::right_shift),

        MapOp::Power => match dtype {
            DType::Uint8 | DType::Int32 | DType::Int64 => {
                integers!(dtype, binary, T => <T as Integer>::power)
            }
            _ => floating!(dtype, binary, T => <T as Floating>::power),
        },
        MapOp::Arctan2 => reals!(dtype, binary, T => <T as Real>::arctan2),
        MapOp::Hypot => reals!(dtype, binary, T => <T as Real>::hypot),

        MapOp::Where => Some(Kernel::select(dtype)),
        // Loops are an option: what has none is made of primitives, or expanded.
        _ => None,
    }
}
