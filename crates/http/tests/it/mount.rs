//! Mounts: a blob that a repository shows without being sent again.

use super::*;

async fn mount(b: &Boxed, name: &str, query: &str) -> Reply {
    b.post(format!("/v2/{name}/blobs/uploads/?{query}")).body("").await
}

/// artifact-keeper/artifact-keeper#3109
#[tokio::test]
async fn a_readable_blob_is_mounted_for_real() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    b.push_blob("team/from", &blob).await;
    let queries = [
        format!("mount={}&from=team/from", blob.digest),
        format!("from=team%2Ffrom&mount={}&origin=docker.io", blob.digest.as_str().replace(':', "%3A")),
        format!("mount={}", blob.digest),
    ];
    for (n, query) in queries.iter().enumerate() {
        let name = format!("team/to{n}");
        let reply = mount(&b, &name, query).await.expect(201);
        assert_eq!(reply.header("location"), format!("/v2/{name}/blobs/{}", blob.digest));
        assert_eq!(reply.header("docker-content-digest"), blob.digest.as_str());
        assert!(has(&b, &name, &blob).await);
    }
    mount(&b, "team/from", &format!("mount={}&from=team/from", blob.digest)).await.expect(201);
}

/// openshift/origin#9593, containerd/containerd#14086, quay/quay#899, GoogleContainerTools/jib#703
#[tokio::test]
async fn what_cannot_be_mounted_becomes_an_upload() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    b.push_blob("team/from", &blob).await;
    for query in [
        format!("mount={NOWHERE}&from=team/from"),
        format!("mount={}&from=team/nowhere", blob.digest),
        format!("mount={}&from=Not/A/Name", blob.digest),
        format!("mount={}&from=", blob.digest),
        "mount=sha256:bad&from=team/from".into(),
        format!("mount={NOWHERE}"),
        "mount=".into(),
        "from=team/from".into(),
    ] {
        let reply = mount(&b, "team/to", &query).await.expect(202);
        let location = reply.header("location").to_owned();
        assert!(location.starts_with("/v2/team/to/blobs/uploads/"), "{query}");
        cancel(&b, &location).await;
    }
    assert!(!has(&b, "team/to", &blob).await);
}

#[tokio::test]
async fn an_upload_after_a_mount_that_failed_works() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    let reply = mount(&b, "team/to", &format!("mount={}&from=team/from", blob.digest)).await.expect(202);
    let put = b.put(format!("{}?digest={}", reply.header("location"), blob.digest));
    put.body(blob.bytes.clone()).await.expect(201);
}

#[tokio::test]
async fn a_deleted_blob_is_not_mounted() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    b.push_blob("team/from", &blob).await;
    b.delete(format!("/v2/team/from/blobs/{}", blob.digest)).await.expect(202);
    for query in [format!("mount={}&from=team/from", blob.digest), format!("mount={}", blob.digest)] {
        let reply = mount(&b, "team/to", &query).await.expect(202);
        cancel(&b, reply.header("location")).await;
    }
}

#[tokio::test]
async fn whoever_may_not_push_learns_nothing_by_mounting() {
    let b = Boxed::new().await;
    let blob = Content::random(100);
    b.push_blob("team/from", &blob).await;
    b.make_user("bob");
    for digest in [blob.digest.as_str(), NOWHERE] {
        let uri = format!("/v2/team/to/blobs/uploads/?mount={digest}&from=team/from");
        b.post(&uri).anonymous().await.refused(401, "UNAUTHORIZED");
        b.post(&uri).bob().await.refused(403, "DENIED");
    }
}
