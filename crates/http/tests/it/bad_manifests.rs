//! Manifests that cannot be accepted.

use super::*;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

async fn refused(b: &Boxed, media_type: &str, body: impl Into<Vec<u8>>) -> Reply {
    let body: Vec<u8> = body.into();
    b.put_manifest("team/app", "v1", &Content::new(media_type, body)).await.refused(400, "MANIFEST_INVALID")
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let b = Boxed::new().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", " ", "null", "[]", "1", "\"x\"", "{", "{}x", "{\"a\":}", "\u{feff}{}", "{'a':1}", &deep] {
        for media_type in [IMAGE, INDEX] {
            refused(&b, media_type, body).await;
        }
    }
    refused(&b, IMAGE, vec![b'{', 0xff, b'}']).await;
    refused(&b, IMAGE, vec![0; 1000]).await;
}

/// GHSA-77vh-xpmg-72qh
#[tokio::test]
async fn what_two_readers_read_differently_is_refused() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "good").await;
    let config = image.config.descriptor();
    let both = format!("{{\"schemaVersion\":2,\"config\":{config},\"layers\":[],\"manifests\":[]}}");
    for media_type in [IMAGE, INDEX] {
        refused(&b, media_type, both.clone()).await;
    }
    let twice = format!("{{\"schemaVersion\":2,\"config\":{config},\"layers\":[],\"layers\":[]}}");
    assert!(refused(&b, IMAGE, twice).await.message().contains("twice"));
    refused(&b, IMAGE, format!("{{\"schemaVersion\":2,\"config\":{config},\"Layers\":[],\"layers\":[]}}")).await;
    refused(&b, INDEX, image.manifest.bytes.clone()).await;
    let other = "application/vnd.docker.distribution.manifest.v2+json";
    refused(&b, other, image.manifest.bytes.clone()).await;
    b.get("/v2/team/app/manifests/v1").await.expect(404);
}

#[tokio::test]
async fn members_that_are_not_what_they_must_be_are_refused() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "good").await;
    let draft = || Draft::image(&image.config, &image.layers);
    let digest = image.config.digest.as_str();
    let descriptor = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
    for manifest in [
        draft().without("schemaVersion"),
        draft().set("schemaVersion", 3.into()),
        draft().set("schemaVersion", "2".into()),
        draft().without("config"),
        draft().set("config", "x".into()),
        draft().set("layers", "x".into()),
        draft().set("layers", descriptor("[1]")),
        draft().set("config", descriptor(&format!("{{\"mediaType\":\"a/b\",\"digest\":\"{digest}\",\"size\":-1}}"))),
        draft().set("config", descriptor(&format!("{{\"mediaType\":\"a/b\",\"digest\":\"{digest}\",\"size\":1e300}}"))),
        draft().set("config", descriptor(&format!("{{\"mediaType\":\"a/b\",\"digest\":\"{digest}\",\"size\":\"5\"}}"))),
        draft().set("config", descriptor("{\"mediaType\":\"a/b\",\"digest\":\"sha256:bad\",\"size\":5}")),
        draft().set("config", descriptor("{\"mediaType\":\"a/b\",\"size\":5}")),
        draft().set("subject", "x".into()),
        draft().set("annotations", descriptor("{\"a\":1}")),
        draft().set("annotations", "x".into()),
        draft().set("mediaType", 1.into()),
    ] {
        refused(&b, IMAGE, manifest.content().bytes).await;
    }
}

#[tokio::test]
async fn numbers_too_large_for_anybody_are_refused() {
    let b = Boxed::new().await;
    let digest = NOWHERE;
    for size in ["99999999999999999999999999", "1e999", "18446744073709551616"] {
        let body = format!(
            "{{\"schemaVersion\":2,\"config\":{{\"mediaType\":\"a/b\",\"digest\":\"{digest}\",\"size\":{size}}},\"layers\":[]}}"
        );
        refused(&b, IMAGE, body).await;
    }
}

#[tokio::test]
async fn types_that_are_none_are_refused() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "good").await;
    for media_type in ["x", "a/b/c", "a b/c", "/", "a/", &format!("a/{}", "b".repeat(300))] {
        refused(&b, media_type, image.manifest.bytes.clone()).await;
    }
    let put = b.put("/v2/team/app/manifests/v1").header("content-type", [0xe9]).body(image.manifest.bytes.clone());
    let status = put.await.status.as_u16();
    assert!([201, 400].contains(&status), "{status}");
    refused(&b, "application/json", "{}").await;
}
