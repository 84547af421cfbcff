//! `index.json`, read strictly and changed in one entry at a time.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use wharf_oci::{Descriptor, Digest, Manifest, MediaType, Platform};

use super::{Beside, REF_NAME, name_of};
use crate::error::{Error, Result};
use crate::members::Members;

/// As much of a descriptor as an index's entry says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    media_type: &'a str,
    digest: &'a Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    annotations: std::collections::BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a Platform>,
}

pub(super) const EMPTY: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

pub(crate) fn view(bytes: &[u8], place: &str) -> Result<Manifest> {
    let place = || place.to_owned();
    Manifest::parse(Some(MediaType::OCI_INDEX), bytes).map_err(|source| Error::Manifest { place: place(), source })
}

/// An index of one image and what is beside it.
pub(crate) fn new(root: &Descriptor, name: Option<&str>, beside: &[Beside]) -> Result<Vec<u8>> {
    with(EMPTY, "index.json", root, name, beside)
}

/// The index with `root` under `name`, in place of what had that name, and `beside`: what has a name in place of what had
/// it, the rest if it is not there yet.
pub(super) fn with(
    bytes: &[u8],
    place: &str,
    root: &Descriptor,
    name: Option<&str>,
    beside: &[Beside],
) -> Result<Vec<u8>> {
    let children = view(bytes, place)?.children;
    let damaged = |error: serde_json::Error| Error::Damaged { place: place.to_owned(), reason: error.to_string() };
    let mut index = Members::parse(bytes).map_err(damaged)?;
    let entries = index.get("manifests").map_or("[]", RawValue::get);
    let entries: Vec<Box<RawValue>> = serde_json::from_str(entries).map_err(damaged)?;
    let is_beside = |called: &str| beside.iter().any(|beside| beside.name.as_deref() == Some(called));
    let replaced = |old: &Descriptor| match name_of(old) {
        None => old.digest == root.digest,
        Some(called) => name == Some(called) || is_beside(called),
    };
    let kept = children.iter().zip(entries).filter(|(old, _)| !replaced(old));
    let mut manifests: Vec<Box<RawValue>> = kept.map(|(_, entry)| entry).collect();
    let is_there = |digest: &Digest| *digest == root.digest || children.iter().any(|old| old.digest == *digest);
    for Beside { descriptor, name } in beside {
        if name.is_some() || !is_there(&descriptor.digest) {
            manifests.push(entry(descriptor, name.as_deref()).map_err(damaged)?);
        }
    }
    if name.is_some() || !children.iter().any(|old| old.digest == root.digest && name_of(old).is_some()) {
        manifests.push(entry(root, name).map_err(damaged)?);
    }
    index.set("manifests", &manifests).map_err(damaged)?;
    index.to_bytes().map_err(damaged)
}

fn entry(descriptor: &Descriptor, name: Option<&str>) -> serde_json::Result<Box<RawValue>> {
    let mut annotations: std::collections::BTreeMap<&str, &str> =
        descriptor.annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    annotations.remove(REF_NAME);
    annotations.extend(name.map(|name| (REF_NAME, name)));
    to_raw_value(&Entry {
        media_type: &descriptor.media_type,
        digest: &descriptor.digest,
        size: descriptor.size,
        artifact_type: descriptor.artifact_type.as_deref(),
        annotations,
        platform: descriptor.platform.as_ref(),
    })
}
