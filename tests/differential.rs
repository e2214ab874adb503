//! Differential tests: every engine against the reference interpreter.
//!
//! [`table`] walks the op table: each op, dtype by dtype, over shapes around vector widths, broadcasts, views and
//! special values. [`random`] makes well-typed graphs over the whole table and shrinks those that fail.
//! [`accuracy`] holds the engines to NumPy's accuracy where results may be rounded differently.
//!
//! [`failures`] runs what must fail on every engine, and nowhere sooner than when it runs.
//!
//! [`coverage`] writes down what each backend has.
//!
//! `AUTOJIT_OP` chooses one op of the table; `AUTOJIT_CASES` is the number of random graphs, `AUTOJIT_SEED` the seed of the values and graphs.

#[path = "differential/accuracy.rs"]
mod accuracy;
#[path = "differential/cases.rs"]
mod cases;
#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/coverage.rs"]
mod coverage;
#[path = "differential/failures.rs"]
mod failures;
#[path = "differential/matrices.rs"]
mod matrices;
#[path = "differential/program.rs"]
mod program;
#[path = "differential/random.rs"]
mod random;
#[path = "differential/table.rs"]
mod table;
#[path = "differential/values.rs"]
mod values;
