//! Room for operands that are copied together before they are multiplied. A thread keeps it for its next product, so that
//! products of one shape after the other take no memory.

use std::cell::Cell;

/// So many words are kept; more is given back.
const KEPT: usize = 256 * 1024;

thread_local! {
    static ROOM: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// The room, which is taken when it is first asked for.
#[derive(Default)]
pub(super) struct Packing {
    /// Nothing is ever in it: it stands for its capacity.
    words: Vec<u64>,
}

impl Packing {
    /// Room for so many elements, good until it is next asked for. What is there is not initialised.
    pub(super) fn room<T>(&mut self, count: usize) -> *mut T {
        const { assert!(align_of::<T>() <= align_of::<u64>()) };
        let words = (count * size_of::<T>()).div_ceil(size_of::<u64>());
        if self.words.capacity() == 0 {
            // Nothing is kept while a thread ends.
            self.words = ROOM.try_with(Cell::take).unwrap_or_default();
        }
        // Not the double of what was there, which may be more than is kept.
        self.words.reserve_exact(words);
        self.words.as_mut_ptr().cast()
    }
}

impl Drop for Packing {
    fn drop(&mut self) {
        if (1..=KEPT).contains(&self.words.capacity()) {
            let words = std::mem::take(&mut self.words);
            let _ = ROOM.try_with(|room| room.set(words));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Packing};

    #[test]
    fn room_is_kept_unless_it_is_large() {
        let room = |count| Packing::default().room::<u64>(count).addr();
        let first = room(100);
        assert_eq!(room(50), first);
        // Two at once do not share.
        let (mut one, mut other) = (Packing::default(), Packing::default());
        assert_ne!(one.room::<u64>(10), other.room::<u64>(10));
        drop((one, other));
        let mut large = Packing::default();
        large.room::<u64>(KEPT + 1);
        drop(large);
        let mut again = Packing::default();
        again.room::<u64>(1);
        assert!(again.words.capacity() <= KEPT);
        // Room that grows is kept up to that size.
        let mut grown = Packing::default();
        grown.room::<u64>(KEPT - 10);
        let address = grown.room::<u64>(KEPT).addr();
        drop(grown);
        assert_eq!(room(KEPT), address);
    }
}
