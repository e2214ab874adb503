//! Parts of a network that share no label: each is ordered alone, then their results are multiplied, smallest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Budget, Found, Objective};
use crate::random::Random;
use crate::tree::{Problem, Tree, union};

/// A search of a connected network.
pub(super) type Find = fn(&Problem, &Objective, &mut Random, &mut Budget) -> Found;

/// The best tree that was met, with each connected part ordered alone.
pub(super) fn find_all(
    find: Find,
    problem: &Problem,
    objective: &Objective,
    random: &mut Random,
    budget: &mut Budget,
) -> Found {
    let parts = parts(problem);
    if parts.len() <= 1 {
        return find(problem, objective, random, budget);
    }
    let leaves = problem.len();
    let mut children: Vec<[u32; 2]> = Vec::with_capacity(leaves - 1);
    let mut roots = BinaryHeap::new();
    let mut sets: Vec<Vec<u32>> = Vec::new();
    let mut remaining = leaves;
    for part in parts {
        let inside = part.iter().fold(Vec::new(), |all: Vec<u32>, &leaf| {
            union(&all, &problem.leaves[leaf as usize])
        });
        let output = problem.output.iter().copied();
        let local = Problem {
            leaves: part
                .iter()
                .map(|&i| problem.leaves[i as usize].clone())
                .collect(),
            output: output
                .filter(|label| inside.binary_search(label).is_ok())
                .collect(),
            logs: problem.logs.clone(),
        };
        let mut own = budget.part(part.len() as f64 / remaining as f64);
        let found = find(&local, objective, random, &mut own);
        budget.spend(own.done());
        remaining -= part.len();
        let start = children.len();
        let node = |child: u32| match (child as usize).checked_sub(part.len()) {
            None => part[child as usize],
            Some(inner) => (leaves + start + inner) as u32,
        };
        children.extend(found.tree.children.iter().map(|pair| pair.map(node)));
        let root = node((part.len() + found.tree.children.len()) as u32 - 1);
        roots.push(Reverse(Root {
            log: problem.log(&local.output),
            set: sets.len(),
            node: root,
        }));
        sets.push(local.output);
    }
    while let (Some(Reverse(x)), Some(Reverse(y))) = (roots.pop(), roots.pop()) {
        children.push([x.node, y.node]);
        let set = union(&sets[x.set], &sets[y.set]);
        roots.push(Reverse(Root {
            log: problem.log(&set),
            set: sets.len(),
            node: (leaves + children.len()) as u32 - 1,
        }));
        sets.push(set);
    }
    Found::new(Tree { leaves, children }, problem, objective)
}

/// The result of a part.
struct Root {
    log: f64,
    set: usize,
    node: u32,
}

impl PartialEq for Root {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Root {}

impl PartialOrd for Root {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Root {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.log
            .total_cmp(&other.log)
            .then(self.node.cmp(&other.node))
    }
}

/// The leaves of each connected part, in order.
fn parts(problem: &Problem) -> Vec<Vec<u32>> {
    let mut parent: Vec<u32> = (0..problem.len() as u32).collect();
    fn root(parent: &mut [u32], mut leaf: u32) -> u32 {
        while parent[leaf as usize] != leaf {
            let above = parent[parent[leaf as usize] as usize];
            parent[leaf as usize] = above;
            leaf = above;
        }
        leaf
    }
    let mut first: Vec<Option<u32>> = vec![None; problem.logs.len()];
    for (i, leaf) in problem.leaves.iter().enumerate() {
        for &label in leaf {
            let other = *first[label as usize].get_or_insert(i as u32);
            let (x, y) = (root(&mut parent, other), root(&mut parent, i as u32));
            parent[x.max(y) as usize] = x.min(y);
        }
    }
    let mut places: Vec<Option<usize>> = vec![None; problem.len()];
    let mut parts: Vec<Vec<u32>> = Vec::new();
    for leaf in 0..problem.len() as u32 {
        let root = root(&mut parent, leaf) as usize;
        let place = *places[root].get_or_insert_with(|| {
            parts.push(Vec::new());
            parts.len() - 1
        });
        parts[place].push(leaf);
    }
    parts
}
