//! Arguments of calls by name of linear algebra and Fourier transforms.

use super::arguments::Argument;
use crate::numpy::fft::{Grid, Line};
use crate::numpy::linalg::{Pinv, Rank, Relative, Transposition, TriangularOptions, Uplo};
use crate::numpy::options::Order;
use crate::{Operand, Value, numpy as np};
use autojit_ir::error::{Error, Result};
use autojit_ir::{FourierNorm, QrMode};

/// `linalg.qr`, whose mode `"r"` gives one factor alone.
#[track_caller]
pub(super) fn qr(x: Operand, mode: &Argument<'_>) -> Result<Value> {
    let mode = match mode.given().map(|_| mode.text()).transpose()? {
        None => QrMode::default(),
        Some("r") => return Ok(np::linalg::qr(x, ..).1.into()),
        Some(name) => name.parse()?,
    };
    Ok(np::linalg::qr(x, mode).into())
}

/// `linalg.svd`, which without vectors gives the values alone.
#[track_caller]
pub(super) fn svd(
    x: Operand,
    full_matrices: &Argument<'_>,
    compute_uv: &Argument<'_>,
) -> Result<Value> {
    if !compute_uv.bool_or(true)? {
        return Ok(np::linalg::svdvals(x).into());
    }
    let options = np::full_matrices(full_matrices.bool_or(false)?);
    Ok(np::linalg::svd(x, options).into())
}

impl Argument<'_> {
    /// `"L"` or `"U"`.
    pub(super) fn uplo(&self) -> Result<Uplo> {
        self.word(&[
            ("L", Uplo::Lower),
            ("U", Uplo::Upper),
            ("l", Uplo::Lower),
            ("u", Uplo::Upper),
        ])
    }

    /// Whether the upper triangle counts.
    pub(super) fn upper(&self) -> Result<Uplo> {
        Ok(match self.bool_or(false)? {
            true => Uplo::Upper,
            false => Uplo::Lower,
        })
    }

    /// The form of a system: 0, 1 or 2, or SciPy's letters.
    pub(super) fn transposition(&self) -> Result<Transposition> {
        Ok(match self.given() {
            None | Some(Value::Int(0)) => Transposition::None,
            Some(Value::Int(1)) => Transposition::Transposed,
            Some(Value::Int(2)) => Transposition::Adjoint,
            Some(Value::Str(_)) => self.word(&[
                ("N", Transposition::None),
                ("T", Transposition::Transposed),
                ("C", Transposition::Adjoint),
            ])?,
            Some(_) => return Err(self.wrong("0, 1, 2, N, T or C")),
        })
    }

    /// The options of `linalg.solve_triangular`, this being `trans`.
    pub(super) fn triangular(
        &self,
        lower: &Argument<'_>,
        unit_diagonal: &Argument<'_>,
    ) -> Result<TriangularOptions> {
        Ok(TriangularOptions {
            trans: self.transposition()?,
            lower: lower.bool_or(false)?,
            unit_diagonal: unit_diagonal.bool_or(false)?,
        })
    }

    /// The options of `linalg.pinv`, this being `rcond`. Python's `None` for `rtol` is not what leaving it out is.
    pub(super) fn pinv(&self, hermitian: &Argument<'_>, rtol: &Argument<'_>) -> Result<Pinv> {
        let mut options = Pinv::default();
        match (self.float_option()?, rtol.value) {
            (Some(_), Some(_)) => {
                return Err(Error::value(
                    "the arguments rcond and rtol mean the same, expected one of them",
                ));
            }
            (Some(rcond), None) => options.rtol = Relative::Number(rcond),
            (None, Some(_)) => options.rtol = rtol.relative()?,
            (None, None) => {}
        }
        options.hermitian = hermitian.bool_or(false)?;
        Ok(options)
    }

    fn relative(&self) -> Result<Relative> {
        let number = self.float_option()?;
        Ok(number.map_or(Relative::Precision, Relative::Number))
    }

    /// The options of `linalg.matrix_rank`, this being `tol`.
    pub(super) fn rank(&self, hermitian: &Argument<'_>, rtol: &Argument<'_>) -> Result<Rank> {
        let tol = self.float_option()?;
        if tol.is_some() && rtol.given().is_some() {
            return Err(Error::value(
                "the arguments tol and rtol exclude each other, expected one of them",
            ));
        }
        Ok(Rank {
            tol,
            rtol: rtol.relative()?,
            hermitian: hermitian.bool_or(false)?,
        })
    }

    /// The order of a norm.
    pub(super) fn order(&self) -> Result<Order> {
        match self.given() {
            None => Ok(Order::Default),
            Some(Value::Str(name)) => Ok(Order::Name(name.clone())),
            Some(Value::Int(p)) => Ok(Order::Number(*p as f64)),
            Some(Value::Float(p)) => Ok(Order::Number(*p)),
            Some(_) => Err(self.wrong("a number or the name of a norm")),
        }
    }

    fn fourier_norm(&self) -> Result<FourierNorm> {
        match self.given() {
            None => Ok(FourierNorm::default()),
            Some(_) => self.text()?.parse(),
        }
    }

    /// The options of transforms along one axis, this being the length.
    pub(super) fn line(&self, axis: &Argument<'_>, norm: &Argument<'_>) -> Result<Line> {
        Ok(Line {
            n: self.int_option()?,
            axis: axis.int_or(-1)?,
            norm: norm.fourier_norm()?,
        })
    }

    /// The options of transforms along several axes, this being the lengths.
    pub(super) fn grid(&self, axes: &Argument<'_>, norm: &Argument<'_>) -> Result<Grid> {
        Ok(Grid {
            s: self.axes()?.0,
            axes: axes.axes()?.0,
            norm: norm.fourier_norm()?,
        })
    }
}
