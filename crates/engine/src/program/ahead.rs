//! Products that the iterations of a scan compute of elements of whole arrays and of what is the same each time, such as those of
//! the inputs of a recurrent network with its weights. They are computed for a block of iterations at a time, so that the
//! matrix is read once for all of them; iterations then read the results as they do elements of whole arrays.
//!
//! Each product is the call that the iteration would have made, repeated, so it has the same bits. A block fits into the first
//! cache: memory does not grow with the number of iterations.

use std::ops::Range;

use autojit_runtime::matmul::MatrixProduct;
use smallvec::SmallVec;

use super::compiled::{Arena, Inner};
use super::entry::Entry;
use super::run::multiply;
use crate::lower::Call;
use autojit_ir::error::Result;
use autojit_ir::{ContractOp, Graph, LeafOp, Op, ValueId};

/// The fewest multiplications of a product that is worth it.
const LEAST: usize = 512;
/// The most bytes of the results of a block.
const BYTES: usize = 32 * 1024;
/// The fewest and the most iterations of a block.
const BLOCK: std::ops::RangeInclusive<usize> = 8..=64;

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
    let live = body.live();
    let mut map: Vec<ValueId> = Vec::with_capacity(live.len());
    for value in body.values() {
        let node = &body[value];
        if let Some(number) = products.iter().position(|p| *p == value) {
            map.push(given[number]);
            continue;
        }
        if !live[value.index()] {
            map.push(ValueId(u32::MAX));
            continue;
        }
        map.push(match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => inputs[*index],
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                late.add_constant(body.constants()[*index].clone())
            }
            Op::Leaf(LeafOp::Literal { value }) => late.add_literal(value.value, value.dtype),
            op => {
                let inputs: SmallVec<[ValueId; 4]> =
                    node.inputs.iter().map(|input| map[input.index()]).collect();
                late.insert(op.clone(), &inputs, node.ty.clone(), node.location)
            }
        });
    }
    late.set_outputs(body.outputs().iter().map(|o| map[o.index()]).collect());
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
    /// What a value is a view of.
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

/// Compiled products.
pub(crate) struct Ahead {
    /// Their program. It is not run itself: its entries say what is multiplied.
    inner: Inner,
    /// How many iterations a block has: an even number.
    block: usize,
    /// Where in the workspace the results of each product are, and how long one is.
    results: SmallVec<[(usize, usize); 2]>,
}

impl Ahead {
    /// The products of a program, if it does nothing but multiply.
    pub(crate) fn new(mut inner: Inner) -> Option<Self> {
        let program = &inner.program;
        let multiplies = |entry: &Entry| match entry {
            Entry::Call { call, .. } => matches!(**call, Call::Matmul(_)),
            Entry::Kernel { .. } => false,
        };
        if program.workspace_bytes > 0 || !program.entries.iter().all(multiplies) {
            return None;
        }
        let buffers = inner.results.iter().map(|(buffer, _)| buffer + 1).max()?;
        let mut bytes = vec![0; buffers];
        for &(buffer, size) in &inner.results {
            bytes[buffer] = size;
        }
        let all = bytes.iter().sum::<usize>().max(1);
        let block = (BYTES / all).min(*BLOCK.end()) & !1;
        if !BLOCK.contains(&block) {
            return None;
        }
        let mut end = 0;
        let mut places = Vec::with_capacity(buffers);
        for size in bytes {
            places.push((end, size));
            end += (block * size).next_multiple_of(crate::memory::ALIGNMENT);
        }
        let results = inner.results.iter().map(|(buffer, _)| places[*buffer]);
        let results = results.collect();
        inner.program.workspace_bytes = end;
        Some(Self {
            inner,
            block,
            results,
        })
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }
}

/// A product of a run: for a whole block, where its operands are in the first iteration, and how far they move from one to the
/// next, in bytes.
struct Repeated {
    product: MatrixProduct,
    operands: [(*mut u8, isize); 3],
}

/// The products of one run.
pub(super) struct Blocks<'p> {
    ahead: &'p Ahead,
    arena: Option<Arena>,
    products: SmallVec<[Repeated; 2]>,
    /// Where the results of each product begin, and how long one is.
    places: SmallVec<[(*mut u8, usize); 2]>,
    /// The numbers of their inputs of the body.
    pub(super) inputs: Range<usize>,
    length: usize,
    /// The first iteration of the next block.
    next: usize,
}

impl<'p> Blocks<'p> {
    /// For so many iterations. `given` are the addresses of what the first one takes without products, of which each moves so far, and
    /// products come after the first `before` of them.
    pub(super) fn new(
        ahead: &'p Ahead,
        given: &[(*mut u8, isize)],
        before: usize,
        length: usize,
    ) -> Result<Self> {
        let inner = &ahead.inner;
        let mut arena = inner.program.arena()?;
        let memory = arena.as_mut_ptr();
        let constants = inner.program.constants.addresses().iter();
        let mut bases: Vec<(*mut u8, isize)> = vec![(memory, 0)];
        bases.extend(constants.map(|&address| (address, 0)));
        bases.extend(given);
        let first_result = bases.len();
        let places: SmallVec<[(*mut u8, usize); 2]> = ahead
            .results
            .iter()
            .map(|&(offset, bytes)| (memory.wrapping_add(offset), bytes))
            .collect();
        for (place, (buffer, _)) in places.iter().zip(&inner.results) {
            let base = first_result + buffer;
            bases.resize(bases.len().max(base + 1), (memory, 0));
            bases[base] = (place.0, place.1 as isize);
        }
        let mut products = SmallVec::new();
        for entry in &inner.program.entries {
            let Entry::Call { call, .. } = entry else {
                continue;
            };
            let Call::Matmul(product) = &**call else {
                continue;
            };
            let mut operands = [(memory, 0); 3];
            for (operand, relative) in operands.iter_mut().zip(inner.program.operands_of(entry)) {
                let (base, step) = bases[relative.base as usize];
                *operand = (base.wrapping_offset(relative.offset), step);
            }
            let size = product.kind.size() as isize;
            let steps = operands.map(|(_, step)| step / size);
            products.push(Repeated {
                product: product.repeated(ahead.block, steps),
                operands,
            });
        }
        Ok(Self {
            ahead,
            arena: Some(arena),
            inputs: before..before + places.len(),
            products,
            places,
            length,
            next: 0,
        })
    }

    /// Where the result of a product is that the first iteration of a block reads, and how far it moves from one iteration to the
    /// next.
    pub(super) fn place(&self, product: usize) -> (*mut u8, isize) {
        let (first, bytes) = self.places[product];
        (first, bytes as isize)
    }

    /// Computes the products of a block, if one begins with this iteration. Gives how many iterations there were in the block
    /// before.
    ///
    /// # Safety
    /// What the iterations take is there, at the addresses that were given.
    #[inline]
    pub(super) unsafe fn begin(&mut self, number: usize) -> Option<usize> {
        if number < self.next {
            return None;
        }
        let block = self.ahead.block;
        self.next = number + block;
        let count = block.min(self.length - number);
        let threads = self.ahead.inner.program.threads;
        for Repeated { product, operands } in &mut self.products {
            if count < block {
                product.batch[0] = count;
            }
            let result = operands[2].0;
            let [a, b, _] =
                operands.map(|(address, step)| address.wrapping_offset(step * number as isize));
            // SAFETY: forwarded; there is room for the results of a block.
            unsafe { multiply(product, threads, [a, b, result]) };
        }
        Some(if number == 0 { 0 } else { block })
    }
}

impl Drop for Blocks<'_> {
    fn drop(&mut self) {
        if let Some(arena) = self.arena.take() {
            self.ahead.inner.program.release(arena);
        }
    }
}
