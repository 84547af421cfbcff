use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use wharf_oci::{Algorithm, Descriptor, Digest, MediaType};

use super::*;
use crate::compress::{Compression, Compressor};
use crate::{Destination, Source, Stored};

mod hostile;

fn sha(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor::new(media_type, sha(bytes), bytes.len() as u64)
}

fn named(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": sha(bytes), "size": bytes.len()})
}

const LAYER: &[u8] = b"a layer, which would be a tar file";
const LAYER_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar";

fn config() -> Vec<u8> {
    let body = json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [sha(LAYER)]}});
    body.to_string().into_bytes()
}

fn image() -> Stored {
    let body = json!({
        "schemaVersion": 2, "mediaType": MediaType::DOCKER_MANIFEST,
        "config": named(MediaType::DOCKER_CONFIG, &config()), "layers": [named(LAYER_TYPE, LAYER)],
    });
    Stored::new(None, body.to_string()).unwrap()
}

fn put(to: Box<dyn Destination>) {
    to.put_blob(&descriptor(LAYER_TYPE, LAYER), &mut &*LAYER).unwrap();
    to.put_blob(&descriptor(MediaType::DOCKER_CONFIG, &config()), &mut &config()[..]).unwrap();
    to.put_manifest(&image()).unwrap();
    to.finish(&image().descriptor()).unwrap();
}

fn compressed(bytes: &[u8], how: Compression) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(bytes, how, 1).unwrap().read_to_end(&mut out).unwrap();
    out
}

/// Everything that can be read of an image, or the first error.
fn all_of(source: &dyn Source) -> Result<Vec<Vec<u8>>, String> {
    let root = source.root().map_err(|error| error.to_string())?;
    let view = root.view().unwrap();
    let mut contents = Vec::new();
    for named in view.config.iter().chain(&view.layers) {
        let mut bytes = Vec::new();
        let mut reader = source.blob(named).map_err(|error| error.to_string())?;
        reader.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        contents.push(bytes);
    }
    Ok(contents)
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("image.tar")
    }

    fn temporary(&self) -> Temporary {
        Temporary::new(self.0.path())
    }

    fn limits(&self) -> Limits {
        Limits { temporary: self.temporary(), unpacked: 1 << 20 }
    }

    fn docker(&self, reference: Option<&str>) -> Result<Vec<Vec<u8>>, String> {
        let archive = DockerArchive::open(&self.path(), &self.limits()).map_err(|error| error.to_string())?;
        all_of(&archive.source(reference).map_err(|error| error.to_string())?)
    }

    fn oci(&self, reference: Option<&str>) -> Result<Vec<Vec<u8>>, String> {
        let archive = OciArchive::open(&self.path(), &self.limits()).map_err(|error| error.to_string())?;
        all_of(&archive.source(reference).map_err(|error| error.to_string())?)
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }

    fn only_file(&self) -> bool {
        self.0.path().read_dir().unwrap().count() <= 1
    }
}

fn whole() -> Vec<Vec<u8>> {
    vec![config(), LAYER.to_vec()]
}

/// The entries of a tar file that others might have written.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, name: &str, kind: tar::EntryType, link: &str, content: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(name, tar::EntryType::Regular, "", content.as_ref())
    }

    fn link(self, name: &str, to: &str) -> Self {
        self.entry(name, tar::EntryType::Symlink, to, b"")
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

fn list(config: &str, tags: &Value, layer: &str) -> Value {
    json!({"Config": config, "RepoTags": tags, "Layers": [layer]})
}

#[test]
fn an_image_goes_into_either_archive_and_comes_out_the_same() {
    let place = Place::new();
    put(Box::new(OciDestination::new(&place.path(), Some("v1"), &place.temporary()).unwrap()));
    assert_eq!(place.oci(Some("v1")).unwrap(), whole());
    assert_eq!(place.oci(None).unwrap(), whole());
    assert!(place.oci(Some("v2")).unwrap_err().contains("it has v1"));
    assert!(place.docker(None).unwrap_err().contains("looks like one of oci-archive:"));
    fs::remove_file(place.path()).unwrap();
    let names = ["alpine".parse().unwrap(), "quay.io/a/b:1".parse().unwrap()];
    put(Box::new(DockerDestination::new(&place.path(), &names, &place.temporary()).unwrap()));
    for reference in [None, Some("docker.io/library/alpine:latest"), Some("alpine"), Some("quay.io/a/b:1"), Some("@0")]
    {
        assert_eq!(place.docker(reference).unwrap(), whole(), "{reference:?}");
    }
    assert!(place.docker(Some("quay.io/a/b")).unwrap_err().contains("docker.io/library/alpine:latest"));
    assert!(place.oci(None).unwrap_err().contains("looks like one of docker-archive:"));
    assert!(place.only_file());
}

#[test]
fn gnu_tar_reads_what_is_written() {
    let place = Place::new();
    put(Box::new(OciDestination::new(&place.path(), None, &place.temporary()).unwrap()));
    let mut names: Vec<String> = tar::Archive::new(fs::File::open(place.path()).unwrap())
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), 5);
    assert_eq!(names[3..], ["index.json", "oci-layout"]);
}

#[test]
fn names_that_fit_no_header_are_written_too() {
    let place = Place::new();
    let to = OciDestination::new(&place.path(), None, &place.temporary()).unwrap();
    let long = Descriptor::new("x/y", Digest::of(Algorithm::Sha512, LAYER), LAYER.len() as u64);
    to.put_blob(&long, &mut &*LAYER).unwrap();
    put(Box::new(to));
    let source = OciArchive::open(&place.path(), &place.limits()).unwrap().source(None).unwrap();
    let mut bytes = Vec::new();
    source.blob(&long).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, LAYER);
}

#[test]
fn threads_write_blobs_at_once() {
    let place = Place::new();
    let to = OciDestination::new(&place.path(), None, &place.temporary()).unwrap();
    let blobs: Vec<Vec<u8>> = (0..16_u8).map(|at| vec![at; 10_000 + usize::from(at)]).collect();
    std::thread::scope(|scope| {
        for blob in &blobs {
            scope.spawn(|| to.put_blob(&descriptor("x/y", blob), &mut &blob[..]).unwrap());
        }
    });
    put(Box::new(to));
    let source = OciArchive::open(&place.path(), &place.limits()).unwrap().source(None).unwrap();
    for blob in &blobs {
        let mut bytes = Vec::new();
        source.blob(&descriptor("x/y", blob)).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(&bytes, blob);
    }
}

#[test]
fn a_wrong_blob_can_be_put_again_and_is_not_left_in_the_archive() {
    let place = Place::new();
    let to = OciDestination::new(&place.path(), None, &place.temporary()).unwrap();
    assert!(to.put_blob(&descriptor(LAYER_TYPE, LAYER), &mut &LAYER[1..]).is_err());
    assert!(!to.has_blob(&descriptor(LAYER_TYPE, LAYER)).unwrap());
    put(Box::new(to));
    assert_eq!(place.oci(None).unwrap(), whole());
    let to = OciDestination::new(&place.path(), None, &place.temporary()).unwrap();
    to.put_manifest(&image()).unwrap();
    assert!(to.put_blob(&descriptor("x/y", b"ab"), &mut &b"a"[..]).is_err());
    assert!(matches!(Box::new(to).finish(&image().descriptor()), Err(Error::Missing { .. })));
    assert_eq!(place.oci(None).unwrap(), whole(), "what was there is still there");
    assert!(place.only_file());
}

#[test]
fn a_docker_archive_takes_no_image_that_it_cannot_hold() {
    let place = Place::new();
    let to = DockerDestination::new(&place.path(), &[], &place.temporary()).unwrap();
    to.put_blob(&descriptor(MediaType::DOCKER_CONFIG, &config()), &mut &config()[..]).unwrap();
    let gzip = json!({
        "schemaVersion": 2, "mediaType": MediaType::DOCKER_MANIFEST,
        "config": named(MediaType::DOCKER_CONFIG, &config()), "layers": [named("application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER)],
    });
    let gzip = Stored::new(None, gzip.to_string()).unwrap();
    to.put_manifest(&gzip).unwrap();
    assert!(Box::new(to).finish(&gzip.descriptor()).unwrap_err().to_string().contains("not an uncompressed tar"));
    assert!(!place.path().exists());
    put(Box::new(DockerDestination::new(&place.path(), &[], &place.temporary()).unwrap()));
    assert!(
        DockerDestination::new(&place.path(), &[], &place.temporary())
            .unwrap_err()
            .to_string()
            .contains("there already")
    );
}

#[test]
fn content_of_unknown_digest_gets_its_place_when_it_is_known() {
    let place = Place::new();
    let to = OciDestination::new(&place.path(), None, &place.temporary()).unwrap();
    assert_eq!(to.put_unnamed(&mut &*LAYER).unwrap(), (sha(LAYER), LAYER.len() as u64));
    put(Box::new(to));
    assert_eq!(place.oci(None).unwrap(), whole());
}

#[test]
fn the_whole_archive_may_be_compressed() {
    let place = Place::new();
    put(Box::new(OciDestination::new(&place.path(), None, &place.temporary()).unwrap()));
    let plain = fs::read(place.path()).unwrap();
    for how in [Compression::GZIP, Compression::ZSTD] {
        let bytes = compressed(&plain, how);
        place.write(&bytes);
        assert_eq!(place.oci(None).unwrap(), whole());
        place.write(&bytes[..bytes.len() - 5]);
        assert!(place.oci(None).is_err(), "{how:?}");
    }
}

/// What Docker before 25 wrote, by its classic builder: layers in folders, links to layers that others have.
#[test]
fn old_archives_with_links_and_legacy_files_are_read() {
    let place = Place::new();
    let tar = Tar::default()
        .entry("./abc/", tar::EntryType::Directory, "", b"")
        .file("./abc/VERSION", "1.0")
        .file("./abc/json", "{}")
        .link("./abc/layer.tar", "../def/layer.tar")
        .file("def/layer.tar", LAYER)
        .file("config.json", config())
        .file("./manifest.json", json!([list("config.json", &Value::Null, "abc/layer.tar")]).to_string())
        .file("repositories", "{}");
    place.write(&tar.end());
    assert_eq!(place.docker(None).unwrap(), whole());
    assert!(place.docker(Some("alpine")).unwrap_err().contains("it has @0"));
}

#[test]
fn layers_may_be_compressed_inside() {
    for how in [Compression::GZIP, Compression::ZSTD] {
        let place = Place::new();
        let tar = Tar::default()
            .file("layer.tar.gz", compressed(LAYER, how))
            .file("config.json", config())
            .file("manifest.json", json!([list("config.json", &json!(["a"]), "layer.tar.gz")]).to_string());
        place.write(&tar.end());
        assert_eq!(place.docker(None).unwrap(), whole());
    }
}

#[test]
fn one_of_several_images_is_picked_by_name_or_position() {
    let place = Place::new();
    let other = json!({"rootfs": {"diff_ids": [sha(b"other")]}}).to_string();
    let images =
        json!([list("1.json", &json!(["alpine:3"]), "1.tar"), list("2.json", &json!(["localhost/b:2"]), "2.tar")]);
    let tar =
        Tar::default().file("1.json", config()).file("1.tar", LAYER).file("2.json", &other).file("2.tar", "other");
    place.write(&tar.file("manifest.json", images.to_string()).end());
    assert_eq!(place.docker(Some("docker.io/library/alpine:3")).unwrap(), whole());
    for reference in ["localhost/b:2", "@1"] {
        assert_eq!(place.docker(Some(reference)).unwrap(), [other.clone().into_bytes(), b"other".to_vec()]);
    }
    assert!(place.docker(None).unwrap_err().contains("holds 2 images; name one of them: alpine:3, localhost/b:2"));
}

#[test]
fn a_pipe_gets_the_archive_and_stays_a_pipe() {
    let place = Place::new();
    let pipe = place.0.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let reading = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    put(Box::new(OciDestination::new(&pipe, None, &place.temporary()).unwrap()));
    place.write(&reading.join().unwrap());
    assert_eq!(place.oci(None).unwrap(), whole());
    assert!(!fs::metadata(&pipe).unwrap().is_file());
}

#[test]
fn a_link_stays_one_and_what_it_leads_to_is_written() {
    let place = Place::new();
    let link = place.0.path().join("link");
    std::os::unix::fs::symlink(place.path(), &link).unwrap();
    place.write(b"an older archive");
    put(Box::new(OciDestination::new(&link, None, &place.temporary()).unwrap()));
    assert_eq!(place.oci(None).unwrap(), whole());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}
