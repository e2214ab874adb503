//! The array libraries by name: those of this build, and those that users registered.

use std::panic::Location;

use autojit_ir::{Error, Result};
use autojit_library::{AnyLibrary, Library, default_library, registered};

/// The libraries of this build.
fn built_in() -> impl Iterator<Item = &'static dyn AnyLibrary> + Clone {
    [
        default_library(),
        #[cfg(feature = "torch")]
        &autojit_torch::library::TORCH,
        #[cfg(feature = "xla")]
        &autojit_xla::library::XLA,
    ]
    .into_iter()
}

/// The name of lazy arrays where others have that of their library.
pub(crate) const LAZY: &str = "lazy";

/// Libraries that users cannot register: the libraries of this build, and lazy arrays.
fn reserved() -> impl Iterator<Item = &'static str> {
    let names = built_in().map(AnyLibrary::name);
    let (first, others) = (names.clone().take(1), names.skip(1));
    first.chain([LAZY]).chain(others)
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
    if reserved().any(|known| known == name) || name.is_empty() || name.contains('-') {
        let error = Error::value(format!("a library cannot be called `{name}`"));
        return Err(error.at(Location::caller()));
    }
    registered::register(library);
    Ok(())
}

/// The names of the libraries: ndarray, lazy, those of features, and those that were registered, in that order.
///
/// ```
/// assert_eq!(autojit::libraries()[..2], ["ndarray", "lazy"]);
/// ```
#[must_use]
pub fn libraries() -> Vec<&'static str> {
    reserved().chain(registered::names()).collect()
}

/// The library of this name, if its arrays have values.
pub(crate) fn find(name: &str) -> Option<&'static dyn AnyLibrary> {
    let own = built_in().find(|library| library.name() == name);
    own.or_else(|| registered::find(name))
}

/// The error for a name that no library has.
pub(crate) fn unknown(name: &str) -> Error {
    Error::unknown_library(format!(
        "no library is called `{name}`, registered are {}",
        libraries().join(", ")
    ))
}
