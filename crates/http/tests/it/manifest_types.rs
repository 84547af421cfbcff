//! Kinds of manifests that others refused.

use super::*;
use serde_json::json;

async fn accepted(b: &Boxed, manifest: &Content) {
    let reply = b.put_manifest("team/app", "x", manifest).await.expect(201);
    let pulled = b.get(reply.header("location")).await.expect(200);
    assert_eq!((pulled.header("content-type"), &pulled.body), (&*manifest.media_type, &manifest.bytes));
}

/// project-zot/zot#622, #3005, #3104
#[tokio::test]
async fn docker_images_and_lists_are_taken() {
    let b = Boxed::new().await;
    let image = Image::docker();
    b.push("team/app", "v1", &image).await;
    accepted(&b, &image.manifest).await;
    accepted(&b, &Draft::docker_list(&[image.manifest]).content()).await;
}

#[tokio::test]
async fn docker_manifests_can_be_refused_with_a_way_out() {
    let b = Boxed::builder().settings(|s| s.docker_manifests = false).open().await;
    let image = Image::docker();
    for manifest in [&image.manifest, &Draft::docker_list(&[]).content()] {
        let refused = b.put_manifest("team/app", "v1", manifest).await.refused(400, "MANIFEST_INVALID");
        assert!(refused.message().contains("--format oci"), "{}", refused.message());
    }
    b.push_image("team/app", "v1").await;
}

/// moby/buildkit#5747, oras-project/oras#738, aws/containers-roadmap#308, #505, #876
#[tokio::test]
async fn unknown_types_of_config_layer_and_artifact_are_taken() {
    let b = Boxed::new().await;
    let config = Content::new("application/vnd.cncf.helm.config.v1+json", "{\"name\":\"chart\"}");
    let layer = Content::new("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "chart");
    let strange = Content::new("a/b", "strange");
    for blob in [&config, &layer, &strange, &Content::empty_json()] {
        b.push_blob("team/app", blob).await;
    }
    accepted(&b, &Draft::image(&config, &[layer]).content()).await;
    accepted(&b, &Draft::image(&strange, std::slice::from_ref(&strange)).content()).await;
    accepted(&b, &Draft::artifact("application/vnd.example+type").content()).await;
    accepted(&b, &Draft::image(&Content::empty_json(), &[]).content()).await;
}

#[tokio::test]
async fn manifests_of_unknown_types_are_kept_as_they_are() {
    let b = Boxed::new().await;
    accepted(&b, &Content::new("application/vnd.example.manifest+json", "{\"anything\": [1, 2]}")).await;
    let binary = Content::new("application/vnd.example.binary", vec![0xff, 0, 1]);
    b.put_manifest("team/app", "y", &binary).await.refused(400, "MANIFEST_INVALID");
}

#[tokio::test]
async fn legacy_artifact_manifests_are_taken_and_listed() {
    let b = Boxed::new().await;
    let subject = b.push_image("team/app", "v1").await.manifest;
    for media_type in
        ["application/vnd.oci.artifact.manifest.v1+json", "application/vnd.cncf.oras.artifact.manifest.v1+json"]
    {
        let body = json!({
            "mediaType": media_type, "artifactType": "a/b", "blobs": [], "subject": subject.descriptor(),
        });
        accepted(&b, &Content::new(media_type, body.to_string())).await;
    }
    let list = b.get(format!("/v2/team/app/referrers/{}?artifactType=a/b", subject.digest)).await.expect(200);
    assert_eq!(list.json()["manifests"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn docker_schema_1_is_refused_so_that_clients_try_another() {
    let b = Boxed::new().await;
    let body = "{\"schemaVersion\":1,\"name\":\"x\",\"tag\":\"y\",\"fsLayers\":[],\"history\":[]}";
    for media_type in [
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/json",
        "application/vnd.oci.image.manifest.v1+json",
    ] {
        let refused = b.put_manifest("team/app", "v1", &Content::new(media_type, body)).await;
        refused.refused(400, "MANIFEST_INVALID");
    }
}

/// docker/hub-feedback#2132, google/go-containerregistry#1418
#[tokio::test]
async fn foreign_layers_need_not_be_there_and_are_served_if_they_are() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let foreign = |media_type: &str| Content { media_type: media_type.into(), ..Content::random(10) };
    let layers = [
        foreign("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        foreign("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
    ];
    accepted(&b, &Draft::image(&image.config, &layers).content()).await;
    accepted(&b, &Draft::docker(&image.config, &layers).content()).await;
    let mut elsewhere = Content::random(10).descriptor();
    elsewhere["urls"] = json!(["https://example.com/layer"]);
    accepted(&b, &Draft::image(&image.config, &[]).set("layers", json!([elsewhere])).content()).await;
    b.push_blob("team/app", &layers[0]).await;
    assert!(has(&b, "team/app", &layers[0]).await);
}

#[tokio::test]
async fn embedded_data_that_matches_need_not_be_pushed() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let mut descriptor = Content::empty_json().descriptor();
    descriptor["data"] = "e30=".into();
    let draft = Draft::image(&image.config, &image.layers);
    accepted(&b, &draft.clone().set("config", descriptor.clone()).content()).await;
    descriptor["data"] = "eA==".into();
    let wrong = draft.set("config", descriptor).content();
    let refused = b.put_manifest("team/app", "y", &wrong).await.expect(400);
    assert!(["MANIFEST_INVALID", "MANIFEST_BLOB_UNKNOWN"].contains(&&*refused.codes()[0]));
}

/// moby/buildkit#1143, #1550, distribution/distribution#3452
#[tokio::test]
async fn an_index_of_blobs_is_a_build_cache() {
    for strict in [wharf_registry::Strictness::Layers, wharf_registry::Strictness::All] {
        let b = Boxed::builder().settings(|s| s.strictness = strict).open().await;
        let layer = Content::random(100);
        let config = Content::new("application/vnd.buildkit.cacheconfig.v0", "{}");
        b.push_blob("team/app", &layer).await;
        b.push_blob("team/app", &config).await;
        accepted(&b, &Draft::index(&[layer, config]).content()).await;
    }
}

#[tokio::test]
async fn indexes_may_be_empty_and_nested() {
    let b = Boxed::builder().settings(|s| s.strictness = wharf_registry::Strictness::All).open().await;
    let empty = Draft::index(&[]).content();
    accepted(&b, &empty).await;
    let nested = Draft::index(&[empty]).content();
    accepted(&b, &nested).await;
    accepted(&b, &Draft::index(&[nested]).set("artifactType", "a/b".into()).content()).await;
}

#[tokio::test]
async fn custom_fields_are_kept_at_any_depth() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let mut config = image.config.descriptor();
    config["newUnspecifiedField"] = json!({"deep": [{"er": null}]});
    let draft = Draft::image(&image.config, &image.layers).set("config", config);
    accepted(&b, &draft.set("newUnspecifiedField", "x".into()).content()).await;
}

/// curl calls every body a form.
#[tokio::test]
async fn a_form_is_no_manifest_type() {
    let b = Boxed::new().await;
    let put = b.put("/v2/team/app/manifests/v1").header("content-type", "application/x-www-form-urlencoded");
    put.body("{}").await.refused(400, "MANIFEST_INVALID");
}
