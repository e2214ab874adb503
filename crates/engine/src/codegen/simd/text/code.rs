//! Vector code as text.

use std::fmt::{self, Display, Formatter};

use super::Lower;
use crate::codegen::simd::ir::Kind;
use crate::codegen::simd::vcode::{
    Address, Constant, ConstantBits, FlowInst, General, Inst, Label, Length, Location, Mask,
    MaskInst, Masking, Name, Note, Operand, Pointer, ScalarInst, Tail, VCode, Vector, VectorInst,
};

impl Display for General {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("acc"),
            1 => f.write_str("index"),
            2 => f.write_str("aux"),
            4 => f.write_str("stack"),
            6 => f.write_str("params"),
            7 => f.write_str("pointers"),
            8 => f.write_str("limit"),
            10 => f.write_str("double_index"),
            other => write!(f, "g{other}"),
        }
    }
}

impl Display for Vector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "x{}", self.0)
    }
}

impl Display for Mask {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 == 1 {
            return f.write_str("tail");
        }
        write!(f, "m{}", self.0)
    }
}

impl Display for Label {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "l{}", self.0)
    }
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.base)?;
        if let Some((index, scale)) = self.index {
            write!(f, "+{index}*{scale}")?;
        }
        if self.offset != 0 {
            write!(f, "{:+}", self.offset)?;
        }
        f.write_str("]")
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector(vector) => write!(f, "{vector}"),
            Self::Memory(address) => write!(f, "{address}"),
            Self::Broadcast(address) => write!(f, "all {address}"),
            Self::Constant(constant) => write!(f, "{constant}"),
            Self::BroadcastConstant(constant) => write!(f, "all {constant}"),
        }
    }
}

impl Display for Masking {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Merge(mask) => write!(f, " where {mask}"),
            Self::Zero(mask) => write!(f, " where {mask} else 0"),
        }
    }
}

impl Display for Location {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("nowhere"),
            Self::Vector(vector) => write!(f, "{vector}"),
            Self::Mask(mask) => write!(f, "{mask}"),
        }
    }
}

impl Display for Pointer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register(register) => write!(f, "{register}"),
            Self::Frame(offset) => write!(f, "[stack+{offset}]"),
            Self::Scratch(offset) => write!(f, "scratch at stack+{offset}"),
        }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register(register, copy) => write!(f, "v{register} of copy {copy}"),
            Self::Row { slot, vector, part } => {
                write!(f, "vector {vector} of slot {slot}, part {part}")
            }
        }
    }
}

/// A suffix such as `.f64x8`.
struct Lanes(Kind, Length);

impl Display for Lanes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, ".{}x{}", self.0, self.1.bytes() / self.0.size())
    }
}

impl Display for VectorInst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Binary {
                op,
                kind,
                length,
                to,
                a,
                b,
                masking,
            } => write!(
                f,
                "{}{} {to}, {a}, {b}{masking}",
                Lower(op),
                Lanes(kind, length)
            ),
            Self::Unary {
                op,
                kind,
                length,
                to,
                from,
            } => write!(f, "{}{} {to}, {from}", Lower(op), Lanes(kind, length)),
            Self::Select {
                kind,
                length,
                to,
                mask,
                a,
                b,
            } => write!(f, "select{} {to}, {mask}, {a}, {b}", Lanes(kind, length)),
            Self::Copy {
                kind,
                length,
                to,
                from,
                masking,
            } => write!(f, "copy{} {to}, {from}{masking}", Lanes(kind, length)),
            Self::Clear { to } => write!(f, "clear {to}"),
            Self::Load {
                kind,
                length,
                to,
                from,
                masking,
            } => write!(f, "load{} {to}, {from}{masking}", Lanes(kind, length)),
            Self::Store {
                kind,
                length,
                to,
                from,
                masking,
            } => write!(f, "store{} {to}, {from}{masking}", Lanes(kind, length)),
            Self::LoadScalar { kind, to, from } => write!(f, "load.{kind} {to}, {from}"),
            Self::StoreScalar { kind, to, from } => write!(f, "store.{kind} {to}, {from}"),
            Self::Broadcast {
                kind,
                length,
                to,
                from,
            } => write!(f, "broadcast{} {to}, {from}", Lanes(kind, length)),
            Self::Unpack {
                which,
                kind,
                length,
                to,
                a,
                b,
            } => write!(
                f,
                "unpack_{}{} {to}, {a}, {b}",
                Lower(which),
                Lanes(kind, length)
            ),
            Self::ShuffleSingles {
                length,
                to,
                a,
                b,
                lanes,
            } => write!(
                f,
                "shuffle{} {to}, {a}, {b}, {lanes:#010b}",
                Lanes(Kind::F32, length)
            ),
            Self::PermuteTwo {
                kind,
                length,
                indices,
                a,
                b,
            } => write!(f, "permute{} {indices}, {a}, {b}", Lanes(kind, length)),
            Self::PermuteWithin {
                kind,
                length,
                to,
                from,
                lanes,
            } => write!(f, "permute{} {to}, {from}, {lanes:#b}", Lanes(kind, length)),
            Self::PermuteQuarters {
                length,
                to,
                from,
                lanes,
            } => write!(
                f,
                "permute_quarters.{} {to}, {from}, {lanes:#010b}",
                length.bytes()
            ),
            Self::UpperHalf { length, to, from } => {
                write!(f, "upper_half.{} {to}, {from}", length.bytes())
            }
            Self::Convert {
                from_kind,
                to_kind,
                length,
                to,
                from,
            } => write!(
                f,
                "convert.{from_kind}.{to_kind}.{} {to}, {from}",
                length.bytes()
            ),
            Self::Gather {
                kind,
                to,
                base,
                index,
                offset,
                mask,
                masked,
                ..
            } => write!(
                f,
                "gather.{kind} {to}, [{base}+{index}{offset:+}] by {mask}{}",
                if masked { " where tail" } else { "" }
            ),
            Self::Scatter {
                kind,
                from,
                base,
                index,
                offset,
                mask,
                masked,
                ..
            } => write!(
                f,
                "scatter.{kind} [{base}+{index}{offset:+}], {from} by {mask}{}",
                if masked { " where tail" } else { "" }
            ),
        }
    }
}

impl Display for MaskInst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let tail = |masked| if masked { " where tail" } else { "" };
        match *self {
            Self::Compare {
                predicate,
                kind,
                length,
                to,
                a,
                b,
                only,
            } => {
                let (lanes, only) = (
                    Lanes(kind, length),
                    only.map_or(Masking::None, Masking::Merge),
                );
                write!(
                    f,
                    "compare_{}{lanes} {to}, {a}, {b}{only}",
                    Lower(predicate)
                )
            }
            Self::Logic { op, to, a, b } => write!(f, "mask_{} {to}, {a}, {b}", Lower(op)),
            Self::Not { to, from } => write!(f, "mask_not {to}, {from}"),
            Self::Fill { to, value } => write!(f, "mask_fill {to}, {value}"),
            Self::SpreadByte { to, from } => write!(f, "mask_spread {to}, {from}"),
            Self::SpreadConstant { to, value } => write!(f, "mask_spread {to}, {value}"),
            Self::SpreadFirst { mask } => write!(f, "mask_spread {mask}"),
            Self::LoadBytes {
                to,
                through,
                from,
                count,
                masked,
            } => write!(
                f,
                "mask_load.{count} {to}, {from} through {through}{}",
                tail(masked)
            ),
            Self::StoreBytes {
                to,
                through,
                from,
                count,
                masked,
            } => write!(
                f,
                "mask_store.{count} {to}, {from} through {through}{}",
                tail(masked)
            ),
            Self::First { to, from } => write!(f, "mask_first {to}, {from}"),
            Self::StoreSpread { to, from } => write!(f, "mask_store_first {to}, {from}"),
            Self::Save { to, from } => write!(f, "mask_save {to}, {from}"),
            Self::Restore { to, from } => write!(f, "mask_restore {to}, {from}"),
            Self::Reduce { mask, any, count } => {
                write!(f, "mask_{}.{count} {mask}", if any { "any" } else { "all" })
            }
            Self::Tail(tail) => write!(f, "tail acc of {}{}", tail.count, Tails(tail)),
            Self::KnownTail { left, tail } => {
                write!(f, "tail {left} of {}{}", tail.count, Tails(tail))
            }
        }
    }
}

struct Tails(Tail);

impl Display for Tails {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(bytes) = self.0.complex {
            write!(f, ", complex of {bytes} bytes")?;
            if self.0.unpacked {
                f.write_str(", unpacked")?;
            }
        }
        Ok(())
    }
}

impl Display for ScalarInst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Load { to, from } => write!(f, "{to} = {from}"),
            Self::Store { to, from } => write!(f, "{to} = {from}"),
            Self::StoreByte { to, from } => write!(f, "byte {to} = {from}"),
            Self::Move { to, from } => write!(f, "{to} = {from}"),
            Self::MoveNumber { to, number } => write!(f, "{to} = {number}"),
            Self::Clear { to } => write!(f, "{to} = 0"),
            Self::AddNumber { to, number } => write!(f, "{to} += {number}"),
            Self::AndNumber { to, number } => write!(f, "{to} &= {number}"),
            Self::CompareNumber { a, number } => write!(f, "compare {a}, {number}"),
            Self::AddNumberToMemory { to, number } => write!(f, "{to} += {number}"),
            Self::Add { to, from } => write!(f, "{to} += {from}"),
            Self::AddMemory { to, from } => write!(f, "{to} += {from}"),
            Self::AddToMemory { to, from } => write!(f, "{to} += {from}"),
            Self::Subtract { to, from } => write!(f, "{to} -= {from}"),
            Self::Compare { a, b } => write!(f, "compare {a}, {b}"),
            Self::CompareMemory { a, b } => write!(f, "compare {a}, {b}"),
            Self::Negate { to } => write!(f, "{to} = -{to}"),
            Self::MultiplyMemory { to, from } => write!(f, "{to} *= {from}"),
            Self::MultiplyNumber { to, from, number } => write!(f, "{to} = {from} * {number}"),
            Self::AddressOf { to, address } => write!(f, "{to} = address {address}"),
            Self::MoveIf {
                condition,
                to,
                from,
            } => write!(f, "if {} {to} = {from}", Lower(condition)),
            Self::Test { a } => write!(f, "compare {a}, 0"),
            Self::Push { from } => write!(f, "push {from}"),
            Self::Pop { to } => write!(f, "pop {to}"),
        }
    }
}

impl Display for FlowInst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(label) => write!(f, "{label}:"),
            Self::Jump(label) => write!(f, "jump {label}"),
            Self::JumpIf(condition, label) => write!(f, "if {} jump {label}", Lower(condition)),
            Self::Align(bytes) => write!(f, "align {bytes}"),
            Self::Call(function) => write!(f, "call {}", function.name),
            Self::LeaveVectors => f.write_str("leave_vectors"),
            Self::Return => f.write_str("return"),
        }
    }
}

impl Display for Note {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loop {
                axis,
                elements,
                indexed,
            } => {
                let by = if *indexed { " of index" } else { "" };
                write!(f, "loop over axis {axis} by {elements}{by}")
            }
            Self::EndLoop { axis } => write!(f, "end of loop over axis {axis}"),
            Self::Advance {
                slot,
                axis,
                elements,
            } => write!(f, "; slot {slot} advances by {elements} along axis {axis}"),
            Self::Block {
                count,
                ahead,
                masked,
            } => {
                write!(f, "; block of {count}, {ahead} ahead")?;
                f.write_str(if *masked { ", masked" } else { "" })
            }
            Self::EndBlock => f.write_str("; end of block"),
            Self::Begin { free, free_masks } => {
                write!(f, "; free: vectors {free:#x}, masks {free_masks:#x}")
            }
            Self::Hold(name, location) => write!(f, "; {location} holds {name}"),
            Self::Use(name, location) => write!(f, "; {location} holds {name}"),
            Self::Define(name, location) => write!(f, "; {location} now holds {name}"),
            Self::End(name, location) => write!(f, "; {name} in {location} ends"),
        }
    }
}

impl Display for Inst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector(inst) => inst.fmt(f),
            Self::Mask(inst) => inst.fmt(f),
            Self::Scalar(inst) => inst.fmt(f),
            Self::Flow(inst) => inst.fmt(f),
            Self::Note(note) => note.fmt(f),
        }
    }
}

/// Prints notes about registers only in the alternate form.
impl Display for VCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (slot, pointer) in self.pointers.iter().enumerate() {
            writeln!(f, "slot {slot}: {pointer}")?;
        }
        let mut depth = 1;
        for inst in &self.insts {
            match inst {
                Inst::Note(Note::EndBlock) => continue,
                Inst::Note(
                    Note::Begin { .. }
                    | Note::Use(..)
                    | Note::Define(..)
                    | Note::Hold(Name::Register(..), _)
                    | Note::End(..),
                ) if !f.alternate() => continue,
                Inst::Note(Note::EndLoop { .. }) => {
                    depth -= 1;
                    continue;
                }
                _ => {}
            }
            let indent = if matches!(inst, Inst::Flow(FlowInst::Bind(_))) {
                2 * depth - 1
            } else {
                2 * depth
            };
            writeln!(f, "{:indent$}{inst}", "")?;
            if matches!(inst, Inst::Note(Note::Loop { .. })) {
                depth += 1;
            }
        }
        for (number, constant) in self.constants.0.iter().enumerate() {
            match constant {
                ConstantBits::Word(word) => writeln!(f, "c{number} = {word:#x}")?,
                ConstantBits::Words(words) => writeln!(f, "c{number} = {words:x?}")?,
            }
        }
        Ok(())
    }
}
