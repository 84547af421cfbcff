//! SHA-512 wherever SHA-256 goes.

use super::*;

#[tokio::test]
async fn a_blob_is_pushed_by_sha512_with_and_without_a_hint() {
    let b = Boxed::new().await;
    for (name, hint) in
        [("team/plain", ""), ("team/hint", "?digest-algorithm=sha512"), ("team/other", "?digest-algorithm=sha256")]
    {
        let blob = Content::random(5000);
        let digest = blob.sha512();
        let location =
            b.post(format!("/v2/{name}/blobs/uploads/{hint}")).await.expect(202).header("location").to_owned();
        b.patch(&location).body(blob.bytes.slice(..3000)).await.expect(202);
        let put = b.put(format!("{location}?digest={digest}")).body(blob.bytes.slice(3000..));
        let reply = put.await.expect(201);
        assert_eq!(reply.header("docker-content-digest"), digest.as_str());
        let pulled = b.get(reply.header("location")).await.expect(200);
        assert_eq!(
            (pulled.body.clone(), pulled.header("docker-content-digest")),
            (blob.bytes.clone(), digest.as_str())
        );
        assert!(!has(&b, name, &blob).await, "another algorithm is another address");
    }
}

#[tokio::test]
async fn a_blob_is_pushed_in_one_request_and_mounted_by_sha512() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    b.push_blob_as("team/app", &blob, &blob.sha512()).await;
    b.post(format!("/v2/team/to/blobs/uploads/?mount={}&from=team/app", blob.sha512())).await.expect(201);
    assert_eq!(b.get(format!("/v2/team/to/blobs/{}", blob.sha512())).await.expect(200).body, blob.bytes);
    let wrong = Content::random(10).sha512();
    let post = b.post(format!("/v2/team/app/blobs/uploads/?digest={wrong}")).body(blob.bytes.clone());
    post.await.refused(400, "DIGEST_INVALID");
}

/// distribution/distribution#4420
#[tokio::test]
async fn a_manifest_keeps_the_algorithm_it_was_pushed_with() {
    let b = Boxed::new().await;
    let image = Image::random();
    for blob in image.blobs() {
        b.push_blob_as("team/app", blob, &blob.sha512()).await;
    }
    let layers: Vec<_> = image.layers.iter().map(Content::descriptor_512).collect();
    let draft = Draft::image(&image.config, &[]).set("config", image.config.descriptor_512());
    let manifest = draft.set("layers", layers.into()).content();
    let digest = manifest.sha512();
    let reply = b.put_manifest("team/app", format!("{digest}?tag=a&tag=b"), &manifest).await.expect(201);
    assert_eq!(reply.header("docker-content-digest"), digest.as_str());
    assert_eq!(reply.header("location"), format!("/v2/team/app/manifests/{digest}"));
    assert_eq!(reply.all("oci-tag"), ["a", "b"]);
    for reference in ["a", "b", digest.as_str()] {
        for method in ["GET", "HEAD"] {
            let reply = b.ask(method, format!("/v2/team/app/manifests/{reference}")).await.expect(200);
            assert_eq!(reply.header("docker-content-digest"), digest.as_str());
        }
    }
    b.get(format!("/v2/team/app/manifests/{}", manifest.digest)).await.refused(404, "MANIFEST_UNKNOWN");
}

/// opencontainers/distribution-spec#494
#[tokio::test]
async fn referrers_are_found_by_exactly_the_digest_they_name() {
    let b = Boxed::new().await;
    b.push_blob("team/app", &Content::empty_json()).await;
    let subject = b.push_image("team/app", "v1").await.manifest;
    let about_512 = Draft::artifact("x/y").set("subject", subject.descriptor_512()).content();
    let reply = b.put_manifest("team/app", about_512.sha512(), &about_512).await.expect(201);
    assert_eq!(reply.header("oci-subject"), subject.sha512().as_str());
    let listed = async |digest: &str| {
        let reply = b.get(format!("/v2/team/app/referrers/{digest}")).await.expect(200);
        let manifests = reply.json()["manifests"].clone();
        manifests.as_array().unwrap().iter().map(|m| m["digest"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(subject.sha512().as_str()).await, [about_512.sha512().to_string()]);
    assert_eq!(listed(subject.digest.as_str()).await, [""; 0]);
}

#[tokio::test]
async fn a_tag_push_may_name_its_digest() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let reference = format!("v2?digest={}", image.manifest.sha512());
    let reply = b.put_manifest("team/app", reference, &image.manifest).await.expect(201);
    assert_eq!(reply.header("docker-content-digest"), image.manifest.sha512().as_str());
    b.put_manifest("team/app", format!("v3?digest={NOWHERE}"), &image.manifest).await.refused(400, "DIGEST_INVALID");
    b.head("/v2/team/app/manifests/v3").await.expect(404);
}
