//! Trees: nested arguments and results, taken apart into a structure and arrays, and put together again.
//!
//! A [`Tree`] is an array, a static value (number, truth value, string), or a container of trees. Taking it
//! apart gives its [`Structure`], which is everything but the arrays, and the arrays in order. Two trees of one
//! type with equal structures differ in their arrays alone, which is why a structure is part of the key under
//! which [`autojit`](crate::autojit) keeps compiled code.
//!
//! Invariants: the order of the arrays follows from the structure alone (maps go by sorted keys); what was taken
//! apart by a type is put together again by the same type, bit for bit. Static floats compare by their bits.
//! Nothing here looks into arrays.

mod flatten;
mod structure;
mod types;

use std::panic::Location;

use crate::Array;
use autojit_ir::error::{Error, Result};
use autojit_library::callback::caught;

pub use flatten::{Flattener, Part, Unflattener};
pub use structure::{Record, Structure};

pub(crate) use structure::{LoadedRecord, Token, array_paths, show_tokens, subtree};

/// Arrays, static values and containers of them: what a traced function takes and returns.
///
/// Implemented for [`Array`], tuples of up to twelve, `Vec`, arrays, `Option`, `Box`, maps with `String` keys,
/// and the static values: integers, floats, complex numbers, `bool`, `String`, `&'static str`. `Result<T, Error>`
/// is a tree too, so that a traced closure may use `?`; its error is that of the call. At most 256 boxes, lists and maps
/// may be inside of each other. Derive it for your own structs and enums:
///
/// ```
/// use autojit::{Array, Tree};
///
/// #[derive(Tree)]
/// struct Layer {
///     weights: Array,
///     bias: Option<Array>,
///     activation: String,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument or a result of a traced function",
    label = "this type does not implement `autojit::Tree`",
    note = "use `Array`, static numbers and strings, tuples, `Vec`, `Option`, maps with `String` keys, or put `#[derive(autojit::Tree)]` on your own type"
)]
pub trait Tree: Sized {
    /// Whether no code but that of this crate takes it apart and puts it together, which cannot panic: calls guard against the panics of
    /// other trees.
    #[doc(hidden)]
    const IS_OWN: bool = false;

    /// Takes the tree apart.
    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>);

    /// Puts a tree together from what [`Tree::flatten`] wrote.
    ///
    /// # Errors
    /// The structure is that of another type, or arrays are missing.
    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self>;
}

/// Arguments for a traced function that takes an `A`, by reference or by value.
///
/// For a function of an `(Array, i64)`, all of `&args`, `args`, `(&x, 3)` and `(x, 3)` will do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed where the traced function takes `{A}`",
    label = "expected `{A}`, a reference to it, or the same shape of tuple with references inside"
)]
pub trait Args<A: Tree> {
    /// As for the tree.
    #[doc(hidden)]
    const IS_OWN: bool = false;

    /// Takes the arguments apart exactly as [`Tree::flatten`] of an `A` does.
    fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>);
}

impl<T: Tree> Args<T> for &T {
    const IS_OWN: bool = T::IS_OWN;

    #[inline]
    fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
        T::flatten(self, flattener);
    }
}

/// The arrays of a tree, in order, and everything else of it.
///
/// ```
/// use autojit::{tree_flatten, tree_unflatten, Array};
///
/// let tree = (Array::from([1.0, 2.0]), vec![Array::from([3.0])], 7i64);
/// let (arrays, structure) = tree_flatten(&tree)?;
/// assert_eq!(arrays.len(), 2);
/// assert_eq!(structure.to_string(), "(*, [*], 7)");
/// let (x, list, n): (Array, Vec<Array>, i64) = tree_unflatten(arrays, &structure)?;
/// assert_eq!((list.len(), n), (1, 7));
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The tree contains an `Err`. Failed arrays are arrays, and stay what they are.
#[track_caller]
pub fn tree_flatten<T: Tree>(tree: &T) -> Result<(Vec<Array>, Structure)> {
    let location = Location::caller();
    let mut flattener = Flattener::new();
    take_apart(tree, &mut flattener).map_err(|e| e.at(location))?;
    flattener.check().map_err(|e| e.at(location))?;
    let arrays = flattener.arrays().iter().map(|&array| array.clone());
    Ok((arrays.collect(), flattener.structure()))
}

/// Puts a tree together from its arrays and its structure.
///
/// # Errors
/// The structure is not one of a `T`, or the number of arrays is not the structure's.
#[track_caller]
pub fn tree_unflatten<T: Tree>(
    arrays: impl IntoIterator<Item = Array>,
    structure: &Structure,
) -> Result<T> {
    let location = Location::caller();
    let mut arrays = arrays.into_iter();
    // As many as the structure takes: what is left then are too many.
    let mut taken = arrays.by_ref().take(structure.array_count());
    let tree = unflatten(structure.tokens(), &mut taken).map_err(|e| e.at(location))?;
    match arrays.next() {
        None => Ok(tree),
        Some(_) => Err(more_than_taken(structure.tokens()).at(location)),
    }
}

/// The tree with a function applied to each of its arrays.
///
/// ```
/// use autojit::{tree_map, Array};
///
/// let tree = vec![Array::from([1.0, 2.0]), Array::from([3.0])];
/// let same = tree_map(Array::clone, &tree)?;
/// assert_eq!(same[1].ty()?.to_string(), "f64[1]");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The tree contains an `Err`.
#[track_caller]
pub fn tree_map<T: Tree>(f: impl FnMut(&Array) -> Array, tree: &T) -> Result<T> {
    let location = Location::caller();
    let mut flattener = Flattener::new();
    take_apart(tree, &mut flattener).map_err(|e| e.at(location))?;
    flattener.check().map_err(|e| e.at(location))?;
    let mut arrays = flattener.arrays().iter().copied().map(f);
    unflatten(flattener.tokens(), &mut arrays).map_err(|e| e.at(location))
}

/// Takes a tree apart.
///
/// # Errors
/// It is one of a user's, and panicked.
#[inline]
pub(crate) fn take_apart<'a, T: Tree>(tree: &'a T, flattener: &mut Flattener<'a>) -> Result<()> {
    guarded(T::IS_OWN, || {
        tree.flatten(flattener);
        Ok(())
    })
}

/// Takes arguments apart.
///
/// # Errors
/// There is a tree of a user's among them, and it panicked.
#[inline]
pub(crate) fn take_args_apart<'a, A: Tree>(
    args: &'a impl Args<A>,
    flattener: &mut Flattener<'a>,
) -> Result<()> {
    fn is_own<A: Tree, X: Args<A>>(_: &X) -> bool {
        X::IS_OWN
    }
    guarded(is_own(args), || {
        args.flatten_args(flattener);
        Ok(())
    })
}

/// Runs code of a tree: where that may be one of a user's, a panic is an error.
#[inline]
fn guarded<R>(is_own: bool, run: impl FnOnce() -> Result<R>) -> Result<R> {
    if is_own {
        run()
    } else {
        caught("a `Tree`", run)
    }
}

/// Puts a tree together from tokens, all of which must be used up, and as many arrays as there are tokens of arrays. Whether
/// there are more arrays is not asked: a call of compiled code feels it.
#[inline]
pub(crate) fn unflatten<T: Tree>(
    tokens: &[Token<'_>],
    arrays: &mut dyn Iterator<Item = Array>,
) -> Result<T> {
    let mut unflattener = Unflattener::new(tokens, arrays);
    let tree = guarded(T::IS_OWN, || T::unflatten(&mut unflattener))?;
    if !unflattener.is_empty() {
        return Err(more_than_taken(tokens));
    }
    debug_assert!(arrays.next().is_none(), "one array for each token");
    Ok(tree)
}

#[cold]
fn more_than_taken(tokens: &[Token<'_>]) -> Error {
    Error::tree(format!(
        "the structure {} or its arrays have more than the type takes",
        Structure::from_tokens(tokens)
    ))
}
