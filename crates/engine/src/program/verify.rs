//! The verifier of programs. Addresses are compared with the plan of memory, and the entries are run on addresses: each
//! element in memory is tagged with the element of the buffer that was written there last. It finds
//!
//! - entries that are not made of the steps of the order, in that order, or of another kernel or call;
//! - operands that are not where the plan has them, in the first step of a batch and, by the distances of the batch, in
//!   every other; operands outside of their base;
//! - parameters that are not the extents and strides of the loop;
//! - reads of memory that does not hold, or holds no longer, the element that the step asks for: because the entry that
//!   writes it comes later, or because another buffer took its place;
//! - kernels that read an element, where another index of the same kernel overwrites it.
//!
//! Elements are looked at one by one in programs that touch up to [`ELEMENTS`] of them; in larger ones only the
//! operands are compared.

use rustc_hash::FxHashMap;

use super::entry::{Bases, Entries, Entry, RelativeAddress};
use crate::fault::fault;
use crate::kernel::{Kernel, Stride};
use crate::loops::{Action, Loops, Nest, Section, Work};
use crate::lower::{BufferId, Call, Lowered, Storage, View, elements};
use crate::memory::Workspace;
use crate::schedule::Order;
use autojit_ir::error::{Error, Result};

/// The largest number of elements, over all operands, that are looked at one by one.
const ELEMENTS: usize = 1 << 20;

fn wrong(entry: usize, mistake: impl std::fmt::Display) -> Error {
    fault("program", format!("entry {entry} {mistake}"))
}

/// An address: a base, and an offset in bytes.
type Address = (u32, isize);
/// An element of a buffer.
type Element = (BufferId, isize);

struct Verifier<'a> {
    lowered: &'a Lowered,
    loops: &'a Loops,
    workspace: &'a Workspace,
    bases: Bases,
    entries: &'a Entries,
    /// The element at each address that was written; arguments and constants are not in here.
    memory: FxHashMap<Address, Element>,
    is_exact: bool,
}

/// Verifies a program.
///
/// # Errors
/// There is a mistake in it: an internal error.
pub(crate) fn verify(
    lowered: &Lowered,
    loops: &Loops,
    order: &Order,
    workspace: &Workspace,
    bases: Bases,
    entries: &Entries,
) -> Result<()> {
    let mut touched = 0usize;
    for step in order.groups().flatten() {
        touched = touched.saturating_add(match loops.work(*step) {
            Work::Loop(nest) => {
                let nest = &loops.nests[nest];
                let domain = &lowered.geometries[nest.domain].shape;
                let elements = domain.iter().fold(1usize, |n, &len| n.saturating_mul(len));
                elements.saturating_mul(nest.slots.len())
            }
            Work::Call(call) => {
                let site = lowered.call(call);
                let views = site.inputs.iter().chain(&site.outputs);
                let sizes = views.map(|view| {
                    let shape = lowered.shape(view).iter();
                    shape.fold(1usize, |n, &len| n.saturating_mul(len))
                });
                sizes.fold(0, usize::saturating_add)
            }
        });
    }
    let mut verifier = Verifier {
        lowered,
        loops,
        workspace,
        bases,
        entries,
        memory: FxHashMap::default(),
        is_exact: touched <= ELEMENTS,
    };
    let count = entries.list.len();
    if entries.batches.len() != count || entries.origins.len() != count {
        return Err(fault(
            "program",
            "entries, batches and origins are not as many",
        ));
    }
    let mut steps = order.groups().flatten().copied();
    for index in 0..count {
        let batch = entries.batches[index] as usize;
        let batch: Vec<u32> = steps.by_ref().take(batch).collect();
        if batch.len() != entries.batches[index] as usize || batch.is_empty() {
            return Err(wrong(index, "has more steps than there are"));
        }
        verifier.entry(index, &batch)?;
    }
    match steps.next() {
        None => Ok(()),
        Some(step) => Err(fault("program", format!("step {step} is in no entry"))),
    }
}

impl Verifier<'_> {
    fn address(&self, buffer: BufferId, bytes: isize) -> RelativeAddress {
        self.bases
            .operand(self.lowered, self.workspace, buffer, bytes)
    }

    fn entry(&mut self, index: usize, steps: &[u32]) -> Result<()> {
        let entries = self.entries;
        let entry = &entries.list[index];
        let (Entry::Kernel { operands, .. } | Entry::Call { operands, .. }) = entry;
        let Some(operands) = entries
            .operands
            .get(operands.start as usize..operands.end as usize)
        else {
            return Err(wrong(index, "has operands that do not exist"));
        };
        let sizes = self.item_sizes(steps[0]);
        if operands.len() != sizes.len() {
            return Err(wrong(index, "has another number of operands than its step"));
        }
        // How far each operand moves from one step to the next.
        let mut moves: Vec<isize> = vec![0; operands.len()];
        for (number, &step) in steps.iter().enumerate() {
            let anchors = self.loops.anchors(step);
            if anchors.len() != operands.len() {
                return Err(wrong(index, "is made of steps that do not do the same"));
            }
            for (slot, (&(buffer, offset), operand)) in anchors.iter().zip(operands).enumerate() {
                let planned = self.address(buffer, offset * sizes[slot]);
                if number == 1 {
                    moves[slot] = planned.offset - operand.offset;
                }
                let expected = operand.offset + moves[slot] * number as isize;
                if (planned.base, planned.offset) != (operand.base, expected) {
                    let mistake = format!(
                        "operand {slot} is at {} {expected:+} in step {step}, which has it at {} {:+}",
                        self.bases.storage(operand.base),
                        self.bases.storage(planned.base),
                        planned.offset
                    );
                    return Err(wrong(index, mistake));
                }
            }
        }
        match (entry, self.loops.work(steps[0])) {
            (
                Entry::Kernel {
                    kernel,
                    parameters,
                    can_fail,
                    ..
                },
                Work::Loop(nest),
            ) => {
                if steps
                    .iter()
                    .any(|&step| self.loops.work(step) != Work::Loop(nest))
                {
                    return Err(wrong(index, "is made of steps that do not do the same"));
                }
                let Some(kernel) = entries.kernels.get(*kernel as usize) else {
                    return Err(wrong(index, "has a kernel that does not exist"));
                };
                if *can_fail != kernel.can_fail() {
                    return Err(wrong(index, "does not say whether its kernel can fail"));
                }
                let nest = &self.loops.nests[nest];
                let words = *parameters as usize..*parameters as usize + kernel.parameter_words();
                let Some(parameters) = entries.parameters.get(words) else {
                    return Err(wrong(index, "has parameters that do not exist"));
                };
                self.kernel(index, kernel, parameters, nest, steps, &moves, &sizes)
            }
            (Entry::Call { call, .. }, Work::Call(_)) => {
                self.call(index, call, steps, &moves, &sizes)
            }
            _ => Err(wrong(index, "is a kernel for a call, or a call for a loop")),
        }
    }

    /// The sizes of the elements of a step's operands.
    fn item_sizes(&self, step: u32) -> Vec<isize> {
        match self.loops.work(step) {
            Work::Loop(nest) => {
                let slots = self.loops.nests[nest].slots.iter();
                slots.map(|slot| slot.dtype.size() as isize).collect()
            }
            Work::Call(call) => {
                let site = self.lowered.call(call);
                let views = site.inputs.iter().chain(&site.outputs);
                views.map(|view| view.dtype.size() as isize).collect()
            }
        }
    }

    fn call(
        &mut self,
        index: usize,
        call: &Call,
        steps: &[u32],
        moves: &[isize],
        sizes: &[isize],
    ) -> Result<()> {
        let count = steps.len();
        let lowered = self.lowered;
        let mut sites = Vec::with_capacity(count);
        for &step in steps {
            match self.loops.work(step) {
                Work::Call(call) => sites.push(lowered.call(call)),
                Work::Loop(_) => return Err(wrong(index, "calls what is a loop")),
            }
        }
        let is_it = match (call, &sites[0].call) {
            (Call::Matmul(found), Call::Matmul(one)) if count > 1 => {
                let elements = [0, 1, 2].map(|slot| moves[slot] / sizes[slot]);
                *found == one.repeated(count, elements)
            }
            (Call::Copy(found), Call::Copy(one)) if count > 1 => {
                *found == one.repeated(count, moves[0], moves[1])
            }
            (Call::Matmul(found), Call::Matmul(one)) => found == one,
            (Call::Copy(found), Call::Copy(one)) => found == one,
            (found, one) => {
                count == 1 && std::mem::discriminant(found) == std::mem::discriminant(one)
            }
        };
        if !is_it {
            return Err(wrong(index, "makes another call than its steps"));
        }
        if !self.is_exact {
            return Ok(());
        }
        for site in &sites {
            for view in &site.inputs {
                self.visit(view, |verifier, address, element| {
                    verifier.read(index, address, element)
                })?;
            }
        }
        for site in &sites {
            for view in &site.outputs {
                self.visit(view, |verifier, address, element| {
                    verifier.memory.insert(address, element);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Calls `visit` with each element of a view and its address.
    fn visit(
        &mut self,
        view: &View,
        mut visit: impl FnMut(&mut Self, Address, Element) -> Result<()>,
    ) -> Result<()> {
        let lowered = self.lowered;
        let size = view.dtype.size() as isize;
        elements(
            lowered.shape(view),
            lowered.strides(view),
            view.offset,
            |element| {
                let RelativeAddress { base, offset } = self.address(view.buffer, element * size);
                visit(self, (base, offset), (view.buffer, element))
            },
        )
    }

    fn read(&self, entry: usize, address: Address, element: Element) -> Result<()> {
        match self.lowered.buffer(element.0).storage {
            Storage::Input(_) | Storage::Constant(_) => return Ok(()),
            Storage::Output(_) | Storage::Workspace => {}
        }
        let (buffer, number) = (element.0.0, element.1);
        match self.memory.get(&address) {
            Some(found) if *found == element => Ok(()),
            None => Err(wrong(
                entry,
                format!("reads element {number} of b{buffer}, which no entry wrote before"),
            )),
            Some((other, at)) => Err(wrong(
                entry,
                format!(
                    "reads element {number} of b{buffer}, where element {at} of b{} is",
                    other.0
                ),
            )),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the two sides that are compared")]
    fn kernel(
        &mut self,
        index: usize,
        kernel: &Kernel,
        parameters: &[i64],
        nest: &Nest,
        steps: &[u32],
        moves: &[isize],
        sizes: &[isize],
    ) -> Result<()> {
        let rank = kernel.outer_rank + kernel.inner_rank;
        let domain = &self.lowered.geometries[nest.domain].shape;
        let is_outer = |axis: usize| nest.reduced.is_some_and(|reduced| !reduced.contains(axis));
        let axes = (0..domain.len()).filter(|&a| is_outer(a));
        let axes: Vec<usize> = axes
            .chain((0..domain.len()).filter(|&a| !is_outer(a)))
            .collect();
        let size = |extents: &mut dyn Iterator<Item = usize>| extents.product::<usize>();
        let mut extents: Vec<usize> = axes.iter().map(|&a| domain[a]).collect();
        extents.insert(0, steps.len());
        let kernel_extents: Vec<usize> = parameters[..rank].iter().map(|&n| n as usize).collect();
        if size(&mut kernel_extents.iter().copied()) != size(&mut extents.iter().copied())
            || kernel.slots.len() != nest.slots.len()
        {
            return Err(wrong(index, "runs over another domain than its steps"));
        }
        if !self.is_exact {
            return Ok(());
        }
        let inner = size(
            &mut (0..domain.len())
                .filter(|&a| !is_outer(a))
                .map(|a| domain[a]),
        );
        // Where the inner loops have no elements, the outer part still runs once for each outer index.
        let outer_extents = |extents: &[usize], outer: usize| -> Vec<usize> {
            let extents = extents.iter().enumerate();
            extents
                .map(|(at, &extent)| if at < outer { extent } else { 1 })
                .collect()
        };
        let is_of_outer_part = |slot: usize| {
            nest.operations.iter().any(|operation| {
                let touched = match operation.action {
                    Action::Load { slot } | Action::Store { slot, .. } => Some(usize::from(slot)),
                    Action::Literal { .. } | Action::Map { .. } | Action::Reduce { .. } => None,
                };
                operation.section == Section::Outer && touched == Some(slot)
            })
        };
        let (first_stride, _) = kernel.stride_words();
        // For each slot the address of every index of the kernel, in order, and the element that it is of.
        let mut slots: Vec<Vec<(Address, Element)>> = Vec::with_capacity(nest.slots.len());
        for (number, slot) in nest.slots.iter().enumerate() {
            let geometry = &self.lowered.geometries[slot.geometry];
            let strides = axes.iter().map(|&a| geometry.strides[a] * sizes[number]);
            let mut strides: Vec<isize> = strides.collect();
            strides.insert(0, moves[number]);
            let mut word = first_stride[number];
            let kernel_strides: Vec<isize> = kernel.slots[number]
                .strides
                .iter()
                .map(|stride| match stride {
                    Stride::Zero => 0,
                    Stride::Unit => sizes[number],
                    Stride::Parameter => {
                        word += 1;
                        parameters[word - 1] as isize
                    }
                })
                .collect();
            let collect = |extents: &[usize], strides: &[isize]| {
                let mut offsets = Vec::new();
                let _ = elements(extents, strides, 0, |offset| {
                    offsets.push(offset);
                    Ok::<(), ()>(())
                });
                offsets
            };
            let (extents, kernel_extents) = if inner == 0 && is_of_outer_part(number) {
                let outer = 1 + axes.iter().filter(|&&axis| is_outer(axis)).count();
                (
                    outer_extents(&extents, outer),
                    outer_extents(&kernel_extents, kernel.outer_rank),
                )
            } else {
                (extents.clone(), kernel_extents.clone())
            };
            let planned = collect(&extents, &strides);
            if collect(&kernel_extents, &kernel_strides) != planned {
                let mistake = format!("walks operand {number} by other strides than its steps");
                return Err(wrong(index, mistake));
            }
            let per_step = planned.len() / steps.len();
            let mut reached = Vec::with_capacity(planned.len());
            for (at, offset) in planned.into_iter().enumerate() {
                let step = at / per_step;
                let (buffer, start) = self.loops.anchors(steps[step])[number];
                let element = start + (offset - moves[number] * step as isize) / sizes[number];
                let RelativeAddress { base, offset } =
                    self.address(buffer, element * sizes[number]);
                reached.push(((base, offset), (buffer, element)));
            }
            slots.push(reached);
        }
        self.run(index, nest, &slots, inner.max(1))
    }

    /// Runs the loads and stores of a kernel on addresses. One section runs for the whole domain before the next, which
    /// is right if no index reads what another one overwrites: that is checked too.
    fn run(
        &mut self,
        index: usize,
        nest: &Nest,
        slots: &[Vec<(Address, Element)>],
        inner: usize,
    ) -> Result<()> {
        // The outer index, and that of the element within it, at which an address was read.
        let mut read: FxHashMap<Address, (Element, Section, usize)> = FxHashMap::default();
        for section in [Section::Before, Section::Outer, Section::After] {
            for operation in nest.operations.iter().filter(|o| o.section == section) {
                match operation.action {
                    Action::Load { slot } => {
                        for (at, &(address, element)) in slots[usize::from(slot)].iter().enumerate()
                        {
                            self.read(index, address, element)?;
                            read.entry(address).or_insert((element, section, at));
                        }
                    }
                    Action::Store { slot, .. } => {
                        for (at, &(address, element)) in slots[usize::from(slot)].iter().enumerate()
                        {
                            if let Some(&(old, read_in, read_at)) = read.get(&address)
                                && old != element
                            {
                                let same = if section == Section::Outer || read_in == Section::Outer
                                {
                                    read_at / inner == at / inner
                                } else {
                                    read_at == at
                                };
                                if !same {
                                    let mistake = format!(
                                        "reads element {} of b{} where another index writes b{}",
                                        old.1, old.0.0, element.0.0
                                    );
                                    return Err(wrong(index, mistake));
                                }
                            }
                            self.memory.insert(address, element);
                        }
                    }
                    Action::Literal { .. } | Action::Map { .. } | Action::Reduce { .. } => {}
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::{KERNELS, build};
    use crate::lower::lower;
    use crate::memory::{Limit, choose};
    use crate::program::{assemble, origin};
    use crate::schedule::rank;
    use autojit_ir::Graph;

    /// Three sums that become one entry, then a product.
    const ROWS: &str = "%x = input index=0 ty=f64[3,40]\n\
        %a = slice slicing=[0:1*1,0:1*40] %x\n%b = slice slicing=[1:1*1,0:1*40] %x\n%c = slice slicing=[2:1*1,0:1*40] %x\n\
        %p = sum axes=[1] keepdims=false %a\n%q = sum axes=[1] keepdims=false %b\n%r = sum axes=[1] keepdims=false %c\n\
        %j = concatenate axis=0 %p %q %r\n%s = cumsum axis=0 %j\n%t = add %s %j\nreturn %t";

    struct Made {
        lowered: Lowered,
        loops: Loops,
        order: Order,
        workspace: Workspace,
        bases: Bases,
        entries: Entries,
    }

    impl Made {
        fn new() -> Self {
            let graph: Graph = ROWS.parse().unwrap();
            let mut lowered = lower(&graph).unwrap();
            let loops = build(&mut lowered, KERNELS, false).unwrap();
            let ranks = rank(&lowered, &loops);
            let (order, workspace) = choose(&lowered, &loops, &ranks, Limit(1 << 20));
            let bases = Bases::of(&graph);
            let entries = assemble(
                &lowered,
                &loops,
                &order,
                &workspace,
                bases,
                |step, can_fail| origin(&graph, &lowered, &loops, step, can_fail),
            );
            let made = Self {
                lowered,
                loops,
                order,
                workspace,
                bases,
                entries,
            };
            made.verify().unwrap();
            assert_eq!(made.entries.batches[0], 3);
            made
        }

        fn verify(&self) -> Result<()> {
            let Self {
                lowered,
                loops,
                order,
                workspace,
                bases,
                entries,
            } = self;
            verify(lowered, loops, order, workspace, *bases, entries)
        }

        fn mistake(&self) -> String {
            self.verify().unwrap_err().to_string()
        }
    }

    #[test]
    fn a_wrong_operand_offset_is_found() {
        let mut made = Made::new();
        made.entries.operands[0].offset += 8;
        let text = made.mistake();
        assert!(
            text.contains("stage program: entry 0 operand 0 is at input 0 +8"),
            "{text}"
        );
    }

    #[test]
    fn a_wrong_distance_of_a_batch_is_found() {
        let mut made = Made::new();
        for word in &mut made.entries.parameters {
            if *word == 320 {
                *word = 328;
            }
        }
        let text = made.mistake();
        assert!(
            text.contains("entry 0 walks operand 0 by other strides"),
            "{text}"
        );
    }

    #[test]
    fn memory_that_another_buffer_took_is_found() {
        let mut made = Made::new();
        // The running total overwrites the sums, which are read again after it.
        made.workspace.offsets.fill(0);
        made.entries = assemble(
            &made.lowered,
            &made.loops,
            &made.order,
            &made.workspace,
            made.bases,
            |_, _| ("op", None),
        );
        let text = made.mistake();
        assert!(text.contains("reads element 0 of b"), "{text}");
        assert!(text.contains("where element 0 of b"), "{text}");
    }

    #[test]
    fn entries_out_of_order_are_found() {
        let mut made = Made::new();
        made.entries.list.swap(0, 1);
        assert!(made.mistake().contains("stage program: entry 0"));
    }
}
