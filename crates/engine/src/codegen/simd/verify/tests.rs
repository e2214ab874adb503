//! Planted faults: each kind of mistake is found.

use std::collections::BTreeMap;

use super::{verify_code, verify_kernel};
use crate::codegen::simd::ir::{Binary, Element, VectorOp};
use crate::codegen::simd::plan::{self, Lanes, Plan};
use crate::codegen::simd::tests::measure::{arithmetic, gram_schmidt, sum, sum_rows};
use crate::codegen::simd::vcode::{
    FlowInst, Inst, Location, Mask, MaskInst, Masking, Note, ScalarInst, VCode, Vector, VectorInst,
};
use crate::codegen::simd::{emitter, ir::VectorKernel};
use crate::codegen::target::avx512::Avx512;
use crate::kernel::Kernel;
use autojit_ir::DType;

fn first_plan(kernel: &Kernel, lanes: Lanes) -> (Plan, VCode) {
    let plans = plan::plans::<Avx512>(kernel, lanes).unwrap();
    let code = |plan: Plan| Some((emitter::emit::<Avx512>(&plan, true).ok()?, plan));
    let (code, plan) = plans.into_iter().find_map(code).unwrap();
    (plan, code)
}

/// Kernels with their code: elementwise, with a tail; dot and axpy, for rows of any length and of 29; sums.
fn codes() -> Vec<(Plan, VCode)> {
    let mut fixed = gram_schmidt(DType::Complex128);
    fixed.specialise(29);
    vec![
        first_plan(&arithmetic(), Lanes::Inner),
        first_plan(&gram_schmidt(DType::Float64), Lanes::Inner),
        first_plan(&fixed, Lanes::Inner),
        first_plan(&sum(), Lanes::Inner),
        first_plan(&sum_rows(), Lanes::Outer),
    ]
}

fn verify(plan: &Plan, code: &VCode) -> Result<(), String> {
    verify_code::<Avx512>(code, &plan.mined.kernel)
}

/// Plants faults one by one: `plant` changes the code at a position, or says that there is nothing to change. Gives how
/// many there were, and how many were found.
fn planted(plant: impl Fn(&mut VCode, usize) -> bool) -> (usize, usize) {
    let (mut planted, mut found) = (0, 0);
    for (plan, code) in &codes() {
        verify(plan, code).unwrap();
        for position in 0..code.insts.len() {
            let mut faulty = code.clone();
            if plant(&mut faulty, position) {
                planted += 1;
                found += usize::from(verify(plan, &faulty).is_err());
            }
        }
    }
    assert!(planted > 0);
    (planted, found)
}

#[test]
fn a_wrong_destination_is_found() {
    // Register 30 is free in all of these, so what should be in the right one is not there.
    let (planted, found) = planted(|code, position| match &mut code.insts[position] {
        Inst::Vector(
            VectorInst::Load { to, .. }
            | VectorInst::Broadcast { to, .. }
            | VectorInst::Unpack { to, .. },
        ) => {
            *to = Vector(30);
            true
        }
        _ => false,
    });
    assert_eq!(found, planted);
}

#[test]
fn a_register_that_something_else_needs_is_not_overwritten() {
    // Every result goes to where some register of the kernel is at that time.
    let (planted, found) = planted(|code, position| {
        // The first register that is read later and not written before.
        let mut written = Vec::new();
        let held = code.insts[position..].iter().find_map(|inst| match *inst {
            Inst::Note(Note::Use(_, location)) if !written.contains(&location) => match location {
                Location::Vector(vector) => Some(vector),
                _ => None,
            },
            Inst::Note(Note::Define(_, location) | Note::Hold(_, location)) => {
                written.push(location);
                None
            }
            _ => None,
        });
        match (&mut code.insts[position], held) {
            (Inst::Vector(VectorInst::Binary { to, a, .. }), Some(held))
                if *to != held && to != a =>
            {
                *to = held;
                true
            }
            _ => false,
        }
    });
    assert_eq!(found, planted);
}

#[test]
fn a_register_that_the_target_does_not_have_is_found() {
    let (planted, found) = planted(|code, position| match &mut code.insts[position] {
        Inst::Vector(VectorInst::Clear { to } | VectorInst::Load { to, .. }) => {
            *to = Vector(32);
            true
        }
        Inst::Mask(MaskInst::Compare { to, .. }) => {
            *to = Mask(8);
            true
        }
        _ => false,
    });
    assert_eq!(found, planted);
}

#[test]
fn a_tail_without_a_mask_is_found() {
    let (planted, found) = planted(|code, position| match &mut code.insts[position] {
        Inst::Vector(VectorInst::Load { masking, .. } | VectorInst::Store { masking, .. })
            if *masking != Masking::None =>
        {
            *masking = Masking::None;
            true
        }
        _ => false,
    });
    assert_eq!(found, planted);
}

#[test]
fn a_tail_whose_masks_are_not_set_is_found() {
    let (planted, found) = planted(|code, position| {
        let is_tail = matches!(
            code.insts[position],
            Inst::Mask(MaskInst::Tail(_) | MaskInst::KnownTail { .. })
        );
        if is_tail {
            code.insts.remove(position);
        }
        is_tail
    });
    assert_eq!(found, planted);
}

#[test]
fn an_advance_that_is_not_the_stride_is_found() {
    let (planted, found) = planted(|code, position| {
        let follows =
            position > 0 && matches!(code.insts[position - 1], Inst::Note(Note::Advance { .. }));
        match &mut code.insts[position] {
            Inst::Scalar(ScalarInst::AddNumber { number, .. }) if follows => *number += 8,
            Inst::Scalar(ScalarInst::AddMemory { from, .. }) if follows => from.offset += 8,
            _ => return false,
        }
        true
    });
    assert_eq!(found, planted);
}

#[test]
fn a_pointer_that_does_not_advance_is_found() {
    let (planted, found) = planted(|code, position| {
        let is_advance = matches!(code.insts[position], Inst::Note(Note::Advance { .. }));
        if is_advance {
            code.insts.drain(position..position + 2);
        }
        is_advance
    });
    assert_eq!(found, planted);
}

#[test]
fn unbalanced_loops_are_found() {
    let (planted, found) = planted(|code, position| {
        let is_part = matches!(
            code.insts[position],
            Inst::Note(Note::Loop { .. } | Note::EndLoop { .. } | Note::EndBlock)
                | Inst::Flow(FlowInst::Bind(_) | FlowInst::Return)
        );
        if is_part {
            code.insts.remove(position);
        }
        is_part
    });
    assert_eq!(found, planted);
}

/// A fault in the vector kernel of Gram-Schmidt, and what the verifier says.
fn fault(plant: impl Fn(&mut VectorKernel)) -> String {
    let kernel = gram_schmidt(DType::Float64);
    let (plan, _) = first_plan(&kernel, Lanes::Inner);
    let mut source = (*plan.source).clone();
    verify_kernel(&source, &plan.mined.kernel).unwrap();
    plant(&mut source);
    verify_kernel(&source, &plan.mined.kernel).unwrap_err()
}

#[test]
fn mistakes_in_vector_kernels_are_found() {
    let faults: BTreeMap<&str, String> = [
        (
            "is read before it is written",
            fault(|s| {
                s.before[0].instructions.remove(0);
                s.before[0].ends.remove(0);
            }),
        ),
        (
            "is written twice",
            fault(|s| {
                let first = s.before[0].instructions[0].clone();
                s.before[0].instructions.insert(0, first);
                s.before[0].ends.insert(0, Default::default());
            }),
        ),
        (
            "v0 is f32, not f64",
            fault(|s| s.kinds[0] = crate::codegen::simd::ir::Kind::F32),
        ),
        (
            "is read after its end",
            fault(|s| {
                // The operands of the multiplication end before it, after they are loaded.
                let ends = std::mem::take(&mut s.before[0].ends[2]);
                for (position, register) in ends.into_iter().enumerate() {
                    s.before[0].ends[position].push(register);
                }
            }),
        ),
        ("never ends", fault(|s| s.before[0].ends[2].clear())),
        (
            "there is no such slot",
            fault(|s| {
                let VectorOp::Load { slot, .. } = &mut s.before[0].instructions[0] else {
                    panic!("a load comes first");
                };
                *slot = 7;
            }),
        ),
        (
            "is no float64",
            fault(|s| {
                let VectorOp::Load { to, .. } = &mut s.before[0].instructions[0] else {
                    panic!("a load comes first");
                };
                *to = Element::Pair(to.first(), to.first());
            }),
        ),
        (
            "there is no such reduction here",
            fault(|s| {
                let last = s.before[0].instructions.last_mut().unwrap();
                let VectorOp::Reduce { reduction, .. } = last else {
                    panic!("a reduction comes last");
                };
                *reduction = 1;
            }),
        ),
        (
            "there is no register v99",
            fault(|s| {
                let op = Binary::Add;
                let (to, a, b) = (0, 99, 99);
                s.outer.instructions.push(VectorOp::Binary { op, to, a, b });
                s.outer.ends.push(Default::default());
            }),
        ),
    ]
    .into();
    for (expected, said) in faults {
        assert!(said.contains(expected), "{said}");
    }
}
