//! Repositories, and what is in them as people look at it.

pub use wharf_meta::{Contents, ManifestEntry, TagEntry};
use wharf_meta::{Millis, RepositorySettings as Row, Visibility};
use wharf_oci::{Digest, RepoName};

use super::{Created, and_one, page};
use crate::access::{Action, Caller};
use crate::{Error, Page, Registry, Result};

/// Repositories looked at before other requests get their turn.
const WINDOW: usize = 500;
/// Windows of one request, if it has found anything by then.
const WINDOWS: usize = 200;

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its canonical name.
    pub name: RepoName,
    /// Who may read it, by its own setting; `None`: as its org says.
    pub visibility: Option<Visibility>,
    /// Who may read it in fact.
    pub effective_visibility: Visibility,
    /// When it was made.
    pub created_at: Millis,
    /// Counts changes of its settings.
    pub version: i64,
}

impl Registry {
    /// Repositories that the caller may read, of one org or all, with `part` in their name, empty ones included, by
    /// name after the name `after`. A page with anything on it may be shorter than asked for.
    pub async fn repositories(
        &self,
        caller: &Caller,
        org: Option<&str>,
        part: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Repository>> {
        self.admitted(caller)?;
        let org = match org {
            None => None,
            Some(org) => match self.meta.org(org).await? {
                Some(org) => Some(org.id),
                None => return Ok(Page { entries: vec![], more: false }),
            },
        };
        let readable = self.readable(caller).await?;
        let (mut found, mut after) = (Vec::new(), after.unwrap_or("").to_owned());
        for windows in 1_usize.. {
            let window = self.meta.repository_window(org, part, &after, WINDOW).await?;
            found.extend(window.entries.into_iter().filter(|row| readable.includes(&known(row))));
            let Some(last) = window.last.filter(|_| found.len() <= limit) else { break };
            if windows >= WINDOWS && !found.is_empty() {
                let entries = found.into_iter().map(|row| self.repository_view(row)).collect();
                return Ok(Page { entries, more: true });
            }
            after = last;
            tokio::task::yield_now().await;
        }
        Ok(page(found, limit, |row| self.repository_view(row)))
    }

    /// One repository.
    pub async fn repository(&self, caller: &Caller, name: &RepoName) -> Result<Repository> {
        let row = self.settings_of(caller, Action::Pull, name).await?;
        Ok(self.repository_view(row))
    }

    /// How much is in a repository: counts rows, which takes its time where there are many.
    pub async fn repository_contents(&self, caller: &Caller, name: &RepoName) -> Result<Contents> {
        let row = self.settings_of(caller, Action::Pull, name).await?;
        Ok(self.meta.repository_contents(row.id).await?)
    }

    /// Makes an empty repository, for who may push it; saying who may read it takes a maintainer.
    pub async fn create_repository(
        &self,
        caller: &Caller,
        name: &RepoName,
        visibility: Option<Visibility>,
    ) -> Result<Created<Repository>> {
        self.admitted(caller)?;
        self.authorize(caller, Action::Push, name).await?;
        if visibility.is_some() {
            self.authorize(caller, Action::Manage, name).await?;
        }
        let made = self.meta.make_repository(name, visibility, self.by(caller)).await?;
        Ok(Created::of(made, |row| self.repository_view(row)))
    }

    /// Changes who may read a repository. `None` changes nothing.
    pub async fn update_repository(
        &self,
        caller: &Caller,
        name: &RepoName,
        visibility: Option<Option<Visibility>>,
        expected: Option<i64>,
    ) -> Result<Repository> {
        let row = self.settings_of(caller, Action::Manage, name).await?;
        let visibility = visibility.unwrap_or(row.own_visibility);
        let row = self.meta.change_repository(row.id, visibility, expected, self.by(caller)).await?;
        Ok(self.repository_view(row))
    }

    /// Deletes a repository with all that is in it and all that was granted on it. Its name is free again.
    pub async fn delete_repository(&self, caller: &Caller, name: &RepoName) -> Result<()> {
        let row = self.settings_of(caller, Action::Delete, name).await?;
        self.meta.delete_repository(row.id, self.by(caller)).await?;
        tracing::info!(repository = name.as_str(), by = caller.name(), "repository deleted");
        Ok(())
    }

    /// Tags in byte order after the tag `after`, with what they point at.
    pub async fn tag_entries(
        &self,
        caller: &Caller,
        name: &RepoName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<TagEntry>> {
        let row = self.settings_of(caller, Action::Pull, name).await?;
        let found = self.meta.tag_entries(row.id, after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, |entry| entry))
    }

    /// Manifests by digest after the digest `after`.
    pub async fn manifest_entries(
        &self,
        caller: &Caller,
        name: &RepoName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ManifestEntry>> {
        let row = self.settings_of(caller, Action::Pull, name).await?;
        let found = self.meta.manifest_entries(row.id, after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, |entry| entry))
    }

    /// One manifest, by its digest.
    pub async fn manifest_entry(&self, caller: &Caller, name: &RepoName, digest: &Digest) -> Result<ManifestEntry> {
        let row = self.settings_of(caller, Action::Pull, name).await?;
        let found = self.meta.manifest_entry(row.id, digest).await?;
        let reference = wharf_oci::Reference::Digest(digest.clone());
        found.ok_or_else(|| Error::ManifestUnknown { name: name.clone(), reference })
    }

    /// A repository's row, if the caller may do `action` there.
    async fn settings_of(&self, caller: &Caller, action: Action, name: &RepoName) -> Result<Row> {
        self.admitted(caller)?;
        self.authorize_known(caller, action, name).await?;
        self.meta.repository_settings(name).await?.ok_or_else(|| Error::NameUnknown(name.clone()))
    }

    fn repository_view(&self, row: Row) -> Repository {
        Repository {
            name: row.name,
            visibility: row.own_visibility,
            effective_visibility: row.visibility.unwrap_or(self.settings.visibility),
            created_at: row.created_at,
            version: row.version,
        }
    }
}

fn known(row: &Row) -> wharf_meta::Repository {
    wharf_meta::Repository { id: row.id, org: row.org, name: row.name.clone(), visibility: row.visibility }
}
