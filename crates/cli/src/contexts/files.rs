//! Small JSON files that several processes change and that must not be lost.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::output::note;
use crate::{Error, Result};

/// Keeps other processes from changing the files of `folder`, which is made, until it is dropped.
pub(super) fn lock(folder: &Path) -> Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::file(folder))?;
    let path = folder.join(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(Error::file(&path))?;
    flock(&file, FlockOperation::LockExclusive).map_err(|error| Error::file(&path)(error.into()))?;
    Ok(file)
}

/// What is in it; the default if there is no file.
pub(super) fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(Error::file(path)(error)),
    };
    // serde's words may quote the text, in which there are secrets.
    serde_json::from_slice(&text).map_err(|error| {
        let (path, line) = (path.display(), error.line());
        Error::Failed(format!(
            "{path} cannot be read as JSON (line {line}): repair it, or move it away and sign in again"
        ))
    })
}

/// Replaces it, durably, readable by its owner alone. Where a link is, what it points at is replaced.
pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| Error::Failed(error.to_string()))?;
    text.push(b'\n');
    let new = beside(path);
    let outcome = write_new(&new, &text).and_then(|()| fs::rename(&new, path)).and_then(|()| sync_folder(path));
    if outcome.is_err() {
        // It was not taken into use: what is left of it is nobody's.
        drop(fs::remove_file(&new));
    }
    outcome.map_err(Error::file(path))
}

/// Under the lock there is one writer, so what is there was left by one that was cut.
fn write_new(path: &Path, text: &[u8]) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Tells its owner when others can read it, as a copied home folder may have it.
pub(super) fn warn_if_readable(path: &Path) {
    let is_open = fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0);
    if is_open {
        let path = path.display();
        note(&format!("wharf: others on this machine can read {path}: chmod 600 {path}"));
    }
}
