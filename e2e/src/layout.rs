//! An image in an OCI layout, of any size: written piece by piece.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::image::{Hasher, Image, blob, digest_of};

const MIB: usize = 1 << 20;

/// A layout with one image.
pub struct Layout {
    folder: PathBuf,
    content: Content,
    /// The digests of its layers.
    pub layers: Vec<String>,
}

/// What layers are, as far as clients can tell.
#[derive(Clone, Copy)]
enum Content {
    /// Begins as gzip does: clients compress what does not.
    Gzip,
    /// Not compressed, and could be.
    Bare,
}

impl Layout {
    /// An image whose layers have so many MiB each, of bytes that no other image has.
    pub fn of_layers(folder: &Path, mib: &[u64]) -> Self {
        Self::new(folder, mib, Content::Gzip)
    }

    /// The same, of layers that are not compressed, and become about half as large.
    pub fn of_bare_layers(folder: &Path, mib: &[u64]) -> Self {
        Self::new(folder, mib, Content::Bare)
    }

    fn new(folder: &Path, mib: &[u64], content: Content) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        let mut layout = Self { folder: folder.into(), content, layers: vec![] };
        let layers: Vec<Value> = mib.iter().map(|mib| layout.write_layer(*mib)).collect();
        let diff_ids = &layout.layers;
        let config = json!({ "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": diff_ids } });
        let config = layout.write("application/vnd.oci.image.config.v1+json", &config);
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": Image::MEDIA_TYPE, "config": config, "layers": layers });
        let manifest = layout.write(Image::MEDIA_TYPE, &manifest);
        let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
        fs::write(folder.join("index.json"), index.to_string()).unwrap();
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        layout
    }

    /// The file of a blob.
    pub fn file(&self, digest: &str) -> PathBuf {
        self.folder.join("blobs").join(digest.replace(':', "/"))
    }

    fn write(&self, kind: &str, value: &Value) -> Value {
        let bytes = value.to_string().into_bytes();
        let digest = digest_of(&bytes);
        fs::write(self.file(&digest), &bytes).unwrap();
        json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
    }

    fn write_layer(&mut self, mib: u64) -> Value {
        let (block, mut hasher) = (blob(&mut fastrand::Rng::new(), MIB), Hasher::default());
        let new = self.folder.join("new");
        let mut file = File::create(&new).unwrap();
        for number in 0..mib {
            // No two MiB are the same.
            let mut piece = block.clone();
            piece[3..11].copy_from_slice(&number.to_le_bytes());
            match self.content {
                Content::Gzip => piece[..3].copy_from_slice(&[0x1f, 0x8b, 8]),
                Content::Bare => {
                    piece[..3].fill(0);
                    piece.chunks_mut(1024).for_each(|chunk| chunk[512..].fill(b'a'));
                }
            }
            hasher.update(&piece);
            file.write_all(&piece).unwrap();
        }
        let digest = hasher.digest();
        fs::rename(new, self.file(&digest)).unwrap();
        self.layers.push(digest.clone());
        let kind = match self.content {
            Content::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Content::Bare => "application/vnd.oci.image.layer.v1.tar",
        };
        json!({ "mediaType": kind, "digest": digest, "size": mib << 20 })
    }
}
