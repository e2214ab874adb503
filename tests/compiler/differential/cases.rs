//! The arguments for each op of the table, and how exact its results must be.

use autojit::ir::index::{IndexItem, IndexKey, Slicing};
use autojit::ir::{
    ContractOp, Dims, Graph, IndexOp, IndexedBy, JoinOp, LeafOp, LinalgOp, Literal, MapOp,
    NormOrder, Op, ReduceOp, ScanOp, SortOp, ValueId, ViewOp,
};
use autojit::{ArrayType, DType, Result, Scalar};

use super::compare::Tolerance;
use super::matrices;
use super::values::Role;

/// An op with the shapes and roles of its arguments.
pub(crate) struct Case {
    pub(crate) op: Op,
    pub(crate) arguments: Vec<(Role, Dims)>,
    pub(crate) tolerance: Tolerance,
    /// Whether mixtures of dtypes are tried.
    pub(crate) mixed: bool,
}

type Shapes<'a> = &'a [&'a [usize]];

const SHAPES: Shapes<'static> = &[
    &[],
    &[0],
    &[1],
    &[2],
    &[3],
    &[4],
    &[5],
    &[6],
    &[7],
    &[8],
    &[9],
    &[50],
    &[257],
    &[1000],
    &[3, 4],
    &[5, 17],
    &[2, 0],
    &[1, 7],
    &[6, 1],
    &[2, 3, 5],
];

const PAIRS: &[[&[usize]; 2]] = &[
    [&[], &[5]],
    [&[7], &[]],
    [&[1], &[9]],
    [&[4, 1], &[1, 5]],
    [&[3, 5], &[5]],
    [&[3, 8], &[3, 1]],
    [&[2, 1, 4], &[3, 1]],
    [&[0], &[1]],
    [&[2, 0], &[1]],
];

fn dims(axes: &[usize]) -> Dims {
    Dims::from_slice(axes)
}

impl Case {
    pub(crate) fn new(op: Op, role: Role, shapes: Shapes<'_>) -> Self {
        Self {
            op,
            arguments: shapes.iter().map(|s| (role, dims(s))).collect(),
            tolerance: Tolerance::EXACT,
            mixed: false,
        }
    }

    pub(crate) fn with(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The arguments whose dtype is under test.
    pub(crate) fn numbers(&self) -> usize {
        let fixed = |role: &Role| matches!(role, Role::Truth | Role::Index(_));
        self.arguments
            .iter()
            .filter(|(role, _)| !fixed(role))
            .count()
    }

    /// Adds the op, and for decompositions, whose signs are free, what must be unique.
    pub(crate) fn finish(
        &self,
        graph: &mut Graph,
        x: &[ValueId],
    ) -> Result<Vec<(ValueId, Tolerance)>> {
        let (op, tolerance) = (self.op.clone(), self.tolerance);
        match op {
            Op::Leaf(LeafOp::Input { .. }) => return Ok(vec![(x[0], tolerance)]),
            Op::Leaf(LeafOp::Literal { .. } | LeafOp::Constant { .. }) => {
                let Op::Leaf(LeafOp::Literal { value }) = op else {
                    return Ok(vec![]);
                };
                let leaf = graph.add_literal(value.value, value.dtype);
                let beside = graph.push(Op::Map(MapOp::Multiply), &[x[0], leaf], None)?;
                return Ok(vec![(leaf, tolerance), (beside, tolerance)]);
            }
            _ => {}
        }
        if let Some(unique) = matrices::finish(&op, graph, x)? {
            return Ok(unique.into_iter().map(|v| (v, tolerance)).collect());
        }
        Ok(vec![(graph.push(op, x, None)?, tolerance)])
    }
}

fn unary(op: &Op, tolerance: Tolerance) -> Vec<Case> {
    let case = |shape: &&[usize]| Case::new(op.clone(), Role::Number, &[shape]).with(tolerance);
    SHAPES.iter().map(case).collect()
}

fn binary(op: &Op, tolerance: Tolerance) -> Vec<Case> {
    let second = if *op == Op::Map(MapOp::Power) {
        Role::Exponent
    } else {
        Role::Number
    };
    let case = |x: &[usize], y: &[usize]| {
        // Subnormal and huge single precision numbers meet complex ones in mixtures, where rounding shows.
        let mixed = x == [5] || x == [3, 5];
        let number = |role| {
            if mixed && role == Role::Number {
                Role::Moderate
            } else {
                role
            }
        };
        Case {
            op: op.clone(),
            arguments: vec![(number(Role::Number), dims(x)), (number(second), dims(y))],
            tolerance,
            mixed,
        }
    };
    let same = SHAPES.iter().map(|s| case(s, s));
    same.chain(PAIRS.iter().map(|[x, y]| case(x, y))).collect()
}

fn reduction(
    make: &dyn Fn(Dims, bool) -> Op,
    role: Role,
    tolerance: &dyn Fn(usize) -> Tolerance,
) -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |shape: &[usize], axes: &[usize]| {
        let keepdims = all.len() % 2 == 1;
        let op = make(dims(axes), keepdims);
        // Nothing has no extremum.
        let ty = ArrayType::new(DType::Int64, shape).into();
        if op.infer(&[&ty]).is_ok() {
            let count: usize = axes.iter().map(|&a| shape[a]).product();
            all.push(Case::new(op, role, &[shape]).with(tolerance(count)));
        }
    };
    for n in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 257, 1000] {
        add(&[n], &[0]);
    }
    add(&[], &[]);
    for axes in [&[][..], &[0], &[1], &[0, 1]] {
        for shape in [
            [3, 4],
            [5, 17],
            [0, 3],
            [3, 0],
            [1, 6],
            [6, 1],
            [3, 300],
            [300, 3],
        ] {
            add(&shape, axes);
        }
    }
    for axes in [&[0][..], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]] {
        add(&[2, 3, 5], axes);
        add(&[20, 4, 9], axes);
    }
    all
}

fn contraction(op: Op, role: Role, x: &[usize], y: &[usize], summed: usize) -> Case {
    let tolerance = Tolerance {
        absolute: 32.0 * summed as f64,
        any_zero_sign: true,
        any_nan: true,
        ..Tolerance::ulps(4.0)
    };
    Case::new(op, role, &[x, y]).with(tolerance)
}

fn slicing(axes: &[(usize, isize, usize)]) -> Slicing {
    Slicing {
        starts: axes.iter().map(|a| a.0).collect(),
        steps: axes.iter().map(|a| a.1).collect(),
        sizes: axes.iter().map(|a| a.2).collect(),
    }
}

/// An op written as in the text form.
fn op(name: &str, attributes: &[(&str, &str)]) -> Op {
    Op::parse(name, attributes).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The cases of an op. A new op without cases fails here.
#[allow(clippy::too_many_lines, reason = "one arm for each op")]
pub(crate) fn cases(name: &str, dtype: DType) -> Vec<Case> {
    use Role::{Finite, Index, Moderate, NearOne, Number, Truth};
    let exact = Tolerance::EXACT;
    let complex = dtype.is_complex();
    let single_complex = dtype == DType::Complex64;
    let when = |inexact: bool, ulps: f64| {
        if inexact {
            Tolerance::ulps(ulps)
        } else {
            exact
        }
    };
    match name {
        // Exact, except that complex functions go through square roots and divisions.
        "negative" | "square" | "conj" | "real" | "imag" | "logical_not" | "isnan" | "isinf"
        | "isfinite" | "floor" | "ceil" | "trunc" | "rint" | "invert" => unary(
            &op(name, &[]),
            when(single_complex && name == "square", 4.0),
        ),
        "absolute" | "sign" | "sqrt" => unary(&op(name, &[]), when(complex, 4.0)),
        "reciprocal" => unary(&op(name, &[]), when(complex, 8.0)),
        "exp" | "exp2" | "expm1" | "log" | "log2" | "log10" | "log1p" | "sin" | "cos" | "tan"
        | "arcsin" | "arccos" | "arctan" | "arcsinh" | "arccosh" | "arctanh" | "cbrt" | "sinh"
        | "cosh" | "tanh" => {
            let wide = matches!(name, "sin" | "cos" | "sinh" | "cosh");
            let ulps = match (complex, wide) {
                (false, _) => 4.0,
                // The reference takes a logarithm away from large arguments.
                (true, true) => 512.0,
                (true, false) => 32.0,
            };
            let mut all = unary(&op(name, &[]), Tolerance::ulps(ulps));
            if complex && name == "log1p" {
                // As NumPy's, it rounds 1 + z first and takes the modulus without scaling.
                for case in &mut all {
                    case.tolerance.absolute = 1.0;
                    case.arguments[0].0 = Moderate;
                }
            }
            all
        }
        "erf" => unary(&op(name, &[]), Tolerance::ulps(4.0)),
        "lgamma" => unary(
            &op(name, &[]),
            // Between negative integers it has zeros, near which the relative error is large.
            Tolerance {
                absolute: 32.0,
                ..Tolerance::ulps(8.0)
            },
        ),
        "add" | "subtract" | "equal" | "not_equal" | "less" | "less_equal" | "greater"
        | "greater_equal" | "logical_and" | "logical_or" | "logical_xor" | "maximum"
        | "minimum" | "fmod" | "copysign" | "bitwise_and" | "bitwise_or" | "bitwise_xor"
        | "left_shift" | "right_shift" => binary(&op(name, &[]), exact),
        "multiply" => binary(&op(name, &[]), when(single_complex, 4.0)),
        "divide" => binary(&op(name, &[]), when(single_complex, 8.0)),
        "floor_divide" | "remainder" => binary(&op(name, &[]), when(dtype == DType::Float32, 2.0)),
        "arctan2" | "hypot" => binary(&op(name, &[]), Tolerance::ulps(4.0)),
        "power" => {
            let mut all = binary(
                &op(name, &[]),
                when(!dtype.is_integer(), if complex { 256.0 } else { 4.0 }),
            );
            if complex {
                // `exp(y log x)` amplifies the rounding of large exponents.
                all.iter_mut()
                    .flat_map(|c| &mut c.arguments)
                    .for_each(|a| a.0 = Moderate);
            }
            all
        }
        "where" => {
            let case = |c: &[usize], x: &[usize], y: &[usize]| Case {
                op: Op::Map(MapOp::Where),
                arguments: vec![(Truth, dims(c)), (Number, dims(x)), (Number, dims(y))],
                tolerance: exact,
                mixed: c == [5],
            };
            let same = SHAPES.iter().map(|s| case(s, s, s));
            let broadcast = PAIRS
                .iter()
                .flat_map(|[x, y]| [case(x, y, x), case(x, x, y), case(y, x, &[])]);
            same.chain(broadcast).collect()
        }
        "input" => {
            let op = Op::Leaf(LeafOp::Input {
                index: 0,
                ty: ArrayType::new(dtype, &[]),
            });
            SHAPES
                .iter()
                .map(|s| Case::new(op.clone(), Number, &[s]))
                .collect()
        }
        "literal" | "constant" => {
            // Constants are leaves: a literal is the 0-d one, and folding makes arrays of them.
            let value = Literal::new(Scalar::Int(3), dtype);
            let case = |s: &&[usize]| Case::new(Op::Leaf(LeafOp::Literal { value }), Number, &[s]);
            let tolerance = when(single_complex, 4.0);
            SHAPES.iter().map(case).map(|c| c.with(tolerance)).collect()
        }
        "random" => {
            let distributions = match dtype.class() {
                autojit::ir::Class::Integer => &["integers(-3,9)", "integers(0,0)"][..],
                autojit::ir::Class::Float => &["uniform", "normal"],
                _ => &[],
            };
            let mut all = Vec::new();
            for (i, distribution) in distributions.iter().enumerate() {
                for shape in SHAPES {
                    let ty = ArrayType::new(dtype, shape).to_string();
                    let attributes = [
                        ("draw", format!("{}:{}", i + 40, shape.len())),
                        ("distribution", (*distribution).to_owned()),
                        ("ty", ty),
                    ];
                    let attributes: Vec<(&str, &str)> = attributes
                        .iter()
                        .map(|(n, text)| (*n, text.as_str()))
                        .collect();
                    // The logarithm and the angle of normal numbers are rounded by the engine.
                    let tolerance = if *distribution == "normal" {
                        Tolerance {
                            absolute: 8.0,
                            ..Tolerance::ulps(8.0)
                        }
                    } else {
                        exact
                    };
                    all.push(Case::new(op(name, &attributes), Number, &[]).with(tolerance));
                }
            }
            all
        }
        "astype" => {
            let to = DType::ALL
                .into_iter()
                .map(|dtype| Op::Map(MapOp::Astype { dtype }));
            to.flat_map(|op| unary(&op, exact)).collect()
        }

        "sum" => reduction(
            &|axes, keepdims| Op::Reduce(ReduceOp::Sum { axes, keepdims }),
            Moderate,
            &|n| Tolerance {
                absolute: 40.0 * n as f64,
                ..Tolerance::ulps(1.0)
            },
        ),
        "sum_where" => {
            let make = |axes, keepdims| Op::Reduce(ReduceOp::SumWhere { axes, keepdims });
            let sums = reduction(
                &|axes, keepdims| Op::Reduce(ReduceOp::Sum { axes, keepdims }),
                Moderate,
                &|n| Tolerance {
                    absolute: 40.0 * n as f64,
                    ..Tolerance::ulps(1.0)
                },
            );
            let masked = sums.into_iter().map(|mut case| {
                if let Op::Reduce(ReduceOp::Sum { axes, keepdims }) = case.op {
                    case.op = make(axes, keepdims);
                }
                let shape = case.arguments[0].1.clone();
                case.arguments.push((Truth, shape));
                case
            });
            masked.collect()
        }
        "prod" => reduction(
            &|axes, keepdims| Op::Reduce(ReduceOp::Prod { axes, keepdims }),
            if complex { Finite } else { NearOne },
            &|n| Tolerance {
                any_nan: true,
                any_zero_sign: complex,
                ..when(dtype.is_float() || complex, 4.0 * n as f64)
            },
        ),
        "max" | "min" => {
            let make = |axes, keepdims| {
                if name == "max" {
                    Op::Reduce(ReduceOp::Max { axes, keepdims })
                } else {
                    Op::Reduce(ReduceOp::Min { axes, keepdims })
                }
            };
            let tolerance = Tolerance {
                zeros_as_they_come: true,
                ..exact
            };
            reduction(&make, Number, &|_| tolerance)
        }
        "any" => reduction(
            &|axes, keepdims| Op::Reduce(ReduceOp::Any { axes, keepdims }),
            Number,
            &|_| exact,
        ),
        "all" => reduction(
            &|axes, keepdims| Op::Reduce(ReduceOp::All { axes, keepdims }),
            Number,
            &|_| exact,
        ),
        "argmax" | "argmin" => {
            let mut all = Vec::new();
            for shape in [
                &[1][..],
                &[2],
                &[9],
                &[50],
                &[257],
                &[3, 4],
                &[5, 17],
                &[2, 3, 5],
                &[3, 0],
                &[0, 3],
            ] {
                for axis in (0..shape.len()).filter(|&a| shape[a] > 0) {
                    for keepdims in [false, true] {
                        let op = if name == "argmax" {
                            Op::Reduce(ReduceOp::Argmax { axis, keepdims })
                        } else {
                            Op::Reduce(ReduceOp::Argmin { axis, keepdims })
                        };
                        all.push(Case::new(op, Number, &[shape]));
                    }
                }
            }
            all
        }

        "cumsum" | "cumprod" | "sort" | "argsort" => {
            let mut all = Vec::new();
            for shape in SHAPES.iter().filter(|shape| !shape.is_empty()) {
                for axis in 0..shape.len() {
                    let n = shape[axis].max(1) as f64;
                    all.push(match name {
                        "cumsum" => {
                            Case::new(Op::Scan(ScanOp::Cumsum { axis }), Moderate, &[shape]).with(
                                // One by one, as NumPy adds them: the error grows with the length.
                                Tolerance {
                                    absolute: 40.0 * n * n,
                                    ..Tolerance::ulps(1.0)
                                },
                            )
                        }
                        "cumprod" => {
                            let role = if complex { Finite } else { NearOne };
                            // Long complex products leave the range of the dtype.
                            if complex && n > 20.0 {
                                continue;
                            }
                            Case::new(Op::Scan(ScanOp::Cumprod { axis }), role, &[shape])
                                .with(Tolerance::ulps(4.0 * n))
                        }
                        "sort" => Case::new(Op::Sort(SortOp::Sort { axis }), Number, &[shape]),
                        _ => Case::new(Op::Sort(SortOp::Argsort { axis }), Number, &[shape]),
                    });
                }
            }
            all
        }

        "matmul" => {
            let shapes: &[(&[usize], &[usize])] = &[
                (&[1], &[1]),
                (&[7], &[7]),
                (&[0], &[0]),
                (&[3, 4], &[4]),
                (&[4], &[4, 3]),
                (&[2, 3], &[3, 2]),
                (&[5, 17], &[17, 9]),
                (&[33, 40], &[40, 35]),
                (&[2, 0], &[0, 3]),
                (&[0, 3], &[3, 2]),
                (&[2, 3, 4], &[2, 4, 5]),
                (&[2, 3, 4], &[4]),
                (&[4], &[3, 4, 2]),
                (&[2, 1, 3, 4], &[5, 4, 2]),
                (&[1, 3, 4], &[4, 4, 1]),
            ];
            let role = if complex { NearOne } else { Moderate };
            let case = |(x, y): &(&[usize], &[usize])| {
                contraction(Op::Contract(ContractOp::Matmul), role, x, y, x[x.len() - 1])
            };
            shapes.iter().map(case).collect()
        }
        "tensordot" => {
            let cases: &[(&[usize], &[usize], &str, &str)] = &[
                (&[3], &[4], "[]", "[]"),
                (&[5], &[5], "[0]", "[0]"),
                (&[3, 4], &[4, 5], "[1]", "[0]"),
                (&[3, 4], &[5, 4], "[1]", "[1]"),
                (&[2, 3, 4], &[4, 3, 2], "[0,2]", "[2,0]"),
                (&[2, 3, 4], &[3, 4, 2], "[0,1,2]", "[2,0,1]"),
                (&[0, 3], &[3, 2], "[1]", "[0]"),
                (&[2, 0], &[0, 3], "[1]", "[0]"),
            ];
            let role = if complex { NearOne } else { Moderate };
            cases
                .iter()
                .map(|(x, y, a, b)| {
                    let op = op(name, &[("x_axes", a), ("y_axes", b)]);
                    contraction(op, role, x, y, 24)
                })
                .collect()
        }
        "einsum" => {
            let cases: &[(&str, Shapes<'_>)] = &[
                ("i->", &[&[9]]),
                ("ij->ji", &[&[3, 4]]),
                ("ii->i", &[&[4, 4]]),
                ("ii->", &[&[4, 4]]),
                ("iji->j", &[&[3, 2, 3]]),
                ("ij,jk->ik", &[&[3, 4], &[4, 5]]),
                ("ij,ij->", &[&[3, 4], &[3, 4]]),
                ("bij,bjk->bki", &[&[2, 3, 4], &[2, 4, 5]]),
                ("i,j->ij", &[&[3], &[4]]),
                ("ij,j->i", &[&[3, 1], &[4]]),
                ("ij,jk,kl->il", &[&[2, 3], &[3, 4], &[4, 2]]),
                ("ab,ac->bc", &[&[3, 2], &[3, 4]]),
                ("ij,k->i", &[&[3, 4], &[5]]),
                ("i,i->i", &[&[0], &[0]]),
            ];
            // Sums may be taken before products, where infinities would show.
            let role = Finite;
            cases
                .iter()
                .map(|(subscripts, shapes)| {
                    let tolerance =
                        contraction(Op::Contract(ContractOp::Matmul), role, &[], &[], 64).tolerance;
                    Case::new(op(name, &[("subscripts", subscripts)]), role, shapes).with(tolerance)
                })
                .collect()
        }
        "norm" => {
            let mut all = Vec::new();
            let tolerance = Tolerance {
                absolute: 64.0,
                ..Tolerance::ulps(64.0)
            };
            for order in [
                "None", "1", "2", "0", "3", "-1", "-2", "0.5", "inf", "-inf", "fro", "nuc",
            ] {
                let order: NormOrder = order.parse().unwrap();
                let axes = [
                    None,
                    Some([0].as_slice().into()),
                    Some([1].as_slice().into()),
                    Some([0, 1].as_slice().into()),
                    Some([1, 0].as_slice().into()),
                ];
                for axes in axes {
                    for keepdims in [false, true] {
                        let op = Op::Linalg(LinalgOp::Norm {
                            order,
                            axes: axes.clone(),
                            keepdims,
                        });
                        for shape in [&[6][..], &[3, 4], &[4, 3], &[2, 3, 4], &[0, 3], &[9, 1]] {
                            let ty = ArrayType::new(DType::Float64, shape).into();
                            if op.infer(&[&ty]).is_ok() {
                                all.push(Case::new(op.clone(), Finite, &[shape]).with(tolerance));
                            }
                        }
                    }
                }
            }
            all
        }

        "reshape" => {
            let pairs: &[(&[usize], &[usize])] = &[
                (&[], &[1, 1]),
                (&[1], &[]),
                (&[0], &[3, 0]),
                (&[2, 3, 4], &[24]),
                (&[2, 3, 4], &[6, 4]),
                (&[2, 3, 4], &[2, 12]),
                (&[24], &[4, 1, 6]),
                (&[4, 6], &[8, 3]),
                (&[1, 5], &[5]),
            ];
            pairs
                .iter()
                .map(|(x, shape)| {
                    Case::new(
                        Op::View(ViewOp::Reshape { shape: dims(shape) }),
                        Number,
                        &[x],
                    )
                })
                .collect()
        }
        "transpose" => {
            let cases: &[(&[usize], &[usize])] = &[
                (&[], &[]),
                (&[5], &[0]),
                (&[3, 4], &[1, 0]),
                (&[33, 40], &[1, 0]),
                (&[2, 3, 4], &[2, 0, 1]),
                (&[2, 3, 4], &[0, 2, 1]),
                (&[2, 0], &[1, 0]),
                (&[2, 1, 3, 2], &[3, 1, 0, 2]),
            ];
            cases
                .iter()
                .map(|(x, perm)| {
                    Case::new(
                        Op::View(ViewOp::Transpose { perm: dims(perm) }),
                        Number,
                        &[x],
                    )
                })
                .collect()
        }
        "broadcast_to" => {
            let cases: &[(&[usize], &[usize])] = &[
                (&[], &[3]),
                (&[1], &[0]),
                (&[4], &[3, 4]),
                (&[3, 1], &[3, 5]),
                (&[1, 3], &[2, 4, 3]),
                (&[2, 1, 1], &[2, 3, 4]),
            ];
            cases
                .iter()
                .map(|(x, shape)| {
                    Case::new(
                        Op::View(ViewOp::BroadcastTo { shape: dims(shape) }),
                        Number,
                        &[x],
                    )
                })
                .collect()
        }
        "slice" => {
            type Sliced<'a> = (&'a [usize], &'a [(usize, isize, usize)]);
            let cases: &[Sliced<'_>] = &[
                (&[], &[]),
                (&[9], &[(1, 2, 4)]),
                (&[9], &[(8, -1, 9)]),
                (&[9], &[(7, -3, 3)]),
                (&[9], &[(0, 1, 0)]),
                (&[4, 5], &[(1, 1, 2), (4, -2, 3)]),
                (&[4, 5], &[(3, -1, 4), (2, 1, 1)]),
            ];
            cases
                .iter()
                .map(|(x, axes)| {
                    Case::new(
                        Op::View(ViewOp::Slice {
                            slicing: slicing(axes).into(),
                        }),
                        Number,
                        &[x],
                    )
                })
                .collect()
        }
        "getitem" => {
            use IndexItem::{Array, Int, NewAxis};
            const FULL: IndexItem = IndexItem::FULL;
            let part = IndexItem::Slice {
                start: Some(3),
                stop: None,
                step: Some(-2),
            };
            let with = |items: &[IndexItem], x: &[usize], arrays: &[(usize, &[usize])]| {
                let mut case = Case::new(
                    Op::Index(IndexOp::Getitem {
                        key: IndexKey(items.into()),
                    }),
                    Number,
                    &[x],
                );
                case.arguments
                    .extend(arrays.iter().map(|(n, shape)| (Index(*n), dims(shape))));
                case
            };
            vec![
                with(&[Int(1)], &[3], &[]),
                with(&[Int(2), FULL], &[3, 4], &[]),
                with(&[part, NewAxis, Int(0)], &[4, 3], &[]),
                with(&[NewAxis, FULL, NewAxis, part], &[3, 5], &[]),
                with(&[Array], &[5], &[(5, &[])]),
                with(&[Array], &[5], &[(5, &[7])]),
                with(&[Array, FULL], &[5, 3], &[(5, &[2, 2])]),
                with(&[FULL, Array], &[5, 3], &[(3, &[4])]),
                with(&[FULL, Array, part], &[5, 3, 4], &[(3, &[2, 3])]),
                with(&[Array, Array], &[5, 3], &[(5, &[4]), (3, &[4])]),
                with(&[Array, FULL, Array], &[5, 2, 3], &[(5, &[4]), (3, &[1])]),
                with(
                    &[FULL, Array, Array],
                    &[2, 5, 3],
                    &[(5, &[2, 1]), (3, &[4])],
                ),
                with(&[Int(1), Array, FULL], &[2, 5, 3], &[(5, &[4])]),
                with(&[Int(1), FULL, Array], &[2, 5, 3], &[(3, &[4])]),
                with(&[FULL, Array, Int(1)], &[2, 5, 3], &[(5, &[2, 2])]),
                with(&[Array, FULL, Int(0)], &[2, 5, 3], &[(2, &[4])]),
                with(&[NewAxis, FULL, Array, NewAxis], &[2, 5], &[(5, &[3])]),
                with(&[Array, NewAxis, Array], &[2, 5], &[(2, &[3]), (5, &[3])]),
                with(&[Array, FULL], &[5, 3], &[(5, &[0])]),
            ]
        }
        "scatter_flat" => ["set", "add", "multiply", "min", "max"]
            .iter()
            .map(|mode| {
                let role = if complex { Finite } else { Number };
                let mut case = Case::new(op(name, &[("mode", mode)]), role, &[&[2, 3], &[9]]);
                // All zero, because flat positions do not count from the end; `scatter` has others.
                case.arguments.push((Index(0), dims(&[9])));
                let tolerance = when(complex, 64.0);
                case.with(Tolerance {
                    any_nan: true,
                    ..tolerance
                })
            })
            .collect(),
        "scatter" => {
            use IndexItem::{Array, Int, NewAxis};
            const FULL: IndexItem = IndexItem::FULL;
            let part = IndexItem::Slice {
                start: Some(3),
                stop: None,
                step: Some(-2),
            };
            type Selected<'a> = (
                &'a [IndexItem],
                &'a [usize],
                &'a [usize],
                &'a [(usize, &'a [usize])],
            );
            let cases: &[Selected<'_>] = &[
                (&[], &[], &[], &[]),
                (&[Int(1)], &[3], &[], &[]),
                (&[Int(2), FULL], &[3, 4], &[4], &[]),
                (&[part, NewAxis, Int(0)], &[4, 3], &[2, 1], &[]),
                (&[part, part], &[4, 5], &[], &[]),
                (&[Array], &[5], &[], &[(5, &[])]),
                (&[Array], &[5], &[7], &[(5, &[7])]),
                (&[Array, FULL], &[5, 3], &[2, 1, 3], &[(5, &[2, 2])]),
                (&[FULL, Array, part], &[5, 3, 4], &[2], &[(3, &[2, 3])]),
                (
                    &[Array, FULL, Array],
                    &[5, 2, 3],
                    &[4, 2],
                    &[(5, &[4]), (3, &[1])],
                ),
                (
                    &[FULL, Array, Array],
                    &[2, 5, 3],
                    &[2, 4],
                    &[(5, &[2, 1]), (3, &[4])],
                ),
                (&[Array, FULL], &[5, 3], &[1], &[(5, &[0])]),
                (&[FULL, Array], &[0, 3], &[], &[(3, &[2])]),
            ];
            let modes = ["set", "add", "multiply", "min", "max"].iter();
            let case = |mode: &str, (items, x, values, arrays): &Selected<'_>| {
                let key = IndexKey((*items).into());
                let mode = mode.parse().unwrap();
                // Complex products are rounded differently with fused multiplications.
                let tolerance = when(complex, 16.0);
                let tolerance = Tolerance {
                    any_nan: true,
                    absolute: if complex { 64.0 } else { 0.0 },
                    ..tolerance
                };
                let mut case = Case::new(
                    Op::Index(IndexOp::Scatter { key, mode }),
                    if complex { Finite } else { Number },
                    &[x, values],
                );
                case.arguments
                    .extend(arrays.iter().map(|(n, shape)| (Index(*n), dims(shape))));
                case.with(tolerance)
            };
            modes
                .flat_map(|mode| cases.iter().map(move |c| case(mode, c)))
                .collect()
        }
        "stop_gradient" => SHAPES
            .iter()
            .map(|s| Case::new(Op::Map(MapOp::StopGradient), Number, &[s]))
            .collect(),
        "wrap_index" => {
            let op = Op::Map(MapOp::WrapIndex {
                axis: 1,
                size: 6,
                of: IndexedBy::Getitem,
            });
            SHAPES
                .iter()
                .map(|s| Case::new(op.clone(), Index(6), &[s]))
                .collect()
        }
        "take" => {
            let cases: &[(&[usize], usize, &[usize])] = &[
                (&[5], 0, &[]),
                (&[5], 0, &[9]),
                (&[5, 3], 0, &[2, 2]),
                (&[5, 3], 1, &[4]),
                (&[2, 5, 3], 1, &[3, 2]),
                (&[2, 5, 3], 2, &[0]),
                (&[0, 3], 1, &[2]),
            ];
            cases
                .iter()
                .map(|(x, axis, indices)| {
                    let mut case =
                        Case::new(Op::Index(IndexOp::Take { axis: *axis }), Number, &[x]);
                    case.arguments.push((Index(x[*axis]), dims(indices)));
                    case
                })
                .collect()
        }
        "concatenate" => {
            let cases: &[(usize, Shapes<'_>)] = &[
                (0, &[&[3]]),
                (0, &[&[3], &[4]]),
                (0, &[&[3], &[0], &[1]]),
                (0, &[&[0], &[0]]),
                (0, &[&[2, 3], &[1, 3]]),
                (1, &[&[2, 3], &[2, 1], &[2, 4]]),
                (1, &[&[2, 3, 4], &[2, 1, 4]]),
                (2, &[&[2, 3, 1], &[2, 3, 2]]),
            ];
            cases
                .iter()
                .map(|(axis, shapes)| Case {
                    mixed: shapes.len() == 2,
                    ..Case::new(
                        Op::Join(JoinOp::Concatenate { axis: *axis }),
                        Number,
                        shapes,
                    )
                })
                .collect()
        }
        "stack" => {
            let cases: &[(usize, Shapes<'_>)] = &[
                (0, &[&[]]),
                (0, &[&[], &[]]),
                (0, &[&[3], &[3]]),
                (1, &[&[3], &[3], &[3]]),
                (1, &[&[2, 3], &[2, 3]]),
                (2, &[&[2, 3], &[2, 3]]),
                (1, &[&[0], &[0]]),
            ];
            cases
                .iter()
                .map(|(axis, shapes)| Case {
                    mixed: shapes.len() == 2,
                    ..Case::new(Op::Join(JoinOp::Stack { axis: *axis }), Number, shapes)
                })
                .collect()
        }

        "get" => matrices::cases("svd").unwrap_or_default(),
        _ => matrices::cases(name)
            .unwrap_or_else(|| panic!("the op {name} has no cases: add an arm")),
    }
}
