//! Orders of steps: level by level, in one window or several.
//!
//! Going level by level keeps more arrays alive than going step by step in the order of the program. The steps can
//! therefore be cut into windows, in that order, and only each window goes level by level (`memory/choose.rs` decides).

use super::rank::{Rank, Ranks};

/// An order of steps, in groups. The steps of a group run in any order, or at once.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(super) steps: Vec<u32>,
    /// Where each group begins in `steps`.
    pub(super) groups: Vec<u32>,
}

impl Order {
    /// The steps of each group, in the order in which the groups run.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &[u32]> {
        let ends = self.groups.iter().skip(1).copied();
        let ends = ends.chain([self.steps.len() as u32]);
        let starts = self.groups.iter().copied();
        starts
            .zip(ends)
            .map(|(start, end)| &self.steps[start as usize..end as usize])
    }

    /// The order in which fusion opened the steps, each a group of its own.
    pub(crate) fn of_program(steps: usize) -> Self {
        let all: Vec<u32> = (0..steps as u32).collect();
        Self {
            groups: all.clone(),
            steps: all,
        }
    }

    /// Level by level within windows; `window` gives the end of the one that begins at a step.
    pub(crate) fn by_level(ranks: &Ranks, mut window: impl FnMut(usize) -> usize) -> Self {
        let mut order = Self::default();
        let mut keys: Vec<(u64, u32)> = Vec::new();
        let mut start = 0;
        while start < ranks.len() {
            let end = window(start).clamp(start + 1, ranks.len());
            keys.clear();
            keys.extend((start..end).map(|index| {
                let Rank { level, kind } = ranks[index];
                (u64::from(level) << 32 | u64::from(kind), index as u32)
            }));
            // Steps of one level and kind stay in their order.
            keys.sort_by_key(|&(key, _)| key);
            for (position, &(key, index)) in keys.iter().enumerate() {
                if position == 0 || keys[position - 1].0 != key {
                    order.groups.push(order.steps.len() as u32);
                }
                order.steps.push(index);
            }
            start = end;
        }
        order
    }
}
