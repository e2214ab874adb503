//! Kernels: loops as values, so that equal ones are compiled once.
//!
//! A [`Kernel`] says what a loop does, but not to which memory nor how often: extents, strides that are
//! neither zero nor one element, and literals are parameters that the program hands over. So `x + 1` on rows of 50
//! and `y + 2` on rows of 60 are the same kernel.

use smallvec::SmallVec;

pub(crate) use crate::loops::Value;
use crate::loops::{Action, Nest, NestOperation, NestSlot, Section};
pub(crate) use crate::lower::Fold;
use crate::lower::Lowered;
use autojit_ir::{DType, Literal, MapOp, Scalar};
use autojit_runtime::sum::{BLOCK, LANE_BYTES, row_length};

/// How the address of an operand moves along one axis of the loop nest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stride {
    /// It does not.
    Zero,
    /// By one element.
    Unit,
    /// By a number of bytes that is a parameter.
    Parameter,
}

/// An operand in memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) dtype: DType,
    /// One per axis of the loop nest, outer axes first.
    pub(crate) strides: SmallVec<[Stride; 4]>,
}

/// One operation of a kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// The element of a slot.
    Load { slot: u16 },
    /// A parameter.
    Literal { index: u16 },
    /// An elementwise op.
    Map {
        op: MapOp,
        inputs: SmallVec<[Value; 3]>,
        dtype: DType,
    },
    /// The reduction of a value over the inner loop; its result exists after the loop.
    Reduce { op: Fold, input: Value },
    /// Writes a value to a slot.
    Store { slot: u16, value: Value },
}

/// An operation with the number of the value that it gives; that of a store means nothing.
pub(crate) type Numbered = (Value, Operation);

/// That a kernel over one element runs many times, at least once, with numbers that go from one time to the next. After its own
/// parameters come the most times, the steps in bytes, and a zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Repeats {
    /// A slot that is read the first time, and the slot of what is read in its place after that; it is written the last time only.
    pub(crate) carried: Vec<(u16, u16)>,
    /// For each slot, which of the steps it moves by from one time to the next, if it moves.
    pub(crate) moves: Vec<Option<u16>>,
    /// How many steps there are.
    pub(crate) steps: usize,
    /// The slot of the truth value whether it goes on.
    pub(crate) condition: Option<u16>,
}

/// A loop nest: for each outer index the inner loop `before`, the operations `outer`, the inner loop `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Kernel {
    pub(crate) outer_rank: usize,
    pub(crate) inner_rank: usize,
    pub(crate) slots: Vec<Slot>,
    pub(crate) literals: Vec<DType>,
    pub(crate) before: Vec<Numbered>,
    pub(crate) outer: Vec<Numbered>,
    pub(crate) after: Vec<Numbered>,
    /// The dtype of each value.
    pub(crate) dtypes: Vec<DType>,
    /// Whether the inner loop is one block of a sum, whose lanes are the result.
    pub(crate) short: bool,
    /// How many of the inner axes, the last ones, are a row of sums in the defined order (`autojit_runtime::sum`); zero if there
    /// are no such sums. Generators put rows that are one axis in lanes.
    pub(crate) row_rank: usize,
    /// The extent of the innermost axis, where that is so short that code for this number alone pays; it is among
    /// the parameters all the same. See [`Kernel::specialise`].
    pub(crate) extent: Option<u16>,
    /// How it repeats, if it does.
    pub(crate) repeats: Option<Repeats>,
}

/// The longest innermost axis that code is specialised for, in bytes of its widest elements.
const SPECIAL_BYTES: usize = 1024;

impl Kernel {
    /// Operations on elements in a run with these parameters; `None` if their number depends on values.
    pub(crate) fn work(&self, parameters: &[i64]) -> Option<usize> {
        if self.repeats.is_some() {
            return None;
        }
        let extents = &parameters[..self.outer_rank + self.inner_rank];
        let operations = self.operations().count();
        let times = |work: usize, &n: &i64| work.saturating_mul(n as usize);
        Some(extents.iter().fold(operations, times))
    }

    /// Whether a value is a sum of floating or complex numbers, which has an order.
    pub(crate) fn is_ordered_sum(&self, value: Value, op: Fold) -> bool {
        op == Fold::Sum && has_order(self.dtypes[usize::from(value)])
    }

    /// The lanes of a sum with this result.
    pub(crate) fn lanes(&self, sum: Value) -> usize {
        LANE_BYTES / self.dtypes[usize::from(sum)].size()
    }

    fn section(&mut self, section: Section) -> &mut Vec<Numbered> {
        match section {
            Section::Before => &mut self.before,
            Section::Outer => &mut self.outer,
            Section::After => &mut self.after,
        }
    }

    /// The operations of all parts, in order.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        let sections = [&self.before, &self.outer, &self.after];
        sections
            .into_iter()
            .flatten()
            .map(|(_, operation)| operation)
    }

    /// Where among the parameters the strides of each slot begin, and where they end. Extents come before them, one for
    /// each axis, and literals after them.
    pub(crate) fn stride_words(&self) -> (Vec<usize>, usize) {
        let mut word = self.outer_rank + self.inner_rank;
        let mut first = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            first.push(word);
            let is_parameter = |s: &&Stride| **s == Stride::Parameter;
            word += slot.strides.iter().filter(is_parameter).count();
        }
        (first, word)
    }

    /// How many parameters there are.
    pub(crate) fn parameter_words(&self) -> usize {
        let (_, first_literal) = self.stride_words();
        let words = |dtype: &DType| if dtype.is_complex() { 2 } else { 1 };
        first_literal + self.literals.iter().map(words).sum::<usize>()
    }

    /// Whether an operation may fail at run time, so that the kernel takes a pointer to a failure record.
    pub(crate) fn can_fail(&self) -> bool {
        self.operations().any(
            |operation| matches!(operation, Operation::Map { op, dtype, .. } if op.can_fail(*dtype)),
        )
    }

    /// Makes the extent of a short innermost axis part of the kernel: its loop is unrolled, the mask of its tail is a
    /// constant, and what the last part needs again stays in registers. Only the wide emitter looks at it.
    pub(crate) fn specialise(&mut self, innermost: usize) {
        let widest = self.slots.iter().map(|s| s.dtype.size()).max().unwrap_or(1);
        let pays = self.inner_rank > 0 && (1..=SPECIAL_BYTES / widest).contains(&innermost);
        self.extent = pays.then_some(innermost as u16);
    }

    /// The same kernel for any extent.
    pub(crate) fn general(&self) -> Self {
        Self {
            extent: None,
            ..self.clone()
        }
    }

    /// Whether the kernel writes to a slot, so that loads from it must stay where they are.
    pub(crate) fn is_written(&self, slot: usize) -> bool {
        self.operations()
            .any(|o| matches!(o, Operation::Store { slot: s, .. } if usize::from(*s) == slot))
    }

    /// Whether an operation loads elements of a slot.
    pub(crate) fn is_read(&self, slot: usize) -> bool {
        self.operations()
            .any(|o| matches!(o, Operation::Load { slot: s } if usize::from(*s) == slot))
    }
}

/// Many runs of one nest: how many, and how far each slot moves from one to the next, in elements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Batch {
    pub(crate) count: usize,
    pub(crate) moves: SmallVec<[isize; 6]>,
}

/// An axis of a loop nest: its extent, and the stride of each slot in elements.
struct Axis {
    extent: usize,
    strides: SmallVec<[isize; 6]>,
}

/// The kernel of a nest, or of a batch of them, and its parameters: extents, strides and literals.
pub(crate) fn of_nest(lowered: &Lowered, nest: &Nest, batch: Option<&Batch>) -> (Kernel, Vec<i64>) {
    let domain = &lowered.geometries[nest.domain].shape;
    let stride = |slot: &NestSlot, a: usize| lowered.geometries[slot.geometry].strides[a];
    let axis = |a: usize| Axis {
        extent: domain[a],
        strides: nest.slots.iter().map(|s| stride(s, a)).collect(),
    };
    let (mut outer, mut inner) = (Vec::new(), Vec::new());
    for a in 0..domain.len() {
        match nest.reduced {
            Some(reduced) if !reduced.contains(a) => outer.push(axis(a)),
            _ => inner.push(axis(a)),
        }
    }
    if let Some(batch) = batch {
        let axes = if nest.reduced.is_some() {
            &mut outer
        } else {
            &mut inner
        };
        axes.insert(
            0,
            Axis {
                extent: batch.count,
                strides: batch.moves.clone(),
            },
        );
    }
    let outer = merge_axes(outer);
    let (inner, row_rank) = if nest.operations.iter().any(sums_in_order) {
        let row = row_length(inner.iter().map(|axis| axis.extent));
        let mut before = inner.len();
        let mut joined = 1;
        while before > 0 && joined < row {
            before -= 1;
            joined *= inner[before].extent;
        }
        // Rows keep to themselves, whatever the strides.
        let row = merge_axes(inner.split_off(before));
        let row_rank = row.len();
        let mut inner = merge_axes(inner);
        inner.extend(row);
        (inner, row_rank)
    } else {
        (merge_axes(inner), 0)
    };
    let mut kernel = Kernel {
        outer_rank: outer.len(),
        inner_rank: inner.len(),
        short: inner.len() <= 1 && inner.iter().all(|axis| axis.extent <= BLOCK),
        row_rank,
        ..Kernel::default()
    };
    let axes = || outer.iter().chain(&inner);
    let mut parameters: Vec<i64> = axes().map(|axis| axis.extent as i64).collect();
    for (index, slot) in nest.slots.iter().enumerate() {
        let size = slot.dtype.size() as isize;
        let classes = axes().map(|axis| match axis.strides[index] {
            0 => Stride::Zero,
            1 => Stride::Unit,
            stride => {
                parameters.push((stride * size) as i64);
                Stride::Parameter
            }
        });
        kernel.slots.push(Slot {
            dtype: slot.dtype,
            strides: classes.collect(),
        });
    }
    for literal in &nest.literals {
        kernel.literals.push(literal.dtype);
        parameters.extend(literal_bits(*literal));
    }
    if let Some(innermost) = inner.last() {
        kernel.specialise(innermost.extent);
    }
    for operation in &nest.operations {
        let NestOperation { value, dtype, .. } = *operation;
        if let Action::Store { slot, value } = operation.action {
            let store = Operation::Store { slot, value };
            kernel.section(operation.section).push((value, store));
            continue;
        }
        kernel.dtypes.push(dtype);
        let does = match operation.action {
            Action::Load { slot } => Operation::Load { slot },
            Action::Literal { index } => Operation::Literal { index },
            Action::Map { op, inputs, arity } => Operation::Map {
                op: *lowered.op(op),
                inputs: SmallVec::from_slice(&inputs[..usize::from(arity)]),
                dtype,
            },
            Action::Reduce { op, input } => Operation::Reduce { op, input },
            Action::Store { slot, value } => Operation::Store { slot, value },
        };
        kernel.section(operation.section).push((value, does));
    }
    (kernel, parameters)
}

fn has_order(dtype: DType) -> bool {
    dtype.is_float() || dtype.is_complex()
}

fn sums_in_order(operation: &NestOperation) -> bool {
    matches!(operation.action, Action::Reduce { op: Fold::Sum, .. }) && has_order(operation.dtype)
}

/// Drops axes of length one and merges neighbours that every slot walks as one.
fn merge_axes(axes: Vec<Axis>) -> Vec<Axis> {
    let mut merged: Vec<Axis> = Vec::with_capacity(axes.len());
    for axis in axes.into_iter().filter(|axis| axis.extent != 1) {
        let walks_on = |outer: &Axis| {
            let mut both = outer.strides.iter().zip(&axis.strides);
            both.all(|(o, i)| *o == i * axis.extent as isize)
        };
        match merged.last_mut() {
            Some(last) if walks_on(last) => {
                let extent = last.extent * axis.extent;
                *last = Axis { extent, ..axis };
            }
            _ => merged.push(axis),
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
        Scalar::Uint(i) => [i as i64].into_iter().collect(),
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
            "(reads {loads}, writes {stores}; axes {} outer + {} inner)",
            self.outer_rank, self.inner_rank
        )?;
        match &self.repeats {
            None => Ok(()),
            Some(repeats) => write!(f, ", repeats with {} numbers", repeats.carried.len()),
        }
    }
}
