//! Results of registered functions and of their rules for types.

use crate::{Array, Value};
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, Type};

/// The results of a registered function: arrays, tuples and lists of them, numbers, and `Result`s of those.
pub trait IntoResult {
    /// The value, or why there is none.
    ///
    /// # Errors
    /// The function failed.
    fn into_result(self) -> Result<Value>;
}

macro_rules! into_result {
    ($($t:ty),*) => {$(
        impl IntoResult for $t {
            fn into_result(self) -> Result<Value> {
                Ok(self.into())
            }
        }

        impl IntoResult for Result<$t> {
            fn into_result(self) -> Result<Value> {
                self.map(Into::into)
            }
        }
    )*};
}

into_result!(
    Value,
    Array,
    (Array, Array),
    (Array, Array, Array),
    Vec<Array>,
    f64,
    i64,
    bool
);

/// The results of the rule for the types of a function's results: one type, or those of several results.
pub trait IntoTypes {
    /// The type, or why the arguments do not fit.
    ///
    /// # Errors
    /// The arguments do not fit the function.
    fn into_types(self) -> Result<Type>;
}

impl IntoTypes for ArrayType {
    fn into_types(self) -> Result<Type> {
        Ok(self.into())
    }
}

impl IntoTypes for Vec<ArrayType> {
    fn into_types(self) -> Result<Type> {
        Ok(Type::Tuple(self.into()))
    }
}

impl<T: IntoTypes> IntoTypes for Result<T> {
    fn into_types(self) -> Result<Type> {
        self?.into_types()
    }
}
