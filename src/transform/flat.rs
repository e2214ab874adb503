//! A tree taken apart: what transformations know of arguments and results.

use autojit_ir::ArrayType;
use autojit_ir::error::{Error, Result};

use crate::Array;
use crate::tree::{self, Flattener, Structure, Tree, array_paths};

/// The arrays of a tree with their types, and everything else of it.
#[derive(Clone)]
pub(crate) struct Flat {
    pub(crate) structure: Structure,
    pub(crate) arrays: Vec<Array>,
    pub(crate) types: Vec<ArrayType>,
}

impl Flat {
    /// Takes a tree apart.
    ///
    /// # Errors
    /// It contains an `Err` or a failed array.
    pub(crate) fn of<T: Tree>(tree: &T) -> Result<Self> {
        let mut flat = Flattener::new();
        tree::take_apart(tree, &mut flat)?;
        flat.check()?;
        let types = flat.arrays().iter().map(|array| array.ty());
        Ok(Self {
            types: types.collect::<Result<_>>()?,
            arrays: flat.arrays().iter().map(|&array| array.clone()).collect(),
            structure: flat.structure(),
        })
    }

    /// Where each array stands in the tree.
    pub(crate) fn paths(&self) -> Vec<String> {
        array_paths(self.structure.tokens())
    }

    /// Checks that there are derivatives with respect to all arrays.
    ///
    /// # Errors
    /// One holds integers or booleans.
    pub(crate) fn check_differentiable(&self, what: &str) -> Result<()> {
        let whole = |ty: &ArrayType| !(ty.dtype.is_float() || ty.dtype.is_complex());
        match self.types.iter().position(whole) {
            None => Ok(()),
            Some(index) => Err(Error::dtype(format!(
                "{what} takes floating and complex arrays, got {} at {}: capture it in the closure, or convert it",
                self.types[index],
                place("the argument", &self.paths()[index]),
            ))),
        }
    }

    /// Checks that another tree has arrays of the same types at the same places.
    ///
    /// # Errors
    /// It has not; the message names the first place.
    pub(crate) fn check_like(&self, other: &Self, what: &str) -> Result<()> {
        if self.types.len() != other.types.len() {
            return Err(Error::tree(format!(
                "expected {what} with {} arrays as in {}, got {}",
                other.types.len(),
                other.structure,
                self.structure
            )));
        }
        if self.structure != other.structure {
            // Static leaves may differ; the arrays stand at the same places.
            let (own, others) = (self.paths(), other.paths());
            let mut pairs = own.iter().zip(&others);
            let Some(index) = pairs.position(|(x, y)| x != y) else {
                return self.check_types_like(other, what);
            };
            return Err(Error::tree(format!(
                "expected {what} as in {}, got {} with an array at {}",
                other.structure,
                self.structure,
                place(what, &own[index]),
            )));
        }
        self.check_types_like(other, what)
    }

    fn check_types_like(&self, other: &Self, what: &str) -> Result<()> {
        let pairs = self.types.iter().zip(&other.types);
        let Some(index) = pairs.into_iter().position(|(x, y)| x != y) else {
            return Ok(());
        };
        Err(Error::shape(format!(
            "expected {what} of type {}, got {} at {}",
            other.types[index],
            self.types[index],
            place(what, &self.paths()[index]),
        )))
    }
}

/// A place in a tree, for messages.
pub(crate) fn place(tree: &str, path: &str) -> String {
    if path.is_empty() {
        tree.to_owned()
    } else {
        format!("`{path}` of {tree}")
    }
}

/// Puts a tree together from arrays.
///
/// # Errors
/// The structure is one of another type.
pub(crate) fn rebuild<T: Tree>(
    structure: &Structure,
    arrays: impl IntoIterator<Item = Array>,
) -> Result<T> {
    tree::unflatten(structure.tokens(), &mut arrays.into_iter())
}
