//! A disk that forgets: what was not synced is gone after [`LossyDisk::crash`].
//!
//! It keeps the strictest promise POSIX makes. A file has the content of its last fsync, a folder the names of its
//! last fsync, and a rename is two names in two folders. A file whose name survives and whose content was never synced
//! is there and empty. After a failed fsync the content counts as lost, even when a later fsync succeeds.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use wharf_blob::Space;
use wharf_blob::fs::{Disk, DiskFile, RealDisk};

mod file;
mod survivors;

use file::LossyFile;
use survivors::Survivors;

/// What the kernel says of a broken disk.
pub const EIO: i32 = 5;
/// What it says of a full one.
pub const ENOSPC: i32 = 28;
/// What it says of a used-up quota.
pub const EDQUOT: i32 = 122;

/// What was done to the disk, or what somebody else noted between two such things. Paths are relative to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// What was done.
    pub kind: Kind,
    /// To which file or folder; for a rename the new name, for a note its text.
    pub path: PathBuf,
}

/// The kinds of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are the methods of `Disk` and `DiskFile`")]
pub enum Kind {
    CreateNew,
    OpenWrite,
    OpenRead,
    Rename,
    FsyncDir,
    Mkdir,
    Remove,
    List,
    Statvfs,
    Write,
    SetLen,
    Len,
    Fsync,
    /// Not an operation: [`LossyDisk::note`].
    Note,
}

/// Which operations go wrong.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// The n-th from when the disk was made, counting from 0.
    At(usize),
    /// All of a kind.
    Each(Kind),
}

/// How they go wrong.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// Nothing happens, and this error number is returned.
    Errno(i32),
    /// A write takes only half of its bytes (at least one).
    Short,
    /// It takes this long.
    Delay(Duration),
}

/// The disk. Clones are handles to the same one.
#[derive(Clone)]
pub struct LossyDisk(Arc<Inner>);

struct Inner {
    root: TempDir,
    state: Mutex<State>,
}

struct State {
    survivors: Survivors,
    ops: Vec<Op>,
    /// Operations so far, those that failed included.
    count: usize,
    faults: Vec<(When, Then)>,
    stop_at: usize,
    capacity: u64,
}

impl LossyDisk {
    /// An empty disk.
    pub fn new() -> io::Result<Self> {
        Ok(Self::with(tempfile::tempdir()?, Survivors::new()))
    }

    fn with(root: TempDir, survivors: Survivors) -> Self {
        let (stop_at, capacity) = (usize::MAX, 1 << 40);
        let state = State { survivors, ops: Vec::new(), count: 0, faults: Vec::new(), stop_at, capacity };
        Self(Arc::new(Inner { root, state: Mutex::new(state) }))
    }

    /// Where the disk is mounted: the top folder, which is there and durable.
    pub fn path(&self) -> &Path {
        self.0.root.path()
    }

    /// The disk as it is after a power cut now. This one goes on as if nothing had happened.
    pub fn crash(&self) -> io::Result<Self> {
        let root = tempfile::tempdir()?;
        self.state().survivors.write_to(root.path())?;
        let survivors = Survivors::of(root.path())?;
        Ok(Self::with(root, survivors))
    }

    /// Lets `operations` more operations through, then stops: each later one fails without effect. Followed by
    /// [`LossyDisk::crash`] that is a power cut, followed by [`LossyDisk::resume`] the process was killed there.
    pub fn stop_after(&self, operations: usize) {
        let mut state = self.state();
        state.stop_at = state.count + operations;
    }

    /// Lets operations through again.
    pub fn resume(&self) {
        self.state().stop_at = usize::MAX;
    }

    /// Lets operations go wrong from now on.
    pub fn inject(&self, when: When, then: Then) {
        self.state().faults.push((when, then));
    }

    /// Ends what [`LossyDisk::inject`] began.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Makes the disk this small, in bytes of file content.
    pub fn set_capacity(&self, bytes: u64) {
        self.state().capacity = bytes;
    }

    /// Adds somebody else's event (a database commit, an answer) to the list of operations.
    pub fn note(&self, text: &str) {
        self.state().record(Kind::Note, Path::new(text));
    }

    /// What succeeded so far, in order, and the notes between.
    pub fn ops(&self) -> Vec<Op> {
        self.state().ops.clone()
    }

    /// Operations so far, those that failed included.
    pub fn count(&self) -> usize {
        self.state().count
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(self.path()).unwrap_or(path)
    }

    /// Begins an operation; its effect must be over before the guard goes, so that `ops` has them in their true order.
    fn begin(&self, kind: Kind) -> io::Result<MutexGuard<'_, State>> {
        let delay = self.state().delay(kind);
        if let Some(delay) = delay {
            std::thread::sleep(delay);
        }
        let mut state = self.state();
        state.count += 1;
        let errno = if state.count > state.stop_at { Some(EIO) } else { state.errno(kind) };
        errno.map_or(Ok(state), |errno| Err(io::Error::from_raw_os_error(errno)))
    }
}

impl State {
    fn record(&mut self, kind: Kind, path: &Path) {
        self.ops.push(Op { kind, path: path.to_owned() });
    }

    fn matching(&self, kind: Kind, number: usize) -> impl Iterator<Item = Then> {
        let applies = move |when: &When| match *when {
            When::At(at) => at == number,
            When::Each(each) => each == kind,
        };
        self.faults.iter().filter(move |(when, _)| applies(when)).map(|&(_, then)| then)
    }

    fn delay(&self, kind: Kind) -> Option<Duration> {
        self.matching(kind, self.count).find_map(|then| if let Then::Delay(delay) = then { Some(delay) } else { None })
    }

    /// Of the operation that was just counted.
    fn errno(&self, kind: Kind) -> Option<i32> {
        self.matching(kind, self.count - 1).find_map(|then| if let Then::Errno(no) = then { Some(no) } else { None })
    }

    fn is_short(&self) -> bool {
        self.matching(Kind::Write, self.count - 1).any(|then| matches!(then, Then::Short))
    }
}

impl Disk for LossyDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.begin(Kind::CreateNew)?;
        let file = RealDisk.create_new(path)?;
        let relative = self.relative(path);
        let node = state.survivors.create_file(relative);
        state.record(Kind::CreateNew, relative);
        Ok(Box::new(LossyFile::new(self.clone(), file, path, node)?))
    }

    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.begin(Kind::OpenWrite)?;
        let file = RealDisk.open_write(path)?;
        let relative = self.relative(path);
        let node = state.survivors.node(relative).ok_or(io::ErrorKind::NotFound)?;
        state.record(Kind::OpenWrite, relative);
        Ok(Box::new(LossyFile::new(self.clone(), file, path, node)?))
    }

    fn open_read(&self, path: &Path) -> io::Result<File> {
        let mut state = self.begin(Kind::OpenRead)?;
        let file = RealDisk.open_read(path)?;
        state.record(Kind::OpenRead, self.relative(path));
        Ok(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.begin(Kind::Rename)?;
        RealDisk.rename(from, to)?;
        let to = self.relative(to);
        state.survivors.rename(self.relative(from), to);
        state.record(Kind::Rename, to);
        Ok(())
    }

    fn fsync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(Kind::FsyncDir)?;
        RealDisk.fsync_dir(path)?;
        let path = self.relative(path);
        state.survivors.fsync_folder(path);
        state.record(Kind::FsyncDir, path);
        Ok(())
    }

    fn mkdir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(Kind::Mkdir)?;
        RealDisk.mkdir(path)?;
        let path = self.relative(path);
        state.survivors.create_folder(path);
        state.record(Kind::Mkdir, path);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(Kind::Remove)?;
        RealDisk.remove_file(path)?;
        let path = self.relative(path);
        state.survivors.remove(path);
        state.record(Kind::Remove, path);
        Ok(())
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let mut state = self.begin(Kind::List)?;
        state.record(Kind::List, self.relative(path));
        RealDisk.list_dir(path)
    }

    fn statvfs(&self, path: &Path) -> io::Result<Space> {
        let mut state = self.begin(Kind::Statvfs)?;
        state.record(Kind::Statvfs, self.relative(path));
        let total = state.capacity;
        Ok(Space { free: total.saturating_sub(state.survivors.used(self.path())?), total })
    }
}

#[cfg(test)]
mod tests;
