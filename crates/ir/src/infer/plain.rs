//! A short cut for the commonest calls: inputs of one type, and a result that follows from it at a glance.
//!
//! Inference builds a signature, which costs more than many a small array is worth. What is said here is what
//! inference says (the test below goes through all ops and dtypes), and where nothing is said inference decides.

use std::sync::Arc;

use super::super::types::{ArrayType, Class, DType, Type};
use super::super::{ContractOp, MapOp, Op, ReduceOp};

/// The type of a result that inference was not asked for.
#[derive(Clone, Debug)]
pub enum PlainType<'t> {
    /// That of an input.
    Input(&'t Arc<Type>),
    /// Another one.
    Other(Type),
}

/// The type of the result of `count` inputs, where all have one type that needs no conversion, or are 0-d of its
/// dtype. Those left out of `types` are such, and a `None` among them is not.
#[inline]
pub fn infer_plain<'t>(
    op: &Op,
    count: usize,
    mut types: impl Iterator<Item = Option<&'t Arc<Type>>>,
) -> Option<PlainType<'t>> {
    let mut shared = types.next()??;
    let Type::Array(first) = &**shared else {
        return None;
    };
    let mut widest = first;
    let mut alike = 1;
    for other in types {
        let other = other?;
        if Arc::ptr_eq(shared, other) {
            alike += 1;
            continue;
        }
        let Type::Array(ty) = &**other else {
            return None;
        };
        if ty.dtype != widest.dtype {
            return None;
        }
        if ty.has_shape(&widest.shape) {
            alike += 1;
        } else if widest.shape.is_empty() {
            (shared, widest, alike) = (other, ty, 1);
        } else if !ty.shape.is_empty() {
            return None;
        }
    }
    let ArrayType { dtype, shape } = widest;
    Some(match plain(op, count, alike, *dtype, shape.len())? {
        Plain::Each(result) if result == *dtype => PlainType::Input(shared),
        Plain::Each(result) => PlainType::Other(ArrayType::new(result, shape).into()),
        Plain::All(result) => PlainType::Other(ArrayType::scalar(result).into()),
    })
}

/// The type of the result of `count` inputs that all have this dtype and shape, if no input needs a conversion.
#[inline]
pub fn plain_result(op: &Op, count: usize, dtype: DType, shape: &[usize]) -> Option<ArrayType> {
    Some(match plain(op, count, count, dtype, shape.len())? {
        Plain::Each(result) => ArrayType::new(result, shape),
        Plain::All(result) => ArrayType::scalar(result),
    })
}

/// The result type of an op for inputs of one type.
enum Plain {
    /// An element of this dtype of each.
    Each(DType),
    /// One element of this dtype of all.
    All(DType),
}

/// `alike` says how many inputs have all of the axes; the others are 0-d.
#[inline]
fn plain(op: &Op, count: usize, alike: usize, dtype: DType, ndim: usize) -> Option<Plain> {
    let class = dtype.class();
    let (inputs, fits, result) = match op {
        Op::Map(MapOp::Add | MapOp::Multiply | MapOp::Maximum | MapOp::Minimum) => (2, true, dtype),
        Op::Map(MapOp::Subtract) => (2, class != Class::Bool, dtype),
        Op::Map(MapOp::Divide) => (2, class >= Class::Float, dtype),
        Op::Map(
            MapOp::Equal
            | MapOp::NotEqual
            | MapOp::Less
            | MapOp::LessEqual
            | MapOp::Greater
            | MapOp::GreaterEqual,
        ) => (2, true, DType::Bool),
        Op::Map(MapOp::Negative) => (1, class != Class::Bool, dtype),
        Op::Map(MapOp::Conj | MapOp::Square) => (1, class != Class::Bool, dtype),
        Op::Map(MapOp::Absolute) => (1, class < Class::Complex, dtype),
        Op::Map(MapOp::Sqrt | MapOp::Exp | MapOp::Log | MapOp::Sin | MapOp::Cos | MapOp::Tanh) => {
            (1, class >= Class::Float, dtype)
        }
        Op::Reduce(
            ReduceOp::Sum {
                axes,
                keepdims: false,
            }
            | ReduceOp::Prod {
                axes,
                keepdims: false,
            },
        ) => {
            let all = axes.iter().copied().eq(0..ndim);
            let plain = count == 1 && all && class >= Class::Float;
            return plain.then_some(Plain::All(dtype));
        }
        // Of two vectors.
        Op::Contract(ContractOp::Tensordot { x_axes, y_axes }) => {
            let all = x_axes.as_slice() == [0] && y_axes.as_slice() == [0] && ndim == 1;
            let plain = count == 2 && alike == 2 && all && class >= Class::Float;
            return plain.then_some(Plain::All(dtype));
        }
        Op::Leaf(_)
        | Op::Map(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::View(_)
        | Op::Index(_)
        | Op::Join(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => return None,
    };
    (inputs == count && fits).then_some(Plain::Each(result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dims;
    use crate::types::Axes;

    fn elementwise() -> Vec<Op> {
        MapOp::ELEMENTWISE.iter().map(|&op| op.into()).collect()
    }

    #[test]
    fn what_is_plain_is_what_inference_says() {
        let axes = |n: usize| -> Dims { (0..n).collect() };
        let (mut said, mut ops) = (0, elementwise());
        for n in 0..3 {
            for keepdims in [false, true] {
                let axes = axes(n);
                ops.push(Op::Reduce(ReduceOp::Sum {
                    axes: axes.clone(),
                    keepdims,
                }));
                ops.push(Op::Reduce(ReduceOp::Prod { axes, keepdims }));
            }
        }
        ops.push(Op::Reduce(ReduceOp::Sum {
            axes: Dims::from_slice(&[1, 0]),
            keepdims: false,
        }));
        for axes in [&[0][..], &[1], &[0, 1]] {
            let [x_axes, y_axes] = [Axes::from_slice(axes), Axes::from_slice(axes)];
            ops.push(ContractOp::Tensordot { x_axes, y_axes }.into());
        }
        for op in &ops {
            for dtype in DType::ALL {
                for shape in [&[][..], &[3], &[2, 3], &[0, 3]] {
                    for count in 1..4 {
                        let ty = Type::from(ArrayType::new(dtype, shape));
                        let Some(plain) = plain_result(op, count, dtype, shape) else {
                            continue;
                        };
                        said += 1;
                        let signature = op.infer(&vec![&ty; count]).unwrap();
                        assert_eq!(signature.result, Type::from(plain), "{op} of {ty}");
                        let kept = |operand: &Option<DType>| operand.is_none_or(|d| d == dtype);
                        assert!(signature.operands.iter().all(kept), "{op} of {ty}");
                    }
                }
            }
        }
        assert!(said > 300, "{said}");
    }

    #[test]
    fn numbers_beside_arrays_are_plain_too() {
        let mut said = 0;
        let axes = || Axes::from_slice(&[0]);
        let (x_axes, y_axes) = (axes(), axes());
        let mut ops = elementwise();
        ops.push(ContractOp::Tensordot { x_axes, y_axes }.into());
        for op in &ops {
            for dtype in DType::ALL {
                for shapes in [[&[3][..], &[]], [&[], &[2, 3]], [&[], &[]], [&[3], &[2, 3]]] {
                    let types = shapes.map(|shape| ArrayType::new(dtype, shape));
                    let types = types.map(|ty| Arc::new(Type::from(ty)));
                    let Some(plain) = infer_plain(op, 2, types.iter().map(Some)) else {
                        continue;
                    };
                    said += 1;
                    let signature = op.infer(&types.iter().map(|ty| &**ty).collect::<Vec<_>>());
                    let signature = signature.unwrap();
                    let plain = match plain {
                        PlainType::Input(ty) => Type::clone(ty),
                        PlainType::Other(ty) => ty,
                    };
                    assert_eq!(signature.result, plain, "{op} of {types:?}");
                    let kept = |operand: &Option<DType>| operand.is_none_or(|d| d == dtype);
                    assert!(signature.operands.iter().all(kept), "{op} of {types:?}");
                }
            }
        }
        assert!(said > 200, "{said}");
    }
}
