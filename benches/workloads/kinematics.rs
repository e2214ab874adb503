//! A chain of bodies on joints, as of a robot: where its tip is, and its mass matrix, by composite rigid bodies.
//!
//! Each body has a joint that turns about an axis of its own. Inertias and screws are 6 x 6 matrices and vectors of 6 about the
//! origin, as in Featherstone, "Rigid Body Dynamics Algorithms" (2008), 6.2. Results are checked by sums over the Jacobians of the
//! centres of mass, which know nothing of composite bodies.

use autojit::{Array, DType, numpy as np, value_and_grad};

use super::gradients::check_gradient;
use super::results::{expect_close, reals};
use super::{Case, DOUBLE, Workload, normal, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "kinematics",
        about: "where the tip of a chain of n joints is, and its mass matrix, by composite rigid bodies",
        size: "joints",
        sizes: &[35],
        dtypes: DOUBLE,
        build: mass_matrix,
        size_of_nodes: None,
    },
    Workload {
        name: "grad_kinematics",
        about: "kinetic energy of a chain of n joints, and its gradient by the angles",
        size: "joints",
        sizes: &[35],
        dtypes: DOUBLE,
        build: energy_gradient,
        size_of_nodes: None,
    },
];

/// Of each joint: its axis, the way to the next joint, the centre of mass of its body, and the mass and the main moments of
/// inertia of that, in the axes of the body.
#[derive(Clone, autojit::Tree)]
struct Chain {
    axes: Array,
    offsets: Array,
    centres: Array,
    masses: Array,
    inertias: Array,
}

/// The matrix of the cross product with a vector from the left.
fn skew(v: &Array) -> Array {
    np::cross(np::eye(3, np::like(v)), v, ..)
}

/// The mass matrix and the tip.
fn composite(angles: &Array, chain: &Chain, n: usize) -> (Array, Array) {
    let one = np::eye(3, np::like(angles));
    let mut turned = one.clone();
    let mut place = np::zeros([3], np::like(angles));
    let (mut screws, mut bodies) = (Vec::new(), Vec::new());
    for i in 0..n as i64 {
        let angle = angles.get(i);
        let k = skew(&chain.axes.get(i));
        let by = &one + &k * np::sin(&angle) + np::matmul(&k, &k) * (1.0 - np::cos(&angle));
        turned = np::matmul(turned, by);
        let axis = np::matmul(&turned, chain.axes.get(i));
        screws.push(np::concatenate([&axis, &np::cross(&place, &axis, ..)], 0));
        let (mass, centre) = (
            chain.masses.get(i),
            &place + np::matmul(&turned, chain.centres.get(i)),
        );
        let c = skew(&centre);
        let inertia = np::matmul(&turned * chain.inertias.get(i), turned.t());
        let inertia = inertia - np::matmul(&c, &c) * &mass;
        let mixed = c * &mass;
        let upper = np::concatenate([&inertia, &mixed], 1);
        let lower = np::concatenate([mixed.t(), &one * mass], 1);
        bodies.push(np::concatenate([upper, lower], 0));
        place += np::matmul(&turned, chain.offsets.get(i));
    }
    let mut all = np::zeros([6, 6], np::like(angles));
    let mut forces = Vec::new();
    for (body, screw) in bodies.iter().zip(&screws).rev() {
        all = body + all;
        forces.push(np::matmul(&all, screw));
    }
    forces.reverse();
    // Above the diagonal, where the body of the column is the one that is further out.
    let products = np::matmul(np::stack(&screws, 0), np::stack(&forces, 0).t());
    let mass = np::triu(&products, ..) + np::triu(products, 1).t();
    (mass, place)
}

fn energy(angles: &Array, chain: &Chain, speeds: &Array, n: usize) -> Array {
    let (mass, _) = composite(angles, chain, n);
    np::sum(speeds * np::matmul(mass, speeds), ..) * 0.5
}

/// A chain about 0.1 long for each joint, whose axes alternate.
fn chain(n: usize, dtype: DType) -> (Array, Chain) {
    let mut axes = vec![0.0; 3 * n];
    for i in 0..n {
        axes[3 * i + (2 * i + 2) % 3] = 1.0;
    }
    let chain = Chain {
        axes: np::reshape(Array::from(axes), [n as i64, 3]),
        offsets: normal(2, &[n, 3], dtype) * 0.05,
        centres: normal(3, &[n, 3], dtype) * 0.05,
        masses: uniform(4, 0.5, 1.5, &[n], dtype),
        inertias: uniform(5, 0.01, 0.02, &[n, 3], dtype),
    };
    (uniform(1, -1.0, 1.0, &[n], dtype), chain)
}

type V3 = [f64; 3];

fn cross(a: V3, b: V3) -> V3 {
    let at = |i: usize, j: usize| a[i] * b[j] - a[j] * b[i];
    [at(1, 2), at(2, 0), at(0, 1)]
}

fn dot(a: V3, b: V3) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `v` turned about an axis of length one, by Rodrigues' formula.
fn about(axis: V3, angle: f64, v: V3) -> V3 {
    let (sin, cos) = angle.sin_cos();
    let (across, along) = (cross(axis, v), dot(axis, v) * (1.0 - cos));
    std::array::from_fn(|i| v[i] * cos + across[i] * sin + axis[i] * along)
}

/// The mass matrix and the tip by the Jacobians of the centres of mass. The axes of a body are turned joint by joint.
fn by_jacobians(angles: &[f64], chain: &Chain) -> (Vec<f64>, V3) {
    let n = angles.len();
    let vectors = |x: &Array| -> Vec<V3> {
        let numbers = reals(x);
        let (rows, _) = numbers.as_chunks::<3>();
        rows.to_vec()
    };
    let (axes, offsets) = (vectors(&chain.axes), vectors(&chain.offsets));
    let (centres, moments) = (vectors(&chain.centres), vectors(&chain.inertias));
    let masses = reals(&chain.masses);
    let seen = |body: usize, v: V3| {
        let joints = (0..=body).rev();
        joints.fold(v, |v, i| about(axes[i], angles[i], v))
    };
    let plus = |a: V3, b: V3| -> V3 { std::array::from_fn(|i| a[i] + b[i]) };
    let minus = |a: V3, b: V3| -> V3 { std::array::from_fn(|i| a[i] - b[i]) };
    let mut places = vec![[0.0; 3]];
    for i in 0..n {
        places.push(plus(places[i], seen(i, offsets[i])));
    }
    let turned: Vec<V3> = (0..n).map(|i| seen(i, axes[i])).collect();
    let mut mass = vec![0.0; n * n];
    for body in 0..n {
        let centre = plus(places[body], seen(body, centres[body]));
        let unit = |i: usize| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 });
        let main: [V3; 3] = std::array::from_fn(|i| seen(body, unit(i)));
        let moves = |i: usize| cross(turned[i], minus(centre, places[i]));
        for i in 0..=body {
            for j in 0..=body {
                let spins = main.iter().zip(moments[body]);
                let spins =
                    spins.map(|(&m, moment)| dot(m, turned[i]) * moment * dot(m, turned[j]));
                mass[i * n + j] += masses[body] * dot(moves(i), moves(j)) + spins.sum::<f64>();
            }
        }
    }
    (mass, places[n])
}

fn mass_matrix(n: usize, dtype: DType) -> Result<Case, String> {
    let (angles, chain) = chain(n, dtype);
    let (at, of) = (reals(&angles), chain.clone());
    let check = move |results: &[Array]| {
        let (mass, tip) = by_jacobians(&at, &of);
        let mass = np::reshape(Array::from(mass), [n as i64, n as i64]);
        expect_close(results, &[mass, Array::from(tip)], tolerance(dtype))
    };
    let run = move |(angles, chain): (Array, Chain)| composite(&angles, &chain, n);
    Ok(Case::new(program((angles, chain), run), check))
}

fn energy_gradient(n: usize, dtype: DType) -> Result<Case, String> {
    let (angles, chain) = chain(n, dtype);
    let speeds = normal(6, &[n], dtype);
    let (start, of, v) = (angles.clone(), chain.clone(), speeds.clone());
    let check = move |results: &[Array]| {
        let energy = |x: &[Array]| energy(&x[0], &of, &v, n);
        check_gradient(energy, std::slice::from_ref(&start), results)?;
        let (mass, _) = by_jacobians(&reals(&start), &of);
        let v = reals(&v);
        let rows = mass.chunks_exact(n).zip(&v);
        let twice: f64 = rows
            .map(|(row, v_i)| v_i * row.iter().zip(&v).map(|(m, v)| m * v).sum::<f64>())
            .sum();
        expect_close(&results[..1], &[Array::from(0.5 * twice)], tolerance(dtype))
    };
    let run = move |((angles, chain), speeds): ((Array, Chain), Array)| {
        value_and_grad(|angles: Array| energy(&angles, &chain, &speeds, n))(angles)
    };
    Ok(Case::new(program(((angles, chain), speeds), run), check))
}
