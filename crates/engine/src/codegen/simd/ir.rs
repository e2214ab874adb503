//! Vector kernels: the parts of a kernel as straight-line blocks of vector instructions, on registers without number
//! limits. The loops around them are the plan's, see `plan.rs`.
//!
//! Invariants, which `verify.rs` checks: a register is written once, before it is read, in the same part or in one whose
//! values are in reach (reductions and the outer part from the last inner loop). Registers that nothing writes are
//! *uniform*: the same in all lanes and for the whole kernel, or for one run of the innermost loop. The lists of
//! [`Block::ends`] name each register of a block once, at its last read.

use smallvec::SmallVec;

pub(crate) use super::kinds::{Binary, Kind, MaskLogic, Predicate, Rounding, Unary};
use crate::codegen::strip::StripCall;
use crate::kernel::Fold;
use autojit_runtime::abi::Symbol;

/// The number of a register.
pub(crate) type Register = u16;

/// Where a uniform register comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uniform {
    /// A word of the parameters.
    Parameter(u16),
    /// Bits of one lane; numbers of 32 bits are in both halves.
    Constant(u64),
    /// A slot that does not move along the lanes; which part of a complex number.
    Slot { slot: u16, part: u8 },
}

/// A real number or truth value, or the two parts of a complex one.
pub(crate) type Element = autojit_ir::semantics::Element<Register>;

/// An instruction on the registers of a vector kernel.
#[derive(Clone)]
pub(crate) enum VectorOp {
    /// An element in every lane: that of the lane's index, or one for all.
    Load {
        slot: u16,
        to: Element,
    },
    Store {
        slot: u16,
        from: Element,
    },
    Unary {
        op: Unary,
        to: Register,
        from: Register,
    },
    Binary {
        op: Binary,
        to: Register,
        a: Register,
        b: Register,
    },
    Compare {
        predicate: Predicate,
        to: Register,
        a: Register,
        b: Register,
    },
    /// `a` where the mask is set, else `b`.
    Select {
        to: Register,
        mask: Register,
        a: Register,
        b: Register,
    },
    Logic {
        op: MaskLogic,
        to: Register,
        a: Register,
        b: Register,
    },
    Not {
        to: Register,
        from: Register,
    },
    Convert {
        to: Register,
        from: Register,
    },
    /// A function of the runtime on one element, in the outer part.
    Call {
        /// It takes pointers to the operands and the result, and a count.
        function: &'static Symbol,
        to: Register,
        from: SmallVec<[Register; 2]>,
    },
    /// Combines an element with what a reduction has so far.
    Reduce {
        reduction: usize,
        from: Element,
    },
}

impl VectorOp {
    pub(crate) fn reads(&self) -> SmallVec<[Register; 3]> {
        match *self {
            Self::Call { ref from, .. } => from.iter().copied().collect(),
            Self::Load { .. } => SmallVec::new(),
            Self::Store { from, .. } | Self::Reduce { from, .. } => {
                from.parts().into_iter().collect()
            }
            Self::Unary { from, .. } | Self::Not { from, .. } | Self::Convert { from, .. } => {
                SmallVec::from_slice(&[from])
            }
            Self::Binary { a, b, .. } | Self::Compare { a, b, .. } | Self::Logic { a, b, .. } => {
                SmallVec::from_slice(&[a, b])
            }
            Self::Select { mask, a, b, .. } => SmallVec::from_slice(&[mask, a, b]),
        }
    }

    pub(crate) fn writes(&self) -> SmallVec<[Register; 2]> {
        match *self {
            Self::Load { to, .. } => to.parts(),
            Self::Store { .. } | Self::Reduce { .. } => SmallVec::new(),
            Self::Unary { to, .. }
            | Self::Binary { to, .. }
            | Self::Compare { to, .. }
            | Self::Select { to, .. }
            | Self::Logic { to, .. }
            | Self::Not { to, .. }
            | Self::Call { to, .. }
            | Self::Convert { to, .. } => SmallVec::from_slice(&[to]),
        }
    }
}

/// A reduction: the instructions that combine, its result.
#[derive(Clone, Debug)]
pub(crate) struct Reduction {
    pub(crate) op: Fold,
    pub(crate) kind: Kind,
    /// The result, which holds after the loop.
    pub(crate) result: Element,
}

/// One part of a kernel, or a phase of it.
#[derive(Clone, Default)]
pub(crate) struct Block {
    pub(crate) instructions: Vec<VectorOp>,
    /// For each instruction, the registers that nothing reads after it.
    pub(crate) ends: Vec<SmallVec<[Register; 3]>>,
    /// Uniform registers, those first that are read most.
    pub(crate) uniforms: Vec<Register>,
    /// The most vector registers that hold results at once, masks among them if these are in vectors.
    pub(crate) pressure: usize,
    /// A call on scratch memory after the instructions ran for a strip of elements.
    pub(crate) calls: Vec<StripCall>,
}

/// A kernel as vector instructions.
#[derive(Clone, Default)]
pub(crate) struct VectorKernel {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) uniforms: Vec<Option<Uniform>>,
    /// The phases of the first inner loop; one, if it calls no functions.
    pub(crate) before: Vec<Block>,
    pub(crate) outer: Block,
    /// The phases of the last inner loop.
    pub(crate) after: Vec<Block>,
    pub(crate) reductions: Vec<Reduction>,
    /// Registers of the outer part, reductions included, that the last part reads.
    pub(crate) escaping: Vec<Register>,
}

impl VectorKernel {
    pub(crate) fn kind(&self, register: Register) -> Kind {
        self.kinds[register as usize]
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.before.iter().chain([&self.outer]).chain(&self.after)
    }

    pub(crate) fn instructions(&self) -> impl Iterator<Item = &VectorOp> {
        self.blocks().flat_map(|block| &block.instructions)
    }

    /// Whether functions of the runtime are called, across which no register keeps its value.
    pub(crate) fn has_calls(&self) -> bool {
        let of_outer = |i: &VectorOp| matches!(i, VectorOp::Call { .. });
        self.blocks().any(|s| !s.calls.is_empty()) || self.outer.instructions.iter().any(of_outer)
    }

    /// Works out lifetimes once all instructions are there. Masks may take vector registers.
    pub(crate) fn finish(&mut self, masks_are_vectors: bool) {
        let escaping: Vec<Register> = {
            let mut made: Vec<Register> = self
                .reductions
                .iter()
                .flat_map(|r| r.result.parts())
                .collect();
            made.extend(self.outer.instructions.iter().flat_map(VectorOp::writes));
            let mut read: Vec<Register> = Vec::new();
            let instructions = self.after.iter().flat_map(|s| &s.instructions);
            read.extend(instructions.flat_map(VectorOp::reads));
            made.retain(|r| read.contains(r));
            made
        };
        let blocks = self.before.iter_mut().chain([&mut self.outer]);
        for block in blocks.chain(&mut self.after) {
            let is_local = |r: Register| !escaping.contains(&r);
            block.lifetimes(&self.kinds, &self.uniforms, &is_local, masks_are_vectors);
        }
        self.escaping = escaping;
    }
}

impl Block {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.instructions.is_empty() && self.calls.is_empty()
    }

    fn lifetimes(
        &mut self,
        kinds: &[Kind],
        uniforms: &[Option<Uniform>],
        is_local: &dyn Fn(Register) -> bool,
        masks_are_vectors: bool,
    ) {
        const UNREAD: u32 = u32::MAX;
        let mut last_read = vec![UNREAD; kinds.len()];
        let mut reads = vec![0u32; kinds.len()];
        for (index, instruction) in self.instructions.iter().enumerate() {
            for register in instruction.reads() {
                last_read[register as usize] = index as u32;
                reads[register as usize] += 1;
            }
        }
        let (mut live, mut pressure) = (0usize, 0usize);
        for (index, instruction) in self.instructions.iter().enumerate() {
            let is_vector = |r: &Register| masks_are_vectors || kinds[*r as usize] != Kind::Mask;
            let writes = instruction.writes();
            live += writes.iter().filter(|r| is_vector(r)).count();
            // Loads and stores of complex numbers take two more on their way.
            let passing = match instruction {
                VectorOp::Load { to: e, .. } | VectorOp::Store { from: e, .. } => e.parts().len(),
                _ => 1,
            };
            pressure = pressure.max(live + passing);
            let mut ends: SmallVec<[Register; 3]> = SmallVec::new();
            let is_read_last = |r: Register| last_read[r as usize] == index as u32;
            for register in instruction.reads() {
                let is_result = uniforms[register as usize].is_none() && is_local(register);
                if is_result && is_read_last(register) && !ends.contains(&register) {
                    ends.push(register);
                }
            }
            for &register in &writes {
                if last_read[register as usize] == UNREAD && is_local(register) {
                    ends.push(register);
                }
            }
            live = live.saturating_sub(ends.iter().filter(|r| is_vector(r)).count());
            self.ends.push(ends);
        }
        self.pressure = pressure;
        self.uniforms = (0..kinds.len() as Register)
            .filter(|&r| uniforms[r as usize].is_some() && reads[r as usize] > 0)
            .collect();
        self.uniforms
            .sort_by_key(|&r| std::cmp::Reverse(reads[r as usize]));
    }
}
