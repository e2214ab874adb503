//! Operators: `+ - * / %` and unary `-` on arrays, references to arrays, and numbers on either side.
//!
//! They are the functions of [`crate::numpy`] and broadcast and promote as those do. `x += y` binds `x` to a new
//! array; it never changes elements that another array shares. Comparisons are methods: see
//! [`Array::less`] and its siblings.

use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use num_complex::{Complex32, Complex64};

use crate::ir::Op;
use crate::{Array, Operand};

macro_rules! impl_binary {
    ($Trait:ident $method:ident $Op:ident: $($Left:ty, $Right:ty;)*) => {$(
        impl $Trait<$Right> for $Left {
            type Output = Array;

            #[track_caller]
            fn $method(self, other: $Right) -> Array {
                Array::apply(Op::$Op, &[self.into(), other.into()])
            }
        }
    )*};
}

macro_rules! impl_operators {
    ($($Trait:ident $method:ident, $Assign:ident $assign:ident, $Op:ident;)*) => {$(
        impl_binary! { $Trait $method $Op:
            Array, Array; Array, &Array; &Array, Array; &Array, &Array;
            Array, u8; Array, i32; Array, i64; Array, f32; Array, f64; Array, Complex32; Array, Complex64;
            &Array, u8; &Array, i32; &Array, i64; &Array, f32; &Array, f64; &Array, Complex32; &Array, Complex64;
            u8, Array; i32, Array; i64, Array; f32, Array; f64, Array; Complex32, Array; Complex64, Array;
            u8, &Array; i32, &Array; i64, &Array; f32, &Array; f64, &Array; Complex32, &Array; Complex64, &Array;
        }

        impl<T: Into<Operand>> $Assign<T> for Array {
            #[track_caller]
            fn $assign(&mut self, other: T) {
                *self = Array::apply(Op::$Op, &[(&*self).into(), other.into()]);
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
        Array::apply(Op::Negative, &[self.into()])
    }
}

impl Neg for &Array {
    type Output = Array;

    #[track_caller]
    fn neg(self) -> Array {
        Array::apply(Op::Negative, &[self.into()])
    }
}
