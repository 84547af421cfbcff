//! The bytes of one blob on their way, between tasks that wait for the network and threads that wait for disks.
//!
//! What ends early ends as an error on the other side, never as an end: a blob that was cut is not taken for whole.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use tokio::sync::mpsc;

use crate::{Error, Result};

/// Bytes handed over at once.
const BLOCK: usize = 256 * 1024;
/// Blocks that wait for the other side.
const WAITING: usize = 8;

/// What is read, from either side.
pub(crate) enum Stream {
    /// Waits in tasks.
    Remote(Box<dyn AsyncRead + Send + Unpin>),
    /// Blocks its thread.
    Local(Box<dyn Read + Send>),
}

impl Stream {
    /// For a thread that may block. Ends with an error once the task that called this is gone.
    pub(crate) fn blocking(self) -> Box<dyn Read + Send> {
        match self {
            Self::Local(content) => content,
            Self::Remote(content) => {
                let (blocks, rest) = mpsc::channel(WAITING);
                tokio::spawn(pump_remote(content, blocks));
                Box::new(Received::new(rest))
            }
        }
    }

    /// For tasks.
    pub(crate) fn waiting(self) -> Box<dyn AsyncRead + Send + Unpin> {
        match self {
            Self::Remote(content) => content,
            Self::Local(content) => {
                let (blocks, rest) = mpsc::channel(WAITING);
                tokio::task::spawn_blocking(move || pump_local(content, &blocks));
                Box::new(Received::new(rest))
            }
        }
    }

    /// Tells `see` how many bytes were read in all, each time some were; ends once `stop` is set.
    pub(crate) fn seen(self, stop: Stop, see: impl Fn(u64) + Send + Unpin + 'static) -> Self {
        match self {
            Self::Remote(content) => Self::Remote(Box::new(Seen { content, stop, see, read: 0 })),
            Self::Local(content) => Self::Local(Box::new(Seen { content, stop, see, read: 0 })),
        }
    }
}

/// Ends the threads of a piece of work that was given up: dropping a future does not reach them.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Sets it when it is dropped.
    pub(crate) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(given_up()) } else { Ok(()) }
    }
}

/// See [`Stop::on_drop`].
pub(crate) struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

fn given_up() -> io::Error {
    io::Error::other("given up before its end")
}

async fn pump_remote(mut content: Box<dyn AsyncRead + Send + Unpin>, blocks: mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut block = bytes::BytesMut::with_capacity(BLOCK);
        // Whoever reads may have gone: then nobody waits for what comes.
        let read = tokio::select! {
            read = fill(&mut content, &mut block) => read,
            () = blocks.closed() => return,
        };
        let is_end = !matches!(read, Ok(1..));
        if blocks.send(read.map(|_| block.freeze())).await.is_err() || is_end {
            return;
        }
    }
}

/// Many reads of a few KiB each would cost a hand-over each.
async fn fill(content: &mut (dyn AsyncRead + Send + Unpin), block: &mut bytes::BytesMut) -> io::Result<usize> {
    while block.len() < BLOCK {
        if content.read_buf(&mut *block).await? == 0 {
            break;
        }
    }
    Ok(block.len())
}

fn pump_local(mut content: Box<dyn Read + Send>, blocks: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut block = vec![0; BLOCK];
        let read = read_full(&mut content, &mut block);
        let is_end = !matches!(read, Ok(1..));
        let read = read.map(|length| {
            block.truncate(length);
            Bytes::from(block)
        });
        if blocks.blocking_send(read).is_err() || is_end {
            return;
        }
    }
}

fn read_full(content: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match content.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// What the other side reads. An empty block is the end; a channel that closes without one was cut.
struct Received {
    blocks: mpsc::Receiver<io::Result<Bytes>>,
    block: Bytes,
    ended: bool,
}

impl Received {
    fn new(blocks: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self { blocks, block: Bytes::new(), ended: false }
    }

    fn accept(&mut self, next: Option<io::Result<Bytes>>) -> io::Result<()> {
        self.block = next.unwrap_or_else(|| Err(given_up()))?;
        self.ended = self.block.is_empty();
        Ok(())
    }

    fn is_dry(&self) -> bool {
        self.block.is_empty() && !self.ended
    }
}

impl Read for Received {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_dry() {
            let next = self.blocks.blocking_recv();
            self.accept(next)?;
        }
        let length = buffer.len().min(self.block.len());
        self.block.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

impl AsyncRead for Received {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_dry() {
            let next = ready!(self.blocks.poll_recv(cx));
            self.accept(next)?;
        }
        let length = buffer.remaining().min(self.block.len());
        buffer.put_slice(&self.block.split_to(length));
        Poll::Ready(Ok(()))
    }
}

struct Seen<T, F> {
    content: T,
    stop: Stop,
    see: F,
    read: u64,
}

impl<T: Read, F: Fn(u64)> Read for Seen<T, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stop.check()?;
        let length = self.content.read(buffer)?;
        self.read += length as u64;
        (self.see)(self.read);
        Ok(length)
    }
}

impl<T: AsyncRead + Unpin, F: Fn(u64) + Unpin> AsyncRead for Seen<T, F> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stop.check()?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.content).poll_read(cx, buffer))?;
        self.read += (buffer.filled().len() - before) as u64;
        (self.see)(self.read);
        Poll::Ready(Ok(()))
    }
}

/// Does what blocks on a thread of its own. It goes on when the caller is dropped: see [`Stop`].
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|error| Err(Error::Failed(format!("a thread ended early: {error}"))))
}

#[cfg(test)]
mod tests;
