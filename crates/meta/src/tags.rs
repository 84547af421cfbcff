//! Tags, and the history that every move of one leaves.

use serde_json::json;
use wharf_oci::{Digest, Tag};

use crate::db::{Tx, parsed, signed, statements, unsigned};
use crate::{Actor, Meta, Millis, RepoId, Result, audit, blobs, quotas, repositories};

/// A tag that was deleted, and what it pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagDeleted {
    /// The manifest it pointed at.
    pub digest: Digest,
}

statements! {
    COUNT = "SELECT count(*) FROM tags";
    LIST = "SELECT tag FROM tags WHERE repo_id = $1 AND tag > $2 ORDER BY tag LIMIT $3";
    TARGET = "SELECT digest FROM tags WHERE repo_id = $1 AND tag = $2";
    POINT = "INSERT INTO tags (repo_id, tag, digest, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (repo_id, tag) DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at,
              updated_by = excluded.updated_by";
    REMOVE = "DELETE FROM tags WHERE repo_id = $1 AND tag = $2 RETURNING digest";
    EVENT = "INSERT INTO tag_events (repo_id, version, tag, from_digest, to_digest, at, by)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
}

impl Meta {
    /// How many tags there are.
    pub async fn count_tags(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(COUNT, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }

    /// Tags of `repo` in byte order, after `after`, at most `limit`.
    pub async fn tags(&self, repo: RepoId, after: &str, limit: usize) -> Result<Vec<Tag>> {
        self.db.read(|tx| tx.all(LIST, (repo.0, after, signed(limit as u64)), |row| parsed(row, 0)))
    }

    /// Deletes a tag and nothing else. `None` when there was none.
    pub async fn delete_tag(&self, repo: RepoId, tag: &Tag, by: &Actor, now: Millis) -> Result<Option<TagDeleted>> {
        let (tag, by) = (tag.clone(), by.clone());
        self.db
            .write(move |tx| {
                if target(tx, repo, &tag)?.is_none() {
                    return Ok(None);
                }
                let version = repositories::next_version(tx, repo)?;
                let digest = remove(tx, repo, &tag, version, &by.name, now)?;
                if let Some(digest) = &digest {
                    let details = json!({ "before": { "digest": digest } });
                    audit::record_in(tx, repo, &format!(":{tag}"), &by, now, ("tag.delete", details))?;
                    blobs::review(tx, "manifest", repo, digest, "tag deleted", now)?;
                }
                Ok(digest.map(|digest| TagDeleted { digest }))
            })
            .await
    }
}

pub(crate) fn target(tx: &Tx<'_>, repo: RepoId, tag: &Tag) -> Result<Option<Digest>> {
    tx.one(TARGET, (repo.0, tag.as_str()), |row| parsed(row, 0))
}

/// A tag that points elsewhere now.
pub(crate) struct Moved {
    pub(crate) tag: Tag,
    /// Where it pointed; `None` for one that is new.
    pub(crate) from: Option<Digest>,
}

/// Points `tags` at `digest`, and says which of them have moved. One that points there already leaves no event.
pub(crate) fn point(
    tx: &Tx<'_>,
    repo: RepoId,
    tags: &[Tag],
    digest: &Digest,
    by: &str,
    now: Millis,
) -> Result<Vec<Moved>> {
    let mut moved: Vec<Moved> = Vec::new();
    for tag in tags {
        let from = target(tx, repo, tag)?;
        if from.as_ref() != Some(digest) && !moved.iter().any(|seen| seen.tag == *tag) {
            moved.push(Moved { tag: tag.clone(), from });
        }
    }
    if moved.is_empty() {
        return Ok(moved);
    }
    quotas::add_tags(tx, repo, moved.iter().filter(|moved| moved.from.is_none()).count() as u64)?;
    let version = repositories::next_version(tx, repo)?;
    for Moved { tag, from } in &moved {
        tx.run(POINT, (repo.0, tag.as_str(), digest.as_str(), now, by))?;
        let from_digest = from.as_ref().map(Digest::as_str);
        tx.run(EVENT, (repo.0, version, tag.as_str(), from_digest, Some(digest.as_str()), now, by))?;
        if let Some(from) = from {
            blobs::review(tx, "manifest", repo, from, "tag moved", now)?;
        }
    }
    Ok(moved)
}

/// Deletes one tag as part of change `version`; says what it pointed at.
pub(crate) fn remove(
    tx: &Tx<'_>,
    repo: RepoId,
    tag: &Tag,
    version: i64,
    by: &str,
    now: Millis,
) -> Result<Option<Digest>> {
    let from: Option<Digest> = tx.one(REMOVE, (repo.0, tag.as_str()), |row| parsed(row, 0))?;
    if let Some(from) = &from {
        quotas::remove_tag(tx, repo)?;
        let nothing: Option<&str> = None;
        tx.run(EVENT, (repo.0, version, tag.as_str(), Some(from.as_str()), nothing, now, by))?;
    }
    Ok(from)
}
