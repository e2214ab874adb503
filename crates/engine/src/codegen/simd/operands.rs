//! Operands of vector code: registers and their roles, addresses, constants, masks. Users import them from
//! `vcode.rs`, whose head lists the roles.

/// The number of a general-purpose register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct General(pub(crate) u8);

pub(crate) const ACC: General = General(0);
pub(crate) const INDEX: General = General(1);
pub(crate) const AUX: General = General(2);
pub(crate) const STACK: General = General(4);
pub(crate) const PARAMETERS: General = General(6);
/// Points to the pointers of the slots when a kernel is entered.
pub(crate) const POINTERS: General = General(7);
pub(crate) const LIMIT: General = General(8);
pub(crate) const DOUBLE_INDEX: General = General(10);

/// The registers beside [`POINTERS`] and [`DOUBLE_INDEX`] that pointers of slots may take in kernels without calls.
pub(crate) const CALLER_SAVED: [General; 2] = [General(9), General(11)];
/// The registers that keep their values across calls.
pub(crate) const CALLEE_SAVED: [General; 6] = [
    General(3),
    General(5),
    General(12),
    General(13),
    General(14),
    General(15),
];
/// The registers that functions take their operands in.
pub(crate) const ARGUMENTS: [General; 4] = [POINTERS, PARAMETERS, AUX, INDEX];

/// The number of a vector register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Vector(pub(crate) u8);

/// The number of a mask register. As a predicate, number 0 means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mask(pub(crate) u8);

/// A mask with this number or a later one is in the vector register with that much less, on targets without mask registers.
pub(crate) const FIRST_VECTOR_MASK: u8 = 8;

impl Mask {
    /// The vector register that holds this mask, if it is in one.
    pub(crate) fn vector(self) -> Option<Vector> {
        self.0.checked_sub(FIRST_VECTOR_MASK).map(Vector)
    }
}

/// Lanes within the array.
pub(crate) const TAIL: Mask = Mask(1);
/// The same for the two vectors in memory that hold complex numbers.
pub(crate) const TAIL_FIRST: Mask = Mask(2);
pub(crate) const TAIL_SECOND: Mask = Mask(3);
/// The same as `TAIL` in the order of unpacked complex numbers.
pub(crate) const TAIL_UNPACKED: Mask = Mask(4);

/// How many bits of vector registers an instruction works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Length {
    Bits128,
    Bits256,
    Bits512,
}

impl Length {
    pub(crate) const fn bytes(self) -> i32 {
        16 << self as i32
    }

    /// The shortest that holds so many bytes.
    pub(crate) const fn of(bytes: i32) -> Self {
        match bytes {
            64 => Self::Bits512,
            32 => Self::Bits256,
            _ => Self::Bits128,
        }
    }
}

/// An address in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) base: General,
    /// An index, and the power of two that it is multiplied by.
    pub(crate) index: Option<(General, u8)>,
    pub(crate) offset: i32,
}

impl Address {
    pub(crate) fn new(base: General, offset: i32) -> Self {
        Self {
            base,
            index: None,
            offset,
        }
    }

    pub(crate) fn indexed(self, index: General, scale: u8) -> Self {
        Self {
            index: Some((index, scale)),
            ..self
        }
    }
}

/// A word of the parameters.
pub(crate) fn parameter(word: usize) -> Address {
    Address::new(PARAMETERS, 8 * word as i32)
}

/// A constant of [`Constants`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Constant(pub(crate) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConstantBits {
    /// A number that instructions use in all lanes; numbers of four bytes repeat in both halves.
    Word(u64),
    /// A whole vector.
    Words([u64; 8]),
}

/// The constants of some code, each of them once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constants(pub(crate) Vec<ConstantBits>);

impl Constants {
    pub(crate) fn add(&mut self, bits: ConstantBits) -> Constant {
        let known = self.0.iter().position(|c| *c == bits);
        let index = known.unwrap_or_else(|| {
            self.0.push(bits);
            self.0.len() - 1
        });
        Constant(index as u32)
    }
}

/// The last operand of a vector instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Vector(Vector),
    Memory(Address),
    /// One element of memory in all lanes.
    Broadcast(Address),
    Constant(Constant),
    /// One element of a constant in all lanes.
    BroadcastConstant(Constant),
}

impl From<Vector> for Operand {
    fn from(vector: Vector) -> Self {
        Self::Vector(vector)
    }
}

impl From<Address> for Operand {
    fn from(address: Address) -> Self {
        Self::Memory(address)
    }
}

/// A position in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) u32);

/// Where masked-out lanes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masking {
    None,
    /// They keep what the destination held.
    Merge(Mask),
    /// They become zero.
    Zero(Mask),
}

/// Conditions of jumps and moves, after a comparison of signed numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    NotZero,
    Less,
    GreaterEqual,
    LessEqual,
    Greater,
}

/// Shuffles of two vectors within each 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpack {
    Low,
    High,
}

/// A register, where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Location {
    Nowhere,
    Vector(Vector),
    Mask(Mask),
}

/// Where the pointer of a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointer {
    Register(General),
    /// An offset from the stack pointer.
    Frame(i32),
    /// Scratch memory itself, at an offset from the stack pointer.
    Scratch(i32),
}
