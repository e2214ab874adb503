//! The native compiler: graph -> instructions -> loops -> groups -> memory -> program -> machine code.
//!
//! | stage | gives | |
//! |---|---|---|
//! | `lower/` | instructions | views become strides, joins destinations |
//! | `loops/` | loops | instructions are fused; equal loops are found |
//! | `schedule/` | levels, groups | independent equal steps form a group |
//! | `memory/` | order, workspace | buffers share the workspace, in an order that a limit allows |
//! | `program/` | entries | groups become kernels and calls with addresses |
//! | `kernel.rs`, `codegen/` | machine code | each distinct kernel is compiled once |
//! | `executable.rs` | runs | arguments in, results out |
//!
//! The stages import each other in this order only. Each says in its `//!` what it promises to the next; its verifier
//! checks that (in tests, and with `AUTOJIT_VERIFY=1`), and [`print_stage`] gives its text form.
//!
//! Every stage is linear in nodes; code generation costs as many compilations as there are *distinct*
//! kernels.

mod codegen;
mod executable;
mod fault;
mod kernel;
mod loops;
mod lower;
mod memory;
mod program;
mod results;
mod schedule;

use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

pub use codegen::cache::{KernelStatistics, kernel_statistics};
#[cfg(feature = "fuzzing")]
pub use codegen::check_random_kernel;

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, ControlOp, Form, Graph, Op, OperandType, Type, ValueId};
use autojit_library::backend::{Backend, Executable, Limits, Lowering};
use autojit_library::environment::environment;
use executable::{Counts, Native};
use loops::Loops;
use lower::{Call, Lowered};
use memory::{Limit, Workspace};
use program::{
    Ahead, Bases, Constants, Control, Entries, Entry, Inner, Looped, Origin, Program, Repeated,
};
use results::ResultShape;
use schedule::{Order, Rank};

/// The native backend.
pub struct Cranelift;

impl Backend for Cranelift {
    fn name(&self) -> &'static str {
        "cranelift"
    }

    fn form(&self) -> Form {
        Form::Updates
    }

    fn lower(&self, op: &Op, operands: &[OperandType<'_>]) -> Lowering {
        lower::decide(op, operands)
    }

    fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>> {
        self.compile_within(graph, &Limits::default())
    }

    fn compile_within(&self, graph: &Graph, limits: &Limits) -> Result<Arc<dyn Executable>> {
        Ok(Arc::new(compile(graph, limits)?))
    }
}

/// How the stages of a graph are run by [`print_stage`].
#[derive(Clone, Copy, Debug)]
pub struct StageOptions {
    /// Memory and threads, as for [`Backend::compile_within`].
    pub limits: Limits,
    /// The number of distinct kernels above which small loops that share no code are split.
    pub kernels: usize,
    /// Whether the graph is inside of a loop or a branch: small loops that do not depend on each other are then fused too.
    pub repeats: bool,
    /// Whether the graph is the body of a loop, and of which: [`print_stage`] then says how its program repeats.
    pub body: Option<BodyOptions>,
    /// Whether each stage is verified even without `AUTOJIT_VERIFY=1`.
    pub verify: bool,
}

/// The loop that a graph is the body of.
#[derive(Clone, Copy, Debug)]
pub struct BodyOptions {
    /// How many arrays go from one iteration to the next: the first inputs and the first results.
    pub carry: usize,
    /// How many inputs after them are elements of whole arrays. All results after the carried ones are such elements.
    pub elements: usize,
    /// Whether the last result is the condition of a `while_loop` instead.
    pub has_condition: bool,
}

impl Default for StageOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            kernels: loops::KERNELS,
            repeats: false,
            body: None,
            verify: cfg!(test),
        }
    }
}

/// The results of each stage for a graph, before there is machine code.
struct Stages {
    lowered: Lowered,
    loops: Loops,
    ranks: Vec<Rank>,
    order: Order,
    workspace: Workspace,
    bases: Bases,
    entries: Entries,
}

impl Stages {
    fn new(graph: &Graph, options: &StageOptions) -> Result<Self> {
        let verifies = options.verify || environment().verify;
        let verify = |check: &dyn Fn() -> Result<()>| if verifies { check() } else { Ok(()) };

        let mut lowered = lower::lower(graph)?;
        check_size(graph, &lowered)?;
        verify(&|| lower::verify(&lowered))?;
        let loops = loops::build(&mut lowered, options.kernels, options.repeats)?;
        verify(&|| loops::verify(&lowered, &loops))?;
        let ranks = schedule::rank(&lowered, &loops);
        let limit = Limit::of(&lowered, options.limits.memory);
        let (order, workspace) = memory::choose(&lowered, &loops, &ranks, limit);
        verify(&|| schedule::verify(&lowered, &loops, &ranks, &order))?;
        verify(&|| memory::verify(&lowered, &loops, &order, &workspace))?;
        let bases = Bases::of(graph);
        let origin = |step, can_fail| program::origin(graph, &lowered, &loops, step, can_fail);
        let mut entries = program::assemble(&lowered, &loops, &order, &workspace, bases, origin);
        verify(&|| program::verify(&lowered, &loops, &order, &workspace, bases, &entries))?;
        if !options.repeats {
            program::shorten(&lowered, &loops, &order, bases, &mut entries);
        }
        Ok(Self {
            lowered,
            loops,
            ranks,
            order,
            workspace,
            bases,
            entries,
        })
    }
}

/// The purpose of a compilation.
#[derive(Clone, Copy, Debug)]
enum Role {
    Whole,
    /// A branch, or the first condition of a loop.
    Inside,
    Loop(BodyOptions),
}

/// The program of a graph that is not part of another one.
fn compile(graph: &Graph, limits: &Limits) -> Result<Native> {
    Ok(compile_as(graph, limits, Role::Whole)?.0)
}

/// The program of a graph; of a loop also how its only kernel repeats itself, if it does.
fn compile_as(graph: &Graph, limits: &Limits, role: Role) -> Result<(Native, Option<Repeated>)> {
    let options = StageOptions {
        limits: *limits,
        repeats: !matches!(role, Role::Whole),
        ..StageOptions::default()
    };
    let Stages {
        mut lowered,
        loops,
        order,
        workspace,
        mut entries,
        ..
    } = Stages::new(graph, &options)?;
    let counts = Counts::new(&lowered, &loops.fusion, &order, &workspace);
    let (outputs, output_origins) = outputs(graph, &lowered)?;
    let repeated = match role {
        Role::Whole | Role::Inside => None,
        Role::Loop(body) => repeated(graph, &lowered, &entries, &outputs, body),
    };
    if let Some(repeated) = &repeated {
        entries.kernels = vec![repeated.kernel.clone()];
    }
    let code = codegen::compile(&entries.kernels)?;
    let divisions = program::divisions(&entries, limits.threads);
    let controls = controls(&entries, limits)?;
    let program = Program {
        controls,
        code,
        entries: entries.list,
        origins: entries.origins,
        operands: entries.operands,
        parameters: entries.parameters,
        constants: Constants::new(graph.constants()),
        workspace_bytes: workspace.size,
        largest: largest(graph),
        threads: limits.threads,
        divisions,
        draws: std::mem::take(&mut lowered.draws),
        pool: Mutex::default(),
    };
    let native = Native {
        program,
        inputs: graph.input_types().to_vec(),
        output_origins,
        shapes: outputs.iter().map(ResultShape::new).collect(),
        outputs,
        results: lowered.results,
        kernels: entries.kernels,
        counts,
    };
    Ok((native, repeated))
}

/// How the program of the body of a loop repeats itself, if it does.
fn repeated(
    graph: &Graph,
    lowered: &Lowered,
    entries: &Entries,
    outputs: &[ArrayType],
    body: BodyOptions,
) -> Option<Repeated> {
    let looped = Looped {
        carry: body.carry,
        elements: body.elements,
        has_condition: body.has_condition,
        inputs: graph.input_types(),
    };
    let size = |&buffer: &usize| (buffer, outputs[buffer].bytes());
    let results: Vec<_> = lowered.results.iter().map(size).collect();
    program::repeated(entries, Bases::of(graph), &results, looped)
}

/// Compiles the graphs inside of loops and branches: once, however often they run.
fn controls(entries: &Entries, limits: &Limits) -> Result<FxHashMap<u32, Control>> {
    let mut controls = FxHashMap::default();
    for (index, entry) in entries.list.iter().enumerate() {
        let Entry::Call { call, .. } = entry else {
            continue;
        };
        let Call::Control(step) = &**call else {
            continue;
        };
        let control = match &step.op {
            ControlOp::Scan {
                body,
                carry,
                xs,
                length,
                ..
            } => scan(body.graph()?, (*carry, *xs, *length), limits)?,
            ControlOp::While {
                condition,
                body,
                carry,
                ..
            } => {
                let iteration = iteration(condition.graph()?, body.graph()?)?;
                let role = Role::Loop(BodyOptions {
                    carry: *carry,
                    elements: 0,
                    has_condition: true,
                });
                Control::While {
                    before: Box::new(inner(condition.graph()?, limits, Role::Inside)?),
                    iteration: Box::new(inner(&iteration, limits, role)?),
                }
            }
            ControlOp::Switch { branches } => {
                let branches = branches.iter();
                let branches = branches.map(|branch| inner(branch.graph()?, limits, Role::Inside));
                Control::Switch(branches.collect::<Result<_>>()?)
            }
        };
        controls.insert(index as u32, control);
    }
    Ok(controls)
}

/// Compiles the body of a scan that carries so many arrays and takes elements of so many.
fn scan(
    body: &Graph,
    (carry, elements, length): (usize, usize, usize),
    limits: &Limits,
) -> Result<Control> {
    let role = |elements| {
        Role::Loop(BodyOptions {
            carry,
            elements,
            has_condition: false,
        })
    };
    if let Some(split) = program::split_products(body, carry, elements)?
        && let Some(ahead) = Ahead::new(inner(&split.early, limits, Role::Inside)?, length)
    {
        let elements = elements + split.count;
        let mut body = inner(&split.late, limits, role(elements))?;
        body.make_room_for_matrices(split.late.input_types(), carry + elements, length);
        // A kernel that repeats itself runs all iterations at once.
        if body.repeated.is_none() {
            return Ok(Control::Scan {
                body: Box::new(body),
                ahead: Some(Box::new(ahead)),
            });
        }
    }
    let types = body.input_types();
    let mut body = inner(body, limits, role(elements))?;
    body.make_room_for_matrices(types, carry + elements, length);
    Ok(Control::Scan {
        body: Box::new(body),
        ahead: None,
    })
}

/// The program of a graph inside of another one.
fn inner(graph: &Graph, limits: &Limits, role: Role) -> Result<Inner> {
    // The limit of memory is that of the whole.
    let limits = Limits {
        memory: None,
        ..*limits
    };
    let (native, repeated) = compile_as(graph, &limits, role)?;
    let inputs = native.inputs.len();
    let carry = match role {
        Role::Whole | Role::Inside => 0,
        Role::Loop(body) => body.carry,
    };
    let result = |&buffer: &usize| (buffer, native.outputs[buffer].bytes());
    Ok(Inner {
        in_place: program::in_place(&native.program, inputs, &native.results, carry),
        repeated,
        matrices: Vec::new(),
        inputs,
        results: native.results.iter().map(result).collect(),
        instructions: native.counts.instructions(),
        kernels: native.kernels,
        program: native.program,
    })
}

/// The body of a `while_loop`, with the condition of what it gives as one more result.
fn iteration(condition: &Graph, body: &Graph) -> Result<Graph> {
    let mut graph = Graph::new();
    let types = body.input_types().iter();
    let given: Vec<ValueId> = types.map(|ty| graph.add_input(ty.clone())).collect();
    let mut results = graph.inline(body, &given, None)?;
    let after = [results.as_slice(), &given[results.len()..]].concat();
    results.extend(graph.inline(condition, &after, None)?);
    graph.set_outputs(results);
    Ok(graph)
}

/// The stages that [`print_stage`] prints, in order.
pub const STAGES: &[&str] = &["lower", "loops", "schedule", "memory", "program"];

/// The text form of what a stage makes of a graph of core ops: one of [`STAGES`]. It depends on the graph and the options
/// alone, not on the machine.
///
/// # Errors
/// There is no such stage, the graph has an op that this backend does not have, or an internal error.
pub fn print_stage(graph: &Graph, stage: &str, options: &StageOptions) -> Result<String> {
    let options = &StageOptions {
        verify: true,
        ..*options
    };
    if stage == "program"
        && let Some(body) = options.body
    {
        return print_body(graph, options, body);
    }
    let stages = Stages::new(graph, options)?;
    let Stages {
        lowered,
        loops,
        ranks,
        order,
        workspace,
        bases,
        entries,
    } = &stages;
    Ok(match stage {
        "lower" => lower::print(graph, lowered),
        "loops" => loops::print(graph, lowered, loops),
        "schedule" => schedule::print(loops, ranks, order),
        "memory" => memory::print(lowered, loops, order, workspace),
        "program" => {
            let threads = options.limits.threads;
            program::print(*bases, entries, &program::divisions(entries, threads))
        }
        _ => {
            let known = STAGES.join(", ");
            return Err(Error::value(format!("no stage {stage}, only {known}")));
        }
    })
}

/// The text form of the program of the body of a loop: of the products that are computed ahead, then of the rest.
fn print_body(graph: &Graph, options: &StageOptions, body: BodyOptions) -> Result<String> {
    let inside = StageOptions {
        repeats: true,
        body: None,
        ..*options
    };
    let split = match body.has_condition {
        true => None,
        false => program::split_products(graph, body.carry, body.elements)?,
    };
    let Some(split) = split else {
        let text = print_stage(graph, "program", &inside)?;
        let Stages {
            lowered, entries, ..
        } = Stages::new(graph, &inside)?;
        let (outputs, _) = outputs(graph, &lowered)?;
        let repeated = repeated(graph, &lowered, &entries, &outputs, body);
        let how = repeated.map_or_else(
            || "it does not repeat itself\n".to_owned(),
            |repeated| repeated.to_string(),
        );
        return Ok(text + &how);
    };
    let early = print_stage(&split.early, "program", &inside)?;
    let late = print_stage(&split.late, "program", &inside)?;
    let count = split.count;
    Ok(format!(
        "ahead:\n{early}with {count} more elements:\n{late}"
    ))
}

/// Refuses graphs whose buffers could not all be counted in one workspace, so that no offset overflows.
fn check_size(graph: &Graph, lowered: &Lowered) -> Result<()> {
    let total: u128 = lowered.buffers.iter().map(|b| b.bytes as u128).sum();
    if total > isize::MAX as u128 / 2 {
        let error = Error::value(format!(
            "the arrays of this graph are too large, {total} bytes in all"
        ));
        return Err(program::attributed(error, largest(graph)));
    }
    Ok(())
}

/// The operation with the largest result, to which a lack of memory for the workspace is attributed.
fn largest(graph: &Graph) -> Option<Origin> {
    let size = |value: &ValueId| match &*graph[*value].ty {
        Type::Array(ty) => ty.size() as u128 * ty.dtype.size() as u128,
        Type::Tuple(_) => 0,
    };
    let computed = graph.values().filter(|&value| !graph[value].op.is_leaf());
    let largest = computed.max_by_key(size)?;
    Some((graph[largest].op.name(), graph[largest].location))
}

/// The type of each output buffer, and the operation that it is the result of.
fn outputs(graph: &Graph, lowered: &Lowered) -> Result<(Vec<ArrayType>, Vec<Origin>)> {
    let (mut types, mut origins) = (Vec::new(), Vec::new());
    for (&output, &index) in graph.outputs().iter().zip(&lowered.results) {
        if index == types.len() {
            types.push(graph.ty(output)?.clone());
            origins.push((graph[output].op.name(), graph[output].location));
        }
    }
    Ok((types, origins))
}
