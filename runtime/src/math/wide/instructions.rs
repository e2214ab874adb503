//! Safe operators and methods of lanes that are one instruction or a few, whatever the processor.
//!
//! Invariant of the types that use them: a value exists only where the machine has its instructions, as making one is unsafe.

/// Operators of `type`, each an instruction.
macro_rules! operators {
    ($type:ident: $($trait:ident $method:ident $instruction:ident;)*) => {$(
        impl $trait for $type {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: a value exists only where the machine has its instructions.
                $type(unsafe { $instruction(self.0, other.0) })
            }
        }
    )*};
}

/// Methods `name(self, arguments) -> result` whose body is instructions.
macro_rules! methods {
    ($($name:ident($self:ident $(, $argument:ident: $type:ty)*) -> $result:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self $(, $argument: $type)*) -> $result {
            let $self = self;
            // SAFETY: a value exists only where the machine has its instructions.
            unsafe { $body }
        }
    )*};
}
