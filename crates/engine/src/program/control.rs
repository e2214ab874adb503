//! How loops and branches run.
//!
//! A branch runs once, so the addresses of its operands are found on the way, as those of the whole program are. A loop may run
//! a million times: the addresses of all operands are in two tables, one for even iterations and one for odd ones, as what is
//! carried lies in two buffers that take turns. From one iteration to the next but one nothing changes but the elements of whole
//! arrays, which move by a constant distance. What an iteration costs beside its kernels and calls is then to go through
//! the entries and to move these addresses.
//!
//! A body that is one kernel over one element repeats itself; see `repeat.rs`.
//!
//! An array that an iteration changes where it lies is in one buffer for all of them; see [`in_place`].

use smallvec::SmallVec;

use super::ahead::Blocks;
use super::compiled::{Ahead, Control, Inner, Lent, Program};
use super::entry::{Entry, RelativeAddress};
use super::iterations::{Iterations, Lists};
use super::repeat::{Place, Repeated};
use crate::lower;
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, ControlOp, DType};
use autojit_library::interrupt::Watch;

/// For each array that a loop carries, whether its body changes some elements of it and nothing reads the others later in the
/// iteration, so that it can stay where it is.
///
/// The call that changes it is the only one to write this result: it writes all of it.
pub(crate) fn in_place(
    program: &Program,
    inputs: usize,
    results: &[usize],
    carry: usize,
) -> Vec<bool> {
    let first = 1 + program.constants.addresses().len();
    let stays = |k: usize| {
        let input = (first + k) as u32;
        let output = (first + inputs + results[k]) as u32;
        if results[..k].contains(&results[k]) {
            return false;
        }
        let changes = |entry: &Entry| {
            let Entry::Call { call, .. } = entry else {
                return false;
            };
            let all = program.operands_of(entry);
            let (Some(source), Some(result)) = (call.changed(), all.last()) else {
                return false;
            };
            let is_source = |(position, operand): (usize, &RelativeAddress)| {
                (operand.base == input) == (position == source)
            };
            all[source].offset == 0
                && (result.base, result.offset) == (output, 0)
                && all.iter().enumerate().all(is_source)
        };
        let Some(at) = program.entries.iter().position(changes) else {
            return false;
        };
        let reads = |entry: &Entry| {
            let mut operands = program.operands_of(entry).iter();
            operands.any(|o| o.base == input)
        };
        !program.entries[at + 1..].iter().any(reads)
    };
    (0..carry).map(stays).collect()
}

/// A program that runs once, with the addresses that it is run on.
struct Runner<'p> {
    inner: &'p Inner,
    /// Only kept: its address is among the bases.
    _arena: Lent<'p>,
    bases: SmallVec<[*mut u8; 32]>,
    /// The base of the first input; those of the outputs follow.
    first: usize,
    /// Results that are a copy of an earlier one: from which, to where.
    copies: SmallVec<[(usize, *mut u8); 2]>,
}

impl<'p> Runner<'p> {
    fn new(inner: &'p Inner) -> Result<Self> {
        let mut arena = inner.program.lend()?;
        let mut bases: SmallVec<[*mut u8; 32]> = SmallVec::new();
        bases.push(arena.as_mut_ptr());
        bases.extend_from_slice(inner.program.constants.addresses());
        let first = bases.len();
        let buffers = inner.results.iter().map(|(buffer, _)| buffer + 1).max();
        bases.resize(
            first + inner.inputs + buffers.unwrap_or(0),
            std::ptr::null_mut(),
        );
        let mut copies = SmallVec::new();
        for (k, (buffer, _)) in inner.results.iter().enumerate() {
            if inner.first_of(*buffer) != k {
                copies.push((k, std::ptr::null_mut()));
            }
        }
        Ok(Self {
            inner,
            _arena: arena,
            bases,
            first,
            copies,
        })
    }

    fn read(&mut self, input: usize, address: *mut u8) {
        self.bases[self.first + input] = address;
    }

    fn write(&mut self, result: usize, address: *mut u8) {
        if let Some(copy) = self.copies.iter_mut().find(|(k, _)| *k == result) {
            copy.1 = address;
            return;
        }
        let (buffer, _) = self.inner.results[result];
        self.bases[self.first + self.inner.inputs + buffer] = address;
    }

    /// # Safety
    /// The addresses that were set are those of what the graph takes, and of memory for what it gives.
    unsafe fn run(&self) -> Result<()> {
        // SAFETY: forwarded; the workspace is that of the arena, which nothing else uses.
        unsafe { self.inner.program.entries(&self.bases, |_| {})? };
        for &(k, to) in &self.copies {
            let (buffer, bytes) = self.inner.results[k];
            let from = self.bases[self.first + self.inner.inputs + buffer];
            // SAFETY: both have the size of the result, and are different buffers.
            unsafe { to.copy_from_nonoverlapping(from, bytes) };
        }
        Ok(())
    }
}

impl Control {
    /// Runs it.
    ///
    /// # Safety
    /// `addresses` are those of contiguous arrays of the types of the inputs, of memory for the results, and of memory for each
    /// array that is carried, all aligned for their dtypes.
    pub(super) unsafe fn run(&self, step: &lower::Control, addresses: &[*mut u8]) -> Result<()> {
        let (inputs, outputs) = addresses.split_at(step.inputs.len());
        let (results, others) = outputs.split_at(step.results.len());
        // SAFETY: forwarded.
        unsafe {
            match (&step.op, self) {
                (
                    ControlOp::Scan {
                        carry,
                        xs,
                        length,
                        reverse,
                        ..
                    },
                    Self::Scan { body, ahead },
                ) => {
                    let counts = (*carry, *xs, *length);
                    let programs = (&**body, ahead.as_deref());
                    run_scan(step, programs, counts, *reverse, inputs, results, others)
                }
                (ControlOp::While { carry, limit, .. }, Self::While { before, iteration }) => {
                    let programs = (&**before, &**iteration);
                    run_while(step, programs, *carry, *limit, inputs, results, others)
                }
                (ControlOp::Switch { .. }, Self::Switch(branches)) => {
                    let index = read_index(step.inputs[0].dtype, inputs[0]);
                    let chosen = index.clamp(0, branches.len() as i64 - 1) as usize;
                    let mut runner = Runner::new(&branches[chosen])?;
                    for (k, &input) in inputs[1..].iter().enumerate() {
                        runner.read(k, input);
                    }
                    for (k, &result) in results.iter().enumerate() {
                        runner.write(k, result);
                    }
                    runner.run()
                }
                (
                    ControlOp::Scan { .. } | ControlOp::While { .. } | ControlOp::Switch { .. },
                    _,
                ) => Err(Error::internal("a loop that is compiled as another one")),
            }
        }
    }
}

/// Fills the places of even and of odd iterations, as far as they are about what is carried: the first iteration reads what is
/// given, and the others what the one before wrote; even ones write to `to[0]`, odd ones to `to[1]`. What stays is in the
/// results from the beginning.
fn place_carried(body: &Inner, lists: &mut Lists, results: &[*mut u8], to: [&[*mut u8]; 2]) {
    for places in &mut lists.places {
        places.inputs.extend(lists.given.iter().map(|(at, _)| *at));
        places.results.extend_from_slice(results);
    }
    let [even, odd] = &mut lists.places;
    for (k, &stays) in body.in_place.iter().enumerate() {
        if stays {
            (even.inputs[k], odd.inputs[k]) = (results[k], results[k]);
        } else {
            (even.results[k], odd.results[k]) = (to[0][k], to[1][k]);
            odd.inputs[k] = to[0][k];
        }
    }
}

/// The operands that even iterations but the first read: those that odd ones write.
fn carried_on<'a>(body: &Inner, lists: &'a Lists) -> &'a [*mut u8] {
    &lists.places[1].results[..body.in_place.len()]
}

/// # Safety
/// As [`Control::run`].
unsafe fn run_scan(
    step: &lower::Control,
    (body, ahead): (&Inner, Option<&Ahead>),
    (carry, xs, length): (usize, usize, usize),
    reverse: bool,
    inputs: &[*mut u8],
    results: &[*mut u8],
    others: &[*mut u8],
) -> Result<()> {
    if length == 0 {
        // SAFETY: forwarded.
        unsafe { copy_carried(step, |k| k < carry, inputs, results) };
        return Ok(());
    }
    if let Some(repeated) = &body.repeated {
        // SAFETY: forwarded; there is an iteration, and an element for each.
        return unsafe { run_repeated(body, repeated, length as u64, reverse, inputs, results) };
    }
    // SAFETY: forwarded.
    unsafe { copy_carried(step, |k| body.stays(k), inputs, results) };
    let element = |ty: &ArrayType| {
        let bytes = (ty.bytes() / length) as isize;
        if reverse { -bytes } else { bytes }
    };
    // Where something is in the first iteration, if the first element is that of the first.
    let start = |address: *mut u8, step: isize| {
        let last = length as isize - 1;
        if reverse {
            address.wrapping_offset(-step * last)
        } else {
            address
        }
    };
    let mut lent = Lists::lend();
    let lists = &mut *lent;
    for (k, &input) in inputs.iter().enumerate() {
        let is_element = (carry..carry + xs).contains(&k);
        let step = if is_element {
            element(&step.inputs[k])
        } else {
            0
        };
        lists.given.push((start(input, step), step));
    }
    let mut blocks = match ahead {
        Some(ahead) => Some(Blocks::new(ahead, &lists.given, carry + xs, length)?),
        None => None,
    };
    if let Some(blocks) = &blocks {
        for product in 0..blocks.inputs.len() {
            lists
                .given
                .insert(carry + xs + product, blocks.place(product));
        }
    }
    // The last iteration writes the results.
    let to = match length % 2 {
        1 => [&results[..carry], &others[..carry]],
        _ => [&others[..carry], &results[..carry]],
    };
    place_carried(body, lists, results, to);
    let moves = lists.given.iter().map(|(_, step)| *step);
    lists.input_steps.extend(moves);
    lists.result_steps.resize(results.len(), 0);
    for (k, &result) in results.iter().enumerate().skip(carry) {
        let moves = element(&step.results[k]);
        lists.result_steps[k] = moves;
        for place in &mut lists.places {
            place.results[k] = start(result, moves);
        }
    }
    // Odd iterations begin with the second element.
    let Lists {
        places: [_, odd],
        input_steps,
        result_steps,
        ..
    } = &mut *lists;
    for (address, &step) in odd.inputs[carry..].iter_mut().zip(&input_steps[carry..]) {
        *address = address.wrapping_offset(step);
    }
    for (address, &step) in odd.results[carry..].iter_mut().zip(&result_steps[carry..]) {
        *address = address.wrapping_offset(step);
    }
    let kept = keep_in_elements(body, carry, lists);
    let mut iterations = Iterations::new(body, lists)?;
    let mut watch = Watch::begin(1);
    for number in 0..length {
        if let Some(blocks) = &mut blocks {
            // SAFETY: the elements of whole arrays are there, and so is what is the same each time.
            if let Some(count) = unsafe { blocks.begin(number) } {
                iterations.rewind(blocks.inputs.clone(), count, &lists.input_steps);
            }
        }
        let number = number as u64;
        // SAFETY: elements lie one after the other in contiguous arrays; what an iteration reads was written by the one
        // before it, or is given.
        unsafe { iterations.run(number) }.map_err(|e| e.in_iteration(number))?;
        if number == 0 {
            iterations.redirect(carried_on(body, lists));
        }
        watch.passed(1, number)?;
    }
    for k in kept {
        let last = lists.result_steps[k] * (length as isize - 1);
        let from = lists.places[0].results[k].wrapping_offset(last);
        // SAFETY: the last iteration wrote it there, and the result is other memory of its size.
        unsafe { results[k].copy_from_nonoverlapping(from, body.results[k].1) };
    }
    Ok(())
}

/// Keeps a carried array that is also given as an element of a whole array in that one, where the next iteration reads it: it
/// is not copied. Gives the numbers of these; their last elements are the results.
fn keep_in_elements(body: &Inner, carry: usize, lists: &mut Lists) -> SmallVec<[usize; 4]> {
    let Lists {
        places,
        input_steps,
        result_steps,
        ..
    } = lists;
    let mut kept: SmallVec<[usize; 4]> = SmallVec::new();
    for element in carry..body.results.len() {
        let k = body.first_of(body.results[element].0);
        if k >= carry || body.stays(k) || kept.contains(&k) {
            continue;
        }
        kept.push(k);
        for place in &mut *places {
            place.results[k] = place.results[element];
        }
        let [even, odd] = &mut *places;
        odd.inputs[k] = even.results[k];
        (input_steps[k], result_steps[k]) = (result_steps[element], result_steps[element]);
    }
    kept
}

/// # Safety
/// As [`Control::run`].
unsafe fn run_while(
    step: &lower::Control,
    (before, iteration): (&Inner, &Inner),
    carry: usize,
    limit: u64,
    inputs: &[*mut u8],
    results: &[*mut u8],
    others: &[*mut u8],
) -> Result<()> {
    let mut flag = 0_u8;
    let flag = &raw mut flag;
    // SAFETY: the address of a number that lives as long as the runners.
    let holds = |flag: *mut u8| unsafe { flag.read() } != 0;
    let mut first = Runner::new(before)?;
    for (k, &input) in inputs.iter().enumerate() {
        first.read(k, input);
    }
    first.write(0, flag);
    // SAFETY: the condition takes what the loop is given, and gives one boolean.
    unsafe { first.run() }.map_err(|e| e.in_iteration(0))?;
    if let Some(repeated) = &iteration.repeated
        && limit > 0
        && holds(flag)
    {
        let given: SmallVec<[*mut u8; 16]> =
            results[..carry].iter().copied().chain([flag]).collect();
        // SAFETY: forwarded; there is an iteration, as the condition holds.
        unsafe { run_repeated(iteration, repeated, limit, false, inputs, &given)? };
        return match holds(flag) {
            true => Err(Error::iteration_limit(limit)),
            false => Ok(()),
        };
    }
    // SAFETY: forwarded. What stays is copied in any case.
    unsafe { copy_carried(step, |k| iteration.stays(k), inputs, results) };
    let mut given: SmallVec<[*mut u8; 16]> = SmallVec::from_slice(&results[..carry]);
    given.push(flag);
    let mut lists = Lists::lend();
    lists.given.extend(inputs.iter().map(|&input| (input, 0)));
    place_carried(iteration, &mut lists, &given, [results, others]);
    lists.input_steps.resize(inputs.len(), 0);
    lists.result_steps.resize(given.len(), 0);
    let mut iterations = Iterations::new(iteration, &lists)?;
    let mut watch = Watch::begin(1);
    let mut number: u64 = 0;
    while holds(flag) {
        if number == limit {
            return Err(Error::iteration_limit(limit));
        }
        // SAFETY: an iteration reads what is given or what the one before wrote, and writes other memory.
        unsafe { iterations.run(number) }.map_err(|e| e.in_iteration(number))?;
        if number == 0 {
            iterations.redirect(carried_on(iteration, &lists));
        }
        watch.passed(1, number)?;
        number += 1;
    }
    let moves = |k: usize| k < carry && !iteration.stays(k);
    match number {
        // SAFETY: what is given has the types of what is carried, and lies in other buffers.
        0 => unsafe { copy_carried(step, moves, inputs, results) },
        // SAFETY: so does what an odd iteration wrote.
        _ if number.is_multiple_of(2) => unsafe { copy_carried(step, moves, others, results) },
        _ => {}
    }
    Ok(())
}

/// Iterations of a kernel that repeats which take no time that anybody notices.
const UNWATCHED: u64 = 1 << 12;

/// Runs a kernel that repeats.
///
/// # Safety
/// As [`Control::run`], with as many results as the graph has; `count` is not zero, and not above the number of elements.
unsafe fn run_repeated(
    inner: &Inner,
    repeated: &Repeated,
    count: u64,
    reverse: bool,
    inputs: &[*mut u8],
    results: &[*mut u8],
) -> Result<()> {
    let program = &inner.program;
    let mut arena = program.lend()?;
    let workspace = arena.as_mut_ptr();
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let moves = repeated.kernel.repeats.iter().flat_map(|r| &r.moves);
    let operands = repeated.operands.iter().zip(moves);
    let mut pointers: SmallVec<[*mut u8; 64]> = operands
        .map(|(&(place, offset), moves)| {
            let base = match place {
                Place::Workspace => workspace,
                Place::Constant(k) => program.constants.addresses()[k],
                Place::Input(k) => inputs[k],
                Place::Result(k) => results[k],
            };
            let first = match moves {
                Some(step) if reverse => {
                    repeated.steps[usize::from(*step)] as isize * (count as isize - 1)
                }
                _ => 0,
            };
            base.wrapping_offset(offset + first)
        })
        .collect();
    let mut parameters = repeated.parameters.clone();
    let at = parameters.len();
    parameters.push(count);
    let steps = repeated.steps.iter().map(|&step| step as i64);
    parameters.extend(steps.map(|step| if reverse { -step } else { step }));
    parameters.push(0);
    let function = program.code.function(0);
    // SAFETY: the kernel takes as many pointers as it has slots, and they address what it was made for, the elements of whole
    // arrays as far apart as the steps say.
    let run = |pointers: &[*mut u8], parameters: &[i64]| unsafe {
        function(pointers.as_ptr(), parameters.as_ptr());
    };
    // SAFETY: these are for all iterations.
    unsafe { run_in_parts(repeated, run, &mut pointers, &mut parameters, at) }
}

/// The same in parts, between which the loop can be told to end; `at` is where the parameters have the number of iterations.
///
/// # Safety
/// The pointers and parameters are those that `run` takes for all iterations.
unsafe fn run_in_parts(
    repeated: &Repeated,
    run: impl Fn(&[*mut u8], &[i64]),
    pointers: &mut [*mut u8],
    parameters: &mut [i64],
    at: usize,
) -> Result<()> {
    let Some(repeats) = &repeated.kernel.repeats else {
        return Err(Error::internal("a kernel that does not repeat itself"));
    };
    let mut watch = Watch::begin(UNWATCHED);
    let count = parameters[at] as u64;
    // The carried numbers, from one part to the next: the first iteration of a part may write a result before it reads.
    let mut carried: SmallVec<[u128; 8]> = SmallVec::from_elem(0, repeats.carried.len());
    let mut done: u64 = 0;
    loop {
        let part = watch.iterations().min(count - done);
        parameters[at] = part as i64;
        run(pointers, parameters);
        done += part;
        // SAFETY: the kernel wrote the flag.
        let goes_on = |slot: u16| unsafe { pointers[usize::from(slot)].read() != 0 };
        if done == count || !repeats.condition.is_none_or(goes_on) {
            return Ok(());
        }
        watch.passed(part, done - 1)?;
        for (value, &(from, to)) in carried.iter_mut().zip(&repeats.carried) {
            let bytes = repeated.kernel.slots[usize::from(to)].dtype.size();
            let value = std::ptr::from_mut(value).cast::<u8>();
            // SAFETY: the kernel wrote one element there, of at most sixteen bytes.
            unsafe { value.copy_from_nonoverlapping(pointers[usize::from(to)], bytes) };
            pointers[usize::from(from)] = value;
        }
        for (pointer, moves) in pointers.iter_mut().zip(&repeats.moves) {
            if let Some(step) = moves {
                let step = parameters[at + 1 + usize::from(*step)] as isize;
                *pointer = pointer.wrapping_offset(step * part as isize);
            }
        }
    }
}

/// # Safety
/// The first addresses are those of arrays that are carried, and of memory for them elsewhere.
unsafe fn copy_carried(
    step: &lower::Control,
    chosen: impl Fn(usize) -> bool,
    from: &[*mut u8],
    to: &[*mut u8],
) {
    let pairs = from.iter().zip(to).zip(&step.results).enumerate();
    for (_, ((&from, &to), ty)) in pairs.filter(|(k, _)| chosen(*k)) {
        // SAFETY: forwarded.
        unsafe { to.copy_from_nonoverlapping(from, ty.bytes()) };
    }
}

/// # Safety
/// The address is that of a number of this dtype.
unsafe fn read_index(dtype: DType, address: *const u8) -> i64 {
    // SAFETY: forwarded.
    unsafe {
        match dtype {
            DType::Bool | DType::Uint8 => i64::from(address.read()),
            DType::Int8 => i64::from(address.cast::<i8>().read()),
            DType::Int16 => i64::from(address.cast::<i16>().read()),
            DType::Uint16 => i64::from(address.cast::<u16>().read()),
            DType::Int32 => i64::from(address.cast::<i32>().read()),
            DType::Uint32 => i64::from(address.cast::<u32>().read()),
            DType::Int64 => address.cast::<i64>().read(),
            DType::Uint64 => i64::try_from(address.cast::<u64>().read()).unwrap_or(i64::MAX),
            DType::Float32 | DType::Float64 | DType::Complex64 | DType::Complex128 => 0,
        }
    }
}
