//! Content that is measured and hashed on its way.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use wharf_oci::{Algorithm, Descriptor, Digest, Hasher};

use crate::error::{Error, Mismatch, Result};

/// Bytes moved at once.
pub(crate) const BLOCK: usize = 256 << 10;

/// A reader that gives exactly the content that a descriptor names, or fails before the last bytes of it: who
/// has read `size` bytes has read the right ones.
#[derive(Debug)]
pub struct Verified<R> {
    inner: R,
    place: String,
    expected: Digest,
    size: u64,
    seen: u64,
    hasher: Hasher,
    state: State,
}

#[derive(Debug)]
enum State {
    Reading,
    Done,
    Failed(Mismatch),
}

impl<R: Read> Verified<R> {
    /// `place` says in errors where `inner` comes from: a file, and the entry in it.
    pub fn new(inner: R, descriptor: &Descriptor, place: impl Into<String>) -> Self {
        let expected = descriptor.digest.clone();
        let hasher = Hasher::new(expected.algorithm());
        let place = place.into();
        Self { inner, place, expected, size: descriptor.size, seen: 0, hasher, state: State::Reading }
    }

    /// What is wrong with all that has been read, once nothing is left of the promised size.
    fn verdict(&mut self) -> io::Result<Option<Mismatch>> {
        if read_some(&mut self.inner, &mut [0])? > 0 {
            return Ok(Some(Mismatch::Long { expected: self.size }));
        }
        let found = self.hasher.digest();
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
        let left = usize::try_from(self.size - self.seen).unwrap_or(usize::MAX).min(buf.len());
        let read = if left == 0 { 0 } else { read_some(&mut self.inner, &mut buf[..left])? };
        self.hasher.update(&buf[..read]);
        self.seen += read as u64;
        if self.seen < self.size {
            let short = Mismatch::Short { expected: self.size, found: self.seen };
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
    copy(&mut content, path, |block| sink.write_all(block))
}

/// Copies all of `content`, and says its SHA-256 and size.
pub(crate) fn copy_unnamed(content: &mut dyn Read, sink: &mut dyn Write, path: &Path) -> Result<(Digest, u64)> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut size = 0;
    copy(content, path, |block| {
        hasher.update(block);
        size += block.len() as u64;
        sink.write_all(block)
    })?;
    Ok((hasher.digest(), size))
}

/// Copies all of `content` to `sink`, which is in `path`.
pub(crate) fn copy_all(content: &mut dyn Read, sink: &mut dyn Write, path: &Path) -> Result<()> {
    copy(content, path, |block| sink.write_all(block))
}

fn copy(content: &mut dyn Read, path: &Path, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> Result<()> {
    let mut buffer = vec![0; BLOCK];
    loop {
        match read_some(content, &mut buffer).map_err(Error::incoming)? {
            0 => return Ok(()),
            read => write(&buffer[..read]).map_err(Error::io("write", path))?,
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
