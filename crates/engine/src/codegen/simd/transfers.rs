//! Addresses of elements, loads and stores.
//!
//! Neighbours in memory move as vectors, under the mask of the tail where the end is near; numbers that lie apart are
//! gathered and scattered; what does not move along the lanes is in all of them. Complex numbers are taken apart into
//! vectors of real and of imaginary parts.

use super::emitter::{Emitter, Instance};
use super::ir::{Element, Kind};
use super::plan::{Order, length};
use super::target::Target;
use super::vcode::{
    ACC, AUX, Address, DOUBLE_INDEX, General, INDEX, Length, Mask, MaskInst, Masking, Operand,
    Pointer, STACK, TAIL, TAIL_FIRST, TAIL_SECOND, Unpack, Vector, VectorInst, parameter,
};
use crate::kernel::Stride;

impl<T: Target> Emitter<'_, T> {
    pub(super) fn stride_word(&self, slot: usize, axis: usize) -> usize {
        let strides = &self.kernel.slots[slot].strides[..axis];
        let before = strides.iter().filter(|s| **s == Stride::Parameter).count();
        self.strides[slot] + before
    }

    /// A slot's pointer in a register, `ACC` if it has none of its own.
    fn pointer(&mut self, slot: usize) -> General {
        match self.pointers[slot] {
            Pointer::Register(register) => register,
            Pointer::Frame(place) => {
                self.code.load_general(ACC, Address::new(STACK, place));
                ACC
            }
            Pointer::Scratch(_) => {
                self.registers.failed = Some("scratch memory is not in lanes");
                STACK
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

    /// How a slot moves along the lanes of a at.
    fn movement(&self, slot: usize, at: Instance) -> Stride {
        match self.plan.axis(self.kernel) {
            Some(axis) if at.count > 1 => self.kernel.slots[slot].strides[axis],
            _ => Stride::Zero,
        }
    }

    /// The first element of a at, of a slot whose elements lie side by side.
    fn contiguous(&mut self, slot: usize, at: Instance) -> Address {
        let size = self.kernel.slots[slot].dtype.size() as i32;
        let (base, start) = match self.pointers[slot] {
            Pointer::Scratch(place) => (STACK, place),
            _ => (self.pointer(slot), 0),
        };
        let index = at.indexed.then_some(match size {
            16 => (DOUBLE_INDEX, 8),
            size => (INDEX, size as u8),
        });
        let index = index.or(self.distance_to_row(slot));
        Address {
            base,
            index,
            offset: start + at.ahead * size,
        }
    }

    /// The first element of a at in a register, of a slot that strides.
    fn strided(&mut self, slot: usize, at: Instance) -> General {
        let axis = self.plan.axis(self.kernel).unwrap_or(0);
        let stride = parameter(self.stride_word(slot, axis));
        if at.indexed {
            self.code.address_of(AUX, Address::new(INDEX, at.ahead));
            self.code.multiply_memory(AUX, stride);
        } else if at.ahead != 0 {
            self.code.load_general(AUX, stride);
            self.code.multiply_number(AUX, AUX, at.ahead);
        } else {
            // Not `ACC`: other operands come between.
            return match self.pointers[slot] {
                Pointer::Register(register) => register,
                Pointer::Frame(place) => {
                    self.code.load_general(AUX, Address::new(STACK, place));
                    AUX
                }
                Pointer::Scratch(_) => self.pointer(slot),
            };
        }
        match self.pointers[slot] {
            Pointer::Register(register) => self.code.add(AUX, register),
            Pointer::Frame(place) => self.code.add_memory(AUX, Address::new(STACK, place)),
            Pointer::Scratch(_) => self.registers.failed = Some("scratch memory does not stride"),
        }
        AUX
    }

    fn zeroing(at: Instance, mask: Mask) -> Masking {
        if at.masked {
            Masking::Zero(mask)
        } else {
            Masking::None
        }
    }

    fn merging(at: Instance, mask: Mask) -> Masking {
        if at.masked {
            Masking::Merge(mask)
        } else {
            Masking::None
        }
    }

    pub(super) fn load(&mut self, slot: usize, to: Element, at: Instance) {
        if self.load_resident(slot, to, at) {
            return;
        }
        self.load_from_memory(slot, to, at);
        self.carry(slot, to, at);
    }

    pub(super) fn load_from_memory(&mut self, slot: usize, to: Element, at: Instance) {
        let kind = self.source.kind(to.first());
        let length = length(kind, at.count);
        let movement = self.movement(slot, at);
        match (movement, to) {
            (Stride::Zero, Element::One(to)) if kind == Kind::Mask => {
                let from = self.at_pointer(slot, 0);
                let to = self.registers.define_mask(to, at.copy);
                self.code.push(MaskInst::SpreadByte { to, from });
            }
            (Stride::Zero, _) => {
                for (part, register) in to.parts().into_iter().enumerate() {
                    let address = self.at_pointer(slot, part as i32);
                    let to = self.registers.define_vector(register, at.copy);
                    if at.count > 1 {
                        self.code.broadcast(kind, length, to, address.into());
                    } else {
                        self.code.load_scalar(kind, to, address);
                    }
                }
            }
            (Stride::Unit, Element::One(to)) if kind == Kind::Mask => {
                let from = self.contiguous(slot, at);
                let through = self.registers.take();
                let to = self.registers.define_mask(to, at.copy);
                self.code.push(MaskInst::LoadBytes {
                    to,
                    through,
                    from,
                    count: at.count,
                    masked: at.masked,
                });
                self.registers.give(through);
            }
            (Stride::Unit, Element::One(to)) => {
                let address = self.contiguous(slot, at);
                let to = self.registers.define_vector(to, at.copy);
                let masking = Self::zeroing(at, TAIL);
                self.code.load(kind, length, to, address.into(), masking);
            }
            (Stride::Unit, Element::Pair(re, im)) => {
                let address = self.contiguous(slot, at);
                let next = Address {
                    offset: address.offset + length.bytes(),
                    ..address
                };
                let (first, second) = (self.registers.take(), self.registers.take());
                let masking = Self::zeroing(at, TAIL_FIRST);
                self.code.load(kind, length, first, address.into(), masking);
                let masking = Self::zeroing(at, TAIL_SECOND);
                self.code.load(kind, length, second, next.into(), masking);
                let re = self.registers.define_vector(re, at.copy);
                let im = self.registers.define_vector(im, at.copy);
                self.separate(kind, length, [re, im], [first, second]);
                self.registers.give(first);
                self.registers.give(second);
            }
            (Stride::Parameter, _) => {
                let base = self.strided(slot, at);
                let index = self.gather_index(slot);
                for (part, register) in to.parts().into_iter().enumerate() {
                    let to = self.registers.define_vector(register, at.copy);
                    let mask = self.registers.take_mask();
                    self.code.push(VectorInst::Gather {
                        kind,
                        length: Length::of(T::BYTES),
                        to,
                        base,
                        index,
                        offset: part as i32 * kind.size(),
                        mask,
                        masked: at.masked,
                    });
                    self.registers.give_mask(mask);
                }
            }
        }
    }

    fn gather_index(&mut self, slot: usize) -> Vector {
        self.gather[slot].unwrap_or_else(|| {
            self.registers.failed = Some("a slot strides along no lanes");
            Vector(0)
        })
    }

    /// Two vectors `re im re im ..` of memory become the parts of complex numbers.
    fn separate(&mut self, kind: Kind, length: Length, to: [Vector; 2], from: [Vector; 2]) {
        let [first, second] = from;
        let is_natural = self.plan.order == Order::Natural;
        if is_natural && T::PERMUTES_TWO {
            for (odd, part) in to.into_iter().enumerate() {
                let lanes = lane_numbers(kind, |lane| 2 * lane + odd as u64);
                self.permute(kind, length, part, from, lanes);
            }
            return;
        }
        if kind.size() == 8 {
            self.code
                .unpack(Unpack::Low, kind, length, to[0], first, second);
            self.code
                .unpack(Unpack::High, kind, length, to[1], first, second);
        } else {
            self.code
                .shuffle_singles(length, to[0], first, second, 0b10_00_10_00);
            self.code
                .shuffle_singles(length, to[1], first, second, 0b11_01_11_01);
        }
        if is_natural && length == Length::Bits256 {
            for part in to {
                self.code
                    .permute_quarters(length, part, part, MIDDLE_SWAPPED);
            }
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
        let lanes = self.code.words(lanes);
        let none = Masking::None;
        self.code
            .load(kind, length, to, Operand::Constant(lanes), none);
        self.code.permute_two(kind, length, to, from[0], from[1]);
    }

    pub(super) fn store(&mut self, slot: usize, from: Element, at: Instance) {
        self.carry(slot, from, at);
        let kind = self.source.kind(from.first());
        let length = length(kind, at.count);
        let movement = self.movement(slot, at);
        let indices = match movement {
            Stride::Parameter => Some((self.strided(slot, at), self.gather_index(slot))),
            _ => None,
        };
        match (movement, from) {
            (Stride::Zero, Element::One(from)) if kind == Kind::Mask => {
                let from = self.registers.mask(from, at.copy);
                self.code.push(MaskInst::First { to: AUX, from });
                let address = self.at_pointer(slot, 0);
                self.code.store_byte(address, AUX);
            }
            (Stride::Unit, Element::One(from)) if kind == Kind::Mask => {
                let from = self.registers.mask(from, at.copy);
                let to = self.contiguous(slot, at);
                let through = self.registers.take();
                self.code.push(MaskInst::StoreBytes {
                    to,
                    through,
                    from,
                    count: at.count,
                    masked: at.masked,
                });
                self.registers.give(through);
            }
            (Stride::Unit, Element::One(from)) => {
                let (from, temporary) = self.vector(from, at);
                let address = self.contiguous(slot, at);
                let masking = Self::merging(at, TAIL);
                self.code.store(kind, length, address, from, masking);
                self.registers.give_if(temporary, from);
            }
            (Stride::Unit, Element::Pair(re, im)) => {
                let (re, is_re_temporary) = self.vector(re, at);
                let (im, is_im_temporary) = self.vector(im, at);
                let address = self.contiguous(slot, at);
                for (which, mask) in [(Unpack::Low, TAIL_FIRST), (Unpack::High, TAIL_SECOND)] {
                    let is_second = which == Unpack::High;
                    self.begin();
                    let joined = self.registers.take();
                    self.interleave(which, kind, length, joined, [re, im], at.count);
                    let offset = i32::from(is_second) * length.bytes();
                    let address = Address {
                        offset: address.offset + offset,
                        ..address
                    };
                    let masking = Self::merging(at, mask);
                    self.code.store(kind, length, address, joined, masking);
                    self.registers.give(joined);
                }
                self.registers.give_if(is_re_temporary, re);
                self.registers.give_if(is_im_temporary, im);
            }
            (Stride::Zero | Stride::Parameter, _) => {
                for (part, register) in from.parts().into_iter().enumerate() {
                    let (vector, temporary) = self.vector(register, at);
                    if let Some((base, index)) = indices {
                        let mask = self.registers.take_mask();
                        self.code.push(VectorInst::Scatter {
                            kind,
                            length: Length::of(T::BYTES),
                            from: vector,
                            base,
                            index,
                            offset: part as i32 * kind.size(),
                            mask,
                            masked: at.masked,
                        });
                        self.registers.give_mask(mask);
                    } else {
                        let address = self.at_pointer(slot, part as i32);
                        self.code.store_scalar(kind, address, vector);
                    }
                    self.registers.give_if(temporary, vector);
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
            return self
                .code
                .unpack(which, kind, length, to, parts[0], parts[1]);
        }
        if !T::PERMUTES_TWO {
            // What `separate` does, backwards.
            if length != Length::Bits256 {
                return self
                    .code
                    .unpack(which, kind, length, to, parts[0], parts[1]);
            }
            let im = self.registers.take();
            self.code
                .permute_quarters(length, to, parts[0], MIDDLE_SWAPPED);
            self.code
                .permute_quarters(length, im, parts[1], MIDDLE_SWAPPED);
            self.code.unpack(which, kind, length, to, to, im);
            return self.registers.give(im);
        }
        let count = count as u64;
        let first = if which == Unpack::Low { 0 } else { count / 2 };
        let lanes = lane_numbers(kind, |lane| first + lane / 2 + lane % 2 * count);
        self.permute(kind, length, to, parts, lanes);
    }
}

/// Quarters 0, 2, 1, 3: between the order of memory and what shuffles within each 128 bits give.
const MIDDLE_SWAPPED: u8 = 0b11_01_10_00;

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
