//! The libraries that users registered, by name and by the type of their arrays.
//!
//! A registered library lives as long as the program, so arrays refer to it without counting. Registering a
//! name again replaces it: arrays made before belong to the new library if its arrays have the same type, and
//! keep the old one otherwise.

use std::any::{TypeId, type_name};

use autojit_ir::{Error, Result};

use super::callback::caught;
use super::foreign::Registered;
use super::known;
use super::{Concrete, Library, make};

pub use known::{find, names};

/// Registers a library, or replaces the one of its name.
pub fn register<L: Library>(library: L) {
    known::add(Box::leak(Box::new(Registered(library))));
}

/// An array of the library whose arrays have this type; of the latest, if there are several.
pub fn wrap<A: Clone + Send + Sync + 'static>(value: A) -> Result<Concrete> {
    let id = TypeId::of::<A>();
    let library = known::find_by_type(id).ok_or_else(|| {
        Error::unknown_library(format!(
            "no library has arrays of the type {}, register one with register_library",
            type_name::<A>()
        ))
    })?;
    let lost = || Error::internal(format!("the library {} lost its type", library.name()));
    let what = format_args!("the library {}", library.name());
    let ty = caught(what, || library.type_of(&value).ok_or_else(lost))?;
    Ok(make(library, ty, value))
}
