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

use crate::changes::{By, What, check_version};
use crate::db::{Tx, signed, statements};
use crate::{Error, Meta, OrgId, RepoId, Result, orgs};

pub(crate) mod content;
pub(crate) mod limit;
pub(crate) mod reservations;
pub(crate) mod usage;

pub(crate) use content::{Kind, add, add_tags, remove, remove_all, remove_tag};
pub use limit::{OrgQuota, OverQuota, Quota, Resource};
use limit::{over, quota};
pub(crate) use reservations::release;
pub use usage::OrgUsage;
use usage::{org_of, repositories, taken, usage};

statements! {
    BYTES_OF_REPOSITORY = "SELECT q.bytes FROM repositories r JOIN quotas q ON q.org_id = r.org_id WHERE r.id = $1";
    SET = "INSERT INTO quotas (org_id, bytes, repositories, tags) VALUES ($1, $2, $3, $4)
            ON CONFLICT (org_id) DO UPDATE SET bytes = excluded.bytes, repositories = excluded.repositories,
              tags = excluded.tags, version = quotas.version + 1";
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

fn shown(quota: Quota) -> Value {
    json!({ "bytes": quota.bytes, "repositories": quota.repositories, "tags": quota.tags })
}
