//! A file of a [`LossyDisk`], open for writing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use wharf_blob::fs::DiskFile;

use super::survivors::Node;
use super::{ENOSPC, Kind, LossyDisk, State};

pub(super) struct LossyFile {
    disk: LossyDisk,
    file: Box<dyn DiskFile>,
    /// The same file for reading, since a rename may take its name away.
    content: File,
    /// As it was called when it was opened.
    path: PathBuf,
    node: Node,
}

impl LossyFile {
    pub(super) fn new(disk: LossyDisk, file: Box<dyn DiskFile>, path: &Path, node: Node) -> io::Result<Self> {
        let content = File::open(path)?;
        let path = disk.relative(path).to_owned();
        Ok(Self { disk, file, content, path, node })
    }

    fn room(&self, state: &State, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let end = offset + bytes.len() as u64;
        let growth = end.saturating_sub(self.file.len()?);
        let free = state.capacity.saturating_sub(state.survivors.used(self.disk.path())?);
        let missing = growth.saturating_sub(free);
        let wanted = if state.is_short() { bytes.len().div_ceil(2) } else { bytes.len() };
        let fits = bytes.len().saturating_sub(usize::try_from(missing).unwrap_or(usize::MAX));
        if fits == 0 && wanted > 0 { Err(io::Error::from_raw_os_error(ENOSPC)) } else { Ok(wanted.min(fits)) }
    }
}

impl DiskFile for LossyFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.begin(Kind::Write)?;
        let room = self.room(&state, bytes, offset)?;
        let written = self.file.write_at(&bytes[..room], offset)?;
        state.record(Kind::Write, &self.path);
        Ok(written)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.begin(Kind::SetLen)?;
        self.file.set_len(len)?;
        state.record(Kind::SetLen, &self.path);
        Ok(())
    }

    /// Nothing that a test could count on.
    fn write_back(&self, _: u64, _: u64) {}

    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.begin(Kind::Len)?;
        state.record(Kind::Len, &self.path);
        self.file.len()
    }

    fn fsync(&self) -> io::Result<()> {
        let mut state = self.disk.begin(Kind::Fsync).inspect_err(|_| self.disk.state().survivors.spoil(self.node))?;
        let mut content = vec![0; usize::try_from(self.file.len()?).map_err(io::Error::other)?];
        self.content.read_exact_at(&mut content, 0)?;
        state.survivors.fsync_file(self.node, content);
        state.record(Kind::Fsync, &self.path);
        Ok(())
    }
}
