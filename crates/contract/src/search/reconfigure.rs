//! Windows: connected parts of a tree, each a small problem of its own, solved exactly or annealed.
//!
//! Source: Gray and Kourtis, "Hyper-optimized tensor network contraction" (2021), subtree reconfiguration.

use rustc_hash::FxHashMap;

use super::anneal::{self, Schedule};
use super::{Budget, Found, Objective, exact};
use crate::random::Random;
use crate::tree::{Problem, Tree, log_sum, ordered};

/// How many leaves a window that is solved exactly has.
pub(super) const WINDOW: usize = 9;

/// How many moves of a chain one window is worth, by the time both take.
const WINDOW_MOVES: u64 = 2000;

/// A tree that is changed in place.
struct Workspace<'a> {
    problem: &'a Problem,
    objective: &'a Objective,
    children: Vec<[u32; 2]>,
    sets: Vec<Vec<u32>>,
    costs: Vec<f64>,
    leaves: usize,
}

/// A part of a tree: its leaves are the nodes `frontier`, the contractions between them and its root `inner`.
struct Window {
    frontier: Vec<u32>,
    inner: Vec<usize>,
}

impl<'a> Workspace<'a> {
    fn new(problem: &'a Problem, tree: &Tree, objective: &'a Objective) -> Self {
        let labelled = tree.labelled(problem);
        let costs = labelled.unions.iter().zip(&labelled.sets[problem.len()..]);
        let costs = costs.map(|(union, set)| objective.of(problem.log(union), problem.log(set)));
        Self {
            problem,
            objective,
            costs: costs.collect(),
            children: tree.children.clone(),
            sets: labelled.sets,
            leaves: problem.len(),
        }
    }

    fn inner(&self, node: u32) -> Option<usize> {
        (node as usize).checked_sub(self.leaves)
    }

    /// The contractions in an order in which children are first.
    fn order(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.children.len());
        let mut stack = vec![self.sets.len() as u32 - 1];
        while let Some(node) = stack.pop() {
            if let Some(i) = self.inner(node) {
                order.push(i);
                stack.extend(self.children[i]);
            }
        }
        order.reverse();
        order
    }

    /// The window below contraction `root` with about so many leaves: the dearest contraction is opened first.
    fn window(&self, root: usize, leaves: usize) -> Window {
        let mut frontier = self.children[root].to_vec();
        let mut inner = vec![root];
        while frontier.len() < leaves {
            let open = frontier.iter().enumerate();
            let open = open.filter_map(|(at, &node)| self.inner(node).map(|i| (at, i)));
            let dearest = open.max_by(|a, b| self.costs[a.1].total_cmp(&self.costs[b.1]));
            let Some((at, i)) = dearest else {
                break;
            };
            frontier.swap_remove(at);
            frontier.extend(self.children[i]);
            inner.push(i);
        }
        Window { frontier, inner }
    }

    /// The window as a problem of its own.
    fn local(&self, window: &Window) -> Problem {
        let mut numbers: FxHashMap<u32, u32> = FxHashMap::default();
        let mut logs = Vec::new();
        let mut rename = |labels: &Vec<u32>| -> Vec<u32> {
            let mut set: Vec<u32> = labels
                .iter()
                .map(|&label| {
                    *numbers.entry(label).or_insert_with(|| {
                        logs.push(self.problem.logs[label as usize]);
                        logs.len() as u32 - 1
                    })
                })
                .collect();
            set.sort_unstable();
            set
        };
        let leaves = window.frontier.iter();
        let leaves = leaves.map(|&node| rename(&self.sets[node as usize]));
        let leaves = leaves.collect();
        let output = rename(&self.sets[self.leaves + window.inner[0]]);
        Problem {
            leaves,
            output,
            logs,
        }
    }

    fn total(&self, window: &Window) -> f64 {
        let costs: Vec<f64> = window.inner.iter().map(|&i| self.costs[i]).collect();
        log_sum(costs.iter().copied())
    }

    /// Puts a tree of the window's leaves into its place.
    fn replace(&mut self, window: &Window, local: &Problem, tree: &Tree) {
        let labelled = tree.labelled(local);
        let mut names: FxHashMap<u32, u32> = FxHashMap::default();
        for label in window.frontier.iter().flat_map(|&n| &self.sets[n as usize]) {
            let next = names.len() as u32;
            // As `local` numbers them.
            names.entry(*label).or_insert(next);
        }
        let mut labels = vec![0; names.len()];
        names
            .iter()
            .for_each(|(&label, &number)| labels[number as usize] = label);
        // The root of the window is the first of its contractions, and the last of the tree.
        let place = |i: usize| window.inner[window.inner.len() - 1 - i];
        for (i, pair) in tree.children.iter().enumerate() {
            let node = |child: u32| match (child as usize).checked_sub(tree.leaves) {
                None => window.frontier[child as usize],
                Some(i) => (self.leaves + place(i)) as u32,
            };
            let at = place(i);
            let size = local.log(&labelled.sets[tree.leaves + i]);
            self.costs[at] = self.objective.of(local.log(&labelled.unions[i]), size);
            self.children[at] = pair.map(node);
            let own = labelled.sets[tree.leaves + i].iter();
            let mut own: Vec<u32> = own.map(|&label| labels[label as usize]).collect();
            own.sort_unstable();
            self.sets[self.leaves + at] = own;
        }
    }

    fn finish(self) -> Tree {
        let root = self.sets.len() as u32 - 1;
        ordered(self.leaves, root, &self.children, |_| false)
    }
}

/// Solves windows everywhere in the tree until none improves it, or the budget is spent.
pub(crate) fn polish(
    problem: &Problem,
    found: &mut Found,
    objective: &Objective,
    leaves: usize,
    budget: &mut Budget,
) {
    if problem.len() < 3 {
        return;
    }
    let mut workspace = Workspace::new(problem, &found.tree, objective);
    let root = workspace.children.len() - 1;
    // Contractions whose windows did not change since they were solved.
    let mut settled = vec![false; workspace.children.len()];
    'rounds: loop {
        let mut improved = false;
        for i in workspace.order() {
            if std::mem::replace(&mut settled[i], true) {
                continue;
            }
            if budget.is_over() {
                break 'rounds;
            }
            let window = workspace.window(i, leaves);
            if window.inner.len() < 2 {
                continue;
            }
            budget.spend(WINDOW_MOVES);
            let local = workspace.local(&window);
            let Some(tree) = exact::best(&local, objective) else {
                continue;
            };
            let total = objective.total(&local, &tree);
            if total < workspace.total(&window) - 1e-9 {
                workspace.replace(&window, &local, &tree);
                improved = true;
                window.inner.iter().for_each(|&i| settled[i] = false);
            }
        }
        if !improved {
            break;
        }
    }
    debug_assert_eq!(workspace.sets[problem.len() + root], problem.output);
    let tree = workspace.finish();
    found.improve(Found::new(tree, problem, objective));
}

/// How many leaves a window has that is annealed.
const ANNEALED: usize = 400;

/// The best tree that a chain of annealing meets; networks with too many labels for one set by windows.
pub(crate) fn anneal(
    problem: &Problem,
    start: &Found,
    objective: &Objective,
    schedule: Schedule,
    random: &mut Random,
    budget: &mut Budget,
) -> Found {
    if anneal::fits(problem) {
        anneal::run(problem, start, objective, schedule, random, budget)
    } else {
        anneal_windows(problem, start, objective, schedule, random, budget)
    }
}

/// Anneals one window after the other.
fn anneal_windows(
    problem: &Problem,
    start: &Found,
    objective: &Objective,
    schedule: Schedule,
    random: &mut Random,
    budget: &mut Budget,
) -> Found {
    let mut workspace = Workspace::new(problem, &start.tree, objective);
    let windows = (2 * problem.len() / ANNEALED + 1) as u64;
    let schedule = Schedule {
        moves: schedule.moves / windows,
        ..schedule
    };
    for _ in 0..windows {
        if budget.is_over() {
            break;
        }
        let root = random.below(workspace.children.len());
        // Windows shrink until their labels fit, which those of two contractions need not.
        let mut leaves = ANNEALED;
        let (window, local) = loop {
            let window = workspace.window(root, leaves);
            let local = workspace.local(&window);
            if local.logs.len() <= anneal::MOST_LABELS || leaves <= 4 {
                break (window, local);
            }
            leaves /= 2;
        };
        if window.inner.len() < 2 || local.logs.len() > anneal::MOST_LABELS {
            budget.spend(window.inner.len() as u64);
            continue;
        }
        let Some(tree) = workspace.local_tree(&window) else {
            continue;
        };
        let before = Found::new(tree, &local, objective);
        let found = anneal::run(&local, &before, objective, schedule, random, budget);
        if found.total < before.total {
            workspace.replace(&window, &local, &found.tree);
        }
    }
    let mut found = start.clone();
    let tree = workspace.finish();
    found.improve(Found::new(tree, problem, objective));
    found
}

impl Workspace<'_> {
    /// The present tree of a window.
    fn local_tree(&self, window: &Window) -> Option<Tree> {
        let leaves = window.frontier.len();
        let mut names: FxHashMap<u32, u32> = FxHashMap::default();
        for (i, &node) in window.frontier.iter().enumerate() {
            names.insert(node, i as u32);
        }
        let mut children = Vec::with_capacity(window.inner.len());
        // Contractions were opened from the root down.
        for &i in window.inner.iter().rev() {
            let [x, y] = self.children[i];
            children.push([*names.get(&x)?, *names.get(&y)?]);
            names.insert(
                (self.leaves + i) as u32,
                (leaves + children.len()) as u32 - 1,
            );
        }
        Some(Tree { leaves, children })
    }
}
