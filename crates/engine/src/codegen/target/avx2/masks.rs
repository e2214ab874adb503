//! Truth values in vectors: lanes of ones or of zeros, which are as wide as `Encoder::lane` says.

use super::vectors::floating;
use super::{Encoder, FIRST};
use crate::codegen::simd::ir::{Kind, MaskLogic, Predicate};
use crate::codegen::simd::vcode::{
    ACC, Address, ConstantBits, General, Length, Mask, MaskInst, Operand, Vector,
};
use crate::codegen::target::x86::assembler::opcode;

const ALL: Length = Length::Bits256;

impl Encoder {
    fn mask_vector(mask: Mask) -> Vector {
        debug_assert!(mask.vector().is_some(), "the mask of a tail is written");
        mask.vector().unwrap_or(FIRST)
    }

    /// A mask as the last operand of an instruction on masks.
    fn mask_operand(&mut self, mask: Mask) -> Operand {
        match mask.vector() {
            Some(vector) => vector.into(),
            None => self.tail_operand(mask),
        }
    }

    /// A mask in a register, with lanes of a kind's width.
    pub(super) fn mask_register(&mut self, mask: Mask, kind: Kind, through: Vector) -> Vector {
        match mask.vector() {
            Some(vector) if kind.size() == self.lane => vector,
            Some(vector) => {
                self.upper_half(through, vector);
                let lower = 0b10_00_10_00;
                self.shuffle_singles(Length::Bits128, through, vector, through, lower);
                through
            }
            None => {
                self.load_tail(mask, kind, through);
                through
            }
        }
    }

    /// All bits one.
    pub(super) fn ones(&mut self, to: Vector) {
        self.op(opcode(1, 1, false, 0x76), ALL, to, to, to, None);
    }

    fn all_ones(&mut self) -> Operand {
        Operand::Constant(self.asm.constants.add(ConstantBits::Word(u64::MAX)))
    }

    /// The lower 64 bits.
    pub(super) fn vector_from_general(&mut self, to: Vector, from: General) {
        let word = opcode(1, 1, true, 0x6E);
        self.op_one(word, Length::Bits128, to, Vector(from.0), None);
    }

    fn vector_to_general(&mut self, to: General, from: Vector) {
        let word = opcode(1, 1, true, 0x7E);
        self.op_one(word, Length::Bits128, from, Vector(to.0), None);
    }

    /// The first lane in all lanes.
    fn spread(&mut self, to: Vector, from: impl Into<Operand>) {
        let code = if self.lane == 8 { 0x59 } else { 0x58 };
        self.op_one(opcode(2, 1, false, code), ALL, to, from, None);
    }

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
        let to = Self::mask_vector(to);
        if kind.is_float() {
            // None raises the invalid exception for a quiet NaN.
            let code = match predicate {
                Predicate::Equal => 0x00,
                Predicate::Less => 0x11,
                Predicate::LessEqual => 0x12,
                Predicate::NotEqual => 0x04,
                Predicate::NotLessEqual => 0x16,
                Predicate::OrderedNotEqual => 0x0C,
                Predicate::Ordered => 0x07,
                Predicate::Unordered => 0x03,
            };
            let b = self.direct(kind, length, b, FIRST);
            self.op(floating(kind, 0xC2), length, to, a, b, Some(code));
        } else {
            self.compare_integers(predicate, kind, length, to, a, b);
        }
        if kind.size() < self.lane {
            self.op_one(opcode(2, 1, false, 0x25), ALL, to, to, None);
        }
        if let Some(only) = only {
            let only = self.mask_operand(only);
            self.op(floating(Kind::F32, 0x54), ALL, to, to, only, None);
        }
    }

    fn compare_integers(
        &mut self,
        predicate: Predicate,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: Operand,
    ) {
        let (equal, greater) = if kind.is_double() {
            (opcode(2, 1, false, 0x29), opcode(2, 1, false, 0x37))
        } else {
            (opcode(1, 1, false, 0x76), opcode(1, 1, false, 0x66))
        };
        let b = self.direct(kind, length, b, FIRST);
        match predicate {
            Predicate::Equal | Predicate::NotEqual | Predicate::OrderedNotEqual => {
                self.op(equal, length, to, a, b, None);
            }
            Predicate::LessEqual | Predicate::NotLessEqual => {
                self.op(greater, length, to, a, b, None);
            }
            Predicate::Less => {
                let b = match b {
                    Operand::Vector(vector) => vector,
                    operand => {
                        self.op_one(floating(kind, 0x10), length, FIRST, operand, None);
                        FIRST
                    }
                };
                self.op(greater, length, to, b, a, None);
            }
            Predicate::Ordered => self.ones(to),
            Predicate::Unordered => self.clear(to),
        }
        let is_opposite = matches!(
            predicate,
            Predicate::NotEqual | Predicate::OrderedNotEqual | Predicate::LessEqual
        );
        if is_opposite {
            let ones = self.all_ones();
            self.op(floating(Kind::F32, 0x57), length, to, to, ones, None);
        }
    }

    fn mask_logic(&mut self, op: MaskLogic, to: Mask, a: Mask, b: Mask) {
        let to = Self::mask_vector(to);
        // Of the two that may be a tail's, in memory, the first is put into a register.
        let a = match a.vector() {
            Some(vector) => vector,
            None => {
                let tail = self.tail_operand(a);
                self.op_one(floating(Kind::F32, 0x10), ALL, FIRST, tail, None);
                FIRST
            }
        };
        let b = self.mask_operand(b);
        let code = match op {
            MaskLogic::And => 0x54,
            MaskLogic::AndNot => 0x55,
            MaskLogic::Or => 0x56,
            MaskLogic::Xor | MaskLogic::NotXor => 0x57,
        };
        self.op(floating(Kind::F32, code), ALL, to, a, b, None);
        if op == MaskLogic::NotXor {
            let ones = self.all_ones();
            self.op(floating(Kind::F32, 0x57), ALL, to, to, ones, None);
        }
    }

    fn mask_not(&mut self, to: Mask, from: Mask) {
        let to = Self::mask_vector(to);
        match from.vector() {
            Some(from) => {
                let ones = self.all_ones();
                self.op(floating(Kind::F32, 0x57), ALL, to, from, ones, None);
            }
            None => {
                let tail = self.tail_operand(from);
                self.ones(to);
                self.op(floating(Kind::F32, 0x57), ALL, to, to, tail, None);
            }
        }
    }

    fn fill(&mut self, to: Vector, value: bool) {
        if value {
            self.ones(to);
        } else {
            self.clear(to);
        }
    }

    /// One bit for each lane.
    fn mask_to_bits(&mut self, to: General, from: Vector) {
        let kind = if self.lane == 8 { Kind::F64 } else { Kind::F32 };
        self.op_one(floating(kind, 0x50), ALL, Vector(to.0), from, None);
    }

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
            MaskInst::Fill { to, value } | MaskInst::SpreadConstant { to, value } => {
                self.fill(Self::mask_vector(to), value);
            }
            MaskInst::SpreadByte { to, from } => {
                let to = Self::mask_vector(to);
                self.asm.load_byte(ACC, from);
                self.asm.negate(ACC);
                self.vector_from_general(to, ACC);
                self.spread(to, to);
            }
            MaskInst::SpreadFirst { mask } => {
                let mask = Self::mask_vector(mask);
                self.spread(mask, mask);
            }
            MaskInst::LoadBytes {
                to,
                through,
                from,
                count,
                masked,
            } => self.load_bytes(Self::mask_vector(to), through, from, count, masked),
            MaskInst::StoreBytes {
                to,
                through,
                from,
                count,
                masked,
            } => self.store_bytes(to, through, Self::mask_vector(from), count, masked),
            MaskInst::First { to, from } => {
                self.vector_to_general(to, Self::mask_vector(from));
                self.asm.and_number(to, 1);
            }
            MaskInst::StoreSpread { to, from } => {
                self.vector_to_general(ACC, Self::mask_vector(from));
                self.asm.and_number(ACC, 1);
                self.asm.negate(ACC);
                self.asm.store_general(to, ACC);
            }
            MaskInst::Save { to, from } => {
                self.mask_to_bits(ACC, Self::mask_vector(from));
                self.asm.store_general(to, ACC);
            }
            MaskInst::Restore { to, from } => {
                let to = Self::mask_vector(to);
                self.spread(to, from);
                let bits = self.bits();
                self.op(opcode(1, 1, false, 0xDB), ALL, to, to, bits, None);
                let equal = if self.lane == 8 {
                    opcode(2, 1, false, 0x29)
                } else {
                    opcode(1, 1, false, 0x76)
                };
                self.op(equal, ALL, to, to, bits, None);
            }
            MaskInst::Reduce { mask, any, count } => {
                let lanes = (1 << count) - 1;
                let mask = Self::mask_vector(mask);
                self.mask_to_bits(ACC, mask);
                self.asm.and_number(ACC, lanes);
                // All lanes set and one more is beyond the lanes; any lane set and all more is so too.
                self.asm.add_number(ACC, if any { lanes } else { 1 });
                self.asm.shift_right(ACC, count as u8);
                self.asm.negate(ACC);
                self.vector_from_general(mask, ACC);
            }
            MaskInst::Tail(tail) => self.tail_masks(tail),
            MaskInst::KnownTail { left, tail } => self.known = Some((left, tail)),
        }
    }

    /// Bytes that are 0 or 1, one a lane.
    fn load_bytes(
        &mut self,
        to: Vector,
        through: Vector,
        from: Address,
        count: i32,
        masked: bool,
    ) {
        let widen = opcode(2, 1, false, if self.lane == 8 { 0x32 } else { 0x31 });
        if masked {
            self.clear(through);
            let done = self.asm.label();
            for lane in 0..count as u8 {
                if !self.skip_unless_in_tail(lane, done) {
                    break;
                }
                let at = Address {
                    offset: from.offset + i32::from(lane),
                    ..from
                };
                let insert = opcode(3, 1, false, 0x20);
                self.op(insert, Length::Bits128, through, through, at, Some(lane));
            }
            self.asm.bind(done);
            self.op_one(widen, ALL, through, through, None);
        } else {
            self.op_one(widen, ALL, through, from, None);
        }
        // 0 or -1.
        self.clear(to);
        let subtract = opcode(1, 1, false, if self.lane == 8 { 0xFB } else { 0xFA });
        self.op(subtract, ALL, to, to, through, None);
    }

    fn store_bytes(
        &mut self,
        to: Address,
        through: Vector,
        from: Vector,
        count: i32,
        masked: bool,
    ) {
        let length = Length::Bits128;
        self.upper_half(FIRST, from);
        if self.lane == 8 {
            self.shuffle_singles(length, through, from, FIRST, 0b10_00_10_00);
            self.op(opcode(1, 1, false, 0x6B), length, through, through, through, None);
        } else {
            self.op(opcode(1, 1, false, 0x6B), length, through, from, FIRST, None);
        }
        self.op(opcode(1, 1, false, 0x63), length, through, through, through, None);
        self.op_one(opcode(2, 1, false, 0x1C), length, through, through, None);
        if !masked {
            let kind = if count == 8 { Kind::F64 } else { Kind::F32 };
            return self.store_scalar(kind, to, through);
        }
        let done = self.asm.label();
        for lane in 0..count as u8 {
            if !self.skip_unless_in_tail(lane, done) {
                break;
            }
            let at = Address {
                offset: to.offset + i32::from(lane),
                ..to
            };
            let extract = opcode(3, 1, false, 0x14);
            self.op_one(extract, length, through, at, Some(lane));
        }
        self.asm.bind(done);
    }

    /// In each lane the bit that stands for it in a word.
    fn bits(&mut self) -> Operand {
        let bit = |lane: u64| 1u64 << lane;
        let words: [u64; 8] = std::array::from_fn(|i| {
            let i = i as u64;
            if i >= 4 {
                0
            } else if self.lane == 8 {
                bit(i)
            } else {
                bit(2 * i) | bit(2 * i + 1) << 32
            }
        });
        Operand::Constant(self.asm.constants.add(ConstantBits::Words(words)))
    }
}
