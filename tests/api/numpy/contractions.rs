//! `einsum` of many operands, and its order of contraction.

use autojit::numpy::{self as np};
use autojit::{Array, DType, Operand, Value, autojit, call, lazy};

/// Small whole numbers, so that sums are exact in any order.
fn numbers(shape: &[usize], seed: usize) -> Array {
    let count: usize = shape.iter().product();
    let data: Vec<f64> = (0..count)
        .map(|i| ((i * 7 + seed * 13 + i * i) % 5) as f64 - 2.0)
        .collect();
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    Array::from(data).reshape(shape)
}

fn nodes(x: &Array) -> usize {
    x.as_lazy().unwrap().history_num_nodes()
}

const CASES: [(&str, &[&[usize]]); 9] = [
    ("ab,bc,cd,de->ae", &[&[2, 3], &[3, 4], &[4, 5], &[5, 2]]),
    ("ab,bc,cd,da", &[&[2, 3], &[3, 4], &[4, 5], &[5, 2]]),
    (
        "abx,bcx,cdx,dax->x",
        &[&[2, 3, 4], &[3, 2, 4], &[2, 5, 4], &[5, 2, 4]],
    ),
    (
        "...a,ab,bc,...c->...",
        &[&[3, 2], &[2, 4], &[4, 5], &[3, 5]],
    ),
    ("a,b,c,d->dcba", &[&[2], &[3], &[4], &[2]]),
    (
        "aab,bcc,ca,ddd->",
        &[&[2, 2, 3], &[3, 4, 4], &[4, 2], &[3, 3, 3]],
    ),
    // Axes of length one stretch.
    ("ab,bc,ac,c->abc", &[&[2, 1], &[3, 4], &[1, 4], &[1]]),
    ("a,a,a,a,a->", &[&[3], &[3], &[1], &[3], &[3]]),
    ("ab,b,bc,c,->a", &[&[2, 0], &[0], &[0, 3], &[3], &[]]),
];

#[test]
fn every_order_gives_the_same_in_every_mode() {
    for (subscripts, shapes) in CASES {
        let x: Vec<Array> = shapes
            .iter()
            .zip(1..)
            .map(|(s, seed)| numbers(s, seed))
            .collect();
        let all = np::einsum_with(subscripts, &x, false);
        let expected = (all.shape().unwrap(), all.ravel().to_vec::<f64>().unwrap());
        let check = |y: Array, how: &str| {
            let got = (y.shape().unwrap(), y.ravel().to_vec::<f64>().unwrap());
            assert_eq!(got, expected, "{subscripts} {how}");
        };
        check(np::einsum(subscripts, &x), "einsum");
        for name in ["auto", "greedy", "optimal"] {
            check(np::einsum_with(subscripts, &x, name), name);
        }
        let path = np::einsum_path(subscripts, &x, "greedy").unwrap();
        check(np::einsum_with(subscripts, &x, &path), "path");
        // From the right, three at a time.
        let mut steps: Vec<Vec<usize>> = vec![];
        let mut left = x.len();
        while left > 1 {
            let taken = left.min(3);
            steps.push((left - taken..left).rev().collect());
            left = left + 1 - taken;
        }
        check(np::einsum_with(subscripts, &x, steps), "threes");
        let lazily: Vec<Array> = x.iter().map(lazy::array).collect();
        check(np::einsum(subscripts, &lazily).compute().unwrap(), "lazily");
        for backend in autojit::backends() {
            let f = autojit(move |x: Vec<Array>| np::einsum(subscripts, &x)).backend(backend);
            check(f.call(x.clone()).unwrap(), backend);
        }
    }
}

#[test]
fn four_operands_are_contracted_two_at_a_time_and_shared() {
    let x: Vec<Array> = (0..4)
        .map(|_| lazy::variable(&[4, 4], DType::Float64))
        .collect();
    assert_eq!(nodes(&np::einsum("ab,bc,cd->ad", &x[..3])), 4);
    assert_eq!(nodes(&np::einsum("ab,bc,cd,de->ae", &x)), 7);
    assert_eq!(nodes(&np::einsum_with("ab,bc,cd,de->ae", &x, false)), 5);
    assert_eq!(nodes(&np::einsum_with("ab,bc,cd->ad", &x[..3], ..)), 5);
    let path = [(0, 1), (1, 0)];
    let both = lazy::shared_intermediates(|| {
        // The product of the first two is the same, whatever its labels.
        np::einsum_with("ab,bc,cd->ad", [&x[0], &x[1], &x[2]], path)
            + np::einsum_with("xq,qz,zd->xd", [&x[0], &x[1], &x[3]], path)
    });
    // Four variables, one shared product, two more, their sum.
    assert_eq!(nodes(&both), 8);
}

#[test]
fn operands_are_promoted_before_the_first_product() {
    // The product of the first two would not fit their own dtype.
    let x = Array::from([200u8, 100]);
    let y = np::einsum(
        "i,i,i,i->",
        [&x, &x, &Array::from([1.0, 1.0]), &Array::from([1i64, 1])],
    );
    assert_eq!(y.item::<f64>().unwrap(), 50_000.0);
    assert_eq!(y.dtype().unwrap(), DType::Float64);
    let y = np::einsum(
        ",i,,i->i",
        [
            Operand::from(2),
            (&x).into(),
            3.into(),
            Array::from([0u8, 1]).into(),
        ],
    );
    assert_eq!(y.to_vec::<u8>().unwrap(), [0, 88]);
}

#[test]
fn paths_show_their_costs() {
    let x: Vec<Array> = [[10, 100], [100, 5], [5, 50]]
        .map(|shape| np::zeros(shape, DType::Float64))
        .to_vec();
    let path = np::einsum_path("ij,jk,kl", &x, ..).unwrap();
    assert_eq!(path.steps, [[0, 1], [0, 1]]);
    assert_eq!(path.contractions, ["ij,jk->ik", "kl,ik->il"]);
    assert_eq!((path.products, path.largest), (7500.0, 500.0));
    assert_eq!(path.products_at_once, 250_000.0);
    assert!(path.to_string().contains("[0, 1] kl,ik->il"), "{path}");
    let other = np::einsum_path("ij,jk,kl", &x, [(1, 2), (0, 1)]).unwrap();
    assert_eq!(other.products, 75_000.0);
    let at_once = np::einsum_path("ij,jk,kl", &x, false).unwrap();
    assert_eq!(at_once.steps, [[0, 1, 2]]);

    let by_name = call!(
        "einsum_path",
        "ij,jk,kl",
        &x[0],
        &x[1],
        &x[2],
        optimize = "optimal"
    )
    .unwrap();
    let Value::List(parts) = by_name else {
        panic!("{by_name:?}")
    };
    let Value::List(steps) = &parts[0] else {
        panic!("{parts:?}")
    };
    assert_eq!(steps.len(), 2);
    let y: Array = call!(
        "einsum",
        "ij,jk,kl->il",
        &x[0],
        &x[1],
        &x[2],
        optimize = parts[0].clone()
    )
    .unwrap()
    .try_into()
    .unwrap();
    assert_eq!(y.shape().unwrap(), [10, 50]);
}

#[test]
fn wrong_paths_are_refused() {
    let x: Vec<Array> = (0..4).map(|seed| numbers(&[2, 2], seed)).collect();
    let refused = |optimize: np::einsum::Optimize, part: &str| {
        let error = np::einsum_with("ab,bc,cd,de", &x, optimize)
            .check()
            .unwrap_err();
        assert!(
            error.is_value() && error.to_string().contains(part),
            "{error}"
        );
        assert!(error.to_string().contains("einsum"));
        assert_eq!(error.location().unwrap().file(), file!());
    };
    refused([(0, 4), (0, 1), (0, 1)].into(), "[0, 4]");
    refused([(0, 0), (0, 1), (0, 1)].into(), "[0, 0]");
    refused([(0, 1)].into(), "leaves 3 operands");
    refused(vec![vec![], vec![0, 1, 2, 3]].into(), "[]");
    refused(Vec::<Vec<usize>>::new().into(), "leaves 4");
    refused("fastest".into(), "`fastest`");
    let many: Vec<Array> = (0..14).map(|_| numbers(&[2], 1)).collect();
    let subscripts = ["a"; 14].join(",");
    let error = np::einsum_with(&subscripts, &many, "optimal")
        .check()
        .unwrap_err();
    assert!(error.to_string().contains("greedy"), "{error}");
    assert!(np::einsum_path("ab,bc", &x[..1], ..).is_err());
}

/// The norm of a matrix product state: far more terms than could be summed one by one, more labels than letters.
#[test]
fn a_tensor_network_of_two_hundred_operands() {
    const SITES: usize = 100;
    let label = |n: usize| char::from_u32(0x4e00 + n as u32).unwrap();
    let (mut operands, mut subscripts) = (Vec::new(), Vec::new());
    for layer in 0..2 {
        for site in 0..SITES {
            let bond = |b: usize| label(1000 * (layer + 1) + b % SITES);
            subscripts.push(
                [bond(site), label(site), bond(site + 1)]
                    .iter()
                    .collect::<String>(),
            );
            // A ring of identities: each copy of the chain forces all bonds to be equal.
            let data = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
            operands.push(Array::from(data.to_vec()).reshape([2, 2, 2]));
        }
    }
    let start = std::time::Instant::now();
    let path = np::einsum_path(&format!("{}->", subscripts.join(",")), &operands, ..).unwrap();
    assert!(path.products < 1e5, "{}", path.products);
    let limit = if cfg!(debug_assertions) { 20 } else { 1 };
    assert!(start.elapsed().as_secs() < limit);
    let norm = np::einsum(&format!("{}->", subscripts.join(",")), &operands);
    assert_eq!(norm.item::<f64>().unwrap(), 2.0);
    let f = autojit(move |x: Vec<Array>| np::einsum(&format!("{}->", subscripts.join(",")), &x));
    assert_eq!(f.call(operands).unwrap().item::<f64>().unwrap(), 2.0);
}

/// The networks of `benches/data` come with orders that were searched for long; the default one is near them or better.
#[test]
fn default_orders_are_near_those_of_long_searches() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/data");
    let mut networks = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        networks += 1;
        let text = std::fs::read_to_string(&file).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let format = json.get("format_string_rowmajor");
        let format = format.unwrap_or(&json["format_string"]).as_str().unwrap();
        let lists = |list: &serde_json::Value| -> Vec<Vec<usize>> {
            serde_json::from_value(list.clone()).unwrap()
        };
        let shapes = lists(&json["shapes"]);
        let operands: Vec<Array> = shapes
            .iter()
            .map(|shape| lazy::variable(shape, DType::Float64))
            .collect();
        let given = lists(&json["paths"]["opt_flops"]["path"]);
        let given = np::einsum_path(format, &operands, given).unwrap();
        let ours = np::einsum_path(format, &operands, ..).unwrap();
        let quotient = ours.products / given.products;
        assert!(quotient < 1.05, "{}: {quotient}", file.display());
        // The search has no chance in it.
        let again = np::einsum_path(format, &operands, ..).unwrap();
        assert_eq!(ours, again);
        let greedy = np::einsum_path(format, &operands, "greedy").unwrap();
        assert!(ours.products <= greedy.products, "{}", file.display());
    }
    assert_eq!(networks, 6);
}
