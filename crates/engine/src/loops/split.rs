//! Which loops are split into single instructions, because their code would serve hardly any other loop.
//!
//! Machine code for a loop costs tens of microseconds and some hundred bytes, which pays where loops are equal or run over
//! many elements. A large program of small loops that all differ would spend its time on compiling, and each call would
//! fetch the code of every loop from memory. Instructions of such loops get loops of their own: of those there are few
//! kinds. Applies only above [`KERNELS`] distinct kernels, so usual programs are never split.

use hashbrown::HashTable;

use super::nest::{NestId, Nests};
use super::step::{Fusion, Step};
use crate::lower::Lowered;

/// Kernels that serve few loops, up to which nothing is split: some 20 ms of compiling.
pub(crate) const KERNELS: usize = 512;
/// A kernel that serves so many loops is worth its code.
const LOOPS: u32 = 4;
/// So is a loop over more elements than this: fused, it saves about as much in a hundred calls as its code costs.
const ELEMENTS: usize = 1024;

/// For each instruction whether it is to have a loop of its own; `None` if no more than `kernels` kernels serve few loops.
/// `nest_of` gives the nest of a step that is a loop.
pub(crate) fn split(
    lowered: &Lowered,
    fusion: &Fusion,
    nests: &Nests,
    nest_of: impl Fn(usize) -> Option<NestId>,
    kernels: usize,
) -> Option<Vec<bool>> {
    if nests.len() <= kernels {
        return None;
    }
    // Literals are parameters of kernels, so nests that differ in nothing else share their code.
    // Each code with its hash and the first nest that has it.
    let mut codes: HashTable<(u64, u32, NestId)> = HashTable::new();
    let mut code_of: Vec<u32> = Vec::with_capacity(nests.len());
    for (index, nest) in nests.iter().enumerate() {
        let hash = nest.hash_but_numbers();
        let is_it = |&(other, _, first): &(u64, u32, NestId)| {
            other == hash && nests[first].equals_but_numbers(nest)
        };
        let new = (hash, codes.len() as u32, NestId(index as u32));
        let entry = codes.entry(hash, is_it, |&(hash, ..)| hash);
        code_of.push(entry.or_insert(new).get().1);
    }
    let mut loops = vec![0u32; codes.len()];
    for nest in (0..fusion.steps.len()).filter_map(&nest_of) {
        loops[code_of[nest.0 as usize] as usize] += 1;
    }
    let mut alone = vec![false; lowered.instructions.len()];
    let mut few = 0;
    for (index, step) in fusion.steps.iter().enumerate() {
        let (Some(nest), Step::Loop(group)) = (nest_of(index), step) else {
            continue;
        };
        let shape = &lowered.geometries[group.domain].shape;
        let elements = shape.iter().fold(1usize, |n, &len| n.saturating_mul(len));
        let sharing = loops[code_of[nest.0 as usize] as usize];
        if sharing < LOOPS && group.members.len() > 1 && elements <= ELEMENTS {
            few += 1;
            for &(id, _) in &group.members {
                alone[id.0 as usize] = true;
            }
        }
    }
    (few > kernels).then_some(alone)
}
