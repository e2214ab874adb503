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
pub struct Watch {
    check: Option<Check>,
    /// Iterations until the clock is looked at.
    left: u64,
    /// Iterations from one look to the next.
    stride: u64,
    looked: Instant,
    asked: Instant,
}

impl Watch {
    /// For a loop that begins, and has run for far less than 20 ms after its first `iterations`. `None` if there is nothing to ask.
    #[inline]
    pub fn begin(iterations: u64) -> Option<Self> {
        IS_SET
            .load(Ordering::Acquire)
            .then(|| Self::new(iterations))
    }

    #[cold]
    fn new(iterations: u64) -> Self {
        let now = Instant::now();
        Self {
            check: CHECK.read().unwrap_or_else(PoisonError::into_inner).clone(),
            left: iterations,
            stride: iterations,
            looked: now,
            asked: now,
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

    /// How many iterations may pass until the clock is looked at: as many as take 20 ms, once that is known.
    pub fn iterations(&self) -> u64 {
        self.stride
    }

    #[cold]
    fn look(&mut self) -> Result<()> {
        let now = Instant::now();
        let took = now - self.looked;
        if took < INTERVAL / 2 {
            self.stride = self.stride.saturating_mul(2);
        } else if took > INTERVAL {
            let part = INTERVAL.as_secs_f64() / took.as_secs_f64();
            self.stride = ((self.stride as f64 * part) as u64).max(1);
        }
        self.left = self.stride;
        self.looked = now;
        if now - self.asked < INTERVAL {
            return Ok(());
        }
        self.asked = now;
        match &self.check {
            Some(check) if check() => Err(Error::interrupted("the loop was interrupted")),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watch({} iterations)", self.stride)
    }
}
