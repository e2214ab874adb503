//! SLEEF, if there is one: its functions within 1.0 units in the last place, by vectors.
//!
//! As OpenBLAS it is loaded when something is measured beside it. `unsafe` stands here for calling its functions by their C signatures.

use autojit::{Array, DType};

/// The function of SLEEF with this name, such as `exp_u10`, of one or two vectors; none without a SLEEF here, or if the length is not
/// one of whole vectors.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn function(_: &str, _: &[Array], _: DType) -> Vec<Box<dyn super::Baseline>> {
    Vec::new()
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::function;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::sync::OnceLock;

    use libloading::Library;

    use super::super::results::reals;
    use super::super::{Baseline, baseline};
    use super::{Array, DType};

    /// The library, loaded for good.
    fn library() -> Option<&'static Library> {
        static SLEEF: OnceLock<Option<Library>> = OnceLock::new();
        // SAFETY: the library asks for the features of the processor when it is loaded, and has no requirements.
        SLEEF
            .get_or_init(|| unsafe { Library::new("libsleef.so.3").ok() })
            .as_ref()
    }

    pub(in super::super) fn function(
        name: &str,
        arguments: &[Array],
        dtype: DType,
    ) -> Vec<Box<dyn Baseline>> {
        let arguments: Vec<Vec<f64>> = arguments.iter().map(reals).collect();
        let (avx2, avx512) = (
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            is_x86_feature_detected!("avx512f"),
        );
        let found = match dtype {
            DType::Float32 => {
                let singles = |x: &Vec<f64>| x.iter().map(|&x| x as f32).collect();
                let arguments: Vec<Vec<f32>> = arguments.iter().map(singles).collect();
                [
                    avx512.then(|| sixteen_singles::function(name, arguments.clone())),
                    avx2.then(|| eight_singles::function(name, arguments)),
                ]
            }
            _ => [
                avx512.then(|| eight_doubles::function(name, arguments.clone())),
                avx2.then(|| four_doubles::function(name, arguments)),
            ],
        };
        found.into_iter().flatten().flatten().collect()
    }

    /// The functions of one type of vectors.
    macro_rules! vectors {
        (
            $module:ident, $title:literal, $feature:literal, ($width:literal, $instructions:literal): $vector:ident of $count:literal $element:ty,
            $load:ident, $store:ident
        ) => {
            mod $module {
                use super::*;

                #[derive(Clone, Copy)]
                #[expect(improper_ctypes_definitions, reason = "vectors are those of C")]
                enum Function {
                    Unary(unsafe extern "C" fn($vector) -> $vector),
                    Binary(unsafe extern "C" fn($vector, $vector) -> $vector),
                }

                /// Over whole vectors.
                ///
                /// # Safety
                /// The function is of this feature.
                #[target_feature(enable = $feature)]
                unsafe fn run(f: Function, arguments: &[Vec<$element>], out: &mut [$element]) {
                    let out = out.chunks_exact_mut($count);
                    let vectors = |i: usize| arguments[i].chunks_exact($count);
                    match f {
                        Function::Unary(f) => {
                            for (out, x) in out.zip(vectors(0)) {
                                // SAFETY: each chunk is one vector; the caller has the feature of the function.
                                unsafe { $store(out.as_mut_ptr(), f($load(x.as_ptr()))) };
                            }
                        }
                        Function::Binary(f) => {
                            for (out, (x, y)) in out.zip(vectors(0).zip(vectors(1))) {
                                // SAFETY: as above.
                                unsafe {
                                    $store(
                                        out.as_mut_ptr(),
                                        f($load(x.as_ptr()), $load(y.as_ptr())),
                                    );
                                }
                            }
                        }
                    }
                }

                /// The processor has the feature.
                pub(super) fn function(
                    name: &str,
                    arguments: Vec<Vec<$element>>,
                ) -> Option<Box<dyn Baseline>> {
                    let (function, accuracy) = name.split_once('_')?;
                    let symbol =
                        format!("Sleef_{function}{}_{accuracy}{}\0", $width, $instructions);
                    let n = arguments.first()?.len();
                    if n % $count != 0 {
                        return None;
                    }
                    let library = library()?;
                    // SAFETY: functions of one and two numbers have these signatures in every version.
                    let found = unsafe {
                        match arguments.len() {
                            1 => Function::Unary(*library.get(symbol.as_bytes()).ok()?),
                            _ => Function::Binary(*library.get(symbol.as_bytes()).ok()?),
                        }
                    };
                    let run = move |(arguments, out): &mut (Vec<Vec<$element>>, Vec<$element>)| {
                        *out = Vec::new();
                        *out = vec![0.0; n];
                        // SAFETY: the processor has the feature, as the caller has found.
                        unsafe { run(found, arguments, out) }
                    };
                    let results = |(_, out): &(_, Vec<$element>)| vec![Array::from(&out[..])];
                    Some(baseline($title, (arguments, Vec::new()), run, results))
                }
            }
        };
    }

    vectors!(eight_doubles, "sleef avx512", "avx512f", ("d8", "avx512f"): __m512d of 8 f64, _mm512_loadu_pd, _mm512_storeu_pd);
    vectors!(sixteen_singles, "sleef avx512", "avx512f", ("f16", "avx512f"): __m512 of 16 f32, _mm512_loadu_ps, _mm512_storeu_ps);
    vectors!(four_doubles, "sleef avx2", "avx2,fma", ("d4", "avx2"): __m256d of 4 f64, _mm256_loadu_pd, _mm256_storeu_pd);
    vectors!(eight_singles, "sleef avx2", "avx2,fma", ("f8", "avx2"): __m256 of 8 f32, _mm256_loadu_ps, _mm256_storeu_ps);
}
