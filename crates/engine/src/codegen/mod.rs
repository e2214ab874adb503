//! Code generation: kernels -> machine code, each kernel once in this process.
//!
//! ```text
//! simd/        vector code for the loops of kernels, by our own emitter          (in a few microseconds a kernel)
//! target/      the processors that it is encoded for, one folder each
//! clif/        Cranelift, for what the emitter does not do and for other machines
//! strip.rs     strip-mined loops around functions of the runtime that take slices
//! runtime.rs   the functions of the runtime
//! cache.rs     the kernels that were compiled
//! memory.rs    executable memory
//! ```
//!
//! Both generators give functions of the same interface and with the same results. A kernel goes to the emitter for the
//! best target that the processor has; what that does not do falls back to Cranelift, for a reason that
//! [`Code::generator`] gives. This folder depends on `kernel.rs` and on nothing above it.
//!
//! `unsafe` stands here for the type of emitted functions, and for reading their bytes.

pub(crate) mod cache;
mod clif;
#[cfg(test)]
mod filetests;
mod memory;
mod runtime;
mod simd;
mod strip;
mod target;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::kernel::Kernel;
use autojit_ir::error::{Error, Result};
use cache::cache;
pub(crate) use clif::{FAILURE_INDEX, clif};
use memory::Pages;

/// A compiled kernel: pointers of its slots, and its parameters.
pub(crate) type KernelFunction = unsafe extern "C" fn(*const *mut u8, *const i64);

/// Why a kernel falls back to Cranelift, in words for users.
type Fallback = &'static str;

/// The generator of the code of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generator {
    /// Our own emitter, for the target of this name.
    Simd(&'static str),
    /// Cranelift, and why it was not the emitter.
    Cranelift(Fallback),
}

impl std::fmt::Display for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Simd(target) => write!(f, "our own emitter for {target}"),
            Self::Cranelift(why) => write!(f, "Cranelift ({why})"),
        }
    }
}

/// The compiled kernels of an executable.
pub(crate) struct Code {
    functions: Vec<KernelFunction>,
    /// Own the memory that `functions` point into.
    compiled: Vec<Arc<Compiled>>,
    /// Bytes of machine code.
    pub(crate) bytes: usize,
}

impl Code {
    /// The function of a kernel.
    pub(crate) fn function(&self, kernel: usize) -> KernelFunction {
        self.functions[kernel]
    }

    /// The address of a kernel, and its machine code.
    pub(crate) fn bytes_of(&self, kernel: usize) -> (u64, Vec<u8>) {
        let Compiled {
            function, bytes, ..
        } = &*self.compiled[kernel];
        let start = *function as *const u8;
        // SAFETY: the function is so many bytes long, in memory that is owned beside it and can be read.
        let code = unsafe { std::slice::from_raw_parts(start, *bytes) };
        (start.addr() as u64, code.to_vec())
    }

    /// The generator of the code of a kernel, and the reason.
    pub(crate) fn generator(&self, kernel: usize) -> Generator {
        self.compiled[kernel].generator
    }
}

/// One compiled kernel.
#[derive(Clone)]
struct Compiled {
    function: KernelFunction,
    bytes: usize,
    generator: Generator,
    #[allow(dead_code, reason = "it owns the memory of the function")]
    memory: Memory,
}

/// Memory that machine code lies in, shared by the kernels that were compiled together.
#[derive(Clone)]
enum Memory {
    Pages(#[allow(dead_code, reason = "see above")] Arc<Pages>),
    Module(#[allow(dead_code, reason = "see above")] Arc<clif::Module>),
}

/// Runs the kernel that bytes are by the emitter's code for every target of this processor, and by Cranelift's.
///
/// # Panics
/// They differ, or break the rules of a verifier.
#[cfg(feature = "fuzzing")]
pub fn check_random_kernel(bytes: &[u8]) {
    target::check_random_kernel(bytes);
}

/// Compiles kernels, those that this process has not compiled yet.
///
/// # Errors
/// `AUTOJIT_TARGET` names no target of this machine (value), Cranelift is needed and does not know this machine
/// (unsupported), there is no memory, or an internal error.
pub(crate) fn compile(kernels: &[Kernel]) -> Result<Code> {
    let mut compiled: Vec<Option<Arc<Compiled>>> = {
        let mut cache = cache();
        kernels.iter().map(|kernel| cache.get(kernel)).collect()
    };
    let missing: Vec<usize> = (0..kernels.len())
        .filter(|&i| compiled[i].is_none())
        .collect();
    if !missing.is_empty() {
        let wanted: Vec<&Kernel> = missing.iter().map(|&i| &kernels[i]).collect();
        let new = compile_new(&wanted)?;
        let mut cache = cache();
        for (&index, new) in missing.iter().zip(new) {
            let new = Arc::new(new);
            cache.insert(kernels[index].clone(), new.clone());
            compiled[index] = Some(new);
        }
        drop(cache);
        cache::log_thrashing();
    }
    let compiled: Vec<Arc<Compiled>> = compiled.into_iter().flatten().collect();
    Ok(Code {
        functions: compiled.iter().map(|c| c.function).collect(),
        bytes: compiled.iter().map(|c| c.bytes).sum(),
        compiled,
    })
}

/// Compiles kernels, by the emitter what that can, by Cranelift the others.
fn compile_new(kernels: &[&Kernel]) -> Result<Vec<Compiled>> {
    let target = target::chosen()?;
    let emit = |kernel: &&Kernel| target.and_then(|target| (target.emit)(kernel));
    let attempts: Vec<Result<Vec<u8>, Fallback>> = kernels.iter().map(emit).collect();
    let codes: Vec<&[u8]> = attempts.iter().flatten().map(Vec::as_slice).collect();
    let name = target.map_or("", |target| target.name);
    let mut emitted = place(&codes, Generator::Simd(name))?.into_iter();
    // Cranelift makes no use of extents, so kernels that differ in nothing else are one.
    let (mut left, mut known): (Vec<Kernel>, FxHashMap<Kernel, usize>) = Default::default();
    let mut numbers = Vec::new();
    for (kernel, _) in kernels.iter().zip(&attempts).filter(|(_, a)| a.is_err()) {
        let general = kernel.general();
        let number = *known.entry(general.clone()).or_insert(left.len());
        if number == left.len() {
            left.push(general);
        }
        numbers.push(number);
    }
    let others = if left.is_empty() {
        Vec::new()
    } else {
        clif::compile(&left.iter().collect::<Vec<_>>())?
    };
    let mut numbers = numbers.into_iter();
    let mut compiled = Vec::with_capacity(kernels.len());
    for attempt in attempts {
        let next = match attempt {
            Ok(_) => emitted.next(),
            Err(why) => {
                let other = numbers.next().and_then(|number| others.get(number));
                other.map(|other| Compiled {
                    function: other.function,
                    bytes: other.bytes,
                    generator: Generator::Cranelift(why),
                    memory: Memory::Module(other.module.clone()),
                })
            }
        };
        compiled.push(next.ok_or_else(|| Error::internal("a kernel got no code"))?);
    }
    Ok(compiled)
}

/// Puts emitted code where it can run.
fn place(codes: &[&[u8]], generator: Generator) -> Result<Vec<Compiled>> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let (pages, offsets) = Pages::new(codes)?;
    let pages = Arc::new(pages);
    let compiled = codes.iter().zip(offsets).map(|(code, offset)| {
        let address = pages.address(offset);
        Compiled {
            // SAFETY: the emitter writes functions with exactly these two pointer parameters, no result, and the
            // calling convention of the platform's C.
            function: unsafe { std::mem::transmute::<*const u8, KernelFunction>(address) },
            bytes: code.len(),
            generator,
            memory: Memory::Pages(pages.clone()),
        }
    });
    Ok(compiled.collect())
}
