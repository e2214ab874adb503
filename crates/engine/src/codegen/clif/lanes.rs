//! Sums of floating numbers in their defined order (`autojit_runtime::sum`): the lanes of a block, on the stack.
//!
//! The position of an element in its row says which lane it is added to. So vectors add to a few neighbouring lanes, and single
//! elements to one, in any mixture.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32X4, F64, F64X2, I64};
use cranelift_codegen::ir::{InstBuilder, StackSlot, StackSlotData, StackSlotKind, Value as Clif};

use super::arithmetic::{Element, component, memory};
use super::{Emitter, Inner};
use crate::kernel::{Fold, Value};
use autojit_ir::DType;
use autojit_runtime::sum::BLOCK;

impl Emitter<'_, '_, '_> {
    /// Whether a reduction adds to lanes: a sum of floating numbers over an inner axis.
    pub(super) fn is_in_lanes(&self, value: Value, op: Fold) -> bool {
        self.kernel.row_rank > 0 && self.kernel.is_ordered_sum(value, op)
    }

    /// Empties the lanes of what a loop sums.
    pub(super) fn start_lanes(&mut self, inner: &Inner<'_>) {
        self.lanes.clear();
        for &(value, op) in &inner.reductions {
            self.take_lanes(value, op);
        }
    }

    /// Empties the lanes of all sums.
    pub(super) fn clear_lanes(&mut self) {
        self.lanes.clear();
        for (value, op) in self.reductions() {
            self.take_lanes(value, op);
        }
    }

    fn take_lanes(&mut self, value: Value, op: Fold) {
        if !self.is_in_lanes(value, op) {
            return;
        }
        let dtype = self.kernel.dtypes[usize::from(value)];
        let bytes = self.kernel.lanes(value) as u32 * component(dtype).bytes();
        let parts = if dtype.is_complex() { 2 } else { 1 };
        let slots = (0..parts).map(|_| {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 4);
            self.a.builder.create_sized_stack_slot(data)
        });
        let slots = slots.collect();
        self.lanes.insert(value, slots);
        self.empty(value);
    }

    fn empty(&mut self, value: Value) {
        let dtype = self.kernel.dtypes[usize::from(value)];
        let bytes = self.kernel.lanes(value) as i32 * component(dtype).bytes() as i32;
        for slot in self.lanes[&value].clone() {
            let b = &mut *self.a.builder;
            let zero = if component(dtype) == F64 {
                let zero = b.ins().f64const(0.0);
                b.ins().splat(F64X2, zero)
            } else {
                let zero = b.ins().f32const(0.0);
                b.ins().splat(F32X4, zero)
            };
            for offset in (0..bytes).step_by(16) {
                b.ins().stack_store(I64, zero, slot, offset);
            }
        }
    }

    /// Adds the elements from `index + ahead` on to their lanes.
    pub(super) fn add_to_lanes(&mut self, value: Value, element: Element, index: Clif, ahead: i64) {
        let dtype = self.kernel.dtypes[usize::from(value)];
        let size = i64::from(component(dtype).bytes());
        let lanes = self.kernel.lanes(value) as i64;
        let position = match self.position {
            Some(position) => self.a.builder.use_var(position),
            None => index,
        };
        let b = &mut *self.a.builder;
        let position = b.ins().iadd_imm_s(position, ahead);
        let lane = b.ins().band_imm_u(position, lanes - 1);
        let offset = b.ins().imul_imm_s(lane, size);
        let slots = self.lanes[&value].clone();
        for (slot, x) in slots.into_iter().zip(element.parts()) {
            let address = b.ins().stack_addr(I64, slot, 0);
            let address = b.ins().iadd(address, offset);
            let ty = b.func.dfg.value_type(x);
            let so_far = b.ins().load(ty, memory(), address, 0);
            let sum = b.ins().fadd(so_far, x);
            b.ins().store(memory(), sum, address, 0);
        }
    }

    /// In a row that lies in pieces, the next position; a block that is full is added to the totals.
    pub(super) fn next_in_pieces(&mut self) {
        let Some(position) = self.position else {
            return;
        };
        let b = &mut *self.a.builder;
        let next = b.use_var(position);
        let next = b.ins().iadd_imm_s(next, 1);
        b.def_var(position, next);
        let in_block = b.ins().band_imm_u(next, BLOCK as i64 - 1);
        let (full, go_on) = (b.create_block(), b.create_block());
        let is_full = b.ins().icmp_imm_u(IntCC::Equal, in_block, 0);
        b.ins().brif(is_full, full, &[], go_on, &[]);
        b.switch_to_block(full);
        self.fold_lanes();
        for (value, op) in self.reductions() {
            if self.is_in_lanes(value, op) {
                self.empty(value);
            }
        }
        self.a.builder.ins().jump(go_on, &[]);
        self.a.builder.switch_to_block(go_on);
    }

    /// Folds the lanes, and adds the sum of the block to the total.
    pub(super) fn fold_lanes(&mut self) {
        for (value, op) in self.reductions() {
            let Some(slots) = self.lanes.get(&value).cloned() else {
                continue;
            };
            let dtype = self.kernel.dtypes[usize::from(value)];
            let lanes = self.kernel.lanes(value);
            let sums: Vec<Clif> = slots
                .iter()
                .map(|&slot| self.folded(slot, dtype, lanes))
                .collect();
            let block = match sums[..] {
                [re, im] => Element::Pair(re, im),
                _ => Element::One(sums[0]),
            };
            self.add_to_total(value, op, block);
        }
    }

    fn folded(&mut self, slot: StackSlot, dtype: DType, lanes: usize) -> Clif {
        let b = &mut *self.a.builder;
        let ty = component(dtype);
        let lane = |lane: usize| lane as i32 * ty.bytes() as i32;
        let mut sums: Vec<Clif> = (0..lanes)
            .map(|l| b.ins().stack_load(I64, ty, slot, lane(l)))
            .collect();
        while sums.len() > 1 {
            let half = sums.len() / 2;
            for l in 0..half {
                sums[l] = b.ins().fadd(sums[l], sums[l + half]);
            }
            sums.truncate(half);
        }
        sums[0]
    }
}
