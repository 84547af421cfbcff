//! Which references of a manifest must be there: `strict = layers | all | none`.

use wharf_registry::Strictness;

use super::*;

async fn boxed(strictness: Strictness) -> Boxed {
    Boxed::builder().settings(|s| s.strictness = strictness).open().await
}

/// distribution/distribution#3536, opencontainers/distribution-spec#310, regclient/regclient#836
#[tokio::test]
async fn sparse_indexes_are_taken_unless_all_is_asked_for() {
    let sparse = Draft::index(&[Image::random().manifest]).content();
    for (strictness, status) in [(Strictness::Layers, 201), (Strictness::None, 201), (Strictness::All, 400)] {
        let b = boxed(strictness).await;
        b.put_manifest("team/app", "v1", &sparse).await.expect(status);
    }
}

#[tokio::test]
async fn images_without_their_layers_are_taken_only_under_none() {
    let image = Image::random();
    for (strictness, status) in [(Strictness::Layers, 400), (Strictness::None, 201), (Strictness::All, 400)] {
        let b = boxed(strictness).await;
        b.put_manifest("team/app", "v1", &image.manifest).await.expect(status);
    }
}

/// sigstore/cosign: `cosign load` writes signatures before their layers
#[tokio::test]
async fn a_manifest_about_another_may_come_before_its_layers() {
    let signature = Draft::image(&Content::random(9), &[Content::random(9)]).subject(&Content::random(9)).content();
    for (strictness, status) in [(Strictness::Layers, 201), (Strictness::None, 201), (Strictness::All, 400)] {
        let b = boxed(strictness).await;
        b.put_manifest("team/app", "v1", &signature).await.expect(status);
    }
}

/// oras-project/oras#666, docker/hub-feedback#2307, distribution/distribution#4927, project-zot/zot#1424
#[tokio::test]
async fn a_subject_is_never_required() {
    for strictness in [Strictness::Layers, Strictness::None, Strictness::All] {
        let b = boxed(strictness).await;
        b.push_blob("team/app", &Content::empty_json()).await;
        let subject = Content::random(9);
        let artifact = Draft::artifact("a/b").subject(&subject).content();
        let reply = b.put_manifest("team/app", "v1", &artifact).await.expect(201);
        assert_eq!(reply.header("oci-subject"), subject.digest.as_str());
        let index = Draft::index(&[]).subject(&subject).content();
        b.put_manifest("team/app", "v2", &index).await.expect(201);
    }
}

#[tokio::test]
async fn what_is_missing_stays_visible_as_such() {
    let b = boxed(Strictness::None).await;
    let image = Image::random();
    b.put_manifest("team/app", "v1", &image.manifest).await.expect(201);
    b.get(format!("/v2/team/app/blobs/{}", image.layers[0].digest)).await.refused(404, "BLOB_UNKNOWN");
    b.push_blob("team/app", &image.layers[0]).await;
    assert!(has(&b, "team/app", &image.layers[0]).await);
}
