//! The optimiser of the examples that minimise something by its gradient.

use autojit::{Array, numpy as np};

/// Adam: steps along the gradient, divided by its size on average.
///
/// Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015).
pub(crate) struct Adam {
    /// How much of the average of squares a step keeps.
    memory: f64,
    mean: Vec<Array>,
    square: Vec<Array>,
    step: i32,
}

impl Adam {
    /// For arrays of these types.
    pub(crate) fn new(memory: f64, like: &[Array]) -> Self {
        let zeros: Vec<Array> = like.iter().map(|x| np::zeros_like(x, ..)).collect();
        Self {
            memory,
            mean: zeros.clone(),
            square: zeros,
            step: 0,
        }
    }

    /// Moves the arrays a step.
    pub(crate) fn step(&mut self, x: &mut [Array], gradients: &[Array], rate: f64) {
        self.step += 1;
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((x, gradient), (mean, square)) in x.iter_mut().zip(gradients).zip(moments) {
            *mean = &*mean * 0.9 + gradient * 0.1;
            *square = &*square * self.memory + gradient * gradient * (1.0 - self.memory);
            let unbiased = &*mean / (1.0 - 0.9f64.powi(self.step));
            let size = np::sqrt(&*square / (1.0 - self.memory.powi(self.step)));
            *x -= unbiased * rate / (size + 1e-12);
        }
    }
}
