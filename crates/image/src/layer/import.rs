//! A tree of files as an image of one layer, as `podman import` makes it.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::Arc;

use serde::Serialize;
use wharf_oci::{MediaType, Platform};

use super::changes::Changes;
use super::tree::Tree;
use crate::compress::{Compression, Unpacked};
use crate::convert::Format;
use crate::disk::Section;
use crate::error::{Error, Result};
use crate::made::{Content, Made, ManifestToWrite, Part};
use crate::tar::{Limits, Reader};
use crate::temporary::{Spooled, Temporary};

/// What an imported image is to be, apart from its files.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// What it runs on.
    pub platform: Platform,
    /// How its layer is compressed.
    pub compression: Compression,
    /// How it runs.
    pub changes: Changes,
    /// What its history says of it.
    pub comment: String,
}

#[derive(Serialize)]
struct ToWrite<'a> {
    architecture: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    os: &'a str,
    config: &'a Changes,
    rootfs: RootFs,
    history: [History<'a>; 1],
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: [String; 1],
}

#[derive(Serialize)]
struct History<'a> {
    comment: &'a str,
}

/// Reads a tar file, compressed or not, and makes an image of it; the layer is that very tar file. It is read a second
/// time from a temporary file, to see that it is one that can be unpacked. The same file and wishes give the same image.
pub fn import(tar: impl Read, wishes: &Wishes, temporary: &Temporary) -> Result<Made> {
    // As much as there is: the person's own disk is the limit here.
    let unpacked = Unpacked::new(tar, u64::MAX).map_err(Error::incoming)?;
    let Spooled { digest, size, content, file } = temporary.compressed(unpacked, wishes.compression)?;
    let file = Arc::new(file);
    check(Section::whole(Arc::clone(&file)), content.unpacked)?;
    let config = ToWrite {
        architecture: &wishes.platform.architecture,
        variant: wishes.platform.variant.as_deref(),
        os: &wishes.platform.os,
        config: &wishes.changes,
        rootfs: RootFs { r#type: "layers", diff_ids: [content.diff_id.to_string()] },
        history: [History { comment: &wishes.comment }],
    };
    let config = serde_json::to_vec(&config)
        .map_err(|error| Error::Damaged { place: "the configuration".to_owned(), reason: error.to_string() })?;
    let layer_type = Format::Oci.layer_type(wishes.compression).unwrap_or_default();
    let manifest = ManifestToWrite {
        schema_version: 2,
        media_type: MediaType::OCI_MANIFEST,
        artifact_type: None,
        config: Part::of(MediaType::OCI_CONFIG, &config),
        layers: vec![Part::new(layer_type, digest.clone(), size)],
        annotations: BTreeMap::new(),
    };
    let config_digest = manifest.config.digest.clone();
    let contents = HashMap::from([(digest, Content::Spool(file)), (config_digest, Content::Bytes(config.into()))]);
    Made::new(&manifest, contents)
}

fn check(layer: Section, size: u64) -> Result<()> {
    let limits = Limits { bytes: u64::MAX, ..Limits::of(size) };
    let unpacked = Unpacked::new(layer, u64::MAX).map_err(Error::incoming)?;
    Tree::default().apply(&mut Reader::new(unpacked, "the tar file", limits))
}
