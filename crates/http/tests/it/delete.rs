//! Deleting tags, manifests and blobs.

use super::*;

async fn status(b: &Boxed, reference: impl std::fmt::Display) -> u16 {
    b.get(format!("/v2/team/app/manifests/{reference}")).await.status.as_u16()
}

/// distribution/distribution#1566, goharbor/harbor#2663, #6679
#[tokio::test]
async fn a_tag_goes_alone() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    b.put_manifest("team/app", "v2", &image.manifest).await.expect(201);
    b.delete("/v2/team/app/manifests/v1").await.expect(202);
    assert_eq!(status(&b, "v1").await, 404);
    assert_eq!(status(&b, "v2").await, 200);
    assert_eq!(status(&b, &image.manifest.digest).await, 200);
    assert_eq!(b.get("/v2/team/app/tags/list").await.strings("tags"), ["v2"]);
    b.delete("/v2/team/app/manifests/v1").await.refused(404, "MANIFEST_UNKNOWN");
}

/// distribution/distribution#1293, nora#658
#[tokio::test]
async fn a_manifest_takes_its_tags_along() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    b.put_manifest("team/app", "v2", &image.manifest).await.expect(201);
    b.push_image("team/app", "other").await;
    b.delete(format!("/v2/team/app/manifests/{}", image.manifest.digest)).await.expect(202);
    for reference in ["v1", "v2", image.manifest.digest.as_str()] {
        assert_eq!(status(&b, reference).await, 404);
        b.head(format!("/v2/team/app/manifests/{reference}")).await.expect(404);
    }
    assert_eq!(b.get("/v2/team/app/tags/list").await.strings("tags"), ["other"]);
    let again = b.delete(format!("/v2/team/app/manifests/{}", image.manifest.digest)).await;
    again.refused(404, "MANIFEST_UNKNOWN");
}

/// project-zot/zot#67, #1733
#[tokio::test]
async fn what_other_repositories_share_stays_there() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    b.push("team/other", "v1", &image).await;
    b.delete(format!("/v2/team/app/manifests/{}", image.manifest.digest)).await.expect(202);
    for blob in image.blobs() {
        b.delete(format!("/v2/team/app/blobs/{}", blob.digest)).await.expect(202);
        assert!(!has(&b, "team/app", blob).await);
        assert!(has(&b, "team/other", blob).await);
        b.delete(format!("/v2/team/app/blobs/{}", blob.digest)).await.refused(404, "BLOB_UNKNOWN");
    }
    b.get("/v2/team/other/manifests/v1").await.expect(200);
}

#[tokio::test]
async fn blobs_may_go_before_their_manifest() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    for blob in image.blobs() {
        b.delete(format!("/v2/team/app/blobs/{}", blob.digest)).await.expect(202);
    }
    assert_eq!(status(&b, "v1").await, 200);
    b.delete(format!("/v2/team/app/manifests/{}", image.manifest.digest)).await.expect(202);
}

#[tokio::test]
async fn children_of_a_deleted_index_stay() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let index = Draft::index(std::slice::from_ref(&image.manifest)).content();
    b.put_manifest("team/app", "list", &index).await.expect(201);
    b.delete(format!("/v2/team/app/manifests/{}", image.manifest.digest)).await.expect(202);
    assert_eq!(status(&b, "list").await, 200, "a child may go while an index names it");
    b.push("team/app", "v1", &image).await;
    b.delete(format!("/v2/team/app/manifests/{}", index.digest)).await.expect(202);
    assert_eq!(status(&b, "v1").await, 200);
}

#[tokio::test]
async fn what_was_deleted_can_be_pushed_again() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    for _ in 0..2 {
        b.delete(format!("/v2/team/app/manifests/{}", image.manifest.digest)).await.expect(202);
        for blob in image.blobs() {
            b.delete(format!("/v2/team/app/blobs/{}", blob.digest)).await.expect(202);
        }
        b.push("team/app", "v1", &image).await;
        assert_eq!(status(&b, "v1").await, 200);
    }
}

#[tokio::test]
async fn nothing_is_deleted_where_there_is_nothing() {
    let b = Boxed::new().await;
    b.delete(format!("/v2/team/nowhere/blobs/{NOWHERE}")).await.refused(404, "NAME_UNKNOWN");
    b.delete("/v2/team/nowhere/manifests/v1").await.refused(404, "NAME_UNKNOWN");
    b.delete("/v2/team/app/blobs/sha256:bad").await.refused(400, "DIGEST_INVALID");
    b.delete("/v2/team/app/manifests/sha256:bad").await.refused(400, "DIGEST_INVALID");
}
