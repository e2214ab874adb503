//! The kernels that this process has compiled, by what they are, in bounded number.
//!
//! Compiled kernels live here and in the executables that use them; their memory is freed when neither has any of those
//! that were compiled together.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

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
}

impl Cache {
    pub(super) fn get(&mut self, kernel: &Kernel) -> Option<Arc<Compiled>> {
        if let Some(compiled) = self.young.get(kernel) {
            return Some(compiled.clone());
        }
        let (kernel, compiled) = self.old.remove_entry(kernel)?;
        self.insert(kernel, compiled.clone());
        Some(compiled)
    }

    pub(super) fn insert(&mut self, kernel: Kernel, compiled: Arc<Compiled>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(kernel, compiled);
    }
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// The cache of this process.
pub(super) fn cache() -> MutexGuard<'static, Cache> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}
