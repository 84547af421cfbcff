//! The store fails at one step: the client hears of it, nothing half-made shows, and a retry works.

use wharf_oci::{Algorithm, Digest};
use wharf_testkit::boxed::StoreError as Error;
use wharf_testkit::disk::{ENOSPC, Kind, LossyDisk, Then, When};
use wharf_testkit::failing::{FailingStore, Operation};

use super::*;

fn io() -> Error {
    Error::Io { operation: "write", path: "store".into(), source: std::io::Error::from_raw_os_error(5) }
}

fn full() -> Error {
    Error::Full(std::io::Error::from_raw_os_error(ENOSPC))
}

async fn boxed() -> (Boxed, FailingStore) {
    Boxed::builder().open_failing().await
}

/// Pushes in three requests; the status of the first that fails.
async fn push(b: &Boxed, blob: &Content) -> Result<(), u16> {
    let check = |reply: Reply| if reply.status.is_success() { Ok(reply) } else { Err(reply.status.as_u16()) };
    let location = check(b.post("/v2/team/app/blobs/uploads/").await)?.header("location").to_owned();
    check(b.patch(&location).body(blob.bytes.clone()).await)?;
    check(b.put(format!("{location}?digest={}", blob.digest)).await)?;
    Ok(())
}

#[tokio::test]
async fn an_error_at_any_step_is_a_5xx_and_a_retry_works() {
    use Operation::{Append, Checkpoint, Seal, Start, Write};
    for (make, status) in [(io as fn() -> Error, 500), (full, 507)] {
        for step in [Start, Append, Write, Checkpoint, Seal] {
            for after in [false, true] {
                let (b, store) = boxed().await;
                let blob = Content::random(5000);
                drop(if after { store.clone().fail_after(step, make) } else { store.clone().fail(step, make) });
                assert_eq!(push(&b, &blob).await, Err(status), "{step:?} {after}");
                let one = b.post(format!("/v2/team/app/blobs/uploads/?digest={}", blob.digest));
                one.body(blob.bytes.clone()).await.refused(status, "UNKNOWN");
                assert!(!has(&b, "team/app", &blob).await, "{step:?}");
                store.heal();
                push(&b, &blob).await.unwrap();
                assert!(has(&b, "team/app", &blob).await);
                assert_eq!(b.upload_rows(), [""; 0], "{step:?} {after}");
            }
        }
    }
}

#[tokio::test]
async fn a_message_says_nothing_of_the_inside() {
    let (b, store) = boxed().await;
    drop(store.fail(Operation::Start, io));
    let reply = b.post("/v2/team/app/blobs/uploads/").await.refused(500, "UNKNOWN");
    assert!(!reply.message().contains("store"), "{}", reply.message());
    assert!(reply.get("x-request-id").is_some());
}

/// Killed between the rename and the row: the bytes lie there, and nobody sees them.
#[tokio::test]
async fn a_sealed_blob_without_its_row_is_invisible_and_can_be_pushed_again() {
    let (b, store) = boxed().await;
    let blob = Content::random(5000);
    drop(store.fail_after(Operation::Seal, io));
    assert_eq!(push(&b, &blob).await, Err(500));
    assert_eq!(b.files("blobs").len(), 1);
    let b = b.close().open().await;
    b.registry.sweep_strays().await.unwrap();
    assert!(!has(&b, "team/app", &blob).await);
    push(&b, &blob).await.unwrap();
    assert!(has(&b, "team/app", &blob).await);
}

#[tokio::test]
async fn a_full_disk_is_507_its_space_returns_and_the_server_goes_on() {
    let disk = LossyDisk::new().unwrap();
    let b = Boxed::builder().fails().disk(&disk).open().await;
    let (small, large) = (b.push_image("team/app", "v1").await, Content::random(200_000));
    disk.set_capacity(50_000);
    for _ in 0..3 {
        assert_eq!(push(&b, &large).await, Err(507));
        let one = b.post(format!("/v2/team/app/blobs/uploads/?digest={}", large.digest));
        let refused = one.body(large.bytes.clone()).await.refused(507, "UNKNOWN");
        assert!(refused.message().contains("full"));
    }
    assert_eq!((b.files("uploads").len(), b.upload_rows().len()), (0, 0), "the space is back");
    assert!(has(&b, "team/app", &small.layers[0]).await, "readable all along");
    push(&b, &Content::random(10_000)).await.unwrap();
    disk.set_capacity(1 << 30);
    push(&b, &large).await.unwrap();
    assert!(has(&b, "team/app", &large).await);
}

#[tokio::test]
async fn short_writes_are_completed() {
    let disk = LossyDisk::new().unwrap();
    let b = Boxed::builder().fails().disk(&disk).open().await;
    disk.inject(When::Each(Kind::Write), Then::Short);
    let blob = Content::random(10_000);
    push(&b, &blob).await.unwrap();
    assert!(has(&b, "team/app", &blob).await);
}

#[tokio::test]
async fn a_failed_fsync_ends_the_upload() {
    let disk = LossyDisk::new().unwrap();
    let b = Boxed::builder().fails().disk(&disk).open().await;
    let blob = Content::random(10_000);
    let location = start(&b, "team/app").await;
    b.patch(&location).body(blob.bytes.clone()).await.expect(202);
    disk.inject(When::Each(Kind::Fsync), Then::Errno(wharf_testkit::disk::EIO));
    b.put(format!("{location}?digest={}", blob.digest)).await.refused(500, "UNKNOWN");
    disk.heal();
    b.put(format!("{location}?digest={}", blob.digest)).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    assert!(!has(&b, "team/app", &blob).await);
    push(&b, &blob).await.unwrap();
}

#[tokio::test]
async fn a_blob_that_cannot_be_opened_is_a_500_that_announces_nothing() {
    let (b, store) = boxed().await;
    let blob = Content::random(5000);
    push(&b, &blob).await.unwrap();
    drop(store.clone().fail(Operation::Open, io));
    for method in ["GET", "HEAD"] {
        let reply = b.ask(method, format!("/v2/team/app/blobs/{}", blob.digest)).await.expect(500);
        assert_ne!(reply.get("content-length"), Some("5000"), "distribution/distribution#4191");
    }
    store.heal();
    assert!(has(&b, "team/app", &blob).await);
}

/// A crash between a seal's rename and its row, or a backup restored without its uploads.
#[tokio::test]
async fn an_upload_whose_bytes_are_gone_is_unknown_and_its_row_goes() {
    let sha512 = Digest::of(Algorithm::Sha512, b"goods");
    let sha256 = Digest::of(Algorithm::Sha256, b"goods");
    let last_steps =
        [("PATCH", String::new()), ("PUT", format!("?digest={sha256}")), ("PUT", format!("?digest={sha512}"))];
    for (method, query) in last_steps {
        let b = Boxed::new().await;
        let location = b.post("/v2/team/app/blobs/uploads/").await.header("location").to_owned();
        b.patch(&location).body("goods").await.expect(202);
        for file in b.files("uploads") {
            std::fs::remove_file(file).unwrap();
        }
        let body = if method == "PATCH" { "more" } else { "" };
        b.ask(method, format!("{location}{query}")).body(body).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        assert_eq!(b.upload_rows(), [""; 0], "{method}");
    }
}
