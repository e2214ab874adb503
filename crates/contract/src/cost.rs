//! The cost of a tree, in logarithms, so that networks whose sum no float counts still compare.

use crate::tree::{Problem, Tree, log_sum};

/// The cost of a plan. Logarithms are binary; minus infinity is the logarithm of zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    pub(crate) operations: f64,
    pub(crate) largest: f64,
    pub(crate) written: f64,
    pub(crate) peak: f64,
    pub(crate) slices: f64,
}

impl Cost {
    /// The products that all contractions of all slices take, each with an addition where labels are summed. Sums of
    /// labels that one operand alone has are not among them.
    #[must_use]
    pub fn operations(&self) -> f64 {
        count(self.operations)
    }

    /// The logarithm of [`Cost::operations`].
    #[must_use]
    pub fn log2_operations(&self) -> f64 {
        self.operations
    }

    /// The elements of the largest array that a contraction of one slice gives.
    #[must_use]
    pub fn largest(&self) -> f64 {
        count(self.largest)
    }

    /// The logarithm of [`Cost::largest`].
    #[must_use]
    pub fn log2_largest(&self) -> f64 {
        self.largest
    }

    /// The elements of all arrays that the contractions of all slices give.
    #[must_use]
    pub fn written(&self) -> f64 {
        count(self.written)
    }

    /// The bytes that are written, with so many for each element.
    #[must_use]
    pub fn bytes_written(&self, element: u64) -> f64 {
        self.written() * element as f64
    }

    /// The elements of intermediate results that are alive together in one slice, at most; operands not among them.
    #[must_use]
    pub fn peak(&self) -> f64 {
        count(self.peak)
    }

    /// The number of slices.
    #[must_use]
    pub fn slices(&self) -> f64 {
        count(self.slices)
    }

    /// The cost of a tree of a problem from which sliced labels, of so many combinations, are gone.
    pub(crate) fn of(tree: &Tree, problem: &Problem, slices: f64) -> Self {
        let labelled = tree.labelled(problem);
        let unions = labelled.unions.iter();
        let operations: Vec<f64> = unions.map(|union| problem.log(union)).collect();
        let sizes = &labelled.sets[tree.leaves.min(labelled.sets.len())..];
        let sizes: Vec<f64> = sizes.iter().map(|set| problem.log(set)).collect();
        Self {
            operations: slices + log_sum(operations.iter().copied()),
            largest: sizes.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            written: slices + log_sum(sizes.iter().copied()),
            peak: peak(tree, &sizes),
            slices,
        }
    }
}

/// The number with a logarithm. Small ones are whole, which a logarithm alone does not say to the last bit.
fn count(log: f64) -> f64 {
    let count = log.exp2();
    if log < 40.0 { count.round() } else { count }
}

/// The logarithm of the most elements that are alive together in the order of the tree.
fn peak(tree: &Tree, sizes: &[f64]) -> f64 {
    let high = sizes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high == f64::NEG_INFINITY {
        return high;
    }
    // Relative to the largest, which keeps sums finite.
    let size = |node: u32| {
        let inner = (node as usize).checked_sub(tree.leaves);
        inner.map_or(0.0, |i| (sizes[i] - high).exp2())
    };
    let (mut alive, mut most) = (0.0, 0f64);
    for (i, &[x, y]) in tree.children.iter().enumerate() {
        alive += size((tree.leaves + i) as u32);
        most = most.max(alive);
        alive -= size(x) + size(y);
    }
    high + most.log2()
}

/// Of each contraction whether the second operand is better made first, so that little is alive together.
pub(crate) fn second_first(tree: &Tree, problem: &Problem) -> Vec<bool> {
    let labelled = tree.labelled(problem);
    let size = |node: usize| problem.log(&labelled.sets[node]).min(1000.0).exp2();
    let mut peaks: Vec<f64> = Vec::with_capacity(tree.children.len());
    let mut second = Vec::with_capacity(tree.children.len());
    for (i, pair) in tree.children.iter().enumerate() {
        let [x, y] = pair.map(|node| match (node as usize).checked_sub(tree.leaves) {
            Some(inner) => (peaks[inner], size(node as usize)),
            None => (0.0, 0.0),
        });
        let own = x.1 + y.1 + size(tree.leaves + i);
        let first = |a: (f64, f64), b: (f64, f64)| own.max(a.0).max(a.1 + b.0);
        second.push(first(y, x) < first(x, y));
        peaks.push(first(x, y).min(first(y, x)));
    }
    second
}
