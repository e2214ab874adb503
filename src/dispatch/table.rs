//! Calls by name as data: the rows of the table of functions (`numpy/table.rs`) and of the op table, by their names.

use std::sync::LazyLock;

use super::arguments::Argument;
use super::{Entries, matrices};
use crate::numpy::create::Progression;
use crate::numpy::elementwise::for_each_elementwise;
use crate::numpy::logic::Tolerance;
use crate::numpy::options::{Diagonal, EyeOptions, LinspaceOptions};
use crate::registry::Parameter;
use crate::{Array, Operand, Value, numpy as np};
use autojit_ir::error::{Error, Result};
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{MapOp, Op, Scalar};

/// One function.
pub(super) struct Entry {
    /// Its name in messages.
    pub(super) name: &'static str,
    /// A summary of what it does.
    pub(super) doc: &'static str,
    /// The parameters in order.
    pub(super) parameters: &'static [Parameter],
    /// The name of the parameter that takes all further arguments.
    pub(super) rest: Option<&'static str>,
    pub(super) implementation: Implementation,
}

/// The implementation of a function.
pub(super) enum Implementation {
    /// An op on all arguments.
    Op(Op),
    /// A row of this table.
    Function(Function),
}

impl Entry {
    /// The parameters as Python writes them.
    pub(super) fn signature(&self) -> String {
        let part = |p: &Parameter| match p.default {
            Some(default) => format!("{}={default}", p.name),
            None => p.name.to_owned(),
        };
        let required = self.parameters.iter().filter(|p| p.default.is_none());
        let mut parts: Vec<String> = required.map(part).collect();
        parts.extend(self.rest.map(|rest| format!("*{rest}")));
        let optional = self.parameters.iter().filter(|p| p.default.is_some());
        parts.extend(optional.map(part));
        parts.join(", ")
    }
}

/// NumPy's name for one of the table: `where` is a keyword of Rust, and `mod`.
const fn python_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        b"where_" => "where",
        b"mod_" => "mod",
        _ => name,
    }
}

macro_rules! define_functions {
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
        named { $($(#[doc = $named_doc:literal])* $named:ident $text:literal { $($named_by_name:tt)* })* }
        renamed { $($renamed:ident { $($alias:ident = $of:ident $alias_typed:tt)* })* }
        elementwise { $($elementwise:ident = $elementwise_of:ident $x:tt;)* }
        names { $($other:literal = $other_of:literal;)* }
    ) => {
        define_functions! { @rows
            $($($name [python_name(stringify!($name))] [concat!($($doc),*)] { $($by_name)* })*)*
            $($linalg [concat!("linalg.", stringify!($linalg))] [concat!($($linalg_doc),*)] { $($linalg_by_name)* })*
            $($fft [concat!("fft.", stringify!($fft))] [concat!($($fft_doc),*)] { $($fft_by_name)* })*
            $($named [$text] [concat!($($named_doc),*)] { $($named_by_name)* })*
        }

        /// Other names that NumPy has for the same functions.
        const ALIASES: &[(&str, &str)] = &[
            $($((stringify!($alias), stringify!($of)),)*)*
            $((python_name(stringify!($elementwise)), stringify!($elementwise_of)),)*
            $(($other, $other_of),)*
        ];
    };
    (@rows $(
        $Function:ident [$name:expr] [$doc:expr]
            { ($($parameter:ident $(= $default:expr)?),* $(; $rest:ident)?) => $body:expr }
    )*) => {
        /// The rows of the table.
        #[allow(non_camel_case_types, reason = "the names of functions")]
        #[derive(Clone, Copy)]
        pub(super) enum Function { $($Function),* }

        /// Runs a row on its bound arguments.
        #[allow(non_snake_case, reason = "NumPy's names of parameters")]
        #[track_caller]
        pub(super) fn run(function: Function, arguments: &[Argument<'_>]) -> Result<Value> {
            match function { $(
                Function::$Function => {
                    // With a rest and nothing before it, all lists fit.
                    #[allow(
                        unreachable_patterns,
                        clippy::redundant_at_rest_pattern,
                        reason = "not for each row"
                    )]
                    match arguments {
                        [$($parameter,)* $($rest @ ..)?] => Ok(Value::from($body)),
                        _ => Err(Error::internal(format!("wrong binding of {}", $name))),
                    }
                }
            )* }
        }

        fn insert_functions(entries: &mut Entries) {
            $(
                let name = const { $name };
                entries.insert(name, Entry {
                    name,
                    doc: const { $doc },
                    parameters: const { &[$(Parameter {
                        name: python_name(stringify!($parameter)),
                        default: define_functions!(@default $($default)?),
                    }),*] },
                    rest: define_functions!(@rest $($rest)?),
                    implementation: Implementation::Function(Function::$Function),
                });
            )*
        }
    };
    (@default) => { None };
    (@default $default:tt) => { Some(stringify!($default)) };
    (@rest) => { None };
    (@rest $rest:ident) => { Some(stringify!($rest)) };
}
np::for_each_function!(define_functions);

/// An argument that a function does not have.
const NOT_GIVEN: Argument<'static> = Argument {
    name: "",
    value: None,
};

fn tolerance(
    rtol: &Argument<'_>,
    atol: &Argument<'_>,
    equal_nan: &Argument<'_>,
) -> Result<Tolerance> {
    Ok(Tolerance {
        rtol: rtol.float_or(1e-5)?,
        atol: atol.float_or(1e-8)?,
        equal_nan: equal_nan.bool_or(false)?,
    })
}

/// One array, or the list of several.
fn one_or_several(mut arrays: Vec<Array>) -> Value {
    match arrays.pop() {
        Some(only) if arrays.is_empty() => only.into(),
        last => arrays.into_iter().chain(last).collect::<Vec<_>>().into(),
    }
}

/// The options of `tri`.
fn triangle_options(
    columns: &Argument<'_>,
    k: &Argument<'_>,
    dtype: &Argument<'_>,
) -> Result<EyeOptions> {
    let mut options = EyeOptions::default().k(k.int_or(0)?);
    options.columns = columns.int_option()?;
    Ok(match dtype.dtype_option()? {
        Some(dtype) => options.dtype(dtype),
        None => options,
    })
}

/// The options of sequences between two ends.
fn linspace_options(
    num: &Argument<'_>,
    endpoint: &Argument<'_>,
    dtype: &Argument<'_>,
) -> Result<LinspaceOptions> {
    let options = LinspaceOptions {
        num: num.int_or(50)?,
        endpoint: endpoint.bool_or(true)?,
        ..LinspaceOptions::default()
    };
    Ok(match dtype.dtype_option()? {
        Some(dtype) => options.dtype(dtype),
        None => options,
    })
}

/// The options of `diagonal` and `trace`.
fn diagonal_options(
    offset: &Argument<'_>,
    axis1: &Argument<'_>,
    axis2: &Argument<'_>,
) -> Result<Diagonal> {
    Ok(np::offset(offset.int_or(0)?).axes(axis1.int_or(0)?, axis2.int_or(1)?))
}

/// With one number, that is where it stops.
fn progression(
    start: &Argument<'_>,
    stop: &Argument<'_>,
    step: &Argument<'_>,
) -> Result<Progression> {
    let step = step.scalar_option()?.unwrap_or(Scalar::Int(1));
    Ok(match stop.scalar_option()? {
        None => Progression::new(Scalar::Int(0), start.scalar()?, step),
        Some(stop) => Progression::new(start.scalar()?, stop, step),
    })
}

macro_rules! insert_elementwise {
    ($($(#[doc = $doc:literal])* $name:ident $Op:ident ($($x:ident),*) $rule:ident;)*) => {
        fn insert_elementwise(entries: &mut Entries) {
            $(
                let name = const { python_name(stringify!($name)) };
                entries.insert(name, Entry {
                    name,
                    doc: concat!($($doc),*),
                    parameters: const { &[$(Parameter { name: stringify!($x), default: None }),*] },
                    rest: None,
                    implementation: Implementation::Op(Op::Map(MapOp::$Op)),
                });
            )*
        }
    };
}
for_each_elementwise!(insert_elementwise);

/// All functions by name.
pub(super) static ENTRIES: LazyLock<Entries> = LazyLock::new(|| {
    let mut entries = Entries::default();
    insert_elementwise(&mut entries);
    insert_functions(&mut entries);
    for (alias, name) in ALIASES {
        if let Some(entry) = entries.get(name) {
            let entry = entry.alias();
            entries.insert(alias, entry);
        }
    }
    entries
});

impl Entry {
    /// The same function for another name.
    fn alias(&self) -> Self {
        Self {
            name: self.name,
            doc: self.doc,
            parameters: self.parameters,
            rest: self.rest,
            implementation: match &self.implementation {
                Implementation::Op(op) => Implementation::Op(op.clone()),
                Implementation::Function(function) => Implementation::Function(*function),
            },
        }
    }
}
