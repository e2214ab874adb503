//! `HostArray`: an array in main memory, of any dtype.
//!
//! It is the storage of the ndarray library, of constants in graphs, and of what goes in and out of compiled
//! code. The elements are shared ([`SharedArray`]) and copied on write, so clones and views are cheap and values are
//! never aliased observably.

use std::fmt;

use ndarray::{ArcArray, ArrayD, ArrayViewD, Dimension, IxDyn};
use num_complex::{Complex32, Complex64};

use super::c_order;
use super::scalar::Scalar;
use super::shared::{BlockSize, SharedArray, UnwrittenArray};
use super::types::{ArrayType, DType, Shape};
use crate::error::{Error, Result};

/// An array in main memory.
#[derive(Clone, Debug)]
pub enum HostArray {
    /// `bool`.
    Bool(SharedArray<bool>),
    /// `int8`.
    Int8(SharedArray<i8>),
    /// `uint8`.
    Uint8(SharedArray<u8>),
    /// `int16`.
    Int16(SharedArray<i16>),
    /// `uint16`.
    Uint16(SharedArray<u16>),
    /// `int32`.
    Int32(SharedArray<i32>),
    /// `uint32`.
    Uint32(SharedArray<u32>),
    /// `int64`.
    Int64(SharedArray<i64>),
    /// `uint64`.
    Uint64(SharedArray<u64>),
    /// `float32`.
    Float32(SharedArray<f32>),
    /// `float64`.
    Float64(SharedArray<f64>),
    /// `complex64`.
    Complex64(SharedArray<Complex32>),
    /// `complex128`.
    Complex128(SharedArray<Complex64>),
}

mod sealed {
    pub trait Sealed {}
}

/// The Rust types of elements: `bool`, `i8` to `i64`, `u8` to `u64`, `f32`, `f64` and `Complex` of the last two.
pub trait Element:
    Copy + Send + Sync + Default + PartialEq + std::fmt::Debug + sealed::Sealed + 'static
{
    /// The dtype of this Rust type.
    const TYPE: DType;

    /// Wraps an array of this type.
    fn host_array(array: SharedArray<Self>) -> HostArray;

    /// The array inside, if it has this element type.
    fn typed(array: &HostArray) -> Option<&SharedArray<Self>>;

    /// The element as a wide scalar.
    fn widen(self) -> Scalar;

    /// The element from a wide scalar, converted as `astype` does.
    fn narrow(scalar: Scalar) -> Self;
}

macro_rules! elements {
    ($($t:ty => $variant:ident, |$s:ident| $from:expr;)*) => {
        $(
            impl sealed::Sealed for $t {}
            impl Element for $t {
                const TYPE: DType = DType::$variant;

                fn host_array(array: SharedArray<Self>) -> HostArray {
                    HostArray::$variant(array)
                }

                fn typed(array: &HostArray) -> Option<&SharedArray<Self>> {
                    match array {
                        HostArray::$variant(a) => Some(a),
                        _ => None,
                    }
                }

                fn widen(self) -> Scalar {
                    Scalar::from(self)
                }

                fn narrow(scalar: Scalar) -> Self {
                    let $s = scalar.cast(Self::TYPE);
                    $from
                }
            }
        )*
    };
}

elements! {
    bool => Bool, |s| s.is_true();
    i8 => Int8, |s| s.to_i64() as i8;
    u8 => Uint8, |s| s.to_i64() as u8;
    i16 => Int16, |s| s.to_i64() as i16;
    u16 => Uint16, |s| s.to_i64() as u16;
    i32 => Int32, |s| s.to_i64() as i32;
    u32 => Uint32, |s| s.to_i64() as u32;
    i64 => Int64, |s| s.to_i64();
    u64 => Uint64, |s| s.to_i64() as u64;
    f32 => Float32, |s| s.to_f64() as f32;
    f64 => Float64, |s| s.to_f64();
    Complex32 => Complex64, |s| { let z = s.to_complex(); Complex32::new(z.re as f32, z.im as f32) };
    Complex64 => Complex128, |s| s.to_complex();
}

/// Runs `$body` with `$a` bound to the typed array inside `$array`.
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch_host {
    ($array:expr, $a:ident => $body:expr) => {
        match $array {
            $crate::HostArray::Bool($a) => $body,
            $crate::HostArray::Int8($a) => $body,
            $crate::HostArray::Uint8($a) => $body,
            $crate::HostArray::Int16($a) => $body,
            $crate::HostArray::Uint16($a) => $body,
            $crate::HostArray::Int32($a) => $body,
            $crate::HostArray::Uint32($a) => $body,
            $crate::HostArray::Int64($a) => $body,
            $crate::HostArray::Uint64($a) => $body,
            $crate::HostArray::Float32($a) => $body,
            $crate::HostArray::Float64($a) => $body,
            $crate::HostArray::Complex64($a) => $body,
            $crate::HostArray::Complex128($a) => $body,
        }
    };
}

/// Runs `$body` with `$T` bound to the Rust type of `$dtype`; the body gives a `HostArray` or anything else.
#[doc(hidden)]
#[macro_export]
macro_rules! host_from {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => {
                type $T = bool;
                $body
            }
            $crate::DType::Int8 => {
                type $T = i8;
                $body
            }
            $crate::DType::Uint8 => {
                type $T = u8;
                $body
            }
            $crate::DType::Int16 => {
                type $T = i16;
                $body
            }
            $crate::DType::Uint16 => {
                type $T = u16;
                $body
            }
            $crate::DType::Int32 => {
                type $T = i32;
                $body
            }
            $crate::DType::Uint32 => {
                type $T = u32;
                $body
            }
            $crate::DType::Int64 => {
                type $T = i64;
                $body
            }
            $crate::DType::Uint64 => {
                type $T = u64;
                $body
            }
            $crate::DType::Float32 => {
                type $T = f32;
                $body
            }
            $crate::DType::Float64 => {
                type $T = f64;
                $body
            }
            $crate::DType::Complex64 => {
                type $T = num_complex::Complex32;
                $body
            }
            $crate::DType::Complex128 => {
                type $T = num_complex::Complex64;
                $body
            }
        }
    };
}

impl HostArray {
    /// The dtype of the elements.
    #[must_use]
    #[inline]
    pub const fn dtype(&self) -> DType {
        match self {
            Self::Bool(_) => DType::Bool,
            Self::Int8(_) => DType::Int8,
            Self::Uint8(_) => DType::Uint8,
            Self::Int16(_) => DType::Int16,
            Self::Uint16(_) => DType::Uint16,
            Self::Int32(_) => DType::Int32,
            Self::Uint32(_) => DType::Uint32,
            Self::Int64(_) => DType::Int64,
            Self::Uint64(_) => DType::Uint64,
            Self::Float32(_) => DType::Float32,
            Self::Float64(_) => DType::Float64,
            Self::Complex64(_) => DType::Complex64,
            Self::Complex128(_) => DType::Complex128,
        }
    }

    /// The number of elements along each axis.
    #[must_use]
    #[inline]
    pub fn shape(&self) -> &[usize] {
        dispatch_host!(self, a => a.shape())
    }

    /// dtype and shape.
    #[must_use]
    pub fn ty(&self) -> ArrayType {
        ArrayType {
            dtype: self.dtype(),
            shape: Shape::from_slice(self.shape()),
        }
    }

    /// A 0-d array.
    #[must_use]
    pub fn scalar(value: Scalar, dtype: DType) -> Self {
        host_from!(dtype, T => Self::from(ArrayD::from_elem(IxDyn(&[]), T::narrow(value))))
    }

    /// An array from elements in C order; `None` if their number does not fit the shape.
    #[must_use]
    pub fn from_scalars(ty: &ArrayType, data: &[Scalar]) -> Option<Self> {
        host_from!(ty.dtype, T => {
            let data: Vec<T> = data.iter().map(|&s| T::narrow(s)).collect();
            ArrayD::from_shape_vec(IxDyn(&ty.shape), data).ok().map(Self::from)
        })
    }

    /// Asks whether there is memory for an array of a type: an abort becomes an error. Only large ones ask.
    ///
    /// # Errors
    /// There is not.
    #[inline]
    pub fn check_memory(ty: &ArrayType) -> Result<()> {
        let bytes = ty.size().saturating_mul(ty.dtype.size());
        if Self::has_memory(bytes) {
            return Ok(());
        }
        Err(no_memory(ty))
    }

    /// Asks whether there is memory for so many bytes that are needed on the way to a result.
    ///
    /// # Errors
    /// There is not.
    #[inline]
    pub fn check_bytes(bytes: usize) -> Result<()> {
        if Self::has_memory(bytes) {
            return Ok(());
        }
        Err(Error::value(format!(
            "not enough memory for intermediate results of {bytes} bytes"
        )))
    }

    #[inline]
    fn has_memory(bytes: usize) -> bool {
        /// Failing to allocate less aborts, as everywhere in Rust.
        const LARGE: usize = 1 << 17;
        if bytes < LARGE {
            return true;
        }
        let mut memory: Vec<u8> = Vec::new();
        let found = memory.try_reserve_exact(bytes);
        // What is reserved and never used may be optimised away, and with it the answer.
        std::hint::black_box(&memory);
        found.is_ok()
    }

    /// Room for a list as long as an argument says.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn list_of<T>(length: usize) -> Result<Vec<T>> {
        Self::room_for(length, format_args!("a list of {length}"))
    }

    /// Room for so many elements, which are called `what` where there is no memory for them.
    ///
    /// # Errors
    /// There is none.
    #[inline]
    pub fn room_for<T>(count: usize, what: impl fmt::Display) -> Result<Vec<T>> {
        let mut room = Vec::new();
        match room.try_reserve_exact(count) {
            Ok(()) => Ok(room),
            Err(_) => Err(Error::value(format!("not enough memory for {what}"))),
        }
    }

    /// The elements of an array in C order.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn elements_of<T: Element>(array: &ArrayViewD<'_, T>) -> Result<Vec<T>> {
        let ty = || ArrayType::new(T::TYPE, array.shape());
        let mut elements = Vec::new();
        match elements.try_reserve_exact(array.len()) {
            Ok(()) => c_order::extend(&mut elements, array),
            Err(_) => {
                return Err(Error::value(format!(
                    "not enough memory for an array {}",
                    ty()
                )));
            }
        }
        Ok(elements)
    }

    /// [`to_contiguous`](Self::to_contiguous), where a copy may not fit into memory.
    ///
    /// # Errors
    /// It does not.
    pub fn try_contiguous(&self) -> Result<Self> {
        if !self.is_contiguous() {
            Self::check_memory(&self.ty())?;
        }
        Ok(self.to_contiguous())
    }

    /// The elements in C order, widened.
    #[must_use]
    pub fn to_scalars(&self) -> Vec<Scalar> {
        self.scalars().collect()
    }

    /// The elements in C order, widened one at a time: large arrays need no memory for it.
    pub fn scalars(&self) -> Box<dyn Iterator<Item = Scalar> + '_> {
        dispatch_host!(self, a => Box::new(a.iter().map(|&x| x.widen())))
    }

    /// The same values, contiguous in C order; cheap if they already are.
    #[must_use]
    pub fn to_contiguous(&self) -> Self {
        dispatch_host!(self, a => {
            if a.is_standard_layout() {
                return self.clone();
            }
            Element::host_array(SharedArray::copy_of(&a.view()))
        })
    }

    /// Whether the elements lie in C order without gaps.
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        self.contiguous().is_some()
    }

    /// The address of the first element, if all lie in C order without gaps: what a call asks of each of its arguments, at once.
    #[must_use]
    #[inline]
    pub fn contiguous(&self) -> Option<*const u8> {
        let (address, shape, strides) =
            dispatch_host!(self, a => (a.as_ptr().cast(), a.shape(), a.strides()));
        c_order::is_dense(shape, strides).then_some(address)
    }

    /// The address of the first element.
    #[must_use]
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        dispatch_host!(self, a => a.as_ptr().cast())
    }

    /// The address of the first element, to write there. If other arrays share the elements, they are copied first.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        dispatch_host!(self, a => a.as_mut_ptr().cast())
    }

    /// Memory for an array of a type, with the size of its block, which is worked out once for a type. `None` if there is none.
    ///
    /// # Errors
    /// There is no memory for it.
    #[inline]
    pub fn unwritten(ty: &ArrayType, size: Option<&BlockSize>) -> Result<UnwrittenArray> {
        size.and_then(UnwrittenArray::new)
            .ok_or_else(|| no_memory(ty))
    }

    /// The array of a dtype in memory that was made for it.
    ///
    /// # Safety
    /// The memory was made for elements of this dtype, and every element was written.
    #[inline]
    #[must_use]
    pub unsafe fn written(memory: UnwrittenArray, dtype: DType) -> Self {
        // SAFETY: forwarded.
        host_from!(dtype, T => T::host_array(unsafe { memory.written() }))
    }

    /// Zeros.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn zeros(ty: &ArrayType) -> Result<Self> {
        let size = BlockSize::new(&ty.shape, ty.dtype.size());
        let zeros = size.and_then(|size| UnwrittenArray::zeroed(&size));
        let zeros = zeros.ok_or_else(|| no_memory(ty))?;
        // SAFETY: zeros in all bytes are an element of every dtype.
        Ok(unsafe { Self::written(zeros, ty.dtype) })
    }

    /// A copy of elements in C order.
    ///
    /// # Errors
    /// There is no memory for it, or there are more or fewer of them than the shape has.
    pub fn from_slice<T: Element>(shape: &[usize], elements: &[T]) -> Result<Self> {
        let array = SharedArray::from_slice(shape, elements).map(T::host_array);
        array.ok_or_else(|| no_memory(&ArrayType::new(T::TYPE, shape)))
    }

    /// A view with a Rust element type, if that is the dtype of this array.
    #[must_use]
    pub fn view<T: Element>(&self) -> Option<ArrayViewD<'_, T>> {
        T::typed(self).map(|a| a.view())
    }

    /// Whether shape, dtype and every bit of the elements agree.
    #[must_use]
    pub fn same_bits(&self, other: &Self) -> bool {
        self.dtype() == other.dtype()
            && self.shape() == other.shape()
            && (self.as_ptr() == other.as_ptr() && self.is_contiguous() && other.is_contiguous()
                || dispatch_host!(self, elements => same_elements(elements, other)))
    }
}

/// The error for an array that does not fit into memory.
#[cold]
fn no_memory(ty: &ArrayType) -> Error {
    Error::value(format!("not enough memory for an array {ty}"))
}

fn same_elements<T: Element>(elements: &SharedArray<T>, other: &HostArray) -> bool {
    let same = |(x, y): (&T, &T)| x.widen() == y.widen();
    T::typed(other).is_some_and(|other| elements.iter().zip(other.iter()).all(same))
}

impl<T: Element> From<ArrayD<T>> for HostArray {
    fn from(array: ArrayD<T>) -> Self {
        T::host_array(array.into())
    }
}

impl<T: Element, D: Dimension> From<ArcArray<T, D>> for HostArray {
    fn from(array: ArcArray<T, D>) -> Self {
        T::host_array(array.into())
    }
}
