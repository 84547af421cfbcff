//! The data folder: one process at a time writes in it.
//!
//! ```text
//! wharf.db      the database           blobs/    sealed blobs        tls/   certificates made here
//! wharf.lock    held by the server     uploads/  blobs on their way  control.sock
//! ```

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};

/// The folder, held by this process until it ends.
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be, and takes it. Fails naming the process that has it.
    pub(crate) fn take(path: &Path) -> anyhow::Result<Self> {
        make(path, |folder| File::open(folder)?.sync_all())
            .with_context(|| format!("cannot make the data folder {}", path.display()))?;
        // Later renames and sockets must not depend on where the process stands.
        let path = path.canonicalize().with_context(|| format!("cannot find the data folder {}", path.display()))?;
        match lock(&path)? {
            Ok(lock) => Ok(Self { path, _lock: lock }),
            Err(pid) => bail!("another wharf (pid {pid}) serves {}; stop it, or give --data", path.display()),
        }
    }

    /// As [`DataFolder::take`], `None` when a running server has it or when there is no such folder.
    pub(crate) fn take_if_free(path: &Path) -> anyhow::Result<Option<Self>> {
        let Ok(path) = path.canonicalize() else { return Ok(None) };
        Ok(lock(&path)?.ok().map(|lock| Self { path, _lock: lock }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("wharf.db")
    }
}

/// Makes what is missing of `path` from the top down, and with `sync` each new entry durable in the folder above it:
/// a power cut must not take away the folder of what was acknowledged.
fn make(path: &Path, mut sync: impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        folder.parent().map_or(Ok(()), &mut sync)?;
    }
    if path.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// The lock, or the pid of who has it.
fn lock(folder: &Path) -> anyhow::Result<Result<File, String>> {
    let path = folder.join("wharf.lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let opened = options.open(&path);
    let mut file =
        opened.with_context(|| format!("the data folder {} cannot be written to by this user", folder.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())?;
            Ok(Ok(file))
        }
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid)?;
            Ok(Err(if pid.is_empty() { "unknown".into() } else { pid }))
        }
        Err(error) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn each_new_level_is_made_durable_in_the_one_above_and_is_for_its_owner() {
        let root = tempfile::tempdir().unwrap();
        let (top, middle) = (root.path().join("a"), root.path().join("a/b"));
        let mut synced = vec![];
        let mut record = |folder: &Path| {
            synced.push(folder.to_owned());
            Ok(())
        };
        make(&middle.join("c"), &mut record).unwrap();
        make(&middle.join("c"), &mut record).unwrap();
        assert_eq!(synced, [root.path(), &top, &middle]);
        for folder in [top, middle.clone(), middle.join("c")] {
            assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_file_is_not_a_folder_to_serve() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path().to_owned(), file.path().join("data")] {
            let refused = DataFolder::take(&path).err().unwrap();
            assert!(format!("{refused:#}").starts_with("cannot make the data folder"), "{refused:#}");
        }
    }
}
