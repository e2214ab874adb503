//! A compiled graph: how it runs, and what `explain` and the profiler say about it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::time::Instant;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::codegen::{self, Generator};
use crate::kernel::Kernel;
use crate::loops::{Fusion, Step};
use crate::lower::{Call, Lowered};
use crate::memory::Workspace;
use crate::program::{Entry, Inner, Origin, Program, attributed};
use crate::results::ResultShape;
use crate::schedule::Order;
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, HostArray, UnwrittenArray};
use autojit_library::Concrete;
use autojit_library::backend::{CodeReport, Executable, KernelCode, Outputs, StepTime};
use autojit_library::list::List;

/// A compiled graph.
pub(crate) struct Native {
    pub(crate) program: Program,
    pub(crate) inputs: Vec<ArrayType>,
    /// The types of the output buffers.
    pub(crate) outputs: Vec<ArrayType>,
    /// The same, ready to make arrays of.
    pub(crate) shapes: Vec<ResultShape>,
    /// The operations that they are the results of.
    pub(crate) output_origins: Vec<Origin>,
    /// The output buffer of each result.
    pub(crate) results: Vec<usize>,
    /// Those of the program, by number.
    pub(crate) kernels: Vec<Kernel>,
    pub(crate) counts: Counts,
}

/// Operations on elements that take a few microseconds, or tens where they are as slow as `erf` of one element after the other.
const BRIEF: usize = 1 << 13;
/// Entries that take no more than that.
const BRIEF_ENTRIES: usize = 64;

/// Where the buffers of a call are: the workspace, constants, arguments and results.
type Bases = List<*mut u8, 16, *mut u8>;

thread_local! {
    static BASES: Cell<Vec<*mut u8>> = const { Cell::new(Vec::new()) };
}

/// The counts of the stages, for `explain`.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    instructions: usize,
    steps: usize,
    groups: usize,
    in_place: usize,
    calls: usize,
    not_fused: Vec<(&'static str, usize)>,
}

impl Counts {
    pub(crate) fn new(
        lowered: &Lowered,
        fusion: &Fusion,
        order: &Order,
        workspace: &Workspace,
    ) -> Self {
        let mut not_fused: FxHashMap<&'static str, usize> = FxHashMap::default();
        for (_, why) in &fusion.not_fused {
            *not_fused.entry(why).or_default() += 1;
        }
        let mut not_fused: Vec<_> = not_fused.into_iter().collect();
        not_fused.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let is_call = |s: &&Step| matches!(s, Step::Call(_));
        Self {
            instructions: lowered.instructions.len(),
            steps: fusion.steps.len(),
            groups: order.groups().count(),
            in_place: workspace.in_place.len(),
            calls: fusion.steps.iter().filter(is_call).count(),
            not_fused,
        }
    }

    pub(crate) fn instructions(&self) -> usize {
        self.instructions
    }
}

/// The programs inside of loops and branches, at all levels.
fn inner_programs(program: &Program) -> Vec<&Inner> {
    let mut found: Vec<&Inner> = Vec::new();
    let mut entries: Vec<&u32> = program.controls.keys().collect();
    entries.sort();
    for entry in entries {
        for inner in program.controls[entry].programs() {
            found.push(inner);
            found.extend(inner_programs(&inner.program));
        }
    }
    found
}

/// Whether it is an array of the type that the program was compiled for.
#[inline]
fn is_of(host: &HostArray, ty: &ArrayType) -> bool {
    host.dtype() == ty.dtype && ty.has_shape(host.shape())
}

/// A contiguous array in main memory with the values of an argument.
///
/// # Errors
/// It has another type than the program was compiled for, or there is no memory for it.
#[inline(never)]
fn contiguous_copy(input: &Concrete, ty: &ArrayType) -> Result<HostArray> {
    let host = input.to_host()?;
    if !is_of(&host, ty) {
        let got = host.ty();
        return Err(Error::internal(format!(
            "compiled for {ty}, called with {got}"
        )));
    }
    host.try_contiguous()
}

impl Native {
    /// Runs it; `begin` is called with the number of each entry before it runs.
    #[inline]
    fn run_observed(
        &self,
        inputs: &[&Concrete],
        given: Option<&mut Outputs>,
        outputs: &mut Outputs,
        begin: impl FnMut(usize),
    ) -> Result<()> {
        if inputs.len() != self.inputs.len() {
            return Err(Error::internal(format!(
                "compiled for {} arguments, got {}",
                self.inputs.len(),
                inputs.len()
            )));
        }
        // Contiguous arguments in main memory are read where they are; copies of the others live until the program
        // has run.
        let mut copies: SmallVec<[HostArray; 2]> = SmallVec::new();
        let constants = self.program.constants.addresses();
        let count = 1 + constants.len() + inputs.len() + self.outputs.len();
        let mut bases = Bases::new(&BASES);
        bases.reserve(count);
        bases.extend(std::iter::repeat_n(std::ptr::null_mut(), count));
        // After the workspace, which the program sets.
        let (to, rest) = bases[1..].split_at_mut(constants.len());
        to.copy_from_slice(constants);
        let (to, results) = rest.split_at_mut(inputs.len());
        for ((to, &input), ty) in to.iter_mut().zip(inputs).zip(&self.inputs) {
            *to = if let Concrete::Ndarray(host) = input
                && is_of(host, ty)
                && let Some(address) = host.contiguous()
            {
                address.cast_mut()
            } else {
                let copy = contiguous_copy(input, ty)?;
                let address = copy.as_ptr().cast_mut();
                copies.push(copy);
                address
            };
        }
        if let Some(given) = given {
            // The copies live until it has run.
            return self.run_to_given(bases, given, outputs, begin);
        }
        let mut memory: SmallVec<[UnwrittenArray; 16]> = SmallVec::new();
        let shapes = self.shapes.iter().zip(&self.output_origins);
        for (to, (shape, &origin)) in results.iter_mut().zip(shapes) {
            let output = shape.memory().map_err(|e| attributed(e, Some(origin)))?;
            *to = output.as_mut_ptr();
            memory.push(output);
        }
        // SAFETY: types and layout of the inputs were checked above, and arrays and copies outlive the run; the
        // outputs have the sizes of their types.
        unsafe { self.program.run(&mut bases, begin)? };
        drop(copies);
        let first = outputs.len();
        let arrays = memory.drain(..).zip(&self.shapes).map(|(memory, shape)| {
            // SAFETY: the memory was made for this result; the program ran to its end, and it writes every element of
            // every result.
            Concrete::Ndarray(unsafe { shape.array(memory) })
        });
        outputs.extend(arrays);
        self.repeat_results(outputs, first);
        Ok(())
    }

    /// The rest of a run whose results go to the memory of arrays where they fit and nothing else shares them.
    fn run_to_given(
        &self,
        mut bases: Bases,
        given: &mut Outputs,
        outputs: &mut Outputs,
        begin: impl FnMut(usize),
    ) -> Result<()> {
        let first = outputs.len();
        let results = bases.len() - self.outputs.len();
        let mut given = given.drain(..);
        for &number in &self.results {
            let given = given.next();
            if number != outputs.len() - first {
                // The array of an earlier result.
                continue;
            }
            let ty = &self.outputs[number];
            let fits = |array: &HostArray| {
                array.dtype() == ty.dtype && ty.has_shape(array.shape()) && array.is_contiguous()
            };
            let mut array = match given {
                Some(Concrete::Ndarray(array)) if fits(&array) => array,
                _ => HostArray::zeros(ty)
                    .map_err(|e| attributed(e, Some(self.output_origins[number])))?,
            };
            bases[results + number] = array.as_mut_ptr();
            outputs.push(Concrete::Ndarray(array));
        }
        drop(given);
        // SAFETY: as for new results. The arrays are contiguous, of the types of the results, and nothing else shares their
        // memory: what does is copied by `as_mut_ptr`.
        unsafe { self.program.run(&mut bases, begin)? };
        self.repeat_results(outputs, first);
        Ok(())
    }

    /// Results that are one array are there as often as the graph has them.
    fn repeat_results(&self, outputs: &mut Outputs, first: usize) {
        if self.results.len() != self.outputs.len() {
            let results: SmallVec<[Concrete; 2]> = outputs.drain(first..).collect();
            outputs.extend(self.results.iter().map(|&i| results[i].clone()));
        }
    }

    /// The source lines of the steps that use a kernel, in words.
    fn lines_of(&self, kernel: usize) -> String {
        let uses =
            |e: &Entry| matches!(e, Entry::Kernel { kernel: k, .. } if *k as usize == kernel);
        let entries = self.program.entries.iter().zip(&self.program.origins);
        let mut lines: Vec<_> = entries
            .filter(|(entry, _)| uses(entry))
            .filter_map(|(_, (_, line))| *line)
            .collect();
        lines.sort_by_key(|line| (line.file(), line.line(), line.column()));
        lines.dedup();
        match lines.as_slice() {
            [] => String::new(),
            [line] => format!(", at {line}"),
            [line, others @ ..] => format!(", at {line} and {} other lines", others.len()),
        }
    }
}

impl Executable for Native {
    fn run(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<()> {
        self.run_observed(inputs, None, outputs, |_| {})
    }

    fn run_into(
        &self,
        inputs: &[&Concrete],
        given: &mut Outputs,
        outputs: &mut Outputs,
    ) -> Result<()> {
        self.run_observed(inputs, Some(given), outputs, |_| {})
    }

    /// A step is an entry of the program.
    fn profile(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<Vec<StepTime>> {
        let mut starts: Vec<Instant> = Vec::with_capacity(self.program.entries.len() + 1);
        self.run_observed(inputs, None, outputs, |_| starts.push(Instant::now()))?;
        starts.push(Instant::now());
        let times = starts.windows(2).map(|pair| pair[1] - pair[0]);
        let entries = self.program.entries.iter().zip(&self.program.origins);
        let steps = entries
            .zip(times)
            .map(|((entry, &(op, location)), time)| StepTime {
                step: match entry {
                    Entry::Kernel { kernel, .. } => format!("kernel {kernel}").into(),
                    Entry::Call { .. } => format!("call {op}").into(),
                },
                op,
                location,
                time,
            });
        Ok(steps.collect())
    }

    fn machine_code(&self) -> Vec<KernelCode> {
        let mut all = Vec::with_capacity(self.kernels.len());
        let mut add = |program: &Program, kernels: &[Kernel], of: &str| {
            for (index, kernel) in kernels.iter().enumerate() {
                let (address, bytes) = program.code.bytes_of(index);
                let clif = match program.code.generator(index) {
                    Generator::Simd(_) => None,
                    // It compiled, so there is nothing that could fail now.
                    Generator::Cranelift(_) => codegen::clif(kernel).ok(),
                };
                let name = format!("kernel {index}{of}: {kernel}");
                all.push(KernelCode::new(name, address, bytes, clif));
            }
        };
        add(&self.program, &self.kernels, "");
        for (number, inner) in inner_programs(&self.program).into_iter().enumerate() {
            let of = format!(" of inner program {number}");
            add(&inner.program, &inner.kernels, &of);
        }
        all
    }

    fn is_brief(&self) -> bool {
        if self.program.entries.len() > BRIEF_ENTRIES {
            return false;
        }
        let mut work = 0_usize;
        for entry in &self.program.entries {
            let (Entry::Kernel { run, .. } | Entry::Call { run, .. }) = entry;
            let times = run.as_ref().map_or(1, |run| run.times as usize);
            let once = match entry {
                Entry::Kernel {
                    kernel, parameters, ..
                } => self.kernels[*kernel as usize]
                    .work(&self.program.parameters[*parameters as usize..]),
                Entry::Call { call, .. } => match &**call {
                    Call::Matmul(product) => Some(product.multiplications()),
                    // How long these take depends on values, or is more than a few steps for each element.
                    Call::Gather { .. }
                    | Call::Scatter(_)
                    | Call::Update(_)
                    | Call::Random { .. }
                    | Call::ArgReduce(_)
                    | Call::Scan(_)
                    | Call::Sort(_)
                    | Call::External(_)
                    | Call::Control(_)
                    | Call::Copy(_)
                    | Call::Runtime(_) => None,
                },
            };
            let Some(once) = once else { return false };
            work = work.saturating_add(once.saturating_mul(times));
        }
        work <= BRIEF
    }

    fn describe(&self) -> String {
        let mut text = String::new();
        let Counts {
            instructions,
            steps,
            groups,
            in_place,
            calls,
            not_fused,
        } = &self.counts;
        let kernels = &self.kernels;
        let entries = self.program.entries.len();
        let _ = writeln!(
            text,
            "{instructions} instructions in {steps} steps ({calls} of them runtime calls), in {groups} groups that \
             run as {entries} entries; {} distinct kernels, {} bytes of code, {} bytes of workspace, \
             {in_place} arrays computed in place of another",
            kernels.len(),
            self.program.code.bytes,
            self.program.workspace_bytes,
        );
        for (index, kernel) in kernels.iter().enumerate() {
            let uses =
                |e: &&Entry| matches!(e, Entry::Kernel { kernel, .. } if *kernel as usize == index);
            let count = self.program.entries.iter().filter(uses).count();
            let generator = self.program.code.generator(index);
            let _ = writeln!(
                text,
                "kernel {index}, used {count} times, by {generator}: {kernel}{}",
                self.lines_of(index)
            );
        }
        for (number, inner) in inner_programs(&self.program).into_iter().enumerate() {
            let _ = writeln!(
                text,
                "inner program {number}, of a loop or a branch: {} instructions that run as {} entries; {} distinct \
                 kernels, {} bytes of code, {} bytes of workspace",
                inner.instructions,
                inner.program.entries.len(),
                inner.kernels.len(),
                inner.program.code.bytes,
                inner.program.workspace_bytes,
            );
            for (index, kernel) in inner.kernels.iter().enumerate() {
                let generator = inner.program.code.generator(index);
                let _ = writeln!(text, "  kernel {index}, by {generator}: {kernel}");
            }
        }
        if self.program.threads > 1 {
            let (divided, threads) = (self.program.divisions.len(), self.program.threads);
            let _ = writeln!(text, "{divided} loops divided among {threads} threads");
        }
        for (why, count) in not_fused {
            let _ = writeln!(text, "not fused, {count} times: {why}");
        }
        text
    }

    fn report(&self) -> CodeReport {
        let results = self.outputs.iter().map(ArrayType::bytes).sum::<usize>();
        let mut report = CodeReport::default();
        report.instructions = Some(self.counts.instructions);
        report.kernels = Some(self.kernels.len());
        report.tape_entries = Some(self.program.entries.len());
        let is_call = |entry: &&Entry| matches!(entry, Entry::Call { .. });
        report.runtime_calls = Some(self.program.entries.iter().filter(is_call).count());
        report.code_bytes = Some(self.program.code.bytes);
        report.workspace_bytes = Some(self.program.workspace_bytes);
        report.planned_peak_bytes = Some(self.program.workspace_bytes + results);
        for inner in inner_programs(&self.program) {
            let program = &inner.program;
            let add = |total: &mut Option<usize>, count: usize| {
                *total = total.map(|total| total + count);
            };
            add(&mut report.instructions, inner.instructions);
            add(&mut report.kernels, inner.kernels.len());
            add(&mut report.tape_entries, program.entries.len());
            add(&mut report.code_bytes, program.code.bytes);
            add(&mut report.workspace_bytes, program.workspace_bytes);
            add(&mut report.planned_peak_bytes, program.workspace_bytes);
        }
        report
    }
}
