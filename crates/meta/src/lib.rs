//! Facts: what is stored where, who may see it, which tag points at what. The only SQL.
//!
//! Every method is one unit of work: a write is one transaction that happened, durably, when it returns `Ok`, or
//! not at all. Nothing here decides policy; what must be decided together with a write (are the blobs still
//! linked?) is answered from inside its transaction.

#![expect(
    clippy::unused_async,
    reason = "SQLite's reads answer inline, PostgreSQL's will not: callers see one interface"
)]

mod blobs;
mod db;
mod error;
mod identities;
mod manifests;
mod migrations;
mod referrers;
mod repositories;
mod tags;
mod uploads;

use std::path::Path;
use std::sync::Arc;

pub use blobs::{Blob, NewBlob};
pub use db::Durability;
pub use error::{Error, Result};
pub use identities::{RefreshToken, SigningKey, User};
pub use manifests::{NewManifest, PutOutcome, RefKind, StoredManifest, TagCondition};
pub use migrations::SchemaStatus;
pub use referrers::Referrer;
pub use repositories::{RepoId, Repository, Visibility};
pub use tags::TagDeleted;
pub use uploads::Upload;

/// Milliseconds since 1970 UTC.
pub type Millis = i64;

/// The database. Cheap to clone; all clones share one writer.
#[derive(Clone, Debug)]
pub struct Meta {
    db: Arc<db::Db>,
}

impl Meta {
    /// Opens the SQLite database in `file`, making it, and brings its schema up to date.
    /// [`Error::TooNew`] when a later version of the program has written it.
    pub fn open(file: &Path, durability: Durability) -> Result<Self> {
        Ok(Self { db: Arc::new(db::Db::open(file, durability)?) })
    }

    /// Whether both reading and writing work, and which schema is in force.
    pub async fn check(&self) -> Result<SchemaStatus> {
        const VERSION: &str = "SELECT user_version FROM pragma_user_version";
        let version = |tx: &db::Tx<'_>| tx.one(VERSION, [], |row| Ok(row.get(0)?));
        let applied = self.db.write(version).await?.unwrap_or(0);
        Ok(SchemaStatus { applied, known: migrations::known() })
    }

    /// Folds the log into the database file, so that after a clean stop the one file is the whole database.
    pub async fn fold_log(&self) -> Result<()> {
        self.db.fold_log()
    }

    /// Bytes of the database file in use and of its log still to be folded in.
    pub async fn size(&self) -> Result<u64> {
        self.db.read(db::size)
    }
}

#[cfg(test)]
mod tests;
