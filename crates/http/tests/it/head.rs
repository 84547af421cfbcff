//! HEAD answers what GET does, without the body.

use super::*;

/// goharbor/harbor#13740, goharbor/harbor#13793, yusing/godoxy#169
#[tokio::test]
async fn head_has_the_headers_of_get_on_every_route() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let signature = Draft::artifact("application/x").subject(&image.manifest).content();
    b.push_blob("team/app", &Content::empty_json()).await;
    b.put_manifest("team/app", "sig", &signature).await.expect(201);
    let upload = start(&b, "team/app").await;
    let paths = [
        "/v2/".to_owned(),
        "/v2".into(),
        "/v2/_catalog?n=1".into(),
        "/v2/_oci/ext/discover".into(),
        "/v2/team/app/_oci/ext/discover".into(),
        "/v2/team/app/tags/list?n=1".into(),
        "/v2/team/app/manifests/v1".into(),
        format!("/v2/team/app/manifests/{}", image.manifest.digest),
        format!("/v2/team/app/blobs/{}", image.layers[0].digest),
        format!("/v2/team/app/referrers/{}", image.manifest.digest),
        format!("/v2/team/app/referrers/{}?artifactType=application/x", image.manifest.digest),
        format!("/v2/team/app/blobs/{NOWHERE}"),
        "/v2/team/app/manifests/nowhere".into(),
        "/v2/team/nowhere/tags/list".into(),
        "/nowhere".into(),
        upload.clone(),
        "/livez".into(),
        "/readyz".into(),
        "/v1/_ping".into(),
        "/v1/search?q=app".into(),
    ];
    for path in paths {
        let (get, head) = (b.get(&path).await, b.head(&path).await);
        assert_eq!(get.status, head.status, "{path}");
        assert_eq!(comparable(&get), comparable(&head), "{path}");
        if !get.body.is_empty() {
            assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
        }
    }
    cancel(&b, &upload).await;
}

fn comparable(reply: &Reply) -> Vec<(String, String)> {
    let own = |name: &str| matches!(name, "x-request-id" | "date");
    let pairs = reply.headers.iter().filter(|(name, _)| !own(name.as_str()));
    let mut pairs: Vec<_> = pairs.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    pairs.sort();
    pairs
}

#[tokio::test]
async fn on_the_wire_head_never_has_a_body() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    let server = b.serve().await;
    for (path, status) in [("manifests/v1", 200), ("manifests/nowhere", 404)] {
        let head = format!(
            "HEAD /v2/team/app/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\nConnection: close\r\n\r\n"
        );
        let answer = server.talk(head.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.to_lowercase().contains("content-length: "), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

/// RFC 9110 §8.6: a 204 has no Content-Length, and a 304 none but that of the content it stands for
#[tokio::test]
async fn on_the_wire_204_and_304_announce_no_body() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    let upload = start(&b, "team/app").await;
    let server = b.serve().await;
    for (path, status) in [(&*upload, 204), ("/v2/team/app/manifests/v1", 304)] {
        let get = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\nIf-None-Match: *\r\nConnection: close\r\n\r\n"
        );
        let answer = server.talk(get.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(!answer.to_lowercase().contains("content-length"), "{answer}");
    }
    cancel(&b, &upload).await;
}
