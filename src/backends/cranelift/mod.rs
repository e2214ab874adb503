//! The native backend: graph -> program -> loops -> kernels -> tape.
//!
//! ```text
//! lower    views become strides, joins destinations      (lower.rs)
//! fuse     instructions share loops                      (fuse.rs)
//! build    loops become kernels, equal ones are shared   (kernel.rs)
//! plan     buffers share the workspace                   (buffers.rs)
//! emit     each distinct kernel becomes machine code     (emit.rs, arithmetic.rs, link.rs)
//! run      a tape of kernels, runtime calls and users' functions (tape.rs, external.rs)
//! ```
//!
//! Every stage is linear in nodes; code generation costs as many compilations as there are *distinct*
//! kernels. Source: DESIGN notes in `ARCHITECTURE.md`, "The native engine".

mod arithmetic;
mod assemble;
mod buffers;
mod emit;
mod external;
mod fuse;
mod kernel;
mod layout;
mod link;
mod lower;
mod nest;
mod parallel;
mod program;
mod schedule;
mod sharing;
mod stage;
mod tape;
mod wide;

use std::alloc::{Layout, alloc, dealloc};
use std::fmt::Write as _;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ndarray::{ArrayD, IxDyn};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{Backend, CodeReport, Executable, KernelCode, Limits, Outputs, StepTime};
use crate::error::{Error, Result};
use crate::ir::{ArrayType, Form, Graph, HostArray, Op, host_from};
use crate::library::Concrete;
use assemble::Assembly;
use buffers::Workspace;
use fuse::{Schedule, Step};
use kernel::Kernel;
use nest::Nests;
use program::{Instruction, InstructionId, Place, Program};
use schedule::{Limit, Order};
use tape::{Bases, Constants, Entry, Tape};

/// The native backend.
pub(crate) struct Cranelift;

impl Backend for Cranelift {
    fn name(&self) -> &'static str {
        "cranelift"
    }

    fn form(&self) -> Form {
        Form::Core
    }

    fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>> {
        self.compile_within(graph, &Limits::default())
    }

    fn compile_within(&self, graph: &Graph, limits: &Limits) -> Result<Arc<dyn Executable>> {
        Ok(Arc::new(compile(graph, limits)?))
    }
}

/// A compiled graph.
struct Native {
    tape: Tape,
    inputs: Vec<ArrayType>,
    /// The types of the output buffers.
    outputs: Vec<ArrayType>,
    /// The output buffer of each result.
    results: Vec<usize>,
    /// Those of the tape, by number.
    kernels: Vec<Kernel>,
    report: Report,
}

/// What `explain` tells.
#[derive(Debug, Default)]
struct Report {
    instructions: usize,
    steps: usize,
    groups: usize,
    in_place: usize,
    calls: usize,
    refusals: Vec<(&'static str, usize)>,
}

fn compile(graph: &Graph, limits: &Limits) -> Result<Native> {
    let mut program = lower::lower(graph)?;
    check_workspace(&program)?;
    let mut fused = fuse::fuse(&mut program, Vec::new())?;
    let mut nests = Nests::default();
    let mut tasks = schedule::tasks(&program, &fused, &stored(&program, &fused), &mut nests)?;
    if let Some(alone) = sharing::taken_apart(&program, &fused, &tasks, &nests) {
        fused = fuse::fuse(&mut program, alone)?;
        nests = Nests::default();
        tasks = schedule::tasks(&program, &fused, &stored(&program, &fused), &mut nests)?;
    }
    let (order, workspace) =
        schedule::order(&program, &tasks, &nests, Limit::of(&program, limits.memory));
    let mut assembly = Assembly::new(
        &program,
        &tasks,
        &nests,
        Bases {
            constants: graph.constants().len(),
            inputs: graph.input_types().len(),
        },
        &workspace,
    );
    for group in order.groups() {
        assembly.group(group, |task| {
            let blamed = blamed(&program, &fused.steps[task as usize]);
            let node = &graph[program.values[blamed.0 as usize]];
            // Users write an index, not the step that checks it.
            let name = match &node.op {
                Op::WrapIndex { .. } => "getitem",
                Op::Opaque { function } => function.name(),
                op => op.name(),
            };
            (name, node.location)
        });
    }
    let parts = assembly.finish();
    let report = report(&program, &fused, &order, &workspace);
    let outputs = output_types(graph, &program)?;
    let code = link::compile(&parts.kernels)?;
    let shares = parallel::shares(&parts, limits.threads);
    let tape = Tape {
        code,
        entries: parts.entries,
        origins: parts.origins,
        operands: parts.operands,
        parameters: parts.parameters,
        constants: Constants::new(graph.constants()),
        workspace_bytes: workspace.size,
        threads: limits.threads,
        shares,
        draws: std::mem::take(&mut program.draws),
        pool: Mutex::default(),
    };
    Ok(Native {
        tape,
        inputs: graph.input_types().to_vec(),
        outputs,
        results: program.results,
        kernels: parts.kernels,
        report,
    })
}

/// Refuses programs whose buffers could not all be counted in one workspace, so that no offset overflows.
fn check_workspace(program: &Program) -> Result<()> {
    let add = |sum: usize, buffer: &program::Buffer| sum.saturating_add(buffer.bytes);
    let total = program.buffers.iter().fold(0, add);
    if total > isize::MAX as usize / 2 {
        return Err(Error::value(format!(
            "the arrays of this graph are too large, {total} bytes in all"
        )));
    }
    Ok(())
}

/// The instruction to blame if a step fails: the one in it that can, or its last.
fn blamed(program: &Program, step: &Step) -> InstructionId {
    match step {
        Step::Call(id) => *id,
        Step::Loop(group) => {
            let can_fail =
                |&&(id, _): &&(InstructionId, _)| program.can_fail(program.instruction(id));
            let member = group.members.iter().find(can_fail).or(group.members.last());
            member.map_or(InstructionId(0), |&(id, _)| id)
        }
    }
}

/// Which instructions' results must be in memory: those that another step or another part of the loop reads,
/// parts of joins, and results of the program.
fn stored(program: &Program, schedule: &Schedule) -> Vec<bool> {
    use fuse::Part;
    let mut stored = vec![false; program.instructions.len()];
    for (index, instruction) in program.instructions.iter().enumerate() {
        let (step, part) = schedule.placed[index];
        for view in program.reads(instruction) {
            if let Some(origin) = view.origin {
                let (made_at, made_in) = schedule.placed[origin.0 as usize];
                let in_register =
                    made_at == step && !(made_in == Part::Before && part == Part::After);
                stored[origin.0 as usize] |= !in_register;
            }
        }
        if let Instruction::Join { parts } = instruction {
            for part in program.parts(*parts) {
                stored[part.0 as usize] = true;
            }
        }
        let is_result =
            |v: &program::View| matches!(program.buffer(v.buffer).place, Place::Output(_));
        stored[index] |= program.writes(instruction).iter().any(is_result);
    }
    stored
}

fn output_types(graph: &Graph, program: &Program) -> Result<Vec<ArrayType>> {
    let mut types: Vec<ArrayType> = Vec::new();
    for (&output, &index) in graph.outputs().iter().zip(&program.results) {
        if index == types.len() {
            types.push(graph.ty(output)?.clone());
        }
    }
    Ok(types)
}

fn report(program: &Program, schedule: &Schedule, order: &Order, workspace: &Workspace) -> Report {
    let mut refusals: FxHashMap<&'static str, usize> = FxHashMap::default();
    for (_, why) in &schedule.refusals {
        *refusals.entry(why).or_default() += 1;
    }
    let mut refusals: Vec<_> = refusals.into_iter().collect();
    refusals.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    Report {
        instructions: program.instructions.len(),
        steps: schedule.steps.len(),
        groups: order.groups().count(),
        in_place: workspace.in_place,
        calls: schedule
            .steps
            .iter()
            .filter(|s| matches!(s, Step::Call(_)))
            .count(),
        refusals,
    }
}

impl Native {
    /// Runs it; `begin` is told the number of each entry of the tape before it runs.
    #[inline]
    fn run_observed(
        &self,
        inputs: &[&Concrete],
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
        // Contiguous arguments in main memory are read where they are; copies of the others live until the tape
        // has run.
        let mut copies: SmallVec<[HostArray; 2]> = SmallVec::new();
        let mut bases: SmallVec<[*mut u8; 16]> = SmallVec::new();
        // The place of the workspace.
        bases.push(std::ptr::null_mut());
        bases.extend_from_slice(self.tape.constants.addresses());
        for (input, ty) in inputs.iter().zip(&self.inputs) {
            let converted;
            let host = match input {
                Concrete::Ndarray(host) => host,
                foreign => {
                    converted = foreign.to_host()?;
                    &converted
                }
            };
            if host.dtype() != ty.dtype || !ty.has_shape(host.shape()) {
                let got = host.ty();
                return Err(Error::internal(format!(
                    "compiled for {ty}, called with {got}"
                )));
            }
            let is_argument = matches!(input, Concrete::Ndarray(_));
            if is_argument && host.is_contiguous() {
                bases.push(host.as_ptr().cast_mut());
            } else {
                let copy = host.to_contiguous();
                bases.push(copy.as_ptr().cast_mut());
                copies.push(copy);
            }
        }
        let mut memory: SmallVec<[OutputMemory; 4]> = SmallVec::new();
        for ty in &self.outputs {
            let output = OutputMemory::new(ty)?;
            bases.push(output.as_mut_ptr());
            memory.push(output);
        }
        // SAFETY: types and layout of the inputs were checked above, and arrays and copies outlive the run; the
        // outputs have the sizes of their types.
        unsafe { self.tape.run(&mut bases, begin)? };
        drop(copies);
        let first = outputs.len();
        for (memory, ty) in memory.into_iter().zip(&self.outputs) {
            // SAFETY: the memory was made for this type; the tape ran to its end, and it writes every element of
            // every result.
            outputs.push(Concrete::Ndarray(unsafe { memory.into_host(ty) }));
        }
        if self.results.len() != self.outputs.len() {
            let results: SmallVec<[Concrete; 2]> = outputs.drain(first..).collect();
            outputs.extend(self.results.iter().map(|&i| results[i].clone()));
        }
        Ok(())
    }

    /// The source lines of the steps that use a kernel, in words.
    fn lines_of(&self, kernel: usize) -> String {
        let uses =
            |e: &Entry| matches!(e, Entry::Kernel { kernel: k, .. } if *k as usize == kernel);
        let entries = self.tape.entries.iter().zip(&self.tape.origins);
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
        self.run_observed(inputs, outputs, |_| {})
    }

    /// A step is an entry of the tape.
    fn profile(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<Vec<StepTime>> {
        let mut starts: Vec<Instant> = Vec::with_capacity(self.tape.entries.len() + 1);
        self.run_observed(inputs, outputs, |_| starts.push(Instant::now()))?;
        starts.push(Instant::now());
        let times = starts.windows(2).map(|pair| pair[1] - pair[0]);
        let entries = self.tape.entries.iter().zip(&self.tape.origins);
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
        let kernels = self.kernels.iter().enumerate();
        let code = |(index, kernel): (usize, &Kernel)| {
            let (address, bytes) = self.tape.code.bytes_of(index);
            // It compiled, so there is nothing that could fail now.
            let clif = self.tape.code.is_by_cranelift(index);
            let clif = clif.then(|| link::clif(kernel)).and_then(Result::ok);
            KernelCode {
                name: format!("kernel {index}: {kernel}"),
                address,
                bytes,
                clif,
            }
        };
        kernels.map(code).collect()
    }

    fn describe(&self) -> String {
        let mut text = String::new();
        let Report {
            instructions,
            steps,
            groups,
            in_place,
            calls,
            refusals,
        } = &self.report;
        let kernels = &self.kernels;
        let entries = self.tape.entries.len();
        let _ = writeln!(
            text,
            "{instructions} instructions in {steps} steps ({calls} of them runtime calls), in {groups} groups that \
             run as {entries} tape entries; {} distinct kernels, {} bytes of code, {} bytes of workspace, \
             {in_place} arrays computed in the place of another",
            kernels.len(),
            self.tape.code.bytes,
            self.tape.workspace_bytes,
        );
        for (index, kernel) in kernels.iter().enumerate() {
            let uses =
                |e: &&Entry| matches!(e, Entry::Kernel { kernel, .. } if *kernel as usize == index);
            let count = self.tape.entries.iter().filter(uses).count();
            let maker = self.tape.code.maker(index);
            let _ = writeln!(
                text,
                "kernel {index}, used {count} times, by {maker}: {kernel}{}",
                self.lines_of(index)
            );
        }
        if self.tape.threads > 1 {
            let (divided, threads) = (self.tape.shares.len(), self.tape.threads);
            let _ = writeln!(text, "{divided} loops divided among {threads} threads");
        }
        for (why, count) in refusals {
            let _ = writeln!(text, "not fused, {count} times: {why}");
        }
        text
    }

    fn report(&self) -> CodeReport {
        let results = self
            .outputs
            .iter()
            .map(|ty| ty.size() * ty.dtype.size())
            .sum::<usize>();
        CodeReport {
            instructions: Some(self.report.instructions),
            kernels: Some(self.kernels.len()),
            tape_entries: Some(self.tape.entries.len()),
            runtime_calls: Some(self.report.calls),
            code_bytes: Some(self.tape.code.bytes),
            workspace_bytes: Some(self.tape.workspace_bytes),
            planned_peak_bytes: Some(self.tape.workspace_bytes + results),
        }
    }
}

/// Memory for one result, not yet written.
struct OutputMemory {
    pointer: NonNull<u8>,
    layout: Layout,
}

impl OutputMemory {
    /// # Errors
    /// There is not so much memory.
    fn new(ty: &ArrayType) -> Result<Self> {
        HostArray::check_memory(ty)?;
        let count = ty.size();
        let layout = host_from!(ty.dtype, T => Layout::array::<T>(count));
        let layout =
            layout.map_err(|_| Error::internal(format!("memory for {ty} was not checked")))?;
        if layout.size() == 0 {
            let pointer = host_from!(ty.dtype, T => NonNull::<T>::dangling().cast());
            return Ok(Self { pointer, layout });
        }
        // SAFETY: the layout is not empty.
        match NonNull::new(unsafe { alloc(layout) }) {
            Some(pointer) => Ok(Self { pointer, layout }),
            None => Err(Error::value(format!("there is no memory for {ty}"))),
        }
    }

    fn as_mut_ptr(&self) -> *mut u8 {
        self.pointer.as_ptr()
    }

    /// # Safety
    /// The memory is that of an array of this type, and every element was written.
    unsafe fn into_host(self, ty: &ArrayType) -> HostArray {
        let memory = ManuallyDrop::new(self);
        let (pointer, count) = (memory.pointer, ty.size());
        host_from!(ty.dtype, T => {
            // SAFETY: allocated, or dangling if it is empty, for so many elements of this Rust type, all written; the
            // length is the product of the shape, and C order has no negative strides.
            unsafe {
                let data = Vec::from_raw_parts(pointer.cast::<T>().as_ptr(), count, count);
                ArrayD::from_shape_vec_unchecked(IxDyn(&ty.shape), data).into()
            }
        })
    }
}

impl Drop for OutputMemory {
    fn drop(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: allocated with this layout, and nobody has it.
            unsafe { dealloc(self.pointer.as_ptr(), self.layout) };
        }
    }
}
