//! What is in a repository, for lists that people read.

use rusqlite::Row;
use wharf_oci::{Digest, MediaType, Tag};

use crate::db::{Tx, parsed, parsed_or_null, signed, statements, unsigned};
use crate::manifests::media_type;
use crate::{Meta, Millis, RepoId, Result};

/// A tag, and what it points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagEntry {
    /// The tag.
    pub tag: Tag,
    /// The manifest it points at.
    pub digest: Digest,
    /// The manifest's type.
    pub media_type: MediaType,
    /// Bytes of the manifest itself.
    pub size: u64,
    /// Bytes of the config and the layers that it names itself; those of an index's children are theirs.
    pub content_size: u64,
    /// Who pointed it there; who pushed the manifest where that was not recorded.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// A manifest in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestEntry {
    /// Its digest.
    pub digest: Digest,
    /// Its type.
    pub media_type: MediaType,
    /// As the referrers list names it.
    pub artifact_type: Option<String>,
    /// What it is about.
    pub subject: Option<Digest>,
    /// Bytes of the manifest itself.
    pub size: u64,
    /// Bytes of the config and the layers that it names itself; those of an index's children are theirs.
    pub content_size: u64,
    /// Who pushed it last.
    pub by: String,
    /// When.
    pub at: Millis,
    /// Tags that point at it.
    pub tags: Vec<Tag>,
}

statements! {
    TAGS = "SELECT t.tag, t.digest, r.media_type, m.size, coalesce((
              SELECT sum(b.size) FROM refs f JOIN blobs b ON b.digest = f.child
              WHERE f.repo_id = t.repo_id AND f.parent = t.digest AND f.kind IN ('config', 'layer')), 0),
              coalesce(t.updated_by, r.pushed_by), t.updated_at
            FROM tags t JOIN repo_manifests r ON r.repo_id = t.repo_id AND r.digest = t.digest
            JOIN manifests m ON m.digest = t.digest
            WHERE t.repo_id = $1 AND t.tag > $2 ORDER BY t.tag LIMIT $3";
    MANIFESTS = "SELECT r.digest, r.media_type, r.artifact_type, r.subject, m.size, coalesce((
              SELECT sum(b.size) FROM refs f JOIN blobs b ON b.digest = f.child
              WHERE f.repo_id = r.repo_id AND f.parent = r.digest AND f.kind IN ('config', 'layer')), 0),
              r.pushed_by, r.pushed_at
            FROM repo_manifests r JOIN manifests m ON m.digest = r.digest
            WHERE r.repo_id = $1 AND r.digest > $2 AND r.deleted_at IS NULL ORDER BY r.digest LIMIT $3";
    MANIFEST = "SELECT r.digest, r.media_type, r.artifact_type, r.subject, m.size, coalesce((
              SELECT sum(b.size) FROM refs f JOIN blobs b ON b.digest = f.child
              WHERE f.repo_id = r.repo_id AND f.parent = r.digest AND f.kind IN ('config', 'layer')), 0),
              r.pushed_by, r.pushed_at
            FROM repo_manifests r JOIN manifests m ON m.digest = r.digest
            WHERE r.repo_id = $1 AND r.digest = $2 AND r.deleted_at IS NULL";
    TAGS_OF = "SELECT tag FROM tags WHERE repo_id = $1 AND digest = $2 ORDER BY tag LIMIT $3";
}

/// Tags that a manifest is listed with.
const TAGS_SHOWN: i64 = 100;

impl Meta {
    /// Tags of a repository in byte order after `after`, at most `limit`, with what they point at.
    pub async fn tag_entries(&self, repo: RepoId, after: &str, limit: usize) -> Result<Vec<TagEntry>> {
        self.db.read(|tx| tx.all(TAGS, (repo.0, after, signed(limit as u64)), tag_entry))
    }

    /// Manifests of a repository by digest after `after`, at most `limit`, each with the first hundred of its tags.
    pub async fn manifest_entries(&self, repo: RepoId, after: &str, limit: usize) -> Result<Vec<ManifestEntry>> {
        self.db.read(|tx| {
            let mut entries = tx.all(MANIFESTS, (repo.0, after, signed(limit as u64)), manifest_entry)?;
            for entry in &mut entries {
                entry.tags = tags_of(tx, repo, &entry.digest)?;
            }
            Ok(entries)
        })
    }

    /// One manifest of a repository, with the first hundred of its tags.
    pub async fn manifest_entry(&self, repo: RepoId, digest: &Digest) -> Result<Option<ManifestEntry>> {
        self.db.read(|tx| {
            let Some(entry) = tx.one(MANIFEST, (repo.0, digest.as_str()), manifest_entry)? else { return Ok(None) };
            let tags = tags_of(tx, repo, digest)?;
            Ok(Some(ManifestEntry { tags, ..entry }))
        })
    }
}

fn tags_of(tx: &Tx<'_>, repo: RepoId, digest: &Digest) -> Result<Vec<Tag>> {
    tx.all(TAGS_OF, (repo.0, digest.as_str(), TAGS_SHOWN), |row| parsed(row, 0))
}

fn tag_entry(row: &Row<'_>) -> Result<TagEntry> {
    Ok(TagEntry {
        tag: parsed(row, 0)?,
        digest: parsed(row, 1)?,
        media_type: media_type(row, 2)?,
        size: unsigned(row, 3)?,
        content_size: unsigned(row, 4)?,
        by: row.get(5)?,
        at: row.get(6)?,
    })
}

fn manifest_entry(row: &Row<'_>) -> Result<ManifestEntry> {
    Ok(ManifestEntry {
        digest: parsed(row, 0)?,
        media_type: media_type(row, 1)?,
        artifact_type: row.get(2)?,
        subject: parsed_or_null(row, 3)?,
        size: unsigned(row, 4)?,
        content_size: unsigned(row, 5)?,
        by: row.get(6)?,
        at: row.get(7)?,
        tags: vec![],
    })
}
