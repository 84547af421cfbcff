//! What the store finds and leaves on a real disk.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test]
async fn nobody_else_can_read_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("blobs");
    let store = FsStore::open(&root).unwrap();
    let location = push(&store, new_id(), b"goods").await.unwrap();
    store.start(new_id()).await.unwrap();
    let sealed = root.join("blobs").join(location.as_str());
    for folder in sealed.ancestors().skip(1).take_while(|path| path.starts_with(&root)) {
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
    }
    for file in files(&root) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn foreign_files_among_the_uploads_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = FsStore::open(folder.path()).unwrap();
    std::fs::write(folder.path().join("uploads/.nfs0001"), "").unwrap();
    let id = new_id();
    store.start(id).await.unwrap();
    assert_eq!(store.uploads().await.unwrap(), [id]);
}

#[test]
fn a_root_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = FsStore::open(file.path()).err().unwrap();
    assert_eq!(error.to_string(), format!("mkdir {}/uploads", file.path().display()));
}

#[tokio::test]
async fn a_path_in_place_of_a_location_is_refused() {
    let disk = LossyDisk::new().unwrap();
    std::fs::write(disk.path().join("secret"), "").unwrap();
    let error = store(&disk).open(&Location::from_stored("../../secret".into()), 0).await.unwrap_err();
    assert_eq!(error.to_string(), "locate ../../secret");
}
