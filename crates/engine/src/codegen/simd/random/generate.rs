//! Random kernels, with memory that they run on.
//!
//! Numbers are small integers, infinities, NaN and zeros of both signs; and in other buffers fractions, whose sums and products are
//! rounded.

use smallvec::SmallVec;

use crate::kernel::{Fold, Kernel, Operation, Slot, Stride, Value};
use autojit_ir::{DType, MapOp};
use autojit_runtime::sum::BLOCK;

/// A source of choices: bytes that a fuzzer gives, and behind their end numbers that look random (Vigna's splitmix64).
pub(in crate::codegen) struct Random<'b> {
    bytes: &'b [u8],
    state: u64,
}

impl<'b> Random<'b> {
    /// Numbers that look random.
    #[cfg(test)]
    pub(in crate::codegen) fn new(seed: u64) -> Self {
        Self {
            bytes: &[],
            state: seed,
        }
    }

    /// The choices that bytes are.
    pub(in crate::codegen) fn of(bytes: &'b [u8]) -> Self {
        Self { bytes, state: 0 }
    }

    fn next(&mut self) -> u64 {
        // No choice is among more than 65536.
        if let [low, high, rest @ ..] = self.bytes {
            self.bytes = rest;
            return u64::from(u16::from_le_bytes([*low, *high]));
        }
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.state ^ self.state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
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
pub(in crate::codegen) struct Case {
    pub(in crate::codegen) kernel: Kernel,
    pub(in crate::codegen) parameters: Vec<i64>,
    /// The bytes of each slot's buffer, and the offset of its first element.
    pub(in crate::codegen) buffers: Vec<(Vec<u8>, usize)>,
}

struct Builder<'a, 'b> {
    random: &'a mut Random<'b>,
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

fn number_bytes(random: &mut Random<'_>, dtype: DType, fractions: bool) -> Vec<u8> {
    let real = |random: &mut Random<'_>| match random.below(24) {
        _ if fractions => (random.below(20_001) as f64 - 10_000.0) / 3_000.0,
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
        DType::Int8 | DType::Uint8 => vec![integer as u8],
        DType::Int16 | DType::Uint16 => (integer as i16).to_le_bytes().to_vec(),
        DType::Int32 | DType::Uint32 => (integer as i32).to_le_bytes().to_vec(),
        DType::Int64 | DType::Uint64 => integer.to_le_bytes().to_vec(),
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

impl Builder<'_, '_> {
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
        let fractions = self.random.one_in(2);
        let bytes = (0..elements)
            .flat_map(|_| number_bytes(self.random, dtype, fractions))
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
        let words = number_bytes(self.random, dtype, false);
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

    fn map(&mut self, section: Section, op: MapOp, inputs: &[Value], dtype: DType) -> Value {
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
        self.map(section, MapOp::Astype { dtype }, &[value], dtype)
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
                let sign = self.map(section, MapOp::Sign, &[x], dtype);
                return self.map(section, MapOp::Exp2, &[sign], dtype);
            }
            if !self.sums && self.random.one_in(3) {
                if self.random.one_in(3) {
                    return self.map(section, MapOp::Power, &[x, y], dtype);
                }
                let ops = [MapOp::Exp, MapOp::Log, MapOp::Tanh, MapOp::Sin];
                let op = self.random.pick(&ops);
                return self.map(section, op, &[x], dtype);
            }
        }
        // Operations that leave small integers small enough.
        loop {
            let (op, inputs, result): (MapOp, &[Value], DType) = match self.random.below(26) {
                0 => (MapOp::Add, &[x, y], dtype),
                1 if !is_bool => (MapOp::Subtract, &[x, y], dtype),
                2 if self.kernel.dtypes.len() < 12 => (MapOp::Multiply, &[x, y], dtype),
                3 if !is_bool => (MapOp::Negative, &[x], dtype),
                4 => (MapOp::Conj, &[x], dtype),
                5 => (MapOp::Real, &[x], real),
                6 => (MapOp::Imag, &[x], real),
                7 if !is_complex => (MapOp::Absolute, &[x], dtype),
                8 if !is_complex && !is_bool => (MapOp::Sign, &[x], dtype),
                9 if !is_complex => (MapOp::Maximum, &[x, y], dtype),
                10 if !is_complex => (MapOp::Minimum, &[x, y], dtype),
                11 => (MapOp::Equal, &[x, y], DType::Bool),
                12 => (MapOp::NotEqual, &[x, y], DType::Bool),
                13 => (MapOp::Less, &[x, y], DType::Bool),
                14 => (MapOp::LessEqual, &[x, y], DType::Bool),
                15 if is_float => (MapOp::Floor, &[x], dtype),
                16 if is_float => (MapOp::Ceil, &[x], dtype),
                17 if is_float => (MapOp::Trunc, &[x], dtype),
                18 if is_float || is_complex => (MapOp::Rint, &[x], dtype),
                19 if is_float => {
                    // Signs of NaN mean nothing, so not that of a result.
                    let sign = self.literal(section, dtype);
                    return self.map(section, MapOp::Copysign, &[x, sign], dtype);
                }
                20 if is_bool => (
                    self.random.pick(&[MapOp::LogicalAnd, MapOp::LogicalOr]),
                    &[x, y],
                    dtype,
                ),
                21 if is_bool => (MapOp::LogicalNot, &[x], dtype),
                22 if !is_float && !is_complex => {
                    let ops = [MapOp::BitwiseAnd, MapOp::BitwiseOr, MapOp::BitwiseXor];
                    (self.random.pick(&ops), &[x, y], dtype)
                }
                23 if is_float && !self.sums => (MapOp::Sqrt, &[x], dtype),
                24 if (is_float || is_complex) && !self.sums => (MapOp::Divide, &[x, y], dtype),
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
        self.map(section, MapOp::Where, &[condition, x, y], dtype)
    }
}

pub(in crate::codegen) fn random_case(random: &mut Random<'_>) -> Case {
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
                _ if dtype == DType::Bool => builder.random.pick(&[Fold::Any, Fold::All]),
                0 if !dtype.is_complex() => Fold::Max,
                1 if !dtype.is_complex() => Fold::Min,
                _ => Fold::Sum,
            };
            // Which of two zeros is the largest depends on the order, so there is but one.
            let is_extremum = matches!(op, Fold::Max | Fold::Min);
            let input = if is_extremum && dtype.is_float() {
                let zero = builder.zero(Section::Before, dtype);
                builder.map(Section::Before, MapOp::Add, &[input, zero], dtype)
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
    let reductions = builder.kernel.before.iter();
    let has_sums = reductions.clone().any(|(value, operation)| {
        matches!(operation, Operation::Reduce { op, .. } if builder.kernel.is_ordered_sum(*value, *op))
    });
    let inner: usize = builder.extents[outer_rank..].iter().product();
    builder.kernel.short = inner_rank <= 1 && inner <= BLOCK;
    if has_sums {
        builder.kernel.row_rank = inner_rank.min(1);
    }
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
