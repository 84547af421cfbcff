//! Storages as podman leaves them, made by hand.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use wharf_oci::{Algorithm, Digest};

use super::super::crc64::Crc64;
use super::super::{Places, Podman, Storage, records};

/// A storage in a folder that goes with it.
pub(super) struct HandMade {
    folder: TempDir,
    driver: &'static str,
    images: Vec<Value>,
    pub(super) layers: Vec<Value>,
}

/// A layer, as it was before it was unpacked.
#[derive(Clone)]
pub(super) struct Packed {
    pub(super) id: String,
    pub(super) tar: Vec<u8>,
}

impl Packed {
    pub(super) fn diff_id(&self) -> Digest {
        sha256(&self.tar)
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

impl HandMade {
    pub(super) fn new(driver: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), driver, images: vec![], layers: vec![] }
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Where what is saved goes meanwhile.
    pub(super) fn temporary(&self) -> PathBuf {
        self.root().join("temporary")
    }

    pub(super) fn has_no_temporary_folder(&self) -> bool {
        fs::read_dir(self.temporary()).unwrap().all(|own| fs::read_dir(own.unwrap().path()).unwrap().next().is_none())
    }

    pub(super) fn path(&self, kind: &str) -> PathBuf {
        self.root().join(format!("{}-{kind}", self.driver))
    }

    /// Where a layer's files are.
    pub(super) fn files(&self, id: &str) -> PathBuf {
        if self.driver == "vfs" {
            self.root().join("vfs/dir").join(id)
        } else {
            self.root().join("overlay").join(id).join("diff")
        }
    }

    /// Unpacks a layer of these files.
    pub(super) fn layer(&mut self, id: &str, parent: &str, files: &[(&str, &[u8])]) -> Packed {
        let (mut tar, mut recipe, mut position) = (vec![], String::new(), 0);
        let mut line = |mut value: Value| {
            value["position"] = position.into();
            position += 1;
            recipe.push_str(&value.to_string());
            recipe.push('\n');
        };
        let segment = |bytes: &[u8], tar: &mut Vec<u8>| {
            tar.extend_from_slice(bytes);
            json!({"type": 2, "payload": STANDARD.encode(bytes)})
        };
        for (name, content) in files {
            line(segment(&header(name, content.len()), &mut tar));
            let file = self.files(id).join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
            tar.extend_from_slice(content);
            let mut crc = Crc64::new();
            crc.update(content);
            let payload = (!content.is_empty()).then(|| STANDARD.encode(crc.value().to_be_bytes()));
            line(json!({"type": 1, "name": name, "size": content.len(), "payload": payload}));
            line(segment(&vec![0; content.len().next_multiple_of(512) - content.len()], &mut tar));
        }
        line(segment(&[0; 1024], &mut tar));
        line(json!({"type": 2, "payload": ""}));
        fs::create_dir_all(self.files(id)).unwrap();
        fs::create_dir_all(self.path("layers")).unwrap();
        self.write_recipe(id, &recipe);
        let diff_id = sha256(&tar);
        let size = tar.len();
        self.layers.push(json!({"id": id, "parent": parent, "diff-digest": diff_id, "diff-size": size, "uidset": [0]}));
        self.save();
        Packed { id: id.into(), tar }
    }

    pub(super) fn write_recipe(&self, id: &str, lines: &str) {
        let file = fs::File::create(self.recipe(id)).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        gzip.write_all(lines.as_bytes()).unwrap();
        gzip.finish().unwrap();
    }

    pub(super) fn recipe(&self, id: &str) -> PathBuf {
        self.path("layers").join(format!("{id}.tar-split.gz"))
    }

    /// Keeps an image of these layers under `name`, pulled with layers that were compressed; its manifest and its id.
    pub(super) fn image(&mut self, name: &str, layers: &[&Packed]) -> (Vec<u8>, String) {
        let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id()).collect();
        let config =
            json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let config = config.to_string();
        let id = sha256(config.as_bytes());
        let compressed = |layer: &&Packed| json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": 77, "digest": compressed(layer)});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": config.len(), "digest": id},
            "layers": layers.iter().map(compressed).collect::<Vec<_>>(),
        });
        let manifest = manifest.to_string().into_bytes();
        let top = layers.last().map(|layer| layer.id.as_str());
        self.keep(id.hex(), name, top, &[(id.as_str(), config.as_bytes()), ("manifest", &manifest)]);
        (manifest, id.hex().to_owned())
    }

    /// Keeps an image with these files.
    pub(super) fn keep(&mut self, id: &str, name: &str, layer: Option<&str>, files: &[(&str, &[u8])]) {
        let images = self.path("images");
        fs::create_dir_all(images.join(id)).unwrap();
        for (key, content) in files {
            fs::write(records::big_data(&images, id, key), content).unwrap();
        }
        let digests: serde_json::Map<_, _> =
            files.iter().map(|(key, bytes)| ((*key).to_owned(), json!(sha256(bytes)))).collect();
        self.images.push(json!({"id": id, "names": [name], "layer": layer, "big-data-digests": digests}));
        self.save();
    }

    pub(super) fn save(&self) {
        for kind in ["images", "layers"] {
            fs::create_dir_all(self.path(kind)).unwrap();
            fs::write(self.path(kind).join(format!("{kind}.lock")), "").unwrap();
        }
        fs::write(self.path("images").join("images.json"), json!(self.images).to_string()).unwrap();
        fs::write(self.path("layers").join("layers.json"), json!(self.layers).to_string()).unwrap();
    }

    /// Podman itself is not there.
    pub(super) fn open(&self) -> Storage {
        fs::create_dir_all(self.temporary()).unwrap();
        let podman = Podman {
            command: vec!["/nowhere/podman".into()],
            layer_writer: None,
            temporary: crate::Temporary::new(self.temporary()),
        };
        Storage::new(Places::at(self.root().to_owned()), podman)
    }
}

/// An OCI layout with an image of these layers.
pub(super) fn layout(folder: &Path, layers: &[&Packed]) {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |media_type: &str, bytes: &[u8]| {
        fs::write(blobs.join(sha256(bytes).hex()), bytes).unwrap();
        json!({"mediaType": media_type, "size": bytes.len(), "digest": sha256(bytes)})
    };
    let tar = |layer: &&Packed| blob("application/vnd.oci.image.layer.v1.tar", &layer.tar);
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("application/vnd.oci.image.config.v1+json", b"{}"),
        "layers": layers.iter().map(tar).collect::<Vec<_>>()});
    let manifest = blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    fs::write(folder.join("index.json"), json!({"schemaVersion": 2, "manifests": [manifest]}).to_string()).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
}

/// What the manifest calls a layer, whose compressed bytes nobody has.
pub(super) fn compressed(layer: &Packed) -> Digest {
    sha256(format!("compressed {}", layer.id).as_bytes())
}

/// A header of ustar for a file; the checksum is right, since readers of the tar would look.
fn header(name: &str, size: usize) -> [u8; 512] {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
