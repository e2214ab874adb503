//! The kernels that this process has compiled, by what they are, in bounded number.
//!
//! Compiled kernels live here and in the executables that use them; their memory is freed when neither has any of those
//! that were compiled together.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use autojit_library::logging::{Doublings, TARGET};
use rustc_hash::FxHashMap;

use super::Compiled;
use crate::kernel::Kernel;

/// How many kernels a generation of the cache holds.
const GENERATION: usize = 256;

/// Two generations: when the young one is full it becomes the old one, and kernels of the old one that were not used
/// since are forgotten.
#[derive(Default)]
pub(super) struct Cache {
    young: FxHashMap<Kernel, Arc<Compiled>>,
    old: FxHashMap<Kernel, Arc<Compiled>>,
    made: u64,
    dropped: u64,
}

/// Counts of the cache of kernels of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelStatistics {
    /// Kernels that are held, besides those that only executables still have.
    pub held: usize,
    /// Kernels that were compiled.
    pub made: u64,
    /// Kernels that were dropped to make room.
    pub dropped: u64,
}

/// The counts of the cache of kernels of this process.
#[must_use]
pub fn kernel_statistics() -> KernelStatistics {
    cache().statistics()
}

impl Cache {
    pub(super) fn get(&mut self, kernel: &Kernel) -> Option<Arc<Compiled>> {
        if let Some(compiled) = self.young.get(kernel) {
            return Some(compiled.clone());
        }
        let (kernel, compiled) = self.old.remove_entry(kernel)?;
        self.keep(kernel, compiled.clone());
        Some(compiled)
    }

    pub(super) fn insert(&mut self, kernel: Kernel, compiled: Arc<Compiled>) {
        self.made += 1;
        self.keep(kernel, compiled);
    }

    fn keep(&mut self, kernel: Kernel, compiled: Arc<Compiled>) {
        if self.young.len() >= GENERATION {
            let forgotten = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.dropped += forgotten.len() as u64;
        }
        self.young.insert(kernel, compiled);
    }

    fn statistics(&self) -> KernelStatistics {
        KernelStatistics {
            held: self.young.len() + self.old.len(),
            made: self.made,
            dropped: self.dropped,
        }
    }
}

/// Says in the log that kernels are compiled again and again, once for each doubling of the number of those dropped. A
/// program of many functions drops some; as many as this are dropped by functions that are compiled anew all the time.
pub(super) fn log_thrashing() {
    static DROPPED: Doublings = Doublings::above(16 * GENERATION as u64 - 1);
    let KernelStatistics {
        held,
        made,
        dropped,
    } = kernel_statistics();
    if !DROPPED.reached(dropped) {
        return;
    }
    tracing::warn!(
        target: TARGET,
        "the cache of native kernels holds {held}, compiled {made} and dropped {dropped}: functions of so many different \
         loops are compiled anew when they are traced again"
    );
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// The cache of this process.
pub(super) fn cache() -> MutexGuard<'static, Cache> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_bounded_and_counted() {
        let before = kernel_statistics();
        let graph = |i: usize| {
            let mut text = String::from("%0 = input index=0 ty=f64[9]\n");
            // Each number spells other operations, so that no two kernels are alike.
            let names = ["floor", "ceil", "negative"];
            for digit in 0..8 {
                let name = names[i / 3_usize.pow(digit) % 3];
                text += &format!("%{} = {name} %{digit}\n", digit + 1);
            }
            text + "return %8\n"
        };
        let many = 3 * GENERATION;
        for i in 0..many {
            let graph = graph(i).parse().unwrap();
            crate::compile(&graph, &Default::default()).unwrap();
        }
        let after = kernel_statistics();
        assert!(after.made - before.made >= many as u64, "{after:?}");
        assert!(after.held <= 2 * GENERATION, "{after:?}");
        assert!(
            after.dropped - before.dropped >= GENERATION as u64,
            "{after:?}"
        );
    }
}
