//! What every [`BlobStore`] must do; a behaviour is a function that panics when the store lacks it.
#![allow(missing_docs, reason = "the name of a behaviour says what it is")]
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "these functions are the bodies of tests")]

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use wharf_blob::{BlobStore, Checkpoint, Error, Location, UploadId};
use wharf_oci::{Algorithm, Digest};

/// A store under test.
pub type Store = Arc<dyn BlobStore>;

/// Runs every behaviour. `open` opens the store; each call must find what the calls before it stored.
pub async fn all(open: impl AsyncFn() -> Store) {
    an_upload_becomes_a_blob(open().await).await;
    a_blob_may_be_named_by_sha512(open().await).await;
    pieces_of_any_size_arrive_in_order(open().await).await;
    chunks_continue_after_reopening(&open).await;
    what_is_beyond_the_checkpoint_is_dropped(open().await).await;
    an_appender_dropped_while_it_writes_does_not_disturb_the_next(open().await).await;
    an_appender_that_was_taken_over_writes_nothing_more(open().await).await;
    lost_bytes_are_reported(open().await).await;
    rehashing_reads_no_further_than_asked(open().await).await;
    rehashing_works_with_another_algorithm(open().await).await;
    two_uploads_of_one_digest_are_two_blobs(open().await).await;
    many_seals_at_once_all_hold(open().await).await;
    sealing_more_than_is_stored_fails(open().await).await;
    sealing_drops_what_was_not_acknowledged(open().await).await;
    a_sealed_upload_is_no_upload_any_more(open().await).await;
    an_upload_starts_only_once(open().await).await;
    an_unknown_upload_is_not_found(open().await).await;
    aborting_frees_and_may_be_repeated(open().await).await;
    uploads_are_listed_until_they_end(&open).await;
    a_blob_of_another_size_is_corrupt(open().await).await;
    removing_a_blob_may_be_repeated(open().await).await;
    a_location_of_no_store_opens_nothing(open().await).await;
    there_is_room(open().await).await;
}

pub async fn an_upload_becomes_a_blob(store: Store) {
    for content in [b"goods".as_slice(), b""] {
        let location = push(&store, content).await;
        let stored = Location::from_stored(location.as_str().to_owned());
        assert_eq!(read(&store, &stored, content.len() as u64).await, content);
    }
}

pub async fn a_blob_may_be_named_by_sha512(store: Store) {
    let id = started(&store).await;
    let at = append(&store, id, Checkpoint::empty(Algorithm::Sha512), b"goods").await;
    let digest = at.hasher.digest();
    assert_eq!(digest, Digest::of(Algorithm::Sha512, b"goods"));
    let location = store.seal(id, &digest, 5).await.unwrap();
    assert_eq!(read(&store, &location, 5).await, b"goods");
}

pub async fn pieces_of_any_size_arrive_in_order(store: Store) {
    const SIZES: [usize; 12] = [1, 0, 3, 4095, 4096, 4097, 1 << 16, 1, (1 << 20) - 1, 1 << 20, 3 << 20, 7];
    let content = Bytes::from(pattern(SIZES.iter().sum()));
    let id = started(&store).await;
    let mut appender = store.append(id, empty()).await.unwrap();
    let mut rest = content.clone();
    for size in SIZES {
        appender.write(rest.split_to(size)).await.unwrap();
    }
    let at = appender.checkpoint().await.unwrap();
    assert_eq!(at.offset, content.len() as u64);
    assert_eq!(at.hasher.digest(), Digest::of(Algorithm::Sha256, &content));
    let location = store.seal(id, &at.hasher.digest(), at.offset).await.unwrap();
    assert!(read(&store, &location, at.offset).await == content);
}

pub async fn chunks_continue_after_reopening(open: &impl AsyncFn() -> Store) {
    let id = started(&open().await).await;
    let mut at = empty();
    for chunk in ["to", "be", "continued"] {
        at = append(&open().await, id, at, chunk.as_bytes()).await;
    }
    let location = open().await.seal(id, &at.hasher.digest(), at.offset).await.unwrap();
    assert_eq!(read(&open().await, &location, 13).await, b"tobecontinued");
}

pub async fn what_is_beyond_the_checkpoint_is_dropped(store: Store) {
    let id = started(&store).await;
    let at = append(&store, id, empty(), b"kept").await;
    append(&store, id, at.clone(), b"never acknowledged").await;
    let end = append(&store, id, at, b"!").await;
    assert_eq!(end.hasher.digest(), digest(b"kept!"));
    let location = store.seal(id, &digest(b"kept!"), 5).await.unwrap();
    assert_eq!(read(&store, &location, 5).await, b"kept!");
}

pub async fn an_appender_dropped_while_it_writes_does_not_disturb_the_next(store: Store) {
    let id = started(&store).await;
    let mut at = append(&store, id, empty(), b"kept").await;
    for round in 0..20 {
        let mut dropped = store.append(id, at.clone()).await.unwrap();
        dropped.write(Bytes::from(vec![0xff; 1 << 20])).await.unwrap();
        drop(dropped);
        at = append(&store, id, at, format!(" {round}").as_bytes()).await;
    }
    let expected = (0..20).fold("kept".to_owned(), |text, round| format!("{text} {round}"));
    assert_eq!(at.hasher.digest(), digest(expected.as_bytes()));
    let location = store.seal(id, &at.hasher.digest(), at.offset).await.unwrap();
    assert_eq!(read(&store, &location, at.offset).await, expected.as_bytes());
}

pub async fn an_appender_that_was_taken_over_writes_nothing_more(store: Store) {
    let id = started(&store).await;
    let mut lingering = store.append(id, empty()).await.unwrap();
    lingering.write(Bytes::from_static(b"from a dead connection")).await.unwrap();
    let at = append(&store, id, empty(), b"new").await;
    assert!(matches!(lingering.checkpoint().await, Err(Error::Superseded)));
    let location = store.seal(id, &at.hasher.digest(), 3).await.unwrap();
    assert!(matches!(lingering.write(vec![0; 1 << 20].into()).await, Err(Error::Superseded)));
    assert_eq!(read(&store, &location, 3).await, b"new");
}

pub async fn lost_bytes_are_reported(store: Store) {
    let id = started(&store).await;
    let mut at = append(&store, id, empty(), b"goods").await;
    at.offset = 9;
    assert!(matches!(store.append(id, at).await.err(), Some(Error::Lost { stored: 5 })));
}

pub async fn rehashing_reads_no_further_than_asked(store: Store) {
    let content = pattern((1 << 20) + 17);
    let id = started(&store).await;
    append(&store, id, empty(), &content).await;
    for limit in [0, 1, 1 << 20, content.len(), usize::MAX] {
        let expected = &content[..limit.min(content.len())];
        let at = store.rehash(id, Algorithm::Sha256, limit as u64).await.unwrap();
        assert_eq!((at.offset, at.hasher.digest()), (expected.len() as u64, digest(expected)));
    }
    let at = store.rehash(id, Algorithm::Sha256, 4).await.unwrap();
    let at = append(&store, id, at, b"!").await;
    let location = store.seal(id, &at.hasher.digest(), 5).await.unwrap();
    assert_eq!(read(&store, &location, 5).await, [&content[..4], b"!"].concat());
}

pub async fn rehashing_works_with_another_algorithm(store: Store) {
    let id = started(&store).await;
    append(&store, id, empty(), b"goods").await;
    let at = store.rehash(id, Algorithm::Sha512, 5).await.unwrap();
    assert_eq!(at.hasher.digest(), Digest::of(Algorithm::Sha512, b"goods"));
    store.seal(id, &at.hasher.digest(), 5).await.unwrap();
}

pub async fn two_uploads_of_one_digest_are_two_blobs(store: Store) {
    let (first, second) = (push(&store, b"twice").await, push(&store, b"twice").await);
    assert_eq!(read(&store, &first, 5).await, b"twice");
    store.remove(&first).await.unwrap();
    assert_eq!(read(&store, &second, 5).await, b"twice");
}

pub async fn many_seals_at_once_all_hold(store: Store) {
    let pushes = (0..20_u32).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { push(&store, &number.to_be_bytes()).await })
    });
    for (number, push) in (0..20_u32).zip(pushes.collect::<Vec<_>>()) {
        assert_eq!(read(&store, &push.await.unwrap(), 4).await, number.to_be_bytes());
    }
}

pub async fn sealing_more_than_is_stored_fails(store: Store) {
    let id = started(&store).await;
    append(&store, id, empty(), b"goods").await;
    let error = store.seal(id, &digest(b"goods"), 6).await.unwrap_err();
    assert!(matches!(error, Error::Lost { stored: 5 }), "{error:?}");
    store.abort(id).await.unwrap();
}

pub async fn sealing_drops_what_was_not_acknowledged(store: Store) {
    let id = started(&store).await;
    append(&store, id, empty(), b"goods and a tail").await;
    let location = store.seal(id, &digest(b"goods"), 5).await.unwrap();
    assert_eq!(read(&store, &location, 5).await, b"goods");
}

pub async fn a_sealed_upload_is_no_upload_any_more(store: Store) {
    let id = started(&store).await;
    let at = append(&store, id, empty(), b"goods").await;
    let location = store.seal(id, &at.hasher.digest(), 5).await.unwrap();
    assert!(matches!(store.append(id, at.clone()).await.err(), Some(Error::NotFound)));
    assert!(matches!(store.seal(id, &at.hasher.digest(), 5).await, Err(Error::NotFound)));
    store.abort(id).await.unwrap();
    assert_eq!(read(&store, &location, 5).await, b"goods");
}

pub async fn an_upload_starts_only_once(store: Store) {
    let id = started(&store).await;
    assert!(store.start(id).await.is_err());
    store.seal(id, &digest(b""), 0).await.unwrap();
}

pub async fn an_unknown_upload_is_not_found(store: Store) {
    let id = new_id();
    assert!(matches!(store.append(id, empty()).await.err(), Some(Error::NotFound)));
    assert!(matches!(store.rehash(id, Algorithm::Sha256, 1).await, Err(Error::NotFound)));
    assert!(matches!(store.seal(id, &digest(b""), 0).await, Err(Error::NotFound)));
}

pub async fn aborting_frees_and_may_be_repeated(store: Store) {
    let id = started(&store).await;
    let mut appender = store.append(id, empty()).await.unwrap();
    appender.write(vec![1; 2 << 20].into()).await.unwrap();
    for _ in 0..2 {
        store.abort(id).await.unwrap();
        assert!(!store.uploads().await.unwrap().contains(&id));
    }
    assert!(matches!(store.append(id, empty()).await.err(), Some(Error::NotFound)));
}

pub async fn uploads_are_listed_until_they_end(open: &impl AsyncFn() -> Store) {
    let store = open().await;
    let (kept, aborted, sealed) = (started(&store).await, started(&store).await, started(&store).await);
    store.abort(aborted).await.unwrap();
    store.seal(sealed, &digest(b""), 0).await.unwrap();
    let listed = open().await.uploads().await.unwrap();
    assert_eq!([kept, aborted, sealed].map(|id| listed.contains(&id)), [true, false, false]);
}

pub async fn a_blob_of_another_size_is_corrupt(store: Store) {
    let location = push(&store, b"goods").await;
    for expected in [0, 4, 6] {
        let error = store.open(&location, expected).await.unwrap_err();
        assert!(matches!(error, Error::Corrupt { expected: e, found: 5 } if e == expected), "{error:?}");
    }
}

pub async fn removing_a_blob_may_be_repeated(store: Store) {
    let location = push(&store, b"goods").await;
    let mut open = store.open(&location, 5).await.unwrap();
    for _ in 0..2 {
        store.remove(&location).await.unwrap();
        assert!(matches!(store.open(&location, 5).await, Err(Error::NotFound)));
    }
    let mut content = Vec::new();
    open.read_to_end(&mut content).unwrap();
    assert_eq!(content, b"goods", "a pull under way goes on");
}

pub async fn a_location_of_no_store_opens_nothing(store: Store) {
    for text in ["", "/etc/passwd", "../../../../../../etc/passwd", "sha256/../../uploads", "."] {
        let location = Location::from_stored(text.to_owned());
        assert!(store.open(&location, 0).await.is_err(), "{text}");
        assert!(store.remove(&location).await.is_err(), "{text}");
    }
}

pub async fn there_is_room(store: Store) {
    let space = store.space().await.unwrap();
    assert!(space.free > 0 && space.free <= space.total, "{space:?}");
}

/// An upload's name that nobody used before.
pub fn new_id() -> UploadId {
    UploadId::from_uuid(uuid::Uuid::now_v7())
}

/// Pushes `content` in one piece.
pub async fn push(store: &Store, content: &[u8]) -> Location {
    let id = started(store).await;
    let at = append(store, id, empty(), content).await;
    store.seal(id, &at.hasher.digest(), at.offset).await.unwrap()
}

/// The bytes of a blob.
pub async fn read(store: &Store, location: &Location, size: u64) -> Vec<u8> {
    let mut content = Vec::new();
    store.open(location, size).await.unwrap().read_to_end(&mut content).unwrap();
    content
}

async fn started(store: &Store) -> UploadId {
    let id = new_id();
    store.start(id).await.unwrap();
    id
}

async fn append(store: &Store, id: UploadId, from: Checkpoint, content: &[u8]) -> Checkpoint {
    let mut appender = store.append(id, from).await.unwrap();
    appender.write(Bytes::copy_from_slice(content)).await.unwrap();
    appender.checkpoint().await.unwrap()
}

fn empty() -> Checkpoint {
    Checkpoint::empty(Algorithm::Sha256)
}

fn digest(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

/// Bytes in which a block at the wrong place shows.
fn pattern(len: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_be_bytes).take(len).collect()
}
