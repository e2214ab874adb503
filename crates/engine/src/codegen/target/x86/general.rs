//! The instructions on general-purpose registers that kernels use, and jumps. Source: Intel's software developer's manual,
//! volume 2.

use autojit_runtime::abi::Symbol;

use super::assembler::{Assembler, opcode};
use crate::codegen::simd::vcode::{ACC, Address, Condition, FlowInst, General, Label, ScalarInst};

/// How opcodes number a condition.
const fn code(condition: Condition) -> u8 {
    match condition {
        Condition::NotZero => 5,
        Condition::Less => 12,
        Condition::GreaterEqual => 13,
        Condition::LessEqual => 14,
        Condition::Greater => 15,
    }
}

impl Assembler {
    pub(in crate::codegen::target) fn scalar_inst(&mut self, inst: &ScalarInst) {
        match *inst {
            ScalarInst::Load { to, from } => self.load_general(to, from),
            ScalarInst::Store { to, from } => self.store_general(to, from),
            ScalarInst::StoreByte { to, from } => self.store_byte(to, from),
            ScalarInst::Move { to, from } => self.move_general(to, from),
            ScalarInst::MoveNumber { to, number } => self.move_number(to, number),
            ScalarInst::Clear { to } => self.clear_general(to),
            ScalarInst::AddNumber { to, number } => self.add_number(to, number),
            ScalarInst::AndNumber { to, number } => self.and_number(to, number),
            ScalarInst::CompareNumber { a, number } => self.compare_number(a, number),
            ScalarInst::AddNumberToMemory { to, number } => self.add_number_to_memory(to, number),
            ScalarInst::Add { to, from } => self.add(to, from),
            ScalarInst::AddMemory { to, from } => self.add_memory(to, from),
            ScalarInst::AddToMemory { to, from } => self.add_to_memory(to, from),
            ScalarInst::Subtract { to, from } => self.subtract(to, from),
            ScalarInst::Compare { a, b } => self.compare_general(a, b),
            ScalarInst::CompareMemory { a, b } => self.compare_memory(a, b),
            ScalarInst::Negate { to } => self.negate(to),
            ScalarInst::MultiplyMemory { to, from } => self.multiply_memory(to, from),
            ScalarInst::MultiplyNumber { to, from, number } => {
                self.multiply_number(to, from, number);
            }
            ScalarInst::AddressOf { to, address } => self.address_of(to, address),
            ScalarInst::MoveIf {
                condition,
                to,
                from,
            } => self.move_if(condition, to, from),
            ScalarInst::Test { a } => self.test(a),
            ScalarInst::Push { from } => self.push(from),
            ScalarInst::Pop { to } => self.pop(to),
        }
    }

    /// Functions are called at the addresses that `address` gives.
    pub(in crate::codegen::target) fn flow_inst(
        &mut self,
        inst: FlowInst,
        address: &impl Fn(&'static Symbol) -> u64,
    ) {
        match inst {
            FlowInst::Bind(label) => self.bind(label),
            FlowInst::Jump(label) => self.jump(label),
            FlowInst::JumpIf(condition, label) => self.jump_if(condition, label),
            FlowInst::Align(bytes) => self.align(bytes),
            FlowInst::Call(function) => {
                self.move_word(ACC, address(function));
                self.call(ACC);
            }
            FlowInst::LeaveVectors => self.clear_upper(),
            FlowInst::Return => self.return_(),
        }
    }

    pub(in crate::codegen::target) fn load_general(&mut self, to: General, from: Address) {
        self.rex_memory(&[0x8B], to.0, from);
    }

    pub(in crate::codegen::target) fn store_general(&mut self, to: Address, from: General) {
        self.rex_memory(&[0x89], from.0, to);
    }

    pub(in crate::codegen::target) fn load_byte(&mut self, to: General, from: Address) {
        self.rex_memory(&[0x0F, 0xB6], to.0, from);
    }

    pub(in crate::codegen::target) fn store_byte(&mut self, to: Address, from: General) {
        self.rex_memory(&[0x88], from.0, to);
    }

    pub(in crate::codegen::target) fn move_general(&mut self, to: General, from: General) {
        self.rex_registers(&[0x89], from.0, to);
    }

    pub(in crate::codegen::target) fn move_number(&mut self, to: General, number: i32) {
        self.rex_registers(&[0xC7], 0, to);
        self.bytes(&number.to_le_bytes());
    }

    /// A 64-bit number.
    pub(in crate::codegen::target) fn move_word(&mut self, to: General, number: u64) {
        self.bytes(&[0x48 | to.0 >> 3, 0xB8 | to.0 & 7]);
        self.bytes(&number.to_le_bytes());
    }

    pub(in crate::codegen::target) fn clear_general(&mut self, to: General) {
        self.rex_registers(&[0x31], to.0, to);
    }

    /// `to += number`; the number of the operation is in the `reg` field.
    fn arithmetic_number(&mut self, operation: u8, to: General, number: i32) {
        if let Ok(short) = i8::try_from(number) {
            self.rex_registers(&[0x83], operation, to);
            self.byte(short as u8);
        } else {
            self.rex_registers(&[0x81], operation, to);
            self.bytes(&number.to_le_bytes());
        }
    }

    pub(in crate::codegen::target) fn add_number(&mut self, to: General, number: i32) {
        self.arithmetic_number(0, to, number);
    }

    pub(in crate::codegen::target) fn and_number(&mut self, to: General, number: i32) {
        self.arithmetic_number(4, to, number);
    }

    pub(in crate::codegen::target) fn compare_number(&mut self, a: General, number: i32) {
        self.arithmetic_number(7, a, number);
    }

    /// Compares a number of four bytes in the frame.
    pub(in crate::codegen::target) fn compare_single_with_zero(&mut self, a: Address) {
        self.byte(0x83);
        self.memory(7, a, 1);
        self.byte(0);
    }

    pub(in crate::codegen::target) fn add_number_to_memory(&mut self, to: Address, number: i32) {
        self.rex_memory(&[0x81], 0, to);
        self.bytes(&number.to_le_bytes());
    }

    pub(in crate::codegen::target) fn add(&mut self, to: General, from: General) {
        self.rex_registers(&[0x01], from.0, to);
    }

    pub(in crate::codegen::target) fn add_memory(&mut self, to: General, from: Address) {
        self.rex_memory(&[0x03], to.0, from);
    }

    pub(in crate::codegen::target) fn add_to_memory(&mut self, to: Address, from: General) {
        self.rex_memory(&[0x01], from.0, to);
    }

    pub(in crate::codegen::target) fn subtract(&mut self, to: General, from: General) {
        self.rex_registers(&[0x29], from.0, to);
    }

    pub(in crate::codegen::target) fn compare_general(&mut self, a: General, b: General) {
        self.rex_registers(&[0x39], b.0, a);
    }

    pub(in crate::codegen::target) fn compare_memory(&mut self, a: General, b: Address) {
        self.rex_memory(&[0x3B], a.0, b);
    }

    pub(in crate::codegen::target) fn negate(&mut self, to: General) {
        self.rex_registers(&[0xF7], 3, to);
    }

    pub(in crate::codegen::target) fn multiply_memory(&mut self, to: General, from: Address) {
        self.rex_memory(&[0x0F, 0xAF], to.0, from);
    }

    pub(in crate::codegen::target) fn multiply_number(
        &mut self,
        to: General,
        from: General,
        number: i32,
    ) {
        self.rex_registers(&[0x69], to.0, from);
        self.bytes(&number.to_le_bytes());
    }

    pub(in crate::codegen::target) fn address_of(&mut self, to: General, address: Address) {
        self.rex_memory(&[0x8D], to.0, address);
    }

    pub(in crate::codegen::target) fn shift_right(&mut self, to: General, places: u8) {
        self.rex_registers(&[0xC1], 5, to);
        self.byte(places);
    }

    /// `to = from` if the condition holds.
    pub(in crate::codegen::target) fn move_if(
        &mut self,
        condition: Condition,
        to: General,
        from: General,
    ) {
        self.rex_registers(&[0x0F, 0x40 | code(condition)], to.0, from);
    }

    /// Sets the flags of `a & a`.
    pub(in crate::codegen::target) fn test(&mut self, a: General) {
        self.rex_registers(&[0x85], a.0, a);
    }

    /// The lowest `count` bits of `from`, all if it has no more than `count < 256`.
    pub(in crate::codegen::target) fn lowest_bits(
        &mut self,
        to: General,
        from: General,
        count: General,
    ) {
        self.vex_registers(opcode(2, 0, true, 0xF5), false, to.0, count.0, from.0);
    }

    /// The lowest bits of `from` at the places that are set in `places`.
    pub(in crate::codegen::target) fn deposit_bits(
        &mut self,
        to: General,
        from: General,
        places: General,
    ) {
        self.vex_registers(opcode(2, 3, true, 0xF5), false, to.0, from.0, places.0);
    }

    pub(in crate::codegen::target) fn push(&mut self, from: General) {
        self.bytes(&[0x40 | from.0 >> 3, 0x50 | from.0 & 7]);
    }

    pub(in crate::codegen::target) fn pop(&mut self, to: General) {
        self.bytes(&[0x40 | to.0 >> 3, 0x58 | to.0 & 7]);
    }

    pub(in crate::codegen::target) fn jump_if(&mut self, condition: Condition, label: Label) {
        self.bytes(&[0x0F, 0x80 | code(condition)]);
        self.distance_to(label);
    }

    pub(in crate::codegen::target) fn jump(&mut self, label: Label) {
        self.byte(0xE9);
        self.distance_to(label);
    }

    pub(in crate::codegen::target) fn call(&mut self, function: General) {
        self.bytes(&[0x40 | function.0 >> 3, 0xFF, 0xD0 | function.0 & 7]);
    }

    /// Instructions of other extensions are slow while the upper halves are in use.
    pub(in crate::codegen::target) fn clear_upper(&mut self) {
        self.bytes(&[0xC5, 0xF8, 0x77]);
    }

    pub(in crate::codegen::target) fn return_(&mut self) {
        self.byte(0xC3);
    }

    /// Fills up to a multiple of `bytes` with instructions that do nothing.
    pub(in crate::codegen::target) fn align(&mut self, bytes: usize) {
        let missing = self.code.len().next_multiple_of(bytes) - self.code.len();
        self.code.extend(std::iter::repeat_n(0x90, missing));
    }
}
