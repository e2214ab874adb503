//! A toy target: the emitter knows nothing of AVX-512 but what its target says.

use autojit_runtime::abi::Symbol;

use crate::codegen::simd::random::plans;
use crate::codegen::simd::random::{Random, random_case};
use crate::codegen::simd::target::{Demand, Masks, Target};
use crate::codegen::simd::vcode::VCode;
use crate::codegen::simd::{emitter, verify};

/// A target of the narrowest kind, whose code is text: what the emitter knows of AVX-512 it knows from its target.
struct Text;

impl Target for Text {
    const NAME: &'static str = "text";
    const KEY: &'static str = "text";
    const BYTES: i32 = 32;
    const VECTORS: u32 = 16;
    const MASKS: Masks = Masks::Registers(8);
    const PERMUTES_TWO: bool = true;

    fn scratch(_: &Demand<'_>) -> u32 {
        0
    }

    fn is_available() -> bool {
        false
    }

    fn encode(code: &VCode, _: impl Fn(&'static Symbol) -> u64) -> Vec<u8> {
        code.to_string().into_bytes()
    }
}

#[test]
fn random_kernels_verify_on_a_target_of_16_registers_of_32_bytes() {
    let mut random = Random::new(11);
    let mut emitted = 0;
    for _ in 0..500 {
        let case = random_case(&mut random);
        for plan in plans::<Text>(&case.kernel).unwrap_or_default() {
            let kernel = &plan.mined.kernel;
            let Ok(code) = emitter::emit::<Text>(&plan, true) else {
                continue;
            };
            verify::verify_code::<Text>(&code, kernel)
                .unwrap_or_else(|why| panic!("{why}\n{:#?}\n{plan}{code:#}", case.kernel));
            let text = String::from_utf8(Text::encode(&code, |_| 0)).unwrap();
            assert!(text.contains("return"), "{text}");
            // No vector of 64 bytes, and no register beyond the last one.
            assert!(!text.contains("f64x8") && !text.contains("x16,"), "{text}");
            emitted += 1;
        }
    }
    assert!(emitted > 500, "{emitted}");
}
