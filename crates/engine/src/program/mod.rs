//! The program: entries with addresses, divided among threads, and how they run.
//!
//! | file | |
//! |---|---|
//! | `entry.rs` | entries, and how addresses are numbered |
//! | `assemble.rs` | groups become entries: kernels, and batches of steps |
//! | `origin.rs` | the op and the source line to name if an entry fails |
//! | `divide.rs` | entries that several threads run |
//! | `run.rs` | the program with its code, its runs, and the programs inside of loops and branches |
//! | `text.rs`, `verify.rs` | the text form and the verifier |
//!
//! What this stage promises to code: each operand of an entry lies inside its base; a kernel reaches the elements that the
//! steps it was made of name; an entry that reads comes after those that write what it reads.

mod assemble;
mod divide;
mod entry;
mod origin;
mod run;
mod text;
mod verify;

pub(crate) use assemble::assemble;
pub(crate) use divide::divisions;
pub(crate) use entry::{Bases, Entries, Entry, Origin};
pub(crate) use origin::{attributed, origin};
pub(crate) use run::{Constants, Control, Inner, Program};
pub(crate) use text::print;
pub(crate) use verify::verify;
