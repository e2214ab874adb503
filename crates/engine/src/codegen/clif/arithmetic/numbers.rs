//! Primitives on integers that take several instructions: shifts and remainders.

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::Value;
use cranelift_codegen::ir::condcodes::IntCC;

use super::{Arithmetic, component};
use autojit_ir::DType;

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
    pub(super) fn remainder(&mut self, x: Value, y: Value, dtype: DType) -> Value {
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
}
