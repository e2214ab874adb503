//! Lets the tests of this package find XLA when they start: an rpath into the folder that it was linked from.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=XLA_EXTENSION_DIR");
    if let Ok(folder) = env::var("XLA_EXTENSION_DIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}/lib");
    }
}
