//! The EVEX prefix, which instructions of AVX-512 have.

use crate::codegen::simd::vcode::{Address, General, Length, Masking, Operand, Vector};
use crate::codegen::target::x86::assembler::{Assembler, Opcode};

/// The fields of an EVEX instruction.
pub(super) struct Evex {
    pub(super) opcode: Opcode,
    pub(super) length: Length,
    /// The register in the `reg` field, which is most often the destination.
    pub(super) reg: u8,
    /// The register in the `vvvv` field.
    pub(super) other: u8,
    pub(super) operand: Operand,
    pub(super) masking: Masking,
    /// Bytes of the operand in memory, by which short offsets are multiplied.
    pub(super) unit: i32,
    pub(super) immediate: Option<u8>,
}

impl Assembler {
    /// An instruction of AVX-512.
    pub(super) fn evex(&mut self, evex: &Evex) {
        let bit = |number: u8, position: u8| number >> position & 1;
        // The fourth and fifth bits of what the operand names.
        let (x, b) = match evex.operand {
            Operand::Vector(v) => (bit(v.0, 4), bit(v.0, 3)),
            Operand::Memory(a) | Operand::Broadcast(a) => {
                (a.index.map_or(0, |(i, _)| bit(i.0, 3)), bit(a.base.0, 3))
            }
            Operand::Constant(_) | Operand::BroadcastConstant(_) => (0, 0),
        };
        self.evex_prefix(evex, x, b, bit(evex.other, 4));
        match evex.operand {
            Operand::Vector(v) => self.byte(0xC0 | (evex.reg & 7) << 3 | v.0 & 7),
            Operand::Memory(a) | Operand::Broadcast(a) => self.memory(evex.reg, a, evex.unit),
            Operand::Constant(c) | Operand::BroadcastConstant(c) => {
                self.constant(evex.reg, c, usize::from(evex.immediate.is_some()));
            }
        }
        if let Some(immediate) = evex.immediate {
            self.byte(immediate);
        }
    }

    /// The four prefix bytes and the opcode; `x` and `b` extend the operand, `high` the other register or index.
    fn evex_prefix(&mut self, evex: &Evex, x: u8, b: u8, high: u8) {
        let Opcode {
            map,
            prefix,
            w,
            code,
        } = evex.opcode;
        let (reg, other) = (!evex.reg, !evex.other);
        let broadcast = matches!(
            evex.operand,
            Operand::Broadcast(_) | Operand::BroadcastConstant(_)
        );
        let (mask, zero) = match evex.masking {
            Masking::None => (0, 0),
            Masking::Merge(m) => (m.0, 0),
            Masking::Zero(m) => (m.0, 1),
        };
        self.bytes(&[
            0x62,
            (reg >> 3 & 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (reg >> 4 & 1) << 4 | map,
            u8::from(w) << 7 | (other & 15) << 3 | 4 | prefix,
            zero << 7
                | (evex.length as u8) << 5
                | u8::from(broadcast) << 4
                | (high ^ 1) << 3
                | mask,
            code,
        ]);
    }

    /// An instruction of AVX-512 whose index is a vector: `base + index[lane] + offset` for each lane.
    pub(super) fn evex_indexed(&mut self, evex: &Evex, base: General, index: Vector, offset: i32) {
        let bit = |number: u8, position: u8| number >> position & 1;
        self.evex_prefix(evex, bit(index.0, 3), bit(base.0, 3), bit(index.0, 4));
        let address = Address {
            base,
            index: Some((General(index.0 & 7), 1)),
            offset,
        };
        self.memory(evex.reg, address, evex.unit);
    }
}
