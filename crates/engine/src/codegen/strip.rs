//! Strip-mined inner loops, so that functions such as `exp` run on strips of elements instead of one by one.
//!
//! The runtime has forms of these functions that take a slice of elements. A loop body that uses them is cut into
//! phases, and the loop into strips of [`STRIP`] elements, or of a block where there are sums: the first phase computes arguments for a strip, the functions
//! run on it, the next phase uses their results. Values that live from one phase to a later one are stored in scratch
//! memory, as further slots of the kernel.
//!
//! An operation runs as late as its users allow, and loads are repeated rather than stored: both need less scratch
//! memory. A slot that the kernel also writes is loaded once, in the first phase. Functions of slices give the same bits
//! as those of one element, so it never matters which of the two ran.
//!
//! Where elements of the kernel's own slots lie side by side, functions read and write them there: `exp(x)` is nothing
//! but calls. They may come before the phase of the store that they stand for, as a kernel whose results may overwrite
//! what it reads has one store, and all that it reads goes into that (`Nest::in_place`).

use std::collections::HashSet;

use autojit_runtime::abi::{Form, Symbol};
use autojit_runtime::sum::BLOCK;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::runtime;
use crate::kernel::{Kernel, Numbered, Operation, Slot, Stride, Value};
use autojit_ir::{DType, MapOp};

/// Elements per strip: enough to make calls cheap, few enough for scratch memory to stay in the first cache.
const STRIP: usize = 128;

/// The elements per strip of a kernel: of one that sums in the defined order, a block of a sum.
fn strip_of(kernel: &Kernel) -> usize {
    if kernel.row_rank > 0 { BLOCK } else { STRIP }
}

/// A kernel whose inner loops are cut into phases.
pub(super) struct StripMined {
    /// The kernel, with a slot for each piece of scratch memory after its own.
    pub(super) kernel: Kernel,
    /// How many slots are the kernel's own.
    pub(super) own_slots: usize,
    /// Elements per strip.
    pub(super) strip: usize,
    pub(super) before: Vec<Phase>,
    pub(super) after: Vec<Phase>,
}

/// A part of a loop body, and the functions that run on the strip after it.
#[derive(Default)]
pub(super) struct Phase {
    pub(super) operations: Vec<Numbered>,
    pub(super) calls: Vec<StripCall>,
}

impl Phase {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.calls.is_empty()
    }
}

/// A function of slices, on scratch memory and on the kernel's own slots.
#[derive(Clone)]
pub(super) struct StripCall {
    pub(super) function: &'static Symbol,
    pub(super) inputs: SmallVec<[u16; 2]>,
    pub(super) output: u16,
}

/// Cuts the inner loops of a kernel.
pub(super) fn split(kernel: &Kernel) -> StripMined {
    let mut mined = kernel.clone();
    let before = Splitter::new(kernel, &kernel.before).split(&mut mined);
    let after = Splitter::new(kernel, &kernel.after).split(&mut mined);
    StripMined {
        own_slots: kernel.slots.len(),
        strip: strip_of(kernel),
        kernel: mined,
        before,
        after,
    }
}

/// The same, with inner loops in one piece.
pub(super) fn whole(kernel: &Kernel) -> StripMined {
    let phases = |operations: &[Numbered]| {
        vec![Phase {
            operations: operations.to_vec(),
            calls: Vec::new(),
        }]
    };
    StripMined {
        own_slots: kernel.slots.len(),
        strip: strip_of(kernel),
        kernel: kernel.clone(),
        before: phases(&kernel.before),
        after: phases(&kernel.after),
    }
}

/// The function of slices for an op on elements of a dtype, if the runtime has one.
pub(super) fn slice_function(op: MapOp, dtype: DType) -> Option<&'static Symbol> {
    if !dtype.is_float() || !op.is_elementwise() {
        return None;
    }
    runtime::symbol(op, Form::Block, dtype)
}

struct Splitter<'a> {
    kernel: &'a Kernel,
    operations: &'a [Numbered],
    /// Which operation makes a value; literals and values from outside the loop are in reach of all phases.
    made: FxHashMap<Value, usize>,
    /// The functions of operations that run on slices.
    functions: Vec<Option<&'static Symbol>>,
    /// The phase of each operation; functions run at the end of theirs.
    phases: Vec<usize>,
    /// The slots of values that live longer than their phase: scratch memory, or slots of the kernel.
    scratch: FxHashMap<Value, u16>,
    /// Stores that functions do.
    done: HashSet<usize>,
}

impl<'a> Splitter<'a> {
    fn new(kernel: &'a Kernel, operations: &'a [Numbered]) -> Self {
        let mut made = FxHashMap::default();
        let mut functions = Vec::with_capacity(operations.len());
        for (index, (value, operation)) in operations.iter().enumerate() {
            let is_made = matches!(
                operation,
                Operation::Load { .. } | Operation::Map { .. } | Operation::Reduce { .. }
            );
            if is_made {
                made.insert(*value, index);
            }
            functions.push(match operation {
                Operation::Map { op, dtype, .. } if kernel.inner_rank > 0 => {
                    slice_function(*op, *dtype)
                }
                _ => None,
            });
        }
        Self {
            kernel,
            operations,
            made,
            functions,
            phases: vec![0; operations.len()],
            scratch: FxHashMap::default(),
            done: HashSet::new(),
        }
    }

    fn split(mut self, mined: &mut Kernel) -> Vec<Phase> {
        if self.functions.iter().all(Option::is_none) {
            let whole = Phase {
                operations: self.operations.to_vec(),
                calls: Vec::new(),
            };
            return vec![whole];
        }
        self.place_early();
        self.place_late();
        self.keep_in_place();
        self.keep(mined);
        self.write()
    }

    /// The earliest phase in which a value can be used.
    fn available(&self, value: Value) -> usize {
        let phase =
            |&index: &usize| self.phases[index] + usize::from(self.functions[index].is_some());
        self.made.get(&value).map_or(0, phase)
    }

    fn place_early(&mut self) {
        for index in 0..self.operations.len() {
            let inputs = inputs(&self.operations[index].1);
            let phase = inputs.iter().map(|&v| self.available(v)).max();
            self.phases[index] = phase.unwrap_or(0);
        }
    }

    /// Operations that are no function of slices move to the first phase that needs them.
    fn place_late(&mut self) {
        let mut needed: Vec<Option<usize>> = vec![None; self.operations.len()];
        for index in (0..self.operations.len()).rev() {
            let operation = &self.operations[index].1;
            let moves =
                matches!(operation, Operation::Map { .. }) && self.functions[index].is_none();
            if let (true, Some(phase)) = (moves, needed[index]) {
                self.phases[index] = phase;
            }
            let phase = self.phases[index];
            for value in inputs(operation) {
                if let Some(&maker) = self.made.get(&value) {
                    let earliest = needed[maker].map_or(phase, |so_far| so_far.min(phase));
                    needed[maker] = Some(earliest);
                }
            }
        }
    }

    /// Whether phases load the value for themselves.
    fn is_repeated(&self, maker: usize) -> bool {
        match self.operations[maker].1 {
            Operation::Load { slot } => !self.kernel.is_written(slot.into()),
            _ => false,
        }
    }

    /// Whether elements of a slot of the kernel lie side by side along the innermost axis.
    fn is_contiguous(&self, slot: u16) -> bool {
        let slot = &self.kernel.slots[usize::from(slot)];
        slot.strides.last() == Some(&Stride::Unit)
    }

    /// Operands that functions of slices read and write right in slots of the kernel.
    fn keep_in_place(&mut self) {
        for (index, (value, operation)) in self.operations.iter().enumerate() {
            if self.functions[index].is_none() {
                continue;
            }
            for input in inputs(operation) {
                if let Some(&maker) = self.made.get(&input)
                    && let Operation::Load { slot } = self.operations[maker].1
                    && self.is_repeated(maker)
                    && self.is_contiguous(slot)
                {
                    self.scratch.insert(input, slot);
                }
            }
            let stores = self.operations.iter().enumerate();
            let target = stores.skip(index).find_map(|(at, (_, store))| match store {
                Operation::Store { slot, value: v } if v == value => Some((at, *slot)),
                _ => None,
            });
            if let Some((at, slot)) = target
                && self.is_contiguous(slot)
                && self.kernel.slots[usize::from(slot)].dtype == self.kernel.dtypes[*value as usize]
            {
                self.scratch.insert(*value, slot);
                self.done.insert(at);
            }
        }
    }

    /// Gives scratch memory to what else functions take and give, and to what lives longer than its phase.
    fn keep(&mut self, mined: &mut Kernel) {
        for (index, (value, operation)) in self.operations.iter().enumerate() {
            if self.done.contains(&index) {
                continue;
            }
            let is_function = self.functions[index].is_some();
            for input in inputs(operation) {
                let lives_on = match self.made.get(&input) {
                    Some(&maker) => {
                        self.phases[maker] < self.phases[index] && !self.is_repeated(maker)
                    }
                    None => false,
                };
                if is_function || lives_on {
                    self.scratch_for(input, mined);
                }
            }
            if is_function {
                self.scratch_for(*value, mined);
            }
        }
    }

    fn scratch_for(&mut self, value: Value, mined: &mut Kernel) {
        let axes = mined.outer_rank + mined.inner_rank;
        self.scratch.entry(value).or_insert_with(|| {
            let mut strides: SmallVec<[Stride; 4]> = SmallVec::from_elem(Stride::Zero, axes);
            if let Some(last) = strides.last_mut() {
                *last = Stride::Unit;
            }
            mined.slots.push(Slot {
                dtype: mined.dtypes[value as usize],
                strides,
            });
            (mined.slots.len() - 1) as u16
        });
    }

    fn write(&self) -> Vec<Phase> {
        let last = self.phases.iter().max().copied().unwrap_or(0);
        let mut phases: Vec<Phase> = (0..=last).map(|phase| self.phase(phase)).collect();
        // The last phase may have had nothing but stores that are done.
        while phases.pop_if(|phase| phase.is_empty()).is_some() {}
        phases
    }

    fn phase(&self, phase: usize) -> Phase {
        let mut result = Phase::default();
        let mut present: HashSet<Value> = HashSet::new();
        for (index, (value, operation)) in self.operations.iter().enumerate() {
            let is_elsewhere = self.phases[index] != phase || self.done.contains(&index);
            if is_elsewhere || matches!(operation, Operation::Literal { .. }) {
                continue;
            }
            // Loads come where they are needed, unless they must come first.
            if matches!(operation, Operation::Load { .. }) && self.is_repeated(index) {
                continue;
            }
            if let Some(function) = self.functions[index] {
                for input in inputs(operation) {
                    let is_own = usize::from(self.scratch[&input]) < self.kernel.slots.len();
                    // Other values were stored where they were made.
                    if !is_own && self.made.get(&input).is_none_or(|&m| self.is_repeated(m)) {
                        self.bring(input, phase, &mut present, &mut result.operations);
                        store_once(input, self.scratch[&input], &mut result.operations);
                    }
                }
                result.calls.push(StripCall {
                    function,
                    inputs: inputs(operation).iter().map(|v| self.scratch[v]).collect(),
                    output: self.scratch[value],
                });
                continue;
            }
            for input in inputs(operation) {
                self.bring(input, phase, &mut present, &mut result.operations);
            }
            result.operations.push((*value, operation.clone()));
            present.insert(*value);
            if let Some(&slot) = self.scratch.get(value)
                && !matches!(operation, Operation::Store { .. })
            {
                store_once(*value, slot, &mut result.operations);
            }
        }
        result
    }

    /// Makes a value present in a phase: what was made before comes from scratch memory, or is loaded again.
    fn bring(
        &self,
        value: Value,
        phase: usize,
        present: &mut HashSet<Value>,
        operations: &mut Vec<Numbered>,
    ) {
        let Some(&maker) = self.made.get(&value) else {
            return;
        };
        if present.contains(&value) {
            return;
        }
        if self.is_repeated(maker) {
            operations.push((value, self.operations[maker].1.clone()));
        } else if self.phases[maker] < phase {
            let slot = self.scratch[&value];
            operations.push((value, Operation::Load { slot }));
        } else {
            return;
        }
        present.insert(value);
    }
}

/// Stores a value in scratch memory unless this phase has done so.
fn store_once(value: Value, slot: u16, operations: &mut Vec<Numbered>) {
    let store = (value, Operation::Store { slot, value });
    if !operations.contains(&store) {
        operations.push(store);
    }
}

/// The values that an operation uses.
fn inputs(operation: &Operation) -> SmallVec<[Value; 3]> {
    match operation {
        Operation::Map { inputs, .. } => inputs.clone(),
        Operation::Reduce { input, .. } => SmallVec::from_slice(&[*input]),
        Operation::Store { value, .. } => SmallVec::from_slice(&[*value]),
        Operation::Load { .. } | Operation::Literal { .. } => SmallVec::new(),
    }
}
