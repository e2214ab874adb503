//! Operations that AVX2 has no instructions for, as sequences that give the bits that those of AVX-512 give: products, extrema and
//! absolute values of 64 bits, conversions between floating numbers and those, scatters.

use super::vectors::floating;
use super::{Encoder, FIRST, SECOND};
use crate::codegen::simd::ir::{Binary, Kind, Rounding, Unary};
use crate::codegen::simd::vcode::{
    ACC, Address, Condition, ConstantBits, General, Length, Operand, Vector,
};
use crate::codegen::target::x86::assembler::opcode;

/// 2^52, whose last 32 bits are replaced by a number to give the sum of both.
const TWO_52: u64 = 0x4330_0000_0000_0000;
/// 2^84 + 2^63, whose bits 32 to 64 are changed by the upper half of a number.
const TWO_84_AND_63: u64 = 0x4530_0000_8000_0000;
/// 2^84 + 2^63 + 2^52.
const TWO_84_AND_63_AND_52: u64 = 0x4530_0000_8010_0000;

impl Encoder {
    /// A constant in all lanes of 64 bits.
    fn all(&mut self, bits: u64) -> Operand {
        Operand::Constant(self.asm.constants.add(ConstantBits::Word(bits)))
    }

    fn number(&mut self, number: f64) -> Operand {
        self.all(number.to_bits())
    }

    /// An integer instruction of map `0F`.
    fn integer(
        &mut self,
        code: u8,
        length: Length,
        to: Vector,
        a: Vector,
        b: impl Into<Operand>,
    ) {
        self.op(opcode(1, 1, false, code), length, to, a, b, None);
    }

    /// Shifts lanes of 64 bits; `operation` is 2 for logical ones to the right, 6 for those to the left.
    fn shift(&mut self, operation: u8, length: Length, to: Vector, from: Vector, places: u8) {
        let shift = opcode(1, 1, false, 0x73);
        self.op(shift, length, Vector(operation), to, from, Some(places));
    }

    fn shift_right(&mut self, length: Length, to: Vector, from: Vector, places: u8) {
        self.shift(2, length, to, from, places);
    }

    fn shift_left(&mut self, length: Length, to: Vector, from: Vector, places: u8) {
        self.shift(6, length, to, from, places);
    }

    fn double(&mut self, code: u8, length: Length, to: Vector, a: Vector, b: impl Into<Operand>) {
        self.op(floating(Kind::F64, code), length, to, a, b, None);
    }

    /// Ones in lanes of 64 bits where `a > b`.
    fn is_greater(&mut self, length: Length, to: Vector, a: Vector, b: impl Into<Operand>) {
        self.op(opcode(2, 1, false, 0x37), length, to, a, b, None);
    }

    /// Operations on integers of 64 bits. `to` is not `a` where `b` is one number of memory in all lanes.
    pub(super) fn long_binary(
        &mut self,
        op: Binary,
        length: Length,
        to: Vector,
        a: Vector,
        b: Operand,
    ) {
        debug_assert!(to != a || !matches!(b, Operand::Broadcast(_)), "{to} is {a}");
        let b = self.direct(Kind::I64, length, b, to);
        match op {
            Binary::Multiply => {
                // Products of the one's lower and the other's upper halves, added up, above that of the lower halves.
                self.op_one(opcode(1, 1, false, 0x70), length, FIRST, b, Some(0xB1));
                self.op(opcode(2, 1, false, 0x40), length, FIRST, FIRST, a, None);
                self.shift_right(length, SECOND, FIRST, 32);
                self.integer(0xFE, length, FIRST, FIRST, SECOND);
                self.shift_left(length, FIRST, FIRST, 32);
                self.integer(0xF4, length, SECOND, a, b);
                self.integer(0xD4, length, to, SECOND, FIRST);
            }
            Binary::Maximum | Binary::Minimum => {
                let b = match b {
                    Operand::Vector(vector) => vector,
                    operand => {
                        self.op_one(floating(Kind::F64, 0x10), length, SECOND, operand, None);
                        SECOND
                    }
                };
                self.is_greater(length, FIRST, a, b);
                let (if_not, if_greater) = if op == Binary::Maximum {
                    (b, a)
                } else {
                    (a, b)
                };
                self.blend(Kind::F64, length, to, if_not, if_greater, FIRST);
            }
            Binary::Divide
            | Binary::Add
            | Binary::Subtract
            | Binary::And
            | Binary::AndNot
            | Binary::Or
            | Binary::Xor => self.trap(),
        }
    }

    /// The absolute value of integers of 64 bits: negative ones are inverted, and one is added.
    pub(super) fn absolute(&mut self, length: Length, to: Vector, from: Operand) {
        let from = self.direct(Kind::I64, length, from, to);
        let Operand::Vector(from) = from else {
            self.op_one(floating(Kind::F64, 0x10), length, to, from, None);
            return self.absolute(length, to, to.into());
        };
        self.clear(FIRST);
        self.is_greater(length, FIRST, FIRST, from);
        self.integer(0xEF, length, to, from, FIRST);
        self.integer(0xFB, length, to, to, FIRST);
    }

    /// Converts lanes; `length` is that of the wider side. Floating numbers that no integer equals nearly enough give
    /// the smallest one.
    pub(super) fn convert(
        &mut self,
        from_kind: Kind,
        to_kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
    ) {
        use Kind::{F32, F64, I32, I64, Mask};
        let converted = match (from_kind, to_kind) {
            (F32, F64) => opcode(1, 0, false, 0x5A),
            (F64, F32) => opcode(1, 1, false, 0x5A),
            (I32, F64) => opcode(1, 2, false, 0xE6),
            (I32, F32) => opcode(1, 0, false, 0x5B),
            (F64, I32) => opcode(1, 1, false, 0xE6),
            (F32, I32) => opcode(1, 2, false, 0x5B),
            (I32, I64) => opcode(2, 1, false, 0x25),
            (I64, I32) => return self.lower_halves(to, from),
            (I64, F64) => return self.integer_to_double(length, to, from),
            (I64, F32) => return self.integer_to_single(length, to, from),
            (F64, I64) => return self.double_to_integer(length, to, from),
            (F32, I64) => {
                self.op_one(opcode(1, 0, false, 0x5A), length, SECOND, from, None);
                return self.double_to_integer(length, to, SECOND);
            }
            (F64 | F32 | I64 | I32 | Mask, _) => floating(from_kind, 0x28),
        };
        self.op_one(converted, length, to, from, None);
    }

    /// The lower halves of lanes of 64 bits, side by side.
    fn lower_halves(&mut self, to: Vector, from: Vector) {
        self.upper_half(FIRST, from);
        self.shuffle_singles(Length::Bits128, to, from, FIRST, 0b10_00_10_00);
    }

    /// Both halves of a number become exact doubles by their bits, and one addition rounds.
    fn integer_to_double(&mut self, length: Length, to: Vector, from: Vector) {
        let low = self.all(TWO_52);
        // The upper halves are those of the constant.
        let halves = Some(0b1010_1010);
        self.op(opcode(3, 1, false, 0x02), length, SECOND, from, low, halves);
        self.shift_right(length, to, from, 32);
        let high = self.all(TWO_84_AND_63);
        self.integer(0xEF, length, to, to, high);
        let all = self.all(TWO_84_AND_63_AND_52);
        self.double(0x5C, length, to, to, all);
        self.double(0x58, length, to, to, SECOND);
    }

    /// By doubles, which must be exact so that the number is rounded once: of large numbers the last bits become one bit
    /// that says whether any is set. A single rounds far above that bit.
    fn integer_to_single(&mut self, length: Length, to: Vector, from: Vector) {
        let last = self.all(0x3FF);
        self.op(floating(Kind::F64, 0x54), length, FIRST, from, last, None);
        self.integer(0xD4, length, FIRST, FIRST, last);
        self.integer(0xEB, length, FIRST, FIRST, from);
        let others = self.all(!0x3FF);
        self.integer(0xDB, length, FIRST, FIRST, others);
        // Those from -2^53 to 2^53 are exact as they are.
        let half = self.all(1 << 53);
        self.op_one(floating(Kind::F64, 0x10), length, SECOND, half, None);
        self.integer(0xD4, length, SECOND, SECOND, from);
        self.shift_right(length, SECOND, SECOND, 54);
        let zero = self.all(0);
        self.op(opcode(2, 1, false, 0x29), length, SECOND, SECOND, zero, None);
        self.blend(Kind::F64, length, FIRST, FIRST, from, SECOND);
        self.integer_to_double(length, to, FIRST);
        self.op_one(opcode(1, 1, false, 0x5A), length, to, to, None);
    }

    /// The whole part in units of 2^32 and what is left become integers by their bits. `from` may be [`SECOND`].
    fn double_to_integer(&mut self, length: Length, to: Vector, from: Vector) {
        let towards_zero = Unary::Round(Rounding::TowardsZero);
        self.unary(towards_zero, Kind::F64, length, to, from.into());
        let unit = self.number(1.0 / 4_294_967_296.0);
        self.double(0x59, length, FIRST, to, unit);
        let down = Unary::Round(Rounding::Down);
        self.unary(down, Kind::F64, length, FIRST, FIRST.into());
        let unit = self.number(4_294_967_296.0);
        self.double(0x59, length, SECOND, FIRST, unit);
        self.double(0x5C, length, SECOND, to, SECOND);
        let low = self.number(4_503_599_627_370_496.0);
        self.double(0x58, length, SECOND, SECOND, low);
        // 2^52 + 2^51, so that negative numbers are in two's complement.
        let high = self.number(6_755_399_441_055_744.0);
        self.double(0x58, length, FIRST, FIRST, high);
        self.shift_left(length, FIRST, FIRST, 32);
        let halves = Some(0b0101_0101);
        self.op(opcode(3, 1, false, 0x02), length, FIRST, FIRST, SECOND, halves);
        // What is not below 2^63 in magnitude, and NaN, give the smallest number.
        let magnitude = self.all(i64::MAX as u64);
        self.double(0x54, length, SECOND, to, magnitude);
        let end = self.number(9_223_372_036_854_775_808.0);
        let less = Some(0x11);
        self.op(floating(Kind::F64, 0xC2), length, SECOND, SECOND, end, less);
        let smallest = self.all(i64::MIN as u64);
        self.op_one(floating(Kind::F64, 0x10), length, to, smallest, None);
        self.blend(Kind::F64, length, to, to, FIRST, SECOND);
    }

    /// Elements to `base + index` for each of four 64-bit indices, all or those of the tail, one by one; overwrites `ACC`.
    pub(super) fn scatter(
        &mut self,
        kind: Kind,
        from: Vector,
        base: General,
        index: Vector,
        offset: i32,
        masked: bool,
    ) {
        let done = self.asm.label();
        let length = Length::Bits128;
        let to = Address::new(base, offset).indexed(ACC, 1);
        for lane in 0..4u8 {
            if masked && !self.skip_unless_in_tail(lane, done) {
                break;
            }
            if lane == 2 {
                self.upper_half(FIRST, index);
                if kind.is_double() {
                    self.upper_half(SECOND, from);
                }
            }
            let index = if lane < 2 { index } else { FIRST };
            if lane % 2 == 0 {
                self.op_one(opcode(1, 1, true, 0x7E), length, index, Vector(ACC.0), None);
            } else {
                let extract = opcode(3, 1, true, 0x16);
                self.op_one(extract, length, index, Vector(ACC.0), Some(1));
            }
            if kind.is_double() {
                let from = if lane < 2 { from } else { SECOND };
                let code = if lane % 2 == 0 { 0x13 } else { 0x17 };
                self.op_one(opcode(1, 1, false, code), length, from, to, None);
            } else {
                self.op_one(opcode(3, 1, false, 0x17), length, from, to, Some(lane));
            }
        }
        self.asm.bind(done);
    }

    /// Goes to a label if a lane is beyond the end; whether it may be within.
    pub(super) fn skip_unless_in_tail(
        &mut self,
        lane: u8,
        done: crate::codegen::simd::vcode::Label,
    ) -> bool {
        if let Some((left, _)) = self.known {
            return i32::from(lane) < left;
        }
        let lane = self.tail_lane(lane);
        self.asm.compare_single_with_zero(lane);
        self.asm.jump_if(Condition::GreaterEqual, done);
        true
    }
}
