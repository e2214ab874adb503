//! The processors that vector code is encoded for.
//!
//! A target is a folder here and a line in [`targets!`], best first. Emission does not depend on the machine it runs on;
//! only [`of_this_machine`] asks that.

use std::sync::LazyLock;

use super::Fallback;
use super::simd::{self, target::Target};
use crate::kernel::Kernel;

/// A target as a value.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    is_available: fn() -> bool,
    pub(crate) emit: fn(&Kernel) -> Result<Vec<u8>, Fallback>,
}

impl Entry {
    const fn of<T: Target>() -> Self {
        Self {
            name: T::NAME,
            is_available: T::is_available,
            emit: simd::emit::<T>,
        }
    }
}

macro_rules! targets {
    ($($module:ident::$target:ident,)*) => {
        $(pub(crate) mod $module;)*

        /// The targets, the best one first.
        const TARGETS: &[Entry] = &[$(Entry::of::<$module::$target>()),*];
    };
}

targets! {
    avx512::Avx512,
}

/// The best target that this machine has; or why the emitter is not used.
pub(crate) fn of_this_machine() -> Result<Entry, Fallback> {
    static BEST: LazyLock<Option<Entry>> = LazyLock::new(|| {
        let mut targets = TARGETS.iter();
        targets.find(|target| (target.is_available)()).copied()
    });
    if !autojit_library::environment::environment().wide {
        return Err("AUTOJIT_WIDE=0");
    }
    BEST.ok_or("the processor has no AVX-512")
}
