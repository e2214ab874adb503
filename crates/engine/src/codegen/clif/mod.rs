//! Kernel -> CLIF: the loops around the elementwise ops.
//!
//! The function is `fn(pointers, parameters)`: one pointer per slot (and one to the failure record, if the
//! kernel can fail), then extents, strides and literals as [`Kernel`] orders them. An inner loop
//! whose slots move by single elements of one size runs on lanes of 128-bit vectors, several vectors at a time,
//! and finishes element by element; any other runs element by element.
//!
//! Sums of floating numbers are in the order of `autojit_runtime::sum`: the lanes of a block lie on the stack, where the position of
//! an element says which is its lane, whether elements come one by one or as vectors.

mod arithmetic;
mod inner;
mod lanes;
mod memory;
mod module;
mod repeat;
mod totals;

pub(crate) use arithmetic::FAILURE_INDEX;
#[cfg(test)]
pub(super) use module::Compiled;
pub(crate) use module::clif;
pub(super) use module::{Module, compile};

use autojit_runtime::abi::Symbol;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    FuncRef, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Value as Clif,
};
use cranelift_frontend::{FunctionBuilder, Variable};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::strip::{self, Phase};
use crate::kernel::{Fold, Kernel, Numbered, Operation, Stride, Value};
use arithmetic::{Arithmetic, Element, Width, component, memory};
use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, MapOp};

/// Makes a function of the runtime callable.
type Import<'a> = dyn FnMut(&mut FunctionBuilder<'_>, &'static Symbol) -> Result<FuncRef> + 'a;

/// Emits the body of a kernel into a function whose two parameters are pointers.
///
/// # Errors
/// An internal error, such as a symbol that the runtime does not have.
fn emit(kernel: &Kernel, builder: &mut FunctionBuilder<'_>, import: &mut Import<'_>) -> Result<()> {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let (pointers, parameters) = (
        builder.block_params(entry)[0],
        builder.block_params(entry)[1],
    );
    let failure = kernel.can_fail().then(|| {
        builder.ins().load(
            I64,
            constant_memory(),
            pointers,
            8 * kernel.slots.len() as i32,
        )
    });
    let mined = match kernel.repeats {
        // Elements of rows that lie in pieces come one by one.
        None if kernel.row_rank <= 1 => strip::split(kernel),
        _ => strip::whole(kernel),
    };
    let own_slots = mined.own_slots;
    let scratch = mined.kernel.slots[own_slots..]
        .iter()
        .map(|slot| {
            let bytes = mined.strip * slot.dtype.size();
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes as u32, 6);
            builder.create_sized_stack_slot(data)
        })
        .collect();
    let arithmetic = Arithmetic {
        builder,
        import,
        failure,
    };
    let mut emitter = Emitter {
        kernel: &mined.kernel,
        own_slots,
        scratch,
        a: arithmetic,
        parameters,
        strides: FxHashMap::default(),
        values: vec![None; kernel.dtypes.len()],
        totals: FxHashMap::default(),
        lanes: FxHashMap::default(),
        strip: mined.strip as i64,
        position: None,
    };
    let bases = (0..own_slots)
        .map(|i| {
            emitter
                .a
                .builder
                .ins()
                .load(I64, constant_memory(), pointers, 8 * i as i32)
        })
        .collect::<Vec<_>>();
    emitter.prepare();
    match &kernel.repeats {
        None => emitter.outer_loops(0, &bases, &mined.before, &mined.after)?,
        Some(repeats) => emitter.repeat(repeats, &bases)?,
    }
    emitter.a.builder.ins().return_(&[]);
    emitter.a.builder.seal_all_blocks();
    Ok(())
}

/// Loads of what does not change while the kernel runs.
fn constant_memory() -> MemFlagsData {
    memory().with_readonly().with_can_move()
}

struct Emitter<'a, 'b, 'c> {
    kernel: &'a Kernel,
    /// How many slots come from the caller; the others are the scratch memory of phases.
    own_slots: usize,
    scratch: Vec<StackSlot>,
    a: Arithmetic<'b, 'c>,
    parameters: Clif,
    /// Strides in bytes that are parameters, by slot and axis.
    strides: FxHashMap<(usize, usize), Clif>,
    /// Values that hold for a whole outer index: literals, results of reductions and of the outer part.
    values: Vec<Option<Element>>,
    /// The running totals of reductions: sum and compensation for floating sums.
    totals: FxHashMap<Value, Total>,
    /// The lanes of one block of floating sums, for each part.
    lanes: FxHashMap<Value, SmallVec<[StackSlot; 2]>>,
    /// Elements per strip.
    strip: i64,
    /// The position in a row that lies in pieces, which are loops of their own.
    position: Option<Variable>,
}

#[derive(Clone)]
struct Total {
    parts: SmallVec<[Variable; 2]>,
    compensation: SmallVec<[Variable; 2]>,
}

/// Which operations an inner loop runs, and on how many elements at a time.
struct Inner<'a> {
    operations: &'a [Numbered],
    width: Width,
    unroll: i64,
    reductions: Vec<(Value, Fold)>,
}

impl<'a> Emitter<'a, '_, '_> {
    /// Loads literals and strides before all loops.
    fn prepare(&mut self) {
        let kernel = self.kernel;
        let mut word = kernel.outer_rank + kernel.inner_rank;
        for (i, slot) in kernel.slots.iter().enumerate() {
            for (axis, stride) in slot.strides.iter().enumerate() {
                if *stride == Stride::Parameter {
                    let stride = self.parameter(I64, word);
                    self.strides.insert((i, axis), stride);
                    word += 1;
                }
            }
        }
        let literals: Vec<Element> = kernel
            .literals
            .iter()
            .map(|&dtype| {
                let part = component(dtype);
                let first = self.parameter(part, word);
                word += 1;
                if !dtype.is_complex() {
                    return Element::One(first);
                }
                word += 1;
                Element::Pair(first, self.parameter(part, word - 1))
            })
            .collect();
        for operations in [&kernel.before, &kernel.outer, &kernel.after] {
            for (value, operation) in operations {
                if let Operation::Literal { index } = operation {
                    self.values[*value as usize] = Some(literals[*index as usize]);
                }
            }
        }
    }

    fn parameter(&mut self, ty: cranelift_codegen::ir::Type, word: usize) -> Clif {
        self.a
            .builder
            .ins()
            .load(ty, constant_memory(), self.parameters, 8 * word as i32)
    }

    fn extent(&mut self, axis: usize) -> Clif {
        self.parameter(I64, axis)
    }

    fn outer_loops(
        &mut self,
        axis: usize,
        pointers: &[Clif],
        before: &'a [Phase],
        after: &'a [Phase],
    ) -> Result<()> {
        if axis < self.kernel.outer_rank {
            let extent = self.extent(axis);
            let zero = self.a.builder.ins().iconst(I64, 0);
            return self.count(zero, extent, 1, |s, i| {
                let pointers = s.advance(pointers, axis, i);
                s.outer_loops(axis + 1, &pointers, before, after)
            });
        }
        self.start_totals(before)?;
        self.inner_loops(axis, pointers, before)?;
        self.finish_totals();
        self.outer_part(pointers)?;
        self.inner_loops(axis, pointers, after)
    }

    /// The operations that run once for each outer index.
    fn outer_part(&mut self, pointers: &[Clif]) -> Result<()> {
        for (value, operation) in &self.kernel.outer {
            let element = match operation {
                Operation::Load { slot } => {
                    self.load(*slot as usize, pointers[*slot as usize], 0, Width::Scalar)
                }
                Operation::Store { slot, value } => {
                    let element = self.outer_value(*value)?;
                    self.store(
                        *slot as usize,
                        pointers[*slot as usize],
                        0,
                        element,
                        Width::Scalar,
                    );
                    continue;
                }
                Operation::Literal { .. } => continue,
                Operation::Map { op, inputs, dtype } => self.outer_map(*op, inputs, *dtype)?,
                Operation::Reduce { .. } => {
                    return Err(Error::internal("a reduction is outside its loop"));
                }
            };
            self.values[*value as usize] = Some(element);
        }
        Ok(())
    }

    /// An elementwise function of single elements.
    fn outer_map(&mut self, op: MapOp, inputs: &[Value], dtype: DType) -> Result<Element> {
        let x = inputs
            .iter()
            .map(|&i| self.outer_value(i))
            .collect::<Result<SmallVec<[_; 3]>>>()?;
        let dtypes: SmallVec<[DType; 3]> = inputs
            .iter()
            .map(|&i| self.kernel.dtypes[i as usize])
            .collect();
        self.a.op(op, &x, &dtypes, dtype, Width::Scalar)
    }

    fn outer_value(&self, value: Value) -> Result<Element> {
        self.values[value as usize]
            .ok_or_else(|| Error::internal(format!("kernel value {value} is not there yet")))
    }

    /// `for i in (start..end).step_by(step)`.
    fn count(
        &mut self,
        start: Clif,
        end: Clif,
        step: i64,
        body: impl FnOnce(&mut Self, Clif) -> Result<()>,
    ) -> Result<()> {
        let counter = self.a.builder.declare_var(I64);
        self.a.builder.def_var(counter, start);
        let (head, inside, exit) = (
            self.a.builder.create_block(),
            self.a.builder.create_block(),
            self.a.builder.create_block(),
        );
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(head);
        let i = self.a.builder.use_var(counter);
        let more = self.a.builder.ins().icmp(IntCC::SignedLessThan, i, end);
        self.a.builder.ins().brif(more, inside, &[], exit, &[]);
        self.a.builder.switch_to_block(inside);
        body(self, i)?;
        let next = self.a.builder.ins().iadd_imm_s(i, step);
        self.a.builder.def_var(counter, next);
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(exit);
        Ok(())
    }

    /// Whole steps only: `while i + step <= end`. Gives the position that is left.
    fn stepped(
        &mut self,
        start: Clif,
        end: Clif,
        step: i64,
        body: impl FnOnce(&mut Self, Clif) -> Result<()>,
    ) -> Result<Clif> {
        let limit = self.a.builder.ins().iadd_imm_s(end, 1 - step);
        let counter = self.a.builder.declare_var(I64);
        self.a.builder.def_var(counter, start);
        let (head, inside, exit) = (
            self.a.builder.create_block(),
            self.a.builder.create_block(),
            self.a.builder.create_block(),
        );
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(head);
        let i = self.a.builder.use_var(counter);
        let more = self.a.builder.ins().icmp(IntCC::SignedLessThan, i, limit);
        self.a.builder.ins().brif(more, inside, &[], exit, &[]);
        self.a.builder.switch_to_block(inside);
        body(self, i)?;
        let next = self.a.builder.ins().iadd_imm_s(i, step);
        self.a.builder.def_var(counter, next);
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(exit);
        Ok(self.a.builder.use_var(counter))
    }
}

fn reductions(operations: &[Numbered]) -> Vec<(Value, Fold)> {
    let reduction = |(value, operation): &Numbered| match operation {
        Operation::Reduce { op, .. } => Some((*value, *op)),
        _ => None,
    };
    operations.iter().filter_map(reduction).collect()
}

/// Whether an op may be a call, which is not worth unrolling.
fn may_call(op: &MapOp) -> bool {
    !matches!(
        op,
        MapOp::Add
            | MapOp::Subtract
            | MapOp::Multiply
            | MapOp::Divide
            | MapOp::Negative
            | MapOp::Sqrt
            | MapOp::Where
            | MapOp::Maximum
            | MapOp::Minimum
            | MapOp::Equal
            | MapOp::NotEqual
            | MapOp::Less
            | MapOp::LessEqual
            | MapOp::Astype { .. }
            | MapOp::Real
            | MapOp::Imag
            | MapOp::Conj
            | MapOp::Absolute
            | MapOp::LogicalAnd
            | MapOp::LogicalOr
            | MapOp::LogicalNot
    )
}
