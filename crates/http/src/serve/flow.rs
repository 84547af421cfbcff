//! What moves on one connection, watched from beside it, so that one rule cuts it whatever it waits in: the socket,
//! TLS, or HTTP/2's flow control, where hyper has no timeout of its own.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use super::Shared;

/// A connection without a request this long is told to end. Go's clients give theirs up after 90 s: they go first, so a
/// request is not sent into a connection that is just being closed.
const IDLE: Duration = Duration::from_mins(3);

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
    /// Answers by number, and since when (milliseconds after `start`) a frame of each waits to be taken. What else
    /// moves on the connection, such as HTTP/2's pings, does not help them.
    offered: Mutex<BTreeMap<u64, u64>>,
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
            offered: Mutex::default(),
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

    fn offered(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the connection now.
    pub(super) fn verdict(&self, header_timeout: Duration, write_idle: Duration) -> Verdict {
        let quiet = Duration::from_millis(self.elapsed().saturating_sub(self.moved.load(Relaxed)));
        let oldest = self.offered().values().min().copied();
        let offered = oldest.map(|since| Duration::from_millis(self.elapsed().saturating_sub(since)));
        let blocked = self.blocked.load(Relaxed) && quiet >= write_idle;
        let idle = self.running.load(Relaxed) == 0;
        match () {
            () if blocked || offered.is_some_and(|waited| waited >= write_idle) => {
                Verdict::Cut("the client stopped reading its answer")
            }
            // Counted from the start, so that HTTP/2 pings do not help: one wait was for opening, one is for the head.
            () if !self.has_begun() && self.start.elapsed() >= 2 * header_timeout => {
                Verdict::Cut("no request came in time")
            }
            // A small answer may sit in HTTP/2's send buffer for a window that never opens: nothing runs any more.
            () if idle && quiet >= 2 * IDLE => Verdict::Cut("the client left its last answer unread"),
            () if idle && quiet >= IDLE => Verdict::Finish,
            () => Verdict::GoOn,
        }
    }
}

/// A request from its first byte to its answer's last; counted while it lives.
pub(super) struct Running {
    number: u64,
    flow: Arc<Flow>,
    shared: Arc<Shared>,
}

impl Running {
    pub(super) fn begin(flow: Arc<Flow>, shared: Arc<Shared>) -> Self {
        let number = flow.begun.fetch_add(1, Relaxed);
        flow.running.fetch_add(1, Relaxed);
        flow.moves();
        shared.requests.fetch_add(1, Relaxed);
        Self { number, flow, shared }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.flow.moves();
        self.flow.running.fetch_sub(1, Relaxed);
        self.shared.requests.fetch_sub(1, Relaxed);
    }
}

/// An answer's body that tells its connection whom it waits for. It passes frames on as they are.
pub(super) struct Watched {
    body: Body,
    running: Running,
}

impl Watched {
    pub(super) fn new(body: Body, running: Running) -> Self {
        Self { body, running }
    }

    fn set_offered(&self, offered: bool) {
        let flow = &self.running.flow;
        let since = flow.elapsed();
        if offered {
            flow.offered().insert(self.running.number, since);
        } else {
            flow.offered().remove(&self.running.number);
        }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.running.flow.moves();
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.set_offered(matches!(polled, Poll::Ready(Some(Ok(_)))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.set_offered(false);
    }
}
