//! Fourier transforms in every mode: there and back, with every option, and their frequencies.
//!
//! NumPy's results for ordinary input are in `tests/conformance`, and the agreement of engines in `tests/differential`.

use std::slice::from_ref;

use super::modes::{close, same};
use autojit::numpy as np;
use autojit::numpy::fft::FourierNorm;

/// There and back, by every way of dividing, with other lengths and along other axes.
#[test]
fn transforms_there_and_back() {
    let x = np::sin(np::reshape(np::arange(60, ..), [3, 4, 5]));
    for norm in [
        FourierNorm::Backward,
        FourierNorm::Ortho,
        FourierNorm::Forward,
    ] {
        for axis in [0, 1, 2, -1] {
            let line = np::fft::axis(axis).norm(norm);
            let there = np::fft::fft(&x, line);
            close(&np::fft::ifft(&there, line).real(), &x, "ifft");
            let length = x.shape().unwrap()[usize::try_from(axis).unwrap_or(2)];
            let half = np::fft::rfft(&x, line);
            let back = np::fft::irfft(&half, np::fft::n(length as i64).axis(axis).norm(norm));
            close(&back, &x, "irfft");
        }
        let several = np::fft::fftn(&x, norm);
        close(&np::fft::ifftn(&several, norm).real(), &x, "ifftn");
        let two = np::fft::fft2(&x, norm);
        close(&np::fft::ifft2(&two, norm).real(), &x, "ifft2");
        close(
            &np::fft::fftn(&two, np::fft::axes(0).norm(norm)),
            &several,
            "fftn",
        );
    }
    same(from_ref(&x), |x| {
        let line = np::fft::n(7).axis(1).norm(FourierNorm::Ortho);
        let power = np::square(np::absolute(np::fft::fft(&x[0], line))).sum(..);
        vec![power, np::square(&x[0]).sum(..)]
    });
    same(&[x], |x| {
        let cut = x[0].get(autojit::ix![.., 0..3, ..]);
        vec![
            np::fft::fft2(&x[0], np::fft::s([3, 5])).real(),
            np::fft::fft2(cut, ..).real(),
        ]
    });
}

#[test]
fn frequencies_and_shifts() {
    assert_eq!(
        np::fft::fftfreq(4, ..).to_vec::<f64>().unwrap(),
        [0.0, 0.25, -0.5, -0.25]
    );
    assert_eq!(
        np::fft::fftfreq(5, 0.5).to_vec::<f64>().unwrap(),
        [0.0, 0.4, 0.8, -0.8, -0.4]
    );
    assert_eq!(
        np::fft::rfftfreq(5, ..).to_vec::<f64>().unwrap(),
        [0.0, 0.2, 0.4]
    );
    assert_eq!(np::fft::fftfreq(1, ..).to_vec::<f64>().unwrap(), [0.0]);
    for shape in [&[5, 4][..], &[1, 6], &[0, 3]] {
        let count: usize = shape.iter().product();
        let x = np::reshape(np::arange(count as i64, ..), shape);
        same(&[x], |x| {
            let there = np::fft::fftshift(&x[0], ..);
            vec![np::fft::ifftshift(there, ..), x[0].clone()]
        });
    }
    let shifted = np::fft::fftshift(np::arange(5, ..), 0);
    assert_eq!(shifted.to_vec::<i64>().unwrap(), [3, 4, 0, 1, 2]);
}
