//! Entries -> fewer entries, where arrays are filled piece by piece.
//!
//! - A kernel whose result is only read by the update after it, which changes an array where it lies, writes into the array itself.
//! - Updates one after the other, of pieces that lie evenly spaced and whose values do too, are one update of all pieces.
//! - Entries of one small kernel or of one small product one after the other, each operand of which moves by the same distance from one
//!   to the next, or by two distances in turns, are one entry that does it so many times. They still run in order, so each may need
//!   what the one before it wrote. The turns are those of results that need the one before, in two buffers.
//!
//! The order of entries is that of the schedule, verified before; nothing is moved. What is changed is looked for in the addresses of
//! operands, and left alone where memory might overlap. Programs inside of loops stay as they are: what an iteration changes where it
//! lies is found in their updates (`control.rs`).

use rustc_hash::FxHashMap;

use super::entry::{Bases, Entries, Entry, Moves, RelativeAddress, Run};
use crate::kernel::{Kernel, Stride};
use crate::loops::{Loops, Work};
use crate::lower::{BufferId, Call, Lowered, Storage};
use crate::schedule::Order;
use autojit_runtime::copy::Update;

/// The fewest entries that become one: two distances, and a third that is the first again.
const LEAST: usize = 4;
/// The most operations on elements of a kernel, or multiplications of a product, that one entry does many times: longer ones gain
/// nothing, and may be divided among threads.
const SMALL: usize = 4096;

/// Makes one entry of several where that is possible.
pub(crate) fn shorten(
    lowered: &Lowered,
    loops: &Loops,
    order: &Order,
    bases: Bases,
    entries: &mut Entries,
) {
    let has_updates = entries.list.iter().any(|e| update(e).is_some());
    if has_updates {
        let straight = straight(lowered, loops, order, bases, entries);
        keep(entries, |index| !straight[index]);
        join_updates(entries);
    }
    join_runs(entries);
}

fn update(entry: &Entry) -> Option<&Update> {
    match entry {
        Entry::Call { call, .. } => match &**call {
            Call::Update(update) => Some(update),
            _ => None,
        },
        Entry::Kernel { .. } => None,
    }
}

fn range(entry: &Entry) -> std::ops::Range<usize> {
    let (Entry::Kernel { operands, .. } | Entry::Call { operands, .. }) = entry;
    operands.start as usize..operands.end as usize
}

/// Keeps the entries for which `keeps` holds. The steps of an entry that goes count among those of the one before it.
fn keep(entries: &mut Entries, keeps: impl Fn(usize) -> bool) {
    let count = entries.list.len();
    if (0..count).all(&keeps) {
        return;
    }
    let list = std::mem::take(&mut entries.list);
    let origins = std::mem::take(&mut entries.origins);
    let batches = std::mem::take(&mut entries.batches);
    for (index, ((entry, origin), batch)) in list.into_iter().zip(origins).zip(batches).enumerate()
    {
        if keeps(index) {
            entries.list.push(entry);
            entries.origins.push(origin);
            entries.batches.push(batch);
        } else if let Some(last) = entries.batches.last_mut() {
            *last += batch;
        }
    }
}

/// Some bytes from a base on.
#[derive(Clone, Copy, Debug)]
struct Bytes {
    base: u32,
    start: isize,
    end: isize,
}

impl Bytes {
    fn new(at: RelativeAddress, start: isize, end: isize) -> Self {
        Self {
            base: at.base,
            start: at.offset + start,
            end: at.offset + end,
        }
    }

    /// Whether two pieces of memory share nothing. A result may be an argument that the caller gave away, other bases are different
    /// arrays.
    fn are_apart(self, other: Self, bases: Bases) -> bool {
        if self.base == other.base {
            return self.is_beside(other);
        }
        let is_foreign = |base: u32| match bases.storage(base) {
            Storage::Input(_) | Storage::Output(_) => true,
            Storage::Constant(_) | Storage::Workspace => false,
        };
        !(is_foreign(self.base) && is_foreign(other.base))
    }

    /// The same of one base.
    fn is_beside(self, other: Self) -> bool {
        self.end <= other.start || other.end <= self.start
    }
}

/// The bytes that a slot of a kernel reaches from its operand on, and whether it walks through them element by element.
fn reach(kernel: &Kernel, parameters: &[i64], slot: usize) -> (isize, isize, bool) {
    let size = kernel.slots[slot].dtype.size() as isize;
    let (first, _) = kernel.stride_words();
    let mut word = first[slot];
    let (mut start, mut end, mut elements) = (0, size, 1);
    for (stride, &extent) in kernel.slots[slot].strides.iter().zip(parameters) {
        let extent = extent as isize;
        let stride = match stride {
            Stride::Zero => continue,
            Stride::Unit => size,
            Stride::Parameter => {
                word += 1;
                parameters[word - 1] as isize
            }
        };
        elements *= extent;
        let far = stride * (extent - 1);
        start += far.min(0);
        end += far.max(0);
    }
    (start, end, start == 0 && end == elements * size)
}

/// Lets kernels write into the arrays that the updates after them change. Gives for each entry whether it is such an update, of
/// which nothing is left to do.
fn straight(
    lowered: &Lowered,
    loops: &Loops,
    order: &Order,
    bases: Bases,
    entries: &mut Entries,
) -> Vec<bool> {
    let mut readers: FxHashMap<BufferId, u32> = FxHashMap::default();
    for instruction in &lowered.instructions {
        for view in lowered.reads(instruction) {
            *readers.entry(view.buffer).or_default() += 1;
        }
    }
    let mut done = vec![false; entries.list.len()];
    let mut steps = order.groups().flatten();
    for index in 0..entries.list.len() {
        let mut batch = steps.by_ref().take(entries.batches[index] as usize);
        let first = batch.next();
        batch.for_each(drop);
        let (Some(&step), Some(update)) = (first, update(&entries.list[index])) else {
            continue;
        };
        let Work::Call(call) = loops.work(step) else {
            continue;
        };
        let &[_, values] = &lowered.call(call).inputs[..] else {
            continue;
        };
        let buffer = lowered.buffer(values.buffer);
        let is_alone = buffer.storage == Storage::Workspace
            && readers.get(&values.buffer) == Some(&1)
            && lowered.is_contiguous(&values);
        let elements = lowered.elements(&values);
        let bytes = (elements * values.dtype.size()) as isize;
        if index > 0
            && !done[index - 1]
            && entries.batches[index - 1] == 1
            && is_alone
            && update.part.is_contiguous()
            && let Some((operand, to)) = place(entries, index, bytes, update.offset, bases)
        {
            entries.operands[operand] = to;
            done[index] = true;
        }
    }
    done
}

/// The operand of the entry before an update that holds its values, and the place in the array that they are for.
fn place(
    entries: &Entries,
    index: usize,
    bytes: isize,
    offset: isize,
    bases: Bases,
) -> Option<(usize, RelativeAddress)> {
    let &[array, values, out] = &entries.operands[range(&entries.list[index])] else {
        return None;
    };
    let before = &entries.list[index - 1];
    let Entry::Kernel {
        kernel,
        parameters,
        can_fail: false,
        ..
    } = before
    else {
        return None;
    };
    if (array.base, array.offset) != (out.base, out.offset) {
        return None;
    }
    let to = RelativeAddress {
        base: out.base,
        offset: out.offset + offset,
    };
    let kernel = &entries.kernels[*kernel as usize];
    let parameters = &entries.parameters[*parameters as usize..][..kernel.parameter_words()];
    let mut found = None;
    let operands = &entries.operands[range(before)];
    for (slot, operand) in operands.iter().enumerate() {
        let (start, end, is_dense) = reach(kernel, parameters, slot);
        let is_values = (operand.base, operand.offset) == (values.base, values.offset);
        if is_values && kernel.is_written(slot) {
            if found.is_some() || kernel.is_read(slot) || !is_dense || end != bytes {
                return None;
            }
            found = Some(range(before).start + slot);
        } else if !Bytes::new(*operand, start, end).are_apart(Bytes::new(to, 0, bytes), bases) {
            return None;
        }
    }
    Some((found?, to))
}

/// The distances by which operands move from one entry to the next, if they keep their bases.
fn distances(from: &[RelativeAddress], to: &[RelativeAddress]) -> Option<Moves> {
    let pairs = from.iter().zip(to);
    let move_of = |(from, to): (&RelativeAddress, &RelativeAddress)| {
        (from.base == to.base).then_some(to.offset - from.offset)
    };
    (from.len() == to.len()).then(|| pairs.map(move_of).collect())?
}

/// The end of the entries from `first` on of which each is alike the one before it and moves as far: `moves` gives how far one
/// moves from the one before it, if it is alike.
fn run_from<M: PartialEq>(
    first: usize,
    count: usize,
    moves: impl Fn(usize) -> Option<M>,
) -> (usize, Option<M>) {
    let mut end = first + 1;
    let all = if end < count { moves(end) } else { None };
    if all.is_some() {
        end += 1;
        while end < count && moves(end) == all {
            end += 1;
        }
    }
    (end, all)
}

/// Joins updates that lie evenly spaced.
fn join_updates(entries: &mut Entries) {
    let count = entries.list.len();
    let mut gone = vec![false; count];
    let mut first = 0;
    while first < count {
        let moves = |index: usize| {
            let (last, next) = (&entries.list[index - 1], &entries.list[index]);
            let (a, b) = (update(last)?, update(next)?);
            if a.part != b.part || a.bytes != b.bytes || !a.part.is_contiguous() {
                return None;
            }
            let from = &entries.operands[range(last)];
            let to = &entries.operands[range(next)];
            let moves = distances(from, to)?;
            let is_in_place =
                |o: &[RelativeAddress]| (o[0].base, o[0].offset) == (o[2].base, o[2].offset);
            (moves[0] == 0 && moves[2] == 0 && is_in_place(from) && is_in_place(to))
                .then_some((moves[1], b.offset - a.offset))
        };
        let (end, moved) = run_from(first, count, moves);
        let times = end - first;
        if let Some((from, to)) = moved
            && times >= LEAST
            && let Some(all) = joined(entries, first, times, from, to)
            && let Entry::Call { call, .. } = &mut entries.list[first]
        {
            **call = Call::Update(all);
            gone[first + 1..end].fill(true);
        }
        first = end;
    }
    keep(entries, |index| !gone[index]);
}

/// The update that does so many from one on, whose values lie `from` bytes apart and their places `to` bytes.
fn joined(entries: &Entries, first: usize, times: usize, from: isize, to: isize) -> Option<Update> {
    let one = update(&entries.list[first])?;
    let &[_, values, out] = &entries.operands[range(&entries.list[first])] else {
        return None;
    };
    let bytes = one.part.contiguous_bytes()? as isize;
    let span = |step: isize| {
        let far = step * (times as isize - 1);
        (far.min(0), far.max(0) + bytes)
    };
    let (start, end) = span(from);
    // Arguments that are read share no memory with results: a given result that does is copied before the program runs.
    let array = Bytes::new(out, 0, one.bytes as isize);
    let is_apart = values.base != out.base || Bytes::new(values, start, end).is_beside(array);
    (is_apart && to.abs() >= bytes).then(|| Update {
        part: one.part.repeated(times, from, to),
        ..*one
    })
}

/// How far the operands move from one entry to the next, if both do the same.
fn moves(entries: &Entries, last: usize) -> Option<Moves> {
    let (last, next) = (&entries.list[last], entries.list.get(last + 1)?);
    let is_alike = match (last, next) {
        (
            Entry::Kernel {
                kernel: a,
                parameters: p,
                can_fail: false,
                ..
            },
            Entry::Kernel {
                kernel: b,
                parameters: q,
                ..
            },
        ) => (a, p) == (b, q),
        (Entry::Call { call: a, .. }, Entry::Call { call: b, .. }) => {
            matches!((&**a, &**b), (Call::Matmul(a), Call::Matmul(b)) if a == b)
        }
        (Entry::Kernel { .. }, _) | (Entry::Call { .. }, Entry::Kernel { .. }) => false,
    };
    let operands = |entry| &entries.operands[range(entry)];
    is_alike.then(|| distances(operands(last), operands(next)))?
}

/// Whether an entry is so small that many of them are worth joining.
fn is_small(entries: &Entries, entry: &Entry) -> bool {
    let work = match entry {
        Entry::Kernel {
            kernel, parameters, ..
        } => {
            let parameters = &entries.parameters[*parameters as usize..];
            entries.kernels[*kernel as usize].work(parameters)
        }
        Entry::Call { call, .. } => match &**call {
            Call::Matmul(product) => Some(product.multiplications()),
            _ => None,
        },
    };
    work.is_some_and(|work| work <= SMALL)
}

/// Joins entries of one kernel or one product that move evenly, or in turns.
fn join_runs(entries: &mut Entries) {
    let count = entries.list.len();
    let mut gone = vec![false; count];
    let (mut first, mut end) = (0, 1);
    // The last two distances from one entry to the next, of those from the first to the end.
    let (mut before, mut last) = (None, None);
    while first < count {
        let next = moves(entries, end - 1);
        let times = end - first;
        if next.is_some() && (times < LEAST || next == before) {
            if times == LEAST - 1 && next != before {
                // The others may be a run without the first.
                first += 1;
            }
            (before, last) = (last, next);
            end += 1;
            continue;
        }
        if times >= LEAST
            && let (Some(before), Some(last)) = (before.take(), last.take())
            && is_small(entries, &entries.list[first])
        {
            let moves = if times % 2 == 0 {
                [last, before]
            } else {
                [before, last]
            };
            let (Entry::Kernel { run, .. } | Entry::Call { run, .. }) = &mut entries.list[first];
            let times = times as u32;
            *run = Some(Box::new(Run { times, moves }));
            gone[first + 1..end].fill(true);
        }
        (first, end) = (end, end + 1);
    }
    keep(entries, |index| !gone[index]);
}
