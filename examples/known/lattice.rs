//! Square lattices of tensors, as the partition functions of classical models are: part of examples.

use autojit::Result;
use autojit::contract::Label;

use super::known::Known;

/// So many rows and columns, and so many elements along each bond.
pub(crate) fn lattice(side: u32, bond: u64) -> Result<Known> {
    let places = (0..side * side).map(|place| (place / side, place % side));
    let operands = places.map(|(row, column)| bonds(side, row, column));
    Known::new(&operands.collect::<Vec<_>>(), bond)
}

/// The bonds of the tensor at a place: up, left, right, down, as far as there are any.
fn bonds(side: u32, row: u32, column: u32) -> Vec<Label> {
    let bond = |row: u32, column: u32, down: u32| 2 * (row * side + column) + down;
    let mut labels = Vec::new();
    labels.extend((row > 0).then(|| bond(row.wrapping_sub(1), column, 1)));
    labels.extend((column > 0).then(|| bond(row, column.wrapping_sub(1), 0)));
    labels.extend((column + 1 < side).then(|| bond(row, column, 0)));
    labels.extend((row + 1 < side).then(|| bond(row, column, 1)));
    labels
}
