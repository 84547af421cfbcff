//! Connections that break or stall: what arrived is kept, and the upload goes on from there.

use bytes::Bytes;

use super::*;

fn broken() -> std::io::Error {
    std::io::ErrorKind::ConnectionReset.into()
}

/// `0-n` to the bytes held; `0-0` is taken for none, as by clients.
fn held(range: &str) -> usize {
    let last: usize = range.strip_prefix("0-").unwrap().parse().unwrap();
    if last == 0 { 0 } else { last + 1 }
}

async fn finish(b: &Boxed, location: &str, blob: &Content) {
    let from = held(&range_of(b, location).await);
    let patch = b.patch(location).header("content-range", format!("{from}-{}", blob.bytes.len() - 1));
    patch.body(blob.bytes.slice(from..)).await.expect(202);
    b.put(format!("{location}?digest={}", blob.digest)).await.expect(201);
    assert!(has(b, "team/app", blob).await);
}

#[tokio::test]
async fn what_arrived_before_a_cut_is_kept() {
    let b = Boxed::new().await;
    let blob = Content::random(5000);
    for method in ["PATCH", "PUT"] {
        for cut in [0, 1, 700, 4999] {
            let location = start(&b, "team/app").await;
            let pieces = vec![Ok(blob.bytes.slice(..cut)), Err(broken())];
            let uri = format!("{location}?digest={}", blob.digest);
            b.ask(method, uri).stream(pieces).await.refused(400, "BLOB_UPLOAD_INVALID");
            let expected = format!("0-{}", cut.max(1) - 1);
            assert_eq!(range_of(&b, &location).await, expected, "{method} {cut}");
            finish_from(&b, &location, &blob, cut).await;
        }
    }
}

async fn finish_from(b: &Boxed, location: &str, blob: &Content, from: usize) {
    let patch = b.patch(location).header("content-range", format!("{from}-{}", blob.bytes.len() - 1));
    patch.body(blob.bytes.slice(from..)).await.expect(202);
    b.put(format!("{location}?digest={}", blob.digest)).await.expect(201);
    assert!(has(b, "team/app", blob).await);
}

#[tokio::test]
async fn a_one_request_push_that_is_cut_leaves_nothing() {
    let b = Boxed::new().await;
    let blob = Content::random(5000);
    let post = b.post(format!("/v2/team/app/blobs/uploads/?digest={}", blob.digest));
    let pieces = vec![Ok(blob.bytes.slice(..700)), Err(broken())];
    post.stream(pieces).await.refused(400, "BLOB_UPLOAD_INVALID");
    assert!(b.files("uploads").is_empty() && b.files("blobs").is_empty());
    let put = b.put("/v2/team/app/manifests/v1").stream(vec![Ok(Bytes::from("{")), Err(broken())]);
    put.await.expect(400);
}

#[tokio::test]
async fn a_body_that_stalls_is_408_and_the_upload_goes_on() {
    let b = Boxed::builder().options(|o| o.body_idle = Duration::from_millis(50)).open().await;
    let blob = Content::random(5000);
    let location = start(&b, "team/app").await;
    let reply = b.patch(&location).stalled(blob.bytes.slice(..700)).await.refused(408, "BLOB_UPLOAD_INVALID");
    assert_eq!(reply.header("connection"), "close");
    assert_eq!(range_of(&b, &location).await, "0-699");
    finish(&b, &location, &blob).await;
    b.put("/v2/team/app/manifests/v1").stalled("{").await.expect(408);
    b.post("/token").anonymous().stalled("grant").await.expect(408);
}

#[tokio::test]
async fn over_a_real_socket_a_cut_upload_goes_on_from_its_range() {
    let b = Boxed::new().await;
    let server = b.serve().await;
    let blob = Content::random(200_000);
    for cut in [1_000, 10_000, 199_999] {
        let location = start(&b, "team/app").await;
        let head = format!(
            "PATCH {location} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\nContent-Length: 200000\r\n\r\n"
        );
        server.cut_after(&[head.as_bytes(), &blob.bytes[..cut]].concat()).await;
        let range = settled_range(&b, &location).await;
        assert!(held(&range) <= cut, "{range}: never more than was sent");
        finish(&b, &location, &blob).await;
    }
}

/// The handler outlives its connection; wait until it has said how far it came.
async fn settled_range(b: &Boxed, location: &str) -> String {
    let mut before = String::new();
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = range_of(b, location).await;
        if now == before {
            return now;
        }
        before = now;
    }
}

#[tokio::test]
async fn a_cut_at_any_byte_of_a_request_leaves_a_server_that_answers() {
    let b = Boxed::new().await.leaving_uploads();
    let server = b.serve().await;
    let request = "POST /v2/team/app/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n\
                   Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for cut in (0..request.len()).step_by(7) {
        server.cut_after(&request.as_bytes()[..cut]).await;
    }
    let answer = server.talk(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn bad_framing_is_refused_on_the_wire() {
    let b = Boxed::new().await;
    let server = b.serve().await;
    for head in [
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n",
        "GET /v2/ HTTP/9.9\r\nHost: x\r\n\r\n",
        "\0\0\0\r\n\r\n",
    ] {
        let answer = server.talk(head.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
    }
}
