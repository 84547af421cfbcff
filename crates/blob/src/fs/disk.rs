//! The only module that touches files: what it does not offer, the store does not do.
//!
//! The double that forgets whatever was not synced stands behind the same trait (`wharf_testkit::disk`).

use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::Advice;

use crate::Space;

/// A file system. Every path is absolute, every call may block.
pub trait Disk: Send + Sync + 'static {
    /// Makes a file that must not exist yet, readable by this user only.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file that must exist, to write to it.
    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file that must exist, to read it.
    fn open_read(&self, path: &Path) -> io::Result<File>;
    /// Moves a file to another name on the same file system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn fsync_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes one folder, for this user only; its parent must exist.
    fn mkdir(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, in no order.
    fn list_dir(&self, path: &Path) -> io::Result<Vec<OsString>>;
    /// The room on the file system that holds `path`.
    fn statvfs(&self, path: &Path) -> io::Result<Space>;
}

/// A file open for writing.
#[expect(clippy::len_without_is_empty, reason = "nobody asks")]
pub trait DiskFile: Send + Sync {
    /// Writes at `offset`, perhaps only the beginning of `bytes`; returns how many.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Cuts the file, or fills it up with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Has the disk begin with these bytes, which a later [`DiskFile::fsync`] then need not wait for. Promises nothing.
    fn write_back(&self, offset: u64, length: u64);
    /// How long the file is, in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Makes its content and length durable, not its name.
    fn fsync(&self) -> io::Result<()>;
}

/// The machine's own file systems.
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::options().write(true).create_new(true).mode(0o600).open(path)?))
    }

    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::options().write(true).open(path)?))
    }

    fn open_read(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn fsync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn mkdir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    }

    fn statvfs(&self, path: &Path) -> io::Result<Space> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(Space {
            // Not f_bfree: the blocks kept back for root are not ours.
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }
}

impl DiskFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn write_back(&self, offset: u64, length: u64) {
        // Linux begins to write what is dirty, and drops from its cache only what is written already: nothing, so soon.
        let advised = rustix::fs::fadvise(self, offset, NonZeroU64::new(length), Advice::DontNeed);
        if let Err(error) = advised {
            tracing::debug!(%error, "the disk was not told to begin with an upload");
        }
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn fsync(&self) -> io::Result<()> {
        self.sync_all()
    }
}
