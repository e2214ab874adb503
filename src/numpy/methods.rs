//! The common functions as methods of [`Array`], for formulas that read from left to right.
//!
//! Comparisons are methods only: Rust's operators for them give one `bool`, not an array.

use super::options::{Axes, Integers, Reduction, SumOptions};
use crate::{Array, DType, Operand};

macro_rules! define_methods {
    ($a:lifetime; $($name:ident = $function:path, ($($x:ident: $X:ty),*);)*) => {
        impl Array { $(
            #[doc = concat!("[`", stringify!($function), "`] of this array.")]
            #[track_caller]
            #[must_use]
            pub fn $name<$a>(&$a self $(, $x: impl Into<$X>)*) -> Array {
                $function(self $(, $x)*)
            }
        )* }
    };
}

define_methods! {
    'a;
    abs = super::absolute, ();
    conj = super::conj, ();
    real = super::real, ();
    imag = super::imag, ();
    sqrt = super::sqrt, ();
    square = super::square, ();
    exp = super::exp, ();
    log = super::log, ();
    sin = super::sin, ();
    cos = super::cos, ();
    tan = super::tan, ();
    tanh = super::tanh, ();

    pow = super::power, (y: Operand<'a>);
    floor_divide = super::floor_divide, (y: Operand<'a>);
    maximum = super::maximum, (y: Operand<'a>);
    minimum = super::minimum, (y: Operand<'a>);
    equal = super::equal, (y: Operand<'a>);
    not_equal = super::not_equal, (y: Operand<'a>);
    less = super::less, (y: Operand<'a>);
    less_equal = super::less_equal, (y: Operand<'a>);
    greater = super::greater, (y: Operand<'a>);
    greater_equal = super::greater_equal, (y: Operand<'a>);
    logical_and = super::logical_and, (y: Operand<'a>);
    logical_or = super::logical_or, (y: Operand<'a>);
    logical_not = super::logical_not, ();

    sum = super::sum, (options: SumOptions);
    prod = super::prod, (options: Reduction);
    mean = super::mean, (options: Reduction);
    max = super::max, (options: Reduction);
    min = super::min, (options: Reduction);
    any = super::any, (options: Reduction);
    all = super::all, (options: Reduction);
    argmax = super::argmax, (options: Reduction);
    argmin = super::argmin, (options: Reduction);

    matmul = super::matmul, (y: Operand<'a>);
    dot = super::dot, (y: Operand<'a>);

    reshape = super::reshape, (shape: Integers);
    ravel = super::ravel, ();
    transpose = super::transpose, (axes: Axes);
    squeeze = super::squeeze, (axis: Axes);
    expand_dims = super::expand_dims, (axis: Integers);
}

impl Array {
    /// [`super::astype`] of this array.
    #[track_caller]
    #[must_use]
    pub fn astype(&self, dtype: DType) -> Array {
        super::astype(self, dtype)
    }

    /// The axes in reverse order: for a matrix, rows become columns.
    #[track_caller]
    #[must_use]
    pub fn t(&self) -> Array {
        super::transpose(self, ..)
    }
}
