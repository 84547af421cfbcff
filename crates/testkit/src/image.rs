//! Content to push: blobs, and manifests of every kind as bytes with their digest.

use bytes::Bytes;
use serde_json::{Value, json};
use wharf_oci::{Algorithm, Digest, MediaType};

/// Type of an uncompressed OCI layer.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Some bytes, their type and their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The bytes.
    pub bytes: Bytes,
    /// Their type.
    pub media_type: String,
    /// Their SHA-256.
    pub digest: Digest,
}

impl Content {
    /// Those bytes.
    pub fn new(media_type: &str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        Self { bytes, media_type: media_type.into(), digest }
    }

    /// `size` bytes that no other content has.
    pub fn random(size: usize) -> Self {
        // A UUIDv7 begins with the time, so that short content would be equal: from its end.
        let blocks = std::iter::repeat_with(|| uuid::Uuid::now_v7().into_bytes()).take(size.div_ceil(16));
        let mut bytes: Vec<u8> = blocks.flat_map(|block| block.into_iter().rev()).collect();
        bytes.truncate(size);
        Self::new(LAYER, bytes)
    }

    /// The two bytes `{}` (image-spec, manifest.md §Guidance for an Empty Descriptor).
    pub fn empty_json() -> Self {
        Self::new(MediaType::OCI_EMPTY, "{}")
    }

    /// Their SHA-512.
    pub fn sha512(&self) -> Digest {
        Digest::of(Algorithm::Sha512, &self.bytes)
    }

    /// What names them in a manifest.
    pub fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }

    /// As [`Content::descriptor`], by SHA-512.
    pub fn descriptor_512(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.sha512(), "size": self.bytes.len() })
    }
}

/// A manifest in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    media_type: &'static str,
    body: Value,
}

impl Draft {
    /// An OCI image.
    pub fn image(config: &Content, layers: &[Content]) -> Self {
        Self::with_layers(MediaType::OCI_MANIFEST, config, layers)
    }

    /// A Docker image, schema 2.
    pub fn docker(config: &Content, layers: &[Content]) -> Self {
        Self::with_layers(MediaType::DOCKER_MANIFEST, config, layers)
    }

    fn with_layers(media_type: &'static str, config: &Content, layers: &[Content]) -> Self {
        let layers: Vec<Value> = layers.iter().map(Content::descriptor).collect();
        let body = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config.descriptor(), "layers": layers,
        });
        Self { media_type, body }
    }

    /// An OCI index.
    pub fn index(children: &[Content]) -> Self {
        Self::with_children(MediaType::OCI_INDEX, children)
    }

    /// A Docker manifest list.
    pub fn docker_list(children: &[Content]) -> Self {
        Self::with_children(MediaType::DOCKER_LIST, children)
    }

    fn with_children(media_type: &'static str, children: &[Content]) -> Self {
        let children: Vec<Value> = children.iter().map(Content::descriptor).collect();
        Self { media_type, body: json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": children }) }
    }

    /// An artifact without files: empty config, the empty blob as its layer.
    pub fn artifact(artifact_type: &str) -> Self {
        let empty = Content::empty_json();
        Self::image(&empty, std::slice::from_ref(&empty)).set("artifactType", artifact_type.into())
    }

    /// About something.
    #[must_use]
    pub fn subject(self, subject: &Content) -> Self {
        self.set("subject", subject.descriptor())
    }

    /// With an annotation more.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.body["annotations"][key] = value.into();
        self
    }

    /// With any member set.
    #[must_use]
    pub fn set(mut self, member: &str, value: Value) -> Self {
        self.body[member] = value;
        self
    }

    /// Without a member.
    #[must_use]
    pub fn without(mut self, member: &str) -> Self {
        if let Some(object) = self.body.as_object_mut() {
            object.remove(member);
        }
        self
    }

    /// The bytes, as they are pushed.
    pub fn content(&self) -> Content {
        Content::new(self.media_type, self.body.to_string())
    }
}

/// An image: its blobs and its manifest.
#[derive(Clone, Debug)]
pub struct Image {
    /// The configuration.
    pub config: Content,
    /// The layers.
    pub layers: Vec<Content>,
    /// The manifest that names both.
    pub manifest: Content,
}

impl Image {
    /// An OCI image of one layer that no other image has.
    pub fn random() -> Self {
        Self::of(MediaType::OCI_CONFIG, Draft::image)
    }

    /// A Docker image of one layer that no other image has.
    pub fn docker() -> Self {
        Self::of(MediaType::DOCKER_CONFIG, Draft::docker)
    }

    fn of(config_type: &str, draft: impl Fn(&Content, &[Content]) -> Draft) -> Self {
        let config = json!({ "architecture": "amd64", "os": "linux", "id": uuid::Uuid::now_v7().to_string() });
        let config = Content::new(config_type, config.to_string());
        let layers = vec![Content::random(1024)];
        let manifest = draft(&config, &layers).content();
        Self { config, layers, manifest }
    }

    /// Config and layers.
    pub fn blobs(&self) -> impl Iterator<Item = &Content> {
        std::iter::once(&self.config).chain(&self.layers)
    }
}
