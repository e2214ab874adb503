//! Where the workspace buffers of a program lie: memory is reused once nobody reads it any more.
//!
//! Steps run in order, so the life of a buffer is from the first step that writes it to the last that reads it.
//! Offsets are found best fit in one pass; every buffer starts on a 64-byte line.

use std::collections::BTreeMap;

use super::fuse::{Schedule, reads, writes};
use super::program::{Place, Program};

/// Bytes that buffers are aligned to: a cache line, and the widest vector.
pub(super) const ALIGNMENT: usize = 64;

/// The plan of the workspace.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// For each buffer of the program, its offset; unused for those outside the workspace.
    pub(super) offsets: Vec<usize>,
    /// Bytes in all.
    pub(super) size: usize,
}

/// Plans the workspace.
pub(super) fn plan(program: &Program, schedule: &Schedule) -> Workspace {
    let steps = schedule.steps.len();
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; program.buffers.len()];
    for (instruction, &(step, _)) in program.instructions.iter().zip(&schedule.placed) {
        for view in reads(instruction).chain(writes(instruction)) {
            let life = lives[view.buffer.0 as usize].get_or_insert((step as usize, step as usize));
            life.0 = life.0.min(step as usize);
            life.1 = life.1.max(step as usize);
        }
    }
    let (mut starts, mut ends) = (vec![Vec::new(); steps], vec![Vec::new(); steps]);
    for (buffer, life) in lives.iter().enumerate() {
        if let (Some((first, last)), Place::Workspace) = (life, program.buffers[buffer].place) {
            starts[*first].push(buffer);
            ends[*last].push(buffer);
        }
    }
    let mut free = FreeList::default();
    let mut workspace = Workspace {
        offsets: vec![0; program.buffers.len()],
        size: 0,
    };
    let rounded = |buffer: usize| {
        program.buffers[buffer]
            .bytes
            .max(1)
            .next_multiple_of(ALIGNMENT)
    };
    for step in 0..steps {
        for &buffer in &starts[step] {
            workspace.offsets[buffer] = free.take(rounded(buffer));
        }
        for &buffer in &ends[step] {
            free.give(workspace.offsets[buffer], rounded(buffer));
        }
    }
    workspace.size = free.end;
    workspace
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
