//! Lists of a call: its arguments, their addresses. A few have room in place; the memory of longer lists stays with the thread,
//! for its next call, so that calls of many arguments allocate no more than those of few.
//!
//! Invariants: memory that is kept is empty, and at most `KEPT` elements long; a call within a call takes memory of its own.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

use smallvec::{Array, SmallVec};

/// What a thread keeps for lists of one type. Lifetimes do not matter: `&'static T` stands for every `&T`.
pub type Memory<K> = LocalKey<Cell<Vec<K>>>;

/// The longest lists whose memory is kept.
const KEPT: usize = 8192;

/// A list that gives its memory back to the thread when it is dropped.
pub struct List<A: Array, K: 'static> {
    items: SmallVec<A>,
    memory: &'static Memory<K>,
}

impl<A: Array, K> List<A, K> {
    /// An empty list. Inlined in any case, as are those below: a list that is moved is copied, with all the room in it.
    #[inline(always)]
    pub fn new(memory: &'static Memory<K>) -> Self {
        Self {
            items: SmallVec::new(),
            memory,
        }
    }

    /// An empty list with room for so many.
    #[inline(always)]
    pub fn with_capacity(memory: &'static Memory<K>, count: usize) -> Self {
        let mut list = Self::new(memory);
        if count > list.items.capacity() {
            list.grow(count);
        }
        list
    }

    /// Appends to it. Inlined in any case: what is made in registers would else be read from memory just after it was written, in
    /// other parts, which waits for the cache.
    #[inline(always)]
    pub fn push(&mut self, item: A::Item) {
        if self.items.len() == self.items.capacity() {
            self.grow(1);
        }
        self.items.push(item);
    }

    /// Appends all. Their number is written once, which is sooner done than after each.
    #[inline(always)]
    pub fn extend(&mut self, items: impl Iterator<Item = A::Item>) {
        let (least, _) = items.size_hint();
        if least > self.items.capacity() - self.items.len() {
            self.grow(least);
        }
        self.items.extend(items);
    }

    /// Makes room for more. A list that leaves its room in place takes the memory that the thread keeps.
    #[cold]
    fn grow(&mut self, more: usize) {
        if !self.items.spilled() {
            let kept = self.memory.try_with(Cell::take).unwrap_or_default();
            let mut longer: Vec<A::Item> = emptied(kept);
            longer.reserve(self.items.len() + more);
            longer.extend(self.items.drain(..));
            self.items = SmallVec::from_vec(longer);
        }
        self.items.reserve(more);
    }
}

/// The memory of a list as an empty list of another type. What is collected stays where it was if the types have one layout,
/// as those do that differ in lifetimes; otherwise it is new memory.
fn emptied<T, U>(mut list: Vec<T>) -> Vec<U> {
    list.clear();
    list.into_iter().filter_map(|_| None).collect()
}

impl<A: Array, K> Deref for List<A, K> {
    type Target = [A::Item];

    #[inline]
    fn deref(&self) -> &[A::Item] {
        &self.items
    }
}

impl<A: Array, K> DerefMut for List<A, K> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [A::Item] {
        &mut self.items
    }
}

impl<A: Array, K> Drop for List<A, K> {
    #[inline]
    fn drop(&mut self) {
        if self.items.spilled() && self.items.capacity() <= KEPT {
            let memory = emptied(std::mem::take(&mut self.items).into_vec());
            // A thread that ends keeps nothing.
            let _ = self.memory.try_with(|kept| kept.set(memory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, List};
    use std::cell::Cell;

    thread_local! {
        static NUMBERS: Cell<Vec<&'static u64>> = const { Cell::new(Vec::new()) };
    }

    /// A list of references with a lifetime of their own, and where it is.
    fn list(numbers: &[u64]) -> (List<[&u64; 2], &'static u64>, usize) {
        let mut list: List<[&u64; 2], &'static u64> = List::new(&NUMBERS);
        for number in numbers {
            list.push(number);
        }
        let address = <[&u64]>::as_ptr(&list).addr();
        (list, address)
    }

    #[test]
    fn long_lists_have_the_memory_of_those_before() {
        let numbers: Vec<u64> = (0..KEPT as u64 + 1).collect();
        let (first, address) = list(&numbers[..100]);
        // Two at once do not share.
        let (second, other) = list(&numbers[..100]);
        assert_ne!(address, other);
        drop(second);
        drop(first);
        let (again, same) = list(&numbers[..50]);
        assert_eq!(same, address);
        assert!(again.iter().copied().eq(&numbers[..50]));
        drop(again);
        // Short lists leave it alone.
        assert!(list(&numbers[..2]).0.iter().copied().eq(&numbers[..2]));
        assert_eq!(list(&numbers[..3]).1, address);
        // A very long one gives it back.
        drop(list(&numbers));
        assert_eq!(NUMBERS.take().capacity(), 0);
    }

    #[test]
    fn items_are_appended_to_the_memory_of_the_thread() {
        let mut list: List<[u64; 2], u64> = List::new(&WORDS);
        list.extend(0..9);
        let address = <[u64]>::as_ptr(&list).addr();
        assert!(list.iter().copied().eq(0..9));
        drop(list);
        let mut list: List<[u64; 2], u64> = List::new(&WORDS);
        list.extend([7].into_iter());
        list.extend(0..8);
        assert_eq!(<[u64]>::as_ptr(&list).addr(), address);
        assert_eq!(*list, [7, 0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn room_is_made_at_once() {
        let mut list: List<[u64; 2], u64> = List::with_capacity(&WORDS, 9);
        list.push(1);
        let address = <[u64]>::as_ptr(&list).addr();
        for number in 2..10 {
            list.push(number);
        }
        assert_eq!(<[u64]>::as_ptr(&list).addr(), address);
        assert_eq!(*list, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    thread_local! {
        static WORDS: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
    }
}
