//! Chains of matrix products in the order that takes the fewest multiplications.
//!
//! A pass of its own, run only if asked for: another order rounds otherwise. What counts as one chain are products of
//! two matrices of one dtype, of which those inside are used nowhere else.
//!
//! Source: the dynamic programme for matrix chains, as in Cormen et al., "Introduction to Algorithms".

use rustc_hash::FxHashMap;

use super::rewrite::rebuild;
use crate::error::{Error, Result};
use crate::{ContractOp, DType, Graph, Op, ValueId};

/// Longer chains are left alone: the search takes the third power of the length.
const LONGEST: usize = 64;

/// The graph with its chains reordered.
pub(super) fn reorder(graph: Graph) -> Result<Graph> {
    let chains = chains(&graph);
    rebuild(graph, |new, node, map| {
        let Some(chain) = chains.get(&ValueId(map.len() as u32)) else {
            return Ok(new.insert_node(node));
        };
        let factors: Vec<ValueId> = chain.iter().map(|factor| map[factor.index()]).collect();
        let mut sizes = Vec::with_capacity(factors.len() + 1);
        for &factor in &factors {
            let shape = &new.ty(factor)?.shape;
            sizes.resize(sizes.len().max(1), shape[0]);
            sizes.push(shape[1]);
        }
        let mut products = factors;
        for position in order(&sizes) {
            let pair = [products[position], products.remove(position + 1)];
            products[position] =
                new.push(Op::Contract(ContractOp::Matmul), &pair, node.location)?;
        }
        let lost = || Error::internal("a chain of products without a result");
        products.first().copied().ok_or_else(lost)
    })
}

/// The factors of each chain of three or more, by its last product.
fn chains(graph: &Graph) -> FxHashMap<ValueId, Vec<ValueId>> {
    let live = graph.live();
    let mut uses = vec![0u32; graph.nodes().len()];
    for value in graph.values().filter(|v| live[v.index()]) {
        for input in &graph[value].inputs {
            uses[input.index()] += 1;
        }
    }
    for output in graph.outputs() {
        uses[output.index()] += 1;
    }
    let mut inside = vec![false; graph.nodes().len()];
    let mut chains = FxHashMap::default();
    // From the last, so that a chain is found by its end.
    for value in graph.values().rev().filter(|v| live[v.index()]) {
        let Some(dtype) = product(graph, value) else {
            continue;
        };
        if inside[value.index()] {
            continue;
        }
        let (mut factors, mut stack) = (Vec::new(), vec![value]);
        while let Some(next) = stack.pop() {
            let is_root = next == value;
            let is_inside = uses[next.index()] == 1 && product(graph, next) == Some(dtype);
            if is_root || is_inside {
                inside[next.index()] = !is_root;
                stack.extend(graph[next].inputs.iter().rev());
            } else {
                factors.push(next);
            }
        }
        if (3..=LONGEST).contains(&factors.len()) {
            chains.insert(value, factors);
        }
    }
    chains
}

/// The dtype of a product of two matrices of that dtype.
fn product(graph: &Graph, value: ValueId) -> Option<DType> {
    let node = &graph[value];
    let dtype = node.ty.array().ok()?.dtype;
    let matrix = |v: &ValueId| {
        let ty = graph.ty(*v);
        ty.is_ok_and(|ty| ty.ndim() == 2 && ty.dtype == dtype)
    };
    (node.op == Op::Contract(ContractOp::Matmul) && node.inputs.iter().all(matrix)).then_some(dtype)
}

/// For matrices of sizes `sizes[i]` by `sizes[i + 1]`, which neighbours to multiply, one product after the other, by
/// their position among what is left.
fn order(sizes: &[usize]) -> Vec<usize> {
    let count = sizes.len() - 1;
    let size = |i: usize| sizes[i] as f64;
    // The cost of the product of the matrices from `i` to `j`, and after which one to divide it.
    let mut best = vec![vec![(0.0, 0); count]; count];
    for length in 1..count {
        for i in 0..count - length {
            let j = i + length;
            let cost = |k: usize| {
                let product = size(i) * size(k + 1) * size(j + 1);
                best[i][k].0 + best[k + 1][j].0 + product
            };
            let costs = (i..j).map(|k| (cost(k), k));
            best[i][j] = costs.fold((f64::INFINITY, i), |a, b| if b.0 < a.0 { b } else { a });
        }
    }
    // Products inside of others come first; the left one of two that are independent.
    let (mut stack, mut products) = (vec![(0, count - 1)], Vec::new());
    while let Some((i, j)) = stack.pop() {
        if i < j {
            let (_, k) = best[i][j];
            products.push((i, k));
            stack.extend([(i, k), (k + 1, j)]);
        }
    }
    products.reverse();
    // What stands at which position when its turn comes: matrices to the left that are still apart.
    let mut joined = vec![false; count];
    let mut positions = Vec::with_capacity(products.len());
    for (i, k) in products {
        let position = (1..=i).filter(|&m| !joined[m]).count();
        positions.push(position);
        joined[k + 1] = true;
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn the_cheapest_order_is_found() {
        // (a b) c, a (b c), and one where the middle comes first.
        assert_eq!(order(&[1, 9, 9, 9]), [0, 0]);
        assert_eq!(order(&[9, 9, 9, 1]), [1, 0]);
        assert_eq!(order(&[9, 1, 9, 1, 9]).len(), 3);
        assert_eq!(order(&[10, 100, 5, 50]), [0, 0]);
        assert_eq!(order(&[30, 35, 15, 5, 10, 20, 25]), [1, 0, 1, 1, 0]);
    }
}
