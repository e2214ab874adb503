//! Kernels: loops as values, so that equal ones are compiled once.
//!
//! A [`Kernel`] says what a loop does, but not to which memory nor how often: extents, strides that are
//! neither zero nor one element, and literals are parameters that the tape hands over. So `x + 1` on rows of 50
//! and `y + 2` on rows of 60 are the same kernel.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::fuse::{Loop, Part};
use super::program::{BufferId, Instruction, InstructionId, Operand, Program, View};
use crate::error::{Error, Result};
use crate::ir::{DType, Literal, Op, Scalar, Steps};

/// How the address of an operand moves along one axis of the loop nest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stride {
    /// It does not.
    Zero,
    /// By one element.
    Unit,
    /// By a number of bytes that is a parameter.
    Parameter,
}

/// An operand in memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    pub(super) dtype: DType,
    /// One per axis of the loop nest, outer axes first.
    pub(super) strides: SmallVec<[Stride; 4]>,
}

/// The number of a value within its kernel.
pub(super) type Value = u16;

/// One operation of a kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    /// The element of a slot.
    Load { slot: u16 },
    /// A parameter.
    Literal { index: u16 },
    /// An elementwise op.
    Map {
        op: Op,
        inputs: SmallVec<[Value; 3]>,
        dtype: DType,
    },
    /// The reduction of a value over the inner loop; its result exists after the loop.
    Reduce { op: ReduceOp, input: Value },
    /// Writes a value to a slot.
    Store { slot: u16, value: Value },
}

/// An operation with the number of the value that it gives; that of a store means nothing.
pub(super) type Numbered = (Value, Operation);

/// The reductions that loops do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ReduceOp {
    Sum,
    Prod,
    Max,
    Min,
    Any,
    All,
}

/// A loop nest: for each outer index the inner loop `before`, the operations `outer`, the inner loop `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Kernel {
    pub(super) outer_rank: usize,
    pub(super) inner_rank: usize,
    pub(super) slots: Vec<Slot>,
    pub(super) literals: Vec<DType>,
    pub(super) before: Vec<Numbered>,
    pub(super) outer: Vec<Numbered>,
    pub(super) after: Vec<Numbered>,
    /// The dtype of each value.
    pub(super) dtypes: Vec<DType>,
    /// Whether the inner loop is so short that a plain sum is as accurate as a pairwise one.
    pub(super) short: bool,
    /// The extent of the innermost axis, where that is so short that code for this number alone pays; it is among
    /// the parameters all the same. See [`Kernel::specialise`].
    pub(super) extent: Option<u16>,
}

/// The longest innermost axis that code is specialised for, in bytes of its widest elements.
const SPECIAL_BYTES: usize = 1024;

/// The longest inner loop that is summed without blocks: NumPy's pairwise sum adds 16 numbers per lane in a
/// row, this 32.
pub(super) const SHORT: usize = 256;

impl Kernel {
    /// Whether an operation may fail at run time, so that the kernel takes a pointer to a failure record.
    pub(super) fn can_fail(&self) -> bool {
        [&self.before, &self.outer, &self.after]
            .into_iter()
            .flatten()
            .any(|(_, operation)| match operation {
                Operation::Map {
                    op: Op::WrapIndex { .. },
                    ..
                } => true,
                Operation::Map {
                    op: Op::Power,
                    dtype,
                    ..
                } => dtype.is_integer(),
                _ => false,
            })
    }

    /// Makes the extent of a short innermost axis part of the kernel: its loop is unrolled, the mask of its tail is a
    /// constant, and what the last part needs again stays in registers. Only the wide emitter looks at it.
    pub(super) fn specialise(&mut self, innermost: usize) {
        let widest = self.slots.iter().map(|s| s.dtype.size()).max().unwrap_or(1);
        let pays = self.inner_rank == 1 && (1..=SPECIAL_BYTES / widest).contains(&innermost);
        self.extent = pays.then_some(innermost as u16);
    }

    /// The same kernel for any extent.
    pub(super) fn general(&self) -> Self {
        Self {
            extent: None,
            ..self.clone()
        }
    }

    /// Whether the kernel writes to a slot, so that loads from it must stay where they are.
    pub(super) fn is_written(&self, slot: usize) -> bool {
        let all = [&self.before, &self.outer, &self.after]
            .into_iter()
            .flatten();
        all.into_iter()
            .any(|(_, o)| matches!(o, Operation::Store { slot: s, .. } if usize::from(*s) == slot))
    }
}

/// A kernel with what it is applied to.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) kernel: Kernel,
    /// The buffer and the offset in bytes of each slot.
    pub(super) operands: Vec<(BufferId, isize)>,
    /// Extents, strides and literals.
    pub(super) parameters: Vec<i64>,
}

/// Builds the kernel of a loop. `stored` tells which instructions' results must be written.
///
/// # Errors
/// A mistake of ours.
pub(super) fn build(
    program: &Program,
    group: &Loop,
    stored: &dyn Fn(InstructionId) -> bool,
) -> Result<Applied> {
    let mut builder = KernelBuilder {
        group,
        kernel: Kernel::default(),
        slots: Vec::new(),
        literals: Vec::new(),
        made: FxHashMap::default(),
        loaded: FxHashMap::default(),
    };
    for &(id, part) in &group.members {
        builder.member(program.instruction(id), id, part, stored(id))?;
    }
    Ok(builder.finish())
}

/// A slot while the axes are still those of the domain.
#[derive(Clone, PartialEq, Eq)]
struct OpenSlot {
    buffer: BufferId,
    offset: isize,
    strides: Steps,
    dtype: DType,
}

struct KernelBuilder<'a> {
    group: &'a Loop,
    kernel: Kernel,
    slots: Vec<OpenSlot>,
    literals: Vec<Literal>,
    /// The value that an instruction of this loop made, and the part where it can be used.
    made: FxHashMap<InstructionId, (Value, Part)>,
    /// What was loaded in a section, by slot.
    loaded: FxHashMap<(Section, u16), Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Section {
    Before,
    Outer,
    After,
}

impl KernelBuilder<'_> {
    fn section(&mut self, section: Section) -> &mut Vec<Numbered> {
        match section {
            Section::Before => &mut self.kernel.before,
            Section::Outer => &mut self.kernel.outer,
            Section::After => &mut self.kernel.after,
        }
    }

    fn emit(&mut self, section: Section, operation: Operation, dtype: DType) -> Value {
        let value = self.kernel.dtypes.len() as Value;
        self.section(section).push((value, operation));
        self.kernel.dtypes.push(dtype);
        value
    }

    fn slot(&mut self, view: &View, section: Section) -> Result<u16> {
        let strides = match section {
            Section::Before | Section::After => view.layout.strides.clone(),
            Section::Outer => {
                let outer = self.group.outer_strides(&view.layout, &view.shape);
                self.group.inner_strides(
                    &outer.ok_or_else(|| Error::internal("an outer view does not fit"))?,
                )
            }
        };
        // Axes of length one never move, whatever their stride says.
        let strides = strides
            .iter()
            .zip(&self.group.domain)
            .map(|(&s, &n)| if n == 1 { 0 } else { s })
            .collect();
        let slot = OpenSlot {
            buffer: view.buffer,
            offset: view.layout.offset,
            strides,
            dtype: view.dtype,
        };
        let found = self.slots.iter().position(|s| *s == slot);
        let index = found.unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        });
        Ok(index as u16)
    }

    fn operand(&mut self, operand: &Operand, section: Section) -> Result<Value> {
        match operand {
            Operand::Literal(literal) => {
                self.literals.push(*literal);
                let index = (self.literals.len() - 1) as u16;
                Ok(self.emit(section, Operation::Literal { index }, literal.dtype))
            }
            Operand::View(view) => {
                if let Some(&(value, part)) = view.origin.and_then(|o| self.made.get(&o)) {
                    let usable = match part {
                        Part::Before => section == Section::Before,
                        Part::After => section == Section::After,
                        Part::Reduction | Part::Outer => section != Section::Before,
                        Part::Alone => false,
                    };
                    if usable {
                        return Ok(value);
                    }
                }
                let slot = self.slot(view, section)?;
                if let Some(&value) = self.loaded.get(&(section, slot)) {
                    return Ok(value);
                }
                let value = self.emit(section, Operation::Load { slot }, view.dtype);
                self.loaded.insert((section, slot), value);
                Ok(value)
            }
        }
    }

    fn member(
        &mut self,
        instruction: &Instruction,
        id: InstructionId,
        part: Part,
        stored: bool,
    ) -> Result<()> {
        let (value, output, store_in) = match instruction {
            Instruction::Map { op, inputs, output } => {
                let section = match part {
                    Part::Before => Section::Before,
                    Part::Outer => Section::Outer,
                    Part::After => Section::After,
                    _ => return Err(Error::internal("a map has no place in its loop")),
                };
                let inputs = inputs
                    .iter()
                    .map(|i| self.operand(i, section))
                    .collect::<Result<_>>()?;
                let map = Operation::Map {
                    op: op.clone(),
                    inputs,
                    dtype: output.dtype,
                };
                (self.emit(section, map, output.dtype), output, section)
            }
            Instruction::Reduce {
                op, input, output, ..
            } => {
                let input = self.operand(input, Section::Before)?;
                let op = match op {
                    Op::Sum { .. } => ReduceOp::Sum,
                    Op::Prod { .. } => ReduceOp::Prod,
                    Op::Max { .. } => ReduceOp::Max,
                    Op::Min { .. } => ReduceOp::Min,
                    Op::Any { .. } => ReduceOp::Any,
                    Op::All { .. } => ReduceOp::All,
                    other => {
                        return Err(Error::internal(format!(
                            "{other} is not a reduction of loops"
                        )));
                    }
                };
                (
                    self.emit(
                        Section::Before,
                        Operation::Reduce { op, input },
                        output.dtype,
                    ),
                    output,
                    Section::Outer,
                )
            }
            _ => return Err(Error::internal("a call is in a loop")),
        };
        self.made.insert(id, (value, part));
        if stored {
            let slot = self.slot(output, store_in)?;
            self.section(store_in)
                .push((value, Operation::Store { slot, value }));
        }
        Ok(())
    }

    /// Orders and merges the axes, and turns strides into classes and parameters.
    fn finish(mut self) -> Applied {
        let is_reduced = |a: usize| self.group.reduced.as_ref().is_some_and(|r| r.contains(&a));
        let domain = &self.group.domain;
        let (outer, inner): (Vec<usize>, Vec<usize>) = if self.group.reduced.is_some() {
            (0..domain.len()).partition(|&a| !is_reduced(a))
        } else {
            (Vec::new(), (0..domain.len()).collect())
        };
        let outer = merge_axes(&outer, domain, &mut self.slots);
        let inner = merge_axes(&inner, domain, &mut self.slots);
        self.kernel.outer_rank = outer.len();
        self.kernel.inner_rank = inner.len();
        self.kernel.short = inner.len() <= 1 && inner.iter().all(|&(_, n)| n <= SHORT);

        let mut parameters: Vec<i64> = outer.iter().chain(&inner).map(|&(_, n)| n as i64).collect();
        for slot in &self.slots {
            let size = slot.dtype.size() as isize;
            let classes = outer
                .iter()
                .chain(&inner)
                .map(|&(axis, _)| match slot.strides[axis] {
                    0 => Stride::Zero,
                    1 => Stride::Unit,
                    stride => {
                        parameters.push((stride * size) as i64);
                        Stride::Parameter
                    }
                });
            let strides = classes.collect();
            self.kernel.slots.push(Slot {
                dtype: slot.dtype,
                strides,
            });
        }
        for literal in &self.literals {
            self.kernel.literals.push(literal.dtype);
            parameters.extend(literal_bits(*literal));
        }
        if let Some(&(_, innermost)) = inner.last() {
            self.kernel.specialise(innermost);
        }
        let operands = self
            .slots
            .iter()
            .map(|s| (s.buffer, s.offset * s.dtype.size() as isize))
            .collect();
        Applied {
            kernel: self.kernel,
            operands,
            parameters,
        }
    }
}

/// Drops axes of length one and merges neighbours that every slot walks as one. Gives the axes that are left,
/// each with its extent; strides are those of the last axis of a merged run.
fn merge_axes(axes: &[usize], domain: &[usize], slots: &mut [OpenSlot]) -> Vec<(usize, usize)> {
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for &axis in axes.iter().filter(|&&a| domain[a] != 1) {
        let n = domain[axis];
        match merged.last_mut() {
            Some((last, extent))
                if slots
                    .iter()
                    .all(|s| s.strides[*last] == s.strides[axis] * n as isize) =>
            {
                *last = axis;
                *extent *= n;
            }
            _ => merged.push((axis, n)),
        }
    }
    merged
}

/// Two words for complex numbers, one for all others.
fn literal_bits(literal: Literal) -> SmallVec<[i64; 2]> {
    let real = |x: f64| match literal.dtype {
        DType::Float32 | DType::Complex64 => i64::from((x as f32).to_bits()),
        _ => x.to_bits() as i64,
    };
    match literal.value {
        Scalar::Bool(b) => [i64::from(b)].into_iter().collect(),
        Scalar::Int(i) => [i].into_iter().collect(),
        Scalar::Float(x) => [real(x)].into_iter().collect(),
        Scalar::Complex(z) => [real(z.re), real(z.im)].into_iter().collect(),
    }
}

/// Prints what `explain` shows: the ops in order, a bar between the parts of the loop.
impl std::fmt::Display for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mut loads, mut stores) = (0, 0);
        for (position, operations) in [&self.before, &self.outer, &self.after]
            .into_iter()
            .enumerate()
        {
            if position > 0 && !operations.is_empty() {
                f.write_str("| ")?;
            }
            for (_, operation) in operations {
                match operation {
                    Operation::Load { .. } => loads += 1,
                    Operation::Store { .. } => stores += 1,
                    Operation::Literal { .. } => {}
                    Operation::Map { op, dtype, .. } => {
                        write!(f, "{} {} ", op.name(), dtype.short_name())?;
                    }
                    Operation::Reduce { op, .. } => {
                        write!(f, "{} ", format!("{op:?}").to_lowercase())?;
                    }
                }
            }
        }
        write!(
            f,
            "({loads} loads, {stores} stores, {} + {} axes)",
            self.outer_rank, self.inner_rank
        )
    }
}
