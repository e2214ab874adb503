//! The machine code of many kernels, on any processor, against hashes in the tree: refactorings leave it as it is.
//!
//! `AUTOJIT_BLESS=1` writes the hashes anew.

use std::fmt::Write as _;
use std::path::Path;

use super::measure::{arithmetic, gram_schmidt, sum, sum_rows};
use crate::codegen::simd::random::{Random, random_case};
use crate::codegen::simd::target::Target;
use crate::codegen::simd::{emitter, plan};
use crate::codegen::target::avx2::Avx2;
use crate::codegen::target::avx512::Avx512;
use crate::kernel::Kernel;
use autojit_ir::DType;

/// FNV-1a, which is the same everywhere and for ever.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// The hash of the code by each plan that there is, one after the other, and of why others are none.
fn hash<T: Target>(kernel: &Kernel) -> (usize, u64) {
    let mut all: Vec<u8> = Vec::new();
    let mut made = 0;
    match plan::choices(kernel) {
        Err(why) => all.extend(why.as_bytes()),
        Ok(choices) => {
            for lanes in choices {
                match plan::plans::<T>(kernel, lanes) {
                    Err(why) => all.extend(why.as_bytes()),
                    Ok(plans) => {
                        for plan in plans {
                            match emitter::emit::<T>(&plan, false) {
                                Ok(code) => {
                                    made += 1;
                                    // Functions are called at the hashes of their names.
                                    let code = T::encode(&code, |function| {
                                        fingerprint(function.name.as_bytes())
                                    });
                                    all.extend(code);
                                }
                                Err(why) => all.extend(why.as_bytes()),
                            }
                        }
                    }
                }
            }
        }
    }
    (made, fingerprint(&all))
}

#[test]
fn machine_code_is_as_recorded() {
    recorded::<Avx512>();
    recorded::<Avx2>();
}

fn recorded<T: Target>() {
    let mut text = String::new();
    let mut record = |name: &str, kernel: &Kernel| {
        let (made, hash) = hash::<T>(kernel);
        writeln!(text, "{name} {made} {hash:016x}").unwrap();
    };
    record("arithmetic", &arithmetic());
    record("sum", &sum());
    record("sum_rows", &sum_rows());
    let dtypes = [
        DType::Float64,
        DType::Float32,
        DType::Complex128,
        DType::Complex64,
        DType::Int64,
        DType::Int32,
    ];
    for dtype in dtypes {
        let mut kernel = gram_schmidt(dtype);
        record(&format!("gram_schmidt {dtype}"), &kernel);
        for extent in [1, 3, 8, 16, 29, 50, 64, 100] {
            kernel.specialise(extent);
            record(&format!("gram_schmidt {dtype} {extent}"), &kernel);
        }
    }
    let mut random = Random::new(2026);
    for number in 0..800 {
        let case = random_case(&mut random);
        record(&format!("random {number}"), &case.kernel);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/codegen/simd/tests");
    let path = folder.join(format!("{}.hashes", T::KEY));
    if std::env::var_os("AUTOJIT_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let (mut differ, mut first) = (0, None);
    for (got, expected) in text.lines().zip(expected.lines()) {
        if got != expected {
            differ += 1;
            first = first.or(Some((got, expected)));
        }
    }
    assert_eq!(differ, 0, "{}, first {first:?}", T::NAME);
    assert_eq!(text.lines().count(), expected.lines().count());
}
