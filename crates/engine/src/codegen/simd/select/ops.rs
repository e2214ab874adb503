//! What each op means in vector instructions.

use super::super::ir::{
    Binary, Element, Kind, MaskLogic, Predicate, Register, Rounding, Unary, VectorOp,
};
use super::Selector;
use super::kind;
use crate::codegen::{Fallback, strip};
use autojit_ir::{Class, DType, MapOp};

impl Selector<'_> {
    fn zip(&mut self, op: Binary, x: Element, y: Element) -> Element {
        match (x, y) {
            (Element::Pair(a, b), Element::Pair(c, d)) => {
                Element::Pair(self.binary(op, a, c), self.binary(op, b, d))
            }
            (x, y) => Element::One(self.binary(op, x.first(), y.first())),
        }
    }

    fn each(&mut self, x: Element, f: impl Fn(&mut Self, Register) -> Register) -> Element {
        match x {
            Element::One(x) => Element::One(f(self, x)),
            Element::Pair(re, im) => {
                let re = f(self, re);
                Element::Pair(re, f(self, im))
            }
        }
    }

    pub(super) fn map(
        &mut self,
        op: &MapOp,
        x: &[Element],
        dtypes: &[DType],
        result: DType,
    ) -> Result<Element, Fallback> {
        const NO_INSTRUCTIONS: Fallback = "an op has no instructions";
        let (Some(&first), Some(&dtype)) = (x.first(), dtypes.last()) else {
            return Err(NO_INSTRUCTIONS);
        };
        for dtype in dtypes.iter().chain([&result]) {
            kind(*dtype)?;
        }
        let class = dtype.class();
        let one = first.first();
        let second = x.get(1).copied().unwrap_or(first);
        let two = second.first();
        let is_number = class >= Class::Integer;
        let is_real = matches!(class, Class::Integer | Class::Float);
        Ok(match op {
            MapOp::Astype { .. } => self.astype(first, dtypes[0], result)?,
            MapOp::Where => match (x[1], x[2]) {
                (Element::Pair(a, b), Element::Pair(c, d)) => {
                    Element::Pair(self.select(one, a, c), self.select(one, b, d))
                }
                (a, b) => Element::One(self.select(one, a.first(), b.first())),
            },
            MapOp::Negative if is_number => self.each(first, Self::negated),
            MapOp::Conj => match first {
                Element::Pair(re, im) => Element::Pair(re, self.negated(im)),
                same @ Element::One(_) => same,
            },
            MapOp::Real => Element::One(one),
            MapOp::Imag => match first {
                Element::Pair(_, im) => Element::One(im),
                Element::One(_) => Element::One(self.number(0.0, kind(result)?)),
            },
            MapOp::Absolute => match class {
                Class::Complex => return Err("the modulus of complex numbers is a function call"),
                Class::Float => Element::One(self.magnitude(one)),
                Class::Integer => Element::One(self.unary(Unary::Absolute, one)),
                Class::Bool => first,
            },
            MapOp::Sign if is_real => Element::One(self.sign(one)),
            MapOp::Sqrt if class == Class::Float => {
                Element::One(self.unary(Unary::SquareRoot, one))
            }
            MapOp::Add if is_number => self.zip(Binary::Add, first, second),
            MapOp::Add | MapOp::LogicalOr => Element::One(self.logic(MaskLogic::Or, one, two)),
            MapOp::Multiply if class == Class::Bool => {
                Element::One(self.logic(MaskLogic::And, one, two))
            }
            MapOp::LogicalAnd => Element::One(self.logic(MaskLogic::And, one, two)),
            MapOp::LogicalNot => Element::One(self.not(one)),
            MapOp::Subtract if is_number => self.zip(Binary::Subtract, first, second),
            MapOp::Multiply => self.multiply(first, second),
            MapOp::Divide if class == Class::Float => {
                Element::One(self.binary(Binary::Divide, one, two))
            }
            MapOp::Divide if class == Class::Complex => self.divide(first, second),
            MapOp::Maximum | MapOp::Minimum if class != Class::Complex => {
                Element::One(self.extremum(*op == MapOp::Maximum, one, two))
            }
            MapOp::Equal | MapOp::NotEqual => {
                let equal = self.equal(first, second);
                Element::One(if *op == MapOp::Equal {
                    equal
                } else {
                    self.not(equal)
                })
            }
            MapOp::Less | MapOp::LessEqual => Element::One(self.ordered(op, first, second)),
            MapOp::Floor | MapOp::Ceil | MapOp::Trunc if class < Class::Float => first,
            MapOp::Floor if class == Class::Float => {
                Element::One(self.rounded(Rounding::Down, one))
            }
            MapOp::Ceil if class == Class::Float => Element::One(self.rounded(Rounding::Up, one)),
            MapOp::Trunc if class == Class::Float => {
                Element::One(self.rounded(Rounding::TowardsZero, one))
            }
            MapOp::Rint if class >= Class::Float => {
                self.each(first, |s, x| s.rounded(Rounding::NearestEven, x))
            }
            MapOp::Copysign => {
                let magnitude = self.magnitude(one);
                let sign = self.number(-0.0, self.out.kind(one));
                let sign = self.binary(Binary::And, two, sign);
                Element::One(self.binary(Binary::Or, magnitude, sign))
            }
            MapOp::Invert if class == Class::Bool => Element::One(self.not(one)),
            MapOp::Invert => {
                let ones = self.number(-1.0, self.out.kind(one));
                Element::One(self.binary(Binary::Xor, one, ones))
            }
            MapOp::BitwiseAnd | MapOp::BitwiseOr | MapOp::BitwiseXor => {
                let (logic, binary) = match op {
                    MapOp::BitwiseAnd => (MaskLogic::And, Binary::And),
                    MapOp::BitwiseOr => (MaskLogic::Or, Binary::Or),
                    _ => (MaskLogic::Xor, Binary::Xor),
                };
                Element::One(if class == Class::Bool {
                    self.logic(logic, one, two)
                } else {
                    self.binary(binary, one, two)
                })
            }
            MapOp::Negative
            | MapOp::Square
            | MapOp::Sign
            | MapOp::Sqrt
            | MapOp::Reciprocal
            | MapOp::Exp
            | MapOp::Exp2
            | MapOp::Expm1
            | MapOp::Log
            | MapOp::Log2
            | MapOp::Log10
            | MapOp::Log1p
            | MapOp::Sin
            | MapOp::Cos
            | MapOp::Tan
            | MapOp::Arcsin
            | MapOp::Arccos
            | MapOp::Arctan
            | MapOp::Sinh
            | MapOp::Cosh
            | MapOp::Tanh
            | MapOp::IsNan
            | MapOp::IsInf
            | MapOp::IsFinite
            | MapOp::Floor
            | MapOp::Ceil
            | MapOp::Trunc
            | MapOp::Rint
            | MapOp::Cbrt
            | MapOp::Arcsinh
            | MapOp::Arccosh
            | MapOp::Arctanh
            | MapOp::Erf
            | MapOp::Lgamma
            | MapOp::Subtract
            | MapOp::Divide
            | MapOp::FloorDivide
            | MapOp::Remainder
            | MapOp::Power
            | MapOp::Arctan2
            | MapOp::Maximum
            | MapOp::Minimum
            | MapOp::Greater
            | MapOp::GreaterEqual
            | MapOp::LogicalXor
            | MapOp::Fmod
            | MapOp::Hypot
            | MapOp::LeftShift
            | MapOp::RightShift
            | MapOp::WrapIndex { .. } => {
                let function = strip::slice_function(op, dtype).filter(|_| self.calls);
                let function = function.ok_or(NO_INSTRUCTIONS)?;
                let to = self.register(kind(result)?);
                let from = x.iter().map(|e| e.first()).collect();
                self.push(VectorOp::Call { function, to, from });
                Element::One(to)
            }
        })
    }

    fn rounded(&mut self, rounding: Rounding, x: Register) -> Register {
        self.unary(Unary::Round(rounding), x)
    }

    fn multiply(&mut self, x: Element, y: Element) -> Element {
        let (Element::Pair(a, b), Element::Pair(c, d)) = (x, y) else {
            return self.zip(Binary::Multiply, x, y);
        };
        let (ac, bd) = (
            self.binary(Binary::Multiply, a, c),
            self.binary(Binary::Multiply, b, d),
        );
        let re = self.binary(Binary::Subtract, ac, bd);
        let (ad, bc) = (
            self.binary(Binary::Multiply, a, d),
            self.binary(Binary::Multiply, b, c),
        );
        Element::Pair(re, self.binary(Binary::Add, ad, bc))
    }

    /// The same steps as the runtime's division, with both of its branches by selection: the larger part of the
    /// divisor divides the smaller one.
    fn divide(&mut self, x: Element, y: Element) -> Element {
        let (Element::Pair(a, b), Element::Pair(c, d)) = (x, y) else {
            return self.zip(Binary::Divide, x, y);
        };
        let kind = self.out.kind(a);
        let (c_size, d_size) = (self.magnitude(c), self.magnitude(d));
        let real_is_larger = self.compare(Predicate::LessEqual, d_size, c_size);
        let (large, small) = (
            self.select(real_is_larger, c, d),
            self.select(real_is_larger, d, c),
        );
        let (p, q) = (
            self.select(real_is_larger, a, b),
            self.select(real_is_larger, b, a),
        );
        let ratio = self.binary(Binary::Divide, small, large);
        let part = self.binary(Binary::Multiply, small, ratio);
        let divisor = self.binary(Binary::Add, large, part);
        let one = self.number(1.0, kind);
        let scale = self.binary(Binary::Divide, one, divisor);
        let q_part = self.binary(Binary::Multiply, q, ratio);
        let re = self.binary(Binary::Add, p, q_part);
        let re = self.binary(Binary::Multiply, re, scale);
        let p_part = self.binary(Binary::Multiply, p, ratio);
        // b - a * ratio, or b * ratio - a.
        let (minuend, subtrahend) = (
            self.select(real_is_larger, q, p_part),
            self.select(real_is_larger, p_part, q),
        );
        let im = self.binary(Binary::Subtract, minuend, subtrahend);
        let im = self.binary(Binary::Multiply, im, scale);
        // By zero.
        let zero = self.number(0.0, kind);
        let both = self.binary(Binary::Or, c_size, d_size);
        let by_zero = self.compare(Predicate::Equal, both, zero);
        let (re_limit, im_limit) = (
            self.binary(Binary::Divide, a, zero),
            self.binary(Binary::Divide, b, zero),
        );
        Element::Pair(
            self.select(by_zero, re_limit, re),
            self.select(by_zero, im_limit, im),
        )
    }

    fn sign(&mut self, x: Register) -> Register {
        let kind = self.out.kind(x);
        let (zero, one, minus_one) = (
            self.number(0.0, kind),
            self.number(1.0, kind),
            self.number(-1.0, kind),
        );
        let above = self.compare(Predicate::Less, zero, x);
        let below = self.compare(Predicate::Less, x, zero);
        let rest = if kind.is_float() {
            let equal = self.compare(Predicate::Equal, x, zero);
            // What is left is NaN.
            self.select(equal, zero, x)
        } else {
            zero
        };
        let rest = self.select(below, minus_one, rest);
        self.select(above, one, rest)
    }

    /// The first operand where it wins, ties, or is NaN.
    fn extremum(&mut self, largest: bool, x: Register, y: Register) -> Register {
        let kind = self.out.kind(x);
        if kind == Kind::Mask {
            let op = if largest {
                MaskLogic::Or
            } else {
                MaskLogic::And
            };
            return self.logic(op, x, y);
        }
        if !kind.is_float() {
            let op = if largest {
                Binary::Maximum
            } else {
                Binary::Minimum
            };
            return self.binary(op, x, y);
        }
        let (low, high) = if largest { (y, x) } else { (x, y) };
        let loses = self.compare(Predicate::NotLessEqual, low, high);
        let counts = self.compare(Predicate::Ordered, x, x);
        let take_second = self.logic(MaskLogic::And, loses, counts);
        self.select(take_second, y, x)
    }

    fn equal(&mut self, x: Element, y: Element) -> Register {
        let (a, b) = (x.first(), y.first());
        if self.out.kind(a) == Kind::Mask {
            return self.logic(MaskLogic::NotXor, a, b);
        }
        let equal = self.compare(Predicate::Equal, a, b);
        let (Element::Pair(_, c), Element::Pair(_, d)) = (x, y) else {
            return equal;
        };
        let too = self.compare(Predicate::Equal, c, d);
        self.logic(MaskLogic::And, equal, too)
    }

    /// Complex numbers compare by real, then imaginary part; a NaN makes it false.
    fn ordered(&mut self, op: &MapOp, x: Element, y: Element) -> Register {
        let predicate = if *op == MapOp::Less {
            Predicate::Less
        } else {
            Predicate::LessEqual
        };
        let (a, c) = (x.first(), y.first());
        if self.out.kind(a) == Kind::Mask {
            // Not the first and the second, or their opposite.
            return if *op == MapOp::Less {
                self.logic(MaskLogic::AndNot, a, c)
            } else {
                let above = self.logic(MaskLogic::AndNot, c, a);
                self.not(above)
            };
        }
        let (Element::Pair(_, b), Element::Pair(_, d)) = (x, y) else {
            return self.compare(predicate, a, c);
        };
        let equal = self.compare(Predicate::Equal, a, c);
        let below = self.compare(predicate, b, d);
        let tie = self.logic(MaskLogic::And, equal, below);
        let less = self.compare(Predicate::Less, a, c);
        let counts = self.compare(Predicate::Ordered, b, d);
        let strict = self.logic(MaskLogic::And, less, counts);
        self.logic(MaskLogic::Or, strict, tie)
    }

    fn astype(&mut self, x: Element, from: DType, to: DType) -> Result<Element, Fallback> {
        if from == to {
            return Ok(x);
        }
        let target = kind(to)?;
        if to == DType::Bool {
            let mut truth = self.convert(x.first(), Kind::Mask);
            if let Element::Pair(_, im) = x {
                let im = self.convert(im, Kind::Mask);
                truth = self.logic(MaskLogic::Or, truth, im);
            }
            return Ok(Element::One(truth));
        }
        let re = self.convert(x.first(), target);
        Ok(match (to.is_complex(), x) {
            (true, Element::Pair(_, im)) => Element::Pair(re, self.convert(im, target)),
            (true, Element::One(_)) => Element::Pair(re, self.number(0.0, target)),
            (false, _) => Element::One(re),
        })
    }
}
