//! The body of a scan in two parts: products that `ahead.rs` computes for many iterations at a time, and the rest.

use smallvec::SmallVec;

use autojit_ir::error::Result;
use autojit_ir::{ContractOp, Graph, LeafOp, Op, ValueId};

/// The fewest multiplications of a product that is worth it.
const LEAST: usize = 512;
/// The most bytes of the results of a block.
pub(super) const BYTES: usize = 32 * 1024;
/// The fewest and the most iterations of a block.
pub(super) const BLOCK: std::ops::RangeInclusive<usize> = 8..=64;

/// The body of a scan in two parts.
pub(crate) struct Split {
    /// Gives the products of what the body takes.
    pub(crate) early: Graph,
    /// The rest, which takes each product as the element of a whole array, after the others.
    pub(crate) late: Graph,
    /// How many products there are.
    pub(crate) count: usize,
}

/// The products of a body, and the rest of it, if there are such products. The body takes so many arrays that are carried, and
/// after them so many elements.
///
/// # Errors
/// An internal error.
pub(crate) fn split_products(body: &Graph, carry: usize, elements: usize) -> Result<Option<Split>> {
    let products = products(body, carry, carry + elements)?;
    if products.is_empty() {
        return Ok(None);
    }
    let mut early = body.clone();
    early.set_outputs(products.clone());
    let mut late = Graph::new();
    let mut inputs: Vec<ValueId> = Vec::with_capacity(body.input_types().len());
    let mut given: Vec<ValueId> = Vec::with_capacity(products.len());
    for (index, ty) in body.input_types().iter().enumerate() {
        if index == carry + elements {
            given = add_inputs(&mut late, body, &products)?;
        }
        inputs.push(late.add_input(ty.clone()));
    }
    if given.is_empty() {
        given = add_inputs(&mut late, body, &products)?;
    }
    let given: Vec<(ValueId, ValueId)> = products.iter().copied().zip(given).collect();
    let outputs = late.inline_rest(body, &body.live(), &inputs, &given);
    late.set_outputs(outputs);
    Ok(Some(Split {
        early: early.without_dead(),
        late: late.without_dead(),
        count: products.len(),
    }))
}

fn add_inputs(graph: &mut Graph, body: &Graph, values: &[ValueId]) -> Result<Vec<ValueId>> {
    let input = |&value: &ValueId| Ok(graph.add_input(body.ty(value)?.clone()));
    values.iter().map(input).collect()
}

/// The products of a matrix that is the same each time and a vector that is an element of a whole array, or of views of them. What
/// is carried are the inputs before `first`, and elements those from there to `last`.
fn products(body: &Graph, first: usize, last: usize) -> Result<Vec<ValueId>> {
    /// The kind of array that a value is a view of.
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Same,
        Element,
        Other,
    }
    let mut kinds: Vec<Kind> = Vec::with_capacity(body.nodes().len());
    let mut products = Vec::new();
    let live = body.live();
    let mut bytes = 0;
    for value in body.values() {
        let node = &body[value];
        kinds.push(match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => match *index {
                index if index < first => Kind::Other,
                index if index < last => Kind::Element,
                _ => Kind::Same,
            },
            Op::Leaf(LeafOp::Constant { .. } | LeafOp::Literal { .. }) => Kind::Same,
            Op::View(_) => kinds[node.inputs[0].index()],
            Op::Contract(ContractOp::Matmul) => {
                let mut shapes: SmallVec<[(Kind, &[usize]); 2]> = SmallVec::new();
                for &input in &node.inputs {
                    shapes.push((kinds[input.index()], &body.ty(input)?.shape));
                }
                let is_such = match shapes[..] {
                    [(Kind::Same, matrix), (Kind::Element, vector)]
                    | [(Kind::Element, vector), (Kind::Same, matrix)] => {
                        let multiplications = matrix.iter().product::<usize>();
                        matrix.len() == 2 && vector.len() == 1 && multiplications >= LEAST
                    }
                    _ => false,
                };
                let more = body.ty(value)?.bytes();
                if is_such && live[value.index()] && (bytes + more) * BLOCK.start() <= BYTES {
                    products.push(value);
                    bytes += more;
                }
                Kind::Other
            }
            Op::Contract(_)
            | Op::Map(_)
            | Op::Reduce(_)
            | Op::Scan(_)
            | Op::Sort(_)
            | Op::Index(_)
            | Op::Join(_)
            | Op::Linalg(_)
            | Op::Fourier(_)
            | Op::Control(_)
            | Op::Get { .. }
            | Op::Random { .. }
            | Op::Opaque { .. } => Kind::Other,
        });
    }
    Ok(products)
}
