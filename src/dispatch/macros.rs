//! `call!`: calls by name as Python writes them.

/// Calls a function by name, with arguments by position and then by name, as Python writes them.
///
/// Arguments are whatever converts into a [`Value`](crate::Value): arrays and references to them, numbers, text,
/// lists, tuples, dtypes, `Option`s. The result is a `Result<Value>`, which `?` and `try_into()` turn into an
/// array, a tuple or a `Vec` of arrays.
///
/// ```
/// use autojit::{Array, call};
///
/// let x = Array::from([[3.0, 0.0], [4.0, 0.0]]);
/// let sums: Array = call!("sum", &x, axis = 0, keepdims = true)?.try_into()?;
/// assert_eq!(sums.to_string(), "[[7. 0.]]");
/// let (u, s, vh): (Array, Array, Array) = call!("linalg.svd", &x)?.try_into()?;
/// let back: Array = call!("einsum", "ij,j,jk->ik", u, s, vh)?.try_into()?;
/// assert_eq!(back.shape()?, [2, 2]);
/// let zeros: Array = call!("zeros", [2, 3], like = &x)?.try_into()?;
/// assert_eq!(zeros.ty()?.to_string(), "f64[2,3]");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`dispatch::call`](crate::dispatch::call).
///
/// Source: autoray's `do`.
#[macro_export]
macro_rules! call {
    (@position $name:expr, [$($args:tt)*] $key:ident = $($rest:tt)*) => {
        $crate::call!(@name $name, [$($args)*] [] $key = $($rest)*)
    };
    (@position $name:expr, [$($args:tt)*] $arg:expr $(, $($rest:tt)*)?) => {
        $crate::call!(@position $name, [$($args)* $arg,] $($($rest)*)?)
    };
    (@position $name:expr, [$($args:tt)*]) => {
        $crate::call!(@name $name, [$($args)*] [])
    };
    (@name $name:expr, [$($args:tt)*] [$($named:tt)*] $key:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::call!(@name $name, [$($args)*] [$($named)* ($key, $value)] $($($rest)*)?)
    };
    (@name $name:expr, [$($arg:expr,)*] [$(($key:ident, $value:expr))*]) => {
        $crate::dispatch::call(
            $name,
            &[$($crate::Value::from($arg)),*],
            &[$((stringify!($key), $crate::Value::from($value))),*],
        )
    };
    (@name $($wrong:tt)*) => {
        compile_error!("arguments by position come before arguments by name")
    };
    ($name:expr $(, $($rest:tt)*)?) => {
        $crate::call!(@position $name, [] $($($rest)*)?)
    };
}
