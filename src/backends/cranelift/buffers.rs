//! Where the workspace buffers of a program lie: memory is reused once nobody reads it any more.
//!
//! Groups of tasks run in order, so the life of a buffer is from the first group that touches it to the last. What the
//! tasks of a group write lies side by side in one block, so that the group can run as one loop. Blocks are found best
//! fit in one pass and start on a 64-byte line; within a block, items smaller than a line are packed, larger ones
//! are on lines of their own.
//!
//! A loop that writes each element where it read one for the last time does so in the same memory. Invariant: nothing
//! else in its group touches that memory ([`Nest::in_place`](super::nest::Nest::in_place) says what is safe within a
//! loop).

use std::collections::BTreeMap;

use super::nest::Nests;
use super::program::{BufferId, Place, Program};
use super::schedule::{Order, Tasks, Work};

/// Bytes that blocks are aligned to: a cache line, and the widest vector.
pub(super) const ALIGNMENT: usize = 64;

/// The plan of the workspace.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// For each buffer of the program, its offset; unused for those outside the workspace.
    pub(super) offsets: Vec<usize>,
    /// Bytes in all.
    pub(super) size: usize,
    /// How many buffers took over the memory of another.
    pub(super) in_place: usize,
}

/// The bytes that an item of a block takes: small ones are aligned to their size, so that they can be packed. The
/// address of an empty one counts too: it must be aligned for any dtype.
pub(super) fn rounded(bytes: usize) -> usize {
    const WIDEST: usize = 16;
    if bytes == 0 {
        WIDEST
    } else if bytes < ALIGNMENT {
        bytes.next_power_of_two()
    } else {
        bytes.next_multiple_of(ALIGNMENT)
    }
}

/// The last group that touches a buffer, and by how many operands it does.
#[derive(Clone, Copy, Default)]
struct LastUse {
    group: u32,
    operands: u32,
}

/// A piece of the workspace, free again when the last of its buffers is done.
struct Block {
    offset: usize,
    size: usize,
    buffers: u32,
}

const NO_BLOCK: u32 = u32::MAX;

struct Planner<'a> {
    program: &'a Program,
    tasks: &'a Tasks,
    nests: &'a Nests,
    last_uses: Vec<LastUse>,
    /// The block of each buffer that has memory.
    block_of: Vec<u32>,
    blocks: Vec<Block>,
    free: FreeList,
    workspace: Workspace,
    /// The buffers of the block that is being made.
    new_buffers: Vec<usize>,
}

/// Plans the workspace for an order.
pub(super) fn plan(program: &Program, tasks: &Tasks, nests: &Nests, order: &Order) -> Workspace {
    let mut last_uses = vec![LastUse::default(); program.buffers.len()];
    for (group, members) in order.groups().enumerate() {
        let group = group as u32;
        for &(buffer, _) in members.iter().flat_map(|&t| tasks.places(t as usize)) {
            let last = &mut last_uses[buffer.0 as usize];
            if last.group == group {
                last.operands += 1;
            } else {
                *last = LastUse { group, operands: 1 };
            }
        }
    }
    let mut planner = Planner {
        program,
        tasks,
        nests,
        last_uses,
        block_of: vec![NO_BLOCK; program.buffers.len()],
        blocks: Vec::new(),
        free: FreeList::default(),
        new_buffers: Vec::new(),
        workspace: Workspace {
            offsets: vec![0; program.buffers.len()],
            ..Workspace::default()
        },
    };
    for (group, members) in order.groups().enumerate() {
        planner.group(group as u32, members);
    }
    planner.workspace.size = planner.free.end;
    planner.workspace
}

impl Planner<'_> {
    fn group(&mut self, group: u32, members: &[u32]) {
        let Some(&first) = members.first() else {
            return;
        };
        for position in 0..self.tasks.places(first as usize).len() {
            self.take_over(group, members, position);
            self.allocate(members, position);
        }
        for &task in members {
            for &(buffer, _) in self.tasks.places(task as usize) {
                self.end(group, buffer);
            }
        }
    }

    /// Whether a buffer of the workspace has no memory yet.
    fn is_new(&self, buffer: BufferId) -> bool {
        let index = buffer.0 as usize;
        self.block_of[index] == NO_BLOCK && self.program.buffers[index].place == Place::Workspace
    }

    /// Lets the operands at a position have the memory of others that this group reads for the last time.
    fn take_over(&mut self, group: u32, members: &[u32], position: usize) {
        let Work::Loop(nest) = self.tasks.all[members[0] as usize].work else {
            return;
        };
        let nest = &self.nests[nest];
        let source = nest.in_place(position).into_iter().find(|&source| {
            members.iter().all(|&task| {
                let places = self.tasks.places(task as usize);
                let ((from, from_offset), (to, to_offset)) = (places[source], places[position]);
                let (from_index, to_index) = (from.0 as usize, to.0 as usize);
                let last = self.last_uses[from_index];
                let buffers = &self.program.buffers;
                self.block_of[from_index] != NO_BLOCK
                    && (last.group, last.operands) == (group, 1)
                    && self.is_new(to)
                    && from_offset == to_offset
                    && buffers[from_index].bytes == buffers[to_index].bytes
            })
        });
        let Some(source) = source else {
            return;
        };
        for &task in members {
            let places = self.tasks.places(task as usize);
            let (from, to) = (places[source].0.0 as usize, places[position].0.0 as usize);
            if self.block_of[to] != NO_BLOCK {
                continue;
            }
            let block = self.block_of[from];
            self.block_of[to] = block;
            self.blocks[block as usize].buffers += 1;
            self.workspace.offsets[to] = self.workspace.offsets[from];
            self.workspace.in_place += 1;
            // Nothing else may take it over.
            self.last_uses[from].operands += 1;
        }
    }

    /// Gives the new buffers at a position of the operands a block.
    fn allocate(&mut self, members: &[u32], position: usize) {
        let block = self.blocks.len() as u32;
        let mut size = 0usize;
        self.new_buffers.clear();
        for &task in members {
            let buffer = self.tasks.places(task as usize)[position].0;
            if self.is_new(buffer) {
                let index = buffer.0 as usize;
                let bytes = rounded(self.program.buffers[index].bytes);
                size = size.next_multiple_of(bytes.min(ALIGNMENT));
                self.block_of[index] = block;
                self.workspace.offsets[index] = size;
                self.new_buffers.push(index);
                size += bytes;
            }
        }
        if self.new_buffers.is_empty() {
            return;
        }
        let size = size.next_multiple_of(ALIGNMENT);
        let offset = self.free.take(size);
        for &index in &self.new_buffers {
            self.workspace.offsets[index] += offset;
        }
        self.blocks.push(Block {
            offset,
            size,
            buffers: self.new_buffers.len() as u32,
        });
    }

    /// Frees the block of a buffer if this is its last group and the others of the block are done.
    fn end(&mut self, group: u32, buffer: BufferId) {
        let index = buffer.0 as usize;
        let last = &mut self.last_uses[index];
        // A buffer may be an operand several times; it ends once.
        if self.block_of[index] == NO_BLOCK || last.group != group || last.operands == 0 {
            return;
        }
        last.operands = 0;
        let block = &mut self.blocks[self.block_of[index] as usize];
        block.buffers -= 1;
        if block.buffers == 0 {
            self.free.give(block.offset, block.size);
        }
    }
}

/// Free pieces of memory, by offset and by size.
#[derive(Default)]
struct FreeList {
    by_offset: BTreeMap<usize, usize>,
    by_size: BTreeMap<(usize, usize), ()>,
    end: usize,
}

impl FreeList {
    /// The smallest free piece that is large enough, or new memory at the end.
    fn take(&mut self, size: usize) -> usize {
        let found = self
            .by_size
            .range((size, 0)..)
            .next()
            .map(|(&piece, ())| piece);
        match found {
            Some((free, offset)) => {
                self.remove(offset, free);
                if free > size {
                    self.insert(offset + size, free - size);
                }
                offset
            }
            None => {
                // A free piece at the end can grow.
                let offset = match self.by_offset.last_key_value() {
                    Some((&offset, &free)) if offset + free == self.end => {
                        self.remove(offset, free);
                        offset
                    }
                    _ => self.end,
                };
                self.end = offset + size;
                offset
            }
        }
    }

    fn give(&mut self, mut offset: usize, mut size: usize) {
        if let Some((&before, &free)) = self.by_offset.range(..offset).next_back()
            && before + free == offset
        {
            self.remove(before, free);
            (offset, size) = (before, size + free);
        }
        if let Some(&free) = self.by_offset.get(&(offset + size)) {
            self.remove(offset + size, free);
            size += free;
        }
        self.insert(offset, size);
    }

    fn insert(&mut self, offset: usize, size: usize) {
        self.by_offset.insert(offset, size);
        self.by_size.insert((size, offset), ());
    }

    fn remove(&mut self, offset: usize, size: usize) {
        self.by_offset.remove(&offset);
        self.by_size.remove(&(size, offset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_memory_is_merged_and_reused() {
        let mut free = FreeList::default();
        let (a, b, c) = (free.take(64), free.take(128), free.take(64));
        assert_eq!((a, b, c, free.end), (0, 64, 192, 256));
        free.give(a, 64);
        free.give(b, 128);
        assert_eq!(free.take(192), 0);
        free.give(c, 64);
        assert_eq!(free.take(128), 192);
        assert_eq!(free.end, 320);
    }
}
