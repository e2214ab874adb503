//! Which loops are taken apart, because their code would serve hardly any other loop.
//!
//! Machine code for a loop costs tens of microseconds and some hundred bytes, which pays where loops are equal or run over
//! many elements. A large program of small loops that all differ would spend its time on compiling, and each call would
//! fetch the code of every loop from memory. Instructions of such loops get loops of their own: of those there are few
//! kinds. Only what is beyond a number of kernels that anybody can afford is treated so, so usual programs never are.

use rustc_hash::FxHashMap;

use super::fuse::{Schedule, Step};
use super::nest::{NestId, Nests};
use super::program::Program;
use super::schedule::{Tasks, Work};

/// Kernels that serve few loops, up to which nothing is taken apart: some 20 ms of compiling.
const KERNELS: usize = 512;
/// A kernel that serves so many loops is worth its code.
const LOOPS: u32 = 4;
/// So is a loop over more elements than this: fused, it saves about as much in a hundred calls as its code costs.
const ELEMENTS: usize = 1024;

/// For each instruction whether it is to have a loop of its own; `None` if there are not too many kernels.
pub(super) fn taken_apart(
    program: &Program,
    schedule: &Schedule,
    tasks: &Tasks,
    nests: &Nests,
) -> Option<Vec<bool>> {
    if nests.len() <= KERNELS {
        return None;
    }
    let mut loops: FxHashMap<NestId, u32> = FxHashMap::default();
    for task in &tasks.all {
        if let Work::Loop(nest) = task.work {
            *loops.entry(nest).or_default() += 1;
        }
    }
    let mut alone = vec![false; program.instructions.len()];
    let mut kernels = 0;
    for (task, step) in tasks.all.iter().zip(&schedule.steps) {
        let (Work::Loop(nest), Step::Loop(group)) = (task.work, step) else {
            continue;
        };
        let shape = &program.geometries[group.domain].shape;
        let elements = shape.iter().fold(1usize, |n, &len| n.saturating_mul(len));
        if loops[&nest] < LOOPS && group.members.len() > 1 && elements <= ELEMENTS {
            kernels += 1;
            for &(id, _) in &group.members {
                alone[id.0 as usize] = true;
            }
        }
    }
    (kernels > KERNELS).then_some(alone)
}
