//! What containers/storage keeps in its lists: `images.json`, `layers.json`, `volatile-layers.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wharf_oci::Digest;

use super::lock;
use crate::{Error, Result};

/// An image: its manifests and its configuration are files ("big data") beside the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ImageRecord {
    pub(super) id: String,
    pub(super) names: Option<Vec<String>>,
    /// Of the top layer; absent in an image without any.
    pub(super) layer: Option<String>,
    pub(super) big_data_digests: Option<BTreeMap<String, String>>,
}

/// The big data that holds an image's manifest. Others lie under `manifest-DIGEST`.
pub(super) const MANIFEST: &str = "manifest";

impl ImageRecord {
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.iter().flatten().any(|own| own == name)
    }

    /// Whether one of its manifests has this digest. The index that it was pulled by counts.
    pub(super) fn has_manifest(&self, digest: &str) -> bool {
        let digests = self.big_data_digests.iter().flatten();
        digests.filter(|(key, _)| key.starts_with(MANIFEST)).any(|(_, own)| own == digest)
    }
}

/// A layer, unpacked.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LayerRecord {
    pub(super) id: String,
    #[serde(default)]
    pub(super) parent: String,
    diff_digest: Option<String>,
    /// Bytes of the tar; may be absent or -1.
    diff_size: Option<i64>,
    #[serde(default)]
    flags: BTreeMap<String, Value>,
}

impl LayerRecord {
    /// Of its tar. A layer that was pulled by its table of contents (zstd:chunked) has no digest that was computed,
    /// only the one that the image's configuration promised.
    pub(super) fn diff_id(&self) -> Option<Digest> {
        let expected = || self.flags.get("expected-layer-diffid").and_then(Value::as_str);
        let computed = self.diff_digest.as_deref().filter(|digest| !digest.is_empty());
        computed.or_else(expected)?.parse().ok()
    }

    /// Bytes of its tar, where that is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.diff_size.and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0)
    }

    /// Whether podman was killed while it made the layer, or is at it.
    pub(super) fn is_incomplete(&self) -> bool {
        self.flags.get("incomplete").is_some_and(|flag| *flag == Value::Bool(true))
    }
}

/// The images of a store's folder `DRIVER-images`; none when it is not there.
pub(super) fn images(folder: &Path) -> Result<Vec<ImageRecord>> {
    lock::shared(&folder.join("images.lock"), || list(&folder.join("images.json")))
}

/// The layers of a store's folder `DRIVER-layers`.
pub(super) fn layers(folder: &Path) -> Result<Vec<LayerRecord>> {
    lock::shared(&folder.join("layers.lock"), || {
        let mut layers: Vec<LayerRecord> = list(&folder.join("layers.json"))?;
        layers.append(&mut list(&folder.join("volatile-layers.json"))?);
        Ok(layers)
    })
}

fn list<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", file)(error)),
    };
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let list: Option<Vec<T>> = serde_json::from_slice(&bytes)
        .map_err(|error| Error::Damaged { place: file.display().to_string(), reason: error.to_string() })?;
    Ok(list.unwrap_or_default())
}

/// The file of an image's big data.
pub(super) fn big_data(images: &Path, id: &str, key: &str) -> PathBuf {
    let is_plain = |b: u8| b == b'.' || b.is_ascii_digit() || b.is_ascii_lowercase();
    let name = if key.bytes().all(is_plain) { key.to_owned() } else { format!("={}", STANDARD.encode(key)) };
    images.join(id).join(name)
}
