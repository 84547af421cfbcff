//! Manifests by what they are about, from their rows alone: a list never reads a manifest's bytes.

use std::collections::BTreeMap;
use std::ops::ControlFlow::{Break, Continue};

use rusqlite::Row;
use wharf_oci::{Digest, MediaType};

use crate::db::{parsed, signed, statements, unsigned};
use crate::manifests::media_type;
use crate::{Error, Meta, RepoId, Result};

/// Bytes of a descriptor besides its texts: its size, the names of its members, quotes.
const FRAME: usize = 128;

/// A manifest whose subject was asked for.
#[derive(Clone, Debug)]
pub struct Referrer {
    /// Its digest.
    pub digest: Digest,
    /// The type it was pushed with.
    pub media_type: MediaType,
    /// Bytes of it.
    pub size: u64,
    /// Its artifactType as the list shows it.
    pub artifact_type: Option<String>,
    /// Its annotations as the list shows them.
    pub annotations: BTreeMap<String, String>,
}

/// A part of a list of referrers.
#[derive(Clone, Debug, Default)]
pub struct Referrers {
    /// By digest.
    pub entries: Vec<Referrer>,
    /// About how many bytes they are as JSON.
    pub bytes: usize,
    /// Whether there are more after the last.
    pub more: bool,
}

statements! {
    LIST = "SELECT r.digest, r.media_type, m.size, r.artifact_type, r.annotations
            FROM repo_manifests r JOIN manifests m ON m.digest = r.digest
            WHERE r.repo_id = $1 AND r.subject = $2 AND r.digest > $3 AND r.deleted_at IS NULL
            ORDER BY r.digest LIMIT $4";
    LIST_OF_TYPE = "SELECT r.digest, r.media_type, m.size, r.artifact_type, r.annotations
            FROM repo_manifests r JOIN manifests m ON m.digest = r.digest
            WHERE r.repo_id = $1 AND r.subject = $2 AND r.digest > $3 AND r.deleted_at IS NULL
              AND r.artifact_type = $4
            ORDER BY r.digest LIMIT $5";
}

impl Meta {
    /// Referrers of exactly `subject` in `repo`, by digest, after `after`; of one artifactType when given. At most
    /// `rows` of them, and no further one once they are `bytes` long.
    pub async fn referrers(
        &self,
        repo: RepoId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: &str,
        rows: usize,
        bytes: usize,
    ) -> Result<Referrers> {
        let mut found = Referrers::default();
        let take = |row: &Row<'_>| {
            if found.entries.len() >= rows || (found.bytes >= bytes && !found.entries.is_empty()) {
                found.more = true;
                return Ok(Break(()));
            }
            let (referrer, weight) = referrer(row)?;
            found.bytes += weight;
            found.entries.push(referrer);
            Ok(Continue(()))
        };
        // One more, to know whether there is one.
        let (repo, subject, limit) = (repo.0, subject.as_str(), signed(rows as u64).saturating_add(1));
        self.db.read(|tx| match artifact_type {
            None => tx.walk(LIST, (repo, subject, after, limit), take),
            Some(of) => tx.walk(LIST_OF_TYPE, (repo, subject, after, of, limit), take),
        })?;
        Ok(found)
    }
}

fn referrer(row: &Row<'_>) -> Result<(Referrer, usize)> {
    let (artifact_type, annotations): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
    let (digest, media_type): (Digest, _) = (parsed(row, 0)?, media_type(row, 1)?);
    let texts = [digest.as_str(), media_type.as_str()].into_iter().chain(artifact_type.as_deref());
    let weight = FRAME + texts.chain(annotations.as_deref()).map(str::len).sum::<usize>();
    let annotations = annotations.as_deref().map(serde_json::from_str).transpose();
    let annotations = annotations.map_err(|error| Error::Damaged(format!("annotations of {digest} ({error})")))?;
    let (size, annotations) = (unsigned(row, 2)?, annotations.unwrap_or_default());
    Ok((Referrer { digest, media_type, size, artifact_type, annotations }, weight))
}
