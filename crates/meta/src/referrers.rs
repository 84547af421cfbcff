//! Manifests by what they are about.

use wharf_oci::Digest;

use crate::db::{signed, statements, unsigned};
use crate::manifests::StoredManifest;
use crate::{Meta, RepoId, Result};

/// A manifest whose subject was asked for.
#[derive(Clone, Debug)]
pub struct Referrer {
    /// The manifest.
    pub manifest: StoredManifest,
    /// Bytes of it.
    pub size: u64,
    /// Its artifactType as the list shows it.
    pub artifact_type: Option<String>,
}

statements! {
    LIST = "SELECT r.digest, r.media_type, m.bytes, m.size, r.artifact_type
            FROM repo_manifests r JOIN manifests m ON m.digest = r.digest
            WHERE r.repo_id = $1 AND r.subject = $2 AND r.digest > $3 AND r.deleted_at IS NULL
              AND ($4 IS NULL OR r.artifact_type = $4)
            ORDER BY r.digest LIMIT $5";
}

impl Meta {
    /// Referrers of exactly `subject` in `repo`, by digest, after `after`, at most `limit`; of one artifactType when given.
    pub async fn referrers(
        &self,
        repo: RepoId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Referrer>> {
        let params = (repo.0, subject.as_str(), after, artifact_type, signed(limit as u64));
        self.db.read(|tx| {
            tx.all(LIST, params, |row| {
                let manifest = crate::manifests::stored(row)?;
                Ok(Referrer { manifest, size: unsigned(row, 3)?, artifact_type: row.get(4)? })
            })
        })
    }
}
