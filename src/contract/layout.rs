//! What a plan means for arrays: the einsum of each step, the axes that are sliced, and the numbers of slices.
//!
//! Slices are numbered so that those which are added follow each other: labels of the result change slowest. All slices with the
//! same indices of these labels are a *block*, which gives a part of the result; blocks are joined, not added.

use std::panic::Location;

use autojit_contract::{Label, Plan};
use autojit_ir::einsum::Subscripts;
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, DType, Shape};
use rustc_hash::FxHashMap;

/// One einsum of a slice.
pub(super) struct Step {
    /// Operands by their numbers, then what each step gives.
    pub(super) inputs: Vec<usize>,
    pub(super) subscripts: Box<str>,
    /// Whether it differs between slices.
    pub(super) varies: bool,
    /// The number of elements of the result.
    pub(super) size: u64,
}

/// A label that is sliced.
pub(super) struct Sliced {
    pub(super) length: u64,
    /// How many slices there are until its index changes.
    pub(super) stride: u64,
}

/// A plan, ready to be written down as operations.
pub(super) struct Layout {
    pub(super) plan: Plan,
    /// The shape of each operand.
    pub(super) shapes: Vec<Shape>,
    pub(super) steps: Vec<Step>,
    /// Those of the result come first.
    pub(super) sliced: Vec<Sliced>,
    /// Of each operand the sliced axes, the last one first, each with the position of its label in `sliced`.
    pub(super) axes: Vec<Vec<(usize, usize)>>,
    /// How many blocks the result has, and how many slices each of them is the sum of.
    pub(super) blocks: u64,
    pub(super) summed: u64,
    /// The shape of what a slice gives.
    pub(super) block: Shape,
    /// The lengths of sliced labels of the result.
    pub(super) outer: Shape,
    /// For each axis of the result its place in the axes `outer` and then `block`.
    pub(super) order: Vec<usize>,
    /// Whether a slice gives its value and its gradient, in one row.
    pub(super) gives_gradient: bool,
    /// The user's line, for the operations of slices.
    pub(super) location: &'static Location<'static>,
}

impl Layout {
    /// # Errors
    /// There are no operands, or too many slices.
    pub(super) fn new(plan: &Plan, location: &'static Location<'static>) -> Result<Self> {
        let network = plan.network();
        if network.operands().is_empty() {
            return Err(Error::value("expected at least one operand"));
        }
        let size = |label: &Label| network.size(*label).unwrap_or(1);
        let length = |label: &Label| {
            usize::try_from(size(label))
                .map_err(|_| Error::value(format!("an axis of {} elements", size(label))))
        };
        let lengths = |labels: &mut dyn Iterator<Item = &Label>| {
            labels.map(length).collect::<Result<Shape>>()
        };
        let output = network.output();
        let in_output = |label: &&Label| output.contains(label);
        let outer: Vec<Label> = output
            .iter()
            .filter(|label| plan.sliced().contains(label))
            .copied()
            .collect();
        let inner = plan.sliced().iter().filter(|label| !in_output(label));
        let labels: Vec<Label> = outer.iter().chain(inner).copied().collect();
        let mut sliced: Vec<Sliced> = Vec::with_capacity(labels.len());
        let mut slices = 1u64;
        for label in labels.iter().rev() {
            let length = size(label);
            sliced.push(Sliced {
                length,
                stride: slices,
            });
            slices = slices
                .checked_mul(length)
                .filter(|&slices| i64::try_from(slices).is_ok())
                .ok_or_else(|| Error::value("there are more slices than 63 bits count"))?;
        }
        sliced.reverse();
        let blocks = outer.iter().map(size).product();
        let summed = labels[outer.len()..].iter().map(size).product();
        let axes = network.operands().iter().map(|operand| {
            let axes = operand.iter().enumerate().rev();
            let place = |label: &Label| labels.iter().position(|l| l == label);
            axes.filter_map(|(axis, label)| Some((axis, place(label)?)))
                .collect()
        });
        let axes: Vec<Vec<(usize, usize)>> = axes.collect();
        let mut varies: Vec<bool> = axes.iter().map(|axes| !axes.is_empty()).collect();
        let steps = plan.steps().into_iter().map(|step| {
            let own = step.inputs.iter().any(|&input| varies[input]);
            varies.push(own);
            Step {
                varies: own,
                subscripts: subscripts(&step.labels, &step.result),
                size: step.result.iter().map(size).fold(1, u64::saturating_mul),
                inputs: step.inputs,
            }
        });
        let steps = steps.collect();
        let rest: Vec<Label> = output
            .iter()
            .filter(|label| !labels.contains(label))
            .copied()
            .collect();
        let place = |label: &Label| {
            let all = || outer.iter().chain(&rest);
            all().position(|l| l == label).unwrap_or(0)
        };
        Ok(Self {
            shapes: network
                .operands()
                .iter()
                .map(|labels| lengths(&mut labels.iter()))
                .collect::<Result<_>>()?,
            steps,
            sliced,
            axes,
            blocks,
            summed,
            block: lengths(&mut rest.iter())?,
            outer: lengths(&mut outer.iter())?,
            order: output.iter().map(place).collect(),
            gives_gradient: false,
            location,
            plan: plan.clone(),
        })
    }

    /// The layout of a run that gives the value and the gradient of a plan whose result is one number: a row of the value and, operand
    /// by operand, of the derivatives by its elements.
    ///
    /// # Errors
    /// The result has axes.
    pub(super) fn with_gradient(self) -> Result<Self> {
        let output = self.plan.network().output();
        if !output.is_empty() {
            return Err(Error::value(format!(
                "a contraction to one number has a gradient, this one gives an array of {} axes",
                output.len()
            )));
        }
        let sizes = self.shapes.iter().map(|shape| size_of_shape(shape));
        let row = sizes.fold(1, usize::saturating_add);
        Ok(Self {
            block: [row].into_iter().collect(),
            order: vec![0],
            gives_gradient: true,
            ..self
        })
    }

    /// How many slices there are.
    pub(super) fn slices(&self) -> u64 {
        self.blocks * self.summed
    }

    /// The elements of what a slice gives.
    pub(super) fn block_size(&self) -> usize {
        size_of_shape(&self.block)
    }

    /// The type of the result.
    pub(super) fn result(&self, dtype: DType) -> ArrayType {
        let joined: Vec<usize> = self.outer.iter().chain(&self.block).copied().collect();
        ArrayType {
            dtype,
            shape: self.order.iter().map(|&axis| joined[axis]).collect(),
        }
    }

    /// Checks the operands and gives their dtype.
    ///
    /// # Errors
    /// Their number, a shape or a dtype is another one.
    pub(super) fn check(&self, types: &[ArrayType]) -> Result<DType> {
        if types.len() != self.shapes.len() {
            return Err(Error::value(format!(
                "the network has {} operands, got {}",
                self.shapes.len(),
                types.len()
            )));
        }
        for (i, (ty, shape)) in types.iter().zip(&self.shapes).enumerate() {
            if ty.shape != *shape {
                return Err(Error::shape(format!(
                    "operand {i} is {ty}, expected the shape {:?}",
                    shape.as_slice()
                )));
            }
            let first = &types[0];
            if ty.dtype != first.dtype {
                return Err(Error::dtype(format!(
                    "operand {i} is {ty}, expected the dtype of operand 0, {first}"
                )));
            }
        }
        Ok(types[0].dtype)
    }
}

pub(super) fn size_of_shape(shape: &[usize]) -> usize {
    shape.iter().copied().fold(1, usize::saturating_mul)
}

/// The einsum of a step, with labels in order of appearance, so that equal steps are equal.
fn subscripts(operands: &[Vec<Label>], result: &[Label]) -> Box<str> {
    /// The first of twenty thousand characters that are labels.
    const FIRST: u32 = 0x4e00;
    let mut names: FxHashMap<Label, char> = FxHashMap::default();
    let mut rename = |labels: &Vec<Label>| -> Vec<char> {
        let name = |label: &Label| {
            let next = FIRST + names.len() as u32;
            *names
                .entry(*label)
                .or_insert_with(|| char::from_u32(next).unwrap_or(char::MAX))
        };
        labels.iter().map(name).collect()
    };
    let operands = operands.iter().map(&mut rename).collect();
    let result = rename(&result.to_vec());
    let subscripts = Subscripts { operands, result };
    subscripts.renamed().to_string().into()
}
