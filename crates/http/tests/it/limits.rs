//! Limits, each with its status and a sentence.

use std::future::IntoFuture as _;

use super::*;

#[tokio::test]
async fn a_manifest_of_exactly_the_limit_is_taken_and_one_byte_more_is_413() {
    let b = Boxed::builder().options(|o| o.manifest_size = 2000).open().await;
    b.push_blob("team/app", &Content::empty_json()).await;
    let sized = |size: usize| {
        let bare = Draft::artifact("a/b").annotation("pad", "").content().bytes.len();
        Draft::artifact("a/b").annotation("pad", &"x".repeat(size - bare)).content()
    };
    b.put_manifest("team/app", "v1", &sized(2000)).await.expect(201);
    let large = sized(2001);
    let refused = b.put_manifest("team/app", "v2", &large).await.refused(413, "SIZE_INVALID");
    assert!(refused.message().contains("2000"));
    let put = b.put("/v2/team/app/manifests/v2").header("content-type", &large.media_type);
    put.chunked(large.bytes.clone()).await.refused(413, "SIZE_INVALID");
    b.head("/v2/team/app/manifests/v2").await.expect(404);
}

#[tokio::test]
async fn four_mebibytes_are_the_default() {
    let b = Boxed::new().await;
    b.push_blob("team/app", &Content::empty_json()).await;
    let bare = Draft::artifact("a/b").annotation("pad", "").content().bytes.len();
    let whole = Draft::artifact("a/b").annotation("pad", &"x".repeat((4 << 20) - bare)).content();
    assert_eq!(whole.bytes.len(), 4 << 20);
    b.put_manifest("team/app", "v1", &whole).await.expect(201);
}

#[tokio::test]
async fn a_long_url_is_414_and_long_headers_are_431() {
    let b = Boxed::new().await;
    b.get(format!("/v2/?x={}", "x".repeat(20_000))).await.refused(414, "UNSUPPORTED");
    b.get("/v2/").header("x-long", "x".repeat(40_000)).await.refused(431, "UNSUPPORTED");
    let server = b.serve().await;
    let head = format!("GET /v2/?x={} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "x".repeat(20_000));
    let answer = server.talk(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 414") && answer.contains("\"errors\""), "{answer}");
    let head = format!("GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: {}\r\n\r\n", "x".repeat(40_000));
    let answer = server.talk(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431") && answer.contains("\"errors\""), "{answer}");
}

#[tokio::test]
async fn expectations_other_than_100_continue_are_417() {
    let b = Boxed::new().await;
    b.get("/v2/").header("expect", "200-ok").await.refused(417, "UNSUPPORTED");
    b.get("/v2/").header("expect", "100-Continue").await.expect(200);
}

#[tokio::test]
async fn encoded_bodies_are_415_and_change_nothing() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let location = start(&b, "team/app").await;
    let digest = &image.config.digest;
    for encoding in ["gzip", "zstd", "br, gzip", "x"] {
        let encoded = |method, uri: String| b.ask(method, uri).header("content-encoding", encoding).body("x");
        encoded("PATCH", location.clone()).await.refused(415, "UNSUPPORTED");
        encoded("PUT", format!("{location}?digest={digest}")).await.refused(415, "UNSUPPORTED");
        encoded("POST", format!("/v2/team/app/blobs/uploads/?digest={digest}")).await.refused(415, "UNSUPPORTED");
        encoded("PUT", "/v2/team/app/manifests/v2".into()).await.refused(415, "UNSUPPORTED");
    }
    assert_eq!(range_of(&b, &location).await, "0-0");
    b.patch(&location).header("content-encoding", "identity").body("x").await.expect(202);
    cancel(&b, &location).await;
}

/// hyper's own limit is 100 fields, and its 431 says nothing.
#[tokio::test]
async fn many_small_headers_are_read_and_refused_with_a_sentence_when_they_are_too_large_together() {
    let b = Boxed::new().await;
    let server = b.serve().await;
    for (size, status) in [(1, "HTTP/1.1 200"), (100, "HTTP/1.1 431")] {
        let fields = (0..500).map(|n| format!("X-{n}: {}\r\n", "x".repeat(size))).collect::<Vec<_>>().concat();
        let head = format!("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
        let answer = server.talk(head.as_bytes()).await;
        let says = if size == 1 { "live" } else { "\"errors\"" };
        assert!(answer.starts_with(status) && answer.contains(says), "{answer}");
    }
}

/// protocol.md §1.4, 16: nothing is read from who may not send it
#[tokio::test]
async fn a_body_is_not_asked_for_before_the_sender_is_known() {
    let b = Boxed::new().await;
    let server = b.serve().await;
    for (line, authorization, status) in [
        ("PUT /v2/team/app/manifests/v1", "", 401),
        ("POST /v2/team/app/blobs/uploads/?digest=sha256:bad", "", 401),
        ("PUT /v2/team/app/manifests/v1", "Authorization: Bearer x\r\n", 401),
        (
            "PATCH /v2/team/app/blobs/uploads/00000000-0000-0000-0000-000000000000",
            "Authorization: Basic YWRtaW46c2VjcmV0\r\n",
            404,
        ),
    ] {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: x\r\n{authorization}Expect: 100-continue\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"
        );
        let answer = server.talk(head.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {answer}");
    }
    let stalled = b.put("/v2/team/app/manifests/v1").anonymous().stalled("{");
    let answered = tokio::time::timeout(Duration::from_secs(5), stalled.into_future()).await;
    answered.expect("an answer before the body").refused(401, "UNAUTHORIZED");
}
