//! The verifier of lowered graphs. It finds
//!
//! - views of buffers or instructions that do not exist, or of another dtype than their buffer;
//! - strides of another rank than their shape, and elements outside of their buffer;
//! - operands of another shape than their instruction, and reduced axes that the domain does not have;
//! - writes to arguments and constants, and elements that are written twice;
//! - reads of elements that no earlier instruction wrote, or that another one wrote than the view says;
//! - results that are not written whole.
//!
//! Elements are looked at one by one in programs of up to [`ELEMENTS`] of them; larger ones are checked by the extent
//! of their views alone.

use rustc_hash::{FxHashMap, FxHashSet};

use super::ir::{Call, Instruction, InstructionId, Lowered, Operand, Storage, View};
use super::layout::{elements, extent};
use crate::fault::fault;
use autojit_ir::DType;
use autojit_ir::error::{Error, Result};

/// The largest number of elements that are looked at one by one.
const ELEMENTS: usize = 1 << 22;

fn wrong(index: usize, mistake: &str) -> Error {
    fault("lower", format!("i{index} {mistake}"))
}

const UNWRITTEN: u32 = u32::MAX;

struct Verifier<'a> {
    lowered: &'a Lowered,
    dtypes: Vec<Option<DType>>,
    /// The instruction that wrote each element of each buffer; empty if there are too many elements.
    writers: Vec<Vec<u32>>,
    /// The instructions that wrote the parts of each join.
    joined: FxHashMap<InstructionId, FxHashSet<u32>>,
    is_exact: bool,
}

/// Verifies a lowered graph.
///
/// # Errors
/// There is a mistake in it: an internal error.
pub(crate) fn verify(lowered: &Lowered) -> Result<()> {
    let elements = lowered.buffers.iter().map(|b| b.bytes);
    let is_exact = elements.fold(0usize, usize::saturating_add) <= ELEMENTS;
    let mut verifier = Verifier {
        lowered,
        dtypes: vec![None; lowered.buffers.len()],
        writers: vec![Vec::new(); lowered.buffers.len()],
        joined: FxHashMap::default(),
        is_exact,
    };
    for index in 0..lowered.instructions.len() {
        verifier.instruction(index)?;
    }
    verifier.results()
}

impl Verifier<'_> {
    fn instruction(&mut self, index: usize) -> Result<()> {
        let lowered = self.lowered;
        let instruction = &lowered.instructions[index];
        for view in lowered.reads(instruction) {
            self.view(index, view)?;
            self.read(index, view)?;
        }
        shapes(lowered, index, instruction)?;
        for view in lowered.writes(instruction) {
            self.view(index, view)?;
            self.write(index, view)?;
        }
        if let Instruction::Join { parts } = instruction {
            let mut whole: FxHashSet<u32> = FxHashSet::default();
            for part in lowered.parts(*parts) {
                if part.0 as usize >= index {
                    return Err(wrong(index, "joins a part that comes after it"));
                }
                match self.joined.get(part) {
                    Some(inner) => whole.extend(inner),
                    None => {
                        whole.insert(part.0);
                    }
                }
            }
            self.joined.insert(InstructionId(index as u32), whole);
        }
        Ok(())
    }

    /// Checks that a view lies in its buffer.
    fn view(&mut self, index: usize, view: &View) -> Result<()> {
        let lowered = self.lowered;
        let number = view.buffer.0 as usize;
        let Some(buffer) = lowered.buffers.get(number) else {
            return Err(wrong(index, "has a view of a buffer that does not exist"));
        };
        let (shape, strides) = (lowered.shape(view), lowered.strides(view));
        if shape.len() != strides.len() {
            return Err(wrong(
                index,
                "has a view whose strides are not as many as its axes",
            ));
        }
        let dtype = *self.dtypes[number].get_or_insert(view.dtype);
        if dtype != view.dtype {
            return Err(wrong(index, "sees a buffer of another dtype"));
        }
        let size = dtype.size() as i128;
        if let Some((first, last)) = extent(shape, strides, view.offset)
            && (first < 0 || (last + 1) * size > buffer.bytes as i128)
        {
            let mistake = format!(
                "reaches elements {first} to {last} of b{number}, which has {} bytes",
                buffer.bytes
            );
            return Err(wrong(index, &mistake));
        }
        Ok(())
    }

    /// The writers of the elements of a buffer that a view of was checked.
    fn writers(&mut self, view: &View) -> &mut Vec<u32> {
        let number = view.buffer.0 as usize;
        let writers = &mut self.writers[number];
        if writers.is_empty() {
            let count = self.lowered.buffers[number].bytes / view.dtype.size();
            *writers = vec![UNWRITTEN; count];
        }
        writers
    }

    fn read(&mut self, index: usize, view: &View) -> Result<()> {
        let lowered = self.lowered;
        if lowered.shape(view).contains(&0) {
            return Ok(());
        }
        let Some(origin) = view.origin() else {
            return match lowered.buffer(view.buffer).storage {
                Storage::Input(_) | Storage::Constant(_) => Ok(()),
                Storage::Output(_) | Storage::Workspace => Err(wrong(
                    index,
                    "reads memory that is written, and does not say after what",
                )),
            };
        };
        if origin.0 as usize >= index {
            return Err(wrong(index, "reads what comes after it"));
        }
        if !self.is_exact {
            return Ok(());
        }
        self.writers(view);
        let writers = &self.writers[view.buffer.0 as usize];
        let joined = self.joined.get(&origin);
        elements(
            lowered.shape(view),
            lowered.strides(view),
            view.offset,
            |element| {
                let writer = writers[element as usize];
                if writer == UNWRITTEN {
                    let mistake = format!(
                        "reads element {element} of b{}, which nothing wrote",
                        view.buffer.0
                    );
                    return Err(wrong(index, &mistake));
                }
                if writer == origin.0 || joined.is_some_and(|parts| parts.contains(&writer)) {
                    return Ok(());
                }
                let mistake = format!(
                    "reads element {element} of b{} after i{}, but i{writer} wrote it",
                    view.buffer.0, origin.0
                );
                Err(wrong(index, &mistake))
            },
        )
    }

    fn write(&mut self, index: usize, view: &View) -> Result<()> {
        let lowered = self.lowered;
        match lowered.buffer(view.buffer).storage {
            Storage::Output(_) | Storage::Workspace => {}
            Storage::Input(_) | Storage::Constant(_) => {
                return Err(wrong(index, "writes to an argument or a constant"));
            }
        }
        if view.origin() != Some(InstructionId(index as u32)) {
            return Err(wrong(
                index,
                "writes a view that belongs to another instruction",
            ));
        }
        if !self.is_exact {
            return Ok(());
        }
        let writers = self.writers(view);
        elements(
            lowered.shape(view),
            lowered.strides(view),
            view.offset,
            |element| {
                let writer = &mut writers[element as usize];
                if *writer != UNWRITTEN {
                    let mistake = format!(
                        "writes element {element} of b{}, as i{writer} does",
                        view.buffer.0
                    );
                    return Err(wrong(index, &mistake));
                }
                *writer = index as u32;
                Ok(())
            },
        )
    }

    fn results(&self) -> Result<()> {
        for (number, buffer) in self.lowered.buffers.iter().enumerate() {
            if self.is_exact && matches!(buffer.storage, Storage::Output(_)) && buffer.bytes > 0 {
                let writers = &self.writers[number];
                if writers.is_empty() || writers.contains(&UNWRITTEN) {
                    return Err(fault(
                        "lower",
                        format!("the result b{number} is not written whole"),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Checks that the operands of an instruction have its shape.
fn shapes(lowered: &Lowered, index: usize, instruction: &Instruction) -> Result<()> {
    let has_shape = |operand: &Operand, shape: &[usize]| match operand {
        Operand::Literal(_) => true,
        Operand::View(view) => lowered.shape(view).as_slice() == shape,
    };
    let fits = match instruction {
        Instruction::Map { output, .. } | Instruction::Copy { output, .. } => {
            let shape = lowered.shape(output);
            (lowered.inputs(instruction).iter()).all(|operand| has_shape(operand, shape))
        }
        Instruction::Reduce {
            axes,
            domain,
            input,
            output,
            ..
        } => {
            let shape = &lowered.geometries[*domain].shape;
            if *axes != axes.within(shape.len()) {
                return Err(wrong(
                    index,
                    "reduces an axis that its domain does not have",
                ));
            }
            let outer = (0..shape.len()).filter(|&a| !axes.contains(a));
            let size: usize = outer.map(|a| shape[a]).product();
            has_shape(input, shape) && lowered.shape(output).iter().product::<usize>() == size
        }
        Instruction::Call(call) => {
            let site = lowered.call(*call);
            match (&site.call, &site.inputs[..], &site.outputs[..]) {
                (Call::Matmul(product), [_, _], [output]) => {
                    let sizes = product.batch.iter().chain([&product.m, &product.n]);
                    sizes.product::<usize>() == lowered.shape(output).iter().product()
                }
                (Call::Copy(_), [input], [output]) => lowered.shape(input) == lowered.shape(output),
                (Call::Matmul(_) | Call::Copy(_), ..) => false,
                _ => true,
            }
        }
        Instruction::Join { .. } => true,
    };
    if fits {
        Ok(())
    } else {
        Err(wrong(index, "has an operand of another shape"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::lower;
    use autojit_ir::Graph;

    const TRANSPOSED: &str = "%x = input index=0 ty=f64[2,3]\n%t = transpose perm=[1,0] %x\n\
        %y = exp %t\n%z = concatenate axis=0 %y %y\n%r = sqrt %z\nreturn %r";

    fn lowered() -> Lowered {
        let graph: Graph = TRANSPOSED.parse().unwrap();
        let lowered = lower(&graph).unwrap();
        verify(&lowered).unwrap();
        lowered
    }

    fn mistake(lowered: &Lowered) -> String {
        verify(lowered).unwrap_err().to_string()
    }

    #[test]
    fn wrong_strides_are_found() {
        let mut lowered = lowered();
        let geometry = lowered.geometries.intern(&[3, 2], &[1, 4]);
        let Operand::View(view) = &mut lowered.operands[0] else {
            panic!("a view");
        };
        view.geometry = geometry;
        let text = mistake(&lowered);
        assert!(
            text.contains("stage lower: i0 reaches elements 0 to 6"),
            "{text}"
        );
    }

    #[test]
    fn an_instruction_out_of_order_is_found() {
        let mut lowered = lowered();
        lowered.instructions.swap(0, 1);
        let text = mistake(&lowered);
        assert!(
            text.contains("stage lower: i0 reads what comes after it"),
            "{text}"
        );
    }

    #[test]
    fn elements_that_are_written_twice_are_found() {
        let mut lowered = lowered();
        for instruction in &mut lowered.instructions {
            if let Instruction::Copy { output, .. } = instruction {
                output.offset = 0;
            }
        }
        let text = mistake(&lowered);
        assert!(text.contains("stage lower: i1 writes element 0"), "{text}");
    }
}
