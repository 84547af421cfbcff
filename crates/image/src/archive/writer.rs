//! A tar file that several threads write at once: each blob gets its place when it begins, and headers are written when all
//! is there, since only then it is known what is what. The file has its name after that.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wharf_oci::{Descriptor, Digest};

use crate::error::{Error, Result};
use crate::output::Output;
use crate::tar::{self, Entry, TreePath};
use crate::temporary::Temporary;
use crate::verified;

const BLOCK: u64 = 512;

#[derive(Clone, Copy, Debug)]
struct Place {
    header: u64,
    content: u64,
    size: u64,
}

#[derive(Debug, Default)]
struct State {
    end: u64,
    /// What is there.
    blobs: HashMap<Digest, Place>,
    /// What was begun; its bytes are worth nothing.
    begun: HashMap<Digest, Place>,
}

/// An archive that is being written; gone when dropped.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    file: Output,
    temporary: Temporary,
    state: Mutex<State>,
}

/// Writes to a place in a file without moving anybody else's position.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Write for At<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(buf, self.offset)?;
        self.offset += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writer {
    /// What cannot be written out of order goes through a file in `temporary`.
    pub(super) fn new(path: &Path, temporary: &Temporary) -> Result<Self> {
        let file = Output::new(path, temporary)?;
        Ok(Self { path: path.to_owned(), file, temporary: temporary.clone(), state: Mutex::default() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn has(&self, digest: &Digest, size: u64) -> bool {
        self.state().blobs.get(digest).is_some_and(|place| place.size == size)
    }

    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.state().blobs.contains_key(digest)
    }

    pub(super) fn put(&self, descriptor: &Descriptor, content: &mut dyn Read) -> Result<()> {
        let Some(place) = self.begin(&descriptor.digest, descriptor.size)? else { return Ok(()) };
        let mut sink = At { file: self.file.file(), offset: place.content };
        verified::copy_named(descriptor, content, &mut sink, &self.path)?;
        let mut state = self.state();
        state.begun.remove(&descriptor.digest);
        state.blobs.insert(descriptor.digest.clone(), place);
        Ok(())
    }

    /// The size must be known before the place: such content takes the way over a file without a name.
    pub(super) fn put_unnamed(&self, content: &mut dyn Read) -> Result<(Digest, u64)> {
        let mut spool = self.temporary.file()?;
        let (digest, size) = verified::copy_unnamed(content, &mut spool, self.temporary.path())?;
        io::Seek::rewind(&mut spool).map_err(Error::io("read", self.temporary.path()))?;
        self.put(&Descriptor::new("", digest.clone(), size), &mut spool)?;
        Ok((digest, size))
    }

    /// A place for a blob; the one it had, where it was begun before and failed. `None`: it is there.
    fn begin(&self, digest: &Digest, size: u64) -> Result<Option<Place>> {
        let mut state = self.state();
        if state.blobs.get(digest).is_some_and(|place| place.size == size) {
            return Ok(None);
        }
        if let Some(place) = state.begun.get(digest).filter(|place| place.size == size) {
            return Ok(Some(*place));
        }
        // The name that it will have is longer than its digest, by too little to need another header.
        let header = state.end;
        let content = header + head(digest.hex(), size)?.len() as u64;
        let place = Place { header, content, size };
        state.end = content + size.next_multiple_of(BLOCK);
        state.begun.insert(digest.clone(), place);
        Ok(Some(place))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names what was put, adds small `files`, and gives the archive its name.
    pub(super) fn finish(self, name: impl Fn(&Digest) -> String, files: &[(&str, Vec<u8>)]) -> Result<()> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = state.begun.keys().next() {
            return Err(Error::Missing { path: self.path, digest: digest.clone() });
        }
        let file = self.file.file();
        let write =
            |offset: u64, bytes: &[u8]| file.write_all_at(bytes, offset).map_err(Error::io("write", &self.path));
        for (digest, place) in &state.blobs {
            write(place.header, &head(&name(digest), place.size)?)?;
        }
        let mut end = state.end;
        for (name, bytes) in files {
            let size = bytes.len() as u64;
            let content = [head(name, size)?.as_slice(), bytes].concat();
            write(end, &content)?;
            end += (content.len() as u64).next_multiple_of(BLOCK);
        }
        // Two blocks of zeros are the end mark.
        file.set_len(end + 2 * BLOCK).map_err(Error::io("write", &self.path))?;
        self.file.finish()
    }
}

/// What stands before a file's content.
fn head(name: &str, size: u64) -> Result<Vec<u8>> {
    let path = TreePath::parse(name.as_bytes())
        .map_err(|reason| Error::Damaged { place: format!("the archive's entry {name}"), reason })?;
    Ok(tar::head(&Entry::file(path, size)))
}
