//! Work that a loop need not do in each iteration: results of a `scan` that nothing reads, arrays that the body does not look at, and values
//! that are the same in all iterations, which are computed once before the loop.
//!
//! All of it is exact. Nothing is moved out of a loop without iterations, which computes nothing; out of a
//! `while_loop`, which may have none, only what cannot fail; elementwise functions of a few
//! numbers stay, as they cost less than an array more, and so do views, which cost nothing.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::body::Body;
use crate::error::Result;
use crate::{ControlOp, Graph, LeafOp, Node, Op, ValueId};

/// The smallest array whose elementwise functions are moved.
const LEAST: usize = 16;

/// No value.
const NONE: ValueId = ValueId(u32::MAX);

/// Whether there is a loop in a graph.
pub(super) fn has_loops(graph: &Graph) -> bool {
    graph.any_nested(|op| {
        matches!(
            op,
            Op::Control(ControlOp::Scan { .. } | ControlOp::While { .. })
        )
    })
}

/// How often each was done.
#[derive(Default)]
struct Counts {
    results: usize,
    inputs: usize,
    moved: usize,
}

/// The graph with smaller loops, and what was done.
///
/// # Errors
/// There is an internal error.
pub(super) fn reduce(graph: &Graph) -> Result<(Graph, Vec<(&'static str, usize)>)> {
    let mut counts = Counts::default();
    let graph = reduced(graph, &mut counts)?;
    let done = [
        ("unused_result", counts.results),
        ("unused_input", counts.inputs),
        ("invariant", counts.moved),
    ];
    Ok((
        graph,
        done.into_iter().filter(|(_, count)| *count > 0).collect(),
    ))
}

fn reduced(graph: &Graph, counts: &mut Counts) -> Result<Graph> {
    let live = graph.live();
    let mut used: FxHashMap<ValueId, Vec<bool>> = FxHashMap::default();
    for value in graph.values().filter(|v| live[v.index()]) {
        let node = &graph[value];
        if let Op::Get { index } = node.op {
            let tuple = node.inputs[0];
            let count = graph[tuple].ty.arrays().len();
            used.entry(tuple).or_insert_with(|| vec![false; count])[index] = true;
        }
    }
    let mut new = graph.same_inputs();
    let mut map: Vec<ValueId> = Vec::with_capacity(live.len());
    // Where the results of a loop are that has fewer.
    let mut places: FxHashMap<ValueId, Vec<usize>> = FxHashMap::default();
    for value in graph.values() {
        let node = &graph[value];
        if !live[value.index()] {
            map.push(NONE);
            continue;
        }
        let mut inputs: SmallVec<[ValueId; 4]> =
            node.inputs.iter().map(|i| map[i.index()]).collect();
        map.push(match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => {
                let value = ValueId(*index as u32);
                new.locate(value, node.location);
                value
            }
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                let value = new.add_constant(graph.constants()[*index].clone());
                new.locate(value, node.location);
                value
            }
            Op::Leaf(LeafOp::Literal { value }) => new.add_literal(value.value, value.dtype),
            Op::Get { index } => {
                let places = places.get(&node.inputs[0]);
                let index = places.map_or(*index, |places| places[*index]);
                new.insert(Op::Get { index }, &inputs, node.ty.clone(), node.location)
            }
            Op::Control(ControlOp::Scan { .. }) => {
                let used = used.get(&value).map(Vec::as_slice);
                let (op, kept) = scan(&mut new, node, &mut inputs, used.unwrap_or(&[]), counts)?;
                places.insert(value, kept);
                new.push(op.into(), &inputs, node.location)?
            }
            Op::Control(ControlOp::While { .. }) => {
                let op = repeated(&mut new, node, &mut inputs, counts)?;
                new.push(op.into(), &inputs, node.location)?
            }
            op => {
                let op = op.map_graphs(|graph| reduced(graph, counts))?;
                new.insert(op, &inputs, node.ty.clone(), node.location)
            }
        });
    }
    new.set_outputs(graph.outputs().iter().map(|o| map[o.index()]).collect());
    Ok(new)
}

/// The loop with fewer results and inputs, and where its results are.
fn scan(
    outer: &mut Graph,
    node: &Node,
    inputs: &mut SmallVec<[ValueId; 4]>,
    used: &[bool],
    counts: &mut Counts,
) -> Result<(ControlOp, Vec<usize>)> {
    let Op::Control(ControlOp::Scan {
        body,
        carry,
        xs,
        length,
        reverse,
    }) = &node.op
    else {
        return Err(crate::Error::internal("expected a scan"));
    };
    let mut body = reduced(body.graph()?, counts)?;
    let mut places = Vec::with_capacity(body.outputs().len());
    let mut outputs: Vec<ValueId> = Vec::new();
    for (index, &output) in body.outputs().iter().enumerate() {
        places.push(outputs.len());
        if index < *carry || used.get(index) == Some(&true) {
            outputs.push(output);
        } else {
            counts.results += 1;
        }
    }
    body.set_outputs(outputs);
    let moved = match length {
        0 => Vec::new(),
        _ => movable(&body, carry + xs, &|_, _| true),
    };
    let live = live_beyond(&body, &moved);
    let is_read = body.live_inputs(&live);
    let mut outside = body.clone();
    outside.set_outputs(moved.clone());
    let values = outer.inline_live(&outside, inputs, node.location);
    counts.moved += moved.len();

    // The body with what was moved as inputs, and without those that it does not read.
    let mut new = Graph::new();
    let mut given: SmallVec<[ValueId; 4]> = SmallVec::new();
    let mut new_inputs = vec![NONE; body.input_types().len()];
    let mut elements = 0;
    for (index, ty) in body.input_types().iter().enumerate() {
        if index >= *carry && !is_read[index] {
            counts.inputs += 1;
            continue;
        }
        new_inputs[index] = new.add_input(ty.clone());
        elements += usize::from((*carry..carry + xs).contains(&index));
        given.push(inputs[index]);
    }
    let mut moved_inputs = Vec::with_capacity(moved.len());
    for &value in &moved {
        moved_inputs.push((value, new.add_input(body.ty(value)?.clone())));
    }
    given.extend(values);
    let outputs = new.inline_rest(&body, &live, &new_inputs, &moved_inputs);
    new.set_outputs(outputs);
    *inputs = given;
    let op = ControlOp::Scan {
        body: Body::new(new)?,
        carry: *carry,
        xs: elements,
        length: *length,
        reverse: *reverse,
    };
    Ok((op, places))
}

/// The loop without what its condition and its body compute anew though it is the same in all iterations.
fn repeated(
    outer: &mut Graph,
    node: &Node,
    inputs: &mut SmallVec<[ValueId; 4]>,
    counts: &mut Counts,
) -> Result<ControlOp> {
    let Op::Control(ControlOp::While {
        condition,
        body,
        carry,
        limit,
    }) = &node.op
    else {
        return Err(crate::Error::internal("expected a while_loop"));
    };
    let mut graphs = Vec::with_capacity(2);
    let mut is_read = vec![false; inputs.len()];
    for graph in [condition, body] {
        let graph = reduced(graph.graph()?, counts)?;
        let moved = movable(&graph, *carry, &cannot_fail);
        let live = live_beyond(&graph, &moved);
        for (all, read) in is_read.iter_mut().zip(graph.live_inputs(&live)) {
            *all |= read;
        }
        graphs.push((graph, moved, live));
    }
    let mut given: SmallVec<[ValueId; 4]> = SmallVec::new();
    let mut kept = Vec::new();
    for (index, &input) in inputs.iter().enumerate() {
        if index < *carry || is_read[index] {
            given.push(input);
            kept.push(index);
        } else {
            counts.inputs += 1;
        }
    }
    let mut types = Vec::new();
    for (graph, moved, _) in &graphs {
        let mut outside = graph.clone();
        outside.set_outputs(moved.clone());
        given.extend(outer.inline_live(&outside, inputs, node.location));
        counts.moved += moved.len();
        for &value in moved {
            types.push(graph.ty(value)?.clone());
        }
    }
    // Both take what was moved out of either.
    let mut bodies = Vec::with_capacity(2);
    let mut first = 0;
    for (graph, moved, live) in &graphs {
        let mut new = Graph::new();
        let mut new_inputs = vec![NONE; graph.input_types().len()];
        for &index in &kept {
            new_inputs[index] = new.add_input(graph.input_types()[index].clone());
        }
        let others: Vec<ValueId> = types.iter().map(|ty| new.add_input(ty.clone())).collect();
        let own = moved.iter().copied().zip(others[first..].iter().copied());
        first += moved.len();
        let outputs = new.inline_rest(graph, live, &new_inputs, &own.collect::<Vec<_>>());
        new.set_outputs(outputs);
        bodies.push(Body::new(new)?);
    }
    *inputs = given;
    let lost = || crate::Error::internal("a loop lost a body");
    let body = bodies.pop().ok_or_else(lost)?;
    Ok(ControlOp::While {
        condition: bodies.pop().ok_or_else(lost)?,
        body,
        carry: *carry,
        limit: *limit,
    })
}

/// Whether computing it before the loop can be no error of a loop without iterations.
fn cannot_fail(body: &Graph, value: ValueId) -> bool {
    match &body[value].op {
        Op::Map(op) => body.ty(value).is_ok_and(|ty| !op.can_fail(ty.dtype)),
        Op::Leaf(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::View(_)
        | Op::Join(_)
        | Op::Fourier(_)
        | Op::Random { .. } => true,
        Op::Index(_) | Op::Linalg(_) | Op::Control(_) | Op::Get { .. } | Op::Opaque { .. } => false,
    }
}

/// The values that are computed before the loop: the last ones of those that are the same in all iterations, where a condition holds of
/// them and of what they are computed of.
fn movable(
    body: &Graph,
    differ: usize,
    condition: &dyn Fn(&Graph, ValueId) -> bool,
) -> Vec<ValueId> {
    let mut same = vec![true; body.nodes().len()];
    let mut moves = vec![false; body.nodes().len()];
    for value in body.values() {
        let node = &body[value];
        let index = value.index();
        same[index] = match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => *index >= differ,
            // What a user registered runs in each iteration.
            op => {
                condition(body, value)
                    && !op.any(&|op| matches!(op, Op::Opaque { .. }))
                    && node.inputs.iter().all(|input| same[input.index()])
            }
        };
        moves[index] = same[index]
            && match &node.op {
                Op::Leaf(_) | Op::View(_) => false,
                Op::Map(_) => body.ty(value).is_ok_and(|ty| ty.size() >= LEAST),
                Op::Reduce(_)
                | Op::Scan(_)
                | Op::Sort(_)
                | Op::Contract(_)
                | Op::Index(_)
                | Op::Join(_)
                | Op::Linalg(_)
                | Op::Fourier(_)
                | Op::Control(_)
                | Op::Get { .. }
                | Op::Random { .. }
                | Op::Opaque { .. } => body.ty(value).is_ok(),
            };
    }
    let candidates: Vec<ValueId> = body.values().filter(|v| moves[v.index()]).collect();
    let reached = live_beyond(body, &candidates);
    candidates
        .into_iter()
        .filter(|value| reached[value.index()])
        .collect()
}

/// Which values the results depend on, where those in `known` depend on nothing.
fn live_beyond(graph: &Graph, known: &[ValueId]) -> Vec<bool> {
    let mut is_known = vec![false; graph.nodes().len()];
    for value in known {
        is_known[value.index()] = true;
    }
    graph.live_beyond(|value| is_known[value.index()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, HostArray, Scalar};

    #[test]
    fn what_nothing_needs_goes_and_what_is_the_same_is_computed_once() {
        // Carried: a vector; elements: two, of which one is read; a matrix whose square is the same in all iterations.
        let body = "%c = input index=0 ty=f64[2]
%x = input index=1 ty=f64[]
%y = input index=2 ty=f64[]
%a = input index=3 ty=f64[2,2]
%b = matmul %a %a
%1 = matmul %b %c
%2 = add %1 %x
%3 = sum axes=[0] keepdims=false %2
%4 = multiply %y %y
return %2 %3 %4";
        let body: Graph = body.parse().unwrap();
        let mut graph = Graph::new();
        let types = ["f64[2]", "f64[3]", "f64[3]", "f64[2,2]"];
        let inputs = types.map(|ty| graph.add_input(ty.parse().unwrap()));
        let op = ControlOp::Scan {
            body: Body::new(body).unwrap(),
            carry: 1,
            xs: 2,
            length: 3,
            reverse: false,
        };
        let tuple = graph.push(op.into(), &inputs, None).unwrap();
        let get = |graph: &mut Graph, index| graph.push(Op::Get { index }, &[tuple], None).unwrap();
        let outputs = vec![get(&mut graph, 1), get(&mut graph, 0)];
        graph.set_outputs(outputs);
        let (new, done) = reduce(&graph).unwrap();
        assert_eq!(
            done,
            [("unused_result", 1), ("unused_input", 2), ("invariant", 1)]
        );
        new.verify().unwrap();
        let numbers = |ty: &str, from: i64| {
            let ty: crate::ArrayType = ty.parse().unwrap();
            let data = (0..ty.size() as i64).map(|i| Scalar::Int(i + from).cast(DType::Float64));
            HostArray::from_scalars(&ty, &data.collect::<Vec<_>>()).unwrap()
        };
        let arguments: Vec<HostArray> = types
            .iter()
            .zip(1..)
            .map(|(ty, from)| numbers(ty, from))
            .collect();
        let (x, y) = (graph.evaluate(&arguments), new.evaluate(&arguments));
        for (x, y) in x.unwrap().iter().zip(&y.unwrap()) {
            assert!(x.same_bits(y));
        }
    }
}
