//! Reading blobs and manifests.

use super::*;

#[tokio::test]
async fn a_pushed_image_is_pulled_as_it_was() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    for blob in image.blobs() {
        let reply = b.get(format!("/v2/team/app/blobs/{}", blob.digest)).await.expect(200);
        assert_eq!(reply.body, blob.bytes);
        assert_eq!(reply.header("content-type"), "application/octet-stream");
        assert_eq!(reply.header("accept-ranges"), "bytes");
        assert!(reply.header("cache-control").contains("max-age=31536000"));
        assert_eq!(reply.header("content-length"), blob.bytes.len().to_string());
    }
    for reference in ["v1", image.manifest.digest.as_str()] {
        let reply = b.get(format!("/v2/team/app/manifests/{reference}")).await.expect(200);
        assert_eq!(reply.body, image.manifest.bytes);
        assert_eq!(reply.header("content-type"), image.manifest.media_type);
        assert_eq!(reply.get("cache-control").map(|v| v.contains("31536000")), None, "a tag moves");
    }
}

/// containerd/containerd#3238, #5124, #3110; distribution/distribution#3792, #1564, #2098
#[tokio::test]
async fn the_digest_is_named_on_head_and_get_of_everything() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let manifest = image.manifest.digest.as_str();
    let layer = image.layers[0].digest.as_str();
    let paths = [
        ("manifests/v1".to_owned(), manifest),
        (format!("manifests/{manifest}"), manifest),
        (format!("blobs/{layer}"), layer),
    ];
    for (path, digest) in &paths {
        for method in ["GET", "HEAD"] {
            let reply = b.ask(method, format!("/v2/team/app/{path}")).await.expect(200);
            assert_eq!(reply.header("docker-content-digest"), *digest);
            assert_eq!(reply.header("etag"), format!("\"{digest}\""));
            assert_eq!(reply.header("docker-distribution-api-version"), "registry/2.0");
        }
    }
}

/// containerd/containerd#3323, oras-project/oras#1626, project-zot/zot#3307
#[tokio::test]
async fn a_manifest_is_never_written_anew() {
    let b = Boxed::new().await;
    let empty = Content::empty_json();
    b.push_blob("team/app", &empty).await;
    let json = format!(
        "{{\n\t\"schemaVersion\" : 2,  \"layers\":[ ],\"newUnspecifiedField\": {{\"n\": 1.50, \"s\":\"\\u00e9\"}},\n\
         \"config\": {}\n}}\n\n",
        empty.descriptor()
    );
    let manifest = Content::new("application/vnd.oci.image.manifest.v1+json", json);
    b.put_manifest("team/app", "v1", &manifest).await.expect(201);
    assert_eq!(b.get("/v2/team/app/manifests/v1").await.expect(200).body, manifest.bytes);
}

/// distribution/distribution#3718, #2395, #1444; XiangRongLin/docker-drag#41, eclipse/che#2082
#[tokio::test]
async fn accept_never_changes_what_is_answered() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let list = Draft::docker_list(std::slice::from_ref(&image.manifest)).content();
    b.put_manifest("team/app", "list", &list).await.expect(201);
    let accepts = [
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.oci.image.index.v1+json;q=0.5, */*;q=0.1",
        "text/html",
        "*/*",
        "garbage;;;",
    ];
    for (tag, manifest) in [("v1", &image.manifest), ("list", &list)] {
        let path = format!("/v2/team/app/manifests/{tag}");
        let mut replies = vec![b.get(&path).await];
        for accept in accepts {
            replies.push(b.get(&path).header("accept", accept).also("accept", "application/json").await);
        }
        for reply in replies {
            let reply = reply.expect(200);
            assert_eq!((reply.header("content-type"), &reply.body), (&*manifest.media_type, &manifest.bytes));
        }
    }
}

/// moby/moby#17595, quay/quay#1310
#[tokio::test]
async fn content_is_never_encoded_on_the_way() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    for path in [format!("blobs/{}", image.layers[0].digest), "manifests/v1".into()] {
        let get = b.get(format!("/v2/team/app/{path}")).header("accept-encoding", "zstd, gzip, deflate");
        let reply = get.await.expect(200);
        assert_eq!(reply.get("content-encoding"), None);
        assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    }
}

/// containerd/containerd#7390
#[tokio::test]
async fn a_manifest_is_no_blob_to_head_nor_to_get() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let path = format!("/v2/team/app/blobs/{}", image.manifest.digest);
    b.head(&path).await.expect(404);
    b.get(&path).await.refused(404, "BLOB_UNKNOWN");
}

/// artifact-keeper/artifact-keeper#1681
#[tokio::test]
async fn an_untagged_manifest_stays_pullable() {
    let b = Boxed::new().await;
    let first = b.push_image("team/app", "v1").await;
    b.push_image("team/app", "v1").await;
    b.get(format!("/v2/team/app/manifests/{}", first.manifest.digest)).await.expect(200);
    b.delete("/v2/team/app/manifests/v1").await.expect(202);
    b.get(format!("/v2/team/app/manifests/{}", first.manifest.digest)).await.expect(200);
}

#[tokio::test]
async fn what_is_not_there_is_404_with_its_code() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    for (path, code) in [
        (format!("/v2/team/app/blobs/{NOWHERE}"), "BLOB_UNKNOWN"),
        (format!("/v2/team/app/manifests/{NOWHERE}"), "MANIFEST_UNKNOWN"),
        ("/v2/team/app/manifests/nowhere".into(), "MANIFEST_UNKNOWN"),
        ("/v2/team/app/manifests/.INVALID_MANIFEST_NAME".into(), "MANIFEST_UNKNOWN"),
        ("/v2/team/nowhere/tags/list".into(), "NAME_UNKNOWN"),
        ("/v2/team/nowhere/manifests/v1".into(), "NAME_UNKNOWN"),
        (format!("/v2/team/nowhere/blobs/{NOWHERE}"), "NAME_UNKNOWN"),
    ] {
        b.get(&path).await.refused(404, code);
        b.head(&path).await.expect(404);
    }
}

#[tokio::test]
async fn a_blob_of_another_repository_is_not_there() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    b.push_image("team/other", "v1").await;
    assert!(!has(&b, "team/other", &image.layers[0]).await);
    b.get(format!("/v2/team/other/manifests/{}", image.manifest.digest)).await.refused(404, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    b.get("/v2/team/app/manifests/v1?ns=docker.io&x=%zz&=").await.expect(200);
    b.get(format!("/v2/team/app/blobs/{}?ns=docker.io", image.layers[0].digest)).await.expect(200);
}

#[tokio::test]
async fn a_path_is_decoded_once() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let digest = image.layers[0].digest.as_str();
    b.get(format!("/v2/team/app/blobs/{}", digest.replace(':', "%3A"))).await.expect(200);
    b.get("/v2/team/%61pp/manifests/%76%31").await.expect(200);
    b.get(format!("/v2/team/app/blobs/{}", digest.replace(':', "%253A"))).await.refused(400, "DIGEST_INVALID");
    b.get("/v2/team%2Fapp/manifests/v1").await.refused(400, "NAME_INVALID");
}

#[tokio::test]
async fn one_component_means_library_and_replies_say_what_was_asked() {
    let b = Boxed::new().await;
    let image = b.push_image("alpine", "v1").await;
    let (short, long) = ("/v2/alpine", "/v2/library/alpine");
    for path in [short, long] {
        b.get(format!("{path}/manifests/v1")).await.expect(200);
        assert_eq!(b.get(format!("{path}/tags/list?n=1")).await.json()["name"], path[4..]);
        let reply = b.put_manifest(&path[4..], "v2", &image.manifest).await.expect(201);
        assert_eq!(reply.header("location"), format!("{path}/manifests/{}", image.manifest.digest));
        let upload = start(&b, &path[4..]).await;
        assert!(upload.starts_with(&format!("{path}/blobs/uploads/")), "{upload}");
        let next = b.get(format!("{path}/tags/list?n=1")).await.next().unwrap();
        assert!(next.starts_with(&format!("{path}/tags/list?")), "{next}");
        cancel(&b, &upload).await;
    }
    assert_eq!(b.get("/v2/_catalog").await.strings("repositories"), ["library/alpine"]);
    let challenge = b.get("/v2/alpine/tags/list").anonymous().await.expect(401);
    assert!(challenge.header("www-authenticate").contains("scope=\"repository:alpine:pull\""));
}

#[tokio::test]
async fn names_may_hold_the_words_that_routes_are_made_of() {
    let b = Boxed::new().await;
    for name in ["a/blobs/b", "manifests/x", "x/tags", "tags/list", "a/referrers", "x/blobs/uploads/y"] {
        b.push_image(name, "v1").await;
        b.get(format!("/v2/{name}/manifests/v1")).await.expect(200);
        b.get(format!("/v2/{name}/tags/list")).await.expect(200);
    }
}

#[tokio::test]
async fn extensions_say_that_they_can_be_discovered() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    for path in ["/v2/_oci/ext/discover", "/v2/team/app/_oci/ext/discover"] {
        let extension = &b.get(path).await.expect(200).json()["extensions"][0];
        assert_eq!(extension["name"], "_oci");
        for member in ["description", "url"] {
            assert!(extension[member].is_string());
        }
        assert_eq!(extension["endpoints"][0], "_oci/ext/discover");
    }
    b.get("/v2/team/nowhere/_oci/ext/discover").await.refused(404, "NAME_UNKNOWN");
}
