//! Elements of arrays as bytes, little endian: in files and in messages.

use ndarray::{ArrayD, IxDyn};
use num_complex::Complex;

use crate::error::{Error, Result};
use crate::host::{Element, HostArray};
use crate::types::ArrayType;
use crate::{dispatch_host, host_from};

/// The bytes of an element, little endian.
pub trait Bytes: Element {
    /// Appends them.
    fn write(self, out: &mut Vec<u8>);

    /// From as many bytes as it has; `None` if they are no element.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Bytes for bool {
    fn write(self, out: &mut Vec<u8>) {
        out.push(u8::from(self));
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

macro_rules! bytes_of_numbers {
    ($($t:ty),*) => {$(
        impl Bytes for $t {
            fn write(self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }
        }
    )*};
}

bytes_of_numbers!(i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);

impl<T: Bytes> Bytes for Complex<T>
where
    Self: Element,
{
    fn write(self, out: &mut Vec<u8>) {
        self.re.write(out);
        self.im.write(out);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (re, im) = bytes.split_at_checked(bytes.len() / 2)?;
        Some(Self::new(T::read(re)?, T::read(im)?))
    }
}

impl HostArray {
    /// The bytes of the elements in C order, little endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.ty().bytes());
        dispatch_host!(self, a => a.iter().for_each(|&x| x.write(&mut bytes)));
        bytes
    }

    /// The array of a type that has these bytes, as [`HostArray::to_bytes`] gives them.
    ///
    /// ```
    /// use autojit_ir::{ArrayType, DType, HostArray};
    ///
    /// let ty = ArrayType::new(DType::Int32, &[2]);
    /// let array = HostArray::from_bytes(&ty, &[1, 0, 0, 0, 0, 1, 0, 0])?;
    /// assert_eq!(array.to_bytes(), [1, 0, 0, 0, 0, 1, 0, 0]);
    /// assert!(HostArray::from_bytes(&ty, &[1, 0, 0, 0]).is_err());
    /// # Ok::<(), autojit_ir::Error>(())
    /// ```
    ///
    /// # Errors
    /// There are more or fewer of them than the type has, or a truth value is neither 0 nor 1 (`is_value`).
    pub fn from_bytes(ty: &ArrayType, bytes: &[u8]) -> Result<Self> {
        let expected = ty.size().checked_mul(ty.dtype.size());
        if expected != Some(bytes.len()) {
            return Err(Error::value(format!("{ty} has {} bytes", bytes.len())));
        }
        let array = host_from!(ty.dtype, T => elements::<T>(ty, bytes));
        let wrong = || Error::value(format!("{ty} has bytes that are no {}", ty.dtype));
        array.ok_or_else(wrong)
    }
}

fn elements<T: Bytes>(ty: &ArrayType, bytes: &[u8]) -> Option<HostArray> {
    let elements = bytes.chunks_exact(ty.dtype.size()).map(T::read);
    let elements = elements.collect::<Option<Vec<T>>>()?;
    ArrayD::from_shape_vec(IxDyn(&ty.shape), elements)
        .ok()
        .map(HostArray::from)
}
