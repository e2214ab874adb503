//! `Cache`: signature to compiled code.
//!
//! Invariants: a signature is built by one thread at a time, while others that need the same one wait and those
//! that need another do not; an entry appears only when building succeeded, so an error or a panic leaves
//! nothing behind; a lock is never held while user code runs, so nothing is ever poisoned.
//!
//! A thread that would wait for itself, directly or through other waiting threads, is told so instead
//! ([`Found::Recursive`]). The one cycle that cannot be seen is a closure that starts a thread, which makes the
//! same call, and waits for that thread.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, ThreadId};

use hashbrown::HashTable;

use super::signature::{Query, Signature};
use autojit_ir::error::Result;

/// Compiled code by signature.
pub(crate) struct Cache<V> {
    /// How often the table was asked: the time of [`Entry::used`].
    clock: AtomicU64,
    /// How many entries were dropped to make room.
    dropped: AtomicU64,
    /// The entries of the last calls, found by comparing, without a hash. Calls that find theirs only read.
    recent: RwLock<Vec<Arc<Entry<V>>>>,
    /// Which of them the last call used: where to look first.
    last: AtomicUsize,
    slots: Mutex<HashTable<Slot<V>>>,
}

/// The most entries that are looked at before the table: functions that take turns among more kinds of arguments
/// are rare.
const RECENT: usize = 4;

/// The most entries: with one more, the one goes that was not used for longest.
pub(crate) const MOST: usize = 1024;

/// A value with its key.
pub(crate) struct Entry<V> {
    pub(crate) signature: Signature,
    pub(crate) value: V,
    /// When it was last found in the table. Entries among the recent ones are used without that.
    used: AtomicU64,
}

struct Slot<V> {
    hash: u64,
    state: State<V>,
}

enum State<V> {
    Building(Arc<Build>),
    Ready(Arc<Entry<V>>),
}

/// One thread at work on one signature.
struct Build {
    signature: Signature,
    thread: ThreadId,
    is_over: Mutex<bool>,
    over: Condvar,
}

/// How a look-up ended.
pub(crate) enum Found<V> {
    /// It was there, or another thread just built it.
    Hit(Arc<Entry<V>>),
    /// This call built it.
    Built(Arc<Entry<V>>),
    /// It is being built further up on this thread, or by a thread that waits for this one.
    Recursive,
}

/// No user code runs under the locks of this file, so what they protect is always whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<V> Cache<V> {
    pub(crate) fn new() -> Self {
        Self {
            clock: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            recent: RwLock::default(),
            last: AtomicUsize::new(0),
            slots: Mutex::new(HashTable::new()),
        }
    }

    /// The entry for a call. If there is none, `build` makes it; it is given the key of the last call.
    ///
    /// # Errors
    /// The value that `build` gave.
    pub(crate) fn get_or_build(
        &self,
        query: &Query<'_, '_>,
        build: impl FnOnce(Option<&Signature>) -> Result<V>,
    ) -> Result<Found<V>> {
        if let Some(entry) = self.recent(query) {
            return Ok(Found::Hit(entry));
        }
        let hash = query.hash();
        let place = loop {
            match self.find_or_claim(query, hash) {
                Ok(claimed) => break claimed,
                Err(State::Ready(entry)) => {
                    entry.used.store(self.now(), Ordering::Relaxed);
                    self.remember(entry.clone());
                    return Ok(Found::Hit(entry));
                }
                Err(State::Building(other)) => {
                    if !other.wait() {
                        return Ok(Found::Recursive);
                    }
                }
            }
        };
        let last = self.last();
        let value = build(last.as_ref().map(|entry| &entry.signature))?;
        Ok(Found::Built(place.fill(value)))
    }

    /// The finished entry, or the unfinished one of another call; if there is none, this thread's claim to it.
    fn find_or_claim(&self, query: &Query<'_, '_>, hash: u64) -> Result<Claim<'_, V>, State<V>> {
        let mut slots = lock(&self.slots);
        let found = slots.find(hash, |slot| slot.signature().matches(query));
        if let Some(slot) = found {
            return Err(slot.state.clone());
        }
        let build = Arc::new(Build {
            signature: query.signature(),
            thread: thread::current().id(),
            is_over: Mutex::new(false),
            over: Condvar::new(),
        });
        let state = State::Building(build.clone());
        slots.insert_unique(hash, Slot { hash, state }, |slot| slot.hash);
        Ok(Claim {
            cache: self,
            build,
            hash,
        })
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// How many entries were dropped to make room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Drops the entries that were not used for longest, so that there is room for some more.
    fn make_room(&self) {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let recent: Vec<Arc<Entry<V>>> = recent.clone();
        let mut slots = lock(&self.slots);
        if slots.len() <= MOST {
            return;
        }
        let is_recent = |entry: &Arc<Entry<V>>| recent.iter().any(|r| Arc::ptr_eq(r, entry));
        let mut times: Vec<u64> = slots
            .iter()
            .filter_map(|slot| match &slot.state {
                State::Ready(entry) if !is_recent(entry) => {
                    Some(entry.used.load(Ordering::Relaxed))
                }
                State::Ready(_) | State::Building(_) => None,
            })
            .collect();
        // An eighth at once, so that looking for them takes little time for each.
        let count = (slots.len() - MOST + MOST / 8).min(times.len());
        let Some(last) = count.checked_sub(1) else {
            return;
        };
        let (_, &mut limit, _) = times.select_nth_unstable(last);
        let mut old = Vec::new();
        slots.retain(|slot| match &slot.state {
            State::Ready(entry)
                if !is_recent(entry) && entry.used.load(Ordering::Relaxed) <= limit =>
            {
                old.push(entry.clone());
                false
            }
            State::Ready(_) | State::Building(_) => true,
        });
        drop(slots);
        self.dropped.fetch_add(old.len() as u64, Ordering::Relaxed);
        // They may be the last owners of compiled code: freed outside the lock.
        drop(old);
    }

    /// The entry of the last call.
    fn last(&self) -> Option<Arc<Entry<V>>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        recent.get(self.last.load(Ordering::Relaxed)).cloned()
    }

    /// The entry for a call, if a recent call used it.
    #[inline]
    pub(crate) fn recent(&self, query: &Query<'_, '_>) -> Option<Arc<Entry<V>>> {
        // If someone is writing, the table answers as well.
        let recent = self.recent.try_read().ok()?;
        let last = recent.get(self.last.load(Ordering::Relaxed));
        if let Some(entry) = last.filter(|entry| entry.signature.matches(query)) {
            return Some(entry.clone());
        }
        let matches = |entry: &Arc<Entry<V>>| entry.signature.matches(query);
        let position = recent.iter().position(matches)?;
        self.last.store(position, Ordering::Relaxed);
        Some(recent[position].clone())
    }

    /// Puts an entry among the recent ones, in the place of the one that follows the last call's.
    fn remember(&self, entry: Arc<Entry<V>>) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        let mut old = None;
        let position = if recent.len() < RECENT {
            recent.push(entry);
            recent.len() - 1
        } else {
            let position = (self.last.load(Ordering::Relaxed) + 1) % RECENT;
            old = Some(std::mem::replace(&mut recent[position], entry));
            position
        };
        self.last.store(position, Ordering::Relaxed);
        drop(recent);
        // It may be the last owner of compiled code: freed outside the lock.
        drop(old);
    }

    /// Whether a call would find its entry; if not, the key of the last call. It counts as no call.
    pub(crate) fn look_up(&self, query: &Query<'_, '_>) -> Result<(), Option<Signature>> {
        let slots = lock(&self.slots);
        let found = slots.find(query.hash(), |slot| slot.signature().matches(query));
        let is_ready = found.is_some_and(|slot| matches!(slot.state, State::Ready(_)));
        drop(slots);
        match is_ready {
            true => Ok(()),
            false => Err(self.last().map(|entry| entry.signature.clone())),
        }
    }

    /// The number of finished entries.
    pub(crate) fn len(&self) -> usize {
        let slots = lock(&self.slots);
        slots
            .iter()
            .filter(|slot| matches!(slot.state, State::Ready(_)))
            .count()
    }

    /// Forgets all finished entries. Calls that are under way keep theirs until they end.
    pub(crate) fn clear(&self) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        let mut old = std::mem::take(&mut *recent);
        drop(recent);
        lock(&self.slots).retain(|slot| match &slot.state {
            State::Building(_) => true,
            State::Ready(entry) => {
                old.push(entry.clone());
                false
            }
        });
        drop(old);
    }
}

impl<V> Clone for State<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Building(build) => Self::Building(build.clone()),
            Self::Ready(entry) => Self::Ready(entry.clone()),
        }
    }
}

impl<V> Slot<V> {
    fn signature(&self) -> &Signature {
        match &self.state {
            State::Building(build) => &build.signature,
            State::Ready(entry) => &entry.signature,
        }
    }

    fn is(&self, build: &Arc<Build>) -> bool {
        matches!(&self.state, State::Building(other) if Arc::ptr_eq(other, build))
    }
}

/// The right to fill a slot. Dropped without filling, by an error or a panic, it removes the slot.
struct Claim<'c, V> {
    cache: &'c Cache<V>,
    build: Arc<Build>,
    hash: u64,
}

impl<V> Claim<'_, V> {
    fn fill(self, value: V) -> Arc<Entry<V>> {
        let entry = Arc::new(Entry {
            signature: self.build.signature.clone(),
            value,
            used: AtomicU64::new(self.cache.now()),
        });
        let mut slots = lock(&self.cache.slots);
        if let Some(slot) = slots.find_mut(self.hash, |slot| slot.is(&self.build)) {
            slot.state = State::Ready(entry.clone());
        }
        let is_full = slots.len() > MOST;
        drop(slots);
        self.cache.remember(entry.clone());
        if is_full {
            self.cache.make_room();
        }
        entry
    }
}

impl<V> Drop for Claim<'_, V> {
    fn drop(&mut self) {
        let mut slots = lock(&self.cache.slots);
        if let Ok(slot) = slots.find_entry(self.hash, |slot| slot.is(&self.build)) {
            slot.remove();
        }
        drop(slots);
        *lock(&self.build.is_over) = true;
        self.build.over.notify_all();
    }
}

/// Which threads wait for which, over all caches, so that a deadlock is detected before it happens.
static WAITING: Mutex<Vec<(ThreadId, ThreadId)>> = Mutex::new(Vec::new());

impl Build {
    /// Waits until the build is over; `false` if that would never be.
    fn wait(&self) -> bool {
        let this = thread::current().id();
        {
            let mut waiting = lock(&WAITING);
            let mut next = Some(self.thread);
            while let Some(thread) = next {
                if thread == this {
                    return false;
                }
                next = waiting
                    .iter()
                    .find_map(|&(waiter, owner)| (waiter == thread).then_some(owner));
            }
            waiting.push((this, self.thread));
        }
        let mut is_over = lock(&self.is_over);
        while !*is_over {
            is_over = self
                .over
                .wait(is_over)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(is_over);
        lock(&WAITING).retain(|&(waiter, _)| waiter != this);
        true
    }
}
