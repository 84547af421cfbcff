//! What an org may keep, and the refusal of what is beyond it.

use super::usage::{OrgUsage, usage};
use crate::db::{Tx, statements};
use crate::{Error, OrgId, Result};

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

statements! {
    NAME = "SELECT name FROM orgs WHERE id = $1";
    QUOTA = "SELECT bytes, repositories, tags, version FROM quotas WHERE org_id = $1";
}

/// The quota of an org that has one, without what it keeps.
pub(super) fn quota(tx: &Tx<'_>, org: OrgId) -> Result<Option<OrgQuota>> {
    tx.one(QUOTA, [org.0], |row| {
        let limit = |index| Ok::<_, Error>(row.get::<_, Option<i64>>(index)?.map(i64::unsigned_abs));
        let quota = Quota { bytes: limit(0)?, repositories: limit(1)?, tags: limit(2)? };
        Ok(OrgQuota { quota, usage: OrgUsage::default(), version: row.get(3)? })
    })
}

/// The refusal of `wanted` more.
pub(super) fn over(tx: &Tx<'_>, org: OrgId, resource: Resource, limit: u64, wanted: u64) -> Error {
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
