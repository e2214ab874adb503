//! `show`: a graph as a tree of text.
//!
//! A node that is printed again refers to the line where it stands. Lines number from zero. The printing is a loop, and
//! its length is linear in nodes: beyond [`WIDEST`] levels a line begins with the level, and shows the last of them alone.
//!
//! Source: the `show` method of autoray's `LazyArray`.

use std::fmt::{self, Write as _};

use rustc_hash::FxHashMap;

use super::node::{LazyArray, LazyOperand, State};
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::{
    ContractOp, IndexOp, JoinOp, LinalgOp, MapOp, Op, QrMode, ReduceOp, Scalar, Type, ViewOp,
    derived,
};

/// The most levels that a line shows as columns.
const WIDEST: usize = 60;

/// The tree of a lazy array, to be printed.
#[derive(Clone, Debug)]
pub struct Show {
    root: LazyArray,
    with_args: bool,
    max_lines: usize,
    max_depth: usize,
}

impl LazyArray {
    /// The graph as a tree, to be printed: functions and shapes.
    ///
    /// ```
    /// use autojit::{lazy, numpy as np, DType};
    ///
    /// let x = lazy::variable(&[3], DType::Float64);
    /// let y = np::add(np::exp(&x), np::sum(&x, ..));
    /// assert_eq!(y.as_lazy().unwrap().show().to_string(), "   0 add[3]
    ///    1 ├─sum[]
    ///    2 │ ╰─←[3]
    ///    3 ╰─exp[3]
    ///    4   ╰─ ... [←[3] from line 2]
    /// ");
    /// ```
    #[must_use]
    pub fn show(&self) -> Show {
        Show {
            root: self.clone(),
            with_args: false,
            max_lines: usize::MAX,
            max_depth: usize::MAX,
        }
    }

    /// The graph as a tree with the arguments of the functions, as in `sum(#, 0) → [3]`.
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// println!("{}", y.show_with_args());
    /// assert!(y.show_with_args().to_string().contains("exp"));
    /// ```
    #[must_use]
    pub fn show_with_args(&self) -> Show {
        self.show().with_args(true)
    }
}

impl Show {
    /// Whether to print the arguments of each function.
    #[must_use]
    pub fn with_args(mut self, with_args: bool) -> Self {
        self.with_args = with_args;
        self
    }

    /// Stops after this many lines.
    #[must_use]
    pub fn max_lines(mut self, lines: usize) -> Self {
        self.max_lines = lines;
        self
    }

    /// Leaves out what is further than this from the root.
    #[must_use]
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = depth;
        self
    }
}

impl fmt::Display for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The nodes stay in `seen`, so that their addresses stay theirs.
        let mut seen: FxHashMap<usize, (usize, LazyArray)> = FxHashMap::default();
        // For each ancestor whether it is the last of its siblings.
        let mut columns: Vec<bool> = Vec::new();
        let mut stack = vec![(self.root.clone(), 0, true)];
        let mut line = 0;
        while line < self.max_lines
            && let Some((node, depth, is_last)) = stack.pop()
        {
            write!(f, "{line:>4} ")?;
            if depth > 0 {
                columns.truncate(depth - 1);
                let hidden = columns.len().saturating_sub(WIDEST);
                if hidden > 0 {
                    write!(f, "+{hidden} ")?;
                }
                for &closed in &columns[hidden..] {
                    f.write_str(if closed { "  " } else { "│ " })?;
                }
                f.write_str(if is_last { "╰─" } else { "├─" })?;
                columns.push(is_last);
            }
            if let Some((before, _)) = seen.get(&node.address()) {
                f.write_str(" ... [")?;
                self.write_item(f, &node)?;
                writeln!(f, " from line {before}]")?;
            } else {
                self.write_item(f, &node)?;
                f.write_char('\n')?;
                seen.insert(node.address(), (line, node.clone()));
                if depth < self.max_depth {
                    let mut deps = node.deps();
                    deps.sort_by_key(|d| std::cmp::Reverse(d.depth()));
                    let deps = deps.into_iter().enumerate();
                    stack.extend(deps.map(|(i, dep)| (dep, depth + 1, i == 0)));
                }
            }
            line += 1;
        }
        Ok(())
    }
}

impl Show {
    fn write_item(&self, f: &mut fmt::Formatter<'_>, node: &LazyArray) -> fmt::Result {
        match &*node.state() {
            State::Pending { op, inputs } if self.with_args => {
                let args = arguments(op, inputs, node_ndim(inputs));
                write!(f, "{}({args}) → ", op.shown_name())?;
            }
            State::Pending { op, .. } => f.write_str(op.shown_name())?,
            State::Variable | State::Value(_) => f.write_char('←')?,
        }
        write!(f, "[{}]", shape(node))
    }
}

/// The sizes, as in `3, 4`; for a tuple the number of its arrays.
fn shape(node: &LazyArray) -> String {
    match node.ty() {
        Type::Array(ty) => list(ty.shape.iter()),
        Type::Tuple(types) => types.len().to_string(),
    }
}

/// The number of axes of the first input.
fn node_ndim(inputs: &[LazyOperand]) -> Option<usize> {
    let first = inputs.first().and_then(LazyOperand::node)?;
    first.ty().array().ok().map(|ty| ty.shape.len())
}

/// The arguments as a Python user would write them, with `#` for arrays.
#[allow(
    unreachable_patterns,
    clippy::unnested_or_patterns,
    reason = "the pattern of derived ops is one of alternatives, some of which have forms of their own"
)]
fn arguments(op: &Op, inputs: &[LazyOperand], ndim: Option<usize>) -> String {
    let inputs: Vec<String> = inputs.iter().map(argument).collect();
    let all = inputs.join(", ");
    match op {
        Op::Get { index } => format!("{all}, {index}"),
        Op::Map(MapOp::Astype { dtype }) => format!("{all}, '{dtype}'"),
        Op::Reduce(
            ReduceOp::Sum { axes, keepdims }
            | ReduceOp::Prod { axes, keepdims }
            | ReduceOp::Max { axes, keepdims }
            | ReduceOp::Min { axes, keepdims }
            | ReduceOp::Any { axes, keepdims }
            | ReduceOp::All { axes, keepdims },
        ) => {
            format!("{all}{}", reduction(axes, *keepdims, ndim))
        }
        Op::Reduce(ReduceOp::SumWhere { axes, keepdims }) => {
            format!("#{}, where=#", reduction(axes, *keepdims, ndim))
        }
        Op::Reduce(ReduceOp::Argmax { axis, keepdims } | ReduceOp::Argmin { axis, keepdims }) => {
            format!("{all}{}", reduction(&[*axis], *keepdims, None))
        }
        Op::Contract(ContractOp::Tensordot { x_axes, y_axes }) => {
            format!("{all}, ({}, {})", tuple(x_axes), tuple(y_axes))
        }
        Op::Contract(ContractOp::Einsum { subscripts }) => format!("'{subscripts}', {all}"),
        Op::Linalg(LinalgOp::Norm {
            order,
            axes,
            keepdims,
        }) => {
            let axis = axes.as_ref().map_or("None".into(), |a| axis_or_tuple(a));
            let keepdims = truth(*keepdims);
            format!("{all}, ord={order}, axis={axis}, keepdims={keepdims}")
        }
        Op::View(ViewOp::Reshape { shape } | ViewOp::BroadcastTo { shape }) => {
            format!("{all}, {}", tuple(shape))
        }
        Op::View(ViewOp::Transpose { perm }) => format!("{all}, {}", tuple(perm)),
        Op::Index(IndexOp::Getitem { key }) => std::iter::once(format!("#, {}", key_text(key)))
            .chain(inputs.into_iter().skip(1))
            .collect::<Vec<_>>()
            .join(", "),
        Op::Index(IndexOp::Take { axis }) => format!("{all}, axis={axis}"),
        Op::Join(JoinOp::Concatenate { axis } | JoinOp::Stack { axis }) => {
            let comma = if inputs.len() == 1 { "," } else { "" };
            format!("({all}{comma}), {axis}")
        }
        Op::Linalg(
            LinalgOp::Svd {
                full_matrices: false,
            }
            | LinalgOp::Qr {
                mode: QrMode::Reduced,
            },
        ) => all,
        // The graphs inside are as long as programs.
        Op::Control(_) => {
            let summary = op.summary();
            let attributes = summary.split(' ').skip(1).map(str::to_owned);
            inputs
                .into_iter()
                .chain(attributes)
                .collect::<Vec<_>>()
                .join(", ")
        }
        // Ops without a form of their own print their attributes by name.
        Op::Leaf(_)
        | Op::Map(_)
        | Op::Reduce(derived!(ReduceOp))
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::View(_)
        | Op::Index(_)
        | Op::Join(derived!(JoinOp))
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Random { .. }
        | Op::Opaque { .. } => {
            let attributes = op.attributes();
            let attributes = attributes
                .iter()
                .map(|(name, text)| format!("{name}={text}"));
            inputs
                .into_iter()
                .chain(attributes)
                .collect::<Vec<_>>()
                .join(", ")
        }
    }
}

fn argument(input: &LazyOperand) -> String {
    match input {
        LazyOperand::Node(_) => "#".into(),
        LazyOperand::Scalar(Scalar::Bool(b)) => truth(*b).into(),
        LazyOperand::Scalar(Scalar::Complex(z)) => format!("({}{:+}j)", z.re, z.im),
        LazyOperand::Scalar(scalar) => scalar.to_string(),
    }
}

/// `, axis` unless that is all of them, and `, keepdims=True` unless it is not.
fn reduction(axes: &[usize], keepdims: bool, ndim: Option<usize>) -> String {
    let mut text = String::new();
    if Some(axes.len()) != ndim {
        text = format!(", {}", axis_or_tuple(axes));
    }
    if keepdims {
        text.push_str(", keepdims=True");
    }
    text
}

fn truth(b: bool) -> &'static str {
    if b { "True" } else { "False" }
}

fn axis_or_tuple(axes: &[usize]) -> String {
    match axes {
        [axis] => axis.to_string(),
        _ => tuple(axes),
    }
}

fn tuple(items: &[usize]) -> String {
    let comma = if items.len() == 1 { "," } else { "" };
    format!("({}{comma})", list(items.iter()))
}

fn list(items: impl Iterator<Item = impl fmt::Display>) -> String {
    let items: Vec<String> = items.map(|i| i.to_string()).collect();
    items.join(", ")
}

fn key_text(key: &IndexKey) -> String {
    match &*key.0 {
        [IndexItem::Array] => "#".into(),
        [_] => key.to_string().replace(')', ",)"),
        _ => key.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use autojit_ir::{DType, NormOrder};

    #[test]
    fn arguments_read_like_python() {
        let cases: [(Op, usize, &str); 17] = [
            (Op::Join(JoinOp::Stack { axis: 0 }), 3, "(#, #, #), 0"),
            (Op::Join(JoinOp::Concatenate { axis: 1 }), 1, "(#,), 1"),
            (Op::Get { index: 2 }, 1, "#, 2"),
            (
                Op::Map(MapOp::Astype {
                    dtype: DType::Complex128,
                }),
                1,
                "#, 'complex128'",
            ),
            (
                Op::Reduce(ReduceOp::Sum {
                    axes: smallvec![0, 1],
                    keepdims: false,
                }),
                1,
                "#",
            ),
            (
                Op::Reduce(ReduceOp::Max {
                    axes: smallvec![0],
                    keepdims: true,
                }),
                1,
                "#, 0, keepdims=True",
            ),
            (
                Op::Reduce(ReduceOp::SumWhere {
                    axes: smallvec![0],
                    keepdims: false,
                }),
                2,
                "#, 0, where=#",
            ),
            (
                Op::Reduce(ReduceOp::Argmin {
                    axis: 1,
                    keepdims: false,
                }),
                1,
                "#, 1",
            ),
            (
                Op::Contract(ContractOp::Tensordot {
                    x_axes: smallvec![0],
                    y_axes: smallvec![0],
                }),
                2,
                "#, #, ((0,), (0,))",
            ),
            (
                Op::Contract(ContractOp::Einsum {
                    subscripts: "ab,ba->a".into(),
                }),
                2,
                "'ab,ba->a', #, #",
            ),
            (
                Op::Linalg(LinalgOp::Norm {
                    order: NormOrder::number(2.0),
                    axes: None,
                    keepdims: false,
                }),
                1,
                "#, ord=2, axis=None, keepdims=False",
            ),
            (
                Op::View(ViewOp::Reshape {
                    shape: smallvec![5],
                }),
                1,
                "#, (5,)",
            ),
            (
                Op::View(ViewOp::Transpose {
                    perm: smallvec![1, 0],
                }),
                1,
                "#, (1, 0)",
            ),
            (
                Op::Linalg(LinalgOp::Svd {
                    full_matrices: false,
                }),
                1,
                "#",
            ),
            (
                Op::Linalg(LinalgOp::Svd {
                    full_matrices: true,
                }),
                1,
                "#, full_matrices=true",
            ),
            (
                Op::Index(IndexOp::Getitem {
                    key: IndexKey([IndexItem::Int(0), IndexItem::FULL].into()),
                }),
                1,
                "#, (0, :)",
            ),
            (
                Op::Index(IndexOp::Getitem {
                    key: IndexKey([IndexItem::Int(4)].into()),
                }),
                1,
                "#, (4,)",
            ),
        ];
        let location = std::panic::Location::caller();
        let ty = crate::ArrayType::new(DType::Float64, &[2, 2]);
        let x = LazyOperand::Node(LazyArray::variable(ty, location.into()));
        for (op, count, expected) in cases {
            let inputs = vec![x.clone(); count];
            assert_eq!(arguments(&op, &inputs, Some(2)), expected, "{op}");
        }
        for (scalar, expected) in [
            (Scalar::from(2), "#, 2"),
            (Scalar::from(2.0), "#, 2.0"),
            (Scalar::from(f64::INFINITY), "#, inf"),
            (Scalar::from(true), "#, True"),
            (num_complex::Complex64::new(0.0, -1.5).into(), "#, (0-1.5j)"),
        ] {
            let inputs = [x.clone(), LazyOperand::Scalar(scalar)];
            assert_eq!(
                arguments(&Op::Map(MapOp::Multiply), &inputs, Some(2)),
                expected
            );
        }
    }
}
