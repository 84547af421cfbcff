//! Mounts, manifests, and what refers to them.

use super::*;

#[tokio::test]
async fn a_mount_that_begins_an_upload_or_fails_is_none() {
    let scene = Scene::new().await;
    scene.fake.hold_blob("team/base", &scene.blob);
    let mount = async || scene.repository.mount(&scene.blob.digest, &name("team/base")).await;
    scene.spoil("POST", 1, |_| Answer::new(202).set("location", "/v2/team/app/blobs/uploads/other"));
    assert!(!mount().await.unwrap());
    assert_eq!(scene.fake.count("DELETE /v2/team/app/blobs/uploads/other"), 1);
    for status in [400, 401, 403, 404, 405] {
        scene.spoil("POST", 1, move |_| Answer::new(status));
        if status == 401 {
            // What cannot be answered is an error of its own: it will be one for the push as well.
            mount().await.unwrap_err();
        } else {
            assert!(!mount().await.unwrap(), "{status}");
        }
    }
    scene.fake.behave();
    assert!(mount().await.unwrap());
    assert!(scene.fake.blob("team/app", scene.blob.digest.as_str()).is_some());
}

#[tokio::test]
async fn a_manifest_has_to_be_said_to_be_taken() {
    let (scene, image) = (Scene::new().await, Image::random());
    let media_type = MediaType::parse(&image.manifest.media_type).unwrap();
    let put = async || scene.repository.put_manifest(&reference("v1"), &media_type, image.manifest.bytes.clone()).await;
    let other = Bytes::random(1).digest;
    scene.spoil("PUT", 1, |_| Answer::html());
    assert!(matches!(put().await, Err(Error::NotUnderstood { .. })));
    scene.spoil("PUT", 1, move |answer| answer.set("docker-content-digest", &other));
    assert!(matches!(put().await, Err(Error::WrongDigest { .. })));
    let missing =
        serde_json::json!({ "errors": [{ "code": "MANIFEST_BLOB_UNKNOWN", "message": "push the layer first" }] });
    scene.spoil("PUT", 1, move |_| Answer::new(400).json(&missing));
    let error = put().await.unwrap_err().to_string();
    assert!(error.contains("team/app: cannot push manifest v1: push the layer first"), "{error}");
    scene.spoil("PUT", 1, Answer::silent);
    put().await.unwrap();
    scene.spoil("PUT", 1, |answer| answer.status(200));
    put().await.unwrap();
    let by_digest = wharf_oci::Reference::Digest(scene.blob.digest.clone());
    let error = scene.repository.put_manifest(&by_digest, &media_type, image.manifest.bytes.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
}

#[tokio::test]
async fn what_refers_is_listed_by_the_registry_or_under_a_tag() {
    for has_api in [true, false] {
        let (scene, image) = (Scene::new().await, Image::random());
        if !has_api {
            scene.fake.without_referrers();
        }
        let draft =
            |kind: &str, at: &str| Draft::artifact(kind).subject(&image.manifest).annotation("at", at).content();
        let (signature, sbom) = (draft("application/sig", "1"), draft("application/sbom", "2"));
        let repository = &scene.repository;
        let found = async |kind| {
            let found = repository.referrers(&image.manifest.digest, kind).await.unwrap();
            found.into_iter().map(|found| (found.digest, found.artifact_type.unwrap_or_default())).collect::<Vec<_>>()
        };
        assert_eq!(found(None).await, []);
        for manifest in [&signature, &sbom, &signature] {
            let by_digest = wharf_oci::Reference::Digest(manifest.digest.clone());
            let media_type = MediaType::parse(&manifest.media_type).unwrap();
            let pushed = repository.put_manifest(&by_digest, &media_type, manifest.bytes.clone()).await.unwrap();
            assert_eq!(pushed.subject, has_api.then(|| image.manifest.digest.clone()));
        }
        let one = (signature.digest.clone(), "application/sig".to_owned());
        let two = (sbom.digest.clone(), "application/sbom".to_owned());
        let mut all = found(None).await;
        all.sort();
        let mut wanted = vec![one.clone(), two.clone()];
        wanted.sort();
        assert_eq!(all, wanted);
        assert_eq!(found(Some("application/sig")).await, std::slice::from_ref(&one));
        let tag = image.manifest.digest.as_str().replace(':', "-");
        assert_eq!(scene.fake.manifest("team/app", &tag).is_some(), !has_api);
        repository.delete(&wharf_oci::Reference::Digest(sbom.digest.clone())).await.unwrap();
        assert_eq!(found(None).await, [one]);
    }
}

#[tokio::test]
async fn a_list_under_a_tag_that_others_write_at_the_same_time_loses_nothing() {
    let (scene, image) = (Scene::new().await, Image::random());
    scene.fake.without_referrers();
    let drafts: Vec<Bytes> = (0..4)
        .map(|at| Draft::artifact("application/x").subject(&image.manifest).annotation("at", &at.to_string()).content())
        .collect();
    let push = async |manifest: &Bytes| {
        let by_digest = wharf_oci::Reference::Digest(manifest.digest.clone());
        let media_type = MediaType::parse(&manifest.media_type).unwrap();
        scene.repository.put_manifest(&by_digest, &media_type, manifest.bytes.clone()).await.unwrap();
    };
    push(&drafts[0]).await;
    // Another's write lands in between: ours is lost, noticed, and written again.
    let tag = image.manifest.digest.as_str().replace(':', "-");
    let theirs = scene.fake.manifest("team/app", &tag).unwrap();
    let pattern = format!("PUT /v2/team/app/manifests/{tag}");
    push(&drafts[1]).await;
    scene.fake.hold_manifest("team/app", &tag, &Bytes::new(MediaType::OCI_INDEX, theirs));
    push(&drafts[1]).await;
    assert_eq!(scene.repository.referrers(&image.manifest.digest, None).await.unwrap().len(), 2);
    // One who keeps writers apart says so.
    scene.fake.spoil(&pattern, 1, |_, _| Answer::new(412));
    push(&drafts[2]).await;
    assert_eq!(scene.repository.referrers(&image.manifest.digest, None).await.unwrap().len(), 3);
    let conditions: Vec<_> = scene
        .fake
        .asked()
        .iter()
        .filter(|request| request.is(&pattern))
        .map(|request| (request.header("if-match").is_some(), request.header("if-none-match").is_some()))
        .collect();
    assert_eq!(conditions.first(), Some(&(false, true)));
    assert!(conditions[1..].iter().all(|condition| *condition == (true, false)), "{conditions:?}");
}

#[tokio::test]
async fn a_page_in_the_place_of_the_referrers_is_as_good_as_none() {
    // sigstore/sigstore-js#1187
    let (scene, image) = (Scene::new().await, Image::random());
    scene.spoil("GET /v2/team/app/referrers/", usize::MAX, |_| Answer::html());
    assert!(scene.repository.referrers(&image.manifest.digest, None).await.unwrap().is_empty());
    scene.fake.behave();
    scene.spoil("GET /v2/team/app/referrers/", usize::MAX, |answer| answer.status(403));
    assert!(matches!(scene.repository.referrers(&image.manifest.digest, None).await, Err(Error::Denied { .. })));
    scene.fake.behave();
    scene.spoil("GET /v2/team/app/referrers/", usize::MAX, |answer| answer.set("link", "<?again>; rel=\"next\""));
    let error = scene.repository.referrers(&image.manifest.digest, None).await.unwrap_err();
    assert!(error.to_string().contains("round in circles"), "{error}");
}
