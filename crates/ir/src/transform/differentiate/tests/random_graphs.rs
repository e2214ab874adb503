//! Random graphs of differentiable ops.

use super::{Random, Tolerance, check, check_again, numbers};
use crate::{
    ArrayType, Class, ContractOp, DType, Dims, Graph, HostArray, IndexOp, JoinOp, LinalgOp, MapOp,
    NormOrder, Op, ReduceOp, ScanOp, SortOp, ValueId, ViewOp,
};

/// How many graphs are made.
const GRAPHS: u64 = 2000;

struct Maker {
    graph: Graph,
    values: Vec<ValueId>,
    random: Random,
}

impl Maker {
    fn pick(&mut self) -> ValueId {
        // Late values more often, so that graphs are deep.
        let n = self.values.len();
        let (i, j) = (self.random.below(n), self.random.below(n));
        self.values[i.max(j)]
    }

    fn ty(&self, value: ValueId) -> ArrayType {
        self.graph.ty(value).unwrap().clone()
    }

    fn push(&mut self, op: impl Into<Op>, inputs: &[ValueId]) {
        let types: Vec<_> = inputs.iter().map(|&v| self.graph[v].ty.clone()).collect();
        let op = op.into();
        let fits = op.infer(&types.iter().map(|ty| &**ty).collect::<Vec<_>>());
        let Ok(signature) = fits else { return };
        let is_small = signature.result.arrays().iter().all(|ty| ty.size() <= 64);
        if is_small {
            let value = self.graph.push(op, inputs, None).unwrap();
            self.values.push(value);
        }
    }

    fn unary(&mut self) {
        let x = self.pick();
        let ops = [
            MapOp::Sin,
            MapOp::Cos,
            MapOp::Tanh,
            MapOp::Arctan,
            MapOp::Square,
            MapOp::Negative,
            MapOp::Conj,
            MapOp::Real,
            MapOp::Imag,
            MapOp::Absolute,
            MapOp::Exp,
            MapOp::Arcsinh,
        ];
        let op = ops[self.random.below(ops.len())];
        self.push(op, &[x]);
    }

    fn binary(&mut self) {
        let (x, y) = (self.pick(), self.pick());
        let ops = [
            MapOp::Add,
            MapOp::Subtract,
            MapOp::Multiply,
            MapOp::Multiply,
            MapOp::Maximum,
            MapOp::Minimum,
            MapOp::Hypot,
        ];
        let op = ops[self.random.below(ops.len())];
        self.push(op, &[x, y]);
    }

    fn reduction(&mut self) {
        let x = self.pick();
        let ndim = self.ty(x).ndim();
        if ndim == 0 {
            return;
        }
        let axis = self.random.below(ndim);
        let axes = Dims::from_slice(&[axis]);
        let keepdims = self.random.below(2) == 0;
        match self.random.below(7) {
            0 => self.push(ReduceOp::Sum { axes, keepdims }, &[x]),
            1 => self.push(ReduceOp::Prod { axes, keepdims }, &[x]),
            2 => self.push(ReduceOp::Max { axes, keepdims }, &[x]),
            3 => self.push(ScanOp::Cumsum { axis }, &[x]),
            4 => self.push(ScanOp::Cumprod { axis }, &[x]),
            5 => self.push(SortOp::Sort { axis }, &[x]),
            _ => self.push(
                LinalgOp::Norm {
                    order: NormOrder::Default,
                    axes: Some(axes.iter().copied().collect()),
                    keepdims,
                },
                &[x],
            ),
        }
    }

    fn view(&mut self) {
        let x = self.pick();
        let ty = self.ty(x);
        let mut perm: Dims = (0..ty.ndim()).collect();
        perm.reverse();
        match self.random.below(5) {
            0 => self.push(ViewOp::Transpose { perm }, &[x]),
            1 => self.push(
                ViewOp::Reshape {
                    shape: Dims::from_slice(&[ty.size()]),
                },
                &[x],
            ),
            2 => {
                let mut shape = ty.shape.clone();
                shape.insert(0, 2);
                self.push(ViewOp::BroadcastTo { shape }, &[x]);
            }
            3 if ty.ndim() > 0 && ty.shape[0] > 0 => {
                let key = ["(-1)", "(::-1)", "(::2)", "(None)"][self.random.below(4)];
                let full = ",:".repeat(ty.ndim() - usize::from(!key.contains("None")));
                let key = if key.contains("None") {
                    format!("(None{full})")
                } else {
                    format!("{}{full})", &key[..key.len() - 1])
                };
                let op = Op::parse("getitem", &[("key", &key)]).unwrap();
                self.push(op, &[x]);
            }
            _ if ty.ndim() > 0 && ty.shape[0] > 1 => {
                let indices = self.graph.add_constant(
                    HostArray::from_scalars(
                        &ArrayType::new(DType::Int64, &[3]),
                        &[0, -1, 0].map(crate::Scalar::Int),
                    )
                    .unwrap(),
                );
                self.push(IndexOp::Take { axis: 0 }, &[x, indices]);
            }
            _ => {}
        }
    }

    fn product(&mut self) {
        let (x, y) = (self.pick(), self.pick());
        match self.random.below(4) {
            0 | 1 => self.push(ContractOp::Matmul, &[x, y]),
            2 => {
                let (a, b) = (self.ty(x), self.ty(y));
                let letters = |ty: &ArrayType, from: u8| -> String {
                    (0..ty.ndim()).map(|i| (from + i as u8) as char).collect()
                };
                let (left, right) = (letters(&a, b'a'), letters(&b, b'a'));
                let result: String = left.chars().filter(|_| self.random.below(2) == 0).collect();
                let subscripts = format!("{left},{right}->{result}").into();
                self.push(ContractOp::Einsum { subscripts }, &[x, y]);
            }
            _ => self.push(JoinOp::Concatenate { axis: 0 }, &[x, y]),
        }
    }
}

fn make(seed: u64) -> (Graph, Vec<HostArray>, Random) {
    let mut random = Random::new(seed + 1);
    let mut graph = Graph::new();
    let shapes: [&[usize]; 6] = [&[3], &[2, 3], &[3, 3], &[], &[3, 2], &[2, 1, 3]];
    let mut values = Vec::new();
    for _ in 0..2 + random.below(2) {
        let dtype = if random.below(3) == 0 {
            DType::Complex128
        } else {
            DType::Float64
        };
        let ty = ArrayType::new(dtype, shapes[random.below(shapes.len())]);
        values.push(graph.add_input(ty));
    }
    let mut maker = Maker {
        graph,
        values,
        random,
    };
    for _ in 0..12 {
        match maker.random.below(8) {
            0 | 1 => maker.unary(),
            2 | 3 => maker.binary(),
            4 => maker.reduction(),
            5 => maker.view(),
            _ => maker.product(),
        }
    }
    let Maker {
        mut graph,
        values,
        mut random,
    } = maker;
    let outputs: Vec<ValueId> = values.iter().rev().take(2).copied().collect();
    graph.set_outputs(outputs);
    let inputs = graph
        .input_types()
        .iter()
        .map(|ty| random.array(ty))
        .collect();
    (graph, inputs, random)
}

#[test]
fn random_graphs() {
    let mut failures = Vec::new();
    let mut checked = 0;
    let graphs = std::env::var("AUTOJIT_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let graphs = graphs.unwrap_or(GRAPHS);
    for seed in 0..graphs {
        let (graph, inputs, mut random) = make(seed);
        // Differences of large numbers, and near kinks, say nothing.
        let intermediate = {
            let mut all = graph.clone();
            let arrays = graph.values().filter(|&v| graph.ty(v).is_ok());
            all.set_outputs(arrays.collect());
            all.evaluate(&inputs).unwrap()
        };
        let tame = |array: &HostArray| {
            array.dtype().class() < Class::Float || numbers(array).iter().all(|z| z.norm() < 50.0)
        };
        if !intermediate.iter().all(tame) {
            continue;
        }
        checked += 1;
        let tolerance = Tolerance {
            modes: 1e-9,
            differences: Some(1e-4),
        };
        let mut result = check(&graph, &inputs, tolerance, &mut random);
        if result.is_ok() && seed % 4 == 0 {
            result = check_again(&graph, &inputs, &mut random);
        }
        if let Err(why) = result {
            failures.push(format!("seed {seed}: {why}"));
        }
    }
    assert!(
        checked * 2 > graphs,
        "{checked} of {graphs} graphs are tame"
    );
    let count = failures.len();
    failures.truncate(4);
    assert!(
        failures.is_empty(),
        "{count} of {checked} failed\n{}",
        failures.join("\n\n")
    );
}
