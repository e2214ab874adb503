//! The stage: fusion, the nest of each loop, and fusion again without the loops that share no code.

use super::fuse::fuse;
use super::nest::{Anchor, NestId, Nests};
use super::split::split;
use super::step::{Fusion, Step};
use crate::lower::{Instruction, Lowered};
use autojit_ir::error::{Error, Result};

/// The work of a step, apart from the memory it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Loop(NestId),
    /// One of [`Lowered::calls`].
    Call(u32),
}

/// The work of a step, and where its operands begin in the list of anchors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    pub(crate) work: Work,
    start: u32,
    len: u32,
}

/// The steps of a program, with a nest for each loop.
#[derive(Debug)]
pub(crate) struct Loops {
    pub(crate) fusion: Fusion,
    pub(crate) nests: Nests,
    /// One for each step.
    pub(crate) bodies: Vec<Body>,
    /// Where the slots of loops, and the inputs and outputs of calls, begin.
    pub(crate) anchors: Vec<Anchor>,
}

impl Loops {
    /// The anchors of the operands of a step.
    pub(crate) fn anchors(&self, step: u32) -> &[Anchor] {
        let Body { start, len, .. } = self.bodies[step as usize];
        &self.anchors[start as usize..(start + len) as usize]
    }

    /// The work of a step.
    pub(crate) fn work(&self, step: u32) -> Work {
        self.bodies[step as usize].work
    }

    fn of(lowered: &mut Lowered, fusion: Fusion) -> Result<Self> {
        let stored = fusion.stored(lowered);
        let mut nests = Nests::default();
        let mut bodies = Vec::with_capacity(fusion.steps.len());
        let mut anchors = Vec::new();
        for step in &fusion.steps {
            let start = anchors.len() as u32;
            let work = match step {
                Step::Loop(group) => {
                    Work::Loop(nests.build(lowered, group, &stored, &mut anchors)?)
                }
                Step::Call(id) => {
                    let &Instruction::Call(call) = lowered.instruction(*id) else {
                        return Err(Error::internal(
                            "a step calls an instruction that is no call",
                        ));
                    };
                    let site = lowered.call(call);
                    let views = site.inputs.iter().chain(&site.outputs);
                    anchors.extend(views.map(|v| (v.buffer, v.offset)));
                    Work::Call(call)
                }
            };
            bodies.push(Body {
                work,
                start,
                len: anchors.len() as u32 - start,
            });
        }
        Ok(Self {
            fusion,
            nests,
            bodies,
            anchors,
        })
    }
}

/// Fuses instructions and builds the nests of their loops; see [`split`] for `kernels`, and [`Small`](super::small::Small) for
/// `repeats`. Copies that no loop has become calls.
///
/// # Errors
/// An internal error.
pub(crate) fn build(lowered: &mut Lowered, kernels: usize, repeats: bool) -> Result<Loops> {
    let fusion = fuse(lowered, Vec::new(), repeats)?;
    let loops = Loops::of(lowered, fusion)?;
    let nest_of = |step: usize| match loops.bodies[step].work {
        Work::Loop(nest) => Some(nest),
        Work::Call(_) => None,
    };
    match split(lowered, &loops.fusion, &loops.nests, nest_of, kernels) {
        None => Ok(loops),
        Some(alone) => {
            let fusion = fuse(lowered, alone, repeats)?;
            Loops::of(lowered, fusion)
        }
    }
}
