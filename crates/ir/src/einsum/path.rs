//! The order in which the operands of an `einsum` are contracted, two at a time.
//!
//! The search is that of the crate `autojit-contract`; paths are written down here as subscripts.
//!
//! A path is in the linear format of `numpy.einsum_path` and opt_einsum: each step names positions in the list of
//! operands, which go, and what they give is appended at the end.

use autojit_contract::{Label, Network};
use rustc_hash::FxHashMap;

pub use autojit_contract::{Present, Search};

use super::Subscripts;
use crate::error::{Error, Result};
use crate::types::ArrayType;

/// The positions that one contraction takes from the list of operands.
pub type Step = Vec<usize>;

/// An order for all operands, of these types; none for a single one. The sizes are those of [`Subscripts::sizes`].
///
/// # Errors
/// The best order of too many operands is asked for.
pub fn find(
    subscripts: &Subscripts,
    types: &[&ArrayType],
    sizes: &FxHashMap<char, usize>,
    search: Search,
) -> Result<Vec<Step>> {
    let count = subscripts.operands.len();
    if count <= 2 {
        return Ok(if count == 2 { vec![vec![0, 1]] } else { vec![] });
    }
    let size = |label: char| sizes.get(&label).copied().unwrap_or(1);
    // An axis of length one that stands for a longer label multiplies as if it was not there.
    let operands = subscripts.operands.iter().zip(types).map(|(labels, ty)| {
        let axes = labels.iter().zip(&ty.shape);
        let long = axes.filter(|&(&label, &length)| length == size(label));
        long.map(|(&label, _)| Label::from(label)).collect()
    });
    let result = subscripts.result.iter().copied().map(Label::from).collect();
    let all = subscripts.operands.iter().flatten();
    let lengths = all.map(|&label| (Label::from(label), size(label) as u64));
    let network = Network::new(operands.collect(), result, lengths)?;
    let order = autojit_contract::order(&network, search)?;
    Ok(order.iter().map(|pair| pair.to_vec()).collect())
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contraction {
    /// The positions that are taken.
    pub positions: Step,
    /// The subscripts of the step.
    pub subscripts: Subscripts,
}

/// The steps of a path. The last one gives the result; intermediate results have their axes in the
/// order in which a batched matrix product gives them.
///
/// # Errors
/// A position is out of range or given twice, a step has none, or the path does not end with one array.
pub fn contractions(subscripts: &Subscripts, path: &[Step]) -> Result<Vec<Contraction>> {
    // All arrays by number; those that are taken are empty.
    let mut arrays = subscripts.operands.clone();
    let mut present = Present::new(arrays.len());
    let mut uses: FxHashMap<char, usize> = FxHashMap::default();
    // Repeated labels of one operand count once.
    let different = |labels: &[char]| {
        let mut list = labels.to_vec();
        list.sort_unstable();
        list.dedup();
        list
    };
    for labels in arrays.iter().chain([&subscripts.result]) {
        for label in different(labels) {
            *uses.entry(label).or_default() += 1;
        }
    }
    let mut steps = Vec::with_capacity(path.len());
    for (number, positions) in path.iter().enumerate() {
        let mut descending = positions.clone();
        descending.sort_unstable_by(|a, b| b.cmp(a));
        let repeated = descending.windows(2).any(|pair| pair[0] == pair[1]);
        if repeated || descending.first().is_none_or(|&p| p >= present.len()) {
            return Err(Error::value(format!(
                "the step {positions:?} of the path does not fit {} operands",
                present.len()
            )));
        }
        let mut operands: Vec<Vec<char>> = Vec::with_capacity(descending.len());
        for &position in &descending {
            if let Some(number) = present.number(position) {
                present.remove(number);
                operands.push(std::mem::take(&mut arrays[number]));
            }
        }
        operands.reverse();
        for labels in &operands {
            for label in different(labels) {
                uses.entry(label).and_modify(|n| *n -= 1);
            }
        }
        let result = if number + 1 == path.len() {
            subscripts.result.clone()
        } else {
            intermediate(&operands, |label| uses[&label] > 0)
        };
        for &label in &result {
            uses.entry(label).and_modify(|n| *n += 1);
        }
        present.push();
        arrays.push(result.clone());
        descending.reverse();
        steps.push(Contraction {
            positions: descending,
            subscripts: Subscripts { operands, result },
        });
    }
    if present.len() != 1 {
        return Err(Error::value(format!(
            "the path leaves {} operands, expected one",
            present.len()
        )));
    }
    Ok(steps)
}

/// The axes of an intermediate result: those that all its operands share come first.
fn intermediate(operands: &[Vec<char>], needed: impl Fn(char) -> bool) -> Vec<char> {
    let shared = |label: &char| operands.iter().all(|o| o.contains(label));
    let mut labels: Vec<char> = Vec::new();
    let of = |keep: &dyn Fn(&char) -> bool, labels: &mut Vec<char>| {
        for &label in operands.iter().flatten() {
            if keep(&label) && needed(label) && !labels.contains(&label) {
                labels.push(label);
            }
        }
    };
    of(&shared, &mut labels);
    of(&|label| !shared(label), &mut labels);
    labels
}

/// The number of products that each step takes, and the number of elements of what it gives.
#[must_use]
pub fn costs(steps: &[Contraction], sizes: &FxHashMap<char, usize>) -> Vec<(f64, f64)> {
    let size = |labels: &mut dyn Iterator<Item = char>| {
        let mut labels: Vec<char> = labels.collect();
        labels.sort_unstable();
        labels.dedup();
        let sizes = labels.iter().map(|l| sizes.get(l).copied().unwrap_or(1));
        sizes.map(|n| n as f64).product::<f64>()
    };
    let cost = |step: &Contraction| {
        let Subscripts { operands, result } = &step.subscripts;
        (
            size(&mut operands.iter().flatten().copied()),
            size(&mut result.iter().copied()),
        )
    };
    steps.iter().map(cost).collect()
}

#[cfg(test)]
mod tests;
