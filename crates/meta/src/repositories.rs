//! Orgs and the repositories in them.

use wharf_oci::RepoName;

use crate::db::{Tx, parsed, parsed_or_null, signed, statements, unsigned};
use crate::{Meta, Millis, Result};

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
    /// Its canonical name.
    pub name: RepoName,
    /// Its own or its org's; `None` where neither was set.
    pub visibility: Option<Visibility>,
}

statements! {
    FIND = "SELECT r.id, r.name, coalesce(r.visibility, o.visibility)
            FROM repositories r JOIN orgs o ON o.id = r.org_id WHERE r.name = $1";
    /// Repositories that hold something: one that only an upload was started in is not worth listing.
    LIST = "SELECT r.id, r.name, coalesce(r.visibility, o.visibility)
            FROM repositories r JOIN orgs o ON o.id = r.org_id
            WHERE r.name > $1 AND EXISTS (
              SELECT 1 FROM repo_manifests m WHERE m.repo_id = r.id AND m.deleted_at IS NULL)
            ORDER BY r.name LIMIT $2";
    SEARCH = "SELECT r.id, r.name, coalesce(r.visibility, o.visibility)
            FROM repositories r JOIN orgs o ON o.id = r.org_id
            WHERE r.name > $1 AND instr(r.name, $2) > 0 AND EXISTS (
              SELECT 1 FROM repo_manifests m WHERE m.repo_id = r.id AND m.deleted_at IS NULL)
            ORDER BY r.name LIMIT $3";
    MAKE_ORG = "INSERT INTO orgs (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    MAKE = "INSERT INTO repositories (org_id, name, created_at)
            SELECT id, $1, $2 FROM orgs WHERE name = $3 ON CONFLICT (name) DO NOTHING";
    ID = "SELECT id FROM repositories WHERE name = $1";
    NEXT_VERSION = "UPDATE repositories SET version = version + 1 WHERE id = $1 RETURNING version";
    COUNT = "SELECT count(*) FROM repositories";
}

impl Meta {
    /// The repository of that name.
    pub async fn repository(&self, name: &RepoName) -> Result<Option<Repository>> {
        self.db.read(|tx| tx.one(FIND, [name.as_str()], repository))
    }

    /// Repositories that hold a manifest, by canonical name, after `after`, at most `limit`.
    pub async fn repositories(&self, after: &str, limit: usize) -> Result<Vec<Repository>> {
        self.db.read(|tx| tx.all(LIST, (after, signed(limit as u64)), repository))
    }

    /// As [`Meta::repositories`], those with `part` somewhere in the name.
    pub async fn repositories_like(&self, part: &str, after: &str, limit: usize) -> Result<Vec<Repository>> {
        self.db.read(|tx| tx.all(SEARCH, (after, part, signed(limit as u64)), repository))
    }

    /// The repository of that name, made together with its org when missing.
    pub async fn ensure_repository(&self, name: &RepoName, now: Millis) -> Result<RepoId> {
        if let Some(id) = self.db.read(|tx| tx.one(ID, [name.as_str()], id))? {
            return Ok(id);
        }
        let name = name.clone();
        self.db.write(move |tx| ensure(tx, &name, now)).await
    }

    /// How many repositories there are.
    pub async fn count_repositories(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(COUNT, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }
}

pub(crate) fn ensure(tx: &Tx<'_>, name: &RepoName, now: Millis) -> Result<RepoId> {
    tx.run(MAKE_ORG, (name.org(), now))?;
    tx.run(MAKE, (name.as_str(), now, name.org()))?;
    let found = tx.one(ID, [name.as_str()], id)?;
    found.ok_or_else(|| crate::Error::Damaged(format!("no row for repository {name} just made")))
}

/// Counts a change of tags and returns its number.
pub(crate) fn next_version(tx: &Tx<'_>, repo: RepoId) -> Result<i64> {
    Ok(tx.one(NEXT_VERSION, [repo.0], |row| Ok(row.get(0)?))?.unwrap_or(0))
}

fn id(row: &rusqlite::Row<'_>) -> Result<RepoId> {
    Ok(RepoId(row.get(0)?))
}

fn repository(row: &rusqlite::Row<'_>) -> Result<Repository> {
    Ok(Repository { id: id(row)?, name: parsed(row, 1)?, visibility: parsed_or_null(row, 2)? })
}
