//! Estimates: how many arithmetic operations a graph takes, and how many bytes its operations read and write.
//!
//! They are the textbook counts of the ops, not what any engine does: fused loops read less, and an `exp` is not one
//! operation of a processor. They serve to see what is large.

use serde::{Deserialize, Serialize};

use autojit_ir::{
    Body, ContractOp, ControlOp, Graph, IndexOp, LeafOp, LinalgOp, Op, Type, ValueId, ViewOp,
    derived,
};

/// Estimates for a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    /// Arithmetic operations: one for each element of an elementwise function, two for each product in a sum of products,
    /// n³ and the like for decompositions. Those of complex numbers count as one.
    pub operations: u64,
    /// Bytes that operations read and write, if each of them ran by itself. Views count nothing.
    pub bytes: u64,
}

pub(super) fn of_graph(graph: &Graph) -> Cost {
    let live = graph.live();
    let mut cost = Cost::default();
    for value in graph.values().filter(|v| live[v.index()]) {
        if let Op::Control(op) = &graph[value].op {
            let inside = of_control(op);
            cost.operations = cost.operations.saturating_add(inside.operations);
            cost.bytes = cost.bytes.saturating_add(inside.bytes);
            continue;
        }
        let (operations, moves) = of_node(graph, value);
        cost.operations = cost.operations.saturating_add(operations);
        if moves {
            let inputs = graph[value].inputs.iter().map(|&i| bytes(&graph[i].ty));
            let all = inputs.fold(bytes(&graph[value].ty), u64::saturating_add);
            cost.bytes = cost.bytes.saturating_add(all);
        }
    }
    cost
}

/// That of all iterations; of a loop that ends by itself that of one, and of a choice that of the most expensive branch.
fn of_control(op: &ControlOp) -> Cost {
    let of_body = |body: &Body| body.graph().map_or(Cost::default(), of_graph);
    match op {
        ControlOp::Scan { body, length, .. } => {
            let one = of_body(body);
            let times = |count: u64| count.saturating_mul(*length as u64);
            Cost {
                operations: times(one.operations),
                bytes: times(one.bytes),
            }
        }
        ControlOp::While { body, .. } => of_body(body),
        ControlOp::Switch { branches } => {
            let costs = branches.iter().map(of_body);
            costs.max_by_key(|cost| cost.operations).unwrap_or_default()
        }
    }
}

fn bytes(ty: &Type) -> u64 {
    let of_array =
        |ty: &autojit_ir::ArrayType| (ty.size() as u64).saturating_mul(ty.dtype.size() as u64);
    ty.arrays()
        .iter()
        .map(of_array)
        .fold(0, u64::saturating_add)
}

fn size(ty: &Type) -> u64 {
    ty.arrays()
        .iter()
        .map(|ty| ty.size() as u64)
        .fold(0, u64::saturating_add)
}

/// Operations, and whether memory is moved.
#[allow(
    clippy::unnested_or_patterns,
    reason = "the pattern of derived ops is one of alternatives"
)]
fn of_node(graph: &Graph, value: ValueId) -> (u64, bool) {
    let node = &graph[value];
    let out = size(&node.ty);
    let input = |i: usize| node.inputs.get(i).map_or(0, |&v| size(&graph[v].ty));
    let operations = match &node.op {
        Op::Leaf(LeafOp::Input { .. } | LeafOp::Literal { .. } | LeafOp::Constant { .. })
        | Op::Get { .. } => {
            return (0, false);
        }
        Op::View(
            ViewOp::Reshape { .. }
            | ViewOp::Transpose { .. }
            | ViewOp::BroadcastTo { .. }
            | ViewOp::Slice { .. },
        )
        | Op::Index(IndexOp::Getitem { .. }) => return (0, false),
        Op::Contract(ContractOp::Matmul | derived!(ContractOp)) => contraction(graph, value),
        Op::Linalg(
            LinalgOp::Svd { .. }
            | LinalgOp::Svdvals
            | LinalgOp::Eigh
            | LinalgOp::Eigvalsh
            | LinalgOp::Eig
            | LinalgOp::Eigvals
            | LinalgOp::Expm,
        ) => matrices(graph, value).saturating_mul(20),
        Op::Linalg(
            LinalgOp::Qr { .. }
            | LinalgOp::Cholesky
            | LinalgOp::Lu
            | LinalgOp::Inv
            | LinalgOp::Det
            | LinalgOp::Slogdet
            | LinalgOp::Solve
            | LinalgOp::SolveTriangular { .. }
            | LinalgOp::Lstsq { .. },
        ) => matrices(graph, value),
        Op::Linalg(LinalgOp::Pinv { .. }) => matrices(graph, value).saturating_mul(20),
        Op::Map(op) if op.is_elementwise() => out,
        // Reductions, scans, sorts: each element of the input once. Joins and gathers only move.
        Op::Map(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Index(IndexOp::Take { .. } | IndexOp::ScatterFlat { .. } | derived!(IndexOp))
        | Op::Join(_)
        | Op::Linalg(derived!(LinalgOp))
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Random { .. }
        | Op::Opaque { .. } => match input(0) {
            all if all > out => all,
            _ => 0,
        },
    };
    (operations, true)
}

/// Twice the products: for two operands the square root of the three sizes multiplied, whatever the subscripts.
fn contraction(graph: &Graph, value: ValueId) -> u64 {
    let node = &graph[value];
    let sizes = node.inputs.iter().map(|&i| size(&graph[i].ty) as f64);
    let product = sizes.product::<f64>() * size(&node.ty) as f64;
    2 * product.sqrt().round() as u64
}

/// The elements of the matrices times their smaller side.
fn matrices(graph: &Graph, value: ValueId) -> u64 {
    let Some(&matrix) = graph[value].inputs.first() else {
        return 0;
    };
    let [ty] = graph[matrix].ty.arrays() else {
        return 0;
    };
    let smaller = ty.shape.iter().rev().take(2).min().copied().unwrap_or(0);
    (ty.size() as u64).saturating_mul(smaller as u64)
}
