//! Integer arithmetic as NumPy defines it: wrapping, with Python's signs for division and remainder.
//!
//! Nothing here panics: division by zero gives 0 (NumPy's result beside its warning), `MIN / -1` wraps to `MIN`.

/// An integer element type with NumPy's arithmetic.
pub trait Integer: Copy + Eq + Ord + std::fmt::Debug + 'static {
    /// `self ** exponent`, wrapping (`numpy.power`).
    ///
    /// NumPy refuses negative exponents; callers check that first. If one arrives all the same, the answer is the exact
    /// power rounded toward zero (0 for base 0), so that this function is total.
    fn power(self, exponent: Self) -> Self;

    /// The quotient rounded toward minus infinity (`numpy.floor_divide`); 0 when `divisor` is 0.
    fn floor_divide(self, divisor: Self) -> Self;

    /// The remainder with the sign of `divisor` (`numpy.remainder`); 0 when `divisor` is 0.
    fn remainder(self, divisor: Self) -> Self;
}

/// Square-and-multiply; `is_negative` of the exponent is settled by the caller.
macro_rules! wrapping_power {
    ($base:expr, $exponent:expr) => {{
        let (mut base, mut exponent, mut result) = ($base, $exponent, 1);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = Self::wrapping_mul(result, base);
            }
            base = base.wrapping_mul(base);
            exponent >>= 1;
        }
        result
    }};
}

macro_rules! signed {
    ($($type:ty),*) => {$(
        impl Integer for $type {
            fn power(self, exponent: Self) -> Self {
                if exponent < 0 {
                    return match self {
                        1 => 1,
                        -1 if exponent & 1 == 0 => 1,
                        -1 => -1,
                        _ => 0,
                    };
                }
                wrapping_power!(self, exponent)
            }

            #[inline]
            fn floor_divide(self, divisor: Self) -> Self {
                if divisor == 0 {
                    return 0;
                }
                let quotient = self.wrapping_div(divisor);
                let inexact = self.wrapping_rem(divisor) != 0;
                quotient - Self::from(inexact && (self < 0) != (divisor < 0))
            }

            #[inline]
            fn remainder(self, divisor: Self) -> Self {
                if divisor == 0 {
                    return 0;
                }
                let remainder = self.wrapping_rem(divisor);
                if remainder != 0 && (remainder < 0) != (divisor < 0) {
                    remainder + divisor
                } else {
                    remainder
                }
            }
        }
    )*};
}

signed!(i32, i64);

impl Integer for u8 {
    fn power(self, exponent: Self) -> Self {
        wrapping_power!(self, exponent)
    }

    #[inline]
    fn floor_divide(self, divisor: Self) -> Self {
        self.checked_div(divisor).unwrap_or(0)
    }

    #[inline]
    fn remainder(self, divisor: Self) -> Self {
        self.checked_rem(divisor).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Integer;

    #[test]
    fn division_has_pythons_signs() {
        for (x, y, quotient, remainder) in [
            (7, 2, 3, 1),
            (-7, 2, -4, 1),
            (7, -2, -4, -1),
            (-7, -2, 3, -1),
            (6, -2, -3, 0),
        ] {
            assert_eq!(Integer::floor_divide(x, y), quotient, "{x} // {y}");
            assert_eq!(Integer::remainder(x, y), remainder, "{x} % {y}");
            assert_eq!(
                Integer::floor_divide(i64::from(x), i64::from(y)),
                i64::from(quotient)
            );
        }
    }

    #[test]
    fn division_by_zero_is_zero_and_min_over_minus_one_wraps() {
        assert_eq!(
            (
                Integer::floor_divide(5_i64, 0),
                Integer::remainder(5_i64, 0)
            ),
            (0, 0)
        );
        assert_eq!(
            (Integer::floor_divide(5_u8, 0), Integer::remainder(5_u8, 0)),
            (0, 0)
        );
        assert_eq!(Integer::floor_divide(i64::MIN, -1), i64::MIN);
        assert_eq!(Integer::remainder(i64::MIN, -1), 0);
        assert_eq!(Integer::floor_divide(i32::MIN, -1), i32::MIN);
        assert_eq!(Integer::floor_divide(i32::MIN, 1), i32::MIN);
    }

    #[test]
    fn power_wraps() {
        assert_eq!(Integer::power(3_i64, 4), 81);
        assert_eq!(Integer::power(-2_i64, 63), i64::MIN);
        assert_eq!(Integer::power(2_i64, 64), 0);
        assert_eq!(Integer::power(0_i32, 0), 1);
        assert_eq!(Integer::power(200_u8, 2), 64);
        assert_eq!(Integer::power(3_u8, 255), 171);
        assert_eq!(
            [2, -1, 1, 0].map(|x: i32| Integer::power(x, -3)),
            [0, -1, 1, 0]
        );
    }
}
