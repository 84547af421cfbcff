//! Images that are put together here rather than found: a manifest, and content in memory, in files, or in spools that
//! nobody else sees.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use wharf_oci::{Algorithm, Descriptor, Digest, MediaType};

use crate::disk::Section;
use crate::error::{Error, Result};
use crate::{LONGEST_MANIFEST, Source, Stored, Verified, disk};

/// One image, made on this machine. Content that lies in files is read when it is asked for, and compared then.
#[derive(Debug)]
pub struct Made {
    root: Stored,
    contents: HashMap<Digest, Content>,
}

/// Where a blob's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Bytes(Bytes),
    File(PathBuf),
    /// A file without a name; gone with the last that has it open.
    Spool(Arc<File>),
}

/// A blob as a manifest is to name it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    pub(crate) media_type: String,
    #[serde(serialize_with = "as_text")]
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// An image manifest (image-spec, manifest.md).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ManifestToWrite {
    pub(crate) schema_version: u8,
    pub(crate) media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    pub(crate) config: Part,
    pub(crate) layers: Vec<Part>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

fn as_text<S: serde::Serializer>(digest: &Digest, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

impl Part {
    /// Bytes in memory.
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        Self::new(media_type, digest, bytes.len() as u64)
    }

    pub(crate) fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self { media_type: media_type.into(), digest, size, data: None, annotations: BTreeMap::new() }
    }
}

impl Made {
    /// Errors when the manifest would be longer than other readers take.
    pub(crate) fn new(manifest: &ManifestToWrite, contents: HashMap<Digest, Content>) -> Result<Self> {
        let place = || "the manifest that would name it all".to_owned();
        let bytes = serde_json::to_vec(manifest)
            .map_err(|error| Error::Damaged { place: place(), reason: error.to_string() })?;
        if bytes.len() as u64 > LONGEST_MANIFEST {
            let reason = format!("{} bytes of at most {LONGEST_MANIFEST}: put them into one folder", bytes.len());
            return Err(Error::TooLarge { place: place(), reason });
        }
        let root = Stored::new(Some(MediaType::OCI_MANIFEST), bytes)
            .map_err(|source| Error::Manifest { place: place(), source })?;
        Ok(Self { root, contents })
    }

    /// What it is called by.
    pub fn digest(&self) -> &Digest {
        &self.root.digest
    }

    fn missing(digest: &Digest) -> Error {
        Error::Missing { path: "what was put together".into(), digest: digest.clone() }
    }
}

impl Source for Made {
    fn root(&self) -> Result<Stored> {
        Ok(self.root.clone())
    }

    fn manifest(&self, digest: &Digest) -> Result<Stored> {
        if *digest == self.root.digest { Ok(self.root.clone()) } else { Err(Self::missing(digest)) }
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let content = self.contents.get(&descriptor.digest).ok_or_else(|| Self::missing(&descriptor.digest))?;
        Ok(match content {
            Content::Bytes(bytes) => Box::new(Verified::new(io::Cursor::new(bytes.clone()), descriptor, "a part")),
            Content::File(path) => {
                let (file, _) = disk::open(path)?;
                Box::new(Verified::new(file, descriptor, format!("{}, which has changed,", path.display())))
            }
            Content::Spool(file) => {
                Box::new(Verified::new(Section::whole(Arc::clone(file)), descriptor, "a temporary file"))
            }
        })
    }

    fn referrers(&self, _: &Digest) -> Result<Vec<Descriptor>> {
        Ok(vec![])
    }
}
