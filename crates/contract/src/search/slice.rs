//! Slicing: labels that are fixed to an index, one contraction for each index, so that arrays fit in memory.
//!
//! Labels are sliced one after the other, each the one that adds the fewest products for what it saves of memory, with
//! the tree annealed in between for what is left of the network. Then some are given back and others are chosen, as
//! long as the budget lasts.
//!
//! Source: Gray and Kourtis, "Hyper-optimized tensor network contraction" (2021); Kalachev, Panteleev and Yung, "Recursive
//! multi-tensor contraction for XEB verification of quantum circuits" (2021).

use super::anneal::Schedule;
use super::{Budget, Found, Objective, reconfigure};
use crate::error::{Error, Result};
use crate::random::Random;
use crate::tree::{Problem, Tree, log_add, log_sum};

/// A tree and the labels that are sliced.
#[derive(Clone, Debug)]
pub(crate) struct Sliced {
    pub(crate) tree: Tree,
    pub(crate) labels: Vec<u32>,
    /// The logarithm of what all slices count.
    pub(crate) total: f64,
}

/// Slack of the comparison of sums of logarithms with a limit.
const SLACK: f64 = 1e-9;

/// How many moves for each operand follow the choice of a label.
const SWEEPS: u64 = 60;

struct Search<'a> {
    problem: &'a Problem,
    objective: &'a Objective,
    /// Whether a label may be sliced.
    allowed: Vec<bool>,
}

/// Slices a tree until no array that a contraction gives is above the limit.
///
/// # Errors
/// All labels that may be sliced are, and an array is still above the limit.
pub(crate) fn fit(
    problem: &Problem,
    start: &Tree,
    objective: &Objective,
    allowed: Vec<bool>,
    random: &mut Random,
    budget: &mut Budget,
) -> Result<Sliced> {
    let search = Search {
        problem,
        objective,
        allowed,
    };
    let mut best = search.slice(
        start.clone(),
        Vec::new(),
        0.0,
        random,
        &mut Budget::new(0, None),
    )?;
    if best.labels.is_empty() {
        return Ok(best);
    }
    if let Ok(found) = search.slice(start.clone(), Vec::new(), 0.0, random, budget)
        && found.total < best.total
    {
        best = found;
    }
    let mut present = best.clone();
    let mut rounds = 0u64;
    while !budget.is_over() && problem.len() > 2 {
        rounds += 1;
        if rounds.is_multiple_of(16) {
            present = best.clone();
        }
        let mut labels = present.labels.clone();
        let back = 1 + random.below(labels.len().min(3));
        for _ in 0..back.min(labels.len()) {
            labels.swap_remove(random.below(labels.len()));
        }
        let before = budget.done();
        let found = search.slice(present.tree.clone(), labels, 0.3, random, budget);
        // Each round does some work, so that the count of steps ends the loop.
        budget.spend(u64::from(budget.done() == before));
        // An annealed tree may be one that labels of the result must be sliced for.
        let Ok(found) = found else {
            continue;
        };
        let accepted = found.total - present.total;
        if accepted < 0.0 || random.unit() < (-accepted / 0.1).exp() {
            present = found;
        }
        if present.total < best.total {
            best = present.clone();
        }
    }
    Ok(best)
}

impl Search<'_> {
    /// Slices further labels until the tree fits, the tree annealed in between.
    fn slice(
        &self,
        tree: Tree,
        mut labels: Vec<u32>,
        chance: f64,
        random: &mut Random,
        budget: &mut Budget,
    ) -> Result<Sliced> {
        let mut tree = tree;
        loop {
            let rest = self.problem.without(&labels);
            self.adapt(&rest, &mut tree, random, budget);
            let largest = tree.cost(&rest).1;
            if largest <= self.objective.largest + SLACK {
                break;
            }
            let Some(label) = self.choose(&rest, &tree, chance, random) else {
                return Err(Error::new(format!(
                    "an array of 2^{largest:.1} elements is left with all labels sliced that may be, more than the limit of 2^{:.1}",
                    self.objective.largest
                )));
            };
            labels.push(label);
        }
        self.give_back(&tree, &mut labels);
        labels.sort_unstable();
        let total = self.total(&tree, &labels);
        Ok(Sliced {
            tree,
            labels,
            total,
        })
    }

    fn adapt(&self, rest: &Problem, tree: &mut Tree, random: &mut Random, budget: &mut Budget) {
        let Some(moves) = budget.next_chain(SWEEPS * self.problem.len() as u64) else {
            return;
        };
        let schedule = Schedule {
            moves,
            from: 0.3,
            to: 0.03,
        };
        let start = Found::new(tree.clone(), rest, self.objective);
        let mut found = reconfigure::anneal(rest, &start, self.objective, schedule, random, budget);
        if random.below(4) == 0 {
            reconfigure::polish(
                rest,
                &mut found,
                self.objective,
                reconfigure::WINDOW,
                budget,
            );
        }
        *tree = found.tree;
    }

    /// The label to slice next, of those that the largest array has.
    fn choose(&self, rest: &Problem, tree: &Tree, chance: f64, random: &mut Random) -> Option<u32> {
        let labelled = tree.labelled(rest);
        let costs: Vec<f64> = labelled.unions.iter().map(|u| rest.log(u)).collect();
        let total = log_sum(costs.iter().copied());
        // The products of contractions that have a label do not grow when it is sliced, those of others do.
        let mut with = vec![f64::NEG_INFINITY; rest.logs.len()];
        for (union, &cost) in labelled.unions.iter().zip(&costs) {
            for &label in union {
                let sum = &mut with[label as usize];
                *sum = log_add(*sum, cost);
            }
        }
        let mut saved = vec![0.0; rest.logs.len()];
        let mut largest: (f64, &[u32]) = (f64::NEG_INFINITY, &[]);
        for set in &labelled.sets[tree.leaves..] {
            let size = rest.log(set);
            let excess = size - self.objective.largest;
            if excess > 0.0 {
                for &label in set {
                    saved[label as usize] += excess.min(rest.logs[label as usize]);
                }
            }
            if size > largest.0 {
                largest = (size, set);
            }
        }
        let candidates = largest.1.iter().copied();
        let candidates = candidates
            .filter(|&label| self.allowed[label as usize] && rest.logs[label as usize] > 0.0);
        let score = |label: u32| {
            let log = rest.logs[label as usize];
            let share = (with[label as usize] - total).exp2().min(1.0);
            // How often more products there are, for each factor of two of the array.
            let overhead = ((1.0 - share) * log.exp2() + share).log2() / log;
            overhead - 0.02 * saved[label as usize].max(1.0).log2()
        };
        let scored = candidates.map(|label| {
            let noise = if chance > 0.0 {
                chance * 0.1 * random.gumbel()
            } else {
                0.0
            };
            (score(label) - noise, label)
        });
        scored.min_by(|a, b| a.0.total_cmp(&b.0)).map(|best| best.1)
    }

    /// Drops labels that need not be sliced, as long as one is found.
    fn give_back(&self, tree: &Tree, labels: &mut Vec<u32>) {
        let mut at = 0;
        while at < labels.len() {
            let mut fewer = labels.clone();
            fewer.remove(at);
            let largest = tree.cost(&self.problem.without(&fewer)).1;
            if largest <= self.objective.largest + SLACK {
                *labels = fewer;
            } else {
                at += 1;
            }
        }
    }

    fn total(&self, tree: &Tree, labels: &[u32]) -> f64 {
        let rest = self.problem.without(labels);
        self.objective.total(&rest, tree) + self.problem.log(labels)
    }
}
