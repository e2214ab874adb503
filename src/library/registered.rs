//! The libraries that there are, by name and by the type of their arrays.
//!
//! A registered library lives as long as the program, so arrays refer to it without counting. Registering a
//! name again replaces it: arrays made before belong to the new library if its arrays have the same type, and
//! keep the old one otherwise.

use std::any::{TypeId, type_name};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::foreign::Registered;
use super::{AnyLibrary, Concrete, Library, default_library, make};
use crate::error::{Error, Result};

/// Registered libraries, the latest last; no name occurs twice.
static LIBRARIES: RwLock<Vec<&'static dyn AnyLibrary>> = RwLock::new(Vec::new());

/// Whether a name was ever registered again. Until then arrays need not look their library up.
static REPLACED: AtomicBool = AtomicBool::new(false);

/// What users cannot register: the libraries of this build, and lazy arrays.
const RESERVED: &[&str] = &[
    "ndarray",
    LAZY,
    #[cfg(feature = "torch")]
    "torch",
    #[cfg(feature = "xla")]
    "xla",
];

/// The name of lazy arrays where others have that of their library.
pub(crate) const LAZY: &str = "lazy";

fn read() -> RwLockReadGuard<'static, Vec<&'static dyn AnyLibrary>> {
    // The list is changed by single steps, so it is whole even after a panic.
    LIBRARIES.read().unwrap_or_else(PoisonError::into_inner)
}

/// Makes arrays of a library of your own known to every function. Registering a name again replaces it.
///
/// A registered library stays in memory as long as the program runs.
///
/// # Errors
/// The name is `ndarray`, `lazy`, `torch` or `xla`, is empty, or has a `-`, which separates the words of [`Array::to`].
///
/// Source: autoray's `register_backend`.
///
/// [`Array::to`]: crate::Array::to
#[track_caller]
pub fn register_library<L: Library>(library: L) -> Result<()> {
    let name = library.name();
    if RESERVED.contains(&name) || name.is_empty() || name.contains('-') {
        let error = Error::value(format!("a library cannot be called `{name}`"));
        return Err(error.at(std::panic::Location::caller()));
    }
    let library: &'static dyn AnyLibrary = Box::leak(Box::new(Registered(library)));
    let mut libraries = LIBRARIES.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(at) = libraries.iter().position(|known| known.name() == name) {
        REPLACED.store(true, Ordering::Relaxed);
        libraries.remove(at);
    }
    libraries.push(library);
    Ok(())
}

/// The names of the libraries: ndarray, lazy, those of features, and those that were registered, in that order.
#[must_use]
pub fn libraries() -> Vec<&'static str> {
    let registered = read();
    let registered = registered.iter().map(|library| library.name());
    RESERVED.iter().copied().chain(registered).collect()
}

/// The library of this name, if its arrays have values.
pub(crate) fn find(name: &str) -> Option<&'static dyn AnyLibrary> {
    if name == default_library().name() {
        return Some(default_library());
    }
    #[cfg(feature = "torch")]
    if name == super::torch::TORCH.name() {
        return Some(&super::torch::TORCH);
    }
    #[cfg(feature = "xla")]
    if name == super::xla::XLA.name() {
        return Some(&super::xla::XLA);
    }
    let libraries = read();
    libraries.iter().find(|known| known.name() == name).copied()
}

/// The error for a name that no library has.
pub(crate) fn unknown(name: &str) -> Error {
    Error::unknown_library(format!(
        "no library is called `{name}`, registered are {}",
        libraries().join(", ")
    ))
}

/// The library that is now in this one's place, if it has arrays of the same type.
pub(super) fn current(library: &'static dyn AnyLibrary) -> &'static dyn AnyLibrary {
    if !REPLACED.load(Ordering::Relaxed) {
        return library;
    }
    let now = find(library.name()).filter(|now| now.array_type_id() == library.array_type_id());
    now.unwrap_or(library)
}

/// An array of the library whose arrays have this type; of the latest, if there are several.
pub(crate) fn wrap<A: Clone + Send + Sync + 'static>(value: A) -> Result<Concrete> {
    let id = TypeId::of::<A>();
    let library = read().iter().rfind(|l| l.array_type_id() == id).copied();
    let library = library.ok_or_else(|| {
        Error::unknown_library(format!(
            "no library has arrays of the type {}, register one with register_library",
            type_name::<A>()
        ))
    })?;
    let ty = library
        .type_of(&value)
        .ok_or_else(|| Error::internal(format!("the library {} lost its type", library.name())))?;
    Ok(make(library, ty, value))
}
