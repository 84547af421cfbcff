use wharf_blob::fs::FsStore;

use super::*;
use crate::contract::blob::{Store, all, new_id, push};

fn over_files(folder: &tempfile::TempDir) -> FailingStore {
    FailingStore::over(Arc::new(FsStore::open(folder.path()).unwrap()))
}

#[tokio::test]
async fn without_faults_it_is_a_store_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    all(async || Arc::new(over_files(&folder)) as Store).await;
}

#[tokio::test]
async fn a_failed_call_has_no_effect_and_a_lost_answer_has() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (new_id(), new_id());
    let store = over_files(&folder).fail(Operation::Start, || Error::NotFound);
    assert!(store.start(before).await.is_err());
    store.heal();
    let store = store.fail_after(Operation::Start, || Error::NotFound);
    assert!(store.start(after).await.is_err());
    assert_eq!(store.uploads().await.unwrap(), [after]);
    assert_eq!(store.calls(Operation::Start), 2);
}

#[tokio::test]
async fn a_cut_lets_exactly_so_many_bytes_through() {
    let folder = tempfile::tempdir().unwrap();
    let store = over_files(&folder).cut_after(7, || Error::NotFound);
    push(&(Arc::new(store.clone()) as Store), b"goods").await;
    let id = new_id();
    store.start(id).await.unwrap();
    let mut appender = store.append(id, Checkpoint::empty(Algorithm::Sha256)).await.unwrap();
    assert!(appender.write(Bytes::from_static(b"goods")).await.is_err());
    assert!(appender.write(Bytes::from_static(b"x")).await.is_err());
    assert_eq!(appender.checkpoint().await.unwrap().hasher.digest(), Digest::of(Algorithm::Sha256, b"go"));
}
