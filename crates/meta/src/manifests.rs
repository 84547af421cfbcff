//! Manifests: exact bytes once, a row per repository that holds them.

use wharf_oci::{Digest, MediaType, Reference, Tag};

use crate::db::{Tx, parsed, signed, statements};
use crate::{Error, Meta, Millis, RepoId, Result, blobs, repositories, tags};

/// A manifest as a repository holds it.
#[derive(Clone, Debug)]
pub struct StoredManifest {
    /// Its digest.
    pub digest: Digest,
    /// The type it was pushed with.
    pub media_type: MediaType,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
}

/// Why a manifest names a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefKind {
    /// Its config.
    Config,
    /// One of its layers.
    Layer,
    /// A child of an index: a manifest, or for build caches a blob.
    Manifest,
    /// What it is about.
    Subject,
}

impl RefKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Layer => "layer",
            Self::Manifest => "manifest",
            Self::Subject => "subject",
        }
    }
}

/// What must hold of a tag for a push to move it (`If-Match`, `If-None-Match`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagCondition {
    /// It points at one of these.
    PointsAt(Vec<Digest>),
    /// It exists.
    Exists,
    /// It does not exist.
    Absent,
}

/// A manifest to be stored, with everything that must happen in the same transaction.
#[derive(Clone, Debug)]
pub struct NewManifest {
    /// What `bytes` hash to.
    pub digest: Digest,
    /// The type it is pushed with.
    pub media_type: MediaType,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// As the referrers list names it.
    pub artifact_type: Option<String>,
    /// Everything it names.
    pub refs: Vec<(RefKind, Digest)>,
    /// Blobs that must be linked in the repository.
    pub required_blobs: Vec<Digest>,
    /// Children that must be there, each as a manifest or as a blob.
    pub required_children: Vec<Digest>,
    /// Tags to point at it.
    pub tags: Vec<Tag>,
    /// What must hold of the first tag.
    pub condition: Option<TagCondition>,
    /// Who pushes.
    pub by: String,
}

/// How a push of a manifest went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is stored and every tag points at it.
    Stored,
    /// These are missing; nothing was written.
    Missing(Vec<Digest>),
    /// The condition does not hold; nothing was written.
    ConditionFailed,
}

statements! {
    BY_DIGEST = "SELECT m.digest, r.media_type, m.bytes FROM repo_manifests r JOIN manifests m ON m.digest = r.digest
            WHERE r.repo_id = $1 AND r.digest = $2 AND r.deleted_at IS NULL";
    BY_TAG = "SELECT m.digest, r.media_type, m.bytes FROM tags t
            JOIN repo_manifests r ON r.repo_id = t.repo_id AND r.digest = t.digest
            JOIN manifests m ON m.digest = t.digest
            WHERE t.repo_id = $1 AND t.tag = $2 AND r.deleted_at IS NULL";
    EXISTS = "SELECT 1 FROM repo_manifests WHERE repo_id = $1 AND digest = $2 AND deleted_at IS NULL";
    STORE = "INSERT INTO manifests (digest, size, bytes) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING";
    LINK = "INSERT INTO repo_manifests
              (repo_id, digest, media_type, artifact_type, subject, pushed_by, pushed_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (repo_id, digest) DO UPDATE SET media_type = excluded.media_type,
              artifact_type = excluded.artifact_type, pushed_by = excluded.pushed_by,
              pushed_at = excluded.pushed_at, deleted_at = NULL";
    REF = "INSERT INTO refs (repo_id, parent, kind, child) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    DELETE = "UPDATE repo_manifests SET deleted_at = $1 WHERE repo_id = $2 AND digest = $3 AND deleted_at IS NULL";
    TAGGED = "SELECT tag FROM tags WHERE repo_id = $1 AND digest = $2 ORDER BY tag";
}

impl Meta {
    /// The manifest that `reference` names in `repo`.
    pub async fn manifest(&self, repo: RepoId, reference: &Reference) -> Result<Option<StoredManifest>> {
        self.db.read(|tx| match reference {
            Reference::Digest(digest) => tx.one(BY_DIGEST, (repo.0, digest.as_str()), stored),
            Reference::Tag(tag) => tx.one(BY_TAG, (repo.0, tag.as_str()), stored),
        })
    }

    /// Stores a manifest, its references and its tags, all or nothing.
    pub async fn put_manifest(&self, repo: RepoId, new: NewManifest, now: Millis) -> Result<PutOutcome> {
        self.db.write(move |tx| put(tx, repo, &new, now)).await
    }

    /// Deletes a manifest from `repo` with every tag on it. `None` when it was not there, else the tags.
    pub async fn delete_manifest(
        &self,
        repo: RepoId,
        digest: &Digest,
        by: &str,
        now: Millis,
    ) -> Result<Option<Vec<Tag>>> {
        let (digest, by) = (digest.clone(), by.to_owned());
        self.db
            .write(move |tx| {
                if tx.run(DELETE, (now, repo.0, digest.as_str()))? == 0 {
                    return Ok(None);
                }
                let tagged: Vec<Tag> = tx.all(TAGGED, (repo.0, digest.as_str()), |row| parsed(row, 0))?;
                if !tagged.is_empty() {
                    let version = repositories::next_version(tx, repo)?;
                    for tag in &tagged {
                        tags::remove(tx, repo, tag, version, &by, now)?;
                    }
                }
                blobs::review(tx, "manifest", repo, &digest, "manifest deleted", now)?;
                Ok(Some(tagged))
            })
            .await
    }
}

fn put(tx: &Tx<'_>, repo: RepoId, new: &NewManifest, now: Millis) -> Result<PutOutcome> {
    if !condition_holds(tx, repo, new)? {
        return Ok(PutOutcome::ConditionFailed);
    }
    let missing = missing(tx, repo, new)?;
    if !missing.is_empty() {
        return Ok(PutOutcome::Missing(missing));
    }
    let digest = new.digest.as_str();
    let subject = new.refs.iter().find(|(kind, _)| *kind == RefKind::Subject).map(|(_, child)| child.as_str());
    tx.run(STORE, (digest, signed(new.bytes.len() as u64), &new.bytes))?;
    tx.run(LINK, (repo.0, digest, new.media_type.as_str(), &new.artifact_type, subject, &new.by, now))?;
    for (kind, child) in &new.refs {
        tx.run(REF, (repo.0, digest, kind.as_str(), child.as_str()))?;
    }
    tags::point(tx, repo, &new.tags, &new.digest, &new.by, now)?;
    blobs::review(tx, "manifest", repo, &new.digest, "manifest pushed", now)?;
    Ok(PutOutcome::Stored)
}

fn condition_holds(tx: &Tx<'_>, repo: RepoId, new: &NewManifest) -> Result<bool> {
    let (Some(condition), Some(tag)) = (&new.condition, new.tags.first()) else { return Ok(true) };
    let points_at = tags::target(tx, repo, tag)?;
    Ok(match (condition, points_at) {
        (TagCondition::Absent, now) => now.is_none(),
        (_, None) => false,
        (TagCondition::Exists, Some(_)) => true,
        (TagCondition::PointsAt(wanted), Some(now)) => wanted.contains(&now),
    })
}

fn missing(tx: &Tx<'_>, repo: RepoId, new: &NewManifest) -> Result<Vec<Digest>> {
    let mut missing = Vec::new();
    for digest in &new.required_blobs {
        if blobs::find(tx, repo, digest)?.is_none() {
            missing.push(digest.clone());
        }
    }
    for digest in &new.required_children {
        let is_manifest = tx.one(EXISTS, (repo.0, digest.as_str()), |_| Ok(()))?.is_some();
        if !is_manifest && blobs::find(tx, repo, digest)?.is_none() {
            missing.push(digest.clone());
        }
    }
    Ok(missing)
}

pub(crate) fn stored(row: &rusqlite::Row<'_>) -> Result<StoredManifest> {
    let media_type = row.get_ref(1)?.as_str().map_err(|error| Error::Damaged(error.to_string()))?;
    Ok(StoredManifest {
        digest: parsed(row, 0)?,
        media_type: MediaType::parse(media_type).map_err(|error| Error::Damaged(error.to_string()))?,
        bytes: row.get(2)?,
    })
}
