//! What can be wrong with images on disk. Every message names the file, and the entry in it.

use std::io;
use std::path::{Path, PathBuf};

use wharf_oci::{Digest, ImageConfigError, ManifestError};

/// [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an image could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system's word about a file.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// Such as "read".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The place exists and is not of the kind that was asked for.
    #[error("{} is not {expected}: {reason}", path.display())]
    NotA {
        /// The file or folder.
        path: PathBuf,
        /// Such as "an OCI layout".
        expected: &'static str,
        /// What is missing or wrong.
        reason: String,
    },
    /// The place holds no image by that reference, or cannot tell which of several is meant.
    #[error("{}: {reason}", path.display())]
    Reference {
        /// The file or folder.
        path: PathBuf,
        /// What was looked for, and what is there.
        reason: String,
    },
    /// A manifest or blob that something names is not there.
    #[error("{} has no {digest}: the image is incomplete there", path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// What is named.
        digest: Digest,
    },
    /// Content is not what its name or its descriptor promises.
    #[error("{place}: {what}")]
    Content {
        /// File, and entry in it.
        place: String,
        /// What was promised and what was found.
        what: Mismatch,
    },
    /// A file or entry cannot be read as what it should be.
    #[error("{place} is damaged: {reason}")]
    Damaged {
        /// File, and entry in it.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// More than is taken.
    #[error("{place} is too large: {reason}")]
    TooLarge {
        /// File, and entry in it.
        place: String,
        /// What was counted, and the limit.
        reason: String,
    },
    /// Bytes that should be a manifest are not.
    #[error("{place}: {source}")]
    Manifest {
        /// File, and entry in it.
        place: String,
        /// What is wrong with them.
        source: ManifestError,
    },
    /// Bytes that should be an image's configuration are not.
    #[error("{place}: {source}")]
    Config {
        /// File, and entry in it.
        place: String,
        /// What is wrong with them.
        source: ImageConfigError,
    },
    /// The destination's format has no room for this.
    #[error("{} cannot hold this: {reason}", path.display())]
    Unsupported {
        /// The file or folder.
        path: PathBuf,
        /// What it cannot hold, and what to do instead.
        reason: String,
    },
    /// It is kept in a form that is not known here, and whoever keeps it could not give it in another.
    #[error("{0}")]
    Foreign(String),
    /// What was made could not be written to where it was to go.
    #[error("cannot write the result: {0}")]
    Outgoing(#[source] io::Error),
    /// Reading what was to be put failed; the destination is unharmed.
    #[error("{0}")]
    Incoming(#[source] io::Error),
}

/// How content differs from what names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It ends early.
    #[error("it ends after {found} of {expected} bytes")]
    Short {
        /// Bytes named.
        expected: u64,
        /// Bytes there.
        found: u64,
    },
    /// It goes on.
    #[error("it is longer than the {expected} bytes that its descriptor says")]
    Long {
        /// Bytes named.
        expected: u64,
    },
    /// Its bytes are others.
    #[error("its content has digest {found}, not {expected} as it is named")]
    Digest {
        /// As named.
        expected: Digest,
        /// As computed.
        found: Digest,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    /// What reading content that is to be put came to: our own word for it where it is ours.
    pub(crate) fn incoming(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Incoming)
    }
}
