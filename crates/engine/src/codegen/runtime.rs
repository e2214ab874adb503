//! The functions of the runtime that machine code calls, by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use autojit_runtime::abi::{Symbol, symbols};

static SYMBOLS: LazyLock<HashMap<&'static str, &'static Symbol>> =
    LazyLock::new(|| symbols().iter().map(|s| (s.name, s)).collect());

/// The function with this name, if the runtime has one.
pub(super) fn symbol(name: &str) -> Option<&'static Symbol> {
    SYMBOLS.get(name).copied()
}
