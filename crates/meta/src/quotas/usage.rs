//! What an org keeps, in sums that stand in slots.

use crate::db::{Tx, statements, unsigned};
use crate::{Error, OrgId, RepoId, Result};

/// Rows that one org's sums are spread over.
pub(super) const SLOTS: i64 = 16;

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

statements! {
    ORG_OF = "SELECT org_id FROM repositories WHERE id = $1";
    USE = "INSERT INTO org_usage (org_id, slot, bytes, tags, reserved) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (org_id, slot) DO UPDATE SET bytes = org_usage.bytes + excluded.bytes,
              tags = org_usage.tags + excluded.tags, reserved = org_usage.reserved + excluded.reserved";
    USED = "SELECT coalesce(sum(bytes), 0), coalesce(sum(tags), 0), coalesce(sum(reserved), 0)
            FROM org_usage WHERE org_id = $1";
    REPOSITORIES = "SELECT count(*) FROM repositories WHERE org_id = $1 AND deleted_at IS NULL";
}

pub(super) fn org_of(tx: &Tx<'_>, repo: RepoId) -> Result<OrgId> {
    let org = tx.one(ORG_OF, [repo.0], |row| Ok(OrgId(row.get(0)?)))?;
    org.ok_or_else(|| Error::Damaged(format!("no repository {}", repo.0)))
}

/// The sums; repositories are not among them.
pub(super) fn used(tx: &Tx<'_>, org: OrgId) -> Result<OrgUsage> {
    let sums = tx.one(USED, [org.0], |row| {
        let (bytes, tags, reserved) = (unsigned(row, 0)?, unsigned(row, 1)?, unsigned(row, 2)?);
        Ok(OrgUsage { bytes, tags, reserved, repositories: 0 })
    })?;
    Ok(sums.unwrap_or_default())
}

pub(super) fn repositories(tx: &Tx<'_>, org: OrgId) -> Result<u64> {
    Ok(tx.one(REPOSITORIES, [org.0], |row| unsigned(row, 0))?.unwrap_or(0))
}

/// Bytes kept and reserved.
pub(super) fn taken(tx: &Tx<'_>, org: OrgId) -> Result<u64> {
    let OrgUsage { bytes, reserved, .. } = used(tx, org)?;
    Ok(bytes.saturating_add(reserved))
}

pub(super) fn usage(tx: &Tx<'_>, org: OrgId) -> Result<OrgUsage> {
    Ok(OrgUsage { repositories: repositories(tx, org)?, ..used(tx, org)? })
}

/// What is added to the sums.
#[derive(Clone, Copy, Default)]
pub(super) struct Change {
    pub(super) bytes: i64,
    pub(super) tags: i64,
    pub(super) reserved: i64,
}

/// Changes the sums.
pub(super) fn count(tx: &Tx<'_>, org: OrgId, slot: i64, Change { bytes, tags, reserved }: Change) -> Result<()> {
    tx.run(USE, (org.0, slot, bytes, tags, reserved)).map(drop)
}

/// Spreads evenly what ends evenly, as digests and ids of uploads do.
pub(super) fn slot(text: &str) -> i64 {
    text.bytes().last().map_or(0, i64::from) % SLOTS
}
