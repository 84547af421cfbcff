//! Bytes: uploads that can be continued anywhere, and blobs that are written once.
//!
//! What every [`BlobStore`] keeps true:
//! - A location is never used twice, so nothing that was sealed is ever overwritten.
//! - When [`BlobStore::seal`] returns, the bytes survive power loss.
//! - A [`Checkpoint`] never promises more than the store has taken.

use async_trait::async_trait;
use bytes::Bytes;
use wharf_oci::{Algorithm, Digest, Hasher};

mod error;
pub mod fs;
mod names;

pub use error::{Error, Result};
pub use names::{Location, UploadId, UploadIdError};

/// How far an upload has come: the bytes stored and the hash over exactly those.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Bytes stored.
    pub offset: u64,
    /// The hash of those bytes.
    pub hasher: Hasher,
}

impl Checkpoint {
    /// Nothing stored yet, to be hashed with `algorithm`.
    pub fn empty(algorithm: Algorithm) -> Self {
        Self { offset: 0, hasher: Hasher::new(algorithm) }
    }
}

/// Room on the backend, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Still free for this process.
    pub free: u64,
    /// In all.
    pub total: u64,
}

/// Where blobs and uploads live. `wharf_testkit::contract::blob` states what an implementation must do.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Makes an empty upload.
    async fn start(&self, id: UploadId) -> Result<()>;

    /// Goes on with an upload from `from`; bytes stored beyond it were never acknowledged and are dropped.
    /// [`Error::Lost`] when fewer bytes are stored than `from` says.
    ///
    /// This, like `rehash`, `seal` and `abort`, takes the upload over: it waits for a write under way, and an appender
    /// that is still around gets [`Error::Superseded`] when it writes next.
    async fn append(&self, id: UploadId, from: Checkpoint) -> Result<Box<dyn Appender>>;

    /// Reads what is stored, at most `limit` bytes of it, and hashes it again: after another boot, or when
    /// a digest of another algorithm is asked for.
    async fn rehash(&self, id: UploadId, algorithm: Algorithm, limit: u64) -> Result<Checkpoint>;

    /// Makes the upload's first `size` bytes a blob under a new location; durable on return. Bytes beyond were never
    /// acknowledged and are dropped. [`Error::Lost`] when there are fewer. After an error the upload must be aborted:
    /// a failed fsync is never retried.
    async fn seal(&self, id: UploadId, digest: &Digest, size: u64) -> Result<Location>;

    /// Drops an upload and frees its space; one that is gone already is no error.
    async fn abort(&self, id: UploadId) -> Result<()>;

    /// Uploads that take up space, known to the database or not.
    async fn uploads(&self) -> Result<Vec<UploadId>>;

    /// Opens a sealed blob for reading. [`Error::Corrupt`] when it is not `size` bytes long, [`Error::NotFound`] when gone.
    async fn open(&self, location: &Location, size: u64) -> Result<std::fs::File>;

    /// Drops a sealed blob; one that is gone already is no error.
    async fn remove(&self, location: &Location) -> Result<()>;

    /// Room left, and with it whether the backend answers at all.
    async fn space(&self) -> Result<Space>;
}

/// One run of appending to one upload. Dropping it keeps what was checkpointed.
#[async_trait]
pub trait Appender: Send {
    /// Takes the next bytes; they may be held in memory (a few MiB at most) until the next checkpoint.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Hands everything taken so far to the backend and says how far that is.
    async fn checkpoint(&mut self) -> Result<Checkpoint>;
}
