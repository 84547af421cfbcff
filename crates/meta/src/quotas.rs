//! What an org keeps, exactly, and what it may keep at most.
//!
//! Each blob and each live manifest counts once in an org, however many of its repositories have it: `org_content`
//! has a row for it as long as one does, and changes in the transaction that links or unlinks it. The sums stand in
//! `org_usage`, in slots, so that pushes into one org do not all change one row; only their sum means something. So does
//! the sum of what pushes under way have reserved: no write adds up what thousands of open uploads hold.
//!
//! Where a quota is set, what is added is compared with it in the transaction that adds it: what is kept and what
//! pushes under way have reserved never exceed it together.

use serde_json::{Value, json};
use wharf_oci::Digest;

use crate::changes::{By, What, check_version};
use crate::db::{Tx, signed, statements, unsigned};
use crate::{Error, Meta, OrgId, RepoId, Result, orgs};

/// Rows that one org's sums are spread over.
const SLOTS: i64 = 16;
/// Of what is left beyond what it needs, an upload of unknown length gets this part at most: the other layers of the
/// same push go on beside it, and are not refused for bytes that never come.
const SHARE_OF_THE_REST: u64 = 8;

/// What an org may keep at most. `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of blobs and manifests.
    pub bytes: Option<u64>,
    /// Repositories.
    pub repositories: Option<u64>,
    /// Tags.
    pub tags: Option<u64>,
}

/// What an org keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrgUsage {
    /// Bytes of blobs and manifests, each counted once.
    pub bytes: u64,
    /// Bytes that pushes under way may still bring.
    pub reserved: u64,
    /// Repositories.
    pub repositories: u64,
    /// Tags.
    pub tags: u64,
}

/// An org's quota beside what it keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrgQuota {
    /// At most.
    pub quota: Quota,
    /// Now.
    pub usage: OrgUsage,
    /// Counts changes of the quota; 0 when none was ever set.
    pub version: i64,
}

/// What there is a quota of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Bytes of blobs and manifests.
    Bytes,
    /// Repositories.
    Repositories,
    /// Tags.
    Tags,
}

/// A quota that is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverQuota {
    /// The org's name.
    pub org: String,
    /// Of what.
    pub resource: Resource,
    /// So much there is without what was refused,
    pub used: u64,
    /// so much is reserved by pushes under way,
    pub reserved: u64,
    /// so much there may be,
    pub limit: u64,
    /// and so much more was asked for; 0 where that was not known yet.
    pub wanted: u64,
}

/// What counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blob,
    Manifest,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Manifest => "manifest",
        }
    }
}

statements! {
    ORG_OF = "SELECT org_id FROM repositories WHERE id = $1";
    NAME = "SELECT name FROM orgs WHERE id = $1";
    QUOTA = "SELECT bytes, repositories, tags, version FROM quotas WHERE org_id = $1";
    BYTES_OF_REPOSITORY = "SELECT q.bytes FROM repositories r JOIN quotas q ON q.org_id = r.org_id WHERE r.id = $1";
    SET = "INSERT INTO quotas (org_id, bytes, repositories, tags) VALUES ($1, $2, $3, $4)
            ON CONFLICT (org_id) DO UPDATE SET bytes = excluded.bytes, repositories = excluded.repositories,
              tags = excluded.tags, version = quotas.version + 1";
    SHARE = "INSERT INTO org_content (org_id, digest, kind, size, links) VALUES ($1, $2, $3, $4, 1)
            ON CONFLICT (org_id, digest, kind) DO UPDATE SET links = org_content.links + 1 RETURNING links";
    UNSHARE_LAST = "DELETE FROM org_content WHERE org_id = $1 AND digest = $2 AND kind = $3 AND links = 1
            RETURNING size";
    UNSHARE = "UPDATE org_content SET links = links - 1 WHERE org_id = $1 AND digest = $2 AND kind = $3";
    USE = "INSERT INTO org_usage (org_id, slot, bytes, tags, reserved) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (org_id, slot) DO UPDATE SET bytes = org_usage.bytes + excluded.bytes,
              tags = org_usage.tags + excluded.tags, reserved = org_usage.reserved + excluded.reserved";
    USED = "SELECT coalesce(sum(bytes), 0), coalesce(sum(tags), 0), coalesce(sum(reserved), 0)
            FROM org_usage WHERE org_id = $1";
    REPOSITORIES = "SELECT count(*) FROM repositories WHERE org_id = $1 AND deleted_at IS NULL";
    RESERVE = "INSERT INTO reservations (upload, org_id, bytes) VALUES ($1, $2, $3)";
    RELEASE = "DELETE FROM reservations WHERE upload = $1 RETURNING org_id, bytes";
    STRAYS = "SELECT upload FROM reservations WHERE org_id >= 0
            AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.id = reservations.upload)";
    /// What only the one repository has of the org's content.
    LAST_BLOBS = "SELECT coalesce(sum(c.size), 0) FROM repo_blobs l
            JOIN org_content c ON c.org_id = $1 AND c.digest = l.digest AND c.kind = 'blob' AND c.links = 1
            WHERE l.repo_id = $2";
    LAST_MANIFESTS = "SELECT coalesce(sum(c.size), 0) FROM repo_manifests l
            JOIN org_content c ON c.org_id = $1 AND c.digest = l.digest AND c.kind = 'manifest' AND c.links = 1
            WHERE l.repo_id = $2 AND l.deleted_at IS NULL";
    DROP_LAST_BLOBS = "DELETE FROM org_content WHERE org_id = $1 AND kind = 'blob' AND links = 1
            AND digest IN (SELECT digest FROM repo_blobs WHERE repo_id = $2)";
    DROP_LAST_MANIFESTS = "DELETE FROM org_content WHERE org_id = $1 AND kind = 'manifest' AND links = 1
            AND digest IN (SELECT digest FROM repo_manifests WHERE repo_id = $2 AND deleted_at IS NULL)";
    DROP_BLOBS = "UPDATE org_content SET links = links - 1 WHERE org_id = $1 AND kind = 'blob'
            AND digest IN (SELECT digest FROM repo_blobs WHERE repo_id = $2)";
    DROP_MANIFESTS = "UPDATE org_content SET links = links - 1 WHERE org_id = $1 AND kind = 'manifest'
            AND digest IN (SELECT digest FROM repo_manifests WHERE repo_id = $2 AND deleted_at IS NULL)";
    TAGS = "SELECT count(*) FROM tags WHERE repo_id = $1";
}

impl Meta {
    /// What an org may keep, and what it keeps.
    pub async fn org_quota(&self, org: OrgId) -> Result<OrgQuota> {
        self.db.read(|tx| Ok(OrgQuota { usage: usage(tx, org)?, ..quota(tx, org)?.unwrap_or_default() }))
    }

    /// Sets what an org may keep. What it keeps beyond that stays; nothing more is taken in.
    pub async fn set_quota(&self, org: OrgId, new: Quota, expected: Option<i64>, by: By) -> Result<OrgQuota> {
        self.db
            .write(move |tx| {
                let of = orgs::by_id(tx, org)?;
                let before = quota(tx, org)?;
                check_version(expected, before.map_or(0, |before| before.version))?;
                if before.map(|before| before.quota) != Some(new) {
                    tx.run(SET, (org.0, new.bytes.map(signed), new.repositories.map(signed), new.tags.map(signed)))?;
                    let what = What { action: "quota.set", org: Some(&of.name), target: &of.name };
                    by.record(tx, what, before.map_or(Value::Null, |before| shown(before.quota)), shown(new))?;
                }
                Ok(OrgQuota { usage: usage(tx, org)?, ..quota(tx, org)?.unwrap_or_default() })
            })
            .await
    }

    /// Whether the bytes of that repository's org are limited.
    pub async fn bytes_are_limited(&self, repo: RepoId) -> Result<bool> {
        let limit =
            self.db.read(|tx| tx.one(BYTES_OF_REPOSITORY, [repo.0], |row| Ok(row.get::<_, Option<i64>>(0)?)))?;
        Ok(limit.flatten().is_some())
    }

    /// Reserves at least `least` bytes for an upload, and up to `wanted` while there is plenty: says how many. What it
    /// had reserved is replaced. `None`: there is no limit any more, and nothing is reserved.
    pub async fn reserve(&self, upload: &str, repo: RepoId, wanted: u64, least: u64) -> Result<Option<u64>> {
        let upload = upload.to_owned();
        self.db
            .write(move |tx| {
                let org = org_of(tx, repo)?;
                release(tx, &upload)?;
                let Some(limit) = quota(tx, org)?.and_then(|found| found.quota.bytes) else { return Ok(None) };
                let Some(beyond) = limit.saturating_sub(taken(tx, org)?).checked_sub(least) else {
                    return Err(over(tx, org, Resource::Bytes, limit, least));
                };
                let granted = least + wanted.saturating_sub(least).min(beyond / SHARE_OF_THE_REST);
                set_aside(tx, &upload, org, granted)?;
                Ok(Some(granted))
            })
            .await
    }

    /// Leaves an upload at most `bytes` of what it had reserved.
    pub async fn reserve_no_more_than(&self, upload: &str, bytes: u64) -> Result<()> {
        let upload = upload.to_owned();
        self.db
            .write(move |tx| match take_back(tx, &upload)? {
                Some((org, had)) => set_aside(tx, &upload, org, had.min(bytes)),
                None => Ok(()),
            })
            .await
    }

    /// Releases what uploads had reserved that are no more; says how many. Only before the first request is served.
    pub async fn release_strays(&self) -> Result<usize> {
        self.db
            .write(|tx| {
                let strays: Vec<String> = tx.all(STRAYS, [], |row| Ok(row.get(0)?))?;
                for upload in &strays {
                    release(tx, upload)?;
                }
                Ok(strays.len())
            })
            .await
    }
}

/// Takes into account that the repository has come to have that content. `reserved` bytes were set aside for it and
/// are free again.
pub(crate) fn add(tx: &Tx<'_>, repo: RepoId, kind: Kind, digest: &Digest, size: u64, reserved: u64) -> Result<()> {
    let org = org_of(tx, repo)?;
    let links: Option<i64> =
        tx.one(SHARE, (org.0, digest.as_str(), kind.as_str(), signed(size)), |row| Ok(row.get(0)?))?;
    if links != Some(1) {
        return Ok(());
    }
    if size > reserved
        && let Some(limit) = quota(tx, org)?.and_then(|found| found.quota.bytes)
        && taken(tx, org)?.saturating_add(size) > limit
    {
        return Err(over(tx, org, Resource::Bytes, limit, size));
    }
    count(tx, org, slot(digest.hex()), Change { bytes: signed(size), ..Change::default() })
}

/// Takes into account that the repository has that content no more.
pub(crate) fn remove(tx: &Tx<'_>, repo: RepoId, kind: Kind, digest: &Digest) -> Result<()> {
    let org = org_of(tx, repo)?;
    let key = (org.0, digest.as_str(), kind.as_str());
    match tx.one(UNSHARE_LAST, key, |row| unsigned(row, 0))? {
        Some(size) => count(tx, org, slot(digest.hex()), Change { bytes: -signed(size), ..Change::default() }),
        None => tx.run(UNSHARE, key).map(drop),
    }
}

/// Takes new tags into account.
pub(crate) fn add_tags(tx: &Tx<'_>, repo: RepoId, new: u64) -> Result<()> {
    if new == 0 {
        return Ok(());
    }
    let org = org_of(tx, repo)?;
    if let Some(limit) = quota(tx, org)?.and_then(|found| found.quota.tags)
        && used(tx, org)?.tags.saturating_add(new) > limit
    {
        return Err(over(tx, org, Resource::Tags, limit, new));
    }
    count(tx, org, repo.0 % SLOTS, Change { tags: signed(new), ..Change::default() })
}

/// Takes into account that a tag is gone.
pub(crate) fn remove_tag(tx: &Tx<'_>, repo: RepoId) -> Result<()> {
    count(tx, org_of(tx, repo)?, repo.0 % SLOTS, Change { tags: -1, ..Change::default() })
}

/// Asked when a repository has just been made.
pub(crate) fn admit_repository(tx: &Tx<'_>, repo: RepoId) -> Result<()> {
    let org = org_of(tx, repo)?;
    let Some(limit) = quota(tx, org)?.and_then(|found| found.quota.repositories) else { return Ok(()) };
    let count = repositories(tx, org)?;
    if count <= limit {
        return Ok(());
    }
    // The one just made goes with this transaction.
    Err(match over(tx, org, Resource::Repositories, limit, 1) {
        Error::OverQuota(over) => Error::OverQuota(Box::new(OverQuota { used: count - 1, ..*over })),
        other => other,
    })
}

/// Asked when an upload begins: its bytes are not known yet, but none would fit if nothing is left.
pub(crate) fn admit_upload(tx: &Tx<'_>, repo: RepoId) -> Result<()> {
    let org = org_of(tx, repo)?;
    match quota(tx, org)?.and_then(|found| found.quota.bytes) {
        Some(limit) if taken(tx, org)? >= limit => Err(over(tx, org, Resource::Bytes, limit, 0)),
        _ => Ok(()),
    }
}

/// Takes into account that everything in the repository goes: before it does.
pub(crate) fn remove_all(tx: &Tx<'_>, repo: RepoId) -> Result<()> {
    let org = org_of(tx, repo)?;
    let key = (org.0, repo.0);
    let size = |statement| Ok::<_, Error>(tx.one(statement, key, |row| unsigned(row, 0))?.unwrap_or(0));
    let bytes = size(LAST_BLOBS)? + size(LAST_MANIFESTS)?;
    for statement in [DROP_LAST_BLOBS, DROP_BLOBS, DROP_LAST_MANIFESTS, DROP_MANIFESTS] {
        tx.run(statement, key)?;
    }
    let tags = tx.one(TAGS, [repo.0], |row| unsigned(row, 0))?.unwrap_or(0);
    count(tx, org, repo.0 % SLOTS, Change { bytes: -signed(bytes), tags: -signed(tags), reserved: 0 })
}

/// Frees what an upload had reserved, and says how much that was.
pub(crate) fn release(tx: &Tx<'_>, upload: &str) -> Result<u64> {
    Ok(take_back(tx, upload)?.map_or(0, |(_, bytes)| bytes))
}

/// Reserves for an upload that has nothing reserved.
fn set_aside(tx: &Tx<'_>, upload: &str, org: OrgId, bytes: u64) -> Result<()> {
    tx.run(RESERVE, (upload, org.0, signed(bytes)))?;
    count(tx, org, slot(upload), Change { reserved: signed(bytes), ..Change::default() })
}

/// What an upload had reserved, and where: it is free again.
fn take_back(tx: &Tx<'_>, upload: &str) -> Result<Option<(OrgId, u64)>> {
    let had = tx.one(RELEASE, [upload], |row| Ok((OrgId(row.get(0)?), unsigned(row, 1)?)))?;
    if let Some((org, bytes)) = had {
        count(tx, org, slot(upload), Change { reserved: -signed(bytes), ..Change::default() })?;
    }
    Ok(had)
}

fn org_of(tx: &Tx<'_>, repo: RepoId) -> Result<OrgId> {
    let org = tx.one(ORG_OF, [repo.0], |row| Ok(OrgId(row.get(0)?)))?;
    org.ok_or_else(|| Error::Damaged(format!("no repository {}", repo.0)))
}

fn quota(tx: &Tx<'_>, org: OrgId) -> Result<Option<OrgQuota>> {
    tx.one(QUOTA, [org.0], |row| {
        let limit = |index| Ok::<_, Error>(row.get::<_, Option<i64>>(index)?.map(i64::unsigned_abs));
        let quota = Quota { bytes: limit(0)?, repositories: limit(1)?, tags: limit(2)? };
        Ok(OrgQuota { quota, usage: OrgUsage::default(), version: row.get(3)? })
    })
}

/// The sums; repositories are not among them.
fn used(tx: &Tx<'_>, org: OrgId) -> Result<OrgUsage> {
    let sums = tx.one(USED, [org.0], |row| {
        let (bytes, tags, reserved) = (unsigned(row, 0)?, unsigned(row, 1)?, unsigned(row, 2)?);
        Ok(OrgUsage { bytes, tags, reserved, repositories: 0 })
    })?;
    Ok(sums.unwrap_or_default())
}

fn repositories(tx: &Tx<'_>, org: OrgId) -> Result<u64> {
    Ok(tx.one(REPOSITORIES, [org.0], |row| unsigned(row, 0))?.unwrap_or(0))
}

/// Bytes kept and reserved.
fn taken(tx: &Tx<'_>, org: OrgId) -> Result<u64> {
    let OrgUsage { bytes, reserved, .. } = used(tx, org)?;
    Ok(bytes.saturating_add(reserved))
}

fn usage(tx: &Tx<'_>, org: OrgId) -> Result<OrgUsage> {
    Ok(OrgUsage { repositories: repositories(tx, org)?, ..used(tx, org)? })
}

fn over(tx: &Tx<'_>, org: OrgId, resource: Resource, limit: u64, wanted: u64) -> Error {
    let found = || -> Result<OverQuota> {
        let name: Option<String> = tx.one(NAME, [org.0], |row| Ok(row.get(0)?))?;
        let usage = usage(tx, org)?;
        let (used, reserved) = match resource {
            Resource::Bytes => (usage.bytes, usage.reserved),
            Resource::Repositories => (usage.repositories, 0),
            Resource::Tags => (usage.tags, 0),
        };
        Ok(OverQuota { org: name.unwrap_or_default(), resource, used, reserved, limit, wanted })
    };
    match found() {
        Ok(over) => Error::OverQuota(Box::new(over)),
        Err(error) => error,
    }
}

/// What is added to the sums.
#[derive(Clone, Copy, Default)]
struct Change {
    bytes: i64,
    tags: i64,
    reserved: i64,
}

/// Changes the sums.
fn count(tx: &Tx<'_>, org: OrgId, slot: i64, Change { bytes, tags, reserved }: Change) -> Result<()> {
    tx.run(USE, (org.0, slot, bytes, tags, reserved)).map(drop)
}

/// Spreads evenly what ends evenly, as digests and ids of uploads do.
fn slot(text: &str) -> i64 {
    text.bytes().last().map_or(0, i64::from) % SLOTS
}

fn shown(quota: Quota) -> Value {
    json!({ "bytes": quota.bytes, "repositories": quota.repositories, "tags": quota.tags })
}
