//! The native backend: graph -> program -> loops -> kernels -> tape.
//!
//! ```text
//! expand   core ops on equal dtypes                      (crate::opt)
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
mod program;
mod schedule;
mod stage;
mod tape;
mod wide;

use std::fmt::Write as _;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex};

use ndarray::{ArrayD, IxDyn};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{Backend, CodeReport, Executable};
use crate::error::{Error, Result};
use crate::ir::{ArrayType, Element, Graph, HostArray, Op, host_from};
use crate::library::Concrete;
use crate::opt;
use assemble::Assembly;
use buffers::Workspace;
use fuse::{Schedule, Step};
use kernel::Kernel;
use nest::Nests;
use program::{Instruction, InstructionId, Place, Program};
use schedule::{Limit, Order};
use tape::{Bases, Entry, Tape};

/// The native backend.
pub(crate) struct Cranelift;

impl Backend for Cranelift {
    fn name(&self) -> &'static str {
        "cranelift"
    }

    fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>> {
        Ok(Arc::new(compile(graph)?))
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
    report: Report,
}

/// What `explain` tells.
#[derive(Debug, Default)]
struct Report {
    instructions: usize,
    steps: usize,
    groups: usize,
    in_place: usize,
    kernels: Vec<String>,
    calls: usize,
    refusals: Vec<(&'static str, usize)>,
}

fn compile(graph: &Graph) -> Result<Native> {
    let graph = opt::expand(graph)?;
    let mut program = lower::lower(&graph)?;
    check_workspace(&program)?;
    let fused = fuse::fuse(&mut program);
    let stored = stored(&program, &fused);
    let mut nests = Nests::default();
    let tasks = schedule::tasks(&program, &fused, &stored, &mut nests)?;
    let (order, workspace) = schedule::order(&program, &tasks, &nests, Limit::of(&program));
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
    let report = report(&program, &fused, &order, &workspace, &parts.kernels);
    let outputs = output_types(&graph, &program)?;
    let code = link::compile(&parts.kernels)?;
    let tape = Tape {
        code,
        entries: parts.entries,
        origins: parts.origins,
        operands: parts.operands,
        parameters: parts.parameters,
        constants: graph
            .constants()
            .iter()
            .map(HostArray::to_contiguous)
            .collect(),
        workspace_bytes: workspace.size,
        draws: std::mem::take(&mut program.draws),
        pool: Mutex::default(),
    };
    Ok(Native {
        tape,
        inputs: graph.input_types().to_vec(),
        outputs,
        results: program.results,
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
                |&&(id, _): &&(InstructionId, _)| program.can_fail(&program.instruction(id));
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

fn report(
    program: &Program,
    schedule: &Schedule,
    order: &Order,
    workspace: &Workspace,
    kernels: &[Kernel],
) -> Report {
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
        kernels: kernels.iter().map(ToString::to_string).collect(),
        calls: schedule
            .steps
            .iter()
            .filter(|s| matches!(s, Step::Call(_)))
            .count(),
        refusals,
    }
}

impl Executable for Native {
    fn run(&self, inputs: &[Concrete]) -> Result<Vec<Concrete>> {
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
        let mut addresses: SmallVec<[*const u8; 8]> = SmallVec::with_capacity(inputs.len());
        for (input, ty) in inputs.iter().zip(&self.inputs) {
            let converted;
            let host = match input {
                Concrete::Ndarray(host) => host,
                foreign => {
                    converted = foreign.to_host()?;
                    &converted
                }
            };
            if host.dtype() != ty.dtype || host.shape() != ty.shape.as_slice() {
                let got = host.ty();
                return Err(Error::internal(format!(
                    "compiled for {ty}, called with {got}"
                )));
            }
            let is_argument = matches!(input, Concrete::Ndarray(_));
            if is_argument && host.is_contiguous() {
                addresses.push(host.as_ptr());
            } else {
                let copy = host.to_contiguous();
                addresses.push(copy.as_ptr());
                copies.push(copy);
            }
        }
        let mut memory: SmallVec<[OutputMemory; 2]> = SmallVec::with_capacity(self.outputs.len());
        for ty in &self.outputs {
            HostArray::check_memory(ty)?;
            memory.push(OutputMemory::new(ty));
        }
        let pointers: SmallVec<[*mut u8; 8]> =
            memory.iter_mut().map(OutputMemory::as_mut_ptr).collect();
        // SAFETY: types and layout of the inputs were checked above, and arrays and copies outlive the run; the
        // outputs have the sizes of their types.
        unsafe { self.tape.run(&addresses, &pointers)? };
        drop(copies);
        // SAFETY: the tape ran to its end, and it writes every element of every result.
        let outputs: Vec<Concrete> = memory
            .into_iter()
            .map(|m| Concrete::Ndarray(unsafe { m.into_host() }))
            .collect();
        if self.results.len() == outputs.len() {
            return Ok(outputs);
        }
        Ok(self.results.iter().map(|&i| outputs[i].clone()).collect())
    }

    fn describe(&self) -> String {
        let mut text = String::new();
        let Report {
            instructions,
            steps,
            groups,
            in_place,
            kernels,
            calls,
            refusals,
        } = &self.report;
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
                "kernel {index}, used {count} times, by {maker}: {kernel}"
            );
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
            kernels: Some(self.report.kernels.len()),
            tape_entries: Some(self.tape.entries.len()),
            runtime_calls: Some(self.report.calls),
            code_bytes: Some(self.tape.code.bytes),
            workspace_bytes: Some(self.tape.workspace_bytes),
            planned_peak_bytes: Some(self.tape.workspace_bytes + results),
        }
    }
}

/// Memory for one result, not yet written.
enum OutputMemory {
    Bool(Vec<MaybeUninit<bool>>, ArrayType),
    Uint8(Vec<MaybeUninit<u8>>, ArrayType),
    Int32(Vec<MaybeUninit<i32>>, ArrayType),
    Int64(Vec<MaybeUninit<i64>>, ArrayType),
    Float32(Vec<MaybeUninit<f32>>, ArrayType),
    Float64(Vec<MaybeUninit<f64>>, ArrayType),
    Complex64(Vec<MaybeUninit<num_complex::Complex32>>, ArrayType),
    Complex128(Vec<MaybeUninit<num_complex::Complex64>>, ArrayType),
}

macro_rules! each_output {
    ($memory:expr, $v:ident, $ty:ident => $body:expr) => {
        match $memory {
            OutputMemory::Bool($v, $ty) => $body,
            OutputMemory::Uint8($v, $ty) => $body,
            OutputMemory::Int32($v, $ty) => $body,
            OutputMemory::Int64($v, $ty) => $body,
            OutputMemory::Float32($v, $ty) => $body,
            OutputMemory::Float64($v, $ty) => $body,
            OutputMemory::Complex64($v, $ty) => $body,
            OutputMemory::Complex128($v, $ty) => $body,
        }
    };
}

impl OutputMemory {
    fn new(ty: &ArrayType) -> Self {
        use crate::ir::DType;
        let ty = ty.clone();
        let n = ty.size();
        match ty.dtype {
            DType::Bool => Self::Bool(uninitialized(n), ty),
            DType::Uint8 => Self::Uint8(uninitialized(n), ty),
            DType::Int32 => Self::Int32(uninitialized(n), ty),
            DType::Int64 => Self::Int64(uninitialized(n), ty),
            DType::Float32 => Self::Float32(uninitialized(n), ty),
            DType::Float64 => Self::Float64(uninitialized(n), ty),
            DType::Complex64 => Self::Complex64(uninitialized(n), ty),
            DType::Complex128 => Self::Complex128(uninitialized(n), ty),
        }
    }

    fn as_mut_ptr(&mut self) -> *mut u8 {
        each_output!(self, v, _ty => v.as_mut_ptr().cast())
    }

    /// # Safety
    /// Every element was written.
    unsafe fn into_host(self) -> HostArray {
        // SAFETY: forwarded.
        each_output!(self, v, ty => unsafe { into_array(v, &ty) })
    }
}

fn uninitialized<T>(n: usize) -> Vec<MaybeUninit<T>> {
    let mut memory = Vec::with_capacity(n);
    memory.resize_with(n, MaybeUninit::uninit);
    memory
}

/// # Safety
/// Every element was written.
unsafe fn into_array<T: Element>(memory: Vec<MaybeUninit<T>>, ty: &ArrayType) -> HostArray {
    let mut memory = std::mem::ManuallyDrop::new(memory);
    let (pointer, length, capacity) = (memory.as_mut_ptr(), memory.len(), memory.capacity());
    // SAFETY: the parts of a vector that is not dropped; `MaybeUninit<T>` has the layout of `T`, and every
    // element was written.
    let data = unsafe { Vec::from_raw_parts(pointer.cast::<T>(), length, capacity) };
    match ArrayD::from_shape_vec(IxDyn(&ty.shape), data) {
        Ok(array) => array.into(),
        // The length is the product of the shape.
        Err(_) => host_from!(ty.dtype, U => ArrayD::<U>::default(IxDyn(&ty.shape)).into()),
    }
}
