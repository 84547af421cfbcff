//! The disk says no.

use std::time::Duration;

use wharf_blob::Error;
use wharf_testkit::disk::{EDQUOT, EIO, Kind, Then, When};

use super::*;

#[tokio::test]
async fn a_full_disk_is_told_and_abort_gives_the_room_back() {
    let disk = LossyDisk::new().unwrap();
    let (store, id) = (store(&disk), new_id());
    disk.set_capacity(3 << 20);
    store.start(id).await.unwrap();
    let mut appender = store.append(id, empty()).await.unwrap();
    let mut result = Ok(());
    for _ in 0..8 {
        result = result.and(appender.write(vec![1; 1 << 20].into()).await);
    }
    assert!(matches!(result, Err(Error::Full(_))), "{result:?}");
    assert!(matches!(appender.checkpoint().await, Err(Error::Full(_))), "it stays failed");
    assert_eq!(store.space().await.unwrap().free, 0);
    store.abort(id).await.unwrap();
    assert_eq!(store.space().await.unwrap().free, 3 << 20);
    push(&store, new_id(), &vec![1; 2 << 20]).await.unwrap();
}

#[tokio::test]
async fn a_used_up_quota_is_a_full_disk() {
    let disk = LossyDisk::new().unwrap();
    disk.inject(When::Each(Kind::Write), Then::Errno(EDQUOT));
    let error = push(&store(&disk), new_id(), b"goods").await.unwrap_err();
    assert!(matches!(error, Error::Full(_)), "{error:?}");
}

#[tokio::test]
async fn a_failed_write_ends_the_appender_and_not_the_upload() {
    let disk = LossyDisk::new().unwrap();
    let (store, id) = (store(&disk), new_id());
    store.start(id).await.unwrap();
    let mut appender = store.append(id, empty()).await.unwrap();
    disk.inject(When::Each(Kind::Write), Then::Errno(EIO));
    appender.write(Bytes::from_static(b"goods")).await.unwrap();
    assert!(matches!(appender.checkpoint().await, Err(Error::Io { operation: "write", .. })));
    disk.heal();
    assert!(matches!(appender.write(Bytes::new()).await, Err(Error::Io { operation: "write", .. })));
    assert!(matches!(appender.checkpoint().await, Err(Error::Io { operation: "write", .. })));
    fill(&store, id, b"goods").await.unwrap();
}

#[tokio::test]
async fn a_failed_fsync_ends_the_upload_and_leaves_no_blob() {
    let disk = LossyDisk::new().unwrap();
    let (store, id) = (store(&disk), new_id());
    disk.inject(When::Each(Kind::Fsync), Then::Errno(EIO));
    let error = push(&store, id, b"goods").await.unwrap_err();
    assert!(matches!(error, Error::Io { operation: "fsync", .. }), "{error:?}");
    disk.heal();
    let again = store.seal(id, &digest(b"goods"), 5).await;
    assert!(matches!(again, Err(Error::NotFound)), "the next fsync would lie: {again:?}");
    assert_eq!(files(disk.path()), Vec::<std::path::PathBuf>::new());
    store.abort(id).await.unwrap();
}

#[tokio::test]
async fn a_failed_step_of_the_commit_leaves_no_blob() {
    for kind in [Kind::Mkdir, Kind::Rename, Kind::FsyncDir] {
        let disk = LossyDisk::new().unwrap();
        let (store, id) = (store(&disk), new_id());
        disk.inject(When::Each(kind), Then::Errno(EIO));
        let error = push(&store, id, b"goods").await.unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        disk.heal();
        store.abort(id).await.unwrap();
        assert_eq!(files(disk.path()), Vec::<std::path::PathBuf>::new(), "{kind:?}");
        push(&store, new_id(), b"goods").await.unwrap();
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_synced_fails_all_who_wait_for_it() {
    let disk = LossyDisk::new().unwrap();
    let store = Arc::new(store(&disk));
    push(&*store, new_id(), b"goods").await.unwrap();
    disk.inject(When::Each(Kind::FsyncDir), Then::Errno(EIO));
    for result in push_many(&store, 5).await {
        assert!(matches!(result, Err(Error::Io { operation: "fsync", .. })), "{result:?}");
    }
    assert_eq!(files(disk.path()).len(), 1);
}

#[tokio::test]
async fn seals_into_one_folder_share_its_sync() {
    let disk = LossyDisk::new().unwrap();
    let store = Arc::new(store(&disk));
    push(&*store, new_id(), b"goods").await.unwrap();
    let before = disk.ops().len();
    disk.inject(When::Each(Kind::FsyncDir), Then::Delay(Duration::from_millis(300)));
    assert!(push_many(&store, 20).await.iter().all(Result::is_ok));
    let ops = disk.ops().split_off(before);
    let count = |kind| ops.iter().filter(|op| op.kind == kind).count();
    assert_eq!((count(Kind::Fsync), count(Kind::Rename)), (20, 20));
    assert!((1..10).contains(&count(Kind::FsyncDir)), "{} syncs", count(Kind::FsyncDir));
}

/// Equal contents, so that all come into one folder.
async fn push_many(store: &Arc<FsStore>, count: usize) -> Vec<Result<Location>> {
    let push = |store: Arc<FsStore>| async move { push(&*store, new_id(), b"goods").await };
    let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(push(Arc::clone(store)))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
