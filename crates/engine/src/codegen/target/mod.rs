//! The processors that vector code is encoded for.
//!
//! A target is a folder here and a line in [`targets!`], best first. Emission does not depend on the machine it runs on;
//! only [`chosen`] asks that. `x86/` is what the targets on x86-64 share.

use std::sync::LazyLock;

use super::Fallback;
use super::simd::{self, target::Target};
use crate::kernel::Kernel;
use autojit_ir::error::{Error, Result};
use autojit_library::environment::environment;

/// The name of Cranelift in `AUTOJIT_TARGET`.
const CRANELIFT: &str = "clif";

/// A target as a value.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    key: &'static str,
    is_available: fn() -> bool,
    pub(crate) emit: fn(&Kernel) -> Result<Vec<u8>, Fallback>,
    #[cfg(feature = "fuzzing")]
    check: fn(&[u8]),
}

impl Entry {
    const fn of<T: Target>() -> Self {
        Self {
            name: T::NAME,
            key: T::KEY,
            is_available: T::is_available,
            emit: simd::emit::<T>,
            #[cfg(feature = "fuzzing")]
            check: simd::random::check::<T>,
        }
    }
}

mod x86;

macro_rules! targets {
    ($($module:ident::$target:ident,)*) => {
        $(pub(crate) mod $module;)*

        /// The targets, the best one first.
        const TARGETS: &[Entry] = &[$(Entry::of::<$module::$target>()),*];
    };
}

targets! {
    avx512::Avx512,
    avx2::Avx2,
}

/// Checks the kernel that bytes are with every target that this machine has.
#[cfg(feature = "fuzzing")]
pub(crate) fn check_random_kernel(bytes: &[u8]) {
    let available = TARGETS.iter().filter(|target| (target.is_available)());
    available.for_each(|target| (target.check)(bytes));
}

/// The target that `AUTOJIT_TARGET` names, or else the best one that this machine has; or why the emitter is not used.
///
/// # Errors
/// The variable names nothing, or what this machine lacks.
pub(crate) fn chosen() -> Result<Result<Entry, Fallback>> {
    static CHOSEN: LazyLock<Result<Result<Entry, Fallback>>> =
        LazyLock::new(|| choose(environment().target.as_deref()));
    CHOSEN.clone()
}

const NONE: Fallback = if cfg!(all(target_arch = "x86_64", not(unix))) {
    "our own emitter follows the calling convention of System V"
} else {
    "the processor has neither AVX-512 nor AVX2"
};

fn choose(named: Option<&str>) -> Result<Result<Entry, Fallback>> {
    let mut available = TARGETS.iter().filter(|target| (target.is_available)());
    match named {
        None => return Ok(available.next().copied().ok_or(NONE)),
        Some(CRANELIFT) => return Ok(Err("AUTOJIT_TARGET=clif")),
        Some(_) => {}
    }
    let choices = |targets: &mut dyn Iterator<Item = &Entry>| {
        let names = targets.map(|target| target.key).chain([CRANELIFT]);
        names.collect::<Vec<_>>().join(", ")
    };
    let known = TARGETS.iter().find(|target| named == Some(target.key));
    match (known, named.unwrap_or_default()) {
        (Some(target), _) if (target.is_available)() => Ok(Ok(*target)),
        (Some(target), name) => Err(Error::value(format!(
            "AUTOJIT_TARGET={name}: code for {} does not run on this machine, which has: {}",
            target.name,
            choices(&mut available),
        ))),
        (None, name) => Err(Error::value(format!(
            "AUTOJIT_TARGET={name} is no target; targets are: {}",
            choices(&mut TARGETS.iter()),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_chosen_by_name() {
        assert!(matches!(
            choose(Some("clif")),
            Ok(Err("AUTOJIT_TARGET=clif"))
        ));
        for target in TARGETS {
            let chosen = choose(Some(target.key));
            if (target.is_available)() {
                assert_eq!(chosen.unwrap().unwrap().name, target.name);
                continue;
            }
            let message = chosen.err().unwrap().to_string();
            let expected = format!("AUTOJIT_TARGET={}", target.key);
            assert!(
                message.contains(&expected) && message.contains("clif"),
                "{message}"
            );
        }
        let error = choose(Some("sse9")).err().unwrap();
        assert!(error.is_value());
        let message = error.to_string();
        let expected = "AUTOJIT_TARGET=sse9 is no target; targets are: avx512, avx2, clif";
        assert!(message.contains(expected), "{message}");
    }
}
