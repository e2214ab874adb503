//! Greedy trees: always the contraction whose result is small compared with its operands, with random choices.
//!
//! The work is near linear in the number of operands where each label is in few of them; labels that many operands have
//! only offer a few pairs for each new array.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::{Budget, Found, Objective};
use crate::random::Random;
use crate::tree::{Problem, Tree, Uses};

/// The score of a contraction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// How much the sizes of the operands count against that of the result.
    pub(crate) weight: f64,
    /// How much chance counts, in factors of two.
    pub(crate) temperature: f64,
    /// The most operands that a label may be in to offer pairs: a batch axis of all is no reason to contract two.
    pub(crate) followed: u32,
}

/// How many operands a label of many offers to a new array.
const OFFERED: usize = 24;

/// How many trials there are at most, and of how many operands together.
pub(super) const TRIALS: usize = 64;
const OPERANDS: usize = 16384;

/// The best of several trees: the first without chance.
pub(crate) fn cheapest(
    problem: &Problem,
    objective: &Objective,
    trials: usize,
    random: &mut Random,
    budget: &mut Budget,
) -> Found {
    let plain = |weight, followed| Rule {
        weight,
        temperature: 0.0,
        followed,
    };
    let attempt = |rule: Rule, budget: &mut Budget, random: &mut Random| {
        let (tree, work) = greedy(problem, rule, random);
        budget.spend(work);
        Found::new(tree, problem, objective)
    };
    let mut best = attempt(plain(1.0, u32::MAX), budget, random);
    let hyper = problem.uses().iter().any(|&n| n > 2);
    for weight in [1.0, 0.5, 0.0] {
        for followed in [u32::MAX, 2] {
            if budget.is_over() || (followed == 2 && !hyper) {
                continue;
            }
            best.improve(attempt(plain(weight, followed), budget, random));
        }
    }
    let trials = trials.min(OPERANDS / problem.len().max(1));
    for _ in 0..trials {
        if budget.is_over() {
            break;
        }
        let rule = chance(random);
        best.improve(attempt(rule, budget, random));
    }
    best
}

/// A tree with much chance, to start from.
pub(crate) fn trial(problem: &Problem, random: &mut Random, budget: &mut Budget) -> Tree {
    let rule = chance(random);
    let (tree, work) = greedy(problem, rule, random);
    budget.spend(work);
    tree
}

fn chance(random: &mut Random) -> Rule {
    Rule {
        weight: 1.5 * random.unit(),
        temperature: 0.02 * 100f64.powf(random.unit()),
        followed: if random.bits() & 1 == 0 { u32::MAX } else { 2 },
    }
}

/// A possible contraction; the smallest comes first, the oldest of equal ones.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    score: f64,
    pair: [u32; 2],
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let scores = self.score.total_cmp(&other.score);
        scores.then(self.pair.cmp(&other.pair))
    }
}

/// Arrays while a tree grows.
struct Growth<'a> {
    problem: &'a Problem,
    rule: Rule,
    uses: Uses,
    /// The labels of each array that is still there.
    arrays: Vec<Option<Vec<u32>>>,
    /// Their sizes, as logarithms.
    logs: Vec<f64>,
    sizes: Vec<f64>,
    /// The arrays that have a label, in the order in which they came; some of them are gone.
    having: Vec<Vec<u32>>,
    heap: BinaryHeap<Reverse<Candidate>>,
    children: Vec<[u32; 2]>,
    work: u64,
}

/// A size stays finite, so that differences are numbers.
fn size(log: f64) -> f64 {
    log.min(1000.0).exp2()
}

impl Growth<'_> {
    fn offer(&mut self, x: u32, y: u32, random: &mut Random) {
        let (Some(a), Some(b)) = (&self.arrays[x as usize], &self.arrays[y as usize]) else {
            return;
        };
        self.work += 1;
        let operands = self.sizes[x as usize] + self.sizes[y as usize];
        let result = self.uses.contracted_log(a, b, self.problem);
        let score = if self.rule.temperature > 0.0 {
            result - self.rule.weight * operands.log2() - self.rule.temperature * random.gumbel()
        } else {
            size(result) - self.rule.weight * operands
        };
        let pair = [x.min(y), x.max(y)];
        self.heap.push(Reverse(Candidate { score, pair }));
    }

    /// Contracts two arrays and returns the number of what they give.
    fn merge(&mut self, x: u32, y: u32) -> Option<u32> {
        let a = self.arrays[x as usize].take()?;
        let b = self.arrays[y as usize].take()?;
        let (_, kept) = self.uses.contracted(&a, &b);
        self.uses.replace(&a, &b, &kept);
        self.children.push([x, y]);
        let log = self.problem.log(&kept);
        self.logs.push(log);
        self.sizes.push(size(log));
        self.arrays.push(Some(kept));
        Some(self.arrays.len() as u32 - 1)
    }

    /// The arrays that share a followed label with a new one.
    fn near(&mut self, new: u32) -> Vec<u32> {
        let mut near = Vec::new();
        let Some(labels) = self.arrays[new as usize].clone() else {
            return near;
        };
        for label in labels {
            let list = &mut self.having[label as usize];
            if self.uses.of(label) > self.rule.followed {
                list.push(new);
                continue;
            }
            // Dead entries go as soon as they are half of a list, so that the work for them stays in proportion.
            let alive = self.uses.of(label) as usize;
            if list.len() > 2 * alive + OFFERED {
                list.retain(|&i| self.arrays[i as usize].is_some());
            }
            let recent = list.iter().rev();
            let there = recent
                .copied()
                .filter(|&i| self.arrays[i as usize].is_some());
            near.extend(there.take(OFFERED));
            list.push(new);
        }
        near.sort_unstable();
        near.dedup();
        near
    }
}

/// A tree, and the number of pairs that were compared.
pub(crate) fn greedy(problem: &Problem, rule: Rule, random: &mut Random) -> (Tree, u64) {
    let leaves = problem.len();
    let mut having: Vec<Vec<u32>> = vec![Vec::new(); problem.logs.len()];
    for (i, leaf) in problem.leaves.iter().enumerate() {
        leaf.iter().for_each(|&l| having[l as usize].push(i as u32));
    }
    let logs: Vec<f64> = problem
        .leaves
        .iter()
        .map(|leaf| problem.log(leaf))
        .collect();
    let mut growth = Growth {
        problem,
        rule,
        uses: Uses::new(problem),
        arrays: problem.leaves.iter().cloned().map(Some).collect(),
        sizes: logs.iter().map(|&log| size(log)).collect(),
        logs,
        having,
        heap: BinaryHeap::new(),
        children: Vec::with_capacity(leaves.saturating_sub(1)),
        work: leaves as u64,
    };
    for label in 0..problem.logs.len() as u32 {
        if growth.uses.of(label) > rule.followed {
            continue;
        }
        let list = growth.having[label as usize].clone();
        for (i, &x) in list.iter().enumerate() {
            for &y in list[i + 1..].iter().take(OFFERED) {
                growth.offer(x, y, random);
            }
        }
    }
    while let Some(Reverse(Candidate { pair: [x, y], .. })) = growth.heap.pop() {
        if growth.arrays[x as usize].is_none() || growth.arrays[y as usize].is_none() {
            continue;
        }
        let Some(new) = growth.merge(x, y) else {
            continue;
        };
        for other in growth.near(new) {
            growth.offer(other, new, random);
        }
    }
    // What is left shares no label that is followed: smallest first.
    let mut left: BinaryHeap<Reverse<Candidate>> = BinaryHeap::new();
    let alone = |growth: &Growth<'_>, i: u32| {
        Reverse(Candidate {
            score: growth.logs[i as usize],
            pair: [i, i],
        })
    };
    for i in 0..growth.arrays.len() as u32 {
        if growth.arrays[i as usize].is_some() {
            left.push(alone(&growth, i));
        }
    }
    while let (Some(Reverse(x)), Some(Reverse(y))) = (left.pop(), left.pop()) {
        let (x, y) = (x.pair[0].min(y.pair[0]), x.pair[0].max(y.pair[0]));
        if let Some(new) = growth.merge(x, y) {
            left.push(alone(&growth, new));
        }
    }
    let tree = Tree {
        leaves,
        children: growth.children,
    };
    (tree, growth.work)
}
