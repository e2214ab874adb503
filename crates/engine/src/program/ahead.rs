//! Products that the iterations of a scan compute of elements of whole arrays and of what is the same each time, such as those of
//! the inputs of a recurrent network with its weights. They are computed for a block of iterations at a time, so that the
//! matrix is read once for all of them; iterations then read the results as they do elements of whole arrays.
//!
//! Each product is the call that the iteration would have made, repeated, so it has the same bits. A block fits into the first
//! cache: memory does not grow with the number of iterations.

use std::ops::Range;

use autojit_runtime::matmul::MatrixProduct;
use smallvec::SmallVec;

use super::compiled::{Ahead, Lent};
use super::entry::Entry;
use super::run::multiply;
use crate::lower::Call;
use autojit_ir::error::Result;

/// A product of a run: for a whole block, where its operands are in the first iteration, and how far they move from one to the
/// next, in bytes.
struct Repeated {
    product: MatrixProduct,
    operands: [(*mut u8, isize); 3],
}

/// The products of one run.
pub(super) struct Blocks<'p> {
    ahead: &'p Ahead,
    /// Only kept: its address is where it is used.
    _arena: Lent<'p>,
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
        let mut arena = inner.program.lend()?;
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
            _arena: arena,
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
    /// The inputs of the iterations are there, at the addresses that were given.
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
