//! Files that are there whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::TlsError;

/// For what everybody may read.
pub(super) const PUBLIC: u32 = 0o644;
/// For private keys.
pub(super) const PRIVATE: u32 = 0o600;

/// Writes `path` by way of a temporary file: a crash leaves the old content or the new, on the disk.
pub(super) fn write(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), TlsError> {
    try_write(path, mode, bytes).map_err(|source| TlsError::Write { path: path.into(), source })
}

fn try_write(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    // Left by a crash, perhaps with another mode: `create_new` below makes it ours alone.
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Makes the folder, and its entry in the one above durable.
pub(super) fn make_folder(path: &Path) -> Result<(), TlsError> {
    let make = || {
        DirBuilder::new().recursive(true).mode(0o755).create(path)?;
        path.parent().map_or(Ok(()), |above| File::open(above)?.sync_all())
    };
    make().map_err(|source| TlsError::Write { path: path.into(), source })
}
