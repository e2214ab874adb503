//! Kernels -> machine code by Cranelift.
//!
//! `unsafe` stands here for freeing the code and for its type.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::num::NonZero;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use autojit_runtime::abi::{AbiType, Symbol};
use autojit_runtime::processor::{self, Level};
use cranelift_codegen::ir::types::{F32, F64, I8, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, FuncRef, Function, Signature, Type, UserFuncName,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module as _, default_libcall_names};

use super::emit;
use crate::codegen::{KernelFunction, runtime};
use crate::kernel::Kernel;
use autojit_ir::error::{Error, Result};

/// A function that Cranelift compiled.
#[derive(Clone)]
pub(crate) struct Compiled {
    pub(crate) function: KernelFunction,
    /// Bytes of machine code.
    pub(crate) bytes: usize,
    /// Owns the memory of the function.
    pub(crate) module: Arc<Module>,
}

/// A module of Cranelift's, whose memory is freed with it. The lock makes it `Sync`; it is never taken.
pub(crate) struct Module(ManuallyDrop<Mutex<JITModule>>);

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: taken once, here, and not used again.
        let module = unsafe { ManuallyDrop::take(&mut self.0) };
        let module = module.into_inner().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: its functions are only reached through values that hold this module, so none runs now and none
        // can run later.
        unsafe { module.free_memory() };
    }
}

/// The machine that this process runs on, or why Cranelift has no code generator for it.
static MACHINE: LazyLock<Result<OwnedTargetIsa, String>> = LazyLock::new(|| {
    let mut flags = settings::builder();
    let verifier = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", verifier),
        ("unwind_info", "false"),
        ("use_colocated_libcalls", "false"),
        ("is_pic", "false"),
        ("log2_min_function_alignment", "6"),
    ] {
        flags.set(name, value).map_err(|e| e.to_string())?;
    }
    // `infer_native_flags` asks the processor itself.
    let level = processor::level();
    let is_x86 = cfg!(target_arch = "x86_64");
    let mut isa = cranelift_native::builder_with_options(!is_x86 || level > Level::Baseline)?;
    if is_x86 && level < Level::Avx512 {
        for feature in ["f", "dq", "vl", "bitalg", "vbmi", "vnni"] {
            isa.set(&format!("has_avx512{feature}"), "false")
                .map_err(|e| e.to_string())?;
        }
    }
    isa.finish(settings::Flags::new(flags))
        .map_err(|e| e.to_string())
});

fn abi_type(ty: AbiType) -> Type {
    match ty {
        AbiType::F32 => F32,
        AbiType::F64 => F64,
        AbiType::I32 => I32,
        AbiType::I64 | AbiType::Pointer => I64,
        AbiType::I8 => I8,
    }
}

/// That of a [`KernelFunction`].
fn kernel_signature(convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(I64), AbiParam::new(I64)];
    signature
}

fn symbol_signature(symbol: &Symbol, convention: CallConv) -> Signature {
    let parameter = |&ty: &AbiType| AbiParam::new(abi_type(ty));
    let mut signature = Signature::new(convention);
    signature.params = symbol.params.iter().map(parameter).collect();
    signature.returns = symbol.result.iter().map(parameter).collect();
    signature
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("code generation failed: {error}"))
}

/// So many kernels are worth a thread: Cranelift takes tenths of a millisecond for one, a thread hundredths to start.
const KERNELS_PER_THREAD: usize = 4;

/// Compiles kernels by Cranelift, on as many threads as there are cores if they are many.
///
/// # Errors
/// Cranelift does not know this machine (unsupported), there is no memory, or an internal error.
pub(crate) fn compile(kernels: &[&Kernel]) -> Result<Vec<Compiled>> {
    let most = kernels.len() / KERNELS_PER_THREAD;
    if most < 2 {
        return compile_together(kernels);
    }
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(most);
    // In turns, as neighbours are about equally large.
    let share = |thread| -> Vec<&Kernel> {
        let kernels = kernels.iter().copied();
        kernels.skip(thread).step_by(threads).collect()
    };
    let shares: Vec<Result<Vec<Compiled>>> = thread::scope(|scope| {
        let spawn = |number| {
            let share = share(number);
            thread::Builder::new().spawn_scoped(scope, move || compile_together(&share))
        };
        let others: Vec<_> = (1..threads).map(spawn).collect();
        let mut shares = vec![compile_together(&share(0))];
        shares.extend(others.into_iter().enumerate().map(|(index, other)| {
            match other {
                Ok(thread) => {
                    (thread.join()).unwrap_or_else(|_| Err(Error::internal("Cranelift panicked")))
                }
                // No more threads are to be had.
                Err(_) => compile_together(&share(index + 1)),
            }
        }));
        shares
    });
    let shares = shares.into_iter().collect::<Result<Vec<_>>>()?;
    let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
    Ok((0..kernels.len())
        .filter_map(|index| shares[index % threads].next())
        .collect())
}

/// The input of Cranelift for a kernel, as text. Functions of the runtime stand in it by their names.
///
/// # Errors
/// As [`compile`].
pub(crate) fn clif(kernel: &Kernel) -> Result<String> {
    let isa = machine()?;
    let convention = isa.default_call_conv();
    let name = UserFuncName::testcase("kernel");
    let mut function = Function::with_name_signature(name, kernel_signature(convention));
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut function, &mut context);
    let mut used: HashMap<&'static str, FuncRef> = HashMap::new();
    let mut import =
        |builder: &mut FunctionBuilder<'_>, symbol: &'static Symbol| -> Result<FuncRef> {
            let function = used.entry(symbol.name).or_insert_with(|| {
                let signature = builder.import_signature(symbol_signature(symbol, convention));
                builder.import_function(ExtFuncData {
                    name: ExternalName::testcase(symbol.name),
                    signature,
                    colocated: false,
                    patchable: false,
                })
            });
            Ok(*function)
        };
    emit(&kernel.general(), &mut builder, &mut import)?;
    builder.finalize(isa.frontend_config());
    Ok(function.display().to_string())
}

fn machine() -> Result<&'static OwnedTargetIsa> {
    let machine = MACHINE.as_ref();
    machine.map_err(|e| Error::unsupported(format!("no native code on this machine: {e}")))
}

fn compile_together(kernels: &[&Kernel]) -> Result<Vec<Compiled>> {
    let isa = machine()?;
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.symbol_lookup_fn(Box::new(runtime::address));
    // From here on, dropping `owner` frees what was allocated, also after an error.
    let mut owner = Module(ManuallyDrop::new(Mutex::new(JITModule::new(builder))));
    let module = owner.0.get_mut().unwrap_or_else(PoisonError::into_inner);
    let mut context = module.make_context();
    let mut builder_context = FunctionBuilderContext::new();
    let mut imports: HashMap<&'static str, FuncId> = HashMap::new();
    let mut ids = Vec::with_capacity(kernels.len());
    for kernel in kernels {
        let signature = kernel_signature(module.isa().default_call_conv());
        let id = module
            .declare_anonymous_function(&signature)
            .map_err(internal)?;
        context.func.signature = signature;
        let frontend = module.isa().frontend_config();
        let mut builder = FunctionBuilder::new(&mut context.func, &mut builder_context);
        let mut used: HashMap<&'static str, FuncRef> = HashMap::new();
        let mut import =
            |builder: &mut FunctionBuilder<'_>, symbol: &'static Symbol| -> Result<FuncRef> {
                if let Some(&function) = used.get(symbol.name) {
                    return Ok(function);
                }
                let id = match imports.get(symbol.name) {
                    Some(&id) => id,
                    None => {
                        let signature = symbol_signature(symbol, module.isa().default_call_conv());
                        let id = module
                            .declare_function(symbol.name, Linkage::Import, &signature)
                            .map_err(internal)?;
                        imports.insert(symbol.name, id);
                        id
                    }
                };
                let function = module.declare_func_in_func(id, builder.func);
                used.insert(symbol.name, function);
                Ok(function)
            };
        emit(kernel, &mut builder, &mut import)?;
        builder.finalize(frontend);
        module.define_function(id, &mut context).map_err(internal)?;
        let bytes = context.compiled_code().map_or(0, |c| c.code_buffer().len());
        module.clear_context(&mut context);
        ids.push((id, bytes));
    }
    module.finalize_definitions().map_err(internal)?;
    let functions: Vec<(*const u8, usize)> = ids
        .into_iter()
        .map(|(id, bytes)| (module.get_finalized_function(id), bytes))
        .collect();
    let owner = Arc::new(owner);
    let compiled = functions.into_iter().map(|(address, bytes)| Compiled {
        // SAFETY: the function was declared with exactly these two pointer parameters, no result, and the calling
        // convention of the platform's C.
        function: unsafe { std::mem::transmute::<*const u8, KernelFunction>(address) },
        bytes,
        module: owner.clone(),
    });
    Ok(compiled.collect())
}
