use std::io;
use std::path::{Path, PathBuf};

/// What the store says.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store could not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such upload or blob.
    #[error("not in the blob store")]
    NotFound,
    /// The upload holds fewer bytes than were acknowledged: the machine lost what was not synced.
    #[error("the upload holds {stored} bytes, fewer than were acknowledged")]
    Lost {
        /// Bytes still there.
        stored: u64,
    },
    /// A later append, seal or abort of the same upload took it over; what this appender held back is gone.
    #[error("another request has taken over the upload")]
    Superseded,
    /// A sealed blob is not as long as its row says.
    #[error("a stored blob is {found} bytes long, its row says {expected}")]
    Corrupt {
        /// Bytes by the row.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The disk, or the quota on it, is full.
    #[error("no space left for blobs")]
    Full(#[source] io::Error),
    /// The disk said no.
    #[error("{operation} {path}")]
    Io {
        /// What was tried: `write`, `fsync`, `rename`, …
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(source),
            _ => Self::Io { operation, path: path.to_owned(), source },
        }
    }

    /// Like [`Error::io`], where a missing file means that the caller named something that is gone.
    pub(crate) fn io_or_missing(operation: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            _ => Self::io(operation, path, source),
        }
    }

    /// The same error for one more waiter; it is no `Clone` because `io::Error` is none.
    pub(crate) fn share(&self) -> Self {
        match self {
            Self::NotFound => Self::NotFound,
            Self::Lost { stored } => Self::Lost { stored: *stored },
            Self::Superseded => Self::Superseded,
            Self::Corrupt { expected, found } => Self::Corrupt { expected: *expected, found: *found },
            Self::Full(source) => Self::Full(share_io(source)),
            Self::Io { operation, path, source } => {
                Self::Io { operation, path: path.clone(), source: share_io(source) }
            }
        }
    }
}

fn share_io(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
