use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use wharf_oci::{Algorithm, MediaType};

use super::*;
use crate::{Destination as _, Source as _};

fn sha(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

fn blob(bytes: &[u8]) -> Descriptor {
    Descriptor::new("application/octet-stream", sha(bytes), bytes.len() as u64)
}

/// An image whose one layer is `layer`.
fn image(layer: &[u8], subject: Option<&Stored>) -> Stored {
    let one =
        |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": sha(bytes), "size": bytes.len()});
    let mut body = json!({
        "schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST,
        "config": one(MediaType::OCI_EMPTY, b"{}"), "layers": [one("application/vnd.oci.image.layer.v1.tar", layer)],
    });
    if let Some(subject) = subject {
        body["subject"] =
            json!({"mediaType": subject.media_type.as_str(), "digest": subject.digest, "size": subject.size()});
    }
    Stored::new(None, body.to_string()).unwrap()
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("layout")
    }

    fn layout(&self) -> Layout {
        Layout::create(self.path()).unwrap()
    }

    fn store(&self, layer: &[u8], name: Option<&str>) -> Stored {
        self.store_manifests(layer, name, &[])
    }

    fn store_manifests(&self, layer: &[u8], name: Option<&str>, others: &[Stored]) -> Stored {
        let to = self.layout().destination(name);
        for bytes in [layer, b"{}"] {
            to.put_blob(&blob(bytes), &mut &*bytes).unwrap();
        }
        let manifest = image(layer, None);
        others.iter().chain([&manifest]).for_each(|manifest| to.put_manifest(manifest).unwrap());
        Box::new(to).finish(&manifest.descriptor()).unwrap();
        manifest
    }

    fn error(&self, reference: Option<&str>) -> String {
        Layout::open(self.path()).and_then(|layout| layout.source(reference)).unwrap_err().to_string()
    }

    fn blob_file(&self, bytes: &[u8]) -> PathBuf {
        self.path().join("blobs/sha256").join(sha(bytes).hex())
    }

    /// Names of all files, sorted.
    fn files(&self) -> Vec<String> {
        let folders = [self.path(), self.path().join("blobs/sha256")];
        let entries = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn bytes_of(source: &LayoutSource, named: &Descriptor) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    let mut reader = source.blob(named).map_err(|error| error.to_string())?;
    reader.read_to_end(&mut all).map_err(|error| error.to_string())?;
    Ok(all)
}

#[test]
fn what_is_stored_is_read_back() {
    let place = Place::new();
    let stored = place.store(b"layer", Some("v1"));
    let source = Layout::open(place.path()).unwrap().source(Some("v1")).unwrap();
    assert_eq!(source.root().unwrap(), stored);
    assert_eq!(source.manifest(&stored.digest).unwrap(), stored);
    assert_eq!(bytes_of(&source, &blob(b"layer")).unwrap(), b"layer");
    assert_eq!(fs::read_to_string(place.path().join("oci-layout")).unwrap(), r#"{"imageLayoutVersion":"1.0.0"}"#);
}

#[test]
fn several_images_live_in_one_layout() {
    let place = Place::new();
    let (one, two) = (place.store(b"1", Some("one")), place.store(b"2", Some("two")));
    let layout = Layout::open(place.path()).unwrap();
    let digest = |reference: &str| layout.source(Some(reference)).unwrap().root().unwrap().digest;
    assert_eq!((digest("one"), digest("two")), (one.digest.clone(), two.digest.clone()));
    assert_eq!((digest("@0"), digest("@1")), (one.digest.clone(), two.digest.clone()));
    assert_eq!(digest(&format!("@{}", two.digest)), two.digest);
    assert!(place.error(None).contains("name one of them: one, two"), "{}", place.error(None));
    assert!(place.error(Some("three")).contains("holds no image three; it has one, two"));
}

#[test]
fn a_name_moves_to_the_new_image_and_others_stay() {
    let place = Place::new();
    place.store(b"1", Some("v1"));
    place.store(b"1", Some("stable"));
    let new = place.store(b"2", Some("v1"));
    let entries = place.layout().entries().unwrap();
    assert_eq!(entries.iter().map(name_of).collect::<Vec<_>>(), [Some("stable"), Some("v1")]);
    assert_eq!(entries[1].digest, new.digest);
}

#[test]
fn an_image_stored_twice_is_there_once() {
    let place = Place::new();
    place.store(b"1", None);
    place.store(b"1", None);
    assert!(Layout::open(place.path()).unwrap().source(None).is_ok());
    place.store(b"1", Some("v1"));
    place.store(b"1", None);
    assert_eq!(place.layout().entries().unwrap().iter().map(name_of).collect::<Vec<_>>(), [Some("v1")]);
}

#[test]
fn what_others_wrote_into_the_index_is_kept() {
    let place = Place::new();
    place.store(b"1", Some("v1"));
    let file = place.path().join("index.json");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replacen("\"schemaVersion\"", "\"x-big\":123456789012345678901234567890,\"schemaVersion\"", 1);
    fs::write(&file, text.replacen("\"size\"", "\"x-own\":[1.50],\"size\"", 1)).unwrap();
    place.store(b"2", Some("v2"));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"x-big\":123456789012345678901234567890") && text.contains("\"x-own\":[1.50]"), "{text}");
}

#[test]
fn what_is_named_after_an_image_is_found_by_its_name_and_does_not_hide_the_image() {
    let place = Place::new();
    let image = place.store(b"layer", None);
    let name = format!("sha256-{}.sig", image.digest.hex());
    for (signature, root) in [(b"first".as_slice(), b"layer".as_slice()), (b"second", b"other")] {
        let to = place.layout().destination(None);
        to.put_blob(&blob(signature), &mut &*signature).unwrap();
        assert_eq!(to.named(&name).unwrap().is_some(), signature == b"second");
        to.put_named(&self::image(signature, None), &name).unwrap();
        let root = place.store(root, None);
        Box::new(to).finish(&root.descriptor()).unwrap();
    }
    let source = place.layout().source(Some(&format!("@{}", image.digest))).unwrap();
    assert_eq!(source.named(&name).unwrap().unwrap().digest, self::image(b"second", None).digest);
    assert!(source.named("sha256-x.sig").unwrap().is_none());
    assert!(place.error(None).contains("holds 3 images"), "two images and a signature: {}", place.error(None));
}

#[test]
fn a_signature_named_after_the_only_image_leaves_it_the_only_one() {
    let place = Place::new();
    let image = place.store(b"layer", None);
    let to = place.layout().destination(None);
    to.put_named(&self::image(b"{}", None), &format!("sha256-{}.sig", image.digest.hex())).unwrap();
    Box::new(to).finish(&image.descriptor()).unwrap();
    assert_eq!(place.layout().source(None).unwrap().root().unwrap(), image);
}

#[test]
fn signatures_of_one_image_in_two_repositories_are_kept_apart() {
    let place = Place::new();
    let image = place.store(b"layer", None);
    let tag = format!("sha256-{}.sig", image.digest.hex());
    let sign = |name: Option<&str>, signature: &[u8]| {
        let to = place.layout().destination(name);
        assert!(to.named(&tag).unwrap().is_none(), "{name:?}");
        let signature = self::image(signature, None);
        to.put_named(&signature, &tag).unwrap();
        Box::new(to).finish(&image.descriptor()).unwrap();
        signature.digest
    };
    let found = |name: &str| place.layout().source(Some(name)).unwrap().named(&tag).unwrap().unwrap().digest;
    let bare = sign(Some("v1"), b"bare");
    let app = sign(Some("team/app:v1"), b"app");
    let with_port = sign(Some("localhost:5000/app"), b"port");
    place.store(b"layer", Some("other:v1"));
    assert_eq!([found("v1"), found("other:v1")], [bare.clone(), bare], "those of no repository are anybody's");
    assert_eq!([found("team/app:v1"), found("localhost:5000/app")], [app, with_port]);
    let entries = place.layout().entries().unwrap();
    let names: Vec<&str> = entries.iter().filter_map(name_of).filter(|name| names::is_of_digest(name)).collect();
    assert_eq!(names, [tag.as_str(), &format!("team/app:{tag}"), &format!("localhost:5000/app:{tag}")]);
}

#[test]
fn the_repository_of_a_name_is_what_is_before_its_tag() {
    for (name, repository) in [
        ("v1", None),
        ("app:v1", Some("app")),
        ("team/app", Some("team/app")),
        ("app@sha256:00", Some("app")),
        ("app:v1@sha256:00", Some("app")),
        ("r.example:5000/app", Some("r.example:5000/app")),
        ("r.example:5000/team/app:v1", Some("r.example:5000/team/app")),
    ] {
        assert_eq!(repository_of(name), repository, "{name}");
    }
}

#[test]
fn referrers_are_found_and_do_not_hide_the_image() {
    let place = Place::new();
    let subject = image(b"layer", None);
    let signature = image(b"signature", Some(&subject));
    place.store_manifests(b"layer", None, std::slice::from_ref(&signature));
    let source = Layout::open(place.path()).unwrap().source(None).unwrap();
    assert_eq!(source.root().unwrap().digest, subject.digest);
    let referrers = source.referrers(&subject.digest).unwrap();
    assert_eq!(referrers.iter().map(|referrer| &referrer.digest).collect::<Vec<_>>(), [&signature.digest]);
    assert_eq!(referrers[0].artifact_type.as_deref(), Some(MediaType::OCI_EMPTY));
    assert!(source.referrers(&signature.digest).unwrap().is_empty());
}

#[test]
fn an_image_is_not_there_before_it_is_finished() {
    let place = Place::new();
    let to = place.layout().destination(Some("v1"));
    to.put_blob(&blob(b"layer"), &mut &b"layer"[..]).unwrap();
    to.put_manifest(&image(b"layer", None)).unwrap();
    assert!(place.error(Some("v1")).contains("index.json"), "{}", place.error(Some("v1")));
    let unknown = image(b"other", None).descriptor();
    assert!(Box::new(to).finish(&unknown).unwrap_err().to_string().contains("has no sha256:"));
    assert!(!place.files().contains(&"index.json".to_owned()));
}

#[test]
fn a_wrong_or_cut_blob_leaves_nothing() {
    let place = Place::new();
    let to = place.layout().destination(None);
    for wrong in [&b"laye"[..], b"layer!", b"LAYER", b""] {
        assert!(to.put_blob(&blob(b"layer"), &mut &*wrong).is_err());
    }
    assert_eq!(place.files(), ["blobs", "oci-layout"]);
    assert!(!to.has_blob(&blob(b"layer")).unwrap());
}

#[test]
fn content_of_unknown_digest_is_named_by_what_it_is() {
    let place = Place::new();
    let to = place.layout().destination(None);
    assert_eq!(to.put_unnamed(&mut &b"layer"[..]).unwrap(), (sha(b"layer"), 5));
    assert!(to.has_blob(&blob(b"layer")).unwrap());
}

#[test]
fn a_blob_that_was_damaged_is_replaced_when_it_comes_again() {
    let place = Place::new();
    place.store(b"layer", None);
    fs::write(place.blob_file(b"layer"), b"lay").unwrap();
    assert!(!place.layout().destination(None).has_blob(&blob(b"layer")).unwrap());
    place.store(b"layer", None);
    assert_eq!(fs::read(place.blob_file(b"layer")).unwrap(), b"layer");
}

#[test]
fn what_a_killed_writer_left_goes_and_what_lives_stays() {
    let place = Place::new();
    let layout = place.layout();
    let folder = place.path().join("blobs/sha256");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(".wharf-dead"), b"half").unwrap();
    let alive = disk::Unfinished::new(&folder).unwrap();
    layout.destination(None);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    alive.finish(&folder.join("whole")).unwrap();
}

#[test]
fn a_folder_with_something_else_is_not_written_into() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    fs::write(place.path().join("notes.txt"), "mine").unwrap();
    let error = Layout::create(place.path()).unwrap_err().to_string();
    assert!(error.contains("notes.txt"), "{error}");
    assert_eq!(place.files(), ["notes.txt"]);
}

#[test]
fn what_is_no_layout_is_said_to_be_none() {
    let place = Place::new();
    assert!(place.error(None).contains("No such file"), "{}", place.error(None));
    fs::create_dir(place.path()).unwrap();
    assert!(place.error(None).ends_with("it has no file oci-layout"), "{}", place.error(None));
    for version in [r#"{"imageLayoutVersion":"2.0.0"}"#, "{}", "not json"] {
        fs::write(place.path().join("oci-layout"), version).unwrap();
        assert!(place.error(None).contains("is not an OCI layout"), "{version}");
    }
}

#[test]
fn content_that_lies_is_named_by_its_file() {
    let place = Place::new();
    let stored = place.store(b"layer", None);
    let source = place.layout().source(None).unwrap();
    fs::write(place.blob_file(b"layer"), b"LAYER").unwrap();
    let error = bytes_of(&source, &blob(b"layer")).unwrap_err();
    assert!(error.contains(sha(b"layer").hex()) && error.contains("its content has digest"), "{error}");
    fs::remove_file(place.blob_file(b"layer")).unwrap();
    assert!(bytes_of(&source, &blob(b"layer")).unwrap_err().contains("the image is incomplete there"));
    let file = place.path().join("blobs/sha256").join(stored.digest.hex());
    fs::write(&file, b"{}").unwrap();
    assert!(source.root().unwrap_err().to_string().contains("its content has digest"));
    fs::write(&file, vec![b' '; 5 << 20]).unwrap();
    assert!(source.root().unwrap_err().to_string().contains("too large"));
}

/// An archive of a layout that was unpacked may hold anything.
#[test]
fn a_pipe_or_a_device_in_place_of_a_blob_is_refused_at_once() {
    let place = Place::new();
    place.store(b"layer", None);
    let source = place.layout().source(None).unwrap();
    fs::remove_file(place.blob_file(b"layer")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", place.blob_file(b"layer")).unwrap();
    assert!(bytes_of(&source, &blob(b"layer")).unwrap_err().contains("a device"));
    fs::remove_file(place.blob_file(b"layer")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, place.blob_file(b"layer"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    assert!(bytes_of(&source, &blob(b"layer")).unwrap_err().contains("a pipe"));
}

#[test]
fn an_index_entry_that_lies_about_the_size_is_caught() {
    let place = Place::new();
    let stored = place.store(b"layer", None);
    let file = place.path().join("index.json");
    let size = format!("\"size\":{}", stored.size());
    for wrong in ["\"size\":1", "\"size\":99999"] {
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace(&size, wrong)).unwrap();
        assert!(place.layout().source(None).unwrap().root().is_err());
        fs::write(&file, text).unwrap();
    }
}

#[test]
fn writers_at_once_keep_all_of_their_images() {
    let place = Place::new();
    place.layout();
    std::thread::scope(|scope| {
        for at in 0..8_u8 {
            let place = &place;
            scope.spawn(move || place.store(&[at], Some(&at.to_string())));
        }
    });
    assert_eq!(place.layout().entries().unwrap().len(), 8);
    assert!(place.files().iter().all(|name| !name.starts_with(disk::UNFINISHED)));
}

#[test]
fn an_entry_keeps_the_annotations_it_came_with() {
    let place = Place::new();
    let stored = place.store(b"1", None);
    let to = place.layout().destination(Some("v1"));
    let annotations = BTreeMap::from([("a".to_owned(), "b".to_owned()), (REF_NAME.to_owned(), "old".to_owned())]);
    Box::new(to).finish(&Descriptor { annotations, ..stored.descriptor() }).unwrap();
    let entries = place.layout().entries().unwrap();
    assert_eq!((entries.len(), name_of(&entries[0]), entries[0].annotations["a"].as_str()), (1, Some("v1"), "b"));
}

#[test]
fn no_index_whatever_is_in_it_makes_it_panic() {
    let place = Place::new();
    place.store(b"1", Some("v1"));
    let file = place.path().join("index.json");
    let whole = fs::read(&file).unwrap();
    proptest!(|(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in any::<bool>())| {
        fs::write(&file, if cut { &whole[..bytes.len().min(whole.len() - 1)] } else { &bytes[..] }).unwrap();
        prop_assert!(Layout::open(place.path()).unwrap().source(None).is_err());
    });
}
