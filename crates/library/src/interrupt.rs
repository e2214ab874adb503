//! Stopping what runs for long: a program may set a check, which loops ask from time to time whether to go on.
//!
//! Nothing is asked of a clock unless a check is set, and of a loop of short iterations only now and then: the number of
//! iterations between two looks adapts itself to how long they take.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use autojit_ir::error::{Error, Result};

type Check = Arc<dyn Fn() -> bool + Send + Sync>;

static IS_SET: AtomicBool = AtomicBool::new(false);
static CHECK: RwLock<Option<Check>> = RwLock::new(None);

/// The time between two questions. A person does not notice it, and a question that takes a lock costs nothing beside it.
const INTERVAL: Duration = Duration::from_millis(20);

/// Sets what loops ask about every 20 ms, on the thread that they run on: if it returns true, the loop ends with an error for
/// which [`Error::is_interrupted`] holds, and which names the iteration. It must not panic.
///
/// Loops of the native backend and of replay ask, eager ones too, but not those that libtorch and XLA run. A loop that began
/// before the check was set does not ask it.
pub fn set_interrupt_check(check: impl Fn() -> bool + Send + Sync + 'static) {
    replace(Some(Arc::new(check)));
}

/// Removes the check, so that loops ask nothing.
pub fn clear_interrupt_check() {
    replace(None);
}

fn replace(check: Option<Check>) {
    let mut current = CHECK.write().unwrap_or_else(PoisonError::into_inner);
    IS_SET.store(check.is_some(), Ordering::Release);
    *current = check;
}

/// What one loop knows of the check.
#[derive(Debug)]
pub struct Watch {
    /// Iterations until the check may be asked; without a check more than any loop has.
    left: u64,
    asking: Option<Asking>,
}

struct Asking {
    check: Check,
    /// Iterations from one look at the clock to the next.
    stride: u64,
    looked: Instant,
    asked: Instant,
}

impl Watch {
    /// For a loop that begins, and has run for far less than 20 ms after its first `iterations`.
    #[inline]
    pub fn begin(iterations: u64) -> Self {
        if IS_SET.load(Ordering::Acquire) {
            Self::asking(iterations)
        } else {
            Self {
                left: u64::MAX,
                asking: None,
            }
        }
    }

    #[cold]
    fn asking(iterations: u64) -> Self {
        let check = CHECK.read().unwrap_or_else(PoisonError::into_inner).clone();
        let asking = check.map(|check| {
            let now = Instant::now();
            Asking {
                check,
                stride: iterations,
                looked: now,
                asked: now,
            }
        });
        Self {
            left: if asking.is_some() {
                iterations
            } else {
                u64::MAX
            },
            asking,
        }
    }

    /// Called after each iteration, or after `count` of them; `number` is that of the last one.
    ///
    /// # Errors
    /// The check says that the loop is to end.
    #[inline]
    pub fn passed(&mut self, count: u64, number: u64) -> Result<()> {
        self.left = self.left.saturating_sub(count);
        match self.left {
            0 => self.look().map_err(|e| e.in_iteration(number)),
            _ => Ok(()),
        }
    }

    /// How many iterations may pass until [`passed`](Self::passed) is called: as many as take 20 ms, once that is known.
    pub fn iterations(&self) -> u64 {
        self.left
    }

    #[cold]
    fn look(&mut self) -> Result<()> {
        let Some(asking) = &mut self.asking else {
            self.left = u64::MAX;
            return Ok(());
        };
        let now = Instant::now();
        let took = now - asking.looked;
        if took < INTERVAL / 2 {
            asking.stride = asking.stride.saturating_mul(2);
        } else if took > INTERVAL {
            let part = INTERVAL.as_secs_f64() / took.as_secs_f64();
            asking.stride = ((asking.stride as f64 * part) as u64).max(1);
        }
        self.left = asking.stride;
        asking.looked = now;
        if now - asking.asked < INTERVAL {
            return Ok(());
        }
        asking.asked = now;
        match (asking.check)() {
            true => Err(Error::interrupted("the loop was interrupted")),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} iterations", self.stride)
    }
}
