//! Conversions between dtypes, with the results that the reference interpreter gives for numbers that do not fit.

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::Value;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F64, I8, I32, I64};

use super::{Arithmetic, Width, bits, component};
use autojit_ir::{Class, DType};

impl Arithmetic<'_, '_> {
    /// A real number or truth value in another dtype.
    pub(super) fn convert(&mut self, x: Value, from: DType, to: DType, width: Width) -> Value {
        if to == DType::Bool {
            return self.is_true(x, from);
        }
        if from == to {
            return x;
        }
        let (source, target) = (component(from), component(to));
        let ins = |s: &mut Self| -> Value {
            match (from.class(), to.class()) {
                (Class::Float, Class::Float) if target == F64 => s.builder.ins().fpromote(F64, x),
                (Class::Float, Class::Float) => s.builder.ins().fdemote(F32, x),
                (Class::Float, _) => s.float_to_integer(x, from, to),
                (Class::Bool, Class::Float) if width != Width::Scalar => {
                    let one = s.number(1.0, to, width);
                    let mask = s.builder.ins().bitcast(width.ty(to), bits(), x);
                    s.builder.ins().band(mask, one)
                }
                (_, Class::Float) if source == I8 => {
                    let wide = s.builder.ins().uextend(I32, x);
                    s.builder.ins().fcvt_from_sint(target, wide)
                }
                (_, Class::Float) => s.builder.ins().fcvt_from_sint(target, x),
                _ if source.bits() > target.bits() => s.builder.ins().ireduce(target, x),
                _ if source.bits() == target.bits() => x,
                (Class::Bool, _) => s.builder.ins().uextend(target, x),
                _ if from.is_unsigned() => s.builder.ins().uextend(target, x),
                _ => s.builder.ins().sextend(target, x),
            }
        };
        ins(self)
    }

    /// Whether a number is not zero; NaN is true.
    fn is_true(&mut self, x: Value, dtype: DType) -> Value {
        if dtype.class() >= Class::Float {
            let zero = self.number(0.0, dtype, Width::Scalar);
            self.builder.ins().fcmp(FloatCC::NotEqual, x, zero)
        } else {
            self.builder.ins().icmp_imm_s(IntCC::NotEqual, x, 0)
        }
    }

    /// As x86 converts: what does not fit gives the smallest integer.
    pub(super) fn float_to_integer(&mut self, x: Value, from: DType, to: DType) -> Value {
        let x = if from == DType::Float32 {
            self.builder.ins().fpromote(F64, x)
        } else {
            x
        };
        let (ty, low, high) = if to == DType::Int32 {
            (I32, -2_147_483_649.0, 2_147_483_648.0)
        } else {
            (
                I64,
                -9_223_372_036_854_777_856.0,
                9_223_372_036_854_775_808.0,
            )
        };
        let (low, high) = (
            self.builder.ins().f64const(low),
            self.builder.ins().f64const(high),
        );
        let above = self.builder.ins().fcmp(FloatCC::GreaterThan, x, low);
        let below = self.builder.ins().fcmp(FloatCC::LessThan, x, high);
        let fits = self.builder.ins().band(above, below);
        let converted = self.builder.ins().fcvt_to_sint_sat(ty, x);
        let smallest = self.builder.ins().iconst(
            ty,
            if ty == I32 {
                i64::from(i32::MIN)
            } else {
                i64::MIN
            },
        );
        let integer = self.builder.ins().select(fits, converted, smallest);
        if to == DType::Uint8 {
            self.builder.ins().ireduce(I8, integer)
        } else {
            integer
        }
    }
}
