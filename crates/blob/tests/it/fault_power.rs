//! The power goes off, or the process is killed.

use std::io::Read;

use wharf_blob::Error;
use wharf_testkit::disk::{Kind, Op};

use super::*;

#[tokio::test]
async fn bytes_are_synced_then_named_then_the_name_is_synced() {
    let disk = LossyDisk::new().unwrap();
    let (store, id) = (store(&disk), new_id());
    let location = push(&store, id, b"goods").await.unwrap();
    disk.note("sealed");
    let mut ops = disk.ops();
    ops.retain(|op| !matches!(op.kind, Kind::OpenWrite | Kind::Len));
    let sealed = format!("data/blobs/{location}");
    let folder = Path::new(&sealed).parent().unwrap().to_str().unwrap();
    let steps = [
        (Kind::Write, format!("data/uploads/{id}")),
        (Kind::Fsync, format!("data/uploads/{id}")),
        (Kind::Mkdir, "data/blobs/sha256".into()),
        (Kind::FsyncDir, "data/blobs".into()),
        (Kind::Mkdir, folder.into()),
        (Kind::FsyncDir, "data/blobs/sha256".into()),
        (Kind::Rename, sealed.clone()),
        (Kind::FsyncDir, folder.into()),
        (Kind::Note, "sealed".into()),
    ];
    let expected: Vec<Op> = steps.map(|(kind, path)| Op { kind, path: path.into() }).into();
    assert!(ops.ends_with(&expected), "{ops:#?}");
}

#[tokio::test]
async fn the_next_process_syncs_the_parents_of_the_folders_it_finds_once() {
    let disk = LossyDisk::new().unwrap();
    push(&store(&disk), new_id(), b"goods").await.unwrap();
    let next = store(&disk);
    for expected in [["data/blobs", "data/blobs/sha256", "folder"].as_slice(), &["folder"]] {
        let before = disk.ops().len();
        push(&next, new_id(), b"goods").await.unwrap();
        let ops = disk.ops().split_off(before);
        let synced: Vec<_> = ops.iter().filter(|op| op.kind == Kind::FsyncDir).map(|op| op.path.as_path()).collect();
        assert_eq!(synced.len(), expected.len(), "{synced:?}");
        assert_eq!(
            synced[..expected.len() - 1],
            expected[..expected.len() - 1].iter().map(Path::new).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn nothing_sealed_is_lost_at_any_cut() {
    let mut cuts = 0;
    loop {
        let disk = LossyDisk::new().unwrap();
        disk.stop_after(cuts);
        let sealed = run_until_the_cut(&disk).await;
        let after = disk.crash().unwrap();
        check(&after, &sealed).await;
        let complete = sealed.len() == SCRIPT.len() + 2;
        assert!(!complete || cuts > 50, "the cuts fall into the script");
        if complete {
            return;
        }
        cuts += 1;
    }
}

#[tokio::test]
async fn what_a_killed_process_left_half_done_costs_the_next_one_nothing() {
    for kill in 0..40 {
        let disk = LossyDisk::new().unwrap();
        disk.stop_after(kill);
        let mut sealed = run_until_the_cut(&disk).await;
        disk.resume();
        let next = store(&disk);
        for id in next.uploads().await.unwrap() {
            next.abort(id).await.unwrap();
        }
        for (byte, len) in SCRIPT {
            let content = vec![byte; len];
            sealed.push((push(&next, new_id(), &content).await.unwrap(), content));
        }
        check(&disk.crash().unwrap(), &sealed).await;
    }
}

#[tokio::test]
async fn nothing_sealed_together_is_lost_at_any_cut() {
    for cuts in 0..100 {
        let disk = LossyDisk::new().unwrap();
        disk.stop_after(cuts);
        let Ok(store) = FsStore::on(Arc::new(disk.clone()), &root(&disk)) else { continue };
        let store = Arc::new(store);
        let tasks = (0..10_u8).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { (push(&*store, new_id(), &[number]).await, vec![number]) })
        });
        let mut sealed = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            if let (Ok(location), content) = task.await.unwrap() {
                sealed.push((location, content));
            }
        }
        check(&disk.crash().unwrap(), &sealed).await;
    }
}

#[tokio::test]
async fn an_upload_that_was_cut_says_what_it_lost() {
    let disk = LossyDisk::new().unwrap();
    let (before, id) = (store(&disk), new_id());
    before.start(id).await.unwrap();
    let at = fill(&before, id, b"goods").await.unwrap();
    let after = store(&disk.crash().unwrap());
    let error = after.append(id, at).await.err().unwrap();
    assert!(matches!(error, Error::NotFound | Error::Lost { .. }), "{error:?}");
}

/// One content twice, several folders, one blob longer than a block.
const SCRIPT: [(u8, usize); 5] = [(b'a', 1), (b'b', 3000), (b'a', 1), (b'c', 0), (b'd', (1 << 20) + 5)];

type Sealed = Vec<(Location, Vec<u8>)>;

/// What was acknowledged before the power went off, a restart of the process included.
async fn run_until_the_cut(disk: &LossyDisk) -> Sealed {
    let mut sealed = Vec::new();
    let _: Result<()> = async {
        let store = FsStore::on(Arc::new(disk.clone()), &root(disk))?;
        for (byte, len) in SCRIPT {
            let content = vec![byte; len];
            sealed.push((push(&store, new_id(), &content).await?, content));
        }
        let dropped = push(&store, new_id(), b"removed").await?;
        store.remove(&dropped).await?;
        let store = FsStore::on(Arc::new(disk.clone()), &root(disk))?;
        for content in [b"a", b"z"] {
            sealed.push((push(&store, new_id(), content).await?, content.to_vec()));
        }
        Ok(())
    }
    .await;
    sealed
}

/// A process started after the cut finds all of it, and goes on.
async fn check(after: &LossyDisk, sealed: &Sealed) {
    let store = store(after);
    for (location, expected) in sealed {
        let mut content = Vec::new();
        store.open(location, expected.len() as u64).await.unwrap().read_to_end(&mut content).unwrap();
        assert!(content == *expected, "{location} has other bytes");
    }
    push(&store, new_id(), b"after").await.unwrap();
}
