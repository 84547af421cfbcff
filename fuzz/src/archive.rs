//! Images in archives and folders, and layers: whatever lies there, what is given of it is what it is named by, and no
//! path in it leads out.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use wharf_image::archive::{DockerArchive, DockerDestination, Limits, OciArchive, OciDestination};
use wharf_image::compress::{Compression, Compressor, Unpacked};
use wharf_image::dir::DirSource;
use wharf_image::layer::{Tree, flatten};
use wharf_image::layout::Layout;
use wharf_image::tar::{self, Entry, Reader, TreePath, Writer};
use wharf_image::{Destination, Source, Stored, Temporary};
use wharf_oci::{Algorithm, Descriptor, Digest, MediaType};

/// Bytes that are looked at: bombs are found fast, and take long.
const MOST: u64 = 1 << 20;
/// Manifests that name each other.
const MANIFESTS: usize = 16;
/// Layers that are laid on top of each other: the same bomb a hundred times takes a hundred times as long.
const LAYERS: usize = 4;

thread_local! {
    static PLACE: TempDir = TempDir::new().expect("a folder");
}

/// A file's bytes as each kind of archive, as a layer, and as the first file of a folder; and once more as names and
/// contents of a tar file, since few changes of bytes leave its checksums right.
pub fn archive(data: &[u8]) {
    layer(data);
    PLACE.with(|place| {
        read_archives(place.path(), data);
        read_archives(place.path(), &packed(data));
        read_folders(place.path(), data);
    });
}

fn read_archives(place: &Path, bytes: &[u8]) {
    let file = place.join("archive");
    fs::write(&file, bytes).expect("room");
    let limits = Limits { temporary: Temporary::new(place), unpacked: MOST };
    if let Ok(source) = OciArchive::open(&file, &limits).and_then(|archive| archive.source(None)) {
        image(&source);
    }
    let Ok(archive) = DockerArchive::open(&file, &limits) else { return };
    let names: Vec<&String> = archive.names().flatten().take(MANIFESTS).collect();
    for name in std::iter::once(None).chain(names.into_iter().map(|name| Some(name.as_str()))) {
        if let Ok(source) = archive.source(name) {
            image(&source);
        }
    }
}

fn read_folders(place: &Path, bytes: &[u8]) {
    let (dir, layout) = (place.join("dir"), place.join("layout"));
    fs::create_dir_all(&dir).expect("room");
    fs::write(dir.join("manifest.json"), bytes).expect("room");
    if let Ok(source) = DirSource::open(&dir) {
        image(&source);
    }
    fs::create_dir_all(&layout).expect("room");
    fs::write(layout.join("oci-layout"), LAYOUT).expect("room");
    fs::write(layout.join("index.json"), bytes).expect("room");
    if let Ok(source) = Layout::open(&layout).and_then(|layout| layout.source(None)) {
        image(&source);
    }
}

/// All that can be had of it.
fn image(source: &dyn Source) {
    let Ok(root) = source.root() else { return };
    let mut left = vec![root];
    for _ in 0..MANIFESTS {
        let Some(stored) = left.pop() else { return };
        assert_eq!(Digest::of(stored.digest.algorithm(), &stored.bytes), stored.digest, "a manifest is what it is");
        let Ok(view) = stored.view() else { continue };
        for child in &view.children {
            if let Ok(found) = source.manifest(&child.digest) {
                assert_eq!(found.digest, child.digest, "a manifest is what was asked for");
                left.push(found);
            }
        }
        view.config.iter().chain(&view.layers).for_each(|named| content(source, named));
        let some = view.layers.get(..LAYERS).unwrap_or(&view.layers);
        let _ = (flatten(source, some, io::sink()), source.referrers(&stored.digest));
    }
}

fn content(source: &dyn Source, named: &Descriptor) {
    let Ok(reader) = source.blob(named) else { return };
    let mut bytes = vec![];
    let ended = reader.take(MOST).read_to_end(&mut bytes);
    let length = bytes.len() as u64;
    if ended.is_err() {
        assert!(length < named.size, "what is wrong fails before its last byte");
    } else if length < MOST {
        assert_eq!(length, named.size);
        assert_eq!(Digest::of(named.digest.algorithm(), &bytes), named.digest);
    }
}

fn layer(data: &[u8]) {
    let limits = tar::Limits { entries: 10_000, names: MOST, bytes: MOST };
    let Ok(unpacked) = Unpacked::new(data, MOST) else { return };
    let mut reader = Reader::new(unpacked, "input", limits);
    while let Ok(Some(entry)) = reader.next() {
        stays_inside(&entry.path);
    }
    let Ok(unpacked) = Unpacked::new(data, MOST) else { return };
    let mut tree = Tree::with_digests();
    let _ = tree.apply(&mut Reader::new(unpacked, "input", limits));
    tree.iter().for_each(|(path, _)| stays_inside(path));
}

fn stays_inside(path: &TreePath) {
    assert!(path.as_path().is_relative() && path.names().all(|name| name != b".." && name != b"."));
    assert_eq!(TreePath::parse(path.as_bytes()).as_ref(), Ok(path));
}

/// Names and contents in turn, with zero bytes between them, as a tar file.
fn packed(data: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let mut tar = Writer::new(vec![]);
    for pair in parts.chunks(2) {
        let [name, content] = pair else { continue };
        if let Ok(path) = TreePath::parse(name) {
            // Names that no tar file can have are left out.
            let _ = tar.append(&Entry::file(path, content.len() as u64), &mut &content[..]);
        }
    }
    tar.finish().unwrap_or_default()
}

/// What fuzzing begins with: archives of either kind, as they are and compressed, layers, and what [`archive`] packs.
pub fn archive_seeds() -> Vec<Vec<u8>> {
    let place = TempDir::new().expect("a folder");
    let path = |name: &str| place.path().join(name);
    let temporary = Temporary::new(place.path());
    let tar = layer_tar();
    let (config, image) = docker_image(&tar);
    let parts = [(MediaType::DOCKER_CONFIG, config.as_slice()), (LAYER, tar.as_slice())];
    let names = ["registry.example/app:v1".parse().expect("a name")];
    put(Box::new(DockerDestination::new(&path("docker"), &names, &temporary).expect("room")), &parts, &image);
    put(Box::new(OciDestination::new(&path("oci"), Some("v1"), &temporary).expect("room")), &parts, &image);
    let read = |name: &str| fs::read(path(name)).expect("it was written");
    let mut seeds = vec![read("docker"), read("oci"), tar.clone(), image.bytes.to_vec()];
    for how in [Compression::GZIP, Compression::ZSTD] {
        seeds.extend([compressed(&read("oci"), how), compressed(&tar, how)]);
    }
    seeds.extend([docker_words(), oci_words()]);
    seeds
}

const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

fn layer_tar() -> Vec<u8> {
    let mut tar = Writer::new(vec![]);
    let path = |text: &str| TreePath::parse(text.as_bytes()).expect("a path");
    tar.append(&Entry::directory(path("etc")), &mut io::empty()).expect("memory");
    for name in ["etc/passwd", "etc/.wh.shadow", "opt/.wh..wh..opq", "a/b/c"] {
        tar.append(&Entry::file(path(name), 4), &mut &b"text"[..]).expect("memory");
    }
    tar.finish().expect("memory")
}

fn named(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(Algorithm::Sha256, bytes), "size": bytes.len() })
}

fn docker_image(layer: &[u8]) -> (Vec<u8>, Stored) {
    let diff_id = Digest::of(Algorithm::Sha256, layer);
    let config =
        json!({ "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": [diff_id] } });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MediaType::DOCKER_MANIFEST,
        "config": named(MediaType::DOCKER_CONFIG, &config), "layers": [named(LAYER, layer)],
    });
    (config, Stored::new(None, manifest.to_string()).expect("a manifest"))
}

fn put(to: Box<dyn Destination>, parts: &[(&str, &[u8])], image: &Stored) {
    for (media_type, bytes) in parts {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        let descriptor = Descriptor::new(*media_type, digest, bytes.len() as u64);
        to.put_blob(&descriptor, &mut &bytes[..]).expect("room");
    }
    to.put_manifest(image).expect("room");
    to.finish(&image.descriptor()).expect("room");
}

fn compressed(bytes: &[u8], how: Compression) -> Vec<u8> {
    let mut out = vec![];
    Compressor::new(bytes, how, 1).and_then(|mut content| content.read_to_end(&mut out)).expect("memory");
    out
}

fn words(pairs: &[(&str, &str)]) -> Vec<u8> {
    pairs.iter().flat_map(|(name, content)| [name.as_bytes(), b"\0", content.as_bytes(), b"\0"].concat()).collect()
}

fn docker_words() -> Vec<u8> {
    let (config, _) = docker_image(b"text");
    let config = String::from_utf8(config).expect("JSON");
    let list = json!([{ "Config": "config.json", "RepoTags": ["registry.example/app:v1"], "Layers": ["layer.tar"] }]);
    words(&[("config.json", &config), ("layer.tar", "text"), ("manifest.json", &list.to_string())])
}

fn oci_words() -> Vec<u8> {
    let (config, image) = docker_image(b"text");
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(Algorithm::Sha256, bytes).hex());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("JSON");
    let index = json!({ "schemaVersion": 2, "manifests": [named(MediaType::DOCKER_MANIFEST, &image.bytes)] });
    words(&[
        ("oci-layout", LAYOUT),
        ("index.json", &index.to_string()),
        (&blob(&image.bytes), &text(&image.bytes)),
        (&blob(&config), &text(&config)),
        (&blob(b"text"), "text"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_reach_every_reader() {
        let place = TempDir::new().unwrap();
        let file = place.path().join("archive");
        let limits = Limits { temporary: Temporary::new(place.path()), unpacked: MOST };
        for words in [docker_words(), oci_words()] {
            fs::write(&file, packed(&words)).unwrap();
            let docker = DockerArchive::open(&file, &limits).and_then(|archive| archive.source(None)?.root());
            let oci = OciArchive::open(&file, &limits).and_then(|archive| archive.source(None)?.root());
            assert!(docker.is_ok() || oci.is_ok(), "{docker:?} {oci:?}");
        }
        assert_eq!(archive_seeds().len(), 10);
        archive_seeds().iter().for_each(|seed| archive(seed));
    }
}
