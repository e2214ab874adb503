//! Addresses of elements, loads and stores.
//!
//! Neighbours in memory move as vectors, under the mask of the tail where the end is near; numbers that lie apart are
//! gathered and scattered; what does not move along the lanes is in all of them. Complex numbers are taken apart into
//! vectors of real and of imaginary parts.

use super::assembler::{
    Address, General, Length, Mask, Masking, Operand, R10, RAX, RCX, RDX, RSP, Vector,
};
use super::emitter::{Emitter, Pointer, Step, TAIL, TAIL_FIRST, TAIL_SECOND, parameter};
use super::instructions::{Kind, MaskLogic, Unpack};
use super::plan::{Order, length};
use super::program::Element;
use crate::backends::cranelift::kernel::Stride;

impl Emitter<'_> {
    pub(super) fn stride_word(&self, slot: usize, axis: usize) -> usize {
        let strides = &self.kernel.slots[slot].strides[..axis];
        let before = strides.iter().filter(|s| **s == Stride::Parameter).count();
        self.strides[slot] + before
    }

    /// A slot's pointer in a register, `rax` if it has none of its own.
    fn pointer(&mut self, slot: usize) -> General {
        match self.pointers[slot] {
            Pointer::Register(register) => register,
            Pointer::Frame(place) => {
                self.asm.load_general(RAX, Address::new(RSP, place));
                RAX
            }
            Pointer::Scratch(_) => {
                self.failed = Some("scratch memory is not in lanes");
                RSP
            }
        }
    }

    /// The element, or a part of it, that a slot's pointer points to.
    pub(super) fn at_pointer(&mut self, slot: usize, part: i32) -> Address {
        let dtype = self.kernel.slots[slot].dtype;
        let offset = if dtype.is_complex() {
            part * dtype.size() as i32 / 2
        } else {
            0
        };
        Address::new(self.pointer(slot), offset)
    }

    /// How a slot moves along the lanes of a step.
    fn movement(&self, slot: usize, step: Step) -> Stride {
        match self.plan.axis(self.kernel) {
            Some(axis) if step.count > 1 => self.kernel.slots[slot].strides[axis],
            _ => Stride::Zero,
        }
    }

    /// The first element of a step, of a slot whose elements lie side by side.
    fn contiguous(&mut self, slot: usize, step: Step) -> Address {
        let size = self.kernel.slots[slot].dtype.size() as i32;
        let (base, start) = match self.pointers[slot] {
            Pointer::Scratch(place) => (RSP, place),
            _ => (self.pointer(slot), 0),
        };
        let index = step.indexed.then_some(match size {
            16 => (R10, 8),
            size => (RCX, size as u8),
        });
        Address {
            base,
            index,
            offset: start + step.ahead * size,
        }
    }

    /// The first element of a step in a register, of a slot that strides.
    fn strided(&mut self, slot: usize, step: Step) -> General {
        let axis = self.plan.axis(self.kernel).unwrap_or(0);
        let stride = parameter(self.stride_word(slot, axis));
        if step.indexed {
            self.asm.address_of(RDX, Address::new(RCX, step.ahead));
            self.asm.multiply_memory(RDX, stride);
        } else if step.ahead != 0 {
            self.asm.load_general(RDX, stride);
            self.asm.multiply_number(RDX, RDX, step.ahead);
        } else {
            // Not `rax`: other operands come between.
            return match self.pointers[slot] {
                Pointer::Register(register) => register,
                Pointer::Frame(place) => {
                    self.asm.load_general(RDX, Address::new(RSP, place));
                    RDX
                }
                Pointer::Scratch(_) => self.pointer(slot),
            };
        }
        match self.pointers[slot] {
            Pointer::Register(register) => self.asm.add(RDX, register),
            Pointer::Frame(place) => self.asm.add_memory(RDX, Address::new(RSP, place)),
            Pointer::Scratch(_) => self.failed = Some("scratch memory does not stride"),
        }
        RDX
    }

    fn zeroing(step: Step, mask: Mask) -> Masking {
        if step.masked {
            Masking::Zero(mask)
        } else {
            Masking::None
        }
    }

    fn merging(step: Step, mask: Mask) -> Masking {
        if step.masked {
            Masking::Merge(mask)
        } else {
            Masking::None
        }
    }

    pub(super) fn load(&mut self, slot: usize, to: Element, step: Step) {
        if self.load_held(slot, to, step) {
            return;
        }
        self.load_from_memory(slot, to, step);
        self.hold(slot, to, step);
    }

    pub(super) fn load_from_memory(&mut self, slot: usize, to: Element, step: Step) {
        let kind = self.program.kind(to.first());
        let length = length(kind, step.count);
        let movement = self.movement(slot, step);
        match (movement, to) {
            (Stride::Zero, Element::One(to)) if kind == Kind::Mask => {
                let address = self.at_pointer(slot, 0);
                self.asm.load_byte(RAX, address);
                self.asm.negate(RAX);
                let to = self.define_mask(to, step.copy);
                self.asm.mask_from(to, RAX);
            }
            (Stride::Zero, _) => {
                for (part, register) in to.parts().into_iter().enumerate() {
                    let address = self.at_pointer(slot, part as i32);
                    let to = self.define_vector(register, step.copy);
                    if step.count > 1 {
                        self.asm.broadcast(kind, length, to, address.into());
                    } else {
                        self.asm.load_scalar(kind, to, address);
                    }
                }
            }
            (Stride::Unit, Element::One(to)) if kind == Kind::Mask => {
                let address = self.contiguous(slot, step);
                let bytes = self.take();
                if step.count < 16 && !step.masked {
                    self.asm.load_scalar(Kind::I64, bytes, address);
                } else {
                    self.asm
                        .load_bytes(bytes, address, Self::zeroing(step, TAIL));
                }
                let to = self.define_mask(to, step.copy);
                self.asm.bytes_to_mask(to, bytes);
                self.give(bytes);
            }
            (Stride::Unit, Element::One(to)) => {
                let address = self.contiguous(slot, step);
                let to = self.define_vector(to, step.copy);
                let masking = Self::zeroing(step, TAIL);
                self.asm.load(kind, length, to, address.into(), masking);
            }
            (Stride::Unit, Element::Pair(re, im)) => {
                let address = self.contiguous(slot, step);
                let next = Address {
                    offset: address.offset + length.bytes(),
                    ..address
                };
                let (first, second) = (self.take(), self.take());
                let masking = Self::zeroing(step, TAIL_FIRST);
                self.asm.load(kind, length, first, address.into(), masking);
                let masking = Self::zeroing(step, TAIL_SECOND);
                self.asm.load(kind, length, second, next.into(), masking);
                let re = self.define_vector(re, step.copy);
                let im = self.define_vector(im, step.copy);
                self.separate(kind, length, [re, im], [first, second]);
                self.give(first);
                self.give(second);
            }
            (Stride::Parameter, _) => {
                let base = self.strided(slot, step);
                let index = self.gather_index(slot);
                for (part, register) in to.parts().into_iter().enumerate() {
                    let to = self.define_vector(register, step.copy);
                    let mask = self.gather_mask(step);
                    self.asm.clear(to);
                    let offset = part as i32 * kind.size();
                    let length = Length::Bits512;
                    self.asm.gather(kind, length, to, base, index, offset, mask);
                    self.give_mask(mask);
                }
            }
        }
    }

    fn gather_index(&mut self, slot: usize) -> Vector {
        self.gather[slot].unwrap_or_else(|| {
            self.failed = Some("a slot strides along no lanes");
            Vector(0)
        })
    }

    fn gather_mask(&mut self, step: Step) -> Mask {
        let mask = self.take_mask();
        if step.masked {
            self.asm.mask_copy(mask, TAIL);
        } else {
            self.asm.mask_logic(MaskLogic::NotXor, mask, mask, mask);
        }
        mask
    }

    /// Two vectors `re im re im ..` of memory become the parts of complex numbers.
    fn separate(&mut self, kind: Kind, length: Length, to: [Vector; 2], from: [Vector; 2]) {
        let [first, second] = from;
        if self.plan.order == Order::Natural {
            for (odd, part) in to.into_iter().enumerate() {
                let lanes = lane_numbers(kind, |lane| 2 * lane + odd as u64);
                self.permute(kind, length, part, from, lanes);
            }
        } else if kind.size() == 8 {
            self.asm
                .unpack(Unpack::Low, kind, length, to[0], first, second);
            self.asm
                .unpack(Unpack::High, kind, length, to[1], first, second);
        } else {
            self.asm
                .shuffle_singles(length, to[0], first, second, 0b10_00_10_00);
            self.asm
                .shuffle_singles(length, to[1], first, second, 0b11_01_11_01);
        }
    }

    fn permute(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: [Vector; 2],
        lanes: [u64; 8],
    ) {
        let lanes = self.asm.words(lanes);
        let none = Masking::None;
        self.asm
            .load(kind, length, to, Operand::Constant(lanes), none);
        self.asm.permute_two(kind, length, to, from[0], from[1]);
    }

    pub(super) fn store(&mut self, slot: usize, from: Element, step: Step) {
        self.hold(slot, from, step);
        let kind = self.program.kind(from.first());
        let length = length(kind, step.count);
        let movement = self.movement(slot, step);
        let indices = match movement {
            Stride::Parameter => Some((self.strided(slot, step), self.gather_index(slot))),
            _ => None,
        };
        match (movement, from) {
            (Stride::Zero, Element::One(from)) if kind == Kind::Mask => {
                let from = self.mask(from, step.copy);
                self.asm.mask_to(RDX, from);
                self.asm.and_number(RDX, 1);
                let address = self.at_pointer(slot, 0);
                self.asm.store_byte(address, RDX);
            }
            (Stride::Unit, Element::One(from)) if kind == Kind::Mask => {
                let from = self.mask(from, step.copy);
                let address = self.contiguous(slot, step);
                let bytes = self.take();
                self.asm.mask_to_bytes(bytes, from);
                if step.count < 16 && !step.masked {
                    self.asm.store_scalar(Kind::I64, address, bytes);
                } else {
                    self.asm
                        .store_bytes(address, bytes, Self::merging(step, TAIL));
                }
                self.give(bytes);
            }
            (Stride::Unit, Element::One(from)) => {
                let (from, temporary) = self.vector(from, step);
                let address = self.contiguous(slot, step);
                let masking = Self::merging(step, TAIL);
                self.asm.store(kind, length, address, from, masking);
                self.give_if(temporary, from);
            }
            (Stride::Unit, Element::Pair(re, im)) => {
                let (re, is_re_temporary) = self.vector(re, step);
                let (im, is_im_temporary) = self.vector(im, step);
                let address = self.contiguous(slot, step);
                for (which, mask) in [(Unpack::Low, TAIL_FIRST), (Unpack::High, TAIL_SECOND)] {
                    let is_second = which == Unpack::High;
                    let joined = self.take();
                    self.interleave(which, kind, length, joined, [re, im], step.count);
                    let offset = i32::from(is_second) * length.bytes();
                    let address = Address {
                        offset: address.offset + offset,
                        ..address
                    };
                    let masking = Self::merging(step, mask);
                    self.asm.store(kind, length, address, joined, masking);
                    self.give(joined);
                }
                self.give_if(is_re_temporary, re);
                self.give_if(is_im_temporary, im);
            }
            (Stride::Zero | Stride::Parameter, _) => {
                for (part, register) in from.parts().into_iter().enumerate() {
                    let (vector, temporary) = self.vector(register, step);
                    if let Some((base, index)) = indices {
                        let mask = self.gather_mask(step);
                        let offset = part as i32 * kind.size();
                        let length = Length::Bits512;
                        self.asm
                            .scatter(kind, length, vector, base, index, offset, mask);
                        self.give_mask(mask);
                    } else {
                        let address = self.at_pointer(slot, part as i32);
                        self.asm.store_scalar(kind, address, vector);
                    }
                    self.give_if(temporary, vector);
                }
            }
        }
    }

    /// The first or second vector `re im re im ..` of complex numbers in memory.
    fn interleave(
        &mut self,
        which: Unpack,
        kind: Kind,
        length: Length,
        to: Vector,
        parts: [Vector; 2],
        count: i32,
    ) {
        if self.plan.order == Order::Unpacked {
            return self.asm.unpack(which, kind, length, to, parts[0], parts[1]);
        }
        let count = count as u64;
        let first = if which == Unpack::Low { 0 } else { count / 2 };
        let lanes = lane_numbers(kind, |lane| first + lane / 2 + lane % 2 * count);
        self.permute(kind, length, to, parts, lanes);
    }
}

/// A vector of lane numbers.
fn lane_numbers(kind: Kind, number: impl Fn(u64) -> u64) -> [u64; 8] {
    std::array::from_fn(|i| {
        let i = i as u64;
        if kind.size() == 8 {
            number(i)
        } else {
            number(2 * i) | number(2 * i + 1) << 32
        }
    })
}
