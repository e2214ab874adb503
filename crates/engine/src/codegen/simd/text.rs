//! Vector kernels and vector code as text, for tests and for whoever reads them.
//!
//! ```text
//! v2: f64 = multiply v0 v1      ; ends v0 v1        registers of a vector kernel: v0, v1, ..
//! multiply.f64x8 x3, x1, [g9+index*8+64]            vector registers: x0, x1, ..; masks: m1, ..
//! ```
//!
//! General-purpose registers stand by their roles, others as `g3`; `params+8` is a word of the parameters, `stack+8` one
//! of the frame. Constants come last.

mod code;

use std::fmt::{self, Display, Formatter};

use super::ir::{Block, Element, Kind, Uniform, VectorKernel, VectorOp};
use super::plan::Plan;

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::Mask => "mask",
        })
    }
}

/// The name of a variant, in lower case.
struct Lower<T>(T);

impl<T: fmt::Debug> Display for Lower<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{:?}", self.0).to_lowercase())
    }
}

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "lanes {} of {}", Lower(self.lanes), self.count)?;
        write!(f, ", {} order, unrolled {}", Lower(self.order), self.unroll)?;
        if let Some(extent) = self.fixed {
            write!(f, ", for {extent} elements")?;
        }
        if let Some(terms) = self.terms {
            write!(f, ", sums of {terms} elements")?;
        }
        if self.chunked {
            f.write_str(", sums in chunks")?;
        }
        if self.has_calls {
            f.write_str(", calls")?;
        }
        writeln!(f)?;
        write!(f, "{}", self.source)
    }
}

impl Display for VectorKernel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (register, uniform) in self.uniforms.iter().enumerate() {
            let kind = self.kinds[register];
            match uniform {
                None => {}
                Some(Uniform::Parameter(word)) => {
                    writeln!(f, "v{register}: {kind} = parameter {word}")?;
                }
                Some(Uniform::Constant(bits)) => {
                    writeln!(f, "v{register}: {kind} = constant {bits:#x}")?;
                }
                Some(Uniform::Slot { slot, part }) => {
                    writeln!(f, "v{register}: {kind} = slot {slot} part {part}")?;
                }
            }
        }
        for (number, reduction) in self.reductions.iter().enumerate() {
            let (op, kind) = (Lower(reduction.op), reduction.kind);
            writeln!(f, "reduction {number}: {op} {kind} -> {}", reduction.result)?;
        }
        let parts = [
            ("before", &self.before[..]),
            ("outer", std::slice::from_ref(&self.outer)),
            ("after", &self.after[..]),
        ];
        for (name, blocks) in parts {
            for block in blocks.iter().filter(|block| !block.is_empty()) {
                writeln!(f, "{name}, pressure {}:", block.pressure)?;
                self.write_block(f, block)?;
            }
        }
        Ok(())
    }
}

impl VectorKernel {
    fn write_block(&self, f: &mut Formatter<'_>, block: &Block) -> fmt::Result {
        for (op, ends) in block.instructions.iter().zip(&block.ends) {
            f.write_str("  ")?;
            if let [first, ..] = op.writes()[..] {
                let to = match op {
                    VectorOp::Load { to, .. } => *to,
                    _ => Element::One(first),
                };
                write!(f, "{to}: {} = ", self.kind(first))?;
            }
            write!(f, "{op}")?;
            if !ends.is_empty() {
                f.write_str(" ; ends")?;
                for register in ends {
                    write!(f, " v{register}")?;
                }
            }
            writeln!(f)?;
        }
        for call in &block.calls {
            write!(f, "  call {}", call.function.name)?;
            for slot in call.inputs.iter().chain([&call.output]) {
                write!(f, " slot {slot}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Display for VectorOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load { slot, .. } => write!(f, "load slot {slot}"),
            Self::Store { slot, from } => write!(f, "store slot {slot} {from}"),
            Self::Unary { op, from, .. } => write!(f, "{} v{from}", Lower(op)),
            Self::Binary { op, a, b, .. } => write!(f, "{} v{a} v{b}", Lower(op)),
            Self::Compare {
                predicate, a, b, ..
            } => write!(f, "compare {} v{a} v{b}", Lower(predicate)),
            Self::Select { mask, a, b, .. } => write!(f, "select v{mask} v{a} v{b}"),
            Self::Logic { op, a, b, .. } => write!(f, "mask {} v{a} v{b}", Lower(op)),
            Self::Not { from, .. } => write!(f, "mask not v{from}"),
            Self::Convert { from, .. } => write!(f, "convert v{from}"),
            Self::Call { function, from, .. } => {
                write!(f, "call {}", function.name)?;
                from.iter()
                    .try_for_each(|register| write!(f, " v{register}"))
            }
            Self::Reduce { reduction, from } => write!(f, "reduce {reduction} {from}"),
        }
    }
}
