//! Files that appear whole or not at all, and files that are read without trust in what they are.
//!
//! What is being written bears a name of its own ([`UNFINISHED`]) and a lock. A file of such a name that nobody has locked
//! was left by a process that was killed, and goes when the next one begins to write there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// How names of unfinished files begin.
pub(crate) const UNFINISHED: &str = ".wharf-";

/// Opens a file to read, with its length. Errors for what is no regular file: a pipe or a device would hang or never end.
pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(Error::io("open", path))?;
    let metadata = file.metadata().map_err(Error::io("open", path))?;
    if !metadata.is_file() {
        let reason = "it is a folder, a pipe or a device".to_owned();
        return Err(Error::NotA { path: path.to_owned(), expected: "a file", reason });
    }
    Ok((file, metadata.len()))
}

/// All of a small file.
pub(crate) fn read(path: &Path, longest: u64) -> Result<Vec<u8>> {
    let (file, _) = open(path)?;
    let mut bytes = Vec::new();
    file.take(longest + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > longest {
        let reason = format!("a file of its kind has at most {longest} bytes");
        return Err(Error::TooLarge { place: path.display().to_string(), reason });
    }
    Ok(bytes)
}

/// A part of a file, read without moving anybody else's position.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Section {
    /// `length` bytes from `offset` on, or as many as there are.
    pub(crate) fn new(file: Arc<File>, offset: u64, length: u64) -> Self {
        Self { file, offset, left: length }
    }

    pub(crate) fn whole(file: Arc<File>) -> Self {
        Self::new(file, 0, u64::MAX)
    }

    /// Bytes that are left of it.
    pub(crate) fn len(&self) -> u64 {
        self.left
    }

    /// Leaves out as many bytes as there are, of `count`; says how many that was.
    pub(crate) fn pass(&mut self, count: u64) -> io::Result<u64> {
        let there = self.file.metadata()?.len().saturating_sub(self.offset);
        let passed = count.min(self.left).min(there);
        self.offset += passed;
        self.left -= passed;
        Ok(passed)
    }
}

impl Read for Section {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        let read = self.file.read_at(&mut buf[..length], self.offset)?;
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Whether a regular file of that length is there.
pub(crate) fn has(path: &Path, size: u64) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() == size),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("look at", path)(error)),
    }
}

/// Makes a folder and its missing parents, durably.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent(path);
    make_folder(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(Error::io("make folder", path)(error)),
        Err(_) if !path.is_dir() => return Err(Error::io("make folder", path)(ErrorKind::NotADirectory.into())),
        _ => {}
    }
    sync_folder(parent)
}

/// Makes the names in a folder survive power loss.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", path))
}

/// The folder that a path lies in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// One writer in a folder at a time, across processes; ends when dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closing it unlocks")] File);

impl Lock {
    pub(crate) fn exclusive(folder: &Path) -> Result<Self> {
        Self::take(folder, FlockOperation::LockExclusive)
    }

    fn take(folder: &Path, how: FlockOperation) -> Result<Self> {
        let file = File::open(folder).map_err(Error::io("open", folder))?;
        flock(&file, how).map_err(|error| Error::io("lock", folder)(error.into()))?;
        Ok(Self(file))
    }
}

/// A file that is being written; gone when dropped.
#[derive(Debug)]
pub(crate) struct Unfinished(NamedTempFile);

impl Unfinished {
    /// Begins a file in `folder`, where it is to stay.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        Self::under(&Lock::take(folder, FlockOperation::LockShared)?, folder)
    }

    /// Begins a file in `folder`, which is locked: nobody sweeps between the file's making and its own lock.
    fn under(_no_sweep: &Lock, folder: &Path) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED).permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let file = builder.tempfile_in(folder).map_err(Error::io("write into", folder))?;
        flock(&file, FlockOperation::LockShared).map_err(|error| Error::io("lock", file.path())(error.into()))?;
        Ok(Self(file))
    }

    pub(crate) fn file(&self) -> &File {
        self.0.as_file()
    }

    /// Its name while it is unfinished.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives it its name, in place of what had that name, once its bytes are on the disk. The name itself
    /// is durable after [`sync_folder`].
    pub(crate) fn finish(self, path: &Path) -> Result<()> {
        self.0.as_file().sync_all().map_err(Error::io("sync", self.0.path()))?;
        self.0.persist(path).map(drop).map_err(|failed| Error::io("write", path)(failed.error))
    }
}

/// Writes a small file in one go, durably but for its name.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_under(&Lock::take(parent(path), FlockOperation::LockShared)?, path, bytes)
}

/// The same for who has locked the file's folder.
pub(crate) fn write_under(lock: &Lock, path: &Path, bytes: &[u8]) -> Result<()> {
    let file = Unfinished::under(lock, parent(path))?;
    file.file().write_all(bytes).map_err(Error::io("write", path))?;
    file.finish(path)
}

/// Removes what killed processes left in `folder`. A failure is no harm: the next one tries again.
pub(crate) fn sweep(folder: &Path) {
    let Ok(_alone) = Lock::take(folder, FlockOperation::NonBlockingLockExclusive) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    let unfinished = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED));
    for path in unfinished.map(|entry| entry.path()) {
        let Ok((file, _)) = open(&path) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = fs::remove_file(&path);
        }
    }
}
