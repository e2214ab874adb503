//! The table of functions: one declaration for each, from which come its place in [`crate::numpy`], its name and parameters
//! for calls by name, and its method of [`Namespace`](crate::dispatch::Namespace).
//!
//! The rows of `numpy` stand under the module that has the function, those of `linalg` and `fft` are functions of these
//! modules. A row reads
//!
//! ```text
//! /// a summary
//! name {
//!     fn (typed: Parameters) -> Result;
//!     (parameters, with = defaults; rest) => expression
//! }
//! ```
//!
//! The typed parameters are those of the function and of the method; `fn` takes what converts into them, `join` is for
//! functions of several arrays, and `make` for those that make arrays, where the field of the options that says how
//! follows. Parameters for calls by name have the names and defaults that Python writes, in NumPy's order; one after a
//! semicolon takes all further arguments. The expression turns such arguments (of the type `dispatch::Argument`) into a
//! call of the function. It stands in one `match` of `dispatch/table.rs`, where its paths are looked up, rather than behind
//! a function pointer, because only a direct call passes the caller's source line on to the arrays that it makes.
//!
//! `named` are functions without a typed function of the same name, `renamed` and `elementwise` other names of functions
//! that are functions too, `names` other names for calls by name alone. Elementwise functions themselves come from the op
//! table.
//!
//! To add a function: write it in a module of [`crate::numpy`], and its row here.

/// Calls `$with!` with the whole table.
macro_rules! for_each_function { ($with:ident) => { $with! {
    'a;
    numpy {
        reduce {
            /// The sum over axes, of the elements where a mask is true if one is given.
            sum {
                fn (x: Operand<'a>, options: np::options::SumOptions) -> Array;
                (a, axis = None, keepdims = False, where_ = None) =>
                    np::sum(a.operand()?, axis.sum_options(keepdims, where_)?)
            }
            /// The product over axes. Booleans and integers multiply as `int64`; the product of nothing is one.
            prod {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) => np::prod(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The arithmetic mean over axes. Booleans and integers give `float64`; the mean of nothing is NaN.
            mean {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) => np::mean(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The largest element over axes; NaN if any is. Complex numbers compare by real, then imaginary part.
            max {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) => np::max(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The smallest element over axes; NaN if any is. Complex numbers compare by real, then imaginary part.
            min {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) => np::min(a.operand()?, axis.reduction(keepdims)?)
            }
            /// Whether any element over axes is not zero.
            any {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) => np::any(a.operand()?, axis.reduction(keepdims)?)
            }
            /// Whether all elements over axes are not zero; NaN is not zero.
            all {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) => np::all(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The position of the first largest element along one axis, or in the flattened array; a NaN counts as
            /// largest. The result is `int64`.
            argmax {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::argmax(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The position of the first smallest element along one axis, or in the flattened array; a NaN counts
            /// as smallest. The result is `int64`.
            argmin {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::argmin(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The standard deviation over axes: the square root of `var`.
            std {
                fn (x: Operand<'a>, options: np::options::Deviation) -> Array;
                (a, axis = None, ddof = 0, keepdims = False) =>
                    np::std(a.operand()?, axis.deviation(ddof, keepdims)?)
            }
            /// The variance over axes: the mean of the squared distances from the mean, which is real. With `ddof`
            /// the sum is divided by that much less than the number of elements.
            var {
                fn (x: Operand<'a>, options: np::options::Deviation) -> Array;
                (a, axis = None, ddof = 0, keepdims = False) =>
                    np::var(a.operand()?, axis.deviation(ddof, keepdims)?)
            }
        }
        contract {
            /// The matrix product over the last two axes: `[.., m, k]` with `[.., k, n]` gives `[.., m, n]`.
            matmul {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (x1, x2) => np::matmul(x1.operand()?, x2.operand()?)
            }
            /// The dot product: of vectors the inner product, of matrices the matrix product, of a number and an
            /// array the product; otherwise the sum over the last axis of `x` and the second-to-last of `y`.
            dot {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (a, b) => np::dot(a.operand()?, b.operand()?)
            }
            /// The sum of products over the last axes of both; the product if one is 0-d.
            inner {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (a, b) => np::inner(a.operand()?, b.operand()?)
            }
            /// The products of all elements of `x` with all of `y`: both are flattened, the result is `[m, n]`.
            outer {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (a, b) => np::outer(a.operand()?, b.operand()?)
            }
            /// The inner product of the flattened arrays, the first one conjugated; 0-d.
            vdot {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (a, b) => np::vdot(a.operand()?, b.operand()?)
            }
            /// The sum of products over pairs of axes; the other axes of `x`, then those of `y`, make the result.
            tensordot {
                fn (x: Operand<'a>, y: Operand<'a>, axes: np::options::TensordotAxes) -> Array;
                (a, b, axes = 2) =>
                    np::tensordot(a.operand()?, b.operand()?, axes.tensordot_axes()?)
            }
            /// The sum over the diagonals of the matrices that two axes span.
            trace {
                fn (x: Operand<'a>, options: np::options::Diagonal) -> Array;
                (a, offset = 0, axis1 = 0, axis2 = 1) =>
                    np::trace(a.operand()?, diagonal_options(offset, axis1, axis2)?)
            }
        }
        einsum {
            /// Einstein summation: `"ij,jk->ik"`, or without the arrow, when labels that occur once make the result
            /// in alphabetical order; `...` stands for any number of axes. A label may repeat within an operand.
            einsum {
                join (subscripts: &str, [operands]) -> Array;
                (subscripts, optimize = None; operands) => match optimize.optimize()? {
                    None => np::einsum(subscripts.text()?, super::operands(operands)?),
                    Some(optimize) => np::einsum_with(subscripts.text()?, super::operands(operands)?, optimize),
                }
            }
        }
        shape {
            /// The same elements in C order under another shape; one size may be -1, which is what is left over.
            reshape {
                fn (x: Operand<'a>, shape: Integers) -> Array;
                (a, shape) => np::reshape(a.operand()?, shape.integers()?)
            }
            /// All elements in C order along one axis.
            ravel {
                fn (x: Operand<'a>) -> Array;
                (a) => np::ravel(a.operand()?)
            }
            /// The axes in another order: axis `i` of the result is axis `axes[i]` of `x`; `..` reverses them.
            transpose {
                fn (x: Operand<'a>, axes: Axes) -> Array;
                (a, axes = None) => np::transpose(a.operand()?, axes.axes()?)
            }
            /// The axes `source` moved to the positions `destination`; the others keep their order.
            moveaxis {
                fn (x: Operand<'a>, source: Integers, destination: Integers) -> Array;
                (a, source, destination) =>
                    np::moveaxis(a.operand()?, source.integers()?, destination.integers()?)
            }
            /// Two axes exchanged.
            swapaxes {
                fn (x: Operand<'a>, axis1: i64, axis2: i64) -> Array;
                (a, axis1, axis2) => np::swapaxes(a.operand()?, axis1.int()?, axis2.int()?)
            }
            /// New axes of length one at these positions of the result.
            expand_dims {
                fn (x: Operand<'a>, axis: Integers) -> Array;
                (a, axis) => np::expand_dims(a.operand()?, axis.integers()?)
            }
            /// Without axes of length one: these, or all there are.
            squeeze {
                fn (x: Operand<'a>, axis: Axes) -> Array;
                (a, axis = None) => np::squeeze(a.operand()?, axis.axes()?)
            }
            /// Stretched to a shape: axes of length one repeat, new axes come in front.
            broadcast_to {
                fn (x: Operand<'a>, shape: Integers) -> Array;
                (array, shape) => np::broadcast_to(array.operand()?, shape.integers()?)
            }
            /// Arrays of one shape side by side along a new axis, 0 by default.
            stack {
                join ([arrays], axis: np::options::JoinAxis) -> Array;
                (arrays, axis = 0) => np::stack(arrays.operands()?, axis.join_axis()?)
            }
            /// Arrays one after the other along an axis, 0 by default; with `None` they are flattened first.
            concatenate {
                join ([arrays], axis: np::options::JoinAxis) -> Array;
                (arrays, axis = 0) =>
                    np::concatenate(arrays.operands()?, axis.join_axis()?)
            }
            /// The order of the elements reversed along axes, all by default.
            flip {
                fn (x: Operand<'a>, axis: Axes) -> Array;
                (m, axis = None) => np::flip(m.operand()?, axis.axes()?)
            }
            /// The slices of `x` along one axis at integer positions, whose shape replaces that axis; without an
            /// axis, elements of the flattened array. Negative positions count from the end.
            take {
                fn (x: Operand<'a>, indices: Operand<'a>, axis: Axes) -> Array;
                (a, indices, axis = None) =>
                    np::take(a.operand()?, indices.operand()?, axis.axes()?)
            }
            /// The diagonal of the matrices that two axes span (0 and 1 by default), as the last axis.
            diagonal {
                fn (x: Operand<'a>, options: np::options::Diagonal) -> Array;
                (a, offset = 0, axis1 = 0, axis2 = 1) =>
                    np::diagonal(a.operand()?, diagonal_options(offset, axis1, axis2)?)
            }
            /// The diagonal `k` of a matrix; or for a vector the square matrix that has it as its diagonal `k`.
            diag {
                fn (x: Operand<'a>, k: np::options::Offset) -> Array;
                (v, k = 0) => np::diag(v.operand()?, np::options::Offset(k.int_or(0)?))
            }
        }
        create {
            /// Zeros, `float64` by default.
            zeros {
                make (shape: Integers; Creation) -> Array;
                (shape, dtype = None) => np::zeros(shape.integers()?, dtype.creation()?)
            }
            /// Ones, `float64` by default.
            ones {
                make (shape: Integers; Creation) -> Array;
                (shape, dtype = None) => np::ones(shape.integers()?, dtype.creation()?)
            }
            /// One number everywhere; by default of the number's own dtype.
            full {
                make (shape: Integers, value: Scalar; Creation) -> Array;
                (shape, fill_value, dtype = None) =>
                    np::full(shape.integers()?, fill_value.scalar()?, dtype.creation()?)
            }
            /// Zeros of the shape of `x`, and of its dtype by default.
            zeros_like {
                fn (x: Operand<'a>, options: Creation) -> Array;
                (a, dtype = None) => np::zeros_like(a.operand()?, dtype.creation()?)
            }
            /// Ones of the shape of `x`, and of its dtype by default.
            ones_like {
                fn (x: Operand<'a>, options: Creation) -> Array;
                (a, dtype = None) => np::ones_like(a.operand()?, dtype.creation()?)
            }
            /// One number everywhere, of the shape of `x`, and of its dtype by default.
            full_like {
                fn (x: Operand<'a>, value: Scalar, options: Creation) -> Array;
                (a, fill_value, dtype = None) =>
                    np::full_like(a.operand()?, fill_value.scalar()?, dtype.creation()?)
            }
            /// Ones on a diagonal of a matrix of zeros with `rows` rows and, by default, as many columns.
            eye {
                make (rows: i64; np::options::EyeOptions, creation) -> Array;
                (N, M = None, k = 0, dtype = None) => np::eye(N.int()?, np::options::EyeOptions {
                    columns: M.axes()?.0.and_then(|columns| columns.0.first().copied()),
                    k: k.int_or(0)?,
                    creation: dtype.creation()?,
                })
            }
            /// The identity matrix with `n` rows.
            identity {
                make (n: i64; Creation) -> Array;
                (n, dtype = None) => np::identity(n.int()?, dtype.creation()?)
            }
            /// Evenly spaced numbers in a half-open interval: `int64` for integers, else `float64`.
            arange {
                make (interval: np::create::Progression; Creation) -> Array;
                (start, stop = None, step = 1, dtype = None) =>
                    np::arange(progression(start, stop, step)?, dtype.creation()?)
            }
            /// Evenly spaced numbers from `start` to `stop`: 50 by default, the last being `stop`.
            linspace {
                make (start: Scalar, stop: Scalar; np::options::LinspaceOptions, creation) -> Array;
                (start, stop, num = 50, endpoint = True, dtype = None) =>
                    np::linspace(start.scalar()?, stop.scalar()?, np::options::LinspaceOptions {
                        num: num.int_or(50)?,
                        endpoint: endpoint.bool_or(true)?,
                        creation: dtype.creation()?,
                    })
            }
        }
        special {
            /// The same values in another dtype, converted as NumPy does: floats to integers truncate, complex to
            /// real drop the imaginary part.
            astype {
                fn (x: Operand<'a>, dtype: DType) -> Array;
                (x, dtype) => np::astype(x.operand()?, dtype.dtype()?)
            }
            /// `+x`: the same numbers; booleans are refused.
            positive {
                fn (x: Operand<'a>) -> Array;
                (x) => np::positive(x.operand()?)
            }
            /// `|x|` of real numbers, floating for integers too.
            fabs {
                fn (x: Operand<'a>) -> Array;
                (x) => np::fabs(x.operand()?)
            }
            /// Angles in degrees as radians.
            deg2rad {
                fn (x: Operand<'a>) -> Array;
                (x) => np::deg2rad(x.operand()?)
            }
            /// Angles in radians as degrees.
            rad2deg {
                fn (x: Operand<'a>) -> Array;
                (x) => np::rad2deg(x.operand()?)
            }
            /// `sin(pi x) / (pi x)`, one at zero.
            sinc {
                fn (x: Operand<'a>) -> Array;
                (x) => np::sinc(x.operand()?)
            }
            /// The angle of complex numbers; zero or pi for real ones.
            angle {
                fn (z: Operand<'a>, unit: np::special::AngleUnit) -> Array;
                (z, deg = False) => np::angle(z.operand()?, match deg.bool_or(false)? {
                    true => np::special::AngleUnit::Degrees,
                    false => np::special::AngleUnit::Radians,
                })
            }
            /// Rounded to decimals, halves to even; dtypes stay.
            round {
                fn (x: Operand<'a>, decimals: np::special::Decimals) -> Array;
                (a, decimals = 0) => np::round(a.operand()?, decimals.int_or(0)?)
            }
            /// Finite numbers in the place of NaN and infinities, in each part of complex numbers.
            nan_to_num {
                fn (x: Operand<'a>, replacements: np::special::Replacements) -> Array;
                (x, nan = 0.0, posinf = None, neginf = None) =>
                    np::nan_to_num(x.operand()?, np::special::Replacements {
                        nan: nan.float_or(0.0)?,
                        posinf: posinf.float_option()?,
                        neginf: neginf.float_option()?,
                    })
            }
            /// `log(exp(x) + exp(y))`, without overflow on the way.
            logaddexp {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (x1, x2) => np::logaddexp(x1.operand()?, x2.operand()?)
            }
            /// `log2(2^x + 2^y)`, without overflow on the way.
            logaddexp2 {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (x1, x2) => np::logaddexp2(x1.operand()?, x2.operand()?)
            }
            /// The larger of the two; the other one if one is NaN.
            fmax {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (x1, x2) => np::fmax(x1.operand()?, x2.operand()?)
            }
            /// The smaller of the two; the other one if one is NaN.
            fmin {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (x1, x2) => np::fmin(x1.operand()?, x2.operand()?)
            }
            /// 0 below zero, 1 above, `h` at zero.
            heaviside {
                fn (x: Operand<'a>, h: Operand<'a>) -> Array;
                (x1, x2) => np::heaviside(x1.operand()?, x2.operand()?)
            }
            /// `x` to the power `y` in double precision: `float64`, or `complex128` if one is complex.
            float_power {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (x1, x2) => np::float_power(x1.operand()?, x2.operand()?)
            }
            /// Numbers below `low` replaced by `low`, then those above `high` by `high`; `..` is no limit.
            clip {
                fn (x: Operand<'a>, low: np::special::Limit, high: np::special::Limit) -> Array;
                (a, a_min = None, a_max = None, min = None, max = None) =>
                    np::clip(a.operand()?, a_min.limit(min)?, a_max.limit(max)?)
            }
        }
        logic {
            /// Whether numbers are equal up to a tolerance. Infinities are close to themselves alone.
            isclose {
                fn (x: Operand<'a>, y: Operand<'a>, tolerance: np::logic::Tolerance) -> Array;
                (a, b, rtol = 1e-5, atol = 1e-8, equal_nan = False) =>
                    np::isclose(a.operand()?, b.operand()?, tolerance(rtol, atol, equal_nan)?)
            }
            /// Whether all numbers are equal up to a tolerance; 0-d.
            allclose {
                fn (x: Operand<'a>, y: Operand<'a>, tolerance: np::logic::Tolerance) -> Array;
                (a, b, rtol = 1e-5, atol = 1e-8, equal_nan = False) =>
                    np::allclose(a.operand()?, b.operand()?, tolerance(rtol, atol, equal_nan)?)
            }
            /// Whether two arrays have the same shape and equal elements; 0-d.
            array_equal {
                fn (x: Operand<'a>, y: Operand<'a>, equal_nan: np::logic::EqualNan) -> Array;
                (a1, a2, equal_nan = False) =>
                    np::array_equal(a1.operand()?, a2.operand()?, equal_nan.bool_or(false)?)
            }
        }
        floats {
            /// Whether the sign is minus: also of `-0.0`, and of a NaN with that sign. The result is boolean.
            signbit {
                fn (x: Operand<'a>) -> Array;
                (x) => np::signbit(x.operand()?)
            }
            /// The next number after `x` in the direction of `y`, in the common floating dtype of both; `y` if they are
            /// equal.
            nextafter {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (x1, x2) => np::nextafter(x1.operand()?, x2.operand()?)
            }
            /// The complementary error function: `1 - erf(x)`, accurate where that is small.
            erfc {
                fn (x: Operand<'a>) -> Array;
                (x) => np::erfc(x.operand()?)
            }
            /// The modified Bessel function of the first kind of order zero, of the magnitude of real numbers.
            i0 {
                fn (x: Operand<'a>) -> Array;
                (x) => np::i0(x.operand()?)
            }
        }
        statistics {
            /// How many elements are not zero, over axes; NaN counts.
            count_nonzero {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::count_nonzero(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The distance of the largest from the smallest element, over axes.
            ptp {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) => np::ptp(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The sum over axes of the elements that are not NaN.
            nansum {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::nansum(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The product over axes of the elements that are not NaN.
            nanprod {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::nanprod(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The mean over axes of the elements that are not NaN; NaN if there is none.
            nanmean {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::nanmean(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The largest element over axes that is not NaN; NaN if all are.
            nanmax {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::nanmax(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The smallest element over axes that is not NaN; NaN if all are.
            nanmin {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::nanmin(a.operand()?, axis.reduction(keepdims)?)
            }
            /// `log(sum(exp(x)))` over axes, without overflow on the way.
            logsumexp {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::logsumexp(a.operand()?, axis.reduction(keepdims)?)
            }
            /// `exp(x)` divided by its sum over axes, without overflow on the way.
            softmax {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (x, axis = None) => np::softmax(x.operand()?, axis.reduction(&NOT_GIVEN)?)
            }
            /// The logarithm of `softmax`, without cancellation.
            log_softmax {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (x, axis = None) =>
                    np::log_softmax(x.operand()?, axis.reduction(&NOT_GIVEN)?)
            }
        }
        moments {
            /// The mean over axes in which each element counts as much as its weight.
            average {
                fn (x: Operand<'a>, options: np::moments::Weighted) -> Array;
                (a, axis = None, weights = None, returned = False, keepdims = False) => {
                    let options = np::moments::Weighted {
                        reduction: axis.reduction(keepdims)?,
                        weights: weights.operand_option()?,
                    };
                    match returned.bool_or(false)? {
                        true => Value::from(np::average_with(a.operand()?, options)),
                        false => Value::from(np::average(a.operand()?, options)),
                    }
                }
            }
            /// The covariance matrix of variables, which are rows: `[n, m]` gives `[n, n]`, a vector gives a number.
            cov {
                fn (x: Operand<'a>, options: np::moments::Covariance) -> Array;
                (m, y = None, rowvar = True, bias = False, ddof = None, fweights = None, aweights = None) =>
                    np::cov(m.operand()?, np::moments::Covariance {
                        y: y.operand_option()?,
                        rowvar: rowvar.bool_or(true)?,
                        bias: bias.bool_or(false)?,
                        ddof: ddof.int_option()?,
                        fweights: fweights.operand_option()?,
                        aweights: aweights.operand_option()?,
                    })
            }
            /// The correlation coefficients of variables, which are rows: `[n, m]` gives `[n, n]`, a vector gives a
            /// number.
            corrcoef {
                fn (x: Operand<'a>, options: np::moments::Coefficients) -> Array;
                (x, y = None, rowvar = True) => np::corrcoef(x.operand()?, np::moments::Coefficients {
                    y: y.operand_option()?,
                    rowvar: rowvar.bool_or(true)?,
                })
            }
        }
        quantiles {
            /// The values below which shares `q`, from 0 to 1, of the elements lie, over axes.
            quantile {
                fn (x: Operand<'a>, q: Operand<'a>, options: np::quantiles::Quantile) -> Array;
                (a, q, axis = None, method = "linear", keepdims = False) =>
                    np::quantile(a.operand()?, q.operand()?, method.quantile(axis, keepdims)?)
            }
            /// The values below which percentages `q`, from 0 to 100, of the elements lie, over axes.
            percentile {
                fn (x: Operand<'a>, q: Operand<'a>, options: np::quantiles::Quantile) -> Array;
                (a, q, axis = None, method = "linear", keepdims = False) =>
                    np::percentile(a.operand()?, q.operand()?, method.quantile(axis, keepdims)?)
            }
        }
        sorting {
            /// The element in the middle, or the mean of the two there, over axes; NaN if any is or if there is
            /// none.
            median {
                fn (x: Operand<'a>, options: Reduction) -> Array;
                (a, axis = None, keepdims = False) =>
                    np::median(a.operand()?, axis.reduction(keepdims)?)
            }
            /// The elements in order along an axis, the last by default; `None` sorts the flattened array.
            sort {
                fn (x: Operand<'a>, axis: np::along::Along) -> Array;
                (a, axis = -1) => np::sort(a.operand()?, axis.along()?)
            }
            /// The positions that put the elements in order along an axis, as `sort` does.
            argsort {
                fn (x: Operand<'a>, axis: np::along::Along) -> Array;
                (a, axis = -1) => np::argsort(a.operand()?, axis.along()?)
            }
            /// Sums up to and with each element along an axis; without an axis, of the flattened array.
            cumsum {
                fn (x: Operand<'a>, axis: Axes) -> Array;
                (a, axis = None) => np::cumsum(a.operand()?, axis.axes()?)
            }
            /// Products up to and with each element along an axis; without an axis, of the flattened array.
            cumprod {
                fn (x: Operand<'a>, axis: Axes) -> Array;
                (a, axis = None) => np::cumprod(a.operand()?, axis.axes()?)
            }
        }
        calculus {
            /// Differences of neighbours along an axis; of booleans, whether they differ.
            diff {
                fn (x: Operand<'a>, options: np::calculus::Differences) -> Array;
                (a, n = 1, axis = -1, prepend = None, append = None) => np::diff(a.operand()?, np::calculus::Differences {
                    n: n.int_or(1)?,
                    axis: axis.along()?,
                    prepend: prepend.operand_option()?,
                    append: append.operand_option()?,
                })
            }
            /// The integral along an axis by the trapezoidal rule.
            trapezoid {
                fn (y: Operand<'a>, spacing: np::calculus::Spacing) -> Array;
                (y, x = None, dx = 1.0, axis = -1) => np::trapezoid(y.operand()?, np::calculus::Spacing {
                    x: x.operand_option()?,
                    dx: dx.float_or(1.0)?,
                    axis: axis.along()?,
                })
            }
            /// The cross product of vectors with three elements, along an axis (the last by default) of both and of
            /// the result. A vector with two has a third that is zero; of two such ones the third element of the
            /// product is the result, and the axis disappears.
            cross {
                fn (x: Operand<'a>, y: Operand<'a>, axis: np::along::Along) -> Array;
                (a, b, axis = -1) => np::cross(a.operand()?, b.operand()?, axis.along()?)
            }
            /// Powers whose exponents are evenly spaced: from `base` to the power `start` to `base` to the power
            /// `stop`.
            logspace {
                make (start: Scalar, stop: Scalar; np::calculus::LogspaceOptions, exponents, creation) -> Array;
                (start, stop, num = 50, endpoint = True, base = 10.0, dtype = None) => {
                    let exponents = linspace_options(num, endpoint, dtype)?;
                    let options = np::calculus::LogspaceOptions::from(exponents).base(base.float_or(10.0)?);
                    np::logspace(start.scalar()?, stop.scalar()?, options)
                }
            }
            /// Numbers from `start` to `stop`, each the same multiple of the one before.
            geomspace {
                make (start: Scalar, stop: Scalar; np::options::LinspaceOptions, creation) -> Array;
                (start, stop, num = 50, endpoint = True, dtype = None) =>
                    np::geomspace(start.scalar()?, stop.scalar()?, linspace_options(num, endpoint, dtype)?)
            }
            /// The Vandermonde matrix: its columns are the powers of a vector, decreasing to the power zero.
            vander {
                fn (x: Operand<'a>, powers: np::calculus::Powers) -> Array;
                (x, N = None, increasing = False) => np::vander(x.operand()?, np::calculus::Powers {
                    columns: N.int_option()?,
                    increasing: increasing.bool_or(false)?,
                })
            }
        }
        signal {
            /// The slopes of an array along axes, all by default, one array for each: differences of both neighbours
            /// inside, of one side at the ends.
            gradient {
                fn (x: Operand<'a>, options: np::signal::Slopes) -> Vec<Array>;
                (f, axis = None, edge_order = 1; varargs) => {
                    let slopes = np::gradient(f.operand()?, np::signal::Slopes {
                        spacing: super::operands(varargs)?.into_iter().map(Operand::into_owned).collect(),
                        axes: axis.axes()?,
                        edge_order: edge_order.int_or(1)?,
                    });
                    one_or_several(slopes)
                }
            }
            /// The sums of products of a vector with another one that is reversed and shifted.
            convolve {
                fn (x: Operand<'a>, y: Operand<'a>, options: np::signal::Convolution) -> Array;
                (a, v, mode = "full") =>
                    np::convolve(a.operand()?, v.operand()?, mode.overlap(np::signal::Overlap::Full)?)
            }
            /// The sums of products of a vector with another one that is conjugated and shifted.
            correlate {
                fn (x: Operand<'a>, y: Operand<'a>, options: np::signal::Correlation) -> Array;
                (a, v, mode = "valid") =>
                    np::correlate(a.operand()?, v.operand()?, mode.overlap(np::signal::Overlap::Valid)?)
            }
        }
        interpolation {
            /// The values at `x` of the function that is linear between the points `(xp, fp)`; `xp` must increase.
            interp {
                fn (x: Operand<'a>, xp: Operand<'a>, fp: Operand<'a>, outside: np::interpolation::Outside) -> Array;
                (x, xp, fp, left = None, right = None, period = None) =>
                    np::interp(x.operand()?, xp.operand()?, fp.operand()?, np::interpolation::Outside {
                        left: left.operand_option()?,
                        right: right.operand_option()?,
                        period: period.float_option()?,
                    })
            }
        }
        joining {
            /// The Kronecker product: each element of `x` times the whole of `y`.
            kron {
                fn (x: Operand<'a>, y: Operand<'a>) -> Array;
                (a, b) => np::kron(a.operand()?, b.operand()?)
            }
            /// A number as an array with one axis; other arrays as they are.
            atleast_1d {
                fn (x: Operand<'a>) -> Array;
                (x) => np::atleast_1d(x.operand()?)
            }
            /// An array with at least two axes, new ones in front: a vector becomes a row.
            atleast_2d {
                fn (x: Operand<'a>) -> Array;
                (x) => np::atleast_2d(x.operand()?)
            }
            /// An array with at least three axes: `[n]` becomes `[1, n, 1]` and `[m, n]` becomes `[m, n, 1]`.
            atleast_3d {
                fn (x: Operand<'a>) -> Array;
                (x) => np::atleast_3d(x.operand()?)
            }
            /// Arrays below each other: vectors are rows.
            vstack {
                join ([arrays]) -> Array;
                (tup) => np::vstack(tup.operands()?)
            }
            /// Arrays beside each other: along the first axis of vectors, else along the second.
            hstack {
                join ([arrays]) -> Array;
                (tup) => np::hstack(tup.operands()?)
            }
            /// Arrays behind each other, along the third axis.
            dstack {
                join ([arrays]) -> Array;
                (tup) => np::dstack(tup.operands()?)
            }
            /// Vectors as the columns of a matrix; matrices beside each other.
            column_stack {
                join ([arrays]) -> Array;
                (tup) => np::column_stack(tup.operands()?)
            }
            /// An array taken apart along an axis, 0 by default: into equal parts, or at positions.
            split {
                fn (x: Operand<'a>, sections: np::joining::Sections, axis: np::joining::SplitAxis) -> Vec<Array>;
                (ary, indices_or_sections, axis = 0) =>
                    np::split(ary.operand()?, indices_or_sections.sections()?, axis.split_axis()?)
            }
            /// An array taken apart along an axis as `split` does it, but the first parts may be longer by one.
            array_split {
                fn (x: Operand<'a>, sections: np::joining::Sections, axis: np::joining::SplitAxis) -> Vec<Array>;
                (ary, indices_or_sections, axis = 0) =>
                    np::array_split(ary.operand()?, indices_or_sections.sections()?, axis.split_axis()?)
            }
            /// An array repeated as a whole along each axis.
            tile {
                fn (x: Operand<'a>, repetitions: Integers) -> Array;
                (A, reps) => np::tile(A.operand()?, reps.integers()?)
            }
            /// Each element, or each slice along an axis, repeated; without an axis the array is flattened. With
            /// one number every element is repeated as often, with several each has its own.
            repeat {
                fn (x: Operand<'a>, repetitions: Integers, axis: Axes) -> Array;
                (a, repeats, axis = None) =>
                    np::repeat(a.operand()?, repeats.integers()?, axis.axes()?)
            }
            /// For each coordinate vector its value at every point of the grid that the vectors span.
            meshgrid {
                join ([vectors], indexing: np::joining::Indexing) -> Vec<Array>;
                (indexing = "xy"; xi) =>
                    np::meshgrid(super::operands(xi)?, indexing.indexing()?)
            }
        }
        blocks {
            /// An array put together from nested lists of blocks: the innermost lists along the last axis, those around
            /// them along the one before, and so on.
            block {
                fn (blocks: np::blocks::Blocks<'a>) -> Array;
                (arrays) => np::block(arrays.blocks()?)
            }
        }
        positions {
            /// Arrays of one shape: those to which they broadcast together.
            broadcast_arrays {
                join ([arrays]) -> Vec<Array>;
                (; args) => np::broadcast_arrays(super::operands(args)?)
            }
            /// A copy of the array with values at positions along an axis, each line of `indices` going to its own line.
            put_along_axis {
                fn (x: Operand<'a>, indices: Operand<'a>, values: Operand<'a>, axis: np::along::Along) -> Array;
                (arr, indices, values, axis = -1) =>
                    np::put_along_axis(arr.operand()?, indices.operand()?, values.operand()?, axis.along()?)
            }
            /// For each axis of an array of a shape, the positions along it of flat positions.
            unravel_index {
                fn (indices: Operand<'a>, shape: Integers, order: np::positions::Order) -> Vec<Array>;
                (indices, shape, order = "C") =>
                    np::unravel_index(indices.operand()?, shape.integers()?, order.memory_order()?)
            }
            /// The flat positions of positions along each axis, which broadcast.
            ravel_multi_index {
                join ([multi_index], options: np::positions::Raveling) -> Array;
                (multi_index, dims, mode = "raise", order = "C") => {
                    let options = np::positions::dims(dims.integers()?);
                    let options = options.mode(mode.out_of_range()?).order(order.memory_order()?);
                    np::ravel_multi_index(multi_index.operands()?, options)
                }
            }
            /// The rows and the columns of the elements on and below diagonal `k` of a matrix with `n` rows, and as many
            /// columns unless the options say otherwise.
            tril_indices {
                make (n: i64; np::options::EyeOptions, creation) -> (Array, Array);
                (n, k = 0, m = None) => np::tril_indices(n.int()?, triangle_options(m, k, &NOT_GIVEN)?)
            }
            /// The rows and the columns of the elements on and above diagonal `k` of a matrix with `n` rows, and as many
            /// columns unless the options say otherwise.
            triu_indices {
                make (n: i64; np::options::EyeOptions, creation) -> (Array, Array);
                (n, k = 0, m = None) => np::triu_indices(n.int()?, triangle_options(m, k, &NOT_GIVEN)?)
            }
        }
        searching {
            /// The elements at positions along an axis, each line of `indices` taking from its own line of `x`.
            take_along_axis {
                fn (x: Operand<'a>, indices: Operand<'a>, axis: np::along::Along) -> Array;
                (arr, indices, axis = -1) =>
                    np::take_along_axis(arr.operand()?, indices.operand()?, axis.along()?)
            }
            /// Where to put numbers into a sorted vector to keep it sorted. NaN counts as largest.
            searchsorted {
                fn (sorted: Operand<'a>, numbers: Operand<'a>, side: np::searching::Side) -> Array;
                (a, v, side = "left") =>
                    np::searchsorted(a.operand()?, v.operand()?, side.side()?)
            }
            /// The positions of the elements that are not zero, in C order: for each axis the positions along it.
            nonzero {
                fn (x: Operand<'a>) -> Vec<Array>;
                (a) => np::nonzero(a.operand()?)
            }
            /// The different elements in order; NaN counts as equal to itself.
            unique {
                fn (x: Operand<'a>) -> Array;
                (ar, return_index = False, return_inverse = False, return_counts = False) => {
                    let wanted = [return_index, return_inverse, return_counts].map(|w| w.bool_or(false));
                    match wanted {
                        [Ok(false), Ok(false), Ok(false)] => Value::from(np::unique(ar.operand()?)),
                        [index, inverse, counts] => {
                            let all = np::unique_with(ar.operand()?);
                            let parts = [(index?, all.index), (inverse?, all.inverse), (counts?, all.counts)];
                            let parts = parts.into_iter().filter(|(wanted, _)| *wanted).map(|(_, x)| x);
                            Value::from(std::iter::once(all.values).chain(parts).collect::<Vec<_>>())
                        }
                    }
                }
            }
            /// How often each number from zero on occurs, or the sum of its weights, then of `float64`.
            bincount {
                fn (x: Operand<'a>, options: np::searching::Counting) -> Array;
                (x, weights = None, minlength = 0) => np::bincount(x.operand()?, np::searching::Counting {
                    weights: weights.operand_option()?,
                    minlength: minlength.int_or(0)?,
                })
            }
        }
        arranging {
            /// Elements moved along axes, those that leave at the end coming in at the front; without axes in the
            /// flattened array.
            roll {
                fn (x: Operand<'a>, shifts: Integers, axes: Axes) -> Array;
                (a, shift, axis = None) => np::roll(a.operand()?, shift.integers()?, axis.axes()?)
            }
            /// The columns in reverse order.
            fliplr {
                fn (x: Operand<'a>) -> Array;
                (m) => np::fliplr(m.operand()?)
            }
            /// The rows in reverse order.
            flipud {
                fn (x: Operand<'a>) -> Array;
                (m) => np::flipud(m.operand()?)
            }
            /// Turned in the plane of two axes, counterclockwise by a quarter by default.
            rot90 {
                fn (x: Operand<'a>, rotation: np::arranging::Rotation) -> Array;
                (m, k = 1, axes = (0, 1)) => np::rot90(m.operand()?, np::arranging::Rotation {
                    quarters: k.int_or(1)?,
                    axes: axes.pair_or((0, 1))?,
                })
            }
            /// Elements added before and after the axes.
            pad {
                fn (x: Operand<'a>, widths: np::arranging::Widths, padding: np::arranging::Padding) -> Array;
                (array, pad_width, mode = "constant", constant_values = 0) =>
                    np::pad(array.operand()?, pad_width.widths()?, mode.padding(constant_values)?)
            }
            /// Ones on and below a diagonal of a matrix, zeros above it.
            tri {
                make (rows: i64; np::options::EyeOptions, creation) -> Array;
                (N, M = None, k = 0, dtype = None) =>
                    np::tri(N.int()?, triangle_options(M, k, dtype)?)
            }
            /// The matrices with zeros above diagonal `k`.
            tril {
                fn (x: Operand<'a>, k: np::options::Offset) -> Array;
                (m, k = 0) => np::tril(m.operand()?, np::options::Offset(k.int_or(0)?))
            }
            /// The matrices with zeros below diagonal `k`.
            triu {
                fn (x: Operand<'a>, k: np::options::Offset) -> Array;
                (m, k = 0) => np::triu(m.operand()?, np::options::Offset(k.int_or(0)?))
            }
        }
    }
    linalg {
        /// A norm of vectors (along one axis), of matrices (over two axes), or of all elements. The result is real.
        norm {
            fn (x: Operand<'a>, options: np::options::NormOptions) -> Array;
            (x, ord = None, axis = None, keepdims = False) =>
                np::linalg::norm(x.operand()?, ord.norm_options(axis, keepdims)?)
        }
        /// The QR decomposition: for `[.., m, n]` and `k = min(m, n)`, `q` is `[.., m, k]` with orthonormal columns
        /// and `r` is `[.., k, n]`, upper triangular. With `QrMode::Complete` `q` is square, and `r` has the shape
        /// of `x`.
        qr {
            fn (x: Operand<'a>, mode: np::linalg::QrMode) -> (Array, Array);
            (a, mode = "reduced") => matrices::qr(a.operand()?, mode)?
        }
        /// The singular value decomposition: for `[.., m, n]` and `k = min(m, n)`, `u` is `[.., m, k]`, the
        /// singular values are `[.., k]`, real and in descending order, and `vh` is `[.., k, n]`. With full
        /// matrices `u` and `vh` are square.
        svd {
            fn (x: Operand<'a>, options: np::options::SvdOptions) -> (Array, Array, Array);
            (a, full_matrices = False, compute_uv = True) =>
                matrices::svd(a.operand()?, full_matrices, compute_uv)?
        }
        /// The singular values of `[.., m, n]`: `[.., min(m, n)]`, real and in descending order.
        svdvals {
            fn (x: Operand<'a>) -> Array;
            (x) => np::linalg::svdvals(x.operand()?)
        }
        /// Eigenvalues, real and ascending, and orthonormal eigenvectors, in columns, of Hermitian `[.., n, n]`:
        /// `w` is `[.., n]`, `v` is `[.., n, n]` and `x v = v diag(w)`. Only the lower triangle is read, or the
        /// upper one if the options say so. The phases of the vectors are not specified.
        eigh {
            fn (x: Operand<'a>, options: np::linalg::Uplo) -> (Array, Array);
            (a, UPLO = "L") => np::linalg::eigh(a.operand()?, UPLO.uplo()?)
        }
        /// The eigenvalues alone of `eigh`.
        eigvalsh {
            fn (x: Operand<'a>, options: np::linalg::Uplo) -> Array;
            (a, UPLO = "L") => np::linalg::eigvalsh(a.operand()?, UPLO.uplo()?)
        }
        /// Eigenvalues, in no particular order, and eigenvectors of length one, in columns, of `[.., n, n]`; both
        /// always complex. NumPy gives real ones where no imaginary part is left; here the dtype does not depend on
        /// values.
        eig {
            fn (x: Operand<'a>) -> (Array, Array);
            (a) => np::linalg::eig(a.operand()?)
        }
        /// The eigenvalues alone of `eig`.
        eigvals {
            fn (x: Operand<'a>) -> Array;
            (a) => np::linalg::eigvals(a.operand()?)
        }
        /// The lower triangular `l` with a positive diagonal and `x = l l^H` for positive definite `[.., n, n]`, of
        /// which the lower triangle is read. With `Uplo::Upper` it is the upper triangular `u` with `x = u^H u`,
        /// and the upper triangle is read.
        cholesky {
            fn (x: Operand<'a>, options: np::linalg::Uplo) -> Array;
            (a, upper = False) =>
                np::linalg::cholesky(a.operand()?, upper.upper()?)
        }
        /// The decomposition `x = p l u` with partial pivoting: for `[.., m, n]` and `k = min(m, n)`, `p` is a real
        /// permutation matrix `[.., m, m]`, `l` is `[.., m, k]`, lower triangular with ones on the diagonal, and
        /// `u` is `[.., k, n]`, upper triangular.
        lu {
            fn (x: Operand<'a>) -> (Array, Array, Array);
            (a) => np::linalg::lu(a.operand()?)
        }
        /// The inverses of `[.., n, n]`.
        inv {
            fn (x: Operand<'a>) -> Array;
            (a) => np::linalg::inv(a.operand()?)
        }
        /// The determinants of `[.., n, n]`; one if `n` is zero.
        det {
            fn (x: Operand<'a>) -> Array;
            (a) => np::linalg::det(a.operand()?)
        }
        /// Sign, or phase, and logarithm of the modulus of the determinants of `[.., n, n]`: zero and minus
        /// infinity for a singular matrix.
        slogdet {
            fn (x: Operand<'a>) -> (Array, Array);
            (a) => np::linalg::slogdet(a.operand()?)
        }
        /// The exponentials of `[.., n, n]`; NaN where a matrix is not finite.
        expm {
            fn (x: Operand<'a>) -> Array;
            (A) => np::linalg::expm(A.operand()?)
        }
        /// The solutions of `a x = b` for `a` of shape `[.., n, n]`. If `b` has one axis, it is one right side
        /// `[n]`; else it is `[.., n, k]`, the right sides being columns, and leading axes broadcast.
        solve {
            fn (a: Operand<'a>, b: Operand<'a>) -> Array;
            (a, b) => np::linalg::solve(a.operand()?, b.operand()?)
        }
        /// The solutions of `a x = b` where of `a` only the upper triangle is read, or the lower one if the options
        /// say so. Shapes are as for `solve`.
        solve_triangular {
            fn (a: Operand<'a>, b: Operand<'a>, options: np::linalg::TriangularOptions) -> Array;
            (a, b, trans = 0, lower = False, unit_diagonal = False) =>
                np::linalg::solve_triangular(a.operand()?, b.operand()?, trans.triangular(lower, unit_diagonal)?)
        }
        /// The `x` of smallest norm among those with the smallest `|b - a x|`, for `a` of shape `[m, n]` and `b` of
        /// shape `[m]` or `[m, k]`: `x`, the squared norms of the columns of `b - a x`, the rank of `a` (`int32`,
        /// 0-d) and its singular values.
        lstsq {
            fn (a: Operand<'a>, b: Operand<'a>, rcond: np::linalg::Cutoff) -> (Array, Array, Array, Array);
            (a, b, rcond = None) =>
                np::linalg::lstsq(a.operand()?, b.operand()?, rcond.float_option()?)
        }
        /// The Moore-Penrose pseudo-inverse of `[.., m, n]`: `[.., n, m]`. Singular values up to a part of the
        /// largest one, `1e-15` by default, count as zero.
        pinv {
            fn (x: Operand<'a>, options: np::linalg::Pinv) -> Array;
            (a, rcond = None, hermitian = False, rtol = 1e-15) =>
                np::linalg::pinv(a.operand()?, rcond.pinv(hermitian, rtol)?)
        }
        /// How many singular values of `[.., m, n]` are above a limit, as `int64`; for vectors and scalars, whether
        /// an element is not zero.
        matrix_rank {
            fn (x: Operand<'a>, options: np::linalg::Rank) -> Array;
            (A, tol = None, hermitian = False, rtol = None) =>
                np::linalg::matrix_rank(A.operand()?, tol.rank(hermitian, rtol)?)
        }
        /// Square matrices `[.., n, n]` to an integer power, by repeated squaring; a negative one inverts first.
        /// The zeroth power is the identity.
        matrix_power {
            fn (x: Operand<'a>, n: i64) -> Array;
            (a, n) => np::linalg::matrix_power(a.operand()?, n.int()?)
        }
        /// The principal square roots of `[.., n, n]`. Real matrices have real roots here, NaN where there is none.
        sqrtm {
            fn (x: Operand<'a>) -> Array;
            (A) => np::linalg::sqrtm(A.operand()?)
        }
        /// The principal logarithms of `[.., n, n]`. Real matrices have real logarithms here, NaN where there is none.
        logm {
            fn (x: Operand<'a>) -> Array;
            (A) => np::linalg::logm(A.operand()?)
        }
        /// The solutions of `a x = b` by the factors of `a` in one matrix, with the exchanges of rows.
        lu_solve {
            fn (lu: Operand<'a>, pivots: Operand<'a>, b: Operand<'a>, options: np::linalg::Transposition) -> Array;
            (lu_and_piv, b, trans = 0) => {
                let (lu, pivots) = lu_and_piv.operand_pair()?;
                np::linalg::lu_solve(lu, pivots, b.operand()?, trans.transposition()?)
            }
        }
        /// The solutions of `a x = b` by the triangular factor that `cholesky` gives.
        cho_solve {
            fn (c: Operand<'a>, b: Operand<'a>, options: np::linalg::Uplo) -> Array;
            (c_and_lower, b) => {
                let (c, uplo) = c_and_lower.factor()?;
                np::linalg::cho_solve(c, b.operand()?, uplo)
            }
        }
        /// Matrices along the diagonal of a matrix of zeros. Vectors are rows, numbers are matrices of one element;
        /// leading axes broadcast.
        block_diag {
            join ([arrays]) -> Array;
            (; arrays) => np::linalg::block_diag(super::operands(arrays)?)
        }
        /// The product of two or more matrices, in the order of multiplications that takes the fewest. The first
        /// may be a vector, which is a row, and the last one too, which is a column.
        multi_dot {
            join ([arrays]) -> Array;
            (arrays) => np::linalg::multi_dot(arrays.operands()?)
        }
        /// The condition number of `[.., m, n]` in a norm of matrices: by default, and for 2 and -2, the ratio of
        /// the largest and the smallest singular value, or the other way; else the product of the norms of the
        /// matrix and its inverse.
        cond {
            fn (x: Operand<'a>, order: np::options::Order) -> Array;
            (x, p = None) => np::linalg::cond(x.operand()?, p.order()?)
        }
    }
    fft {
        /// The Fourier transform along one axis: `sum over t of x[t] exp(-2 pi i t f / n)`, complex.
        fft {
            fn (x: Operand<'a>, options: np::fft::Line) -> Array;
            (a, n = None, axis = -1, norm = None) =>
                np::fft::fft(a.operand()?, n.line(axis, norm)?)
        }
        /// The inverse Fourier transform along one axis, complex.
        ifft {
            fn (x: Operand<'a>, options: np::fft::Line) -> Array;
            (a, n = None, axis = -1, norm = None) =>
                np::fft::ifft(a.operand()?, n.line(axis, norm)?)
        }
        /// The Fourier transform of real numbers along one axis: the first `n / 2 + 1` elements, of which the
        /// others are conjugates.
        rfft {
            fn (x: Operand<'a>, options: np::fft::Line) -> Array;
            (a, n = None, axis = -1, norm = None) =>
                np::fft::rfft(a.operand()?, n.line(axis, norm)?)
        }
        /// The inverse of `rfft`, real. The length of the result is `n`, by default `2 (m - 1)` for an axis of
        /// length `m`; imaginary parts that a transform of real numbers does not have are ignored.
        irfft {
            fn (x: Operand<'a>, options: np::fft::Line) -> Array;
            (a, n = None, axis = -1, norm = None) =>
                np::fft::irfft(a.operand()?, n.line(axis, norm)?)
        }
        /// The Fourier transform along two axes, the last two by default.
        fft2 {
            fn (x: Operand<'a>, options: np::fft::Grid) -> Array;
            (a, s = None, axes = (-2, -1), norm = None) =>
                np::fft::fft2(a.operand()?, s.grid(axes, norm)?)
        }
        /// The inverse Fourier transform along two axes, the last two by default.
        ifft2 {
            fn (x: Operand<'a>, options: np::fft::Grid) -> Array;
            (a, s = None, axes = (-2, -1), norm = None) =>
                np::fft::ifft2(a.operand()?, s.grid(axes, norm)?)
        }
        /// The Fourier transform along several axes, all by default, or the last ones if sizes are given.
        fftn {
            fn (x: Operand<'a>, options: np::fft::Grid) -> Array;
            (a, s = None, axes = None, norm = None) =>
                np::fft::fftn(a.operand()?, s.grid(axes, norm)?)
        }
        /// The inverse Fourier transform along several axes, all by default, or the last ones if sizes are given.
        ifftn {
            fn (x: Operand<'a>, options: np::fft::Grid) -> Array;
            (a, s = None, axes = None, norm = None) =>
                np::fft::ifftn(a.operand()?, s.grid(axes, norm)?)
        }
        /// The Fourier transform of real numbers along several axes, all by default, or the last ones if sizes are given:
        /// along the last of them as `rfft`, then along the others as `fft`.
        rfftn {
            fn (x: Operand<'a>, options: np::fft::Grid) -> Array;
            (a, s = None, axes = None, norm = None) =>
                np::fft::rfftn(a.operand()?, s.grid(axes, norm)?)
        }
        /// The inverse of `rfftn`, real.
        irfftn {
            fn (x: Operand<'a>, options: np::fft::Grid) -> Array;
            (a, s = None, axes = None, norm = None) =>
                np::fft::irfftn(a.operand()?, s.grid(axes, norm)?)
        }
        /// The Fourier transform of a sequence whose second half is the conjugate of the first, which is given: real. The
        /// length of the result is `n`, by default `2 (m - 1)` for an axis of length `m`.
        hfft {
            fn (x: Operand<'a>, options: np::fft::Line) -> Array;
            (a, n = None, axis = -1, norm = None) =>
                np::fft::hfft(a.operand()?, n.line(axis, norm)?)
        }
        /// The inverse of `hfft`: of real numbers the first `n / 2 + 1` elements.
        ihfft {
            fn (x: Operand<'a>, options: np::fft::Line) -> Array;
            (a, n = None, axis = -1, norm = None) =>
                np::fft::ihfft(a.operand()?, n.line(axis, norm)?)
        }
        /// The frequencies of `fft` of a signal of this length, in cycles per unit of the distance `d` of samples:
        /// rising from zero, then the negative ones. `float64` by default.
        fftfreq {
            make (length: i64; np::fft::Sampling, creation) -> Array;
            (n, d = 1.0) => np::fft::fftfreq(n.int()?, d.float_or(1.0)?)
        }
        /// The frequencies of `rfft` of a signal of this length, as `fftfreq` but none negative.
        rfftfreq {
            make (length: i64; np::fft::Sampling, creation) -> Array;
            (n, d = 1.0) => np::fft::rfftfreq(n.int()?, d.float_or(1.0)?)
        }
        /// The zero frequency moved to the middle of the axes, all by default.
        fftshift {
            fn (x: Operand<'a>, axes: Axes) -> Array;
            (x, axes = None) => np::fft::fftshift(x.operand()?, axes.axes()?)
        }
        /// The inverse of `fftshift`.
        ifftshift {
            fn (x: Operand<'a>, axes: Axes) -> Array;
            (x, axes = None) => np::fft::ifftshift(x.operand()?, axes.axes()?)
        }
    }
    named {
        /// The order in which `einsum` contracts its operands, and what that costs.
        einsum_path "einsum_path" { (subscripts, optimize = None; operands) => {
            let optimize = optimize.optimize()?.unwrap_or_default();
            let path = np::einsum_path(subscripts.text()?, super::operands(operands)?, optimize)?;
            let text = path.to_string();
            (path.steps, text)
        } }
        /// Elements, slices and new axes of an array, as its key says.
        getitem "getitem" { (a, key) => np::to_array(a.operand()?).get(key.index()?) }
        /// The array with the elements at a key set, or combined with values as the mode says.
        scatter "scatter" { (a, key, values, mode = "set") => {
            let mode = match mode.given() {
                Some(_) => mode.text()?.parse()?,
                None => ScatterMode::Set,
            };
            np::to_array(a.operand()?).at(key.index()?).update(mode, values.operand()?)
        } }
        /// Random numbers from 0 to 1.
        random_random "random.random" { (size = None, dtype = None) => np::random::random(size.draw_size(dtype)?) }
        /// Normally distributed numbers with mean 0 and standard deviation 1.
        random_standard_normal "random.standard_normal" { (size = None, dtype = None) =>
            np::random::standard_normal(size.draw_size(dtype)?) }
        /// Normally distributed numbers.
        random_normal "random.normal" { (loc = 0.0, scale = 1.0, size = None, dtype = None) =>
            np::random::normal(loc.operand_or(0.0)?, scale.operand_or(1.0)?, size.draw_size(dtype)?) }
        /// Evenly distributed numbers of an interval.
        random_uniform "random.uniform" { (low = 0.0, high = 1.0, size = None, dtype = None) =>
            np::random::uniform(low.operand_or(0.0)?, high.operand_or(1.0)?, size.draw_size(dtype)?) }
        /// Exponentially distributed numbers.
        random_exponential "random.exponential" { (scale = 1.0, size = None, dtype = None) =>
            np::random::exponential(scale.operand_or(1.0)?, size.draw_size(dtype)?) }
        /// Random integers from `low` to below `high`.
        random_integers "random.integers" { (low, high = None, size = None, dtype = None, endpoint = False) => {
            let (low, high) = match high.int_option()? {
                None => (0, low.int()?),
                Some(high) => (low.int()?, high),
            };
            let size = size.draw_size(dtype)?;
            np::random::integers(low, high, size.endpoint(endpoint.bool_or(false)?))
        } }
        /// The items along the first axis in random order, or those of `range(x)`.
        random_permutation "random.permutation" { (x) => np::random::permutation(x.operand()?) }
        /// A random sample of the items of an array.
        random_choice "random.choice" { (a, size = None, replace = True, p = None) => {
            let options = size.draw_size(&NOT_GIVEN)?.replace(replace.bool_or(true)?);
            np::random::choice(a.operand()?, match p.operand_option()? {
                Some(p) => options.p(p),
                None => options,
            })
        } }
        /// Seeds the generator of the process.
        random_seed "random.seed" { (seed) => {
            np::random::seed(seed.int()? as u64);
            Value::None
        } }
    }
    renamed {
        special {
            degrees = rad2deg { fn (x: Operand<'a>) -> Array }
            radians = deg2rad { fn (x: Operand<'a>) -> Array }
            around = round { fn (x: Operand<'a>, decimals: np::special::Decimals) -> Array }
        }
        reduce {
            amax = max { fn (x: Operand<'a>, options: Reduction) -> Array }
            amin = min { fn (x: Operand<'a>, options: Reduction) -> Array }
        }
        shape {
            permute_dims = transpose { fn (x: Operand<'a>, axes: Axes) -> Array }
            concat = concatenate { join ([arrays], axis: np::options::JoinAxis) -> Array }
        }
    }
    elementwise {
        abs = absolute(x);
        acos = arccos(x);
        acosh = arccosh(x);
        asin = arcsin(x);
        asinh = arcsinh(x);
        atan = arctan(x);
        atan2 = arctan2(y, x);
        atanh = arctanh(x);
        bitwise_invert = invert(x);
        bitwise_left_shift = left_shift(x, y);
        bitwise_not = invert(x);
        bitwise_right_shift = right_shift(x, y);
        conjugate = conj(x);
        gammaln = lgamma(x);
        true_divide = divide(x, y);
        mod_ = remainder(x, y);
        pow = power(x, y);
    }
    names {
        "linalg.diagonal" = "diagonal";
        "linalg.matmul" = "matmul";
        "linalg.outer" = "outer";
        "linalg.tensordot" = "tensordot";
        "linalg.trace" = "trace";
        "random.randint" = "random.integers";
        "special.erf" = "erf";
        "special.erfc" = "erfc";
        "special.i0" = "i0";
        "special.gammaln" = "lgamma";
        "special.log_softmax" = "log_softmax";
        "special.logsumexp" = "logsumexp";
        "special.softmax" = "softmax";
    }
} } }
pub(crate) use for_each_function;
