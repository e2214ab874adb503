//! Elementwise ops, conversions among them. Where libtorch means something else than NumPy, the difference stands beside the op.

use super::super::functions::{Refusal, Torch};
use super::parts::{Parts, astype, harmless_divisor};
use super::{not_native, shape};
use autojit_ir::error::Result;
use autojit_ir::semantics::{self, Primitives};
use autojit_ir::{ArrayType, Class, DType, Literal, MapOp, derived};
use autojit_library::backend::Lowering;

/// How an elementwise op is lowered: [`lower`] has all core ops, and some others of libtorch's own.
pub(super) fn lowering(op: MapOp) -> Lowering {
    let is_own = matches!(
        op,
        MapOp::Square
            | MapOp::IsNan
            | MapOp::IsInf
            | MapOp::IsFinite
            | MapOp::Greater
            | MapOp::GreaterEqual
            | MapOp::LogicalXor
    );
    if op.has_expansion() && !is_own {
        Lowering::Expand
    } else {
        Lowering::Native
    }
}

/// An elementwise op; `ty` is the type of the first input, `size` the number of elements of the result.
#[allow(clippy::too_many_lines, reason = "one arm for each op")]
pub(super) fn lower<T: Torch>(
    t: &mut T,
    op: MapOp,
    inputs: &[&T::Value],
    ty: &ArrayType,
    size: usize,
) -> Result<T::Value> {
    let (dtype, class) = (ty.dtype, ty.dtype.class());
    let x = inputs[0];
    // Ops with one input never look at it.
    let y = inputs.get(1).copied().unwrap_or(x);
    let is_whole = class <= Class::Integer;
    let is_complex = dtype.is_complex();
    match op {
        MapOp::Negative => t.neg(x),
        MapOp::Absolute if dtype == DType::Bool || dtype == DType::Uint8 => Ok(t.share(x)),
        MapOp::Absolute => t.abs(x),
        MapOp::Square => t.mul(x, x),
        MapOp::Sign if is_complex => {
            let mut parts = Parts(t);
            let (re, im) = parts.of(x)?;
            // Its own `sgn` takes moduli that overflow and that underflow.
            let modulus = parts.0.hypot(&re, &im)?;
            let sign = semantics::complex_sign(&mut parts, [&re, &im], &modulus, dtype)?;
            parts.joined(sign)
        }
        MapOp::Sign if is_whole => t.sign(x),
        MapOp::Sign => {
            // torch.sign(nan) is 0.
            let (sign, is_nan) = (t.sign(x)?, t.isnan(x)?);
            t.select(&is_nan, x, &sign)
        }
        MapOp::Sqrt => t.sqrt(x),
        MapOp::Exp => t.exp(x),
        MapOp::Exp2 => t.exp2(x),
        MapOp::Expm1 => t.expm1(x),
        MapOp::Log => t.log(x),
        MapOp::Log2 => t.log2(x),
        MapOp::Log10 => t.log10(x),
        MapOp::Log1p => t.log1p(x),
        MapOp::Sin => t.sin(x),
        MapOp::Cos => t.cos(x),
        MapOp::Tan => t.tan(x),
        MapOp::Arcsin => t.asin(x),
        MapOp::Arccos => t.acos(x),
        MapOp::Arctan => t.atan(x),
        MapOp::Sinh | MapOp::Cosh if is_complex => {
            if op == MapOp::Sinh {
                t.sinh(x)
            } else {
                t.cosh(x)
            }
        }
        MapOp::Sinh => {
            let (sinh, large) = (t.sinh(x)?, half_of_exp(t, x, dtype)?);
            let large = t.copysign(&large, x)?;
            where_large(t, x, &large, &sinh, dtype)
        }
        MapOp::Cosh => {
            let (cosh, large) = (t.cosh(x)?, half_of_exp(t, x, dtype)?);
            where_large(t, x, &large, &cosh, dtype)
        }
        MapOp::Tanh => t.tanh(x),
        MapOp::Erf => t.erf(x),
        MapOp::Lgamma => t.lgamma(x),
        MapOp::Arcsinh => t.asinh(x),
        MapOp::Arccosh => t.acosh(x),
        MapOp::Arctanh => t.atanh(x),
        MapOp::Cbrt => cube_root(t, x, dtype),
        MapOp::Conj if is_complex => t.conj(x),
        MapOp::Real if is_complex => t.real(x),
        MapOp::Imag if is_complex => t.imag(x),
        MapOp::Conj | MapOp::Real => Ok(t.share(x)),
        MapOp::Imag => {
            // Nothing is less than itself.
            let never = t.lt(x, x)?;
            t.cast(&never, dtype)
        }
        MapOp::LogicalNot => t.logical_not(x),
        MapOp::IsNan => t.isnan(x),
        MapOp::IsInf => t.isinf(x),
        // Of the modulus, which may overflow.
        MapOp::IsFinite if is_complex => of_both_parts(t, x, T::isfinite),
        MapOp::IsFinite => t.isfinite(x),
        MapOp::Floor | MapOp::Ceil | MapOp::Trunc if is_whole => Ok(t.share(x)),
        MapOp::Floor => t.floor(x),
        MapOp::Ceil => t.ceil(x),
        MapOp::Trunc => t.trunc(x),
        MapOp::Rint if is_complex => {
            let (re, im) = (t.real(x)?, t.imag(x)?);
            let (re, im) = (t.round(&re)?, t.round(&im)?);
            t.complex(&re, &im)
        }
        MapOp::Rint => t.round(x),
        MapOp::Invert => t.bitwise_not(x),

        MapOp::Add if dtype == DType::Bool => t.bitwise_or(x, y),
        MapOp::Add => t.add(x, y),
        MapOp::Subtract => t.sub(x, y),
        MapOp::Multiply if dtype == DType::Bool => t.bitwise_and(x, y),
        MapOp::Multiply => t.mul(x, y),
        MapOp::Divide => t.div(x, y),
        MapOp::FloorDivide if is_whole => {
            let quotient = whole_quotient(t, x, y, dtype)?;
            let zero = t.literal(Literal::new(0, dtype))?;
            let by_zero = t.eq(y, &zero)?;
            t.select(&by_zero, &zero, &quotient)
        }
        MapOp::FloorDivide => t.div_mode(x, y, "floor"),
        MapOp::Remainder if is_whole => {
            let divisor = harmless_divisor(t, y, dtype)?;
            t.remainder(x, &divisor)
        }
        MapOp::Remainder => {
            // A zero has the sign of the divisor.
            let x = nearer_to_zero(t, x, y, dtype)?;
            let rest = t.remainder(&x, y)?;
            let zero = t.literal(Literal::new(0, dtype))?;
            let (is_zero, signed) = (t.eq(&rest, &zero)?, t.copysign(&rest, y)?);
            t.select(&is_zero, &signed, &rest)
        }
        MapOp::Fmod if is_whole => Parts(t).binary(semantics::Binary::Remainder, dtype, x, y),
        MapOp::Fmod => {
            let x = nearer_to_zero(t, x, y, dtype)?;
            t.fmod(&x, y)
        }
        MapOp::Power if is_complex => complex_power(t, x, y, dtype),
        MapOp::Power => {
            if class == Class::Integer && dtype != DType::Uint8 && size > 0 {
                refuse_negative(t, y, dtype)?;
            }
            t.pow(x, y)
        }
        MapOp::Arctan2 => t.atan2(x, y),
        MapOp::Hypot => t.hypot(x, y),
        MapOp::Copysign => t.copysign(x, y),
        MapOp::Maximum | MapOp::Minimum if is_complex => {
            let mut parts = Parts(t);
            let (a, b) = (parts.element(x)?, parts.element(y)?);
            let largest = op == MapOp::Maximum;
            let second = semantics::second_wins(&mut parts, largest, &a, &b, dtype)?;
            t.select(&second, y, x)
        }
        MapOp::Maximum => t.maximum(x, y),
        MapOp::Minimum => t.minimum(x, y),
        MapOp::Equal => t.eq(x, y),
        MapOp::NotEqual => t.ne(x, y),
        MapOp::Less if is_complex => ordered(t, x, y, dtype, semantics::less),
        MapOp::LessEqual if is_complex => ordered(t, x, y, dtype, semantics::less_equal),
        MapOp::Greater if is_complex => ordered(t, y, x, dtype, semantics::less),
        MapOp::GreaterEqual if is_complex => ordered(t, y, x, dtype, semantics::less_equal),
        MapOp::Less => t.lt(x, y),
        MapOp::LessEqual => t.le(x, y),
        MapOp::Greater => t.gt(x, y),
        MapOp::GreaterEqual => t.ge(x, y),
        MapOp::LogicalAnd | MapOp::BitwiseAnd => t.bitwise_and(x, y),
        MapOp::LogicalOr | MapOp::BitwiseOr => t.bitwise_or(x, y),
        MapOp::LogicalXor | MapOp::BitwiseXor => t.bitwise_xor(x, y),
        MapOp::LeftShift => t.shift_left(x, y),
        MapOp::RightShift => t.shift_right(x, y),
        MapOp::Where => match inputs {
            [condition, x, y] => t.select(condition, x, y),
            _ => Err(not_native(op.name())),
        },
        MapOp::Astype { dtype: to } => astype(t, x, dtype, to),
        MapOp::WrapIndex { axis, size, .. } => shape::wrap_index(t, x, ty, axis, size),
        derived!(MapOp) => Err(not_native(op.name())),
    }
}

/// `exp(|x|) / 2`, which is finite a little longer than the exponential.
fn half_of_exp<T: Torch>(t: &mut T, x: &T::Value, dtype: DType) -> Result<T::Value> {
    let half = t.literal(Literal::new(0.5, dtype))?;
    let magnitude = t.abs(x)?;
    let root = t.mul(&magnitude, &half)?;
    let root = t.exp(&root)?;
    let part = t.mul(&root, &half)?;
    t.mul(&root, &part)
}

/// The first where libtorch's hyperbolic functions overflow too early, else the second.
fn where_large<T: Torch>(
    t: &mut T,
    x: &T::Value,
    large: &T::Value,
    ordinary: &T::Value,
    dtype: DType,
) -> Result<T::Value> {
    let bound = if dtype == DType::Float32 { 88.0 } else { 709.0 };
    let bound = t.literal(Literal::new(bound, dtype))?;
    let magnitude = t.abs(x)?;
    let is_large = t.gt(&magnitude, &bound)?;
    t.select(&is_large, large, ordinary)
}

/// A test of the real and the imaginary part, both of which must pass.
fn of_both_parts<T: Torch>(
    t: &mut T,
    x: &T::Value,
    test: impl Fn(&mut T, &T::Value) -> Result<T::Value>,
) -> Result<T::Value> {
    let (re, im) = (t.real(x)?, t.imag(x)?);
    let (re, im) = (test(t, &re)?, test(t, &im)?);
    t.bitwise_and(&re, &im)
}

/// Powers of complex numbers. libtorch takes the logarithm of zero, too.
fn complex_power<T: Torch>(
    t: &mut T,
    x: &T::Value,
    y: &T::Value,
    dtype: DType,
) -> Result<T::Value> {
    let power = t.pow(x, y)?;
    let exponent = t.known(y).map(|known| known.value.to_complex());
    if exponent.is_some_and(|y| y.re > 0.0) {
        return Ok(power);
    }
    let zero = t.literal(Literal::new(0, dtype))?;
    let one = t.literal(Literal::new(1, dtype))?;
    let nan = t.literal(Literal::new(f64::NAN, dtype))?;
    let real_zero = t.literal(Literal::new(0, dtype.real()))?;
    let (of_zero, re) = (t.eq(x, &zero)?, t.real(y)?);
    let vanishes = t.gt(&re, &real_zero)?;
    let power_of_zero = t.select(&vanishes, &zero, &nan)?;
    let power = t.select(&of_zero, &power_of_zero, &power)?;
    let to_zero = t.eq(y, &zero)?;
    t.select(&to_zero, &one, &power)
}

/// The cube root, which libtorch has not: by a power, and one step of Newton's method for the last bits.
fn cube_root<T: Torch>(t: &mut T, x: &T::Value, dtype: DType) -> Result<T::Value> {
    let three = t.literal(Literal::new(3.0, dtype))?;
    let third = t.literal(Literal::new(1.0 / 3.0, dtype))?;
    let magnitude = t.abs(x)?;
    let root = t.pow(&magnitude, &third)?;
    let square = t.mul(&root, &root)?;
    let better = t.div(&magnitude, &square)?;
    let error = t.sub(&root, &better)?;
    let error = t.div(&error, &three)?;
    let root = t.sub(&root, &error)?;
    let root = t.copysign(&root, x)?;
    // Zeros, infinities and NaN are their own cube roots, and divide to NaN above.
    let failed = t.isnan(&root)?;
    t.select(&failed, x, &root)
}

/// A floating dividend less a multiple of the divisor, so that the quotient is not beyond the largest number: there vectors of
/// libtorch give NaN for a remainder. Remainders by the divisor times powers of two are exact, and those by infinity change nothing.
fn nearer_to_zero<T: Torch>(
    t: &mut T,
    x: &T::Value,
    y: &T::Value,
    dtype: DType,
) -> Result<T::Value> {
    // Three steps of this cover all quotients.
    let step = match dtype {
        DType::Float32 => 2.0_f64.powi(100),
        _ => 2.0_f64.powi(700),
    };
    let step = t.literal(Literal::new(step, dtype))?;
    let near = t.mul(y, &step)?;
    let far = t.mul(&near, &step)?;
    let x = t.fmod(x, &far)?;
    t.fmod(&x, &near)
}

/// The quotient rounded down, right for every divisor but zero.
fn whole_quotient<T: Torch>(
    t: &mut T,
    x: &T::Value,
    y: &T::Value,
    dtype: DType,
) -> Result<T::Value> {
    let divisor = harmless_divisor(t, y, dtype)?;
    let quotient = t.div_mode(x, &divisor, "floor")?;
    if dtype == DType::Uint8 {
        return Ok(quotient);
    }
    let minus_one = t.literal(Literal::new(-1, dtype))?;
    let (negates, negated) = (t.eq(y, &minus_one)?, t.neg(x)?);
    t.select(&negates, &negated, &quotient)
}

/// Integers to negative powers are an error.
fn refuse_negative<T: Torch>(t: &mut T, y: &T::Value, dtype: DType) -> Result<()> {
    if t.known(y).is_some_and(|known| known.value.to_i64() >= 0) {
        return Ok(());
    }
    let zero = t.literal(Literal::new(0, dtype))?;
    let negative = t.lt(y, &zero)?;
    t.refuse_where(&negative, y, Refusal::NegativePower)
}

/// A comparison by order of complex numbers.
fn ordered<'t, T: Torch>(
    t: &'t mut T,
    x: &T::Value,
    y: &T::Value,
    dtype: DType,
    compare: Compare<'t, T>,
) -> Result<T::Value> {
    let mut parts = Parts(t);
    let (x, y) = (parts.element(x)?, parts.element(y)?);
    compare(&mut parts, &x, &y, dtype)
}

type Compare<'t, T> = fn(
    &mut Parts<'t, T>,
    &semantics::Element<<T as Torch>::Value>,
    &semantics::Element<<T as Torch>::Value>,
    DType,
) -> Result<<T as Torch>::Value>;
