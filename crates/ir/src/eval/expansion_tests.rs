//! Every op with an expansion means the same through its expansion.

use std::collections::BTreeSet;

use crate::index::{IndexItem, IndexKey};
use crate::scatter::ScatterMode;
use crate::{
    ArrayType, Axes, Builder, Class, ContractOp, Cutoff, DType, Dims, Graph, HostArray, IndexOp,
    JoinOp, LinalgOp, MapOp, NormOrder, Op, ReduceOp, Scalar, Tensor, Type,
};

const DTYPES: [DType; 13] = DType::ALL;

/// Numbers without a pattern (xorshift), from a seed that is fixed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Mostly small numbers with ties; now and then one that is not a number, or not finite, if `evil`.
    fn real(&mut self, evil: bool) -> f64 {
        match self.next() % 16 {
            0 if evil => f64::NAN,
            1 if evil => f64::INFINITY,
            2 if evil => -0.0,
            3..=6 => (self.next() % 7) as f64 - 3.0,
            _ => (self.next() % 2000) as f64 / 300.0 - 3.0,
        }
    }

    fn scalar(&mut self, dtype: DType, evil: bool) -> Scalar {
        let scalar = match dtype.class() {
            Class::Bool => Scalar::Bool(self.next().is_multiple_of(2)),
            Class::Integer => Scalar::Int(self.next() as i64 >> (self.next() % 64)),
            Class::Float => Scalar::Float(self.real(evil)),
            Class::Complex => {
                let (re, im) = (self.real(evil), self.real(evil));
                Scalar::Complex(num_complex::Complex64::new(re, im))
            }
        };
        scalar.cast(dtype)
    }

    fn array(&mut self, ty: &ArrayType, evil: bool) -> HostArray {
        let data: Vec<Scalar> = (0..ty.size())
            .map(|_| self.scalar(ty.dtype, evil))
            .collect();
        HostArray::from_scalars(ty, &data).unwrap()
    }
}

fn graph(types: &[ArrayType], build: impl FnOnce(&mut Graph, &[crate::ValueId])) -> Graph {
    let mut graph = Graph::new();
    let inputs: Vec<_> = types.iter().map(|ty| graph.add_input(ty.clone())).collect();
    build(&mut graph, &inputs);
    graph.verify_shared().unwrap();
    graph
}

fn close(a: Scalar, b: Scalar, rtol: f64) -> bool {
    let (a, b) = (a.to_complex(), b.to_complex());
    let whole = b.norm();
    let part = |x: f64, y: f64| {
        let size = if whole.is_finite() { whole } else { y.abs() };
        x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= rtol * (1.0 + size)
    };
    part(a.re, b.re) && part(a.im, b.im)
}

/// Runs the op and its expansion on the same random arguments.
fn compare(op: &Op, types: &[ArrayType], arguments: &[HostArray]) {
    let whole = graph(types, |g, x| {
        let value = g.push(op.clone(), x, None).unwrap();
        g.set_outputs(vec![value]);
    });
    let expanded = graph(types, |g, x| {
        let value = Builder::new(g, None).push(op.clone(), x).unwrap();
        g.set_outputs(vec![value]);
    });
    let core = expanded.nodes().iter().all(|node| !node.op.has_expansion());
    assert!(core, "the expansion of {op} is not of core ops\n{expanded}");
    let (got, expected) = (expanded.evaluate(arguments), whole.evaluate(arguments));
    let (got, expected) = match (got, expected) {
        (Ok(got), Ok(expected)) => (
            got.into_iter().next().unwrap(),
            expected.into_iter().next().unwrap(),
        ),
        (Err(_), Err(_)) => return,
        (got, expected) => panic!("{op}: the expansion gives {got:?}, not {expected:?}"),
    };
    assert_eq!(got.ty(), expected.ty());
    let meaning = meaning_by_expansion(op, types, arguments);
    assert!(
        meaning.same_bits(&got),
        "{op}: {meaning:?} is meant, not {got:?}"
    );
    let rtol = match (got.dtype().class(), got.dtype().real().size()) {
        (Class::Bool | Class::Integer, _) => 0.0,
        (_, 4) => 2e-6,
        _ => 1e-13,
    };
    for (i, (&a, &b)) in got
        .to_scalars()
        .iter()
        .zip(&expected.to_scalars())
        .enumerate()
    {
        assert!(
            close(a, b, rtol),
            "{op} of {types:?}: element {i} is {a} expanded, not {b}\n{arguments:?}\n{expanded}"
        );
    }
}

/// The meaning of the op if its row had none of its own.
fn meaning_by_expansion(op: &Op, types: &[ArrayType], arguments: &[HostArray]) -> HostArray {
    let types: Vec<Type> = types.iter().cloned().map(Type::from).collect();
    let signature = op.infer(&types.iter().collect::<Vec<_>>()).unwrap();
    let operands = arguments.iter().zip(&signature.operands);
    let tensors: Vec<Tensor> = operands
        .map(|(x, dtype)| Tensor::from(x).cast(dtype.unwrap_or(x.dtype())))
        .collect();
    let results = super::expanded(op, &tensors).unwrap();
    results[0].to_host().unwrap()
}

/// Whether inference takes the types.
fn fits(op: &Op, types: &[ArrayType]) -> bool {
    let types: Vec<Type> = types.iter().cloned().map(Type::from).collect();
    op.infer(&types.iter().collect::<Vec<_>>()).is_ok()
}

/// Compares for all dtypes of the first `varied` inputs, with tame and evil values.
fn compare_dtypes(
    seen: &mut BTreeSet<&'static str>,
    op: &Op,
    shapes: &[&[usize]],
    fixed: &[DType],
) {
    compare_values(seen, op, shapes, fixed, &[false, true]);
}

/// The same with a choice of values: tame, evil or both.
fn compare_values(
    seen: &mut BTreeSet<&'static str>,
    op: &Op,
    shapes: &[&[usize]],
    fixed: &[DType],
    kinds: &[bool],
) {
    seen.insert(op.name());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut tried = 0;
    for dtype in DTYPES {
        for &evil in kinds {
            let dtypes = |i: usize| fixed.get(i).copied().filter(|_| i > 0).unwrap_or(dtype);
            let types: Vec<ArrayType> = shapes
                .iter()
                .enumerate()
                .map(|(i, s)| ArrayType::new(dtypes(i), s))
                .collect();
            if fits(op, &types) {
                let arguments: Vec<_> = types.iter().map(|ty| random.array(ty, evil)).collect();
                compare(op, &types, &arguments);
                tried += 1;
            }
        }
    }
    assert!(tried > 0, "{op} takes no dtype");
}

fn dims(list: &[usize]) -> Dims {
    Dims::from_slice(list)
}

#[test]
fn expansions_mean_the_same() {
    let mut seen = BTreeSet::new();
    let s = &mut seen;
    for op in [
        Op::Map(MapOp::Square),
        Op::Map(MapOp::StopGradient),
        Op::Map(MapOp::IsNan),
        Op::Map(MapOp::IsInf),
        Op::Map(MapOp::IsFinite),
    ] {
        for shape in [&[][..], &[7], &[0, 2]] {
            compare_dtypes(s, &op, &[shape], &[]);
        }
    }
    compare_dtypes(s, &Op::Map(MapOp::Reciprocal), &[&[40]], &[]);
    for op in [
        Op::Map(MapOp::Greater),
        Op::Map(MapOp::GreaterEqual),
        Op::Map(MapOp::LogicalXor),
    ] {
        for shapes in [[&[5, 1][..], &[4]], [&[], &[2, 3]], [&[0], &[1]]] {
            compare_dtypes(s, &op, &shapes, &[]);
        }
    }
    for (axes, keepdims) in [(&[0][..], false), (&[0, 1], true), (&[], false)] {
        let axes = dims(axes);
        let op = Op::Reduce(ReduceOp::SumWhere { axes, keepdims });
        compare_dtypes(s, &op, &[&[3, 4], &[3, 1]], &[DType::Float64, DType::Bool]);
        compare_dtypes(s, &op, &[&[0, 4], &[]], &[DType::Float64, DType::Bool]);
    }
    for (shapes, x_axes, y_axes) in [
        ([&[2, 3][..], &[3, 4]], &[1][..], &[0][..]),
        ([&[2, 3, 4], &[4, 3]], &[1, 2], &[1, 0]),
        ([&[2, 3], &[2, 3]], &[0, 1], &[0, 1]),
        ([&[2], &[3, 1]], &[], &[]),
        ([&[2, 0], &[0, 3]], &[1], &[0]),
        ([&[0, 2], &[2, 3]], &[1], &[0]),
        ([&[], &[3]], &[], &[]),
        ([&[4], &[4]], &[0], &[0]),
        ([&[0], &[0]], &[0], &[0]),
    ] {
        let op = Op::Contract(ContractOp::Tensordot {
            x_axes: x_axes.into(),
            y_axes: y_axes.into(),
        });
        compare_dtypes(s, &op, &shapes, &[]);
    }
    einsum(s);
    norm(s);
    pinv(s);
    indexing(s);
    let expanding: BTreeSet<&str> = Op::expanding_names().collect();
    assert_eq!(seen, expanding, "each op with an expansion is compared");
}

fn einsum(s: &mut BTreeSet<&'static str>) {
    for (subscripts, shapes) in [
        ("ij,jk->ik", &[&[2, 3][..], &[3, 4]][..]),
        ("ii->i", &[&[3, 3]]),
        ("ii->", &[&[3, 3]]),
        ("iji->j", &[&[2, 3, 2]]),
        ("iii->i", &[&[2, 2, 2]]),
        ("ij->ji", &[&[2, 3]]),
        ("ij->", &[&[2, 3]]),
        ("i,j->ij", &[&[2], &[3]]),
        ("i,i->i", &[&[3], &[3]]),
        ("i,i->", &[&[3], &[3]]),
        ("bij,bjk->bik", &[&[2, 2, 3], &[2, 3, 2]]),
        ("bij,bjk->kb", &[&[2, 2, 3], &[1, 3, 2]]),
        ("ij,jk,kl->il", &[&[2, 3], &[3, 2], &[2, 4]]),
        ("ab,cd,bc->ad", &[&[2, 3], &[2, 4], &[3, 2]]),
        ("ij,k,ij->k", &[&[2, 3], &[2], &[1, 3]]),
        ("i,->i", &[&[3], &[]]),
        ("ij,j->i", &[&[2, 1], &[3]]),
        ("ij,ji->", &[&[2, 0], &[0, 2]]),
        ("ij->j", &[&[0, 3]]),
        ("iij,jk->ki", &[&[2, 2, 1], &[3, 2]]),
        ("i->i", &[&[0]]),
        ("->", &[&[]]),
        ("i,j,k->", &[&[2], &[3], &[2]]),
    ] {
        let op = Op::Contract(ContractOp::Einsum {
            subscripts: subscripts.into(),
        });
        // A sum that is formed before a product differs where infinities cancel; NumPy's `optimize` does too.
        let labels = subscripts.split("->").next().unwrap_or("");
        let alone = |c: char| c != ',' && labels.matches(c).count() == 1;
        let early = labels
            .chars()
            .any(|c| alone(c) && !subscripts[labels.len()..].contains(c));
        let kinds: &[bool] = if shapes.len() > 2 || (shapes.len() > 1 && early) || stretched(shapes)
        {
            &[false]
        } else {
            &[false, true]
        };
        compare_values(s, &op, shapes, &[], kinds);
    }
}

/// Whether an axis has length one, so that a label may stretch.
fn stretched(shapes: &[&[usize]]) -> bool {
    shapes.iter().any(|shape| shape.contains(&1))
}

fn norm(s: &mut BTreeSet<&'static str>) {
    let vector_orders = [
        1.0,
        2.0,
        0.0,
        3.0,
        -1.0,
        0.5,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    for keepdims in [false, true] {
        for (axes, shape) in [
            (None, &[][..]),
            (None, &[2, 3, 2]),
            (Some(Axes::from_slice(&[1])), &[2, 3]),
            (Some(Axes::from_slice(&[2, 0])), &[2, 3, 2]),
        ] {
            compare_dtypes(
                s,
                &Op::Linalg(LinalgOp::Norm {
                    order: NormOrder::Default,
                    axes,
                    keepdims,
                }),
                &[shape],
                &[],
            );
        }
        for order in vector_orders.map(NormOrder::number) {
            for (axes, shape) in [(None, &[4][..]), (Some(Axes::from_slice(&[0])), &[3, 2])] {
                compare_dtypes(
                    s,
                    &Op::Linalg(LinalgOp::Norm {
                        order,
                        axes,
                        keepdims,
                    }),
                    &[shape],
                    &[],
                );
            }
        }
        let matrix_orders = [1.0, -1.0, 2.0, -2.0, f64::INFINITY, f64::NEG_INFINITY]
            .map(NormOrder::number)
            .into_iter()
            .chain([NormOrder::Frobenius, NormOrder::Nuclear]);
        for order in matrix_orders {
            for (axes, shape) in [
                (None, &[3, 2][..]),
                (Some(Axes::from_slice(&[2, 0])), &[2, 3, 4]),
                (Some(Axes::from_slice(&[0, 1])), &[2, 3, 0]),
            ] {
                compare_dtypes(
                    s,
                    &Op::Linalg(LinalgOp::Norm {
                        order,
                        axes,
                        keepdims,
                    }),
                    &[shape],
                    &[],
                );
            }
        }
    }
    // Nothing has the largest magnitude zero.
    for (order, shape) in [
        (NormOrder::Infinity, &[0][..]),
        (NormOrder::number(1.0), &[0, 3]),
        (NormOrder::number(1.0), &[3, 0]),
        (NormOrder::Infinity, &[0, 3]),
        (NormOrder::Infinity, &[3, 0]),
        (NormOrder::number(2.0), &[3, 0]),
        (NormOrder::Nuclear, &[0, 2]),
    ] {
        compare_dtypes(
            s,
            &Op::Linalg(LinalgOp::Norm {
                order,
                axes: None,
                keepdims: true,
            }),
            &[shape],
            &[],
        );
    }
}

/// Of matrices with one singular value, whose elements are as accurate as the largest one.
fn pinv(s: &mut BTreeSet<&'static str>) {
    for (shape, hermitian) in [
        (&[3, 1][..], false),
        (&[1, 4], false),
        (&[2, 2, 1], false),
        (&[0, 2], false),
        (&[1, 1], true),
        (&[2, 1, 1], true),
    ] {
        for rcond in [None, Some(1e-15)] {
            let rcond = Cutoff::new(rcond);
            let op = Op::Linalg(LinalgOp::Pinv { rcond, hermitian });
            compare_values(s, &op, &[shape], &[], &[false]);
        }
    }
}

fn indexing(s: &mut BTreeSet<&'static str>) {
    use IndexItem::{Array, Int, NewAxis};
    let part = IndexItem::Slice {
        start: Some(2),
        stop: None,
        step: Some(-2),
    };
    let full = IndexItem::FULL;
    let index_types = [DType::Int64, DType::Int64, DType::Int32, DType::Uint8];
    let keys: [(&[IndexItem], &[&[usize]]); 15] = [
        (&[full, Int(-1)], &[&[3, 4, 2]]),
        (&[part, NewAxis, part], &[&[3, 4, 2]]),
        (&[], &[&[3, 0]]),
        (&[Array], &[&[3, 4], &[5]]),
        (&[Array], &[&[3, 4], &[]]),
        (&[Array], &[&[3, 4], &[0]]),
        (&[full, Array], &[&[3, 4], &[2, 2]]),
        (&[Array, Array], &[&[3, 4, 2], &[2, 1], &[3]]),
        (&[Array, full, Array], &[&[3, 4, 2], &[2, 1], &[3]]),
        (&[full, Array, Array], &[&[3, 4, 2], &[3], &[]]),
        (&[Int(0), full, Array], &[&[3, 4, 2], &[3]]),
        (&[full, Int(1), Array], &[&[3, 4, 2], &[3, 1]]),
        (&[Array, NewAxis, Array, part], &[&[3, 4, 3], &[2], &[2]]),
        (&[NewAxis, part, Array, Int(-1)], &[&[3, 4, 2], &[2]]),
        (
            &[Array, part, Array, Array],
            &[&[3, 4, 2, 3], &[2], &[2, 2], &[1]],
        ),
    ];
    for (items, shapes) in keys {
        let key = IndexKey::normalize(items, &ArrayType::new(DType::Bool, shapes[0])).unwrap();
        let op = Op::Index(IndexOp::Getitem { key: key.clone() });
        s.insert(op.name());
        let mut random = Random(7);
        for dtype in DTYPES {
            let dtypes = [&[dtype], &index_types[1..]].concat();
            let types: Vec<_> = shapes
                .iter()
                .zip(&dtypes)
                .map(|(shape, &d)| ArrayType::new(d, shape))
                .collect();
            // Now and then one is out of range, which both must refuse.
            let arguments: Vec<_> = types
                .iter()
                .enumerate()
                .map(|(i, ty)| {
                    let data: Vec<Scalar> = (0..ty.size())
                        .map(|_| match i {
                            0 => random.scalar(dtype, false),
                            _ if ty.dtype == DType::Uint8 => Scalar::Int(random.next() as i64 & 1),
                            _ => Scalar::Int((random.next() % 4) as i64 - 2),
                        })
                        .collect();
                    HostArray::from_scalars(ty, &data).unwrap()
                })
                .collect();
            compare(&op, &types, &arguments);
            // The same part, set to one number.
            let mode = ScatterMode::Set;
            let op = Op::Index(IndexOp::Scatter {
                key: key.clone(),
                mode,
            });
            s.insert(op.name());
            let number = HostArray::scalar(random.scalar(dtype, false), dtype);
            let types = [&types[..1], &[number.ty()], &types[1..]].concat();
            let values = [&arguments[..1], &[number], &arguments[1..]].concat();
            compare(&op, &types, &values);
        }
    }
    for axis in 0..=2 {
        compare_dtypes(
            s,
            &Op::Join(JoinOp::Stack { axis }),
            &[&[2, 3][..]; 3],
            &[DType::Bool, DType::Float32],
        );
    }
    compare_dtypes(s, &Op::Join(JoinOp::Stack { axis: 0 }), &[&[][..]; 2], &[]);
    compare_dtypes(s, &Op::Join(JoinOp::Stack { axis: 1 }), &[&[0][..]; 2], &[]);
}
