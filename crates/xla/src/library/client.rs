//! XLA's client, which owns its threads and its memory, and the way of arrays there and back.
//!
//! The client is made on first use, once, and lives as long as the program: with as many threads as the process may
//! run on at that moment. Both ways copy. A way back costs some 20 us beside the copy, as XLA hands it to another thread,
//! so results stay with XLA until they are read.

use std::ffi::c_void;
use std::sync::OnceLock;

use xla::{ArrayElement, ElementType, PjRtBuffer, PjRtClient};

use super::calls;
use super::host;
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, DType, HostArray, host_from};
use num_complex::{Complex32, Complex64};

/// The client.
///
/// # Errors
/// It could not be made, this time or the first time.
pub(super) fn client() -> Result<&'static PjRtClient> {
    static CLIENT: OnceLock<Result<PjRtClient>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let client = PjRtClient::cpu().map_err(failure)?;
        xla::register_custom_call_target(calls::TARGET, host::answer as *const c_void, "Host");
        Ok(client)
    });
    client.as_ref().map_err(Clone::clone)
}

/// Our error for one of XLA's.
pub(super) fn failure(error: xla::Error) -> Error {
    let text = match error {
        // What follows is a trace of calls.
        xla::Error::XlaError { msg, .. } => msg,
        other => other.to_string(),
    };
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or("it failed without a message");
    if line.to_lowercase().contains("out of memory") {
        return Error::value(format!("not enough memory: XLA says {line}"));
    }
    Error::value(format!("XLA: {line}"))
}

/// XLA's name of a dtype.
const fn element_type(dtype: DType) -> ElementType {
    match dtype {
        DType::Bool => ElementType::Pred,
        DType::Int8 => ElementType::S8,
        DType::Uint8 => ElementType::U8,
        DType::Int16 => ElementType::S16,
        DType::Uint16 => ElementType::U16,
        DType::Int32 => ElementType::S32,
        DType::Uint32 => ElementType::U32,
        DType::Int64 => ElementType::S64,
        DType::Uint64 => ElementType::U64,
        DType::Float32 => ElementType::F32,
        DType::Float64 => ElementType::F64,
        DType::Complex64 => ElementType::C64,
        DType::Complex128 => ElementType::C128,
    }
}

/// A buffer with these values.
pub(super) fn to_device(array: &HostArray) -> Result<PjRtBuffer> {
    #[cfg(test)]
    tests::count_transfer();
    let array = array.to_contiguous();
    let bytes = array.ty().size() * array.dtype().size();
    // SAFETY: the array is contiguous, has that many bytes, all initialised, and lives through the call, which copies.
    let data = unsafe { std::slice::from_raw_parts(array.as_ptr(), bytes) };
    let ty = element_type(array.dtype());
    client()?
        .buffer_from_host_raw_bytes(ty, data, array.shape(), None)
        .map_err(failure)
}

/// An element as the crate wants it, which knows no booleans and complex numbers.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Same<T>(#[allow(dead_code, reason = "XLA writes it")] T);

macro_rules! elements {
    ($($T:ty => $dtype:ident, $zero:expr;)*) => {$(
        impl ArrayElement for Same<$T> {
            const TY: ElementType = element_type(DType::$dtype);
            const ELEMENT_SIZE_IN_BYTES: usize = size_of::<$T>();
            const ZERO: Self = Self($zero);
        }
    )*};
}

elements! {
    bool => Bool, false;
    i8 => Int8, 0;
    u8 => Uint8, 0;
    i16 => Int16, 0;
    u16 => Uint16, 0;
    i32 => Int32, 0;
    u32 => Uint32, 0;
    i64 => Int64, 0;
    u64 => Uint64, 0;
    f32 => Float32, 0.0;
    f64 => Float64, 0.0;
    Complex32 => Complex64, Complex32::ZERO;
    Complex64 => Complex128, Complex64::ZERO;
}

/// The values of a buffer of this type.
pub(super) fn to_host(buffer: &PjRtBuffer, ty: &ArrayType) -> Result<HostArray> {
    #[cfg(test)]
    tests::count_transfer();
    HostArray::check_memory(ty)?;
    host_from!(ty.dtype, T => {
        let mut data = vec![T::default(); ty.size()];
        if !data.is_empty() {
            // SAFETY: `Same` has the layout of what it holds, and XLA writes elements of the dtype.
            let same = unsafe {
                std::slice::from_raw_parts_mut(data.as_mut_ptr().cast::<Same<T>>(), data.len())
            };
            buffer.copy_raw_to_host_sync(same, 0).map_err(failure)?;
        }
        let array = ndarray::ArrayD::from_shape_vec(ndarray::IxDyn(&ty.shape), data);
        array.map(HostArray::from).map_err(Error::internal)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use super::*;
    use autojit_ir::Scalar;

    thread_local! {
        static TRANSFERS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count_transfer() {
        TRANSFERS.set(TRANSFERS.get() + 1);
    }

    /// How often this thread passed an array there or back.
    pub(in super::super) fn transfers() -> usize {
        TRANSFERS.get()
    }

    #[test]
    fn values_survive_the_way_there_and_back() {
        for dtype in DType::ALL {
            for shape in [&[][..], &[0], &[3], &[2, 3]] {
                let ty = ArrayType::new(dtype, shape);
                let data: Vec<Scalar> = (0..ty.size()).map(|i| Scalar::Int(i as i64)).collect();
                let array = HostArray::from_scalars(&ty, &data).unwrap();
                let buffer = to_device(&array).unwrap();
                assert!(to_host(&buffer, &ty).unwrap().same_bits(&array));
            }
        }
    }
}
