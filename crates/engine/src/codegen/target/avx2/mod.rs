//! AVX2 on x86-64: vectors of 32 bytes, 16 of them.
//!
//! ```text
//! vectors.rs    arithmetic, loads and stores, shuffles
//! integers.rs   what AVX2 has no instructions for: products and extrema of 64 bits, conversions, scatters
//! masks.rs      truth values in vectors
//! tails.rs      the masks of tails
//! ```
//!
//! A truth value is a lane of ones or of zeros, of 8 bytes in kernels with four elements in a vector and of 4 bytes in
//! those with eight; instructions on narrower numbers take a narrowed copy. Masks of tails are not in registers: those of
//! known lengths are constants, so that most of their instructions are shorter ones without a mask, and the others are in
//! the frame.
//!
//! Instructions have no broadcasts: constants are repeated in memory, and other numbers go through [`FIRST`].

mod integers;
mod masks;
mod tails;
#[cfg(test)]
mod tests;
mod vectors;

use autojit_runtime::abi::Symbol;

use super::x86::assembler::{Assembler, Opcode, Vex};
use crate::codegen::simd::ir::{Kind, VectorOp};
use crate::codegen::simd::target::{Demand, Masks, Target};
use crate::codegen::simd::vcode::{FlowInst, Inst, Length, Operand, Tail, VCode, Vector, VectorInst};
use crate::kernel::Fold;

pub(crate) struct Avx2;

impl Target for Avx2 {
    const NAME: &'static str = "AVX2";
    const KEY: &'static str = "avx2";
    const BYTES: i32 = 32;
    const VECTORS: u32 = 16;
    const MASKS: Masks = Masks::Vectors;
    const PERMUTES_TWO: bool = false;

    /// One register is enough for sums and elementwise arithmetic on one kind of floating numbers, where masks are
    /// constants or those of loads and stores.
    fn scratch(demand: &Demand<'_>) -> u32 {
        let kernel = demand.kernel;
        let is_float = |kind: &Kind| kind.is_float() && kernel.kinds.first() == Some(kind);
        let adds = kernel.reductions.iter().all(|r| r.op == Fold::Sum);
        let sums_by_known_masks = adds && !demand.has_tails;
        let converts = |i: &VectorOp| matches!(i, VectorOp::Convert { .. });
        let is_plain = !demand.gathers
            && kernel.kinds.iter().all(is_float)
            && !kernel.instructions().any(converts)
            && (kernel.reductions.is_empty() || sums_by_known_masks);
        if is_plain { 1 } else { 2 }
    }

    #[cfg(all(target_arch = "x86_64", unix))]
    fn is_available() -> bool {
        use autojit_runtime::processor::{self, Level};
        processor::level() >= Level::Avx2
    }

    // The code uses the calling convention of System V.
    #[cfg(not(all(target_arch = "x86_64", unix)))]
    fn is_available() -> bool {
        false
    }

    fn encode(code: &VCode, address: impl Fn(&'static Symbol) -> u64) -> Vec<u8> {
        let mut encoder = Encoder::new(code);
        for inst in &code.insts {
            match inst {
                Inst::Vector(inst) => encoder.vector_inst(inst),
                Inst::Mask(inst) => encoder.mask_inst(inst),
                Inst::Scalar(inst) => encoder.asm.scalar_inst(inst),
                Inst::Flow(FlowInst::Align(bytes)) => encoder.align(*bytes),
                Inst::Flow(inst) => encoder.asm.flow_inst(*inst, &address),
                Inst::Note(_) => {}
            }
        }
        encoder.asm.finish()
    }
}

/// The vector registers that the emitter leaves to the encoder, see [`Target::scratch`].
const FIRST: Vector = Vector(15);
const SECOND: Vector = Vector(14);

/// Instructions of one to nine bytes that do nothing, as Intel's software developer's manual recommends them.
const NOPS: [&[u8]; 9] = [
    &[0x90],
    &[0x66, 0x90],
    &[0x0F, 0x1F, 0x00],
    &[0x0F, 0x1F, 0x40, 0x00],
    &[0x0F, 0x1F, 0x44, 0x00, 0x00],
    &[0x66, 0x0F, 0x1F, 0x44, 0x00, 0x00],
    &[0x0F, 0x1F, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0F, 0x1F, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
    &[0x66, 0x0F, 0x1F, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/// No register in the field `vvvv`.
const NO_REGISTER: u8 = 0;

/// Code in the making.
struct Encoder {
    asm: Assembler,
    /// Bytes of a lane of truth values.
    lane: i32,
    /// Where the masks of tails are in the frame.
    tails: i32,
    /// The length of the tail, if it is known.
    known: Option<(i32, Tail)>,
}

impl Encoder {
    fn new(code: &VCode) -> Self {
        Self {
            asm: Assembler::new(code.labels, code.constants.clone(), 4),
            lane: if code.count == 8 { 4 } else { 8 },
            tails: code.tails,
            known: None,
        }
    }

    /// One instruction.
    fn op(
        &mut self,
        opcode: Opcode,
        length: Length,
        reg: Vector,
        other: Vector,
        operand: impl Into<Operand>,
        immediate: Option<u8>,
    ) {
        self.asm.vex(&Vex {
            opcode,
            long: is_long(length),
            reg: reg.0,
            other: other.0,
            operand: operand.into(),
            immediate,
        });
    }

    /// One instruction without a second operand.
    fn op_one(
        &mut self,
        opcode: Opcode,
        length: Length,
        reg: Vector,
        operand: impl Into<Operand>,
        immediate: Option<u8>,
    ) {
        self.op(opcode, length, reg, Vector(NO_REGISTER), operand, immediate);
    }

    fn vector_inst(&mut self, inst: &VectorInst) {
        match *inst {
            VectorInst::Binary {
                op,
                kind,
                length,
                to,
                a,
                b,
                masking,
            } => self.binary(op, kind, length, to, a, b, masking),
            VectorInst::Unary {
                op,
                kind,
                length,
                to,
                from,
            } => self.unary(op, kind, length, to, from),
            VectorInst::Select {
                kind,
                length,
                to,
                mask,
                a,
                b,
            } => self.select(kind, length, to, mask, a, b),
            VectorInst::Copy {
                kind,
                length,
                to,
                from,
                masking,
            } => self.copy(kind, length, to, from, masking),
            VectorInst::Clear { to } => self.clear(to),
            VectorInst::Load {
                kind,
                length,
                to,
                from,
                masking,
            } => self.load(kind, length, to, from, masking),
            VectorInst::Store {
                kind,
                length,
                to,
                from,
                masking,
            } => self.store(kind, length, to, from, masking),
            VectorInst::LoadScalar { kind, to, from } => self.load_scalar(kind, to, from),
            VectorInst::StoreScalar { kind, to, from } => self.store_scalar(kind, to, from),
            VectorInst::Broadcast {
                kind,
                length,
                to,
                from,
            } => self.broadcast(kind, length, to, from),
            VectorInst::Unpack {
                which,
                kind,
                length,
                to,
                a,
                b,
            } => self.unpack(which, kind, length, to, a, b),
            VectorInst::ShuffleSingles {
                length,
                to,
                a,
                b,
                lanes,
            } => self.shuffle_singles(length, to, a, b, lanes),
            // `PERMUTES_TWO` says that there is no such instruction, so the emitter writes none.
            VectorInst::PermuteTwo { .. } => self.trap(),
            VectorInst::PermuteWithin {
                kind,
                length,
                to,
                from,
                lanes,
            } => self.permute_within(kind, length, to, from, lanes),
            VectorInst::PermuteQuarters {
                length,
                to,
                from,
                lanes,
            } => self.permute_quarters(length, to, from, lanes),
            VectorInst::UpperHalf { to, from, .. } => self.upper_half(to, from),
            VectorInst::Convert {
                from_kind,
                to_kind,
                length,
                to,
                from,
            } => self.convert(from_kind, to_kind, length, to, from),
            VectorInst::Gather {
                kind,
                to,
                base,
                index,
                offset,
                mask,
                masked,
                ..
            } => self.gather(kind, to, base, index, offset, mask, masked),
            VectorInst::Scatter {
                kind,
                from,
                base,
                index,
                offset,
                masked,
                ..
            } => self.scatter(kind, from, base, index, offset, masked),
        }
    }

    /// Fills up to a multiple of `bytes` with as few instructions as there can be.
    fn align(&mut self, bytes: usize) {
        let mut missing = self.asm.code.len().next_multiple_of(bytes) - self.asm.code.len();
        while missing > 0 {
            let nop = NOPS[missing.min(NOPS.len()) - 1];
            self.asm.bytes(nop);
            missing -= nop.len();
        }
    }

    /// Stops the process where code that cannot be right would run.
    fn trap(&mut self) {
        debug_assert!(false, "an instruction that AVX2 does not have");
        self.asm.bytes(&[0x0F, 0x0B]);
    }
}

fn is_long(length: Length) -> bool {
    debug_assert!(length != Length::Bits512, "a vector of 64 bytes");
    length != Length::Bits128
}
