//! What pushes under way may still bring: set aside for each upload, so that what is kept fits when it comes.

use super::limit::{Resource, over, quota};
use super::usage::{Change, count, org_of, slot, taken};
use crate::db::{Tx, signed, statements, unsigned};
use crate::{Meta, OrgId, RepoId, Result};

/// Of what is left beyond what it needs, an upload of unknown length gets this part at most: the other layers of the
/// same push go on beside it, and are not refused for bytes that never come.
const SHARE_OF_THE_REST: u64 = 8;

statements! {
    RESERVE = "INSERT INTO reservations (upload, org_id, bytes) VALUES ($1, $2, $3)";
    RELEASE = "DELETE FROM reservations WHERE upload = $1 RETURNING org_id, bytes";
    STRAYS = "SELECT upload FROM reservations WHERE org_id >= 0
            AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.id = reservations.upload)";
}

impl Meta {
    /// Reserves at least `least` bytes for an upload, and up to `wanted` while there is plenty: says how many. What it
    /// had reserved is replaced. `None`: there is no limit any more, and nothing is reserved.
    pub async fn reserve(&self, upload: &str, repo: RepoId, wanted: u64, least: u64) -> Result<Option<u64>> {
        let upload = upload.to_owned();
        self.db
            .note(move |tx| {
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
            .note(move |tx| match take_back(tx, &upload)? {
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
