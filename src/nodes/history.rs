//! Statistics of the computation that leads to lazy arrays, known before it runs.
//!
//! Sizes are numbers of elements. Sums that do not fit are the largest number.
//!
//! Source: the `history_*` methods of autoray's `LazyArray`, whose figures these are.

use std::collections::BTreeMap;

use super::node::LazyArray;
use super::traversal::{Step, walk};
pub use autojit_plot::Statistic;
use autojit_plot::footprint;

/// The nodes that some lazy arrays depend on, walked once; ask it for statistics.
///
/// ```
/// use autojit::{lazy, numpy as np, DType};
///
/// let x = lazy::variable(&[2, 3], DType::Float64);
/// let (y, z) = (np::exp(&x), np::sum(&x, ..));
/// let history = lazy::history([&y, &z])?;
/// assert_eq!(history.num_nodes(), 3);
/// assert_eq!(history.total_size(), 6 + 6 + 1);
/// # Ok::<(), autojit::Error>(())
/// ```
pub struct History {
    steps: Vec<Step>,
}

impl History {
    /// The history of one or more nodes.
    #[must_use]
    pub fn of(roots: &[LazyArray]) -> Self {
        Self { steps: walk(roots) }
    }

    /// The nodes, dependencies before users.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &LazyArray> {
        self.steps.iter().map(|step| &step.node)
    }

    /// The same with what they are made from.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The number of nodes, inputs included.
    #[must_use]
    pub fn num_nodes(&self) -> usize {
        self.steps.len()
    }

    /// The size of the largest array.
    #[must_use]
    pub fn max_size(&self) -> usize {
        self.nodes().map(LazyArray::size).max().unwrap_or(0)
    }

    /// The sizes of all arrays added up.
    #[must_use]
    pub fn total_size(&self) -> usize {
        self.nodes()
            .fold(0, |sum, node| sum.saturating_add(node.size()))
    }

    /// The size of all that is held after each step: the inputs at first, then growing with each result and
    /// shrinking with each array after its last use.
    ///
    /// Inputs count from the beginning until their last use, if they are included.
    #[must_use]
    pub fn size_footprint(&self, include_inputs: bool) -> Vec<usize> {
        let steps = self.steps.iter();
        footprint(
            steps.map(|step| (step.node.size(), step.is_input(), &step.inputs[..])),
            include_inputs,
        )
    }

    /// The largest number of [`History::size_footprint`].
    #[must_use]
    pub fn peak_size(&self, include_inputs: bool) -> usize {
        let footprint = self.size_footprint(include_inputs);
        footprint.into_iter().max().unwrap_or(0)
    }

    /// Adds up a statistic for each function, by its name. Inputs go by the name `"None"`.
    #[must_use]
    pub fn stats(&self, statistic: Statistic) -> BTreeMap<&'static str, usize> {
        self.add_up(|step| {
            Some(match statistic {
                Statistic::Count => 1,
                Statistic::SizeOut => step.node.size(),
                Statistic::SizeIn => step.inputs.iter().fold(0, |sum, &input| {
                    self.steps[input as usize].node.size().saturating_add(sum)
                }),
            })
        })
    }

    /// Adds up what `cost` says of each node, by the name of its function; `None` leaves the node out.
    pub fn stats_by(
        &self,
        mut cost: impl FnMut(&LazyArray) -> Option<usize>,
    ) -> BTreeMap<&'static str, usize> {
        self.add_up(|step| cost(&step.node))
    }

    /// How often each function is used. Inputs go by the name `"None"`.
    #[must_use]
    pub fn fn_frequencies(&self) -> BTreeMap<&'static str, usize> {
        self.stats(Statistic::Count)
    }

    fn add_up(
        &self,
        mut cost: impl FnMut(&Step) -> Option<usize>,
    ) -> BTreeMap<&'static str, usize> {
        let mut sums = BTreeMap::new();
        for step in &self.steps {
            if let Some(cost) = cost(step) {
                let sum: &mut usize = sums.entry(step.fn_name.unwrap_or("None")).or_default();
                *sum = sum.saturating_add(cost);
            }
        }
        sums
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "history of {} nodes", self.steps.len())
    }
}

impl LazyArray {
    fn history(&self) -> History {
        History::of(std::slice::from_ref(self))
    }

    /// See [`History::num_nodes`].
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// assert_eq!(y.history_num_nodes(), 5);
    /// ```
    #[must_use]
    pub fn history_num_nodes(&self) -> usize {
        self.history().num_nodes()
    }

    /// See [`History::max_size`].
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// assert_eq!(y.history_max_size(), 3);
    /// ```
    #[must_use]
    pub fn history_max_size(&self) -> usize {
        self.history().max_size()
    }

    /// See [`History::size_footprint`]; autoray includes the inputs by default.
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// assert_eq!(y.history_size_footprint(true), [3, 6, 9, 6, 9, 6, 3, 4, 1]);
    /// ```
    #[must_use]
    pub fn history_size_footprint(&self, include_inputs: bool) -> Vec<usize> {
        self.history().size_footprint(include_inputs)
    }

    /// See [`History::peak_size`]; autoray includes the inputs by default.
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// assert_eq!(y.history_peak_size(true), 9);
    /// ```
    #[must_use]
    pub fn history_peak_size(&self, include_inputs: bool) -> usize {
        self.history().peak_size(include_inputs)
    }

    /// See [`History::total_size`].
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// assert_eq!(y.history_total_size(), 13);
    /// ```
    #[must_use]
    pub fn history_total_size(&self) -> usize {
        self.history().total_size()
    }

    /// See [`History::stats`].
    #[must_use]
    pub fn history_stats(&self, statistic: Statistic) -> BTreeMap<&'static str, usize> {
        self.history().stats(statistic)
    }

    /// See [`History::stats_by`].
    pub fn history_stats_by(
        &self,
        cost: impl FnMut(&LazyArray) -> Option<usize>,
    ) -> BTreeMap<&'static str, usize> {
        self.history().stats_by(cost)
    }

    /// See [`History::fn_frequencies`].
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// assert_eq!(y.history_fn_frequencies()["exp"], 1);
    /// ```
    #[must_use]
    pub fn history_fn_frequencies(&self) -> BTreeMap<&'static str, usize> {
        self.history().fn_frequencies()
    }
}
