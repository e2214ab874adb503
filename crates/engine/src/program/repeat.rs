//! Loops whose body is one kernel over one element: the kernel repeats itself, and what is carried stays in registers.
//!
//! The kernel of the body becomes one that repeats. It has a slot more for each result that is a copy of another one. Bodies with
//! several entries, with calls, with kernels that can fail or that carry arrays of several elements run as `control.rs` has it.

use smallvec::SmallVec;

use super::entry::{Bases, Entries, Entry};
use crate::kernel::{Kernel, Operation, Repeats, Slot};
use crate::lower::{Storage, list};
use autojit_ir::ArrayType;

/// The values that a loop gives its body, and takes from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looped<'a> {
    /// How many arrays go from one iteration to the next; they are the first inputs and the first results.
    pub(crate) carry: usize,
    /// How many inputs after them are elements of whole arrays. All results after the carried ones are such elements.
    pub(crate) elements: usize,
    /// Whether the last result is the condition instead.
    pub(crate) has_condition: bool,
    pub(crate) inputs: &'a [ArrayType],
}

/// Where an operand of a kernel that repeats lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Workspace,
    Constant(usize),
    Input(usize),
    Result(usize),
}

/// A kernel that repeats, and how it is called.
#[derive(Debug)]
pub(crate) struct Repeated {
    pub(crate) kernel: Kernel,
    /// For each slot, where its first element is; an offset in bytes.
    pub(crate) operands: Vec<(Place, isize)>,
    /// The parameters but the count and the steps.
    pub(crate) parameters: SmallVec<[i64; 8]>,
    /// Steps in bytes, forwards.
    pub(crate) steps: Vec<usize>,
}

/// The repeated kernel of a body, if it can be one. `results` are the output buffers and sizes in bytes of its results.
pub(crate) fn repeated(
    entries: &Entries,
    bases: Bases,
    results: &[(usize, usize)],
    looped: Looped<'_>,
) -> Option<Repeated> {
    let [
        Entry::Kernel {
            kernel,
            operands,
            parameters,
            can_fail: false,
            run: None,
        },
    ] = &entries.list[..]
    else {
        return None;
    };
    let kernel = &entries.kernels[*kernel as usize];
    let is_plain = kernel.outer_rank == 0
        && kernel.inner_rank == 0
        && kernel.outer.is_empty()
        && kernel.after.is_empty();
    if !is_plain {
        return None;
    }
    let first_word = *parameters as usize;
    let mut made = Making {
        repeated: Repeated {
            kernel: kernel.clone(),
            operands: Vec::new(),
            parameters: entries.parameters[first_word..][..kernel.parameter_words()].into(),
            steps: Vec::new(),
        },
        repeats: Repeats::default(),
        first_read: vec![None; looped.carry],
        last_written: vec![None; looped.carry],
    };
    let loads = |slot: usize| {
        let mut operations = kernel.operations();
        operations.any(|o| matches!(o, Operation::Load { slot: s } if usize::from(*s) == slot))
    };
    let operands = &entries.operands[operands.start as usize..operands.end as usize];
    for (index, operand) in operands.iter().enumerate() {
        let whole = kernel.slots[index].dtype.size();
        let number = index as u16;
        let (place, step) = match bases.storage(operand.base) {
            Storage::Workspace if loads(index) => return None,
            Storage::Workspace => (Place::Workspace, None),
            Storage::Constant(k) => (Place::Constant(k), None),
            Storage::Input(k) => {
                let bytes = looped.inputs[k].bytes();
                if k < looped.carry {
                    if bytes != whole {
                        return None;
                    }
                    made.first_read[k] = Some(number);
                }
                let is_element = (looped.carry..looped.carry + looped.elements).contains(&k);
                (Place::Input(k), is_element.then_some(bytes))
            }
            Storage::Output(_) if loads(index) => return None,
            Storage::Output(buffer) => {
                let k = results.iter().position(|(b, _)| *b == buffer)?;
                (
                    Place::Result(k),
                    made.result(k, number, whole, results, looped)?,
                )
            }
        };
        made.operand(place, operand.offset, step);
    }
    // Results that are copies.
    for (k, &(buffer, bytes)) in results.iter().enumerate() {
        let original = results.iter().position(|(b, _)| *b == buffer)?;
        if original == k {
            continue;
        }
        let is_original =
            |(place, _): &(Place, isize)| matches!(place, Place::Result(r) if *r == original);
        let from = made.repeated.operands.iter().position(is_original)?;
        let Slot { dtype, strides } = kernel.slots[from].clone();
        if dtype.size() != bytes {
            return None;
        }
        let number = made.repeated.kernel.slots.len() as u16;
        let (value, stored) = kernel.before.iter().find_map(|(value, o)| match o {
            Operation::Store {
                slot,
                value: stored,
            } if usize::from(*slot) == from => Some((*value, *stored)),
            _ => None,
        })?;
        made.repeated.kernel.slots.push(Slot { dtype, strides });
        made.repeated.kernel.before.push((
            value,
            Operation::Store {
                slot: number,
                value: stored,
            },
        ));
        let step = made.result(k, number, bytes, results, looped)?;
        made.operand(Place::Result(k), 0, step);
    }
    made.finish()
}

struct Making {
    repeated: Repeated,
    repeats: Repeats,
    /// The slots that what is carried is read from and written to.
    first_read: Vec<Option<u16>>,
    last_written: Vec<Option<u16>>,
}

impl Making {
    /// The role of a slot that a result is written to: the step by which it moves, if it does. `None` if it cannot be there.
    fn result(
        &mut self,
        k: usize,
        slot: u16,
        bytes: usize,
        results: &[(usize, usize)],
        looped: Looped<'_>,
    ) -> Option<Option<usize>> {
        if k < looped.carry {
            self.last_written[k] = Some(slot);
            return (results[k].1 == bytes).then_some(None);
        }
        if looped.has_condition {
            self.repeats.condition = Some(slot);
            return Some(None);
        }
        Some(Some(results[k].1))
    }

    fn operand(&mut self, place: Place, offset: isize, step: Option<usize>) {
        let steps = &mut self.repeated.steps;
        let step = step.map(|bytes| {
            let known = steps.iter().position(|&b| b == bytes);
            known.unwrap_or_else(|| {
                steps.push(bytes);
                steps.len() - 1
            }) as u16
        });
        self.repeats.moves.push(step);
        self.repeated.operands.push((place, offset));
    }

    fn finish(mut self) -> Option<Repeated> {
        for (from, to) in self.first_read.iter().zip(&self.last_written) {
            match (from, to) {
                (Some(from), Some(to)) => self.repeats.carried.push((*from, *to)),
                // It is written each time, and never read again.
                (None, Some(_)) => {}
                (_, None) => return None,
            }
        }
        self.repeats.steps = self.repeated.steps.len();
        self.repeated.kernel.repeats = Some(self.repeats);
        Some(self.repeated)
    }
}

/// The text form.
///
/// ```text
/// kernel 0 repeats itself; steps 8,16
/// slot 0: input 0, then what slot 3 is given
/// slot 1: input 2, moves by step 0
/// slot 2: result 1, moves by step 1
/// slot 3: result 0
/// ```
impl std::fmt::Display for Repeated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps = list(&self.steps);
        writeln!(f, "kernel 0 repeats itself; steps {steps}")?;
        let Some(repeats) = &self.kernel.repeats else {
            return Ok(());
        };
        let slots = self.operands.iter().zip(&repeats.moves).zip(0..);
        for (((place, offset), moves), slot) in slots {
            write!(f, "slot {slot}: ")?;
            match place {
                Place::Workspace => write!(f, "workspace")?,
                Place::Constant(k) => write!(f, "constant {k}")?,
                Place::Input(k) => write!(f, "input {k}")?,
                Place::Result(k) => write!(f, "result {k}")?,
            }
            if *offset != 0 {
                write!(f, " {offset:+}")?;
            }
            if let Some(step) = moves {
                write!(f, ", moves by step {step}")?;
            }
            let carried = repeats.carried.iter();
            for (_, to) in carried.filter(|(from, _)| *from == slot) {
                write!(f, ", then what slot {to} is given")?;
            }
            if repeats.condition == Some(slot) {
                write!(f, ", whether it goes on")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
