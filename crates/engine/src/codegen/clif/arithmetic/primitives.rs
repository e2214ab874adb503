//! The primitives that ops are written with, as CLIF instructions.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value};

use super::{Arithmetic, Element, FAILURE_NEGATIVE_POWER, Width, component};
use autojit_ir::error::{Error, Result};
use autojit_ir::semantics::{Binary, Comparison, Elementwise, Logic, Primitives, Rounding, Unary};
use autojit_ir::{Class, DType, MapOp};

/// Writes primitives on elements, or on as many as are in lanes.
pub(super) struct Builder<'x, 'a, 'b> {
    pub(super) a: &'x mut Arithmetic<'a, 'b>,
    pub(super) width: Width,
}

impl Primitives for Builder<'_, '_, '_> {
    type Value = Value;
    type Error = Error;

    fn number(&mut self, number: f64, dtype: DType, _like: &Value) -> Result<Value> {
        Ok(self.a.number(number, dtype, self.width))
    }

    fn unary(&mut self, op: Unary, dtype: DType, &x: &Value) -> Result<Value> {
        let is_floating = dtype.class() >= Class::Float;
        let ins = self.a.builder.ins();
        Ok(match op {
            Unary::Negate if is_floating => ins.fneg(x),
            Unary::Negate => ins.ineg(x),
            Unary::Magnitude if is_floating => ins.fabs(x),
            Unary::Magnitude => ins.iabs(x),
            Unary::SquareRoot => ins.sqrt(x),
            Unary::Invert => ins.bnot(x),
            Unary::Round(Rounding::Down) => ins.floor(x),
            Unary::Round(Rounding::Up) => ins.ceil(x),
            Unary::Round(Rounding::TowardsZero) => ins.trunc(x),
            Unary::Round(Rounding::NearestEven) => ins.nearest(x),
        })
    }

    fn binary(&mut self, op: Binary, dtype: DType, &x: &Value, &y: &Value) -> Result<Value> {
        let is_floating = dtype.class() >= Class::Float;
        let is_unsigned = dtype == DType::Uint8;
        let ins = self.a.builder.ins();
        Ok(match op {
            Binary::Add if is_floating => ins.fadd(x, y),
            Binary::Add => ins.iadd(x, y),
            Binary::Subtract if is_floating => ins.fsub(x, y),
            Binary::Subtract => ins.isub(x, y),
            Binary::Multiply if is_floating => ins.fmul(x, y),
            Binary::Multiply => ins.imul(x, y),
            Binary::Divide => ins.fdiv(x, y),
            Binary::Maximum if is_unsigned => ins.umax(x, y),
            Binary::Maximum => ins.smax(x, y),
            Binary::Minimum if is_unsigned => ins.umin(x, y),
            Binary::Minimum => ins.smin(x, y),
            Binary::CopySign => ins.fcopysign(x, y),
            Binary::And => ins.band(x, y),
            Binary::Or => ins.bor(x, y),
            Binary::Xor => ins.bxor(x, y),
            Binary::ShiftLeft => self.a.shift(x, y, dtype, true),
            Binary::ShiftRight => self.a.shift(x, y, dtype, false),
            Binary::Remainder => self.a.remainder(x, y, dtype),
        })
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        dtype: DType,
        &x: &Value,
        &y: &Value,
    ) -> Result<Value> {
        let ins = self.a.builder.ins();
        if dtype.class() >= Class::Float {
            let condition = match comparison {
                Comparison::Equal => FloatCC::Equal,
                Comparison::Less => FloatCC::LessThan,
                Comparison::LessEqual => FloatCC::LessThanOrEqual,
                Comparison::NotLessEqual => FloatCC::UnorderedOrGreaterThan,
                Comparison::Ordered => FloatCC::Ordered,
            };
            return Ok(ins.fcmp(condition, x, y));
        }
        let is_unsigned = matches!(dtype, DType::Uint8 | DType::Bool);
        let condition = match comparison {
            Comparison::Equal => IntCC::Equal,
            Comparison::Less if is_unsigned => IntCC::UnsignedLessThan,
            Comparison::Less => IntCC::SignedLessThan,
            Comparison::LessEqual if is_unsigned => IntCC::UnsignedLessThanOrEqual,
            Comparison::LessEqual => IntCC::SignedLessThanOrEqual,
            Comparison::NotLessEqual | Comparison::Ordered => {
                return Err(Error::internal("integers are compared as if they had NaN"));
            }
        };
        Ok(ins.icmp(condition, x, y))
    }

    fn logic(&mut self, op: Logic, &x: &Value, &y: &Value) -> Result<Value> {
        let ins = self.a.builder.ins();
        Ok(match op {
            Logic::And => ins.band(x, y),
            Logic::Or => ins.bor(x, y),
            Logic::Xor => ins.bxor(x, y),
        })
    }

    fn not(&mut self, &x: &Value) -> Result<Value> {
        Ok(self.a.not(x, self.width))
    }

    fn select(&mut self, &condition: &Value, &x: &Value, &y: &Value) -> Result<Value> {
        Ok(self.a.select(condition, x, y, self.width))
    }
}

impl Elementwise for Builder<'_, '_, '_> {
    fn convert(&mut self, &x: &Value, from: DType, to: DType) -> Result<Value> {
        Ok(self.a.convert(x, from, to, self.width))
    }

    fn call(&mut self, op: MapOp, x: &[Element], dtype: DType, result: DType) -> Result<Element> {
        self.a.call(op, x, dtype, result)
    }

    fn refuse_negative(&mut self, &exponent: &Value, dtype: DType) -> Result<()> {
        let zero = self.a.builder.ins().iconst(component(dtype), 0);
        let ins = self.a.builder.ins();
        let negative = ins.icmp(IntCC::SignedLessThan, exponent, zero);
        self.a.fail_if(negative, FAILURE_NEGATIVE_POWER, None)
    }

    fn wrap_index(&mut self, &index: &Value, axis: usize, size: usize) -> Result<Value> {
        self.a.wrap_index(index, axis, size)
    }

    fn unexpected(&mut self, op: MapOp) -> Error {
        Error::internal(format!("the op {} is in a loop", op.name()))
    }
}
