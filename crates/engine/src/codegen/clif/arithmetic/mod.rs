//! Elementwise ops as CLIF instructions on one element, or on the lanes of a 128-bit vector.
//!
//! The same code serves both: a complex number is a pair of values, a truth value is 0 or 1 in a byte (one
//! element) or a mask of all bits (lanes). Which primitives have a vector form is in `lanes.rs`; functions such as `exp`
//! are calls of the runtime, one element at a time.
//!
//! The meaning of ops is in `autojit_ir::semantics`, by primitives that are written here; multiplication and addition are
//! never contracted.

mod convert;
mod lanes;
mod numbers;
mod primitives;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F32X4, F64, F64X2, I8, I16, I32, I32X4, I64, I64X2};
use cranelift_codegen::ir::{
    Endianness, FuncRef, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, Type, Value,
};
use cranelift_frontend::FunctionBuilder;
use smallvec::SmallVec;

use crate::codegen::runtime;
use crate::kernel::{Fold, Operation};
use autojit_ir::error::{Error, Result};
use autojit_ir::semantics;
use autojit_ir::{DType, MapOp};
use autojit_runtime::abi::{Form, Symbol};
use primitives::Builder;

/// The value of an element, or of a few in lanes.
pub(super) type Element = semantics::Element<Value>;

/// One element at a time, or as many as fit into 128 bits with this many bytes per lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Width {
    Scalar,
    Lanes { bytes: u8 },
}

impl Width {
    /// Elements per step.
    pub(super) fn count(self) -> i64 {
        match self {
            Self::Scalar => 1,
            Self::Lanes { bytes } => 16 / i64::from(bytes),
        }
    }

    /// The CLIF type of the parts of an element.
    pub(super) fn ty(self, dtype: DType) -> Type {
        let scalar = component(dtype);
        match self {
            Self::Scalar => scalar,
            Self::Lanes { bytes } => match (scalar, bytes) {
                (F64, _) => F64X2,
                (F32, _) => F32X4,
                (I64, _) | (I8, 8) => I64X2,
                _ => I32X4,
            },
        }
    }
}

/// The CLIF type of one part of an element.
pub(super) fn component(dtype: DType) -> Type {
    match dtype {
        DType::Bool | DType::Int8 | DType::Uint8 => I8,
        DType::Int16 | DType::Uint16 => I16,
        DType::Int32 | DType::Uint32 => I32,
        DType::Int64 | DType::Uint64 => I64,
        DType::Float32 | DType::Complex64 => F32,
        DType::Float64 | DType::Complex128 => F64,
    }
}

/// The bytes of one lane, if the dtype can be in lanes.
pub(super) fn lane_bytes(dtype: DType) -> Option<u8> {
    match dtype {
        DType::Bool | DType::Int8 | DType::Uint8 | DType::Int16 | DType::Uint16 => None,
        DType::Int32 | DType::Uint32 | DType::Float32 | DType::Complex64 => Some(4),
        DType::Int64 | DType::Uint64 | DType::Float64 | DType::Complex128 => Some(8),
    }
}

/// Whether an operation has a vector form, given the dtypes of its inputs.
pub(super) fn has_lanes(operation: &Operation, inputs: &[DType], result: DType) -> bool {
    let complex = inputs.iter().any(|d| d.is_complex());
    let integer = inputs.iter().any(|d| d.is_integer());
    match operation {
        Operation::Load { .. } | Operation::Store { .. } | Operation::Literal { .. } => {
            result != DType::Bool
        }
        Operation::Reduce { op, .. } => match op {
            Fold::Sum => true,
            Fold::Max | Fold::Min => !complex && !integer && result != DType::Bool,
            // In order, as NumPy multiplies: the order decides over overflow.
            Fold::Prod | Fold::Any | Fold::All => false,
        },
        Operation::Map { op, .. } => lanes::exist(*op, inputs, result),
    }
}

/// Emits the ops of one kernel.
pub(super) struct Arithmetic<'a, 'b> {
    pub(super) builder: &'a mut FunctionBuilder<'b>,
    pub(super) import:
        &'a mut dyn FnMut(&mut FunctionBuilder<'_>, &'static Symbol) -> Result<FuncRef>,
    /// Where to record a failure, if the kernel can fail.
    pub(super) failure: Option<Value>,
}

/// Lanes keep their order when bits are reinterpreted.
fn bits() -> MemFlagsData {
    MemFlagsData::new().with_endianness(Endianness::Little)
}

/// Memory accesses that cannot trap.
pub(super) fn memory() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

impl Arithmetic<'_, '_> {
    /// A constant of a floating dtype or an integer one, in all lanes.
    pub(super) fn number(&mut self, x: f64, dtype: DType, width: Width) -> Value {
        let scalar = match component(dtype) {
            F64 => self.builder.ins().f64const(x),
            F32 => self.builder.ins().f32const(x as f32),
            ty => self.builder.ins().iconst(ty, x as i64),
        };
        self.splat_part(scalar, dtype, width)
    }

    fn splat_part(&mut self, scalar: Value, dtype: DType, width: Width) -> Value {
        match width {
            Width::Scalar => scalar,
            Width::Lanes { .. } => self.builder.ins().splat(width.ty(dtype), scalar),
        }
    }

    /// One element in all lanes.
    pub(super) fn splat(&mut self, element: Element, dtype: DType, width: Width) -> Element {
        element.map(|x| self.splat_part(x, dtype, width))
    }

    fn select(&mut self, condition: Value, x: Value, y: Value, width: Width) -> Value {
        match width {
            Width::Scalar => self.builder.ins().select(condition, x, y),
            Width::Lanes { .. } => {
                let ty = self.builder.func.dfg.value_type(x);
                let mask = if self.builder.func.dfg.value_type(condition) == ty {
                    condition
                } else {
                    self.builder.ins().bitcast(ty, bits(), condition)
                };
                self.builder.ins().bitselect(mask, x, y)
            }
        }
    }

    fn not(&mut self, x: Value, width: Width) -> Value {
        match width {
            Width::Scalar => self.builder.ins().bxor_imm_s(x, 1),
            Width::Lanes { .. } => self.builder.ins().bnot(x),
        }
    }

    /// The value of an elementwise op.
    pub(super) fn op(
        &mut self,
        op: MapOp,
        x: &[Element],
        dtypes: &[DType],
        result: DType,
        width: Width,
    ) -> Result<Element> {
        let mut builder = Builder { a: self, width };
        semantics::lower(&mut builder, op, x, dtypes, result)
    }

    /// Calls a scalar function of the runtime.
    fn call(&mut self, op: MapOp, x: &[Element], dtype: DType, result: DType) -> Result<Element> {
        let symbol = runtime::symbol(op, Form::Scalar, dtype).ok_or_else(|| {
            Error::internal(format!("the runtime has no {} of {dtype}", op.name()))
        })?;
        let function = (self.import)(self.builder, symbol)?;
        let mut arguments: SmallVec<[Value; 5]> = x.iter().flat_map(|e| e.parts()).collect();
        if !result.is_complex() {
            let call = self.builder.ins().call(function, &arguments);
            return Ok(Element::One(self.builder.inst_results(call)[0]));
        }
        let part = component(result);
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 2 * part.bytes(), 3);
        let slot = self.builder.create_sized_stack_slot(slot);
        let out = self.builder.ins().stack_addr(I64, slot, 0);
        arguments.push(out);
        self.builder.ins().call(function, &arguments);
        let re = self.builder.ins().load(part, memory(), out, 0);
        let im = self
            .builder
            .ins()
            .load(part, memory(), out, part.bytes() as i32);
        Ok(Element::Pair(re, im))
    }

    /// The index counted from the front; out of range is recorded.
    fn wrap_index(&mut self, index: Value, axis: usize, size: usize) -> Result<Value> {
        let size_value = self.builder.ins().iconst(I64, size as i64);
        let from_end = self.builder.ins().iadd(index, size_value);
        let zero = self.builder.ins().iconst(I64, 0);
        let negative = self.builder.ins().icmp(IntCC::SignedLessThan, index, zero);
        let wrapped = self.builder.ins().select(negative, from_end, index);
        let bad = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, wrapped, size_value);
        self.fail_if(bad, FAILURE_INDEX, Some((index, axis, size)))?;
        // What follows may use the index as an address before the failure is seen.
        Ok(self.builder.ins().select(bad, zero, wrapped))
    }

    /// Records a failure if a condition holds.
    fn fail_if(
        &mut self,
        condition: Value,
        code: i64,
        index: Option<(Value, usize, usize)>,
    ) -> Result<()> {
        let record = self
            .failure
            .ok_or_else(|| Error::internal("a kernel that can fail has no record"))?;
        let (failed, next) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(failed);
        self.builder.ins().brif(condition, failed, &[], next, &[]);
        self.builder.switch_to_block(failed);
        let code = self.builder.ins().iconst(I64, code);
        self.builder.ins().store(memory(), code, record, 0);
        if let Some((index, axis, size)) = index {
            let (axis, size) = (
                self.builder.ins().iconst(I64, axis as i64),
                self.builder.ins().iconst(I64, size as i64),
            );
            self.builder.ins().store(memory(), index, record, 8);
            self.builder.ins().store(memory(), axis, record, 16);
            self.builder.ins().store(memory(), size, record, 24);
        }
        self.builder.ins().jump(next, &[]);
        self.builder.switch_to_block(next);
        Ok(())
    }
}

/// In the first word of a failure record: an index, its axis and its size follow.
pub(crate) const FAILURE_INDEX: i64 = 1;
/// In the first word of a failure record: an integer to a negative power.
pub(super) const FAILURE_NEGATIVE_POWER: i64 = 2;
