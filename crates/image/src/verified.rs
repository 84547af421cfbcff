//! Content that is compared with its name on its way.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use wharf_oci::{Algorithm, Descriptor, Digest};

use crate::error::{Error, Mismatch, Result};
use crate::hashed::Hashed;

/// Bytes moved at once.
pub(crate) const BLOCK: usize = 256 << 10;
/// As many of what may be small: a layer has thousands of files, and each block is zeroed first.
const FIRST_BLOCK: usize = 16 << 10;

/// A reader that gives exactly the content that a descriptor names, or fails before the last bytes of it: who
/// has read `size` bytes has read the right ones.
#[derive(Debug)]
pub struct Verified<R> {
    content: Hashed<R>,
    place: String,
    expected: Digest,
    size: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Reading,
    Done,
    Failed(Mismatch),
}

impl<R: Read> Verified<R> {
    /// `place` says in errors where `content` comes from: a file, and the entry in it.
    pub fn new(content: R, descriptor: &Descriptor, place: impl Into<String>) -> Self {
        let expected = descriptor.digest.clone();
        let content = Hashed::new(content, expected.algorithm());
        Self { content, place: place.into(), expected, size: descriptor.size, state: State::Reading }
    }

    /// What is wrong with all that has been read, once nothing is left of the promised size.
    fn verdict(&mut self) -> io::Result<Option<Mismatch>> {
        if read_some(self.content.inner(), &mut [0])? > 0 {
            return Ok(Some(Mismatch::Long { expected: self.size }));
        }
        let found = self.content.digest();
        Ok((found != self.expected).then(|| Mismatch::Digest { expected: self.expected.clone(), found }))
    }

    fn fail(&mut self, what: Mismatch) -> io::Error {
        let kind =
            if matches!(what, Mismatch::Short { .. }) { ErrorKind::UnexpectedEof } else { ErrorKind::InvalidData };
        self.state = State::Failed(what.clone());
        io::Error::new(kind, Error::Content { place: self.place.clone(), what })
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &self.state {
            State::Reading if buf.is_empty() => return Ok(0),
            State::Reading => {}
            State::Done => return Ok(0),
            State::Failed(what) => return Err(self.fail(what.clone())),
        }
        let left = usize::try_from(self.size - self.content.size()).unwrap_or(usize::MAX).min(buf.len());
        let read = if left == 0 { 0 } else { read_some(&mut self.content, &mut buf[..left])? };
        if self.content.size() < self.size {
            let short = Mismatch::Short { expected: self.size, found: self.content.size() };
            return if read == 0 { Err(self.fail(short)) } else { Ok(read) };
        }
        if let Some(what) = self.verdict()? {
            return Err(self.fail(what));
        }
        self.state = State::Done;
        Ok(read)
    }
}

fn read_some(reader: &mut (impl Read + ?Sized), buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buf) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Copies what `descriptor` names from `content` to `sink`, which is the file `path`. Errors unless it is exactly that.
pub(crate) fn copy_named(
    descriptor: &Descriptor,
    content: &mut dyn Read,
    sink: &mut dyn Write,
    path: &Path,
) -> Result<()> {
    let mut content = Verified::new(content, descriptor, format!("blob {}", descriptor.digest));
    copy_all(&mut content, sink, path)
}

/// Copies all of `content`, and says its SHA-256 and size.
pub(crate) fn copy_unnamed(content: &mut dyn Read, sink: &mut dyn Write, path: &Path) -> Result<(Digest, u64)> {
    let mut content = Hashed::new(content, Algorithm::Sha256);
    copy_all(&mut content, sink, path)?;
    Ok((content.digest(), content.size()))
}

/// Copies all of `content` to `sink`, which is in `path`. Errors say which of the two failed.
pub(crate) fn copy_all(content: &mut dyn Read, sink: &mut dyn Write, path: &Path) -> Result<()> {
    let mut buffer = vec![0; FIRST_BLOCK];
    loop {
        let read = read_some(content, &mut buffer).map_err(Error::incoming)?;
        if read == 0 {
            return Ok(());
        }
        sink.write_all(&buffer[..read]).map_err(Error::io("write", path))?;
        if read == buffer.len() {
            buffer.resize(BLOCK, 0);
        }
    }
}

/// Checks bytes at hand against what names them.
pub(crate) fn check(bytes: &[u8], digest: &Digest, place: impl Into<String>) -> Result<()> {
    let found = Digest::of(digest.algorithm(), bytes);
    if found == *digest {
        return Ok(());
    }
    Err(Error::Content { place: place.into(), what: Mismatch::Digest { expected: digest.clone(), found } })
}

#[cfg(test)]
mod tests;
