//! Random well-typed graphs, decoded from numbers, so that they can be shrunk and come from a fuzzer.
//!
//! Differences in rounding must not be amplified by what follows, or every tolerance would be wrong. So
//! each value is known to be *whole* (whole numbers, so small that sums are exact in any order), *exact* (the
//! same bits on every engine, as IEEE arithmetic gives them element by element) or *rounded*; rounded values
//! are only moved and returned.

use autojit::ir::index::{IndexItem, IndexKey, Slicing};
use autojit::ir::scatter::ScatterMode;
use autojit::ir::{
    Class, ContractOp, Dims, Graph, HostArray, IndexOp, JoinOp, MapOp, Op, ReduceOp, ScanOp, Shape,
    SortOp, ValueId, ViewOp, broadcast_shapes,
};
use autojit::{ArrayType, DType, Scalar};

#[path = "decompositions.rs"]
mod decompositions;

use super::compare::Tolerance;
use super::values::{Random, Role, Set, array};

/// A program as numbers: what each means depends on what was built before.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub(crate) inputs: Vec<(u8, u8)>,
    pub(crate) steps: Vec<[u16; 4]>,
    pub(crate) outputs: Vec<u16>,
    pub(crate) seed: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    /// Whole numbers of at most this size.
    Whole(f64),
    Exact,
    Rounded,
}

#[derive(Clone, Debug)]
struct Value {
    id: ValueId,
    ty: ArrayType,
    level: Level,
    /// Zeros may have either sign.
    any_zero: bool,
}

/// A graph with arguments, and how exact its results must be.
pub(crate) struct Program {
    pub(crate) graph: Graph,
    pub(crate) inputs: Vec<HostArray>,
    pub(crate) tolerances: Vec<Tolerance>,
}

const SHAPES: [&[usize]; 20] = [
    &[4],
    &[3, 4],
    &[],
    &[1],
    &[3],
    &[4, 3],
    &[1, 4],
    &[3, 1],
    &[2, 3, 4],
    &[9],
    &[3, 3],
    &[40],
    &[2, 3],
    &[5, 40],
    &[0],
    &[3, 0],
    &[300],
    &[2, 1, 4],
    &[40, 5],
    &[2, 2, 2],
];

/// Rows and columns of the programs in which most shapes broadcast together, so that loops are shared.
const ROWS: [[usize; 2]; 12] = [
    [3, 4],
    [5, 40],
    [2, 9],
    [1, 5],
    [3, 300],
    [4, 1],
    [7, 3],
    [40, 5],
    [2, 257],
    [3, 17],
    [9, 8],
    [0, 3],
];

const DTYPES: [DType; 17] = [
    DType::Float64,
    DType::Complex128,
    DType::Float32,
    DType::Int64,
    DType::Bool,
    DType::Float64,
    DType::Complex64,
    DType::Int32,
    DType::Uint8,
    DType::Float64,
    DType::Complex128,
    DType::Int8,
    DType::Float64,
    DType::Uint64,
    DType::Int16,
    DType::Uint32,
    DType::Uint16,
];

/// Whole numbers up to this are exact.
fn limit(dtype: DType) -> f64 {
    match dtype {
        DType::Bool => 1.0,
        DType::Int8 => 128.0,
        DType::Uint8 => 255.0,
        DType::Int16 => 2.0f64.powi(15),
        DType::Uint16 => 65_535.0,
        DType::Int32 => 2.0f64.powi(31),
        DType::Uint32 => 2.0f64.powi(32),
        DType::Int64 => 2.0f64.powi(63),
        DType::Uint64 => 2.0f64.powi(64),
        DType::Float32 | DType::Complex64 => 2.0f64.powi(24),
        DType::Float64 | DType::Complex128 => 2.0f64.powi(53),
    }
}

/// The level of a correctly rounded result whose exact value is a whole number of at most this size. Where there is no sign,
/// a small negative number is a large one.
fn whole(bound: f64, dtype: DType) -> Level {
    if dtype.is_unsigned() {
        Level::Whole(limit(dtype))
    } else if bound <= limit(dtype) {
        Level::Whole(bound)
    } else if dtype.class() <= Class::Integer {
        // It wraps, the same way everywhere.
        Level::Whole(limit(dtype))
    } else {
        Level::Exact
    }
}

struct Builder {
    graph: Graph,
    values: Vec<Value>,
    inputs: Vec<HostArray>,
    random: Random,
    shapes: Vec<Vec<usize>>,
    /// Whether most steps are elementwise or reductions.
    fusing: bool,
}

impl Builder {
    fn pick(&self, number: u16, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let fitting: Vec<&Value> = self.values.iter().filter(|v| fits(v)).collect();
        // Late values first, and often, so that chains grow.
        let from = if number & 1 == 0 {
            fitting.len().min(4)
        } else {
            fitting.len()
        };
        let index = (number as usize / 2).checked_rem(from)?;
        Some(fitting[fitting.len() - 1 - index].clone())
    }

    /// Adds an op if its inputs fit.
    fn push(&mut self, op: Op, inputs: &[&Value], level: Level, any_zero: bool) -> Option<()> {
        let ids: Vec<ValueId> = inputs.iter().map(|v| v.id).collect();
        let id = self.graph.push(op, &ids, None).ok()?;
        let ty = self.graph.ty(id).ok()?.clone();
        if ty.size() > 20_000 {
            return None;
        }
        let any_zero = any_zero || inputs.iter().any(|v| v.any_zero);
        self.values.push(Value {
            id,
            ty,
            level,
            any_zero,
        });
        Some(())
    }

    fn leaf(&mut self, dtype: DType, shape: &[usize], special: bool) -> (HostArray, Level) {
        let ty = ArrayType::new(dtype, shape);
        if special {
            return (
                array(&mut self.random, &ty, Role::Number, Set::Special),
                Level::Exact,
            );
        }
        let random = &mut self.random;
        let mut number = || random.below(9) as f64 - 4.0;
        let scalars: Vec<Scalar> = (0..ty.size())
            .map(|_| {
                // Never -0, which sums may lose.
                let z = num_complex::Complex64::new(number(), number());
                if dtype.is_complex() {
                    Scalar::Complex(z)
                } else {
                    Scalar::Float(z.re).cast(dtype)
                }
            })
            .collect();
        let array = HostArray::from_scalars(&ty, &scalars).expect("as many as the type has");
        // -4 wraps without a sign.
        let bound = if dtype.is_unsigned() {
            limit(dtype)
        } else {
            4.0
        };
        (array, Level::Whole(bound.min(limit(dtype))))
    }

    fn add_input(&mut self, dtype: u8, shape: u8) {
        let (dtype, shape) = (
            DTYPES[dtype as usize % DTYPES.len()],
            self.shapes[shape as usize % 20].clone(),
        );
        let special = (self.fusing || shape.len() == 1) && self.random.below(3) == 0;
        let (array, level) = self.leaf(dtype, &shape, special);
        let id = self.graph.add_input(array.ty());
        self.values.push(Value {
            id,
            ty: array.ty(),
            level,
            any_zero: false,
        });
        self.inputs.push(array);
    }

    fn step(&mut self, [kind, a, b, c]: [u16; 4]) -> Option<()> {
        let kind = if self.fusing && kind % 3 != 0 {
            (kind / 3) % 11
        } else {
            kind
        };
        match kind % 20 {
            0 | 1 => self.unary(a, b),
            2..=5 => self.binary(a, b, c),
            6 => self.select(a, b, c),
            7..=9 => self.reduce(a, b, c),
            10 => self.function(a, b),
            11 => self.product(a, b, c),
            12..=14 => self.view(a, b, c),
            15 => self.take(a, b, c),
            16 | 17 => self.join(a, b, c),
            18 => self.cast(a, b),
            _ => self.constant(a, b, c),
        }
    }

    fn unary(&mut self, a: u16, b: u16) -> Option<()> {
        let x = self.pick(a, |v| v.level != Level::Rounded)?;
        let (dtype, complex) = (x.ty.dtype, x.ty.dtype.is_complex());
        let op = [
            Op::Map(MapOp::Negative),
            Op::Map(MapOp::Absolute),
            Op::Map(MapOp::Square),
            Op::Map(MapOp::Conj),
            Op::Map(MapOp::Real),
            Op::Map(MapOp::Imag),
            Op::Map(MapOp::LogicalNot),
            Op::Map(MapOp::IsNan),
            Op::Map(MapOp::Sign),
            Op::Map(MapOp::Reciprocal),
            Op::Map(MapOp::Sqrt),
            Op::Map(MapOp::IsInf),
            Op::Map(MapOp::IsFinite),
            Op::Map(MapOp::Floor),
            Op::Map(MapOp::Ceil),
            Op::Map(MapOp::Trunc),
            Op::Map(MapOp::Rint),
            Op::Map(MapOp::Invert),
        ][b as usize % 18]
            .clone();
        let level = match (&op, x.level) {
            (Op::Map(MapOp::LogicalNot | MapOp::IsNan | MapOp::IsInf | MapOp::IsFinite), _) => {
                Level::Whole(1.0)
            }
            (Op::Map(MapOp::Invert), _) => Level::Whole(limit(dtype)),
            (Op::Map(MapOp::Rint), Level::Whole(n)) => whole(n, dtype.floating()),
            (Op::Map(MapOp::Square), Level::Whole(n)) => multiplied(n, n, dtype),
            (Op::Map(MapOp::Square), _) if dtype == DType::Complex64 => Level::Rounded,
            (Op::Map(MapOp::Absolute | MapOp::Sign | MapOp::Reciprocal | MapOp::Sqrt), _)
                if complex =>
            {
                Level::Rounded
            }
            (Op::Map(MapOp::Reciprocal), level) if dtype.is_integer() => level,
            (Op::Map(MapOp::Reciprocal | MapOp::Sqrt), _) => Level::Exact,
            (Op::Map(MapOp::Negative | MapOp::Absolute), Level::Whole(n)) => whole(n, dtype),
            (_, level) => level,
        };
        if x.any_zero && matches!(op, Op::Map(MapOp::Reciprocal | MapOp::Sqrt)) {
            return None;
        }
        // Negation makes -0, whose sign sums lose.
        self.push(op, &[&x], level, false)
    }

    fn binary(&mut self, a: u16, b: u16, c: u16) -> Option<()> {
        let x = self.pick(a, |v| v.level != Level::Rounded)?;
        let y = self.pick(b, |v| {
            v.level != Level::Rounded && broadcast_shapes(&x.ty.shape, &v.ty.shape).is_some()
        })?;
        let op = [
            Op::Map(MapOp::Add),
            Op::Map(MapOp::Multiply),
            Op::Map(MapOp::Subtract),
            Op::Map(MapOp::Maximum),
            Op::Map(MapOp::Less),
            Op::Map(MapOp::Minimum),
            Op::Map(MapOp::Divide),
            Op::Map(MapOp::Equal),
            Op::Map(MapOp::LessEqual),
            Op::Map(MapOp::LogicalAnd),
            Op::Map(MapOp::LogicalOr),
            Op::Map(MapOp::NotEqual),
            Op::Map(MapOp::Greater),
            Op::Map(MapOp::GreaterEqual),
            Op::Map(MapOp::LogicalXor),
            Op::Map(MapOp::FloorDivide),
            Op::Map(MapOp::Remainder),
            Op::Map(MapOp::Power),
            Op::Map(MapOp::Arctan2),
            Op::Map(MapOp::Add),
            Op::Map(MapOp::Multiply),
            Op::Map(MapOp::Fmod),
            Op::Map(MapOp::Hypot),
            Op::Map(MapOp::Copysign),
            Op::Map(MapOp::BitwiseAnd),
            Op::Map(MapOp::BitwiseOr),
            Op::Map(MapOp::BitwiseXor),
            Op::Map(MapOp::LeftShift),
            Op::Map(MapOp::RightShift),
        ][c as usize % 29]
            .clone();
        let dtype = x.ty.dtype.promote(y.ty.dtype);
        let is_floating = matches!(
            op,
            Op::Map(MapOp::Divide | MapOp::Arctan2 | MapOp::Hypot | MapOp::Copysign)
        );
        let dtype = if is_floating { dtype.floating() } else { dtype };
        // What promotion converts must still be exact.
        let converted = |level| match level {
            Level::Whole(n) => whole(n, dtype),
            other => other,
        };
        let levels = (converted(x.level), converted(y.level));
        let single = dtype == DType::Complex64;
        let any_zero = x.any_zero || y.any_zero;
        let level = match (&op, levels) {
            (Op::Map(MapOp::Add | MapOp::Subtract), (Level::Whole(m), Level::Whole(n))) => {
                whole(m + n, dtype)
            }
            (Op::Map(MapOp::Multiply), (Level::Whole(m), Level::Whole(n))) => {
                multiplied(m, n, dtype)
            }
            (Op::Map(MapOp::Multiply | MapOp::Divide), _) if single => Level::Rounded,
            (Op::Map(MapOp::Maximum | MapOp::Minimum), (Level::Whole(m), Level::Whole(n))) => {
                Level::Whole(m.max(n))
            }
            (
                Op::Map(
                    MapOp::Add
                    | MapOp::Subtract
                    | MapOp::Multiply
                    | MapOp::Maximum
                    | MapOp::Minimum,
                ),
                _,
            ) => Level::Exact,
            (
                Op::Map(
                    MapOp::Divide
                    | MapOp::FloorDivide
                    | MapOp::Remainder
                    | MapOp::Power
                    | MapOp::Arctan2
                    | MapOp::Fmod
                    | MapOp::Copysign,
                ),
                _,
            ) if any_zero => return None,
            (
                Op::Map(
                    MapOp::BitwiseAnd
                    | MapOp::BitwiseOr
                    | MapOp::BitwiseXor
                    | MapOp::LeftShift
                    | MapOp::RightShift,
                ),
                _,
            ) => Level::Whole(limit(dtype)),
            (Op::Map(MapOp::Copysign), (level, _)) => level,
            (Op::Map(MapOp::Hypot), _) => Level::Rounded,
            (
                Op::Map(MapOp::FloorDivide | MapOp::Remainder | MapOp::Fmod),
                (Level::Whole(m), Level::Whole(n)),
            ) if dtype.is_integer() => Level::Whole(m.max(n)),
            (Op::Map(MapOp::FloorDivide | MapOp::Remainder | MapOp::Fmod), _)
                if dtype == DType::Float64 =>
            {
                Level::Exact
            }
            (Op::Map(MapOp::FloorDivide | MapOp::Remainder | MapOp::Fmod), _) => Level::Rounded,
            (Op::Map(MapOp::Power), _) if dtype.is_integer() => Level::Whole(limit(dtype)),
            (Op::Map(MapOp::Power), _) if dtype.is_complex() => return None,
            (Op::Map(MapOp::Power | MapOp::Arctan2), _) => Level::Rounded,
            (Op::Map(MapOp::Divide), _) => Level::Exact,
            _ => Level::Whole(1.0),
        };
        self.push(op, &[&x, &y], level, false)
    }

    fn select(&mut self, a: u16, b: u16, c: u16) -> Option<()> {
        let x = self.pick(a, |_| true)?;
        let fits = |v: &Value, shape: &Shape| broadcast_shapes(shape, &v.ty.shape).is_some();
        let y = self.pick(b, |v| fits(v, &x.ty.shape) && alike(v, &x))?;
        let shape = broadcast_shapes(&x.ty.shape, &y.ty.shape)?;
        let condition = self.pick(c, |v| v.level != Level::Rounded && fits(v, &shape))?;
        let level = match (x.level, y.level) {
            (Level::Whole(m), Level::Whole(n)) => whole(m.max(n), x.ty.dtype.promote(y.ty.dtype)),
            (Level::Rounded, _) => Level::Rounded,
            _ => Level::Exact,
        };
        self.push(Op::Map(MapOp::Where), &[&condition, &x, &y], level, false)
    }

    fn reduce(&mut self, a: u16, b: u16, c: u16) -> Option<()> {
        let x = self.pick(a, |v| v.level != Level::Rounded)?;
        let (ndim, dtype) = (x.ty.ndim(), x.ty.dtype);
        let axes: Dims = (0..ndim).filter(|axis| (c >> axis) & 1 == 0).collect();
        let keepdims = c & 64 != 0;
        let count = axes.iter().map(|&a| x.ty.shape[a]).product::<usize>() as f64;
        let widened = if dtype.class() <= Class::Integer {
            DType::Int64
        } else {
            dtype
        };
        let (level, sum) = match (x.level, dtype.class()) {
            (_, Class::Bool | Class::Integer) => (x.level, Some(Level::Whole(limit(DType::Int64)))),
            (Level::Whole(n), _) if n * count <= limit(dtype) => {
                (x.level, Some(Level::Whole(n * count)))
            }
            (level, _) => (level, None),
        };
        let axis = (c >> 7) as usize % ndim.max(1);
        if b % 13 >= 9 {
            return self.along(&x, axis, b % 13, sum);
        }
        let (op, level, any_zero) = match b % 13 {
            0..=2 => (Op::Reduce(ReduceOp::Sum { axes, keepdims }), sum?, false),
            3 => (Op::Reduce(ReduceOp::Max { axes, keepdims }), level, true),
            4 => (Op::Reduce(ReduceOp::Min { axes, keepdims }), level, true),
            5 => (
                Op::Reduce(ReduceOp::Any { axes, keepdims }),
                Level::Whole(1.0),
                false,
            ),
            6 => (
                Op::Reduce(ReduceOp::All { axes, keepdims }),
                Level::Whole(1.0),
                false,
            ),
            7 if c & 1 == 0 => (
                Op::Reduce(ReduceOp::Argmax { axis, keepdims }),
                Level::Whole(300.0),
                false,
            ),
            7 => (
                Op::Reduce(ReduceOp::Argmin { axis, keepdims }),
                Level::Whole(300.0),
                false,
            ),
            _ if widened == DType::Int64 => {
                (Op::Reduce(ReduceOp::Prod { axes, keepdims }), sum?, false)
            }
            _ => {
                let mask = self.pick(b / 13, |v| {
                    v.ty.dtype == DType::Bool
                        && broadcast_shapes(&x.ty.shape, &v.ty.shape) == Some(x.ty.shape.clone())
                })?;
                return self.push(
                    Op::Reduce(ReduceOp::SumWhere { axes, keepdims }),
                    &[&x, &mask],
                    sum?,
                    false,
                );
            }
        };
        if dtype.is_complex() && any_zero && !matches!(x.level, Level::Whole(_)) {
            // Which of several NaN comes out is left open.
            return None;
        }
        self.push(op, &[&x], level, any_zero)
    }

    /// Scans and sorts.
    fn along(&mut self, x: &Value, axis: usize, kind: u16, sum: Option<Level>) -> Option<()> {
        // Zeros of both signs are equal, so sorting leaves their order open.
        let is_ordered =
            !x.any_zero && (x.ty.dtype.class() <= Class::Integer || x.level == Level::Exact);
        let (op, level) = match kind {
            9 => (Op::Scan(ScanOp::Cumsum { axis }), sum?),
            10 if x.ty.dtype.class() <= Class::Integer => {
                (Op::Scan(ScanOp::Cumprod { axis }), sum?)
            }
            11 if is_ordered => (Op::Sort(SortOp::Sort { axis }), x.level),
            12 if is_ordered => (Op::Sort(SortOp::Argsort { axis }), Level::Whole(300.0)),
            _ => return None,
        };
        self.push(op, &[x], level, false)
    }

    fn function(&mut self, a: u16, b: u16) -> Option<()> {
        if b % 28 >= 22 {
            return self.decompose(a, b / 28);
        }
        // Large complex arguments are too hard on the reference.
        let fits = |v: &Value| match v.level {
            Level::Whole(n) => n < 1e4 || !v.ty.dtype.is_complex(),
            Level::Exact => !v.ty.dtype.is_complex(),
            Level::Rounded => false,
        };
        let x = self.pick(a, |v| fits(v) && !v.any_zero)?;
        let op = [
            Op::Map(MapOp::Erf),
            Op::Map(MapOp::Exp),
            Op::Map(MapOp::Log),
            Op::Map(MapOp::Sin),
            Op::Map(MapOp::Tanh),
            Op::Map(MapOp::Sqrt),
            Op::Map(MapOp::Cos),
            Op::Map(MapOp::Exp2),
            Op::Map(MapOp::Expm1),
            Op::Map(MapOp::Log2),
            Op::Map(MapOp::Log10),
            Op::Map(MapOp::Log1p),
            Op::Map(MapOp::Tan),
            Op::Map(MapOp::Arcsin),
            Op::Map(MapOp::Arccos),
            Op::Map(MapOp::Arctan),
            Op::Map(MapOp::Sinh),
            Op::Map(MapOp::Cosh),
            Op::Map(MapOp::Cbrt),
            Op::Map(MapOp::Arcsinh),
            Op::Map(MapOp::Arccosh),
            Op::Map(MapOp::Arctanh),
        ][b as usize % 28]
            .clone();
        self.push(op, &[&x], Level::Rounded, false)
    }

    fn product(&mut self, a: u16, b: u16, c: u16) -> Option<()> {
        let small = |v: &Value| matches!(v.level, Level::Whole(n) if n <= 1e3) && v.ty.ndim() > 0;
        let x = self.pick(a, small)?;
        let k = *x.ty.shape.last()?;
        let matches = |v: &Value| small(v) && v.ty.shape[v.ty.ndim().saturating_sub(2)] == k;
        let y = self.pick(b, matches)?;
        let (Level::Whole(m), Level::Whole(n)) = (x.level, y.level) else {
            return None;
        };
        let dtype = x.ty.dtype.promote(y.ty.dtype);
        let Level::Whole(_) = multiplied(m * k as f64, n, dtype) else {
            return None;
        };
        let level = multiplied(m * k.max(1) as f64, n, dtype);
        let op = match c % 4 {
            0 => Op::Contract(ContractOp::Tensordot {
                x_axes: [x.ty.ndim() - 1].into_iter().collect(),
                y_axes: [y.ty.ndim().saturating_sub(2)].into_iter().collect(),
            }),
            1 if (x.ty.ndim(), y.ty.ndim()) == (2, 2) => Op::Contract(ContractOp::Einsum {
                subscripts: "ij,jk->ki".into(),
            }),
            _ => Op::Contract(ContractOp::Matmul),
        };
        self.push(op, &[&x, &y], level, true)
    }

    fn view(&mut self, a: u16, b: u16, c: u16) -> Option<()> {
        let x = self.pick(a, |_| true)?;
        let shape = &x.ty.shape;
        let digit = |axis: usize, n: usize| (c as usize / (axis * 3 + 1)) % n.max(1);
        let op = match b % 6 {
            0 => {
                let n = x.ty.size();
                let factor = [1, 2, 3, 4, 5]
                    .into_iter()
                    .filter(|f| n % f == 0)
                    .nth(c as usize % 3)?;
                let shape = match c / 3 % 4 {
                    0 => vec![n],
                    1 => vec![factor, n / factor],
                    2 => vec![n / factor, 1, factor],
                    _ => vec![n / factor, factor],
                };
                Op::View(ViewOp::Reshape {
                    shape: Dims::from_slice(&shape),
                })
            }
            1 | 2 => {
                let mut perm: Dims = (0..shape.len()).collect();
                perm.rotate_left(c as usize % shape.len().max(1));
                if c & 8 != 0 {
                    perm.reverse();
                }
                Op::View(ViewOp::Transpose { perm })
            }
            3 => {
                let part = |(axis, &n): (usize, &usize)| match (digit(axis, 5), n) {
                    (0, _) | (_, 0) => (0, 1, n),
                    (1, _) => (n - 1, -1, n),
                    (2, _) => (0, 1, n - 1),
                    (3, _) => (n - 1, -2, n.div_ceil(2)),
                    _ => (n / 2, 1, n - n / 2),
                };
                let parts: Vec<(usize, isize, usize)> =
                    shape.iter().enumerate().map(part).collect();
                let slicing = Slicing {
                    starts: parts.iter().map(|p| p.0).collect(),
                    steps: parts.iter().map(|p| p.1).collect(),
                    sizes: parts.iter().map(|p| p.2).collect(),
                };
                Op::View(ViewOp::Slice {
                    slicing: slicing.into(),
                })
            }
            4 => {
                let stretched =
                    |(axis, &n): (usize, &usize)| if n == 1 { 1 + digit(axis, 4) } else { n };
                let mut to: Dims = shape.iter().enumerate().map(stretched).collect();
                if c & 1 == 0 {
                    to.insert(0, 2);
                }
                Op::View(ViewOp::BroadcastTo { shape: to })
            }
            _ => {
                let item = |(axis, &n): (usize, &usize)| match digit(axis, 3) {
                    0 if n > 0 => IndexItem::Int((c as usize % n) as i64),
                    1 => IndexItem::Slice {
                        start: None,
                        stop: None,
                        step: Some(-1),
                    },
                    _ => IndexItem::FULL,
                };
                let mut items: Vec<IndexItem> = shape.iter().enumerate().map(item).collect();
                if c & 2 != 0 {
                    items.insert(0, IndexItem::NewAxis);
                }
                Op::Index(IndexOp::Getitem {
                    key: IndexKey(items.into()),
                })
            }
        };
        self.push(op, &[&x], x.level, false)
    }

    fn take(&mut self, a: u16, b: u16, c: u16) -> Option<()> {
        let x = self.pick(a, |v| v.ty.ndim() > 0 && !v.ty.shape.contains(&0))?;
        let axis = b as usize % x.ty.ndim();
        let n = x.ty.shape[axis];
        let shape = [&[][..], &[3], &[2, 2], &[0]][c as usize % 4];
        let role = Role::Index(n);
        let indices = array(
            &mut self.random,
            &ArrayType::new(DType::Int64, shape),
            role,
            Set::Ordinary,
        );
        let index = if c & 4 == 0 {
            let id = self.graph.add_input(indices.ty());
            self.inputs.push(indices.clone());
            id
        } else {
            self.graph.add_constant(indices.clone())
        };
        let level = Level::Whole(n as f64);
        let index = Value {
            id: index,
            ty: indices.ty(),
            level,
            any_zero: false,
        };
        let op = if c & 8 == 0 {
            Op::Index(IndexOp::Take { axis })
        } else {
            let item = |a| {
                if a == axis {
                    IndexItem::Array
                } else {
                    IndexItem::FULL
                }
            };
            let key = IndexKey((0..x.ty.ndim()).map(item).collect());
            if c & 16 != 0 {
                let fits = |v: &Value| v.ty.dtype == x.ty.dtype && alike(v, &x);
                let values = self.pick(b / 7, |v| fits(v) && v.ty.ndim() == 0);
                let values = values.or_else(|| self.pick(b / 7, fits))?;
                let level = match (x.level, values.level) {
                    (Level::Whole(m), Level::Whole(n)) => whole(m.max(n), x.ty.dtype),
                    (Level::Rounded, _) => Level::Rounded,
                    _ => Level::Exact,
                };
                let mode = ScatterMode::Set;
                let any_zero = values.any_zero;
                return self.push(
                    Op::Index(IndexOp::Scatter { key, mode }),
                    &[&x, &values, &index],
                    level,
                    any_zero,
                );
            }
            Op::Index(IndexOp::Getitem { key })
        };
        self.push(op, &[&x, &index], x.level, false)
    }

    fn join(&mut self, a: u16, b: u16, c: u16) -> Option<()> {
        let x = self.pick(a, |_| true)?;
        let axis = c as usize % (x.ty.ndim() + 1);
        let stack = axis == x.ty.ndim() || c & 16 != 0;
        let fits = |v: &Value| {
            let rest = |t: &ArrayType| -> Vec<usize> {
                let sizes = t.shape.iter().enumerate();
                sizes
                    .filter(|(i, _)| stack || *i != axis)
                    .map(|(_, &n)| n)
                    .collect()
            };
            v.ty.ndim() == x.ty.ndim() && rest(&v.ty) == rest(&x.ty) && alike(v, &x)
        };
        let parts: Vec<Value> = (0..1 + b % 3)
            .map(|i| self.pick(b / 3 + i * (1 + c / 32), fits))
            .collect::<Option<_>>()?;
        let all: Vec<&Value> = std::iter::once(&x).chain(&parts).collect();
        let dtype = all.iter().map(|v| v.ty.dtype).reduce(DType::promote)?;
        let level = all.iter().map(|v| v.level).reduce(|m, n| match (m, n) {
            (Level::Whole(m), Level::Whole(n)) => whole(m.max(n), dtype),
            (Level::Rounded, _) => Level::Rounded,
            _ => Level::Exact,
        })?;
        let op = if stack {
            Op::Join(JoinOp::Stack { axis })
        } else {
            Op::Join(JoinOp::Concatenate { axis })
        };
        self.push(op, &all, level, false)
    }

    fn cast(&mut self, a: u16, b: u16) -> Option<()> {
        let dtype = DTYPES[b as usize % DTYPES.len()];
        let x = self.pick(a, |v| v.level != Level::Rounded)?;
        let level = match x.level {
            Level::Whole(n) => whole(n, dtype),
            _ if dtype.class() <= Class::Integer => Level::Whole(limit(dtype)),
            other => other,
        };
        self.push(Op::Map(MapOp::Astype { dtype }), &[&x], level, false)
    }

    fn constant(&mut self, a: u16, b: u16, c: u16) -> Option<()> {
        let (dtype, shape) = (
            DTYPES[a as usize % DTYPES.len()],
            self.shapes[b as usize % 20].clone(),
        );
        let (array, level) = self.leaf(dtype, if c & 1 == 0 { &[] } else { &shape }, false);
        let id = self.graph.add_constant(array.clone());
        self.values.push(Value {
            id,
            ty: array.ty(),
            level,
            any_zero: false,
        });
        Some(())
    }
}

/// Whether two values may be merged: rounded ones only with those that were rounded to the same dtype.
fn alike(x: &Value, y: &Value) -> bool {
    match (x.level, y.level) {
        (Level::Rounded, Level::Rounded) => x.ty.dtype == y.ty.dtype,
        (Level::Rounded, _) | (_, Level::Rounded) => false,
        _ => true,
    }
}

/// The level of a product of whole numbers.
fn multiplied(m: f64, n: f64, dtype: DType) -> Level {
    let bound = if dtype.is_complex() {
        2.0 * m * n
    } else {
        m * n
    };
    match whole(bound, dtype) {
        Level::Exact if dtype == DType::Complex64 => Level::Rounded,
        level => level,
    }
}

/// Builds the program that the numbers stand for.
pub(crate) fn decode(numbers: &Numbers) -> Program {
    let [m, n] = ROWS[numbers.seed as usize % ROWS.len()];
    let fusing = numbers.seed & 64 != 0;
    let shapes = if fusing {
        let mut shapes = vec![vec![m, n]; 10];
        shapes.extend([
            vec![m, 1],
            vec![m, 1],
            vec![n],
            vec![n],
            vec![m],
            vec![1, n],
            vec![n, m],
            vec![],
            vec![1],
        ]);
        shapes.push(vec![2, m, n]);
        shapes
    } else {
        SHAPES.iter().map(|s| s.to_vec()).collect()
    };
    let mut builder = Builder {
        graph: Graph::new(),
        values: vec![],
        inputs: vec![],
        random: Random::new(u64::from(numbers.seed)),
        shapes,
        fusing,
    };
    for &(dtype, shape) in &numbers.inputs {
        builder.add_input(dtype, shape);
    }
    for &step in &numbers.steps {
        // A step that fits nothing is left out.
        let _ = builder.step(step);
    }
    let mut outputs = vec![];
    let mut tolerances = vec![];
    for &output in &numbers.outputs {
        let Some(value) = builder.pick(output, |_| true) else {
            continue;
        };
        let any_zero_sign = value.any_zero || value.level == Level::Rounded;
        let tolerance = match value.level {
            Level::Rounded => Tolerance {
                absolute: 4096.0,
                any_nan: true,
                ..Tolerance::ulps(64.0)
            },
            _ => Tolerance::EXACT,
        };
        outputs.push(value.id);
        tolerances.push(Tolerance {
            any_zero_sign,
            ..tolerance
        });
    }
    builder.graph.set_outputs(outputs);
    Program {
        graph: builder.graph,
        inputs: builder.inputs,
        tolerances,
    }
}
