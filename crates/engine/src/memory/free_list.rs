//! Free pieces of the workspace.

use std::collections::BTreeMap;

/// Free pieces of memory, by offset and by size.
#[derive(Default)]
pub(crate) struct FreeList {
    by_offset: BTreeMap<usize, usize>,
    by_size: BTreeMap<(usize, usize), ()>,
    pub(crate) end: usize,
}

impl FreeList {
    /// The smallest free piece that is large enough, or new memory at the end.
    pub(crate) fn take(&mut self, size: usize) -> usize {
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

    pub(crate) fn give(&mut self, mut offset: usize, mut size: usize) {
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
