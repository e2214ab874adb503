//! The derivative of a `while_loop` in a direction: the tangents are carried beside the values, and the condition looks at the
//! values alone.

use super::{Site, direction, positions, varied_in_loop};
use crate::body::Body;
use crate::error::Result;
use crate::transform::differentiate::jvp;
use crate::transform::differentiate::writer::Writer;
use crate::{ControlOp, Graph, Op, ValueId};

pub(super) fn forward(
    w: &mut Writer,
    site: &Site<'_>,
    condition: &Graph,
    body: &Graph,
    carry: usize,
    limit: u64,
) -> Result<Vec<Option<ValueId>>> {
    let (inputs, outputs) = varied_in_loop(body, carry, site.t);
    let (wrt, outputs) = (positions(&inputs), positions(&outputs));
    let derivative = jvp(body, &wrt, &outputs)?;
    // Carried arrays, carried tangents; invariants, their tangents.
    let (mut new, mut values, mut tangents) = (Graph::new(), Vec::new(), Vec::new());
    let mut given = Vec::new();
    let types = body.input_types();
    for range in [0..carry, carry..types.len()] {
        for i in range.clone() {
            values.push(new.add_input(types[i].clone()));
            given.push(site.x[i]);
        }
        for i in range.filter(|&i| inputs[i]) {
            tangents.push(new.add_input(types[i].clone()));
            given.push(direction(w, site.x[i], site.t[i])?);
        }
    }
    let mut test = new.clone();
    let holds = test.inline(condition, &values, w.location)?;
    test.set_outputs(holds);
    let results = new.inline(&derivative, &[values, tangents].concat(), w.location)?;
    new.set_outputs(results);
    let op = ControlOp::While {
        condition: Body::new(test)?,
        body: Body::new(new)?,
        carry: carry + outputs.len(),
        limit,
    };
    let tuple = w.op(op, &given)?;
    w.replaced.insert(site.out, (tuple, (0..carry).collect()));
    let mut found = vec![None; carry];
    for (i, &output) in outputs.iter().enumerate() {
        found[output] = Some(w.op(Op::Get { index: carry + i }, &[tuple])?);
    }
    Ok(found)
}
