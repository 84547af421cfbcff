//! What refers to a manifest: by the API, and for registries without it by an index under a tag
//! (distribution-spec §Listing Referrers, §Referrers Tag Schema).

use std::collections::HashSet;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wharf_oci::{Descriptor, Digest, Kind, Manifest, MediaType, Reference, Tag};

use super::ask::Ask;
use super::auth::Needs;
use super::lists::Pages;
use super::{Repository, Result, Stored};

const FILTERED: &str = "oci-filters-applied";
/// Times that an index is written when others write it too.
const MOST_WRITES: usize = 5;

impl Repository {
    /// What refers to `subject`, of that artifact type if one is given.
    pub async fn referrers(&self, subject: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        let found = match self.listed(subject, artifact_type).await? {
            Some(found) => found,
            None => self.under_tag(subject).await?,
        };
        let wanted =
            |found: &Descriptor| artifact_type.is_none_or(|wanted| found.artifact_type.as_deref() == Some(wanted));
        Ok(found.into_iter().filter(wanted).collect())
    }

    /// By the API; `None` from a registry without it.
    async fn listed(&self, subject: &Digest, artifact_type: Option<&str>) -> Result<Option<Vec<Descriptor>>> {
        let mut url = self.shared.url(&format!("/v2/{}/referrers/{subject}", self.name.asked())).await?;
        if let Some(artifact_type) = artifact_type {
            url.query_pairs_mut().append_pair("artifactType", artifact_type);
        }
        let needs = Needs::of(&self.name, "pull");
        let mut pages = Pages::new(&self.shared, Some(&self.name), &needs, url);
        let (mut all, mut seen) = (vec![], HashSet::new());
        while let Some(heard) = pages.next().await? {
            let kind = heard.reply.header(CONTENT_TYPE).and_then(|kind| MediaType::parse(kind).ok());
            match heard.reply.status {
                // A page that a proxy or a catch-all route gives is not the list (sigstore/sigstore-js#1187).
                StatusCode::OK if kind.is_some_and(|kind| kind.as_str() == MediaType::OCI_INDEX) => {}
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    return Err(self.shared.missing("list of referrers", &self.name, &heard));
                }
                status if status.is_server_error() => {
                    return Err(self.shared.missing("list of referrers", &self.name, &heard));
                }
                _ if pages.read() == 1 => return Ok(None),
                _ => return Err(self.not_understood("its list of referrers ends in the middle")),
            }
            let index = Manifest::parse(Some(MediaType::OCI_INDEX), &heard.reply.body)
                .map_err(|error| self.not_understood(&format!("its list of referrers is none: {error}")))?;
            let before = all.len();
            all.extend(index.children.into_iter().filter(|child| seen.insert(child.digest.clone())));
            // A filter may leave a page empty, so that one alone is no circle.
            pages.check(all.len() > before || heard.reply.header(FILTERED).is_some())?;
        }
        Ok(Some(all))
    }

    async fn under_tag(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let Some(stored) = self.fallback(subject).await? else { return Ok(vec![]) };
        let manifest = Manifest::parse(Some(stored.media_type.as_str()), &stored.bytes);
        Ok(manifest.ok().filter(|index| index.kind == Kind::Index).map(|index| index.children).unwrap_or_default())
    }

    async fn fallback(&self, subject: &Digest) -> Result<Option<Stored>> {
        let Some(tag) = fallback_tag(subject) else { return Ok(None) };
        match self.manifest(&Reference::Tag(tag)).await {
            Ok(stored) => Ok(Some(stored)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists a manifest that was pushed where the registry does not.
    pub(super) async fn list_under_tag(&self, pushed: &Manifest, digest: &Digest, size: usize) -> Result<()> {
        let Some(subject) = &pushed.subject else { return Ok(()) };
        let mut entry = json!({ "mediaType": pushed.media_type.as_str(), "digest": digest, "size": size });
        if let Some(artifact_type) = pushed.referrer_type() {
            entry["artifactType"] = artifact_type.into();
        }
        if !pushed.annotations.is_empty() {
            entry["annotations"] = json!(pushed.annotations);
        }
        let add = |entries: &mut Vec<Value>| {
            let is_new = entries.iter().all(|known| known["digest"] != entry["digest"]);
            if is_new {
                entries.push(entry.clone());
            }
            is_new
        };
        self.change_fallback(&subject.digest, add).await
    }

    /// Takes a manifest that was deleted from the list where the registry has none of its own.
    pub(super) async fn unlist_under_tag(&self, subject: &Digest, digest: &Digest) -> Result<()> {
        if self.listed(subject, None).await?.is_some() {
            return Ok(());
        }
        let remove = |entries: &mut Vec<Value>| {
            let before = entries.len();
            entries.retain(|known| known["digest"] != digest.as_str());
            entries.len() < before
        };
        self.change_fallback(subject, remove).await
    }

    /// Until it is as it should be: others may write it at the same time, and few registries keep them apart.
    async fn change_fallback(&self, subject: &Digest, change: impl Fn(&mut Vec<Value>) -> bool) -> Result<()> {
        let Some(tag) = fallback_tag(subject) else { return Ok(()) };
        for _ in 0..MOST_WRITES {
            let old = self.fallback(subject).await?;
            let known = old.as_ref().and_then(|old| serde_json::from_slice::<Value>(&old.bytes).ok());
            let mut index = known.filter(|known| known["manifests"].is_array()).unwrap_or_else(empty_index);
            let is_changed = index["manifests"].as_array_mut().is_some_and(&change);
            if !is_changed {
                return Ok(());
            }
            self.put_fallback(&tag, old.as_ref(), &index).await?;
        }
        Err(self.not_understood(&format!("others keep writing the list of referrers under tag {tag}")))
    }

    /// Where the registry keeps writers apart, a list that changed meanwhile is not replaced: it is read again then.
    async fn put_fallback(&self, tag: &Tag, old: Option<&Stored>, index: &Value) -> Result<()> {
        let needs = Needs::of(&self.name, "pull,push");
        let url = self.manifest_url(&Reference::Tag(tag.clone())).await?;
        let (name, value): (HeaderName, String) = match old {
            Some(old) => (IF_MATCH, format!("\"{}\"", old.digest)),
            None => (IF_NONE_MATCH, "*".into()),
        };
        let ask = Ask::new(Method::PUT, url, &needs).header(name, &value).header(CONTENT_TYPE, MediaType::OCI_INDEX);
        let heard = self.shared.reply(&ask.body(Bytes::from(index.to_string())), Some(&self.name)).await?;
        match heard.reply.status {
            StatusCode::CREATED | StatusCode::PRECONDITION_FAILED => Ok(()),
            _ => Err(self.shared.refused(&format!("cannot list referrers under tag {tag}"), Some(&self.name), &heard)),
        }
    }
}

fn empty_index() -> Value {
    json!({ "schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": [] })
}

/// `sha256-<hex>`: the encoded part is cut at 64 characters.
fn fallback_tag(subject: &Digest) -> Option<Tag> {
    let hex = subject.hex();
    format!("{}-{}", subject.algorithm(), &hex[..hex.len().min(64)]).parse().ok()
}
