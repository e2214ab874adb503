//! Vector code: what a kernel becomes on the registers of a target, loops and pointers included, but not yet bytes.
//!
//! The emitter writes it in one pass, in which registers are allocated; a target encodes it. Vector and mask registers
//! are numbered from zero; masks that are in vector registers from [`FIRST_VECTOR_MASK`]. General-purpose registers are those of x86-64, which all targets of the emitter have; their
//! roles are fixed:
//!
//! | register | role |
//! |---|---|
//! | [`PARAMETERS`] | points to the parameters of the kernel |
//! | [`INDEX`] | counts along the lanes; [`DOUBLE_INDEX`] is twice that, for elements of 16 bytes |
//! | [`LIMIT`] | where the loop along the lanes ends |
//! | [`ACC`], [`AUX`] | what is needed at once |
//! | [`STACK`] | the frame: counters of loops, pointers without a register, scratch memory |
//! | others | pointers of slots |
//!
//! [`Note`]s stand between the instructions and say what the emitter means, for the verifier and for readers; they have
//! no bytes. Those about registers are written only if [`VCode::annotated`] is set.

use autojit_runtime::abi::Symbol;

use super::ir::{Binary, Kind, MaskLogic, Predicate, Register, Unary};
pub(crate) use super::operands::{
    ACC, ARGUMENTS, AUX, Address, CALLEE_SAVED, CALLER_SAVED, Condition, Constant, ConstantBits,
    Constants, DOUBLE_INDEX, FIRST_VECTOR_MASK, General, INDEX, LIMIT, Label, Length, Location,
    Mask, Masking, Operand, PARAMETERS, POINTERS, Pointer, STACK, TAIL, TAIL_FIRST, TAIL_SECOND,
    TAIL_UNPACKED, Unpack, Vector, parameter,
};

/// Instructions on vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum VectorInst {
    Binary {
        op: Binary,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: Operand,
        masking: Masking,
    },
    Unary {
        op: Unary,
        kind: Kind,
        length: Length,
        to: Vector,
        from: Operand,
    },
    /// `a` where the mask is set, else `b`.
    Select {
        kind: Kind,
        length: Length,
        to: Vector,
        mask: Mask,
        a: Operand,
        b: Vector,
    },
    Copy {
        kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
        masking: Masking,
    },
    /// All bits zero.
    Clear { to: Vector },
    Load {
        kind: Kind,
        length: Length,
        to: Vector,
        from: Operand,
        masking: Masking,
    },
    Store {
        kind: Kind,
        length: Length,
        to: Address,
        from: Vector,
        masking: Masking,
    },
    /// One element into the first lane; the others become zero.
    LoadScalar {
        kind: Kind,
        to: Vector,
        from: Address,
    },
    /// The first lane.
    StoreScalar {
        kind: Kind,
        to: Address,
        from: Vector,
    },
    /// One element of memory, or the first lane of a register, in all lanes.
    Broadcast {
        kind: Kind,
        length: Length,
        to: Vector,
        from: Operand,
    },
    /// Lanes `a0 b0 a2 b2 ..`, or `a1 b1 a3 b3 ..`, of 64 bits; for 32 bits pairs of lanes within each 128 bits.
    Unpack {
        which: Unpack,
        kind: Kind,
        length: Length,
        to: Vector,
        a: Vector,
        b: Vector,
    },
    /// Within each 128 bits, two lanes of 32 bits from `a`, then two from `b`.
    ShuffleSingles {
        length: Length,
        to: Vector,
        a: Vector,
        b: Vector,
        lanes: u8,
    },
    /// Lanes of `a` and `b` as the numbers in `indices` say, which the result replaces.
    PermuteTwo {
        kind: Kind,
        length: Length,
        indices: Vector,
        a: Vector,
        b: Vector,
    },
    /// Lanes within each 128 bits: of 64 bits one bit each says which, of 32 bits two.
    PermuteWithin {
        kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
        lanes: u8,
    },
    /// Lanes of 64 bits within each 256 bits, two bits each.
    PermuteQuarters {
        length: Length,
        to: Vector,
        from: Vector,
        lanes: u8,
    },
    /// The upper half of a vector; `length` is that of the whole.
    UpperHalf {
        length: Length,
        to: Vector,
        from: Vector,
    },
    /// Converts lanes; `length` is that of the wider side. Floating numbers that no integer equals nearly enough give
    /// the smallest one.
    Convert {
        from_kind: Kind,
        to_kind: Kind,
        length: Length,
        to: Vector,
        from: Vector,
    },
    /// Elements at `base + index + offset` for each lane of 64-bit indices, all or those of the tail. `mask` is
    /// overwritten.
    Gather {
        kind: Kind,
        length: Length,
        to: Vector,
        base: General,
        index: Vector,
        offset: i32,
        mask: Mask,
        masked: bool,
    },
    /// The reverse of `Gather`.
    Scatter {
        kind: Kind,
        length: Length,
        from: Vector,
        base: General,
        index: Vector,
        offset: i32,
        mask: Mask,
        masked: bool,
    },
}

/// Instructions on truth values, one per lane in a mask register.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MaskInst {
    /// Compares lane by lane; lanes that `only` leaves out give false.
    Compare {
        predicate: Predicate,
        kind: Kind,
        length: Length,
        to: Mask,
        a: Vector,
        b: Operand,
        only: Option<Mask>,
    },
    Logic {
        op: MaskLogic,
        to: Mask,
        a: Mask,
        b: Mask,
    },
    Not {
        to: Mask,
        from: Mask,
    },
    Fill {
        to: Mask,
        value: bool,
    },
    /// A byte of memory that is 0 or 1, in all lanes.
    SpreadByte {
        to: Mask,
        from: Address,
    },
    /// A constant in all lanes.
    SpreadConstant {
        to: Mask,
        value: bool,
    },
    /// The first lane in all lanes.
    SpreadFirst {
        mask: Mask,
    },
    /// Bytes that are 0 or 1, one a lane; `through` is overwritten.
    LoadBytes {
        to: Mask,
        through: Vector,
        from: Address,
        count: i32,
        masked: bool,
    },
    StoreBytes {
        to: Address,
        through: Vector,
        from: Mask,
        count: i32,
        masked: bool,
    },
    /// The first lane as 0 or 1.
    First {
        to: General,
        from: Mask,
    },
    /// The first lane in all bits of a word.
    StoreSpread {
        to: Address,
        from: Mask,
    },
    /// A whole mask register to a word, and back.
    Save {
        to: Address,
        from: Mask,
    },
    Restore {
        to: Mask,
        from: Address,
    },
    /// Whether any lane is set, or all are, in the first lane.
    Reduce {
        mask: Mask,
        any: bool,
        count: i32,
    },
    /// The masks of the lanes within the array, of which `ACC > 0` says how many are left. Overwrites `ACC`, `AUX`.
    Tail(Tail),
    /// The masks of a tail of so many elements.
    KnownTail {
        left: i32,
        tail: Tail,
    },
}

/// Which masks of the tail there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Elements per vector.
    pub(crate) count: i32,
    /// Bytes of complex numbers, if there are any.
    pub(crate) complex: Option<i32>,
    /// Whether `TAIL_UNPACKED` is needed.
    pub(crate) unpacked: bool,
}

/// Instructions on general-purpose registers, which are of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ScalarInst {
    Load {
        to: General,
        from: Address,
    },
    Store {
        to: Address,
        from: General,
    },
    StoreByte {
        to: Address,
        from: General,
    },
    Move {
        to: General,
        from: General,
    },
    MoveNumber {
        to: General,
        number: i32,
    },
    Clear {
        to: General,
    },
    AddNumber {
        to: General,
        number: i32,
    },
    AndNumber {
        to: General,
        number: i32,
    },
    CompareNumber {
        a: General,
        number: i32,
    },
    AddNumberToMemory {
        to: Address,
        number: i32,
    },
    Add {
        to: General,
        from: General,
    },
    AddMemory {
        to: General,
        from: Address,
    },
    AddToMemory {
        to: Address,
        from: General,
    },
    Subtract {
        to: General,
        from: General,
    },
    Compare {
        a: General,
        b: General,
    },
    CompareMemory {
        a: General,
        b: Address,
    },
    Negate {
        to: General,
    },
    MultiplyMemory {
        to: General,
        from: Address,
    },
    MultiplyNumber {
        to: General,
        from: General,
        number: i32,
    },
    AddressOf {
        to: General,
        address: Address,
    },
    /// `to = from` if the condition holds.
    MoveIf {
        condition: Condition,
        to: General,
        from: General,
    },
    /// Compares with zero.
    Test {
        a: General,
    },
    Push {
        from: General,
    },
    Pop {
        to: General,
    },
}

/// Jumps, calls, and the end.
#[derive(Clone, Copy)]
pub(crate) enum FlowInst {
    Bind(Label),
    Jump(Label),
    JumpIf(Condition, Label),
    /// The next instruction lies at a multiple of so many bytes.
    Align(usize),
    /// Calls a function of the runtime; overwrites `ACC`, and what the convention does not keep.
    Call(&'static Symbol),
    /// The prologue of a target.
    LeaveVectors,
    Return,
}

/// The intended instructions of the emitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Note {
    /// A loop over an axis begins, which advances by so many elements a round: the index, or the pointers.
    Loop {
        axis: usize,
        elements: i32,
        indexed: bool,
    },
    EndLoop {
        axis: usize,
    },
    /// The pointer of a slot moves along an axis, by the instructions that follow.
    Advance {
        slot: usize,
        axis: usize,
        elements: i32,
    },
    /// A block of the vector kernel, for `count` elements, `ahead` of the pointers; masked ones have lanes beyond the
    /// end.
    Block {
        count: i32,
        ahead: i32,
        masked: bool,
    },
    EndBlock,
    /// The emitter begins with something new, and these registers are free: bits of vectors and of masks.
    Begin {
        free: u32,
        free_masks: u8,
    },
    /// A register of the vector kernel is read, was just written, is where something was written before, or is no
    /// longer needed.
    Use(Name, Location),
    Define(Name, Location),
    Hold(Name, Location),
    End(Name, Location),
}

/// The contents of a physical register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    /// A register of the vector kernel, in a copy of an unrolled loop.
    Register(Register, usize),
    /// A part of a vector of a row that stays in registers.
    Row {
        slot: usize,
        vector: usize,
        part: usize,
    },
}

#[derive(Clone, Copy)]
pub(crate) enum Inst {
    Vector(VectorInst),
    Mask(MaskInst),
    Scalar(ScalarInst),
    Flow(FlowInst),
    Note(Note),
}

impl From<VectorInst> for Inst {
    fn from(inst: VectorInst) -> Self {
        Self::Vector(inst)
    }
}

impl From<MaskInst> for Inst {
    fn from(inst: MaskInst) -> Self {
        Self::Mask(inst)
    }
}

impl From<ScalarInst> for Inst {
    fn from(inst: ScalarInst) -> Self {
        Self::Scalar(inst)
    }
}

impl From<FlowInst> for Inst {
    fn from(inst: FlowInst) -> Self {
        Self::Flow(inst)
    }
}

impl From<Note> for Inst {
    fn from(note: Note) -> Self {
        Self::Note(note)
    }
}

/// The code of one kernel.
#[derive(Clone, Default)]
pub(crate) struct VCode {
    pub(crate) insts: Vec<Inst>,
    pub(crate) labels: u32,
    pub(crate) constants: Constants,
    /// Where the pointer of each slot is.
    pub(crate) pointers: Vec<Pointer>,
    /// Whether notes about registers are written.
    pub(crate) annotated: bool,
    /// Elements per vector, of the widest.
    pub(crate) count: i32,
    /// Vector registers that instructions do not name, the last ones: the target needs them to encode the instructions.
    pub(crate) scratch: u32,
    /// Where the masks of tails are in the frame, one vector each, for targets that have them there.
    pub(crate) tails: i32,
}
