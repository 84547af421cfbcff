//! Orgs and the repositories in them.

use serde_json::json;
use wharf_oci::RepoName;

use crate::db::{Tx, parsed, parsed_or_null, signed, statements, unsigned};
use crate::{Actor, Event, Meta, Millis, OrgId, Result, Window, audit, quotas};

pub(crate) mod manage;

pub(crate) use manage::must_live;
pub use manage::{Contents, RepositorySettings, Within};

/// A repository's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoId(pub(crate) i64);

/// Who may read without a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Nobody.
    Private,
    /// Any signed-in caller.
    Internal,
    /// Anyone.
    Public,
}

impl Visibility {
    /// Its name, as in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }
}

impl std::fmt::Display for Visibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Visibility {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "private" => Ok(Self::Private),
            "internal" => Ok(Self::Internal),
            "public" => Ok(Self::Public),
            _ => Err(()),
        }
    }
}

/// A repository that exists.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Its row.
    pub id: RepoId,
    /// Its org's row.
    pub org: OrgId,
    /// Its canonical name.
    pub name: RepoName,
    /// Its own or its org's; `None` where neither was set.
    pub visibility: Option<Visibility>,
}

statements! {
    FIND = "SELECT r.id, r.name, coalesce(r.visibility, o.visibility), r.org_id
            FROM repositories r JOIN orgs o ON o.id = r.org_id WHERE r.name = $1 AND r.deleted_at IS NULL";
    /// Each with whether it is asked for. In a column, so that LIMIT bounds what is looked at, not what is found.
    /// One that only an upload was started in holds nothing, and is not worth listing.
    WINDOW = "SELECT r.id, r.name, coalesce(r.visibility, o.visibility), r.org_id,
              r.deleted_at IS NULL AND instr(r.name, $1) > 0 AND EXISTS (
                SELECT 1 FROM repo_manifests m WHERE m.repo_id = r.id AND m.deleted_at IS NULL)
            FROM repositories r JOIN orgs o ON o.id = r.org_id
            WHERE r.name > $2 ORDER BY r.name LIMIT $3";
    MAKE_ORG = "INSERT INTO orgs (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    /// One that was deleted comes back as if it had never been.
    MAKE = "INSERT INTO repositories (org_id, name, created_at)
            SELECT id, $1, $2 FROM orgs WHERE name = $3
            ON CONFLICT (name) DO UPDATE SET org_id = excluded.org_id, created_at = excluded.created_at,
              deleted_at = NULL, settings_version = repositories.settings_version + 1
            WHERE repositories.deleted_at IS NOT NULL";
    ID = "SELECT id FROM repositories WHERE name = $1 AND deleted_at IS NULL";
    NAME = "SELECT name FROM repositories WHERE id = $1 AND deleted_at IS NULL";
    NEXT_VERSION = "UPDATE repositories SET version = version + 1 WHERE id = $1 RETURNING version";
    COUNT = "SELECT count(*) FROM repositories WHERE deleted_at IS NULL";
}

impl Meta {
    /// The repository of that name.
    pub async fn repository(&self, name: &RepoName) -> Result<Option<Repository>> {
        self.db.read(|tx| find(tx, name))
    }

    /// The name of the repository of that row.
    pub async fn repository_name(&self, id: RepoId) -> Result<Option<RepoName>> {
        self.db.read(|tx| tx.one(NAME, [id.0], |row| parsed(row, 0)))
    }

    /// Looks at `window` repositories by canonical name after `after`: those that hold a manifest and have `part` in
    /// their name.
    pub async fn repositories(&self, part: &str, after: &str, window: usize) -> Result<Window<Repository>> {
        self.db.read(|tx| {
            Window::look(tx, WINDOW, (part, after, signed(window as u64)), window, |row| {
                Ok((row.get(1)?, row.get::<_, bool>(4)?.then(|| repository(row)).transpose()?))
            })
        })
    }

    /// The repository of that name, made together with its org when missing.
    pub async fn ensure_repository(&self, name: &RepoName, by: &Actor, now: Millis) -> Result<RepoId> {
        if let Some(id) = self.db.read(|tx| tx.one(ID, [name.as_str()], id))? {
            return Ok(id);
        }
        let (name, by) = (name.clone(), by.clone());
        self.db.write(move |tx| ensure(tx, &name, &by, now)).await
    }

    /// How many repositories there are.
    pub async fn count_repositories(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(COUNT, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }
}

pub(crate) fn find(tx: &Tx<'_>, name: &RepoName) -> Result<Option<Repository>> {
    tx.one(FIND, [name.as_str()], repository)
}

pub(crate) fn ensure(tx: &Tx<'_>, name: &RepoName, by: &Actor, now: Millis) -> Result<RepoId> {
    let (id, is_new) = make(tx, name, by, now)?;
    if is_new {
        let (org, target) = (Some(name.org().to_owned()), name.as_str().to_owned());
        let event = Event { action: "repository.create", org, target, details: json!({ "reason": "by a push" }) };
        audit::record(tx, by, now, &event)?;
    }
    Ok(id)
}

/// Makes what is missing of a repository and its org, and says whether the repository was: its caller records that.
fn make(tx: &Tx<'_>, name: &RepoName, by: &Actor, now: Millis) -> Result<(RepoId, bool)> {
    if tx.run(MAKE_ORG, (name.org(), now))? > 0 {
        let (org, details) = (name.org().to_owned(), json!({ "reason": format!("for {}", name.as_str()) }));
        audit::record(tx, by, now, &Event { action: "org.create", org: Some(org.clone()), target: org, details })?;
    }
    let is_new = tx.run(MAKE, (name.as_str(), now, name.org()))? > 0;
    let found = tx.one(ID, [name.as_str()], id)?;
    let damaged = || crate::Error::Damaged(format!("no row for repository {name} just made"));
    let found = found.ok_or_else(damaged)?;
    if is_new {
        quotas::admit_repository(tx, found)?;
    }
    Ok((found, is_new))
}

/// Counts a change of tags and returns its number.
pub(crate) fn next_version(tx: &Tx<'_>, repo: RepoId) -> Result<i64> {
    Ok(tx.one(NEXT_VERSION, [repo.0], |row| Ok(row.get(0)?))?.unwrap_or(0))
}

fn id(row: &rusqlite::Row<'_>) -> Result<RepoId> {
    Ok(RepoId(row.get(0)?))
}

fn repository(row: &rusqlite::Row<'_>) -> Result<Repository> {
    Ok(Repository { id: id(row)?, org: OrgId(row.get(3)?), name: parsed(row, 1)?, visibility: parsed_or_null(row, 2)? })
}
