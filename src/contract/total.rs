//! The sums of slices in main memory: those of all blocks, and what rounding lost of the one that is being added.
//!
//! Slices are added as `runtime/src/sum.rs` adds blocks of a long sum. What is lost of a call's own sum is added to what is lost.

use autojit_ir::error::{Error, Result};
use autojit_ir::{Bytes, HostArray};
use autojit_runtime::sum::Summand;

/// An element that is added, and written to files.
pub(super) trait Number: Summand + Bytes {}
impl<T: Summand + Bytes> Number for T {}

/// Sums of blocks.
pub(super) struct Totals<T> {
    /// The sums of all blocks, one after the other.
    pub(super) sums: Vec<T>,
    /// What was lost of the block that is being added.
    pub(super) lost: Vec<T>,
}

impl<T: Number> Totals<T> {
    /// Zeros.
    ///
    /// # Errors
    /// There is no memory for them.
    pub(super) fn new(blocks: u64, block: usize) -> Result<Self> {
        let all = usize::try_from(blocks).unwrap_or(usize::MAX);
        let all = all.saturating_mul(block);
        let bytes = all.saturating_add(block).saturating_mul(size_of::<T>());
        HostArray::check_bytes(bytes)?;
        Ok(Self {
            sums: vec![T::ZERO; all],
            lost: vec![T::ZERO; block],
        })
    }

    /// Adds what a call gave to a block.
    ///
    /// # Errors
    /// It is of another type.
    pub(super) fn add(&mut self, block: usize, sum: &HostArray, lost: &HostArray) -> Result<()> {
        let start = block * self.lost.len();
        let own = self.sums[start..].iter_mut().zip(&mut self.lost);
        let (Some(sum), Some(lost)) = (T::typed(sum), T::typed(lost)) else {
            return Err(Error::internal("slices of another dtype"));
        };
        if (sum.len(), lost.len()) != (own.len(), own.len()) {
            return Err(Error::internal("slices of another shape"));
        }
        for ((total, error), (&x, &own)) in own.zip(sum.iter().zip(lost.iter())) {
            let next = *total + x;
            let part = next - *total;
            let rounded = (*total - (next - part)) + (x - part);
            *error = (*error + rounded) + own;
            *total = next;
        }
        Ok(())
    }

    /// Ends a block, to which all slices are added.
    pub(super) fn finish(&mut self, block: usize) {
        let start = block * self.lost.len();
        for (total, lost) in self.sums[start..].iter_mut().zip(&mut self.lost) {
            *total = total.corrected(*lost);
            *lost = T::ZERO;
        }
    }
}

/// Calls a generic function with the type of the elements of a dtype.
///
/// # Errors
/// It is neither floating nor complex.
macro_rules! with_number {
    ($dtype:expr, $T:ident => $call:expr) => {
        match $dtype {
            DType::Float32 => {
                type $T = f32;
                $call
            }
            DType::Float64 => {
                type $T = f64;
                $call
            }
            DType::Complex64 => {
                type $T = num_complex::Complex32;
                $call
            }
            DType::Complex128 => {
                type $T = num_complex::Complex64;
                $call
            }
            dtype @ (DType::Bool
            | DType::Int8
            | DType::Uint8
            | DType::Int16
            | DType::Uint16
            | DType::Int32
            | DType::Uint32
            | DType::Int64
            | DType::Uint64) => Err(Error::dtype(format!(
                "runs add floating and complex numbers, got {dtype}; `contract` adds others"
            ))),
        }
    };
}
pub(super) use with_number;
