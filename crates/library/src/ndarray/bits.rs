//! Bitwise logic, shifts and C's remainder on each Rust element type.
//!
//! Invariants: nothing panics; a shift by a negative number or by all bits is NumPy's.

/// An integer or a boolean as a row of bits.
pub(super) trait Bits: Copy {
    fn and(self, y: Self) -> Self;
    fn or(self, y: Self) -> Self;
    fn xor(self, y: Self) -> Self;
    fn invert(self) -> Self;
}

macro_rules! bits {
    ($($t:ty)*) => {$(
        impl Bits for $t {
            fn and(self, y: $t) -> $t {
                self & y
            }

            fn or(self, y: $t) -> $t {
                self | y
            }

            fn xor(self, y: $t) -> $t {
                self ^ y
            }

            fn invert(self) -> $t {
                !self
            }
        }
    )*};
}

bits! { bool u8 i32 i64 }

/// Shifts and remainders of integers.
pub(super) trait Integral: Copy {
    fn left_shift(self, y: Self) -> Self;
    fn right_shift(self, y: Self) -> Self;
    fn fmod(self, y: Self) -> Self;
}

macro_rules! integral {
    ($($t:ty)*) => {$(
        impl Integral for $t {
            fn left_shift(self, y: $t) -> $t {
                u32::try_from(y).ok().and_then(|y| self.checked_shl(y)).unwrap_or(0)
            }

            fn right_shift(self, y: $t) -> $t {
                let places = u32::try_from(y).unwrap_or(<$t>::BITS);
                // All but one place, then one more: the sign is left, or nothing.
                self.checked_shr(places).unwrap_or((self >> (<$t>::BITS - 1)) >> 1)
            }

            fn fmod(self, y: $t) -> $t {
                if y == 0 { 0 } else { self.wrapping_rem(y) }
            }
        }
    )*};
}

integral! { u8 i32 i64 }
