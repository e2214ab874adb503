//! The masks of tails, and the loads and stores that they govern.
//!
//! Known ones are constants, of which loads and stores of the first so many bytes need none. The others are written to the
//! frame before a tail.

use super::vectors::floating;
use super::{Encoder, FIRST};
use crate::codegen::simd::ir::Kind;
use crate::codegen::simd::vcode::{
    ACC, AUX, Address, ConstantBits, General, Length, Mask, Operand, STACK, TAIL, TAIL_FIRST,
    TAIL_SECOND, TAIL_UNPACKED, Tail, Vector,
};
use crate::codegen::target::x86::assembler::opcode;

impl Tail {
    /// Which element of a vector is in a lane of unpacked complex numbers, see `Order::Unpacked`.
    fn unpacked(self, lane: i32) -> i32 {
        let bytes = self.complex.unwrap_or(0) / 2 * self.count;
        // Shuffles within 128 bits of two vectors exchange the quarters in the middle; one of 128 bits has none.
        let quarter = self.count / 4;
        if bytes != 32 || quarter == 0 {
            return lane;
        }
        match lane / quarter {
            1 => lane + quarter,
            2 => lane - quarter,
            _ => lane,
        }
    }

    /// For each lane of a mask, the number that must be below how many elements are left, or twice as many for the
    /// vectors in memory that hold complex numbers.
    fn numbers(self, mask: Mask) -> impl Fn(i32) -> i32 {
        move |lane| match mask {
            TAIL_SECOND => lane + self.count,
            TAIL_UNPACKED => self.unpacked(lane),
            _ => lane,
        }
    }
}

fn is_doubled(mask: Mask) -> bool {
    mask == TAIL_FIRST || mask == TAIL_SECOND
}

impl Encoder {
    /// The lanes of a known tail's mask, one bit each.
    pub(super) fn known_lanes(&self, mask: Mask) -> Option<u32> {
        let (left, tail) = self.known.filter(|_| mask.vector().is_none())?;
        let left = if is_doubled(mask) { 2 * left } else { left };
        let number = tail.numbers(mask);
        let lanes = (0..tail.count).filter(|&lane| number(lane) < left);
        Some(lanes.map(|lane| 1 << lane).sum())
    }

    /// A whole vector of which lanes of `size` bytes are what a function says.
    fn lanes(&mut self, size: i32, number: impl Fn(i32) -> i64) -> Operand {
        let mut words = [0u64; 8];
        for (i, word) in (0i32..4).zip(&mut words) {
            *word = if size == 8 {
                number(i) as u64
            } else {
                u64::from(number(2 * i) as u32) | u64::from(number(2 * i + 1) as u32) << 32
            };
        }
        Operand::Constant(self.asm.constants.add(ConstantBits::Words(words)))
    }

    /// Where the mask of a tail is in the frame.
    fn place(&self, mask: Mask) -> Address {
        Address::new(STACK, self.tails + 32 * (i32::from(mask.0) - 1))
    }

    /// A lane of the mask of a tail in the frame.
    pub(super) fn tail_lane(&self, lane: u8) -> Address {
        let place = self.place(TAIL);
        Address {
            offset: place.offset + self.lane * i32::from(lane),
            ..place
        }
    }

    /// The mask of a tail as it is in memory, with lanes of the kernel's width.
    pub(super) fn tail_operand(&mut self, mask: Mask) -> Operand {
        match self.known_lanes(mask) {
            Some(lanes) => self.known_mask(self.lane, lanes),
            None => self.place(mask).into(),
        }
    }

    fn known_mask(&mut self, size: i32, lanes: u32) -> Operand {
        self.lanes(size, |lane| -i64::from(lanes >> lane & 1))
    }

    /// The mask of a tail in a register, with lanes of a kind's width.
    pub(super) fn load_tail(&mut self, mask: Mask, kind: Kind, to: Vector) {
        if let Some(lanes) = self.known_lanes(mask) {
            let constant = self.known_mask(kind.size(), lanes);
            return self.op_one(floating(Kind::F32, 0x10), Length::Bits256, to, constant, None);
        }
        let place = self.place(mask);
        if kind.size() == self.lane {
            return self.op_one(floating(Kind::F32, 0x10), Length::Bits256, to, place, None);
        }
        // The lower halves of the lanes.
        self.op_one(floating(Kind::F32, 0x10), Length::Bits128, to, place, None);
        let upper = Address {
            offset: place.offset + 16,
            ..place
        };
        self.shuffle_singles(Length::Bits128, to, to, upper, 0b10_00_10_00);
    }

    pub(super) fn tail_mask(&mut self, kind: Kind, to: Vector) {
        self.load_tail(TAIL, kind, to);
    }

    /// Compares the numbers of lanes with how many elements are left, which `ACC` holds.
    pub(super) fn tail_masks(&mut self, tail: Tail) {
        self.known = None;
        self.write_mask(tail, TAIL, ACC);
        if tail.complex.is_some() {
            self.asm
                .address_of(AUX, Address::new(ACC, 0).indexed(ACC, 1));
            self.write_mask(tail, TAIL_FIRST, AUX);
            self.write_mask(tail, TAIL_SECOND, AUX);
            if tail.unpacked {
                self.write_mask(tail, TAIL_UNPACKED, ACC);
            }
        }
    }

    fn write_mask(&mut self, tail: Tail, mask: Mask, left: General) {
        self.vector_from_general(FIRST, left);
        let is_double = self.lane == 8;
        let broadcast = opcode(2, 1, false, if is_double { 0x59 } else { 0x58 });
        self.op_one(broadcast, Length::Bits256, FIRST, FIRST, None);
        let number = tail.numbers(mask);
        let numbers = self.lanes(self.lane, |lane| i64::from(number(lane)));
        let greater = if is_double {
            opcode(2, 1, false, 0x37)
        } else {
            opcode(1, 1, false, 0x66)
        };
        self.op(greater, Length::Bits256, FIRST, FIRST, numbers, None);
        let place = self.place(mask);
        self.op_one(floating(Kind::F32, 0x11), Length::Bits256, FIRST, place, None);
    }

    /// How many bytes a load or store moves under the known mask of a tail, whose lanes are the first ones.
    fn known_bytes(&self, kind: Kind, length: Length, mask: Mask) -> Option<i32> {
        let lanes = self.known_lanes(mask)?;
        debug_assert!(lanes & (lanes + 1) == 0, "the first lanes");
        Some((lanes.count_ones() as i32 * kind.size()).min(length.bytes()))
    }

    /// Lanes of memory where the mask is set; the others become zero.
    pub(super) fn load_masked(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Address,
        mask: Mask,
    ) {
        match self.known_bytes(kind, length, mask) {
            Some(0) => return self.clear(to),
            Some(4) => return self.load_scalar(Kind::F32, to, from),
            Some(8) => return self.load_scalar(Kind::F64, to, from),
            Some(bytes @ (16 | 32)) => {
                let length = Length::of(bytes);
                return self.op_one(floating(kind, 0x10), length, to, from, None);
            }
            Some(_) | None => {}
        }
        let mask = self.mask_register(mask, kind, FIRST);
        let code = if kind.is_double() { 0x2D } else { 0x2C };
        self.op(opcode(2, 1, false, code), length, to, mask, from, None);
    }

    /// Lanes to memory where the mask is set.
    pub(super) fn store_masked(
        &mut self,
        kind: Kind,
        length: Length,
        to: Address,
        from: Vector,
        mask: Mask,
    ) {
        let Some(bytes) = self.known_bytes(kind, length, mask) else {
            let mask = self.mask_register(mask, kind, FIRST);
            let code = if kind.is_double() { 0x2F } else { 0x2E };
            return self.op(opcode(2, 1, false, code), length, from, mask, to, None);
        };
        let at = |offset: i32| Address {
            offset: to.offset + offset,
            ..to
        };
        let (mut from, mut done) = (from, 0);
        if bytes >= 16 {
            let length = Length::of(if bytes == 32 { 32 } else { 16 });
            self.op_one(floating(kind, 0x11), length, from, to, None);
            done = length.bytes();
            if bytes > done {
                self.upper_half(FIRST, from);
                from = FIRST;
            }
        }
        if bytes - done >= 8 {
            self.store_scalar(Kind::F64, at(done), from);
        }
        if bytes % 8 == 4 {
            let lane = (bytes - done) as u8 / 4 - 1;
            let extract = opcode(3, 1, false, 0x17);
            self.op_one(extract, Length::Bits128, from, at(bytes - 4), Some(lane));
        }
    }
}
