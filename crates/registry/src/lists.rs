//! Lists: tags, referrers, repositories. Pages are cut by count, and referrers by bytes too.

use wharf_meta::{Referrer, Repository};
use wharf_oci::{Digest, Manifest, ReferrerDescriptor, RepoName, Tag};

use crate::access::{Action, Caller};
use crate::{Error, Registry, Result};

/// Bytes of descriptors in one page of referrers: clients read at most 4 MiB.
const REFERRERS_BYTES: usize = 1024 * 1024;
/// Rows read at a time for referrers: each may bring a manifest of 4 MiB into memory, and many may ask at once.
const REFERRERS_BATCH: usize = 4;
/// Rows read at a time for repositories.
const REPOSITORIES_BATCH: usize = 500;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Whether there are more after the last.
    pub more: bool,
}

/// A part of a referrers list.
#[derive(Clone, Debug)]
pub struct ReferrersPage {
    /// The descriptors.
    pub referrers: Vec<ReferrerDescriptor>,
    /// Whether there are more after the last.
    pub more: bool,
}

impl Registry {
    /// Tags in byte order after `last`, at most `n`.
    pub async fn tags(&self, caller: &Caller, name: &RepoName, last: &str, n: usize) -> Result<Page<Tag>> {
        let repository = self.authorize_known(caller, Action::Pull, name).await?;
        let mut entries = self.meta.tags(repository.id, last, n.saturating_add(1)).await?;
        let more = entries.len() > n;
        entries.truncate(n);
        Ok(Page { entries, more })
    }

    /// Manifests whose subject is exactly `digest`, of one artifactType when given, after the digest `last`.
    /// An unknown repository or subject has none: the API being there must not be taken for missing.
    pub async fn referrers(
        &self,
        caller: &Caller,
        name: &RepoName,
        digest: &Digest,
        artifact_type: Option<&str>,
        last: &str,
    ) -> Result<ReferrersPage> {
        let mut page = ReferrersPage { referrers: vec![], more: false };
        let Some(repository) = self.authorize(caller, Action::Pull, name).await? else { return Ok(page) };
        let (mut last, mut bytes) = (last.to_owned(), 0);
        loop {
            let batch = self.meta.referrers(repository.id, digest, artifact_type, &last, REFERRERS_BATCH).await?;
            let is_last = batch.len() < REFERRERS_BATCH;
            for referrer in batch {
                let descriptor = descriptor(referrer)?;
                bytes += weight(&descriptor);
                if bytes > REFERRERS_BYTES && !page.referrers.is_empty() {
                    page.more = true;
                    return Ok(page);
                }
                last = descriptor.digest.to_string();
                page.referrers.push(descriptor);
            }
            if is_last {
                return Ok(page);
            }
        }
    }

    /// Repositories that the caller can read, by canonical name after `last`, at most `n`.
    pub async fn catalog(&self, caller: &Caller, last: &str, n: usize) -> Result<Page<RepoName>> {
        self.authorize_catalog(caller)?;
        self.readable(caller, None, last, n).await
    }

    /// Repositories with `part` in their name that the caller can read. The anonymous are asked to sign in when
    /// there is none: podman then tries the catalog with its credentials.
    pub async fn search(&self, caller: &Caller, part: &str, n: usize) -> Result<Page<RepoName>> {
        let found = self.readable(caller, Some(part), "", n).await?;
        if found.entries.is_empty() && caller.showed_nothing() {
            return Err(Error::SignInNeeded { scope: None });
        }
        Ok(found)
    }

    async fn readable(&self, caller: &Caller, part: Option<&str>, last: &str, n: usize) -> Result<Page<RepoName>> {
        let (mut entries, mut last) = (Vec::new(), last.to_owned());
        loop {
            let batch: Vec<Repository> = match part {
                None => self.meta.repositories(&last, REPOSITORIES_BATCH).await?,
                Some(part) => self.meta.repositories_like(part, &last, REPOSITORIES_BATCH).await?,
            };
            let is_last = batch.len() < REPOSITORIES_BATCH;
            for repository in batch {
                repository.name.as_str().clone_into(&mut last);
                if self.may_read(caller, repository.visibility) {
                    if entries.len() == n {
                        return Ok(Page { entries, more: true });
                    }
                    entries.push(repository.name);
                }
            }
            if is_last {
                return Ok(Page { entries, more: false });
            }
        }
    }
}

fn descriptor(referrer: Referrer) -> Result<ReferrerDescriptor> {
    let stored = referrer.manifest;
    let manifest = Manifest::parse(Some(stored.media_type.as_str()), &stored.bytes)?;
    Ok(ReferrerDescriptor {
        media_type: stored.media_type.to_string(),
        digest: stored.digest,
        size: referrer.size,
        artifact_type: referrer.artifact_type,
        annotations: manifest.annotations,
    })
}

/// About how many bytes a descriptor takes in the list; escapes can double a string.
fn weight(descriptor: &ReferrerDescriptor) -> usize {
    let annotations: usize = descriptor.annotations.iter().map(|(key, value)| key.len() + value.len() + 6).sum();
    200 + descriptor.digest.as_str().len() + annotations * 2
}
