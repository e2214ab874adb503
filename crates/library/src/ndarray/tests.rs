//! NumPy's results: literal ones for what is easily got wrong, the project's conformance cases for breadth.

mod conformance;

use num_complex::Complex64;
use smallvec::smallvec;

use super::Ndarray;
use crate::{Concrete, apply};
use autojit_ir::error::Result;
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::{
    ArrayType, ContractOp, DType, Dims, Element, HostArray, IndexOp, IndexedBy, JoinOp, LinalgOp,
    MapOp, Op, QrMode, ReduceOp, Scalar, ViewOp,
};

fn array<T: Element>(shape: &[usize], data: &[T]) -> HostArray {
    HostArray::from(ndarray::ArrayD::from_shape_vec(shape, data.to_vec()).unwrap())
}

fn vector<T: Element>(data: &[T]) -> HostArray {
    array(&[data.len()], data)
}

fn run_all(op: &Op, inputs: &[&HostArray]) -> Result<Vec<HostArray>> {
    let inputs: Vec<Concrete> = inputs
        .iter()
        .map(|&x| Concrete::Ndarray(x.clone()))
        .collect();
    apply(&Ndarray, op, &inputs.iter().collect::<Vec<_>>())?
        .iter()
        .map(Concrete::to_host)
        .collect()
}

fn run(op: &Op, inputs: &[&HostArray]) -> Result<HostArray> {
    Ok(run_all(op, inputs)?.remove(0))
}

/// Compares values by bits, NaN equal to NaN.
#[track_caller]
fn check<T: Element>(op: Op, inputs: &[&HostArray], shape: &[usize], data: &[T]) {
    let got = run(&op, inputs).unwrap();
    assert_eq!(got.ty(), ArrayType::new(T::TYPE, shape), "{op}");
    let expected: Vec<Scalar> = data.iter().map(|x| x.widen()).collect();
    let same = |(a, b): (&Scalar, &Scalar)| {
        a == b || matches!((a, b), (Scalar::Float(a), Scalar::Float(b)) if a.is_nan() && b.is_nan())
    };
    let got = got.to_scalars();
    assert!(
        got.iter().zip(&expected).all(same),
        "{op}: {got:?}, not {expected:?}"
    );
}

fn z(re: f64, im: f64) -> Complex64 {
    Complex64::new(re, im)
}

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

#[test]
fn integers_wrap_and_divide_downwards() {
    let x = vector(&[i32::MAX, i32::MIN, -7, 7]);
    let y = vector(&[1, -1, 2, 0]);
    check(
        Op::Map(MapOp::Add),
        &[&x, &y],
        &[4],
        &[i32::MIN, i32::MAX, -5, 7],
    );
    check(
        Op::Map(MapOp::Negative),
        &[&x],
        &[4],
        &[-i32::MAX, i32::MIN, 7, -7],
    );
    check(
        Op::Map(MapOp::Absolute),
        &[&x],
        &[4],
        &[i32::MAX, i32::MIN, 7, 7],
    );
    check(
        Op::Map(MapOp::FloorDivide),
        &[&x, &y],
        &[4],
        &[i32::MAX, i32::MIN, -4, 0],
    );
    check(Op::Map(MapOp::Remainder), &[&x, &y], &[4], &[0, 0, 1, 0]);
    let bytes = vector(&[0_u8, 1, 200]);
    check(Op::Map(MapOp::Negative), &[&bytes], &[3], &[0_u8, 255, 56]);
    check(Op::Map(MapOp::Sign), &[&bytes], &[3], &[0_u8, 1, 1]);
    check(Op::Map(MapOp::Square), &[&bytes], &[3], &[0_u8, 1, 64]);
    check(
        Op::Map(MapOp::Reciprocal),
        &[&vector(&[1_i64, -1, 5, 0])],
        &[4],
        &[1_i64, -1, 0, 0],
    );
}

#[test]
fn powers() {
    let two = array(&[], &[2.0]);
    check(
        Op::Map(MapOp::Power),
        &[&vector(&[3.0, -0.5, NAN]), &two],
        &[3],
        &[9.0, 0.25, NAN],
    );
    let x = vector(&[2_i64, 3, -1]);
    check(
        Op::Map(MapOp::Power),
        &[&x, &vector(&[10_i64, 0, 3])],
        &[3],
        &[1024_i64, 1, -1],
    );
    let error = run(&Op::Map(MapOp::Power), &[&x, &vector(&[1_i64, 1, -1])]).unwrap_err();
    assert!(error.is_value());
    assert_eq!(
        error.to_string(),
        "integers to negative integer powers are not allowed in power"
    );
    check(
        Op::Map(MapOp::Power),
        &[&array::<i64>(&[0], &[]), &array(&[], &[-1_i64])],
        &[0],
        &[0_i64; 0],
    );
}

#[test]
fn nan_wins_in_maximum_and_max() {
    let (x, y) = (
        vector(&[1.0, NAN, 2.0, -INF]),
        vector(&[NAN, 1.0, 3.0, -INF]),
    );
    check(
        Op::Map(MapOp::Maximum),
        &[&x, &y],
        &[4],
        &[NAN, NAN, 3.0, -INF],
    );
    check(
        Op::Map(MapOp::Minimum),
        &[&x, &y],
        &[4],
        &[NAN, NAN, 2.0, -INF],
    );
    let max = Op::Reduce(ReduceOp::Max {
        axes: smallvec![0],
        keepdims: false,
    });
    let mut long: Vec<f64> = (0..100).map(f64::from).collect();
    check(max.clone(), &[&vector(&long)], &[], &[99.0]);
    long[37] = NAN;
    check(max.clone(), &[&vector(&long)], &[], &[NAN]);
    let argmax = Op::Reduce(ReduceOp::Argmax {
        axis: 0,
        keepdims: false,
    });
    check(argmax, &[&vector(&long)], &[], &[37_i64]);
    let complex = vector(&[z(1.0, 5.0), z(2.0, -1.0), z(2.0, 3.0)]);
    check(max, &[&complex], &[], &[z(2.0, 3.0)]);
    let pair = vector(&[z(1.0, 6.0), z(2.0, -2.0), z(NAN, 0.0)]);
    check(
        Op::Map(MapOp::Less),
        &[&complex, &pair],
        &[3],
        &[true, false, false],
    );
    check(
        Op::Map(MapOp::GreaterEqual),
        &[&complex, &pair],
        &[3],
        &[false, true, false],
    );
}

#[test]
fn signs_at_the_edges() {
    check(
        Op::Map(MapOp::Sign),
        &[&vector(&[-0.0, NAN, -INF, 3.0])],
        &[4],
        &[0.0, NAN, -1.0, 1.0],
    );
    let x = vector(&[z(3.0, 4.0), z(0.0, 0.0), z(INF, 1.0), z(2.0, -INF)]);
    let expected = [z(0.6, 0.8), z(0.0, 0.0), z(1.0, 0.0), z(0.0, -1.0)];
    check(Op::Map(MapOp::Sign), &[&x], &[4], &expected);
}

#[test]
fn conversions() {
    let x = vector(&[-1.5, 300.0, NAN, 3e9]);
    let astype = |dtype| Op::Map(MapOp::Astype { dtype });
    check(
        astype(DType::Int64),
        &[&x],
        &[4],
        &[-1, 300, i64::MIN, 3_000_000_000],
    );
    check(
        astype(DType::Int32),
        &[&x],
        &[4],
        &[-1, 300, i32::MIN, i32::MIN],
    );
    check(astype(DType::Uint8), &[&x], &[4], &[255_u8, 44, 0, 0]);
    check(astype(DType::Bool), &[&x], &[4], &[true; 4]);
    check(
        astype(DType::Float64),
        &[&vector(&[z(1.0, 2.0)])],
        &[1],
        &[1.0],
    );
    check(
        astype(DType::Complex128),
        &[&vector(&[true])],
        &[1],
        &[z(1.0, 0.0)],
    );
    let exact = vector(&[(1_i64 << 53) + 1]);
    check(astype(DType::Int64), &[&exact], &[1], &[(1_i64 << 53) + 1]);
}

#[test]
fn broadcasting_of_any_layout() {
    let column = array(&[2, 1], &[10.0, 20.0]);
    let row = vector(&[1.0, 2.0, 3.0]);
    let expected = [11.0, 12.0, 13.0, 21.0, 22.0, 23.0];
    check(Op::Map(MapOp::Add), &[&column, &row], &[2, 3], &expected);
    let matrix = array(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let flipped = run(
        &Op::View(ViewOp::Transpose {
            perm: smallvec![1, 0],
        }),
        &[&matrix],
    )
    .unwrap();
    check(
        Op::Map(MapOp::Add),
        &[&flipped, &row],
        &[2, 3],
        &[1.0, 4.0, 7.0, 2.0, 5.0, 8.0],
    );
    check(
        Op::Map(MapOp::Add),
        &[&flipped, &flipped],
        &[2, 3],
        &[0.0, 4.0, 8.0, 2.0, 6.0, 10.0],
    );
    check(
        Op::Map(MapOp::Negative),
        &[&flipped],
        &[2, 3],
        &[-0.0, -2.0, -4.0, -1.0, -3.0, -5.0],
    );
    let scalar = array(&[], &[2.0]);
    check(
        Op::Map(MapOp::Subtract),
        &[&scalar, &row],
        &[3],
        &[1.0, 0.0, -1.0],
    );
    check(
        Op::Map(MapOp::Divide),
        &[&array::<f64>(&[0, 3], &[]), &row],
        &[0, 3],
        &[0.0; 0],
    );
    let condition = array(&[2, 1], &[true, false]);
    let chosen = [1.0, 2.0, 3.0, 2.0, 2.0, 2.0];
    check(
        Op::Map(MapOp::Where),
        &[&condition, &row, &scalar],
        &[2, 3],
        &chosen,
    );
    let to = Op::View(ViewOp::BroadcastTo {
        shape: smallvec![2, 2, 1],
    });
    check(to, &[&column], &[2, 2, 1], &[10.0, 20.0, 10.0, 20.0]);
}

#[test]
fn sums_are_accurate_along_every_axis() {
    let n = 1_000_000;
    let sum = |axis: usize| {
        Op::Reduce(ReduceOp::Sum {
            axes: smallvec![axis],
            keepdims: false,
        })
    };
    let tenths = vec![0.1_f32; 3 * n];
    for (shape, axis) in [([3, n], 1), ([n, 3], 0)] {
        let got = run(&sum(axis), &[&array(&shape, &tenths)])
            .unwrap()
            .to_scalars();
        for total in got {
            assert!((total.to_f64() - 1e5).abs() < 0.05, "{total}");
        }
    }
    let both = Op::Reduce(ReduceOp::Sum {
        axes: smallvec![0, 2],
        keepdims: true,
    });
    let x: Vec<i64> = (0..24).collect();
    check(
        both,
        &[&array(&[2, 3, 4], &x)],
        &[1, 3, 1],
        &[60_i64, 92, 124],
    );
    check(sum(1), &[&array(&[2, 0], &[0.0; 0])], &[2], &[0.0, 0.0]);
    // As NumPy: the sum starts from 0.
    check(sum(0), &[&vector(&[-0.0, -0.0])], &[], &[0.0]);
    check(sum(0), &[&vector(&[200_u8, 100])], &[], &[300_u64]);
    let all = Op::Reduce(ReduceOp::All {
        axes: smallvec![0],
        keepdims: false,
    });
    check(all, &[&array(&[0, 2], &[true; 0])], &[2], &[true, true]);
    let none = Op::Reduce(ReduceOp::Prod {
        axes: Dims::new(),
        keepdims: false,
    });
    check(none, &[&vector(&[2.0, 3.0])], &[2], &[2.0, 3.0]);
}

#[test]
fn views_share_memory() {
    let x = array(&[2, 3], &[0, 1, 2, 3, 4, 5]);
    let same = |op: Op, offset: usize, shape: &[usize], data: &[i32]| {
        let view = run(&op, &[&x]).unwrap();
        assert_eq!(
            view.as_ptr() as usize,
            x.as_ptr() as usize + 4 * offset,
            "{op}"
        );
        check(op, &[&x], shape, data);
    };
    let key = |items: &[IndexItem]| {
        Op::Index(IndexOp::Getitem {
            key: IndexKey::normalize(items, &x.ty()).unwrap(),
        })
    };
    let slice = |start, stop, step| IndexItem::Slice { start, stop, step };
    same(
        Op::View(ViewOp::Reshape {
            shape: smallvec![3, 2],
        }),
        0,
        &[3, 2],
        &[0, 1, 2, 3, 4, 5],
    );
    same(
        Op::View(ViewOp::Transpose {
            perm: smallvec![1, 0],
        }),
        0,
        &[3, 2],
        &[0, 3, 1, 4, 2, 5],
    );
    same(key(&[IndexItem::Int(-1)]), 3, &[3], &[3, 4, 5]);
    let reversed = [
        IndexItem::NewAxis,
        IndexItem::FULL,
        slice(None, None, Some(-2)),
    ];
    same(key(&reversed), 2, &[1, 2, 2], &[2, 0, 5, 3]);
    check(
        key(&[IndexItem::Ellipsis, slice(Some(5), None, None)]),
        &[&x],
        &[2, 0],
        &[0; 0],
    );
    // A column becomes a matrix without a copy, but cannot be split without one.
    let column = run(&key(&[IndexItem::FULL, IndexItem::Int(1)]), &[&x]).unwrap();
    let reshaped = run(
        &Op::View(ViewOp::Reshape {
            shape: smallvec![2, 1],
        }),
        &[&column],
    )
    .unwrap();
    assert_eq!(reshaped.as_ptr(), column.as_ptr());
    let flipped = run(
        &Op::View(ViewOp::Transpose {
            perm: smallvec![1, 0],
        }),
        &[&x],
    )
    .unwrap();
    check(
        Op::View(ViewOp::Reshape {
            shape: smallvec![6],
        }),
        &[&flipped],
        &[6],
        &[0, 3, 1, 4, 2, 5],
    );
}

#[test]
fn reshapes_of_axes_that_lie_evenly_are_views() {
    let x = array(&[2, 3, 4, 5], &(0..120).collect::<Vec<i64>>());
    let cases: [(&[usize], &[usize], bool); 8] = [
        (&[2, 3, 0, 1], &[20, 6], true),
        (&[3, 0, 1, 2], &[5, 24], true),
        (&[2, 0, 1, 3], &[4, 1, 6, 5], true),
        (&[0, 2, 1, 3], &[2, 4, 15], false),
        (&[0, 2, 1, 3], &[8, 15], false),
        (&[1, 0, 2, 3], &[6, 20], false),
        (&[3, 2, 1, 0], &[5, 2, 2, 6], false),
        (&[2, 3, 0, 1], &[10, 2, 6], false),
    ];
    for (perm, shape, is_view) in cases {
        let perm = Op::View(ViewOp::Transpose { perm: perm.into() });
        let moved = run(&perm, &[&x]).unwrap();
        let op = Op::View(ViewOp::Reshape {
            shape: shape.into(),
        });
        let reshaped = run(&op, &[&moved]).unwrap();
        assert_eq!(reshaped.shape(), shape);
        assert_eq!(reshaped.to_scalars(), moved.to_scalars(), "{shape:?}");
        assert_eq!(reshaped.as_ptr() == x.as_ptr(), is_view, "{shape:?}");
    }
}

#[test]
fn gathers_and_joins() {
    let x = array(&[2, 3], &[0, 1, 2, 3, 4, 5]);
    let indices = array(&[2, 1], &[-1_i64, 0]);
    check(
        Op::Index(IndexOp::Take { axis: 1 }),
        &[&x, &indices],
        &[2, 2, 1],
        &[2, 0, 5, 3],
    );
    let error = run(
        &Op::Index(IndexOp::Take { axis: 1 }),
        &[&x, &vector(&[0, 3])],
    )
    .unwrap_err();
    assert!(error.is_index());
    let message = "index 3 is out of range for axis 1 with size 3 in take";
    assert_eq!(error.to_string(), message);
    let wrap = Op::Map(MapOp::WrapIndex {
        axis: 0,
        size: 3,
        of: IndexedBy::Getitem,
    });
    check(wrap.clone(), &[&vector(&[-3_i64, 2])], &[2], &[0_i64, 2]);
    let error = run(&wrap, &[&vector(&[7_i64])]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("index 7 is out of range for axis 0 with size 3")
    );
    assert!(run(&wrap, &[&vector(&[i64::MIN])]).unwrap_err().is_index());
    let flipped = run(
        &Op::View(ViewOp::Transpose {
            perm: smallvec![1, 0],
        }),
        &[&x],
    )
    .unwrap();
    let joined = [0, 3, 0, 3, 1, 4, 1, 4, 2, 5, 2, 5];
    check(
        Op::Join(JoinOp::Concatenate { axis: 1 }),
        &[&flipped, &flipped],
        &[3, 4],
        &joined,
    );
    let (a, b) = (vector(&[1, 2]), vector(&[3, 4]));
    check(
        Op::Join(JoinOp::Stack { axis: 1 }),
        &[&a, &b],
        &[2, 2],
        &[1, 3, 2, 4],
    );
    check(
        Op::Join(JoinOp::Stack { axis: 0 }),
        &[&a, &b],
        &[2, 2],
        &[1, 2, 3, 4],
    );
    let empty = vector::<f64>(&[]);
    check(
        Op::Join(JoinOp::Concatenate { axis: 0 }),
        &[&empty, &a],
        &[2],
        &[1.0, 2.0],
    );
    check(
        Op::Join(JoinOp::Stack { axis: 0 }),
        &[&empty, &empty],
        &[2, 0],
        &[0.0; 0],
    );
    check(
        Op::Join(JoinOp::Concatenate { axis: 1 }),
        &[&array(&[0, 1], &[0.0; 0]); 2],
        &[0, 2],
        &[0.0; 0],
    );
}

#[test]
fn products() {
    let x = array(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let v = vector(&[1.0, 0.0, -1.0]);
    check(
        Op::Contract(ContractOp::Matmul),
        &[&x, &v],
        &[2],
        &[-2.0, -2.0],
    );
    check(Op::Contract(ContractOp::Matmul), &[&v, &v], &[], &[2.0]);
    let flipped = run(
        &Op::View(ViewOp::Transpose {
            perm: smallvec![1, 0],
        }),
        &[&x],
    )
    .unwrap();
    check(
        Op::Contract(ContractOp::Matmul),
        &[&x, &flipped],
        &[2, 2],
        &[14.0, 32.0, 32.0, 77.0],
    );
    let batch = array(&[2, 1, 3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    check(
        Op::Contract(ContractOp::Matmul),
        &[&batch, &flipped],
        &[2, 1, 2],
        &[1.0, 4.0, 2.0, 5.0],
    );
    let dot = |x_axes: &[usize], y_axes: &[usize]| {
        Op::Contract(ContractOp::Tensordot {
            x_axes: x_axes.into(),
            y_axes: y_axes.into(),
        })
    };
    check(dot(&[1, 0], &[0, 1]), &[&x, &flipped], &[], &[91.0]);
    check(dot(&[0], &[1]), &[&v, &x], &[2], &[-2.0, -2.0]);
    check(
        dot(&[], &[]),
        &[&vector(&[2, 3]), &vector(&[4, 5])],
        &[2, 2],
        &[8, 10, 12, 15],
    );
    let wide = vector(&[(1_i64 << 53) + 1, 1]);
    check(
        Op::Contract(ContractOp::Matmul),
        &[&wide, &vector(&[1_i64, 0])],
        &[],
        &[(1_i64 << 53) + 1],
    );
}

#[test]
fn decompositions() {
    let x = array(&[2, 2], &[3.0, 0.0, 4.0, 5.0]);
    let qr = run_all(
        &Op::Linalg(LinalgOp::Qr {
            mode: QrMode::Reduced,
        }),
        &[&x],
    )
    .unwrap();
    let back = run(&Op::Contract(ContractOp::Matmul), &[&qr[0], &qr[1]]).unwrap();
    let near = |a: &HostArray, b: &[f64]| {
        let a = a.to_scalars();
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a.to_f64() - b).abs() < 1e-14)
    };
    assert!(near(&back, &[3.0, 0.0, 4.0, 5.0]));
    let svd = run_all(
        &Op::Linalg(LinalgOp::Svd {
            full_matrices: false,
        }),
        &[&x],
    )
    .unwrap();
    assert!(near(&svd[1], &[45.0_f64.sqrt(), 5.0_f64.sqrt()]));
    let error = run_all(
        &Op::Linalg(LinalgOp::Svd {
            full_matrices: true,
        }),
        &[&array(&[1, 1], &[NAN])],
    );
    assert!(error.unwrap_err().is_linear_algebra());
}
