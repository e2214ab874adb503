//! Machine code as assembly, and what Cranelift made it of.

use std::io::{self, Write};

use autojit::KernelCode;
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

/// The parts of each kernel that are printed.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) code: bool,
    pub(crate) clif: bool,
}

/// Prints kernels, instruction by instruction; on processors that are not x86-64 as bytes.
pub(crate) fn print(kernels: &[KernelCode], parts: Parts, out: &mut impl Write) -> io::Result<()> {
    if kernels.is_empty() {
        return writeln!(out, "this backend has no machine code to show");
    }
    for kernel in kernels {
        writeln!(out, "{}, {} bytes", kernel.name, kernel.bytes.len())?;
        match &kernel.clif {
            Some(clif) if parts.clif => {
                for line in clif.lines() {
                    writeln!(out, "    {line}")?;
                }
                writeln!(out)?;
            }
            None if parts.clif => writeln!(out, "    not made by Cranelift")?,
            _ => {}
        }
        if !parts.code {
            continue;
        }
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
