//! Functions that work element by element, with broadcasting: one for each `elementwise` row of the op table.
//!
//! Each gives an array of the shape to which its inputs broadcast. The dtypes are NumPy's: inputs promote to a
//! common dtype, in which plain numbers take part by their class alone.

use crate::ir::{Op, for_each_op};
use crate::{Array, Operand};

/// Where a function and its name come from.
macro_rules! source {
    (erf) => {
        "Source: `scipy.special.erf`."
    };
    (lgamma) => {
        "Source: `scipy.special.gammaln`; the name is C's."
    };
    ($name:ident) => {
        concat!("Source: `numpy.", stringify!($name), "`.")
    };
}

macro_rules! define_elementwise {
    (elementwise { $(
        $(#[$doc:meta])*
        $name:ident $shown:literal $Op:ident ($($x:ident),*)
            : $infer:path => $eval:path $(, or $expand:path)?;
    )* } structured { $($structured:tt)* }) => { $(
        $(#[$doc])*
        ///
        #[doc = source!($name)]
        #[track_caller]
        pub fn $name<'a>($($x: impl Into<Operand<'a>>),*) -> Array {
            Array::apply(Op::$Op, &[$($x.into()),*])
        }
    )* };
}

for_each_op!(define_elementwise);

macro_rules! define_aliases {
    ($($alias:ident = $name:ident ($($x:ident),*);)*) => { $(
        #[doc = concat!("The same as [`", stringify!($name), "()`].")]
        #[track_caller]
        pub fn $alias<'a>($($x: impl Into<Operand<'a>>),*) -> Array {
            $name($($x),*)
        }
    )* };
}

define_aliases! {
    abs = absolute(x);
    acos = arccos(x);
    acosh = arccosh(x);
    asin = arcsin(x);
    asinh = arcsinh(x);
    atan = arctan(x);
    atan2 = arctan2(y, x);
    atanh = arctanh(x);
    bitwise_invert = invert(x);
    bitwise_left_shift = left_shift(x, y);
    bitwise_not = invert(x);
    bitwise_right_shift = right_shift(x, y);
    conjugate = conj(x);
    gammaln = lgamma(x);
    true_divide = divide(x, y);
    mod_ = remainder(x, y);
    pow = power(x, y);
}
