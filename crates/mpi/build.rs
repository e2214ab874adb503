//! Lets tests and examples find libtorch and XLA, with the features of autojit that link them: its build script says where they are.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for variable in ["DEP_AUTOJIT_LIBTORCH_LIB", "DEP_AUTOJIT_XLA_LIB"] {
        if let Ok(folder) = env::var(variable) {
            println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
        }
    }
}
