//! The list of the libraries that users registered, by name and by the type of their arrays.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::AnyLibrary;

/// Registered libraries, the latest last; no name occurs twice.
static LIBRARIES: RwLock<Vec<&'static dyn AnyLibrary>> = RwLock::new(Vec::new());

/// Whether a name was ever registered again. Until then arrays need not look their library up.
static REPLACED: AtomicBool = AtomicBool::new(false);

fn read() -> RwLockReadGuard<'static, Vec<&'static dyn AnyLibrary>> {
    // The list is changed by single steps, so it is whole even after a panic.
    LIBRARIES.read().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a library, in place of the one of its name.
pub(super) fn add(library: &'static dyn AnyLibrary) {
    let name = library.name();
    let mut libraries = LIBRARIES.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(at) = libraries.iter().position(|known| known.name() == name) {
        REPLACED.store(true, Ordering::Relaxed);
        libraries.remove(at);
    }
    libraries.push(library);
}

/// The latest library whose arrays have this type.
pub(super) fn find_by_type(id: TypeId) -> Option<&'static dyn AnyLibrary> {
    let libraries = read();
    libraries.iter().rfind(|l| l.array_type_id() == id).copied()
}

/// The names of the registered libraries, in the order of their registration.
pub fn names() -> Vec<&'static str> {
    read().iter().map(|library| library.name()).collect()
}

/// The registered library of this name.
pub fn find(name: &str) -> Option<&'static dyn AnyLibrary> {
    let libraries = read();
    libraries.iter().find(|known| known.name() == name).copied()
}

/// The library that is now in this one's place, if it has arrays of the same type.
pub(super) fn current(library: &'static dyn AnyLibrary) -> &'static dyn AnyLibrary {
    if !REPLACED.load(Ordering::Relaxed) {
        return library;
    }
    let now = find(library.name()).filter(|now| now.array_type_id() == library.array_type_id());
    now.unwrap_or(library)
}
