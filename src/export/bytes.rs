//! Elements of arrays in files.

use autojit_ir::Element;
use num_complex::Complex;

/// The bytes of an element, little endian.
pub(crate) trait Bytes: Element {
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

bytes_of_numbers!(u8, i32, i64, f32, f64);

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
