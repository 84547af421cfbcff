//! Lists: tags, referrers, repositories. Pages are cut by count, and referrers by bytes too.

use std::collections::BTreeMap;
use std::time::Duration;

use cursor::is_cursor;

use tokio::sync::{Semaphore, SemaphorePermit};
use wharf_meta::Referrer;
use wharf_oci::{Digest, Manifest, ReferrerDescriptor, RepoName, Tag};

use crate::access::{Action, Anonymous, Caller, Identity, Readable};
use crate::{Error, Registry, Result};

mod cursor;

pub(crate) use cursor::Cursors;

/// Bytes of descriptors in one page of referrers: clients read at most 4 MiB.
const REFERRERS_BYTES: usize = 1024 * 1024;
/// Descriptors in one page of referrers.
const REFERRERS: usize = 1000;
/// Rows read at a time for referrers.
const REFERRERS_BATCH: usize = 100;
/// Bytes of one manifest's annotations, as JSON, that the referrers list shows. A manifest with more is listed
/// without any: a descriptor must fit into a page, and clients can read the manifest itself.
const ANNOTATIONS: usize = 256 * 1024;
/// Bytes of an artifactType that the referrers list shows: RFC 6838 allows 255.
const ARTIFACT_TYPE: usize = 1024;

/// Walks through the repositories at once by those who signed in, and by strangers.
const WALKS: usize = 2;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Turns at walking. Strangers have their own, so that none of those who signed in waits for them.
pub(crate) struct Walks {
    known: Semaphore,
    strangers: Semaphore,
}

impl Walks {
    pub(crate) fn new() -> Self {
        Self { known: Semaphore::new(WALKS), strangers: Semaphore::new(WALKS) }
    }

    /// Pulls and pushes must not wait for all who walk at once.
    async fn turn(&self, caller: &Caller) -> Result<SemaphorePermit<'_>> {
        let turns = if *caller.identity() == Identity::Anonymous { &self.strangers } else { &self.known };
        let turn = tokio::time::timeout(PATIENCE, turns.acquire()).await.map_err(|_| Error::Busy)?;
        turn.map_err(|error| Error::Internal(error.to_string()))
    }
}

/// How far one request looks through the repositories for what its caller may read.
#[derive(Clone, Copy)]
struct Walk {
    /// Repositories looked at before other requests get their turn.
    window: usize,
    /// Windows.
    windows: usize,
}

/// 100,000 repositories: a search finds nothing beyond them, a page of the catalog ends there.
const WALK: Walk = Walk { window: 500, windows: 200 };

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Whether there are more after the last.
    pub more: bool,
}

/// A part of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogPage {
    /// The entries. There may be none, and yet more to come.
    pub entries: Vec<RepoName>,
    /// Where the next part begins; `None`: this was the last.
    pub next: Option<String>,
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
            let room = REFERRERS_BYTES - bytes;
            let batch = self.meta.referrers(repository.id, digest, artifact_type, &last, REFERRERS_BATCH, room).await?;
            bytes += batch.bytes;
            page.referrers.extend(batch.entries.into_iter().map(descriptor));
            page.more = batch.more;
            let Some(end) = page.referrers.last().filter(|_| batch.more) else { return Ok(page) };
            if bytes >= REFERRERS_BYTES || page.referrers.len() >= REFERRERS {
                return Ok(page);
            }
            last = end.digest.to_string();
            tokio::task::yield_now().await;
        }
    }

    /// Repositories that the caller can read, by canonical name after `last`, at most `n`. `last` is a name, or where the
    /// page before said that the next begins.
    pub async fn catalog(&self, caller: &Caller, last: &str, n: usize) -> Result<CatalogPage> {
        self.authorize_catalog(caller)?;
        let last = if is_cursor(last) { self.cursors.open(last)? } else { last.to_owned() };
        let _turn = self.walks.turn(caller).await?;
        self.walked(caller, last, n, WALK).await
    }

    /// Repositories with `part` in their name that the caller can read. The anonymous are asked to sign in when
    /// there is none: podman then tries the catalog with its credentials.
    pub async fn search(&self, caller: &Caller, part: &str, n: usize) -> Result<Page<RepoName>> {
        let sign_in = || Error::SignInNeeded { scope: None };
        // They can read nothing: a stranger's search must not cost a walk to find that out.
        if caller.showed_nothing() && self.settings.anonymous == Anonymous::Nothing {
            return Err(sign_in());
        }
        let _turn = self.walks.turn(caller).await?;
        let found = self.found(caller, part, n, WALK).await?;
        if found.entries.is_empty() && caller.showed_nothing() { Err(sign_in()) } else { Ok(found) }
    }

    /// Where it ends may be a repository that the caller must not learn of.
    async fn walked(&self, caller: &Caller, mut last: String, n: usize, walk: Walk) -> Result<CatalogPage> {
        let readable = self.readable(caller).await?;
        let mut entries = Vec::new();
        for _ in 0..walk.windows {
            let next = self.look(&readable, "", &last, walk.window, &mut entries).await?;
            if cut(&mut entries, n) {
                let next = entries.last().map(|name: &RepoName| name.as_str().to_owned());
                return Ok(CatalogPage { entries, next });
            }
            let Some(next) = next else { return Ok(CatalogPage { entries, next: None }) };
            last = next;
            tokio::task::yield_now().await;
        }
        Ok(CatalogPage { entries, next: Some(self.cursors.seal(&last)?) })
    }

    async fn found(&self, caller: &Caller, part: &str, n: usize, walk: Walk) -> Result<Page<RepoName>> {
        let readable = self.readable(caller).await?;
        let (mut entries, mut last) = (Vec::new(), String::new());
        for _ in 0..walk.windows {
            let next = self.look(&readable, part, &last, walk.window, &mut entries).await?;
            let cut = cut(&mut entries, n);
            let Some(next) = next.filter(|_| !cut) else { return Ok(Page { entries, more: cut }) };
            last = next;
            tokio::task::yield_now().await;
        }
        Ok(Page { entries, more: true })
    }

    /// Looks at one window; says where it ended unless that was the end of all.
    async fn look(
        &self,
        readable: &Readable<'_>,
        part: &str,
        after: &str,
        window: usize,
        entries: &mut Vec<RepoName>,
    ) -> Result<Option<String>> {
        let found = self.meta.repositories(part, after, window).await?;
        let found_there = found.entries.into_iter().filter(|repository| readable.includes(repository));
        entries.extend(found_there.map(|repository| repository.name));
        Ok(found.last)
    }
}

/// Cuts to `n`; says whether there was more.
fn cut(entries: &mut Vec<RepoName>, n: usize) -> bool {
    let more = entries.len() > n;
    entries.truncate(n);
    more
}

/// The artifactType under which the referrers list shows a manifest.
pub(crate) fn listed_type(manifest: &Manifest) -> Option<String> {
    manifest.referrer_type().filter(|text| text.len() <= ARTIFACT_TYPE).map(str::to_owned)
}

/// The annotations that the referrers list shows of a manifest, none of one that it never lists.
pub(crate) fn listed_annotations(manifest: &Manifest) -> BTreeMap<String, String> {
    let weight = |(key, value): (&String, &String)| in_json(key) + in_json(value) + 6;
    let fit = manifest.annotations.iter().map(weight).sum::<usize>() <= ANNOTATIONS;
    if fit && manifest.subject.is_some() { manifest.annotations.clone() } else { BTreeMap::new() }
}

/// Bytes of a string within JSON, its quotes aside.
fn in_json(text: &str) -> usize {
    let weight = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(weight).sum()
}

fn descriptor(referrer: Referrer) -> ReferrerDescriptor {
    let Referrer { digest, media_type, size, artifact_type, annotations } = referrer;
    ReferrerDescriptor { media_type: media_type.to_string(), digest, size, artifact_type, annotations }
}

#[cfg(test)]
mod tests;
