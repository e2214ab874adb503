//! The choice of an order: one window for all steps is tried first; if it takes more memory than the order of the program
//! does and [`Limit`] allows, windows are as large as that allows.

use super::plan::{Workspace, plan, rounded};
use crate::loops::{Anchor, Loops};
use crate::lower::{Lowered, Storage};
use crate::schedule::{Order, Ranks, with_late_copies};

/// The bytes by which the workspace may be larger than in the order of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) usize);

impl Limit {
    /// The limit that is set, else the size of a second-level cache, or that of the arguments and results if they
    /// take more.
    pub(crate) fn of(lowered: &Lowered, set: Option<usize>) -> Self {
        if let Some(bytes) = set {
            return Self(bytes);
        }
        const CACHE: usize = 1 << 20;
        let outside = lowered
            .buffers
            .iter()
            .filter(|b| matches!(b.storage, Storage::Input(_) | Storage::Output(_)));
        let bytes = outside.fold(0usize, |sum, b| sum.saturating_add(b.bytes));
        Self(bytes.max(CACHE))
    }
}

/// All steps level by level; copies late, if that saves a quarter of the memory: fewer of them are alike then.
fn by_level(lowered: &Lowered, loops: &Loops, ranks: &Ranks) -> (Order, Workspace) {
    let early = Order::by_level(ranks, |_| usize::MAX);
    let workspace = plan(lowered, loops, &early);
    if workspace.size > 0
        && let Some(late) = with_late_copies(lowered, loops, ranks)
    {
        let late = Order::by_level(&late, |_| usize::MAX);
        let smaller = plan(lowered, loops, &late);
        if smaller.size <= workspace.size / 4 * 3 {
            return (late, smaller);
        }
    }
    (early, workspace)
}

/// Finds the order of steps and the plan of memory.
pub(crate) fn choose(
    lowered: &Lowered,
    loops: &Loops,
    ranks: &Ranks,
    limit: Limit,
) -> (Order, Workspace) {
    let (whole, workspace) = by_level(lowered, loops, ranks);
    if workspace.size <= limit.0 {
        return (whole, workspace);
    }
    let in_order = Order::of_program(ranks.len());
    let least = plan(lowered, loops, &in_order);
    if workspace.size <= least.size.saturating_add(limit.0) {
        return (whole, workspace);
    }
    // What a window writes is what it can at most add to the arrays that are alive where it begins.
    let mut written = vec![false; lowered.buffers.len()];
    let window = |start: usize| {
        let mut total = 0usize;
        for index in start..ranks.len() {
            let new = |&&(buffer, _): &&Anchor| {
                let in_workspace = lowered.buffer(buffer).storage == Storage::Workspace;
                in_workspace && !written[buffer.0 as usize]
            };
            let bytes = |&(buffer, _): &Anchor| rounded(lowered.buffer(buffer).bytes);
            let added = loops.anchors(index as u32).iter().filter(new).map(bytes);
            total = added.fold(total, usize::saturating_add);
            if total > limit.0 {
                return index;
            }
            for &(buffer, _) in loops.anchors(index as u32) {
                written[buffer.0 as usize] = true;
            }
        }
        ranks.len()
    };
    let windowed = Order::by_level(ranks, window);
    let workspace = plan(lowered, loops, &windowed);
    if workspace.size <= least.size.saturating_add(limit.0) {
        (windowed, workspace)
    } else {
        // Fragments can make the windows miss the limit by a little.
        (in_order, least)
    }
}
