//! The functions of the runtime that machine code calls.

use std::sync::LazyLock;

use autojit_ir::{DType, MapOp};
use autojit_library::runtime::kind;
use autojit_runtime::abi::{Form, Symbol, SymbolId, symbols};
use rustc_hash::FxHashMap;

static SYMBOLS: LazyLock<FxHashMap<SymbolId, &'static Symbol>> =
    LazyLock::new(|| symbols().iter().map(|s| (s.id, s)).collect());

static NAMES: LazyLock<FxHashMap<&'static str, &'static Symbol>> =
    LazyLock::new(|| symbols().iter().map(|s| (s.name, s)).collect());

/// The entry point of the function with this name, for a linker.
pub(super) fn address(name: &str) -> Option<*const u8> {
    NAMES.get(name).map(|symbol| symbol.address)
}

/// The function for an op on arguments of a dtype, if the runtime has one.
pub(super) fn symbol(op: MapOp, form: Form, dtype: DType) -> Option<&'static Symbol> {
    let id = SymbolId {
        function: op.name(),
        form,
        kind: kind(dtype).ok()?,
    };
    SYMBOLS.get(&id).copied()
}
