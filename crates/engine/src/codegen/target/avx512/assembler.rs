//! x86-64 machine code, byte by byte: prefixes, operands, labels, constants.
//!
//! Instructions themselves are in `vectors.rs`, `masks.rs` and `general.rs`, one function each. Jumps are written with
//! 32-bit distances that are filled in at the end. Constants follow the code.

use crate::codegen::simd::vcode::{
    Address, Constant, ConstantBits, Constants, General, Label, Length, Masking, Operand, Vector,
};

/// An opcode with its map (1 is `0F`, 2 is `0F 38`, 3 is `0F 3A`), its prefix (1 is `66`, 2 is `F3`, 3 is `F2`), and
/// whether the bit `W` is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opcode {
    pub(super) map: u8,
    pub(super) prefix: u8,
    pub(super) w: bool,
    pub(super) code: u8,
}

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

const UNBOUND: u32 = u32::MAX;

/// Code in the making.
#[derive(Default)]
pub(super) struct Assembler {
    pub(super) code: Vec<u8>,
    /// The places of labels, by their number.
    labels: Vec<u32>,
    /// Ends of four bytes that hold the distance to a label.
    jumps: Vec<(usize, Label)>,
    /// Ends of instructions and, before those, how far the four bytes are that hold the distance to a constant.
    uses: Vec<(usize, usize, Constant)>,
    pub(super) constants: Constants,
}

impl Assembler {
    /// For code with so many labels, with room for a usual kernel, so that it does not move while it grows.
    pub(super) fn new(labels: u32, constants: Constants) -> Self {
        Self {
            code: Vec::with_capacity(2048),
            labels: vec![UNBOUND; labels as usize],
            constants,
            ..Self::default()
        }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.code.push(byte);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.code.extend_from_slice(bytes);
    }

    /// The label is here.
    pub(super) fn bind(&mut self, label: Label) {
        self.labels[label.0 as usize] = self.code.len() as u32;
    }

    /// The four bytes that were just written hold the distance to a label.
    pub(super) fn distance_to(&mut self, label: Label) {
        self.bytes(&[0; 4]);
        self.jumps.push((self.code.len(), label));
    }

    /// Fills in distances and appends the constants: whole vectors first, where they are aligned.
    pub(super) fn finish(mut self) -> Vec<u8> {
        for (end, label) in std::mem::take(&mut self.jumps) {
            let distance = self.labels[label.0 as usize].wrapping_sub(end as u32);
            self.code[end - 4..end].copy_from_slice(&distance.to_le_bytes());
        }
        if self.constants.0.is_empty() {
            return self.code;
        }
        // `ud2`-like filler is not needed: no path runs into the constants.
        self.code.resize(self.code.len().next_multiple_of(64), 0xCC);
        let mut places = vec![0; self.constants.0.len()];
        for whole in [true, false] {
            for (place, bits) in places.iter_mut().zip(&self.constants.0) {
                match bits {
                    ConstantBits::Words(words) if whole => {
                        *place = self.code.len();
                        let bytes = words.iter().flat_map(|w| w.to_le_bytes());
                        self.code.extend(bytes);
                    }
                    ConstantBits::Word(word) if !whole => {
                        *place = self.code.len();
                        self.code.extend_from_slice(&word.to_le_bytes());
                    }
                    _ => {}
                }
            }
        }
        for (end, back, constant) in std::mem::take(&mut self.uses) {
            let distance = places[constant.0 as usize] as i32 - end as i32;
            let at = end - back;
            self.code[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        self.code
    }

    /// ModRM, SIB and offset of a place in memory; offsets that are small multiples of `unit` take one byte.
    pub(super) fn memory(&mut self, reg: u8, address: Address, unit: i32) {
        let (base, offset) = (address.base.0, address.offset);
        let short = offset / unit;
        let is_short = offset % unit == 0 && i8::try_from(short).is_ok();
        // Without an offset, rbp and r13 as base would mean something else.
        let mode = if offset == 0 && base & 7 != 5 {
            0x00
        } else if is_short {
            0x40
        } else {
            0x80
        };
        match address.index {
            Some((index, scale)) => {
                self.byte(mode | (reg & 7) << 3 | 4);
                self.byte((scale.trailing_zeros() as u8) << 6 | (index.0 & 7) << 3 | base & 7);
            }
            None if base & 7 == 4 => {
                self.byte(mode | (reg & 7) << 3 | 4);
                self.byte(0x24);
            }
            None => self.byte(mode | (reg & 7) << 3 | base & 7),
        }
        match mode {
            0x40 => self.byte(short as u8),
            0x80 => self.bytes(&offset.to_le_bytes()),
            _ => {}
        }
    }

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
        let back = 4 + usize::from(evex.immediate.is_some());
        match evex.operand {
            Operand::Vector(v) => self.byte(0xC0 | (evex.reg & 7) << 3 | v.0 & 7),
            Operand::Memory(a) | Operand::Broadcast(a) => self.memory(evex.reg, a, evex.unit),
            Operand::Constant(c) | Operand::BroadcastConstant(c) => {
                self.byte((evex.reg & 7) << 3 | 5);
                self.bytes(&[0; 4]);
                let end = self.code.len() + back - 4;
                self.uses.push((end, back, c));
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

    /// An instruction with a three-byte VEX prefix on registers.
    pub(super) fn vex(&mut self, opcode: Opcode, long: bool, reg: u8, other: u8, rm: u8) {
        let Opcode {
            map,
            prefix,
            w,
            code,
        } = opcode;
        self.bytes(&[
            0xC4,
            (!reg >> 3 & 1) << 7 | 1 << 6 | (!rm >> 3 & 1) << 5 | map,
            u8::from(w) << 7 | (!other & 15) << 3 | u8::from(long) << 2 | prefix,
            code,
            0xC0 | (reg & 7) << 3 | rm & 7,
        ]);
    }

    /// An instruction on 64-bit registers.
    pub(super) fn rex_registers(&mut self, opcode: &[u8], reg: u8, rm: General) {
        self.byte(0x48 | (reg >> 3) << 2 | rm.0 >> 3);
        self.bytes(opcode);
        self.byte(0xC0 | (reg & 7) << 3 | rm.0 & 7);
    }

    /// An instruction on a 64-bit register and memory.
    pub(super) fn rex_memory(&mut self, opcode: &[u8], reg: u8, address: Address) {
        let index = address.index.map_or(0, |(i, _)| i.0 >> 3);
        self.byte(0x48 | (reg >> 3) << 2 | index << 1 | address.base.0 >> 3);
        self.bytes(opcode);
        self.memory(reg, address, 1);
    }
}
