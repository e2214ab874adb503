//! The text form of a plan of memory: for each buffer of the workspace where it lies, when it lives, and whose memory it
//! takes over.
//!
//! ```text
//! workspace 128 bytes
//! b3: bytes 0..48, groups 0..1
//! b4: bytes 0..48, groups 1..2, in place of b3
//! ```

use std::fmt::Write as _;

use super::plan::Workspace;
use super::verify::lives;
use crate::loops::Loops;
use crate::lower::{Lowered, Storage};
use crate::schedule::Order;

/// The text form of a plan of memory.
pub(crate) fn print(
    lowered: &Lowered,
    loops: &Loops,
    order: &Order,
    workspace: &Workspace,
) -> String {
    let mut text = format!("workspace {} bytes\n", workspace.size);
    let lives = lives(lowered, loops, order);
    for (index, (buffer, life)) in lowered.buffers.iter().zip(lives).enumerate() {
        let (Storage::Workspace, Some((first, last))) = (buffer.storage, life) else {
            continue;
        };
        let start = workspace.offsets[index];
        let end = start + buffer.bytes;
        let _ = write!(
            text,
            "b{index}: bytes {start}..{end}, groups {first}..{last}"
        );
        let taken = workspace.in_place.iter();
        if let Some((from, _)) = taken.into_iter().find(|(_, to)| to.0 as usize == index) {
            let _ = write!(text, ", in place of b{}", from.0);
        }
        text.push('\n');
    }
    text
}
