//! The primitives that ops are written with, as functions of libtorch on real tensors, for ops that it does not have as
//! NumPy means them.

use super::super::functions::{Torch, held};
use autojit_ir::error::Result;
use autojit_ir::semantics::{Binary, Comparison, Element, Logic, Primitives, Rounding, Unary};
use autojit_ir::{DType, Error, Literal};

/// Calls libtorch on parts of complex tensors.
pub(super) struct Parts<'t, T>(pub(super) &'t mut T);

impl<T: Torch> Parts<'_, T> {
    /// The parts of a complex tensor.
    pub(super) fn of(&mut self, z: &T::Value) -> Result<(T::Value, T::Value)> {
        Ok((self.0.real(z)?, self.0.imag(z)?))
    }

    /// The same, as one element.
    pub(super) fn element(&mut self, z: &T::Value) -> Result<Element<T::Value>> {
        let (re, im) = self.of(z)?;
        Ok(Element::Pair(re, im))
    }

    /// A tensor from its parts.
    pub(super) fn joined(&mut self, element: Element<T::Value>) -> Result<T::Value> {
        match element {
            Element::One(x) => Ok(x),
            Element::Pair(re, im) => self.0.complex(&re, &im),
        }
    }
}

impl<T: Torch> Primitives for Parts<'_, T> {
    type Value = T::Value;
    type Error = Error;

    fn number(&mut self, number: f64, dtype: DType, _like: &T::Value) -> Result<T::Value> {
        self.0.literal(Literal::new(number, dtype.real()))
    }

    fn unary(&mut self, op: Unary, _dtype: DType, x: &T::Value) -> Result<T::Value> {
        let t = &mut *self.0;
        match op {
            Unary::Negate => t.neg(x),
            Unary::Magnitude => t.abs(x),
            Unary::SquareRoot => t.sqrt(x),
            Unary::Invert => t.bitwise_not(x),
            Unary::Round(Rounding::Down) => t.floor(x),
            Unary::Round(Rounding::Up) => t.ceil(x),
            Unary::Round(Rounding::TowardsZero) => t.trunc(x),
            Unary::Round(Rounding::NearestEven) => t.round(x),
        }
    }

    fn binary(&mut self, op: Binary, dtype: DType, x: &T::Value, y: &T::Value) -> Result<T::Value> {
        let t = &mut *self.0;
        match op {
            Binary::Add => t.add(x, y),
            Binary::Subtract => t.sub(x, y),
            Binary::Multiply => t.mul(x, y),
            Binary::Divide => t.div(x, y),
            Binary::Maximum => t.maximum(x, y),
            Binary::Minimum => t.minimum(x, y),
            Binary::CopySign => t.copysign(x, y),
            Binary::And => t.bitwise_and(x, y),
            Binary::Or => t.bitwise_or(x, y),
            Binary::Xor => t.bitwise_xor(x, y),
            Binary::ShiftLeft => t.shift_left(x, y),
            Binary::ShiftRight => t.shift_right(x, y),
            Binary::Remainder => {
                let divisor = harmless_divisor(t, y, dtype)?;
                t.fmod(x, &divisor)
            }
        }
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        _dtype: DType,
        x: &T::Value,
        y: &T::Value,
    ) -> Result<T::Value> {
        let t = &mut *self.0;
        match comparison {
            Comparison::Equal => t.eq(x, y),
            Comparison::Less => t.lt(x, y),
            Comparison::LessEqual => t.le(x, y),
            Comparison::NotLessEqual => {
                let holds = t.le(x, y)?;
                t.logical_not(&holds)
            }
            Comparison::Ordered => {
                // A number equals itself unless it is NaN.
                let (x, y) = (t.eq(x, x)?, t.eq(y, y)?);
                t.bitwise_and(&x, &y)
            }
        }
    }

    fn logic(&mut self, op: Logic, x: &T::Value, y: &T::Value) -> Result<T::Value> {
        match op {
            Logic::And => self.0.bitwise_and(x, y),
            Logic::Or => self.0.bitwise_or(x, y),
            Logic::Xor => self.0.bitwise_xor(x, y),
        }
    }

    fn not(&mut self, x: &T::Value) -> Result<T::Value> {
        self.0.logical_not(x)
    }

    fn select(&mut self, condition: &T::Value, x: &T::Value, y: &T::Value) -> Result<T::Value> {
        self.0.select(condition, x, y)
    }
}

/// Complex numbers lose their imaginary part silently, where libtorch warns; anything but zero is true.
pub(super) fn astype<T: Torch>(
    t: &mut T,
    x: &T::Value,
    from: DType,
    to: DType,
) -> Result<T::Value> {
    if from == to {
        return Ok(t.share(x));
    }
    if held(from) != from {
        return astype(t, x, held(from), to);
    }
    match to {
        DType::Uint16 | DType::Uint32 => {
            let x = astype(t, x, from, DType::Int64)?;
            let bits = if to == DType::Uint16 { 16 } else { 32 };
            let mask = t.literal(Literal::new((1_i64 << bits) - 1, DType::Int64))?;
            return t.bitwise_and(&x, &mask);
        }
        DType::Uint64 => return astype(t, x, from, DType::Int64),
        _ => {}
    }
    if to == DType::Bool {
        let zero = t.literal(Literal::new(0, from))?;
        return t.ne(x, &zero);
    }
    if from.is_complex() && !to.is_complex() {
        let real = t.real(x)?;
        return astype(t, &real, from.real(), to);
    }
    t.cast(x, to)
}

/// The divisor of integers with 1 in the place of what libtorch, or the processor, refuses: 0 and -1, which the
/// smallest integer overflows on.
pub(super) fn harmless_divisor<T: Torch>(
    t: &mut T,
    y: &T::Value,
    dtype: DType,
) -> Result<T::Value> {
    if let Some(known) = t.known(y)
        && ![0, -1].contains(&known.value.to_i64())
    {
        return Ok(t.share(y));
    }
    let (zero, one) = (
        t.literal(Literal::new(0, dtype))?,
        t.literal(Literal::new(1, dtype))?,
    );
    let mut harmful = t.eq(y, &zero)?;
    if dtype != DType::Uint8 {
        let minus_one = t.literal(Literal::new(-1, dtype))?;
        let overflows = t.eq(y, &minus_one)?;
        harmful = t.bitwise_or(&harmful, &overflows)?;
    }
    t.select(&harmful, &one, y)
}
