//! Writing [`VCode`], one function per instruction.

use super::ir::{Binary, Kind, MaskLogic, Unary};
use super::vcode::{
    Address, Condition, Constant, ConstantBits, FlowInst, General, Inst, Label, Length, Location,
    Mask, MaskInst, Masking, Name, Note, Operand, ScalarInst, Unpack, VCode, Vector, VectorInst,
};

impl VCode {
    /// With room for a usual kernel, so that the code does not move while it grows.
    pub(crate) fn with_room(annotated: bool) -> Self {
        Self {
            insts: Vec::with_capacity(256),
            annotated,
            ..Self::default()
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, inst: impl Into<Inst>) {
        self.insts.push(inst.into());
    }

    pub(crate) fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// The label is here.
    pub(crate) fn bind(&mut self, label: Label) {
        self.push(FlowInst::Bind(label));
    }

    pub(crate) fn jump(&mut self, label: Label) {
        self.push(FlowInst::Jump(label));
    }

    pub(crate) fn jump_if(&mut self, condition: Condition, label: Label) {
        self.push(FlowInst::JumpIf(condition, label));
    }

    pub(crate) fn align(&mut self, bytes: usize) {
        self.push(FlowInst::Align(bytes));
    }

    /// A number that instructions use in all lanes; numbers of four bytes repeat in both halves.
    pub(crate) fn word(&mut self, bits: u64) -> Constant {
        self.constants.add(ConstantBits::Word(bits))
    }

    /// A whole vector.
    pub(crate) fn words(&mut self, words: [u64; 8]) -> Constant {
        self.constants.add(ConstantBits::Words(words))
    }

    // ---- notes ----

    pub(crate) fn note(&mut self, note: Note) {
        self.push(note);
    }

    pub(crate) fn block(&mut self, count: i32, ahead: i32, masked: bool) {
        self.push(Note::Block {
            count,
            ahead,
            masked,
        });
    }

    /// A loop that moves the pointers.
    pub(crate) fn begin_loop(&mut self, axis: usize, elements: i32) {
        self.push(Note::Loop {
            axis,
            elements,
            indexed: false,
        });
    }

    /// A loop that counts with the index.
    pub(crate) fn begin_indexed_loop(&mut self, axis: usize, elements: i32) {
        self.push(Note::Loop {
            axis,
            elements,
            indexed: true,
        });
    }

    pub(crate) fn end_loop(&mut self, axis: usize) {
        self.push(Note::EndLoop { axis });
    }

    /// A register, which was just written, holds what a name says.
    #[inline]
    pub(crate) fn defines(&mut self, name: Name, location: Location) {
        if self.annotated && location != Location::Nowhere {
            self.push(Note::Define(name, location));
        }
    }

    /// A register holds what a name says too.
    #[inline]
    pub(crate) fn holds(&mut self, name: Name, location: Location) {
        if self.annotated && location != Location::Nowhere {
            self.push(Note::Hold(name, location));
        }
    }

    #[inline]
    pub(crate) fn uses(&mut self, name: Name, location: Location) {
        if self.annotated && location != Location::Nowhere {
            self.push(Note::Use(name, location));
        }
    }

    #[inline]
    pub(crate) fn ends(&mut self, name: Name, location: Location) {
        if self.annotated && location != Location::Nowhere {
            self.push(Note::End(name, location));
        }
    }

    // ---- vectors ----

    #[allow(
        clippy::too_many_arguments,
        reason = "an instruction has so many fields"
    )]
    pub(crate) fn binary(
        &mut self,
        op: Binary,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: Operand,
        masking: Masking,
    ) {
        self.push(VectorInst::Binary {
            op,
            kind,
            length,
            to,
            a,
            b,
            masking,
        });
    }

    pub(crate) fn unary(
        &mut self,
        op: Unary,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Operand,
    ) {
        self.push(VectorInst::Unary {
            op,
            kind,
            length,
            to,
            from,
        });
    }

    pub(crate) fn select(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        mask: Mask,
        a: Operand,
        b: Vector,
    ) {
        self.push(VectorInst::Select {
            kind,
            length,
            to,
            mask,
            a,
            b,
        });
    }

    pub(crate) fn copy(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
        masking: Masking,
    ) {
        self.push(VectorInst::Copy {
            kind,
            length,
            to,
            from,
            masking,
        });
    }

    pub(crate) fn clear(&mut self, to: Vector) {
        self.push(VectorInst::Clear { to });
    }

    pub(crate) fn load(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Operand,
        masking: Masking,
    ) {
        self.push(VectorInst::Load {
            kind,
            length,
            to,
            from,
            masking,
        });
    }

    pub(crate) fn store(
        &mut self,
        kind: Kind,
        length: Length,
        to: Address,
        from: Vector,
        masking: Masking,
    ) {
        self.push(VectorInst::Store {
            kind,
            length,
            to,
            from,
            masking,
        });
    }

    pub(crate) fn load_scalar(&mut self, kind: Kind, to: Vector, from: Address) {
        self.push(VectorInst::LoadScalar { kind, to, from });
    }

    pub(crate) fn store_scalar(&mut self, kind: Kind, to: Address, from: Vector) {
        self.push(VectorInst::StoreScalar { kind, to, from });
    }

    pub(crate) fn broadcast(&mut self, kind: Kind, length: Length, to: Vector, from: Operand) {
        self.push(VectorInst::Broadcast {
            kind,
            length,
            to,
            from,
        });
    }

    pub(crate) fn unpack(
        &mut self,
        which: Unpack,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: Vector,
    ) {
        self.push(VectorInst::Unpack {
            which,
            kind,
            length,
            to,
            a,
            b,
        });
    }

    pub(crate) fn shuffle_singles(
        &mut self,
        length: Length,
        to: Vector,
        a: Vector,
        b: Vector,
        lanes: u8,
    ) {
        self.push(VectorInst::ShuffleSingles {
            length,
            to,
            a,
            b,
            lanes,
        });
    }

    pub(crate) fn permute_two(
        &mut self,
        kind: Kind,
        length: Length,
        indices: Vector,
        a: Vector,
        b: Vector,
    ) {
        self.push(VectorInst::PermuteTwo {
            kind,
            length,
            indices,
            a,
            b,
        });
    }

    pub(crate) fn permute_within(
        &mut self,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
        lanes: u8,
    ) {
        self.push(VectorInst::PermuteWithin {
            kind,
            length,
            to,
            from,
            lanes,
        });
    }

    pub(crate) fn permute_quarters(&mut self, length: Length, to: Vector, from: Vector, lanes: u8) {
        self.push(VectorInst::PermuteQuarters {
            length,
            to,
            from,
            lanes,
        });
    }

    pub(crate) fn upper_half(&mut self, length: Length, to: Vector, from: Vector) {
        self.push(VectorInst::UpperHalf { length, to, from });
    }

    pub(crate) fn convert(
        &mut self,
        from_kind: Kind,
        to_kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
    ) {
        self.push(VectorInst::Convert {
            from_kind,
            to_kind,
            length,
            to,
            from,
        });
    }

    // ---- truth values ----

    pub(crate) fn mask_logic(&mut self, op: MaskLogic, to: Mask, a: Mask, b: Mask) {
        self.push(MaskInst::Logic { op, to, a, b });
    }

    pub(crate) fn mask_not(&mut self, to: Mask, from: Mask) {
        self.push(MaskInst::Not { to, from });
    }

    pub(crate) fn mask_fill(&mut self, to: Mask, value: bool) {
        self.push(MaskInst::Fill { to, value });
    }

    pub(crate) fn save_mask(&mut self, to: Address, from: Mask) {
        self.push(MaskInst::Save { to, from });
    }

    pub(crate) fn restore_mask(&mut self, to: Mask, from: Address) {
        self.push(MaskInst::Restore { to, from });
    }

    // ---- general-purpose registers ----

    pub(crate) fn load_general(&mut self, to: General, from: Address) {
        self.push(ScalarInst::Load { to, from });
    }

    pub(crate) fn store_general(&mut self, to: Address, from: General) {
        self.push(ScalarInst::Store { to, from });
    }

    pub(crate) fn store_byte(&mut self, to: Address, from: General) {
        self.push(ScalarInst::StoreByte { to, from });
    }

    pub(crate) fn move_general(&mut self, to: General, from: General) {
        self.push(ScalarInst::Move { to, from });
    }

    pub(crate) fn move_number(&mut self, to: General, number: i32) {
        self.push(ScalarInst::MoveNumber { to, number });
    }

    pub(crate) fn clear_general(&mut self, to: General) {
        self.push(ScalarInst::Clear { to });
    }

    pub(crate) fn add_number(&mut self, to: General, number: i32) {
        self.push(ScalarInst::AddNumber { to, number });
    }

    pub(crate) fn and_number(&mut self, to: General, number: i32) {
        self.push(ScalarInst::AndNumber { to, number });
    }

    pub(crate) fn compare_number(&mut self, a: General, number: i32) {
        self.push(ScalarInst::CompareNumber { a, number });
    }

    pub(crate) fn add_number_to_memory(&mut self, to: Address, number: i32) {
        self.push(ScalarInst::AddNumberToMemory { to, number });
    }

    pub(crate) fn add(&mut self, to: General, from: General) {
        self.push(ScalarInst::Add { to, from });
    }

    pub(crate) fn add_memory(&mut self, to: General, from: Address) {
        self.push(ScalarInst::AddMemory { to, from });
    }

    pub(crate) fn add_to_memory(&mut self, to: Address, from: General) {
        self.push(ScalarInst::AddToMemory { to, from });
    }

    pub(crate) fn subtract(&mut self, to: General, from: General) {
        self.push(ScalarInst::Subtract { to, from });
    }

    pub(crate) fn compare_general(&mut self, a: General, b: General) {
        self.push(ScalarInst::Compare { a, b });
    }

    pub(crate) fn compare_memory(&mut self, a: General, b: Address) {
        self.push(ScalarInst::CompareMemory { a, b });
    }

    pub(crate) fn multiply_memory(&mut self, to: General, from: Address) {
        self.push(ScalarInst::MultiplyMemory { to, from });
    }

    pub(crate) fn multiply_number(&mut self, to: General, from: General, number: i32) {
        self.push(ScalarInst::MultiplyNumber { to, from, number });
    }

    pub(crate) fn negate(&mut self, to: General) {
        self.push(ScalarInst::Negate { to });
    }

    pub(crate) fn address_of(&mut self, to: General, address: Address) {
        self.push(ScalarInst::AddressOf { to, address });
    }

    pub(crate) fn move_if(&mut self, condition: Condition, to: General, from: General) {
        self.push(ScalarInst::MoveIf {
            condition,
            to,
            from,
        });
    }

    pub(crate) fn test(&mut self, a: General) {
        self.push(ScalarInst::Test { a });
    }

    pub(crate) fn push_general(&mut self, from: General) {
        self.push(ScalarInst::Push { from });
    }

    pub(crate) fn pop_general(&mut self, to: General) {
        self.push(ScalarInst::Pop { to });
    }
}
