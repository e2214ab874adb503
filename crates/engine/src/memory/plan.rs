//! The plan for one order: memory is reused after the last read.
//!
//! Groups of steps run in order, so the life of a buffer is from the first group that touches it to the last. What the
//! steps of a group write lies side by side in one block, so that the group can run as one loop. Blocks are found best
//! fit in one pass and start on a 64-byte line; within a block, items smaller than a line are packed, larger ones
//! are on lines of their own.
//!
//! A loop that writes each element where it read one for the last time does so in the same memory, and a call that changes
//! some elements of an array that nothing reads later changes them there. Invariant: nothing else in its group touches that
//! memory ([`Nest::in_place`](crate::loops::Nest::in_place) says what is safe within a loop, and
//! [`Call::in_place`](crate::lower::Call::in_place) of a call).

use super::free_list::FreeList;
use crate::loops::{Loops, Work};
use crate::lower::{BufferId, Lowered, Storage};
use crate::schedule::Order;

/// Bytes that blocks are aligned to: a cache line, and the widest vector.
pub(crate) const ALIGNMENT: usize = 64;

/// The plan of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// For each buffer of the program, its offset; unused for those outside the workspace.
    pub(crate) offsets: Vec<usize>,
    /// Bytes in all.
    pub(crate) size: usize,
    /// The buffers that take over the memory of another: that one, and the one that takes it.
    pub(crate) in_place: Vec<(BufferId, BufferId)>,
}

/// The bytes that an item of a block takes: small ones are aligned to their size, so that they can be packed. The
/// address of an empty one counts too: it must be aligned for any dtype.
pub(crate) fn rounded(bytes: usize) -> usize {
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
    lowered: &'a Lowered,
    loops: &'a Loops,
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
pub(crate) fn plan(lowered: &Lowered, loops: &Loops, order: &Order) -> Workspace {
    let mut last_uses = vec![LastUse::default(); lowered.buffers.len()];
    for (group, members) in order.groups().enumerate() {
        let group = group as u32;
        for &(buffer, _) in members.iter().flat_map(|&t| loops.anchors(t)) {
            let last = &mut last_uses[buffer.0 as usize];
            if last.group == group {
                last.operands += 1;
            } else {
                *last = LastUse { group, operands: 1 };
            }
        }
    }
    let mut planner = Planner {
        lowered,
        loops,
        last_uses,
        block_of: vec![NO_BLOCK; lowered.buffers.len()],
        blocks: Vec::new(),
        free: FreeList::default(),
        new_buffers: Vec::new(),
        workspace: Workspace {
            offsets: vec![0; lowered.buffers.len()],
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
        for position in 0..self.loops.anchors(first).len() {
            self.take_over(group, members, position);
            self.allocate(members, position);
        }
        for &step in members {
            for &(buffer, _) in self.loops.anchors(step) {
                self.end(group, buffer);
            }
        }
    }

    /// Whether a buffer of the workspace has no memory yet.
    fn is_new(&self, buffer: BufferId) -> bool {
        let index = buffer.0 as usize;
        self.block_of[index] == NO_BLOCK
            && self.lowered.buffers[index].storage == Storage::Workspace
    }

    /// Lets the operands at a position have the memory of others that this group reads for the last time.
    fn take_over(&mut self, group: u32, members: &[u32], position: usize) {
        if !self.is_new(self.loops.anchors(members[0])[position].0) {
            return;
        }
        let sources = match self.loops.work(members[0]) {
            Work::Loop(nest) => self.loops.nests[nest].in_place(position),
            Work::Call(call) => {
                let call = &self.lowered.calls[call as usize].call;
                call.in_place(position).into_iter().collect()
            }
        };
        let source = sources.into_iter().find(|&source| {
            members.iter().all(|&step| {
                let anchors = self.loops.anchors(step);
                let ((from, from_offset), (to, to_offset)) = (anchors[source], anchors[position]);
                let (from_index, to_index) = (from.0 as usize, to.0 as usize);
                let last = self.last_uses[from_index];
                let buffers = &self.lowered.buffers;
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
        for &step in members {
            let anchors = self.loops.anchors(step);
            let (from, to) = (anchors[source].0.0 as usize, anchors[position].0.0 as usize);
            if self.block_of[to] != NO_BLOCK {
                continue;
            }
            let block = self.block_of[from];
            self.block_of[to] = block;
            self.blocks[block as usize].buffers += 1;
            self.workspace.offsets[to] = self.workspace.offsets[from];
            self.workspace
                .in_place
                .push((BufferId(from as u32), BufferId(to as u32)));
            // Nothing else may take it over.
            self.last_uses[from].operands += 1;
        }
    }

    /// Gives the new buffers at a position of the operands a block.
    fn allocate(&mut self, members: &[u32], position: usize) {
        let block = self.blocks.len() as u32;
        let mut size = 0usize;
        self.new_buffers.clear();
        for &step in members {
            let buffer = self.loops.anchors(step)[position].0;
            if self.is_new(buffer) {
                let index = buffer.0 as usize;
                let bytes = rounded(self.lowered.buffers[index].bytes);
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
