//! AVX-512 (F, VL, DQ, BW) and BMI2 on x86-64: vectors of 64 bytes, 32 of them; tails and truth values in mask registers.
//!
//! ```text
//! vectors.rs     the bytes of vector instructions
//! masks.rs       those of truth values, and the masks of tails
//! evex.rs        their prefix
//! ```

mod evex;
mod masks;
#[cfg(test)]
pub(crate) mod tests;
mod vectors;

use autojit_runtime::abi::Symbol;

use crate::codegen::simd::target::{Demand, Masks, Target};
use crate::codegen::simd::vcode::{Inst, VCode, VectorInst};
use crate::codegen::target::x86::assembler::Assembler;

pub(crate) struct Avx512;

impl Target for Avx512 {
    const NAME: &'static str = "AVX-512";
    const KEY: &'static str = "avx512";
    const BYTES: i32 = 64;
    const VECTORS: u32 = 32;
    const MASKS: Masks = Masks::Registers(8);
    const PERMUTES_TWO: bool = true;

    fn scratch(_: &Demand<'_>) -> u32 {
        0
    }

    #[cfg(all(target_arch = "x86_64", unix))]
    fn is_available() -> bool {
        use autojit_runtime::processor::{self, Level};
        processor::level() == Level::Avx512
    }

    // The code uses the calling convention of System V.
    #[cfg(not(all(target_arch = "x86_64", unix)))]
    fn is_available() -> bool {
        false
    }

    fn encode(code: &VCode, address: impl Fn(&'static Symbol) -> u64) -> Vec<u8> {
        let mut asm = Assembler::new(code.labels, code.constants.clone(), 1);
        for inst in &code.insts {
            match inst {
                Inst::Vector(inst) => asm.vector_inst(inst),
                Inst::Mask(inst) => asm.mask_inst(inst),
                Inst::Scalar(inst) => asm.scalar_inst(inst),
                Inst::Flow(inst) => asm.flow_inst(*inst, &address),
                Inst::Note(_) => {}
            }
        }
        asm.finish()
    }
}

impl Assembler {
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
            } => {
                // The emitter writes no other ones.
                if let Some(opcode) = Self::binary_opcode(op, kind) {
                    self.binary(opcode, kind, length, to, a, b, masking);
                }
            }
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
            VectorInst::PermuteTwo {
                kind,
                length,
                indices,
                a,
                b,
            } => self.permute_two(kind, length, indices, a, b),
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
            VectorInst::UpperHalf { length, to, from } => self.upper_half(length, to, from),
            VectorInst::Convert {
                from_kind,
                to_kind,
                length,
                to,
                from,
            } => self.convert(from_kind, to_kind, length, to, from),
            VectorInst::Gather {
                kind,
                length,
                to,
                base,
                index,
                offset,
                mask,
                masked,
            } => {
                self.gather_mask(mask, masked);
                self.clear(to);
                self.gather(kind, length, to, base, index, offset, mask);
            }
            VectorInst::Scatter {
                kind,
                length,
                from,
                base,
                index,
                offset,
                mask,
                masked,
            } => {
                self.gather_mask(mask, masked);
                self.scatter(kind, length, from, base, index, offset, mask);
            }
        }
    }
}
