//! Libraries in C that stand beside the engine as baselines: asked for like peers, installed by `scripts/setup-baselines.sh`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::progress::Progress;
use crate::workloads::xsmm;

/// All that there are.
pub(crate) const NAMES: &[&str] = &["sleef", "libxsmm"];

/// Installs a library, unless it is there.
///
/// # Errors
/// It cannot be had; in words.
pub(crate) fn install(name: &str, progress: &Progress) -> Result<(), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/setup-baselines.sh");
    progress.doing(format!("installing {name}"));
    let output = Command::new(&script)
        .arg(name)
        .output()
        .map_err(|e| format!("{}: {e}", script.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.trim().lines().last();
        return Err(line.unwrap_or("it failed and did not say why").to_owned());
    }
    // The last line is the file.
    let said = String::from_utf8_lossy(&output.stdout);
    if let (Some(file), "libxsmm") = (said.trim().lines().last(), name) {
        xsmm::set_library(PathBuf::from(file));
    }
    Ok(())
}
