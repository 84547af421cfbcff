//! A reference from a manifest to other content (image-spec, descriptor.md).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{ManifestError, members, strict_json};
use crate::{Digest, MediaType, Platform};

/// What a manifest says about content that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The content's type as written; not checked.
    pub media_type: String,
    /// The content's digest.
    pub digest: Digest,
    /// The content's length in bytes; fits an `i64`.
    pub size: u64,
    /// Whether it says where else the content lies.
    pub has_urls: bool,
    /// Whether it carries the content itself: its `data` has this digest and size.
    pub data_matches: bool,
    /// What the content is for, where it says so in the form that image-spec gives; never empty.
    pub artifact_type: Option<String>,
    /// Its annotations; none where they are not strings.
    pub annotations: BTreeMap<String, String>,
    /// What an index's child runs on; `None` where it does not say, or not in the form that image-spec gives.
    pub platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(borrow)]
    media_type: Option<&'a RawValue>,
    digest: Option<&'a RawValue>,
    size: Option<&'a RawValue>,
    urls: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
    artifact_type: Option<&'a RawValue>,
    annotations: Option<&'a RawValue>,
    platform: Option<&'a RawValue>,
}

const MEMBERS: [&str; 5] = ["mediaType", "digest", "size", "urls", "data"];

impl Descriptor {
    /// Names content of which no more is known than this.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            has_urls: false,
            data_matches: false,
            artifact_type: None,
            annotations: BTreeMap::new(),
            platform: None,
        }
    }

    /// Whether the content must be in the repository before the manifest is: not when it lies elsewhere, may not be
    /// distributed, or comes along as `data`.
    pub fn is_required(&self) -> bool {
        !self.has_urls && !self.data_matches && !MediaType::is_foreign_layer(&self.media_type)
    }

    /// Reads one descriptor; paths in errors are relative to it.
    pub(super) fn read(raw: &RawValue) -> Result<Self, ManifestError> {
        if !raw.get().starts_with('{') {
            return Err(ManifestError::field("", "a descriptor object"));
        }
        strict_json::check_spelling(raw.get(), &MEMBERS)?;
        let members: Members<'_> = serde_json::from_str(raw.get()).map_err(ManifestError::not_json)?;
        let media_type = members::text("mediaType", members.media_type)?;
        let digest = digest(members.digest)?;
        let size = size(members.size)?;
        let data = members::text("data", members.data)?;
        Ok(Self {
            media_type: media_type.ok_or_else(|| ManifestError::field("mediaType", "a media type"))?,
            has_urls: has_urls(members.urls)?,
            data_matches: data.is_some_and(|data| data_matches(&data, &digest, size)),
            digest,
            size,
            artifact_type: lenient::<String>(members.artifact_type).filter(|text| !text.is_empty()),
            annotations: lenient(members.annotations).unwrap_or_default(),
            platform: lenient(members.platform),
        })
    }
}

/// What nothing is decided on here: a member that does not have its shape counts as absent.
fn lenient<'a, T: Deserialize<'a>>(member: Option<&'a RawValue>) -> Option<T> {
    member.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

fn digest(member: Option<&RawValue>) -> Result<Digest, ManifestError> {
    let text = members::text("digest", member)?.ok_or_else(|| ManifestError::field("digest", "a digest"))?;
    text.parse().map_err(|source| ManifestError::Digest { path: "digest".to_owned(), source })
}

/// Whole bytes up to `i64::MAX`, which is what clients and the database can hold.
fn size(member: Option<&RawValue>) -> Result<u64, ManifestError> {
    let size = member.and_then(|raw| raw.get().parse().ok());
    size.filter(|size| i64::try_from(*size).is_ok())
        .ok_or_else(|| ManifestError::field("size", "a whole number of bytes, 0 to 9223372036854775807"))
}

fn has_urls(member: Option<&RawValue>) -> Result<bool, ManifestError> {
    let Some(raw) = member else { return Ok(false) };
    let urls: Vec<IgnoredAny> =
        serde_json::from_str(raw.get()).map_err(|_| ManifestError::field("urls", "an array of strings"))?;
    Ok(!urls.is_empty())
}

/// Data that does not decode matches nothing: the blob is then required as if there were none.
fn data_matches(data: &str, digest: &Digest, size: u64) -> bool {
    STANDARD
        .decode(data)
        .is_ok_and(|bytes| u64::try_from(bytes.len()) == Ok(size) && Digest::of(digest.algorithm(), &bytes) == *digest)
}
