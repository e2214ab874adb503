//! The trees that the standard library and this crate provide.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::marker::PhantomData;

use num_complex::{Complex32, Complex64};

use super::{Args, Flattener, Tree, Unflattener};
use crate::Array;
use autojit_ir::error::{Error, Result};

impl Tree for Array {
    const IS_OWN: bool = true;

    #[inline]
    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.array(self);
    }

    #[inline]
    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        unflattener.array()
    }
}

/// Trees that can also be passed by value.
macro_rules! args_by_value {
    ($([$($generics:tt)*] $t:ty),* $(,)?) => {$(
        impl<$($generics)*> Args<$t> for $t {
            const IS_OWN: bool = <$t as Tree>::IS_OWN;

            #[inline]
            fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
                self.flatten(flattener);
            }
        }
    )*};
}

args_by_value!(
    [] Array, [] bool, [] f64, [] f32, [] Complex64, [] Complex32, [] String, [] &'static str,
    [T: Tree] BTreeMap<String, T>, [T: Tree, S: BuildHasher + Default] HashMap<String, T, S>,
    [T: ?Sized] PhantomData<T>,
);

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Tree for $t {
            const IS_OWN: bool = true;

            fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
                // Every one of these types fits 127 bits; usize has no `From`.
                flattener.int(*self as i128);
            }

            fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
                unflattener.int()
            }
        }

        args_by_value!([] $t);
    )*};
}

integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

/// Static values that one step writes and one step reads.
macro_rules! statics {
    ($($t:ty => |$x:ident, $flattener:ident| $write:expr, |$unflattener:ident| $read:expr;)*) => {$(
        impl Tree for $t {
            const IS_OWN: bool = true;

            fn flatten<'a>(&'a self, $flattener: &mut Flattener<'a>) {
                let $x = self;
                $write;
            }

            fn unflatten($unflattener: &mut Unflattener<'_>) -> Result<Self> {
                $read
            }
        }
    )*};
}

statics! {
    bool => |x, f| f.bool(*x), |u| u.bool();
    f64 => |x, f| f.float(*x), |u| u.float();
    f32 => |x, f| f.float(f64::from(*x)), |u| u.float().map(|x| x as f32);
    Complex64 => |z, f| f.complex(*z), |u| u.complex();
    Complex32 => |z, f| f.complex(Complex64::new(z.re.into(), z.im.into())),
        |u| u.complex().map(|z| Self::new(z.re as f32, z.im as f32));
    String => |x, f| f.text(x), |u| u.text();
    &'static str => |x, f| f.static_text(x), |u| u.static_text();
}

/// A string, where the traced function takes a `String`.
impl Args<String> for &str {
    fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.text(self);
    }
}

/// Takes no part: there is nothing in it.
impl<T: ?Sized> Tree for PhantomData<T> {
    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.tuple(0);
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        unflattener.tuple(0)?;
        Ok(Self)
    }
}

macro_rules! tuples {
    ($($len:literal: $($T:ident $X:ident $index:tt),*;)*) => {$(
        #[allow(non_snake_case, clippy::unused_unit, reason = "one text for all lengths, also none")]
        impl<$($T: Tree),*> Tree for ($($T,)*) {
            const IS_OWN: bool = true $(&& $T::IS_OWN)*;

            #[inline]
            fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
                flattener.tuple($len);
                $(self.$index.flatten(flattener);)*
            }

            #[inline]
            fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
                unflattener.tuple($len)?;
                $(let $T = $T::unflatten(unflattener)?;)*
                Ok(($($T,)*))
            }
        }

        impl<$($T: Tree, $X: Args<$T>),*> Args<($($T,)*)> for ($($X,)*) {
            const IS_OWN: bool = true $(&& $X::IS_OWN)*;

            #[inline]
            fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
                flattener.tuple($len);
                $(self.$index.flatten_args(flattener);)*
            }
        }
    )*};
}

tuples! {
    0: ;
    1: A X0 0;
    2: A X0 0, B X1 1;
    3: A X0 0, B X1 1, C X2 2;
    4: A X0 0, B X1 1, C X2 2, D X3 3;
    5: A X0 0, B X1 1, C X2 2, D X3 3, E X4 4;
    6: A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5;
    7: A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6;
    8: A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7;
    9: A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7, I X8 8;
    10: A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7, I X8 8, J X9 9;
    11: A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7, I X8 8, J X9 9, K X10 10;
    12: A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7, I X8 8, J X9 9, K X10 10, L X11 11;
}

impl<T: Tree> Tree for Vec<T> {
    const IS_OWN: bool = T::IS_OWN;

    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.list(self.len());
        flattener.inside(|flattener| {
            for x in self {
                x.flatten(flattener);
            }
        });
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        let len = unflattener.list()?;
        unflattener.inside(|u| {
            let mut list = Vec::with_capacity(u.at_most(len));
            for _ in 0..len {
                list.push(T::unflatten(u)?);
            }
            Ok(list)
        })
    }
}

fn flatten_list<'a, T: Tree, X: Args<T>>(list: &'a [X], flattener: &mut Flattener<'a>) {
    flattener.list(list.len());
    flattener.inside(|flattener| {
        for x in list {
            x.flatten_args(flattener);
        }
    });
}

impl<T: Tree, X: Args<T>> Args<Vec<T>> for Vec<X> {
    const IS_OWN: bool = X::IS_OWN;

    fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flatten_list(self, flattener);
    }
}

/// A slice, where the traced function takes a `Vec`.
impl<T: Tree, X: Args<T>> Args<Vec<T>> for &[X] {
    const IS_OWN: bool = X::IS_OWN;

    fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flatten_list(self, flattener);
    }
}

impl<T: Tree, const N: usize> Tree for [T; N] {
    const IS_OWN: bool = T::IS_OWN;

    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.list(N);
        for x in self {
            x.flatten(flattener);
        }
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        let items = Vec::unflatten(unflattener)?;
        Self::try_from(items).map_err(|items: Vec<T>| {
            Error::tree(format!(
                "expected a list of {N}, got a list of {}",
                items.len()
            ))
        })
    }
}

impl<T: Tree, X: Args<T>, const N: usize> Args<[T; N]> for [X; N] {
    const IS_OWN: bool = X::IS_OWN;

    fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flatten_list(self, flattener);
    }
}

impl<T: Tree> Tree for Option<T> {
    const IS_OWN: bool = T::IS_OWN;

    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.option(self.is_some());
        if let Some(x) = self {
            x.flatten(flattener);
        }
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        let is_some = unflattener.option()?;
        is_some.then(|| T::unflatten(unflattener)).transpose()
    }
}

impl<T: Tree, X: Args<T>> Args<Option<T>> for Option<X> {
    const IS_OWN: bool = X::IS_OWN;

    fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.option(self.is_some());
        if let Some(x) = self {
            x.flatten_args(flattener);
        }
    }
}

/// The tree inside; the box leaves no trace in the structure.
impl<T: Tree> Tree for Box<T> {
    const IS_OWN: bool = T::IS_OWN;

    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.inside(|flattener| T::flatten(self, flattener));
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        unflattener.inside(T::unflatten).map(Self::new)
    }
}

impl<T: Tree, X: Args<T>> Args<Box<T>> for Box<X> {
    const IS_OWN: bool = X::IS_OWN;

    fn flatten_args<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.inside(|flattener| X::flatten_args(self, flattener));
    }
}

/// The tree inside; an error stands for the whole tree.
impl<T: Tree> Tree for Result<T> {
    const IS_OWN: bool = T::IS_OWN;

    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        match self {
            Ok(x) => x.flatten(flattener),
            Err(error) => flattener.fail(error.clone()),
        }
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        T::unflatten(unflattener).map(Ok)
    }
}

/// The entries by their keys in order.
impl<T: Tree, S: BuildHasher + Default> Tree for HashMap<String, T, S> {
    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        flattener.map(entries.len());
        flattener.inside(|flattener| {
            for (key, x) in entries {
                flattener.key(key);
                x.flatten(flattener);
            }
        });
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        unflatten_entries(unflattener)
    }
}

impl<T: Tree> Tree for BTreeMap<String, T> {
    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        flattener.map(self.len());
        flattener.inside(|flattener| {
            for (key, x) in self {
                flattener.key(key);
                x.flatten(flattener);
            }
        });
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        unflatten_entries(unflattener)
    }
}

fn unflatten_entries<T: Tree, M: FromIterator<(String, T)>>(
    unflattener: &mut Unflattener<'_>,
) -> Result<M> {
    let len = unflattener.map()?;
    unflattener.inside(|u| (0..len).map(|_| Ok((u.key()?, T::unflatten(u)?))).collect())
}
