//! What counts as kept: each blob and each live manifest once in an org, and each tag.

use wharf_oci::Digest;

use super::limit::{Resource, over, quota};
use super::usage::{Change, SLOTS, count, org_of, slot, taken, used};
use crate::db::{Tx, signed, statements, unsigned};
use crate::{Error, RepoId, Result};

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
    SHARE = "INSERT INTO org_content (org_id, digest, kind, size, links) VALUES ($1, $2, $3, $4, 1)
            ON CONFLICT (org_id, digest, kind) DO UPDATE SET links = org_content.links + 1 RETURNING links";
    UNSHARE_LAST = "DELETE FROM org_content WHERE org_id = $1 AND digest = $2 AND kind = $3 AND links = 1
            RETURNING size";
    UNSHARE = "UPDATE org_content SET links = links - 1 WHERE org_id = $1 AND digest = $2 AND kind = $3";
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
