//! Which ops have a vector form: those that are written with primitives that have one.
//!
//! The op is lowered with a builder that writes nothing, and gives up at the first primitive without a vector form.

use autojit_ir::semantics::{
    Binary, Comparison, Element, Elementwise, Logic, Lowered, Made, Primitives, Unary, lower,
};
use autojit_ir::{DType, MapOp};
use autojit_runtime::processor::{self, Level};

/// Whether an op has a vector form, given the dtypes of its inputs.
pub(super) fn exist(op: MapOp, inputs: &[DType], result: DType) -> bool {
    let element = |dtype: &DType| match dtype.is_complex() {
        true => Element::Pair((), ()),
        false => Element::One(()),
    };
    let elements: smallvec::SmallVec<[Element<()>; 3]> = inputs.iter().map(element).collect();
    lower(&mut Lanes { result }, op, &elements, inputs, result).is_ok()
}

/// There is no vector form.
struct NoLanes;

/// Whether vectors of floats may be compared with what lies in memory. Cranelift 0.135 makes a load the operand of `cmpps` and
/// `cmppd` whatever its alignment is, and without AVX that faults for addresses that are no multiple of 16.
fn compares_from_memory() -> bool {
    !cfg!(target_arch = "x86_64") || processor::level() > Level::Baseline
}

/// Primitives without values.
struct Lanes {
    result: DType,
}

/// A value that is not there, on a condition.
fn only_if(condition: bool) -> Result<(), NoLanes> {
    condition.then_some(()).ok_or(NoLanes)
}

impl Primitives for Lanes {
    type Value = ();
    type Error = NoLanes;

    fn number(&mut self, _: f64, dtype: DType, (): &()) -> Made<Self> {
        only_if(dtype != DType::Bool)
    }

    fn unary(&mut self, op: Unary, dtype: DType, (): &()) -> Made<Self> {
        only_if(match op {
            Unary::Negate | Unary::Invert => true,
            Unary::Magnitude | Unary::SquareRoot => dtype.is_float(),
            Unary::Round(_) => false,
        })
    }

    fn binary(&mut self, op: Binary, dtype: DType, (): &(), (): &()) -> Made<Self> {
        only_if(match op {
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::And
            | Binary::Or
            | Binary::Xor => true,
            Binary::Divide => dtype.is_float(),
            Binary::Maximum
            | Binary::Minimum
            | Binary::CopySign
            | Binary::ShiftLeft
            | Binary::ShiftRight
            | Binary::Remainder => false,
        })
    }

    fn compare(&mut self, comparison: Comparison, dtype: DType, (): &(), (): &()) -> Made<Self> {
        only_if(match comparison {
            Comparison::Equal if dtype.is_float() => compares_from_memory(),
            Comparison::Equal => dtype != DType::Bool,
            Comparison::Less
            | Comparison::LessEqual
            | Comparison::NotLessEqual
            | Comparison::Ordered => dtype.is_float() && compares_from_memory(),
        })
    }

    fn logic(&mut self, _: Logic, (): &(), (): &()) -> Made<Self> {
        Ok(())
    }

    fn not(&mut self, (): &()) -> Made<Self> {
        Ok(())
    }

    fn select(&mut self, (): &(), (): &(), (): &()) -> Made<Self> {
        Ok(())
    }
}

impl Elementwise for Lanes {
    /// Masks become floating numbers; otherwise real numbers become the real parts of complex ones at most.
    fn convert(&mut self, (): &(), from: DType, to: DType) -> Made<Self> {
        let is_part = from == to && self.result.is_complex();
        // The same bits.
        let is_same = from.is_integer() && to.is_integer() && from.size() == to.size();
        only_if(is_part || is_same || (from == DType::Bool && to.is_float()))
    }

    fn call(&mut self, _: MapOp, _: &[Element<()>], _: DType, _: DType) -> Lowered<Self> {
        Err(NoLanes)
    }

    fn refuse_negative(&mut self, (): &(), _: DType) -> Result<(), NoLanes> {
        Err(NoLanes)
    }

    fn wrap_index(&mut self, (): &(), _: usize, _: usize) -> Made<Self> {
        Err(NoLanes)
    }

    fn unexpected(&mut self, _: MapOp) -> NoLanes {
        NoLanes
    }
}
