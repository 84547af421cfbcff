//! Manifests: exact bytes once, a row per repository that holds them.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;
use wharf_oci::{Digest, MediaType, Reference, Tag};

use crate::db::{Tx, parsed, signed, statements, unsigned};
use crate::quotas::{self, Kind};
use crate::{Actor, Error, Meta, Millis, RepoId, Result, audit, blobs, repositories, tags};

/// Missing digests that a refused push is told of: each took a look-up on the writer, and nobody reads more.
const MISSING: usize = 100;

/// Tags that the audit names of those that went with a manifest.
const NAMED: usize = 100;

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
    /// As the referrers list shows them.
    pub annotations: BTreeMap<String, String>,
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
    pub by: Actor,
}

/// How a push of a manifest went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is stored and every tag points at it.
    Stored,
    /// These are missing, the first 100 of them, each once; nothing was written.
    Missing(Vec<Digest>),
    /// The condition does not hold; nothing was written.
    ConditionFailed,
}

statements! {
    COUNT = "SELECT count(*) FROM manifests";
    BY_DIGEST = "SELECT m.digest, r.media_type, m.bytes FROM repo_manifests r JOIN manifests m ON m.digest = r.digest
            WHERE r.repo_id = $1 AND r.digest = $2 AND r.deleted_at IS NULL";
    BY_TAG = "SELECT m.digest, r.media_type, m.bytes FROM tags t
            JOIN repo_manifests r ON r.repo_id = t.repo_id AND r.digest = t.digest
            JOIN manifests m ON m.digest = t.digest
            WHERE t.repo_id = $1 AND t.tag = $2 AND r.deleted_at IS NULL";
    EXISTS = "SELECT 1 FROM repo_manifests WHERE repo_id = $1 AND digest = $2 AND deleted_at IS NULL";
    STORE = "INSERT INTO manifests (digest, size, bytes) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING";
    LINK = "INSERT INTO repo_manifests
              (repo_id, digest, media_type, artifact_type, subject, pushed_by, pushed_at, incomplete, annotations)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (repo_id, digest) DO UPDATE SET media_type = excluded.media_type,
              artifact_type = excluded.artifact_type, pushed_by = excluded.pushed_by,
              pushed_at = excluded.pushed_at, deleted_at = NULL, incomplete = excluded.incomplete,
              annotations = excluded.annotations";
    REF = "INSERT INTO refs (repo_id, parent, kind, child) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    DELETE = "UPDATE repo_manifests SET deleted_at = $1 WHERE repo_id = $2 AND digest = $3 AND deleted_at IS NULL";
    TAGGED = "SELECT tag FROM tags WHERE repo_id = $1 AND digest = $2 ORDER BY tag";
    INCOMPLETE = "SELECT count(*) FROM repo_manifests WHERE incomplete = 1 AND deleted_at IS NULL";
}

impl Meta {
    /// How many manifests there are, each once.
    pub async fn count_manifests(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(COUNT, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }

    /// The manifest that `reference` names in `repo`.
    pub async fn manifest(&self, repo: RepoId, reference: &Reference) -> Result<Option<StoredManifest>> {
        self.db.read(|tx| match reference {
            Reference::Digest(digest) => tx.one(BY_DIGEST, (repo.0, digest.as_str()), stored),
            Reference::Tag(tag) => tx.one(BY_TAG, (repo.0, tag.as_str()), stored),
        })
    }

    /// Stores a manifest, its references and its tags, all or nothing.
    pub async fn put_manifest(&self, repo: RepoId, new: NewManifest, now: Millis) -> Result<PutOutcome> {
        let annotations = annotations_text(&new.annotations)?;
        self.db.write(move |tx| put(tx, repo, &new, annotations.as_deref(), now)).await
    }

    /// How many manifests were accepted although something they name, their subject aside, was not there.
    pub async fn count_incomplete(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(INCOMPLETE, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }

    /// Deletes a manifest from `repo` with every tag on it. `None` when it was not there, else the tags.
    pub async fn delete_manifest(
        &self,
        repo: RepoId,
        digest: &Digest,
        by: &Actor,
        now: Millis,
    ) -> Result<Option<Vec<Tag>>> {
        let (digest, by) = (digest.clone(), by.clone());
        self.db
            .write(move |tx| {
                if tx.run(DELETE, (now, repo.0, digest.as_str()))? == 0 {
                    return Ok(None);
                }
                quotas::remove(tx, repo, Kind::Manifest, &digest)?;
                let tagged: Vec<Tag> = tx.all(TAGGED, (repo.0, digest.as_str()), |row| parsed(row, 0))?;
                if !tagged.is_empty() {
                    let version = repositories::next_version(tx, repo)?;
                    for tag in &tagged {
                        tags::remove(tx, repo, tag, version, &by.name, now)?;
                    }
                }
                record_deletion(tx, repo, &digest, &tagged, &by, now)?;
                blobs::review(tx, "manifest", repo, &digest, "manifest deleted", now)?;
                Ok(Some(tagged))
            })
            .await
    }
}

fn put(tx: &Tx<'_>, repo: RepoId, new: &NewManifest, annotations: Option<&str>, now: Millis) -> Result<PutOutcome> {
    repositories::must_live(tx, repo)?;
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
    let (media_type, incomplete) = (new.media_type.as_str(), !is_complete(tx, repo, new)?);
    let is_new = tx.one(EXISTS, (repo.0, digest), |_| Ok(()))?.is_none();
    if is_new {
        quotas::add(tx, repo, Kind::Manifest, &new.digest, new.bytes.len() as u64, 0)?;
    }
    let row = (repo.0, digest, media_type, &new.artifact_type, subject, &new.by.name, now, incomplete, annotations);
    tx.run(LINK, row)?;
    for (kind, child) in &new.refs {
        tx.run(REF, (repo.0, digest, kind.as_str(), child.as_str()))?;
    }
    let moved = tags::point(tx, repo, &new.tags, &new.digest, &new.by.name, now)?;
    // Pushed again as it is, it changes nothing.
    if is_new || !moved.is_empty() {
        record_push(tx, repo, new, &moved, now)?;
    }
    blobs::review(tx, "manifest", repo, &new.digest, "manifest pushed", now)?;
    Ok(PutOutcome::Stored)
}

fn record_push(tx: &Tx<'_>, repo: RepoId, new: &NewManifest, moved: &[tags::Moved], now: Millis) -> Result<()> {
    let what = moved.first().map_or_else(|| format!("@{}", new.digest), |moved| format!(":{}", moved.tag));
    let before: BTreeMap<&str, Option<&str>> =
        moved.iter().map(|moved| (moved.tag.as_str(), moved.from.as_ref().map(Digest::as_str))).collect();
    let after = json!({ "digest": new.digest, "media_type": new.media_type.as_str(), "size": new.bytes.len() });
    let details = json!({ "before": { "tags": before }, "after": after });
    audit::record_in(tx, repo, &what, &new.by, now, ("manifest.push", details))
}

fn record_deletion(tx: &Tx<'_>, repo: RepoId, digest: &Digest, tagged: &[Tag], by: &Actor, now: Millis) -> Result<()> {
    let named: Vec<&str> = tagged.iter().take(NAMED).map(Tag::as_str).collect();
    let details = json!({ "before": { "tags": named, "tagged": tagged.len() } });
    audit::record_in(tx, repo, &format!("@{digest}"), by, now, ("manifest.delete", details))
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
    let blobs = new.required_blobs.iter().map(|digest| (digest, Role::Blob));
    let children = new.required_children.iter().map(|digest| (digest, Role::Child));
    let (mut asked, mut missing) = (HashSet::new(), Vec::new());
    for (digest, role) in blobs.chain(children) {
        if asked.insert((digest, role)) && !is_here(tx, repo, digest, role)? && !missing.contains(digest) {
            missing.push(digest.clone());
            if missing.len() == MISSING {
                break;
            }
        }
    }
    Ok(missing)
}

/// Whether everything it names is there, its subject aside. Looks up only what was not just found to be there.
fn is_complete(tx: &Tx<'_>, repo: RepoId, new: &NewManifest) -> Result<bool> {
    let blobs = new.required_blobs.iter().flat_map(|digest| [(digest, Role::Blob), (digest, Role::Child)]);
    let children = new.required_children.iter().map(|digest| (digest, Role::Child));
    let mut here: HashSet<_> = blobs.chain(children).collect();
    for (kind, digest) in &new.refs {
        let role = match kind {
            RefKind::Config | RefKind::Layer => Role::Blob,
            RefKind::Manifest => Role::Child,
            RefKind::Subject => continue,
        };
        if here.insert((digest, role)) && !is_here(tx, repo, digest, role)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a reference must find: a blob, or either a manifest or a blob.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Blob,
    Child,
}

fn is_here(tx: &Tx<'_>, repo: RepoId, digest: &Digest, role: Role) -> Result<bool> {
    let is_manifest = role == Role::Child && tx.one(EXISTS, (repo.0, digest.as_str()), |_| Ok(()))?.is_some();
    Ok(is_manifest || blobs::find(tx, repo, digest)?.is_some())
}

fn annotations_text(annotations: &BTreeMap<String, String>) -> Result<Option<String>> {
    if annotations.is_empty() {
        return Ok(None);
    }
    // Strings under strings: it cannot fail.
    serde_json::to_string(annotations).map(Some).map_err(|error| Error::Damaged(error.to_string()))
}

fn stored(row: &rusqlite::Row<'_>) -> Result<StoredManifest> {
    Ok(StoredManifest { digest: parsed(row, 0)?, media_type: media_type(row, 1)?, bytes: row.get(2)? })
}

pub(crate) fn media_type(row: &rusqlite::Row<'_>, index: usize) -> Result<MediaType> {
    let text = row.get_ref(index)?.as_str().map_err(|error| Error::Damaged(error.to_string()))?;
    MediaType::parse(text).map_err(|error| Error::Damaged(error.to_string()))
}
