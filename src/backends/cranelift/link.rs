//! Kernels -> machine code: one module per executable, freed with it.
//!
//! `unsafe` stands here for two things: freeing the code, and calling it.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::sync::{LazyLock, Mutex};

use autojit_runtime::abi::{AbiType, Symbol, symbols};
use cranelift_codegen::ir::types::{F32, F64, I8, I32, I64};
use cranelift_codegen::ir::{AbiParam, FuncRef, Type};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};

use super::emit::emit;
use super::kernel::Kernel;
use crate::error::{Error, Result};

/// A compiled kernel: pointers of its slots, and its parameters.
pub(super) type KernelFunction = unsafe extern "C" fn(*const *mut u8, *const i64);

/// The compiled kernels of an executable.
pub(super) struct Code {
    functions: Vec<KernelFunction>,
    /// Bytes of machine code.
    pub(super) bytes: usize,
    /// Holds the memory that `functions` point into. The lock makes it `Sync`; nobody ever takes it.
    module: ManuallyDrop<Mutex<JITModule>>,
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: taken once, here, and not used again.
        let module = unsafe { ManuallyDrop::take(&mut self.module) };
        let module = module
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // SAFETY: the functions are private to this value and only run while it is borrowed, so none runs now
        // and none can run later.
        unsafe { module.free_memory() };
    }
}

impl Code {
    /// The function of a kernel.
    pub(super) fn function(&self, kernel: usize) -> KernelFunction {
        self.functions[kernel]
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
    let isa = cranelift_native::builder()?;
    isa.finish(settings::Flags::new(flags))
        .map_err(|e| e.to_string())
});

static SYMBOLS: LazyLock<HashMap<&'static str, &'static Symbol>> =
    LazyLock::new(|| symbols().iter().map(|s| (s.name, s)).collect());

fn abi_type(ty: AbiType) -> Type {
    match ty {
        AbiType::F32 => F32,
        AbiType::F64 => F64,
        AbiType::I32 => I32,
        AbiType::I64 | AbiType::Pointer => I64,
        AbiType::I8 => I8,
    }
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("code generation failed: {error}"))
}

/// Compiles kernels.
///
/// # Errors
/// Cranelift does not know this machine (unsupported), or a mistake of ours.
pub(super) fn compile(kernels: &[Kernel]) -> Result<Code> {
    let isa = MACHINE
        .as_ref()
        .map_err(|e| Error::unsupported(format!("no native code on this machine: {e}")))?;
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.symbol_lookup_fn(Box::new(|name| SYMBOLS.get(name).map(|s| s.address)));
    let module = ManuallyDrop::new(Mutex::new(JITModule::new(builder)));
    // From here on, dropping `code` frees what was allocated, also after an error.
    let mut code = Code {
        functions: Vec::new(),
        bytes: 0,
        module,
    };
    let module = code
        .module
        .get_mut()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut context = module.make_context();
    let mut builder_context = FunctionBuilderContext::new();
    let mut imports: HashMap<&'static str, FuncId> = HashMap::new();
    let mut ids = Vec::with_capacity(kernels.len());
    for kernel in kernels {
        let mut signature = module.make_signature();
        signature.params = vec![AbiParam::new(I64), AbiParam::new(I64)];
        let id = module
            .declare_anonymous_function(&signature)
            .map_err(internal)?;
        context.func.signature = signature;
        let frontend = module.isa().frontend_config();
        let mut builder = FunctionBuilder::new(&mut context.func, &mut builder_context);
        let mut used: HashMap<&'static str, FuncRef> = HashMap::new();
        let mut import = |builder: &mut FunctionBuilder<'_>, name: &str| -> Result<FuncRef> {
            let symbol = SYMBOLS
                .get(name)
                .ok_or_else(|| Error::internal(format!("the runtime has no {name}")))?;
            if let Some(&function) = used.get(symbol.name) {
                return Ok(function);
            }
            let id = match imports.get(symbol.name) {
                Some(&id) => id,
                None => {
                    let mut signature = module.make_signature();
                    signature.params = symbol
                        .params
                        .iter()
                        .map(|&p| AbiParam::new(abi_type(p)))
                        .collect();
                    signature.returns = symbol
                        .result
                        .iter()
                        .map(|&r| AbiParam::new(abi_type(r)))
                        .collect();
                    let id = module
                        .declare_function(name, Linkage::Import, &signature)
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
        code.bytes += context.compiled_code().map_or(0, |c| c.code_buffer().len());
        module.clear_context(&mut context);
        ids.push(id);
    }
    module.finalize_definitions().map_err(internal)?;
    for id in ids {
        let address = module.get_finalized_function(id);
        // SAFETY: the function was declared with exactly these two pointer parameters, no result, and the
        // calling convention of the platform's C.
        code.functions
            .push(unsafe { std::mem::transmute::<*const u8, KernelFunction>(address) });
    }
    Ok(code)
}
