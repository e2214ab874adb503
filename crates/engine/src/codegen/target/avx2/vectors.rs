//! The instructions on vectors that AVX2 has. Source: Intel's software developer's manual, volume 2.

use super::{Encoder, FIRST, SECOND};
use crate::codegen::simd::ir::{Binary, Kind, Unary};
use crate::codegen::simd::vcode::{
    Address, General, Length, Mask, Masking, Operand, Unpack, Vector,
};
use crate::codegen::target::x86::assembler::{Opcode, opcode};

/// An opcode of map `0F` whose form for doubles has the prefix `66`.
pub(super) const fn floating(kind: Kind, code: u8) -> Opcode {
    opcode(1, matches!(kind, Kind::F64 | Kind::I64) as u8, false, code)
}

/// `vaddpd` and its kin; `None` if there is no such instruction.
pub(super) fn binary_opcode(op: Binary, kind: Kind) -> Option<Opcode> {
    use Binary::{Add, And, AndNot, Divide, Maximum, Minimum, Multiply, Or, Subtract, Xor};
    let double = kind.is_double();
    if kind.is_float() {
        let code = match op {
            And => 0x54,
            AndNot => 0x55,
            Or => 0x56,
            Xor => 0x57,
            Add => 0x58,
            Multiply => 0x59,
            Subtract => 0x5C,
            Minimum => 0x5D,
            Divide => 0x5E,
            Maximum => 0x5F,
        };
        return Some(floating(kind, code));
    }
    Some(match op {
        And => opcode(1, 1, false, 0xDB),
        AndNot => opcode(1, 1, false, 0xDF),
        Or => opcode(1, 1, false, 0xEB),
        Xor => opcode(1, 1, false, 0xEF),
        Add => opcode(1, 1, false, if double { 0xD4 } else { 0xFE }),
        Subtract => opcode(1, 1, false, if double { 0xFB } else { 0xFA }),
        Multiply | Maximum | Minimum if double => return None,
        Multiply => opcode(2, 1, false, 0x40),
        Maximum => opcode(2, 1, false, 0x3D),
        Minimum => opcode(2, 1, false, 0x39),
        Divide => return None,
    })
}

impl Encoder {
    /// An operand that instructions can have; numbers of memory in all lanes go through a register.
    pub(super) fn direct(
        &mut self,
        kind: Kind,
        length: Length,
        operand: Operand,
        through: Vector,
    ) -> Operand {
        match operand {
            Operand::Broadcast(address) => {
                self.broadcast(kind, length, through, address.into());
                through.into()
            }
            // It is repeated in memory.
            Operand::BroadcastConstant(constant) => Operand::Constant(constant),
            Operand::Vector(_) | Operand::Memory(_) | Operand::Constant(_) => operand,
        }
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    pub(super) fn binary(
        &mut self,
        op: Binary,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: Operand,
        masking: Masking,
    ) {
        // Results that are merged lie in `FIRST`; products of 64 bits need that, so theirs in `SECOND`.
        let is_product = op == Binary::Multiply && kind == Kind::I64;
        let (result, other) = if is_product {
            (SECOND, FIRST)
        } else {
            (FIRST, SECOND)
        };
        let result = if masking == Masking::None { to } else { result };
        match binary_opcode(op, kind) {
            Some(opcode) => {
                let b = self.direct(kind, length, b, FIRST);
                self.op(opcode, length, result, a, b, None);
            }
            None => self.long_binary(op, length, result, a, b),
        }
        match masking {
            Masking::None => {}
            Masking::Merge(mask) => self.merge(kind, length, to, result, mask, other),
            Masking::Zero(mask) => {
                let mask = self.mask_register(mask, kind, other);
                let and = binary_opcode(Binary::And, Kind::F64);
                and.map_or_else(|| (), |and| self.op(and, length, to, result, mask, None));
            }
        }
    }

    pub(super) fn unary(
        &mut self,
        op: Unary,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Operand,
    ) {
        let double = kind.is_double();
        if op == Unary::Absolute && double {
            return self.absolute(length, to, from);
        }
        let (opcode, immediate) = match op {
            Unary::SquareRoot => (floating(kind, 0x51), None),
            Unary::Absolute => (opcode(2, 1, false, 0x1E), None),
            Unary::Round(rounding) => (
                opcode(3, 1, false, if double { 0x09 } else { 0x08 }),
                Some(rounding as u8),
            ),
        };
        let from = self.direct(kind, length, from, FIRST);
        self.op_one(opcode, length, to, from, immediate);
    }

    /// `a` where the mask is set, else `b`.
    pub(super) fn select(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        mask: Mask,
        a: Operand,
        b: Vector,
    ) {
        let a = self.direct(kind, length, a, FIRST);
        let mask = self.mask_register(mask, kind, SECOND);
        self.blend(kind, length, to, b, a, mask);
    }

    /// Lanes of `b` where the highest bit of the mask's is set, else of `a`.
    pub(super) fn blend(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: impl Into<Operand>,
        mask: Vector,
    ) {
        let code = if kind.is_double() { 0x4B } else { 0x4A };
        self.op(
            opcode(3, 1, false, code),
            length,
            to,
            a,
            b,
            Some(mask.0 << 4),
        );
    }

    /// Puts lanes of `from` where the mask is set into `to`.
    pub(super) fn merge(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
        mask: Mask,
        through: Vector,
    ) {
        if let Some(lanes) = self.known_lanes(mask) {
            let code = if kind.is_double() { 0x0D } else { 0x0C };
            return self.op(
                opcode(3, 1, false, code),
                length,
                to,
                to,
                from,
                Some(lanes as u8),
            );
        }
        let mask = self.mask_register(mask, kind, through);
        self.blend(kind, length, to, to, from, mask);
    }

    pub(super) fn copy(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
        masking: Masking,
    ) {
        match masking {
            Masking::None => self.op_one(floating(kind, 0x28), length, to, from, None),
            Masking::Merge(mask) => self.merge(kind, length, to, from, mask, FIRST),
            Masking::Zero(mask) => {
                let mask = self.mask_register(mask, kind, FIRST);
                self.op(floating(Kind::F64, 0x54), length, to, from, mask, None);
            }
        }
    }

    /// All bits zero; costs nothing but its bytes.
    pub(super) fn clear(&mut self, to: Vector) {
        // The lower 128 bits: the rest becomes zero too.
        self.op(floating(Kind::F32, 0x57), Length::Bits128, to, to, to, None);
    }

    pub(super) fn load(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Operand,
        masking: Masking,
    ) {
        let from = self.direct(kind, length, from, to);
        match (masking, from) {
            (Masking::Zero(mask), Operand::Memory(from)) => {
                self.load_masked(kind, length, to, from, mask);
            }
            (Masking::Merge(mask), Operand::Memory(from)) => {
                self.load_masked(kind, length, SECOND, from, mask);
                self.merge(kind, length, to, SECOND, mask, FIRST);
            }
            _ => self.op_one(floating(kind, 0x10), length, to, from, None),
        }
    }

    pub(super) fn store(
        &mut self,
        kind: Kind,
        length: Length,
        to: Address,
        from: Vector,
        masking: Masking,
    ) {
        match masking {
            Masking::None => self.op_one(floating(kind, 0x11), length, from, to, None),
            Masking::Merge(mask) | Masking::Zero(mask) => {
                self.store_masked(kind, length, to, from, mask);
            }
        }
    }

    /// One element into the first lane; the others become zero.
    pub(super) fn load_scalar(&mut self, kind: Kind, to: Vector, from: Address) {
        let prefix = if kind.is_double() { 3 } else { 2 };
        self.op_one(
            opcode(1, prefix, false, 0x10),
            Length::Bits128,
            to,
            from,
            None,
        );
    }

    /// The first lane.
    pub(super) fn store_scalar(&mut self, kind: Kind, to: Address, from: Vector) {
        let prefix = if kind.is_double() { 3 } else { 2 };
        self.op_one(
            opcode(1, prefix, false, 0x11),
            Length::Bits128,
            from,
            to,
            None,
        );
    }

    /// One element of memory, or the first lane of a register, in all lanes.
    pub(super) fn broadcast(&mut self, kind: Kind, length: Length, to: Vector, from: Operand) {
        let code = match (kind.is_double(), length) {
            (true, Length::Bits128) => 0x59,
            (true, _) => 0x19,
            (false, _) => 0x18,
        };
        self.op_one(opcode(2, 1, false, code), length, to, from, None);
    }

    /// Lanes `a0 b0 a2 b2 ..`, or `a1 b1 a3 b3 ..`, of 64 bits; for 32 bits those of `vunpcklps`, `vunpckhps`.
    pub(super) fn unpack(
        &mut self,
        which: Unpack,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: Vector,
    ) {
        let code = match which {
            Unpack::Low => 0x14,
            Unpack::High => 0x15,
        };
        self.op(floating(kind, code), length, to, a, b, None);
    }

    /// Within each 128 bits, two lanes of 32 bits from `a`, then two from `b`.
    pub(super) fn shuffle_singles(
        &mut self,
        length: Length,
        to: Vector,
        a: Vector,
        b: impl Into<Operand>,
        lanes: u8,
    ) {
        self.op(opcode(1, 0, false, 0xC6), length, to, a, b, Some(lanes));
    }

    /// Lanes within each 128 bits: of 64 bits one bit each says which, of 32 bits two.
    pub(super) fn permute_within(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
        lanes: u8,
    ) {
        let code = if kind.is_double() { 0x05 } else { 0x04 };
        self.op_one(opcode(3, 1, false, code), length, to, from, Some(lanes));
    }

    /// Lanes of 64 bits, two bits each.
    pub(super) fn permute_quarters(&mut self, length: Length, to: Vector, from: Vector, lanes: u8) {
        self.op_one(opcode(3, 1, true, 0x01), length, to, from, Some(lanes));
    }

    /// The upper 128 bits.
    pub(super) fn upper_half(&mut self, to: Vector, from: Vector) {
        // This one writes what its last operand names.
        self.op_one(
            opcode(3, 1, false, 0x19),
            Length::Bits256,
            from,
            to,
            Some(1),
        );
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    /// Elements at `base + index` for each of four 64-bit indices, all or those of the tail.
    pub(super) fn gather(
        &mut self,
        kind: Kind,
        to: Vector,
        base: General,
        index: Vector,
        offset: i32,
        mask: Mask,
        masked: bool,
    ) {
        let mask = mask.vector().unwrap_or(FIRST);
        if masked {
            self.tail_mask(kind, mask);
        } else {
            self.ones(mask);
        }
        self.clear(to);
        let address = Address::new(base, offset).indexed(General(index.0), 1);
        let gather = opcode(2, 1, kind.is_double(), 0x93);
        self.op(gather, Length::Bits256, to, mask, address, None);
    }
}
