//! The primitives that ops are written with, as vector instructions.
//!
//! The meaning of ops is in `autojit_ir::semantics`. Its names of primitives are those of `semantics` here, and the plain ones
//! are the vector kernel's.

use super::super::ir::{
    Binary, Element, MaskLogic, Predicate, Register, Rounding, Unary, VectorOp,
};
use super::Selector;
use super::kind;
use crate::codegen::{Fallback, strip};
use autojit_ir::semantics::{self, Comparison, Elementwise, Logic, Primitives};
use autojit_ir::{Class, DType, MapOp};

const NO_INSTRUCTIONS: Fallback = "an op has no instructions";

impl Selector<'_> {
    pub(super) fn map(
        &mut self,
        op: MapOp,
        x: &[Element],
        dtypes: &[DType],
        result: DType,
    ) -> Result<Element, Fallback> {
        for dtype in dtypes.iter().chain([&result]) {
            kind(*dtype)?;
        }
        let is_complex = dtypes.last().is_some_and(|dtype| dtype.is_complex());
        if is_complex && matches!(op, MapOp::Maximum | MapOp::Minimum) {
            return Err("complex numbers are compared one by one");
        }
        semantics::lower(self, op, x, dtypes, result)
    }
}

impl Primitives for Selector<'_> {
    type Value = Register;
    type Error = Fallback;

    fn number(
        &mut self,
        number: f64,
        dtype: DType,
        _like: &Register,
    ) -> Result<Register, Fallback> {
        Ok(self.constant(number, kind(dtype)?))
    }

    fn unary(
        &mut self,
        op: semantics::Unary,
        dtype: DType,
        &x: &Register,
    ) -> Result<Register, Fallback> {
        let is_floating = dtype.class() >= Class::Float;
        Ok(match op {
            semantics::Unary::Negate if dtype == DType::Bool => return Err(NO_INSTRUCTIONS),
            semantics::Unary::Negate => self.negated(x),
            semantics::Unary::Magnitude if is_floating => self.magnitude(x),
            semantics::Unary::Magnitude => self.single(Unary::Absolute, x),
            semantics::Unary::SquareRoot => self.single(Unary::SquareRoot, x),
            semantics::Unary::Invert => {
                let ones = self.constant(-1.0, self.out.kind(x));
                self.double(Binary::Xor, x, ones)
            }
            semantics::Unary::Round(rounding) => {
                let rounding = match rounding {
                    semantics::Rounding::Down => Rounding::Down,
                    semantics::Rounding::Up => Rounding::Up,
                    semantics::Rounding::TowardsZero => Rounding::TowardsZero,
                    semantics::Rounding::NearestEven => Rounding::NearestEven,
                };
                self.single(Unary::Round(rounding), x)
            }
        })
    }

    fn binary(
        &mut self,
        op: semantics::Binary,
        dtype: DType,
        &x: &Register,
        &y: &Register,
    ) -> Result<Register, Fallback> {
        let op = match op {
            _ if dtype == DType::Bool => return Err(NO_INSTRUCTIONS),
            semantics::Binary::Add => Binary::Add,
            semantics::Binary::Subtract => Binary::Subtract,
            semantics::Binary::Multiply => Binary::Multiply,
            semantics::Binary::Divide => Binary::Divide,
            semantics::Binary::Maximum => Binary::Maximum,
            semantics::Binary::Minimum => Binary::Minimum,
            semantics::Binary::And => Binary::And,
            semantics::Binary::Or => Binary::Or,
            semantics::Binary::Xor => Binary::Xor,
            semantics::Binary::CopySign => {
                let magnitude = self.magnitude(x);
                let sign = self.constant(-0.0, self.out.kind(x));
                let sign = self.double(Binary::And, y, sign);
                return Ok(self.double(Binary::Or, magnitude, sign));
            }
            semantics::Binary::ShiftLeft
            | semantics::Binary::ShiftRight
            | semantics::Binary::Remainder => return Err(NO_INSTRUCTIONS),
        };
        Ok(self.double(op, x, y))
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        dtype: DType,
        &x: &Register,
        &y: &Register,
    ) -> Result<Register, Fallback> {
        if dtype == DType::Bool {
            return Ok(match comparison {
                Comparison::Equal => self.masks(MaskLogic::NotXor, x, y),
                // Not the first and the second, or their opposite.
                Comparison::Less => self.masks(MaskLogic::AndNot, x, y),
                Comparison::LessEqual => {
                    let above = self.masks(MaskLogic::AndNot, y, x);
                    self.opposite(above)
                }
                Comparison::NotLessEqual | Comparison::Ordered => return Err(NO_INSTRUCTIONS),
            });
        }
        let predicate = match comparison {
            Comparison::Equal => Predicate::Equal,
            Comparison::Less => Predicate::Less,
            Comparison::LessEqual => Predicate::LessEqual,
            Comparison::NotLessEqual => Predicate::NotLessEqual,
            Comparison::Ordered => Predicate::Ordered,
        };
        Ok(self.comparison(predicate, x, y))
    }

    fn logic(&mut self, op: Logic, &x: &Register, &y: &Register) -> Result<Register, Fallback> {
        let op = match op {
            Logic::And => MaskLogic::And,
            Logic::Or => MaskLogic::Or,
            Logic::Xor => MaskLogic::Xor,
        };
        Ok(self.masks(op, x, y))
    }

    fn not(&mut self, &x: &Register) -> Result<Register, Fallback> {
        Ok(self.opposite(x))
    }

    fn select(
        &mut self,
        &condition: &Register,
        &x: &Register,
        &y: &Register,
    ) -> Result<Register, Fallback> {
        Ok(self.choice(condition, x, y))
    }
}

impl Elementwise for Selector<'_> {
    fn convert(&mut self, &x: &Register, _from: DType, to: DType) -> Result<Register, Fallback> {
        Ok(self.conversion(x, kind(to)?))
    }

    /// The runtime's functions of slices, on slices of one element; complex quotients are made of instructions.
    fn call(
        &mut self,
        op: MapOp,
        x: &[Element],
        dtype: DType,
        result: DType,
    ) -> Result<Element, Fallback> {
        if let (MapOp::Divide, &[Element::Pair(a, b), Element::Pair(c, d)]) = (op, x) {
            return semantics::complex_quotient(self, [&a, &b], [&c, &d], dtype);
        }
        if op == MapOp::Absolute {
            return Err("the modulus of complex numbers is a function call");
        }
        let function = strip::slice_function(op, dtype).filter(|_| self.calls);
        let function = function.ok_or(NO_INSTRUCTIONS)?;
        let to = self.register(kind(result)?);
        let from = x.iter().map(|e| e.first()).collect();
        self.push(VectorOp::Call { function, to, from });
        Ok(Element::One(to))
    }

    fn refuse_negative(&mut self, _exponent: &Register, _dtype: DType) -> Result<(), Fallback> {
        Err(NO_INSTRUCTIONS)
    }

    fn wrap_index(
        &mut self,
        _index: &Register,
        _axis: usize,
        _size: usize,
    ) -> Result<Register, Fallback> {
        Err(NO_INSTRUCTIONS)
    }

    fn unexpected(&mut self, _op: MapOp) -> Fallback {
        NO_INSTRUCTIONS
    }
}
