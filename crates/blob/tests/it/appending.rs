//! How bytes get from the caller to the disk.

use std::time::Duration;

use tokio::time::timeout;
use wharf_testkit::disk::{Kind, Then, When};

use super::*;

fn writes(disk: &LossyDisk) -> usize {
    disk.ops().iter().filter(|op| op.kind == Kind::Write).count()
}

#[tokio::test]
async fn a_small_upload_is_written_at_its_checkpoint_in_one_piece() {
    let disk = LossyDisk::new().unwrap();
    let (store, id) = (store(&disk), new_id());
    store.start(id).await.unwrap();
    let mut appender = store.append(id, empty()).await.unwrap();
    for _ in 0..1000 {
        appender.write(Bytes::from_static(b"crumb")).await.unwrap();
    }
    assert_eq!(writes(&disk), 0);
    assert_eq!(appender.checkpoint().await.unwrap().offset, 5000);
    assert_eq!(writes(&disk), 1);
}

#[tokio::test]
async fn one_block_is_received_while_the_one_before_is_written_and_no_more() {
    let disk = LossyDisk::new().unwrap();
    let (store, id) = (store(&disk), new_id());
    store.start(id).await.unwrap();
    let mut appender = store.append(id, empty()).await.unwrap();
    disk.inject(When::Each(Kind::Write), Then::Delay(Duration::from_secs(1)));
    let block = Bytes::from(vec![7; 1 << 20]);
    appender.write(block.clone()).await.unwrap();
    appender.write(block.slice(1..)).await.unwrap();
    assert_eq!(writes(&disk), 0, "taken while the first block is being written");
    let third = timeout(Duration::from_millis(100), appender.write(block.slice(..1))).await;
    assert!(third.is_err(), "a fast client has to wait");
    disk.heal();
    let at = appender.checkpoint().await.unwrap();
    assert_eq!(at.hasher.digest(), digest(&vec![7; 2 << 20]), "a write that is not waited for is taken all the same");
}

#[tokio::test]
async fn short_writes_go_on_where_they_stopped() {
    let disk = LossyDisk::new().unwrap();
    disk.inject(When::Each(Kind::Write), Then::Short);
    let store = store(&disk);
    let content: Vec<u8> = (0..=255).collect();
    let location = push(&store, new_id(), &content).await.unwrap();
    assert_eq!(std::fs::read(root(&disk).join("blobs").join(location.as_str())).unwrap(), content);
}

#[tokio::test]
async fn a_new_appender_waits_for_what_a_dropped_one_still_writes() {
    let disk = LossyDisk::new().unwrap();
    let (store, id) = (store(&disk), new_id());
    store.start(id).await.unwrap();
    let mut dropped = store.append(id, empty()).await.unwrap();
    disk.inject(When::Each(Kind::Write), Then::Delay(Duration::from_millis(200)));
    dropped.write(vec![0xff; 2 << 20].into()).await.unwrap();
    drop(dropped);
    let at = fill(&store, id, b"kept").await.unwrap();
    let kinds: Vec<Kind> = disk.ops().iter().map(|op| op.kind).collect();
    assert!(kinds.ends_with(&[Kind::Write, Kind::OpenWrite, Kind::Len, Kind::SetLen, Kind::Write]), "{kinds:?}");
    let location = store.seal(id, &at.hasher.digest(), 4).await.unwrap();
    store.open(&location, 4).await.unwrap();
}
