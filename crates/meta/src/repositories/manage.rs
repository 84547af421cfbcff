//! Repositories as those who manage them see them. Deleting one takes all of it out of sight at once and leaves the
//! collector its work; the name is free again, and a push brings back the row, not what was in it.

use rusqlite::Row;
use serde_json::{Value, json};
use wharf_oci::RepoName;

use super::{Visibility, make};
use crate::changes::{By, Made, Refusal, What, check_version};
use crate::db::{Tx, parsed, parsed_or_null, signed, statements, unsigned};
use crate::grants::{self, GrantsOf};
use crate::{Meta, Millis, OrgId, RepoId, Result, Window, quotas};

/// A repository and its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySettings {
    /// Its row.
    pub id: RepoId,
    /// Its org's row.
    pub org: OrgId,
    /// Its canonical name.
    pub name: RepoName,
    /// Its own; `None`: its org's.
    pub own_visibility: Option<Visibility>,
    /// Its own, else its org's; `None`: the registry's default.
    pub visibility: Option<Visibility>,
    /// Counts changes of the settings.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
}

/// How much is in a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Tags.
    pub tags: u64,
    /// Manifests, tagged or not.
    pub manifests: u64,
    /// Blobs it may see.
    pub blobs: u64,
    /// Their bytes, and the manifests'.
    pub bytes: u64,
}

/// Which repositories a list looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// All.
    Registry,
    /// Those of an org.
    Org(OrgId),
    /// Those of an org that say themselves that they are open to whoever is signed in.
    OpenIn(OrgId),
}

macro_rules! columns {
    () => {
        "SELECT r.id, r.org_id, r.name, r.visibility, coalesce(r.visibility, o.visibility), r.settings_version,
           r.created_at, r.deleted_at IS NULL AND instr(r.name, $1) > 0
         FROM repositories r JOIN orgs o ON o.id = r.org_id "
    };
}

statements! {
    BY_NAME = concat!(columns!(), "WHERE r.name = $2 AND r.deleted_at IS NULL");
    BY_ID = concat!(columns!(), "WHERE r.id = $2 AND r.deleted_at IS NULL");
    /// LIMIT bounds what is looked at, not what is found.
    WINDOW = concat!(columns!(), "WHERE r.name > $2 ORDER BY r.name LIMIT $3");
    WINDOW_OF_ORG = concat!(columns!(), "WHERE r.org_id = $2 AND r.name > $3 ORDER BY r.name LIMIT $4");
    WINDOW_OPEN_IN_ORG = concat!(columns!(), "WHERE r.org_id = $2 AND r.visibility IN ('internal', 'public')
            AND r.name > $3 ORDER BY r.name LIMIT $4");
    IS_DELETED = "SELECT name FROM repositories WHERE id = $1 AND deleted_at IS NOT NULL";
    CHANGE = "UPDATE repositories SET visibility = $1, settings_version = settings_version + 1 WHERE id = $2";
    TAGS = "SELECT count(*) FROM tags WHERE repo_id = $1";
    MANIFESTS = "SELECT count(*), coalesce(sum(m.size), 0) FROM repo_manifests r JOIN manifests m ON m.digest = r.digest
            WHERE r.repo_id = $1 AND r.deleted_at IS NULL";
    BLOBS = "SELECT count(*), coalesce(sum(b.size), 0) FROM repo_blobs r JOIN blobs b ON b.digest = r.digest
            WHERE r.repo_id = $1";
    NEXT_VERSION = "UPDATE repositories SET version = version + 1 WHERE id = $1 RETURNING version";
    TAG_EVENTS = "INSERT INTO tag_events (repo_id, version, tag, from_digest, to_digest, at, by)
            SELECT repo_id, $1, tag, digest, NULL, $2, $3 FROM tags WHERE repo_id = $4";
    CLEAR_TAGS = "DELETE FROM tags WHERE repo_id = $1";
    REVIEW_MANIFESTS = "INSERT INTO review (kind, repo_id, digest, event, since)
            SELECT 'manifest', repo_id, digest, 'repository deleted', $1 FROM repo_manifests
            WHERE repo_id = $2 AND deleted_at IS NULL
            ON CONFLICT (kind, repo_id, digest) DO UPDATE SET event = excluded.event, since = excluded.since";
    CLEAR_MANIFESTS = "UPDATE repo_manifests SET deleted_at = $1 WHERE repo_id = $2 AND deleted_at IS NULL";
    REVIEW_BLOBS = "INSERT INTO review (kind, repo_id, digest, event, since)
            SELECT 'blob', repo_id, digest, 'repository deleted', $1 FROM repo_blobs WHERE repo_id = $2
            ON CONFLICT (kind, repo_id, digest) DO UPDATE SET event = excluded.event, since = excluded.since";
    CLEAR_BLOBS = "DELETE FROM repo_blobs WHERE repo_id = $1";
    CLEAR_GRANTS = "DELETE FROM grants WHERE repo_id = $1";
    /// Whoever makes another repository of that name did not mean these.
    CLEAR_TOKENS = "DELETE FROM api_tokens WHERE repo_id = $1";
    MARK = "UPDATE repositories SET deleted_at = $1, visibility = NULL, settings_version = settings_version + 1
            WHERE id = $2";
}

impl Meta {
    /// The repository of that name, with its settings.
    pub async fn repository_settings(&self, name: &RepoName) -> Result<Option<RepositorySettings>> {
        self.db.read(|tx| find(tx, name))
    }

    /// Looks at `window` repositories by canonical name after `after` for those that have `part` in their name,
    /// deleted ones aside.
    pub async fn repository_window(
        &self,
        within: Within,
        part: &str,
        after: &str,
        window: usize,
    ) -> Result<Window<RepositorySettings>> {
        let limit = signed(window as u64);
        let read = |row: &Row<'_>| Ok((row.get(2)?, row.get::<_, bool>(7)?.then(|| settings(row)).transpose()?));
        let of = |tx: &Tx<'_>, sql, org: OrgId| Window::look(tx, sql, (part, org.0, after, limit), window, read);
        self.db.read(|tx| match within {
            Within::Registry => Window::look(tx, WINDOW, (part, after, limit), window, read),
            Within::Org(org) => of(tx, WINDOW_OF_ORG, org),
            Within::OpenIn(org) => of(tx, WINDOW_OPEN_IN_ORG, org),
        })
    }

    /// How much is in a repository. Counts rows.
    pub async fn repository_contents(&self, id: RepoId) -> Result<Contents> {
        let pair = |row: &Row<'_>| Ok((unsigned(row, 0)?, unsigned(row, 1)?));
        self.db.read(|tx| {
            let tags = tx.one(TAGS, [id.0], |row| unsigned(row, 0))?.unwrap_or(0);
            let (manifests, manifest_bytes) = tx.one(MANIFESTS, [id.0], pair)?.unwrap_or_default();
            let (blobs, blob_bytes) = tx.one(BLOBS, [id.0], pair)?.unwrap_or_default();
            Ok(Contents { tags, manifests, blobs, bytes: manifest_bytes + blob_bytes })
        })
    }

    /// Makes an empty repository, and its org when that is missing.
    pub async fn make_repository(
        &self,
        name: &RepoName,
        visibility: Option<Visibility>,
        by: By,
    ) -> Result<Made<RepositorySettings>> {
        let name = name.clone();
        self.db
            .write(move |tx| {
                let Some(known) = find(tx, &name)? else {
                    return create(tx, &name, visibility, &by).map(Made::new);
                };
                if known.own_visibility == visibility {
                    return Ok(Made::known(known));
                }
                let message = format!("there is a repository {name} with another visibility");
                Err(Refusal::exists("visibility", message))
            })
            .await
    }

    /// Changes a repository's own visibility.
    pub async fn change_repository(
        &self,
        id: RepoId,
        visibility: Option<Visibility>,
        expected: Option<i64>,
        by: By,
    ) -> Result<RepositorySettings> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                if before.own_visibility == visibility {
                    return Ok(before);
                }
                tx.run(CHANGE, (visibility.map(Visibility::as_str), id.0))?;
                let after = by_id(tx, id)?;
                by.record(tx, what("repository.update", &after), shown(&before), shown(&after))?;
                Ok(after)
            })
            .await
    }

    /// Deletes a repository with its tags, manifests, right to see blobs, grants and tokens.
    pub async fn delete_repository(&self, id: RepoId, expected: Option<i64>, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                quotas::remove_all(tx, id)?;
                let version: i64 = tx.one(NEXT_VERSION, [id.0], |row| Ok(row.get(0)?))?.unwrap_or(0);
                tx.run(TAG_EVENTS, (version, by.now, &by.actor.name, id.0))?;
                let tags = tx.run(CLEAR_TAGS, [id.0])?;
                tx.run(REVIEW_MANIFESTS, (by.now, id.0))?;
                let manifests = tx.run(CLEAR_MANIFESTS, (by.now, id.0))?;
                tx.run(REVIEW_BLOBS, (by.now, id.0))?;
                tx.run(CLEAR_BLOBS, [id.0])?;
                let grants = grants::shown_of(tx, GrantsOf::Repository(id))?;
                tx.run(CLEAR_GRANTS, [id.0])?;
                let tokens = tx.run(CLEAR_TOKENS, [id.0])?;
                tx.run(MARK, (by.now, id.0))?;
                let visibility = before.own_visibility.map(Visibility::as_str);
                let counts = json!({
                    "visibility": visibility, "tags": tags, "manifests": manifests, "grants": grants, "tokens": tokens,
                });
                by.record(tx, what("repository.delete", &before), counts, Value::Null)
            })
            .await
    }
}

/// Makes a repository, and its org when that is missing. One that somebody else made meanwhile is left as it is.
pub(crate) fn create(
    tx: &Tx<'_>,
    name: &RepoName,
    visibility: Option<Visibility>,
    by: &By,
) -> Result<RepositorySettings> {
    let (id, is_new) = make(tx, name, &by.actor, by.now)?;
    if !is_new {
        return by_id(tx, id);
    }
    if visibility.is_some() {
        tx.run(CHANGE, (visibility.map(Visibility::as_str), id.0))?;
    }
    let made = by_id(tx, id)?;
    by.record(tx, what("repository.create", &made), Value::Null, shown(&made))?;
    Ok(made)
}

/// What is pushed into a repository that was deleted meanwhile would be seen by nobody: it is refused.
pub(crate) fn must_live(tx: &Tx<'_>, id: RepoId) -> Result<()> {
    let deleted: Option<String> = tx.one(IS_DELETED, [id.0], |row| Ok(row.get(0)?))?;
    deleted.map_or(Ok(()), |name| Err(Refusal::unknown(format!("repository {name}"))))
}

fn find(tx: &Tx<'_>, name: &RepoName) -> Result<Option<RepositorySettings>> {
    tx.one(BY_NAME, ("", name.as_str()), settings)
}

pub(crate) fn by_id(tx: &Tx<'_>, id: RepoId) -> Result<RepositorySettings> {
    tx.one(BY_ID, ("", id.0), settings)?.ok_or_else(|| Refusal::unknown("this repository"))
}

fn what<'a>(action: &'static str, repository: &'a RepositorySettings) -> What<'a> {
    What { action, org: Some(repository.name.org()), target: repository.name.as_str() }
}

fn shown(repository: &RepositorySettings) -> Value {
    json!({ "visibility": repository.own_visibility.map(Visibility::as_str) })
}

fn settings(row: &Row<'_>) -> Result<RepositorySettings> {
    Ok(RepositorySettings {
        id: RepoId(row.get(0)?),
        org: OrgId(row.get(1)?),
        name: parsed(row, 2)?,
        own_visibility: parsed_or_null(row, 3)?,
        visibility: parsed_or_null(row, 4)?,
        version: row.get(5)?,
        created_at: row.get(6)?,
    })
}
