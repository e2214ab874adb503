//! Random kernels for each target: verified on any processor; where it has the target, run by the emitter's code and by
//! Cranelift's on memory that both must leave the same: to the bit, but for the payload of NaN.

use std::collections::BTreeMap;

use crate::codegen::simd::plan::Lanes;
use crate::codegen::simd::random::{Case, Random, compare, emit, plans, random_case};
use crate::codegen::simd::target::{Target, report};
use crate::codegen::target::avx2::Avx2;
use crate::codegen::target::avx512::{Avx512, tests::read};
use crate::codegen::{Fallback, clif};
use crate::kernel::Kernel;

#[test]
fn random_kernels_for_avx512_verify_and_do_what_cranelifts_do_where_it_runs() {
    random_kernels::<Avx512>();
}

#[test]
fn random_kernels_for_avx2_verify_and_do_what_cranelifts_do_where_it_runs() {
    random_kernels::<Avx2>();
}

/// Emission, verification and disassembly are tested on any processor; results too where there is the target.
fn random_kernels<T: Target>() {
    let runs = T::is_available();
    report::<T>("random kernels");
    let mut random = Random::new(7);
    let mut fallbacks: BTreeMap<Fallback, u32> = BTreeMap::new();
    let (mut calling, mut unrolled_sums) = (0, 0);
    let (mut fixed, mut inner, mut outer, mut one) = (0, 0, 0, 0);
    for _ in 0..40 {
        // Together, because Cranelift's modules are slow to set up.
        let cases: Vec<Case> = (0..25).map(|_| random_case(&mut random)).collect();
        let kernels: Vec<&Kernel> = cases.iter().map(|c| &c.kernel).collect();
        let references = if runs {
            clif::compile(&kernels).unwrap()
        } else {
            Vec::new()
        };
        for (index, case) in cases.iter().enumerate() {
            let plans = plans::<T>(&case.kernel).unwrap_or_else(|why| {
                *fallbacks.entry(why).or_default() += 1;
                Vec::new()
            });
            for plan in &plans {
                let Some(code) = emit::<T>(case, plan, read) else {
                    continue;
                };
                if let Some(reference) = references.get(index) {
                    compare(case, plan, &code, reference.function, read);
                }
                calling += u32::from(plan.has_calls);
                unrolled_sums += u32::from(plan.terms.is_some());
                match plan.lanes {
                    Lanes::Inner if plan.fixed.is_some() => fixed += 1,
                    Lanes::Inner => inner += 1,
                    Lanes::Outer => outer += 1,
                    Lanes::One => one += 1,
                }
            }
        }
    }
    let counts = [fixed, inner, outer, one];
    assert!(counts.iter().all(|&n| n > 100), "{counts:?}");
    assert!(calling > 100, "{calling}, {fallbacks:?}");
    assert!(unrolled_sums > 10, "{unrolled_sums}");
    assert!(fallbacks.values().sum::<u32>() < 200, "{fallbacks:?}");
}
