//! Every instruction is what a decoder that is not ours reads; and sequences give the numbers that they should, where this
//! machine runs them.

use std::sync::Arc;

use super::vectors::binary_opcode;
use super::{Avx2, Encoder};
use crate::codegen::simd::ir::{Binary, Kind, MaskLogic, Predicate, Rounding, Unary};
use crate::codegen::simd::target::{Target, report};
use crate::codegen::simd::vcode::{
    ACC, AUX, Address, FlowInst, General, Inst, Length, Mask, MaskInst, Masking, Operand, POINTERS,
    STACK, ScalarInst, TAIL, TAIL_FIRST, TAIL_SECOND, TAIL_UNPACKED, Tail, Unpack, VCode, Vector,
    VectorInst,
};
use crate::codegen::target::avx512::tests::read;
use crate::codegen::{KernelFunction, Pages};

/// An encoder for kernels of so many elements a vector.
fn encoder(count: i32) -> Encoder {
    Encoder::new(&VCode {
        count,
        ..VCode::default()
    })
}

fn lines(count: i32, emit: impl FnOnce(&mut Encoder)) -> Vec<String> {
    let mut encoder = encoder(count);
    emit(&mut encoder);
    read(&encoder.asm.code)
}

fn name(length: Length, vector: u8) -> String {
    let letter = if length == Length::Bits128 { 'x' } else { 'y' };
    format!("{letter}mm{vector}")
}

const NUMBERS: [u8; 5] = [0, 1, 7, 8, 15];

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
        (Multiply, I32, "vpmulld"),
        (Divide, F64, "vdivpd"),
        (Divide, F32, "vdivps"),
        (Maximum, F64, "vmaxpd"),
        (Maximum, F32, "vmaxps"),
        (Maximum, I32, "vpmaxsd"),
        (Minimum, F64, "vminpd"),
        (Minimum, F32, "vminps"),
        (Minimum, I32, "vpminsd"),
        (And, F64, "vandpd"),
        (And, F32, "vandps"),
        (And, I64, "vpand"),
        (AndNot, F64, "vandnpd"),
        (AndNot, I32, "vpandn"),
        (Or, F32, "vorps"),
        (Or, I32, "vpor"),
        (Xor, F64, "vxorpd"),
        (Xor, I64, "vpxor"),
    ];
    for (op, kind, mnemonic) in table {
        assert!(binary_opcode(op, kind).is_some());
        for length in [Length::Bits128, Length::Bits256] {
            for to in NUMBERS {
                for a in NUMBERS {
                    for b in NUMBERS {
                        let got = lines(4, |s| {
                            let (to, a, b) = (Vector(to), Vector(a), Vector(b).into());
                            s.binary(op, kind, length, to, a, b, Masking::None);
                        });
                        let [to, a, b] = [to, a, b].map(|v| name(length, v));
                        assert_eq!(got, [format!("{mnemonic} {to}, {a}, {b}")]);
                    }
                }
            }
        }
    }
    for op in [Multiply, Maximum, Minimum, Divide] {
        assert_eq!(binary_opcode(op, I64), None);
    }
    assert_eq!(binary_opcode(Divide, I32), None);
}

#[test]
fn addresses_are_read_as_they_are_meant() {
    use iced_x86::{Decoder, DecoderOptions, Register};
    let first = Register::RAX as u8;
    for base in 0..16u8 {
        for index in (0..16u8).filter(|&i| i != 4).map(Some).chain([None]) {
            for offset in [0, 8, 127, 128, -128, -129, 1_000_000] {
                let address = Address {
                    base: General(base),
                    index: index.map(|i| (General(i), 8)),
                    offset,
                };
                let mut encoder = encoder(4);
                let (to, a, none) = (Vector(9), Vector(14), Masking::None);
                let (add, all) = (Binary::Add, Length::Bits256);
                encoder.binary(add, Kind::F64, all, to, a, address.into(), none);
                let code = &encoder.asm.code;
                let decoded = Decoder::new(64, code, DecoderOptions::NONE).decode();
                assert_eq!(decoded.len(), code.len());
                assert_eq!(decoded.memory_base() as u8 - first, base);
                assert_eq!(decoded.memory_displacement64() as i64, i64::from(offset));
                match index {
                    None => assert_eq!(decoded.memory_index(), Register::None),
                    Some(i) => assert_eq!(decoded.memory_index() as u8 - first, i),
                }
            }
        }
    }
    // Vectors as indices have all numbers.
    // Three different ones are needed.
    for index in (0..16u8).filter(|i| ![3, 5].contains(i)) {
        let mut encoder = encoder(4);
        let (to, mask) = (Vector(3), Mask(8 + 5));
        encoder.gather(Kind::F64, to, General(13), Vector(index), 8, mask, false);
        let expected = format!("vgatherqpd ymm3, [r13+ymm{index}+8], ymm5");
        assert_eq!(read(&encoder.asm.code).last(), Some(&expected));
    }
}

/// A function that emits instructions for so many elements a vector, and the text of a decoder for them.
type Case<'a> = (i32, &'a dyn Fn(&mut Encoder), &'a [&'a str]);

#[test]
fn instructions_are_what_they_are_called() {
    use Kind::{F32, F64, I32, I64};
    use Length::{Bits128, Bits256};
    let (a, b, c) = (Vector(3), Vector(12), Vector(9));
    let mask = Mask(8 + 5);
    let none = Masking::None;
    let at = Address::new(POINTERS, 64);
    let cases: &[Case<'_>] = &[
        (
            4,
            &|s| s.unary(Unary::SquareRoot, F64, Bits256, a, c.into()),
            &["vsqrtpd ymm3, ymm9"],
        ),
        (
            8,
            &|s| s.unary(Unary::Absolute, I32, Bits256, c, a.into()),
            &["vpabsd ymm9, ymm3"],
        ),
        (
            4,
            &|s| s.unary(Unary::Round(Rounding::Down), F64, Bits256, c, a.into()),
            &["vroundpd ymm9, ymm3, 9"],
        ),
        (
            8,
            &|s| s.unary(Unary::Round(Rounding::Up), F32, Bits256, c, a.into()),
            &["vroundps ymm9, ymm3, 0Ah"],
        ),
        (
            4,
            &|s| s.binary(Binary::Add, F64, Bits256, a, b, Operand::Broadcast(at), none),
            &[
                "vbroadcastsd ymm15, [rdi+40h]",
                "vaddpd ymm3, ymm12, ymm15",
            ],
        ),
        (
            4,
            &|s| s.binary(Binary::Add, F64, Bits256, a, a, b.into(), Masking::Merge(mask)),
            &["vaddpd ymm15, ymm3, ymm12", "vblendvpd ymm3, ymm3, ymm15, ymm5"],
        ),
        (
            4,
            &|s| s.select(F64, Bits256, a, mask, b.into(), c),
            &["vblendvpd ymm3, ymm9, ymm12, ymm5"],
        ),
        (
            8,
            &|s| s.select(F32, Bits256, a, mask, b.into(), c),
            &["vblendvps ymm3, ymm9, ymm12, ymm5"],
        ),
        (
            4,
            &|s| s.select(F32, Bits128, a, mask, b.into(), c),
            &[
                "vextractf128 xmm14, ymm5, 1",
                "vshufps xmm14, xmm5, xmm14, 88h",
                "vblendvps xmm3, xmm9, xmm12, xmm14",
            ],
        ),
        (
            4,
            &|s| s.copy(F64, Bits256, a, c, none),
            &["vmovapd ymm3, ymm9"],
        ),
        (4, &|s| s.clear(c), &["vxorps xmm9, xmm9, xmm9"]),
        (
            4,
            &|s| s.load(F64, Bits256, c, at.into(), none),
            &["vmovupd ymm9, [rdi+40h]"],
        ),
        (
            4,
            &|s| s.load(F64, Bits256, c, at.into(), Masking::Zero(mask)),
            &["vmaskmovpd ymm9, ymm5, [rdi+40h]"],
        ),
        (
            8,
            &|s| s.store(F32, Bits256, at, c, Masking::Merge(mask)),
            &["vmaskmovps [rdi+40h], ymm5, ymm9"],
        ),
        (4, &|s| s.load_scalar(F64, c, at), &["vmovsd xmm9, [rdi+40h]"]),
        (4, &|s| s.load_scalar(I32, c, at), &["vmovss xmm9, [rdi+40h]"]),
        (4, &|s| s.store_scalar(F64, at, c), &["vmovsd [rdi+40h], xmm9"]),
        (
            4,
            &|s| s.broadcast(F64, Bits256, c, a.into()),
            &["vbroadcastsd ymm9, xmm3"],
        ),
        (
            4,
            &|s| s.broadcast(F64, Bits128, c, at.into()),
            &["vpbroadcastq xmm9, [rdi+40h]"],
        ),
        (
            4,
            &|s| s.broadcast(I32, Bits128, c, at.into()),
            &["vbroadcastss xmm9, [rdi+40h]"],
        ),
        (
            4,
            &|s| s.unpack(Unpack::Low, F64, Bits256, a, b, c),
            &["vunpcklpd ymm3, ymm12, ymm9"],
        ),
        (
            8,
            &|s| s.unpack(Unpack::High, F32, Bits256, a, b, c),
            &["vunpckhps ymm3, ymm12, ymm9"],
        ),
        (
            8,
            &|s| s.shuffle_singles(Bits256, a, b, c, 0x88),
            &["vshufps ymm3, ymm12, ymm9, 88h"],
        ),
        (
            4,
            &|s| s.permute_within(F64, Bits128, a, c, 1),
            &["vpermilpd xmm3, xmm9, 1"],
        ),
        (
            8,
            &|s| s.permute_within(F32, Bits128, a, c, 0x55),
            &["vpermilps xmm3, xmm9, 55h"],
        ),
        (
            4,
            &|s| s.permute_quarters(Bits256, a, c, 0xD8),
            &["vpermpd ymm3, ymm9, 0D8h"],
        ),
        (4, &|s| s.upper_half(a, c), &["vextractf128 xmm3, ymm9, 1"]),
        (
            4,
            &|s| s.convert(F32, F64, Bits256, a, c),
            &["vcvtps2pd ymm3, xmm9"],
        ),
        (
            4,
            &|s| s.convert(F64, F32, Bits256, a, c),
            &["vcvtpd2ps xmm3, ymm9"],
        ),
        (
            4,
            &|s| s.convert(I32, F64, Bits256, a, c),
            &["vcvtdq2pd ymm3, xmm9"],
        ),
        (
            8,
            &|s| s.convert(I32, F32, Bits256, a, c),
            &["vcvtdq2ps ymm3, ymm9"],
        ),
        (
            4,
            &|s| s.convert(F64, I32, Bits256, a, c),
            &["vcvttpd2dq xmm3, ymm9"],
        ),
        (
            8,
            &|s| s.convert(F32, I32, Bits256, a, c),
            &["vcvttps2dq ymm3, ymm9"],
        ),
        (
            4,
            &|s| s.convert(I32, I64, Bits256, a, c),
            &["vpmovsxdq ymm3, xmm9"],
        ),
        (
            4,
            &|s| s.convert(I64, I32, Bits256, a, c),
            &["vextractf128 xmm15, ymm9, 1", "vshufps xmm3, xmm9, xmm15, 88h"],
        ),
        (
            4,
            &|s| s.gather(F64, c, General(8), b, 8, mask, false),
            &[
                "vpcmpeqd ymm5, ymm5, ymm5",
                "vxorps xmm9, xmm9, xmm9",
                "vgatherqpd ymm9, [r8+ymm12+8], ymm5",
            ],
        ),
        (
            4,
            &|s| s.gather(F32, c, General(8), b, 0, mask, false),
            &[
                "vpcmpeqd ymm5, ymm5, ymm5",
                "vxorps xmm9, xmm9, xmm9",
                "vgatherqps xmm9, [r8+ymm12], xmm5",
            ],
        ),
        (
            4,
            &|s| s.scatter(F64, c, General(12), b, 8, false),
            &[
                "vmovq rax, xmm12",
                "vmovlpd [r12+rax+8], xmm9",
                "vpextrq rax, xmm12, 1",
                "vmovhpd [r12+rax+8], xmm9",
                "vextractf128 xmm15, ymm12, 1",
                "vextractf128 xmm14, ymm9, 1",
                "vmovq rax, xmm15",
                "vmovlpd [r12+rax+8], xmm14",
                "vpextrq rax, xmm15, 1",
                "vmovhpd [r12+rax+8], xmm14",
            ],
        ),
    ];
    for (count, emit, expected) in cases {
        assert_eq!(lines(*count, emit), *expected);
    }
}

#[test]
fn truth_values_are_vectors() {
    use Kind::{F32, F64, I32, I64};
    use Length::{Bits128, Bits256};
    let (a, b, mask) = (Vector(3), Vector(12), Mask(8 + 5));
    let compare = |predicate, kind, length, b| MaskInst::Compare {
        predicate,
        kind,
        length,
        to: mask,
        a,
        b,
        only: None,
    };
    let cases: &[(i32, MaskInst, &[&str])] = &[
        (
            4,
            compare(Predicate::LessEqual, F64, Bits256, b.into()),
            &["vcmple_oqpd ymm5, ymm3, ymm12"],
        ),
        (
            8,
            compare(Predicate::Unordered, F32, Bits256, b.into()),
            &["vcmpunordps ymm5, ymm3, ymm12"],
        ),
        (
            4,
            compare(Predicate::NotEqual, F32, Bits128, b.into()),
            &["vcmpneqps xmm5, xmm3, xmm12", "vpmovsxdq ymm5, xmm5"],
        ),
        (
            4,
            compare(Predicate::Less, I64, Bits256, b.into()),
            &["vpcmpgtq ymm5, ymm12, ymm3"],
        ),
        (
            8,
            compare(Predicate::NotLessEqual, I32, Bits256, b.into()),
            &["vpcmpgtd ymm5, ymm3, ymm12"],
        ),
        (
            8,
            compare(Predicate::Equal, I32, Bits256, b.into()),
            &["vpcmpeqd ymm5, ymm3, ymm12"],
        ),
        (
            4,
            MaskInst::Logic {
                op: MaskLogic::AndNot,
                to: mask,
                a: Mask(8 + 1),
                b: Mask(8 + 2),
            },
            &["vandnps ymm5, ymm1, ymm2"],
        ),
        (
            4,
            MaskInst::Fill {
                to: mask,
                value: true,
            },
            &["vpcmpeqd ymm5, ymm5, ymm5"],
        ),
        (
            4,
            MaskInst::SpreadFirst { mask },
            &["vpbroadcastq ymm5, xmm5"],
        ),
        (
            8,
            MaskInst::SpreadFirst { mask },
            &["vpbroadcastd ymm5, xmm5"],
        ),
        (
            8,
            MaskInst::SpreadByte {
                to: mask,
                from: Address::new(POINTERS, 8),
            },
            &[
                "movzx rax, byte ptr [rdi+8]",
                "neg rax",
                "vmovq xmm5, rax",
                "vpbroadcastd ymm5, xmm5",
            ],
        ),
        (
            4,
            MaskInst::LoadBytes {
                to: mask,
                through: a,
                from: Address::new(POINTERS, 8),
                count: 4,
                masked: false,
            },
            &[
                "vpmovzxbq ymm3, [rdi+8]",
                "vxorps xmm5, xmm5, xmm5",
                "vpsubq ymm5, ymm5, ymm3",
            ],
        ),
        (
            8,
            MaskInst::StoreBytes {
                to: Address::new(POINTERS, 8),
                through: a,
                from: mask,
                count: 8,
                masked: false,
            },
            &[
                "vextractf128 xmm15, ymm5, 1",
                "vpackssdw xmm3, xmm5, xmm15",
                "vpacksswb xmm3, xmm3, xmm3",
                "vpabsb xmm3, xmm3",
                "vmovsd [rdi+8], xmm3",
            ],
        ),
        (
            4,
            MaskInst::Save {
                to: Address::new(STACK, 8),
                from: mask,
            },
            &["vmovmskpd eax, ymm5", "mov [rsp+8], rax"],
        ),
    ];
    for (count, inst, expected) in cases {
        assert_eq!(lines(*count, |s| s.mask_inst(inst)), *expected);
    }
}

#[test]
fn known_tails_are_moved_without_masks() {
    let tail = Tail {
        count: 4,
        complex: Some(16),
        unpacked: true,
    };
    let at = Address::new(POINTERS, 0);
    let (kind, length) = (Kind::F64, Length::Bits256);
    let stored = |left: i32, mask: Mask| {
        lines(4, |s| {
            s.mask_inst(&MaskInst::KnownTail { left, tail });
            s.store(kind, length, at, Vector(3), Masking::Merge(mask));
        })
    };
    assert_eq!(stored(1, TAIL), ["vmovsd [rdi], xmm3"]);
    assert_eq!(stored(2, TAIL), ["vmovupd [rdi], xmm3"]);
    let three = [
        "vmovupd [rdi], xmm3",
        "vextractf128 xmm15, ymm3, 1",
        "vmovsd [rdi+10h], xmm15",
    ];
    assert_eq!(stored(3, TAIL), three);
    assert_eq!(stored(2, TAIL_FIRST), ["vmovupd [rdi], ymm3"]);
    assert_eq!(stored(2, TAIL_SECOND), [] as [&str; 0]);
    assert_eq!(stored(3, TAIL_SECOND), ["vmovupd [rdi], xmm3"]);
    let single = |left: i32| {
        lines(8, |s| {
            let tail = Tail {
                count: 8,
                complex: None,
                unpacked: false,
            };
            s.mask_inst(&MaskInst::KnownTail { left, tail });
            s.store(Kind::F32, length, at, Vector(3), Masking::Merge(TAIL));
        })
    };
    let seven = [
        "vmovups [rdi], xmm3",
        "vextractf128 xmm15, ymm3, 1",
        "vmovsd [rdi+10h], xmm15",
        "vextractps [rdi+18h], xmm15, 2",
    ];
    assert_eq!(single(7), seven);
    assert_eq!(single(5)[2], "vextractps [rdi+10h], xmm15, 0");
    assert_eq!(single(1), ["vextractps [rdi], xmm3, 0"]);
    // Elements 0, 2, 1, 3 are in the lanes.
    let merged = lines(4, |s| {
        s.mask_inst(&MaskInst::KnownTail { left: 2, tail });
        s.copy(kind, length, Vector(1), Vector(2), Masking::Merge(TAIL_UNPACKED));
    });
    assert_eq!(merged, ["vblendpd ymm1, ymm1, ymm2, 5"]);
}

/// Runs one instruction on vectors `x` and `y` of four words each.
fn run(inst: VectorInst, x: [u64; 4], y: [u64; 4]) -> [u64; 4] {
    let mut code = VCode {
        count: 4,
        ..VCode::default()
    };
    let load = |to: u8, word: i32| -> [Inst; 2] {
        [
            ScalarInst::Load {
                to: AUX,
                from: Address::new(POINTERS, 8 * word),
            }
            .into(),
            VectorInst::Load {
                kind: Kind::F64,
                length: Length::Bits256,
                to: Vector(to),
                from: Address::new(AUX, 0).into(),
                masking: Masking::None,
            }
            .into(),
        ]
    };
    code.insts.extend(load(1, 0));
    code.insts.extend(load(2, 1));
    code.push(inst);
    code.push(ScalarInst::Load {
        to: ACC,
        from: Address::new(POINTERS, 16),
    });
    code.store(
        Kind::F64,
        Length::Bits256,
        Address::new(ACC, 0),
        Vector(0),
        Masking::None,
    );
    code.push(FlowInst::LeaveVectors);
    code.push(FlowInst::Return);
    let bytes = Avx2::encode(&code, |_| 0);
    let (pages, offsets) = Pages::new(&[&bytes]).unwrap();
    let pages = Arc::new(pages);
    let mut result = [0u64; 4];
    let pointers = [
        x.as_ptr().cast_mut().cast::<u8>(),
        y.as_ptr().cast_mut().cast(),
        result.as_mut_ptr().cast(),
    ];
    // SAFETY: the code is a function of this type.
    let function =
        unsafe { std::mem::transmute::<*const u8, KernelFunction>(pages.address(offsets[0])) };
    // SAFETY: it reads and writes four words at each of the pointers, and no parameters.
    unsafe { function(pointers.as_ptr(), std::ptr::null()) };
    result
}

/// Integers of all magnitudes, near powers of two.
fn integers() -> Vec<i64> {
    let mut all = vec![0, 1, -1, i64::MIN, i64::MAX, 0x3FF, 0x400, 0x401];
    for power in 0..63 {
        let two = 1i64 << power;
        for near in [-1025, -2, -1, 0, 1, 2, 513, 1024] {
            let number = two.wrapping_add(near);
            all.extend([number, number.wrapping_neg(), two | two >> 24, two | two >> 25 | 1]);
        }
    }
    let mut x = 1u64;
    for _ in 0..20_000 {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.push((x as i64) >> (x >> 5 & 63));
    }
    all.resize(all.len().next_multiple_of(4), 7);
    all
}

fn runs() -> bool {
    report::<Avx2>("sequences of instructions");
    Avx2::is_available()
}

fn four<T: Copy, U>(x: &[T], f: impl Fn(T) -> U) -> [U; 4] {
    std::array::from_fn(|i| f(x[i]))
}

#[test]
fn conversions_are_exact() {
    use Kind::{F32, F64, I32, I64};
    if !runs() {
        return;
    }
    let convert = |from_kind, to_kind| VectorInst::Convert {
        from_kind,
        to_kind,
        length: Length::Bits256,
        to: Vector(0),
        from: Vector(1),
    };
    let halves = |words: [u64; 4]| [words[0], words[0] >> 32, words[1], words[1] >> 32].map(|w| w as u32);
    for x in integers().chunks(4) {
        let bits = four(x, |x| x as u64);
        let got = run(convert(I64, F64), bits, bits);
        assert_eq!(got, four(x, |x| (x as f64).to_bits()), "{x:?}");
        let got = halves(run(convert(I64, F32), bits, bits));
        assert_eq!(got, four(x, |x| (x as f32).to_bits()), "{x:?}");
        let got = halves(run(convert(I64, I32), bits, bits));
        assert_eq!(got, four(x, |x| x as u32), "{x:?}");
    }
    let mut numbers: Vec<f64> = integers().iter().map(|&x| x as f64).collect();
    numbers.extend(integers().iter().map(|&x| f64::from_bits(x as u64)));
    numbers.extend(integers().iter().map(|&x| x as f64 / 1024.0));
    numbers.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.5, -0.5, 1e300, -1e300]);
    let whole = |x: f64| if x.abs() < 9_223_372_036_854_775_808.0 { x as i64 } else { i64::MIN };
    for x in numbers.chunks_exact(4) {
        let bits = four(x, f64::to_bits);
        let got = run(convert(F64, I64), bits, bits);
        assert_eq!(got, four(x, |x| whole(x) as u64), "{x:?}");
        let singles = four(x, |x| (x as f32).to_bits());
        let word = |i: usize| u64::from(singles[i]) | u64::from(singles[i + 1]) << 32;
        let packed = [word(0), word(2), 0, 0];
        let got = run(convert(F32, I64), packed, packed);
        assert_eq!(got, four(x, |x| whole(f64::from(x as f32)) as u64), "{x:?}");
    }
}

#[test]
fn integers_of_64_bits_are_computed_exactly() {
    if !runs() {
        return;
    }
    let binary = |op| VectorInst::Binary {
        op,
        kind: Kind::I64,
        length: Length::Bits256,
        to: Vector(0),
        a: Vector(1),
        b: Vector(2).into(),
        masking: Masking::None,
    };
    let absolute = VectorInst::Unary {
        op: Unary::Absolute,
        kind: Kind::I64,
        length: Length::Bits256,
        to: Vector(0),
        from: Vector(1).into(),
    };
    let all = integers();
    let mut others = all.clone();
    others.reverse();
    for (x, y) in all.chunks(4).zip(others.chunks(4)) {
        let (a, b) = (four(x, |x| x as u64), four(y, |y| y as u64));
        let pairs: Vec<(i64, i64)> = x.iter().copied().zip(y.iter().copied()).collect();
        let got = run(binary(Binary::Multiply), a, b);
        assert_eq!(got, four(&pairs, |(x, y)| x.wrapping_mul(y) as u64));
        let got = run(binary(Binary::Maximum), a, b);
        assert_eq!(got, four(&pairs, |(x, y)| x.max(y) as u64));
        let got = run(binary(Binary::Minimum), a, b);
        assert_eq!(got, four(&pairs, |(x, y)| x.min(y) as u64));
        let got = run(absolute, a, b);
        assert_eq!(got, four(x, |x| x.wrapping_abs() as u64));
    }
}

#[test]
fn code_is_filled_up_with_few_instructions() {
    for start in 0..32usize {
        let mut encoder = encoder(4);
        for _ in 0..start {
            encoder.asm.byte(0x90);
        }
        encoder.align(32);
        assert_eq!(encoder.asm.code.len() % 32, 0);
        let lines = read(&encoder.asm.code);
        assert!(lines.len() <= start + 4, "{lines:?}");
        assert!(lines.iter().all(|line| line.contains("nop") || line == "xchg ax, ax"), "{lines:?}");
    }
}
