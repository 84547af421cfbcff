//! Uploads in chunks: offsets, what a wrong one costs (nothing), and where to go on.

use std::convert::Infallible;

use axum::body::Body;
use futures_util::stream;
use http::Request;
use tokio::sync::mpsc;

use super::*;

fn chunk<'b>(b: &'b Boxed, location: &str, bytes: &str, range: &str) -> wharf_testkit::boxed::Ask<'b> {
    b.patch(location).header("content-range", range).body(bytes.to_owned())
}

/// aws/containers-roadmap#2831, regclient/regclient#961, distribution/distribution#2363, #3496
#[tokio::test]
async fn range_is_cumulative_and_has_no_unit() {
    let b = Boxed::new().await;
    let whole = Content::new("x/y", "aaaabbbbcc");
    let location = start(&b, "team/app").await;
    for (bytes, at, range) in [("aaaa", "0-3", "0-3"), ("bbbb", "4-7", "0-7"), ("cc", "8-9", "0-9")] {
        let reply = chunk(&b, &location, bytes, at).await.expect(202);
        assert_eq!(reply.header("range"), range);
        assert_eq!(reply.header("content-length"), "0");
        assert_eq!(range_of(&b, &location).await, range);
    }
    b.put(format!("{location}?digest={}", whole.digest)).await.expect(201);
    assert!(has(&b, "team/app", &whole).await);
}

#[tokio::test]
async fn the_last_chunk_may_come_with_the_put() {
    let b = Boxed::new().await;
    let whole = Content::new("x/y", "aaaabbbb");
    for range in [None, Some("4-7")] {
        let location = start(&b, "team/app").await;
        chunk(&b, &location, "aaaa", "0-3").await.expect(202);
        let put = b.put(format!("{location}?digest={}", whole.digest)).body("bbbb");
        let put = if let Some(range) = range { put.header("content-range", range) } else { put };
        put.await.expect(201);
        assert!(has(&b, "team/app", &whole).await);
    }
}

/// opencontainers/distribution-spec#590, #576; distribution/distribution#3755, regclient/regclient#331
#[tokio::test]
async fn a_chunk_out_of_order_is_416_and_says_where_to_go_on() {
    let b = Boxed::new().await;
    let whole = Content::new("x/y", "aaaabbbb");
    let location = start(&b, "team/app").await;
    chunk(&b, &location, "bbbb", "4-7").await.refused(416, "BLOB_UPLOAD_INVALID");
    chunk(&b, &location, "aaaa", "0-3").await.expect(202);
    for (bytes, at) in [("aaaa", "0-3"), ("bbbb", "5-8"), ("bbbb", "2-5"), ("b", "3-3")] {
        let wrong = chunk(&b, &location, bytes, at).await.refused(416, "BLOB_UPLOAD_INVALID");
        assert_eq!((wrong.header("location"), wrong.header("range")), (&*location, "0-3"), "{at}");
        let put = b.put(format!("{location}?digest={}", whole.digest)).header("content-range", at);
        let wrong = put.body(bytes.to_owned()).await.refused(416, "BLOB_UPLOAD_INVALID");
        assert_eq!((wrong.header("location"), wrong.header("range")), (&*location, "0-3"), "{at}");
        assert_eq!(range_of(&b, &format!("{location}?digest={}", whole.digest)).await, "0-3");
    }
    chunk(&b, &location, "bbbb", "4-7").await.expect(202);
    b.put(format!("{location}?digest={}", whole.digest)).await.expect(201);
}

/// opencontainers/distribution-spec#366
#[tokio::test]
async fn a_stale_location_still_tells_the_status() {
    let b = Boxed::new().await;
    let first = start(&b, "team/app").await;
    let second = chunk(&b, &first, "aaaa", "0-3").await.expect(202).header("location").to_owned();
    for location in [&first, &second] {
        let status = b.get(location).await.expect(204);
        assert_eq!(status.header("range"), "0-3");
        assert_eq!(status.header("location"), second);
        assert!(status.get("docker-upload-uuid").is_some());
    }
    cancel(&b, &second).await;
}

/// project-zot/zot#3983, go-gitea/gitea#34724, #34725, #34795
#[tokio::test]
async fn an_empty_upload_is_0_0_and_bad_ranges_break_nothing() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    let bad = ["5", "a-b", "9-3", "0-99999999999999999999999", "-5", "0-", "", "bytes 0-3/2", "0-3-5", "chunks 0-3"];
    for at in bad {
        let reply = chunk(&b, &location, "aaaa", at).await;
        assert!([400, 416].contains(&reply.status.as_u16()), "{at}: {reply:?}");
        assert_eq!(range_of(&b, &location).await, "0-0", "{at}");
    }
    let huge = format!("0-{}", i64::MAX);
    chunk(&b, &location, "aaaa", &huge).await.refused(400, "SIZE_INVALID");
    cancel(&b, &location).await;
}

#[tokio::test]
async fn the_forms_of_the_rfc_are_taken_too() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    for (at, range) in [("bytes 0-3/*", "0-3"), ("bytes=4-7", "0-7"), ("bytes 8-11/100", "0-11")] {
        assert_eq!(chunk(&b, &location, "aaaa", at).await.expect(202).header("range"), range);
    }
    cancel(&b, &location).await;
}

#[tokio::test]
async fn a_chunk_of_another_length_than_it_says_is_400() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    chunk(&b, &location, "aaaa", "0-7").await.refused(400, "SIZE_INVALID");
    chunk(&b, &location, "aaaa", "0-1").await.refused(400, "SIZE_INVALID");
    assert_eq!(range_of(&b, &location).await, "0-0");
    b.patch(&location).header("content-range", "0-1").chunked("aaaa").await.refused(400, "SIZE_INVALID");
    assert_eq!(range_of(&b, &location).await, "0-0");
    b.patch(&location).header("content-range", "0-7").chunked("aaaa").await.refused(400, "SIZE_INVALID");
    let whole = Content::new("x/y", "aaaabbbb");
    let (at, rest) = if range_of(&b, &location).await == "0-3" { ("4-7", "bbbb") } else { ("0-7", "aaaabbbb") };
    chunk(&b, &location, rest, at).await.expect(202);
    b.put(format!("{location}?digest={}", whole.digest)).await.expect(201);
}

#[tokio::test]
async fn chunks_without_a_range_are_appended() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    b.patch(&location).body("aaaa").await.expect(202);
    assert_eq!(b.patch(&location).chunked("bbbb").await.expect(202).header("range"), "0-7");
    assert_eq!(b.patch(&location).body("").await.expect(202).header("range"), "0-7");
    b.put(format!("{location}?digest={}", Content::new("x/y", "aaaabbbb").digest)).await.expect(201);
}

#[tokio::test]
async fn of_two_chunks_at_once_one_is_416() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    let one = || async { chunk(&b, &location, "aaaa", "0-3").await.status.as_u16() };
    let mut statuses = futures_util::future::join_all([one(), one(), one()]).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 416, 416]);
    assert_eq!(range_of(&b, &location).await, "0-3");
    cancel(&b, &location).await;
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let b = Boxed::new().await;
    let whole = Content::random(300_000);
    let location = start(&b, "team/app").await;
    b.patch(&location).body(whole.bytes.slice(..200_000)).await.expect(202);
    let b = b.leaving_uploads().close().open().await;
    assert_eq!(b.registry.sweep_strays().await.unwrap(), 0);
    assert_eq!(range_of(&b, &location).await, "0-199999");
    let patch = b.patch(&location).header("content-range", "200000-299999");
    patch.body(whole.bytes.slice(200_000..)).await.expect(202);
    b.put(format!("{location}?digest={}", whole.digest)).await.expect(201);
    assert!(has(&b, "team/app", &whole).await);
}

#[tokio::test]
async fn a_body_is_acknowledged_as_it_comes() {
    let b = Boxed::builder().settings(|s| s.upload_checkpoint = 1000).open().await;
    let whole = Content::random(10_000);
    let location = start(&b, "team/app").await;
    let (give, take) = mpsc::unbounded_channel();
    let pieces = stream::unfold(take, async |mut take| Some((Ok::<_, Infallible>(take.recv().await?), take)));
    let patch = Request::patch(&location).header("authorization", "Basic YWRtaW46c2VjcmV0");
    let patch = b.send(patch.body(Body::from_stream(pieces)).unwrap());
    let watch = async {
        for (end, acknowledged) in [(900, None), (1800, Some("0-1799")), (2700, None), (3600, Some("0-3599"))] {
            give.send(whole.bytes.slice(end - 900..end)).unwrap();
            if let Some(range) = acknowledged {
                let reached = tokio::time::timeout(Duration::from_secs(10), reaches(&b, &location, range)).await;
                assert!(reached.is_ok(), "{end} bytes sent, the body still open: {}", range_of(&b, &location).await);
            }
        }
        give.send(whole.bytes.slice(3600..)).unwrap();
        drop(give);
    };
    let (reply, ()) = futures_util::future::join(patch, watch).await;
    assert_eq!(reply.expect(202).header("range"), "0-9999");
    b.put(format!("{location}?digest={}", whole.digest)).await.expect(201);
    assert!(has(&b, "team/app", &whole).await);
}

/// Returns when the upload's status says `range`.
async fn reaches(b: &Boxed, location: &str, range: &str) {
    while range_of(b, location).await != range {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
