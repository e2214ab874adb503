//! Networks as users write them: one list of labels per operand, the labels of the result, and sizes.
//!
//! A label may be in any number of operands (a hyperedge), repeat within one (a diagonal), be in the result as well
//! (a batch or outer label), or be in one operand only (summed at once). A network without operands is the number one.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::tree::Problem;

/// The name of an axis: any number; of subscripts, the code point of the character.
pub type Label = u32;

/// A tensor network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    operands: Vec<Vec<Label>>,
    output: Vec<Label>,
    sizes: BTreeMap<Label, u64>,
    /// Whether labels are code points of characters, which matters where they are shown.
    letters: bool,
}

impl Network {
    /// A network of labels that are numbers.
    ///
    /// ```
    /// use autojit_contract::Network;
    /// let matrices = Network::new(vec![vec![0, 1], vec![1, 2]], vec![0, 2], [(0, 8), (1, 9), (2, 10)])?;
    /// assert_eq!(matrices.size(1), Some(9));
    /// # Ok::<(), autojit_contract::Error>(())
    /// ```
    ///
    /// # Errors
    /// A label has no size or two; a label of the result is there twice or in no operand; there are too many operands.
    pub fn new(
        operands: Vec<Vec<Label>>,
        output: Vec<Label>,
        sizes: impl IntoIterator<Item = (Label, u64)>,
    ) -> Result<Self> {
        let mut all = BTreeMap::new();
        for (label, size) in sizes {
            if let Some(other) = all.insert(label, size).filter(|&other| other != size) {
                return Err(Error::new(format!(
                    "label {label} has the sizes {other} and {size}"
                )));
            }
        }
        let network = Self {
            operands,
            output,
            sizes: all,
            letters: false,
        };
        network.check()?;
        Ok(network)
    }

    /// A network of arrays with these shapes, an axis of which belongs to the label at its position.
    ///
    /// # Errors
    /// As [`Network::new`]; a shape does not have as many axes as its operand has labels, or the numbers of shapes and
    /// operands differ.
    pub fn with_shapes(
        operands: Vec<Vec<Label>>,
        output: Vec<Label>,
        shapes: &[Vec<u64>],
    ) -> Result<Self> {
        let sizes = sizes(&operands, shapes, |label| label.to_string())?;
        Self::new(operands, output, sizes)
    }

    /// A network in the notation of `numpy.einsum`: `"ij,jk->ik"`. Labels are any characters but white space, commas,
    /// dots, `-` and `>`. Without the arrow, labels that occur once make the result, in order.
    ///
    /// An axis of length one does not stretch here, and there is no ellipsis.
    ///
    /// # Errors
    /// As [`Network::with_shapes`]; the text has characters that are not labels, or more than one arrow.
    pub fn parse(subscripts: &str, shapes: &[Vec<u64>]) -> Result<Self> {
        let wrong =
            |why: &str| Error::new(format!("`{subscripts}` does not name a network: {why}"));
        let text: String = subscripts.chars().filter(|c| !c.is_whitespace()).collect();
        if text.contains("...") {
            return Err(wrong("an ellipsis must be written as labels"));
        }
        let (inputs, output) = match text.split_once("->") {
            Some((inputs, output)) => (inputs, Some(output)),
            None => (text.as_str(), None),
        };
        let labels = |text: &str| -> Result<Vec<Label>> {
            let wrong_label = |c: char| matches!(c, '-' | '>' | '.' | ',') || c.is_control();
            match text.chars().find(|&c| wrong_label(c)) {
                Some(c) => Err(wrong(&format!("`{c}` is not a label"))),
                None => Ok(text.chars().map(u32::from).collect()),
            }
        };
        let operands = if inputs.is_empty() && shapes.is_empty() {
            Vec::new()
        } else {
            inputs.split(',').map(labels).collect::<Result<Vec<_>>>()?
        };
        let output = match output {
            Some(output) => labels(output)?,
            None => {
                let mut counts: BTreeMap<Label, usize> = BTreeMap::new();
                for &label in operands.iter().flatten() {
                    *counts.entry(label).or_default() += 1;
                }
                let once = counts.into_iter().filter(|&(_, count)| count == 1);
                once.map(|(label, _)| label).collect()
            }
        };
        let sizes = sizes(&operands, shapes, name)?;
        let network = Self {
            operands,
            output,
            sizes,
            letters: true,
        };
        network.check()?;
        Ok(network)
    }

    /// The invariants of [`Network::new`]; deserialised networks are checked again.
    pub(crate) fn check(&self) -> Result<()> {
        // Nodes of a tree are 32-bit numbers, and there are twice as many as operands.
        if self.operands.len() > (u32::MAX / 4) as usize {
            return Err(Error::new(format!(
                "{} operands are too many",
                self.operands.len()
            )));
        }
        let mut present: FxHashMap<Label, bool> = FxHashMap::default();
        for (i, operand) in self.operands.iter().enumerate() {
            for &label in operand {
                if !self.sizes.contains_key(&label) {
                    return Err(Error::new(format!(
                        "label {} of operand {i} has no size",
                        self.name(label)
                    )));
                }
                present.insert(label, false);
            }
        }
        for &label in &self.output {
            match present.insert(label, true) {
                Some(false) => {}
                Some(true) => {
                    return Err(Error::new(format!(
                        "label {} is twice in the result",
                        self.name(label)
                    )));
                }
                None => {
                    return Err(Error::new(format!(
                        "label {} of the result is in no operand",
                        self.name(label)
                    )));
                }
            }
        }
        Ok(())
    }

    /// The labels of each operand.
    #[must_use]
    pub fn operands(&self) -> &[Vec<Label>] {
        &self.operands
    }

    /// The labels of the result.
    #[must_use]
    pub fn output(&self) -> &[Label] {
        &self.output
    }

    /// The length of the axes with this label, if there is one.
    #[must_use]
    pub fn size(&self, label: Label) -> Option<u64> {
        self.sizes.get(&label).copied()
    }

    /// All labels that have a size, in order.
    pub fn labels(&self) -> impl Iterator<Item = (Label, u64)> {
        self.sizes.iter().map(|(&label, &size)| (label, size))
    }

    /// How a label is shown: as the character that it was read from, or as a number.
    #[must_use]
    pub fn name(&self, label: Label) -> String {
        if self.letters {
            name(label)
        } else {
            label.to_string()
        }
    }

    /// Labels next to each other, or numbers with spaces between them.
    pub(crate) fn names(&self, labels: &[Label]) -> String {
        let names: Vec<String> = labels.iter().map(|&label| self.name(label)).collect();
        names.join(if self.letters { "" } else { " " })
    }

    /// The network with labels numbered from zero, as sets, without those that one operand alone has.
    pub(crate) fn problem(&self) -> (Problem, Numbers) {
        let mut numbers = Numbers {
            of_label: FxHashMap::default(),
            labels: Vec::new(),
        };
        let mut logs = Vec::new();
        let mut uses: Vec<u32> = Vec::new();
        let mut sets = Vec::with_capacity(self.operands.len() + 1);
        for list in self.operands.iter().chain([&self.output]) {
            let mut set: Vec<u32> = Vec::with_capacity(list.len());
            for &label in list {
                let number = *numbers.of_label.entry(label).or_insert_with(|| {
                    numbers.labels.push(label);
                    // No element at all counts as one: orders are compared as if there were some.
                    logs.push((self.size(label).unwrap_or(1).max(1) as f64).log2());
                    uses.push(0);
                    logs.len() as u32 - 1
                });
                set.push(number);
            }
            set.sort_unstable();
            set.dedup();
            set.iter().for_each(|&label| uses[label as usize] += 1);
            sets.push(set);
        }
        let output = sets.pop().unwrap_or_default();
        for set in &mut sets {
            set.retain(|&label| uses[label as usize] > 1);
        }
        let problem = Problem {
            leaves: sets,
            output,
            logs,
        };
        (problem, numbers)
    }
}

/// Labels and their numbers in a [`Problem`].
pub(crate) struct Numbers {
    pub(crate) of_label: FxHashMap<Label, u32>,
    pub(crate) labels: Vec<Label>,
}

fn name(label: Label) -> String {
    char::from_u32(label).map_or_else(|| label.to_string(), String::from)
}

fn sizes(
    operands: &[Vec<Label>],
    shapes: &[Vec<u64>],
    name: impl Fn(Label) -> String,
) -> Result<BTreeMap<Label, u64>> {
    if operands.len() != shapes.len() {
        return Err(Error::new(format!(
            "{} operands are named, but there are {} shapes",
            operands.len(),
            shapes.len()
        )));
    }
    let mut sizes = BTreeMap::new();
    for (i, (labels, shape)) in operands.iter().zip(shapes).enumerate() {
        if labels.len() != shape.len() {
            return Err(Error::new(format!(
                "operand {i} has {} labels, but the shape {shape:?}",
                labels.len()
            )));
        }
        for (&label, &size) in labels.iter().zip(shape) {
            if let Some(other) = sizes.insert(label, size).filter(|&other| other != size) {
                return Err(Error::new(format!(
                    "label {} is {other} long, but {size} long in operand {i} of shape {shape:?}",
                    name(label)
                )));
            }
        }
    }
    Ok(sizes)
}
