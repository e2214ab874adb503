//! Operators: `+ - * / %` and unary `-` on arrays, references to arrays, and numbers on either side.
//!
//! They are the functions of [`crate::numpy`] and broadcast and promote as those do. `x += y` binds `x` to a new
//! array; it never changes elements that another array shares. Comparisons are methods: see
//! [`Array::less`] and its siblings.
//!
//! On the left there is one type of integer and one of float, `i64` and `f64`, so that the compiler knows the
//! type of `(1.0 - &x).sum(..)` and of `2 * &x`: with a second one, every such literal would need a suffix.
//! Nothing is lost, since numbers take part in promotion by their class, not by their width.

use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use num_complex::{Complex32, Complex64};

use super::{Array, Operand};
use autojit_ir::{MapOp, Op};

macro_rules! impl_operators {
    ($($Trait:ident $method:ident, $Assign:ident $assign:ident, $Op:ident;)*) => {$(
        impl_operators!(@right $Trait $method $Op: Array, &Array);
        impl_operators!(@left $Trait $method $Op: i64, f64, Complex32, Complex64);

        impl<'a, T: Into<Operand<'a>>> $Assign<T> for Array {
            #[track_caller]
            fn $assign(&mut self, other: T) {
                *self = Array::apply(Op::Map(MapOp::$Op), &[(&*self).into(), other.into()]);
            }
        }
    )*};
    (@right $Trait:ident $method:ident $Op:ident: $($Left:ty),*) => {$(
        impl<'a, T: Into<Operand<'a>>> $Trait<T> for $Left {
            type Output = Array;

            #[track_caller]
            fn $method(self, other: T) -> Array {
                Array::apply(Op::Map(MapOp::$Op), &[self.into(), other.into()])
            }
        }
    )*};
    (@left $Trait:ident $method:ident $Op:ident: $($Left:ty),*) => {$(
        impl $Trait<Array> for $Left {
            type Output = Array;

            #[track_caller]
            fn $method(self, other: Array) -> Array {
                Array::apply(Op::Map(MapOp::$Op), &[self.into(), other.into()])
            }
        }

        impl $Trait<&Array> for $Left {
            type Output = Array;

            #[track_caller]
            fn $method(self, other: &Array) -> Array {
                Array::apply(Op::Map(MapOp::$Op), &[self.into(), other.into()])
            }
        }
    )*};
}

impl_operators! {
    Add add, AddAssign add_assign, Add;
    Sub sub, SubAssign sub_assign, Subtract;
    Mul mul, MulAssign mul_assign, Multiply;
    Div div, DivAssign div_assign, Divide;
    Rem rem, RemAssign rem_assign, Remainder;
}

impl Neg for Array {
    type Output = Array;

    #[track_caller]
    fn neg(self) -> Array {
        Array::apply(Op::Map(MapOp::Negative), &[self.into()])
    }
}

impl Neg for &Array {
    type Output = Array;

    #[track_caller]
    fn neg(self) -> Array {
        Array::apply(Op::Map(MapOp::Negative), &[self.into()])
    }
}
