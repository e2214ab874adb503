//! Inner loops in stages, so that functions such as `exp` run on blocks of elements instead of one by one.
//!
//! The runtime has wide forms of these functions, which take the elements of a block at once. A loop body that uses
//! them is cut: the first stage computes their arguments for a block of [`BLOCK`] elements, the wide functions run,
//! the next stage uses their results. What must live from one stage to a later one is kept in scratch memory, as
//! further slots of the kernel.
//!
//! An operation runs as late as those that use it allow, and loads are repeated rather than kept: both need less
//! scratch memory. A slot that the kernel also writes is loaded once, in the first stage. The wide functions give
//! the same bits as those for one element, so it never matters which of the two ran.
//!
//! Where elements of the kernel's own slots lie side by side, wide functions read and write them there: `exp(x)` is
//! nothing but calls. They may come before the stage of the store that they stand for, as a kernel whose results may
//! overwrite what it reads has one store, and all that it reads goes into that (`Nest::in_place`).

use std::collections::HashSet;
use std::sync::LazyLock;

use autojit_runtime::abi::symbols;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::kernel::{Kernel, Numbered, Operation, Slot, Stride, Value};
use crate::ir::{DType, Op};

/// Elements per block: enough to make calls cheap, few enough for scratch memory to stay in the first cache.
pub(super) const BLOCK: usize = 128;

/// A kernel whose inner loops are in stages.
pub(super) struct Staged {
    /// The kernel, with a slot for each piece of scratch memory after its own.
    pub(super) kernel: Kernel,
    /// How many slots are the kernel's own.
    pub(super) own_slots: usize,
    pub(super) before: Vec<Stage>,
    pub(super) after: Vec<Stage>,
}

/// A part of a loop body, and the wide functions that run after it.
#[derive(Default)]
pub(super) struct Stage {
    pub(super) operations: Vec<Numbered>,
    pub(super) calls: Vec<BlockCall>,
}

impl Stage {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.calls.is_empty()
    }
}

/// A wide function, on scratch memory and on the kernel's own slots.
#[derive(Clone, Debug)]
pub(super) struct BlockCall {
    pub(super) symbol: String,
    pub(super) inputs: SmallVec<[u16; 2]>,
    pub(super) output: u16,
}

/// Cuts the inner loops of a kernel.
pub(super) fn split(kernel: &Kernel) -> Staged {
    let mut staged = kernel.clone();
    let before = Splitter::new(kernel, &kernel.before).split(&mut staged);
    let after = Splitter::new(kernel, &kernel.after).split(&mut staged);
    Staged {
        own_slots: kernel.slots.len(),
        kernel: staged,
        before,
        after,
    }
}

/// The same, with inner loops in one piece.
pub(super) fn whole(kernel: &Kernel) -> Staged {
    let stages = |operations: &[Numbered]| {
        vec![Stage {
            operations: operations.to_vec(),
            calls: Vec::new(),
        }]
    };
    Staged {
        own_slots: kernel.slots.len(),
        kernel: kernel.clone(),
        before: stages(&kernel.before),
        after: stages(&kernel.after),
    }
}

static WIDE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let names = symbols().iter().map(|symbol| symbol.name);
    names
        .filter(|name| name.starts_with("autojit_wide_"))
        .collect()
});

/// The wide form of an op on elements of a dtype, if the runtime has one.
pub(super) fn wide(op: &Op, dtype: DType) -> Option<String> {
    if !dtype.is_float() || !op.is_elementwise() {
        return None;
    }
    let symbol = format!("autojit_wide_{}_{}", op.name(), dtype.short_name());
    WIDE.contains(symbol.as_str()).then_some(symbol)
}

struct Splitter<'a> {
    kernel: &'a Kernel,
    operations: &'a [Numbered],
    /// Which operation makes a value; literals and values from outside the loop are in reach of all stages.
    made: FxHashMap<Value, usize>,
    /// The symbol of operations that run as wide functions.
    wide: Vec<Option<String>>,
    /// The stage of each operation; a wide function runs at the end of its stage.
    stages: Vec<usize>,
    /// The slots of values that live longer than their stage: scratch memory, or slots of the kernel.
    scratch: FxHashMap<Value, u16>,
    /// Stores that wide functions do.
    done: HashSet<usize>,
}

impl<'a> Splitter<'a> {
    fn new(kernel: &'a Kernel, operations: &'a [Numbered]) -> Self {
        let mut made = FxHashMap::default();
        let mut wide_symbols = Vec::with_capacity(operations.len());
        for (index, (value, operation)) in operations.iter().enumerate() {
            let is_made = matches!(
                operation,
                Operation::Load { .. } | Operation::Map { .. } | Operation::Reduce { .. }
            );
            if is_made {
                made.insert(*value, index);
            }
            wide_symbols.push(match operation {
                Operation::Map { op, dtype, .. } if kernel.inner_rank > 0 => wide(op, *dtype),
                _ => None,
            });
        }
        Self {
            kernel,
            operations,
            made,
            wide: wide_symbols,
            stages: vec![0; operations.len()],
            scratch: FxHashMap::default(),
            done: HashSet::new(),
        }
    }

    fn split(mut self, staged: &mut Kernel) -> Vec<Stage> {
        if self.wide.iter().all(Option::is_none) {
            let whole = Stage {
                operations: self.operations.to_vec(),
                calls: Vec::new(),
            };
            return vec![whole];
        }
        self.place_early();
        self.place_late();
        self.keep_in_place();
        self.keep(staged);
        self.write()
    }

    /// The earliest stage in which a value can be used.
    fn available(&self, value: Value) -> usize {
        let stage = |&index: &usize| self.stages[index] + usize::from(self.wide[index].is_some());
        self.made.get(&value).map_or(0, stage)
    }

    fn place_early(&mut self) {
        for index in 0..self.operations.len() {
            let inputs = inputs(&self.operations[index].1);
            let stage = inputs.iter().map(|&v| self.available(v)).max();
            self.stages[index] = stage.unwrap_or(0);
        }
    }

    /// Operations without a wide form move to the first stage that needs them.
    fn place_late(&mut self) {
        let mut needed: Vec<Option<usize>> = vec![None; self.operations.len()];
        for index in (0..self.operations.len()).rev() {
            let operation = &self.operations[index].1;
            let moves = matches!(operation, Operation::Map { .. }) && self.wide[index].is_none();
            if let (true, Some(stage)) = (moves, needed[index]) {
                self.stages[index] = stage;
            }
            let stage = self.stages[index];
            for value in inputs(operation) {
                if let Some(&maker) = self.made.get(&value) {
                    let earliest = needed[maker].map_or(stage, |so_far| so_far.min(stage));
                    needed[maker] = Some(earliest);
                }
            }
        }
    }

    /// Whether stages load the value for themselves.
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

    /// What wide functions read and write right in slots of the kernel.
    fn keep_in_place(&mut self) {
        for (index, (value, operation)) in self.operations.iter().enumerate() {
            if self.wide[index].is_none() {
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

    /// Gives scratch memory to what else wide functions take and give, and to what lives longer than its stage.
    fn keep(&mut self, staged: &mut Kernel) {
        for (index, (value, operation)) in self.operations.iter().enumerate() {
            if self.done.contains(&index) {
                continue;
            }
            let is_wide = self.wide[index].is_some();
            for input in inputs(operation) {
                let lives_on = match self.made.get(&input) {
                    Some(&maker) => {
                        self.stages[maker] < self.stages[index] && !self.is_repeated(maker)
                    }
                    None => false,
                };
                if is_wide || lives_on {
                    self.scratch_for(input, staged);
                }
            }
            if is_wide {
                self.scratch_for(*value, staged);
            }
        }
    }

    fn scratch_for(&mut self, value: Value, staged: &mut Kernel) {
        let axes = staged.outer_rank + staged.inner_rank;
        self.scratch.entry(value).or_insert_with(|| {
            let mut strides: SmallVec<[Stride; 4]> = SmallVec::from_elem(Stride::Zero, axes);
            if let Some(last) = strides.last_mut() {
                *last = Stride::Unit;
            }
            staged.slots.push(Slot {
                dtype: staged.dtypes[value as usize],
                strides,
            });
            (staged.slots.len() - 1) as u16
        });
    }

    fn write(&self) -> Vec<Stage> {
        let last = self.stages.iter().max().copied().unwrap_or(0);
        let mut stages: Vec<Stage> = (0..=last).map(|stage| self.stage(stage)).collect();
        // The last stage may have had nothing but stores that are done.
        while stages.pop_if(|stage| stage.is_empty()).is_some() {}
        stages
    }

    fn stage(&self, stage: usize) -> Stage {
        let mut result = Stage::default();
        let mut present: HashSet<Value> = HashSet::new();
        for (index, (value, operation)) in self.operations.iter().enumerate() {
            let is_elsewhere = self.stages[index] != stage || self.done.contains(&index);
            if is_elsewhere || matches!(operation, Operation::Literal { .. }) {
                continue;
            }
            // Loads come where they are needed, unless they must come first.
            if matches!(operation, Operation::Load { .. }) && self.is_repeated(index) {
                continue;
            }
            if let Some(symbol) = &self.wide[index] {
                for input in inputs(operation) {
                    let is_own = usize::from(self.scratch[&input]) < self.kernel.slots.len();
                    // Other values were stored where they were made.
                    if !is_own && self.made.get(&input).is_none_or(|&m| self.is_repeated(m)) {
                        self.bring(input, stage, &mut present, &mut result.operations);
                        store_once(input, self.scratch[&input], &mut result.operations);
                    }
                }
                result.calls.push(BlockCall {
                    symbol: symbol.clone(),
                    inputs: inputs(operation).iter().map(|v| self.scratch[v]).collect(),
                    output: self.scratch[value],
                });
                continue;
            }
            for input in inputs(operation) {
                self.bring(input, stage, &mut present, &mut result.operations);
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

    /// Makes a value present in a stage: what was made before comes from scratch memory, or is loaded again.
    fn bring(
        &self,
        value: Value,
        stage: usize,
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
        } else if self.stages[maker] < stage {
            let slot = self.scratch[&value];
            operations.push((value, Operation::Load { slot }));
        } else {
            return;
        }
        present.insert(value);
    }
}

/// Stores a value in scratch memory unless this stage has done so.
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
