//! The one error type of the crate.
//!
//! An [`Error`] says what was wrong, in which operation, and at which line of the *user's* source. It is
//! cheap to clone, because a failed array carries its error along until values leave the library.
//! Messages are lowercase, without a full stop, and name both types and what was expected.
//!
//! Nothing here formats with `Debug` and nothing panics.

use std::fmt;
use std::sync::Arc;

use crate::site::Site;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why an operation could not be done.
///
/// Opaque: ask it with the predicates ([`Error::is_shape`] and its siblings) rather than matching.
///
/// ```
/// use autojit_ir::{ArrayType, DType, MapOp, Op, Type};
///
/// let x = Type::from(ArrayType::new(DType::Float64, &[2, 2]));
/// let y = Type::from(ArrayType::new(DType::Float64, &[3]));
/// let error = Op::Map(MapOp::Add).infer(&[&x, &y]).unwrap_err();
/// assert!(error.is_shape());
/// assert_eq!(error.to_string(), "cannot broadcast f64[2,2] with f64[3] in add");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: Kind,
    message: String,
    op: Option<String>,
    location: Option<Site>,
    /// The iterations of the loops around it, the innermost first.
    iterations: Vec<u64>,
    /// The line of a function that was written in another program, and came here as a file.
    foreign_line: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shape,
    DType,
    Index,
    Value,
    Overflow,
    UnboundVariable,
    LinearAlgebra,
    UnknownBackend,
    UnknownFunction,
    UnknownLibrary,
    MixedLibraries,
    Tree,
    Unsupported,
    Parse,
    File,
    Check,
    Interrupted,
    Internal,
}

/// An error as a program tells it to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The name of the function that makes errors of its kind, such as `shape`.
    pub kind: String,
    /// What was wrong.
    pub message: String,
    /// The operation.
    pub op: Option<String>,
    /// The iterations of the loops around it, the innermost first.
    pub iterations: Vec<u64>,
    /// The line of the user's source.
    pub line: Option<String>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $visible:vis $constructor:ident, $predicate:ident => $kind:ident;)*) => {
        impl Error {
            $(
                #[doc = concat!("An error for which [`Error::", stringify!($predicate), "`] holds, for registered functions and libraries.")]
                #[must_use]
                $visible fn $constructor(message: impl Into<String>) -> Self {
                    Self::new(Kind::$kind, message.into())
                }

                $(#[$doc])*
                #[must_use]
                pub fn $predicate(&self) -> bool {
                    self.0.kind == Kind::$kind
                }
            )*

            /// What another program is told of an error. [`Error::from_parts`] takes it.
            ///
            /// ```
            /// use autojit_ir::Error;
            ///
            /// let error = Error::shape("expected a matrix").in_op("trace");
            /// let told = Error::from_parts(error.parts()).unwrap();
            /// assert!(told.is_shape());
            /// assert_eq!(told.to_string(), "expected a matrix in trace");
            /// ```
            #[must_use]
            pub fn parts(&self) -> Parts {
                let Inner { kind, message, op, location: _, iterations, foreign_line: _ } = &*self.0;
                let kind = match kind {
                    $(Kind::$kind => stringify!($constructor),)*
                };
                Parts {
                    kind: kind.to_owned(),
                    message: message.clone(),
                    op: op.clone(),
                    iterations: iterations.clone(),
                    line: self.line(),
                }
            }

            /// The error that another program told; `None` if there is no such kind.
            #[must_use]
            pub fn from_parts(parts: Parts) -> Option<Self> {
                let kind = match parts.kind.as_str() {
                    $(stringify!($constructor) => Kind::$kind,)*
                    _ => return None,
                };
                Some(Self(Arc::new(Inner {
                    kind,
                    message: parts.message,
                    op: parts.op,
                    location: None,
                    iterations: parts.iterations,
                    foreign_line: parts.line,
                })))
            }
        }
    };
}

kinds! {
    /// Shapes or axes do not fit together.
    pub shape, is_shape => Shape;
    /// The operation does not take this dtype.
    pub dtype, is_dtype => DType;
    /// An index or an axis is out of range.
    pub index, is_index => Index;
    /// An argument has a value that the operation does not take.
    pub value, is_value => Value;
    /// An integer is not among those of the dtype that it is to have.
    pub overflow, is_overflow => Overflow;
    /// The result depends on a lazy variable that is neither given nor known.
    pub unbound_variable, is_unbound_variable => UnboundVariable;
    /// A matrix is singular, not positive definite, or an iteration did not converge.
    pub linear_algebra, is_linear_algebra => LinearAlgebra;
    /// No backend has this name.
    pub unknown_backend, is_unknown_backend => UnknownBackend;
    /// No function has this name.
    pub unknown_function, is_unknown_function => UnknownFunction;
    /// No library has this name, or none can be found from the arguments.
    pub unknown_library, is_unknown_library => UnknownLibrary;
    /// Arrays of two libraries met in one call.
    pub mixed_libraries, is_mixed_libraries => MixedLibraries;
    /// Nested arguments do not have the structure that was expected.
    pub tree, is_tree => Tree;
    /// This combination is valid, but it is not supported here.
    pub unsupported, is_unsupported => Unsupported;
    /// A text could not be parsed.
    pub parse, is_parse => Parse;
    /// A file cannot be read or written, or is not what it should be: damaged, cut off, foreign, or newer.
    pub file, is_file => File;
    /// A check that was asked for failed: a result is not a finite number, or two backends differ.
    pub failed_check, is_failed_check => Check;
    /// What ran was told to end, by the function that it reports its progress to, or by a check that the program had set.
    pub interrupted, is_interrupted => Interrupted;
    /// A mistake of autojit's own.
    pub internal_error, is_internal => Internal;
}

/// What is wrong with a network or a plan.
impl From<autojit_contract::Error> for Error {
    fn from(error: autojit_contract::Error) -> Self {
        Self::value(error.to_string())
    }
}

impl Error {
    fn new(kind: Kind, message: String) -> Self {
        Self(Arc::new(Inner {
            kind,
            message,
            op: None,
            location: None,
            iterations: Vec::new(),
            foreign_line: None,
        }))
    }

    /// A broken invariant of our own; `context` shows where.
    pub fn internal(context: impl fmt::Display) -> Self {
        Self::internal_error(format!("{context}; this is a bug in autojit"))
    }

    /// Names the operation, unless one nearer to the failure is already named.
    #[must_use]
    pub fn in_op(mut self, op: &str) -> Self {
        if self.0.op.is_none() {
            Arc::make_mut(&mut self.0).op = Some(op.to_owned());
        }
        self
    }

    /// Adds the user's source line, unless it is already known.
    #[must_use]
    pub fn at(mut self, location: impl Into<Site>) -> Self {
        if self.0.location.is_none() {
            Arc::make_mut(&mut self.0).location = Some(location.into());
        }
        self
    }

    /// Adds the number of the iteration of a loop, from zero, in which it happened.
    #[must_use]
    pub fn in_iteration(mut self, iteration: u64) -> Self {
        Arc::make_mut(&mut self.0).iterations.push(iteration);
        self
    }

    /// A loop went on for as long as it may.
    #[must_use]
    pub fn iteration_limit(limit: u64) -> Self {
        Self::value(format!(
            "the condition of the loop still holds after {limit} iterations, which is its limit"
        ))
    }

    /// Removes a line of this project, where it called a function on behalf of the user; the user's line is added by the caller.
    #[must_use]
    pub fn without_location(mut self) -> Self {
        if self.0.location.is_some() {
            Arc::make_mut(&mut self.0).location = None;
        }
        self
    }

    /// Adds the line of a function that came from a file, unless one is known.
    #[must_use]
    pub fn at_foreign_line(mut self, line: &impl fmt::Display) -> Self {
        if self.0.location.is_none() && self.0.foreign_line.is_none() {
            Arc::make_mut(&mut self.0).foreign_line = Some(line.to_string());
        }
        self
    }

    /// Where in the user's source the failing operation was written.
    #[must_use]
    pub fn location(&self) -> Option<Site> {
        self.0.location
    }

    /// The line as it is shown: that of the call says less than that of the operation.
    fn line(&self) -> Option<String> {
        let own = || self.0.location.map(|site| site.to_string());
        self.0.foreign_line.clone().or_else(own)
    }

    /// The name of the operation that failed.
    #[must_use]
    pub fn op(&self) -> Option<&str> {
        self.0.op.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        // Some messages end with the name of the operation.
        let names = |op: &str| self.0.message.ends_with(&format!(" {op}"));
        if let Some(op) = self.0.op.as_deref().filter(|op| !names(op)) {
            write!(f, " in {op}")?;
        }
        for (level, iteration) in self.0.iterations.iter().enumerate() {
            let within = if level == 0 { ", in" } else { " of" };
            write!(f, "{within} iteration {iteration}")?;
        }
        match self.line() {
            Some(line) => write!(f, ", at {line}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `unwrap` and `main` print errors with `Debug`; a person should read the sentence there too.
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl std::error::Error for Error {}
