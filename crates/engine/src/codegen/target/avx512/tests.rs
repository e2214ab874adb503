//! Every instruction is what a decoder that is not ours reads.

use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

use crate::codegen::simd::ir::{Binary, Kind, MaskLogic, Predicate, Rounding, Unary};
use crate::codegen::simd::vcode::{
    Address, Condition, ConstantBits, Constants, General, Label, Length, Mask, Masking, Operand,
    Unpack, Vector,
};
use crate::codegen::target::x86::assembler::Assembler;

const RAX: General = General(0);
const RCX: General = General(1);
const RDX: General = General(2);
const RBX: General = General(3);
const RSP: General = General(4);
const RBP: General = General(5);
const RSI: General = General(6);
const RDI: General = General(7);
const R8: General = General(8);
const R10: General = General(10);
const R12: General = General(12);
const R13: General = General(13);

/// The output of a decoder, one line an instruction, constants left out.
pub(crate) fn read(code: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let mut formatter = IntelFormatter::new();
    formatter
        .options_mut()
        .set_space_after_operand_separator(true);
    formatter.options_mut().set_rip_relative_addresses(true);
    formatter.options_mut().set_branch_leading_zeros(false);
    let mut lines = Vec::new();
    while decoder.can_decode() {
        let instruction = decoder.decode();
        assert!(!instruction.is_invalid(), "after {lines:#?}");
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        let is_end = line == "ret";
        lines.push(line);
        if is_end {
            break;
        }
    }
    lines
}

/// A function that emits an instruction, and the text of a decoder for it.
type Case<'a> = (&'a dyn Fn(&mut Assembler), &'a str);

fn one(emit: impl FnOnce(&mut Assembler)) -> String {
    let mut asm = Assembler::default();
    emit(&mut asm);
    let lines = read(&asm.code);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].clone()
}

const NUMBERS: [u8; 8] = [0, 1, 7, 8, 15, 16, 23, 31];

fn name(length: Length, vector: u8) -> String {
    let letter = match length {
        Length::Bits128 => 'x',
        Length::Bits256 => 'y',
        Length::Bits512 => 'z',
    };
    format!("{letter}mm{vector}")
}

const LENGTHS: [Length; 3] = [Length::Bits128, Length::Bits256, Length::Bits512];

#[test]
fn arithmetic_names_all_registers() {
    use Binary::{Add, And, AndNot, Divide, Maximum, Minimum, Multiply, Or, Subtract, Xor};
    use Kind::{F32, F64, I32, I64};
    let table = [
        (Add, F64, "vaddpd"),
        (Add, F32, "vaddps"),
        (Add, I64, "vpaddq"),
        (Add, I32, "vpaddd"),
        (Subtract, F64, "vsubpd"),
        (Subtract, F32, "vsubps"),
        (Subtract, I64, "vpsubq"),
        (Subtract, I32, "vpsubd"),
        (Multiply, F64, "vmulpd"),
        (Multiply, F32, "vmulps"),
        (Multiply, I64, "vpmullq"),
        (Multiply, I32, "vpmulld"),
        (Divide, F64, "vdivpd"),
        (Divide, F32, "vdivps"),
        (Maximum, F64, "vmaxpd"),
        (Maximum, F32, "vmaxps"),
        (Maximum, I64, "vpmaxsq"),
        (Maximum, I32, "vpmaxsd"),
        (Minimum, F64, "vminpd"),
        (Minimum, F32, "vminps"),
        (Minimum, I64, "vpminsq"),
        (Minimum, I32, "vpminsd"),
        (And, F64, "vpandq"),
        (And, F32, "vpandd"),
        (AndNot, I64, "vpandnq"),
        (AndNot, I32, "vpandnd"),
        (Or, F64, "vporq"),
        (Or, I32, "vpord"),
        (Xor, I64, "vpxorq"),
        (Xor, F32, "vpxord"),
    ];
    for (op, kind, mnemonic) in table {
        let opcode = Assembler::binary_opcode(op, kind).unwrap();
        for length in LENGTHS {
            for to in NUMBERS {
                for a in NUMBERS {
                    for b in NUMBERS {
                        let line = one(|asm| {
                            let (to, a, b) = (Vector(to), Vector(a), Vector(b));
                            asm.binary(opcode, kind, length, to, a, b.into(), Masking::None);
                        });
                        let [to, a, b] = [to, a, b].map(|v| name(length, v));
                        assert_eq!(line, format!("{mnemonic} {to}, {a}, {b}"));
                    }
                }
            }
        }
    }
    assert_eq!(Assembler::binary_opcode(Divide, I64), None);
}

#[test]
fn addresses_are_read_as_they_are_meant() {
    let add = Assembler::binary_opcode(Binary::Add, Kind::F64).unwrap();
    for base in 0..16u8 {
        for index in (0..16u8).filter(|&i| i != 4).map(Some).chain([None]) {
            for offset in [0, 8, 64, -64, 127 * 64, 128 * 64, -128 * 64, 65, -1_000_000] {
                for broadcast in [false, true] {
                    let address = Address {
                        base: General(base),
                        index: index.map(|i| (General(i), 8)),
                        offset,
                    };
                    let operand = if broadcast {
                        Operand::Broadcast(address)
                    } else {
                        Operand::Memory(address)
                    };
                    let mut asm = Assembler::default();
                    let (to, a) = (Vector(17), Vector(30));
                    asm.binary(
                        add,
                        Kind::F64,
                        Length::Bits512,
                        to,
                        a,
                        operand,
                        Masking::None,
                    );
                    let decoded = Decoder::new(64, &asm.code, DecoderOptions::NONE).decode();
                    assert_eq!(decoded.len(), asm.code.len());
                    assert_eq!(decoded.is_broadcast(), broadcast);
                    assert_eq!(
                        decoded.memory_base() as u8 - iced_x86::Register::RAX as u8,
                        base
                    );
                    assert_eq!(decoded.memory_displacement64() as i64, i64::from(offset));
                    match index {
                        None => assert_eq!(decoded.memory_index(), iced_x86::Register::None),
                        Some(i) => {
                            let first = iced_x86::Register::RAX as u8;
                            assert_eq!(decoded.memory_index() as u8 - first, i);
                            assert_eq!(decoded.memory_index_scale(), 8);
                        }
                    }
                    // The same address for a general-purpose register.
                    let mut asm = Assembler::default();
                    asm.load_general(R13, address);
                    let decoded = Decoder::new(64, &asm.code, DecoderOptions::NONE).decode();
                    assert_eq!(decoded.memory_displacement64() as i64, i64::from(offset));
                    assert_eq!(decoded.op0_register(), iced_x86::Register::R13);
                }
            }
        }
    }
}

#[test]
fn vector_instructions_are_what_they_are_called() {
    use Kind::{F32, F64, I32, I64};
    use Length::{Bits128, Bits256, Bits512};
    let (a, b, c) = (Vector(3), Vector(12), Vector(29));
    let none = Masking::None;
    let at = Address::new(RDI, 64);
    let text = |emit: &dyn Fn(&mut Assembler)| one(|asm| emit(asm));
    let cases: &[Case<'_>] = &[
        (
            &|s| s.unary(Unary::SquareRoot, F64, Bits512, a, c.into()),
            "vsqrtpd zmm3, zmm29",
        ),
        (
            &|s| s.unary(Unary::SquareRoot, F32, Bits256, a, c.into()),
            "vsqrtps ymm3, ymm29",
        ),
        (
            &|s| s.unary(Unary::Absolute, I64, Bits512, c, a.into()),
            "vpabsq zmm29, zmm3",
        ),
        (
            &|s| s.unary(Unary::Absolute, I32, Bits128, c, a.into()),
            "vpabsd xmm29, xmm3",
        ),
        (
            &|s| s.unary(Unary::Round(Rounding::Down), F64, Bits512, c, a.into()),
            "vrndscalepd zmm29, zmm3, 9",
        ),
        (
            &|s| s.unary(Unary::Round(Rounding::Up), F32, Bits512, c, a.into()),
            "vrndscaleps zmm29, zmm3, 0Ah",
        ),
        (
            &|s| {
                s.compare(
                    Predicate::LessEqual,
                    F64,
                    Bits512,
                    Mask(5),
                    b,
                    c.into(),
                    Some(Mask(1)),
                );
            },
            "vcmple_oqpd k5{k1}, zmm12, zmm29",
        ),
        (
            &|s| {
                s.compare(
                    Predicate::Unordered,
                    F32,
                    Bits256,
                    Mask(6),
                    b,
                    c.into(),
                    None,
                );
            },
            "vcmpunordps k6, ymm12, ymm29",
        ),
        (
            &|s| s.compare(Predicate::Less, I64, Bits512, Mask(6), b, c.into(), None),
            "vpcmpltq k6, zmm12, zmm29",
        ),
        (
            &|s| {
                s.compare(
                    Predicate::NotEqual,
                    I32,
                    Bits256,
                    Mask(6),
                    b,
                    c.into(),
                    None,
                );
            },
            "vpcmpneqd k6, ymm12, ymm29",
        ),
        (
            &|s| s.select(F64, Bits512, a, Mask(2), b.into(), c),
            "vblendmpd zmm3{k2}, zmm29, zmm12",
        ),
        (
            &|s| s.copy(F32, Bits256, a, c, Masking::Merge(Mask(4))),
            "vmovaps ymm3{k4}, ymm29",
        ),
        (&|s| s.clear(c), "vpxord xmm29, xmm29, xmm29"),
        (
            &|s| s.load(F64, Bits512, c, at.into(), Masking::Zero(Mask(1))),
            "vmovupd zmm29{k1}{z}, [rdi+40h]",
        ),
        (
            &|s| s.load(I32, Bits256, c, at.into(), none),
            "vmovups ymm29, [rdi+40h]",
        ),
        (
            &|s| s.store(F32, Bits512, at, c, Masking::Merge(Mask(1))),
            "vmovups [rdi+40h]{k1}, zmm29",
        ),
        (&|s| s.load_scalar(F64, c, at), "vmovsd xmm29, [rdi+40h]"),
        (&|s| s.load_scalar(F32, c, at), "vmovss xmm29, [rdi+40h]"),
        (&|s| s.store_scalar(F64, at, c), "vmovsd [rdi+40h], xmm29"),
        (
            &|s| s.broadcast(F64, Bits512, c, at.into()),
            "vpbroadcastq zmm29, [rdi+40h]",
        ),
        (
            &|s| s.broadcast(I32, Bits128, a, c.into()),
            "vpbroadcastd xmm3, xmm29",
        ),
        (
            &|s| s.unpack(Unpack::Low, F64, Bits512, a, b, c),
            "vunpcklpd zmm3, zmm12, zmm29",
        ),
        (
            &|s| s.unpack(Unpack::High, F32, Bits256, a, b, c),
            "vunpckhps ymm3, ymm12, ymm29",
        ),
        (
            &|s| s.shuffle_singles(Bits512, a, b, c, 0x88),
            "vshufps zmm3, zmm12, zmm29, 88h",
        ),
        (
            &|s| s.permute_two(F64, Bits512, a, b, c),
            "vpermi2pd zmm3, zmm12, zmm29",
        ),
        (
            &|s| s.permute_two(F32, Bits256, a, b, c),
            "vpermi2ps ymm3, ymm12, ymm29",
        ),
        (
            &|s| s.permute_within(F64, Bits128, a, c, 1),
            "vpermilpd xmm3, xmm29, 1",
        ),
        (
            &|s| s.permute_within(F32, Bits128, a, c, 0x55),
            "vpermilps xmm3, xmm29, 55h",
        ),
        (
            &|s| s.permute_quarters(Bits512, a, c, 0xD8),
            "vpermpd zmm3, zmm29, 0D8h",
        ),
        (
            &|s| s.upper_half(Bits512, a, c),
            "vextractf64x4 ymm3, zmm29, 1",
        ),
        (
            &|s| s.upper_half(Bits256, a, c),
            "vextractf64x2 xmm3, ymm29, 1",
        ),
        (
            &|s| s.convert(F32, F64, Bits512, a, c),
            "vcvtps2pd zmm3, ymm29",
        ),
        (
            &|s| s.convert(F64, F32, Bits512, a, c),
            "vcvtpd2ps ymm3, zmm29",
        ),
        (
            &|s| s.convert(I64, F64, Bits512, a, c),
            "vcvtqq2pd zmm3, zmm29",
        ),
        (
            &|s| s.convert(I32, F64, Bits512, a, c),
            "vcvtdq2pd zmm3, ymm29",
        ),
        (
            &|s| s.convert(I64, F32, Bits512, a, c),
            "vcvtqq2ps ymm3, zmm29",
        ),
        (
            &|s| s.convert(I32, F32, Bits512, a, c),
            "vcvtdq2ps zmm3, zmm29",
        ),
        (
            &|s| s.convert(F64, I64, Bits512, a, c),
            "vcvttpd2qq zmm3, zmm29",
        ),
        (
            &|s| s.convert(F32, I64, Bits512, a, c),
            "vcvttps2qq zmm3, ymm29",
        ),
        (
            &|s| s.convert(F64, I32, Bits512, a, c),
            "vcvttpd2dq ymm3, zmm29",
        ),
        (
            &|s| s.convert(F32, I32, Bits256, a, c),
            "vcvttps2dq ymm3, ymm29",
        ),
        (
            &|s| s.convert(I32, I64, Bits512, a, c),
            "vpmovsxdq zmm3, ymm29",
        ),
        (
            &|s| s.convert(I64, I32, Bits512, a, c),
            "vpmovqd ymm3, zmm29",
        ),
        (
            &|s| s.gather(F64, Bits512, c, R8, Vector(20), 8, Mask(5)),
            "vgatherqpd zmm29, k5, [r8+zmm20+8]",
        ),
        (
            &|s| s.gather(F32, Bits512, a, RCX, Vector(9), 0, Mask(5)),
            "vgatherqps ymm3, k5, [rcx+zmm9]",
        ),
        (
            &|s| s.scatter(F64, Bits512, c, R12, Vector(20), 8, Mask(5)),
            "vscatterqpd [r12+zmm20+8], k5, zmm29",
        ),
        (
            &|s| s.scatter(I32, Bits512, c, RBP, Vector(31), 0, Mask(5)),
            "vscatterqps [rbp+zmm31], k5, ymm29",
        ),
        (
            &|s| s.mask_logic(MaskLogic::And, Mask(1), Mask(2), Mask(7)),
            "kandw k1, k2, k7",
        ),
        (
            &|s| s.mask_logic(MaskLogic::AndNot, Mask(1), Mask(2), Mask(7)),
            "kandnw k1, k2, k7",
        ),
        (
            &|s| s.mask_logic(MaskLogic::Or, Mask(1), Mask(2), Mask(7)),
            "korw k1, k2, k7",
        ),
        (
            &|s| s.mask_logic(MaskLogic::Xor, Mask(1), Mask(2), Mask(7)),
            "kxorw k1, k2, k7",
        ),
        (
            &|s| s.mask_logic(MaskLogic::NotXor, Mask(1), Mask(2), Mask(7)),
            "kxnorw k1, k2, k7",
        ),
        (&|s| s.mask_not(Mask(6), Mask(3)), "knotw k6, k3"),
        (&|s| s.mask_copy(Mask(6), Mask(3)), "kmovw k6, k3"),
        (&|s| s.mask_from(Mask(6), RDX), "kmovw k6, edx"),
        (&|s| s.mask_to(RDX, Mask(6)), "kmovw edx, k6"),
        (
            &|s| s.bytes_to_mask(Mask(6), c),
            "vptestmb k6, xmm29, xmm29",
        ),
        (
            &|s| s.load_bytes(c, at, Masking::Zero(Mask(1))),
            "vmovdqu8 xmm29{k1}{z}, [rdi+40h]",
        ),
        (
            &|s| s.store_bytes(at, c, Masking::Merge(Mask(1))),
            "vmovdqu8 [rdi+40h]{k1}, xmm29",
        ),
        (&|s| s.clear_upper(), "vzeroupper"),
    ];
    for (emit, expected) in cases {
        assert_eq!(text(emit), *expected);
    }
    let mut asm = Assembler::default();
    asm.mask_to_bytes(c, Mask(5));
    assert_eq!(
        read(&asm.code),
        ["vpmovm2b xmm29, k5", "vpabsb xmm29, xmm29"]
    );
}

#[test]
fn general_instructions_are_what_they_are_called() {
    let at = Address::new(RSP, 24);
    let cases: &[Case<'_>] = &[
        (&|s| s.load_general(R10, at), "mov r10, [rsp+18h]"),
        (&|s| s.store_general(at, R10), "mov [rsp+18h], r10"),
        (&|s| s.load_byte(RAX, at), "movzx rax, byte ptr [rsp+18h]"),
        (&|s| s.store_byte(at, RDX), "mov [rsp+18h], dl"),
        (&|s| s.move_general(RBX, R12), "mov rbx, r12"),
        (&|s| s.move_number(R12, -1), "mov r12, 0FFFFFFFFFFFFFFFFh"),
        (&|s| s.move_word(R12, 1 << 40), "mov r12, 10000000000h"),
        (&|s| s.clear_general(R8), "xor r8, r8"),
        (&|s| s.add_number(RSP, -64), "add rsp, 0FFFFFFFFFFFFFFC0h"),
        (&|s| s.add_number(RCX, 1000), "add rcx, 3E8h"),
        (&|s| s.and_number(R8, 7), "and r8, 7"),
        (&|s| s.compare_number(R8, 32), "cmp r8, 20h"),
        (
            &|s| s.add_number_to_memory(at, -1),
            "add qword ptr [rsp+18h], 0FFFFFFFFFFFFFFFFh",
        ),
        (&|s| s.add(RAX, R13), "add rax, r13"),
        (&|s| s.add_memory(RAX, at), "add rax, [rsp+18h]"),
        (&|s| s.add_to_memory(at, RAX), "add [rsp+18h], rax"),
        (&|s| s.subtract(RAX, RCX), "sub rax, rcx"),
        (&|s| s.compare_general(RCX, R8), "cmp rcx, r8"),
        (&|s| s.compare_memory(RCX, at), "cmp rcx, [rsp+18h]"),
        (&|s| s.negate(R13), "neg r13"),
        (
            &|s| s.multiply_memory(RDX, Address::new(RSI, 8)),
            "imul rdx, [rsi+8]",
        ),
        (&|s| s.multiply_number(RDX, R13, 24), "imul rdx, r13, 18h"),
        (
            &|s| s.address_of(RDX, Address::new(RAX, 0).indexed(RAX, 1)),
            "lea rdx, [rax+rax]",
        ),
        (&|s| s.shift_right(RAX, 8), "shr rax, 8"),
        (&|s| s.move_if(Condition::Less, RDX, R8), "cmovl rdx, r8"),
        (&|s| s.test(R8), "test r8, r8"),
        (&|s| s.lowest_bits(RDX, RAX, RCX), "bzhi rdx, rax, rcx"),
        (&|s| s.deposit_bits(RDX, RAX, RCX), "pdep rdx, rax, rcx"),
        (&|s| s.push(R12), "push r12"),
        (&|s| s.pop(RBP), "pop rbp"),
        (&|s| s.call(R8), "call r8"),
        (&|s| s.call(RAX), "call rax"),
        (&|s| s.return_(), "ret"),
    ];
    for (emit, expected) in cases {
        let line = one(|asm| emit(asm));
        assert_eq!(line, *expected);
    }
}

#[test]
fn jumps_and_constants_find_their_places() {
    let mut asm = Assembler::new(2, Constants::default(), 1);
    let (back, forth) = (Label(0), Label(1));
    asm.bind(back);
    asm.jump_if(Condition::Less, forth);
    asm.jump_if(Condition::GreaterEqual, back);
    asm.jump(back);
    asm.bind(forth);
    let word = asm.constants.add(ConstantBits::Word(7));
    let words = asm
        .constants
        .add(ConstantBits::Words([1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(asm.constants.add(ConstantBits::Word(7)), word);
    let none = Masking::None;
    let operand = Operand::Constant(words);
    asm.load(Kind::F64, Length::Bits512, Vector(0), operand, none);
    let operand = Operand::BroadcastConstant(word);
    let predicate = Predicate::Equal;
    asm.compare(
        predicate,
        Kind::F64,
        Length::Bits512,
        Mask(1),
        Vector(0),
        operand,
        None,
    );
    asm.return_();
    let code = asm.finish();
    let mut decoder = Decoder::with_ip(64, &code, 0, DecoderOptions::NONE);
    let targets: Vec<u64> = (0..3)
        .map(|_| decoder.decode().near_branch_target())
        .collect();
    assert_eq!(targets, [decoder.ip(), 0, 0]);
    let places: Vec<usize> = (0..2)
        .map(|_| decoder.decode().ip_rel_memory_address() as usize)
        .collect();
    assert_eq!(places[0] % 64, 0);
    assert_eq!(code[places[0]..places[0] + 9], [1, 0, 0, 0, 0, 0, 0, 0, 2]);
    assert_eq!(code[places[1]..], 7u64.to_le_bytes());
}
