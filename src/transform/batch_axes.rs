//! `BatchAxes`: along which axis of each array the examples of [`vmap`](super::vmap) lie.

use autojit_ir::error::{Error, Result};

use crate::tree::{Structure, Token, subtree};

/// Along which axis the examples lie, for each array of a tree.
///
/// A number is the axis of every array of the tree, negative numbers count from the end; [`SHARED`] means that all examples have the
/// same. A tuple, a list or an array of these goes member by member through a tuple, a list, the fields of a struct or the values of a
/// map in the order of their keys. Members without arrays count too, and may have anything.
///
/// ```
/// use autojit::transform::{BatchAxes, SHARED};
///
/// // Two arguments: the first with examples along its last axis, the second the same for all.
/// let axes = BatchAxes::from((-1, SHARED));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchAxes {
    /// The axis of every array.
    Axis(i64),
    /// Every array is the same for all examples.
    Shared,
    /// Member by member.
    Members(Vec<BatchAxes>),
}

/// A value that is the same for all examples, see [`BatchAxes`].
pub const SHARED: BatchAxes = BatchAxes::Shared;

impl From<i64> for BatchAxes {
    fn from(axis: i64) -> Self {
        Self::Axis(axis)
    }
}

impl From<i32> for BatchAxes {
    fn from(axis: i32) -> Self {
        Self::Axis(axis.into())
    }
}

impl<T: Into<BatchAxes>> From<Option<T>> for BatchAxes {
    fn from(axis: Option<T>) -> Self {
        axis.map_or(Self::Shared, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for BatchAxes {
    fn from(members: Vec<T>) -> Self {
        Self::Members(members.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for BatchAxes {
    fn from(members: [T; N]) -> Self {
        Self::Members(members.into_iter().map(Into::into).collect())
    }
}

macro_rules! axes_from_tuple {
    ($(($($T:ident $i:tt),*))*) => {$(
        impl<$($T: Into<BatchAxes>),*> From<($($T,)*)> for BatchAxes {
            fn from(members: ($($T,)*)) -> Self {
                Self::Members(vec![$(members.$i.into()),*])
            }
        }
    )*};
}

axes_from_tuple! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

impl BatchAxes {
    /// The axis of each array of a tree, in order; `None` for what all examples share.
    ///
    /// # Errors
    /// There are more or fewer members than the tree has.
    pub(super) fn of_arrays(&self, structure: &Structure, what: &str) -> Result<Vec<Option<i64>>> {
        let mut axes = Vec::with_capacity(structure.array_count());
        self.collect(structure.tokens(), what, &mut axes)?;
        Ok(axes)
    }

    fn collect(&self, tree: &[Token<'_>], what: &str, axes: &mut Vec<Option<i64>>) -> Result<()> {
        let members = match self {
            Self::Axis(_) | Self::Shared => {
                let axis = match self {
                    Self::Axis(axis) => Some(*axis),
                    Self::Shared | Self::Members(_) => None,
                };
                let arrays = tree.iter().filter(|token| **token == Token::Array);
                axes.extend(arrays.map(|_| axis));
                return Ok(());
            }
            Self::Members(members) => members,
        };
        let Some((token, mut rest)) = tree.split_first() else {
            return Ok(());
        };
        // An option is the same place as what is in it.
        if *token == Token::Some {
            return self.collect(rest, what, axes);
        }
        if token.members() != members.len() || *token == Token::Array {
            return Err(Error::tree(format!(
                "the axes of {what} have {} members where it has {}",
                members.len(),
                token.kind()
            )));
        }
        for member in members {
            if let Some((Token::Key(_), after)) = rest.split_first() {
                rest = after;
            }
            let (tree, after) = subtree(rest);
            member.collect(tree, what, axes)?;
            rest = after;
        }
        Ok(())
    }
}
