//! What moves on one connection, watched from beside it, so that one rule cuts it whatever it waits in: the socket,
//! TLS, or HTTP/2's flow control, where hyper has no timeout of its own.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::Version;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use super::Shared;

/// A connection without a request this long is told to end. Go's clients give theirs up after 90 s: they go first, so a
/// request is not sent into a connection that is just being closed.
const IDLE: Duration = Duration::from_mins(3);

/// Bytes that HTTP/2 is given at a time: what is timed is this much of an answer, however large the answer's frames.
const PIECE: usize = 64 << 10;

/// One connection's movement.
pub(super) struct Flow {
    start: Instant,
    /// Milliseconds after `start` of the last byte written, request begun or answer's frame asked for.
    moved: AtomicU64,
    /// The socket takes nothing more.
    blocked: AtomicBool,
    /// Requests ever begun.
    begun: AtomicU64,
    /// Requests begun and not answered to the end.
    running: AtomicUsize,
    /// Pieces of HTTP/2's answers by number, and since when (milliseconds after `start`) each waits for the client. What
    /// else moves on the connection, pings or other answers, does not help them. An answer of HTTP/1 has the socket for
    /// itself: `blocked` tells of it.
    waiting: Mutex<BTreeMap<u64, u64>>,
    /// Pieces ever given to HTTP/2: the next one's number.
    pieces: AtomicU64,
    /// The server is shutting down.
    pub(super) draining: AtomicBool,
}

/// What is to become of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    GoOn,
    /// Close it when what runs is done.
    Finish,
    /// Close it now: the reason.
    Cut(&'static str),
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            moved: AtomicU64::new(0),
            blocked: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            waiting: Mutex::default(),
            pieces: AtomicU64::new(0),
            draining: AtomicBool::new(false),
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn moves(&self) {
        self.moved.store(self.elapsed(), Relaxed);
    }

    /// The socket took bytes (`false`) or would not (`true`).
    pub(super) fn write_blocked(&self, blocked: bool) {
        if !blocked {
            self.moves();
        }
        self.blocked.store(blocked, Relaxed);
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Relaxed) > 0
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the piece that waits longest has waited. Numbers are given in the order of time.
    fn longest_wait(&self) -> Option<Duration> {
        let since = *self.waiting().first_key_value()?.1;
        Some(Duration::from_millis(self.elapsed().saturating_sub(since)))
    }

    /// Looks at the connection now.
    pub(super) fn verdict(&self, header_timeout: Duration, write_idle: Duration) -> Verdict {
        let quiet = Duration::from_millis(self.elapsed().saturating_sub(self.moved.load(Relaxed)));
        let blocked = self.blocked.load(Relaxed) && quiet >= write_idle;
        let left_waiting = self.longest_wait().is_some_and(|waited| waited >= write_idle);
        let idle = self.running.load(Relaxed) == 0;
        match () {
            () if blocked || left_waiting => Verdict::Cut("the client stopped reading its answer"),
            // Counted from the start, so that neither opening slowly nor HTTP/2's pings give more time.
            () if !self.has_begun() && self.start.elapsed() >= header_timeout => {
                Verdict::Cut("no request came in time")
            }
            // It was told to end, and a client may leave that unread too.
            () if idle && quiet >= 2 * IDLE => Verdict::Cut("the client did not end its connection"),
            () if idle && quiet >= IDLE => Verdict::Finish,
            () => Verdict::GoOn,
        }
    }
}

/// A request from its first byte to its answer's last; counted while it lives.
pub(super) struct Running {
    flow: Arc<Flow>,
    shared: Arc<Shared>,
}

impl Running {
    pub(super) fn begin(flow: Arc<Flow>, shared: Arc<Shared>) -> Self {
        flow.begun.fetch_add(1, Relaxed);
        flow.running.fetch_add(1, Relaxed);
        flow.moves();
        shared.requests.fetch_add(1, Relaxed);
        Self { flow, shared }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.flow.moves();
        self.flow.running.fetch_sub(1, Relaxed);
        self.shared.requests.fetch_sub(1, Relaxed);
    }
}

/// A part of an answer, from when HTTP/2 asks for it until the last of its bytes is in the socket. HTTP/2 asks before
/// there is room, and takes the rest of a piece into its own buffer once there is room for a byte: only letting go of the
/// bytes says that the client took them.
struct Piece {
    bytes: Bytes,
    number: u64,
    flow: Arc<Flow>,
}

impl Piece {
    /// The bytes, uncopied, on the list while anything holds them.
    fn watch(bytes: Bytes, flow: &Arc<Flow>) -> Bytes {
        let mut waiting = flow.waiting();
        let number = flow.pieces.fetch_add(1, Relaxed);
        waiting.insert(number, flow.elapsed());
        drop(waiting);
        Bytes::from_owner(Self { bytes, number, flow: Arc::clone(flow) })
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.flow.waiting().remove(&self.number);
    }
}

/// An answer's body that tells its connection whom it waits for. To HTTP/1 it passes frames on as they are.
pub(super) struct Watched {
    body: Body,
    in_pieces: bool,
    /// Of the body's last frame, what was not asked for yet.
    rest: Bytes,
    running: Running,
}

impl Watched {
    pub(super) fn new(body: Body, version: Version, running: Running) -> Self {
        Self { body, in_pieces: version == Version::HTTP_2, rest: Bytes::new(), running }
    }

    fn next_piece(&mut self) -> Frame<Bytes> {
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        Frame::data(Piece::watch(piece, &self.running.flow))
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.running.flow.moves();
        if self.rest.is_empty() {
            let polled = ready!(Pin::new(&mut self.body).poll_frame(cx));
            if !self.in_pieces {
                return Poll::Ready(polled);
            }
            match polled.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => self.rest = bytes,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(self.next_piece())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(body.lower().saturating_add(rest));
        hint
    }
}
