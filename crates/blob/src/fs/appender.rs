//! Bytes on their way into an upload: one block is written and hashed while the next one is received.
//!
//! At most one job runs per appender, so an upload holds two blocks and the piece that overflowed one, however fast
//! its client is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::task::{JoinHandle, spawn_blocking};

use super::turns::Ticket;
use super::{BLOCK, DiskFile, ended};
use crate::{Appender, Checkpoint, Error, Result};

/// Pieces below this many bytes are copied together: kept apart, their bookkeeping and the larger buffers they are cut
/// from would outweigh them, and each would cost a write.
const SMALL: usize = 4096;
/// Bytes that the disk is given at a time while more are received: the sync at the end would wait for all of them, and
/// other files' syncs with it.
const SPAN: u64 = 8 << 20;

pub(super) struct FileAppender {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    ticket: Ticket,
    buffer: Buffer,
    progress: Progress,
}

enum Progress {
    /// Everything up to here is written.
    At(Checkpoint),
    /// A job brings it further.
    Job(JoinHandle<Result<Checkpoint>>),
    /// What the file holds is uncertain, so nothing may be added.
    Failed(Error),
}

impl FileAppender {
    pub(super) fn new(file: Box<dyn DiskFile>, path: PathBuf, ticket: Ticket, from: Checkpoint) -> Self {
        Self { file: file.into(), path, ticket, buffer: Buffer::default(), progress: Progress::At(from) }
    }

    /// Waits for the job under way. May be cancelled: the job stays to be waited for.
    async fn settle(&mut self) -> Result<Checkpoint> {
        if let Progress::Job(job) = &mut self.progress {
            let result = job.await.unwrap_or_else(|error| Err(ended(&self.path, error)));
            self.progress = result.map_or_else(Progress::Failed, Progress::At);
        }
        match &self.progress {
            Progress::At(checkpoint) => Ok(checkpoint.clone()),
            Progress::Failed(error) => Err(error.share()),
            Progress::Job(_) => Err(Error::io("write", &self.path, io::Error::other("a job was not waited for"))),
        }
    }

    /// Starts to write what is buffered, after what was written before.
    async fn flush(&mut self) -> Result<()> {
        let mut at = self.settle().await?;
        let turn = match self.ticket.turn().await {
            Ok(turn) => turn,
            Err(error) => {
                self.progress = Progress::Failed(error.share());
                return Err(error);
            }
        };
        let (file, path, pieces) = (Arc::clone(&self.file), self.path.clone(), self.buffer.take());
        self.progress = Progress::Job(spawn_blocking(move || {
            let _turn = turn;
            let from = at.offset;
            for piece in pieces {
                write_all(&*file, &path, &piece, at.offset)?;
                at.hasher.update(&piece);
                at.offset += piece.len() as u64;
            }
            let (first, last) = (from - from % SPAN, at.offset - at.offset % SPAN);
            if first < last {
                file.write_back(first, last - first);
            }
            Ok(at)
        }));
        Ok(())
    }
}

#[async_trait]
impl Appender for FileAppender {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if let Progress::Failed(error) = &self.progress {
            return Err(error.share());
        }
        self.buffer.push(bytes);
        if self.buffer.len < BLOCK { Ok(()) } else { self.flush().await }
    }

    async fn checkpoint(&mut self) -> Result<Checkpoint> {
        if self.buffer.len > 0 {
            self.flush().await?;
        }
        self.settle().await
    }
}

fn write_all(file: &dyn DiskFile, path: &Path, mut bytes: &[u8], mut offset: u64) -> Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(Error::io("write", path, io::ErrorKind::WriteZero.into())),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("write", path, error)),
        }
    }
    Ok(())
}

/// What was received and not yet handed to a job.
#[derive(Default)]
struct Buffer {
    pieces: Vec<Bytes>,
    /// The small pieces since the last large one.
    small: BytesMut,
    len: usize,
}

impl Buffer {
    fn push(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        if bytes.len() < SMALL {
            self.small.extend_from_slice(&bytes);
        } else {
            self.end_small();
            self.pieces.push(bytes);
        }
    }

    fn end_small(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push(self.small.split().freeze());
        }
    }

    fn take(&mut self) -> Vec<Bytes> {
        self.end_small();
        self.len = 0;
        std::mem::take(&mut self.pieces)
    }
}
