//! Where functions that users registered meet the libraries: in place of an op, and as opaque ops.
//!
//! The functions themselves are kept in [`crate::registry`], which knows arrays and values; here are only the
//! two ways down to it. While nothing is registered they cost one relaxed load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{AnyLibrary, Concrete, Results};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Op, OpaqueFunction, Type};

/// Runs the function that stands in an op's place in a library; `None` if there is none.
type Replaced = fn(&'static dyn AnyLibrary, &Op, &[&Concrete]) -> Option<Result<Results>>;

/// The hook that the registry sets once something is registered.
pub struct Hooks {
    /// Runs the registered function in place of an op on arrays of a library.
    pub replaced: Replaced,
    /// Whether a function stands in the place of an op on lazy arrays.
    pub replaced_lazily: fn(&Op) -> bool,
}

static ANY: AtomicBool = AtomicBool::new(false);
static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// Whether anything was ever registered. That may be seen late by a thread that does not wait for the
/// registering one, as any other write may.
#[inline]
pub fn any_replacement() -> bool {
    ANY.load(Ordering::Relaxed)
}

/// From now on ops look for functions in their place.
pub fn install(hooks: Hooks) {
    HOOKS.get_or_init(|| hooks);
    ANY.store(true, Ordering::Release);
}

pub(super) fn replaced(
    library: &'static dyn AnyLibrary,
    op: &Op,
    inputs: &[&Concrete],
) -> Option<Result<Results>> {
    HOOKS.get().and_then(|h| (h.replaced)(library, op, inputs))
}

/// Whether a function stands in the place of an op on lazy arrays.
pub fn replaced_lazily(op: &Op) -> bool {
    HOOKS.get().is_some_and(|h| (h.replaced_lazily)(op))
}

/// The implementation of an [`OpaqueFunction`] for the arrays of a library.
pub struct LibraryFunction(pub Box<Implementation>);

type Implementation =
    dyn Fn(&'static dyn AnyLibrary, &[&Concrete]) -> Result<Results> + Send + Sync;

/// Calls back into a function that was traced.
pub fn call_opaque(
    library: &'static dyn AnyLibrary,
    function: &OpaqueFunction,
    inputs: &[&Concrete],
    result: &Type,
) -> Result<Results> {
    let lost = || Error::internal("an opaque function has no implementation");
    let implementation = function.implementation().downcast_ref::<LibraryFunction>();
    let LibraryFunction(implementation) = implementation.ok_or_else(lost)?;
    let results = implementation(library, inputs).map_err(|e| e.in_op(function.name()))?;
    check_types(&results, result.arrays()).map_err(|e| e.in_op(function.name()))?;
    Ok(results)
}

/// Whether a function gave what the rule for its types says.
pub fn check_types(results: &[Concrete], expected: &[ArrayType]) -> Result<()> {
    let fits = |(array, ty): (&Concrete, &ArrayType)| array.ty() == *ty;
    if results.len() == expected.len() && results.iter().zip(expected).all(fits) {
        return Ok(());
    }
    let list = |types: Vec<String>| types.join(", ");
    let got = list(results.iter().map(|x| x.ty().to_string()).collect());
    let expected = list(expected.iter().map(ToString::to_string).collect());
    Err(Error::value(format!(
        "the registered function gave {got}, expected {expected}"
    )))
}
