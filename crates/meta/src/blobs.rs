//! Blobs: global by digest, visible per repository by a row.

use wharf_oci::Digest;

use crate::db::{Tx, signed, statements, unsigned};
use crate::quotas::{self, Kind};
use crate::{Actor, Meta, Millis, RepoId, Result, audit, repositories, uploads};

/// A blob that a repository may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Bytes.
    pub size: u64,
    /// The store's key.
    pub location: String,
}

/// A blob whose bytes are durable under `location`.
#[derive(Clone, Debug)]
pub struct NewBlob {
    /// The upload that brought it: what it had reserved is free again.
    pub upload: String,
    /// Whether that has a row, which goes in the same transaction; a push that was one request has none.
    pub has_row: bool,
    /// What the bytes hash to.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// The store's key.
    pub location: String,
}

statements! {
    FIND = "SELECT b.size, b.location FROM repo_blobs r JOIN blobs b ON b.digest = r.digest
            WHERE r.repo_id = $1 AND r.digest = $2 AND b.state = 'stored'";
    DOOM = "INSERT INTO doomed (location, digest, not_before)
            SELECT location, digest, $1 FROM blobs WHERE digest = $2";
    /// A fresh copy replaces the old one: the bytes of a push were hashed just now, those stored may have rotted.
    STORE = "INSERT INTO blobs (digest, size, location, state, stored_at) VALUES ($1, $2, $3, 'stored', $4)
            ON CONFLICT (digest) DO UPDATE SET size = excluded.size, location = excluded.location,
              state = 'stored', stored_at = excluded.stored_at";
    LINK = "INSERT INTO repo_blobs (repo_id, digest, touched_at) VALUES ($1, $2, $3)
            ON CONFLICT (repo_id, digest) DO UPDATE SET touched_at = excluded.touched_at";
    IS_LINKED = "SELECT 1 FROM repo_blobs WHERE repo_id = $1 AND digest = $2";
    UNLINK = "DELETE FROM repo_blobs WHERE repo_id = $1 AND digest = $2";
    /// Repositories that see a blob, for a mount that names no source.
    HOLDERS = "SELECT p.name FROM repo_blobs r JOIN blobs b ON b.digest = r.digest
            JOIN repositories p ON p.id = r.repo_id
            WHERE r.digest = $1 AND b.state = 'stored' ORDER BY r.repo_id LIMIT $2";
    REVIEW = "INSERT INTO review (kind, repo_id, digest, event, since) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (kind, repo_id, digest) DO UPDATE SET event = excluded.event, since = excluded.since";
    TOTALS = "SELECT count(*), coalesce(sum(size), 0) FROM blobs";
}

impl Meta {
    /// The blob as `repo` sees it.
    pub async fn blob(&self, repo: RepoId, digest: &Digest) -> Result<Option<Blob>> {
        self.db.read(|tx| find(tx, repo, digest))
    }

    /// Makes a sealed upload a blob of `repo`. An older copy of the same digest is doomed until `doom_at`.
    /// `false` when the upload's row is gone (cancelled, expired): nothing was written.
    pub async fn commit_blob(&self, repo: RepoId, blob: NewBlob, now: Millis, doom_at: Millis) -> Result<bool> {
        self.db
            .write(move |tx| {
                let reserved = quotas::release(tx, &blob.upload)?;
                if blob.has_row && !uploads::delete(tx, &blob.upload)? {
                    return Ok(false);
                }
                let digest = blob.digest.as_str();
                tx.run(DOOM, (doom_at, digest))?;
                tx.run(STORE, (digest, signed(blob.size), &blob.location, now))?;
                link(tx, repo, &blob.digest, (blob.size, reserved), now)?;
                Ok(true)
            })
            .await
    }

    /// Lets `to` see a blob that `from` sees. `false` when `from` does not (any more).
    pub async fn mount_blob(&self, from: RepoId, to: RepoId, digest: &Digest, now: Millis) -> Result<bool> {
        let digest = digest.clone();
        self.db
            .write(move |tx| {
                let Some(blob) = find(tx, from, &digest)? else { return Ok(false) };
                link(tx, to, &digest, (blob.size, 0), now)?;
                Ok(true)
            })
            .await
    }

    /// Names of up to `limit` repositories that see the blob, oldest first.
    pub async fn blob_holders(&self, digest: &Digest, limit: usize) -> Result<Vec<wharf_oci::RepoName>> {
        self.db.read(|tx| tx.all(HOLDERS, (digest.as_str(), signed(limit as u64)), |row| crate::db::parsed(row, 0)))
    }

    /// Takes the blob out of the repository's sight; its bytes are the collector's business. `false` when it was not there.
    pub async fn unlink_blob(&self, repo: RepoId, digest: &Digest, by: &Actor, now: Millis) -> Result<bool> {
        let (digest, by) = (digest.clone(), by.clone());
        self.db
            .write(move |tx| {
                let unlinked = tx.run(UNLINK, (repo.0, digest.as_str()))? > 0;
                if unlinked {
                    quotas::remove(tx, repo, Kind::Blob, &digest)?;
                    let what = format!("@{digest}");
                    audit::record_in(tx, repo, &what, &by, now, ("blob.delete", serde_json::Value::Null))?;
                    review(tx, "blob", repo, &digest, "blob deleted", now)?;
                }
                Ok(unlinked)
            })
            .await
    }

    /// How many blobs are stored, and their bytes in all.
    pub async fn count_blobs(&self) -> Result<(u64, u64)> {
        let totals = self.db.read(|tx| tx.one(TOTALS, [], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?))))?;
        Ok(totals.unwrap_or((0, 0)))
    }
}

pub(crate) fn find(tx: &Tx<'_>, repo: RepoId, digest: &Digest) -> Result<Option<Blob>> {
    tx.one(FIND, (repo.0, digest.as_str()), |row| Ok(Blob { size: unsigned(row, 0)?, location: row.get(1)? }))
}

/// Of `size` bytes, `reserved` of which were set aside.
fn link(tx: &Tx<'_>, repo: RepoId, digest: &Digest, (size, reserved): (u64, u64), now: Millis) -> Result<()> {
    repositories::must_live(tx, repo)?;
    if tx.one(IS_LINKED, (repo.0, digest.as_str()), |_| Ok(()))?.is_none() {
        quotas::add(tx, repo, Kind::Blob, digest, size, reserved)?;
    }
    tx.run(LINK, (repo.0, digest.as_str(), now))?;
    review(tx, "blob", repo, digest, "blob pushed", now)
}

/// Asks the collector to look at something again.
pub(crate) fn review(
    tx: &Tx<'_>,
    kind: &'static str,
    repo: RepoId,
    digest: &Digest,
    event: &'static str,
    now: Millis,
) -> Result<()> {
    tx.run(REVIEW, (kind, repo.0, digest.as_str(), event, now)).map(drop)
}
