//! Addresses of elements, loads and stores, counted loops.

use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16};
use cranelift_codegen::ir::{ConstantData, MemFlagsData};
use cranelift_codegen::ir::{InstBuilder, Value as Clif};

use super::arithmetic::{Element, Width, component, memory};
use super::{Emitter, constant_memory};
use crate::kernel::Stride;

const EVEN: (&[u8], &[u8]) = (&[0, 2], &[0, 2, 4, 6]);
const ODD: (&[u8], &[u8]) = (&[1, 3], &[1, 3, 5, 7]);
const LOW: (&[u8], &[u8]) = (&[0, 2], &[0, 4, 1, 5]);
const HIGH: (&[u8], &[u8]) = (&[1, 3], &[2, 6, 3, 7]);

impl<'a> Emitter<'a, '_, '_> {
    /// Whether a slot moves along the innermost axis.
    pub(super) fn moves(&self, slot: usize, axis: usize) -> bool {
        self.kernel.slots[slot]
            .strides
            .get(axis)
            .is_some_and(|s| *s != Stride::Zero)
    }

    /// Whether the kernel writes to a slot, so that loads from it must stay where they are.
    fn is_written(&self, slot: usize) -> bool {
        slot >= self.own_slots || self.kernel.is_written(slot)
    }

    /// The pointers after moving to position `i` of an axis.
    pub(super) fn advance(&mut self, pointers: &[Clif], axis: usize, i: Clif) -> Vec<Clif> {
        (0..pointers.len())
            .map(|slot| match self.kernel.slots[slot].strides[axis] {
                Stride::Zero => pointers[slot],
                Stride::Unit => {
                    let size = self.kernel.slots[slot].dtype.size() as i64;
                    let bytes = self.a.builder.ins().imul_imm_s(i, size);
                    self.a.builder.ins().iadd(pointers[slot], bytes)
                }
                Stride::Parameter => {
                    let bytes = self.a.builder.ins().imul(i, self.strides[&(slot, axis)]);
                    self.a.builder.ins().iadd(pointers[slot], bytes)
                }
            })
            .collect()
    }

    /// The address of a slot's element, and a constant offset from it.
    pub(super) fn address(
        &mut self,
        slot: usize,
        pointers: &[Clif],
        axis: usize,
        index: Clif,
        ahead: i64,
    ) -> (Clif, i32) {
        let pointer = pointers[slot];
        let size = self.kernel.slots[slot].dtype.size() as i64;
        match self.kernel.slots[slot].strides.get(axis) {
            None | Some(Stride::Zero) => (pointer, 0),
            Some(Stride::Unit) => {
                let bytes = self
                    .a
                    .builder
                    .ins()
                    .ishl_imm_u(index, i64::from(size.trailing_zeros()));
                (
                    self.a.builder.ins().iadd(pointer, bytes),
                    (ahead * size) as i32,
                )
            }
            Some(Stride::Parameter) => {
                let index = self.a.builder.ins().iadd_imm_s(index, ahead);
                let bytes = self
                    .a
                    .builder
                    .ins()
                    .imul(index, self.strides[&(slot, axis)]);
                (self.a.builder.ins().iadd(pointer, bytes), 0)
            }
        }
    }

    /// A load that does not depend on the innermost index, so that it can leave the loop.
    pub(super) fn load_once(&mut self, slot: usize, address: Clif) -> Element {
        let dtype = self.kernel.slots[slot].dtype;
        let part = component(dtype);
        let flags = if self.is_written(slot) {
            memory()
        } else {
            constant_memory()
        };
        let first = self.a.builder.ins().load(part, flags, address, 0);
        if !dtype.is_complex() {
            return Element::One(first);
        }
        Element::Pair(
            first,
            self.a
                .builder
                .ins()
                .load(part, flags, address, part.bytes() as i32),
        )
    }

    pub(super) fn load(
        &mut self,
        slot: usize,
        address: Clif,
        offset: i32,
        width: Width,
    ) -> Element {
        let dtype = self.kernel.slots[slot].dtype;
        let ty = width.ty(dtype);
        let first = self.a.builder.ins().load(ty, memory(), address, offset);
        if !dtype.is_complex() {
            return Element::One(first);
        }
        let second = self
            .a
            .builder
            .ins()
            .load(ty, memory(), address, offset + ty.bytes() as i32);
        if width == Width::Scalar {
            return Element::Pair(first, second);
        }
        // Memory holds re im re im ..; lanes hold re re .. and im im ..
        let even = self.shuffle(first, second, EVEN);
        Element::Pair(even, self.shuffle(first, second, ODD))
    }

    pub(super) fn store(
        &mut self,
        slot: usize,
        address: Clif,
        offset: i32,
        element: Element,
        width: Width,
    ) {
        let (first, second) = match element {
            Element::One(x) => {
                self.a.builder.ins().store(memory(), x, address, offset);
                return;
            }
            Element::Pair(re, im) if width == Width::Scalar => (re, im),
            Element::Pair(re, im) => (self.shuffle(re, im, LOW), self.shuffle(re, im, HIGH)),
        };
        let bytes = width.ty(self.kernel.slots[slot].dtype).bytes() as i32;
        self.a.builder.ins().store(memory(), first, address, offset);
        self.a
            .builder
            .ins()
            .store(memory(), second, address, offset + bytes);
    }

    /// Lanes picked from two vectors: `pattern` gives positions for two lanes and for four.
    pub(super) fn shuffle(&mut self, x: Clif, y: Clif, pattern: (&[u8], &[u8])) -> Clif {
        let ty = self.a.builder.func.dfg.value_type(x);
        let lanes = if ty == F64X2 { pattern.0 } else { pattern.1 };
        debug_assert!(
            ty == F64X2 || ty == F32X4,
            "only floating lanes are shuffled"
        );
        let size = 16 / lanes.len() as u8;
        let bytes: Vec<u8> = lanes
            .iter()
            .flat_map(|&lane| (0..size).map(move |b| lane * size + b))
            .collect();
        let flags = MemFlagsData::new().with_endianness(cranelift_codegen::ir::Endianness::Little);
        let mask = self
            .a
            .builder
            .func
            .dfg
            .immediates
            .push(ConstantData::from(bytes));
        let (x, y) = (
            self.a.builder.ins().bitcast(I8X16, flags, x),
            self.a.builder.ins().bitcast(I8X16, flags, y),
        );
        let shuffled = self.a.builder.ins().shuffle(x, y, mask);
        self.a.builder.ins().bitcast(ty, flags, shuffled)
    }
}
