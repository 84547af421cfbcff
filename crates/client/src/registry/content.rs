//! What is pushed: content that can be read again, from any offset, when the connection or the registry failed.

use std::io::{self, Read};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::Blob;

/// Content that can be opened more than once, and is the same each time.
#[async_trait]
pub trait Content: Send + Sync {
    /// Reads it from `offset`, in bytes, to its end.
    async fn open(&self, offset: u64) -> io::Result<Reader>;
}

/// Content being read.
pub enum Reader {
    /// From what blocks: files, decompressors. It is read on threads that may be blocked.
    Blocking(Blocking),
    /// From what does not.
    Async(Pin<Box<dyn AsyncRead + Send>>),
    /// From a registry, in the pieces that come.
    Blob(Box<Blob>),
}

impl Reader {
    /// A reader that blocks.
    pub fn blocking(read: impl Read + Send + 'static) -> Self {
        Self::Blocking(Blocking { read: Box::new(read), buffers: Buffers::default() })
    }

    /// A reader that does not block.
    pub fn of(read: impl AsyncRead + Send + 'static) -> Self {
        Self::Async(Box::pin(read))
    }

    /// Some of what comes next, at most `most` bytes; none only at the end.
    pub(super) async fn take(self, most: usize) -> io::Result<(Self, Bytes)> {
        match self {
            Self::Blocking(mut blocking) => {
                let whole = tokio::task::spawn_blocking(move || {
                    let piece = blocking.piece(most)?;
                    Ok::<_, io::Error>((Self::Blocking(blocking), piece))
                });
                whole.await.map_err(io::Error::other)?
            }
            Self::Async(mut read) => {
                let mut piece = BytesMut::with_capacity(most);
                while piece.len() < most
                    && (&mut read).take((most - piece.len()) as u64).read_buf(&mut piece).await? > 0
                {}
                Ok((Self::Async(read), piece.freeze()))
            }
            Self::Blob(mut blob) => {
                let piece = blob.next_of(most).await.map_err(io::Error::other)?.unwrap_or_default();
                Ok((Self::Blob(blob), piece))
            }
        }
    }

    /// Passes over the next `count` bytes. Fails when there are fewer.
    pub async fn skip(mut self, mut count: u64) -> io::Result<Self> {
        while count > 0 {
            let most = usize::try_from(count).unwrap_or(usize::MAX).min(1 << 20);
            let (rest, piece) = self.take(most).await?;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            count -= piece.len() as u64;
            self = rest;
        }
        Ok(self)
    }
}

/// What blocks, and the memory that it is read into.
pub struct Blocking {
    read: Box<dyn Read + Send>,
    buffers: Buffers,
}

impl Blocking {
    fn piece(&mut self, most: usize) -> io::Result<Bytes> {
        let mut lent = self.buffers.lend(most);
        while lent.length < most {
            match self.read.read(&mut lent.buffer[lent.length..most]) {
                Ok(0) => break,
                Ok(length) => lent.length += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if lent.length == 0 { Bytes::new() } else { Bytes::from_owner(lent) })
    }
}

/// Memory that goes round: to have the kernel give new pages for each piece costs about what sending it does.
#[derive(Clone, Default)]
struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// More than are on their way at once; a chunk that is held in memory has more, for a while.
const KEPT: usize = 8;

impl Buffers {
    /// At least `most` bytes, none of them in use.
    fn lend(&self, most: usize) -> Lent {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let buffer = kept.filter(|buffer| buffer.len() >= most).unwrap_or_else(|| vec![0; most]);
        Lent { buffer, length: 0, home: self.clone() }
    }
}

/// A buffer with `length` bytes in it, which goes home when nobody holds them any more.
struct Lent {
    buffer: Vec<u8>,
    length: usize,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[async_trait]
impl Content for Bytes {
    async fn open(&self, offset: u64) -> io::Result<Reader> {
        let at = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        Ok(Reader::of(io::Cursor::new(self.slice(at..))))
    }
}

/// A file's content.
#[async_trait]
impl Content for PathBuf {
    async fn open(&self, offset: u64) -> io::Result<Reader> {
        let path = self.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::File::open(path)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
            Ok::<_, io::Error>(Reader::blocking(file))
        });
        opened.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_piece_keeps_its_bytes_and_its_memory_is_used_again() {
        let mut reader = Reader::blocking(io::Cursor::new(b"abcdefgh".repeat(2)));
        let (mut held, mut places) = (vec![], std::collections::BTreeSet::new());
        for most in [4, 3, 4, 4, 4] {
            let (rest, piece) = reader.take(most).await.unwrap();
            places.insert(piece.as_ptr());
            held.push(piece);
            reader = rest;
        }
        assert_eq!(held.concat(), b"abcdefgh".repeat(2));
        assert_eq!((held[4].len(), places.len()), (1, 5), "what is held is not written to");
        drop(held);
        let Reader::Blocking(blocking) = &reader else { unreachable!() };
        assert!(places.contains(&blocking.buffers.lend(4).buffer.as_ptr()));
    }
}
