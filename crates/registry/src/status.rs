//! How the registry is doing.

use wharf_blob::Space;
use wharf_meta::SchemaStatus;

use crate::{Registry, Result};

/// Free space below which the registry says it is not ready: a push of an image would fail.
const LEAST_FREE: u64 = 64 * 1024 * 1024;

/// Numbers for operators.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Schema of the database.
    pub schema: SchemaStatus,
    /// Bytes of the database.
    pub database_size: u64,
    /// Repositories.
    pub repositories: u64,
    /// Manifests accepted although something they name was not there.
    pub incomplete_manifests: u64,
    /// Blobs stored.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Uploads open.
    pub uploads: u64,
    /// Room for blobs.
    pub space: Space,
}

/// Why the registry should not be sent work.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// The database does not take writes.
    #[error("the database does not take writes: {0}")]
    Database(#[source] wharf_meta::Error),
    /// The blob store does not answer.
    #[error("the blob store does not answer: {0}")]
    Store(#[source] wharf_blob::Error),
    /// Hardly any space left.
    #[error("the blob store has {free} bytes left")]
    Full {
        /// Bytes left.
        free: u64,
    },
}

impl Registry {
    /// Every reason not to send work here, none when there is no reason. Tries a write.
    pub async fn readiness(&self) -> Vec<Unready> {
        let mut reasons = Vec::new();
        if let Err(error) = self.meta.check(self.now()).await {
            reasons.push(Unready::Database(error));
        }
        match self.store.space().await {
            Err(error) => reasons.push(Unready::Store(error)),
            Ok(space) if space.free < LEAST_FREE => reasons.push(Unready::Full { free: space.free }),
            Ok(_) => {}
        }
        reasons
    }

    /// Tidies up before a clean stop: the database is one file then.
    pub async fn settle(&self) -> Result<()> {
        self.end_audit().await;
        if !self.meta.fold_log().await? {
            tracing::warn!("something else reads the database: its log stays beside it, and belongs to it");
        }
        Ok(())
    }

    /// Numbers for operators; counts whole tables.
    pub async fn status(&self) -> Result<Status> {
        let (blobs, blob_bytes) = self.meta.count_blobs().await?;
        Ok(Status {
            schema: self.meta.schema().await?,
            database_size: self.meta.size().await?,
            repositories: self.meta.count_repositories().await?,
            incomplete_manifests: self.meta.count_incomplete().await?,
            blobs,
            blob_bytes,
            uploads: self.meta.count_uploads().await?,
            space: self.store.space().await?,
        })
    }
}
