//! `Summary`: an explanation as data, to be kept, sent and compared.

use serde::{Deserialize, Serialize};

use super::{Cost, Report};
use autojit_ir::serial::Format;

/// [`Explanation`](crate::Explanation) as plain data for files: made by
/// [`Explanation::summary`](crate::Explanation::summary), written and read by any format of serde's.
///
/// Written with names, as in JSON, it has the fields below, and `format`, the number of this form. That is 1; fields may be
/// added to it, and a reader skips those that it does not know. Another number is refused when it is read.
/// Times are written as serde writes [`Duration`](std::time::Duration): `{"secs": 0, "nanos": 1500}`.
///
/// ```
/// use autojit::{Array, Summary, autojit, numpy as np};
///
/// let x = Array::from([1.0, 2.0]);
/// let summary = autojit(|x: Array| np::exp(&x)).name("f").explain(&x)?.summary();
/// let text = serde_json::to_string(&summary).unwrap();
/// assert!(text.starts_with(r#"{"format":1,"function":"f","signature":"f64[2]","#));
/// assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
/// # Ok::<(), autojit::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    pub(super) format: Format<1>,
    /// The name of the function.
    pub function: String,
    /// The arguments without the numbers in arrays, as in `(f64[3], {"a": f64[2]}, 3)`.
    pub signature: String,
    /// The effect of a call: to find code that is there, or to compile, and why; none for loaded functions.
    pub call: Option<String>,
    /// The backend that was asked first.
    pub asked_for: String,
    /// Whether no other was allowed.
    pub strict: bool,
    /// The backends that declined, and why.
    pub declined: Vec<(String, String)>,
    /// All of it that is a number.
    pub report: Report,
    /// Estimates of the work.
    pub cost: Cost,
    /// The backend's description of its code, line by line.
    pub executable: String,
    /// The graph that the backend was given, as text that can be read back, with source lines as comments.
    pub graph: String,
}
