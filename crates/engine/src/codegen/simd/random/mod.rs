//! Random kernels, run by the emitter's code and by Cranelift's on memory that both must leave the same: to the bit, but for
//! the payload of NaN. For tests, and for the fuzz target that chooses kernels by bytes.

mod generate;

pub(in crate::codegen) use generate::{Case, Random, random_case};

use super::plan::{self, Plan};
use super::target::Target;
use super::{emitter, verify};
use crate::codegen::{Fallback, KernelFunction, Pages, clif};
use crate::kernel::Kernel;
use autojit_ir::DType;

/// The lines of machine code for messages.
pub(in crate::codegen) type Disassembler = fn(&[u8]) -> Vec<String>;

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
pub(in crate::codegen) fn emit<T: Target>(
    case: &Case,
    plan: &Plan,
    read: Disassembler,
) -> Option<Vec<u8>> {
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
pub(in crate::codegen) fn compare(
    case: &Case,
    plan: &Plan,
    code: &[u8],
    reference: KernelFunction,
    read: Disassembler,
) {
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
pub(in crate::codegen) fn plans<T: Target>(kernel: &Kernel) -> Result<Vec<Plan>, Fallback> {
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

/// Runs the kernel that bytes are by the code for a target that this processor has.
///
/// # Panics
/// One leaves other memory than Cranelift's code.
#[cfg(feature = "fuzzing")]
pub(in crate::codegen) fn check<T: Target>(bytes: &[u8]) {
    let case = random_case(&mut Random::of(bytes));
    let Ok(plans) = plans::<T>(&case.kernel) else {
        return;
    };
    let reference = clif::compile(&[&case.kernel]).unwrap();
    let read: Disassembler = |code| vec![format!("{code:02x?}")];
    for plan in &plans {
        if let Some(code) = emit::<T>(&case, plan, read) {
            compare(&case, plan, &code, reference[0].function, read);
        }
    }
}
