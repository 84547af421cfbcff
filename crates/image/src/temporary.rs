//! Where data lies that is needed for a while: whole images, so that it must be a disk and not memory.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;
use wharf_oci::Digest;

use crate::compress::{Compression, Compressor, Summary};
use crate::disk::{Lock, UNFINISHED};
use crate::error::{Error, Result};
use crate::verified;

/// A folder that others may write into too, as `/var/tmp` is one.
#[derive(Clone, Debug)]
pub struct Temporary(PathBuf);

impl Temporary {
    /// In `folder`, which is there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file without a name: its room is free again when it is closed, however that comes.
    pub fn file(&self) -> Result<File> {
        tempfile::tempfile_in(&self.0).map_err(Error::io("write a temporary file in", &self.0))
    }

    /// All of `content`, compressed on every core, in a file without a name.
    pub(crate) fn compressed(&self, content: impl Read, compression: Compression) -> Result<Spooled> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut compressor = Compressor::new(content, compression, threads).map_err(Error::incoming)?;
        let mut file = self.file()?;
        let (digest, size) = verified::copy_unnamed(&mut compressor, &mut file, &self.0)?;
        let content = compressor.summary().ok_or_else(|| Error::Incoming(io::ErrorKind::UnexpectedEof.into()))?;
        Ok(Spooled { digest, size, content, file })
    }

    /// A folder that nobody else looks into; gone when dropped. Those that killed processes of the same person left go
    /// before it is made.
    pub fn folder(&self) -> Result<TemporaryFolder> {
        match self.own() {
            Some(own) => TemporaryFolder::swept(&own),
            None => TemporaryFolder::new(&self.0),
        }
    }

    /// One person's part of it, where sweeping takes nothing of anybody else's and nobody else can hold a lock. `None`
    /// where something else has its name.
    fn own(&self) -> Option<PathBuf> {
        let uid = rustix::process::geteuid().as_raw();
        let own = self.0.join(format!("wharf-{uid}"));
        // That it is there is usual; any other failure shows at once.
        let _ = DirBuilder::new().mode(0o700).create(&own);
        let found = fs::symlink_metadata(&own).ok()?;
        (found.is_dir() && found.uid() == uid && found.mode() & 0o777 == 0o700).then_some(own)
    }
}

/// What was compressed, in a file without a name.
pub(crate) struct Spooled {
    pub(crate) digest: Digest,
    /// In bytes.
    pub(crate) size: u64,
    /// What it unpacks to.
    pub(crate) content: Summary,
    pub(crate) file: File,
}

/// A folder that goes with who made it. It is locked as long, so that others see that it is in use.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: TempDir,
    _lock: File,
}

impl TemporaryFolder {
    fn new(parent: &Path) -> Result<Self> {
        let only_mine = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(UNFINISHED).permissions(only_mine).tempdir_in(parent);
        let folder = folder.map_err(Error::io("make a folder in", parent))?;
        let lock = File::open(folder.path()).map_err(Error::io("open", folder.path()))?;
        flock(&lock, FlockOperation::LockShared).map_err(|error| Error::io("lock", folder.path())(error.into()))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Removes those that killed processes left in `parent`, and makes one there.
    pub(crate) fn swept(parent: &Path) -> Result<Self> {
        let _alone = Lock::exclusive(parent)?;
        sweep(parent);
        Self::new(parent)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The caller has locked `parent`: nobody makes a folder there that has no lock yet.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let Ok(folder) = File::open(entry.path()) else { continue };
        if flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // A failure is no harm: the next one tries again.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_a_killed_process_left_goes_and_what_is_in_use_stays() {
        let parent = tempfile::tempdir().unwrap();
        let temporary = Temporary::new(parent.path());
        let used = temporary.folder().unwrap();
        fs::write(used.path().join("a"), "1").unwrap();
        let left = used.path().parent().unwrap().join(format!("{UNFINISHED}left"));
        fs::create_dir(&left).unwrap();
        fs::write(left.join("layer"), "2").unwrap();
        let other = temporary.folder().unwrap();
        assert!(used.path().join("a").exists() && other.path().exists() && !left.exists());
        let path = used.path().to_owned();
        drop(used);
        assert!(!path.exists());
    }

    #[test]
    fn nobody_else_sees_into_it_and_what_others_put_in_its_place_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let temporary = Temporary::new(parent.path());
        let own = temporary.own().unwrap();
        assert_eq!(fs::metadata(&own).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(temporary.own(), None);
        fs::remove_dir(&own).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let bystander = elsewhere.path().join(format!("{UNFINISHED}x"));
        fs::create_dir(&bystander).unwrap();
        symlink(elsewhere.path(), &own).unwrap();
        let folder = temporary.folder().unwrap();
        assert_eq!((folder.path().parent().unwrap(), bystander.exists()), (parent.path(), true));
        assert_eq!(fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o700);
    }
}
