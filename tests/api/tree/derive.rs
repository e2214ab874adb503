//! `#[derive(Tree)]` on structs and enums, and the derived types as arguments and results.

use autojit::{Array, Tree, autojit, tree_flatten, tree_unflatten};

#[derive(Clone, Debug, Tree)]
struct Layer {
    weights: Array,
    bias: Option<Array>,
    r#type: String,
}

#[derive(Clone, Debug, Tree)]
struct Pair<T, const N: usize>(T, [T; N])
where
    T: Clone;

#[derive(Clone, Debug, PartialEq, Tree)]
struct Unit;

#[derive(Clone, Debug, Tree)]
enum Activation {
    Identity,
    Scale(f64),
    Affine { slope: Array, offset: Array },
}

#[derive(Tree)]
struct Chain {
    head: Array,
    tail: Option<Box<Chain>>,
}

fn x(n: usize) -> Array {
    Array::from(vec![1.0; n])
}

fn structure(tree: &impl Tree) -> String {
    tree_flatten(tree).unwrap().1.to_string()
}

fn layer() -> Layer {
    Layer {
        weights: x(2),
        bias: None,
        r#type: "dense".into(),
    }
}

#[test]
fn structures_show_names() {
    assert_eq!(
        structure(&layer()),
        r#"Layer { weights: *, bias: none, type: "dense" }"#
    );
    assert_eq!(structure(&Pair(x(1), [x(1), x(1)])), "Pair(*, [*, *])");
    assert_eq!(structure(&Unit), "Unit");
    assert_eq!(structure(&Activation::Identity), "Activation::Identity");
    assert_eq!(structure(&Activation::Scale(0.5)), "Activation::Scale(0.5)");
    let affine = Activation::Affine {
        slope: x(1),
        offset: x(2),
    };
    assert_eq!(
        structure(&affine),
        "Activation::Affine { slope: *, offset: * }"
    );
}

#[test]
fn they_come_together_again() {
    let (arrays, structure) = tree_flatten(&layer()).unwrap();
    let again: Layer = tree_unflatten(arrays.clone(), &structure).unwrap();
    assert_eq!(
        (again.r#type.as_str(), again.bias.is_none()),
        ("dense", true)
    );
    let error = tree_unflatten::<Activation>(arrays, &structure).unwrap_err();
    let message = "expected `Activation::Identity` or `Activation::Scale` or `Activation::Affine`, got `Layer`, at ";
    assert!(error.to_string().starts_with(message), "{error}");
    let chain = Chain {
        head: x(1),
        tail: Some(Box::new(Chain {
            head: x(2),
            tail: None,
        })),
    };
    let (arrays, structure) = tree_flatten(&chain).unwrap();
    let again: Chain = tree_unflatten(arrays, &structure).unwrap();
    assert_eq!(again.tail.unwrap().head.ty().unwrap().size(), 2);
}

#[test]
fn they_are_arguments_and_results() {
    let apply = autojit(|(layer, activation, x): (Layer, Activation, Array)| {
        let mut y = &layer.weights * &x;
        if let Some(bias) = &layer.bias {
            y += bias;
        }
        let y = match &activation {
            Activation::Identity => y,
            Activation::Scale(factor) => y * *factor,
            Activation::Affine { slope, offset } => y * slope + offset,
        };
        Pair(y.clone(), [y])
    });
    let input = Array::from([2.0, 3.0]);
    // By value, by reference, mixed, and as a whole.
    let result = apply.call((layer(), Activation::Identity, &input)).unwrap();
    assert_eq!(result.0.to_vec::<f64>().unwrap(), [2.0, 3.0]);
    let result = apply
        .call((&layer(), &Activation::Scale(10.0), &input))
        .unwrap();
    assert_eq!(result.1[0].to_vec::<f64>().unwrap(), [20.0, 30.0]);
    assert_eq!(
        apply.last_retrace().unwrap(),
        "argument 1 changed from Activation::Identity to Activation::Scale(10.0)"
    );
    let biased = Layer {
        bias: Some(Array::from([1.0, 1.0])),
        ..layer()
    };
    let affine = Activation::Affine {
        slope: Array::from(2.0),
        offset: Array::from(1.0),
    };
    let result = apply.call(&(biased, affine, input.clone())).unwrap();
    assert_eq!(result.0.to_vec::<f64>().unwrap(), [7.0, 9.0]);
    assert_eq!(apply.misses(), 3);

    let named = |name: &str| Layer {
        r#type: name.into(),
        ..layer()
    };
    apply
        .call((named("a"), Activation::Identity, &input))
        .unwrap();
    apply
        .call((named("b"), Activation::Identity, &input))
        .unwrap();
    assert_eq!(
        apply.last_retrace().unwrap(),
        r#"static argument 0.type changed from "a" to "b""#
    );
    let unit = autojit(|unit: Unit| unit);
    assert_eq!(unit.call(Unit).unwrap(), Unit);
}
