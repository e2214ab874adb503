//! Verification of vector kernels; see `mod.rs` for what it finds.

use super::Mistake;
use crate::codegen::simd::ir::{Block, Element, Kind, Register, Uniform, VectorKernel, VectorOp};
use crate::codegen::simd::select;
use crate::kernel::Kernel;

pub(super) fn verify(source: &VectorKernel, kernel: &Kernel) -> Result<(), Mistake> {
    let mut verifier = Verifier {
        source,
        kernel,
        written: vec![false; source.kinds.len()],
        reduced: vec![false; source.reductions.len()],
    };
    for uniform in source.uniforms.iter().flatten() {
        if let Uniform::Slot { slot, part } = *uniform {
            let dtype = kernel.slots.get(usize::from(slot)).map(|s| s.dtype);
            if dtype.is_none_or(|dtype| part > u8::from(dtype.is_complex())) {
                return Err(format!("there is no part {part} of slot {slot}"));
            }
        }
    }
    let local = |block: &Block| -> Vec<Register> {
        block
            .instructions
            .iter()
            .flat_map(VectorOp::writes)
            .collect()
    };
    for block in &source.before {
        verifier.block(block, true)?;
        // Phases communicate through memory.
        for register in local(block) {
            verifier.written[register as usize] = false;
        }
    }
    if let Some(missing) = verifier.reduced.iter().position(|reduced| !reduced) {
        return Err(format!("reduction {missing} is not made"));
    }
    for register in source.reductions.iter().flat_map(|r| r.result.parts()) {
        verifier.write(register)?;
    }
    verifier.block(&source.outer, false)?;
    for block in &source.after {
        verifier.block(block, false)?;
        for register in local(block) {
            verifier.written[register as usize] = false;
        }
    }
    Ok(())
}

struct Verifier<'a> {
    source: &'a VectorKernel,
    kernel: &'a Kernel,
    written: Vec<bool>,
    reduced: Vec<bool>,
}

impl Verifier<'_> {
    fn kind(&self, register: Register) -> Result<Kind, Mistake> {
        let kind = self.source.kinds.get(register as usize);
        kind.copied()
            .ok_or_else(|| format!("there is no register v{register}"))
    }

    fn write(&mut self, register: Register) -> Result<(), Mistake> {
        self.kind(register)?;
        if self.source.uniforms[register as usize].is_some() {
            return Err(format!("v{register} is uniform and written"));
        }
        if std::mem::replace(&mut self.written[register as usize], true) {
            return Err(format!("v{register} is written twice"));
        }
        Ok(())
    }

    fn block(&mut self, block: &Block, reduces: bool) -> Result<(), Mistake> {
        if block.ends.len() != block.instructions.len() {
            return Err("a block says of other instructions what ends after them".to_owned());
        }
        let mut ended: Vec<Register> = Vec::new();
        for (op, ends) in block.instructions.iter().zip(&block.ends) {
            let failed = |why: Mistake| format!("{why}, in \"{op}\"");
            for register in op.reads() {
                self.kind(register).map_err(failed)?;
                let is_uniform = self.source.uniforms[register as usize].is_some();
                if !is_uniform && !self.written[register as usize] {
                    return Err(failed(format!("v{register} is read before it is written")));
                }
                if ended.contains(&register) {
                    return Err(failed(format!("v{register} is read after its end")));
                }
            }
            self.operands(op, reduces).map_err(failed)?;
            for register in op.writes() {
                self.write(register).map_err(failed)?;
            }
            for &register in ends {
                let is_named = op.reads().contains(&register) || op.writes().contains(&register);
                if !is_named || ended.contains(&register) {
                    return Err(failed(format!(
                        "v{register} ends where it is not used last"
                    )));
                }
                ended.push(register);
            }
        }
        for register in block.instructions.iter().flat_map(VectorOp::writes) {
            if !ended.contains(&register) && !self.source.escaping.contains(&register) {
                return Err(format!("v{register} never ends"));
            }
        }
        for call in &block.calls {
            for &slot in call.inputs.iter().chain([&call.output]) {
                if usize::from(slot) >= self.kernel.slots.len() {
                    return Err(format!("there is no slot {slot}"));
                }
            }
        }
        Ok(())
    }

    /// The kinds of what an instruction reads and writes.
    fn operands(&mut self, op: &VectorOp, reduces: bool) -> Result<(), Mistake> {
        let same = |registers: &[Register], kind: Kind| -> Result<(), Mistake> {
            for &register in registers {
                let found = self.kind(register)?;
                if found != kind {
                    return Err(format!("v{register} is {found}, not {kind}"));
                }
            }
            Ok(())
        };
        let number = |register: Register| -> Result<Kind, Mistake> {
            match self.kind(register)? {
                Kind::Mask => Err(format!("v{register} is no number")),
                kind => Ok(kind),
            }
        };
        match *op {
            VectorOp::Load { slot, to: element }
            | VectorOp::Store {
                slot,
                from: element,
            } => {
                let slot = self.kernel.slots.get(usize::from(slot));
                let dtype = slot.ok_or("there is no such slot")?.dtype;
                let kind = select::kind(dtype)?;
                if matches!(element, Element::Pair(..)) != dtype.is_complex() {
                    return Err(format!("{element} is no {dtype}"));
                }
                same(&element.parts(), kind)
            }
            VectorOp::Unary { to, from, .. } => same(&[to], number(from)?),
            VectorOp::Binary { to, a, b, .. } => same(&[to, b], number(a)?),
            VectorOp::Compare { to, a, b, .. } => {
                same(&[b], number(a)?)?;
                same(&[to], Kind::Mask)
            }
            VectorOp::Select { to, mask, a, b } => {
                same(&[mask], Kind::Mask)?;
                same(&[to, b], number(a)?)
            }
            VectorOp::Logic { to, a, b, .. } => same(&[to, a, b], Kind::Mask),
            VectorOp::Not { to, from } => same(&[to, from], Kind::Mask),
            VectorOp::Convert { to, from } => {
                number(to)?;
                number(from).map(|_| ())
            }
            VectorOp::Call {
                to,
                ref from,
                function,
            } => {
                // Pointers to the operands and the result, and a count.
                if function.params.len() != from.len() + 2 {
                    return Err(format!("{} takes other operands", function.name));
                }
                same(from, number(to)?)
            }
            VectorOp::Reduce { reduction, from } => {
                let reductions = &self.source.reductions;
                let found = reductions.get(reduction).filter(|_| reduces);
                let found = found.ok_or("there is no such reduction here")?;
                if found.result.parts().len() != from.parts().len() {
                    return Err(format!("{from} is reduced to {}", found.result));
                }
                same(&from.parts(), found.kind)?;
                same(&found.result.parts(), found.kind)?;
                if std::mem::replace(&mut self.reduced[reduction], true) {
                    return Err(format!("reduction {reduction} is made twice"));
                }
                Ok(())
            }
        }
    }
}
