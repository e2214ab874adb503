//! The meaning of elementwise ops in terms of simpler ones, written once for all that lower them.
//!
//! [`lower`] writes any core op through a builder that implements [`Elementwise`]: both code generators of the native
//! engine do, and so does the ndarray library for ops of which it has no inner loop. Lowerings to libtorch and XLA, whose
//! own functions mean what most ops mean, implement [`Primitives`] and use the parts that they lack: [`sign`],
//! [`complex_sign`], [`less`], [`less_equal`], [`second_wins`].
//!
//! The reference interpreter (`eval`) is not made from this: it is what this is tested against.
//!
//! Invariants: values are real numbers or truth values, and complex numbers are two of them; a primitive is given the
//! dtype of the elements, of which its values may be parts. No product and sum are contracted into one rounding. The
//! order of primitives is part of what is promised: code generators number registers by it.

mod primitives;

pub use primitives::*;

use crate::op::MapOp;
use crate::types::{Class, DType};

/// Writes a core op on inputs with the dtypes of its signature.
///
/// # Errors
/// The builder has no form for a primitive, or the op has an expansion.
pub fn lower<P: Elementwise>(
    p: &mut P,
    op: MapOp,
    x: &[Element<P::Value>],
    dtypes: &[DType],
    result: DType,
) -> Lowered<P> {
    use Element::{One, Pair};
    let (Some(first), Some(&dtype)) = (x.first(), dtypes.last()) else {
        return Err(p.unexpected(op));
    };
    let class = dtype.class();
    // Ops with one input never look at it.
    let second = x.get(1).unwrap_or(first);
    let (a, b) = (first.as_ref().first(), second.as_ref().first());
    Ok(match op {
        MapOp::Negative => each(first, |v| p.unary(Unary::Negate, dtype, v))?,
        MapOp::Absolute => match class {
            Class::Complex => p.call(op, x, dtype, result)?,
            Class::Float => One(p.unary(Unary::Magnitude, dtype, a)?),
            Class::Integer if dtype != DType::Uint8 => One(p.unary(Unary::Magnitude, dtype, a)?),
            Class::Integer | Class::Bool => first.clone(),
        },
        MapOp::Sign => match first {
            One(v) => One(sign(p, v, dtype)?),
            Pair(re, im) => {
                let modulus = p.call(MapOp::Absolute, x, dtype, dtype.real())?.first();
                complex_sign(p, [re, im], &modulus, dtype)?
            }
        },
        MapOp::Sqrt if class == Class::Float => One(p.unary(Unary::SquareRoot, dtype, a)?),
        MapOp::Conj => match first {
            One(_) => first.clone(),
            Pair(re, im) => Pair(re.clone(), p.unary(Unary::Negate, dtype, im)?),
        },
        MapOp::Real => One(a.clone()),
        MapOp::Imag => One(match first {
            One(v) => p.number(0.0, result, v)?,
            Pair(_, im) => im.clone(),
        }),
        MapOp::LogicalNot => One(p.not(a)?),
        MapOp::Floor | MapOp::Ceil | MapOp::Trunc if class < Class::Float => first.clone(),
        MapOp::Floor => rounded(p, Rounding::Down, first, dtype)?,
        MapOp::Ceil => rounded(p, Rounding::Up, first, dtype)?,
        MapOp::Trunc => rounded(p, Rounding::TowardsZero, first, dtype)?,
        MapOp::Rint => rounded(p, Rounding::NearestEven, first, dtype)?,
        MapOp::Invert if class == Class::Bool => One(p.not(a)?),
        MapOp::Invert => One(p.unary(Unary::Invert, dtype, a)?),

        MapOp::Add if class == Class::Bool => One(p.logic(Logic::Or, a, b)?),
        MapOp::Add => both(first, second, |x, y| p.binary(Binary::Add, dtype, x, y))?,
        MapOp::Subtract => both(first, second, |x, y| {
            p.binary(Binary::Subtract, dtype, x, y)
        })?,
        MapOp::Multiply if class == Class::Bool => One(p.logic(Logic::And, a, b)?),
        MapOp::Multiply => product(p, first, second, dtype)?,
        MapOp::Divide if class == Class::Float => One(p.binary(Binary::Divide, dtype, a, b)?),
        MapOp::Maximum => extremum(p, true, first, second, dtype)?,
        MapOp::Minimum => extremum(p, false, first, second, dtype)?,
        MapOp::Copysign => One(p.binary(Binary::CopySign, dtype, a, b)?),
        MapOp::Fmod if class <= Class::Integer => One(p.binary(Binary::Remainder, dtype, a, b)?),

        MapOp::Equal => One(equal(p, first, second, dtype)?),
        MapOp::NotEqual => {
            let equal = equal(p, first, second, dtype)?;
            One(p.not(&equal)?)
        }
        MapOp::Less => One(less(p, first, second, dtype)?),
        MapOp::LessEqual => One(less_equal(p, first, second, dtype)?),
        MapOp::LogicalAnd => One(p.logic(Logic::And, a, b)?),
        MapOp::LogicalOr => One(p.logic(Logic::Or, a, b)?),
        MapOp::BitwiseAnd => One(bitwise(p, Logic::And, Binary::And, [a, b], dtype)?),
        MapOp::BitwiseOr => One(bitwise(p, Logic::Or, Binary::Or, [a, b], dtype)?),
        MapOp::BitwiseXor => One(bitwise(p, Logic::Xor, Binary::Xor, [a, b], dtype)?),
        MapOp::LeftShift => One(p.binary(Binary::ShiftLeft, dtype, a, b)?),
        MapOp::RightShift => One(p.binary(Binary::ShiftRight, dtype, a, b)?),
        MapOp::Where => match x {
            [_, x, y] => both(x, y, |x, y| p.select(a, x, y))?,
            _ => return Err(p.unexpected(op)),
        },

        MapOp::Astype { dtype: to } => converted(p, first, dtype, to)?,
        MapOp::WrapIndex { axis, size, .. } => One(p.wrap_index(a, axis, size)?),

        MapOp::Power => {
            if class == Class::Integer && dtype != DType::Uint8 {
                p.refuse_negative(b, dtype)?;
            }
            p.call(op, x, dtype, result)?
        }
        // Functions of the runtime.
        MapOp::Sqrt
        | MapOp::Exp
        | MapOp::Exp2
        | MapOp::Expm1
        | MapOp::Log
        | MapOp::Log2
        | MapOp::Log10
        | MapOp::Log1p
        | MapOp::Sin
        | MapOp::Cos
        | MapOp::Tan
        | MapOp::Arcsin
        | MapOp::Arccos
        | MapOp::Arctan
        | MapOp::Sinh
        | MapOp::Cosh
        | MapOp::Tanh
        | MapOp::Cbrt
        | MapOp::Arcsinh
        | MapOp::Arccosh
        | MapOp::Arctanh
        | MapOp::Erf
        | MapOp::Lgamma
        | MapOp::Divide
        | MapOp::FloorDivide
        | MapOp::Remainder
        | MapOp::Arctan2
        | MapOp::Fmod
        | MapOp::Hypot => p.call(op, x, dtype, result)?,

        derived!(MapOp) => return Err(p.unexpected(op)),
    })
}

fn each<V, E>(x: &Element<V>, f: impl FnMut(&V) -> Result<V, E>) -> Result<Element<V>, E> {
    x.as_ref().map(f).transpose()
}

fn both<V, E>(
    x: &Element<V>,
    y: &Element<V>,
    f: impl FnMut(&V, &V) -> Result<V, E>,
) -> Result<Element<V>, E> {
    x.as_ref().zip(y.as_ref(), f).transpose()
}

fn rounded<P: Primitives>(
    p: &mut P,
    rounding: Rounding,
    x: &Element<P::Value>,
    dtype: DType,
) -> Lowered<P> {
    each(x, |v| p.unary(Unary::Round(rounding), dtype, v))
}

fn bitwise<P: Primitives>(
    p: &mut P,
    logic: Logic,
    bits: Binary,
    [x, y]: [&P::Value; 2],
    dtype: DType,
) -> Made<P> {
    if dtype == DType::Bool {
        p.logic(logic, x, y)
    } else {
        p.binary(bits, dtype, x, y)
    }
}

/// The product; of complex numbers by four products, as C multiplies where nothing is infinite.
fn product<P: Primitives>(
    p: &mut P,
    x: &Element<P::Value>,
    y: &Element<P::Value>,
    dtype: DType,
) -> Lowered<P> {
    let (Element::Pair(a, b), Element::Pair(c, d)) = (x, y) else {
        return both(x, y, |x, y| p.binary(Binary::Multiply, dtype, x, y));
    };
    let mut binary = |op, x: &P::Value, y: &P::Value| p.binary(op, dtype, x, y);
    let (ac, bd) = (
        binary(Binary::Multiply, a, c)?,
        binary(Binary::Multiply, b, d)?,
    );
    let re = binary(Binary::Subtract, &ac, &bd)?;
    let (ad, bc) = (
        binary(Binary::Multiply, a, d)?,
        binary(Binary::Multiply, b, c)?,
    );
    Ok(Element::Pair(re, binary(Binary::Add, &ad, &bc)?))
}

/// The quotient of complex numbers, by the steps of the runtime's function with both of its branches by selection: the
/// larger part of the divisor divides the smaller one.
///
/// Source: R. L. Smith, Algorithm 116: Complex division (1962), as NumPy has it.
///
/// # Errors
/// As for the primitives.
pub fn complex_quotient<P: Primitives>(
    p: &mut P,
    [a, b]: [&P::Value; 2],
    [c, d]: [&P::Value; 2],
    dtype: DType,
) -> Lowered<P> {
    let (c_size, d_size) = (
        p.unary(Unary::Magnitude, dtype, c)?,
        p.unary(Unary::Magnitude, dtype, d)?,
    );
    let real_is_larger = p.compare(Comparison::LessEqual, dtype, &d_size, &c_size)?;
    let (large, small) = (
        p.select(&real_is_larger, c, d)?,
        p.select(&real_is_larger, d, c)?,
    );
    let (first, second) = (
        p.select(&real_is_larger, a, b)?,
        p.select(&real_is_larger, b, a)?,
    );
    let ratio = p.binary(Binary::Divide, dtype, &small, &large)?;
    let part = p.binary(Binary::Multiply, dtype, &small, &ratio)?;
    let divisor = p.binary(Binary::Add, dtype, &large, &part)?;
    let one = p.number(1.0, dtype, a)?;
    let scale = p.binary(Binary::Divide, dtype, &one, &divisor)?;
    let moved = p.binary(Binary::Multiply, dtype, &second, &ratio)?;
    let re = p.binary(Binary::Add, dtype, &first, &moved)?;
    let re = p.binary(Binary::Multiply, dtype, &re, &scale)?;
    let moved = p.binary(Binary::Multiply, dtype, &first, &ratio)?;
    // b - a * ratio, or b * ratio - a.
    let (minuend, subtrahend) = (
        p.select(&real_is_larger, &second, &moved)?,
        p.select(&real_is_larger, &moved, &second)?,
    );
    let im = p.binary(Binary::Subtract, dtype, &minuend, &subtrahend)?;
    let im = p.binary(Binary::Multiply, dtype, &im, &scale)?;
    // By zero.
    let zero = p.number(0.0, dtype, a)?;
    let all_bits = p.binary(Binary::Or, dtype, &c_size, &d_size)?;
    let by_zero = p.compare(Comparison::Equal, dtype, &all_bits, &zero)?;
    let (re_limit, im_limit) = (
        p.binary(Binary::Divide, dtype, a, &zero)?,
        p.binary(Binary::Divide, dtype, b, &zero)?,
    );
    Ok(Element::Pair(
        p.select(&by_zero, &re_limit, &re)?,
        p.select(&by_zero, &im_limit, &im)?,
    ))
}

/// -1, 0 or 1 for a real number, without the sign of zeros; NaN stays NaN.
///
/// # Errors
/// As for the primitives.
pub fn sign<P: Primitives>(p: &mut P, x: &P::Value, dtype: DType) -> Made<P> {
    let (zero, one) = (p.number(0.0, dtype, x)?, p.number(1.0, dtype, x)?);
    if dtype == DType::Uint8 {
        let above = p.compare(Comparison::Less, dtype, &zero, x)?;
        return p.select(&above, &one, &zero);
    }
    let minus_one = p.number(-1.0, dtype, x)?;
    let above = p.compare(Comparison::Less, dtype, &zero, x)?;
    let below = p.compare(Comparison::Less, dtype, x, &zero)?;
    let rest = if dtype.is_float() {
        let equal = p.compare(Comparison::Equal, dtype, x, &zero)?;
        // The rest is NaN.
        p.select(&equal, &zero, x)?
    } else {
        zero
    };
    let rest = p.select(&below, &minus_one, &rest)?;
    p.select(&above, &one, &rest)
}

/// `z / |z|`, zero for zero, with NumPy's limits where the modulus is infinite: an infinite real part decides, else the
/// modulus is infinite by the imaginary part, or by overflow.
///
/// Source: NumPy's loop for `sign` of complex numbers.
///
/// # Errors
/// As for the primitives.
pub fn complex_sign<P: Primitives>(
    p: &mut P,
    [re, im]: [&P::Value; 2],
    modulus: &P::Value,
    dtype: DType,
) -> Lowered<P> {
    let (zero, one) = (p.number(0.0, dtype, re)?, p.number(1.0, dtype, re)?);
    let infinity = p.number(f64::INFINITY, dtype, re)?;
    let nan = p.number(f64::NAN, dtype, re)?;
    let is_zero = p.compare(Comparison::Equal, dtype, modulus, &zero)?;
    let is_infinite = p.compare(Comparison::Equal, dtype, modulus, &infinity)?;
    let (re_size, im_size) = (
        p.unary(Unary::Magnitude, dtype, re)?,
        p.unary(Unary::Magnitude, dtype, im)?,
    );
    let re_infinite = p.compare(Comparison::Equal, dtype, &re_size, &infinity)?;
    let im_infinite = p.compare(Comparison::Equal, dtype, &im_size, &infinity)?;
    let (re_sign, im_sign) = (
        p.binary(Binary::CopySign, dtype, &one, re)?,
        p.binary(Binary::CopySign, dtype, &one, im)?,
    );
    let limits = [
        p.select(&re_infinite, &re_sign, &zero)?,
        p.select(&re_infinite, &zero, &im_sign)?,
    ];
    let both_infinite = p.logic(Logic::And, &re_infinite, &im_infinite)?;
    let is_number = p.compare(Comparison::Ordered, dtype, modulus, modulus)?;
    let is_nan = p.not(&is_number)?;
    let no_direction = p.logic(Logic::Or, &both_infinite, &is_nan)?;
    let mut part = |part: &P::Value, limit: &P::Value| {
        let quotient = p.binary(Binary::Divide, dtype, part, modulus)?;
        let value = p.select(&is_zero, &zero, &quotient)?;
        let value = p.select(&is_infinite, limit, &value)?;
        p.select(&no_direction, &nan, &value)
    };
    let re = part(re, &limits[0])?;
    Ok(Element::Pair(re, part(im, &limits[1])?))
}

/// The larger (or smaller) of two; NaN if either is.
fn extremum<P: Primitives>(
    p: &mut P,
    largest: bool,
    x: &Element<P::Value>,
    y: &Element<P::Value>,
    dtype: DType,
) -> Lowered<P> {
    let (a, b) = (x.as_ref().first(), y.as_ref().first());
    Ok(match (dtype.class(), largest) {
        (Class::Bool, true) => Element::One(p.logic(Logic::Or, a, b)?),
        (Class::Bool, false) => Element::One(p.logic(Logic::And, a, b)?),
        (Class::Integer, true) => Element::One(p.binary(Binary::Maximum, dtype, a, b)?),
        (Class::Integer, false) => Element::One(p.binary(Binary::Minimum, dtype, a, b)?),
        (Class::Float | Class::Complex, _) => {
            let second = second_wins(p, largest, x, y, dtype)?;
            both(x, y, |x, y| p.select(&second, y, x))?
        }
    })
}

/// Whether the second of two floating numbers is their maximum (or minimum), and not the first, which is where it wins,
/// ties or is NaN.
///
/// Source: NumPy's loops for `maximum` and `minimum`.
///
/// # Errors
/// As for the primitives.
pub fn second_wins<P: Primitives>(
    p: &mut P,
    largest: bool,
    x: &Element<P::Value>,
    y: &Element<P::Value>,
    dtype: DType,
) -> Made<P> {
    let (low, high) = if largest { (y, x) } else { (x, y) };
    let (first_loses, first_is_number) = match (x, low, high) {
        (Element::Pair(re, im), ..) => {
            let first_wins = less_equal(p, low, high, dtype)?;
            let first_loses = p.not(&first_wins)?;
            let re = p.compare(Comparison::Ordered, dtype, re, re)?;
            let im = p.compare(Comparison::Ordered, dtype, im, im)?;
            (first_loses, p.logic(Logic::And, &re, &im)?)
        }
        (Element::One(x), low, high) => {
            let (low, high) = (low.as_ref().first(), high.as_ref().first());
            (
                p.compare(Comparison::NotLessEqual, dtype, low, high)?,
                p.compare(Comparison::Ordered, dtype, x, x)?,
            )
        }
    };
    p.logic(Logic::And, &first_loses, &first_is_number)
}

fn equal<P: Primitives>(
    p: &mut P,
    x: &Element<P::Value>,
    y: &Element<P::Value>,
    dtype: DType,
) -> Made<P> {
    let (a, c) = (x.as_ref().first(), y.as_ref().first());
    let equal = p.compare(Comparison::Equal, dtype, a, c)?;
    let (Element::Pair(_, b), Element::Pair(_, d)) = (x, y) else {
        return Ok(equal);
    };
    let also = p.compare(Comparison::Equal, dtype, b, d)?;
    p.logic(Logic::And, &equal, &also)
}

/// Whether `x < y`; complex numbers compare by real, then imaginary part; a NaN makes it false.
///
/// # Errors
/// As for the primitives.
pub fn less<P: Primitives>(
    p: &mut P,
    x: &Element<P::Value>,
    y: &Element<P::Value>,
    dtype: DType,
) -> Made<P> {
    ordered(p, Comparison::Less, x, y, dtype)
}

/// Whether `x <= y`; complex numbers compare by real, then imaginary part; a NaN makes it false.
///
/// # Errors
/// As for the primitives.
pub fn less_equal<P: Primitives>(
    p: &mut P,
    x: &Element<P::Value>,
    y: &Element<P::Value>,
    dtype: DType,
) -> Made<P> {
    ordered(p, Comparison::LessEqual, x, y, dtype)
}

fn ordered<P: Primitives>(
    p: &mut P,
    comparison: Comparison,
    x: &Element<P::Value>,
    y: &Element<P::Value>,
    dtype: DType,
) -> Made<P> {
    let (a, c) = (x.as_ref().first(), y.as_ref().first());
    let (Element::Pair(_, b), Element::Pair(_, d)) = (x, y) else {
        return p.compare(comparison, dtype, a, c);
    };
    let equal = p.compare(Comparison::Equal, dtype, a, c)?;
    let below = p.compare(comparison, dtype, b, d)?;
    let tie = p.logic(Logic::And, &equal, &below)?;
    let less = p.compare(Comparison::Less, dtype, a, c)?;
    let numbers = p.compare(Comparison::Ordered, dtype, b, d)?;
    let strict = p.logic(Logic::And, &less, &numbers)?;
    p.logic(Logic::Or, &strict, &tie)
}

/// In another dtype: complex numbers lose their imaginary part, and are true where either part is not zero.
fn converted<P: Elementwise>(
    p: &mut P,
    x: &Element<P::Value>,
    from: DType,
    to: DType,
) -> Lowered<P> {
    if from == to {
        return Ok(x.clone());
    }
    let (source, target) = (from.real(), to.real());
    let first = p.convert(x.as_ref().first(), source, target)?;
    Ok(match x {
        Element::Pair(_, im) if to == DType::Bool => {
            let im = p.convert(im, source, target)?;
            Element::One(p.logic(Logic::Or, &first, &im)?)
        }
        Element::Pair(_, im) if to.is_complex() => {
            Element::Pair(first, p.convert(im, source, target)?)
        }
        Element::One(_) if to.is_complex() => {
            let zero = p.number(0.0, target, &first)?;
            Element::Pair(first, zero)
        }
        Element::One(_) | Element::Pair(..) => Element::One(first),
    })
}
