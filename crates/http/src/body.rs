//! Bodies: what arrives is timed and counted, what leaves is streamed from its file.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;
use wharf_registry::{Body as Incoming, BodyError, Content};

use crate::Metrics;

/// Bytes read from a file at a time: fewer hops to the blocking pool than with the usual 8 KiB.
const BLOCK: usize = 256 * 1024;

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

/// A blob, or a part of one, on its way out.
pub(crate) async fn outgoing(content: Content, metrics: Arc<Metrics>) -> std::io::Result<Body> {
    let Content::File { file, range } = content;
    let mut file = tokio::fs::File::from_std(file);
    if range.start > 0 {
        file.seek(std::io::SeekFrom::Start(range.start)).await?;
    }
    let length = range.end.saturating_sub(range.start);
    let parts = ReaderStream::with_capacity(file.take(length), BLOCK);
    Ok(Body::from_stream(counted(parts, metrics)))
}

fn counted<S>(parts: S, metrics: Arc<Metrics>) -> impl Stream<Item = std::io::Result<Bytes>>
where
    S: Stream<Item = std::io::Result<Bytes>>,
{
    parts.inspect(move |part| {
        if let Ok(bytes) = part {
            metrics.sent(bytes.len());
        }
    })
}
