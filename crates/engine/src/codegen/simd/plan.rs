//! How a kernel is laid out on vectors.
//!
//! Lanes lie along the innermost axis of the inner loops; or, where that one strides through memory and the axis around
//! it does not (the sum over leading axes, say), along the innermost of the outer axes, so that each lane does a whole
//! reduction of its own. What fits neither runs one element at a time.

use smallvec::SmallVec;

use super::super::Fallback;
use super::ir::{Kind, Reduction, VectorKernel};
use super::select;
use super::target::{Demand, Target};
use super::vcode::Length;
use crate::codegen::strip::{self, StripMined};
use crate::kernel::{self, Fold, Kernel, Operation, Stride};
use autojit_ir::DType;
use autojit_runtime::sum::LANE_BYTES;

/// Which axis lies along the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lanes {
    /// The innermost one.
    Inner,
    /// The innermost of the outer ones.
    Outer,
    /// None.
    One,
}

/// The order of complex numbers in lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// That of memory.
    Natural,
    /// The order that one shuffle within each 128 bits gives: enough where all that is in lanes has this order.
    Unpacked,
}

/// A layout, and the kernel's instructions for it.
pub(crate) struct Plan {
    pub(super) lanes: Lanes,
    /// Elements per vector.
    pub(super) count: i32,
    pub(super) order: Order,
    /// Steps per round of the innermost loop.
    pub(super) unroll: usize,
    /// The extent of the innermost axis, if the code is for this one alone.
    pub(super) fixed: Option<i32>,
    /// Where lanes are outside of the innermost loop: how many elements the sum of each lane has, if that loop is unrolled. The
    /// lanes of the sum are then in registers.
    pub(super) terms: Option<i32>,
    /// Whether floating sums add up blocks with compensation.
    pub(super) chunked: bool,
    /// The lanes of floating sums that lie on the stack, if they do.
    pub(super) memory: Option<MemoryLanes>,
    /// Whether functions of the runtime are called.
    pub(super) has_calls: bool,
    /// The kernel, with slots for the scratch memory of its strips after its own.
    pub(super) mined: std::rc::Rc<StripMined>,
    pub(super) source: std::rc::Rc<VectorKernel>,
}

/// How rows are summed one ahead, if they are.
#[derive(Default)]
pub(super) struct Pipeline {
    /// The slots that the sums read and that move from row to row; none if rows are summed in their own round.
    pub(super) moving: SmallVec<[usize; 2]>,
    /// Whether instructions are emitted for the next row.
    pub(super) is_next: bool,
    /// Whether there are too few registers for it.
    pub(super) is_refused: bool,
}

/// The lanes of sums of which each result has a lane of vectors: too many for registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemoryLanes {
    /// How many lanes a sum has.
    pub(super) lanes: i32,
    /// How many of them get elements.
    pub(super) used: i32,
    /// Bytes of a vector of one sum, and of one lane of all sums, which are a power of two.
    pub(super) vector: i32,
    pub(super) step: i32,
}

impl MemoryLanes {
    /// Bytes of all lanes, which are aligned to them.
    pub(super) fn bytes(self) -> i32 {
        self.lanes * self.step
    }
}

/// The most bytes of lanes on the stack.
const LARGEST_LANES: i32 = 4096;

/// The lanes of a reduction that is a sum in the defined order.
pub(super) fn lanes_of_sum(reduction: &Reduction) -> Option<i32> {
    let element = reduction.kind.size() * reduction.result.parts().len() as i32;
    let is_ordered = reduction.op == Fold::Sum && reduction.kind.is_float();
    is_ordered.then_some(LANE_BYTES as i32 / element)
}

impl Plan {
    /// Vectors that so many elements take.
    pub(super) fn vectors(&self, extent: i32) -> usize {
        ((extent + self.count - 1) / self.count) as usize
    }

    /// The demands of the kernel on a target.
    pub(super) fn demand(&self, kernel: &Kernel) -> Demand<'_> {
        let axis = self.axis(kernel);
        let mut slots = kernel.slots.iter();
        Demand {
            kernel: &self.source,
            has_tails: axis.is_some() && self.fixed.is_none(),
            gathers: slots.any(|s| axis.is_some_and(|a| s.strides[a] == Stride::Parameter)),
        }
    }

    /// The axis along the lanes.
    pub(super) fn axis(&self, kernel: &Kernel) -> Option<usize> {
        match self.lanes {
            Lanes::Inner => Some(kernel.outer_rank + kernel.inner_rank - 1),
            Lanes::Outer => Some(kernel.outer_rank - 1),
            Lanes::One => None,
        }
    }
}

/// The axes to try to put along the lanes, best first.
///
/// # Errors
/// No layout suits the kernel.
pub(super) fn choices(kernel: &Kernel) -> Result<SmallVec<[Lanes; 3]>, Fallback> {
    if kernel.can_fail() {
        return Err("it may fail");
    }
    if kernel.repeats.is_some() {
        return Err("it repeats");
    }
    if kernel.row_rank > 1 {
        return Err("a row of a sum lies in pieces");
    }
    let inner = (kernel.inner_rank > 0).then(|| kernel.outer_rank + kernel.inner_rank - 1);
    let outer = kernel.outer_rank.checked_sub(1);
    let strided = |axis: usize| {
        let mut slots = kernel.slots.iter();
        slots.any(|s| s.strides[axis] == Stride::Parameter)
    };
    let mut choices = SmallVec::new();
    match (inner, outer) {
        (Some(inner), Some(outer)) if strided(inner) && !strided(outer) => {
            choices.extend([Lanes::Outer, Lanes::Inner]);
        }
        (Some(_), _) => choices.push(Lanes::Inner),
        (None, Some(_)) => choices.push(Lanes::Outer),
        (None, None) => {}
    }
    choices.push(Lanes::One);
    Ok(choices)
}

/// Whether the slots of a kernel allow lanes along an axis.
fn fits(kernel: &Kernel, lanes: Lanes) -> Result<(), Fallback> {
    let axis = match lanes {
        Lanes::Inner => kernel.outer_rank + kernel.inner_rank - 1,
        Lanes::Outer => kernel.outer_rank - 1,
        Lanes::One => return Ok(()),
    };
    let sections: &[_] = match lanes {
        Lanes::Inner => &[&kernel.before, &kernel.after],
        _ => &[&kernel.before, &kernel.outer, &kernel.after],
    };
    for (_, operation) in sections.iter().copied().flatten() {
        let (slot, is_store) = match operation {
            Operation::Load { slot } => (*slot, false),
            Operation::Store { slot, .. } => (*slot, true),
            Operation::Reduce { op: Fold::Prod, .. } if lanes == Lanes::Inner => {
                return Err("a product multiplies in order");
            }
            _ => continue,
        };
        let slot = &kernel.slots[slot as usize];
        match slot.strides[axis] {
            Stride::Zero if is_store => return Err("all lanes write to one place"),
            Stride::Parameter if slot.dtype == DType::Bool => {
                return Err("truth values lie apart");
            }
            _ => {}
        }
    }
    let is_written_in_place = |(index, slot): (usize, &kernel::Slot)| {
        slot.strides[axis] == Stride::Zero && lanes == Lanes::Inner && {
            let stores = sections.iter().copied().flatten();
            stores
                .into_iter()
                .any(|(_, o)| matches!(o, Operation::Store { slot, .. } if *slot as usize == index))
        }
    };
    if kernel.slots.iter().enumerate().any(is_written_in_place) {
        return Err("all lanes write to one place");
    }
    Ok(())
}

/// The plans for lanes along an axis, those first that unroll most.
///
/// # Errors
/// Why the kernel's elements do not go into such lanes.
pub(super) fn plans<T: Target>(
    kernel: &Kernel,
    lanes: Lanes,
) -> Result<SmallVec<[Plan; 4]>, Fallback> {
    fits(kernel, lanes)?;
    let axis = match lanes {
        Lanes::Inner => Some(kernel.outer_rank + kernel.inner_rank - 1),
        Lanes::Outer => Some(kernel.outer_rank - 1),
        Lanes::One => None,
    };
    // Scratch memory, which comes after the kernel's own slots, is not.
    let is_uniform = |slot: usize| {
        let slot = kernel.slots.get(slot).filter(|_| lanes == Lanes::Inner);
        slot.zip(axis)
            .is_some_and(|(slot, axis)| slot.strides[axis] == Stride::Zero)
    };
    let mined = std::rc::Rc::new(if lanes == Lanes::Inner {
        strip::split(kernel)
    } else {
        strip::whole(kernel)
    });
    let original = kernel;
    let kernel = &mined.kernel;
    let is_inner = lanes == Lanes::Inner;
    let source = select::select(
        kernel,
        &mined.before,
        &mined.after,
        &is_uniform,
        is_inner,
        T::MASKS.are_vectors(),
    )?;
    let source = std::rc::Rc::new(source);
    let has_calls = source.has_calls();
    let lies_apart = |slot: &kernel::Slot| slot.strides[axis.unwrap_or(0)] == Stride::Parameter;
    if has_calls && kernel.slots.iter().any(lies_apart) {
        return Err("functions are called on numbers that lie apart");
    }
    let sums: SmallVec<[i32; 2]> = source.reductions.iter().filter_map(lanes_of_sum).collect();
    let adds_up = !sums.is_empty() && kernel.inner_rank > 0;
    let chunked = adds_up && (!is_inner || !kernel.short || has_calls);
    if chunked && !is_inner && sums.iter().any(|&lanes| lanes != sums[0]) {
        return Err("sums of several dtypes have different lanes");
    }
    let count = match axis {
        None => 1,
        Some(axis) => {
            let has_doubles = source
                .instructions()
                .flat_map(|i| {
                    let mut all = i.reads();
                    all.extend(i.writes());
                    all
                })
                .any(|r| source.kind(r).size() == 8);
            let strided = kernel
                .slots
                .iter()
                .any(|s| s.strides[axis] == Stride::Parameter);
            if has_doubles || strided {
                T::BYTES / 8
            } else {
                T::BYTES / 4
            }
        }
    };
    // The order of lanes in registers is known where they are those of one dtype.
    let fills = |r: &Reduction| r.kind.size() * count == T::BYTES;
    let mut ordered = source
        .reductions
        .iter()
        .filter(|r| lanes_of_sum(r).is_some());
    let order = match order(kernel, axis) {
        Order::Unpacked if is_inner && !ordered.all(fills) => Order::Natural,
        order => order,
    };
    let work = source.instructions().count();
    let largest = if work <= 12 {
        4
    } else if work <= 60 {
        2
    } else {
        1
    };
    let largest = if lanes == Lanes::One { 1 } else { largest };
    let parts = source
        .reductions
        .iter()
        .filter(|r| lanes_of_sum(r).is_some());
    let parts: i32 = parts.map(|r| r.result.parts().len() as i32).sum();
    let memory = |copies: usize| {
        let vectors = (parts * copies as i32).max(1) as u32;
        let vector = if lanes == Lanes::Outer { T::BYTES } else { 16 };
        let known = original.extent.map_or(i32::MAX, i32::from);
        (chunked && !is_inner).then(|| MemoryLanes {
            lanes: sums[0],
            used: sums[0].min(known),
            vector,
            step: vectors.next_power_of_two() as i32 * vector,
        })
    };
    let plan = |unroll, fixed| Plan {
        lanes,
        count,
        order,
        unroll,
        fixed,
        terms: None,
        chunked,
        memory: memory(unroll),
        has_calls,
        mined: mined.clone(),
        source: source.clone(),
    };
    // A round of vectors has one for each set of accumulators.
    let sets = match is_inner {
        true => sums.iter().map(|&lanes| (lanes / count).max(1)).max(),
        false => None,
    };
    let sets = sets.unwrap_or(1) as usize;
    // Rows of two loops gain nothing from more partial sums, which take the registers of rows.
    let has_rows = T::IS_NARROW && is_inner && !source.escaping.is_empty();
    let most = if has_rows { 2 } else { 4 };
    let unrolls = || {
        let unrolls = [8, 4, 2, 1].into_iter();
        unrolls.filter(move |&u| u <= most.max(sets) && u % sets == 0)
    };
    let mut plans = SmallVec::new();
    let fixed = original
        .extent
        .filter(|_| is_inner && !chunked && !has_calls);
    if let Some(extent) = fixed {
        let extent = i32::from(extent);
        let vectors = ((extent + count - 1) / count) as usize;
        if vectors * work <= LARGEST_UNROLLED * (64 / T::BYTES) as usize {
            // Half of a wide vector takes half the time of a whole one. Those of the other target are as short.
            let is_plain = |s: &kernel::Slot| {
                let lies_apart =
                    axis.is_some_and(|axis| s.strides.get(axis) == Some(&Stride::Parameter));
                matches!(s.dtype.size(), 4 | 8) && !s.dtype.is_complex() && !lies_apart
            };
            let is_half =
                T::BYTES == 64 && extent <= count / 2 && kernel.slots.iter().all(is_plain);
            let fixed = |unroll| Plan {
                count: if is_half { count / 2 } else { count },
                ..plan(unroll, Some(extent))
            };
            // As many accumulators as there are vectors to add, at most.
            if is_inner && !sums.is_empty() {
                plans.push(fixed(sets.min(vectors)));
            } else {
                plans.extend(unrolls().filter(|&u| u <= vectors).map(fixed));
            }
        }
    }
    // One block, whose sum is the result as it is.
    let terms = original
        .extent
        .filter(|_| chunked && !is_inner && original.short && !has_calls);
    if let Some(terms) = terms.map(i32::from)
        && terms as usize * work <= LARGEST_UNROLLED * (64 / T::BYTES) as usize
    {
        plans.push(Plan {
            terms: Some(terms),
            chunked: false,
            memory: None,
            ..plan(1, None)
        });
    }
    let unrolls = unrolls().filter(|&u| u <= largest.max(sets));
    let plans_of_any = unrolls.map(|unroll| plan(unroll, None));
    let fits = |plan: &Plan| plan.memory.is_none_or(|m| m.bytes() <= LARGEST_LANES);
    plans.extend(plans_of_any.filter(fits));
    Ok(plans)
}

/// The most instructions, on 64 bytes of lanes, in a loop that is unrolled altogether.
const LARGEST_UNROLLED: usize = 256;

/// Complex numbers need not be in order if nothing in lanes is.
fn order(kernel: &Kernel, axis: Option<usize>) -> Order {
    let Some(axis) = axis else {
        return Order::Natural;
    };
    let mut dtypes: SmallVec<[DType; 4]> = SmallVec::new();
    for slot in &kernel.slots {
        match slot.strides[axis] {
            Stride::Zero => {}
            Stride::Unit => dtypes.push(slot.dtype),
            Stride::Parameter => return Order::Natural,
        }
    }
    let first = dtypes.first().copied();
    if first.is_some_and(DType::is_complex) && dtypes.iter().all(|&d| Some(d) == first) {
        Order::Unpacked
    } else {
        Order::Natural
    }
}

/// The vector length for a kind of lane.
pub(super) fn length(kind: Kind, count: i32) -> Length {
    Length::of(kind.size() * count)
}
