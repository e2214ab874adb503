//! The instructions on vectors and masks that kernels use, each as a function. Source: Intel's software developer's manual, volume 2.

use super::assembler::{
    Address, Assembler, Evex, General, Length, Mask, Masking, Opcode, Operand, Vector,
};

/// What the lanes of a vector are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F64,
    F32,
    I64,
    I32,
    /// Truth values, one bit a lane in a mask register.
    Mask,
}

impl Kind {
    /// Bytes of a lane.
    pub(super) fn size(self) -> i32 {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::Mask => 1,
        }
    }

    fn is_wide(self) -> bool {
        self.size() == 8
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::F64 | Self::F32)
    }
}

/// Instructions on two vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// The second operand where either is NaN, or both are zero.
    Maximum,
    Minimum,
    And,
    /// The second operand without the bits of the first.
    AndNot,
    Or,
    Xor,
}

impl Binary {
    pub(super) fn commutes(self) -> bool {
        matches!(
            self,
            Self::Add | Self::Multiply | Self::And | Self::Or | Self::Xor
        )
    }
}

/// Instructions on one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    SquareRoot,
    /// The absolute value of integers.
    Absolute,
    Round(Rounding),
}

/// Immediates of `vrndscale`; none of them raises the inexact exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Rounding {
    NearestEven = 8,
    Down = 9,
    Up = 10,
    TowardsZero = 11,
}

/// Comparisons that give masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    Equal,
    Less,
    LessEqual,
    /// True for NaN.
    NotEqual,
    /// True for NaN.
    NotLessEqual,
    /// Neither is NaN, and they differ.
    OrderedNotEqual,
    Ordered,
    Unordered,
}

/// Instructions on mask registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MaskLogic {
    And,
    /// The second without the first.
    AndNot,
    Or,
    Xor,
    NotXor,
}

/// Shuffles of two vectors within each 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unpack {
    Low,
    High,
}

pub(super) const fn opcode(map: u8, prefix: u8, w: bool, code: u8) -> Opcode {
    Opcode {
        map,
        prefix,
        w,
        code,
    }
}

/// An opcode of map `0F` whose form for doubles has the prefix `66` and W.
const fn floating(kind: Kind, code: u8) -> Opcode {
    let wide = matches!(kind, Kind::F64 | Kind::I64);
    opcode(1, wide as u8, wide, code)
}

const NO_REGISTER: u8 = 0;

impl Assembler {
    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    fn vector(
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
        let wide = kind.is_wide();
        let code = match (op, kind.is_float()) {
            (And, _) => return Some(opcode(1, 1, wide, 0xDB)),
            (AndNot, _) => return Some(opcode(1, 1, wide, 0xDF)),
            (Or, _) => return Some(opcode(1, 1, wide, 0xEB)),
            (Xor, _) => return Some(opcode(1, 1, wide, 0xEF)),
            (Add, true) => 0x58,
            (Multiply, true) => 0x59,
            (Subtract, true) => 0x5C,
            (Minimum, true) => 0x5D,
            (Divide, true) => 0x5E,
            (Maximum, true) => 0x5F,
            (Add, false) => return Some(opcode(1, 1, wide, if wide { 0xD4 } else { 0xFE })),
            (Subtract, false) => return Some(opcode(1, 1, wide, if wide { 0xFB } else { 0xFA })),
            (Multiply, false) => return Some(opcode(2, 1, wide, 0x40)),
            (Maximum, false) => return Some(opcode(2, 1, wide, 0x3D)),
            (Minimum, false) => return Some(opcode(2, 1, wide, 0x39)),
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
        let wide = kind.is_wide();
        let (opcode, immediate) = match op {
            Unary::SquareRoot => (floating(kind, 0x51), None),
            Unary::Absolute => (opcode(2, 1, wide, if wide { 0x1F } else { 0x1E }), None),
            Unary::Round(rounding) => (
                opcode(3, 1, wide, if wide { 0x09 } else { 0x08 }),
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
            (opcode(3, 1, kind.is_wide(), 0x1F), code)
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
        let opcode = opcode(2, 1, kind.is_wide(), 0x65);
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
        let wide = kind.is_wide();
        opcode(1, if wide { 3 } else { 2 }, wide, code)
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
        let wide = kind.is_wide();
        self.evex(&Evex {
            opcode: opcode(2, 1, wide, if wide { 0x59 } else { 0x58 }),
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
            opcode(2, 1, kind.is_wide(), 0x77),
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
        let wide = kind.is_wide();
        self.vector(
            opcode(3, 1, wide, if wide { 0x05 } else { 0x04 }),
            length,
            to.0,
            NO_REGISTER,
            from.into(),
            kind.size(),
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
            opcode: opcode(2, 1, kind.is_wide(), code),
            length,
            reg: vector.0,
            other: NO_REGISTER,
            operand: vector.into(),
            masking: Masking::Merge(mask),
            unit: kind.size(),
            immediate: None,
        }
    }

    // ---- truth values ----

    pub(super) fn mask_logic(&mut self, op: MaskLogic, to: Mask, a: Mask, b: Mask) {
        let (code, a, b) = match op {
            MaskLogic::And => (0x41, a, b),
            MaskLogic::AndNot => (0x42, a, b),
            MaskLogic::Or => (0x45, a, b),
            MaskLogic::NotXor => (0x46, a, b),
            MaskLogic::Xor => (0x47, a, b),
        };
        self.vex(opcode(1, 0, false, code), true, to.0, a.0, b.0);
    }

    pub(super) fn mask_not(&mut self, to: Mask, from: Mask) {
        self.vex(opcode(1, 0, false, 0x44), false, to.0, 0, from.0);
    }

    pub(super) fn mask_copy(&mut self, to: Mask, from: Mask) {
        self.vex(opcode(1, 0, false, 0x90), false, to.0, 0, from.0);
    }

    /// The lower 16 bits of a register.
    pub(super) fn mask_from(&mut self, to: Mask, from: General) {
        self.vex(opcode(1, 0, false, 0x92), false, to.0, 0, from.0);
    }

    pub(super) fn mask_to(&mut self, to: General, from: Mask) {
        self.vex(opcode(1, 0, false, 0x93), false, to.0, 0, from.0);
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
}
