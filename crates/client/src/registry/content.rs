//! What is pushed: content that can be read again, from any offset, when the connection or the registry failed.

use std::io::{self, Read};
use std::path::PathBuf;
use std::pin::Pin;

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
    Blocking(Box<dyn Read + Send>),
    /// From what does not.
    Async(Pin<Box<dyn AsyncRead + Send>>),
    /// From a registry, in the pieces that come.
    Blob(Box<Blob>),
}

impl Reader {
    /// A reader that blocks.
    pub fn blocking(read: impl Read + Send + 'static) -> Self {
        Self::Blocking(Box::new(read))
    }

    /// A reader that does not block.
    pub fn of(read: impl AsyncRead + Send + 'static) -> Self {
        Self::Async(Box::pin(read))
    }

    /// Some of what comes next, at most `most` bytes; none only at the end.
    pub(super) async fn take(self, most: usize) -> io::Result<(Self, Bytes)> {
        match self {
            Self::Blocking(mut read) => {
                let whole = tokio::task::spawn_blocking(move || {
                    let mut piece = Vec::with_capacity(most);
                    let limit = u64::try_from(most).unwrap_or(u64::MAX);
                    read.by_ref().take(limit).read_to_end(&mut piece)?;
                    Ok::<_, io::Error>((Self::Blocking(read), Bytes::from(piece)))
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
