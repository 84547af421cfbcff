//! The bytes of an upload: read once where that is possible, and again from an offset where it is not.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender};
use wharf_oci::{Algorithm, Digest, Hasher};

use super::held::Held;
use crate::registry::{Content, Reader};

/// Bytes that are read at once; a few of them are under way at a time.
const PIECE: usize = 512 * 1024;

/// Content, read up to a position.
pub(super) struct Feed {
    reader: Reader,
    /// Where the reader is, in bytes.
    position: u64,
    /// What was read last and may have to be sent again: it ends at `position`.
    held: Held,
    /// Of everything before `position`, when the digest is not known.
    hasher: Option<Hasher>,
}

/// Bytes on their way: some of a feed.
pub(super) struct Moving {
    feed: Option<Feed>,
    what: What,
}

enum What {
    /// In memory. `is_last` when nothing comes after it.
    Held { bytes: Held, is_last: bool },
    /// To be read; `is_last` as above.
    Streamed { length: u64, is_last: bool },
}

impl Feed {
    /// Reads from `offset` on. To hash means to read what is before as well.
    pub(super) async fn open(content: &dyn Content, offset: u64, hashes: bool) -> io::Result<Self> {
        if !hashes {
            let reader = content.open(offset).await?;
            return Ok(Self { reader, position: offset, held: Held::default(), hasher: None });
        }
        let reader = content.open(0).await?;
        let mut feed =
            Self { reader, position: 0, held: Held::default(), hasher: Some(Hasher::new(Algorithm::Sha256)) };
        while feed.position < offset {
            let most = usize::try_from(offset - feed.position).unwrap_or(usize::MAX).min(PIECE);
            let (rest, piece) = feed.read(most).await?;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            feed = rest;
        }
        Ok(feed)
    }

    /// Digest and size of everything.
    pub(super) async fn measure(content: &dyn Content) -> io::Result<(Digest, u64)> {
        let mut feed = Self::open(content, 0, true).await?;
        loop {
            let (rest, piece) = feed.read(PIECE).await?;
            feed = rest;
            if piece.is_empty() {
                let digest = feed.hasher.as_ref().map(Hasher::digest);
                return Ok((digest.unwrap_or_else(|| Digest::of(Algorithm::Sha256, &[])), feed.position));
            }
        }
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Whether the bytes from there on can be had without opening the content again.
    pub(super) fn can_go_on_at(&self, offset: u64) -> bool {
        (self.position - self.held.len()..=self.position).contains(&offset)
    }

    /// Lets go of what is held before `offset`.
    pub(super) fn acknowledge(&mut self, offset: u64) {
        self.held.keep_last(self.position - offset);
    }

    async fn read(self, most: usize) -> io::Result<(Self, Bytes)> {
        let Self { reader, position, held, mut hasher } = self;
        let (reader, piece) = reader.take(most).await?;
        if let Some(hasher) = &mut hasher {
            hasher.update(&piece);
        }
        Ok((Self { reader, position: position + piece.len() as u64, held, hasher }, piece))
    }

    /// The next `length` of `size` bytes, read while they are sent.
    pub(super) fn stream(self, length: u64, size: u64) -> Moving {
        let is_last = self.position + length == size;
        Moving { feed: Some(self), what: What::Streamed { length, is_last } }
    }

    /// The next `most` bytes, in memory: what is held still, and what is read now.
    pub(super) async fn hold(self, most: u64, size: Option<u64>) -> io::Result<Moving> {
        let (mut feed, mut is_end) = (self, false);
        while !is_end && feed.held.len() < most {
            let wanted = usize::try_from(most - feed.held.len()).unwrap_or(usize::MAX).min(PIECE);
            let (mut rest, piece) = feed.read(wanted).await?;
            is_end = piece.is_empty();
            rest.held.push(piece);
            feed = rest;
        }
        let bytes = feed.held.clone();
        let is_last = size.map_or(bytes.len() < most, |size| feed.position == size);
        Ok(Moving { feed: Some(feed), what: What::Held { bytes, is_last } })
    }
}

impl Moving {
    /// In bytes.
    pub(super) fn len(&self) -> u64 {
        match &self.what {
            What::Held { bytes, .. } => bytes.len(),
            What::Streamed { length, .. } => *length,
        }
    }

    /// Whether nothing comes after them.
    pub(super) fn is_all(&self) -> bool {
        match self.what {
            What::Held { is_last, .. } | What::Streamed { is_last, .. } => is_last,
        }
    }

    /// Of everything up to their end, when that was hashed.
    pub(super) fn digest(&self) -> Option<Digest> {
        if matches!(self.what, What::Streamed { length: 1.., .. }) {
            return None;
        }
        self.feed.as_ref()?.hasher.as_ref().map(Hasher::digest)
    }

    /// The body to send, and what has to go on meanwhile: it gives the feed back when everything was read.
    pub(super) fn split(self) -> (reqwest::Body, Pump) {
        let moved = Arc::new(AtomicU64::new(0));
        let (feed, length) = match self.what {
            What::Held { bytes, .. } => {
                let left = bytes.len();
                let all = bytes.into_pieces();
                let (pieces, come) = tokio::sync::mpsc::channel(all.len().max(1));
                // There is room for all of them.
                for piece in all {
                    drop(pieces.try_send(piece));
                }
                let body = Piped { pieces: come, left, moved: Arc::clone(&moved) };
                return (reqwest::Body::wrap(body), Pump { feed: self.feed, left: 0, pieces: None, moved });
            }
            What::Streamed { length, .. } => (self.feed, length),
        };
        let (pieces, come) = tokio::sync::mpsc::channel(2);
        let body = Piped { pieces: come, left: length, moved: Arc::clone(&moved) };
        (reqwest::Body::wrap(body), Pump { feed, left: length, pieces: Some(pieces), moved })
    }
}

/// What reads while a request is sent.
pub(super) struct Pump {
    feed: Option<Feed>,
    left: u64,
    pieces: Option<Sender<Bytes>>,
    /// Bytes that the connection took.
    pub(super) moved: Arc<AtomicU64>,
}

impl Pump {
    /// Reads until everything is handed over, or nobody takes any more of it: then there is no feed left.
    pub(super) async fn run(self, mut progress: impl FnMut(u64)) -> io::Result<Option<Feed>> {
        let (Some(mut feed), Some(pieces)) = (self.feed, self.pieces) else { return Ok(None) };
        let mut left = self.left;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
            let (rest, piece) = feed.read(most).await?;
            feed = rest;
            if piece.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is shorter than was said"));
            }
            left -= piece.len() as u64;
            if pieces.send(piece).await.is_err() {
                return Ok(None);
            }
            progress(feed.position);
        }
        Ok(Some(feed))
    }

    /// Gives back what reads nothing while its bytes are sent.
    pub(super) fn take_idle(&mut self) -> Option<Feed> {
        if self.pieces.is_none() { self.feed.take() } else { None }
    }
}

/// A body of a known length whose bytes are handed over.
struct Piped {
    pieces: Receiver<Bytes>,
    left: u64,
    moved: Arc<AtomicU64>,
}

impl Body for Piped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(cx).map(|piece| match piece {
            Some(piece) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                self.moved.fetch_add(piece.len() as u64, Ordering::Relaxed);
                Some(Ok(Frame::data(piece)))
            }
            None if self.left == 0 => None,
            // What reads has failed, and says why itself.
            None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
