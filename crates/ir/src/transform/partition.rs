//! Splitting a graph in two: what can be computed before some of the inputs are there, and the rest.
//!
//! This is how a pullback keeps what the function computed: the first part runs with the arguments, the second one for each
//! cotangent.

use smallvec::SmallVec;

use crate::{Graph, LeafOp, Op, Result, ValueId};

/// A graph in two parts.
#[derive(Clone)]
pub struct Partition {
    /// Takes the early inputs; gives the outputs that depend on them alone, and then what the second part needs.
    pub early: Graph,
    /// Takes what the first part computed for it, and then the late inputs; gives the other outputs.
    pub late: Graph,
    /// For each output of the whole, whether it is one of the second part.
    pub is_late: Vec<bool>,
}

/// Splits a graph whose inputs from number `late_from` on come later than the others.
///
/// ```
/// use autojit_ir::{Graph, transform::partition::partition};
///
/// let graph: Graph = "%x = input index=0 ty=f64[]\n%t = input index=1 ty=f64[]
/// %s = sin %x\n%c = cos %x\n%d = multiply %c %t\nreturn %s %d".parse()?;
/// let parts = partition(&graph, 1)?;
/// assert_eq!(parts.is_late, [false, true]);
/// assert_eq!(parts.early.outputs().len(), 2);
/// assert_eq!(parts.late.nodes().len(), 3);
/// # Ok::<(), autojit_ir::Error>(())
/// ```
///
/// # Errors
/// The graph is not valid.
pub fn partition(graph: &Graph, late_from: usize) -> Result<Partition> {
    let live = graph.live();
    let mut is_late = vec![false; live.len()];
    for value in graph.values().filter(|v| live[v.index()]) {
        let node = &graph[value];
        is_late[value.index()] = match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => *index >= late_from,
            _ => node.inputs.iter().any(|input| is_late[input.index()]),
        };
    }
    let outputs_late: Vec<bool> = graph.outputs().iter().map(|o| is_late[o.index()]).collect();

    // What late nodes read of the early part. Numbers are copied, and tuples taken apart early.
    let is_number = |value: ValueId| {
        matches!(
            graph[value].op,
            Op::Leaf(LeafOp::Literal { .. } | LeafOp::Constant { .. })
        )
    };
    let mut residuals: Vec<ValueId> = Vec::new();
    let mut slot: Vec<Option<usize>> = vec![None; live.len()];
    for value in graph
        .values()
        .filter(|v| live[v.index()] && is_late[v.index()])
    {
        for &input in &graph[value].inputs {
            let index = input.index();
            if !is_late[index] && slot[index].is_none() && !is_number(input) {
                slot[index] = Some(residuals.len());
                residuals.push(input);
            }
        }
    }

    let mut early = graph.clone();
    let kept = graph.outputs().iter().zip(&outputs_late);
    let kept = kept.filter(|&(_, late)| !late).map(|(&output, _)| output);
    early.set_outputs(kept.chain(residuals.iter().copied()).collect());
    let early = early.with_inputs_below(late_from);

    let mut late = Graph::new();
    let mut map = vec![ValueId(u32::MAX); live.len()];
    for &residual in &residuals {
        map[residual.index()] = late.add_input(graph.ty(residual)?.clone());
    }
    let late_inputs = graph.input_types()[late_from..].iter();
    let late_inputs: Vec<ValueId> = late_inputs.map(|ty| late.add_input(ty.clone())).collect();
    for value in graph.values().filter(|v| live[v.index()]) {
        let node = &graph[value];
        let index = value.index();
        map[index] = match &node.op {
            Op::Leaf(LeafOp::Literal { value }) => late.add_literal(value.value, value.dtype),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                late.add_constant(graph.constants()[*index].clone())
            }
            _ if !is_late[index] => continue,
            Op::Leaf(LeafOp::Input { index, .. }) => late_inputs[*index - late_from],
            op => {
                let inputs: SmallVec<[ValueId; 4]> =
                    node.inputs.iter().map(|input| map[input.index()]).collect();
                late.insert(op.clone(), &inputs, node.ty.clone(), node.location)
            }
        };
    }
    let outputs = graph.outputs().iter().zip(&outputs_late);
    let outputs = outputs.filter(|&(_, late)| *late);
    late.set_outputs(outputs.map(|(output, _)| map[output.index()]).collect());
    Ok(Partition {
        early,
        late: late.without_dead(),
        is_late: outputs_late,
    })
}

impl Graph {
    /// The same graph without the inputs from a number on, on which no result may depend.
    fn with_inputs_below(&self, count: usize) -> Self {
        let mut graph = Self::new();
        let types = self.input_types()[..count].iter();
        let inputs: Vec<ValueId> = types.map(|ty| graph.add_input(ty.clone())).collect();
        let outputs = graph.inline_live(self, &inputs, None);
        graph.set_outputs(outputs);
        graph
    }
}
