//! `astype`: conversions between the element types that are computed with, and of the others from and to `int64`.
//!
//! The rules are those of [`autojit_ir::Scalar::cast`], per type instead of per element: floats truncate,
//! complex numbers lose their imaginary part, integers wrap, and what does not fit into an integer becomes its
//! smallest value, as NumPy's conversions give on x86.

use num_complex::{Complex, Complex32, Complex64};

use super::kernel::Kernel;
use super::strided::{View, map};
use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, Element, HostArray};

/// The same values in another dtype; the array itself if it has that dtype.
pub(super) fn astype(x: &HostArray, dtype: DType) -> Result<HostArray> {
    if x.dtype() == dtype {
        return Ok(x.clone());
    }
    let kernel = stored(x.dtype(), dtype).or_else(|| kernel(x.dtype(), dtype));
    let kernel = kernel.ok_or_else(|| {
        let from = x.dtype();
        Error::internal(format!("a conversion from {from} to {dtype} without int64"))
    })?;
    map(kernel, &[View::new(x)], x.shape())
}

/// `$body` with `$T` bound to the Rust type of a dtype that is computed with.
macro_rules! computed {
    ($dtype:expr, $T:ident => $body:expr) => {
        computed!(@ $dtype, $T => $body, [
            Bool: bool, Uint8: u8, Int32: i32, Int64: i64,
            Float32: f32, Float64: f64, Complex64: Complex32, Complex128: Complex64
        ])
    };
    (@ $dtype:expr, $T:ident => $body:expr, [$($variant:ident: $t:ty),*]) => {
        match $dtype {
            $(DType::$variant => {
                type $T = $t;
                Some($body)
            })*
            DType::Int8 | DType::Int16 | DType::Uint16 | DType::Uint32 | DType::Uint64 => None,
        }
    };
}

fn kernel(from: DType, to: DType) -> Option<Kernel> {
    computed!(from, S => computed!(to, T => Kernel::unary(T::cast_from::<S>))).flatten()
}

/// Conversions of the dtypes that are only stored. Those of `uint64` keep the bits.
fn stored(from: DType, to: DType) -> Option<Kernel> {
    macro_rules! with_int64 {
        ($($variant:ident: $t:ty),*) => {
            match (from, to) {
                $(
                    (DType::$variant, DType::Int64) => Some(Kernel::unary(|x: $t| x as i64)),
                    (DType::Int64, DType::$variant) => Some(Kernel::unary(|x: i64| x as $t)),
                )*
                _ => None,
            }
        };
    }
    with_int64!(Int8: i8, Int16: i16, Uint16: u16, Uint32: u32, Uint64: u64)
}

/// Types that an element can be converted from.
trait Cast: Element {
    fn is_true(self) -> bool;
    fn to_i32(self) -> i32;
    fn to_i64(self) -> i64;
    fn re_f32(self) -> f32;
    fn re_f64(self) -> f64;
    fn im_f32(self) -> f32 {
        0.0
    }
    fn im_f64(self) -> f64 {
        0.0
    }
}

impl Cast for bool {
    fn is_true(self) -> bool {
        self
    }

    fn to_i32(self) -> i32 {
        self.into()
    }

    fn to_i64(self) -> i64 {
        self.into()
    }

    fn re_f32(self) -> f32 {
        self.into()
    }

    fn re_f64(self) -> f64 {
        self.into()
    }
}

macro_rules! cast_real {
    ($($t:ty, |$x:ident| $to_i32:expr, $to_i64:expr;)*) => {$(
        impl Cast for $t {
            fn is_true(self) -> bool {
                self != <$t>::default()
            }

            fn to_i32(self) -> i32 {
                let $x = self;
                $to_i32
            }

            fn to_i64(self) -> i64 {
                let $x = self;
                $to_i64
            }

            fn re_f32(self) -> f32 {
                self as f32
            }

            fn re_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

cast_real! {
    u8, |x| x.into(), x.into();
    i32, |x| x, x.into();
    i64, |x| x as i32, x;
    f32, |x| f64_to_i32(x.into()), f64_to_i64(x.into());
    f64, |x| f64_to_i32(x), f64_to_i64(x);
}

macro_rules! cast_complex {
    ($($t:ty)*) => {$(
        impl Cast for Complex<$t> {
            fn is_true(self) -> bool {
                self.re != 0.0 || self.im != 0.0
            }

            fn to_i32(self) -> i32 {
                self.re.to_i32()
            }

            fn to_i64(self) -> i64 {
                self.re.to_i64()
            }

            fn re_f32(self) -> f32 {
                self.re as f32
            }

            fn re_f64(self) -> f64 {
                self.re.into()
            }

            fn im_f32(self) -> f32 {
                self.im as f32
            }

            fn im_f64(self) -> f64 {
                self.im.into()
            }
        }
    )*};
}

cast_complex! { f32 f64 }

fn f64_to_i32(x: f64) -> i32 {
    if x > -2_147_483_649.0 && x < 2_147_483_648.0 {
        x as i32
    } else {
        i32::MIN
    }
}

fn f64_to_i64(x: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        x as i64
    } else {
        i64::MIN
    }
}

/// The other side of [`Cast`].
trait CastTarget: Element {
    fn cast_from<S: Cast>(x: S) -> Self;
}

macro_rules! cast_targets {
    ($($t:ty: |$x:ident| $cast:expr;)*) => {$(
        impl CastTarget for $t {
            fn cast_from<S: Cast>($x: S) -> Self {
                $cast
            }
        }
    )*};
}

cast_targets! {
    bool: |x| x.is_true();
    u8: |x| x.to_i64() as u8;
    i32: |x| x.to_i32();
    i64: |x| x.to_i64();
    f32: |x| x.re_f32();
    f64: |x| x.re_f64();
    Complex32: |x| Complex32::new(x.re_f32(), x.im_f32());
    Complex64: |x| Complex64::new(x.re_f64(), x.im_f64());
}
