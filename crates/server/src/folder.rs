//! The data folder: one process at a time writes in it.
//!
//! ```text
//! wharf.db      the database           blobs/    sealed blobs        tls/   certificates made here
//! wharf.lock    held by the server     uploads/  blobs on their way  control.sock
//! ```

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
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
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("cannot make the data folder {}", path.display()))?;
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

/// The lock, or the pid of who has it.
fn lock(folder: &Path) -> anyhow::Result<Result<File, String>> {
    let path = folder.join("wharf.lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&path).with_context(|| format!("cannot open {}", path.display()))?;
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
