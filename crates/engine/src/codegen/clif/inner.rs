//! Inner loops: on lanes where all operations have a vector form, then element by element.

use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value as Clif};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::arithmetic::{Element, Width, has_lanes, lane_bytes};
use super::totals::Partials;
use super::{Emitter, Inner, may_call, reductions};
use crate::codegen::strip::Phase;
use crate::kernel::{Fold, Numbered, Operation, Stride, Value};
use autojit_ir::DType;
use autojit_ir::error::Result;
use autojit_runtime::sum::BLOCK;

impl<'a> Emitter<'a, '_, '_> {
    /// Decides how many elements an inner loop takes at a time.
    pub(super) fn plan(&self, operations: &'a [Numbered]) -> Inner<'a> {
        let in_pieces = self.kernel.row_rank > 1;
        let width = self.width(operations).filter(|_| !in_pieces);
        let width = width.unwrap_or(Width::Scalar);
        let reductions = reductions(operations);
        let calls = operations
            .iter()
            .any(|(_, o)| matches!(o, Operation::Map { op, .. } if may_call(op)));
        // The order decides which of several complex NaN is the first.
        let in_order = reductions.iter().any(|(value, op)| match op {
            Fold::Prod => true,
            Fold::Max | Fold::Min => self.kernel.dtypes[*value as usize].is_complex(),
            Fold::Sum | Fold::Any | Fold::All => false,
        });
        let unroll = if calls || in_order || in_pieces {
            1
        } else if operations.len() <= 8 {
            4
        } else if width != Width::Scalar || !reductions.is_empty() {
            2
        } else {
            1
        };
        Inner {
            operations,
            width,
            unroll,
            reductions,
        }
    }

    /// The lanes in which all operations can run, if they can.
    pub(super) fn width(&self, operations: &[Numbered]) -> Option<Width> {
        let kernel = self.kernel;
        if kernel.inner_rank == 0 {
            return None;
        }
        let last = kernel.outer_rank + kernel.inner_rank - 1;
        let mut bytes = None;
        let mut agree = |dtype: DType| match (lane_bytes(dtype), bytes) {
            (None, _) => false,
            (Some(b), None) => {
                bytes = Some(b);
                true
            }
            (Some(b), Some(so_far)) => b == so_far,
        };
        for (number, operation) in operations {
            let dtypes = |values: &[Value]| -> SmallVec<[DType; 3]> {
                values.iter().map(|&v| kernel.dtypes[v as usize]).collect()
            };
            let (inputs, result) = match operation {
                Operation::Load { slot } | Operation::Store { slot, .. } => {
                    let slot = &kernel.slots[*slot as usize];
                    if slot.strides[last] == Stride::Parameter || !agree(slot.dtype) {
                        return None;
                    }
                    (SmallVec::new(), slot.dtype)
                }
                Operation::Literal { .. } => (SmallVec::new(), kernel.dtypes[*number as usize]),
                Operation::Reduce { input, .. } => {
                    (dtypes(&[*input]), kernel.dtypes[*number as usize])
                }
                Operation::Map { inputs, dtype, .. } => {
                    // A truth value from outside the loop is no mask.
                    let outside = |v: &Value| {
                        kernel.dtypes[*v as usize] == DType::Bool
                            && operations.iter().all(|(n, _)| n != v)
                    };
                    if inputs.iter().any(outside) {
                        return None;
                    }
                    (dtypes(inputs), *dtype)
                }
            };
            if !has_lanes(operation, &inputs, result) {
                return None;
            }
            // Inputs too: a mask made of numbers from outside the loop has their width.
            let numbers = inputs.iter().chain([&result]);
            if !numbers.filter(|d| **d != DType::Bool).all(|&d| agree(d)) {
                return None;
            }
        }
        bytes.map(|bytes| Width::Lanes { bytes })
    }

    pub(super) fn inner_loops(
        &mut self,
        axis: usize,
        pointers: &[Clif],
        phases: &'a [Phase],
    ) -> Result<()> {
        if phases.iter().all(Phase::is_empty) {
            return Ok(());
        }
        let last = self.kernel.outer_rank + self.kernel.inner_rank;
        let row_in_pieces = self.kernel.row_rank > 1 && axis + self.kernel.row_rank == last;
        let sums = phases.iter().any(|p| !reductions(&p.operations).is_empty());
        if row_in_pieces && sums && self.position.is_none() {
            return self.pieces(axis, pointers, phases);
        }
        if self.kernel.inner_rank > 0 && axis + 1 < last {
            let extent = self.extent(axis);
            let zero = self.a.builder.ins().iconst(I64, 0);
            return self.count(zero, extent, 1, |s, i| {
                let pointers = s.advance(pointers, axis, i);
                s.inner_loops(axis + 1, &pointers, phases)
            });
        }
        let whole = match phases {
            [whole] if whole.calls.is_empty() => whole,
            _ => return self.mined_loop(axis, pointers, phases),
        };
        let inner = self.plan(&whole.operations);
        if self.kernel.inner_rank == 0 {
            return self.block_of_elements(pointers, axis, None, &inner);
        }
        let extent = self.extent(axis);
        let zero = self.a.builder.ins().iconst(I64, 0);
        if self.kernel.row_rank != 1 || self.kernel.short || inner.reductions.is_empty() {
            return self.block_of_elements(pointers, axis, Some((zero, extent)), &inner);
        }
        let block = BLOCK as i64;
        self.count(zero, extent, block, |s, start| {
            let end = s.a.builder.ins().iadd_imm_s(start, block);
            let end = s.a.builder.ins().smin(end, extent);
            s.block_of_elements(pointers, axis, Some((start, end)), &inner)
        })
    }

    /// A row of sums whose elements lie in pieces: several loops, one element at a time.
    fn pieces(&mut self, axis: usize, pointers: &[Clif], phases: &'a [Phase]) -> Result<()> {
        let zero = self.a.builder.ins().iconst(I64, 0);
        let position = self.a.builder.declare_var(I64);
        self.a.builder.def_var(position, zero);
        self.position = Some(position);
        self.clear_lanes();
        self.inner_loops(axis, pointers, phases)?;
        self.fold_lanes();
        self.position = None;
        Ok(())
    }

    /// The innermost loop in phases: all of them on one block of elements, then on the next.
    fn mined_loop(&mut self, axis: usize, pointers: &[Clif], phases: &'a [Phase]) -> Result<()> {
        let plans: Vec<Inner<'a>> = phases.iter().map(|s| self.plan(&s.operations)).collect();
        let extent = self.extent(axis);
        let zero = self.a.builder.ins().iconst(I64, 0);
        let block = self.strip;
        self.count(zero, extent, block, |s, start| {
            let end = s.a.builder.ins().iadd_imm_s(start, block);
            let end = s.a.builder.ins().smin(end, extent);
            let count = s.a.builder.ins().isub(end, start);
            // Of the first element of the block.
            let mut addresses = s.advance(pointers, axis, start);
            let mut pointers = pointers.to_vec();
            // Scratch memory begins at the block, but is addressed from the start of the axis as all else is.
            for (index, slot) in s.scratch.clone().into_iter().enumerate() {
                let size = s.kernel.slots[s.own_slots + index].dtype.size() as i64;
                let address = s.a.builder.ins().stack_addr(I64, slot, 0);
                let skipped = s.a.builder.ins().imul_imm_s(start, size);
                pointers.push(s.a.builder.ins().isub(address, skipped));
                addresses.push(address);
            }
            for (phase, inner) in phases.iter().zip(&plans) {
                if !phase.operations.is_empty() {
                    s.block_of_elements(&pointers, axis, Some((start, end)), inner)?;
                }
                for call in &phase.calls {
                    let slots = call.inputs.iter().chain([&call.output]);
                    let mut arguments: SmallVec<[Clif; 4]> =
                        slots.map(|&slot| addresses[usize::from(slot)]).collect();
                    arguments.push(count);
                    let function = (s.a.import)(s.a.builder, call.function)?;
                    s.a.builder.ins().call(function, &arguments);
                }
            }
            Ok(())
        })
    }

    /// The innermost loop over a range: several vectors, then one, then single elements.
    pub(super) fn block_of_elements(
        &mut self,
        pointers: &[Clif],
        axis: usize,
        range: Option<(Clif, Clif)>,
        inner: &Inner<'a>,
    ) -> Result<()> {
        let Some((start, end)) = range else {
            // No inner axis: one element.
            let partial = self.partials(inner, Width::Scalar, 1);
            let zero = self.a.builder.ins().iconst(I64, 0);
            self.body(pointers, axis, zero, 0, Width::Scalar, inner, &partial)?;
            self.flush(inner, &partial);
            return Ok(());
        };
        let (width, unroll) = (inner.width, inner.unroll);
        let partial = self.partials(inner, width, unroll);
        if self.position.is_none() {
            self.start_lanes(inner);
        }
        let mut position = start;
        if unroll > 1 {
            position = self.stepped(position, end, width.count() * unroll, |s, i| {
                for k in 0..unroll {
                    s.body(pointers, axis, i, k * width.count(), width, inner, &partial)?;
                }
                Ok(())
            })?;
        }
        position = self.stepped(position, end, width.count(), |s, i| {
            s.body(pointers, axis, i, 0, width, inner, &partial)
        })?;
        let partial = self.combine_partials(inner, &partial, width);
        if width != Width::Scalar {
            self.stepped(position, end, 1, |s, i| {
                s.body(pointers, axis, i, 0, Width::Scalar, inner, &partial)
            })?;
        }
        self.flush(inner, &partial);
        if self.position.is_none() {
            self.fold_lanes();
        }
        Ok(())
    }

    /// The operations for the elements at `index + ahead`.
    #[allow(
        clippy::too_many_arguments,
        reason = "one innermost step needs to know where and how"
    )]
    pub(super) fn body(
        &mut self,
        pointers: &[Clif],
        axis: usize,
        index: Clif,
        ahead: i64,
        width: Width,
        inner: &Inner<'a>,
        partials: &Partials,
    ) -> Result<()> {
        let mut local: FxHashMap<Value, Element> = FxHashMap::default();
        for (number, operation) in inner.operations {
            let element = match operation {
                Operation::Load { slot } => {
                    let (address, offset) =
                        self.address(*slot as usize, pointers, axis, index, ahead);
                    let slot = *slot as usize;
                    if self.moves(slot, axis) {
                        self.load(slot, address, offset, width)
                    } else {
                        let scalar = self.load_once(slot, address);
                        self.a.splat(scalar, self.kernel.slots[slot].dtype, width)
                    }
                }
                Operation::Store { slot, value } => {
                    let element = self.inner_value(&local, *value, width)?;
                    let (address, offset) =
                        self.address(*slot as usize, pointers, axis, index, ahead);
                    self.store(*slot as usize, address, offset, element, width);
                    continue;
                }
                Operation::Literal { .. } => continue,
                Operation::Map { op, inputs, dtype } => {
                    let x = inputs
                        .iter()
                        .map(|&i| self.inner_value(&local, i, width))
                        .collect::<Result<SmallVec<[_; 3]>>>()?;
                    let dtypes: SmallVec<[DType; 3]> = inputs
                        .iter()
                        .map(|&i| self.kernel.dtypes[i as usize])
                        .collect();
                    self.a.op(*op, &x, &dtypes, *dtype, width)?
                }
                Operation::Reduce { op, input } => {
                    let element = self.inner_value(&local, *input, width)?;
                    if !partials.contains_key(number) {
                        self.add_to_lanes(*number, element, index, ahead);
                        continue;
                    }
                    let sets = &partials[number];
                    let set = &sets[(ahead / width.count()) as usize % sets.len()];
                    let so_far = self.read(set);
                    let dtype = self.kernel.dtypes[*number as usize];
                    let combined = self.combine(*op, so_far, element, dtype, width);
                    self.write(set, combined);
                    continue;
                }
            };
            local.insert(*number, element);
        }
        self.next_in_pieces();
        Ok(())
    }

    /// A value of this step, or one from outside the loop in all lanes.
    pub(super) fn inner_value(
        &mut self,
        local: &FxHashMap<Value, Element>,
        value: Value,
        width: Width,
    ) -> Result<Element> {
        if let Some(&element) = local.get(&value) {
            return Ok(element);
        }
        let element = self.outer_value(value)?;
        Ok(self
            .a
            .splat(element, self.kernel.dtypes[value as usize], width))
    }
}
