//! Lists of a call: its arguments, their addresses. A few have room in place; the memory of longer lists stays with the thread,
//! for its next call, so that calls of many arguments allocate no more than those of few.
//!
//! Invariants: the first `len` items in place are initialised, and none is once the list is longer; memory that is kept is empty, and
//! at most `KEPT` elements long; a call within a call takes memory of its own.

use std::cell::Cell;
use std::mem::{self, MaybeUninit};
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

/// What a thread keeps for lists of one type. Lifetimes do not matter: `&'static T` stands for every `&T`.
pub type Memory<K> = LocalKey<Cell<Vec<K>>>;

/// The longest lists whose memory is kept.
const KEPT: usize = 8192;

/// A list with room for `N` items in place, which gives other memory back to the thread when it is dropped.
pub struct List<T, const N: usize, K: 'static> {
    place: [MaybeUninit<T>; N],
    len: usize,
    /// All items, once there are more than `N`; without memory before.
    longer: Vec<T>,
    memory: &'static Memory<K>,
}

impl<T, const N: usize, K> List<T, N, K> {
    /// An empty list. Inlined in any case, as are those below: a list that is moved is copied, with all the room in it. So it is
    /// made where it stays, and gets room there.
    #[inline(always)]
    pub fn new(memory: &'static Memory<K>) -> Self {
        Self {
            place: [const { MaybeUninit::uninit() }; N],
            len: 0,
            longer: Vec::new(),
            memory,
        }
    }

    #[inline(always)]
    fn is_long(&self) -> bool {
        self.longer.capacity() != 0
    }

    /// Makes room for so many in an empty list.
    #[inline(always)]
    pub fn reserve(&mut self, count: usize) {
        if count > N {
            self.grow(count);
        }
    }

    /// Appends to it.
    #[inline(always)]
    pub fn push(&mut self, item: T) {
        self.push_with(|| item);
    }

    /// Appends what the function makes, which is made in its place: what is put together elsewhere by several writes would be
    /// copied by wider reads just after them, and these wait for the cache.
    #[inline(always)]
    pub fn push_with(&mut self, make: impl FnOnce() -> T) {
        if self.len < N && !self.is_long() {
            self.place[self.len].write(make());
            self.len += 1;
        } else {
            self.push_to_more(make());
        }
    }

    #[cold]
    fn push_to_more(&mut self, item: T) {
        self.grow(1);
        self.longer.push(item);
    }

    /// Appends all. Their number is written once, which is sooner done than after each.
    #[inline(always)]
    pub fn extend(&mut self, mut items: impl Iterator<Item = T>) {
        let (least, _) = items.size_hint();
        if least > N - self.len || self.is_long() {
            self.grow(least);
            return self.longer.extend(items);
        }
        let mut len = self.len;
        for free in &mut self.place[len..] {
            let Some(item) = items.next() else {
                self.len = len;
                return;
            };
            free.write(item);
            len += 1;
        }
        self.len = len;
        items.for_each(|item| self.push(item));
    }

    /// Makes room for more in memory of its own. A list that leaves its room in place takes the memory that the thread keeps.
    #[cold]
    fn grow(&mut self, more: usize) {
        if self.is_long() {
            return self.longer.reserve(more);
        }
        let kept = self.memory.try_with(Cell::take).unwrap_or_default();
        let mut longer: Vec<T> = emptied(kept);
        let len = mem::take(&mut self.len);
        longer.reserve((len + more).max(1));
        // SAFETY: that many are initialised, and with a length of 0 none is used again.
        longer.extend(
            self.place[..len]
                .iter()
                .map(|item| unsafe { item.assume_init_read() }),
        );
        self.longer = longer;
    }
}

/// The memory of a list as an empty list of another type. What is collected stays where it was if the types have one layout,
/// as those do that differ in lifetimes; otherwise it is new memory.
fn emptied<T, U>(mut list: Vec<T>) -> Vec<U> {
    list.clear();
    list.into_iter().filter_map(|_| None).collect()
}

impl<T, const N: usize, K> Deref for List<T, N, K> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        if self.is_long() {
            return &self.longer;
        }
        // SAFETY: that many are initialised.
        unsafe { self.place[..self.len].assume_init_ref() }
    }
}

impl<T, const N: usize, K> DerefMut for List<T, N, K> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        if self.is_long() {
            return &mut self.longer;
        }
        // SAFETY: that many are initialised.
        unsafe { self.place[..self.len].assume_init_mut() }
    }
}

impl<T, const N: usize, K> Drop for List<T, N, K> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_long() {
            // SAFETY: that many are initialised, and are not used again.
            unsafe { self.place[..self.len].assume_init_drop() };
        } else if self.longer.capacity() <= KEPT {
            let memory = emptied(mem::take(&mut self.longer));
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
    fn list(numbers: &[u64]) -> (List<&u64, 2, &'static u64>, usize) {
        let mut list: List<&u64, 2, &'static u64> = List::new(&NUMBERS);
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
        let mut list: List<u64, 2, u64> = List::new(&WORDS);
        list.extend(0..9);
        let address = <[u64]>::as_ptr(&list).addr();
        assert!(list.iter().copied().eq(0..9));
        drop(list);
        let mut list: List<u64, 2, u64> = List::new(&WORDS);
        list.extend([7].into_iter());
        list.extend(0..8);
        assert_eq!(<[u64]>::as_ptr(&list).addr(), address);
        assert_eq!(*list, [7, 0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn room_is_made_at_once() {
        let mut list: List<u64, 2, u64> = List::new(&WORDS);
        list.reserve(9);
        list.push(1);
        let address = <[u64]>::as_ptr(&list).addr();
        for number in 2..10 {
            list.push(number);
        }
        assert_eq!(<[u64]>::as_ptr(&list).addr(), address);
        assert_eq!(*list, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn every_item_is_dropped_once() {
        use std::rc::Rc;

        thread_local! {
            static OWNED: Cell<Vec<Rc<()>>> = const { Cell::new(Vec::new()) };
        }

        let item = Rc::new(());
        for count in 0..6 {
            let mut pushed: List<Rc<()>, 2, Rc<()>> = List::new(&OWNED);
            (0..count).for_each(|_| pushed.push(item.clone()));
            let mut extended: List<Rc<()>, 2, Rc<()>> = List::new(&OWNED);
            extended.push(item.clone());
            // Its number is not known before.
            extended.extend((0..count).filter(|_| true).map(|_| item.clone()));
            assert_eq!((pushed.len(), extended.len()), (count, 1 + count));
            assert_eq!(Rc::strong_count(&item), 2 + 2 * count);
            drop((pushed, extended));
            assert_eq!(Rc::strong_count(&item), 1);
        }
    }

    #[test]
    fn an_iterator_that_ended_is_not_asked_again() {
        let mut list: List<u64, 2, u64> = List::new(&WORDS);
        let mut numbers = [1, 0, 3].into_iter();
        list.extend(std::iter::from_fn(|| numbers.next().filter(|&n| n > 0)));
        assert_eq!(*list, [1]);
    }

    thread_local! {
        static WORDS: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
    }
}
