//! Iterations of a loop, one after the other: the tables of the addresses of all operands, and how these move. The memory of the
//! tables, and of the lists that they are made of, stays with the thread, for its next loop.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut, Range};
use std::rc::Rc;
use std::thread::LocalKey;

use smallvec::SmallVec;

use super::compiled::{Inner, Lent, Program};
use super::entry::Entry;
use super::run::{Draws, Failure, multiply};
use crate::codegen::KernelFunction;
use crate::lower::Call;
use autojit_ir::error::Result;
use autojit_runtime::matmul::MatrixProduct;

/// The alignment of rows that are not copied, in bytes.
const ALIGNED: usize = 32;

/// Where a program inside of a loop finds what it takes and puts what it gives.
#[derive(Default)]
pub(super) struct Places {
    pub(super) inputs: Vec<*mut u8>,
    /// Of results that are one value, those with the address of the first one are there once it is.
    pub(super) results: Vec<*mut u8>,
}

/// The addresses and steps that the tables of a loop are made of.
#[derive(Default)]
pub(super) struct Lists {
    /// Where each input is in the first iteration, and how far it moves from an iteration to the next.
    pub(super) given: Vec<(*mut u8, isize)>,
    /// Those of even and of odd iterations.
    pub(super) places: [Places; 2],
    /// How far the inputs move from an iteration to the next.
    pub(super) input_steps: Vec<isize>,
    /// How far the results move.
    pub(super) result_steps: Vec<isize>,
}

thread_local! {
    static LISTS: Pool<Lists> = const { Pool::new() };
    static TABLES: Pool<Tables> = const { Pool::new() };
}

/// Memory of loops that ended, for the next ones: of as many as there were inside of each other.
struct Pool<T>(RefCell<Vec<T>>);

/// The deepest loops whose memory is kept.
const DEEPEST: usize = 8;

impl<T: Default> Pool<T> {
    const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// That of the loop that ended last, or none.
    fn lend(pool: &'static LocalKey<Self>) -> T {
        let kept = pool.try_with(|pool| pool.0.borrow_mut().pop());
        kept.ok().flatten().unwrap_or_default()
    }

    fn keep(pool: &'static LocalKey<Self>, memory: T) {
        // A thread that ends keeps nothing.
        let _ = pool.try_with(|pool| {
            let mut kept = pool.0.borrow_mut();
            if kept.len() < DEEPEST {
                kept.push(memory);
            }
        });
    }
}

impl Lists {
    /// Empty ones.
    pub(super) fn lend() -> LentLists {
        LentLists(Pool::lend(&LISTS))
    }
}

/// Lists whose memory is kept for a later loop.
pub(super) struct LentLists(Lists);

impl Deref for LentLists {
    type Target = Lists;

    fn deref(&self) -> &Lists {
        &self.0
    }
}

impl DerefMut for LentLists {
    fn deref_mut(&mut self) -> &mut Lists {
        &mut self.0
    }
}

impl Drop for LentLists {
    fn drop(&mut self) {
        let mut lists = std::mem::take(&mut self.0);
        lists.given.clear();
        for places in &mut lists.places {
            places.inputs.clear();
            places.results.clear();
        }
        lists.input_steps.clear();
        lists.result_steps.clear();
        if lists.given.capacity() <= KEPT {
            Pool::keep(&LISTS, lists);
        }
    }
}

/// A result that is a copy of another one.
struct Copied {
    from: *mut u8,
    to: *mut u8,
    bytes: usize,
    /// How far both move from an iteration to the next but one.
    steps: [isize; 2],
}

/// The addresses for even or for odd iterations.
#[derive(Default)]
struct Table {
    /// Those that operands count from.
    bases: Vec<*mut u8>,
    /// Those of the operands of all entries. Before those of an entry there is room for one failure record for each entry that
    /// comes earlier.
    pointers: Vec<*mut u8>,
    /// How each entry runs.
    runs: Vec<Run>,
    copied: SmallVec<[Copied; 2]>,
}

/// How an entry runs, with the position of its first pointer.
enum Run {
    /// A kernel that cannot fail, on this thread.
    Kernel {
        function: KernelFunction,
        parameters: *const i64,
        first: u32,
    },
    /// A product in odd iterations, from the last row on.
    Backwards {
        product: Box<MatrixProduct>,
        first: u32,
    },
    /// So many pointers.
    Entry { first: u32, count: u32 },
}

/// A program that runs many times.
pub(super) struct Iterations<'p> {
    inner: &'p Inner,
    /// Only kept: its address is where it is used.
    _arena: Lent<'p>,
    tables: Tables,
}

/// The memory of a loop beside its workspace.
#[derive(Default)]
struct Tables {
    /// Shared with the tables, which have its address.
    failure: Rc<Failure>,
    of_parity: [Table; 2],
    /// How far the bases move.
    moves: Vec<isize>,
    /// The addresses that move, and how far from an iteration to the next but one.
    moving: Vec<(u32, isize)>,
}

/// The longest tables that are kept.
const KEPT: usize = 1 << 15;

impl Tables {
    /// Keeps the memory for a later loop. Nothing is left here.
    fn keep(&mut self) {
        let mut longest = self.moves.capacity().max(self.moving.capacity());
        for table in &mut self.of_parity {
            table.bases.clear();
            table.pointers.clear();
            table.runs.clear();
            table.copied.clear();
            longest = longest
                .max(table.pointers.capacity())
                .max(table.runs.capacity());
        }
        self.moves.clear();
        self.moving.clear();
        if longest <= KEPT && self.failure.is_clear() {
            let tables = Self {
                failure: Rc::clone(&self.failure),
                of_parity: std::mem::take(&mut self.of_parity),
                moves: std::mem::take(&mut self.moves),
                moving: std::mem::take(&mut self.moving),
            };
            Pool::keep(&TABLES, tables);
        }
    }
}

impl Drop for Iterations<'_> {
    fn drop(&mut self) {
        self.tables.keep();
    }
}

impl<'p> Iterations<'p> {
    /// Iterations that begin at the places in turn.
    pub(super) fn new(inner: &'p Inner, lists: &Lists) -> Result<Self> {
        let Lists {
            places,
            input_steps,
            result_steps,
            ..
        } = lists;
        let mut arena = inner.program.lend()?;
        let workspace = arena.as_mut_ptr();
        let first = 1 + inner.program.constants.addresses().len();
        let buffers = inner.results.iter().map(|(buffer, _)| buffer + 1).max();
        let buffers = buffers.unwrap_or(0);
        let mut iterations = Self {
            inner,
            _arena: arena,
            tables: Pool::lend(&TABLES),
        };
        let Tables {
            failure,
            of_parity,
            moves,
            moving,
        } = &mut iterations.tables;
        moves.resize(first + inner.inputs + buffers, 0);
        moves[first..][..inner.inputs].copy_from_slice(input_steps);
        for (k, (buffer, _)) in inner.results.iter().enumerate() {
            if inner.first_of(*buffer) == k {
                moves[first + inner.inputs + buffer] = result_steps[k];
            }
        }
        let mut copies: SmallVec<[(usize, *mut u8); 2]> = SmallVec::new();
        for matrix in &inner.matrices {
            let from = places[0].inputs[matrix.input];
            if !from.addr().is_multiple_of(ALIGNED) {
                let to = workspace.wrapping_add(matrix.offset);
                // SAFETY: the matrix has so many bytes, and the room for it in the workspace, too.
                unsafe { to.copy_from_nonoverlapping(from, matrix.bytes) };
                copies.push((first + matrix.input, to));
            }
        }
        for (parity, (table, places)) in of_parity.iter_mut().zip(places).enumerate() {
            let Table {
                bases,
                pointers,
                runs,
                copied,
            } = table;
            bases.push(workspace);
            bases.extend_from_slice(inner.program.constants.addresses());
            bases.extend_from_slice(&places.inputs);
            bases.resize(moves.len(), std::ptr::null_mut());
            for (k, &(buffer, bytes)) in inner.results.iter().enumerate() {
                let original = inner.first_of(buffer);
                if original == k {
                    bases[first + inner.inputs + buffer] = places.results[k];
                } else if places.results[original] != places.results[k] {
                    copied.push(Copied {
                        from: places.results[original],
                        to: places.results[k],
                        bytes,
                        steps: [original, k].map(|k| 2 * result_steps[k]),
                    });
                }
            }
            for &(base, copy) in &copies {
                bases[base] = copy;
            }
            let program = &inner.program;
            pointers.reserve(program.operands.len() + program.entries.len());
            runs.reserve(program.entries.len());
            for (index, entry) in program.entries.iter().enumerate() {
                let position = pointers.len();
                let operands = program.operands_of(entry).iter();
                let address = operands.map(|o| bases[o.base as usize].wrapping_offset(o.offset));
                pointers.extend(address);
                runs.push(run(
                    program,
                    index,
                    &mut pointers[position..],
                    position,
                    parity,
                ));
                pointers.push(failure.address());
            }
        }
        let mut position = 0;
        for entry in &inner.program.entries {
            for operand in inner.program.operands_of(entry) {
                let step = moves[operand.base as usize];
                if step != 0 {
                    moving.push((position, 2 * step));
                }
                position += 1;
            }
            position += 1;
        }
        Ok(iterations)
    }

    /// From now on even iterations find the first inputs elsewhere.
    pub(super) fn redirect(&mut self, inputs: &[*mut u8]) {
        let [even, _] = &mut self.tables.of_parity;
        for_inputs(self.inner, |position, input, offset| {
            if let Some(address) = inputs.get(input) {
                even.pointers[position] = address.wrapping_offset(offset);
            }
        });
    }

    /// From now on all iterations find some inputs elsewhere: back by as far as they move in so many iterations, an even number.
    /// `steps` say how far they move in one.
    pub(super) fn rewind(&mut self, inputs: Range<usize>, iterations: usize, steps: &[isize]) {
        let tables = &mut self.tables.of_parity;
        for_inputs(self.inner, |position, input, _| {
            if inputs.contains(&input) {
                let back = -steps[input] * iterations as isize;
                for table in &mut *tables {
                    let pointer = &mut table.pointers[position];
                    *pointer = pointer.wrapping_offset(back);
                }
            }
        });
    }

    /// Runs the next iteration, of which the number is even or odd.
    ///
    /// # Safety
    /// The addresses in the table are those of what the graph takes, and of memory for what it gives.
    #[inline]
    pub(super) unsafe fn run(&mut self, number: u64) -> Result<()> {
        let program = &self.inner.program;
        let table = &mut self.tables.of_parity[(number % 2) as usize];
        for (index, run) in table.runs.iter().enumerate() {
            match run {
                Run::Kernel {
                    function,
                    parameters,
                    first,
                } => {
                    let pointers = &table.pointers[*first as usize..];
                    // SAFETY: forwarded; the pointers from there on are those of the kernel, and so are the parameters.
                    unsafe { function(pointers.as_ptr(), *parameters) };
                }
                Run::Backwards { product, first } => {
                    let [a, b, c] = [0, 1, 2].map(|k| table.pointers[*first as usize + k]);
                    // SAFETY: forwarded; the pointers are to the last rows.
                    unsafe { multiply(product, program.threads, [a, b, c]) };
                }
                Run::Entry { first, count } => {
                    let pointers = &table.pointers[*first as usize..][..*count as usize];
                    let entry = &program.entries[index];
                    // SAFETY: forwarded; the workspace is that of the arena, which nothing else uses.
                    unsafe {
                        program.entry(
                            index,
                            entry,
                            pointers,
                            &Draws::new(),
                            &self.tables.failure,
                        )?;
                    };
                }
            }
        }
        for copied in &mut table.copied {
            let Copied {
                from,
                to,
                bytes,
                steps,
            } = copied;
            // SAFETY: both have the size of the result, and are different buffers.
            unsafe { to.copy_from_nonoverlapping(*from, *bytes) };
            *from = from.wrapping_offset(steps[0]);
            *to = to.wrapping_offset(steps[1]);
        }
        for &(position, step) in &self.tables.moving {
            let pointer = &mut table.pointers[position as usize];
            *pointer = pointer.wrapping_offset(step);
        }
        Ok(())
    }
}

/// How an entry runs in even or in odd iterations, whose pointers begin at a position.
fn run(
    program: &Program,
    index: usize,
    pointers: &mut [*mut u8],
    position: usize,
    parity: usize,
) -> Run {
    let (first, count) = (position as u32, pointers.len() as u32);
    match &program.entries[index] {
        Entry::Kernel {
            kernel,
            parameters,
            can_fail,
            run,
            ..
        } => {
            let is_divided = program.threads > 1 && program.divisions.contains_key(&(index as u32));
            if *can_fail || is_divided || run.is_some() {
                // It takes the record of failures as well, if it can fail.
                let count = count + u32::from(*can_fail);
                return Run::Entry { first, count };
            }
            Run::Kernel {
                function: program.code.function(*kernel as usize),
                parameters: program.parameters[*parameters as usize..].as_ptr(),
                first,
            }
        }
        Entry::Call { call, .. } => {
            let Call::Matmul(product) = &**call else {
                return Run::Entry { first, count };
            };
            let Some((product, moves)) = product.backwards().filter(|_| parity == 1) else {
                return Run::Entry { first, count };
            };
            for (pointer, bytes) in pointers.iter_mut().zip(moves) {
                *pointer = pointer.wrapping_offset(bytes);
            }
            let product = Box::new(product);
            Run::Backwards { product, first }
        }
    }
}

/// Does something with each operand that is an input: its position among all pointers, the number of the input, and the offset
/// in it.
fn for_inputs(inner: &Inner, mut does: impl FnMut(usize, usize, isize)) {
    let first = 1 + inner.program.constants.addresses().len();
    let mut position = 0;
    for entry in &inner.program.entries {
        for operand in inner.program.operands_of(entry) {
            let input = (operand.base as usize).checked_sub(first);
            if let Some(input) = input.filter(|input| *input < inner.inputs) {
                does(position, input, operand.offset);
            }
            position += 1;
        }
        position += 1;
    }
}
