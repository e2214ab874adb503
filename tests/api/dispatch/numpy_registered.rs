//! Functions that users register in the place of updates and draws. They are known to the whole process, so these
//! tests have one of their own.

use crate::process::in_own_process;
use autojit::dispatch::{self, Arguments};
use autojit::numpy::{self as np, random};
use autojit::{Array, DType, call, ix, lazy};

fn values(x: &Array) -> Vec<f64> {
    x.compute().unwrap().ravel().to_vec::<f64>().unwrap()
}

#[test]
fn a_registered_function_takes_its_place_and_can_call_on() {
    in_own_process!();
    autojit::register_function("lazy", "scatter", |args: &Arguments| {
        let named: Vec<_> = args
            .named()
            .iter()
            .map(|(n, v)| (n.as_str(), v.clone()))
            .collect();
        assert_eq!(args.positional().len(), 3);
        let mut eager = args.positional().to_vec();
        eager[0] = np::zeros([2, 3], ..).into();
        dispatch::call("scatter", &eager, &named)
    })
    .unwrap();
    let x = lazy::variable(&[2, 3], DType::Float64);
    let y = x.at(ix![1, ..; 2]).add(5.0);
    assert_eq!(values(&y), [0.0, 0.0, 0.0, 5.0, 0.0, 5.0]);
}

#[test]
fn registered_functions_take_the_place_of_draws() {
    in_own_process!();
    let registration = autojit::register_function("lazy", "random.normal", |_: &Arguments| {
        np::full(3, 7.0, ..)
    });
    registration.unwrap();
    let x = random::normal(0.0, 1.0, random::size(3).like("lazy"));
    assert_eq!(values(&x), [7.0; 3]);
    let y: Array = call!("random.normal", size = 3, like = "lazy")
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(values(&y), [7.0; 3]);
    // A generator of one's own stays what it is.
    let z = random::default_rng(1).normal(0.0, 1.0, random::size(3).like("lazy"));
    assert_ne!(values(&z), [7.0; 3]);
}
