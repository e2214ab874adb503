//! `#[derive(Tree)]`: autojit's trees from user structs and enums.
//!
//! The derived code flattens the fields in the order of their declaration, under the name of the struct or
//! variant. It refuses unions and types with lifetimes, each with a message at the place; a field that is
//! not a tree is reported by the compiler at the field's type.

mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `autojit::Tree`, and `autojit::Args` by value, for a struct or an enum whose fields are trees.
///
/// Type parameters are bounded by `Tree`.
#[proc_macro_derive(Tree)]
pub fn derive_tree(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::tree(input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
