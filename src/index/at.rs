//! Functional updates: a copy of an array with other values where an index selects.
//!
//! ```
//! use autojit::{Array, ix};
//!
//! let x = Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
//! assert_eq!(x.at(ix![.., 0]).set(0.0).to_string(), "[[0. 2. 3.]\n [0. 5. 6.]]");
//! // Repeated positions add up.
//! let counts = Array::from([0i64, 0, 0]).at([2, 0, 2]).add(1);
//! assert_eq!(counts.to_string(), "[1 0 2]");
//! ```
//!
//! Arrays are never changed in place: traced programs could not tell what was read before.

use smallvec::SmallVec;

use super::{Index, Resolved, resolve};
use crate::array::Repr;
use crate::numpy::{attempt, expand_dims};
use crate::{Array, Operand};
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{IndexOp, Op};

/// A place in an array, for a copy with other values there. Made by [`Array::at`].
#[derive(Clone, Debug)]
#[must_use = "a place does nothing until it is given values"]
pub struct At<'a> {
    array: &'a Array,
    index: Index,
}

impl Array {
    /// The place that an index selects, to make a copy of the array with other values there:
    /// `x.at(ix![.., 0]).set(1.0)`.
    ///
    /// An index is what [`Array::get`] takes, and fails as it does there. Errors, graphs and pictures call such an update `scatter`.
    ///
    /// ```
    /// use autojit::{Array, ix};
    ///
    /// let x = Array::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.at(0).set(0).to_string(), "[[0 0]\n [3 4]]");
    /// assert_eq!(x.at(ix![.., 1]).add(10).to_string(), "[[ 1 12]\n [ 3 14]]");
    /// ```
    ///
    /// Source: JAX's `x.at[..]`.
    pub fn at(&self, index: impl Into<Index>) -> At<'_> {
        At {
            array: self,
            index: index.into(),
        }
    }
}

macro_rules! define_updates {
    ($($(#[$doc:meta])* $name:ident = $Mode:ident;)*) => {
        #[allow(
            clippy::should_implement_trait,
            reason = "JAX's names; two take no other place but values"
        )]
        impl At<'_> { $(
            $(#[$doc])*
            ///
            /// Values broadcast to the selected part and take on the dtype of the array.
            ///
            /// # Errors
            /// The index does not fit, the values do not broadcast, or they are of a wider class of numbers
            /// than the array, such as floats for integers.
            #[track_caller]
            #[must_use]
            pub fn $name<'a>(self, values: impl Into<Operand<'a>>) -> Array {
                self.update(ScatterMode::$Mode, values.into())
            }
        )* }
    };
}

define_updates! {
    /// The array with these values at the place. Of several values for one position the last one stays.
    set = Set;
    /// The array with these values added at the place, each of several for one position.
    add = Add;
    /// The array multiplied with these values at the place, with each of several for one position.
    multiply = Multiply;
    /// The array with the smaller of its elements and these values at the place; NaN if one is.
    min = Min;
    /// The array with the larger of its elements and these values at the place; NaN if one is.
    max = Max;
}

impl At<'_> {
    /// The selected part, as [`Array::get`] gives it.
    #[track_caller]
    #[must_use]
    pub fn get(self) -> Array {
        self.array.get(self.index)
    }

    #[track_caller]
    pub(crate) fn update(self, mode: ScatterMode, values: Operand) -> Array {
        let ty = attempt!("scatter", self.array.ty());
        let Resolved {
            key,
            arrays,
            separator,
        } = attempt!("scatter", resolve(self.index.items, &ty));
        let values = match separator {
            Some(after) if attempt!("scatter", values.ty()).ndim() as i64 > after => {
                expand_dims(values, -1 - after).into()
            }
            _ => values,
        };
        let mut inputs: SmallVec<[Operand; 4]> = SmallVec::with_capacity(2 + arrays.len());
        inputs.push(self.array.into());
        inputs.push(match values {
            // A value in main memory goes where the array is.
            Operand::Array(array) if !matches!(array.0, Repr::Failed(_)) => {
                attempt!("scatter", array.into_owned().brought_to(&inputs[0])).into()
            }
            other => other,
        });
        for array in arrays {
            let array = attempt!("scatter", array.brought_to(&inputs[0]));
            inputs.push(array.into());
        }
        Array::apply(Op::Index(IndexOp::Scatter { key, mode }), &inputs)
    }
}
