use serde_json::json;
use tempfile::TempDir;
use wharf_oci::MediaType;

use super::*;

fn sha(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

fn blob(bytes: &[u8]) -> Descriptor {
    Descriptor::new("application/octet-stream", sha(bytes), bytes.len() as u64)
}

fn image(layer: &[u8]) -> Stored {
    let one =
        |bytes: &[u8]| json!({"mediaType": "application/octet-stream", "digest": sha(bytes), "size": bytes.len()});
    let body =
        json!({"schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST, "config": one(b"{}"), "layers": [one(layer)]});
    Stored::new(None, body.to_string()).unwrap()
}

fn begin(path: &Path, layer: &[u8]) -> DirDestination {
    let to = DirDestination::create(path).unwrap();
    for bytes in [layer, b"{}"] {
        if !to.has_blob(&blob(bytes)).unwrap() {
            to.put_blob(&blob(bytes), &mut &*bytes).unwrap();
        }
    }
    to.put_manifest(&image(layer)).unwrap();
    to
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        path.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn what_is_stored_is_read_back_from_the_files_that_skopeo_writes() {
    let folder = TempDir::new().unwrap();
    Box::new(begin(folder.path(), b"layer")).finish(&image(b"layer").descriptor()).unwrap();
    let expected = ["manifest.json", "version", sha(b"layer").hex(), sha(b"{}").hex()].map(str::to_owned);
    assert_eq!(names(folder.path()), sorted(expected.to_vec()));
    assert_eq!(fs::read_to_string(folder.path().join("version")).unwrap(), "Directory Transport Version: 1.1\n");
    let source = DirSource::open(folder.path()).unwrap();
    assert_eq!(source.root().unwrap(), image(b"layer"));
    let mut all = Vec::new();
    source.blob(&blob(b"layer")).unwrap().read_to_end(&mut all).unwrap();
    assert_eq!(all, b"layer");
    assert!(matches!(source.blob(&blob(b"other")), Err(Error::Missing { .. })));
}

#[test]
fn the_old_image_stays_until_the_new_one_is_whole() {
    let folder = TempDir::new().unwrap();
    Box::new(begin(folder.path(), b"old")).finish(&image(b"old").descriptor()).unwrap();
    let new = begin(folder.path(), b"new");
    let old = DirSource::open(folder.path()).unwrap();
    assert_eq!(old.root().unwrap(), image(b"old"));
    assert!(old.blob(&blob(b"old")).is_ok());
    Box::new(new).finish(&image(b"new").descriptor()).unwrap();
    assert_eq!(DirSource::open(folder.path()).unwrap().root().unwrap(), image(b"new"));
    let expected = ["manifest.json", "version", sha(b"new").hex(), sha(b"{}").hex()].map(str::to_owned);
    assert_eq!(names(folder.path()), sorted(expected.to_vec()), "what both have is kept, the rest is gone");
}

#[test]
fn children_of_an_index_have_files_of_their_own() {
    let folder = TempDir::new().unwrap();
    let child = image(b"layer");
    let entry = json!({"mediaType": MediaType::OCI_MANIFEST, "digest": child.digest, "size": child.size()});
    let index = json!({"schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": [entry]});
    let index = Stored::new(None, index.to_string()).unwrap();
    let to = begin(folder.path(), b"layer");
    to.put_manifest(&index).unwrap();
    Box::new(to).finish(&index.descriptor()).unwrap();
    let source = DirSource::open(folder.path()).unwrap();
    assert_eq!((source.root().unwrap(), source.manifest(&child.digest).unwrap()), (index, child.clone()));
    fs::write(folder.path().join(manifest_name(&child.digest)), "{}").unwrap();
    assert!(source.manifest(&child.digest).unwrap_err().to_string().contains("its content has digest"));
}

#[test]
fn a_folder_with_something_else_is_neither_read_nor_written() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    assert!(DirDestination::create(folder.path()).unwrap_err().to_string().contains("notes.txt"));
    assert!(DirSource::open(folder.path()).unwrap_err().to_string().contains("no file manifest.json"));
    fs::write(folder.path().join("version"), "Directory Transport Version: 9.0\n").unwrap();
    assert!(DirDestination::create(folder.path()).unwrap_err().to_string().contains("its file version"));
    assert_eq!(names(folder.path()), ["notes.txt", "version"]);
}

#[test]
fn files_of_the_user_beside_the_image_are_not_removed() {
    let folder = TempDir::new().unwrap();
    Box::new(begin(folder.path(), b"old")).finish(&image(b"old").descriptor()).unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    fs::write(folder.path().join("signature-1"), "of the old image").unwrap();
    Box::new(begin(folder.path(), b"new")).finish(&image(b"new").descriptor()).unwrap();
    assert!(names(folder.path()).contains(&"notes.txt".to_owned()));
    assert!(!names(folder.path()).contains(&"signature-1".to_owned()));
}

#[test]
fn a_wrong_blob_or_an_unknown_root_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let to = begin(folder.path(), b"layer");
    assert!(to.put_blob(&blob(b"other"), &mut &b"OTHER"[..]).is_err());
    let before = names(folder.path());
    assert!(matches!(Box::new(to).finish(&image(b"x").descriptor()), Err(Error::Missing { .. })));
    assert_eq!(names(folder.path()), before);
    assert!(!before.contains(&"manifest.json".to_owned()));
}
