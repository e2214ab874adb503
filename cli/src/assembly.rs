//! Machine code as assembly.

use std::io::{self, Write};

use autojit::KernelCode;
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

/// Prints kernels, instruction by instruction; on processors that are not x86-64 as bytes.
pub(crate) fn print(kernels: &[KernelCode], out: &mut impl Write) -> io::Result<()> {
    if kernels.is_empty() {
        return writeln!(out, "this backend has no machine code to show");
    }
    for kernel in kernels {
        writeln!(out, "{}, {} bytes", kernel.name, kernel.bytes.len())?;
        if !cfg!(target_arch = "x86_64") {
            for bytes in kernel.bytes.chunks(16) {
                let bytes: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
                writeln!(out, "    {}", bytes.join(" "))?;
            }
            continue;
        }
        let mut formatter = IntelFormatter::new();
        formatter
            .options_mut()
            .set_space_after_operand_separator(true);
        // From 0, so that the text does not depend on where the kernel lies.
        let decoder = Decoder::with_ip(64, &kernel.bytes, 0, DecoderOptions::NONE);
        for instruction in decoder {
            let mut text = String::new();
            formatter.format(&instruction, &mut text);
            writeln!(out, "    {:>5x}  {text}", instruction.ip())?;
        }
        writeln!(out)?;
    }
    Ok(())
}
