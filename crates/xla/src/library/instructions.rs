//! The instructions of HLO by what they do, each with the shape that it gives.

use smallvec::SmallVec;

use super::axes::{Steps, joined_axes};
use super::module::{Value, Writer, list, type_name};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, DType, Scalar};

/// How two values are compared.
#[derive(Clone, Copy)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Writer {
    /// An instruction on one value that keeps its type.
    pub(super) fn unary(&mut self, opcode: &'static str, x: &Value) -> Value {
        self.op(opcode, x.ty.clone(), &[x], "")
    }

    /// An instruction on two values of one type that keeps it.
    pub(super) fn binary(&mut self, opcode: &'static str, x: &Value, y: &Value) -> Value {
        self.op(opcode, x.ty.clone(), &[x, y], "")
    }

    pub(super) fn compare(&mut self, how: Compare, x: &Value, y: &Value) -> Value {
        let direction = match how {
            Compare::Equal => ", direction=EQ",
            Compare::NotEqual => ", direction=NE",
            Compare::Less => ", direction=LT",
            Compare::LessEqual => ", direction=LE",
            Compare::Greater => ", direction=GT",
            Compare::GreaterEqual => ", direction=GE",
        };
        self.op("compare", x.ty.with_dtype(DType::Bool), &[x, y], direction)
    }

    pub(super) fn select(&mut self, condition: &Value, x: &Value, y: &Value) -> Value {
        self.op("select", x.ty.clone(), &[condition, x, y], "")
    }

    /// XLA's own conversion, see `lower::astype` for NumPy's.
    pub(super) fn convert(&mut self, x: &Value, dtype: DType) -> Value {
        if x.ty.dtype == dtype {
            return x.clone();
        }
        self.op("convert", x.ty.with_dtype(dtype), &[x], "")
    }

    /// The same bits as another dtype of the same size.
    pub(super) fn bits(&mut self, x: &Value, dtype: DType) -> Value {
        self.op("bitcast-convert", x.ty.with_dtype(dtype), &[x], "")
    }

    /// A number beside `x`, with its dtype and shape.
    pub(super) fn like(&mut self, x: &Value, value: impl Into<Scalar>) -> Value {
        let shape = x.ty.shape.clone();
        self.literal(value, x.ty.dtype, &shape)
    }

    pub(super) fn real(&mut self, x: &Value) -> Value {
        self.op("real", x.ty.with_dtype(x.ty.dtype.real()), &[x], "")
    }

    pub(super) fn imag(&mut self, x: &Value) -> Value {
        self.op("imag", x.ty.with_dtype(x.ty.dtype.real()), &[x], "")
    }

    pub(super) fn complex(&mut self, re: &Value, im: &Value) -> Value {
        let dtype = re.ty.dtype.promote(DType::Complex64);
        self.op("complex", re.ty.with_dtype(dtype), &[re, im], "")
    }

    pub(super) fn reshape(&mut self, x: &Value, shape: &[usize]) -> Value {
        if x.ty.shape.as_slice() == shape {
            return x.clone();
        }
        let ty = ArrayType::new(x.ty.dtype, shape);
        Value {
            known: x.known,
            is_real: x.is_real,
            ..self.op("reshape", ty, &[x], "")
        }
    }

    /// The axes in another order: with axes that stay side by side as one, and in several steps where XLA would take
    /// too long to compile a single one, see [`Steps`].
    pub(super) fn transpose(&mut self, x: &Value, perm: &[usize]) -> Value {
        let mut moved = x.clone();
        for step in Steps::new(&x.ty.shape, perm) {
            moved = self.transpose_step(&moved, &step);
        }
        moved
    }

    fn transpose_step(&mut self, x: &Value, perm: &[usize]) -> Value {
        let (sizes, order) = joined_axes(&x.ty.shape, perm);
        let joined = self.reshape(x, &sizes);
        let shape: SmallVec<[usize; 4]> = perm.iter().map(|&a| x.ty.shape[a]).collect();
        if order.is_sorted() {
            return self.reshape(&joined, &shape);
        }
        let sizes: SmallVec<[usize; 4]> = order.iter().map(|&a| sizes[a]).collect();
        let attributes = format!(", dimensions={{{}}}", list(&order));
        let ty = ArrayType::new(x.ty.dtype, &sizes);
        let moved = Value {
            known: x.known,
            is_real: x.is_real,
            ..self.op("transpose", ty, &[&joined], &attributes)
        };
        self.reshape(&moved, &shape)
    }

    /// Stretches axes of length one, and adds leading ones, as NumPy does.
    pub(super) fn broadcast(&mut self, x: &Value, shape: &[usize]) -> Value {
        if x.ty.shape.as_slice() == shape {
            return x.clone();
        }
        if let Some(known) = x.known {
            return self.literal(known.value, known.dtype, shape);
        }
        let lead = shape.len() - x.ty.ndim();
        let sizes = x.ty.shape.iter().enumerate();
        // HLO stretches nothing: axes of length one go, and come back.
        let kept: SmallVec<[usize; 4]> = sizes
            .filter(|&(a, &n)| n == shape[lead + a])
            .map(|(a, _)| a)
            .collect();
        let core: SmallVec<[usize; 4]> = kept.iter().map(|&a| x.ty.shape[a]).collect();
        let core = self.reshape(x, &core);
        let places: SmallVec<[usize; 4]> = kept.iter().map(|&a| lead + a).collect();
        let attributes = format!(", dimensions={{{}}}", list(&places));
        let ty = ArrayType::new(x.ty.dtype, shape);
        Value {
            is_real: x.is_real,
            ..self.op("broadcast", ty, &[&core], &attributes)
        }
    }

    /// Positions along an axis.
    pub(super) fn iota(&mut self, dtype: DType, shape: &[usize], axis: usize) -> Value {
        let attributes = format!(", iota_dimension={axis}");
        self.op("iota", ArrayType::new(dtype, shape), &[], &attributes)
    }

    /// Every `step`-th position along each axis from `start` up to before `end`.
    pub(super) fn slice(&mut self, x: &Value, ranges: &[(usize, usize, usize)]) -> Value {
        let sizes: SmallVec<[usize; 4]> = ranges
            .iter()
            .map(|&(start, end, step)| (end - start).div_ceil(step))
            .collect();
        if sizes == x.ty.shape {
            return x.clone();
        }
        let ranges: Vec<String> = ranges
            .iter()
            .map(|(start, end, step)| format!("[{start}:{end}:{step}]"))
            .collect();
        let attributes = format!(", slice={{{}}}", ranges.join(", "));
        self.op(
            "slice",
            ArrayType::new(x.ty.dtype, &sizes),
            &[x],
            &attributes,
        )
    }

    /// As many more elements at the end of an axis.
    pub(super) fn pad(&mut self, x: &Value, axis: usize, more: usize, value: Scalar) -> Value {
        let value = self.literal(value, x.ty.dtype, &[]);
        let mut shape = x.ty.shape.clone();
        let mut edges = vec!["0_0".to_owned(); shape.len()];
        shape[axis] += more;
        edges[axis] = format!("0_{more}");
        let attributes = format!(", padding={}", edges.join("x"));
        let ty = ArrayType::new(x.ty.dtype, &shape);
        self.op("pad", ty, &[x, &value], &attributes)
    }

    /// A reduction over axes by an associative instruction such as `add`.
    pub(super) fn reduce(
        &mut self,
        x: &Value,
        axes: &[usize],
        initial: impl Into<Scalar>,
        region: &str,
    ) -> Value {
        let initial = self.literal(initial, x.ty.dtype, &[]);
        let sizes = x.ty.shape.iter().enumerate();
        let shape: SmallVec<[usize; 4]> = sizes
            .filter(|(a, _)| !axes.contains(a))
            .map(|(_, &n)| n)
            .collect();
        let attributes = format!(", dimensions={{{}}}, to_apply={region}", list(axes));
        self.op(
            "reduce",
            ArrayType::new(x.ty.dtype, &shape),
            &[x, &initial],
            &attributes,
        )
    }

    /// The inner computation of one instruction on two scalars.
    pub(super) fn scalar_region(&mut self, opcode: &'static str, dtype: DType) -> Result<String> {
        let name = format!("{opcode}_{}", type_name(dtype));
        let scalar = ArrayType::scalar(dtype);
        self.region(&name, &[scalar.clone(), scalar], |w, x| {
            Ok([w.binary(opcode, &x[0], &x[1])].into_iter().collect())
        })
    }

    /// Values of which the op's row has another number.
    pub(super) fn missing() -> Error {
        Error::internal("an op with another number of operands")
    }
}
