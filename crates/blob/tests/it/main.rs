//! The file store: the contract, and what it does when the disk fails or forgets.
#![allow(clippy::unwrap_used, reason = "these are tests; clippy does not see it of the helpers")]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use wharf_blob::fs::FsStore;
use wharf_blob::{BlobStore, Checkpoint, Location, Result, UploadId};
use wharf_oci::{Algorithm, Digest};
use wharf_testkit::contract;
use wharf_testkit::contract::blob::{Store, new_id};
use wharf_testkit::disk::LossyDisk;

mod appending;
mod fault_disk;
mod fault_power;
mod opening;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || Arc::new(FsStore::open(&folder.path().join("data/blobs")).unwrap()) as Store;
    contract::blob::all(open).await;
}

#[tokio::test]
async fn files_on_a_lossy_disk_keep_the_contract() {
    let disk = LossyDisk::new().unwrap();
    contract::blob::all(async || Arc::new(store(&disk)) as Store).await;
}

/// A store on `disk`, as a new process opens it.
fn store(disk: &LossyDisk) -> FsStore {
    FsStore::on(Arc::new(disk.clone()), &root(disk)).unwrap()
}

fn root(disk: &LossyDisk) -> std::path::PathBuf {
    disk.path().join("data")
}

fn empty() -> Checkpoint {
    Checkpoint::empty(Algorithm::Sha256)
}

fn digest(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

async fn fill(store: &dyn BlobStore, id: UploadId, content: &[u8]) -> Result<Checkpoint> {
    let mut appender = store.append(id, empty()).await?;
    for piece in content.chunks(100_000) {
        appender.write(Bytes::copy_from_slice(piece)).await?;
    }
    appender.checkpoint().await
}

async fn push(store: &dyn BlobStore, id: UploadId, content: &[u8]) -> Result<Location> {
    store.start(id).await?;
    fill(store, id, content).await?;
    store.seal(id, &digest(content), content.len() as u64).await
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
