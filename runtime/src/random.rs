//! Random numbers from counters: each element of each draw is a function of a seed, the number of the draw and the
//! position of the element alone.
//!
//! The bits are Philox 4x32-10's: the key is the seed, the counter is the number of a block and the number of the draw.
//! So draws can be made in any order and on any thread, and still give the same numbers. Not for cryptography.
//!
//! Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).

use crate::kind::{Failure, Kind};
use crate::math::Real;

/// Philox 4x32 with ten rounds: 128 random bits for a counter and a key.
///
/// ```
/// use autojit_runtime::random::philox;
/// assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
/// ```
#[must_use]
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(counter[0]) * 0xd251_1f53;
        let b = u64::from(counter[2]) * 0xcd9e_8d57;
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        key = [
            key[0].wrapping_add(0x9e37_79b9),
            key[1].wrapping_add(0xbb67_ae85),
        ];
    }
    counter
}

/// The distribution of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Floats from 0 on and below 1, evenly spaced: 53 bits of them for `f64`, 24 for `f32`.
    Uniform,
    /// Floats of mean 0 and variance 1, by Box and Muller's transform of pairs.
    Normal,
    /// Integers from `low` to `low + span`, both included; wraps at the width of the dtype.
    Integers {
        /// The smallest.
        low: i64,
        /// The largest less the smallest.
        span: u64,
    },
}

/// The numbers of one draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The kind of the elements.
    pub kind: Kind,
    /// The distribution of the numbers.
    pub distribution: Distribution,
    /// How many elements.
    pub count: usize,
}

impl Draw {
    /// Writes the numbers of the draw `number` of the generator with this seed.
    ///
    /// # Errors
    /// [`Failure::UnsupportedKind`]: floats are drawn as floats, integers as integers.
    ///
    /// # Safety
    /// `out` must be writable for `count` elements, aligned.
    pub unsafe fn run(&self, seed: u64, number: u64, out: *mut u8) -> Result<(), Failure> {
        let stream = Stream { seed, number };
        // SAFETY: the caller promises room for `count` elements of the kind, which is the type that is written.
        unsafe {
            match (self.distribution, self.kind) {
                (Distribution::Uniform, Kind::Float64) => {
                    self.fill(out.cast::<f64>(), |block| stream.pairs(block).map(fraction));
                }
                (Distribution::Uniform, Kind::Float32) => self.fill(out.cast::<f32>(), |block| {
                    stream
                        .block(block)
                        .map(|word| (word >> 8) as f32 / (1 << 24) as f32)
                }),
                (Distribution::Normal, Kind::Float64) => {
                    self.fill(out.cast::<f64>(), |block| {
                        let [a, b] = stream.pairs(block).map(fraction);
                        // One less a fraction is never zero.
                        normal(1.0 - a, b)
                    });
                }
                (Distribution::Normal, Kind::Float32) => self.fill(out.cast::<f32>(), |block| {
                    let words = stream.block(block);
                    let [a, b, c, d] = words.map(|w| (f64::from(w) + 0.5) / 4_294_967_296.0);
                    let ([a, b], [c, d]) = (normal(a, b), normal(c, d));
                    [a as f32, b as f32, c as f32, d as f32]
                }),
                (Distribution::Integers { low, span }, Kind::Int64) => {
                    self.fill(
                        out.cast::<i64>(),
                        |block| [stream.integer(block, low, span)],
                    );
                }
                (Distribution::Integers { low, span }, Kind::Int32) => {
                    self.fill(out.cast::<i32>(), |block| {
                        [stream.integer(block, low, span) as i32]
                    });
                }
                (Distribution::Integers { low, span }, Kind::Uint8) => {
                    self.fill(out.cast::<u8>(), |block| {
                        [stream.integer(block, low, span) as u8]
                    });
                }
                (_, kind) => return Err(Failure::UnsupportedKind(kind)),
            }
        }
        Ok(())
    }

    /// # Safety
    /// `out` must be writable for `count` elements.
    unsafe fn fill<T: Copy, const N: usize>(
        &self,
        out: *mut T,
        mut block: impl FnMut(u64) -> [T; N],
    ) {
        for start in (0..self.count).step_by(N) {
            let numbers = block((start / N) as u64);
            for (i, &number) in numbers[..N.min(self.count - start)].iter().enumerate() {
                // SAFETY: the position lies below `count`.
                unsafe { out.add(start + i).write(number) };
            }
        }
    }
}

/// The blocks of one draw.
#[derive(Clone, Copy)]
struct Stream {
    seed: u64,
    number: u64,
}

impl Stream {
    fn block(self, block: u64) -> [u32; 4] {
        let [b, n, k] = [block, self.number, self.seed].map(|w| [w as u32, (w >> 32) as u32]);
        philox([b[0], b[1], n[0], n[1]], k)
    }

    fn pairs(self, block: u64) -> [u64; 2] {
        let [a, b, c, d] = self.block(block).map(u64::from);
        [a | b << 32, c | d << 32]
    }

    /// The high part of the product of 128 random bits with the number of integers: less than 2^-64 off uniform.
    fn integer(self, block: u64, low: i64, span: u64) -> i64 {
        let count = u128::from(span) + 1;
        let [a, b] = self.pairs(block).map(u128::from);
        let high = (b * count + ((a * count) >> 64)) >> 64;
        low.wrapping_add(high as i64)
    }
}

/// 53 random bits as a fraction.
fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Box and Muller's transform of two uniform numbers, the first above zero.
fn normal(a: f64, b: f64) -> [f64; 2] {
    let radius = (-2.0 * Real::log(a)).sqrt();
    let angle = std::f64::consts::TAU * b;
    [radius * Real::cos(angle), radius * Real::sin(angle)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that Random123, the authors' library, publishes (`kat_vectors`).
    #[test]
    fn philox_gives_the_published_answers() {
        let ones = u32::MAX;
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([ones; 4], [ones; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    fn draw<T: Copy + Default>(
        kind: Kind,
        distribution: Distribution,
        count: usize,
        number: u64,
    ) -> Vec<T> {
        let mut out = vec![T::default(); count];
        let draw = Draw {
            kind,
            distribution,
            count,
        };
        // SAFETY: there is room for `count` elements.
        unsafe { draw.run(7, number, out.as_mut_ptr().cast()) }.unwrap();
        out
    }

    /// Mean, variance, and the mean of the fourth power about the mean.
    fn moments(x: &[f64]) -> [f64; 3] {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let power = |p| x.iter().map(|x| (x - mean).powi(p)).sum::<f64>() / n;
        [mean, power(2), power(4)]
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let single = |x: Vec<f32>| -> Vec<f64> { x.into_iter().map(f64::from).collect() };
        let (uniform, normal) = (Distribution::Uniform, Distribution::Normal);
        const N: usize = 100_001;
        for x in [
            draw(Kind::Float64, uniform, N, 0),
            single(draw(Kind::Float32, uniform, N, 0)),
        ] {
            assert!(x.iter().all(|x| (0.0..1.0).contains(x)));
            let [mean, variance, fourth] = moments(&x);
            assert!((mean - 0.5).abs() < 4e-3 && (variance - 1.0 / 12.0).abs() < 1e-3);
            assert!((fourth - 1.0 / 80.0).abs() < 3e-4);
        }
        for x in [
            draw(Kind::Float64, normal, N, 1),
            single(draw(Kind::Float32, normal, N, 1)),
        ] {
            let [mean, variance, fourth] = moments(&x);
            assert!(mean.abs() < 0.013 && (variance - 1.0).abs() < 0.02);
            assert!((fourth - 3.0).abs() < 0.15);
        }
        let mut counts = [0; 6];
        let dice = Distribution::Integers { low: 1, span: 5 };
        for face in draw::<i64>(Kind::Int64, dice, 60_000, 2) {
            counts[face as usize - 1] += 1;
        }
        assert!(
            counts.iter().all(|n| (9_500..10_500).contains(n)),
            "{counts:?}"
        );
    }

    #[test]
    fn elements_depend_on_their_position_and_draw_alone() {
        let uniform = Distribution::Uniform;
        let long = draw::<f64>(Kind::Float64, uniform, 9, 3);
        assert_eq!(draw::<f64>(Kind::Float64, uniform, 5, 3), long[..5]);
        assert_ne!(draw::<f64>(Kind::Float64, uniform, 9, 4), long);
        let all = Distribution::Integers {
            low: i64::MIN,
            span: u64::MAX,
        };
        let wide = draw::<i64>(Kind::Int64, all, 100, 0);
        assert!(wide.iter().any(|&x| x > 1 << 62) && wide.iter().any(|&x| x < -(1 << 62)));
        let bytes = Distribution::Integers { low: 0, span: 255 };
        let bytes = draw::<u8>(Kind::Uint8, bytes, 5_000, 0);
        assert!((0..=255).all(|b| bytes.contains(&b)));
    }
}
