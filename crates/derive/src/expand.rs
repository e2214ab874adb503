//! The code that the derive macro writes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Generics, Ident, Result, parse_quote};

/// A struct, or one variant of an enum.
struct Shape<'a> {
    /// `Self` or `Self::Variant`.
    path: TokenStream,
    /// As messages and signatures print it.
    name: String,
    fields: &'a Fields,
}

impl Shape<'_> {
    /// The names by which the code refers to the fields; unnamed ones get one.
    fn bindings(&self) -> Vec<Ident> {
        (0..self.fields.len())
            .map(|i| format_ident!("field_{i}"))
            .collect()
    }

    /// The pattern that takes it apart, which is also the expression that puts it together.
    fn pattern(&self) -> TokenStream {
        let Self { path, .. } = self;
        let bindings = self.bindings();
        match self.fields {
            Fields::Named(fields) => {
                let names = fields.named.iter().map(|f| &f.ident);
                quote!(#path { #(#names: #bindings),* })
            }
            Fields::Unnamed(_) => quote!(#path ( #(#bindings),* )),
            Fields::Unit => quote!(#path),
        }
    }

    /// The static description.
    fn record(&self) -> TokenStream {
        let Self { name, fields, .. } = self;
        match fields {
            Fields::Named(fields) => {
                let names = fields.named.iter().filter_map(|f| f.ident.as_ref());
                // `r#type` is written without its prefix.
                let names = names.map(|n| n.to_string().trim_start_matches("r#").to_owned());
                quote!(::autojit::tree::Record::named(#name, &[#(#names),*]))
            }
            _ => {
                let len = fields.len();
                quote!(::autojit::tree::Record::unnamed(#name, #len))
            }
        }
    }

    fn flatten_arm(&self, index: usize) -> TokenStream {
        let (pattern, bindings) = (self.pattern(), self.bindings());
        let steps = self.fields.iter().zip(&bindings).map(|(field, binding)| {
            let ty = &field.ty;
            // The span makes the compiler point at the type of a field that is not a tree.
            quote_spanned!(ty.span()=> <#ty as ::autojit::tree::Tree>::flatten(#binding, flattener);)
        });
        quote! {
            #pattern => {
                flattener.record(RECORDS[#index]);
                #(#steps)*
            }
        }
    }

    fn unflatten_arm(&self, index: usize) -> TokenStream {
        let (pattern, bindings) = (self.pattern(), self.bindings());
        let types = self.fields.iter().map(|f| &f.ty);
        quote! {
            #index => {
                #(let #bindings = <#types as ::autojit::tree::Tree>::unflatten(unflattener)?;)*
                ::core::result::Result::Ok(#pattern)
            }
        }
    }
}

/// The implementations of `Tree` and `Args` for a type.
pub(crate) fn tree(input: DeriveInput) -> Result<TokenStream> {
    let shapes = shapes(&input)?;
    let generics = bounded(input.generics.clone())?;
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();

    let records = shapes.iter().map(Shape::record);
    let flatten_arms = shapes.iter().enumerate().map(|(i, s)| s.flatten_arm(i));
    let unflatten_arms = shapes.iter().enumerate().map(|(i, s)| s.unflatten_arm(i));
    Ok(quote! {
        const _: () = {
            const RECORDS: &[&'static ::autojit::tree::Record] = &[#(&#records),*];

            #[automatically_derived]
            impl #impl_generics ::autojit::tree::Tree for #name #type_generics #where_clause {
                fn flatten<'__tree>(&'__tree self, flattener: &mut ::autojit::tree::Flattener<'__tree>) {
                    match self { #(#flatten_arms)* }
                }

                fn unflatten(
                    unflattener: &mut ::autojit::tree::Unflattener<'_>,
                ) -> ::autojit::Result<Self> {
                    // `record` gives the position of one of `RECORDS`, or an error.
                    match unflattener.record(RECORDS)? {
                        #(#unflatten_arms)*
                        _ => ::core::unreachable!(),
                    }
                }
            }

            #[automatically_derived]
            impl #impl_generics ::autojit::tree::Args<Self> for #name #type_generics #where_clause {
                fn flatten_args<'__tree>(&'__tree self, flattener: &mut ::autojit::tree::Flattener<'__tree>) {
                    ::autojit::tree::Tree::flatten(self, flattener);
                }
            }
        };
    })
}

/// The struct, or the variants of the enum.
fn shapes(input: &DeriveInput) -> Result<Vec<Shape<'_>>> {
    let name = input.ident.to_string();
    match &input.data {
        Data::Struct(data) => Ok(vec![Shape {
            path: quote!(Self),
            name,
            fields: &data.fields,
        }]),
        Data::Enum(data) if data.variants.is_empty() => Err(Error::new(
            input.ident.span(),
            "`Tree` cannot be derived for an enum without variants: it has no values",
        )),
        Data::Enum(data) => Ok(data
            .variants
            .iter()
            .map(|variant| {
                let ident = &variant.ident;
                Shape {
                    path: quote!(Self::#ident),
                    name: format!("{name}::{ident}"),
                    fields: &variant.fields,
                }
            })
            .collect()),
        Data::Union(data) => Err(Error::new(
            data.union_token.span,
            "`Tree` cannot be derived for a union: it is not known which field holds the value; use an enum",
        )),
    }
}

/// Every type parameter must be a tree.
fn bounded(mut generics: Generics) -> Result<Generics> {
    if let Some(lifetime) = generics.lifetimes().next() {
        return Err(Error::new(
            lifetime.span(),
            "`Tree` cannot be derived for a type with a lifetime: results of traced functions own their arrays; hold an `Array`, which is cheap to clone",
        ));
    }
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::autojit::tree::Tree));
    }
    Ok(generics)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: DeriveInput) -> String {
        tree(input).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_cannot_be_a_tree_is_told_why() {
        let union = refusal(parse_quote!(union U { a: f64, b: i64 }));
        assert!(union.starts_with("`Tree` cannot be derived for a union"));
        let empty = refusal(parse_quote!(
            enum Never {}
        ));
        assert!(empty.contains("without variants"));
        let borrowed = refusal(parse_quote!(
            struct Borrowed<'a> {
                x: &'a Array,
            }
        ));
        assert!(borrowed.contains("own their arrays"));
    }

    #[test]
    fn type_parameters_are_bounded() {
        let code = tree(parse_quote!(
            struct Two<T: Clone, U>(T, U);
        ))
        .unwrap();
        let code = code.to_string();
        assert!(code.contains("T : Clone + :: autojit :: tree :: Tree"));
        assert!(code.contains("U : :: autojit :: tree :: Tree"));
    }
}
