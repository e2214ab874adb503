//! Tangents of elementwise ops.
//!
//! Complex functions are differentiated as functions of a complex number; `absolute`, `sign`, `conj`, `real` and `imag`
//! as functions of two real ones. Degenerate points:
//! - `absolute` and complex `sign` have the derivative 0 at 0;
//! - `power` has the derivative 0 by the base where the exponent is 0, and 0 by the exponent where the base is 0;
//! - equal inputs of `maximum` and `minimum` take half of the derivative each;
//! - `hypot` has the derivative 0 where both inputs are 0;
//! - `where` passes on nothing to the input that it leaves out, whatever the derivative is there.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};

use super::{Site, Tangent, special};
use crate::error::{Error, Result};
use crate::{MapOp, ValueId};

use super::super::treatment::constant;
use super::super::writer::Writer;

pub(super) fn tangent(w: &mut Writer, op: MapOp, site: &Site<'_>) -> Result<Tangent> {
    match *site.x {
        [x] => match site.t[0] {
            Some(t) => unary(w, op, x, t, site),
            None => Ok(None),
        },
        [x, y] => binary(w, op, [x, y], [site.t[0], site.t[1]], site.out),
        _ => selected(w, op, site),
    }
}

fn selected(w: &mut Writer, op: MapOp, site: &Site<'_>) -> Result<Tangent> {
    let (MapOp::Where, &[condition, ..], &[_, x, y]) = (op, site.x, site.t) else {
        return Err(Error::internal(format!(
            "{op:?} of {} inputs",
            site.x.len()
        )));
    };
    Ok(match (x, y) {
        (Some(x), Some(y)) => Some(w.select(condition, x, y)?),
        (Some(x), None) => Some(w.keep(condition, x)?),
        (None, Some(y)) => Some(w.drop(condition, y)?),
        (None, None) => None,
    })
}

fn unary(w: &mut Writer, op: MapOp, x: ValueId, t: ValueId, site: &Site<'_>) -> Result<Tangent> {
    let y = site.out;
    let is_complex = w.dtype(x)?.is_complex();
    let by = |w: &mut Writer, divisor: ValueId| w.div(t, divisor).map(Some);
    let times = |w: &mut Writer, factor: ValueId| w.mul(t, factor).map(Some);
    match op {
        MapOp::Negative | MapOp::Astype { .. } => site.again(w, &[t]),
        MapOp::Conj | MapOp::Real if is_complex => site.again(w, &[t]),
        MapOp::Conj | MapOp::Real => Ok(Some(t)),
        MapOp::Imag if is_complex => site.again(w, &[t]),
        MapOp::Absolute => {
            let sign = w.op(MapOp::Sign, &[x])?;
            w.along(sign, t).map(Some)
        }
        MapOp::Sign if is_complex => complex_sign(w, x, t, y).map(Some),
        MapOp::Square => {
            let twice = w.scale(x, 2.0)?;
            times(w, twice)
        }
        MapOp::Sqrt => {
            let twice = w.scale(y, 2.0)?;
            by(w, twice)
        }
        MapOp::Reciprocal => {
            let square = w.op(MapOp::Square, &[y])?;
            let slope = w.neg(square)?;
            times(w, slope)
        }
        MapOp::Exp => times(w, y),
        MapOp::Exp2 => {
            let slope = w.scale(y, LN_2)?;
            times(w, slope)
        }
        MapOp::Expm1 => {
            let slope = w.shift(y, 1.0)?;
            times(w, slope)
        }
        MapOp::Log => by(w, x),
        MapOp::Log2 => {
            let slope = w.scale(x, LN_2)?;
            by(w, slope)
        }
        MapOp::Log10 => {
            let slope = w.scale(x, LN_10)?;
            by(w, slope)
        }
        MapOp::Log1p => {
            let slope = w.shift(x, 1.0)?;
            by(w, slope)
        }
        MapOp::Sin => {
            let slope = w.op(MapOp::Cos, &[x])?;
            times(w, slope)
        }
        MapOp::Cos => {
            let sine = w.op(MapOp::Sin, &[x])?;
            let slope = w.neg(sine)?;
            times(w, slope)
        }
        MapOp::Tan => {
            let square = w.op(MapOp::Square, &[y])?;
            let slope = w.shift(square, 1.0)?;
            times(w, slope)
        }
        MapOp::Arcsin => {
            let root = root_of_one_minus_square(w, x)?;
            by(w, root)
        }
        MapOp::Arccos => {
            let root = root_of_one_minus_square(w, x)?;
            let slope = w.neg(root)?;
            by(w, slope)
        }
        MapOp::Arctan => {
            let square = w.op(MapOp::Square, &[x])?;
            let slope = w.shift(square, 1.0)?;
            by(w, slope)
        }
        MapOp::Sinh => {
            let slope = w.op(MapOp::Cosh, &[x])?;
            times(w, slope)
        }
        MapOp::Cosh => {
            let slope = w.op(MapOp::Sinh, &[x])?;
            times(w, slope)
        }
        MapOp::Tanh => {
            let slope = one_minus_square(w, y)?;
            times(w, slope)
        }
        MapOp::Arcsinh => {
            let square = w.op(MapOp::Square, &[x])?;
            let sum = w.shift(square, 1.0)?;
            let root = w.op(MapOp::Sqrt, &[sum])?;
            by(w, root)
        }
        MapOp::Arccosh => {
            // Not the root of the product, which is on another branch for some complex numbers.
            let (less, more) = (w.shift(x, -1.0)?, w.shift(x, 1.0)?);
            let (less, more) = (w.op(MapOp::Sqrt, &[less])?, w.op(MapOp::Sqrt, &[more])?);
            let root = w.mul(less, more)?;
            by(w, root)
        }
        MapOp::Arctanh => {
            let slope = one_minus_square(w, x)?;
            by(w, slope)
        }
        MapOp::Cbrt => {
            let square = w.op(MapOp::Square, &[y])?;
            let slope = w.scale(square, 3.0)?;
            by(w, slope)
        }
        MapOp::Erf => {
            let square = w.op(MapOp::Square, &[x])?;
            let square = w.neg(square)?;
            let bell = w.op(MapOp::Exp, &[square])?;
            let slope = w.scale(bell, FRAC_2_SQRT_PI)?;
            times(w, slope)
        }
        MapOp::Lgamma => {
            let slope = special::digamma(w, x)?;
            times(w, slope)
        }
        // Constant but for jumps, or real where an imaginary part is asked for.
        MapOp::Sign | MapOp::Imag => Ok(None),
        constant!() => Ok(None),
        MapOp::Add
        | MapOp::Subtract
        | MapOp::Multiply
        | MapOp::Divide
        | MapOp::Remainder
        | MapOp::Power
        | MapOp::Arctan2
        | MapOp::Maximum
        | MapOp::Minimum
        | MapOp::Fmod
        | MapOp::Hypot
        | MapOp::Copysign
        | MapOp::Where => Err(Error::internal(format!("{op:?} of one input"))),
    }
}

/// `(1 - x) (1 + x)`, which loses nothing near one.
fn one_minus_square(w: &mut Writer, x: ValueId) -> Result<ValueId> {
    let (less, more) = (w.minus(1.0, x)?, w.shift(x, 1.0)?);
    w.mul(less, more)
}

fn root_of_one_minus_square(w: &mut Writer, x: ValueId) -> Result<ValueId> {
    let difference = one_minus_square(w, x)?;
    w.op(MapOp::Sqrt, &[difference])
}

/// `(t - s Re(conj(s) t)) / |x|` for `s = x / |x|`: what turns it. Zero at zero.
fn complex_sign(w: &mut Writer, x: ValueId, t: ValueId, sign: ValueId) -> Result<ValueId> {
    let modulus = w.op(MapOp::Absolute, &[x])?;
    let is_zero = w.is_zero(modulus)?;
    let modulus = w.nonzero(modulus)?;
    let t = w.drop(is_zero, t)?;
    let radial = w.along(sign, t)?;
    let radial = w.mul(radial, sign)?;
    let turn = w.sub(t, radial)?;
    w.div(turn, modulus)
}

fn binary(
    w: &mut Writer,
    op: MapOp,
    [x, y]: [ValueId; 2],
    [s, t]: [Tangent; 2],
    out: ValueId,
) -> Result<Tangent> {
    match op {
        MapOp::Add => w.total([s, t]),
        MapOp::Subtract => difference(w, s, t),
        MapOp::Multiply => {
            if x == y
                && let Some(s) = s
            {
                let twice = w.scale(x, 2.0)?;
                return w.mul(s, twice).map(Some);
            }
            let (left, right) = (scaled(w, s, y)?, scaled(w, t, x)?);
            w.total([left, right])
        }
        MapOp::Divide => {
            let lost = scaled(w, t, out)?;
            match difference(w, s, lost)? {
                Some(above) => w.div(above, y).map(Some),
                None => Ok(None),
            }
        }
        MapOp::Power => {
            let by_base = match s {
                Some(s) => power_by_base(w, [x, y], s)?,
                None => None,
            };
            let by_exponent = match t {
                Some(t) => {
                    let base = w.nonzero(x)?;
                    let log = w.op(MapOp::Log, &[base])?;
                    let slope = w.mul(log, out)?;
                    Some(w.mul(t, slope)?)
                }
                None => None,
            };
            w.total([by_base, by_exponent])
        }
        // The angle of (y, x): the first input is the height.
        MapOp::Arctan2 => {
            let (height, width) = (x, y);
            let (up, aside) = (scaled(w, s, width)?, scaled(w, t, height)?);
            let (a, b) = (w.op(MapOp::Square, &[x])?, w.op(MapOp::Square, &[y])?);
            let square = w.add(a, b)?;
            match difference(w, up, aside)? {
                Some(above) => w.div(above, square).map(Some),
                None => Ok(None),
            }
        }
        MapOp::Hypot => {
            let (left, right) = (scaled(w, s, x)?, scaled(w, t, y)?);
            match w.total([left, right])? {
                Some(above) => {
                    let length = w.nonzero(out)?;
                    w.div(above, length).map(Some)
                }
                None => Ok(None),
            }
        }
        MapOp::Maximum => extremum(w, MapOp::Greater, [x, y], [s, t]),
        MapOp::Minimum => extremum(w, MapOp::Less, [x, y], [s, t]),
        MapOp::Copysign => {
            let Some(s) = s else { return Ok(None) };
            let one = w.number(1.0, x)?;
            let before = w.op(MapOp::Copysign, &[one, x])?;
            let after = w.op(MapOp::Copysign, &[one, out])?;
            let turned = w.mul(before, after)?;
            w.mul(s, turned).map(Some)
        }
        // x - q y with a whole number q.
        MapOp::Remainder | MapOp::Fmod => {
            let lost = match t {
                Some(t) => {
                    let rest = w.sub(x, out)?;
                    let quotient = w.div(rest, y)?;
                    let whole = w.op(MapOp::Rint, &[quotient])?;
                    Some(w.mul(t, whole)?)
                }
                None => None,
            };
            difference(w, s, lost)
        }
        constant!() => Ok(None),
        MapOp::Negative
        | MapOp::Absolute
        | MapOp::Square
        | MapOp::Sign
        | MapOp::Sqrt
        | MapOp::Reciprocal
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
        | MapOp::Conj
        | MapOp::Real
        | MapOp::Imag
        | MapOp::Cbrt
        | MapOp::Arcsinh
        | MapOp::Arccosh
        | MapOp::Arctanh
        | MapOp::Erf
        | MapOp::Lgamma
        | MapOp::Where
        | MapOp::Astype { .. } => Err(Error::internal(format!("{op:?} of two inputs"))),
    }
}

fn scaled(w: &mut Writer, t: Tangent, factor: ValueId) -> Result<Tangent> {
    t.map(|t| w.mul(t, factor)).transpose()
}

fn difference(w: &mut Writer, s: Tangent, t: Tangent) -> Result<Tangent> {
    Ok(match (s, t) {
        (Some(s), Some(t)) => Some(w.sub(s, t)?),
        (None, Some(t)) => Some(w.neg(t)?),
        (s, None) => s,
    })
}

/// `y x^(y - 1)`, which is zero where `y` is.
fn power_by_base(w: &mut Writer, [x, y]: [ValueId; 2], s: ValueId) -> Result<Tangent> {
    let dtype = w.dtype(x)?;
    let slope = match w
        .graph
        .as_literal(y)
        .map(|literal| literal.value.to_complex())
    {
        Some(p) if p.im == 0.0 => match p.re {
            0.0 => return Ok(None),
            1.0 => return Ok(Some(s)),
            2.0 => w.scale(x, 2.0)?,
            p => {
                let below = w.graph.add_literal(p - 1.0, dtype);
                let power = w.op(MapOp::Power, &[x, below])?;
                w.scale(power, p)?
            }
        },
        _ => {
            let is_zero = w.is_zero(y)?;
            let below = w.shift(y, -1.0)?;
            let one = w.number(1.0, y)?;
            let below = w.select(is_zero, one, below)?;
            let power = w.op(MapOp::Power, &[x, below])?;
            w.mul(y, power)?
        }
    };
    w.mul(s, slope).map(Some)
}

fn extremum(
    w: &mut Writer,
    first_wins: MapOp,
    [x, y]: [ValueId; 2],
    [s, t]: [Tangent; 2],
) -> Result<Tangent> {
    let tie = w.op(MapOp::Equal, &[x, y])?;
    let first = w.op(first_wins, &[x, y])?;
    let (won, shared) = match (s, t) {
        (Some(s), Some(t)) => (w.select(first, s, t)?, w.add(s, t)?),
        (Some(s), None) => (w.keep(first, s)?, s),
        (None, Some(t)) => (w.drop(first, t)?, t),
        (None, None) => return Ok(None),
    };
    let shared = w.scale(shared, 0.5)?;
    w.select(tie, shared, won).map(Some)
}
