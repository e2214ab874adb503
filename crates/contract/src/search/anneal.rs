//! Simulated annealing of a tree by rotations: of a contraction `(x y) z` to `(x z) y` or `(y z) x`.
//!
//! A rotation is local: the new inner node has those labels of its children that the node above it or
//! the third child have. Two contractions change their cost, and the logarithm of the quotient of their sums is
//! what Metropolis' rule compares with the temperature. So cheap parts of a tree are ordered as well as dear ones,
//! and a move costs a few operations on sets of bits.
//!
//! Networks with too many labels, see [`fits`], are left as they are.
//!
//! Source: Kalachev, Panteleev and Yung, "Recursive multi-tensor contraction for XEB verification of quantum
//! circuits" (2021), whose score this is.

use super::budget::STRIDE;
use super::{Budget, Found, Objective};
use crate::random::Random;
use crate::tree::{Problem, Tree, log_add, log_sum, ordered};

/// How temperatures fall: geometrically, in factors of two of cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) moves: u64,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// The best tree that a chain meets, at least as good as its start.
pub(crate) fn run(
    problem: &Problem,
    start: &Found,
    objective: &Objective,
    schedule: Schedule,
    random: &mut Random,
    budget: &mut Budget,
) -> Found {
    if problem.len() < 3 {
        budget.spend(schedule.moves);
        return start.clone();
    }
    let labels = compact(problem);
    let words = labels.logs.len().div_ceil(64);
    let arguments = (problem, &labels, start, objective, schedule);
    match words {
        0..=1 => chain::<1>(arguments, random, budget),
        2 => chain::<2>(arguments, random, budget),
        3..=4 => chain::<4>(arguments, random, budget),
        5..=8 => chain::<8>(arguments, random, budget),
        9..=12 => chain::<12>(arguments, random, budget),
        13..=16 => chain::<16>(arguments, random, budget),
        17..=32 => chain::<32>(arguments, random, budget),
        _ => {
            budget.spend(schedule.moves);
            start.clone()
        }
    }
}

/// Whether a network has few enough labels to be annealed in one.
pub(crate) fn fits(problem: &Problem) -> bool {
    compact(problem).logs.len() <= MOST_LABELS
}

/// Labels that occur, numbered without gaps.
struct Compact {
    numbers: Vec<u32>,
    logs: Vec<f64>,
}

fn compact(problem: &Problem) -> Compact {
    let mut numbers = vec![u32::MAX; problem.logs.len()];
    let mut logs = Vec::new();
    for &label in problem.leaves.iter().flatten() {
        let number = &mut numbers[label as usize];
        if *number == u32::MAX {
            *number = logs.len() as u32;
            logs.push(problem.logs[label as usize]);
        }
    }
    Compact { numbers, logs }
}

/// The most labels of a set.
pub(crate) const MOST_LABELS: usize = 32 * 64;

/// A set of labels.
type Set<const W: usize> = [u64; W];

fn set<const W: usize>(labels: &[u32], compact: &Compact) -> Set<W> {
    let mut set = [0; W];
    for &label in labels {
        let number = compact.numbers[label as usize];
        // Labels of an output that no leaf has are refused before.
        if number != u32::MAX {
            set[number as usize / 64] |= 1 << (number % 64);
        }
    }
    set
}

/// The sizes of labels: equal ones, of which a count is enough, or any.
enum Logs<'a> {
    Equal(f64),
    Any(&'a [f64]),
}

impl Logs<'_> {
    #[inline]
    fn sum<const W: usize>(&self, set: &Set<W>) -> f64 {
        match self {
            Self::Equal(log) => {
                log * f64::from(set.iter().map(|word| word.count_ones()).sum::<u32>())
            }
            Self::Any(logs) => {
                let mut sum = 0.0;
                for (i, &word) in set.iter().enumerate() {
                    let mut word = word;
                    while word != 0 {
                        sum += logs[i * 64 + word.trailing_zeros() as usize];
                        word &= word - 1;
                    }
                }
                sum
            }
        }
    }
}

/// A tree that is changed in place.
struct State<'a, const W: usize> {
    leaves: usize,
    children: Vec<[u32; 2]>,
    /// The labels of each node.
    sets: Vec<Set<W>>,
    /// The cost of each contraction.
    costs: Vec<f64>,
    logs: Logs<'a>,
    objective: &'a Objective,
}

impl<const W: usize> State<'_, W> {
    /// Proposes one rotation below contraction `i`.
    #[inline]
    fn propose(&mut self, i: usize, temperature: f64, random: &mut Random) {
        let bits = random.bits();
        let side = (bits & 1) as usize;
        let [mut below, mut third] = [self.children[i][side], self.children[i][1 - side]];
        if (below as usize) < self.leaves {
            std::mem::swap(&mut below, &mut third);
        }
        let Some(j) = (below as usize).checked_sub(self.leaves) else {
            return;
        };
        let out = (bits >> 1 & 1) as usize;
        let [leaving, staying] = [self.children[j][out], self.children[j][1 - out]];
        let (top, up) = (&self.sets[self.leaves + i], &self.sets[leaving as usize]);
        let (stays, comes) = (&self.sets[staying as usize], &self.sets[third as usize]);
        let (mut inner, mut inner_union, mut union) = ([0; W], [0; W], [0; W]);
        for w in 0..W {
            inner_union[w] = stays[w] | comes[w];
            inner[w] = inner_union[w] & (top[w] | up[w]);
            union[w] = inner[w] | up[w];
        }
        let size = self.logs.sum(&inner);
        let below_cost = self.objective.of(self.logs.sum(&inner_union), size);
        let top_products = self.logs.sum(&union);
        let top_cost = if self.is_plain() {
            top_products
        } else {
            self.objective.of(top_products, self.logs.sum(top))
        };
        let before = log_add(self.costs[i], self.costs[j]);
        let change = log_add(below_cost, top_cost) - before;
        if change > 0.0 && random.unit() >= (-change / temperature).exp() {
            return;
        }
        self.children[j] = [staying, third];
        self.children[i] = [below, leaving];
        self.sets[below as usize] = inner;
        self.costs[j] = below_cost;
        self.costs[i] = top_cost;
    }

    /// Whether only products count.
    fn is_plain(&self) -> bool {
        self.objective.write == f64::NEG_INFINITY && self.objective.largest == f64::INFINITY
    }
}

type Arguments<'a> = (&'a Problem, &'a Compact, &'a Found, &'a Objective, Schedule);

fn chain<const W: usize>(
    (problem, compact, start, objective, schedule): Arguments<'_>,
    random: &mut Random,
    budget: &mut Budget,
) -> Found {
    let labelled = start.tree.labelled(problem);
    let equal = compact.logs.windows(2).all(|pair| pair[0] == pair[1]);
    let mut state = State::<W> {
        leaves: problem.len(),
        children: start.tree.children.clone(),
        sets: labelled.sets.iter().map(|l| set(l, compact)).collect(),
        costs: Vec::new(),
        logs: if equal {
            Logs::Equal(compact.logs.first().copied().unwrap_or(0.0))
        } else {
            Logs::Any(&compact.logs)
        },
        objective,
    };
    let inner = state.children.len();
    for (i, labels) in labelled.unions.iter().enumerate() {
        let products = state.logs.sum(&set::<W>(labels, compact));
        let size = state.logs.sum(&state.sets[problem.len() + i]);
        state.costs.push(objective.of(products, size));
    }
    let mut best: (f64, Vec<[u32; 2]>) = (start.total, state.children.clone());
    // Temperatures change after as many moves as there are contractions, or in a hundred levels if that is more.
    let level = (inner as u64).max(schedule.moves / 1000).max(1);
    let (mut done, mut looked) = (0, 0);
    while done < schedule.moves {
        let progress = done as f64 / schedule.moves as f64;
        let temperature = schedule.from * (schedule.to / schedule.from).powf(progress);
        let moves = level.min(schedule.moves - done);
        for _ in 0..moves {
            let i = random.below(inner);
            state.propose(i, temperature, random);
        }
        done += moves;
        budget.spend(moves);
        let total = log_sum(state.costs.iter().copied());
        if total < best.0 {
            best.0 = total;
            best.1.clone_from(&state.children);
        }
        if done - looked >= STRIDE {
            looked = done;
            if budget.is_over() {
                break;
            }
        }
    }
    // The root is never moved: only what is below it changes.
    let root = (problem.len() + inner) as u32 - 1;
    let tree: Tree = ordered(problem.len(), root, &best.1, |_| false);
    let mut found = start.clone();
    found.improve(Found::new(tree, problem, objective));
    found
}
