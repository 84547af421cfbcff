//! Pushing manifests.

use super::*;

#[tokio::test]
async fn a_push_by_digest_or_tag_says_where_it_went() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    for reference in ["v2", image.manifest.digest.as_str()] {
        let reply = b.put_manifest("team/app", reference, &image.manifest).await.expect(201);
        assert_eq!(reply.header("location"), format!("/v2/team/app/manifests/{}", image.manifest.digest));
        assert_eq!(reply.header("docker-content-digest"), image.manifest.digest.as_str());
        assert_eq!((reply.header("content-length"), reply.get("oci-subject")), ("0", None));
        b.get(reply.header("location")).await.expect(200);
    }
}

#[tokio::test]
async fn a_manifest_may_come_chunked() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let put = b.put("/v2/team/app/manifests/v2").header("content-type", &image.manifest.media_type);
    put.chunked(image.manifest.bytes.clone()).await.expect(201);
}

#[tokio::test]
async fn bytes_that_are_not_their_digest_are_refused() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    b.put_manifest("team/app", NOWHERE, &image.manifest).await.refused(400, "DIGEST_INVALID");
    for digest in ["sha256:baddigeststring", "sha256:", "md5:00", ":x"] {
        b.put_manifest("team/app", digest, &image.manifest).await.refused(400, "DIGEST_INVALID");
        let get = b.get(format!("/v2/team/app/manifests/{digest}")).await;
        assert!([400, 404].contains(&get.status.as_u16()));
    }
    b.put_manifest("team/app", ".bad", &image.manifest).await.refused(400, "MANIFEST_INVALID");
}

/// containerd/containerd#3110
#[tokio::test]
async fn the_type_is_found_when_the_header_says_nothing() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let untyped = Draft::image(&image.config, &image.layers).without("mediaType").content();
    let index = Draft::index(&[]).without("mediaType").content();
    let docker = Draft::docker(&image.config, &image.layers).content();
    for manifest in [&untyped, &index, &docker] {
        for header in [None, Some("application/json"), Some("application/octet-stream"), Some("")] {
            let put = b.put("/v2/team/app/manifests/x").body(manifest.bytes.clone());
            let put = if let Some(header) = header { put.header("content-type", header) } else { put };
            put.await.expect(201);
            assert_eq!(b.get("/v2/team/app/manifests/x").await.header("content-type"), manifest.media_type);
        }
    }
}

#[tokio::test]
async fn parameters_of_the_type_are_not_stored() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let put = b.put("/v2/team/app/manifests/v2").body(image.manifest.bytes.clone());
    put.header("content-type", format!("{}; charset=utf-8", image.manifest.media_type)).await.expect(201);
    assert_eq!(b.get("/v2/team/app/manifests/v2").await.header("content-type"), image.manifest.media_type);
}

#[tokio::test]
async fn a_push_that_repeats_itself_changes_nothing() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    for _ in 0..3 {
        b.put_manifest("team/app", "v1", &image.manifest).await.expect(201);
    }
    assert_eq!(b.get("/v2/team/app/tags/list").await.strings("tags"), ["v1"]);
}

#[tokio::test]
async fn what_is_missing_is_named_one_by_one_and_nothing_is_stored() {
    let b = Boxed::new().await;
    let image = Image::random();
    let refused = b.put_manifest("team/app", "v1", &image.manifest).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
    let errors = refused.json()["errors"].clone();
    let named: Vec<_> = errors.as_array().unwrap().iter().map(|e| e["detail"]["digest"].as_str().unwrap()).collect();
    assert_eq!(named, [image.config.digest.as_str(), image.layers[0].digest.as_str()]);
    assert!(refused.message().contains("push it first"), "{}", refused.message());
    b.push_blob("team/app", &image.config).await;
    let refused = b.put_manifest("team/app", "v1", &image.manifest).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
    assert_eq!(refused.codes().len(), 1);
    b.head("/v2/team/app/manifests/v1").await.expect(404);
    b.head(format!("/v2/team/app/manifests/{}", image.manifest.digest)).await.expect(404);
}

#[tokio::test]
async fn a_large_manifest_is_whole_to_its_last_byte() {
    let b = Boxed::new().await;
    b.push_blob("team/app", &Content::empty_json()).await;
    let mut draft = Draft::artifact("x/y");
    for n in 0..390 {
        draft = draft.annotation(&format!("key{n}"), &"v".repeat(10_000));
    }
    let subject = Content::random(5);
    let manifest = draft.subject(&subject).content();
    assert!(manifest.bytes.len() > 3_900_000);
    b.put_manifest("team/app", "large", &manifest).await.expect(201);
    assert_eq!(b.get("/v2/team/app/manifests/large").await.body, manifest.bytes);
    let list = b.get(format!("/v2/team/app/referrers/{}", subject.digest)).await.expect(200);
    assert!(list.body.len() < 4 << 20);
    assert!(list.json()["manifests"][0].get("annotations").is_none(), "what no page could hold is left out");
}
