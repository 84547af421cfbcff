//! Uploads as a whole: one request, two, or a stream; sessions and their ends.

use bytes::Bytes;

use super::*;

#[tokio::test]
async fn a_session_says_where_it_is() {
    let b = Boxed::new().await;
    for path in ["/v2/team/app/blobs/uploads/", "/v2/team/app/blobs/uploads"] {
        let reply = b.post(path).header("content-type", "application/json").await.expect(202);
        assert_eq!(reply.header("range"), "0-0");
        assert_eq!(reply.header("content-length"), "0");
        let location = reply.header("location");
        let id = location.strip_prefix("/v2/team/app/blobs/uploads/").unwrap();
        assert_eq!(reply.header("docker-upload-uuid"), id);
        assert_eq!(reply.header("wharf-keeps-cut-chunks"), "true");
        cancel(&b, location).await;
    }
}

#[tokio::test]
async fn a_blob_is_pushed_by_post_and_put() {
    let b = Boxed::new().await;
    let blob = Content::random(5000);
    let location = start(&b, "team/app").await;
    let put = b.put(format!("{location}?digest={}", blob.digest)).body(blob.bytes.clone());
    let reply = put.header("content-type", "application/octet-stream").await.expect(201);
    assert_eq!(reply.header("location"), format!("/v2/team/app/blobs/{}", blob.digest));
    assert_eq!(reply.header("docker-content-digest"), blob.digest.as_str());
    assert_eq!(reply.header("content-length"), "0");
    assert!(has(&b, "team/app", &blob).await);
    b.get(&location).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    b.patch(&location).body("x").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn a_blob_is_pushed_by_one_post() {
    let b = Boxed::new().await;
    let (known, chunked) = (Content::random(5000), Content::random(5000));
    let reply = b.push_blob("team/app", &known).await;
    assert_eq!(reply.header("location"), format!("/v2/team/app/blobs/{}", known.digest));
    let post = b.post(format!("/v2/team/app/blobs/uploads/?digest={}", chunked.digest.as_str().replace(':', "%3A")));
    post.chunked(chunked.bytes.clone()).await.expect(201);
    assert!(has(&b, "team/app", &known).await && has(&b, "team/app", &chunked).await);
}

#[tokio::test]
async fn a_post_that_only_announces_its_digest_opens_a_session() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    let reply = b.post(format!("/v2/team/app/blobs/uploads/?digest={}", blob.digest)).body("").await.expect(202);
    assert!(!has(&b, "team/app", &blob).await);
    b.put(format!("{}?digest={}", reply.header("location"), blob.digest)).body(blob.bytes.clone()).await.expect(201);
}

/// opencontainers/distribution-spec#576
#[tokio::test]
async fn a_stream_is_taken_without_content_range() {
    let b = Boxed::new().await;
    let blob = Content::random(5000);
    let location = start(&b, "team/app").await;
    let pieces = blob.bytes.chunks(700).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let reply = b.patch(&location).stream(pieces).await.expect(202);
    assert_eq!(reply.header("range"), "0-4999");
    b.put(format!("{location}?digest={}", blob.digest)).await.expect(201);
    assert!(has(&b, "team/app", &blob).await);
}

/// openai/tart#159
#[tokio::test]
async fn empty_bodies_are_no_errors() {
    let b = Boxed::new().await;
    let empty = Content::new("x/y", "");
    for body in ["content-length", "chunked"] {
        let location = start(&b, "team/app").await;
        let patch = b.patch(&location);
        let patch = if body == "chunked" { patch.chunked("") } else { patch.body("") };
        assert_eq!(patch.await.expect(202).header("range"), "0-0");
        let put = b.put(format!("{location}?digest={}", empty.digest));
        let put = if body == "chunked" { put.chunked("") } else { put };
        put.await.expect(201);
        let post = b.post(format!("/v2/team/{body}/blobs/uploads/?digest={}", empty.digest));
        let post = if body == "chunked" { post.chunked("") } else { post.body("") };
        post.await.expect(201);
        assert!(has(&b, &format!("team/{body}"), &empty).await);
    }
}

#[tokio::test]
async fn content_that_is_not_its_digest_is_refused_and_never_visible() {
    let b = Boxed::new().await;
    let (right, wrong) = (Content::random(100), Content::random(100));
    b.post(format!("/v2/team/app/blobs/uploads/?digest={}", right.digest))
        .body(wrong.bytes.clone())
        .await
        .refused(400, "DIGEST_INVALID");
    let location = start(&b, "team/app").await;
    b.patch(&location).body(wrong.bytes.clone()).await.expect(202);
    let refused = b.put(format!("{location}?digest={}", right.digest)).await.refused(400, "DIGEST_INVALID");
    assert!(refused.message().contains(wrong.digest.as_str()), "says what it found");
    for blob in [&right, &wrong] {
        assert!(!has(&b, "team/app", blob).await);
    }
}

#[tokio::test]
async fn a_bad_digest_parameter_is_400_and_keeps_the_session() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    let location = start(&b, "team/app").await;
    b.patch(&location).body(blob.bytes.clone()).await.expect(202);
    let upper = format!("sha256:{}", blob.digest.hex().to_uppercase());
    for digest in ["", "?digest=", "?digest=sha256:short", "?digest=md5:00", &format!("?digest={upper}"), "?digest=x"] {
        b.put(format!("{location}{digest}")).await.refused(400, "DIGEST_INVALID");
        if !digest.is_empty() {
            b.post(format!("/v2/team/app/blobs/uploads/{digest}")).body("x").await.refused(400, "DIGEST_INVALID");
        }
    }
    b.post("/v2/team/app/blobs/uploads/?digest-algorithm=md5").await.refused(400, "DIGEST_INVALID");
    assert_eq!(range_of(&b, &location).await, "0-99");
    b.put(format!("{location}?digest={}", blob.digest)).await.expect(201);
}

#[tokio::test]
async fn a_session_can_be_cancelled_once() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    b.patch(&location).body("bytes").await.expect(202);
    cancel(&b, &location).await;
    b.delete(&location).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    b.get(&location).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    assert!(b.files("uploads").is_empty());
}

#[tokio::test]
async fn a_session_belongs_to_its_repository_and_its_caller() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    b.push_image("team/other", "v1").await;
    let elsewhere = location.replace("team/app", "team/other");
    for method in ["GET", "PATCH", "PUT", "DELETE"] {
        let uri = format!("{elsewhere}?digest={NOWHERE}");
        b.ask(method, uri).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    }
    cancel(&b, &location).await;
}

#[tokio::test]
async fn a_session_is_not_of_whoever_has_the_same_name_later() {
    let b = Boxed::new().await;
    let make = async || {
        let bob = serde_json::json!({ "name": "bob", "password": "bobs password" });
        b.post("/api/v1/users").json(&bob).await.expect(201);
        b.grant("bob", "team", "writer");
    };
    let ask = |method: &str, uri: &str| b.ask(method, uri).basic("bob", "bobs password");
    cancel(&b, &start(&b, "team/app").await).await;
    make().await;
    let location = ask("POST", "/v2/team/app/blobs/uploads/").await.expect(202).header("location").to_owned();
    ask("PATCH", &location).body("secret").await.expect(202);
    b.delete("/api/v1/users/bob").await.expect(204);
    make().await;
    for method in ["GET", "PATCH", "PUT", "DELETE"] {
        ask(method, &format!("{location}?digest={NOWHERE}")).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    }
    b.clock.advance(Duration::from_hours(25));
    assert_eq!(b.registry.sweep_uploads().await.unwrap(), 1);
}

/// project-zot/zot#2598
#[tokio::test]
async fn abandoned_sessions_expire_with_their_files() {
    let b = Boxed::new().await;
    let (old, touched) = (start(&b, "team/app").await, start(&b, "team/app").await);
    b.patch(&old).body("bytes").await.expect(202);
    b.clock.advance(Duration::from_hours(23));
    b.patch(&touched).body("bytes").await.expect(202);
    assert_eq!(b.registry.sweep_uploads().await.unwrap(), 0);
    b.clock.advance(Duration::from_hours(2));
    assert_eq!(b.registry.sweep_uploads().await.unwrap(), 1);
    b.get(&old).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(range_of(&b, &touched).await, "0-4");
    cancel(&b, &touched).await;
}

/// moby/moby#36823
#[tokio::test]
async fn a_blob_is_there_right_after_its_push() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    let path = format!("/v2/team/app/blobs/{}", blob.digest);
    b.head(&path).await.expect(404);
    b.push_blob("team/app", &blob).await;
    b.head(&path).await.expect(200);
}

/// nexus#967, go-gitea/gitea#19586, containerd/containerd#2706
#[tokio::test]
async fn one_blob_pushed_many_times_at_once_succeeds_everywhere() {
    let b = Boxed::new().await;
    let blob = Content::random(70_000);
    let push = async |n: usize| {
        let name = format!("team/app{}", n % 3);
        let location = start(&b, &name).await;
        b.patch(&location).body(blob.bytes.clone()).await.expect(202);
        b.put(format!("{location}?digest={}", blob.digest)).await.expect(201);
        assert!(has(&b, &name, &blob).await);
    };
    futures_util::future::join_all((0..12).map(push)).await;
    for n in 0..3 {
        assert!(has(&b, &format!("team/app{n}"), &blob).await);
    }
}

/// project-zot/zot#1922
#[tokio::test]
async fn a_push_heals_a_damaged_copy() {
    let b = Boxed::builder().fails().open().await;
    let blob = Content::random(1000);
    b.push_blob("team/app", &blob).await;
    let [file] = &b.files("blobs")[..] else { panic!("one file") };
    std::fs::write(file, "short").unwrap();
    assert!(!has(&b, "team/app", &blob).await, "unknown, so that clients push it again");
    b.head(format!("/v2/team/app/blobs/{}", blob.digest)).await.expect(404);
    b.post(format!("/v2/team/x/blobs/uploads/?mount={}&from=team/app", blob.digest)).await.expect(202);
    b.push_blob("team/other", &blob).await;
    assert!(has(&b, "team/app", &blob).await && has(&b, "team/other", &blob).await);
}

#[tokio::test]
async fn more_uploads_than_allowed_are_told_to_come_back() {
    let b = Boxed::builder().settings(|s| s.running_uploads = 0).open().await;
    let location = start(&b, "team/app").await;
    tokio::time::pause();
    let busy = b.patch(&location).body("bytes").await.refused(429, "TOOMANYREQUESTS");
    assert!(busy.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(range_of(&b, &location).await, "0-0");
    cancel(&b, &location).await;
}

#[tokio::test]
async fn locations_are_relative_and_need_no_more_than_their_id() {
    let b = Boxed::builder().options(|o| o.public_url = Some("https://registry.example".into())).open().await;
    let location = start(&b, "team/app").await;
    assert!(location.starts_with("/v2/"), "distribution/distribution#2225, #928, #996, #479");
    let with_extra = format!("{location}?_state=abc&x=y");
    assert_eq!(b.patch(&with_extra).body("bytes").await.expect(202).header("location"), location);
    cancel(&b, &with_extra).await;
}
