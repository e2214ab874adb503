//! The values of the arrays that a call is given.

use std::cell::Cell;

use crate::Array;
use crate::array::Repr;
use autojit_ir::error::Result;
use autojit_library::list::List;
use autojit_library::{self as library, Concrete};

/// The values of a call's arrays.
pub(super) type Values<'a> = List<&'a Concrete, 8, &'static Concrete>;

thread_local! {
    pub(super) static VALUES: Cell<Vec<&'static Concrete>> = const { Cell::new(Vec::new()) };
}

/// Appends the values of arrays to an empty list; `false` if one is lazy.
///
/// # Errors
/// An array failed, or they are of several libraries.
#[inline]
pub(super) fn concrete_arrays<'a>(arrays: &[&'a Array], values: &mut Values<'a>) -> Result<bool> {
    let mut in_memory = true;
    values.extend(arrays.iter().map_while(|array| match &array.0 {
        Repr::Concrete(array) => {
            in_memory &= matches!(array, Concrete::Ndarray(_));
            Some(array)
        }
        Repr::Failed(_) | Repr::Lazy(_) | Repr::Traced(_) => None,
    }));
    if in_memory && values.len() == arrays.len() {
        return Ok(true);
    }
    check_arrays(arrays)?;
    let concrete = arrays.iter().filter_map(|array| match &array.0 {
        Repr::Concrete(array) => Some(array),
        Repr::Failed(_) | Repr::Lazy(_) | Repr::Traced(_) => None,
    });
    library::check_together(concrete)?;
    Ok(values.len() == arrays.len())
}

/// The first failed array's error.
pub(super) fn check_arrays(arrays: &[&Array]) -> Result<()> {
    for array in arrays {
        if let Repr::Failed(error) = &array.0 {
            return Err(error.clone());
        }
    }
    Ok(())
}
