//! The search for an order: see [`crate::plan`] for what it promises.
//!
//! Up to [`FEW`] operands are ordered exactly. For more, greedy searches with random choices give the first trees.
//! Chains of simulated annealing start from the best of them, each followed by exact reordering of small subtrees,
//! until the budget is spent; the best tree that was met is the result.
//!
//! Sources: Gray and Kourtis, "Hyper-optimized tensor network contraction" (2021), for greedy searches with
//! Boltzmann's probabilities, subtree reconfiguration, and slicing interleaved with it; Kalachev, Panteleev and Yung,
//! "Recursive multi-tensor contraction for XEB verification of quantum circuits" (2021), for annealing by rotations.

mod anneal;
mod budget;
mod components;
mod exact;
mod greedy;
mod reconfigure;
mod slice;

pub(crate) use budget::Budget;
pub(crate) use exact::MOST;

use crate::error::Result;
use crate::random::Random;
use crate::tree::{Problem, Tree};
use anneal::Schedule;

/// Up to so many operands all orders are compared.
pub(crate) const FEW: usize = 12;

/// The objective of a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Objective {
    /// The logarithm of how many products an element that is written counts as; minus infinity if none.
    pub(crate) write: f64,
    /// The logarithm of the most elements of an array; infinity without a limit.
    pub(crate) largest: f64,
}

/// How much a factor of two above the limit of memory counts, in factors of two of products.
const EXCESS: f64 = 2.0;

impl Objective {
    /// The logarithm of what a contraction counts, given those of its products and of the size of its result.
    pub(crate) fn of(&self, products: f64, size: f64) -> f64 {
        let cost = if self.write == f64::NEG_INFINITY {
            products
        } else {
            crate::tree::log_add(products, self.write + size)
        };
        cost + EXCESS * (size - self.largest).max(0.0)
    }

    /// The logarithm of what a whole tree counts.
    pub(crate) fn total(&self, problem: &Problem, tree: &Tree) -> f64 {
        let labelled = tree.labelled(problem);
        let sizes = labelled.sets[tree.leaves.min(labelled.sets.len())..].iter();
        let costs: Vec<f64> = sizes
            .zip(&labelled.unions)
            .map(|(set, union)| self.of(problem.log(union), problem.log(set)))
            .collect();
        crate::tree::log_sum(costs.iter().copied())
    }
}

/// A tree and what it counts.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) tree: Tree,
    pub(crate) total: f64,
}

impl Found {
    pub(crate) fn new(tree: Tree, problem: &Problem, objective: &Objective) -> Self {
        let total = objective.total(problem, &tree);
        Self { tree, total }
    }

    /// Takes the better one; the older of equal ones.
    pub(crate) fn improve(&mut self, other: Self) -> bool {
        let better = other.total < self.total;
        if better {
            *self = other;
        }
        better
    }
}

/// The best tree that was met, and the labels to slice so that it is within the limit of memory.
///
/// # Errors
/// The limit cannot be met by slicing labels that are allowed.
pub(crate) fn tree(
    problem: &Problem,
    objective: &Objective,
    allowed: Vec<bool>,
    random: &mut Random,
    budget: &mut Budget,
) -> Result<(Tree, Vec<u32>)> {
    let fits = |tree: &Tree| tree.cost(problem).1 <= objective.largest;
    let free = Objective {
        largest: f64::INFINITY,
        ..*objective
    };
    if objective.largest == f64::INFINITY {
        return Ok((
            components::find_all(find, problem, &free, random, budget).tree,
            Vec::new(),
        ));
    }
    // First as if there was no limit, then with arrays above it counted as dearer.
    let mut share = |objective: &Objective, budget: &mut Budget| {
        let mut part = budget.part(0.3);
        let found = components::find_all(find, problem, objective, random, &mut part);
        budget.spend(part.done());
        found
    };
    let unlimited = share(&free, budget);
    let limited = share(objective, budget);
    let within: Vec<&Found> = [&unlimited, &limited]
        .into_iter()
        .filter(|found| fits(&found.tree))
        .collect();
    let best = within
        .into_iter()
        .min_by(|a, b| a.total.total_cmp(&b.total));
    if let Some(best) = best {
        let mut best = best.clone();
        best.improve(components::find_all(
            find, problem, objective, random, budget,
        ));
        if fits(&best.tree) {
            return Ok((best.tree, Vec::new()));
        }
    }
    let mut half = budget.part(0.5);
    let first = slice::fit(
        problem,
        &unlimited.tree,
        objective,
        allowed.clone(),
        random,
        &mut half,
    );
    budget.spend(half.done());
    let second = slice::fit(problem, &limited.tree, objective, allowed, random, budget);
    let best = match (first, second) {
        (Ok(first), Ok(second)) if second.total < first.total => second,
        (Ok(first), _) => first,
        (Err(_), second) => second?,
    };
    Ok((best.tree, best.labels))
}

/// A good tree with little work, which depends on the network alone: see [`crate::Search::Auto`].
pub(crate) fn quick(problem: &Problem) -> Tree {
    let mut budget = Budget::new(QUICK_WORK, None);
    let mut random = Random::new(0);
    components::find_all(quick_part, problem, &PRODUCTS, &mut random, &mut budget).tree
}

/// The best of greedy trees: see [`crate::Search::Greedy`].
pub(crate) fn greedy(problem: &Problem) -> Tree {
    greedy_within(problem, u64::MAX)
}

/// The best of as many greedy trees as so much work allows, at least one.
fn greedy_within(problem: &Problem, steps: u64) -> Tree {
    greedy::cheapest(
        problem,
        &PRODUCTS,
        greedy::TRIALS,
        &mut Random::new(0),
        &mut Budget::new(steps, None),
    )
    .tree
}

/// The best of all trees, or none if they are too many.
pub(crate) fn optimal(problem: &Problem) -> Option<Tree> {
    exact::best(problem, &PRODUCTS)
}

fn quick_part(
    problem: &Problem,
    objective: &Objective,
    random: &mut Random,
    budget: &mut Budget,
) -> Found {
    if problem.len() <= QUICK_EXACT
        && let Some(tree) = exact::best(problem, objective)
    {
        return Found::new(tree, problem, objective);
    }
    let count = problem.len() as u64;
    let mut pairs = Budget::new(QUICK_PAIRS.max(30 * count), None);
    let mut best = greedy::cheapest(problem, objective, QUICK_TRIALS, random, &mut pairs);
    budget.spend(pairs.done());
    let sweeps = QUICK_SWEEPS.min(QUICK_MOVES / count);
    // A chain of few moves for each operand must not start hot, as it does not get back to where it was.
    let from = (2.0 * sweeps as f64 / QUICK_SWEEPS as f64).max(0.1);
    let schedule = Schedule {
        moves: sweeps * count,
        from,
        to: 0.03,
    };
    for chain in 0..QUICK_CHAINS {
        let enough = if count <= SMALL { 2 } else { 1 };
        if chain >= enough && (best.total < LONG || budget.is_over()) {
            break;
        }
        let mut found = reconfigure::anneal(problem, &best, objective, schedule, random, budget);
        reconfigure::polish(problem, &mut found, objective, QUICK_WINDOW, budget);
        best.improve(found);
    }
    best
}

/// Up to so many operands of a connected part a quick search compares all orders.
pub(crate) const QUICK_EXACT: usize = 11;

/// How many greedy searches with chance a quick one has at most, and how many pairs they compare together; how many moves a
/// chain has for each operand and in all; the leaves of subtrees that are reordered.
///
/// Of the networks in `benches/data` none gets a tenth better with more of any of them.
const QUICK_TRIALS: usize = 32;
const QUICK_PAIRS: u64 = 1 << 16;
const QUICK_SWEEPS: u64 = 200;
const QUICK_MOVES: u64 = 1 << 16;
const QUICK_WINDOW: usize = 7;

/// How many chains there are at most; the operands up to which a second one takes a millisecond; and the logarithm of the
/// operations from which more are worth their time: what they take is seconds then.
const QUICK_CHAINS: usize = 4;
const SMALL: u64 = 64;
const LONG: f64 = 34.0;

/// The work of a quick search, which only networks of thousands of operands exhaust.
const QUICK_WORK: u64 = 1 << 22;

/// Only products count, and no array is too large.
const PRODUCTS: Objective = Objective {
    write: f64::NEG_INFINITY,
    largest: f64::INFINITY,
};

/// A good tree of few leaves without a search.
pub(crate) fn few(problem: &Problem) -> Tree {
    let exact = (problem.len() <= FEW).then(|| exact::best(problem, &PRODUCTS));
    exact.flatten().unwrap_or_else(|| greedy_within(problem, 0))
}

/// The best tree that was met.
fn find(
    problem: &Problem,
    objective: &Objective,
    random: &mut Random,
    budget: &mut Budget,
) -> Found {
    if problem.len() <= FEW
        && let Some(tree) = exact::best(problem, objective)
    {
        return Found::new(tree, problem, objective);
    }
    let mut best = greedy::cheapest(problem, objective, greedy::TRIALS, random, budget);
    let count = problem.len() as u64;
    // The first chains are short, so that a small budget gives something; longer ones find better trees.
    let mut length = FIRST_SWEEPS * count;
    let mut chain = 0;
    while let Some(moves) = budget.next_chain(length) {
        let start = if chain % 4 == 3 {
            let tree = greedy::trial(problem, random, budget);
            Found::new(tree, problem, objective)
        } else {
            best.clone()
        };
        let schedule = Schedule {
            moves,
            from: if chain % 4 == 1 { 0.4 } else { 2.0 },
            to: 0.03,
        };
        let mut found = reconfigure::anneal(problem, &start, objective, schedule, random, budget);
        reconfigure::polish(problem, &mut found, objective, reconfigure::WINDOW, budget);
        best.improve(found);
        chain += 1;
        if chain % 4 == 0 {
            length = length.saturating_mul(2);
        }
    }
    best
}

/// How many moves for each operand the first chain has.
const FIRST_SWEEPS: u64 = 400;
