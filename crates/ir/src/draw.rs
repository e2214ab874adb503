//! Random draws as attributes: which generator, which of its draws, and what is drawn.
//!
//! A draw is a function of a seed and a number, so a node with a fixed one means the same whenever it runs. A draw
//! of a traced function ([`Draw::Call`]) gets its number when the function is called: each call takes as many
//! numbers from the generator as the trace made draws, all at once, so that the order in which an engine runs the
//! nodes, or leaves some out, changes nothing.
//!
//! Invariants: two draws compare equal only if they give the same numbers in the same call, so nodes of different
//! draws are never one.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::attribute::Attribute;
use crate::error::{Error, Result};

/// A seed, and the number of the next draw.
#[derive(Debug)]
pub struct GeneratorState(Mutex<(u64, u64)>);

impl GeneratorState {
    /// A generator whose first draw has the number zero.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new((seed, 0)))
    }

    /// Begins again with this seed.
    pub fn seed(&self, seed: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (seed, 0);
    }

    /// The seed and the number of the first of so many draws, which are then taken.
    pub fn take(&self, count: u64) -> (u64, u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = *state;
        state.1 = state.1.wrapping_add(count);
        taken
    }
}

/// The draws that one trace makes from one generator.
#[derive(Debug)]
pub struct CallDraws {
    generator: Arc<GeneratorState>,
    count: AtomicU64,
}

impl CallDraws {
    /// None so far.
    #[must_use]
    pub fn new(generator: Arc<GeneratorState>) -> Arc<Self> {
        let count = AtomicU64::new(0);
        Arc::new(Self { generator, count })
    }

    /// The generator.
    #[must_use]
    pub fn generator(&self) -> &Arc<GeneratorState> {
        &self.generator
    }

    /// Writes down one more.
    #[must_use]
    pub fn next(self: &Arc<Self>) -> Draw {
        let offset = self.count.fetch_add(1, Ordering::Relaxed);
        let draws = Arc::clone(self);
        Draw::Call(CallDraw { draws, offset })
    }

    /// Takes the numbers for one call: the seed and the number of the first draw.
    #[must_use]
    pub fn reserve(&self) -> (u64, u64) {
        self.generator.take(self.count.load(Ordering::Relaxed))
    }
}

/// One draw of a traced function.
#[derive(Clone, Debug)]
pub struct CallDraw {
    /// All draws of the trace from this generator.
    pub draws: Arc<CallDraws>,
    /// How many come before it in a call.
    pub offset: u64,
}

/// Which draw of which generator.
#[derive(Clone, Debug)]
pub enum Draw {
    /// This one.
    Fixed {
        /// The seed.
        seed: u64,
        /// The number of the draw.
        number: u64,
    },
    /// One that each call takes anew.
    Call(CallDraw),
}

impl PartialEq for Draw {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Call(a), Self::Call(b)) => {
                Arc::ptr_eq(&a.draws, &b.draws) && a.offset == b.offset
            }
            (
                Self::Fixed { seed, number },
                Self::Fixed {
                    seed: other_seed,
                    number: other_number,
                },
            ) => (seed, number) == (other_seed, other_number),
            _ => false,
        }
    }
}

impl Eq for Draw {}

impl Hash for Draw {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Fixed { seed, number } => (seed, number).hash(state),
            Self::Call(CallDraw { draws, offset }) => {
                (Arc::as_ptr(draws).addr(), offset).hash(state);
            }
        }
    }
}

/// Printed as `seed:number`; the draws of calls have no text that can be read back.
impl Attribute for Draw {
    fn print(&self) -> String {
        match self {
            Self::Fixed { seed, number } => format!("{seed}:{number}"),
            Self::Call(draw) => format!("call+{}", draw.offset),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let numbers = text.split_once(':');
        let numbers = numbers.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let (seed, number) = numbers.ok_or_else(|| {
            Error::parse(format!(
                "`{text}` is not a draw such as 42:0, a seed and a number"
            ))
        })?;
        Ok(Self::Fixed { seed, number })
    }
}

/// The distribution of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Floats from 0 on and below 1.
    Uniform,
    /// Floats of mean 0 and variance 1.
    Normal,
    /// Integers from `low` to `low + span`, both included.
    Integers {
        /// The smallest.
        low: i64,
        /// The largest less the smallest.
        span: u64,
    },
}

impl Attribute for Distribution {
    fn print(&self) -> String {
        match self {
            Self::Uniform => "uniform".into(),
            Self::Normal => "normal".into(),
            Self::Integers { low, span } => format!("integers({low},{span})"),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let integers = || {
            let inner = text.strip_prefix("integers(")?.strip_suffix(')')?;
            let (low, span) = inner.split_once(',')?;
            let (low, span) = (low.parse().ok()?, span.parse().ok()?);
            Some(Self::Integers { low, span })
        };
        match text {
            "uniform" => Ok(Self::Uniform),
            "normal" => Ok(Self::Normal),
            _ => integers().ok_or_else(|| {
                Error::parse(format!(
                    "`{text}` is not a distribution such as uniform, normal or integers(0,9)"
                ))
            }),
        }
    }
}

/// The seed and the number of a draw that has one.
pub fn fixed_numbers(draw: &Draw) -> Result<(u64, u64)> {
    match draw {
        Draw::Fixed { seed, number } => Ok((*seed, *number)),
        Draw::Call(_) => Err(Error::unsupported(
            "a random array of a traced function has no value before the function is called",
        )),
    }
}
