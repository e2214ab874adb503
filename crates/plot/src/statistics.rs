//! Statistics of a computation that pictures show and lazy arrays answer.
//!
//! Sizes are numbers of elements. Sums that do not fit are the largest number.
//!
//! Source: the `history_*` methods of autoray's `LazyArray`.

use std::str::FromStr;

use autojit_ir::{Error, Result};

/// The number of elements that are held after each step. Of each step: its size, whether it is an input, and the
/// steps that it uses.
pub fn footprint<'s>(
    steps: impl DoubleEndedIterator<Item = (usize, bool, &'s [u32])> + ExactSizeIterator + Clone,
    include_inputs: bool,
) -> Vec<usize> {
    let sizes: Vec<(usize, bool)> = steps
        .clone()
        .map(|(size, is_input, _)| (size, is_input))
        .collect();
    let mut changes: Vec<i128> = Vec::with_capacity(2 * sizes.len() + 1);
    let mut released = vec![false; sizes.len()];
    let mut input_size = 0;
    for (size, is_input, inputs) in steps.rev() {
        for &input in inputs {
            let (input_size, is_leaf) = sizes[input as usize];
            if !std::mem::replace(&mut released[input as usize], true)
                && (include_inputs || !is_leaf)
            {
                changes.push(-(input_size as i128));
            }
        }
        if !is_input {
            changes.push(size as i128);
        } else if include_inputs {
            input_size += size as i128;
        }
    }
    changes.push(input_size);
    let total = changes.into_iter().rev().scan(0, |sum, change| {
        *sum += change;
        Some(usize::try_from(*sum).unwrap_or(usize::MAX))
    });
    total.collect()
}

/// The counts that statistics add up for each function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// Every node counts one.
    Count,
    /// The sizes of a node's dependencies.
    SizeIn,
    /// The size of the node.
    SizeOut,
}

impl FromStr for Statistic {
    type Err = Error;

    /// Reads autoray's names: `count`, `sizein`, `sizeout`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "count" => Ok(Self::Count),
            "sizein" => Ok(Self::SizeIn),
            "sizeout" => Ok(Self::SizeOut),
            _ => Err(Error::value(format!(
                "no statistic is called `{text}`, expected count, sizein or sizeout"
            ))),
        }
    }
}
