//! Derivatives cost a multiple of what the function costs, whatever its size.

use super::super::{jvp, vjp};
use crate::{ArrayType, DType, Graph, MapOp, Op, ValueId};

/// Nodes, and elements of all their results.
fn size(graph: &Graph) -> (usize, usize) {
    let elements = graph.nodes().iter().map(|node| {
        let types = node.ty.arrays().iter();
        types.map(ArrayType::size).sum::<usize>()
    });
    (graph.nodes().len(), elements.sum())
}

fn vector(n: usize) -> (Graph, ValueId) {
    let mut graph = Graph::new();
    let x = graph.add_input(ArrayType::new(DType::Float64, &[n]));
    (graph, x)
}

/// `x <- tanh(x x + x)`, n times.
fn chain(n: usize) -> Graph {
    let (mut graph, mut x) = vector(3);
    for _ in 0..n {
        let square = graph.push(MapOp::Multiply.into(), &[x, x], None).unwrap();
        let sum = graph.push(MapOp::Add.into(), &[square, x], None).unwrap();
        x = graph.push(MapOp::Tanh.into(), &[sum], None).unwrap();
    }
    graph.set_outputs(vec![x]);
    graph
}

/// The sum of the sines of all elements, taken one by one.
fn elements(n: usize) -> Graph {
    let (mut graph, x) = vector(n);
    let mut sum = graph.add_literal(0, DType::Float64);
    for i in 0..n {
        let key = Op::parse("getitem", &[("key", &format!("({i})"))]).unwrap();
        let element = graph.push(key, &[x], None).unwrap();
        let sine = graph.push(MapOp::Sin.into(), &[element], None).unwrap();
        sum = graph.push(MapOp::Add.into(), &[sum, sine], None).unwrap();
    }
    graph.set_outputs(vec![sum]);
    graph
}

/// The rows of a square matrix, each multiplied with the one before it.
fn rows(n: usize) -> Graph {
    let mut graph = Graph::new();
    let x = graph.add_input(ArrayType::new(DType::Float64, &[n, n]));
    let mut outputs = Vec::new();
    let row = |graph: &mut Graph, i: usize| {
        let key = Op::parse("getitem", &[("key", &format!("({i},:)"))]).unwrap();
        graph.push(key, &[x], None).unwrap()
    };
    for i in 1..n {
        let pair = [row(&mut graph, i - 1), row(&mut graph, i)];
        outputs.push(graph.push(MapOp::Multiply.into(), &pair, None).unwrap());
    }
    graph.set_outputs(outputs);
    graph
}

#[test]
fn derivatives_grow_with_the_graph() {
    for make in [chain, elements, rows] {
        let (small, large) = (make(16), make(64));
        let all = |graph: &Graph| (0..graph.outputs().len()).collect::<Vec<_>>();
        for derivative in [vjp, jvp] {
            let cost = |graph: &Graph| size(&derivative(graph, &[0], &all(graph)).unwrap());
            let growth = |small: usize, large: usize| large as f64 / small as f64;
            let (before, after) = (size(&small), size(&large));
            let (first, second) = (cost(&small), cost(&large));
            let (nodes, elements) = (growth(first.0, second.0), growth(first.1, second.1));
            assert!(
                nodes < 1.1 * growth(before.0, after.0),
                "{first:?} {second:?}"
            );
            assert!(
                elements < 1.1 * growth(before.1, after.1),
                "{first:?} {second:?}"
            );
            let factor = growth(after.0, second.0);
            assert!(factor < 5.0, "{factor} times the nodes");
            let factor = growth(after.1, second.1);
            assert!(factor < 5.0, "{factor} times the elements");
        }
    }
}
