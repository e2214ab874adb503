//! The primitives that ops are written with, as XLA's instructions on real numbers, for ops that it does not have as NumPy
//! means them.

use super::super::instructions::Compare;
use super::super::module::{Value, Writer};
use super::real::{self, copysign, hypot, unless_zero};
use autojit_ir::error::{Error, Result};
use autojit_ir::semantics::{
    self, Binary, Comparison, Element, Logic, Primitives, Rounding, Unary,
};
use autojit_ir::{Class, DType};

/// A number, or the parts of a complex one.
pub(super) fn element(w: &mut Writer, x: &Value) -> Element<Value> {
    if x.ty.dtype.is_complex() {
        Element::Pair(w.real(x), w.imag(x))
    } else {
        Element::One(x.clone())
    }
}

/// `z / |z|`, zero for zero.
pub(super) fn complex_sign(w: &mut Writer, z: &Value) -> Result<Value> {
    let (re, im) = (w.real(z), w.imag(z));
    let modulus = hypot(w, &re, &im);
    match semantics::complex_sign(w, [&re, &im], &modulus, z.ty.dtype)? {
        Element::One(x) => Ok(x),
        Element::Pair(re, im) => Ok(w.complex(&re, &im)),
    }
}

impl Primitives for Writer {
    type Value = Value;
    type Error = Error;

    fn number(&mut self, number: f64, _dtype: DType, like: &Value) -> Result<Value> {
        Ok(self.like(like, number))
    }

    fn unary(&mut self, op: Unary, _dtype: DType, x: &Value) -> Result<Value> {
        let opcode = match op {
            Unary::Negate => "negate",
            Unary::Magnitude => "abs",
            Unary::SquareRoot => "sqrt",
            Unary::Invert => "not",
            Unary::Round(Rounding::Down) => "floor",
            Unary::Round(Rounding::Up) => "ceil",
            Unary::Round(Rounding::TowardsZero) => return Ok(real::trunc(self, x)),
            Unary::Round(Rounding::NearestEven) => "round-nearest-even",
        };
        Ok(self.unary(opcode, x))
    }

    fn binary(&mut self, op: Binary, dtype: DType, x: &Value, y: &Value) -> Result<Value> {
        let opcode = match op {
            Binary::Add => "add",
            Binary::Subtract => "subtract",
            Binary::Multiply => "multiply",
            Binary::Divide => "divide",
            Binary::Maximum => "maximum",
            Binary::Minimum => "minimum",
            Binary::CopySign => return Ok(copysign(self, x, y)),
            Binary::And => "and",
            Binary::Or => "or",
            Binary::Xor => "xor",
            // Both give what NumPy does for numbers of places from the width on; negative ones are large unsigned ones.
            Binary::ShiftLeft => "shift-left",
            Binary::ShiftRight if dtype == DType::Uint8 => "shift-right-logical",
            Binary::ShiftRight => "shift-right-arithmetic",
            Binary::Remainder => {
                let remainder = self.binary("remainder", x, y);
                return Ok(unless_zero(self, y, &remainder));
            }
        };
        Ok(self.binary(opcode, x, y))
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        _dtype: DType,
        x: &Value,
        y: &Value,
    ) -> Result<Value> {
        Ok(match comparison {
            Comparison::Equal => self.compare(Compare::Equal, x, y),
            Comparison::Less => self.compare(Compare::Less, x, y),
            Comparison::LessEqual => self.compare(Compare::LessEqual, x, y),
            Comparison::NotLessEqual => {
                let holds = self.compare(Compare::LessEqual, x, y);
                self.unary("not", &holds)
            }
            Comparison::Ordered => {
                // A number equals itself unless it is NaN.
                let (x, y) = (
                    self.compare(Compare::Equal, x, x),
                    self.compare(Compare::Equal, y, y),
                );
                self.binary("and", &x, &y)
            }
        })
    }

    fn logic(&mut self, op: Logic, x: &Value, y: &Value) -> Result<Value> {
        let opcode = match op {
            Logic::And => "and",
            Logic::Or => "or",
            Logic::Xor => "xor",
        };
        Ok(self.binary(opcode, x, y))
    }

    fn not(&mut self, x: &Value) -> Result<Value> {
        Ok(self.unary("not", x))
    }

    fn select(&mut self, condition: &Value, x: &Value, y: &Value) -> Result<Value> {
        Ok(self.select(condition, x, y))
    }
}

/// `x < y`, which XLA does not have for complex numbers.
pub(super) fn less(w: &mut Writer, x: &Value, y: &Value) -> Result<Value> {
    let (a, b) = (element(w, x), element(w, y));
    semantics::less(w, &a, &b, x.ty.dtype)
}

pub(super) fn less_equal(w: &mut Writer, x: &Value, y: &Value) -> Result<Value> {
    let (a, b) = (element(w, x), element(w, y));
    semantics::less_equal(w, &a, &b, x.ty.dtype)
}

/// The larger; the first that is NaN, if one is. XLA's own has no rule for NaN on CPUs.
pub(super) fn greater_of(w: &mut Writer, x: &Value, y: &Value) -> Result<Value> {
    let first = less_equal(w, y, x)?;
    Ok(first_or_second(w, first, x, y))
}

/// The smaller; the first that is NaN, if one is.
pub(super) fn smaller_of(w: &mut Writer, x: &Value, y: &Value) -> Result<Value> {
    let first = less_equal(w, x, y)?;
    Ok(first_or_second(w, first, x, y))
}

/// The first where it wins or is NaN, else the second: `semantics::second_wins` the other way round, which takes one
/// instruction where that takes three.
fn first_or_second(w: &mut Writer, wins: Value, x: &Value, y: &Value) -> Value {
    let mut first = wins;
    if x.ty.dtype.class() >= Class::Float {
        let is_nan = w.compare(Compare::NotEqual, x, x);
        first = w.binary("or", &first, &is_nan);
    }
    w.select(&first, x, y)
}
