//! Contraction trees of networks whose labels are numbers from zero.
//!
//! Leaves are the nodes below [`Problem::len`]; each contraction is a node with the next number, after both of its
//! children (opt_einsum's SSA form). A tree of `n` leaves has `n - 1` contractions.

use crate::error::{Error, Result};

/// A network to be ordered. Labels of leaves are sorted and different; each is in two leaves at least, or in one and in
/// the output.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problem {
    pub(crate) leaves: Vec<Vec<u32>>,
    pub(crate) output: Vec<u32>,
    /// Binary logarithms of the sizes of labels.
    pub(crate) logs: Vec<f64>,
}

impl Problem {
    pub(crate) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// The logarithm of the number of elements of an array with these axes.
    pub(crate) fn log(&self, labels: &[u32]) -> f64 {
        labels.iter().map(|&label| self.logs[label as usize]).sum()
    }

    /// How many leaves have each label; the output counts as one more.
    pub(crate) fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.logs.len()];
        for &label in self.leaves.iter().flatten().chain(&self.output) {
            uses[label as usize] += 1;
        }
        uses
    }

    /// The problem in which some labels are fixed to an index.
    pub(crate) fn without(&self, sliced: &[u32]) -> Self {
        let mut gone = vec![false; self.logs.len()];
        sliced.iter().for_each(|&label| gone[label as usize] = true);
        let filter = |set: &Vec<u32>| -> Vec<u32> {
            let kept = set.iter().copied().filter(|&label| !gone[label as usize]);
            kept.collect()
        };
        Self {
            leaves: self.leaves.iter().map(filter).collect(),
            output: filter(&self.output),
            logs: self.logs.clone(),
        }
    }
}

/// The logarithm of the sum of two numbers given by theirs.
pub(crate) fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    let difference = low - high;
    // Also where both are the logarithm of zero, and their difference is not a number.
    if difference > -60.0 {
        high + difference.exp2().ln_1p() * std::f64::consts::LOG2_E
    } else {
        high
    }
}

/// The logarithm of a sum, exact where the largest term is.
pub(crate) fn log_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let high = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if high == f64::NEG_INFINITY {
        return high;
    }
    high + logs.map(|log| (log - high).exp2()).sum::<f64>().log2()
}

/// The union of two sorted sets.
pub(crate) fn union(x: &[u32], y: &[u32]) -> Vec<u32> {
    let mut all = Vec::with_capacity(x.len() + y.len());
    let (mut x, mut y) = (x, y);
    while let (&[a, ref rest_x @ ..], &[b, ref rest_y @ ..]) = (x, y) {
        all.push(a.min(b));
        if a <= b {
            x = rest_x;
        }
        if b <= a {
            y = rest_y;
        }
    }
    all.extend(x);
    all.extend(y);
    all
}

/// Arrays during a contraction: what two of them give depends on the labels that others still have.
pub(crate) struct Uses(Vec<u32>);

impl Uses {
    pub(crate) fn new(problem: &Problem) -> Self {
        Self(problem.uses())
    }

    /// How many arrays have a label, the output among them.
    pub(crate) fn of(&self, label: u32) -> u32 {
        self.0[label as usize]
    }

    /// The labels of both operands, and those of what their contraction gives.
    pub(crate) fn contracted(&self, x: &[u32], y: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let all = union(x, y);
        let kept = all.iter().copied().filter(|label| {
            let own = |set: &[u32]| u32::from(set.binary_search(label).is_ok());
            self.of(*label) > own(x) + own(y)
        });
        let kept = kept.collect();
        (all, kept)
    }

    /// The logarithm of the size of what a contraction of two arrays gives.
    pub(crate) fn contracted_log(&self, x: &[u32], y: &[u32], problem: &Problem) -> f64 {
        let (mut x, mut y) = (x, y);
        let mut sum = 0.0;
        loop {
            let (label, own) = match (x, y) {
                (&[a, ref rest_x @ ..], &[b, ref rest_y @ ..]) if a == b => {
                    (x, y) = (rest_x, rest_y);
                    (a, 2)
                }
                (&[a, ref rest @ ..], &[b, ..]) if a < b => {
                    x = rest;
                    (a, 1)
                }
                (&[a, ref rest @ ..], &[]) => {
                    x = rest;
                    (a, 1)
                }
                (_, &[b, ref rest @ ..]) => {
                    y = rest;
                    (b, 1)
                }
                (&[], &[]) => return sum,
            };
            if self.of(label) > own {
                sum += problem.logs[label as usize];
            }
        }
    }

    pub(crate) fn replace(&mut self, x: &[u32], y: &[u32], kept: &[u32]) {
        for &label in x.iter().chain(y) {
            self.0[label as usize] -= 1;
        }
        for &label in kept {
            self.0[label as usize] += 1;
        }
    }
}

/// An order of contractions of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) leaves: usize,
    pub(crate) children: Vec<[u32; 2]>,
}

/// The labels of the contractions of a tree.
pub(crate) struct Labelled {
    /// Of each contraction the labels of both operands.
    pub(crate) unions: Vec<Vec<u32>>,
    /// Of each node its own labels.
    pub(crate) sets: Vec<Vec<u32>>,
}

impl Tree {
    /// Checks a list of pairs in SSA form.
    pub(crate) fn new(leaves: usize, pairs: &[[usize; 2]]) -> Result<Self> {
        let expected = leaves.saturating_sub(1);
        if pairs.len() != expected {
            return Err(Error::new(format!(
                "{leaves} operands take {expected} contractions of two, got {}",
                pairs.len()
            )));
        }
        let mut taken = vec![false; leaves + pairs.len()];
        let mut children = Vec::with_capacity(pairs.len());
        for (i, pair) in pairs.iter().enumerate() {
            for &node in pair {
                if node >= leaves + i {
                    return Err(Error::new(format!(
                        "contraction {i} takes array {node}, which is not there yet"
                    )));
                }
                if std::mem::replace(&mut taken[node], true) {
                    return Err(Error::new(format!(
                        "contraction {i} takes array {node}, which is gone"
                    )));
                }
            }
            children.push(pair.map(|node| node as u32));
        }
        Ok(Self { leaves, children })
    }

    /// The labels of all nodes. The sets of a problem in which labels are sliced come out without those.
    pub(crate) fn labelled(&self, problem: &Problem) -> Labelled {
        let mut uses = Uses::new(problem);
        let mut sets = problem.leaves.clone();
        let mut unions = Vec::with_capacity(self.children.len());
        for &[x, y] in &self.children {
            let (x, y) = (&sets[x as usize], &sets[y as usize]);
            let (all, kept) = uses.contracted(x, y);
            uses.replace(x, y, &kept);
            unions.push(all);
            sets.push(kept);
        }
        Labelled { unions, sets }
    }

    /// The logarithms of the number of products and of the largest array that a contraction gives.
    pub(crate) fn cost(&self, problem: &Problem) -> (f64, f64) {
        let labelled = self.labelled(problem);
        let products: Vec<f64> = labelled.unions.iter().map(|u| problem.log(u)).collect();
        let sizes = labelled.sets[self.leaves.min(labelled.sets.len())..].iter();
        let largest = sizes.map(|set| problem.log(set)).fold(0.0, f64::max);
        (log_sum(products.iter().copied()), largest)
    }
}

/// Brings children before their parents, where those of inner nodes are given in any order.
///
/// `second_first` says of an inner node whether its second child is to be contracted first.
pub(crate) fn ordered(
    leaves: usize,
    root: u32,
    children: &[[u32; 2]],
    second_first: impl Fn(usize) -> bool,
) -> Tree {
    let inner = |node: u32| (node as usize).checked_sub(leaves);
    let mut order = Vec::with_capacity(children.len());
    let mut stack = vec![root];
    while let Some(node) = stack.pop() {
        if let Some(i) = inner(node) {
            order.push(i);
            // Reversed below, so the child that is popped last comes first.
            let [x, y] = children[i];
            stack.extend(if second_first(i) { [y, x] } else { [x, y] });
        }
    }
    order.reverse();
    let mut names: Vec<u32> = vec![0; children.len()];
    let mut result = Vec::with_capacity(order.len());
    for i in order {
        result.push(children[i].map(|child| inner(child).map_or(child, |c| names[c])));
        names[i] = (leaves + result.len()) as u32 - 1;
    }
    Tree {
        leaves,
        children: result,
    }
}
