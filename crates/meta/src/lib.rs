//! Facts: what is stored where, who may see it, which tag points at what. The only SQL.
//!
//! Every method is one unit of work: a write is one transaction that happened, durably, when it returns `Ok`, and
//! with an error not at all, unless the error is [`Error::Uncertain`]. How far uploads came, and what is reserved for
//! them, survives the process but waits for no disk: their bytes do not either. Nothing here decides policy; what must
//! be decided together with a write (are the blobs still linked?) is answered from inside its transaction.

#![expect(
    clippy::unused_async,
    reason = "SQLite's reads answer inline, PostgreSQL's will not: callers see one interface"
)]

mod accounts;
mod api_tokens;
mod audit;
mod blobs;
mod changes;
mod contents;
mod db;
mod devices;
mod error;
mod federation;
mod granting;
mod grants;
mod identities;
mod limits;
mod manifests;
mod members;
mod migrations;
mod newcomers;
mod orgs;
mod owning;
mod principal;
mod providers;
mod quotas;
mod referrers;
mod repositories;
mod rights;
mod robots;
mod sessions;
mod tags;
mod teams;
mod uploads;
mod users;
mod window;

use std::path::Path;
use std::sync::Arc;

pub use accounts::Account;
pub use api_tokens::{ApiToken, Kept, NewApiToken, Reach};
pub use audit::{AuditFilter, AuditLimits, AuditPage, AuditRow, AuditSwept, Event, Noted, Order, Outcome};
pub use blobs::{Blob, NewBlob};
pub use changes::{By, Made, Refusal};
pub use contents::{ManifestEntry, TagEntry};
pub use db::Durability;
pub use devices::{Device, NewDevice, Polled};
pub use error::{Error, Result};
pub use federation::{NewTrustRule, TRUST_RULES, TrustRule, TrustRuleChange};
pub use granting::{GrantTarget, NewGrant};
pub use grants::{Grant, Grantee, GrantsOf};
pub use identities::{Robot, SigningKey, User};
pub use limits::RateRow;
pub use manifests::{NewManifest, PutOutcome, RefKind, StoredManifest, TagCondition};
pub use members::{Member, Membership};
pub use migrations::SchemaStatus;
pub use newcomers::{Newcomer, SignIn};
pub use orgs::{Org, Seen};
pub use owning::Owning;
pub use principal::{Actor, OrgId, Principal, Role};
pub use providers::{GroupTeam, NewProvider, Provider, ProviderChange};
pub use quotas::{OrgQuota, OrgUsage, OverQuota, Quota, Resource as QuotaOf};
pub use referrers::{Referrer, Referrers};
pub use repositories::{Contents, RepoId, Repository, RepositorySettings, Visibility, Within};
pub use rights::{Place, Rights};
pub use robots::{RobotAccount, RobotChange};
pub use sessions::{RefreshToken, Refreshed, Session};
pub use tags::TagDeleted;
pub use teams::{Team, TeamMember};
pub use uploads::{MOST_UPLOADS, Upload};
pub use users::{NewUser, UserChange};
pub use window::Window;

/// Milliseconds since 1970 UTC.
pub type Millis = i64;

/// The database. Cheap to clone; all clones share one writer.
#[derive(Clone, Debug)]
pub struct Meta {
    db: Arc<db::Db>,
}

/// A database that is not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseStatus {
    /// Its schema, and the one this program knows.
    pub schema: SchemaStatus,
    /// Bytes on disk, log included.
    pub bytes: u64,
}

db::statements! {
    VERSION = "SELECT user_version FROM pragma_user_version";
    CHECK = "INSERT INTO settings (key, value) VALUES ('checked_at', $1)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value";
}

impl Meta {
    /// Opens the SQLite database in `file`, making it, and brings its schema up to date.
    /// [`Error::TooNew`] when a later version of the program has written it, [`Error::NotDurable`] when the file
    /// system cannot hold what `durability` promises.
    pub fn open(file: &Path, durability: Durability) -> Result<Self> {
        Ok(Self { db: Arc::new(db::Db::open(file, durability)?) })
    }

    /// What the database in `file` is like, which no server has open: takes no lock, migrates nothing, makes nothing.
    /// A later version's schema is no error here.
    pub fn status_of(file: &Path) -> Result<DatabaseStatus> {
        db::status_of(file)
    }

    /// Whether writing works, to the disk: a row is written, durably. A full or read-only disk fails it.
    pub async fn check(&self, now: Millis) -> Result<()> {
        self.db.write(move |tx| tx.run(CHECK, [now.to_string()]).map(drop)).await
    }

    /// Which schema is in force.
    pub async fn schema(&self) -> Result<SchemaStatus> {
        let applied = self.db.read(|tx| tx.one(VERSION, [], |row| Ok(row.get(0)?)))?;
        Ok(SchemaStatus { applied: applied.unwrap_or(0), known: migrations::known() })
    }

    /// Folds the log into the database file, so that after a clean stop the one file is the whole database. `false`
    /// when something still reads from the log (another program, a backup): then some of it stays, and belongs to
    /// the database.
    pub async fn fold_log(&self) -> Result<bool> {
        self.db.fold_log()
    }

    /// Bytes of the database on disk: of its file and of its log.
    pub async fn size(&self) -> Result<u64> {
        self.db.size()
    }
}

#[cfg(test)]
mod tests;
