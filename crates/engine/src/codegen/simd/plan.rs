//! How a kernel is laid out on vectors.
//!
//! Lanes lie along the innermost axis of the inner loops; or, where that one strides through memory and the axis around
//! it does not (the sum over leading axes, say), along the innermost of the outer axes, so that each lane does a whole
//! reduction of its own. What fits neither runs one element at a time.

use smallvec::SmallVec;

use super::super::Fallback;
use super::ir::{Kind, VectorKernel};
use super::select;
use super::target::{Demand, Target};
use super::vcode::Length;
use crate::codegen::strip::{self, StripMined};
use crate::kernel::{self, Fold, Kernel, Operation, Stride};
use autojit_ir::DType;

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
    /// What one shuffle within each 128 bits gives: enough where all that is in lanes has this order.
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
    /// Whether floating sums add up chunks with compensation.
    pub(super) chunked: bool,
    /// Whether functions of the runtime are called.
    pub(super) has_calls: bool,
    /// The kernel, with slots for the scratch memory of its strips after its own.
    pub(super) mined: std::rc::Rc<StripMined>,
    pub(super) source: std::rc::Rc<VectorKernel>,
}

impl Plan {
    /// Vectors that so many elements take.
    pub(super) fn vectors(&self, extent: i32) -> usize {
        ((extent + self.count - 1) / self.count) as usize
    }

    /// What the kernel demands of a target.
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
    let sums_floats = source
        .reductions
        .iter()
        .any(|r| r.op == Fold::Sum && r.kind.is_float());
    // Lanes along the inner axis split a short sum among them; a lane with a sum of its own adds it all.
    let adds_up = sums_floats && kernel.inner_rank > 0;
    let chunked = adds_up && (lanes != Lanes::Inner || !kernel.short || has_calls);
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
    let order = order(kernel, axis);
    let work = source.instructions().count();
    let largest = if work <= 12 {
        4
    } else if work <= 60 {
        2
    } else {
        1
    };
    let largest = if lanes == Lanes::One { 1 } else { largest };
    let plan = |unroll, fixed| Plan {
        lanes,
        count,
        order,
        unroll,
        fixed,
        chunked,
        has_calls,
        mined: mined.clone(),
        source: source.clone(),
    };
    // Rows of two loops gain nothing from more partial sums, which take the registers of rows.
    let has_rows = T::IS_NARROW && is_inner && !source.escaping.is_empty();
    let most = if has_rows { 2 } else { 4 };
    let unrolls = || [4, 2, 1].into_iter().filter(|&u| u <= most);
    let mut plans = SmallVec::new();
    let fixed = original
        .extent
        .filter(|_| is_inner && !chunked && !has_calls);
    if let Some(extent) = fixed {
        let extent = i32::from(extent);
        let vectors = ((extent + count - 1) / count) as usize;
        if vectors * work <= LARGEST_UNROLLED * (64 / T::BYTES) as usize {
            // As many accumulators as there are vectors to add, at most.
            let unrolls = unrolls().filter(|&u| u <= vectors);
            plans.extend(unrolls.map(|unroll| plan(unroll, Some(extent))));
        }
    }
    let unrolls = unrolls().filter(|&u| u <= largest);
    plans.extend(unrolls.map(|unroll| plan(unroll, None)));
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
