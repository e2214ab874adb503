//! Arguments of calls by name, and what functions make of them.
//!
//! An [`Argument`] knows its name, so that a value of the wrong kind is refused in words.

use crate::index::{Index, Item, NewAxis};
use crate::numpy::options::{
    Axes, Creation, Deviation, Integers, JoinAxis, NormOptions, Reduction, SumOptions,
    TensordotAxes,
};
use crate::{Array, DType, Operand, Value};
use autojit_ir::error::{Error, Result};
use autojit_ir::index::IndexItem;
use autojit_ir::{ArrayType, HostArray, Scalar, Shape};

/// A parameter of a function with the value that it is bound to; `None` leaves it at its default.
pub(super) struct Argument<'a> {
    pub(super) name: &'static str,
    pub(super) value: Option<&'a Value>,
}

/// dtype and shape of an array, a number, or nested lists of numbers.
pub(super) fn array_type(name: &'static str, value: &Value) -> Result<ArrayType> {
    let value = Some(value);
    Argument { name, value }.operand()?.ty()
}

impl<'a> Argument<'a> {
    /// The value, unless it is left out or Python's `None`.
    pub(super) fn given(&self) -> Option<&'a Value> {
        self.value.filter(|v| !matches!(v, Value::None))
    }

    pub(super) fn wrong(&self, expected: &str) -> Error {
        let got = self.value.map_or_else(|| "none".into(), Value::describe);
        Error::value(format!(
            "the argument {} is {got}, expected {expected}",
            self.name
        ))
    }

    /// An array or a number; lists of numbers are arrays too.
    pub(super) fn operand(&self) -> Result<Operand<'a>> {
        let expected = "an array or a number";
        let value = self.value.ok_or_else(|| self.wrong(expected))?;
        match value {
            Value::Array(array) => Ok(array.into()),
            Value::List(_) => self.list_as_array(value).map(Operand::from),
            other => match other.scalar() {
                Some(scalar) => Ok(scalar.into()),
                None => Err(self.wrong(expected)),
            },
        }
    }

    /// A list of arrays, or the rows of an array.
    #[track_caller]
    pub(super) fn operands(&self) -> Result<Vec<Operand<'a>>> {
        match self.value {
            Some(Value::List(items)) => {
                items.iter().map(|item| self.item(item).operand()).collect()
            }
            Some(Value::Array(array)) => Ok(array.rows()?.into_iter().map(Operand::from).collect()),
            _ => Err(self.wrong("a list of arrays")),
        }
    }

    /// An item of a list, under the list's name.
    pub(super) fn item<'b>(&self, value: &'b Value) -> Argument<'b> {
        Argument {
            name: self.name,
            value: Some(value),
        }
    }

    /// A nested list of numbers as an array, with the smallest of the dtypes that numbers have on their own.
    fn list_as_array(&self, value: &Value) -> Result<Array> {
        let (mut shape, mut scalars) = (Shape::new(), Vec::new());
        self.flatten(value, 0, &mut shape, &mut scalars)?;
        // Beside integers that need uint64, those without a sign are of it, too.
        let is_large = scalars.iter().any(|s| matches!(s, Scalar::Uint(_)));
        let dtypes = scalars.iter().map(|s| match s {
            Scalar::Int(0..) if is_large => DType::Uint64,
            s => s.dtype(),
        });
        let dtype = DType::promote_all(dtypes);
        let ty = ArrayType {
            dtype: dtype.unwrap_or(DType::Float64),
            shape,
        };
        let array = HostArray::from_scalars(&ty, &scalars);
        let array = array.ok_or_else(|| self.wrong("lists of equal length"))?;
        // A list belongs to no library yet, so it becomes an array of the library of calls without arrays.
        let array = crate::like::innermost_library().from_host(array)?;
        Ok(Array::from_concrete(array))
    }

    fn flatten(
        &self,
        value: &Value,
        depth: usize,
        shape: &mut Shape,
        scalars: &mut Vec<Scalar>,
    ) -> Result<()> {
        let ragged = || self.wrong("numbers in lists of equal length");
        let Value::List(items) = value else {
            let scalar = value.scalar().filter(|_| depth == shape.len());
            scalars.push(scalar.ok_or_else(ragged)?);
            return Ok(());
        };
        if depth == shape.len() {
            // A list deeper than its first neighbour was: numbers have already been seen at this depth.
            if !scalars.is_empty() {
                return Err(ragged());
            }
            shape.push(items.len());
        }
        if shape[depth] != items.len() {
            return Err(ragged());
        }
        items
            .iter()
            .try_for_each(|item| self.flatten(item, depth + 1, shape, scalars))
    }

    /// An integer, or the default.
    pub(super) fn int_or(&self, default: i64) -> Result<i64> {
        if self.given().is_none() {
            return Ok(default);
        }
        self.int()
    }

    /// An integer; a 0-d integer array with known value counts.
    pub(super) fn int(&self) -> Result<i64> {
        match self.value {
            Some(Value::Int(i)) => Ok(*i),
            Some(Value::Bool(b)) => Ok((*b).into()),
            _ => Err(self.wrong("an integer")),
        }
    }

    /// A truth value, or the default.
    pub(super) fn bool_or(&self, default: bool) -> Result<bool> {
        match self.given() {
            None => Ok(default),
            Some(Value::Bool(b)) => Ok(*b),
            Some(Value::Int(i)) => Ok(*i != 0),
            Some(_) => Err(self.wrong("a bool")),
        }
    }

    /// A number.
    pub(super) fn scalar(&self) -> Result<Scalar> {
        let scalar = self.value.and_then(Value::scalar);
        scalar.ok_or_else(|| self.wrong("a number"))
    }

    /// A number, if one is given.
    pub(super) fn scalar_option(&self) -> Result<Option<Scalar>> {
        self.given().map(|_| self.scalar()).transpose()
    }

    /// A real number, or the default.
    pub(super) fn float_or(&self, default: f64) -> Result<f64> {
        match self.given() {
            None => Ok(default),
            Some(Value::Float(x)) => Ok(*x),
            Some(Value::Int(i)) => Ok(*i as f64),
            Some(Value::Uint(i)) => Ok(*i as f64),
            Some(_) => Err(self.wrong("a real number")),
        }
    }

    /// Text.
    pub(super) fn text(&self) -> Result<&str> {
        match self.value {
            Some(Value::Str(text)) => Ok(text),
            _ => Err(self.wrong("a string")),
        }
    }

    /// One integer or a list of them.
    pub(super) fn integers(&self) -> Result<Integers> {
        match self.value {
            Some(Value::Int(i)) => Ok((*i).into()),
            Some(Value::List(items)) => items
                .iter()
                .map(|item| match item {
                    Value::Int(i) => Ok(*i),
                    _ => Err(self.wrong("an integer or a list of integers")),
                })
                .collect::<Result<Vec<i64>>>()
                .map(Integers::from),
            _ => Err(self.wrong("an integer or a list of integers")),
        }
    }

    /// One integer or a list of them, if they are given.
    pub(super) fn axes(&self) -> Result<Axes> {
        Ok(Axes(self.given().map(|_| self.integers()).transpose()?))
    }

    /// The axis along which to join, 0 unless it is given; Python's `None` flattens.
    pub(super) fn join_axis(&self) -> Result<JoinAxis> {
        match self.value {
            None => Ok(JoinAxis::default()),
            Some(Value::None) => Ok(None.into()),
            Some(_) => self.int().map(JoinAxis::from),
        }
    }

    /// A reduction over these axes.
    pub(super) fn reduction(&self, keepdims: &Argument<'_>) -> Result<Reduction> {
        Ok(Reduction {
            axes: self.axes()?.0,
            keepdims: keepdims.bool_or(false)?,
        })
    }

    /// The options of `sum`, this being the axes.
    pub(super) fn sum_options(
        &self,
        keepdims: &Argument<'_>,
        mask: &Argument<'_>,
    ) -> Result<SumOptions> {
        let mask = mask.operand_option()?.map(Box::new);
        let reduction = self.reduction(keepdims)?;
        Ok(SumOptions { reduction, mask })
    }

    /// The options of `std` and `var`, this being the axes.
    pub(super) fn deviation(
        &self,
        ddof: &Argument<'_>,
        keepdims: &Argument<'_>,
    ) -> Result<Deviation> {
        Ok(self.reduction(keepdims)?.ddof(ddof.float_or(0.0)?))
    }

    /// A dtype, given as one or by its name, if it is given.
    pub(super) fn dtype_option(&self) -> Result<Option<DType>> {
        match self.given() {
            None => Ok(None),
            Some(Value::DType(dtype)) => Ok(Some(*dtype)),
            Some(Value::Str(name)) => name.parse().map(Some),
            Some(_) => Err(self.wrong("a dtype")),
        }
    }

    /// A dtype.
    pub(super) fn dtype(&self) -> Result<DType> {
        self.dtype_option()?.ok_or_else(|| self.wrong("a dtype"))
    }

    /// The options of functions that make arrays, this being the dtype.
    pub(super) fn creation(&self) -> Result<Creation> {
        self.dtype_option().map(Creation::from)
    }

    /// The options of `linalg.norm`, this being the order.
    pub(super) fn norm_options(
        &self,
        axis: &Argument<'_>,
        keepdims: &Argument<'_>,
    ) -> Result<NormOptions> {
        let order = self.order()?;
        let reduction = axis.reduction(keepdims)?;
        Ok(NormOptions { order, reduction })
    }

    /// The axes of `tensordot`: a number, or a pair of axes or lists of axes.
    pub(super) fn tensordot_axes(&self) -> Result<TensordotAxes> {
        match self.given() {
            None => Ok(TensordotAxes::default()),
            Some(Value::Int(count)) => Ok(TensordotAxes::Count(*count)),
            Some(Value::List(pair)) => match pair.as_slice() {
                [x, y] => {
                    let (x, y) = (self.item(x).integers()?, self.item(y).integers()?);
                    Ok(TensordotAxes::Pairs(x, y))
                }
                _ => Err(self.wrong("a number or a pair of lists of axes")),
            },
            Some(_) => Err(self.wrong("a number or a pair of lists of axes")),
        }
    }

    /// The key of `getitem`: one item, or a list of items.
    pub(super) fn index(&self) -> Result<Index> {
        match self.value {
            Some(Value::List(items)) => items.iter().map(|item| self.index_item(item)).collect(),
            Some(item) => Ok(self.index_item(item)?.into()),
            None => Err(self.wrong("a key")),
        }
    }

    fn index_item(&self, value: &Value) -> Result<Item> {
        Ok(match value {
            Value::Int(i) => (*i).into(),
            Value::Slice { start, stop, step } => IndexItem::Slice {
                start: *start,
                stop: *stop,
                step: *step,
            }
            .into(),
            Value::Ellipsis => IndexItem::Ellipsis.into(),
            Value::None => NewAxis.into(),
            Value::Array(array) => array.into(),
            Value::List(_) => self.list_as_array(value)?.into(),
            other => {
                return Err(self
                    .item(other)
                    .wrong("an integer, a slice, an ellipsis, none or an index array"));
            }
        })
    }
}
