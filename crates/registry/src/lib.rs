//! Decisions: what a push, a pull or a deletion does, and who may.
//!
//! Every public method takes the [`Caller`] first and decides for itself whether they may: nothing outside this
//! crate can forget to ask. Nothing here knows HTTP, SQL or the environment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wharf_blob::BlobStore;
use wharf_meta::{Meta, Millis};

mod access;
mod audit;
mod blobs;
mod clock;
mod content;
mod error;
mod federation;
mod limits;
mod lists;
mod locks;
pub mod manage;
mod manifests;
pub mod people;
mod quotas;
mod secret;
mod status;
mod uploads;

pub use access::{
    Action, Anonymous, Because, Caller, Cap, Credentials, Decision, Facts, Grant, Identity, IssuedToken, Power, Reason,
    Source, TokenRequest, Via, decide,
};
pub use audit::RefusalCount;
pub use blobs::{BlobInfo, Mounted};
pub use clock::Clock;
pub use content::{Body, BodyError, Content};
pub use error::DeviceAnswer;
pub use error::{Error, Result, Takes};
pub use limits::{Admission, Class, Limit, Per};
pub use lists::{Page, ReferrersPage, Stretch};
pub use manifests::{ManifestPush, Pushed, Strictness};
pub use secret::Secret;
pub use status::{Status, Unready};
pub use uploads::{Chunk, UploadStatus};
pub use wharf_client::outgoing;
pub use wharf_meta::{Actor, OrgId, Reach, RepoId, Role, StoredManifest, TagCondition, Visibility};
pub use wharf_meta::{AuditFilter, AuditPage, AuditRow, Order, Outcome};
pub use wharf_meta::{OrgQuota, OrgUsage, OverQuota, Quota, QuotaOf};

/// What an operator decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What callers without an account may do.
    pub anonymous: Anonymous,
    /// Who may read a repository for which neither it nor its org says so.
    pub visibility: Visibility,
    /// Hand out tokens. Without them there is Basic alone, and only administrators write.
    pub token_auth: bool,
    /// Who may make orgs.
    pub org_creation: manage::OrgCreation,
    /// What a manifest's references must satisfy to be accepted.
    pub strictness: Strictness,
    /// Take Docker's manifest types besides OCI's.
    pub docker_manifests: bool,
    /// How long an upload that nobody continues is kept.
    pub upload_expiry: Duration,
    /// Bytes between two acknowledged checkpoints of one request's body.
    pub upload_checkpoint: u64,
    /// Uploads that may be receiving bytes at once.
    pub running_uploads: usize,
    /// How long an access token is good for.
    pub token_lifetime: Duration,
    /// How long a refresh token is good for.
    pub refresh_lifetime: Duration,
    /// Where the registry goes by itself, and how long it waits there.
    pub outgoing: outgoing::Settings,
    /// Issuers of trust rules that may be asked wherever `outgoing` allows; others only on the public internet.
    pub issuers_inside: Vec<String>,
    /// How long rows of the audit are kept.
    pub audit_keep: Duration,
    /// Bytes that the audit takes at most, about.
    pub audit_size: u64,
    /// Names this boot of the machine: bytes an earlier one did not sync may be gone.
    pub boot: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            anonymous: Anonymous::Nothing,
            visibility: Visibility::Private,
            token_auth: true,
            org_creation: manage::OrgCreation::Admins,
            strictness: Strictness::Layers,
            docker_manifests: true,
            upload_expiry: Duration::from_hours(24),
            upload_checkpoint: 16 * 1024 * 1024,
            running_uploads: 256,
            token_lifetime: Duration::from_mins(5),
            refresh_lifetime: Duration::from_hours(90 * 24),
            outgoing: outgoing::Settings::default(),
            issuers_inside: vec![],
            audit_keep: Duration::from_hours(400 * 24),
            audit_size: 1024 * 1024 * 1024,
            boot: "unknown".into(),
        }
    }
}

/// The registry.
pub struct Registry {
    meta: Meta,
    store: Arc<dyn BlobStore>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    locks: locks::UploadLocks,
    running: Semaphore,
    walks: lists::Walks,
    cursors: lists::Cursors,
    passwords: access::Passwords,
    tokens: access::Tokens,
    limits: limits::Limits,
    sign_ins: limits::SignIns,
    issuers: federation::Issuers,
    audit: Arc<audit::AuditLog>,
}

impl Registry {
    /// A registry over that database and store. Makes a token signing key when there is none yet.
    pub async fn open(
        meta: Meta,
        store: Arc<dyn BlobStore>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Self> {
        let tokens = access::Tokens::open(&meta, clock.now(), settings.token_lifetime).await?;
        let running = Semaphore::new(settings.running_uploads.min(Semaphore::MAX_PERMITS));
        let passwords = access::Passwords::new()?;
        let (limits, sign_ins) = (limits::Limits::open(&meta).await?, limits::SignIns::new());
        let (locks, audit) = (locks::UploadLocks::default(), audit::AuditLog::new());
        let issuers = federation::Issuers::new(&settings);
        let (walks, cursors) = (lists::Walks::new(), lists::Cursors::new(&tokens.derived("cursors"))?);
        Ok(Self {
            meta,
            store,
            clock,
            settings,
            locks,
            running,
            walks,
            cursors,
            passwords,
            tokens,
            limits,
            sign_ins,
            issuers,
            audit,
        })
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    /// That long from now.
    fn after(&self, duration: Duration) -> Millis {
        self.now().saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests;
