//! Bodies of the two lists of a repository: referrers of a digest, and tags.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Digest, MediaType, RepoName, Tag};

/// One manifest in a referrers list (distribution-spec §Listing Referrers).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferrerDescriptor {
    /// The manifest's own type.
    pub media_type: String,
    /// The manifest's digest.
    pub digest: Digest,
    /// The manifest's length in bytes.
    pub size: u64,
    /// See [`crate::Manifest::referrer_type`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The manifest's annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: &'a [ReferrerDescriptor],
}

/// One page of referrers, as the bytes of an image index (an empty one when nothing refers).
pub fn referrers_index(referrers: &[ReferrerDescriptor]) -> Vec<u8> {
    bytes(&Index { schema_version: 2, media_type: MediaType::OCI_INDEX, manifests: referrers })
}

#[derive(Serialize)]
struct Tags<'a> {
    name: &'a str,
    tags: Vec<&'a str>,
}

/// One page of tags: `{"name":…,"tags":[…]}`, the name as asked, `tags` never null (distribution/distribution#1186).
pub fn tag_list(name: &RepoName, tags: &[Tag]) -> Vec<u8> {
    bytes(&Tags { name: name.asked(), tags: tags.iter().map(Tag::as_str).collect() })
}

fn bytes(body: &impl Serialize) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "writing strings and numbers with string keys into memory cannot fail")]
    serde_json::to_vec(body).expect("plain data serialises")
}

#[cfg(test)]
mod tests;
