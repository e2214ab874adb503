//! The text form of a program: kernels, then entries.
//!
//! ```text
//! kernel 0: add f64 (reads 1, writes 1; axes 0 outer + 1 inner)
//! entry 0: kernel 0 of 3 steps (input 0, output 0 +8) parameters 3,10
//! entry 1: call matmul (input 0, input 1, workspace +64)
//! ```
//!
//! An operand is a base and an offset in bytes unless it is zero.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use super::divide::Division;
use super::entry::{Bases, Entries, Entry, RelativeAddress, Run};
use crate::lower::{Call, list};

fn print_address(bases: Bases, address: &RelativeAddress) -> String {
    let base = bases.storage(address.base);
    if address.offset == 0 {
        base.to_string()
    } else {
        format!("{base} {:+}", address.offset)
    }
}

fn print_call(call: &Call, op: &str) -> String {
    match call {
        Call::Matmul(product) => {
            let (m, k, n) = (product.m, product.k, product.n);
            let batch = &product.batch;
            if batch.is_empty() {
                format!("matmul {m}x{k}x{n}")
            } else {
                format!("matmul {m}x{k}x{n} batch [{}]", list(batch))
            }
        }
        Call::Copy(_) => "copy".to_owned(),
        Call::Gather { .. }
        | Call::Scatter(_)
        | Call::Update(_)
        | Call::Random { .. }
        | Call::ArgReduce(_)
        | Call::Scan(_)
        | Call::Sort(_)
        | Call::External(_)
        | Call::Control(_)
        | Call::Runtime(_) => op.to_owned(),
    }
}

fn print_run(run: Option<&Run>) -> String {
    let Some(Run { times, moves }) = run else {
        return String::new();
    };
    let [odd, even] = [list(&moves[0]), list(&moves[1])];
    if odd == even {
        format!(", {times} times, moving by {odd}")
    } else {
        format!(", {times} times, moving by {odd} and {even} in turns")
    }
}

/// The text form of a program.
pub(crate) fn print(
    bases: Bases,
    entries: &Entries,
    divisions: &FxHashMap<u32, Division>,
) -> String {
    let mut text = String::new();
    for (number, kernel) in entries.kernels.iter().enumerate() {
        let _ = write!(text, "kernel {number}: {kernel}");
        if let Some(extent) = kernel.extent {
            let _ = write!(text, ", specialised for an inner extent of {extent}");
        }
        text.push('\n');
    }
    for (number, entry) in entries.list.iter().enumerate() {
        let (Entry::Kernel { operands, .. } | Entry::Call { operands, .. }) = entry;
        let operands = &entries.operands[operands.start as usize..operands.end as usize];
        let operands: Vec<String> = operands.iter().map(|o| print_address(bases, o)).collect();
        let operands = operands.join(", ");
        let batch = match entries.batches[number] {
            1 => String::new(),
            count => format!(" of {count} steps"),
        };
        let _ = match entry {
            Entry::Kernel {
                kernel,
                parameters,
                can_fail,
                run,
                ..
            } => {
                let words = entries.kernels[*kernel as usize].parameter_words();
                let start = *parameters as usize;
                let parameters = list(&entries.parameters[start..start + words]);
                let fails = if *can_fail { ", can fail" } else { "" };
                let divided = divisions.get(&(number as u32));
                let divided = divided.map_or(String::new(), |d| format!(", divided {d}"));
                let runs = print_run(run.as_deref());
                writeln!(
                    text,
                    "entry {number}: kernel {kernel}{batch} ({operands}) parameters {parameters}{runs}{fails}{divided}"
                )
            }
            Entry::Call { call, run, .. } => {
                let call = print_call(call, entries.origins[number].0);
                let runs = print_run(run.as_deref());
                writeln!(
                    text,
                    "entry {number}: call {call}{batch} ({operands}){runs}"
                )
            }
        };
    }
    text
}
