//! Random kernels for each target: verified on any processor; where it has the target, run by the emitter's code and by
//! Cranelift's on memory that both must leave the same: to the bit, but for the payload of NaN.

use std::collections::BTreeMap;

use super::random::{Case, Random, random_case};
use crate::codegen::simd::plan::{self, Lanes, Plan};
use crate::codegen::simd::target::{Target, report};
use crate::codegen::simd::{emitter, verify};
use crate::codegen::target::avx2::Avx2;
use crate::codegen::target::avx512::{Avx512, tests::read};
use crate::codegen::{Fallback, KernelFunction, Pages, clif};
use crate::kernel::Kernel;
use autojit_ir::DType;

/// Runs a kernel on copies of the buffers, at addresses that are no multiple of a vector; gives what is in them then.
fn run(function: KernelFunction, case: &Case) -> Vec<Vec<u8>> {
    let mut memory: Vec<Vec<u8>> = Vec::new();
    let mut starts = Vec::new();
    for ((bytes, _), slot) in case.buffers.iter().zip(&case.kernel.slots) {
        let mut block = vec![0u8; bytes.len() + 128];
        let size = slot.dtype.size();
        let start = block.as_ptr().align_offset(64) + size;
        block[start..start + bytes.len()].copy_from_slice(bytes);
        memory.push(block);
        starts.push(start);
    }
    let pointers: Vec<*mut u8> = memory
        .iter_mut()
        .zip(&starts)
        .zip(&case.buffers)
        .map(|((block, &start), (_, first))| block[start + first..].as_mut_ptr())
        .collect();
    // SAFETY: the buffers hold all elements that the extents and strides reach, and the kernel cannot fail.
    unsafe { function(pointers.as_ptr(), case.parameters.as_ptr()) };
    memory
        .into_iter()
        .zip(starts)
        .zip(&case.buffers)
        .map(|((block, start), (bytes, _))| block[start..start + bytes.len()].to_vec())
        .collect()
}

/// Whether two buffers hold the same elements.
fn same(a: &[u8], b: &[u8], dtype: DType) -> bool {
    let part = if dtype.is_complex() {
        dtype.size() / 2
    } else {
        dtype.size()
    };
    let is_float = dtype.is_float() || dtype.is_complex();
    a.chunks(part).zip(b.chunks(part)).all(|(a, b)| {
        if a == b || !is_float {
            return a == b;
        }
        let number = |bytes: &[u8]| match bytes.len() {
            4 => f64::from(f32::from_le_bytes(bytes.try_into().unwrap())),
            _ => f64::from_le_bytes(bytes.try_into().unwrap()),
        };
        let (a, b) = (number(a), number(b));
        a.is_nan() && b.is_nan()
    })
}

/// Emits a kernel by a plan, verifies the vector code and reads the machine code with a decoder that is not ours.
fn emit<T: Target>(case: &Case, plan: &Plan) -> Option<Vec<u8>> {
    let kernel = &plan.mined.kernel;
    verify::verify_kernel(&plan.source, kernel)
        .unwrap_or_else(|why| panic!("{why}\n{:#?}\n{plan}", case.kernel));
    let code = emitter::emit::<T>(plan, true).ok()?;
    verify::verify_code::<T>(&code, kernel)
        .unwrap_or_else(|why| panic!("{why}\n{:#?}\n{plan}{code:#}", case.kernel));
    let bytes = T::encode(&code, |function| function.address as u64);
    read(&bytes);
    Some(bytes)
}

/// Runs a kernel by machine code and by Cranelift.
fn compare(case: &Case, plan: &Plan, code: &[u8], reference: KernelFunction) {
    let (pages, offsets) = Pages::new(&[code]).unwrap();
    // SAFETY: the emitter writes functions of this type.
    let function =
        unsafe { std::mem::transmute::<*const u8, KernelFunction>(pages.address(offsets[0])) };
    let (got, expected) = (run(function, case), run(reference, case));
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let dtype = case.kernel.slots[index].dtype;
        assert!(
            same(got, expected, dtype),
            "slot {index}, parameters {:?}\n{:#?}\n{got:?}\n{expected:?}\n{plan}\n{}",
            case.parameters,
            case.kernel,
            read(code).join("\n"),
        );
    }
}

/// The plans of a kernel, or why there is none.
pub(super) fn plans<T: Target>(kernel: &Kernel) -> Result<Vec<Plan>, Fallback> {
    let mut plans = Vec::new();
    let mut fallback = None;
    for lanes in plan::choices(kernel).unwrap() {
        match plan::plans::<T>(kernel, lanes) {
            Ok(more) => plans.extend(more),
            Err(why) => fallback = Some(why),
        }
    }
    match fallback {
        Some(why) if plans.is_empty() => Err(why),
        _ => Ok(plans),
    }
}

#[test]
fn random_kernels_for_avx512_verify_and_do_what_cranelifts_do_where_it_runs() {
    random_kernels::<Avx512>();
}

#[test]
fn random_kernels_for_avx2_verify_and_do_what_cranelifts_do_where_it_runs() {
    random_kernels::<Avx2>();
}

/// Emission, verification and disassembly are tested on any processor; results too where there is the target.
fn random_kernels<T: Target>() {
    let runs = T::is_available();
    report::<T>("random kernels");
    let mut random = Random(7);
    let mut fallbacks: BTreeMap<Fallback, u32> = BTreeMap::new();
    let mut calling = 0;
    let (mut fixed, mut inner, mut outer, mut one) = (0, 0, 0, 0);
    for _ in 0..40 {
        // Together, because Cranelift's modules are slow to set up.
        let cases: Vec<Case> = (0..25).map(|_| random_case(&mut random)).collect();
        let kernels: Vec<&Kernel> = cases.iter().map(|c| &c.kernel).collect();
        let references = if runs {
            clif::compile(&kernels).unwrap()
        } else {
            Vec::new()
        };
        for (index, case) in cases.iter().enumerate() {
            let plans = plans::<T>(&case.kernel).unwrap_or_else(|why| {
                *fallbacks.entry(why).or_default() += 1;
                Vec::new()
            });
            for plan in &plans {
                let Some(code) = emit::<T>(case, plan) else {
                    continue;
                };
                if let Some(reference) = references.get(index) {
                    compare(case, plan, &code, reference.function);
                }
                calling += u32::from(plan.has_calls);
                match plan.lanes {
                    Lanes::Inner if plan.fixed.is_some() => fixed += 1,
                    Lanes::Inner => inner += 1,
                    Lanes::Outer => outer += 1,
                    Lanes::One => one += 1,
                }
            }
        }
    }
    let counts = [fixed, inner, outer, one];
    assert!(counts.iter().all(|&n| n > 100), "{counts:?}");
    assert!(calling > 100, "{calling}, {fallbacks:?}");
    assert!(fallbacks.values().sum::<u32>() < 200, "{fallbacks:?}");
}
