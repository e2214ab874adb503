//! stub
use super::index::{IndexKey, Slicing};
use super::*;
use crate::error::{Error, Result};
#[derive(Clone, Debug)]
pub struct Tensor {
    pub ty: ArrayType,
    pub data: Vec<Scalar>,
}
pub(super) fn negative(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn absolute(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn square(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn sign(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn sqrt(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn reciprocal(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn exp(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn exp2(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn expm1(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn log(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn log2(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn log10(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn log1p(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn sin(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn cos(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn tan(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn arcsin(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn arccos(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn arctan(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn sinh(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn cosh(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn tanh(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn conj(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn real(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn imag(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn logical_not(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn isnan(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn add(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn subtract(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn multiply(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn divide(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn floor_divide(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn remainder(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn power(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn arctan2(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn maximum(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn minimum(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn equal(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn not_equal(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn less(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn less_equal(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn greater(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn greater_equal(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn logical_and(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn logical_or(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn logical_xor(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn select(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn no_value(
    _index: &usize,
    _ty: &ArrayType,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn literal(_value: &Literal, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn get(_index: &usize, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn astype(_dtype: &DType, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn sum(
    _axes: &Dims,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn prod(
    _axes: &Dims,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn sum_where(
    _axes: &Dims,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn max(
    _axes: &Dims,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn min(
    _axes: &Dims,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn any(
    _axes: &Dims,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn all(
    _axes: &Dims,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn argmax(
    _axis: &usize,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn argmin(
    _axis: &usize,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn matmul(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn tensordot(
    _x_axes: &Dims,
    _y_axes: &Dims,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn einsum(
    _subscripts: &Box<str>,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn norm(
    _order: &NormOrder,
    _axes: &Option<Dims>,
    _keepdims: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn reshape(_shape: &Dims, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn transpose(_perm: &Dims, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn broadcast_to(
    _shape: &Dims,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn slice(_slicing: &Slicing, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn getitem(_key: &IndexKey, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn wrap_index(
    _axis: &usize,
    _size: &usize,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn take(_axis: &usize, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn concatenate(
    _axis: &usize,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn stack(_axis: &usize, _inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn qr(_inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
pub(super) fn svd(
    _full_matrices: &bool,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    Err(Error::internal("unwritten"))
}
