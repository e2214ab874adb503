//! Lets programs that are linked with the feature `torch` find libtorch when they start.
//!
//! torch-sys says where it linked libtorch from; an rpath to there does without LD_LIBRARY_PATH. It reaches the
//! tests, examples and programs of this package; other packages need such a line of their own.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_TORCH").is_some()
        && let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB")
    {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
        // For packages that link this one: DEP_AUTOJIT_LIBTORCH_LIB.
        println!("cargo:libtorch_lib={folder}");
    }
}
