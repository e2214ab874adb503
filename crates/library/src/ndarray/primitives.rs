//! Elementwise ops that have no inner loop of their own: primitive by primitive on whole arrays, as
//! [`autojit_ir::semantics`] writes them.
//!
//! Primitives are inner loops of other ops. Arrays broadcast as they are; constants are 0-d.

use num_complex::Complex;
use smallvec::SmallVec;

use super::elementwise::kernel;
use super::kernel::{INPUTS, Kernel};
use super::strided::{View, map};
use super::{cast, shape};
use autojit_ir::error::{Error, Result};
use autojit_ir::semantics::{
    Binary, Comparison, Element, Elementwise, Logic, Primitives, Rounding, Unary, lower,
};
use autojit_ir::{ArrayType, DType, HostArray, MapOp, Scalar, Shape, broadcast_shapes};

/// The result of a core op, of this type.
pub(super) fn run(op: MapOp, inputs: &[&HostArray], result: &ArrayType) -> Result<HostArray> {
    let elements = inputs.iter().map(|x| element(x));
    let elements = elements.collect::<Result<SmallVec<[Element<HostArray>; INPUTS]>>>()?;
    let dtypes: SmallVec<[DType; INPUTS]> = inputs.iter().map(|x| x.dtype()).collect();
    let value = joined(lower(&mut Arrays, op, &elements, &dtypes, result.dtype)?)?;
    if value.shape() == result.shape.as_slice() {
        return Ok(value);
    }
    map(
        Kernel::copy(result.dtype),
        &[View::new(&value)],
        &result.shape,
    )
}

/// An array, or the parts of a complex one.
fn element(x: &HostArray) -> Result<Element<HostArray>> {
    Ok(if x.dtype().is_complex() {
        Element::Pair(loops(MapOp::Real, &[x])?, loops(MapOp::Imag, &[x])?)
    } else {
        Element::One(x.clone())
    })
}

/// An array from its parts.
fn joined(element: Element<HostArray>) -> Result<HostArray> {
    let (re, im) = match element {
        Element::One(x) => return Ok(x),
        Element::Pair(re, im) => (re, im),
    };
    let kernel = if re.dtype() == DType::Float32 {
        Kernel::binary(Complex::<f32>::new)
    } else {
        Kernel::binary(Complex::<f64>::new)
    };
    broadcast(kernel, &[&re, &im])
}

/// Runs a loop on arrays that broadcast together.
fn broadcast(kernel: Kernel, inputs: &[&HostArray]) -> Result<HostArray> {
    let mut shape = Shape::new();
    for input in inputs {
        shape = broadcast_shapes(&shape, input.shape())
            .ok_or_else(|| Error::internal("parts of an op have other shapes"))?;
    }
    let views: SmallVec<[View<'_>; INPUTS]> = inputs.iter().map(|x| View::new(x)).collect();
    map(kernel, &views, &shape)
}

/// Runs the inner loop of an op.
fn loops(op: MapOp, inputs: &[&HostArray]) -> Result<HostArray> {
    let missing = || Error::internal(format!("{} has no inner loop", op.name()));
    let dtype = inputs.last().ok_or_else(missing)?.dtype();
    broadcast(kernel(op, dtype).ok_or_else(missing)?, inputs)
}

/// Computes with arrays.
struct Arrays;

impl Primitives for Arrays {
    type Value = HostArray;
    type Error = Error;

    fn number(&mut self, number: f64, dtype: DType, _like: &HostArray) -> Result<HostArray> {
        let dtype = dtype.real();
        Ok(HostArray::scalar(Scalar::Float(number).cast(dtype), dtype))
    }

    fn unary(&mut self, op: Unary, _dtype: DType, x: &HostArray) -> Result<HostArray> {
        let op = match op {
            Unary::Negate => MapOp::Negative,
            Unary::Magnitude => MapOp::Absolute,
            Unary::SquareRoot => MapOp::Sqrt,
            Unary::Invert => MapOp::Invert,
            Unary::Round(Rounding::Down) => MapOp::Floor,
            Unary::Round(Rounding::Up) => MapOp::Ceil,
            Unary::Round(Rounding::TowardsZero) => MapOp::Trunc,
            Unary::Round(Rounding::NearestEven) => MapOp::Rint,
        };
        loops(op, &[x])
    }

    fn binary(
        &mut self,
        op: Binary,
        _dtype: DType,
        x: &HostArray,
        y: &HostArray,
    ) -> Result<HostArray> {
        let op = match op {
            Binary::Add => MapOp::Add,
            Binary::Subtract => MapOp::Subtract,
            Binary::Multiply => MapOp::Multiply,
            Binary::Divide => MapOp::Divide,
            Binary::Maximum => MapOp::Maximum,
            Binary::Minimum => MapOp::Minimum,
            Binary::CopySign => MapOp::Copysign,
            Binary::And => MapOp::BitwiseAnd,
            Binary::Or => MapOp::BitwiseOr,
            Binary::Xor => MapOp::BitwiseXor,
            Binary::ShiftLeft => MapOp::LeftShift,
            Binary::ShiftRight => MapOp::RightShift,
            Binary::Remainder => MapOp::Fmod,
        };
        loops(op, &[x, y])
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        _dtype: DType,
        x: &HostArray,
        y: &HostArray,
    ) -> Result<HostArray> {
        match comparison {
            Comparison::Equal => loops(MapOp::Equal, &[x, y]),
            Comparison::Less => loops(MapOp::Less, &[x, y]),
            Comparison::LessEqual => loops(MapOp::LessEqual, &[x, y]),
            Comparison::NotLessEqual => {
                let holds = loops(MapOp::LessEqual, &[x, y])?;
                self.not(&holds)
            }
            Comparison::Ordered => {
                // A number equals itself unless it is NaN.
                let (x, y) = (loops(MapOp::Equal, &[x, x])?, loops(MapOp::Equal, &[y, y])?);
                loops(MapOp::LogicalAnd, &[&x, &y])
            }
        }
    }

    fn logic(&mut self, op: Logic, x: &HostArray, y: &HostArray) -> Result<HostArray> {
        let op = match op {
            Logic::And => MapOp::LogicalAnd,
            Logic::Or => MapOp::LogicalOr,
            Logic::Xor => MapOp::LogicalXor,
        };
        loops(op, &[x, y])
    }

    fn not(&mut self, x: &HostArray) -> Result<HostArray> {
        loops(MapOp::LogicalNot, &[x])
    }

    fn select(&mut self, condition: &HostArray, x: &HostArray, y: &HostArray) -> Result<HostArray> {
        loops(MapOp::Where, &[condition, x, y])
    }
}

impl Elementwise for Arrays {
    fn convert(&mut self, x: &HostArray, _from: DType, to: DType) -> Result<HostArray> {
        cast::astype(x, to)
    }

    fn call(
        &mut self,
        op: MapOp,
        x: &[Element<HostArray>],
        _dtype: DType,
        _result: DType,
    ) -> Result<Element<HostArray>> {
        let inputs = x.iter().map(|x| joined(x.clone()));
        let inputs = inputs.collect::<Result<SmallVec<[HostArray; INPUTS]>>>()?;
        element(&loops(
            op,
            &inputs.iter().collect::<SmallVec<[_; INPUTS]>>(),
        )?)
    }

    fn refuse_negative(&mut self, exponent: &HostArray, dtype: DType) -> Result<()> {
        let zero = self.number(0.0, dtype, exponent)?;
        match loops(MapOp::Less, &[exponent, &zero])? {
            HostArray::Bool(negative) if negative.iter().any(|&is| is) => Err(Error::value(
                "integers to negative integer powers are not allowed",
            )),
            _ => Ok(()),
        }
    }

    fn wrap_index(&mut self, index: &HostArray, axis: usize, size: usize) -> Result<HostArray> {
        shape::wrap_index(index, axis, size)
    }

    fn unexpected(&mut self, op: MapOp) -> Error {
        Error::internal(format!("{} is not made of primitives", op.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::elementwise;
    use super::*;
    use autojit_ir::{Class, Op, Type};

    /// Numbers of a dtype in all pairs that matter: signs, zeros, infinities, NaN, the ends of integers.
    fn numbers(dtype: DType) -> Vec<Scalar> {
        let reals = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            2.5,
            -7.25,
            1e300,
            f64::INFINITY,
            -f64::INFINITY,
        ];
        let reals = reals.into_iter().chain([f64::NAN]);
        let numbers: Vec<Scalar> = match dtype.class() {
            Class::Bool => vec![false.into(), true.into()],
            Class::Integer => [
                0,
                1,
                -1,
                2,
                7,
                -7,
                33,
                i64::MIN,
                i64::MAX,
                i64::from(i32::MIN),
            ]
            .map(Scalar::from)
            .into(),
            Class::Float => reals.map(Scalar::from).collect(),
            Class::Complex => {
                let reals: Vec<f64> = reals.collect();
                let all = reals.iter().flat_map(|&re| {
                    let parts = reals
                        .iter()
                        .map(move |&im| num_complex::Complex64::new(re, im));
                    parts.map(Scalar::from)
                });
                all.collect()
            }
        };
        numbers.into_iter().map(|x| x.cast(dtype)).collect()
    }

    fn same(x: Scalar, y: Scalar) -> bool {
        let bits = |x: f64| {
            if x.is_nan() {
                f64::NAN.to_bits()
            } else {
                x.to_bits()
            }
        };
        let (a, b) = (x.to_complex(), y.to_complex());
        bits(a.re) == bits(b.re) && bits(a.im) == bits(b.im)
    }

    /// The expansion of an op gives the same as its own inner loop.
    #[test]
    fn primitives_agree_with_inner_loops() {
        let mut count = 0;
        for &op in MapOp::ELEMENTWISE.iter().filter(|op| !op.has_expansion()) {
            for dtype in DType::ALL.into_iter().filter(|dtype| !dtype.is_stored()) {
                let numbers = numbers(dtype);
                let n = numbers.len();
                let column = ArrayType::new(dtype, &[n, 1]);
                let x = HostArray::from_scalars(&column, &numbers).unwrap();
                let y = HostArray::from_scalars(&ArrayType::new(dtype, &[n]), &numbers).unwrap();
                let truth = HostArray::from(ndarray::arr1(&[true, false]).into_dyn());
                let truth = shape::reshape(&truth, &[2, 1, 1]).unwrap();
                let inputs: Vec<&HostArray> = match Op::Map(op).arity().required {
                    1 => vec![&y],
                    2 => vec![&x, &y],
                    _ => vec![&truth, &x, &y],
                };
                let types: Vec<Type> = inputs.iter().map(|x| x.ty().into()).collect();
                let Ok(signature) = Op::Map(op).infer(&types.iter().collect::<Vec<_>>()) else {
                    continue;
                };
                let operands = inputs.iter().zip(&signature.operands);
                if operands
                    .clone()
                    .any(|(x, to)| to.is_some_and(|to| to != x.dtype()))
                {
                    continue;
                }
                let result = signature.result.array().unwrap();
                let loops = elementwise::run(op, &inputs, &result.shape);
                let made = run(op, &inputs, result);
                let (Ok(loops), Ok(made)) = (&loops, &made) else {
                    assert!(
                        loops.is_err() && made.is_err(),
                        "{op:?} {dtype}: {loops:?} {made:?}"
                    );
                    continue;
                };
                let loops = loops.as_ref().unwrap();
                assert_eq!(
                    (loops.ty(), made.ty()),
                    (result.clone(), result.clone()),
                    "{op:?}"
                );
                let pairs = loops.to_scalars().into_iter().zip(made.to_scalars());
                for (i, (a, b)) in pairs.enumerate() {
                    assert!(
                        same(a, b),
                        "{op:?} of {dtype}, element {i}: {a:?} and {b:?}"
                    );
                }
                count += 1;
            }
        }
        assert!(count > 150, "{count}");
    }
}
