//! Differential tests: every engine against the reference interpreter.
//!
//! [`table`] walks the op table: each op, dtype by dtype, over shapes around vector widths, broadcasts, views and
//! special values. [`random`] makes well-typed graphs over the whole table and shrinks those that fail.
//! [`control`] makes programs of loops and branches in each other, and compares gradients with those of unrolled ones.
//! [`batches`] compares batches of random graphs with loops over their examples.
//! [`accuracy`] holds the engines to NumPy's accuracy where results may be rounded differently.
//!
//! [`failures`] runs what must fail on every engine, and nowhere sooner than when it runs.
//!
//! [`coverage`] writes down what each backend has.
//!
//! `AUTOJIT_OP` chooses one op of the table; `AUTOJIT_CASES` is the number of random graphs, `AUTOJIT_SEED` the seed of the values and graphs.

mod accuracy;
mod agreement;
mod batches;
mod cases;
mod compare;
mod control;
mod coverage;
mod failures;
mod matrices;
mod program;
mod random;
mod table;
pub(crate) mod values;
