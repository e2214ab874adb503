//! Which kernels of graphs are made here, and that equal ones are made once.

use crate::codegen::simd::vector_code;
use crate::codegen::target::{self, avx2::Avx2, avx512::Avx512};
use crate::compile;
use autojit_ir::Graph;
use autojit_library::backend::{Executable, Limits};

fn kernels(text: &str) -> Vec<String> {
    let graph: Graph = text.parse().unwrap();
    let native = compile(&graph, &Limits::default()).unwrap();
    let lines = native.describe();
    let kernels = lines.lines().filter(|line| line.starts_with("kernel "));
    kernels.map(str::to_owned).collect()
}

/// The generator of code for this process, as `explain` names it; kernels that the target does not do are Cranelift's.
fn generator() -> String {
    match target::chosen().unwrap() {
        Ok(target) => format!("by our own emitter for {}:", target.name),
        Err(why) => format!("by Cranelift ({why})"),
    }
}

const ARITHMETIC: &str = "%a = input index=0 ty=f64[1000]\n%b = input index=1 ty=f64[1000]\n\
    %p = multiply %a %b\n%q = add %p %a\nreturn %q";
const LEADING_SUM: &str =
    "%x = input index=0 ty=f32[300,40]\n%s = sum axes=[0] keepdims=false %x\nreturn %s";
const SOFTMAX: &str = "%x = input index=0 ty=f64[30,50]\n%m = max axes=[1] keepdims=true %x\n\
    %d = subtract %x %m\n%e = exp %d\n%s = sum axes=[1] keepdims=true %e\n%r = divide %e %s\nreturn %r";
const PROJECTION: &str = "%q = input index=0 ty=c128[1,50]\n%x = input index=1 ty=c128[20,50]\n\
    %c = conj %q\n%p = multiply %c %x\n%s = sum axes=[1] keepdims=true %p\n%t = multiply %s %q\n\
    %r = subtract %x %t\nreturn %r";
const COMPARISON: &str = "%x = input index=0 ty=f64[77]\n%y = input index=1 ty=f64[77]\n%m = less %x %y\n\
    %i = astype dtype=i64 %x\n%z = astype dtype=f64 %i\n%r = where %m %z %y\nreturn %r %m";

#[test]
fn common_kernels_have_vector_code_on_any_processor() {
    for text in [ARITHMETIC, LEADING_SUM, SOFTMAX, PROJECTION, COMPARISON] {
        let graph: Graph = text.parse().unwrap();
        let native = compile(&graph, &Limits::default()).unwrap();
        assert!(!native.kernels.is_empty());
        for kernel in &native.kernels {
            let codes = [
                vector_code::<Avx512>(kernel, true).err(),
                vector_code::<Avx2>(kernel, true).err(),
            ];
            assert_eq!(codes, [None, None], "{kernel}");
        }
        // What runs here is that code, if it can.
        for kernel in kernels(text) {
            assert!(kernel.contains(&generator()), "{kernel}");
        }
    }
}

#[test]
fn what_is_left_to_cranelift_says_why() {
    let bytes = "%x = input index=0 ty=u8[100]\n%y = add %x %x\nreturn %y";
    let [kernel] = &kernels(bytes)[..] else {
        panic!("one kernel");
    };
    let why = match target::chosen().unwrap() {
        Ok(_) => "by Cranelift (uint8 has no lanes)".to_owned(),
        Err(_) => generator(),
    };
    assert!(kernel.contains(&why), "{kernel}");
}

#[test]
fn equal_kernels_are_compiled_once_in_a_process() {
    for text in [ARITHMETIC, SOFTMAX] {
        let graph: Graph = text.parse().unwrap();
        let (first, second) = (
            compile(&graph, &Limits::default()).unwrap(),
            compile(&graph, &Limits::default()).unwrap(),
        );
        let addresses = |native: &crate::executable::Native| {
            let count = kernels(text).len();
            let function = |i| native.program.code.function(i) as usize;
            (0..count).map(function).collect::<Vec<_>>()
        };
        assert_eq!(addresses(&first), addresses(&second));
    }
}
