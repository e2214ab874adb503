//! `Namespace`: NumPy's functions as methods, for code that is handed a namespace instead of importing one.

use std::fmt;

use crate::like::Like;
use crate::numpy::elementwise::for_each_elementwise;
use crate::numpy::options::{Axes, Creation, Integers, Reduction};
use crate::{Array, DType, Operand, Scalar, numpy as np};

/// The functions of [`numpy`](crate::numpy) bound to the library, dtype and device of an array.
///
/// Functions that make arrays make them like that array, unless their options say otherwise; all others go where
/// their arguments are, as ever. Made by [`get_namespace`](super::get_namespace).
#[derive(Clone)]
pub struct Namespace {
    pub(super) like: Like,
}

/// The functions of [`numpy::linalg`](crate::numpy::linalg) in a [`Namespace`].
#[derive(Clone, Copy, Debug)]
pub struct Linalg(());

/// The functions of [`numpy::fft`](crate::numpy::fft) in a [`Namespace`].
#[derive(Clone, Debug)]
pub struct Fourier(Namespace);

impl Namespace {
    pub(super) fn new(like: Like) -> Self {
        Self { like }
    }

    /// The functions of linear algebra.
    #[must_use]
    pub fn linalg(&self) -> Linalg {
        Linalg(())
    }

    /// The Fourier transforms.
    #[must_use]
    pub fn fft(&self) -> Fourier {
        Fourier(self.clone())
    }

    fn creation(&self, creation: Creation) -> Creation {
        match creation.like {
            None => creation.like(&self.like),
            Some(_) => creation,
        }
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "namespace {:?}", self.like)
    }
}

impl Fourier {
    fn creation(&self, creation: Creation) -> Creation {
        self.0.creation(creation)
    }
}

/// One method, by the kind of its row.
macro_rules! method {
    (fn $a:lifetime $function:path as $name:ident [$($doc:literal)*] ($($x:ident: $X:ty),*) -> $Result:ty) => {
        $(#[doc = $doc])*
        ///
        #[doc = concat!("See [`", stringify!($function), "`](crate::numpy).")]
        #[track_caller]
        pub fn $name<$a>(&self, $($x: impl Into<$X>),*) -> $Result {
            $function($($x.into()),*)
        }
    };
    // Functions of several arrays.
    (
        join $a:lifetime $function:path as $name:ident [$($doc:literal)*]
            ($($before:ident: $B:ty,)? [$arrays:ident] $(, $x:ident: $X:ty)?) -> $Result:ty
    ) => {
        $(#[doc = $doc])*
        ///
        #[doc = concat!("See [`", stringify!($function), "`](crate::numpy).")]
        #[track_caller]
        pub fn $name<$a, I>(&self, $($before: $B,)? $arrays: I $(, $x: impl Into<$X>)?) -> $Result
        where
            I: IntoIterator<Item: Into<Operand<$a>>>,
        {
            $function($($before,)? $arrays $(, $x.into())?)
        }
    };
    // Functions that make arrays: like the array of the namespace, unless the options say otherwise.
    (
        make $a:lifetime $function:path as $name:ident [$($doc:literal)*]
            ($($x:ident: $X:ty),*; $Options:ty $(, $field:ident)*) -> $Result:ty
    ) => {
        $(#[doc = $doc])*
        ///
        #[doc = concat!("See [`", stringify!($function), "`](crate::numpy).")]
        #[track_caller]
        pub fn $name(&self, $($x: impl Into<$X>,)* options: impl Into<$Options>) -> $Result {
            let mut options = options.into();
            let creation: &mut Creation = &mut options $(.$field)*;
            *creation = self.creation(std::mem::take(creation));
            $function($($x.into(),)* options)
        }
    };
}

macro_rules! define_methods {
    (
        $a:lifetime;
        numpy { $($module:ident { $(
            $(#[doc = $doc:literal])* $name:ident { $kind:ident $typed:tt -> $Result:ty; $($by_name:tt)* }
        )* })* }
        linalg { $(
            $(#[doc = $linalg_doc:literal])*
            $linalg:ident { $linalg_kind:ident $linalg_typed:tt -> $LinalgResult:ty; $($linalg_by_name:tt)* }
        )* }
        fft { $(
            $(#[doc = $fft_doc:literal])*
            $fft:ident { $fft_kind:ident $fft_typed:tt -> $FftResult:ty; $($fft_by_name:tt)* }
        )* }
        named $named:tt
        renamed { $($renamed:ident { $(
            $alias:ident = $of:ident { $alias_kind:ident $alias_typed:tt -> $AliasResult:ty }
        )* })* }
        elementwise { $($elementwise:ident = $elementwise_of:ident ($($x:ident),*);)* }
        names $names:tt
    ) => {
        impl Namespace {
            $($(method! { $kind $a np::$name as $name [$($doc)*] $typed -> $Result })*)*
            $($(method! { $alias_kind $a np::$alias as $alias [] $alias_typed -> $AliasResult })*)*
            $(method! { fn $a np::$elementwise as $elementwise [] ($($x: Operand<$a>),*) -> Array })*
        }

        impl Linalg {
            $(method! {
                $linalg_kind $a np::linalg::$linalg as $linalg [$($linalg_doc)*] $linalg_typed -> $LinalgResult
            })*
        }

        impl Fourier {
            $(method! { $fft_kind $a np::fft::$fft as $fft [$($fft_doc)*] $fft_typed -> $FftResult })*
        }
    };
}
np::for_each_function!(define_methods);

macro_rules! define_elementwise {
    ($($(#[doc = $doc:literal])* $name:ident $Op:ident ($($x:ident),*) $rule:ident;)*) => {
        impl Namespace {
            $(method! { fn 'a np::$name as $name [$($doc)*] ($($x: Operand<'a>),*) -> Array })*
        }
    };
}
for_each_elementwise!(define_elementwise);
