//! The contract with compiled code: element kinds, failures, and every function of scalars, or of contiguous blocks of them,
//! that it calls by symbol.
//!
//! One list ([`symbols`]) gives each function once: the row's Rust function becomes an `extern "C"` function, its C
//! signature for the code generator, and its address for the linker. Invariants: names are unique, all begin with
//! `autojit_`, no two have one [`SymbolId`], no function unwinds, blocks or allocates.
//!
//! Parameters of type [`AbiType::I8`] are received in a full register and truncated here, so a caller need not extend
//! them; of a returned [`AbiType::I8`] only the low eight bits mean anything.

pub use crate::kind::{Failure, Kind};
use crate::math::wide::{BinaryFunction, UnaryFunction};
use crate::math::{Integer, Real, complex};
use num_complex::Complex;
use std::sync::LazyLock;

/// The machine type of a parameter or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AbiType {
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// An 8-bit integer.
    I8,
    /// The address of something, as wide as the target's addresses.
    Pointer,
}

/// The operands of a function that compiled code may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Scalars.
    Scalar,
    /// Contiguous blocks, `(x, to, n)` or `(x, y, to, n)`.
    Block,
}

/// Which function compiled code calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SymbolId {
    /// NumPy's name of the function.
    pub function: &'static str,
    /// Scalars or blocks.
    pub form: Form,
    /// The type of the arguments.
    pub kind: Kind,
}

/// A function that compiled code may call.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// Which function it is.
    pub id: SymbolId,
    /// The name to link by.
    pub name: &'static str,
    /// The C parameters.
    pub params: &'static [AbiType],
    /// The C result, if any; complex results go through a last parameter of type [`AbiType::Pointer`].
    pub result: Option<AbiType>,
    /// The entry point, with the platform's C calling convention.
    pub address: *const u8,
}

// SAFETY: the address is that of a function in this program's text, which never moves and holds no state.
unsafe impl Send for Symbol {}
// SAFETY: as above.
unsafe impl Sync for Symbol {}

/// `f32` and `f64` functions of the trait [`Real`], by arity.
macro_rules! real {
    ($list:ident; $($name:ident($($argument:ident),*))*) => {
        real!(@ $list "_f32" f32 F32 Float32; $($name($($argument),*))*);
        real!(@ $list "_f64" f64 F64 Float64; $($name($($argument),*))*);
    };
    (@ $list:ident $suffix:literal $type:ident $abi:ident $kind:ident; $($name:ident($($argument:ident),*))*) => {$({
        extern "C" fn call($($argument: $type),*) -> $type {
            <$type as Real>::$name($($argument),*)
        }
        $list.push(Symbol {
            id: SymbolId { function: stringify!($name), form: Form::Scalar, kind: Kind::$kind },
            name: concat!("autojit_", stringify!($name), $suffix),
            params: &[$(real!(@abi $argument $abi)),*],
            result: Some(AbiType::$abi),
            address: call as *const u8,
        });
    })*};
    (@abi $argument:ident $abi:ident) => { AbiType::$abi };
}

/// Binary functions of the trait [`Integer`] for one type, received in a register of type `$register`.
macro_rules! integer {
    ($list:ident; $($name:ident)*) => {
        integer!(@ $list "_i32" i32 i32 I32 Int32; $($name)*);
        integer!(@ $list "_i64" i64 i64 I64 Int64; $($name)*);
        integer!(@ $list "_u8" u8 u32 I8 Uint8; $($name)*);
    };
    (@ $list:ident $suffix:literal $type:ident $register:ident $abi:ident $kind:ident; $($name:ident)*) => {$({
        #[allow(trivial_numeric_casts, clippy::unnecessary_cast)]
        extern "C" fn call(x: $register, y: $register) -> $type {
            <$type as Integer>::$name(x as $type, y as $type)
        }
        $list.push(Symbol {
            id: SymbolId { function: stringify!($name), form: Form::Scalar, kind: Kind::$kind },
            name: concat!("autojit_", stringify!($name), $suffix),
            params: &[AbiType::$abi, AbiType::$abi],
            result: Some(AbiType::$abi),
            address: call as *const u8,
        });
    })*};
}

/// Functions of `Complex<f32>` and `Complex<f64>` that write real and imaginary part through a last pointer.
macro_rules! complex {
    ($list:ident; $($name:ident($($re:ident $im:ident),*))*) => {
        complex!(@ $list "_c64" f32 F32 Complex64; $($name($($re $im),*))*);
        complex!(@ $list "_c128" f64 F64 Complex128; $($name($($re $im),*))*);
    };
    (@ $list:ident $suffix:literal $type:ident $abi:ident $kind:ident; $($name:ident($($re:ident $im:ident),*))*) => {$({
        /// # Safety
        /// `out` must be valid for writing two reals; it need not be aligned to both together.
        unsafe extern "C" fn call($($re: $type, $im: $type,)* out: *mut $type) {
            let result = complex::$name($(Complex::new($re, $im)),*);
            // SAFETY: the caller promises room for two reals.
            unsafe {
                out.write(result.re);
                out.add(1).write(result.im);
            }
        }
        $list.push(Symbol {
            id: SymbolId { function: stringify!($name), form: Form::Scalar, kind: Kind::$kind },
            name: concat!("autojit_", stringify!($name), $suffix),
            params: &[$(real!(@abi $re $abi), real!(@abi $im $abi),)* AbiType::Pointer],
            result: None,
            address: call as *const u8,
        });
    })*};
}

/// Functions of contiguous blocks: pointers to the sources, then to the destination, then the number of elements.
macro_rules! wide {
    ($list:ident; $($enum:ident($($source:ident),*) { $($name:ident = $variant:ident,)* })*) => {
        $(wide!(@ $list $enum map_f32 "_f32" f32 Float32 ($($source)*); $($name = $variant)*);
        wide!(@ $list $enum map_f64 "_f64" f64 Float64 ($($source)*); $($name = $variant)*);)*
    };
    (@ $list:ident $enum:ident $map:ident $suffix:literal $type:ident $kind:ident $sources:tt; $($name:ident = $variant:ident)*) => {
        $(wide!(@@ $list $enum $variant $map $suffix $type $kind $sources $name);)*
    };
    (@@ $list:ident $enum:ident $variant:ident $map:ident $suffix:literal $type:ident $kind:ident ($($source:ident)*) $name:ident) => {{
        /// # Safety
        /// Every pointer must be valid for `n` aligned elements; the destination may be one of the sources, but not
        /// overlap them otherwise.
        unsafe extern "C" fn call($($source: *const $type,)* to: *mut $type, n: u64) {
            // SAFETY: the caller's promise.
            unsafe { $enum::$variant.$map($($source,)* to, n as usize) }
        }
        $list.push(Symbol {
            id: SymbolId { function: stringify!($name), form: Form::Block, kind: Kind::$kind },
            name: concat!("autojit_wide_", stringify!($name), $suffix),
            params: &[$(wide!(@pointer $source),)* AbiType::Pointer, AbiType::I64],
            result: None,
            address: call as *const u8,
        });
    }};
    (@pointer $source:ident) => { AbiType::Pointer };
}

/// Every function that compiled code may call, in a fixed order.
///
/// Real functions end in `_f32`, `_f64`; integer ones in `_i32`, `_i64`, `_u8`; complex ones in `_c64`, `_c128`.
/// Those that begin with `autojit_wide_` are of contiguous blocks, `(x, to, n)` or `(x, y, to, n)`; their results have the
/// same bits as those of the function of scalars whose name lacks `wide_` (but for the payload of a NaN).
///
/// ```
/// use autojit_runtime::abi::{AbiType, Kind, symbols};
/// let exp = symbols().iter().find(|symbol| symbol.name == "autojit_exp_f64").unwrap();
/// assert_eq!((exp.id.function, exp.id.kind), ("exp", Kind::Float64));
/// assert_eq!((exp.params, exp.result), (&[AbiType::F64][..], Some(AbiType::F64)));
/// ```
pub fn symbols() -> &'static [Symbol] {
    static SYMBOLS: LazyLock<Vec<Symbol>> = LazyLock::new(|| {
        let mut list = Vec::new();
        real! { list;
            exp(x) log(x) sin(x) cos(x) tan(x) tanh(x) sinh(x) cosh(x)
            arcsin(x) arccos(x) arctan(x) arcsinh(x) arccosh(x) arctanh(x)
            exp2(x) expm1(x) log1p(x) log2(x) log10(x) cbrt(x) rint(x)
            erf(x) lgamma(x) floor(x) ceil(x) trunc(x) copysign(x, y)
            power(x, y) arctan2(y, x) hypot(x, y) floor_divide(x, y) remainder(x, y) fmod(x, y)
        }
        integer! { list; power floor_divide remainder }
        complex! { list;
            exp(re im) log(re im) sqrt(re im) sin(re im) cos(re im) tan(re im) sinh(re im) cosh(re im) tanh(re im)
            exp2(re im) expm1(re im) log2(re im) log10(re im) log1p(re im)
            arcsin(re im) arccos(re im) arctan(re im) arcsinh(re im) arccosh(re im) arctanh(re im)
            reciprocal(re im) divide(are aim, bre bim) power(are aim, bre bim)
        }
        absolute(&mut list);
        wide! { list;
            UnaryFunction(x) {
                exp = Exp, exp2 = Exp2, expm1 = Expm1, log = Log, log1p = Log1p, log2 = Log2, log10 = Log10,
                sin = Sin, cos = Cos, tan = Tan, arcsin = Arcsin, arccos = Arccos, arctan = Arctan,
                sinh = Sinh, cosh = Cosh, tanh = Tanh, arcsinh = Arcsinh, arccosh = Arccosh, arctanh = Arctanh, erf = Erf, cbrt = Cbrt,
            }
            BinaryFunction(x, y) { power = Power, arctan2 = Arctan2, hypot = Hypot, }
        }
        list
    });
    &SYMBOLS
}

/// The modulus takes a complex number and returns a real one, so it fits none of the families above.
fn absolute(list: &mut Vec<Symbol>) {
    extern "C" fn c64(re: f32, im: f32) -> f32 {
        complex::absolute(Complex::new(re, im))
    }
    extern "C" fn c128(re: f64, im: f64) -> f64 {
        complex::absolute(Complex::new(re, im))
    }
    let id = |kind| SymbolId {
        function: "absolute",
        form: Form::Scalar,
        kind,
    };
    list.push(Symbol {
        id: id(Kind::Complex64),
        name: "autojit_absolute_c64",
        params: &[AbiType::F32, AbiType::F32],
        result: Some(AbiType::F32),
        address: c64 as *const u8,
    });
    list.push(Symbol {
        id: id(Kind::Complex128),
        name: "autojit_absolute_c128",
        params: &[AbiType::F64, AbiType::F64],
        result: Some(AbiType::F64),
        address: c128 as *const u8,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn address(name: &str) -> *const u8 {
        symbols()
            .iter()
            .find(|symbol| symbol.name == name)
            .expect(name)
            .address
    }

    #[test]
    fn names_are_unique_and_addresses_set() {
        let names: HashSet<_> = symbols().iter().map(|symbol| symbol.name).collect();
        assert_eq!(names.len(), symbols().len());
        let ids: HashSet<_> = symbols().iter().map(|symbol| symbol.id).collect();
        assert_eq!(ids.len(), symbols().len());
        assert_eq!(names.len(), 2 * 33 + 3 * 3 + 2 * 23 + 2 + 2 * 24);
        assert!(
            symbols()
                .iter()
                .all(|symbol| symbol.name.starts_with("autojit_") && !symbol.address.is_null())
        );
    }

    #[test]
    fn every_symbol_can_be_called_by_its_signature() {
        use AbiType::{F32, F64, I8, I32, I64, Pointer};
        let mut out32 = [f32::NAN; 2];
        let mut out64 = [f64::NAN; 2];
        for Symbol {
            id: _,
            name,
            params,
            result,
            address,
        } in symbols()
        {
            // SAFETY: the transmuted type is the one that the symbol's own signature states.
            unsafe {
                match (*params, *result) {
                    ([F32], Some(F32)) => {
                        let function: extern "C" fn(f32) -> f32 = std::mem::transmute(*address);
                        assert!(function(1.0).abs() <= f32::INFINITY, "{name}");
                    }
                    ([F64], Some(F64)) => {
                        let function: extern "C" fn(f64) -> f64 = std::mem::transmute(*address);
                        assert!(function(1.0).abs() <= f64::INFINITY, "{name}");
                    }
                    ([F32, F32], Some(F32)) => {
                        let function: extern "C" fn(f32, f32) -> f32 =
                            std::mem::transmute(*address);
                        assert!(function(3.0, 2.0).is_finite(), "{name}");
                    }
                    ([F64, F64], Some(F64)) => {
                        let function: extern "C" fn(f64, f64) -> f64 =
                            std::mem::transmute(*address);
                        assert!(function(3.0, 2.0).is_finite(), "{name}");
                    }
                    ([I32, I32], Some(I32)) => {
                        let function: extern "C" fn(i32, i32) -> i32 =
                            std::mem::transmute(*address);
                        assert!([9, 1].contains(&function(3, 2)), "{name}");
                    }
                    ([I64, I64], Some(I64)) => {
                        let function: extern "C" fn(i64, i64) -> i64 =
                            std::mem::transmute(*address);
                        assert!([9, 1].contains(&function(3, 2)), "{name}");
                    }
                    ([I8, I8], Some(I8)) => {
                        // High bits left dirty on purpose: compiled code need not extend bytes.
                        let function: extern "C" fn(u32, u32) -> u8 = std::mem::transmute(*address);
                        assert!(
                            [9, 1].contains(&function(0xffff_ff03, 0xffff_ff02)),
                            "{name}"
                        );
                    }
                    ([F32, F32, Pointer], None) => {
                        let function: extern "C" fn(f32, f32, *mut f32) =
                            std::mem::transmute(*address);
                        function(0.5, 0.25, out32.as_mut_ptr());
                        assert!(out32.iter().all(|x| x.is_finite()), "{name}");
                    }
                    ([F64, F64, Pointer], None) => {
                        let function: extern "C" fn(f64, f64, *mut f64) =
                            std::mem::transmute(*address);
                        function(0.5, 0.25, out64.as_mut_ptr());
                        assert!(out64.iter().all(|x| x.is_finite()), "{name}");
                    }
                    ([F32, F32, F32, F32, Pointer], None) => {
                        let function: extern "C" fn(f32, f32, f32, f32, *mut f32) =
                            std::mem::transmute(*address);
                        function(0.5, 0.25, 1.0, 2.0, out32.as_mut_ptr());
                        assert!(out32.iter().all(|x| x.is_finite()), "{name}");
                    }
                    ([F64, F64, F64, F64, Pointer], None) => {
                        let function: extern "C" fn(f64, f64, f64, f64, *mut f64) =
                            std::mem::transmute(*address);
                        function(0.5, 0.25, 1.0, 2.0, out64.as_mut_ptr());
                        assert!(out64.iter().all(|x| x.is_finite()), "{name}");
                    }
                    ([Pointer, Pointer, I64], None) if name.ends_with("_f32") => {
                        let function: unsafe extern "C" fn(*const f32, *mut f32, u64) =
                            std::mem::transmute(*address);
                        function([1.0, 1.0].as_ptr(), out32.as_mut_ptr(), 2);
                        // Of 1 each has a value, and one is infinite.
                        assert!(out32.iter().all(|x| !x.is_nan()), "{name}");
                    }
                    ([Pointer, Pointer, I64], None) => {
                        let function: unsafe extern "C" fn(*const f64, *mut f64, u64) =
                            std::mem::transmute(*address);
                        function([1.0, 1.0].as_ptr(), out64.as_mut_ptr(), 2);
                        // Of 1 each has a value, and one is infinite.
                        assert!(out64.iter().all(|x| !x.is_nan()), "{name}");
                    }
                    ([Pointer, Pointer, Pointer, I64], None) if name.ends_with("_f32") => {
                        let function: unsafe extern "C" fn(*const f32, *const f32, *mut f32, u64) =
                            std::mem::transmute(*address);
                        let (x, y) = ([0.5, 0.25], [2.0, 3.0]);
                        function(x.as_ptr(), y.as_ptr(), out32.as_mut_ptr(), 2);
                        assert!(out32.iter().all(|x| x.is_finite()), "{name}");
                    }
                    ([Pointer, Pointer, Pointer, I64], None) => {
                        let function: unsafe extern "C" fn(*const f64, *const f64, *mut f64, u64) =
                            std::mem::transmute(*address);
                        let (x, y) = ([0.5, 0.25], [2.0, 3.0]);
                        function(x.as_ptr(), y.as_ptr(), out64.as_mut_ptr(), 2);
                        assert!(out64.iter().all(|x| x.is_finite()), "{name}");
                    }
                    other => panic!("{name} has the unexpected signature {other:?}"),
                }
            }
            (out32, out64) = ([f32::NAN; 2], [f64::NAN; 2]);
        }
    }

    /// A block of one element gives what the function of scalars gives, under the name that says so.
    #[test]
    fn wide_functions_are_those_of_scalars() {
        for function in UnaryFunction::ALL {
            let name = function.name();
            // The domain of `arccosh` begins at 1.
            let argument = if name == "arccosh" { 1.7 } else { 0.7 };
            // SAFETY: the signatures are those of the list, and the pointers are of one element.
            unsafe {
                let scalar: extern "C" fn(f64) -> f64 =
                    std::mem::transmute(address(&format!("autojit_{name}_f64")));
                let wide: unsafe extern "C" fn(*const f64, *mut f64, u64) =
                    std::mem::transmute(address(&format!("autojit_wide_{name}_f64")));
                let mut x = argument;
                wide(&raw const x, &raw mut x, 1);
                assert_eq!(scalar(argument), x, "{name}");
                assert_eq!(function.of_f64(argument), x, "{name}");
            }
        }
        for function in BinaryFunction::ALL {
            let name = function.name();
            // SAFETY: as above.
            unsafe {
                let scalar: extern "C" fn(f32, f32) -> f32 =
                    std::mem::transmute(address(&format!("autojit_{name}_f32")));
                let wide: unsafe extern "C" fn(*const f32, *const f32, *mut f32, u64) =
                    std::mem::transmute(address(&format!("autojit_wide_{name}_f32")));
                let (x, y, mut z) = (0.7, 1.9, f32::NAN);
                wide(&raw const x, &raw const y, &raw mut z, 1);
                assert_eq!(scalar(0.7, 1.9), z, "{name}");
                assert_eq!(function.of_f32(0.7, 1.9), z, "{name}");
            }
        }
    }

    #[test]
    fn names_lead_to_their_functions() {
        // SAFETY: the signatures are those of the list.
        unsafe {
            let arctan2: extern "C" fn(f64, f64) -> f64 =
                std::mem::transmute(address("autojit_arctan2_f64"));
            assert_eq!(arctan2(1.0, 0.0), std::f64::consts::FRAC_PI_2);
            let sqrt: extern "C" fn(f64, f64, *mut f64) =
                std::mem::transmute(address("autojit_sqrt_c128"));
            let mut out = [0.0; 2];
            sqrt(-4.0, -0.0, out.as_mut_ptr());
            assert_eq!(out, [0.0, -2.0]);
            let floor_divide: extern "C" fn(i64, i64) -> i64 =
                std::mem::transmute(address("autojit_floor_divide_i64"));
            assert_eq!(floor_divide(-7, 2), -4);
        }
    }

    #[test]
    fn sizes_are_those_of_the_rust_types() {
        assert_eq!(Kind::Complex128.size(), size_of::<Complex<f64>>());
        assert_eq!(Kind::Complex64.size(), size_of::<Complex<f32>>());
        assert_eq!(
            [Kind::Bool, Kind::Uint8, Kind::Int32, Kind::Int64].map(Kind::size),
            [1, 1, 4, 8]
        );
        assert_eq!([Kind::Float32, Kind::Float64].map(Kind::size), [4, 8]);
    }
}
