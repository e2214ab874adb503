//! The text form of a schedule: the groups in order, each with the level of its steps.
//!
//! ```text
//! group 0, level 0: nest 0 in steps 0,1,2
//! group 1, level 1: call in step 3
//! ```

use std::fmt::Write as _;

use super::order::Order;
use super::rank::Ranks;
use crate::loops::{Loops, Work};
use crate::lower::list;

/// The text form of a schedule.
pub(crate) fn print(loops: &Loops, ranks: &Ranks, order: &Order) -> String {
    let mut text = String::new();
    for (number, group) in order.groups().enumerate() {
        let Some(&first) = group.first() else {
            continue;
        };
        let level = ranks[first as usize].level;
        let work = match loops.work(first) {
            Work::Loop(nest) => format!("nest {}", nest.0),
            Work::Call(_) => "call".to_owned(),
        };
        let steps = if group.len() == 1 { "step" } else { "steps" };
        let group = list(group);
        let _ = writeln!(
            text,
            "group {number}, level {level}: {work} in {steps} {group}"
        );
    }
    text
}
