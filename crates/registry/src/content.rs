//! Bodies on their way through: in from a client, out from the store.

use std::fs::File;
use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

/// What carries a blob from the store to the wire.
#[derive(Debug)]
pub enum Content {
    /// A part of a local file: `range` in bytes from its start.
    File {
        /// Open for reading.
        file: File,
        /// The bytes to send.
        range: Range<u64>,
    },
}

/// A request's body, as it arrives.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or the framing did.
    #[error("the connection was cut before the body was complete")]
    Cut,
    /// Nothing arrived for the idle time allowed.
    #[error("the body stopped arriving")]
    Idle,
    /// More bytes than allowed.
    #[error("the body is too large")]
    TooLarge,
}
