//! Tasks with numbers, which rank 0 hands out, and takes the results of in the order of their numbers.
//!
//! Every rank has at most [`DEPTH`] tasks, so that it has the next one when it sends a result, and rank 0 hands out only so far ahead of
//! what is taken ([`ahead`]), which bounds the memory of results that wait. On rank 0 this thread speaks to the others, and another one does tasks
//! as they do; with many ranks it has enough to do without.
//!
//! A message to a rank has a number of [`order`], one from a rank a number of [`reply`]. The end of all is told by an order to each rank,
//! and where a task failed each of them says that it heard it, so that no message is left for the calls that follow.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};

use autojit::{Error, Result};
use mpi::traits::Communicator;

use crate::ranks::{Pause, Ranks};
use crate::wire::{self, Message};

/// Tasks that a rank has at once.
const DEPTH: usize = 2;

/// With more ranks than these rank 0 does no tasks.
const RANKS_WITH_A_WORKING_FIRST: usize = 64;

/// To ranks.
mod order {
    pub(super) const TASK: u64 = 0;
    pub(super) const END: u64 = 1;
    pub(super) const STOP: u64 = 2;
}

/// From ranks.
mod reply {
    pub(super) const RESULT: u64 = 0;
    pub(super) const FAILED: u64 = 1;
    pub(super) const STOPPED: u64 = 2;
}

/// How far ahead of what is taken tasks are handed out, where a result takes so many bytes: so far that a rank may be a few dozen
/// times slower than the others before they wait for it, unless that is more memory than this.
pub(crate) fn ahead(size: usize, bytes: u64) -> u64 {
    const MOST: u64 = 64 << 20;
    let ranks = size as u64;
    let (few, many) = (2 * DEPTH as u64 * ranks, 64 * ranks);
    many.min(MOST / bytes.max(1)).max(few)
}

/// What a task gives.
pub(crate) type Given = Result<Vec<u8>>;

/// Does all tasks. Rank 0 knows their numbers, and has the function that takes results.
///
/// # Errors
/// A task failed, or taking its result: that with the lowest number that is known then. All ranks end with it.
pub(crate) fn distribute<'t>(
    ranks: &'t Ranks,
    first: Option<First<'t>>,
    run: &(dyn Fn(u64) -> Given + Sync),
) -> Result<()> {
    // A panic must not leave the others waiting for what it would have given.
    let run = |task| {
        catch_unwind(AssertUnwindSafe(|| run(task)))
            .unwrap_or_else(|_| Err(Error::internal(format!("task {task} panicked"))))
    };
    let ended = match first {
        Some(first) => Server::new(ranks, first).serve(&run),
        None => {
            work(ranks, &run);
            Ok(())
        }
    };
    ranks.agree(ended)
}

/// What rank 0 has.
pub(crate) struct First<'t> {
    /// The tasks that are left.
    pub(crate) tasks: Range<u64>,
    /// How far ahead of what is taken they are handed out.
    pub(crate) ahead: u64,
    /// Takes the result of the next one.
    pub(crate) take: &'t mut dyn FnMut(Vec<u8>) -> Result<()>,
}

/// A rank but the first: does what it is told.
fn work(ranks: &Ranks, run: &dyn Fn(u64) -> Given) {
    let world = &ranks.world;
    let mut tasks = VecDeque::new();
    let mut failed = false;
    let mut pause = Pause::default();
    loop {
        while let Some((_, order)) = Message::poll(world) {
            match order.kind {
                order::END => return,
                order::STOP => {
                    Message::new(reply::STOPPED, 0).send(world, 0);
                    return;
                }
                _ => tasks.push_back(order.number),
            }
        }
        let Some(task) = tasks.pop_front() else {
            std::thread::sleep(pause.next());
            continue;
        };
        pause = Pause::default();
        if failed {
            // Rank 0 will say so.
            continue;
        }
        let reply = match run(task) {
            Ok(bytes) => Message {
                bytes,
                ..Message::new(reply::RESULT, task)
            },
            Err(error) => {
                failed = true;
                Message {
                    bytes: wire::encode_error(&error, world.rank()),
                    ..Message::new(reply::FAILED, task)
                }
            }
        };
        reply.send(world, 0);
    }
}

/// Rank 0.
struct Server<'t> {
    ranks: &'t Ranks,
    first: First<'t>,
    /// Ranks that want a task, once for each.
    hungry: VecDeque<i32>,
    /// Results that wait for those before them.
    waiting: BTreeMap<u64, Vec<u8>>,
    /// The task that is handed out next, and the one whose result is taken next.
    next: u64,
    taken: u64,
    failed: Option<(u64, Error)>,
}

impl<'t> Server<'t> {
    fn new(ranks: &'t Ranks, first: First<'t>) -> Self {
        let size = ranks.world.size();
        let own = if ranks.size() > RANKS_WITH_A_WORKING_FIRST {
            1
        } else {
            0
        };
        let each = (0..DEPTH).flat_map(|_| own..size);
        Self {
            ranks,
            hungry: each.collect(),
            waiting: BTreeMap::new(),
            next: first.tasks.start,
            taken: first.tasks.start,
            failed: None,
            first,
        }
    }

    fn serve(mut self, run: &(dyn Fn(u64) -> Given + Sync)) -> Result<()> {
        let over = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (hand_out, handed_out) = mpsc::channel::<u64>();
            let (give, given) = mpsc::channel::<(u64, Given)>();
            let thread = std::thread::Builder::new().spawn_scoped(scope, move || {
                for task in handed_out {
                    let is_over = over.load(Ordering::Relaxed);
                    if is_over || give.send((task, run(task))).is_err() {
                        break;
                    }
                }
            });
            if let Err(error) = thread {
                self.fail(
                    self.next,
                    Error::value(format!("cannot start a thread: {error}")),
                );
            }
            self.all(&hand_out, &given);
            over.store(true, Ordering::Relaxed);
            // The thread ends when nothing can be handed out any more.
            drop(hand_out);
        });
        self.end()
    }

    /// Until all is taken or something failed.
    fn all(&mut self, hand_out: &Sender<u64>, given: &Receiver<(u64, Given)>) {
        let mut pause = Pause::default();
        while self.failed.is_none() && self.taken < self.first.tasks.end {
            self.hand_out(hand_out);
            let mut any = false;
            while let Some((rank, message)) = Message::poll(&self.ranks.world) {
                self.hear(rank, message);
                self.hand_out(hand_out);
                any = true;
            }
            if any {
                pause = Pause::default();
            }
            match given.recv_timeout(pause.next()) {
                Ok((task, Ok(bytes))) => {
                    self.hungry.push_back(0);
                    self.put(task, bytes);
                    pause = Pause::default();
                }
                Ok((task, Err(error))) => self.fail(task, error),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.fail(self.next, Error::internal("the thread of rank 0 ended"));
                }
            }
        }
    }

    fn hand_out(&mut self, own: &Sender<u64>) {
        let until = self.taken.saturating_add(self.first.ahead);
        let until = until.min(self.first.tasks.end);
        while self.failed.is_none() && self.next < until {
            let Some(rank) = self.hungry.pop_front() else {
                return;
            };
            match rank {
                // A thread that is gone gives nothing, which is seen elsewhere.
                0 => drop(own.send(self.next)),
                _ => Message::new(order::TASK, self.next).send(&self.ranks.world, rank),
            }
            self.next += 1;
        }
    }

    fn hear(&mut self, rank: i32, message: Message) {
        match message.kind {
            reply::RESULT => {
                self.hungry.push_back(rank);
                self.put(message.number, message.bytes);
            }
            _ => self.fail(message.number, wire::decode_error(&message.bytes)),
        }
    }

    /// Takes a result, and those that waited for it.
    fn put(&mut self, task: u64, bytes: Vec<u8>) {
        self.waiting.insert(task, bytes);
        while self.failed.is_none()
            && let Some(bytes) = self.waiting.remove(&self.taken)
        {
            match (self.first.take)(bytes) {
                Ok(()) => self.taken += 1,
                Err(error) => self.fail(self.taken, error),
            }
        }
    }

    fn fail(&mut self, task: u64, error: Error) {
        if self.failed.as_ref().is_none_or(|(first, _)| task < *first) {
            self.failed = Some((task, error));
        }
    }

    /// Tells all ranks that it is over.
    fn end(mut self) -> Result<()> {
        let world = &self.ranks.world;
        let others = 1..world.size();
        if self.failed.is_none() {
            others.for_each(|rank| Message::new(order::END, 0).send(world, rank));
            return Ok(());
        }
        let mut left = others.len();
        others.for_each(|rank| Message::new(order::STOP, 0).send(world, rank));
        let mut pause = Pause::default();
        while left > 0 {
            match Message::poll(world) {
                Some((_, message)) if message.kind == reply::STOPPED => left -= 1,
                Some((_, message)) if message.kind == reply::FAILED => {
                    let error = wire::decode_error(&message.bytes);
                    self.fail(message.number, error);
                }
                // A result that nobody needs.
                Some(_) => {}
                None => std::thread::sleep(pause.next()),
            }
        }
        match self.failed {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}
