use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::{Meta, SchemaStatus};

fn open(durability: Durability) -> (Meta, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let meta = Meta::open(&folder.path().join("wharf.db"), durability).unwrap();
    (meta, folder)
}

/// Names and contents of what is in a folder.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

fn setting(connection: &Connection, name: &str) -> Value {
    connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
}

async fn write_bytes(meta: &Meta, count: i64) {
    let sql = "INSERT INTO settings (key, value) VALUES ('big', hex(zeroblob($1 / 2)))
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    meta.db.write(move |tx| tx.run(sql, [count])).await.unwrap();
}

#[tokio::test]
async fn what_durability_rests_on_is_in_force() {
    let (meta, folder) = open(Durability::Synced);
    meta.db.write(|tx| must_be(tx.0, "synchronous", "2")).await.unwrap();
    meta.db.write(|tx| must_be(tx.0, "journal_mode", "wal")).await.unwrap();
    let second = Connection::open(folder.path().join("wharf.db")).unwrap();
    assert_eq!(setting(&second, "journal_mode"), Value::Text("wal".into()), "the file itself says so");
}

#[tokio::test]
async fn a_commit_waits_for_the_disk_when_one_of_its_writes_asks_for_it() {
    let (meta, _folder) = open(Durability::Synced);
    meta.db.note(|tx| must_be(tx.0, "synchronous", "1")).await.unwrap();
    meta.db.write(|tx| must_be(tx.0, "synchronous", "2")).await.unwrap();
    let (go_on, held) = std::sync::mpsc::channel::<()>();
    let first = meta.db.note(move |_| held.recv().map_err(|_| Error::Stopped));
    let note = meta.db.note(|tx| must_be(tx.0, "synchronous", "2"));
    let write = meta.db.write(|tx| must_be(tx.0, "synchronous", "2"));
    // All three are asked for, in this order, before the first is let go.
    let later = async move { go_on.send(()).unwrap() };
    let (first, note, write, ()) = tokio::join!(biased; first, note, write, later);
    first.and(note).and(write).unwrap();
    let (buffered, _folder) = open(Durability::Buffered);
    buffered.db.note(|tx| must_be(tx.0, "synchronous", "0")).await.unwrap();
}

#[test]
fn a_database_that_cannot_be_durable_is_not_opened() {
    // One in memory has no log: what a file system without shared memory comes to.
    let error = configure(&Connection::open_in_memory().unwrap(), Durability::Synced).unwrap_err();
    assert!(matches!(&error, Error::NotDurable { setting: "journal_mode", found, .. } if found == "memory"), "{error}");
    let (_meta, folder) = open(Durability::Buffered);
    let second = Connection::open(folder.path().join("wharf.db")).unwrap();
    let error = must_be(&second, "synchronous", "0").unwrap_err();
    assert!(matches!(&error, Error::NotDurable { setting: "synchronous", found, .. } if found == "2"), "{error}");
}

#[tokio::test]
async fn no_page_is_mapped() {
    let (meta, _folder) = open(Durability::Buffered);
    meta.db.write(|tx| must_be(tx.0, "mmap_size", "0")).await.unwrap();
    for reader in &meta.db.readers {
        assert_eq!(setting(&reader.lock().unwrap(), "mmap_size"), Value::Integer(0));
    }
}

#[test]
fn there_is_a_reader_for_each_core_and_a_panic_takes_none() {
    let (meta, _folder) = open(Durability::Buffered);
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(meta.db.readers.len(), cores.clamp(4, 64));
    for _ in &meta.db.readers {
        let panicked = catch_unwind(AssertUnwindSafe(|| meta.db.read::<()>(|_| panic!("in a read"))));
        assert!(panicked.is_err());
    }
    assert!(meta.db.readers.iter().all(|reader| reader.is_poisoned() && take(reader).is_some()));
    let held: Vec<_> = meta.db.readers.iter().skip(1).map(|reader| take(reader).unwrap()).collect();
    for _ in 0..held.len() {
        let one = meta.db.read(|tx| tx.one("SELECT 1", [], |row| Ok(row.get::<_, i64>(0)?))).unwrap();
        assert_eq!(one, Some(1));
    }
}

#[tokio::test]
async fn only_a_failing_commit_leaves_doubt() {
    let (meta, _folder) = open(Durability::Buffered);
    let orphan = "INSERT INTO refs (repo_id, parent, kind, child) VALUES (77, 'p', 'layer', 'c')";
    let at_once = meta.db.write(move |tx| tx.run(orphan, [])).await.unwrap_err();
    assert!(matches!(at_once, Error::Sqlite(_)), "{at_once}");
    let at_commit = meta.db.write(move |tx| {
        tx.run("PRAGMA defer_foreign_keys = ON", [])?;
        tx.run(orphan, [])
    });
    let at_commit = at_commit.await.unwrap_err();
    assert!(matches!(at_commit, Error::Uncertain(_)), "{at_commit}");
    meta.check(1).await.unwrap();
    let full = rusqlite::ffi::Error { code: rusqlite::ErrorCode::DiskFull, extended_code: 13 };
    assert!(matches!(Error::of_commit(rusqlite::Error::SqliteFailure(full, None)), Error::Full));
}

#[tokio::test]
async fn the_log_is_counted_and_cut_after_a_big_write() {
    let (meta, folder) = open(Durability::Buffered);
    let length = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
    write_bytes(&meta, 70 << 20).await;
    assert!(length("wharf.db-wal") > LOG_KEPT);
    assert_eq!(meta.size().await.unwrap(), length("wharf.db") + length("wharf.db-wal"));
    meta.check(1).await.unwrap();
    assert!(length("wharf.db-wal") <= LOG_KEPT, "{}", length("wharf.db-wal"));
}

#[tokio::test]
async fn folding_the_log_says_whether_it_could() {
    let (meta, folder) = open(Durability::Buffered);
    let log = folder.path().join("wharf.db-wal");
    let backup = Connection::open(folder.path().join("wharf.db")).unwrap();
    backup.execute_batch("BEGIN; SELECT count(*) FROM settings").unwrap();
    meta.check(1).await.unwrap();
    assert!(!meta.fold_log().await.unwrap());
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    backup.execute_batch("COMMIT").unwrap();
    assert!(meta.fold_log().await.unwrap());
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
}

#[tokio::test]
async fn the_check_writes_to_the_disk() {
    let (meta, folder) = open(Durability::Buffered);
    let log = || std::fs::metadata(folder.path().join("wharf.db-wal")).unwrap().len();
    let before = log();
    meta.check(7).await.unwrap();
    assert!(log() > before);
    let other = Connection::open(folder.path().join("wharf.db")).unwrap();
    let value: String =
        other.query_row("SELECT value FROM settings WHERE key = 'checked_at'", [], |row| row.get(0)).unwrap();
    assert_eq!(value, "7");
}

#[tokio::test]
async fn the_status_of_a_stopped_database_changes_nothing() {
    let (meta, live) = open(Durability::Buffered);
    assert!(meta.fold_log().await.unwrap());
    meta.db.write(|tx| tx.0.pragma_update(None, "user_version", 7).map_err(Error::from)).await.unwrap();
    // As a kill leaves it, its schema only in the log; the name is one that a URI must escape.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a b?c%.db");
    std::fs::copy(live.path().join("wharf.db"), &file).unwrap();
    std::fs::copy(live.path().join("wharf.db-wal"), folder.path().join("a b?c%.db-wal")).unwrap();
    let before = contents(folder.path());
    let killed = Meta::status_of(&file).unwrap();
    assert_eq!(killed.schema, SchemaStatus { applied: 7, known: crate::migrations::known() });
    assert_eq!(killed.bytes, before.values().map(|bytes| bytes.len() as u64).sum::<u64>());
    assert!(contents(folder.path()) == before, "killed: {:?}", contents(folder.path()).keys());
    // As a clean stop leaves it.
    assert!(meta.fold_log().await.unwrap());
    std::fs::remove_file(folder.path().join("a b?c%.db-wal")).unwrap();
    std::fs::copy(live.path().join("wharf.db"), &file).unwrap();
    let before = contents(folder.path());
    assert_eq!(Meta::status_of(&file).unwrap().schema.applied, 7);
    assert!(contents(folder.path()) == before, "clean: {:?}", contents(folder.path()).keys());
    // And none at all.
    let error = Meta::status_of(&folder.path().join("nothing")).unwrap_err();
    assert!(matches!(error, Error::Open { .. }), "{error}");
    assert_eq!(contents(folder.path()).len(), 1);
}
