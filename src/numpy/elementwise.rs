//! Functions that work element by element, with broadcasting: one for each `elementwise` row of the op table.
//!
//! Each gives an array of the shape to which its inputs broadcast. The dtypes are NumPy's: inputs promote to a
//! common dtype, in which plain numbers take part by their class alone.

use super::for_each_function;
use crate::{Array, Operand};
use autojit_ir::{MapOp, Op, for_each_op};

mod docs;

use docs::{example, shown, types_and_errors};

/// Where a function and its name come from.
macro_rules! source {
    (erf) => {
        "Source: `scipy.special.erf`."
    };
    (lgamma) => {
        "Source: `scipy.special.gammaln`; the name is C's."
    };
    (where_) => {
        "Source: `numpy.where`."
    };
    ($name:ident) => {
        concat!("Source: `numpy.", stringify!($name), "`.")
    };
}

/// The one place outside of the op table that reads its rows: from here on a row is its documentation, the name, the op,
/// the parameters and the rule of inference.
macro_rules! define_for_each_elementwise {
    (elementwise { $(
        $(#[doc = $doc:literal])*
        $name:ident $shown:literal $Op:ident ($($x:ident),*)
            : infer::$rule:ident $(=> $eval:path)? $(, or $expand:path)? $(, fails $fails:path)?;
    )* } $($others:tt)*) => {
        /// Calls `$with!` with the elementwise functions.
        macro_rules! for_each_elementwise { ($with:ident) => { $with! { $(
            $(#[doc = $doc])*
            $name $Op ($($x),*) $rule;
        )* } } }
    };
}
for_each_op!(define_for_each_elementwise);
pub(crate) use for_each_elementwise;

macro_rules! define_elementwise {
    ($($(#[$doc:meta])* $name:ident $Op:ident ($($x:ident),*) $rule:ident;)*) => { $(
        $(#[$doc])*
        ///
        #[doc = example!($name)]
        ///
        #[doc = types_and_errors!($rule ($($x),*))]
        ///
        #[doc = source!($name)]
        #[track_caller]
        pub fn $name<'a>($($x: impl Into<Operand<'a>>),*) -> Array {
            Array::apply(Op::Map(MapOp::$Op), &[$($x.into()),*])
        }
    )* };
}
for_each_elementwise!(define_elementwise);

macro_rules! define_aliases {
    (
        $a:lifetime;
        numpy $numpy:tt
        linalg $linalg:tt
        fft $fft:tt
        named $named:tt
        renamed $renamed:tt
        elementwise { $($alias:ident = $name:ident ($($x:ident),*);)* }
        names $names:tt
    ) => { $(
        #[doc = concat!("The same as [`", stringify!($name), "()`].")]
        #[track_caller]
        pub fn $alias<'a>($($x: impl Into<Operand<'a>>),*) -> Array {
            $name($($x),*)
        }
    )* };
}
for_each_function!(define_aliases);
