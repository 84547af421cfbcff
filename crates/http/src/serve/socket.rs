//! A socket that reports what it takes, and that is closed so that the last answer arrives.
//!
//! Closing a TCP socket with unread bytes in it sends RST, and RST throws away what the client has not read yet: the
//! 401 that would have told it why. So shutting down ends our side, then reads on and discards, for a bounded while.
//! This sits below TLS, so that discarding costs no decryption.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, Sleep};

use super::flow::Flow;

/// A client that sends nothing for this long has nothing more to send, or is gone.
const QUIET: Duration = Duration::from_secs(5);
/// The same while the server shuts down: who writes an upload pauses less than that.
const QUIET_DRAINING: Duration = Duration::from_millis(500);
/// In all. Clients that matter read while they write and stop at the answer; this is for those that do not.
const LONGEST: Duration = Duration::from_secs(30);
const MOST: u64 = 64 << 20;

/// Either kind of stream.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

macro_rules! with_stream {
    ($stream:expr, $inner:ident => $body:expr) => {
        match $stream {
            Stream::Tcp($inner) => $body,
            Stream::Unix($inner) => $body,
        }
    };
}

/// A stream with the bytes already taken from it put back.
pub(super) struct Socket {
    stream: Stream,
    /// Read from the stream and not yet by the protocol above.
    pub(super) ahead: BytesMut,
    flow: Arc<Flow>,
    linger: Option<Linger>,
}

struct Linger {
    timer: Pin<Box<Sleep>>,
    until: Instant,
    discarded: u64,
}

impl Socket {
    pub(super) fn new(stream: Stream, flow: Arc<Flow>) -> Self {
        Self { stream, ahead: BytesMut::new(), flow, linger: None }
    }

    /// The stream and the buffer of what is read ahead of the protocol.
    pub(super) fn split_ahead(&mut self) -> (&mut Stream, &mut BytesMut) {
        (&mut self.stream, &mut self.ahead)
    }

    fn took(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.flow.write_blocked(polled.is_pending());
        polled
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let quiet = if self.flow.draining.load(Relaxed) { QUIET_DRAINING } else { QUIET };
        let linger = self.linger.get_or_insert_with(|| Linger {
            timer: Box::pin(tokio::time::sleep(quiet)),
            until: Instant::now() + LONGEST,
            discarded: 0,
        });
        let mut space = [std::mem::MaybeUninit::uninit(); 16 << 10];
        loop {
            let mut discard = ReadBuf::uninit(&mut space);
            match with_stream!(&mut self.stream, inner => Pin::new(inner).poll_read(cx, &mut discard)) {
                Poll::Ready(Ok(())) if !discard.filled().is_empty() => {
                    linger.discarded += discard.filled().len() as u64;
                    linger.timer.as_mut().reset(linger.until.min(Instant::now() + quiet));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return linger.timer.as_mut().poll(cx),
            }
            if linger.discarded >= MOST || Instant::now() >= linger.until {
                return Poll::Ready(());
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        with_stream!(self.get_mut(), inner => Pin::new(inner).poll_read(cx, buf))
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let length = self.ahead.len().min(buf.remaining());
        buf.put_slice(&self.ahead[..length]);
        self.ahead.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = with_stream!(&mut self.stream, inner => Pin::new(inner).poll_write(cx, buf));
        self.took(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = with_stream!(&mut self.stream, inner => Pin::new(inner).poll_write_vectored(cx, bufs));
        self.took(polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_stream!(&mut self.stream, inner => Pin::new(inner).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(with_stream!(&mut self.stream, inner => Pin::new(inner).poll_shutdown(cx)))?;
        }
        self.poll_discard(cx).map(Ok)
    }
}
