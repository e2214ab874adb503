//! Ops on XLA's arrays, one at a time: each is a small program, compiled for the types it meets and kept.
//!
//! Invariant: no more than [`MOST`] programs are kept; the longest unused ones make room.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::lower::lowering;
use super::module::Purpose;
use super::program::Program;
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, Graph, Op, OperandType};
use autojit_library::backend::Lowering;

/// How many programs are kept. Each takes some 10 ms to compile, and some 100 kB.
const MOST: usize = 1024;

type Key = (Op, SmallVec<[ArrayType; 2]>);

#[derive(Default)]
struct Programs {
    by_key: FxHashMap<Key, (Arc<Program>, u64)>,
    /// Counts the uses.
    now: u64,
}

static PROGRAMS: LazyLock<Mutex<Programs>> = LazyLock::new(Mutex::default);

fn programs() -> MutexGuard<'static, Programs> {
    // Entries are put in and taken out whole.
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Programs {
    fn find(&mut self, key: &Key) -> Option<Arc<Program>> {
        self.now += 1;
        let now = self.now;
        let (program, used) = self.by_key.get_mut(key)?;
        *used = now;
        Some(Arc::clone(program))
    }

    fn keep(&mut self, key: Key, program: Arc<Program>) {
        if self.by_key.len() >= MOST {
            let mut uses: Vec<u64> = self.by_key.values().map(|(_, used)| *used).collect();
            let middle = uses.len() / 2;
            let (_, &mut median, _) = uses.select_nth_unstable(middle);
            self.by_key.retain(|_, (_, used)| *used > median);
        }
        let now = self.now;
        self.by_key.insert(key, (program, now));
    }
}

/// The program of an op on arrays of these types; `None` if it would call back into autojit.
pub(super) fn program(op: &Op, types: SmallVec<[ArrayType; 2]>) -> Result<Option<Arc<Program>>> {
    let key = (op.clone(), types);
    if let Some(found) = programs().find(&key) {
        return Ok(Some(found));
    }
    let operands = key.1.iter().map(OperandType::from);
    // Loops are run as they are written: other closures would be other programs.
    if let Op::Control(_) = op {
        return Ok(None);
    }
    match lowering(op, &operands.collect::<SmallVec<[_; 2]>>(), Purpose::Run) {
        Lowering::Native | Lowering::Expand => {}
        Lowering::Call | Lowering::Unsupported(_) => return Ok(None),
    }
    let mut graph = Graph::new();
    let inputs: SmallVec<[_; 4]> = key.1.iter().map(|ty| graph.add_input(ty.clone())).collect();
    let output = graph.push(op.clone(), &inputs, None)?;
    graph.set_outputs(vec![output]);
    // Not under the lock: compiling takes long. Two threads may compile one program.
    let program = Arc::new(Program::new(&graph)?);
    programs().keep(key, Arc::clone(&program));
    Ok(Some(program))
}
