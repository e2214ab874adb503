//! Verification of register allocation, by following vector code along all paths; see `mod.rs` for what it finds.
//!
//! Abstract interpretation: for each register, whether it is written and what it is known to hold, by name. Where paths
//! meet, what holds on both is left; this is repeated until nothing changes.

use smallvec::SmallVec;

use super::Mistake;
use crate::codegen::simd::target::Masks;
use crate::codegen::simd::vcode::{
    ACC, ARGUMENTS, AUX, Address, CALLER_SAVED, DOUBLE_INDEX, FIRST_VECTOR_MASK, FlowInst, General,
    Inst, LIMIT, Location, Mask, MaskInst, Masking, Name, Note, Operand, PARAMETERS, POINTERS,
    STACK, ScalarInst, TAIL, TAIL_FIRST, TAIL_SECOND, TAIL_UNPACKED, VCode, Vector, VectorInst,
};

/// The contents of a register, if it is written.
type Content = Option<SmallVec<[Name; 1]>>;

#[derive(Clone, PartialEq)]
struct State {
    vectors: Vec<Content>,
    masks: Vec<Content>,
    masks_are_vectors: bool,
    /// The locations that were written since something new began.
    fresh: Vec<Location>,
    /// Bits of the general-purpose registers that are written.
    generals: u16,
}

impl State {
    fn content(&mut self, location: Location) -> Option<&mut Content> {
        match location {
            Location::Nowhere => None,
            Location::Vector(vector) => self.vectors.get_mut(usize::from(vector.0)),
            Location::Mask(mask) => match mask.vector() {
                Some(vector) if self.masks_are_vectors => {
                    self.vectors.get_mut(usize::from(vector.0))
                }
                _ => self.masks.get_mut(usize::from(mask.0)),
            },
        }
    }

    fn contents(&mut self) -> impl Iterator<Item = &mut Content> {
        self.vectors.iter_mut().chain(&mut self.masks)
    }

    /// The facts that hold here and there.
    fn meet(&mut self, other: &Self) {
        self.generals &= other.generals;
        self.fresh.retain(|location| other.fresh.contains(location));
        let others = other.vectors.iter().chain(&other.masks);
        for (mine, other) in self.contents().zip(others) {
            match (&mut *mine, other) {
                (Some(names), Some(others)) => names.retain(|name| others.contains(name)),
                _ => *mine = None,
            }
        }
    }
}

pub(super) fn verify(code: &VCode, vectors: u32, masks: Masks) -> Result<(), Mistake> {
    let registers = match masks {
        Masks::Registers(count) => count,
        // Those of tails, which are elsewhere.
        Masks::Vectors => u32::from(FIRST_VECTOR_MASK),
    };
    let bit = |register: General| 1u16 << register.0;
    let entry = State {
        vectors: vec![None; vectors as usize],
        masks: vec![None; registers as usize],
        masks_are_vectors: masks.are_vectors(),
        fresh: Vec::new(),
        generals: bit(POINTERS) | bit(PARAMETERS) | bit(STACK),
    };
    let mut at_labels: Vec<Option<State>> = vec![None; code.labels as usize];
    loop {
        let before = at_labels.clone();
        pass(code, &entry, &mut at_labels, false)?;
        if before == at_labels {
            break;
        }
    }
    pass(code, &entry, &mut at_labels, true)
}

/// Follows the code once; reports mistakes if it is the last time.
fn pass(
    code: &VCode,
    entry: &State,
    at_labels: &mut [Option<State>],
    report: bool,
) -> Result<(), Mistake> {
    let mut flow = Some(entry.clone());
    for (position, inst) in code.insts.iter().enumerate() {
        if let Inst::Flow(FlowInst::Bind(label)) = inst {
            let label = &mut at_labels[label.0 as usize];
            match (label.as_mut(), flow.as_ref()) {
                (Some(known), Some(state)) => known.meet(state),
                (None, Some(state)) => *label = Some(state.clone()),
                (_, None) => {}
            }
            flow.clone_from(label);
            continue;
        }
        // Nothing comes here, or nothing yet.
        let Some(state) = flow.as_mut() else { continue };
        match inst {
            Inst::Flow(FlowInst::Jump(label) | FlowInst::JumpIf(_, label)) => {
                match &mut at_labels[label.0 as usize] {
                    Some(known) => known.meet(state),
                    unknown => *unknown = Some(state.clone()),
                }
                if matches!(inst, Inst::Flow(FlowInst::Jump(_))) {
                    flow = None;
                }
            }
            Inst::Flow(FlowInst::Return) => flow = None,
            Inst::Note(note) => {
                if let (Err(why), true) = (apply_note(state, note), report) {
                    return Err(format!("{why}, at {position}"));
                }
            }
            _ => {
                let mut effects = Effects {
                    state,
                    mistake: None,
                };
                effects.of(inst);
                if let (Some(why), true) = (effects.mistake, report) {
                    return Err(format!("{why}, at {position}: \"{inst}\""));
                }
            }
        }
    }
    Ok(())
}

fn apply_note(state: &mut State, note: &Note) -> Result<(), Mistake> {
    match *note {
        Note::Use(name, location) => match state.content(location) {
            Some(Some(names)) if names.contains(&name) => Ok(()),
            Some(Some(names)) if names.is_empty() => {
                Err(format!("{name} is not in {location} any more"))
            }
            Some(Some(names)) => Err(format!("{location} holds {}, not {name}", names[0])),
            _ => Err(format!("{name} is in no register {location}")),
        },
        Note::Begin { free, free_masks } => {
            state.fresh.clear();
            let is_free =
                |bits: u32| move |(number, _): &(usize, &mut Content)| bits >> number & 1 == 1;
            let vectors = state.vectors.iter_mut().enumerate().filter(is_free(free));
            vectors.for_each(|(_, content)| *content = None);
            let masks = state.masks.iter_mut().enumerate();
            let masks = masks.filter(is_free(u32::from(free_masks)));
            masks.for_each(|(_, content)| *content = None);
            Ok(())
        }
        Note::Define(name, location) | Note::Hold(name, location) => {
            for names in state.contents().flatten() {
                names.retain(|n| *n != name);
            }
            let is_fresh = state.fresh.contains(&location) || matches!(note, Note::Hold(..));
            match state.content(location) {
                Some(Some(names)) => {
                    // What a row holds need not be written again.
                    let is_row = names.iter().any(|n| matches!(n, Name::Row { .. }));
                    if !is_fresh && !is_row {
                        return Err(format!("{name} should be in {location}"));
                    }
                    names.push(name);
                    Ok(())
                }
                _ => Err(format!("{name} is in {location}, which is not written")),
            }
        }
        Note::End(name, location) => {
            if let Some(Some(names)) = state.content(location) {
                names.retain(|n| *n != name);
            }
            Ok(())
        }
        Note::Loop { .. }
        | Note::EndLoop { .. }
        | Note::Advance { .. }
        | Note::Block { .. }
        | Note::EndBlock => Ok(()),
    }
}

/// Reads and writes of instructions, on a state.
struct Effects<'a> {
    state: &'a mut State,
    mistake: Option<Mistake>,
}

impl Effects<'_> {
    fn read_location(&mut self, location: Location) {
        if !matches!(self.state.content(location), Some(Some(_))) {
            self.mistake
                .get_or_insert_with(|| format!("{location} is read and not written"));
        }
    }

    fn write_location(&mut self, location: Location) {
        match self.state.content(location) {
            Some(content) => {
                *content = Some(SmallVec::new());
                if !self.state.fresh.contains(&location) {
                    self.state.fresh.push(location);
                }
            }
            None => {
                self.mistake
                    .get_or_insert_with(|| format!("there is no register {location}"));
            }
        }
    }

    fn read(&mut self, vector: Vector) {
        self.read_location(Location::Vector(vector));
    }

    fn write(&mut self, vector: Vector) {
        self.write_location(Location::Vector(vector));
    }

    fn read_mask(&mut self, mask: Mask) {
        self.read_location(Location::Mask(mask));
    }

    fn write_mask(&mut self, mask: Mask) {
        self.write_location(Location::Mask(mask));
    }

    fn read_general(&mut self, register: General) {
        if self.state.generals >> register.0 & 1 == 0 {
            self.mistake
                .get_or_insert_with(|| format!("{register} is read and not written"));
        }
    }

    fn write_general(&mut self, register: General) {
        self.state.generals |= 1 << register.0;
    }

    fn forget_general(&mut self, register: General) {
        self.state.generals &= !(1 << register.0);
    }

    fn address(&mut self, address: Address) {
        self.read_general(address.base);
        if let Some((index, _)) = address.index {
            self.read_general(index);
        }
    }

    fn operand(&mut self, operand: Operand) {
        match operand {
            Operand::Vector(vector) => self.read(vector),
            Operand::Memory(address) | Operand::Broadcast(address) => self.address(address),
            Operand::Constant(_) | Operand::BroadcastConstant(_) => {}
        }
    }

    /// The contents of a destination are read if lanes of it are kept.
    fn masking(&mut self, masking: Masking, to: Option<Vector>) {
        match masking {
            Masking::None => {}
            Masking::Zero(mask) => self.read_mask(mask),
            Masking::Merge(mask) => {
                self.read_mask(mask);
                if let Some(to) = to {
                    self.read(to);
                }
            }
        }
    }

    fn of(&mut self, inst: &Inst) {
        match inst {
            Inst::Vector(inst) => self.vector(inst),
            Inst::Mask(inst) => self.mask(inst),
            Inst::Scalar(inst) => self.scalar(inst),
            Inst::Flow(FlowInst::Call(function)) => {
                for register in &ARGUMENTS[..function.params.len().min(ARGUMENTS.len())] {
                    self.read_general(*register);
                }
                for content in self.state.contents() {
                    *content = None;
                }
                for register in [ACC, LIMIT, DOUBLE_INDEX]
                    .iter()
                    .chain(&ARGUMENTS)
                    .chain(&CALLER_SAVED)
                {
                    self.forget_general(*register);
                }
            }
            Inst::Flow(_) | Inst::Note(_) => {}
        }
    }

    fn vector(&mut self, inst: &VectorInst) {
        match *inst {
            VectorInst::Binary {
                to, a, b, masking, ..
            } => {
                self.read(a);
                self.operand(b);
                self.masking(masking, Some(to));
                self.write(to);
            }
            VectorInst::Unary { to, from, .. } | VectorInst::Broadcast { to, from, .. } => {
                self.operand(from);
                self.write(to);
            }
            VectorInst::Select { to, mask, a, b, .. } => {
                self.read_mask(mask);
                self.operand(a);
                self.read(b);
                self.write(to);
            }
            VectorInst::Copy {
                to, from, masking, ..
            } => {
                self.read(from);
                self.masking(masking, Some(to));
                self.write(to);
            }
            VectorInst::Clear { to } => self.write(to),
            VectorInst::Load {
                to, from, masking, ..
            } => {
                self.operand(from);
                self.masking(masking, Some(to));
                self.write(to);
            }
            VectorInst::Store {
                to, from, masking, ..
            } => {
                self.read(from);
                self.masking(masking, None);
                self.address(to);
            }
            VectorInst::LoadScalar { to, from, .. } => {
                self.address(from);
                self.write(to);
            }
            VectorInst::StoreScalar { to, from, .. } => {
                self.read(from);
                self.address(to);
            }
            VectorInst::Unpack { to, a, b, .. } | VectorInst::ShuffleSingles { to, a, b, .. } => {
                self.read(a);
                self.read(b);
                self.write(to);
            }
            VectorInst::PermuteTwo { indices, a, b, .. } => {
                for vector in [indices, a, b] {
                    self.read(vector);
                }
                self.write(indices);
            }
            VectorInst::PermuteWithin { to, from, .. }
            | VectorInst::PermuteQuarters { to, from, .. }
            | VectorInst::UpperHalf { to, from, .. }
            | VectorInst::Convert { to, from, .. } => {
                self.read(from);
                self.write(to);
            }
            VectorInst::Gather {
                to,
                base,
                index,
                mask,
                masked,
                ..
            } => {
                self.read_general(base);
                self.read(index);
                if masked {
                    self.read_mask(TAIL);
                }
                self.write_mask(mask);
                self.write(to);
            }
            VectorInst::Scatter {
                from,
                base,
                index,
                mask,
                masked,
                ..
            } => {
                self.read_general(base);
                self.read(index);
                self.read(from);
                if masked {
                    self.read_mask(TAIL);
                }
                self.write_mask(mask);
            }
        }
    }

    fn mask(&mut self, inst: &MaskInst) {
        match *inst {
            MaskInst::Compare { to, a, b, only, .. } => {
                self.read(a);
                self.operand(b);
                if let Some(only) = only {
                    self.read_mask(only);
                }
                self.write_mask(to);
            }
            MaskInst::Logic { to, a, b, .. } => {
                self.read_mask(a);
                self.read_mask(b);
                self.write_mask(to);
            }
            MaskInst::Not { to, from } => {
                self.read_mask(from);
                self.write_mask(to);
            }
            MaskInst::Fill { to, .. } => self.write_mask(to),
            MaskInst::SpreadByte { to, from } | MaskInst::Restore { to, from } => {
                self.address(from);
                self.write_general(ACC);
                self.write_mask(to);
            }
            MaskInst::SpreadConstant { to, .. } => {
                self.write_general(ACC);
                self.write_mask(to);
            }
            MaskInst::SpreadFirst { mask } | MaskInst::Reduce { mask, .. } => {
                self.read_mask(mask);
                self.write_general(ACC);
                self.write_mask(mask);
            }
            MaskInst::LoadBytes {
                to,
                through,
                from,
                masked,
                ..
            } => {
                self.address(from);
                if masked {
                    self.read_mask(TAIL);
                }
                self.write(through);
                self.write_mask(to);
            }
            MaskInst::StoreBytes {
                to,
                through,
                from,
                masked,
                ..
            } => {
                self.address(to);
                self.read_mask(from);
                if masked {
                    self.read_mask(TAIL);
                }
                self.write(through);
            }
            MaskInst::First { to, from } => {
                self.read_mask(from);
                self.write_general(to);
            }
            MaskInst::StoreSpread { to, from } | MaskInst::Save { to, from } => {
                self.read_mask(from);
                self.address(to);
                self.write_general(ACC);
            }
            MaskInst::Tail(tail) | MaskInst::KnownTail { tail, .. } => {
                if matches!(inst, MaskInst::Tail(_)) {
                    self.read_general(ACC);
                    self.write_general(AUX);
                }
                self.write_general(ACC);
                self.write_mask(TAIL);
                if tail.complex.is_some() {
                    self.write_mask(TAIL_FIRST);
                    self.write_mask(TAIL_SECOND);
                }
                if tail.complex.is_some() && tail.unpacked {
                    self.write_mask(TAIL_UNPACKED);
                }
            }
        }
    }

    fn scalar(&mut self, inst: &ScalarInst) {
        match *inst {
            ScalarInst::Load { to, from } => {
                self.address(from);
                self.write_general(to);
            }
            ScalarInst::Store { to, from } | ScalarInst::StoreByte { to, from } => {
                self.address(to);
                self.read_general(from);
            }
            ScalarInst::Move { to, from } => {
                self.read_general(from);
                self.write_general(to);
            }
            ScalarInst::MoveNumber { to, .. }
            | ScalarInst::Clear { to }
            | ScalarInst::Pop { to } => {
                self.write_general(to);
            }
            ScalarInst::AddNumber { to, .. }
            | ScalarInst::AndNumber { to, .. }
            | ScalarInst::Negate { to } => self.read_general(to),
            ScalarInst::CompareNumber { a, .. } | ScalarInst::Test { a } => self.read_general(a),
            ScalarInst::AddNumberToMemory { to, .. } => self.address(to),
            ScalarInst::Add { to, from }
            | ScalarInst::Subtract { to, from }
            | ScalarInst::Compare { a: to, b: from }
            | ScalarInst::MoveIf { to, from, .. } => {
                self.read_general(to);
                self.read_general(from);
            }
            ScalarInst::AddMemory { to, from }
            | ScalarInst::MultiplyMemory { to, from }
            | ScalarInst::CompareMemory { a: to, b: from } => {
                self.read_general(to);
                self.address(from);
            }
            ScalarInst::AddToMemory { to, from } => {
                self.address(to);
                self.read_general(from);
            }
            ScalarInst::MultiplyNumber { to, from, .. } => {
                self.read_general(from);
                self.write_general(to);
            }
            ScalarInst::AddressOf { to, address } => {
                self.address(address);
                self.write_general(to);
            }
            // Registers of the caller are saved whatever they hold.
            ScalarInst::Push { .. } => {}
        }
    }
}
