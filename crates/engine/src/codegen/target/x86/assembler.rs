//! x86-64 machine code, byte by byte: prefixes, operands, labels, constants.
//!
//! Instructions themselves are in `general.rs` and in the folders of the targets, one function each. Jumps are written with
//! 32-bit distances that are filled in at the end. Constants follow the code.

use crate::codegen::simd::vcode::{
    Address, Constant, ConstantBits, Constants, General, Label, Operand,
};

/// An opcode with its map (1 is `0F`, 2 is `0F 38`, 3 is `0F 3A`), its prefix (1 is `66`, 2 is `F3`, 3 is `F2`), and
/// whether the bit `W` is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codegen::target) struct Opcode {
    pub(in crate::codegen::target) map: u8,
    pub(in crate::codegen::target) prefix: u8,
    pub(in crate::codegen::target) w: bool,
    pub(in crate::codegen::target) code: u8,
}

/// The fields of a VEX instruction.
pub(in crate::codegen::target) struct Vex {
    pub(in crate::codegen::target) opcode: Opcode,
    /// Whether it works on 256 bits.
    pub(in crate::codegen::target) long: bool,
    /// The register in the `reg` field, which is most often the destination.
    pub(in crate::codegen::target) reg: u8,
    /// The register in the `vvvv` field.
    pub(in crate::codegen::target) other: u8,
    pub(in crate::codegen::target) operand: Operand,
    pub(in crate::codegen::target) immediate: Option<u8>,
}

pub(in crate::codegen::target) const fn opcode(map: u8, prefix: u8, w: bool, code: u8) -> Opcode {
    Opcode {
        map,
        prefix,
        w,
        code,
    }
}

const UNBOUND: u32 = u32::MAX;

/// Code in the making.
#[derive(Default)]
pub(in crate::codegen::target) struct Assembler {
    pub(in crate::codegen::target) code: Vec<u8>,
    /// The places of labels, by their number.
    labels: Vec<u32>,
    /// Ends of four bytes that hold the distance to a label.
    jumps: Vec<(usize, Label)>,
    /// Ends of instructions and, before those, how far the four bytes are that hold the distance to a constant.
    uses: Vec<(usize, usize, Constant)>,
    pub(in crate::codegen::target) constants: Constants,
    /// How often a constant of one number is repeated, so that instructions without broadcasts can read a vector of it.
    repeat: usize,
}

impl Assembler {
    /// For code with so many labels, with room for a usual kernel, so that it does not move while it grows. A constant of
    /// one number is written `repeat` times.
    pub(in crate::codegen::target) fn new(
        labels: u32,
        constants: Constants,
        repeat: usize,
    ) -> Self {
        Self {
            code: Vec::with_capacity(2048),
            labels: vec![UNBOUND; labels as usize],
            constants,
            repeat,
            ..Self::default()
        }
    }

    /// A label that the vector code does not have.
    pub(in crate::codegen::target) fn label(&mut self) -> Label {
        self.labels.push(UNBOUND);
        Label(self.labels.len() as u32 - 1)
    }

    pub(in crate::codegen::target) fn byte(&mut self, byte: u8) {
        self.code.push(byte);
    }

    pub(in crate::codegen::target) fn bytes(&mut self, bytes: &[u8]) {
        self.code.extend_from_slice(bytes);
    }

    /// The label is here.
    pub(in crate::codegen::target) fn bind(&mut self, label: Label) {
        self.labels[label.0 as usize] = self.code.len() as u32;
    }

    /// The four bytes that were just written hold the distance to a label.
    pub(in crate::codegen::target) fn distance_to(&mut self, label: Label) {
        self.bytes(&[0; 4]);
        self.jumps.push((self.code.len(), label));
    }

    /// Fills in distances and appends the constants: whole vectors first, where they are aligned.
    pub(in crate::codegen::target) fn finish(mut self) -> Vec<u8> {
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
                        for _ in 0..self.repeat {
                            self.code.extend_from_slice(&word.to_le_bytes());
                        }
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
    pub(in crate::codegen::target) fn memory(&mut self, reg: u8, address: Address, unit: i32) {
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

    /// ModRM and distance of a constant, which `after` more bytes of the instruction follow.
    pub(in crate::codegen::target) fn constant(
        &mut self,
        reg: u8,
        constant: Constant,
        after: usize,
    ) {
        self.byte((reg & 7) << 3 | 5);
        self.bytes(&[0; 4]);
        let back = 4 + after;
        let end = self.code.len() + after;
        self.uses.push((end, back, constant));
    }

    /// An instruction with a VEX prefix, of two bytes where that suffices. `other` is 0 if
    /// there is no such register.
    pub(in crate::codegen::target) fn vex(&mut self, vex: &Vex) {
        let bit = |number: u8| number >> 3 & 1;
        let (x, b) = match vex.operand {
            Operand::Vector(v) => (0, bit(v.0)),
            Operand::Memory(a) | Operand::Broadcast(a) => {
                (a.index.map_or(0, |(i, _)| bit(i.0)), bit(a.base.0))
            }
            Operand::Constant(_) | Operand::BroadcastConstant(_) => (0, 0),
        };
        let Opcode {
            map,
            prefix,
            w,
            code,
        } = vex.opcode;
        let r = bit(!vex.reg) << 7;
        let rest = (!vex.other & 15) << 3 | u8::from(vex.long) << 2 | prefix;
        if map == 1 && !w && x == 0 && b == 0 {
            self.bytes(&[0xC5, r | rest, code]);
        } else {
            let first = r | (x ^ 1) << 6 | (b ^ 1) << 5 | map;
            self.bytes(&[0xC4, first, u8::from(w) << 7 | rest, code]);
        }
        match vex.operand {
            Operand::Vector(v) => self.byte(0xC0 | (vex.reg & 7) << 3 | v.0 & 7),
            Operand::Memory(a) | Operand::Broadcast(a) => self.memory(vex.reg, a, 1),
            Operand::Constant(c) | Operand::BroadcastConstant(c) => {
                self.constant(vex.reg, c, usize::from(vex.immediate.is_some()));
            }
        }
        if let Some(immediate) = vex.immediate {
            self.byte(immediate);
        }
    }

    /// An instruction with a three-byte VEX prefix on registers.
    pub(in crate::codegen::target) fn vex_registers(
        &mut self,
        opcode: Opcode,
        long: bool,
        reg: u8,
        other: u8,
        rm: u8,
    ) {
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
    pub(in crate::codegen::target) fn rex_registers(
        &mut self,
        opcode: &[u8],
        reg: u8,
        rm: General,
    ) {
        self.byte(0x48 | (reg >> 3) << 2 | rm.0 >> 3);
        self.bytes(opcode);
        self.byte(0xC0 | (reg & 7) << 3 | rm.0 & 7);
    }

    /// An instruction on a 64-bit register and memory.
    pub(in crate::codegen::target) fn rex_memory(
        &mut self,
        opcode: &[u8],
        reg: u8,
        address: Address,
    ) {
        let index = address.index.map_or(0, |(i, _)| i.0 >> 3);
        self.byte(0x48 | (reg >> 3) << 2 | index << 1 | address.base.0 >> 3);
        self.bytes(opcode);
        self.memory(reg, address, 1);
    }
}
