//! Ops on dtypes that are only stored mean the same written with `int64`, bit for bit, at the ends of each dtype.

use std::collections::BTreeSet;

use super::{Builder, is_widened};
use crate::scatter::ScatterMode;
use crate::{
    ArrayType, Class, ContractOp, DType, Dims, Graph, HostArray, IndexOp, LeafOp, MapOp, Op,
    ReduceOp, Scalar, ScanOp, SortOp,
};

fn stored() -> impl Iterator<Item = DType> {
    DType::ALL.into_iter().filter(|dtype| dtype.is_stored())
}

/// The ends of a dtype and of its halves, and numbers that shifts, powers and divisions tell apart.
fn numbers(dtype: DType) -> Vec<Scalar> {
    let Some((low, high)) = dtype.integer_range() else {
        let reals = [
            0.0,
            -0.0,
            1.0,
            -1.5,
            2.5,
            300.7,
            -129.0,
            65_536.5,
            -3e9,
            9.3e18,
            1.8e19,
            2e19,
            -1e19,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        return reals
            .iter()
            .map(|&x| Scalar::Float(x).cast(dtype))
            .collect();
    };
    let bits = 8 * dtype.size() as i128;
    let middle = high / 2 + 1;
    let all: BTreeSet<i128> = [
        low,
        low + 1,
        low + 2,
        -3,
        -2,
        -1,
        0,
        1,
        2,
        3,
        7,
        10,
        bits - 1,
        bits,
        bits + 1,
        middle - 1,
        middle,
        middle + 1,
        high - 2,
        high - 1,
        high,
    ]
    .into();
    all.range(low..=high)
        .map(|&i| Scalar::from_integer(i))
        .collect()
}

fn array(dtype: DType, shape: &[usize], number: impl Fn(usize) -> usize) -> HostArray {
    let ty = ArrayType::new(dtype, shape);
    let all = numbers(dtype);
    let data: Vec<Scalar> = (0..ty.size()).map(|i| all[number(i) % all.len()]).collect();
    HostArray::from_scalars(&ty, &data).unwrap()
}

/// Whether a graph is of the form that backends are given.
fn is_core(graph: &Graph) -> bool {
    graph.nodes().iter().all(|node| {
        let dtypes = node.inputs.iter().map(|&x| graph.ty(x).unwrap().dtype);
        !node.op.has_expansion() && !is_widened(&node.op, dtypes)
    })
}

/// Compares the op with what it is written with; whether it takes the arguments.
fn compare(op: &Op, arguments: &[HostArray]) -> bool {
    let graph = |add: &dyn Fn(&mut Graph, &[crate::ValueId]) -> crate::Result<crate::ValueId>| {
        let mut graph = Graph::new();
        let inputs: Vec<_> = arguments.iter().map(|x| graph.add_input(x.ty())).collect();
        add(&mut graph, &inputs).map(|value| {
            graph.set_outputs(vec![value]);
            graph
        })
    };
    let written = match graph(&|g, x| g.push(op.clone(), x, None)) {
        Ok(graph) => graph,
        Err(error) => {
            assert!(error.is_dtype(), "{op}: {error}");
            return false;
        }
    };
    let core = graph(&|g, x| Builder::new(g, None).push(op.clone(), x)).unwrap();
    core.verify_shared().unwrap();
    assert!(is_core(&core), "{op}\n{core}");
    match (core.evaluate(arguments), written.evaluate(arguments)) {
        (Ok(got), Ok(expected)) => {
            assert!(
                got[0].same_bits(&expected[0]),
                "{op} of {arguments:?} is {:?}, not {:?}\n{core}",
                got[0].to_scalars(),
                expected[0].to_scalars()
            );
        }
        (Err(_), Err(_)) => {}
        (got, expected) => panic!("{op}: {got:?}, not {expected:?}"),
    }
    true
}

#[test]
fn elementwise_ops_of_one_dtype() {
    let mut compared = 0;
    for dtype in stored() {
        let count = numbers(dtype).len();
        let (rows, columns) = (
            array(dtype, &[count, 1], |i| i),
            array(dtype, &[count], |i| i),
        );
        let condition = array(DType::Bool, &[count], |i| i);
        for &op in MapOp::ELEMENTWISE {
            let arguments = match Op::Map(op).arity().required {
                1 => vec![columns.clone()],
                2 => vec![rows.clone(), columns.clone()],
                _ => vec![condition.clone(), rows.clone(), columns.clone()],
            };
            compared += usize::from(compare(&op.into(), &arguments));
            // Powers fail at the first negative exponent.
            if op == MapOp::Power {
                let natural = numbers(dtype)
                    .iter()
                    .position(|n| *n == Scalar::Int(0))
                    .unwrap();
                let natural = array(dtype, &[count], |i| natural + i % (count - natural));
                assert!(compare(&op.into(), &[rows.clone(), natural]));
            }
        }
    }
    assert!(compared > 5 * 60, "{compared}");
}

#[test]
fn elementwise_ops_of_two_dtypes() {
    let ops = [
        MapOp::Add,
        MapOp::Multiply,
        MapOp::FloorDivide,
        MapOp::Divide,
        MapOp::BitwiseXor,
        MapOp::Maximum,
        MapOp::Equal,
        MapOp::NotEqual,
        MapOp::Less,
        MapOp::LessEqual,
        MapOp::Greater,
        MapOp::GreaterEqual,
    ];
    let mut compared = 0;
    for x in DType::ALL {
        for y in DType::ALL
            .into_iter()
            .filter(|y| y.is_stored() || x.is_stored())
        {
            let (rows, columns) = (array(x, &[9, 1], |i| 2 * i + 1), array(y, &[11], |i| 2 * i));
            for op in ops {
                compared += usize::from(compare(&op.into(), &[rows.clone(), columns.clone()]));
            }
        }
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn conversions() {
    for from in DType::ALL {
        for to in DType::ALL {
            let count = numbers(from).len();
            let op = Op::Map(MapOp::Astype { dtype: to });
            assert!(compare(&op, &[array(from, &[count], |i| i)]));
        }
    }
}

#[test]
fn integers_round_once_on_the_way_to_floats() {
    let near: Vec<Scalar> = (1..64_u32)
        .flat_map(|bit| {
            let power = 1_u64 << bit;
            let ulp = power >> 24;
            [
                power - 1,
                power + 1,
                power + ulp + (ulp >> 1),
                power + ulp + (ulp >> 1) + 1,
                !power,
            ]
        })
        .map(Scalar::from)
        .collect();
    let ty = ArrayType::new(DType::Uint64, &[near.len()]);
    let x = HostArray::from_scalars(&ty, &near).unwrap();
    for dtype in [DType::Float32, DType::Float64, DType::Complex64] {
        assert!(compare(
            &Op::Map(MapOp::Astype { dtype }),
            std::slice::from_ref(&x)
        ));
    }
}

#[test]
fn ops_on_several_elements() {
    for dtype in stored() {
        let count = numbers(dtype).len();
        let x = array(dtype, &[3, count], |i| 5 * i + i / count);
        for axis in 0..2 {
            let axes = || Dims::from_slice(&[axis]);
            let keepdims = false;
            for op in [
                ReduceOp::Sum {
                    axes: axes(),
                    keepdims,
                },
                ReduceOp::Prod {
                    axes: axes(),
                    keepdims,
                },
                ReduceOp::Max {
                    axes: axes(),
                    keepdims,
                },
                ReduceOp::Min {
                    axes: axes(),
                    keepdims,
                },
                ReduceOp::Any {
                    axes: axes(),
                    keepdims,
                },
                ReduceOp::Argmax { axis, keepdims },
                ReduceOp::Argmin { axis, keepdims },
            ] {
                assert!(compare(&op.into(), std::slice::from_ref(&x)));
            }
            for op in [
                ScanOp::Cumsum { axis }.into(),
                ScanOp::Cumprod { axis }.into(),
                SortOp::Sort { axis }.into(),
                SortOp::Argsort { axis }.into(),
            ] {
                assert!(compare(&op, std::slice::from_ref(&x)));
            }
        }
        let mask = array(DType::Bool, &[3, count], |i| i / 2);
        let sum = ReduceOp::SumWhere {
            axes: Dims::from_slice(&[1]),
            keepdims: true,
        };
        assert!(compare(&sum.into(), &[x.clone(), mask]));
        let y = array(dtype, &[count, 2], |i| 3 * i);
        assert!(compare(&ContractOp::Matmul.into(), &[x.clone(), y]));
        let positions = array(DType::Uint8, &[4], |i| [6, 7, 6, 6][i]);
        let values = array(dtype, &[4], |i| 11 * i + 1);
        for mode in [
            ScatterMode::Set,
            ScatterMode::Add,
            ScatterMode::Multiply,
            ScatterMode::Min,
            ScatterMode::Max,
        ] {
            let op = IndexOp::ScatterFlat { mode };
            assert!(compare(
                &op.into(),
                &[x.clone(), values.clone(), positions.clone()]
            ));
        }
        let indices = array(dtype, &[2], |i| {
            numbers(dtype)
                .iter()
                .position(|n| *n == Scalar::Int(i as i64))
                .unwrap()
        });
        assert!(compare(&IndexOp::Take { axis: 0 }.into(), &[x, indices]));
    }
}

#[test]
fn what_only_moves_elements_stays() {
    let mut graph = Graph::new();
    let x = graph.add_input(ArrayType::new(DType::Uint16, &[2, 3]));
    let mut builder = Builder::new(&mut graph, None);
    let perm = Dims::from_slice(&[1, 0]);
    let moved = builder
        .push(crate::ViewOp::Transpose { perm }.into(), &[x])
        .unwrap();
    let joined = builder
        .push(crate::JoinOp::Stack { axis: 0 }.into(), &[moved, moved])
        .unwrap();
    let all = graph.nodes().iter().all(|node| {
        let is_move = matches!(
            node.op,
            Op::Leaf(LeafOp::Input { .. }) | Op::View(_) | Op::Join(_)
        );
        is_move && node.ty.array().is_ok_and(|ty| ty.dtype == DType::Uint16)
    });
    assert!(all, "{graph}");
    assert_eq!(graph.ty(joined).unwrap().dtype.class(), Class::Integer);
}
