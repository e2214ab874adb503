//! Verification of vector code by its structure; see `mod.rs` for what it finds.

use super::Mistake;
use crate::codegen::simd::vcode::{
    ACC, Address, DOUBLE_INDEX, FlowInst, INDEX, Inst, MaskInst, Masking, Note, Operand, Pointer,
    STACK, ScalarInst, VCode, VectorInst, parameter,
};
use crate::kernel::{Kernel, Stride};

/// A loop that is open.
struct Loop {
    axis: usize,
    elements: i32,
    indexed: bool,
    /// Of each slot, whether it advanced; and the index, and its double.
    advanced: Vec<bool>,
    index: [bool; 2],
}

pub(super) fn verify(code: &VCode, kernel: &Kernel) -> Result<(), Mistake> {
    labels(code)?;
    let mut loops: Vec<Loop> = Vec::new();
    let mut block: Option<(i32, bool)> = None;
    for (position, inst) in code.insts.iter().enumerate() {
        let failed = |why: &str| Err(format!("{why}, at {position}: \"{inst}\""));
        match *inst {
            Inst::Note(Note::Loop {
                axis,
                elements,
                indexed,
            }) => {
                if axis >= kernel.outer_rank + kernel.inner_rank || block.is_some() {
                    return failed("a loop does not belong here");
                }
                loops.push(Loop {
                    axis,
                    elements,
                    indexed,
                    advanced: vec![false; code.pointers.len()],
                    index: [false; 2],
                });
            }
            Inst::Note(Note::EndLoop { axis }) => match loops.pop() {
                Some(inner) if inner.axis == axis => {
                    if let Err(why) = advanced(code, kernel, &inner) {
                        return failed(&why);
                    }
                }
                _ => return failed("loops are not balanced"),
            },
            Inst::Note(Note::Advance {
                slot,
                axis,
                elements,
            }) => {
                let Some(inner) = loops.last_mut() else {
                    return failed("a pointer advances in no loop");
                };
                if inner.axis != axis || inner.elements != elements || inner.indexed {
                    return failed("a pointer advances otherwise than its loop");
                }
                if std::mem::replace(&mut inner.advanced[slot], true) {
                    return failed("a pointer advances twice");
                }
                if !is_advance(
                    &code.insts[position + 1..],
                    code,
                    kernel,
                    slot,
                    axis,
                    elements,
                ) {
                    return failed("a pointer does not advance by its stride");
                }
            }
            Inst::Note(Note::Block { count, masked, .. }) => {
                let around = block.replace((count, masked));
                if around.is_some() {
                    return failed("a block is in a block");
                }
            }
            Inst::Note(Note::EndBlock) => match block.take() {
                Some(_) => {}
                None => return failed("a block ends twice"),
            },
            Inst::Scalar(ScalarInst::AddNumber { to, number })
                if to == INDEX || to == DOUBLE_INDEX =>
            {
                let is_pointer = code.pointers.contains(&Pointer::Register(to));
                if let Some(inner) = loops
                    .last_mut()
                    .filter(|inner| inner.indexed && !is_pointer)
                {
                    let double = usize::from(to == DOUBLE_INDEX);
                    let expected = inner.elements << double;
                    if number != expected || std::mem::replace(&mut inner.index[double], true) {
                        return failed("an index does not advance as its loop");
                    }
                }
            }
            _ => {}
        }
        if let (Some((count, true)), true) = (block, is_unmasked(inst))
            && count > 1
        {
            return failed("a tail has no mask");
        }
    }
    if !loops.is_empty() || block.is_some() {
        return Err("loops are not balanced at the end".to_owned());
    }
    match code.insts.last() {
        Some(Inst::Flow(FlowInst::Return)) => Ok(()),
        _ => Err("the code does not return at its end".to_owned()),
    }
}

/// Every label is bound once.
fn labels(code: &VCode) -> Result<(), Mistake> {
    let mut bound = vec![0; code.labels as usize];
    for inst in &code.insts {
        if let Inst::Flow(FlowInst::Bind(label)) = inst {
            match bound.get_mut(label.0 as usize) {
                Some(count) => *count += 1,
                None => return Err(format!("there is no label {label}")),
            }
        }
    }
    for inst in &code.insts {
        if let Inst::Flow(FlowInst::Jump(label) | FlowInst::JumpIf(_, label)) = inst
            && bound.get(label.0 as usize) != Some(&1)
        {
            return Err(format!("label {label} is bound otherwise than once"));
        }
    }
    if bound.iter().any(|&count| count > 1) {
        return Err("a label is bound twice".to_owned());
    }
    Ok(())
}

/// The pointers that advance in a loop are those that move along its axis.
fn advanced(code: &VCode, kernel: &Kernel, inner: &Loop) -> Result<(), Mistake> {
    if inner.indexed {
        let has_double = kernel.slots.iter().any(|s| s.dtype.size() == 16);
        if inner.index != [true, has_double] {
            return Err("the index does not advance".to_owned());
        }
        return Ok(());
    }
    for (slot, pointer) in code.pointers.iter().enumerate() {
        let moves = kernel.slots[slot].strides[inner.axis] != Stride::Zero;
        let is_own = !matches!(pointer, Pointer::Scratch(_));
        if inner.advanced[slot] != (moves && is_own) {
            return Err(format!("slot {slot} does not advance as its strides say"));
        }
    }
    Ok(())
}

/// Whether instructions begin with what moves the pointer of a slot along an axis.
fn is_advance(
    insts: &[Inst],
    code: &VCode,
    kernel: &Kernel,
    slot: usize,
    axis: usize,
    elements: i32,
) -> bool {
    let mut insts = insts.iter().filter_map(|inst| match inst {
        Inst::Scalar(inst) => Some(*inst),
        _ => None,
    });
    let pointer = code.pointers[slot];
    let frame = |at: i32| Address::new(STACK, at);
    match kernel.slots[slot].strides[axis] {
        Stride::Zero => false,
        Stride::Unit => {
            let number = elements * kernel.slots[slot].dtype.size() as i32;
            insts.next()
                == match pointer {
                    Pointer::Register(to) => Some(ScalarInst::AddNumber { to, number }),
                    Pointer::Frame(at) => Some(ScalarInst::AddNumberToMemory {
                        to: frame(at),
                        number,
                    }),
                    Pointer::Scratch(_) => None,
                }
        }
        Stride::Parameter => {
            // Extents come first, then the strides of each slot that are parameters.
            let axes = kernel.outer_rank + kernel.inner_rank;
            let earlier = kernel.slots[..slot].iter().flat_map(|s| &s.strides[..]);
            let before = earlier.chain(&kernel.slots[slot].strides[..axis]);
            let word = axes + before.filter(|s| **s == Stride::Parameter).count();
            let first = insts.next();
            if let (Pointer::Register(to), 1) = (pointer, elements) {
                let from = parameter(word);
                return first == Some(ScalarInst::AddMemory { to, from });
            }
            let (to, from) = (ACC, parameter(word));
            if first != Some(ScalarInst::Load { to, from }) {
                return false;
            }
            if elements != 1 {
                let times = ScalarInst::MultiplyNumber {
                    to: ACC,
                    from: ACC,
                    number: elements,
                };
                if insts.next() != Some(times) {
                    return false;
                }
            }
            let last = match pointer {
                Pointer::Register(to) => ScalarInst::Add { to, from: ACC },
                Pointer::Frame(at) => ScalarInst::AddToMemory {
                    to: frame(at),
                    from: ACC,
                },
                Pointer::Scratch(_) => return false,
            };
            insts.next() == Some(last)
        }
    }
}

/// Whether an instruction moves the elements of all lanes from or to memory.
///
/// Lanes of sums on the stack, to which `INDEX` points, are whole vectors.
fn is_unmasked(inst: &Inst) -> bool {
    match inst {
        Inst::Vector(
            VectorInst::Load {
                from: Operand::Memory(at),
                ..
            }
            | VectorInst::Store { to: at, .. },
        ) if at.base == INDEX && at.index.is_none() => false,
        Inst::Vector(
            VectorInst::Load {
                from: Operand::Memory(_),
                masking,
                ..
            }
            | VectorInst::Store { masking, .. },
        ) => *masking == Masking::None,
        Inst::Vector(VectorInst::Gather { masked, .. } | VectorInst::Scatter { masked, .. })
        | Inst::Mask(MaskInst::LoadBytes { masked, .. } | MaskInst::StoreBytes { masked, .. }) => {
            !masked
        }
        _ => false,
    }
}
