//! Content that is hashed and measured while it is read.

use std::io::{self, Read};

use wharf_oci::{Algorithm, Digest, Hasher};

/// Gives what `R` gives, and knows what that was.
#[derive(Debug)]
pub(crate) struct Hashed<R> {
    inner: R,
    hasher: Hasher,
    size: u64,
}

impl<R: Read> Hashed<R> {
    pub(crate) fn new(inner: R, algorithm: Algorithm) -> Self {
        Self { inner, hasher: Hasher::new(algorithm), size: 0 }
    }

    /// Of all that has been read.
    pub(crate) fn digest(&self) -> Digest {
        self.hasher.digest()
    }

    /// Bytes that have been read.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// What is read from it directly is neither hashed nor counted.
    pub(crate) fn inner(&mut self) -> &mut R {
        &mut self.inner
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.hasher.update(&buf[..read]);
        self.size += read as u64;
        Ok(read)
    }
}
