//! The best tree of few leaves, by dynamic programming over all their subsets, outer products among them.
//!
//! Labels that are in the same leaves are one, which leaves few.
//!
//! Source: Pfeifer, Haegeman and Verstraete, "Faster identification of optimal contraction sequences for tensor
//! networks" (2014).

use std::collections::BTreeMap;

use super::Objective;
use crate::tree::{Problem, Tree};

/// The most leaves: three to this power pairs of subsets are compared.
pub(crate) const MOST: usize = 13;

/// How much smaller a sum must be to be smaller.
const TIE: f64 = 1e-12;

/// Labels of the same leaves, and the output or not, are one bit of a set.
type Set = u128;

/// The tree with the smallest total, or none if there are too many leaves or labels that differ.
pub(crate) fn best(problem: &Problem, objective: &Objective) -> Option<Tree> {
    let count = problem.len();
    if count > MOST {
        return None;
    }
    if count <= 1 {
        return Some(Tree {
            leaves: count,
            children: Vec::new(),
        });
    }
    let mut members: BTreeMap<u32, (u32, bool)> = BTreeMap::new();
    for (i, leaf) in problem.leaves.iter().enumerate() {
        for &label in leaf {
            members.entry(label).or_default().0 |= 1 << i;
        }
    }
    for &label in &problem.output {
        members.entry(label).or_default().1 = true;
    }
    let mut classes: BTreeMap<(u32, bool), f64> = BTreeMap::new();
    for (label, class) in members {
        *classes.entry(class).or_default() += problem.logs[label as usize];
    }
    if classes.len() > Set::BITS as usize {
        return None;
    }
    let sums = Sums::new(&classes.values().copied().collect::<Vec<_>>());
    let all = (1usize << count) - 1;
    // What is open at each subset: in a member, and in another leaf or the output.
    let open: Vec<Set> = (0..=all as u32)
        .map(|subset| {
            let bits = classes.keys().enumerate();
            let is_open = |&(leaves, output): &(u32, bool)| {
                leaves & subset != 0 && (output || leaves & !subset != 0)
            };
            bits.filter(|(_, class)| is_open(class))
                .fold(0, |set, (bit, _)| set | 1 << bit)
        })
        .collect();
    // Totals relative to the most that one contraction can have, so that they are finite.
    let scale = objective.of(sums.of(Set::MAX), sums.of(Set::MAX)) - 900.0;
    let mut totals = vec![f64::INFINITY; all + 1];
    let mut halves = vec![0usize; all + 1];
    for subset in 1..=all {
        let lowest = subset & subset.wrapping_neg();
        let rest = subset & !lowest;
        if rest == 0 {
            totals[subset] = 0.0;
            continue;
        }
        let size = sums.of(open[subset]);
        let (mut total, mut best_half) = (f64::INFINITY, rest);
        // All splits, each named by the half without the lowest member. Of equal ones the first is taken, so that orders
        // read from the left; sums are equal up to the rounding of logarithms.
        let mut half = rest & rest.wrapping_neg();
        loop {
            let other = subset & !half;
            let below = totals[half] + totals[other];
            if below < total {
                let products = sums.of(open[half] | open[other]);
                let sum = below + (objective.of(products, size) - scale).exp2();
                if sum < total * (1.0 - TIE) {
                    (total, best_half) = (sum, half);
                }
            }
            if half == rest {
                break;
            }
            half = half.wrapping_sub(rest) & rest;
        }
        (totals[subset], halves[subset]) = (total, best_half);
    }
    Some(tree(count, &halves))
}

/// Walks the splits from the whole down.
fn tree(count: usize, halves: &[usize]) -> Tree {
    let mut stack = vec![(1usize << count) - 1];
    let mut order = Vec::new();
    while let Some(subset) = stack.pop() {
        if !subset.is_power_of_two() {
            order.push(subset);
            // Reversed below: what has the lowest member is contracted first.
            stack.extend([subset & !halves[subset], halves[subset]]);
        }
    }
    let mut names: BTreeMap<usize, u32> = (0..count).map(|i| (1 << i, i as u32)).collect();
    let mut children = Vec::with_capacity(order.len());
    for subset in order.into_iter().rev() {
        let half = halves[subset];
        children.push([names[&(subset & !half)], names[&half]]);
        names.insert(subset, (count + children.len()) as u32 - 1);
    }
    Tree {
        leaves: count,
        children,
    }
}

/// Sums of logarithms over sets, by tables of eight classes.
struct Sums {
    tables: Vec<[f64; 256]>,
}

impl Sums {
    fn new(logs: &[f64]) -> Self {
        let tables = logs.chunks(8).map(|logs| {
            let mut table = [0.0; 256];
            for byte in 1..256usize {
                let bit = byte.trailing_zeros() as usize;
                let log = logs.get(bit).copied().unwrap_or(0.0);
                table[byte] = table[byte & (byte - 1)] + log;
            }
            table
        });
        Self {
            tables: tables.collect(),
        }
    }

    fn of(&self, set: Set) -> f64 {
        let bytes = set.to_le_bytes();
        let both = self.tables.iter().zip(bytes);
        both.map(|(table, byte)| table[usize::from(byte)]).sum()
    }
}
