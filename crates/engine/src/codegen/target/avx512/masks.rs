//! Truth values in mask registers, and the masks of tails.

use super::vectors::{NO_REGISTER, floating};
use crate::codegen::simd::ir::{Kind, MaskLogic, Predicate};
use crate::codegen::simd::vcode::{
    ACC, AUX, Address, General, Length, Mask, MaskInst, Masking, Operand, TAIL, TAIL_FIRST,
    TAIL_SECOND, TAIL_UNPACKED, Tail, Vector,
};
use crate::codegen::target::x86::assembler::{Assembler, opcode};

impl Assembler {
    /// Compares lane by lane; lanes that `only` leaves out give false.
    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    pub(super) fn compare(
        &mut self,
        predicate: Predicate,
        kind: Kind,
        length: Length,
        to: Mask,
        a: Vector,
        b: Operand,
        only: Option<Mask>,
    ) {
        use Predicate::{
            Equal, Less, LessEqual, NotEqual, NotLessEqual, Ordered, OrderedNotEqual, Unordered,
        };
        // Of the floating ones, none raises the invalid exception for a quiet NaN.
        let (opcode, immediate) = if kind.is_float() {
            let code = match predicate {
                Equal => 0x00,
                Less => 0x11,
                LessEqual => 0x12,
                NotEqual => 0x04,
                NotLessEqual => 0x16,
                OrderedNotEqual => 0x0C,
                Ordered => 0x07,
                Unordered => 0x03,
            };
            (floating(kind, 0xC2), code)
        } else {
            let code = match predicate {
                Equal => 0,
                Less => 1,
                LessEqual => 2,
                NotEqual | OrderedNotEqual => 4,
                NotLessEqual => 6,
                Ordered => 7,
                Unordered => 3,
            };
            (opcode(3, 1, kind.is_double(), 0x1F), code)
        };
        let masking = only.map_or(Masking::None, Masking::Merge);
        self.vector(
            opcode,
            length,
            to.0,
            a.0,
            b,
            kind.size(),
            masking,
            Some(immediate),
        );
    }

    pub(super) fn mask_logic(&mut self, op: MaskLogic, to: Mask, a: Mask, b: Mask) {
        let (code, a, b) = match op {
            MaskLogic::And => (0x41, a, b),
            MaskLogic::AndNot => (0x42, a, b),
            MaskLogic::Or => (0x45, a, b),
            MaskLogic::NotXor => (0x46, a, b),
            MaskLogic::Xor => (0x47, a, b),
        };
        self.vex_registers(opcode(1, 0, false, code), true, to.0, a.0, b.0);
    }

    pub(super) fn mask_not(&mut self, to: Mask, from: Mask) {
        self.vex_registers(opcode(1, 0, false, 0x44), false, to.0, 0, from.0);
    }

    pub(super) fn mask_copy(&mut self, to: Mask, from: Mask) {
        self.vex_registers(opcode(1, 0, false, 0x90), false, to.0, 0, from.0);
    }

    /// The lower 16 bits of a register.
    pub(super) fn mask_from(&mut self, to: Mask, from: General) {
        self.vex_registers(opcode(1, 0, false, 0x92), false, to.0, 0, from.0);
    }

    pub(super) fn mask_to(&mut self, to: General, from: Mask) {
        self.vex_registers(opcode(1, 0, false, 0x93), false, to.0, 0, from.0);
    }

    /// Which of 16 bytes are not zero.
    pub(super) fn bytes_to_mask(&mut self, to: Mask, from: Vector) {
        let test = opcode(2, 1, false, 0x26);
        let length = Length::Bits128;
        self.vector(
            test,
            length,
            to.0,
            from.0,
            from.into(),
            1,
            Masking::None,
            None,
        );
    }

    /// 16 bytes that are 0 or 1.
    pub(super) fn mask_to_bytes(&mut self, to: Vector, from: Mask) {
        // 0 or -1, and then the absolute value of that.
        for (code, prefix, operand) in [(0x28, 2, Vector(from.0)), (0x1C, 1, to)] {
            let opcode = opcode(2, prefix, false, code);
            let operand = operand.into();
            self.vector(
                opcode,
                Length::Bits128,
                to.0,
                NO_REGISTER,
                operand,
                1,
                Masking::None,
                None,
            );
        }
    }

    /// Up to 16 bytes, those where the mask is set.
    pub(super) fn load_bytes(&mut self, to: Vector, from: Address, masking: Masking) {
        let load = opcode(1, 3, false, 0x6F);
        let length = Length::Bits128;
        self.vector(
            load,
            length,
            to.0,
            NO_REGISTER,
            from.into(),
            1,
            masking,
            None,
        );
    }

    pub(super) fn store_bytes(&mut self, to: Address, from: Vector, masking: Masking) {
        let store = opcode(1, 3, false, 0x7F);
        let length = Length::Bits128;
        self.vector(
            store,
            length,
            from.0,
            NO_REGISTER,
            to.into(),
            1,
            masking,
            None,
        );
    }

    // ---- what takes several instructions ----

    /// One of the [`MaskInst`]s.
    pub(super) fn mask_inst(&mut self, inst: &MaskInst) {
        match *inst {
            MaskInst::Compare {
                predicate,
                kind,
                length,
                to,
                a,
                b,
                only,
            } => self.compare(predicate, kind, length, to, a, b, only),
            MaskInst::Logic { op, to, a, b } => self.mask_logic(op, to, a, b),
            MaskInst::Not { to, from } => self.mask_not(to, from),
            MaskInst::Fill { to, value } => {
                let logic = if value {
                    MaskLogic::NotXor
                } else {
                    MaskLogic::Xor
                };
                self.mask_logic(logic, to, to, to);
            }
            MaskInst::SpreadByte { to, from } => {
                self.load_byte(ACC, from);
                self.negate(ACC);
                self.mask_from(to, ACC);
            }
            MaskInst::SpreadConstant { to, value } => {
                self.move_number(ACC, i32::from(value));
                self.negate(ACC);
                self.mask_from(to, ACC);
            }
            MaskInst::SpreadFirst { mask } => {
                self.mask_to(ACC, mask);
                self.and_number(ACC, 1);
                self.negate(ACC);
                self.mask_from(mask, ACC);
            }
            MaskInst::LoadBytes {
                to,
                through,
                from,
                count,
                masked,
            } => {
                if count < 16 && !masked {
                    self.load_scalar(Kind::I64, through, from);
                } else {
                    let masking = if masked {
                        Masking::Zero(TAIL)
                    } else {
                        Masking::None
                    };
                    self.load_bytes(through, from, masking);
                }
                self.bytes_to_mask(to, through);
            }
            MaskInst::StoreBytes {
                to,
                through,
                from,
                count,
                masked,
            } => {
                self.mask_to_bytes(through, from);
                if count < 16 && !masked {
                    self.store_scalar(Kind::I64, to, through);
                } else {
                    let masking = if masked {
                        Masking::Merge(TAIL)
                    } else {
                        Masking::None
                    };
                    self.store_bytes(to, through, masking);
                }
            }
            MaskInst::First { to, from } => {
                self.mask_to(to, from);
                self.and_number(to, 1);
            }
            MaskInst::StoreSpread { to, from } => {
                self.mask_to(ACC, from);
                self.and_number(ACC, 1);
                self.negate(ACC);
                self.store_general(to, ACC);
            }
            MaskInst::Save { to, from } => {
                self.mask_to(ACC, from);
                self.store_general(to, ACC);
            }
            MaskInst::Restore { to, from } => {
                self.load_general(ACC, from);
                self.mask_from(to, ACC);
            }
            MaskInst::Reduce { mask, any, count } => {
                let lanes = (1 << count) - 1;
                self.mask_to(ACC, mask);
                self.and_number(ACC, lanes);
                // All lanes set and one more is beyond the lanes; any lane set and all more is so too.
                self.add_number(ACC, if any { lanes } else { 1 });
                self.shift_right(ACC, count as u8);
                self.mask_from(mask, ACC);
            }
            MaskInst::Tail(tail) => self.tail_masks(tail),
            MaskInst::KnownTail { left, tail } => self.known_tail_masks(left, tail),
        }
    }

    /// The mask of the lanes that a gather or scatter moves, which it clears.
    pub(super) fn gather_mask(&mut self, mask: Mask, masked: bool) {
        if masked {
            self.mask_copy(mask, TAIL);
        } else {
            self.mask_logic(MaskLogic::NotXor, mask, mask, mask);
        }
    }

    /// The masks of the lanes within the array, of which `ACC > 0` says how many are left: less than a round, so that
    /// twice as many are still a count of bits.
    fn tail_masks(&mut self, tail: Tail) {
        let count = tail.count;
        if tail.complex.is_some() {
            // Twice as many numbers, the first half of them in the first vector.
            self.address_of(AUX, Address::new(ACC, 0).indexed(ACC, 1));
            self.push(ACC);
            self.move_number(ACC, -1);
            self.lowest_bits(AUX, ACC, AUX);
            self.pop(ACC);
            self.mask_from(TAIL_FIRST, AUX);
            self.shift_right(AUX, count as u8);
            self.mask_from(TAIL_SECOND, AUX);
        }
        self.move_number(AUX, (1 << count) - 1);
        self.lowest_bits(AUX, AUX, ACC);
        self.mask_from(TAIL, AUX);
        if let (true, Some(bytes)) = (tail.unpacked, tail.complex) {
            self.unpacked_mask(count, bytes == 16);
        }
    }

    /// The mask for unpacked numbers from the one in order, which is in `AUX`.
    fn unpacked_mask(&mut self, count: i32, is_double: bool) {
        let half = count as u8 / 2;
        let even: i32 = if is_double { 0x5555 } else { 0x3333 };
        self.push(AUX);
        self.and_number(AUX, (1 << half) - 1);
        self.move_number(ACC, even);
        self.deposit_bits(AUX, AUX, ACC);
        self.pop(ACC);
        self.shift_right(ACC, half);
        self.push(AUX);
        self.move_number(AUX, if is_double { 0xAAAA } else { 0xCCCC });
        self.deposit_bits(ACC, ACC, AUX);
        self.pop(AUX);
        self.add(ACC, AUX);
        self.mask_from(TAIL_UNPACKED, ACC);
    }

    fn known_tail_masks(&mut self, left: i32, tail: Tail) {
        let count = tail.count;
        let mut set = |mask, bits: u64| {
            self.move_number(ACC, (bits & 0xFFFF) as i32);
            self.mask_from(mask, ACC);
        };
        let lanes = (1u64 << left) - 1;
        set(TAIL, lanes);
        if let Some(bytes) = tail.complex {
            let numbers = (1u64 << (2 * left)) - 1;
            set(TAIL_FIRST, numbers);
            set(TAIL_SECOND, numbers >> count);
            // Lane by lane, which element is there: see `Order::Unpacked`.
            let half = count as u64 / 2;
            let group = if bytes == 16 { 1 } else { 2 };
            let element = |lane: u64| {
                let (pair, within) = (lane / (2 * group), lane % group);
                let is_second = lane / group % 2;
                pair * group + within + is_second * half
            };
            let is_there = |lane: &u64| element(*lane) < left as u64;
            let unpacked = (0..count as u64).filter(is_there).map(|lane| 1 << lane);
            set(TAIL_UNPACKED, unpacked.sum());
        }
    }
}
