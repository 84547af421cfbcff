//! Things to push.

use std::fmt::Write as _;

use serde_json::json;
use sha2::{Digest as _, Sha256};

/// An image of one layer, and its parts.
pub struct Image {
    /// The config's bytes.
    pub config: Vec<u8>,
    /// The layer's bytes.
    pub layer: Vec<u8>,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
}

impl Image {
    /// Of [`Image::manifest`].
    pub const MEDIA_TYPE: &'static str = "application/vnd.oci.image.manifest.v1+json";

    /// For the platform `linux/<architecture>`, with a layer of `size` bytes that looks like gzip, and is not.
    pub fn new(random: &mut fastrand::Rng, architecture: &str, size: usize) -> Self {
        let mut layer = blob(random, size);
        // skopeo compresses what does not begin as gzip does, and the copy has another digest then.
        layer.splice(..3.min(size), [0x1f, 0x8b, 8]);
        let config = json!({ "architecture": architecture, "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [digest_of(&layer)] } });
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": Self::MEDIA_TYPE,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
        });
        Self { config, layer, manifest: manifest.to_string().into_bytes() }
    }
}

/// An index of the images, each with the architecture beside it.
pub fn index_of(images: &[(&Image, &str)]) -> Vec<u8> {
    let entry = |(image, architecture): &(&Image, &str)| {
        let mut entry = descriptor(Image::MEDIA_TYPE, &image.manifest);
        entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
        entry
    };
    let manifests: Vec<_> = images.iter().map(entry).collect();
    let kind = "application/vnd.oci.image.index.v1+json";
    json!({ "schemaVersion": 2, "mediaType": kind, "manifests": manifests }).to_string().into_bytes()
}

fn descriptor(kind: &str, bytes: &[u8]) -> serde_json::Value {
    json!({ "mediaType": kind, "digest": digest_of(bytes), "size": bytes.len() })
}

/// Bytes that do not compress.
pub fn blob(random: &mut fastrand::Rng, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    random.fill(&mut bytes);
    bytes
}

/// `sha256:…`
pub fn digest_of(bytes: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.digest()
}

/// As [`digest_of`], for what comes in pieces.
#[derive(Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// `sha256:…`
    pub fn digest(self) -> String {
        self.0.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
