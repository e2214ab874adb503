"""Written by stubs.py from the table of functions."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import array_api as array_api, fft as fft, lazy as lazy, linalg as linalg, random as random, scipy as scipy, special as special
from ._api import grad as grad, hessian as hessian, jacobian as jacobian, jit as jit, jvp as jvp, stop_gradient as stop_gradient, value_and_grad as value_and_grad, vjp as vjp, vmap as vmap
from ._array_api import __array_namespace_info__ as __array_namespace_info__, broadcast_shapes as broadcast_shapes, cumulative_prod as cumulative_prod, cumulative_sum as cumulative_sum, indices as indices, isin as isin, matrix_transpose as matrix_transpose, unique_all as unique_all, unique_counts as unique_counts, unique_inverse as unique_inverse, unique_values as unique_values, unstack as unstack, vecdot as vecdot
from ._contract import contract as contract, contraction_plan as contraction_plan
from ._control import checkpoint as checkpoint, cond as cond, custom_vjp as custom_vjp, fori_loop as fori_loop, scan as scan, switch as switch, while_loop as while_loop
from ._pools import pmap as pmap
from ._integrations import install_as as install_as
from ._creation import array as array, can_cast as can_cast, complex as complex, copy as copy, empty as empty, empty_like as empty_like, finfo as finfo, from_dlpack as from_dlpack, get_dtype_name as get_dtype_name, iinfo as iinfo, iscomplexobj as iscomplexobj, isdtype as isdtype, ndim as ndim, result_type as result_type, shape as shape, size as size, to_numpy as to_numpy
from ._autojit import Array as Array, CompiledFunction as CompiledFunction, ContractionPlan as ContractionPlan, ExportedFunction as ExportedFunction, ExportedFunctions as ExportedFunctions, Explanation as Explanation, Profile as Profile, TracingError as TracingError, asarray as asarray, backends as backends, contraction_plan_from_json as contraction_plan_from_json, load as load, register_pytree as register_pytree

Axes: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = int | Sequence[int]

bool_: np.dtype[Any]
complex128: np.dtype[Any]
complex64: np.dtype[Any]
float32: np.dtype[Any]
float64: np.dtype[Any]
int16: np.dtype[Any]
int32: np.dtype[Any]
int64: np.dtype[Any]
int8: np.dtype[Any]
uint16: np.dtype[Any]
uint32: np.dtype[Any]
uint64: np.dtype[Any]
uint8: np.dtype[Any]
pi: float
e: float
inf: float
nan: float
newaxis: None
__version__: str
__array_api_version__: str

def abs(x: ArrayLike | Any) -> Array:
    """`|x|`; real for complex `x`."""

def absolute(x: ArrayLike | Any) -> Array:
    """`|x|`; real for complex `x`."""

def acos(x: ArrayLike | Any) -> Array:
    """The inverse cosine, in radians."""

def acosh(x: ArrayLike | Any) -> Array:
    """The inverse hyperbolic cosine."""

def add(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x + y`. Integers wrap; booleans are or."""

def all(a: ArrayLike | Any, axis: Axes = ..., out: Any = ..., keepdims: bool = ..., where: Any = ...) -> Array:
    """Whether all elements over axes are not zero; NaN is not zero."""

def allclose(a: ArrayLike | Any, b: ArrayLike | Any, rtol: Any = ..., atol: Any = ..., equal_nan: Any = ...) -> Array:
    """Whether all numbers are equal up to a tolerance; 0-d."""

def amax(a: ArrayLike | Any, axis: Axes = ..., out: Any = ..., keepdims: bool = ..., initial: Any = ..., where: Any = ...) -> Array:
    """The largest element over axes; NaN if any is. Complex numbers compare by real, then imaginary part."""

def amin(a: ArrayLike | Any, axis: Axes = ..., out: Any = ..., keepdims: bool = ..., initial: Any = ..., where: Any = ...) -> Array:
    """The smallest element over axes; NaN if any is. Complex numbers compare by real, then imaginary part."""

def angle(z: ArrayLike | Any, deg: Any = ...) -> Array:
    """The angle of complex numbers; zero or pi for real ones."""

def any(a: ArrayLike | Any, axis: Axes = ..., out: Any = ..., keepdims: bool = ..., where: Any = ...) -> Array:
    """Whether any element over axes is not zero."""

def arange(start: ArrayLike | Any, stop: Any = ..., step: Any = ..., dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ...) -> Array:
    """Evenly spaced numbers in a half-open interval: `int64` for integers, else `float64`."""

def arccos(x: ArrayLike | Any) -> Array:
    """The inverse cosine, in radians."""

def arccosh(x: ArrayLike | Any) -> Array:
    """The inverse hyperbolic cosine."""

def arcsin(x: ArrayLike | Any) -> Array:
    """The inverse sine, in radians."""

def arcsinh(x: ArrayLike | Any) -> Array:
    """The inverse hyperbolic sine."""

def arctan(x: ArrayLike | Any) -> Array:
    """The inverse tangent, in radians."""

def arctan2(y: ArrayLike | Any, x: ArrayLike | Any) -> Array:
    """The angle of the point `(y, x)`, in radians."""

def arctanh(x: ArrayLike | Any) -> Array:
    """The inverse hyperbolic tangent."""

def argmax(a: ArrayLike | Any, axis: Axes = ..., out: Any = ..., keepdims: bool = ...) -> Array:
    """The position of the first largest element along one axis, or in the flattened array; a NaN counts as largest. The result is `int64`."""

def argmin(a: ArrayLike | Any, axis: Axes = ..., out: Any = ..., keepdims: bool = ...) -> Array:
    """The position of the first smallest element along one axis, or in the flattened array; a NaN counts as smallest. The result is `int64`."""

def argsort(a: ArrayLike | Any, axis: Axes = ..., kind: Any = ..., order: Any = ..., stable: Any = ..., descending: Any = ...) -> Array:
    """The positions that put the elements in order along an axis, as `sort` does."""

def around(a: ArrayLike | Any, decimals: Any = ..., out: Any = ...) -> Array:
    """Rounded to decimals, halves to even; dtypes stay."""

def array_equal(a1: ArrayLike | Any, a2: ArrayLike | Any, equal_nan: Any = ...) -> Array:
    """Whether two arrays have the same shape and equal elements; 0-d."""

def array_split(ary: ArrayLike | Any, indices_or_sections: ArrayLike | Any, axis: Axes = ...) -> list[Array]:
    """An array taken apart along an axis as `split` does it, but the first parts may be longer by one."""

def asin(x: ArrayLike | Any) -> Array:
    """The inverse sine, in radians."""

def asinh(x: ArrayLike | Any) -> Array:
    """The inverse hyperbolic sine."""

def astype(x: ArrayLike | Any, dtype: DTypeLike, copy: Any = ..., device: Any = ...) -> Array:
    """The same values in another dtype, converted as NumPy does: floats to integers truncate, complex to real drop the imaginary part."""

def atan(x: ArrayLike | Any) -> Array:
    """The inverse tangent, in radians."""

def atan2(y: ArrayLike | Any, x: ArrayLike | Any) -> Array:
    """The angle of the point `(y, x)`, in radians."""

def atanh(x: ArrayLike | Any) -> Array:
    """The inverse hyperbolic tangent."""

def atleast_1d(x: ArrayLike | Any) -> Any:
    """A number as an array with one axis; other arrays as they are."""

def atleast_2d(x: ArrayLike | Any) -> Any:
    """An array with at least two axes, new ones in front: a vector becomes a row."""

def atleast_3d(x: ArrayLike | Any) -> Any:
    """An array with at least three axes: `[n]` becomes `[1, n, 1]` and `[m, n]` becomes `[m, n, 1]`."""

def average(a: ArrayLike | Any, axis: Axes = ..., weights: Any = ..., returned: Any = ..., keepdims: bool = ...) -> Any:
    """The mean over axes in which each element counts as much as its weight."""

def bincount(x: ArrayLike | Any, weights: Any = ..., minlength: Any = ...) -> Array:
    """How often each number from zero on occurs, or the sum of its weights, then of `float64`."""

def bitwise_and(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The bits that are set in both."""

def bitwise_invert(x: ArrayLike | Any) -> Array:
    """Every bit the other way; booleans are not."""

def bitwise_left_shift(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x` times two to the power `y`; zero where `y` is negative or as large as the number of bits."""

def bitwise_not(x: ArrayLike | Any) -> Array:
    """Every bit the other way; booleans are not."""

def bitwise_or(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The bits that are set in at least one."""

def bitwise_right_shift(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x` divided by two to the power `y`, rounded down; a shift by a negative number is one by all bits."""

def bitwise_xor(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The bits that are set in exactly one."""

def block(arrays: ArrayLike | Any) -> Array:
    """An array put together from nested lists of blocks: the innermost lists along the last axis, those around them along the one before, and so on."""

def broadcast_arrays(*args: Any) -> tuple[Array, ...]:
    """Arrays of one shape: those to which they broadcast together."""

def broadcast_to(array: ArrayLike | Any, shape: Shape) -> Array:
    """Stretched to a shape: axes of length one repeat, new axes come in front."""

def cbrt(x: ArrayLike | Any) -> Array:
    """The cube root."""

def ceil(x: ArrayLike | Any) -> Array:
    """The smallest integer not below `x`, in the dtype of `x`."""

def clip(a: ArrayLike | Any, min: Any = ..., max: Any = ..., out: Any = ..., a_min: Any = ..., a_max: Any = ...) -> Array:
    """Numbers below `low` replaced by `low`, then those above `high` by `high`; `..` is no limit."""

def column_stack(tup: ArrayLike | Any) -> Array:
    """Vectors as the columns of a matrix; matrices beside each other."""

def concat(arrays: ArrayLike | Any, axis: Axes = ...) -> Array:
    """Arrays one after the other along an axis, 0 by default; with `None` they are flattened first."""

def concatenate(arrays: ArrayLike | Any, axis: Axes = ..., out: Any = ..., dtype: DTypeLike = ..., casting: Any = ...) -> Array:
    """Arrays one after the other along an axis, 0 by default; with `None` they are flattened first."""

def conj(x: ArrayLike | Any) -> Array:
    """The complex conjugate; `x` itself if it is real, as `int8` if it is boolean."""

def conjugate(x: ArrayLike | Any) -> Array:
    """The complex conjugate; `x` itself if it is real, as `int8` if it is boolean."""

def convolve(a: ArrayLike | Any, v: ArrayLike | Any, mode: str = ...) -> Array:
    """The sums of products of a vector with another one that is reversed and shifted."""

def copysign(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x` with the sign of `y`."""

def corrcoef(x: ArrayLike | Any, y: Any = ..., rowvar: Any = ...) -> Array:
    """The correlation coefficients of variables, which are rows: `[n, m]` gives `[n, n]`, a vector gives a number."""

def correlate(a: ArrayLike | Any, v: ArrayLike | Any, mode: str = ...) -> Array:
    """The sums of products of a vector with another one that is conjugated and shifted."""

def cos(x: ArrayLike | Any) -> Array:
    """The cosine; `x` in radians."""

def cosh(x: ArrayLike | Any) -> Array:
    """The hyperbolic cosine."""

def count_nonzero(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """How many elements are not zero, over axes; NaN counts."""

def cov(m: ArrayLike | Any, y: Any = ..., rowvar: Any = ..., bias: Any = ..., ddof: Any = ..., fweights: Any = ..., aweights: Any = ...) -> Array:
    """The covariance matrix of variables, which are rows: `[n, m]` gives `[n, n]`, a vector gives a number."""

def cross(a: ArrayLike | Any, b: ArrayLike | Any, axis: Axes = ...) -> Array:
    """The cross product of vectors with three elements, along an axis (the last by default) of both and of the result. A vector with two has a third that is zero; of two such ones the third element of the product is the result, and the axis disappears."""

def cumprod(a: ArrayLike | Any, axis: Axes = ..., dtype: DTypeLike = ..., out: Any = ...) -> Array:
    """Products up to and with each element along an axis; without an axis, of the flattened array."""

def cumsum(a: ArrayLike | Any, axis: Axes = ..., dtype: DTypeLike = ..., out: Any = ...) -> Array:
    """Sums up to and with each element along an axis; without an axis, of the flattened array."""

def deg2rad(x: ArrayLike | Any) -> Array:
    """Angles in degrees as radians."""

def degrees(x: ArrayLike | Any) -> Array:
    """Angles in radians as degrees."""

def diag(v: ArrayLike | Any, k: Any = ...) -> Array:
    """The diagonal `k` of a matrix; or for a vector the square matrix that has it as its diagonal `k`."""

def diagonal(a: ArrayLike | Any, offset: Any = ..., axis1: Any = ..., axis2: Any = ...) -> Array:
    """The diagonal of the matrices that two axes span (0 and 1 by default), as the last axis."""

def diff(a: ArrayLike | Any, n: Any = ..., axis: Axes = ..., prepend: Any = ..., append: Any = ...) -> Array:
    """Differences of neighbours along an axis; of booleans, whether they differ."""

def divide(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x / y`, floating for integers too."""

def dot(a: ArrayLike | Any, b: ArrayLike | Any, out: Any = ...) -> Array:
    """The dot product: of vectors the inner product, of matrices the matrix product, of a number and an array the product; otherwise the sum over the last axis of `x` and the second-to-last of `y`."""

def dstack(tup: ArrayLike | Any) -> Array:
    """Arrays behind each other, along the third axis."""

def einsum(subscripts: str, *operands: Any, optimize: Any = ...) -> Array:
    """Einstein summation: `"ij,jk->ik"`, or without the arrow, when labels that occur once make the result in alphabetical order; `...` stands for any number of axes. A label may repeat within an operand."""

def einsum_path(subscripts: str, *operands: Any, optimize: Any = ...) -> Any:
    """The order in which `einsum` contracts its operands, and what that costs."""

def equal(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether `x == y`."""

def erf(x: ArrayLike | Any) -> Array:
    """The error function: `2 / sqrt(pi)` times the integral of `exp(-t * t)` from 0 to `x`."""

def erfc(x: ArrayLike | Any) -> Array:
    """The complementary error function: `1 - erf(x)`, accurate where that is small."""

def exp(x: ArrayLike | Any) -> Array:
    """`e` to the power `x`."""

def exp2(x: ArrayLike | Any) -> Array:
    """`2` to the power `x`."""

def expand_dims(a: ArrayLike | Any, axis: Axes) -> Array:
    """New axes of length one at these positions of the result."""

def expm1(x: ArrayLike | Any) -> Array:
    """`e^x - 1`, accurate near zero."""

def eye(N: ArrayLike | Any, M: Any = ..., k: Any = ..., dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ...) -> Array:
    """Ones on a diagonal of a matrix of zeros with `rows` rows and, by default, as many columns."""

def fabs(x: ArrayLike | Any) -> Array:
    """`|x|` of real numbers, floating for integers too."""

def flip(m: ArrayLike | Any, axis: Axes = ...) -> Array:
    """The order of the elements reversed along axes, all by default."""

def fliplr(m: ArrayLike | Any) -> Array:
    """The columns in reverse order."""

def flipud(m: ArrayLike | Any) -> Array:
    """The rows in reverse order."""

def float_power(x1: ArrayLike | Any, x2: ArrayLike | Any) -> Array:
    """`x` to the power `y` in double precision: `float64`, or `complex128` if one is complex."""

def floor(x: ArrayLike | Any) -> Array:
    """The largest integer not above `x`, in the dtype of `x`."""

def floor_divide(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The largest integer not above `x / y`; integers divided by zero give zero."""

def fmax(x1: ArrayLike | Any, x2: ArrayLike | Any) -> Array:
    """The larger of the two; the other one if one is NaN."""

def fmin(x1: ArrayLike | Any, x2: ArrayLike | Any) -> Array:
    """The smaller of the two; the other one if one is NaN."""

def fmod(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The remainder of division rounded towards zero, with the sign of `x`; integers by zero give zero."""

def full(shape: Shape, fill_value: ArrayLike | Any, dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ...) -> Array:
    """One number everywhere; by default of the number's own dtype."""

def full_like(a: ArrayLike | Any, fill_value: ArrayLike | Any, dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ..., shape: Shape = ...) -> Array:
    """One number everywhere, of the shape of `x`, and of its dtype by default."""

def gammaln(x: ArrayLike | Any) -> Array:
    """The logarithm of the magnitude of the gamma function; infinite at zero and the negative integers."""

def geomspace(start: ArrayLike | Any, stop: ArrayLike | Any, num: Any = ..., endpoint: Any = ..., dtype: DTypeLike = ...) -> Array:
    """Numbers from `start` to `stop`, each the same multiple of the one before."""

def gradient(f: ArrayLike | Any, *varargs: Any, axis: Axes = ..., edge_order: Any = ...) -> Any:
    """The slopes of an array along axes, all by default, one array for each: differences of both neighbours inside, of one side at the ends."""

def greater(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether `x > y`; complex numbers compare by real, then imaginary part."""

def greater_equal(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether `x >= y`; complex numbers compare by real, then imaginary part."""

def heaviside(x1: ArrayLike | Any, x2: ArrayLike | Any) -> Array:
    """0 below zero, 1 above, `h` at zero."""

def hstack(tup: ArrayLike | Any) -> Array:
    """Arrays beside each other: along the first axis of vectors, else along the second."""

def hypot(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The length of the hypotenuse, without overflow on the way."""

def i0(x: ArrayLike | Any) -> Array:
    """The modified Bessel function of the first kind of order zero, of the magnitude of real numbers."""

def identity(n: ArrayLike | Any, dtype: DTypeLike = ...) -> Array:
    """The identity matrix with `n` rows."""

def imag(x: ArrayLike | Any) -> Array:
    """The imaginary part; zeros for real `x`."""

def inner(a: ArrayLike | Any, b: ArrayLike | Any) -> Array:
    """The sum of products over the last axes of both; the product if one is 0-d."""

def interp(x: ArrayLike | Any, xp: ArrayLike | Any, fp: ArrayLike | Any, left: Any = ..., right: Any = ..., period: Any = ...) -> Array:
    """The values at `x` of the function that is linear between the points `(xp, fp)`; `xp` must increase."""

def invert(x: ArrayLike | Any) -> Array:
    """Every bit the other way; booleans are not."""

def isclose(a: ArrayLike | Any, b: ArrayLike | Any, rtol: Any = ..., atol: Any = ..., equal_nan: Any = ...) -> Array:
    """Whether numbers are equal up to a tolerance. Infinities are close to themselves alone."""

def isfinite(x: ArrayLike | Any) -> Array:
    """Whether `x` is neither infinite nor NaN."""

def isinf(x: ArrayLike | Any) -> Array:
    """Whether `x` is infinite, in either direction and in either part."""

def isnan(x: ArrayLike | Any) -> Array:
    """Whether `x` is NaN."""

def kron(a: ArrayLike | Any, b: ArrayLike | Any) -> Array:
    """The Kronecker product: each element of `x` times the whole of `y`."""

def left_shift(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x` times two to the power `y`; zero where `y` is negative or as large as the number of bits."""

def less(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether `x < y`; complex numbers compare by real, then imaginary part."""

def less_equal(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether `x <= y`; complex numbers compare by real, then imaginary part."""

def lgamma(x: ArrayLike | Any) -> Array:
    """The logarithm of the magnitude of the gamma function; infinite at zero and the negative integers."""

def linspace(start: ArrayLike | Any, stop: ArrayLike | Any, num: Any = ..., endpoint: Any = ..., dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ...) -> Array:
    """Evenly spaced numbers from `start` to `stop`: 50 by default, the last being `stop`."""

def log(x: ArrayLike | Any) -> Array:
    """The natural logarithm."""

def log10(x: ArrayLike | Any) -> Array:
    """The logarithm to base 10."""

def log1p(x: ArrayLike | Any) -> Array:
    """`log(1 + x)`, accurate near zero."""

def log2(x: ArrayLike | Any) -> Array:
    """The logarithm to base 2."""

def log_softmax(x: ArrayLike | Any, axis: Axes = ...) -> Array:
    """The logarithm of `softmax`, without cancellation."""

def logaddexp(x1: ArrayLike | Any, x2: ArrayLike | Any) -> Array:
    """`log(exp(x) + exp(y))`, without overflow on the way."""

def logaddexp2(x1: ArrayLike | Any, x2: ArrayLike | Any) -> Array:
    """`log2(2^x + 2^y)`, without overflow on the way."""

def logical_and(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether both are not zero."""

def logical_not(x: ArrayLike | Any) -> Array:
    """Whether `x` is zero."""

def logical_or(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether at least one is not zero."""

def logical_xor(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether exactly one is not zero."""

def logspace(start: ArrayLike | Any, stop: ArrayLike | Any, num: Any = ..., endpoint: Any = ..., base: Any = ..., dtype: DTypeLike = ...) -> Array:
    """Powers whose exponents are evenly spaced: from `base` to the power `start` to `base` to the power `stop`."""

def logsumexp(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """`log(sum(exp(x)))` over axes, without overflow on the way."""

def matmul(x1: ArrayLike | Any, x2: ArrayLike | Any, out: Any = ..., dtype: DTypeLike = ...) -> Array:
    """The matrix product over the last two axes: `[.., m, k]` with `[.., k, n]` gives `[.., m, n]`."""

def max(a: ArrayLike | Any, axis: Axes = ..., out: Any = ..., keepdims: bool = ..., initial: Any = ..., where: Any = ...) -> Array:
    """The largest element over axes; NaN if any is. Complex numbers compare by real, then imaginary part."""

def maximum(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The larger of the two; NaN if either is."""

def mean(a: ArrayLike | Any, axis: Axes = ..., dtype: DTypeLike = ..., out: Any = ..., keepdims: bool = ..., where: Any = ...) -> Array:
    """The arithmetic mean over axes. Booleans and integers give `float64`; the mean of nothing is NaN."""

def median(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """The element in the middle, or the mean of the two there, over axes; NaN if any is or if there is none."""

def meshgrid(*xi: Any, indexing: Any = ...) -> tuple[Array, ...]:
    """For each coordinate vector its value at every point of the grid that the vectors span."""

def min(a: ArrayLike | Any, axis: Axes = ..., out: Any = ..., keepdims: bool = ..., initial: Any = ..., where: Any = ...) -> Array:
    """The smallest element over axes; NaN if any is. Complex numbers compare by real, then imaginary part."""

def minimum(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The smaller of the two; NaN if either is."""

def mod(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The remainder of `floor_divide`, with the sign of `y`."""

def moveaxis(a: ArrayLike | Any, source: ArrayLike | Any, destination: ArrayLike | Any) -> Array:
    """The axes `source` moved to the positions `destination`; the others keep their order."""

def multiply(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x * y`. Integers wrap; booleans are and."""

def nan_to_num(x: ArrayLike | Any, nan: Any = ..., posinf: Any = ..., neginf: Any = ...) -> Array:
    """Finite numbers in the place of NaN and infinities, in each part of complex numbers."""

def nanmax(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """The largest element over axes that is not NaN; NaN if all are."""

def nanmean(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """The mean over axes of the elements that are not NaN; NaN if there is none."""

def nanmin(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """The smallest element over axes that is not NaN; NaN if all are."""

def nanprod(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """The product over axes of the elements that are not NaN."""

def nansum(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """The sum over axes of the elements that are not NaN."""

def negative(x: ArrayLike | Any) -> Array:
    """`-x`. Integers wrap; booleans are refused."""

def nextafter(x1: ArrayLike | Any, x2: ArrayLike | Any) -> Array:
    """The next number after `x` in the direction of `y`, in the common floating dtype of both; `y` if they are equal."""

def nonzero(a: ArrayLike | Any) -> tuple[Array, ...]:
    """The positions of the elements that are not zero, in C order: for each axis the positions along it."""

def not_equal(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """Whether `x != y`."""

def ones(shape: Shape, dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ...) -> Array:
    """Ones, `float64` by default."""

def ones_like(a: ArrayLike | Any, dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ..., shape: Shape = ...) -> Array:
    """Ones of the shape of `x`, and of its dtype by default."""

def outer(a: ArrayLike | Any, b: ArrayLike | Any) -> Array:
    """The products of all elements of `x` with all of `y`: both are flattened, the result is `[m, n]`."""

def pad(array: ArrayLike | Any, pad_width: ArrayLike | Any, mode: str = ..., constant_values: Any = ...) -> Array:
    """Elements added before and after the axes."""

def percentile(a: ArrayLike | Any, q: ArrayLike | Any, axis: Axes = ..., method: str = ..., keepdims: bool = ...) -> Array:
    """The values below which percentages `q`, from 0 to 100, of the elements lie, over axes."""

def permute_dims(a: ArrayLike | Any, axes: Any = ...) -> Array:
    """The axes in another order: axis `i` of the result is axis `axes[i]` of `x`; `..` reverses them."""

def positive(x: ArrayLike | Any) -> Array:
    """`+x`: the same numbers; booleans are refused."""

def pow(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x` to the power `y`; integers to a negative integer power are refused."""

def power(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x` to the power `y`; integers to a negative integer power are refused."""

def prod(a: ArrayLike | Any, axis: Axes = ..., dtype: DTypeLike = ..., out: Any = ..., keepdims: bool = ..., initial: Any = ..., where: Any = ...) -> Array:
    """The product over axes. Booleans and integers multiply as `int64`; the product of nothing is one."""

def ptp(a: ArrayLike | Any, axis: Axes = ..., keepdims: bool = ...) -> Array:
    """The distance of the largest from the smallest element, over axes."""

def put_along_axis(arr: ArrayLike | Any, indices: ArrayLike | Any, values: ArrayLike | Any, axis: Axes = ...) -> Array:
    """A copy of the array with values at positions along an axis, each line of `indices` going to its own line."""

def quantile(a: ArrayLike | Any, q: ArrayLike | Any, axis: Axes = ..., method: str = ..., keepdims: bool = ...) -> Array:
    """The values below which shares `q`, from 0 to 1, of the elements lie, over axes."""

def rad2deg(x: ArrayLike | Any) -> Array:
    """Angles in radians as degrees."""

def radians(x: ArrayLike | Any) -> Array:
    """Angles in degrees as radians."""

def ravel(a: ArrayLike | Any) -> Array:
    """All elements in C order along one axis."""

def ravel_multi_index(multi_index: ArrayLike | Any, dims: ArrayLike | Any, mode: str = ..., order: Any = ...) -> Array:
    """The flat positions of positions along each axis, which broadcast."""

def real(x: ArrayLike | Any) -> Array:
    """The real part."""

def reciprocal(x: ArrayLike | Any) -> Array:
    """`1 / x`; integers divide as integers do, and booleans as `int8`. Complex zero gives NaN in both parts."""

def remainder(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """The remainder of `floor_divide`, with the sign of `y`."""

def repeat(a: ArrayLike | Any, repeats: ArrayLike | Any, axis: Axes = ...) -> Array:
    """Each element, or each slice along an axis, repeated; without an axis the array is flattened. With one number every element is repeated as often, with several each has its own."""

def reshape(a: ArrayLike | Any, shape: Shape, order: Any = ..., copy: Any = ...) -> Array:
    """The same elements in C order under another shape; one size may be -1, which is what is left over."""

def right_shift(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x` divided by two to the power `y`, rounded down; a shift by a negative number is one by all bits."""

def rint(x: ArrayLike | Any) -> Array:
    """The nearest integer, the even one of two; each part of complex `x`."""

def roll(a: ArrayLike | Any, shift: ArrayLike | Any, axis: Axes = ...) -> Array:
    """Elements moved along axes, those that leave at the end coming in at the front; without axes in the flattened array."""

def rot90(m: ArrayLike | Any, k: Any = ..., axes: Any = ...) -> Array:
    """Turned in the plane of two axes, counterclockwise by a quarter by default."""

def round(a: ArrayLike | Any, decimals: Any = ..., out: Any = ...) -> Array:
    """Rounded to decimals, halves to even; dtypes stay."""

def searchsorted(a: ArrayLike | Any, v: ArrayLike | Any, side: Any = ..., sorter: Any = ...) -> Array:
    """Where to put numbers into a sorted vector to keep it sorted. NaN counts as largest."""

def sign(x: ArrayLike | Any) -> Array:
    """-1, 0 or 1; `x / |x|` for complex `x`; NaN stays NaN."""

def signbit(x: ArrayLike | Any) -> Array:
    """Whether the sign is minus: also of `-0.0`, and of a NaN with that sign. The result is boolean."""

def sin(x: ArrayLike | Any) -> Array:
    """The sine; `x` in radians."""

def sinc(x: ArrayLike | Any) -> Array:
    """`sin(pi x) / (pi x)`, one at zero."""

def sinh(x: ArrayLike | Any) -> Array:
    """The hyperbolic sine."""

def softmax(x: ArrayLike | Any, axis: Axes = ...) -> Array:
    """`exp(x)` divided by its sum over axes, without overflow on the way."""

def sort(a: ArrayLike | Any, axis: Axes = ..., kind: Any = ..., order: Any = ..., stable: Any = ..., descending: Any = ...) -> Array:
    """The elements in order along an axis, the last by default; `None` sorts the flattened array."""

def split(ary: ArrayLike | Any, indices_or_sections: ArrayLike | Any, axis: Axes = ...) -> list[Array]:
    """An array taken apart along an axis, 0 by default: into equal parts, or at positions."""

def sqrt(x: ArrayLike | Any) -> Array:
    """The square root; NaN for negative real `x`."""

def square(x: ArrayLike | Any) -> Array:
    """`x * x`; `int8` for booleans."""

def squeeze(a: ArrayLike | Any, axis: Axes = ...) -> Array:
    """Without axes of length one: these, or all there are."""

def stack(arrays: ArrayLike | Any, axis: Axes = ..., out: Any = ..., dtype: DTypeLike = ..., casting: Any = ...) -> Array:
    """Arrays of one shape side by side along a new axis, 0 by default."""

def std(a: ArrayLike | Any, axis: Axes = ..., dtype: DTypeLike = ..., out: Any = ..., ddof: Any = ..., keepdims: bool = ..., where: Any = ..., mean: Any = ..., correction: Any = ...) -> Array:
    """The standard deviation over axes: the square root of `var`."""

def subtract(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x - y`. Integers wrap; booleans are refused."""

def sum(a: ArrayLike | Any, axis: Axes = ..., dtype: DTypeLike = ..., out: Any = ..., keepdims: bool = ..., initial: Any = ..., where: Any = ...) -> Array:
    """The sum over axes, of the elements where a mask is true if one is given."""

def swapaxes(a: ArrayLike | Any, axis1: ArrayLike | Any, axis2: ArrayLike | Any) -> Array:
    """Two axes exchanged."""

def take(a: ArrayLike | Any, indices: ArrayLike | Any, axis: Axes = ..., out: Any = ..., mode: str = ...) -> Array:
    """The slices of `x` along one axis at integer positions, whose shape replaces that axis; without an axis, elements of the flattened array. Negative positions count from the end."""

def take_along_axis(arr: ArrayLike | Any, indices: ArrayLike | Any, axis: Axes = ...) -> Array:
    """The elements at positions along an axis, each line of `indices` taking from its own line of `x`."""

def tan(x: ArrayLike | Any) -> Array:
    """The tangent; `x` in radians."""

def tanh(x: ArrayLike | Any) -> Array:
    """The hyperbolic tangent."""

def tensordot(a: ArrayLike | Any, b: ArrayLike | Any, axes: Any = ...) -> Array:
    """The sum of products over pairs of axes; the other axes of `x`, then those of `y`, make the result."""

def tile(A: ArrayLike | Any, reps: ArrayLike | Any) -> Array:
    """An array repeated as a whole along each axis."""

def trace(a: ArrayLike | Any, offset: Any = ..., axis1: Any = ..., axis2: Any = ..., dtype: DTypeLike = ..., out: Any = ...) -> Array:
    """The sum over the diagonals of the matrices that two axes span."""

def transpose(a: ArrayLike | Any, axes: Any = ...) -> Array:
    """The axes in another order: axis `i` of the result is axis `axes[i]` of `x`; `..` reverses them."""

def trapezoid(y: ArrayLike | Any, x: Any = ..., dx: Any = ..., axis: Axes = ...) -> Array:
    """The integral along an axis by the trapezoidal rule."""

def tri(N: ArrayLike | Any, M: Any = ..., k: Any = ..., dtype: DTypeLike = ...) -> Array:
    """Ones on and below a diagonal of a matrix, zeros above it."""

def tril(m: ArrayLike | Any, k: Any = ...) -> Array:
    """The matrices with zeros above diagonal `k`."""

def tril_indices(n: ArrayLike | Any, k: Any = ..., m: Any = ...) -> tuple[Array, ...]:
    """The rows and the columns of the elements on and below diagonal `k` of a matrix with `n` rows, and as many columns unless the options say otherwise."""

def triu(m: ArrayLike | Any, k: Any = ...) -> Array:
    """The matrices with zeros below diagonal `k`."""

def triu_indices(n: ArrayLike | Any, k: Any = ..., m: Any = ...) -> tuple[Array, ...]:
    """The rows and the columns of the elements on and above diagonal `k` of a matrix with `n` rows, and as many columns unless the options say otherwise."""

def true_divide(x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x / y`, floating for integers too."""

def trunc(x: ArrayLike | Any) -> Array:
    """`x` without its fraction, in the dtype of `x`."""

def unique(ar: ArrayLike | Any, return_index: Any = ..., return_inverse: Any = ..., return_counts: Any = ...) -> Any:
    """The different elements in order; NaN counts as equal to itself."""

def unravel_index(indices: ArrayLike | Any, shape: Shape, order: Any = ...) -> tuple[Array, ...]:
    """For each axis of an array of a shape, the positions along it of flat positions."""

def vander(x: ArrayLike | Any, N: Any = ..., increasing: Any = ...) -> Array:
    """The Vandermonde matrix: its columns are the powers of a vector, decreasing to the power zero."""

def var(a: ArrayLike | Any, axis: Axes = ..., dtype: DTypeLike = ..., out: Any = ..., ddof: Any = ..., keepdims: bool = ..., where: Any = ..., mean: Any = ..., correction: Any = ...) -> Array:
    """The variance over axes: the mean of the squared distances from the mean, which is real. With `ddof` the sum is divided by that much less than the number of elements."""

def vdot(a: ArrayLike | Any, b: ArrayLike | Any) -> Array:
    """The inner product of the flattened arrays, the first one conjugated; 0-d."""

def vstack(tup: ArrayLike | Any) -> Array:
    """Arrays below each other: vectors are rows."""

def where(condition: ArrayLike | Any, x: ArrayLike | Any, y: ArrayLike | Any) -> Array:
    """`x` where `condition` is not zero, else `y`."""

def zeros(shape: Shape, dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ...) -> Array:
    """Zeros, `float64` by default."""

def zeros_like(a: ArrayLike | Any, dtype: DTypeLike = ..., device: Any = ..., order: Any = ..., subok: Any = ..., shape: Shape = ...) -> Array:
    """Zeros of the shape of `x`, and of its dtype by default."""

bool: Any
