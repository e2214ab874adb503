//! Random kernels by both emitters, on memory that both must leave the same: to the bit, but for the payload of NaN.
//!
//! Numbers are small integers, infinities, NaN and zeros of both signs, so that sums and products are exact in any order.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::encoding::read;
use crate::backends::cranelift::kernel::{Kernel, Operation, ReduceOp, Slot, Stride, Value};
use crate::backends::cranelift::link;
use crate::backends::cranelift::wide::plan::{self, Lanes, Plan};
use crate::backends::cranelift::wide::{IS_WIDE, Pages, Refusal, emitter};
use crate::ir::{DType, Op};

/// Numbers that look random; Vigna's splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

const DTYPES: [DType; 7] = [
    DType::Float64,
    DType::Float32,
    DType::Complex128,
    DType::Complex64,
    DType::Int64,
    DType::Int32,
    DType::Bool,
];

/// A kernel with the memory that it runs on.
struct Case {
    kernel: Kernel,
    parameters: Vec<i64>,
    /// The bytes of each slot's buffer, and the offset of its first element.
    buffers: Vec<(Vec<u8>, usize)>,
}

struct Builder<'a> {
    random: &'a mut Random,
    kernel: Kernel,
    extents: Vec<usize>,
    buffers: Vec<(Vec<u8>, usize)>,
    /// Strides in bytes, of those that are parameters.
    strides: Vec<i64>,
    literals: Vec<i64>,
    /// Whether sums follow, so that numbers must stay small and whole.
    sums: bool,
    /// Whether functions of the runtime are called.
    functions: bool,
}

/// One of the three parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Before,
    Outer,
    After,
}

fn number_bytes(random: &mut Random, dtype: DType) -> Vec<u8> {
    let real = |random: &mut Random| match random.below(24) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => -0.0,
        4 => 0.0,
        _ => random.below(9) as f64 - 4.0,
    };
    let integer = random.below(9) as i64 - 4;
    match dtype {
        DType::Bool => vec![random.below(2) as u8],
        DType::Uint8 => vec![integer as u8],
        DType::Int32 => (integer as i32).to_le_bytes().to_vec(),
        DType::Int64 => integer.to_le_bytes().to_vec(),
        DType::Float32 => (real(random) as f32).to_le_bytes().to_vec(),
        DType::Float64 => real(random).to_le_bytes().to_vec(),
        DType::Complex64 => [real(random), real(random)]
            .iter()
            .flat_map(|x| (*x as f32).to_le_bytes())
            .collect(),
        DType::Complex128 => [real(random), real(random)]
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect(),
    }
}

impl Builder<'_> {
    fn value(&mut self, dtype: DType) -> Value {
        self.kernel.dtypes.push(dtype);
        self.kernel.dtypes.len() as Value - 1
    }

    fn section(&mut self, section: Section) -> &mut Vec<(Value, Operation)> {
        match section {
            Section::Before => &mut self.kernel.before,
            Section::Outer => &mut self.kernel.outer,
            Section::After => &mut self.kernel.after,
        }
    }

    /// A slot of a random layout; one that is written moves along all axes of its section.
    fn slot(&mut self, dtype: DType, section: Section, written: bool) -> u16 {
        let rank = self.extents.len();
        let outer = self.kernel.outer_rank;
        let moves: Vec<usize> = (0..rank)
            .filter(|&axis| match section {
                Section::Outer => axis < outer,
                _ => true,
            })
            .filter(|_| written || !self.random.one_in(5))
            .collect();
        // Axes from the fastest; usually the last one.
        let mut order = moves.clone();
        order.reverse();
        // Kernels that call functions are made for neighbours only.
        let odd = !self.functions || self.random.one_in(8);
        if odd && self.random.one_in(3) && order.len() > 1 {
            let other = self.random.below(order.len());
            order.swap(0, other);
        }
        let size = dtype.size();
        let mut step = if odd && self.random.one_in(4) { 2 } else { 1 };
        let mut signed = vec![0i64; rank];
        let (mut low, mut high) = (0i64, 0i64);
        for axis in order {
            let negative = odd && self.random.one_in(6);
            signed[axis] = if negative {
                -(step as i64)
            } else {
                step as i64
            };
            let last = signed[axis] * (self.extents[axis].max(1) as i64 - 1);
            low += last.min(0);
            high += last.max(0);
            step *= self.extents[axis].max(1) + self.random.below(2);
        }
        // Canaries on both sides; the buffer is aligned to one element, not to a vector.
        let pad = 3;
        let elements = (high - low) as usize + 1 + 2 * pad;
        let bytes = (0..elements)
            .flat_map(|_| number_bytes(self.random, dtype))
            .collect();
        let first = ((-low) as usize + pad) * size;
        self.buffers.push((bytes, first));
        let classes: SmallVec<[Stride; 4]> = signed
            .iter()
            .map(|&s| match s {
                0 => Stride::Zero,
                1 => Stride::Unit,
                _ => Stride::Parameter,
            })
            .collect();
        for (&stride, class) in signed.iter().zip(&classes) {
            if *class == Stride::Parameter {
                self.strides.push(stride * size as i64);
            }
        }
        self.kernel.slots.push(Slot {
            dtype,
            strides: classes,
        });
        self.kernel.slots.len() as u16 - 1
    }

    fn load(&mut self, section: Section) -> Value {
        let dtype = if self.functions && !self.random.one_in(4) {
            self.random.pick(&[DType::Float64, DType::Float32])
        } else {
            self.random.pick(&DTYPES)
        };
        let slot = self.slot(dtype, section, false);
        let value = self.value(dtype);
        self.section(section)
            .push((value, Operation::Load { slot }));
        value
    }

    fn store(&mut self, section: Section, value: Value) {
        let dtype = self.kernel.dtypes[value as usize];
        let slot = self.slot(dtype, section, true);
        self.section(section)
            .push((value, Operation::Store { slot, value }));
    }

    fn zero(&mut self, section: Section, dtype: DType) -> Value {
        self.literal_of(section, dtype, &[0; 16][..dtype.size()])
    }

    fn literal(&mut self, section: Section, dtype: DType) -> Value {
        let words = number_bytes(self.random, dtype);
        self.literal_of(section, dtype, &words)
    }

    fn literal_of(&mut self, section: Section, dtype: DType, words: &[u8]) -> Value {
        let part = if dtype.is_complex() {
            dtype.size() / 2
        } else {
            dtype.size()
        };
        for word in words.chunks(part) {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            let mut number = i64::from_le_bytes(bytes);
            if dtype == DType::Int32 {
                number = i64::from(number as i32);
            }
            self.literals.push(number);
        }
        self.kernel.literals.push(dtype);
        let index = self.kernel.literals.len() as u16 - 1;
        let value = self.value(dtype);
        self.section(section)
            .push((value, Operation::Literal { index }));
        value
    }

    fn map(&mut self, section: Section, op: Op, inputs: &[Value], dtype: DType) -> Value {
        let value = self.value(dtype);
        let inputs = inputs.iter().copied().collect();
        self.section(section)
            .push((value, Operation::Map { op, inputs, dtype }));
        value
    }

    /// A value in a dtype, cast if it has another.
    fn cast(&mut self, section: Section, value: Value, dtype: DType) -> Value {
        if self.kernel.dtypes[value as usize] == dtype {
            return value;
        }
        self.map(section, Op::Astype { dtype }, &[value], dtype)
    }

    /// A random op on some of the values.
    fn operation(&mut self, section: Section, values: &[Value]) -> Value {
        let x = self.random.pick(values);
        let dtype = self.kernel.dtypes[x as usize];
        let y = if self.random.one_in(4) {
            self.literal(section, dtype)
        } else {
            let y = self.random.pick(values);
            self.cast(section, y, dtype)
        };
        let real = dtype.real();
        let is_float = dtype.is_float();
        let is_bool = dtype == DType::Bool;
        let is_complex = dtype.is_complex();
        if is_float && self.functions {
            if self.random.one_in(3) {
                // Halves, ones and twos: sums of these are exact too.
                let sign = self.map(section, Op::Sign, &[x], dtype);
                return self.map(section, Op::Exp2, &[sign], dtype);
            }
            if !self.sums && self.random.one_in(3) {
                if self.random.one_in(3) {
                    return self.map(section, Op::Power, &[x, y], dtype);
                }
                let ops = [Op::Exp, Op::Log, Op::Tanh, Op::Sin];
                let op = self.random.pick(&ops);
                return self.map(section, op, &[x], dtype);
            }
        }
        // Operations that leave small integers small enough.
        loop {
            let (op, inputs, result): (Op, &[Value], DType) = match self.random.below(26) {
                0 => (Op::Add, &[x, y], dtype),
                1 if !is_bool => (Op::Subtract, &[x, y], dtype),
                2 if self.kernel.dtypes.len() < 12 => (Op::Multiply, &[x, y], dtype),
                3 if !is_bool => (Op::Negative, &[x], dtype),
                4 => (Op::Conj, &[x], dtype),
                5 => (Op::Real, &[x], real),
                6 => (Op::Imag, &[x], real),
                7 if !is_complex => (Op::Absolute, &[x], dtype),
                8 if !is_complex && !is_bool => (Op::Sign, &[x], dtype),
                9 if !is_complex => (Op::Maximum, &[x, y], dtype),
                10 if !is_complex => (Op::Minimum, &[x, y], dtype),
                11 => (Op::Equal, &[x, y], DType::Bool),
                12 => (Op::NotEqual, &[x, y], DType::Bool),
                13 => (Op::Less, &[x, y], DType::Bool),
                14 => (Op::LessEqual, &[x, y], DType::Bool),
                15 if is_float => (Op::Floor, &[x], dtype),
                16 if is_float => (Op::Ceil, &[x], dtype),
                17 if is_float => (Op::Trunc, &[x], dtype),
                18 if is_float || is_complex => (Op::Rint, &[x], dtype),
                19 if is_float => {
                    // Signs of NaN mean nothing, so not that of a result.
                    let sign = self.literal(section, dtype);
                    return self.map(section, Op::Copysign, &[x, sign], dtype);
                }
                20 if is_bool => (
                    self.random.pick(&[Op::LogicalAnd, Op::LogicalOr]),
                    &[x, y],
                    dtype,
                ),
                21 if is_bool => (Op::LogicalNot, &[x], dtype),
                22 if !is_float && !is_complex => {
                    let ops = [Op::BitwiseAnd, Op::BitwiseOr, Op::BitwiseXor];
                    (self.random.pick(&ops), &[x, y], dtype)
                }
                23 if is_float && !self.sums => (Op::Sqrt, &[x], dtype),
                24 if (is_float || is_complex) && !self.sums => (Op::Divide, &[x, y], dtype),
                25 => {
                    let dtype = self.random.pick(&DTYPES);
                    return self.cast(section, x, dtype);
                }
                _ => continue,
            };
            let inputs: SmallVec<[Value; 2]> = inputs.iter().copied().collect();
            return self.map(section, op, &inputs, result);
        }
    }

    fn select(&mut self, section: Section, values: &[Value]) -> Value {
        let condition = self.random.pick(values);
        let condition = self.cast(section, condition, DType::Bool);
        let x = self.random.pick(values);
        let dtype = self.kernel.dtypes[x as usize];
        let y = self.random.pick(values);
        let y = self.cast(section, y, dtype);
        self.map(section, Op::Where, &[condition, x, y], dtype)
    }
}

fn random_case(random: &mut Random) -> Case {
    let reduces = !random.one_in(3);
    let (outer_rank, inner_rank) = if reduces {
        (random.below(3), random.below(3))
    } else {
        (0, random.below(4))
    };
    let rank = outer_rank + inner_rank;
    let mut extents: Vec<usize> = (0..rank).map(|_| random.below(5)).collect();
    for axis in [outer_rank.checked_sub(1), rank.checked_sub(1)]
        .into_iter()
        .flatten()
    {
        extents[axis] = if random.one_in(8) {
            random.below(700)
        } else {
            random.below(41)
        };
    }
    let functions = random.one_in(3);
    let mut builder = Builder {
        random,
        kernel: Kernel {
            outer_rank,
            inner_rank,
            ..Kernel::default()
        },
        extents,
        buffers: Vec::new(),
        strides: Vec::new(),
        literals: Vec::new(),
        sums: reduces,
        functions,
    };
    let mut outer_values: Vec<Value> = Vec::new();
    if reduces {
        let mut values = Vec::new();
        for _ in 0..1 + builder.random.below(3) {
            values.push(builder.load(Section::Before));
        }
        for _ in 0..builder.random.below(5) {
            let value = if builder.random.one_in(6) {
                builder.select(Section::Before, &values)
            } else {
                builder.operation(Section::Before, &values)
            };
            values.push(value);
        }
        for _ in 0..1 + builder.random.below(2) {
            let input = builder.random.pick(&values);
            let dtype = builder.kernel.dtypes[input as usize];
            let op = match builder.random.below(4) {
                _ if dtype == DType::Bool => builder.random.pick(&[ReduceOp::Any, ReduceOp::All]),
                0 if !dtype.is_complex() => ReduceOp::Max,
                1 if !dtype.is_complex() => ReduceOp::Min,
                _ => ReduceOp::Sum,
            };
            // Which of two zeros is the largest depends on the order, so there is but one.
            let is_extremum = matches!(op, ReduceOp::Max | ReduceOp::Min);
            let input = if is_extremum && dtype.is_float() {
                let zero = builder.zero(Section::Before, dtype);
                builder.map(Section::Before, Op::Add, &[input, zero], dtype)
            } else {
                input
            };
            let value = builder.value(dtype);
            builder
                .kernel
                .before
                .push((value, Operation::Reduce { op, input }));
            outer_values.push(value);
        }
        if builder.random.one_in(3) {
            let value = builder.random.pick(&values);
            builder.store(Section::Before, value);
        }
        builder.sums = false;
        if builder.random.one_in(2) {
            outer_values.push(builder.load(Section::Outer));
        }
        for _ in 0..builder.random.below(3) {
            let value = builder.operation(Section::Outer, &outer_values);
            outer_values.push(value);
        }
        let last = *outer_values.last().unwrap();
        builder.store(Section::Outer, last);
    }
    if !reduces || builder.random.one_in(2) {
        let mut values = outer_values;
        for _ in 0..1 + builder.random.below(3) {
            values.push(builder.load(Section::After));
        }
        for _ in 0..builder.random.below(7) {
            let value = if builder.random.one_in(6) {
                builder.select(Section::After, &values)
            } else {
                builder.operation(Section::After, &values)
            };
            values.push(value);
        }
        let last = *values.last().unwrap();
        builder.store(Section::After, last);
        if builder.random.one_in(3) {
            let value = builder.random.pick(&values);
            builder.store(Section::After, value);
        }
    }
    let inner: usize = builder.extents[outer_rank..].iter().product();
    builder.kernel.short = inner_rank <= 1 && inner <= crate::backends::cranelift::kernel::SHORT;
    if let Some(&innermost) = builder.extents.last() {
        builder.kernel.specialise(innermost);
    }
    let mut parameters: Vec<i64> = builder.extents.iter().map(|&n| n as i64).collect();
    parameters.extend(builder.strides);
    parameters.extend(builder.literals);
    Case {
        kernel: builder.kernel,
        parameters,
        buffers: builder.buffers,
    }
}

/// Runs a kernel on copies of the buffers, at addresses that are no multiple of a vector; gives what is in them then.
fn run(function: link::KernelFunction, case: &Case) -> Vec<Vec<u8>> {
    let mut memory: Vec<Vec<u8>> = Vec::new();
    let mut starts = Vec::new();
    for ((bytes, _), slot) in case.buffers.iter().zip(&case.kernel.slots) {
        let mut block = vec![0u8; bytes.len() + 128];
        let size = slot.dtype.size();
        let start = block.as_ptr().align_offset(64) + size;
        block[start..start + bytes.len()].copy_from_slice(bytes);
        memory.push(block);
        starts.push(start);
    }
    let pointers: Vec<*mut u8> = memory
        .iter_mut()
        .zip(&starts)
        .zip(&case.buffers)
        .map(|((block, &start), (_, first))| block[start + first..].as_mut_ptr())
        .collect();
    // SAFETY: the buffers hold all elements that the extents and strides reach, and the kernel cannot fail.
    unsafe { function(pointers.as_ptr(), case.parameters.as_ptr()) };
    memory
        .into_iter()
        .zip(starts)
        .zip(&case.buffers)
        .map(|((block, start), (bytes, _))| block[start..start + bytes.len()].to_vec())
        .collect()
}

/// Whether two buffers hold the same elements.
fn same(a: &[u8], b: &[u8], dtype: DType) -> bool {
    let part = if dtype.is_complex() {
        dtype.size() / 2
    } else {
        dtype.size()
    };
    let is_float = dtype.is_float() || dtype.is_complex();
    a.chunks(part).zip(b.chunks(part)).all(|(a, b)| {
        if a == b || !is_float {
            return a == b;
        }
        let number = |bytes: &[u8]| match bytes.len() {
            4 => f64::from(f32::from_le_bytes(bytes.try_into().unwrap())),
            _ => f64::from_le_bytes(bytes.try_into().unwrap()),
        };
        let (a, b) = (number(a), number(b));
        a.is_nan() && b.is_nan()
    })
}

/// Runs a kernel by a plan and by Cranelift.
fn compare(case: &Case, plan: &Plan, reference: link::KernelFunction) -> Option<()> {
    let code = emitter::emit(plan).ok()?;
    read(&code);
    let (pages, offsets) = Pages::new(&[&code]).unwrap();
    // SAFETY: the emitter writes functions of this type.
    let function = unsafe {
        std::mem::transmute::<*const u8, link::KernelFunction>(pages.address(offsets[0]))
    };
    let (got, expected) = (run(function, case), run(reference, case));
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let dtype = case.kernel.slots[index].dtype;
        assert!(
            same(got, expected, dtype),
            "slot {index}, {:?} {} {:?} {:?}, parameters {:?}\n{:#?}\n{got:?}\n{expected:?}\n{}",
            plan.lanes,
            plan.unroll,
            plan.order,
            plan.fixed,
            case.parameters,
            case.kernel,
            read(&code).join("\n"),
        );
    }
    Some(())
}

#[test]
fn random_kernels_do_what_cranelifts_do() {
    if !*IS_WIDE {
        return;
    }
    let mut random = Random(7);
    let mut refusals: BTreeMap<Refusal, u32> = BTreeMap::new();
    let mut calling = 0;
    let (mut fixed, mut inner, mut outer, mut one) = (0, 0, 0, 0);
    for _ in 0..40 {
        // Together, because Cranelift's modules are slow to set up.
        let cases: Vec<Case> = (0..25).map(|_| random_case(&mut random)).collect();
        let kernels: Vec<&Kernel> = cases.iter().map(|c| &c.kernel).collect();
        let compiled = link::compile_by_cranelift(&kernels).unwrap();
        for (case, compiled) in cases.iter().zip(&compiled) {
            let mut plans = Vec::new();
            let mut refusal = None;
            for lanes in plan::choices(&case.kernel).unwrap() {
                match plan::plans(&case.kernel, lanes) {
                    Ok(more) => plans.extend(more),
                    Err(why) => refusal = Some(why),
                }
            }
            if let Some(why) = refusal.filter(|_| plans.is_empty()) {
                *refusals.entry(why).or_default() += 1;
            }
            for plan in &plans {
                if compare(case, plan, compiled.function).is_some() {
                    calling += u32::from(plan.has_calls);
                    match plan.lanes {
                        Lanes::Inner if plan.fixed.is_some() => fixed += 1,
                        Lanes::Inner => inner += 1,
                        Lanes::Outer => outer += 1,
                        Lanes::One => one += 1,
                    }
                }
            }
        }
    }
    let counts = [fixed, inner, outer, one];
    assert!(counts.iter().all(|&n| n > 100), "{counts:?}");
    assert!(calling > 100, "{calling}, {refusals:?}");
    assert!(refusals.values().sum::<u32>() < 200, "{refusals:?}");
}
