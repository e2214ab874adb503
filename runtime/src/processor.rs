//! The vector instructions of this processor: the one place that detects them.
//!
//! `AUTOJIT_PROCESSOR` hides those above a level, so that code for other processors is tested on this one. It cannot
//! add any. Dependencies (faer, gemm, rustfft) detect features themselves and are not affected.

use std::sync::LazyLock;

/// Sets of vector instructions, each with all of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The features of every processor of the architecture.
    Baseline,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, VL, DQ and BW, and BMI2.
    Avx512,
}

impl Level {
    /// The value of `AUTOJIT_PROCESSOR` for this level.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Baseline => "baseline",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }
}

/// The highest level that this processor has and `AUTOJIT_PROCESSOR` allows. Values that name no level allow all.
#[inline]
#[must_use]
pub fn level() -> Level {
    static LEVEL: LazyLock<Level> = LazyLock::new(|| {
        let named = std::env::var("AUTOJIT_PROCESSOR").ok();
        let limit = [Level::Baseline, Level::Avx2]
            .into_iter()
            .find(|level| named.as_deref() == Some(level.name()));
        detected().min(limit.unwrap_or(Level::Avx512))
    });
    *LEVEL
}

#[cfg(target_arch = "x86_64")]
fn detected() -> Level {
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        return Level::Baseline;
    }
    let has_avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("bmi2");
    if has_avx512 {
        Level::Avx512
    } else {
        Level::Avx2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detected() -> Level {
    Level::Baseline
}
