//! Kernels -> machine code, by our own emitter (`wide/`) or by Cranelift; each kernel once in this process.
//!
//! Compiled kernels live in a bounded cache and in the executables that use them; their memory is freed when neither
//! holds any of those that were compiled together.
//!
//! `unsafe` stands here for three things: freeing the code, calling it, and reading its bytes.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::num::NonZero;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use autojit_runtime::abi::{AbiType, Symbol, symbols};
use cranelift_codegen::ir::types::{F32, F64, I8, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, FuncRef, Function, Signature, Type, UserFuncName,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module as _, default_libcall_names};
use rustc_hash::FxHashMap;

use super::emit::emit;
use super::kernel::Kernel;
use super::wide;
use crate::error::{Error, Result};

/// A compiled kernel: pointers of its slots, and its parameters.
pub(super) type KernelFunction = unsafe extern "C" fn(*const *mut u8, *const i64);

/// The compiled kernels of an executable.
pub(super) struct Code {
    functions: Vec<KernelFunction>,
    /// Hold the memory that `functions` point into.
    compiled: Vec<Arc<Compiled>>,
    /// Bytes of machine code.
    pub(super) bytes: usize,
}

impl Code {
    /// The function of a kernel.
    pub(super) fn function(&self, kernel: usize) -> KernelFunction {
        self.functions[kernel]
    }

    /// Where a kernel lies, and its machine code.
    pub(super) fn bytes_of(&self, kernel: usize) -> (u64, Vec<u8>) {
        let Compiled {
            function, bytes, ..
        } = &*self.compiled[kernel];
        let start = *function as *const u8;
        // SAFETY: the function is so many bytes long, in memory that is held beside it and can be read.
        let code = unsafe { std::slice::from_raw_parts(start, *bytes) };
        (start.addr() as u64, code.to_vec())
    }

    /// Whether Cranelift made a kernel.
    pub(super) fn is_by_cranelift(&self, kernel: usize) -> bool {
        self.compiled[kernel].refusal.is_some()
    }

    /// Which emitter made a kernel, and why it was not the wide one.
    pub(super) fn maker(&self, kernel: usize) -> String {
        match self.compiled[kernel].refusal {
            None => "wide".to_owned(),
            Some(why) => format!("Cranelift ({why})"),
        }
    }
}

/// One compiled kernel.
#[derive(Clone)]
pub(super) struct Compiled {
    pub(super) function: KernelFunction,
    bytes: usize,
    /// Why it is Cranelift's.
    refusal: Option<wide::Refusal>,
    #[allow(dead_code, reason = "it holds the memory of the function")]
    memory: Memory,
}

/// Memory that machine code lies in, shared by the kernels that were compiled together.
#[derive(Clone)]
enum Memory {
    Pages(#[allow(dead_code, reason = "see above")] Arc<wide::Pages>),
    Module(#[allow(dead_code, reason = "see above")] Arc<Module>),
}

/// A module of Cranelift's, whose memory is freed with it. The lock makes it `Sync`; nobody ever takes it.
struct Module(ManuallyDrop<Mutex<JITModule>>);

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

/// How many kernels a generation of the cache holds.
const GENERATION: usize = 256;

/// The kernels of this process, by what they are. Those that nobody asked for since the last generation was full are
/// forgotten when the next one is; their memory is freed when no executable holds them either.
#[derive(Default)]
struct Cache {
    young: FxHashMap<Kernel, Arc<Compiled>>,
    old: FxHashMap<Kernel, Arc<Compiled>>,
}

impl Cache {
    fn get(&mut self, kernel: &Kernel) -> Option<Arc<Compiled>> {
        if let Some(compiled) = self.young.get(kernel) {
            return Some(compiled.clone());
        }
        let (kernel, compiled) = self.old.remove_entry(kernel)?;
        self.insert(kernel, compiled.clone());
        Some(compiled)
    }

    fn insert(&mut self, kernel: Kernel, compiled: Arc<Compiled>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(kernel, compiled);
    }
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

fn cache() -> MutexGuard<'static, Cache> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The address of a function of the runtime.
pub(super) fn runtime_function(symbol: &str) -> Option<u64> {
    SYMBOLS.get(symbol).map(|s| s.address as u64)
}

fn abi_type(ty: AbiType) -> Type {
    match ty {
        AbiType::F32 => F32,
        AbiType::F64 => F64,
        AbiType::I32 => I32,
        AbiType::I64 | AbiType::Pointer => I64,
        AbiType::I8 => I8,
    }
}

/// The function of the runtime with this name.
fn symbol(name: &str) -> Result<&'static Symbol> {
    let found = SYMBOLS.get(name).copied();
    found.ok_or_else(|| Error::internal(format!("the runtime has no {name}")))
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

/// Compiles kernels, those that this process has not compiled yet.
///
/// # Errors
/// Cranelift is needed and does not know this machine (unsupported), there is no memory, or a mistake of ours.
pub(super) fn compile(kernels: &[Kernel]) -> Result<Code> {
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
    }
    let compiled: Vec<Arc<Compiled>> = compiled.into_iter().flatten().collect();
    Ok(Code {
        functions: compiled.iter().map(|c| c.function).collect(),
        bytes: compiled.iter().map(|c| c.bytes).sum(),
        compiled,
    })
}

/// Compiles kernels, by the wide emitter what that can, by Cranelift the others.
fn compile_new(kernels: &[&Kernel]) -> Result<Vec<Compiled>> {
    let attempts: Vec<Result<Vec<u8>, wide::Refusal>> =
        kernels.iter().map(|kernel| wide::emit(kernel)).collect();
    let codes: Vec<&[u8]> = attempts.iter().flatten().map(Vec::as_slice).collect();
    let mut wide_functions = place(&codes)?.into_iter();
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
        compile_on_threads(&left.iter().collect::<Vec<_>>())?
    };
    let mut numbers = numbers.into_iter();
    let mut compiled = Vec::with_capacity(kernels.len());
    for attempt in attempts {
        let next = match attempt {
            Ok(_) => wide_functions.next(),
            Err(why) => {
                let other = numbers.next().and_then(|number| others.get(number));
                other.map(|other| Compiled {
                    refusal: Some(why),
                    ..other.clone()
                })
            }
        };
        compiled.push(next.ok_or_else(|| Error::internal("a kernel got no code"))?);
    }
    Ok(compiled)
}

/// Puts machine code of our own where it can run.
fn place(codes: &[&[u8]]) -> Result<Vec<Compiled>> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let (pages, offsets) = wide::Pages::new(codes)?;
    let pages = Arc::new(pages);
    let compiled = codes.iter().zip(offsets).map(|(code, offset)| {
        let address = pages.address(offset);
        Compiled {
            // SAFETY: the emitter writes functions with exactly these two pointer parameters, no result, and the
            // calling convention of the platform's C.
            function: unsafe { std::mem::transmute::<*const u8, KernelFunction>(address) },
            bytes: code.len(),
            refusal: None,
            memory: Memory::Pages(pages.clone()),
        }
    });
    Ok(compiled.collect())
}

/// So many kernels are worth a thread: Cranelift takes tenths of a millisecond for one, a thread hundredths to start.
const KERNELS_PER_THREAD: usize = 4;

/// Compiles kernels by Cranelift, on as many threads as there are cores if they are many.
fn compile_on_threads(kernels: &[&Kernel]) -> Result<Vec<Compiled>> {
    let most = kernels.len() / KERNELS_PER_THREAD;
    if most < 2 {
        return compile_by_cranelift(kernels);
    }
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(most);
    // Dealt like cards, as neighbours are about equally large.
    let share = |thread| -> Vec<&Kernel> {
        let kernels = kernels.iter().copied();
        kernels.skip(thread).step_by(threads).collect()
    };
    let shares: Vec<Result<Vec<Compiled>>> = thread::scope(|scope| {
        let spawn = |number| {
            let share = share(number);
            thread::Builder::new().spawn_scoped(scope, move || compile_by_cranelift(&share))
        };
        let others: Vec<_> = (1..threads).map(spawn).collect();
        let mut shares = vec![compile_by_cranelift(&share(0))];
        shares.extend(others.into_iter().enumerate().map(|(index, other)| {
            match other {
                Ok(thread) => {
                    (thread.join()).unwrap_or_else(|_| Err(Error::internal("Cranelift panicked")))
                }
                // No more threads are to be had.
                Err(_) => compile_by_cranelift(&share(index + 1)),
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

/// What Cranelift is given for a kernel, as text. Functions of the runtime stand in it by their names.
///
/// # Errors
/// As [`compile`].
pub(super) fn clif(kernel: &Kernel) -> Result<String> {
    let isa = machine()?;
    let convention = isa.default_call_conv();
    let name = UserFuncName::testcase("kernel");
    let mut function = Function::with_name_signature(name, kernel_signature(convention));
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut function, &mut context);
    let mut used: HashMap<&'static str, FuncRef> = HashMap::new();
    let mut import = |builder: &mut FunctionBuilder<'_>, name: &str| -> Result<FuncRef> {
        let symbol = symbol(name)?;
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

pub(super) fn compile_by_cranelift(kernels: &[&Kernel]) -> Result<Vec<Compiled>> {
    let isa = machine()?;
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.symbol_lookup_fn(Box::new(|name| SYMBOLS.get(name).map(|s| s.address)));
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
        let mut import = |builder: &mut FunctionBuilder<'_>, name: &str| -> Result<FuncRef> {
            let symbol = symbol(name)?;
            if let Some(&function) = used.get(symbol.name) {
                return Ok(function);
            }
            let id = match imports.get(symbol.name) {
                Some(&id) => id,
                None => {
                    let signature = symbol_signature(symbol, module.isa().default_call_conv());
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
        refusal: None,
        memory: Memory::Module(owner.clone()),
    });
    Ok(compiled.collect())
}
