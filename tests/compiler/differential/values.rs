//! Arguments for tests: ordinary and special values of each dtype, from a small deterministic generator.

use std::f64::consts::FRAC_1_SQRT_2;

use autojit::ir::{ArrayType, Class, Graph, HostArray, MapOp, Op, Scalar, ValueId};
use autojit::{DType, Result};
use num_complex::Complex64;

/// Marsaglia's xorshift.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 11) % n.max(1) as u64) as usize
    }

    /// Uniform in -1..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// The seed of values and graphs.
pub(crate) fn seed() -> u64 {
    let text = std::env::var("AUTOJIT_SEED");
    text.map_or(1, |s| s.parse().expect("AUTOJIT_SEED is a number"))
}

/// The use of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Any number of the dtype under test.
    Number,
    /// Numbers whose sums and products stay finite: special values without huge ones.
    Moderate,
    /// Numbers near one in magnitude, for long products.
    NearOne,
    /// The same without special values, for decompositions.
    Finite,
    /// Exponents: for integers not negative.
    Exponent,
    /// Indices into an axis of this size, of any integer dtype, from both ends.
    Index(usize),
    /// Truth values.
    Truth,
}

/// Which values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    Ordinary,
    /// Infinities, NaN, signed zeros, subnormal and huge numbers, the ends of integer ranges.
    Special,
}

fn special_real(random: &mut Random, dtype: DType, role: Role) -> f64 {
    let single = dtype.real() == DType::Float32;
    let (smallest, tiny, huge) = if single {
        (1e-45, 1.1e-38, f64::from(f32::MAX))
    } else {
        (5e-324, 1.1e-308, f64::MAX)
    };
    let list = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -2.5,
        2.0,
        3.0,
        -7.0,
        1e-3,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        // The rest is not for roles that add and multiply.
        smallest,
        -smallest,
        tiny,
        -tiny,
        huge,
        -huge,
        1e16,
        -1e16,
        709.5,
        -745.5,
        1e22,
    ];
    let count = match role {
        Role::NearOne => {
            return [
                0.0,
                -0.0,
                1.0,
                -1.0,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NAN,
            ][random.below(7)];
        }
        Role::Number if !(single && dtype.is_complex()) => list.len(),
        _ => 13,
    };
    list[random.below(count)]
}

fn special_integer(random: &mut Random, dtype: DType) -> i64 {
    // Those of uint64 that int64 does not have are reached by casts of negative numbers.
    let (low, high) = match dtype.integer_range() {
        Some((low, high)) if dtype != DType::Uint64 => (low as i64, high as i64),
        _ => (i64::MIN, i64::MAX),
    };
    let list = [
        low,
        high,
        low + 1,
        high - 1,
        0,
        1,
        -1,
        2,
        3,
        -3,
        7,
        100,
        (1 << 53) + 1,
    ];
    list[random.below(list.len())]
}

fn real(random: &mut Random, dtype: DType, role: Role, set: Set) -> f64 {
    match (role, set) {
        (Role::NearOne, Set::Ordinary) | (Role::Finite, _) => {
            let size = 0.7 + 0.7 * random.unit().abs();
            let size = if dtype.is_complex() {
                size * FRAC_1_SQRT_2
            } else {
                size
            };
            if random.next() & 1 == 0 { size } else { -size }
        }
        (_, Set::Special) => special_real(random, dtype, role),
        _ => 4.0 * random.unit(),
    }
}

fn scalar(random: &mut Random, dtype: DType, role: Role, set: Set) -> Scalar {
    match (role, dtype.class()) {
        (Role::Index(n), _) => {
            let i = random.below(n) as i64;
            let from_end = !dtype.is_unsigned() && random.next() & 1 == 0;
            Scalar::Int(if from_end { i - n as i64 } else { i })
        }
        (Role::Truth, _) | (_, Class::Bool) => Scalar::Bool(random.next() & 16 == 0),
        (Role::Finite, Class::Integer) => Scalar::Int(random.below(6) as i64),
        (Role::Exponent, Class::Integer) => Scalar::Int(random.below(70) as i64),
        (_, Class::Integer) if set == Set::Special => {
            Scalar::Int(special_integer(random, dtype)).cast(dtype)
        }
        (_, Class::Integer) => Scalar::Int(random.below(23) as i64 - 8).cast(dtype),
        (_, Class::Float) => Scalar::Float(real(random, dtype, role, set)).cast(dtype),
        (_, Class::Complex) => {
            let (re, im) = (
                real(random, dtype, role, set),
                real(random, dtype, role, set),
            );
            Scalar::Complex(Complex64::new(re, im)).cast(dtype)
        }
    }
}

/// An array of values.
pub(crate) fn array(random: &mut Random, ty: &ArrayType, role: Role, set: Set) -> HostArray {
    let data: Vec<Scalar> = (0..ty.size())
        .map(|_| scalar(random, ty.dtype, role, set))
        .collect();
    HostArray::from_scalars(ty, &data).expect("as many elements as the type has")
}

/// Matrices plus a diagonal that outweighs the rest of each row, which may have to be of a wider dtype.
pub(crate) fn dominant(graph: &mut Graph, x: ValueId, size: i64) -> Result<ValueId> {
    let ty = graph.ty(x)?.clone();
    let mut diagonal = ty.with_dtype(match ty.dtype.class() {
        Class::Bool | Class::Integer => DType::Int64,
        _ => ty.dtype,
    });
    diagonal.shape.drain(..ty.ndim() - 2);
    let (rows, columns) = (diagonal.shape[0], diagonal.shape[1]);
    let element = |i: usize| Scalar::Int(if i / columns == i % columns { size } else { 0 });
    let data: Vec<Scalar> = (0..rows * columns).map(element).collect();
    let diagonal = HostArray::from_scalars(&diagonal, &data).expect("as many elements");
    let diagonal = graph.add_constant(diagonal);
    graph.push(Op::Map(MapOp::Add), &[x, diagonal], None)
}
