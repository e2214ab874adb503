//! The verifier of plans of memory. When buffers live is found again from the order. It finds
//!
//! - buffers outside of the workspace, and buffers that are not aligned for their elements;
//! - buffers that are alive at the same time and overlap, unless one is declared to take over the memory of the other;
//! - buffers declared to do so that are of another size or at another offset, that begin to live before the other is
//!   used for the last time, or whose loop reads an element after it wrote there, or at another index, or whose call does
//!   not work in place.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::plan::{ALIGNMENT, Workspace, rounded};
use crate::fault::fault;
use crate::loops::{Action, Loops, Nest, Work};
use crate::lower::{BufferId, Lowered, Storage};
use crate::schedule::Order;
use autojit_ir::error::Result;

/// The first and the last group that touches each buffer.
pub(super) fn lives(lowered: &Lowered, loops: &Loops, order: &Order) -> Vec<Option<(u32, u32)>> {
    let mut lives = vec![None; lowered.buffers.len()];
    for (number, group) in order.groups().enumerate() {
        let number = number as u32;
        for &(buffer, _) in group.iter().flat_map(|&step| loops.anchors(step)) {
            let (_, last) = lives[buffer.0 as usize].get_or_insert((number, number));
            *last = number;
        }
    }
    lives
}

/// Verifies a plan of memory.
///
/// # Errors
/// There is a mistake in it: an internal error.
pub(crate) fn verify(
    lowered: &Lowered,
    loops: &Loops,
    order: &Order,
    workspace: &Workspace,
) -> Result<()> {
    let lives = lives(lowered, loops, order);
    let mut births: Vec<Vec<u32>> = vec![Vec::new(); order.groups().count()];
    for (index, (buffer, life)) in lowered.buffers.iter().zip(&lives).enumerate() {
        let (Storage::Workspace, &Some((first, _))) = (buffer.storage, life) else {
            continue;
        };
        births[first as usize].push(index as u32);
        let start = workspace.offsets[index];
        if start + buffer.bytes > workspace.size {
            let size = workspace.size;
            let mistake = format!("b{index} ends beyond the workspace of {size} bytes");
            return Err(fault("memory", mistake));
        }
        if !start.is_multiple_of(rounded(buffer.bytes).min(ALIGNMENT)) {
            return Err(fault("memory", format!("b{index} is not aligned")));
        }
    }
    let mut declared: FxHashMap<u32, u32> = FxHashMap::default();
    for &(from, to) in &workspace.in_place {
        in_place(lowered, loops, order, workspace, &lives, from, to)?;
        declared.insert(to.0, from.0);
    }
    // The buffers that are alive, by offset.
    let mut alive: BTreeMap<usize, u32> = BTreeMap::new();
    let mut deaths: Vec<Vec<u32>> = vec![Vec::new(); births.len()];
    for group in 0..births.len() {
        for &index in &births[group] {
            let bytes = lowered.buffers[index as usize].bytes;
            if bytes == 0 {
                continue;
            }
            let start = workspace.offsets[index as usize];
            let mut replaces = None;
            for (&other_start, &other) in alive.range(..start + bytes).rev() {
                if other_start + lowered.buffers[other as usize].bytes <= start {
                    break;
                }
                if declared.get(&index) != Some(&other) {
                    let mistake =
                        format!("b{index} overlaps b{other}, and both are alive in group {group}");
                    return Err(fault("memory", mistake));
                }
                replaces = Some(other_start);
            }
            if let Some(other) = replaces {
                alive.remove(&other);
            }
            alive.insert(start, index);
            if let Some((_, last)) = lives[index as usize] {
                deaths[last as usize].push(index);
            }
        }
        for &index in &deaths[group] {
            let start = workspace.offsets[index as usize];
            if alive.get(&start) == Some(&index) {
                alive.remove(&start);
            }
        }
    }
    Ok(())
}

/// Checks a declaration that a buffer takes over the memory of another.
fn in_place(
    lowered: &Lowered,
    loops: &Loops,
    order: &Order,
    workspace: &Workspace,
    lives: &[Option<(u32, u32)>],
    from: BufferId,
    to: BufferId,
) -> Result<()> {
    let wrong = |mistake: &str| {
        let mistake = format!("b{} takes the place of b{}, {mistake}", to.0, from.0);
        fault("memory", mistake)
    };
    let bytes = |buffer: BufferId| lowered.buffer(buffer).bytes;
    let offset = |buffer: BufferId| workspace.offsets[buffer.0 as usize];
    if bytes(from) != bytes(to) || offset(from) != offset(to) {
        return Err(wrong("which has other bytes"));
    }
    let (Some((_, last)), Some((first, _))) = (lives[from.0 as usize], lives[to.0 as usize]) else {
        return Err(wrong("which nothing touches"));
    };
    if last != first {
        return Err(wrong("which is alive elsewhere"));
    }
    let Some(group) = order.groups().nth(first as usize) else {
        return Err(wrong("in a group that does not exist"));
    };
    let mut readers = 0;
    for &step in group {
        let anchors = loops.anchors(step);
        let slots = |buffer: BufferId| {
            let slots = anchors.iter().enumerate();
            slots
                .filter(move |(_, anchor)| anchor.0 == buffer)
                .map(|(slot, _)| slot)
        };
        // Other steps may write other elements of the new buffer.
        if slots(from).next().is_none() {
            continue;
        }
        readers += 1;
        let nest = match loops.work(step) {
            Work::Loop(nest) => &loops.nests[nest],
            Work::Call(call) => {
                let call = &lowered.calls[call as usize].call;
                for target in slots(to) {
                    if !slots(from).eq(call.in_place(target)) {
                        return Err(wrong("in a call that does not work in place"));
                    }
                    if slots(from).any(|source| anchors[source].1 != anchors[target].1) {
                        return Err(wrong("which is read at another index"));
                    }
                }
                continue;
            }
        };
        for source in slots(from) {
            for target in slots(to) {
                if anchors[source].1 != anchors[target].1
                    || nest.slots[source] != nest.slots[target]
                {
                    return Err(wrong("which is read at another index"));
                }
                if !is_read_before(nest, source, target) {
                    return Err(wrong("which is read after it is written"));
                }
            }
        }
    }
    if readers == 1 {
        Ok(())
    } else {
        Err(wrong("which several steps of a group read"))
    }
}

/// Whether a nest reads one slot only before it writes another, and writes to neither twice.
fn is_read_before(nest: &Nest, source: usize, target: usize) -> bool {
    let key = |(at, o): (usize, &crate::loops::NestOperation)| (o.section, at);
    let operations = || nest.operations.iter().enumerate();
    let is_load = |(_, o): &(usize, &crate::loops::NestOperation)| matches!(o.action, Action::Load { slot } if usize::from(slot) == source);
    let is_store = |(_, o): &(usize, &crate::loops::NestOperation)| matches!(o.action, Action::Store { slot, .. } if usize::from(slot) == target);
    let last_load = operations().filter(is_load).map(key).max();
    let first_store = operations().filter(is_store).map(key).min();
    !nest.writes(source) && operations().filter(is_store).count() == 1 && last_load < first_store
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::{KERNELS, build};
    use crate::lower::lower;
    use crate::memory::{Limit, choose};
    use crate::schedule::rank;
    use autojit_ir::Graph;

    /// `p` and `q` are alive at the same time; `r` is computed in place of one of them.
    const SORTS: &str = "%x = input index=0 ty=f64[40]\n%p = sort axis=0 %x\n%e = exp %p\n\
        %q = sort axis=0 %e\n%r = add %q %p\n%s = cumsum axis=0 %r\nreturn %s";

    fn plan() -> (Lowered, Loops, Order, Workspace) {
        let graph: Graph = SORTS.parse().unwrap();
        let mut lowered = lower(&graph).unwrap();
        let loops = build(&mut lowered, KERNELS, false).unwrap();
        let ranks = rank(&lowered, &loops);
        let (order, workspace) = choose(&lowered, &loops, &ranks, Limit(1 << 20));
        verify(&lowered, &loops, &order, &workspace).unwrap();
        assert_eq!(workspace.in_place.len(), 1);
        (lowered, loops, order, workspace)
    }

    fn mistake((lowered, loops, order, workspace): &(Lowered, Loops, Order, Workspace)) -> String {
        verify(lowered, loops, order, workspace)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn overlapping_buffers_are_found() {
        let mut plan = plan();
        plan.3.in_place.clear();
        let text = mistake(&plan);
        assert!(text.contains("stage memory: b"), "{text}");
        assert!(text.contains(" overlaps b"), "{text}");
    }

    #[test]
    fn all_buffers_at_one_offset_are_found() {
        let mut plan = plan();
        plan.3.offsets.fill(0);
        let text = mistake(&plan);
        assert!(text.contains("stage memory: b"), "{text}");
    }

    #[test]
    fn a_workspace_that_is_too_small_is_found() {
        let mut plan = plan();
        plan.3.size -= 64;
        assert!(mistake(&plan).contains("ends beyond the workspace"));
    }

    #[test]
    fn a_misaligned_buffer_is_found() {
        let mut plan = plan();
        plan.3.size += 64;
        for offset in &mut plan.3.offsets {
            *offset += 4;
        }
        assert!(mistake(&plan).contains("is not aligned"));
    }

    #[test]
    fn a_buffer_that_is_read_after_its_memory_is_written_is_found() {
        let mut plan = plan();
        let (_, to) = plan.3.in_place[0];
        for (step, body) in plan.1.bodies.clone().iter().enumerate() {
            let writes = plan
                .1
                .anchors(step as u32)
                .iter()
                .any(|anchor| anchor.0 == to);
            if let (true, Work::Loop(nest)) = (writes, body.work) {
                plan.1.nests.reverse_operations(nest);
            }
        }
        assert!(mistake(&plan).contains("which is read after it is written"));
    }
}
