//! Parts of a blob (RFC 9110 §14).

use super::*;

async fn blob(b: &Boxed, size: usize) -> (Content, String) {
    let blob = Content::random(size);
    b.push_blob("team/app", &blob).await;
    let path = format!("/v2/team/app/blobs/{}", blob.digest);
    (blob, path)
}

/// nora#654, artifact-keeper/artifact-keeper#3766
#[tokio::test]
async fn a_part_is_206_and_says_which() {
    let b = Boxed::new().await;
    let (blob, path) = blob(&b, 2048).await;
    for (range, part) in [
        ("bytes=500-1499", 500..1500),
        ("bytes=500-", 500..2048),
        ("bytes=-500", 1548..2048),
        ("bytes=2000-5000", 2000..2048),
        ("bytes=0-0", 0..1),
        ("bytes=-5000", 0..2048),
        ("BYTES=2047-99999999999999999999999", 2047..2048),
    ] {
        let reply = b.get(&path).header("range", range).await.expect(206);
        assert_eq!(reply.body, blob.bytes.slice(part.clone()), "{range}");
        assert_eq!(reply.header("content-range"), format!("bytes {}-{}/2048", part.start, part.end - 1));
        assert_eq!(reply.header("content-length"), part.len().to_string());
        assert_eq!(reply.header("docker-content-digest"), blob.digest.as_str());
    }
}

#[tokio::test]
async fn a_range_outside_is_416_and_says_the_size() {
    let b = Boxed::new().await;
    let (_, path) = blob(&b, 2048).await;
    for range in ["bytes=500-0", "bytes=5000-10000", "bytes=2048-", "bytes=-0", "bytes=99999999999999999999999-"] {
        let reply = b.get(&path).header("range", range).await.refused(416, "SIZE_INVALID");
        assert_eq!(reply.header("content-range"), "bytes */2048", "{range}");
    }
}

#[tokio::test]
async fn what_is_no_single_byte_range_is_answered_whole() {
    let b = Boxed::new().await;
    let (blob, path) = blob(&b, 2048).await;
    for range in ["bytes=0-1,5-6", "lines=1-2", "bytes", "bytes=", "bytes=a-b", "bytes=-", "bytes=1-2-3", "\u{e9}"] {
        let reply = b.get(&path).header("range", range).await.expect(200);
        assert_eq!(reply.body, blob.bytes, "{range}");
    }
}

#[tokio::test]
async fn head_takes_no_notice_of_a_range() {
    let b = Boxed::new().await;
    let (_, path) = blob(&b, 2048).await;
    let reply = b.head(&path).header("range", "bytes=0-1").await.expect(200);
    assert_eq!(reply.header("content-length"), "2048");
}

#[tokio::test]
async fn an_empty_blob_has_a_length_and_no_ranges() {
    let b = Boxed::new().await;
    let (_, path) = blob(&b, 0).await;
    let reply = b.get(&path).await.expect(200);
    assert_eq!((reply.header("content-length"), reply.body.len()), ("0", 0));
    assert_eq!(b.head(&path).await.expect(200).header("content-length"), "0");
    for range in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
        b.get(&path).header("range", range).await.refused(416, "SIZE_INVALID");
    }
}

#[tokio::test]
async fn if_range_gives_a_part_of_the_same_thing_only() {
    let b = Boxed::new().await;
    let (blob, path) = blob(&b, 2048).await;
    for (condition, status) in [
        (format!("\"{}\"", blob.digest), 206),
        (format!("\"{NOWHERE}\""), 200),
        (format!("W/\"{}\"", blob.digest), 200),
    ] {
        b.get(&path).header("range", "bytes=0-9").header("if-range", &condition).await.expect(status);
    }
}
