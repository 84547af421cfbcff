//! Lists: tags, referrers, repositories. Pages are cut by count, and referrers by bytes too.

use std::collections::BTreeMap;

use wharf_meta::Referrer;
use wharf_oci::{Digest, Manifest, ReferrerDescriptor, RepoName, Tag};

use crate::access::{Action, Anonymous, Caller, Readable};
use crate::{Error, Registry, Result};

mod cursor;
mod walk;

pub(crate) use cursor::Cursors;
pub(crate) use walk::{WALK, Walk, Walked, Walks};

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

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Whether there are more after the last.
    pub more: bool,
}

/// A part of a list of which only some entries are what the caller looks for, and may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch<T> {
    /// The entries. There may be none, and yet more to come.
    pub entries: Vec<T>,
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
    pub async fn catalog(&self, caller: &Caller, last: &str, n: usize) -> Result<Stretch<RepoName>> {
        self.authorize_catalog(caller)?;
        let last = self.cursors.place("last", last)?;
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

    async fn walked(&self, caller: &Caller, last: String, n: usize, walk: Walk) -> Result<Stretch<RepoName>> {
        let readable = &self.readable(caller).await?;
        let look = |after, window| self.look(readable, "", after, window);
        self.stretch(walk.through(last, n, look).await?, RepoName::as_str)
    }

    /// Beyond the end of the walk a search finds nothing.
    async fn found(&self, caller: &Caller, part: &str, n: usize, walk: Walk) -> Result<Page<RepoName>> {
        let readable = &self.readable(caller).await?;
        let look = |after, window| self.look(readable, part, after, window);
        let Walked { entries, is_cut, end } = walk.through(String::new(), n, look).await?;
        Ok(Page { entries, more: is_cut || end.is_some() })
    }

    async fn look(
        &self,
        readable: &Readable<'_>,
        part: &str,
        after: String,
        window: usize,
    ) -> Result<(Vec<RepoName>, Option<String>)> {
        let found = self.meta.repositories(part, &after, window).await?;
        let readable = found.entries.into_iter().filter(|repository| readable.includes(repository));
        Ok((readable.map(|repository| repository.name).collect(), found.last))
    }

    /// What a walk came to, and where the next goes on: in such a way that the caller does not learn of a place where they
    /// see nothing.
    pub(crate) fn stretch<T>(&self, walked: Walked<T>, name: impl Fn(&T) -> &str) -> Result<Stretch<T>> {
        let Walked { entries, is_cut, end } = walked;
        let next = match end {
            Some(end) => Some(self.cursors.seal(&end)?),
            None => entries.last().filter(|_| is_cut).map(|entry| name(entry).to_owned()),
        };
        Ok(Stretch { entries, next })
    }
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
