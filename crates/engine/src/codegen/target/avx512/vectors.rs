//! The instructions on vectors and masks that kernels use, each as a function. Source: Intel's software developer's
//! manual, volume 2.

use super::evex::Evex;
use crate::codegen::simd::ir::{Binary, Kind, Unary};
use crate::codegen::simd::vcode::{
    Address, General, Length, Mask, Masking, Operand, Unpack, Vector,
};
use crate::codegen::target::x86::assembler::{Assembler, Opcode, opcode};

/// An opcode of map `0F` whose form for doubles has the prefix `66` and W.
pub(super) const fn floating(kind: Kind, code: u8) -> Opcode {
    let double = matches!(kind, Kind::F64 | Kind::I64);
    opcode(1, double as u8, double, code)
}

pub(super) const NO_REGISTER: u8 = 0;

impl Assembler {
    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    pub(super) fn vector(
        &mut self,
        opcode: Opcode,
        length: Length,
        to: u8,
        other: u8,
        operand: Operand,
        element: i32,
        masking: Masking,
        immediate: Option<u8>,
    ) {
        let unit = match operand {
            Operand::Broadcast(_) | Operand::BroadcastConstant(_) => element,
            _ => length.bytes(),
        };
        self.evex(&Evex {
            opcode,
            length,
            reg: to,
            other,
            operand,
            masking,
            unit,
            immediate,
        });
    }

    /// `vaddpd` and its kin; `None` if there is no such instruction.
    pub(super) fn binary_opcode(op: Binary, kind: Kind) -> Option<Opcode> {
        use Binary::{Add, And, AndNot, Divide, Maximum, Minimum, Multiply, Or, Subtract, Xor};
        let double = kind.is_double();
        let code = match (op, kind.is_float()) {
            (And, _) => return Some(opcode(1, 1, double, 0xDB)),
            (AndNot, _) => return Some(opcode(1, 1, double, 0xDF)),
            (Or, _) => return Some(opcode(1, 1, double, 0xEB)),
            (Xor, _) => return Some(opcode(1, 1, double, 0xEF)),
            (Add, true) => 0x58,
            (Multiply, true) => 0x59,
            (Subtract, true) => 0x5C,
            (Minimum, true) => 0x5D,
            (Divide, true) => 0x5E,
            (Maximum, true) => 0x5F,
            (Add, false) => return Some(opcode(1, 1, double, if double { 0xD4 } else { 0xFE })),
            (Subtract, false) => {
                return Some(opcode(1, 1, double, if double { 0xFB } else { 0xFA }));
            }
            (Multiply, false) => return Some(opcode(2, 1, double, 0x40)),
            (Maximum, false) => return Some(opcode(2, 1, double, 0x3D)),
            (Minimum, false) => return Some(opcode(2, 1, double, 0x39)),
            (Divide, false) => return None,
        };
        Some(floating(kind, code))
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    pub(super) fn binary(
        &mut self,
        opcode: Opcode,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: Operand,
        masking: Masking,
    ) {
        self.vector(opcode, length, to.0, a.0, b, kind.size(), masking, None);
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
        let (opcode, immediate) = match op {
            Unary::SquareRoot => (floating(kind, 0x51), None),
            Unary::Absolute => (opcode(2, 1, double, if double { 0x1F } else { 0x1E }), None),
            Unary::Round(rounding) => (
                opcode(3, 1, double, if double { 0x09 } else { 0x08 }),
                Some(rounding as u8),
            ),
        };
        let size = kind.size();
        self.vector(
            opcode,
            length,
            to.0,
            NO_REGISTER,
            from,
            size,
            Masking::None,
            immediate,
        );
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
        let opcode = opcode(2, 1, kind.is_double(), 0x65);
        self.vector(
            opcode,
            length,
            to.0,
            b.0,
            a,
            kind.size(),
            Masking::Merge(mask),
            None,
        );
    }

    pub(super) fn copy(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
        masking: Masking,
    ) {
        let size = kind.size();
        self.vector(
            floating(kind, 0x28),
            length,
            to.0,
            NO_REGISTER,
            from.into(),
            size,
            masking,
            None,
        );
    }

    /// All bits zero; costs nothing but its bytes.
    pub(super) fn clear(&mut self, to: Vector) {
        let xor = opcode(1, 1, false, 0xEF);
        // The lower 128 bits: the rest becomes zero too.
        self.vector(
            xor,
            Length::Bits128,
            to.0,
            to.0,
            to.into(),
            4,
            Masking::None,
            None,
        );
    }

    pub(super) fn load(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Operand,
        masking: Masking,
    ) {
        let opcode = floating(kind, 0x10);
        self.vector(
            opcode,
            length,
            to.0,
            NO_REGISTER,
            from,
            kind.size(),
            masking,
            None,
        );
    }

    pub(super) fn store(
        &mut self,
        kind: Kind,
        length: Length,
        to: Address,
        from: Vector,
        masking: Masking,
    ) {
        let opcode = floating(kind, 0x11);
        self.vector(
            opcode,
            length,
            from.0,
            NO_REGISTER,
            to.into(),
            kind.size(),
            masking,
            None,
        );
    }

    fn scalar(kind: Kind, code: u8) -> Opcode {
        let double = kind.is_double();
        opcode(1, if double { 3 } else { 2 }, double, code)
    }

    /// One element into the first lane; the others become zero.
    pub(super) fn load_scalar(&mut self, kind: Kind, to: Vector, from: Address) {
        self.evex(&Evex {
            opcode: Self::scalar(kind, 0x10),
            length: Length::Bits128,
            reg: to.0,
            other: NO_REGISTER,
            operand: from.into(),
            masking: Masking::None,
            unit: kind.size(),
            immediate: None,
        });
    }

    /// The first lane.
    pub(super) fn store_scalar(&mut self, kind: Kind, to: Address, from: Vector) {
        self.evex(&Evex {
            opcode: Self::scalar(kind, 0x11),
            length: Length::Bits128,
            reg: from.0,
            other: NO_REGISTER,
            operand: to.into(),
            masking: Masking::None,
            unit: kind.size(),
            immediate: None,
        });
    }

    /// One element of memory, or the first lane of a register, in all lanes.
    pub(super) fn broadcast(&mut self, kind: Kind, length: Length, to: Vector, from: Operand) {
        let double = kind.is_double();
        self.evex(&Evex {
            opcode: opcode(2, 1, double, if double { 0x59 } else { 0x58 }),
            length,
            reg: to.0,
            other: NO_REGISTER,
            operand: from,
            masking: Masking::None,
            unit: kind.size(),
            immediate: None,
        });
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
        let size = kind.size();
        self.vector(
            floating(kind, code),
            length,
            to.0,
            a.0,
            b.into(),
            size,
            Masking::None,
            None,
        );
    }

    /// Within each 128 bits, two lanes of 32 bits from `a`, then two from `b`.
    pub(super) fn shuffle_singles(
        &mut self,
        length: Length,
        to: Vector,
        a: Vector,
        b: Vector,
        lanes: u8,
    ) {
        self.vector(
            opcode(1, 0, false, 0xC6),
            length,
            to.0,
            a.0,
            b.into(),
            4,
            Masking::None,
            Some(lanes),
        );
    }

    /// Lanes of `a` and `b` as the numbers in `indices` say, which the result replaces.
    pub(super) fn permute_two(
        &mut self,
        kind: Kind,
        length: Length,
        indices: Vector,
        a: Vector,
        b: Vector,
    ) {
        self.vector(
            opcode(2, 1, kind.is_double(), 0x77),
            length,
            indices.0,
            a.0,
            b.into(),
            kind.size(),
            Masking::None,
            None,
        );
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
        let double = kind.is_double();
        self.vector(
            opcode(3, 1, double, if double { 0x05 } else { 0x04 }),
            length,
            to.0,
            NO_REGISTER,
            from.into(),
            kind.size(),
            Masking::None,
            Some(lanes),
        );
    }

    /// Lanes of 64 bits within each 256 bits, two bits each.
    pub(super) fn permute_quarters(&mut self, length: Length, to: Vector, from: Vector, lanes: u8) {
        self.vector(
            opcode(3, 1, true, 0x01),
            length,
            to.0,
            NO_REGISTER,
            from.into(),
            8,
            Masking::None,
            Some(lanes),
        );
    }

    /// The upper half of a vector; `length` is that of the whole.
    pub(super) fn upper_half(&mut self, length: Length, to: Vector, from: Vector) {
        let code = if length == Length::Bits512 {
            0x1B
        } else {
            0x19
        };
        self.vector(
            opcode(3, 1, true, code),
            length,
            from.0,
            NO_REGISTER,
            to.into(),
            8,
            Masking::None,
            Some(1),
        );
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
            (F64, F32) => opcode(1, 1, true, 0x5A),
            (I64, F64) => opcode(1, 2, true, 0xE6),
            (I32, F64) => opcode(1, 2, false, 0xE6),
            (I64, F32) => opcode(1, 0, true, 0x5B),
            (I32, F32) => opcode(1, 0, false, 0x5B),
            (F64, I64) => opcode(1, 1, true, 0x7A),
            (F32, I64) => opcode(1, 1, false, 0x7A),
            (F64, I32) => opcode(1, 1, true, 0xE6),
            (F32, I32) => opcode(1, 2, false, 0x5B),
            (I32, I64) => opcode(2, 1, false, 0x25),
            (I64, I32) => {
                // This one writes what its last operand names.
                let narrow = opcode(2, 2, false, 0x35);
                self.vector(
                    narrow,
                    length,
                    from.0,
                    NO_REGISTER,
                    to.into(),
                    8,
                    Masking::None,
                    None,
                );
                return;
            }
            (F64 | F32 | I64 | I32 | Mask, _) => floating(from_kind, 0x28),
        };
        self.vector(
            converted,
            length,
            to.0,
            NO_REGISTER,
            from.into(),
            8,
            Masking::None,
            None,
        );
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    /// Elements at `base + index` for each lane of 64-bit indices where the mask is set, which is cleared. `length` is
    /// that of the indices.
    pub(super) fn gather(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        base: General,
        index: Vector,
        offset: i32,
        mask: Mask,
    ) {
        let evex = self.indexed(kind, length, to, mask, 0x93);
        self.evex_indexed(&evex, base, index, offset);
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    /// The reverse of [`Self::gather`].
    pub(super) fn scatter(
        &mut self,
        kind: Kind,
        length: Length,
        from: Vector,
        base: General,
        index: Vector,
        offset: i32,
        mask: Mask,
    ) {
        let evex = self.indexed(kind, length, from, mask, 0xA3);
        self.evex_indexed(&evex, base, index, offset);
    }

    fn indexed(&self, kind: Kind, length: Length, vector: Vector, mask: Mask, code: u8) -> Evex {
        Evex {
            opcode: opcode(2, 1, kind.is_double(), code),
            length,
            reg: vector.0,
            other: NO_REGISTER,
            operand: vector.into(),
            masking: Masking::Merge(mask),
            unit: kind.size(),
            immediate: None,
        }
    }
}
