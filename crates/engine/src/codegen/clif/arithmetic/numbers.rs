//! Ops that take several instructions: integer division and shifts, complex products, signs, extrema, comparisons.

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::Value;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::F32;

use super::{Arithmetic, Comparison, Element, Width, component};
use autojit_ir::error::{Error, Result};
use autojit_ir::{Class, DType};

impl Arithmetic<'_, '_> {
    /// A shift by a negative number, or by all bits, leaves nothing but the sign.
    pub(super) fn shift(&mut self, x: Value, places: Value, dtype: DType, left: bool) -> Value {
        let ty = component(dtype);
        let fits =
            self.builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedLessThan, places, i64::from(ty.bits()));
        let last = self.builder.ins().iconst(ty, i64::from(ty.bits()) - 1);
        let zero = self.builder.ins().iconst(ty, 0);
        if left {
            let shifted = self.builder.ins().ishl(x, places);
            return self.builder.ins().select(fits, shifted, zero);
        }
        if dtype == DType::Uint8 {
            let shifted = self.builder.ins().ushr(x, places);
            return self.builder.ins().select(fits, shifted, zero);
        }
        let places = self.builder.ins().select(fits, places, last);
        self.builder.ins().sshr(x, places)
    }

    /// The remainder with the sign of `x`; zero by zero. Division by -1 would trap for the smallest integer.
    pub(super) fn integer_fmod(&mut self, x: Value, y: Value, dtype: DType) -> Value {
        let ty = component(dtype);
        let one = self.builder.ins().iconst(ty, 1);
        let zero = self.builder.ins().icmp_imm_s(IntCC::Equal, y, 0);
        if dtype == DType::Uint8 {
            let divisor = self.builder.ins().select(zero, one, y);
            return self.builder.ins().urem(x, divisor);
        }
        let minus_one = self.builder.ins().icmp_imm_s(IntCC::Equal, y, -1);
        let whole = self.builder.ins().bor(zero, minus_one);
        // What one divides leaves nothing.
        let divisor = self.builder.ins().select(whole, one, y);
        self.builder.ins().srem(x, divisor)
    }

    pub(super) fn multiply(&mut self, x: Element, y: Element, class: Class) -> Element {
        match (x, y) {
            (Element::Pair(a, b), Element::Pair(c, d)) => {
                let (ac, bd) = (self.builder.ins().fmul(a, c), self.builder.ins().fmul(b, d));
                let (ad, bc) = (self.builder.ins().fmul(a, d), self.builder.ins().fmul(b, c));
                Element::Pair(
                    self.builder.ins().fsub(ac, bd),
                    self.builder.ins().fadd(ad, bc),
                )
            }
            (x, y) => {
                let (x, y) = (x.real(), y.real());
                Element::One(match class {
                    Class::Bool => self.builder.ins().band(x, y),
                    Class::Integer => self.builder.ins().imul(x, y),
                    _ => self.builder.ins().fmul(x, y),
                })
            }
        }
    }

    /// -1, 0, 1 or NaN; `x / |x|` for complex numbers.
    pub(super) fn sign(&mut self, x: Element, dtype: DType, width: Width) -> Result<Element> {
        if dtype.is_complex() {
            return self.complex_sign(x, dtype);
        }
        let x = x.real();
        let (zero, one) = (
            self.number(0.0, dtype, width),
            self.number(1.0, dtype, width),
        );
        if dtype.is_float() {
            let minus_one = self.number(-1.0, dtype, width);
            let above = self.builder.ins().fcmp(FloatCC::GreaterThan, x, zero);
            let below = self.builder.ins().fcmp(FloatCC::LessThan, x, zero);
            let equal = self.builder.ins().fcmp(FloatCC::Equal, x, zero);
            let rest = self.select(equal, zero, x, width);
            let rest = self.select(below, minus_one, rest, width);
            return Ok(Element::One(self.select(above, one, rest, width)));
        }
        let zero_or_one = {
            let nonzero = self.builder.ins().icmp(IntCC::NotEqual, x, zero);
            self.select(nonzero, one, zero, width)
        };
        if dtype == DType::Uint8 {
            return Ok(Element::One(zero_or_one));
        }
        let minus_one = self.number(-1.0, dtype, width);
        let below = self.builder.ins().icmp(IntCC::SignedLessThan, x, zero);
        Ok(Element::One(self.select(
            below,
            minus_one,
            zero_or_one,
            width,
        )))
    }

    /// `x / |x|`, zero for zero, with NumPy's limits where the modulus is infinite. Source: `npy_csign`'s loop.
    pub(super) fn complex_sign(&mut self, x: Element, dtype: DType) -> Result<Element> {
        let magnitude = self.call("absolute", &[x], dtype, dtype.real())?.real();
        let (zero, one) = (
            self.number(0.0, dtype, Width::Scalar),
            self.number(1.0, dtype, Width::Scalar),
        );
        let infinity = self.number(f64::INFINITY, dtype, Width::Scalar);
        let b = &mut *self.builder;
        let Element::Pair(re, im) = x else {
            return Err(Error::internal("a complex number has two parts"));
        };
        let is_zero = b.ins().fcmp(FloatCC::Equal, magnitude, zero);
        let is_infinite = b.ins().fcmp(FloatCC::Equal, magnitude, infinity);
        let (re_size, im_size) = (b.ins().fabs(re), b.ins().fabs(im));
        let re_infinite = b.ins().fcmp(FloatCC::Equal, re_size, infinity);
        let im_infinite = b.ins().fcmp(FloatCC::Equal, im_size, infinity);
        // An infinite real part decides; else the modulus is infinite by the imaginary part, or by overflow.
        let (re_sign, im_sign) = (b.ins().fcopysign(one, re), b.ins().fcopysign(one, im));
        let limit = Element::Pair(
            b.ins().select(re_infinite, re_sign, zero),
            b.ins().select(re_infinite, zero, im_sign),
        );
        let both = b.ins().band(re_infinite, im_infinite);
        let is_nan = b.ins().fcmp(FloatCC::Unordered, magnitude, magnitude);
        let no_direction = b.ins().bor(both, is_nan);
        let nan = match component(dtype) {
            F32 => b.ins().f32const(f32::NAN),
            _ => b.ins().f64const(f64::NAN),
        };
        Ok(x.zip(limit, |part, limit| {
            let quotient = b.ins().fdiv(part, magnitude);
            let value = b.ins().select(is_zero, zero, quotient);
            let value = b.ins().select(is_infinite, limit, value);
            b.ins().select(no_direction, nan, value)
        }))
    }

    /// The larger or smaller of two; NaN if either is. Source: NumPy's loops for `maximum` and `minimum`.
    pub(crate) fn extremum(
        &mut self,
        x: Element,
        y: Element,
        dtype: DType,
        largest: bool,
        width: Width,
    ) -> Element {
        match dtype.class() {
            Class::Bool if largest => Element::One(self.builder.ins().bor(x.real(), y.real())),
            Class::Bool => Element::One(self.builder.ins().band(x.real(), y.real())),
            Class::Integer => {
                let (x, y) = (x.real(), y.real());
                Element::One(match (dtype, largest) {
                    (DType::Uint8, true) => self.builder.ins().umax(x, y),
                    (DType::Uint8, false) => self.builder.ins().umin(x, y),
                    (_, true) => self.builder.ins().smax(x, y),
                    (_, false) => self.builder.ins().smin(x, y),
                })
            }
            _ => {
                let (low, high) = if largest { (y, x) } else { (x, y) };
                let wins = self.compare(low, high, dtype, Comparison::LessEqual);
                let mut take_x = wins;
                for part in x.parts() {
                    let nan = self.builder.ins().fcmp(FloatCC::Unordered, part, part);
                    take_x = self.builder.ins().bor(take_x, nan);
                }
                x.zip(y, |a, b| self.select(take_x, a, b, width))
            }
        }
    }

    /// Complex numbers compare by real, then imaginary part; a NaN makes it false.
    pub(super) fn compare(
        &mut self,
        x: Element,
        y: Element,
        dtype: DType,
        comparison: Comparison,
    ) -> Value {
        let (a, c) = (x.real(), y.real());
        let (Element::Pair(_, b), Element::Pair(_, d)) = (x, y) else {
            let unsigned = matches!(dtype, DType::Uint8 | DType::Bool);
            return match (comparison, dtype.class() >= Class::Float) {
                (Comparison::Equal, true) => self.builder.ins().fcmp(FloatCC::Equal, a, c),
                (Comparison::Less, true) => self.builder.ins().fcmp(FloatCC::LessThan, a, c),
                (Comparison::LessEqual, true) => {
                    self.builder.ins().fcmp(FloatCC::LessThanOrEqual, a, c)
                }
                (Comparison::Equal, false) => self.builder.ins().icmp(IntCC::Equal, a, c),
                (Comparison::Less, false) if unsigned => {
                    self.builder.ins().icmp(IntCC::UnsignedLessThan, a, c)
                }
                (Comparison::Less, false) => self.builder.ins().icmp(IntCC::SignedLessThan, a, c),
                (Comparison::LessEqual, false) if unsigned => {
                    self.builder
                        .ins()
                        .icmp(IntCC::UnsignedLessThanOrEqual, a, c)
                }
                (Comparison::LessEqual, false) => {
                    self.builder.ins().icmp(IntCC::SignedLessThanOrEqual, a, c)
                }
            };
        };
        let real_equal = self.builder.ins().fcmp(FloatCC::Equal, a, c);
        let imag = match comparison {
            Comparison::Equal => FloatCC::Equal,
            Comparison::Less => FloatCC::LessThan,
            Comparison::LessEqual => FloatCC::LessThanOrEqual,
        };
        let imag = self.builder.ins().fcmp(imag, b, d);
        let tie = self.builder.ins().band(real_equal, imag);
        if comparison == Comparison::Equal {
            return tie;
        }
        let real_less = self.builder.ins().fcmp(FloatCC::LessThan, a, c);
        let ordered = self.builder.ins().fcmp(FloatCC::Ordered, b, d);
        let strict = self.builder.ins().band(real_less, ordered);
        self.builder.ins().bor(strict, tie)
    }
}
