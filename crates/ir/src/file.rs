//! Writing files: a file is there as a whole or not at all.
//!
//! Every file that autojit writes for users goes through [`write()`]: the bytes go into a new file beside the target, are
//! flushed to the device, and the new file is renamed to the target. A process that is killed, or a device that is full,
//! leaves the old file; readers see the old bytes or the new ones, whoever else writes at the same time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Writes a file as a whole. What is there under that name is replaced once all bytes are on the device; a process that
/// is killed meanwhile leaves it as it was, and a file `.NAME.PROCESS-NUMBER.part` beside it.
///
/// Symbolic links are followed and permissions are kept. What is no file, such as a pipe, is written to.
///
/// # Errors
/// The file cannot be written (`is_file`).
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes).map_err(|e| Error::file(format!("cannot write {}: {e}", path.display())))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if before.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        // A pipe or a device has no contents to lose. Of a folder this is the error.
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let target = match before {
        Some(_) => fs::canonicalize(path)?,
        None => path.to_owned(),
    };
    let (part, mut file) = new_beside(&target)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| match &before {
            Some(metadata) => file.set_permissions(metadata.permissions()),
            None => Ok(()),
        })
        .and_then(|()| file.sync_all());
    // Some systems do not rename what is open.
    drop(file);
    let renamed = written.and_then(|()| fs::rename(&part, &target));
    if renamed.is_err() {
        // The first error says more than that of cleaning up.
        let _ = fs::remove_file(&part);
        return renamed;
    }
    sync_folder(&target)
}

/// A new file in the folder of the target, as only there a rename is one step.
fn new_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = target.file_name() else {
        let error = "the path does not end in the name of a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    };
    loop {
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        part.push(format!(".{}-{number}.part", process::id()));
        let part = target.with_file_name(part);
        // It fails if another process, of this machine or another one, has that name.
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(file) => return Ok((part, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Flushes the new name to the device.
#[cfg(unix)]
fn sync_folder(target: &Path) -> io::Result<()> {
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty());
    match File::open(folder.unwrap_or(Path::new("."))) {
        Ok(folder) => folder.sync_all(),
        // A folder that may be written but not read: the file is there.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of one test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("autojit-file-{}-{name}", process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = Folder::new("replaced");
        let path = folder.0.join("file");
        for bytes in [&b"first"[..], b"", b"third"] {
            write(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(folder.names(), ["file"]);
    }

    #[test]
    fn what_cannot_be_written_is_an_error_and_changes_nothing() {
        let folder = Folder::new("refused");
        fs::create_dir(folder.0.join("folder")).unwrap();
        for wrong in ["folder", "no/such/folder", "folder/..", ""] {
            let error = write(&folder.0.join(wrong), b"bytes").unwrap_err();
            assert!(error.is_file(), "{wrong}: {error}");
            assert!(error.to_string().starts_with("cannot write "), "{error}");
        }
        assert!(write(Path::new(""), b"bytes").unwrap_err().is_file());
        assert_eq!(folder.names(), ["folder"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = Folder::new("links");
        let (path, link) = (folder.0.join("file"), folder.0.join("link"));
        write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(folder.names(), ["file", "link"]);
    }
}
