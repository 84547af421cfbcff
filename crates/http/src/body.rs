//! Bodies: what arrives is timed and counted, what leaves is streamed from its file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::Version;
use rustix::buffer::spare_capacity;
use tokio::task::spawn_blocking;
use wharf_registry::{Body as Incoming, BodyError, Content};

use crate::Metrics;

/// Bytes read from a file at a time: a hop to the blocking pool costs as much as reading some 20 KiB.
const BLOCK: u64 = 512 * 1024;

/// A request's body whose every part must arrive within `idle`.
pub(crate) fn incoming(body: Body, idle: Duration, metrics: Arc<Metrics>) -> Incoming {
    let parts = body.into_data_stream();
    Box::pin(stream::unfold(Some((parts, metrics)), move |state| async move {
        let (mut parts, metrics) = state?;
        match tokio::time::timeout(idle, parts.next()).await {
            Err(_) => Some((Err(BodyError::Idle), None)),
            Ok(None) => None,
            Ok(Some(Err(_))) => Some((Err(BodyError::Cut), None)),
            Ok(Some(Ok(bytes))) => {
                metrics.received(bytes.len());
                Some((Ok(bytes), Some((parts, metrics))))
            }
        }
    }))
}

/// A whole body in memory, at most `limit` bytes of it.
pub(crate) async fn collect(mut body: Incoming, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut whole = BytesMut::new();
    while let Some(bytes) = body.next().await {
        whole.extend_from_slice(&bytes?);
        if whole.len() > limit {
            return Err(BodyError::TooLarge);
        }
    }
    Ok(whole.into())
}

/// How a blob is read for a connection.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// Bytes read at a time.
    block: u64,
    /// Blocks held: beyond one, the disk gives the next while the client takes the last.
    ahead: usize,
}

impl Pace {
    /// HTTP/2 asks for a block before there is room to send it, on each of hundreds of streams.
    pub(crate) fn of(version: Version) -> Self {
        if version == Version::HTTP_2 { Self { block: BLOCK / 8, ahead: 1 } } else { Self { block: BLOCK, ahead: 2 } }
    }
}

/// A blob, or a part of one, on its way out.
pub(crate) fn outgoing(content: Content, pace: Pace, metrics: Arc<Metrics>) -> Body {
    let Content::File { file, range } = content;
    let blocks = blocks(Arc::new(file), range, pace).inspect_ok(move |block| metrics.sent(block.len()));
    // The body is read after the handler has ended: its span says whose request it was.
    let span = tracing::Span::current();
    let log = move |error: &io::Error| tracing::error!(parent: &span, %error, "a blob could not be read to its end");
    Body::from_stream(blocks.inspect_err(log))
}

fn blocks(file: Arc<File>, range: Range<u64>, pace: Pace) -> impl Stream<Item = io::Result<Bytes>> {
    let starts = (range.start..range.end).step_by(usize::try_from(pace.block).unwrap_or(usize::MAX));
    let reads = starts.map(move |start| {
        let (file, length) = (Arc::clone(&file), pace.block.min(range.end - start));
        async move { spawn_blocking(move || read_block(&file, start, length)).await.map_err(io::Error::other)? }
    });
    stream::iter(reads).buffered(pace.ahead)
}

/// Straight into the memory that is sent; nothing is zeroed or copied on the way.
fn read_block(file: &File, start: u64, length: u64) -> io::Result<Bytes> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut block = Vec::with_capacity(length);
    while block.len() < length {
        let at = start + block.len() as u64;
        if rustix::io::pread(file, spare_capacity(&mut block), at)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    block.truncate(length);
    Ok(block.into())
}

#[cfg(test)]
mod tests;
