//! Repositories, and what is in them as people look at it.

pub use wharf_meta::{Contents, ManifestEntry, TagEntry};
use wharf_meta::{Millis, Reach, RepositorySettings as Row, Visibility, Within};
use wharf_oci::{Digest, RepoName};

use super::{Created, and_one, page};
use crate::access::{Action, Caller};
use crate::{Error, Page, Registry, Result, Stretch};

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
    /// name after the name `after`, or from where the stretch before ended.
    pub async fn repositories(
        &self,
        caller: &Caller,
        org: Option<&str>,
        part: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Stretch<Repository>> {
        self.admitted(caller)?;
        let within = match org {
            None => Within::Registry,
            Some(org) => match self.within(caller, org).await? {
                Some(within) => within,
                None => return Ok(Stretch { entries: vec![], next: None }),
            },
        };
        let readable = &self.readable(caller).await?;
        let look = move |after: String, window| async move {
            let mut found = self.meta.repository_window(within, part, &after, window).await?;
            found.entries.retain(|row| readable.includes(&known(row)));
            Ok((found.entries, found.last))
        };
        let Stretch { entries, next } = self.look_through(caller, after, limit, look, |row| row.name.as_str()).await?;
        Ok(Stretch { entries: entries.into_iter().map(|row| self.repository_view(row)).collect(), next })
    }

    /// What of an org is looked at for the caller. Where they may not know of it that is what is open to them anyway:
    /// how long it takes tells nothing of the rest, and next to nothing of whether there is such an org.
    pub(super) async fn within(&self, caller: &Caller, org: &str) -> Result<Option<Within>> {
        match self.seen_org(caller, org).await {
            Ok(seen) => return Ok(Some(Within::Org(seen.row.id))),
            Err(Error::NotFound { .. } | Error::TokenTooNarrow { .. }) => {}
            Err(error) => return Err(error),
        }
        let Some(row) = self.meta.org(org).await? else { return Ok(None) };
        let is_of_token = match caller.cap().map(|cap| cap.reach) {
            Some(Reach::Repository(id)) => {
                self.meta.repository_name(id).await?.is_some_and(|name| name.org() == row.name)
            }
            _ => false,
        };
        Ok(Some(if is_of_token { Within::Org(row.id) } else { Within::OpenIn(row.id) }))
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
        let made = self.meta.make_repository(name, visibility, self.by(caller)).await;
        let made = self.recorded(caller, name, made)?;
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
    pub async fn delete_repository(&self, caller: &Caller, name: &RepoName, expected: Option<i64>) -> Result<()> {
        let row = self.settings_of(caller, Action::Delete, name).await?;
        self.meta.delete_repository(row.id, expected, self.by(caller)).await?;
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
