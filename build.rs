//! Lets programs that are linked with the features `torch` and `xla` find their libraries when they start.
//!
//! An rpath to where they were linked from does without LD_LIBRARY_PATH. It reaches the tests, examples and programs
//! of this package; other packages need such lines of their own, for which the folders are passed on.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // torch-sys says where it found libtorch.
    if env::var_os("CARGO_FEATURE_TORCH").is_some()
        && let Ok(folder) = env::var("DEP_TCH_LIBTORCH_LIB")
    {
        link_at_run_time(&folder);
        println!("cargo:libtorch_lib={folder}");
    }
    // The crate xla says nothing; it reads the same variable.
    println!("cargo:rerun-if-env-changed=XLA_EXTENSION_DIR");
    if env::var_os("CARGO_FEATURE_XLA").is_some() {
        let folder = env::var("XLA_EXTENSION_DIR").unwrap_or_default();
        if !Path::new(&folder).join("lib").is_dir() {
            println!(
                "cargo::error=the feature `xla` needs XLA: run scripts/setup-xla.sh, or set XLA_EXTENSION_DIR to its folder"
            );
            return;
        }
        link_at_run_time(&format!("{folder}/lib"));
        println!("cargo:xla_lib={folder}/lib");
    }
}

/// For packages that link this one the folder is also `DEP_AUTOJIT_LIBTORCH_LIB` or `DEP_AUTOJIT_XLA_LIB`.
fn link_at_run_time(folder: &str) {
    println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
}
