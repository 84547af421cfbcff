//! What no client should send: an error body with a sentence, never a panic, never a 5xx.

use super::*;

#[tokio::test]
async fn names_outside_the_grammar_are_400() {
    let b = Boxed::new().await;
    for name in [
        "UPPER",
        "team/App",
        "a..b",
        "a__-b",
        "-a",
        "a-",
        "a//b",
        "/a",
        "_a",
        "a/_b",
        "a.",
        "%2e%2e",
        "..",
        "a/../b",
        "%2E%2E/%2E%2E/etc",
        "a%00b",
        "a%20b",
        "%C3%A9",
        "a%2Fb",
        "a%0d%0aX-Y:z",
        "a:b",
        "a@b",
        "~",
        "a/%2e/b",
    ] {
        for path in ["tags/list", "manifests/v1", &format!("blobs/{NOWHERE}"), &format!("referrers/{NOWHERE}")] {
            let reply = b.get(format!("/v2/{name}/{path}")).await.refused(400, "NAME_INVALID");
            assert!(reply.get("x-y").is_none());
        }
        b.post(format!("/v2/{name}/blobs/uploads/")).await.refused(400, "NAME_INVALID");
        b.put(format!("/v2/{name}/manifests/v1")).body("{}").await.refused(400, "NAME_INVALID");
    }
}

#[tokio::test]
async fn escapes_that_are_none_are_400() {
    let b = Boxed::new().await;
    for name in ["%", "%2", "%zz", "a%f", "%ff%fe"] {
        b.get(format!("/v2/{name}/tags/list")).await.refused(400, "NAME_INVALID");
    }
}

#[tokio::test]
async fn a_name_has_255_characters_at_most() {
    let b = Boxed::new().await;
    b.push_image(&"x".repeat(247), "v1").await;
    b.get(format!("/v2/library/{}/manifests/v1", "x".repeat(247))).await.expect(200);
    b.get(format!("/v2/{}/tags/list", "x".repeat(248))).await.refused(400, "NAME_INVALID");
    b.push_image(&format!("{}y", "x/".repeat(127)), "v1").await;
    b.get(format!("/v2/x/{}/tags/list", "x".repeat(254))).await.refused(400, "NAME_INVALID");
    b.post(format!("/v2/{}/blobs/uploads/", "x".repeat(256))).await.refused(400, "NAME_INVALID");
}

#[tokio::test]
async fn digests_outside_the_grammar_are_400() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    let hex = &NOWHERE[7..];
    for digest in [
        "sha256:totallywrong".to_owned(),
        format!("sha256:{}", "A".repeat(64)),
        format!("SHA256:{hex}"),
        format!("sha256:{hex}0"),
        format!("sha512:{hex}"),
        format!("sha256{hex}"),
        format!("sha256::{hex}"),
        "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709".into(),
        "blake3:x".into(),
        "..".into(),
        "%2e%2e%2f%2e%2e".into(),
        "latest".into(),
    ] {
        for method in ["GET", "DELETE"] {
            b.ask(method, format!("/v2/team/app/blobs/{digest}")).await.refused(400, "DIGEST_INVALID");
        }
        b.get(format!("/v2/team/app/referrers/{digest}")).await.refused(400, "DIGEST_INVALID");
    }
}

#[tokio::test]
async fn paths_without_meaning_are_404() {
    let b = Boxed::new().await;
    for path in [
        "/",
        "/v1",
        "/v3/",
        "/v2x",
        "/apix",
        "/?/api",
        "/v2/team/app",
        "/v2/team/app/",
        "/v2/team/app/tags",
        "/v2/team/app/tags/list/",
        "/v2/team/app/manifests",
        "/v2/team/app/manifests/",
        "/v2/team/app/blobs/",
        "/v2/_catalog/",
        "/v2/_oci/ext",
        "/v2/team/app/blobs/uploads/x/y",
        "/v2/team/app/blobs/uploads/../x",
        "/v2/_other/ext/discover",
        "/favicon.ico",
        "//v2/",
        "/v2//",
        "/v2/%5fcatalog/x",
        "/admin",
        "/token/",
        "/..",
        "/v2/team/app/blobs/uploads/x%00",
    ] {
        b.get(path).await.expect(404);
        b.put(path).body("x").await.expect(404);
    }
}

#[tokio::test]
async fn upload_ids_are_only_what_was_given_out() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    let id = location.rsplit('/').next().unwrap();
    for id in [&id.to_uppercase(), &id.replace('-', ""), "x", "00000000-0000-0000-0000-000000000000", &"a".repeat(64)] {
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let uri = format!("/v2/team/app/blobs/uploads/{id}?digest={NOWHERE}");
            b.ask(method, uri).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        }
    }
    for id in ["..", "%2e%2e%2fx", &"a".repeat(65), "a%2Fb", "a_b"] {
        b.get(format!("/v2/team/app/blobs/uploads/{id}")).await.expect(404);
    }
    cancel(&b, &location).await;
}

#[tokio::test]
async fn a_wrong_method_is_405_with_those_that_would_do() {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    let blob = format!("/v2/team/app/blobs/{NOWHERE}");
    for (path, allow) in [
        ("/v2/", "GET, HEAD"),
        ("/v2/_catalog", "GET, HEAD"),
        ("/v2/team/app/tags/list", "GET, HEAD"),
        ("/v2/team/app/manifests/v1", "GET, HEAD, PUT, DELETE"),
        (&blob, "GET, HEAD, DELETE"),
        ("/v2/team/app/blobs/uploads/", "POST"),
        (&location, "GET, HEAD, PATCH, PUT, DELETE"),
        ("/livez", "GET, HEAD"),
        ("/v1/_ping", "GET, HEAD"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if allow.split(", ").any(|allowed| allowed == method) {
                continue;
            }
            let reply = b.ask(method, path).await.expect(405);
            assert_eq!(reply.header("allow"), allow, "{method} {path}");
        }
    }
    cancel(&b, &location).await;
}

#[tokio::test]
async fn messages_quote_little_of_what_was_sent() {
    let b = Boxed::new().await;
    let long = "X".repeat(5000);
    for path in
        [format!("/v2/team/app/blobs/{long}"), format!("/v2/{long}/tags/list"), format!("/v2/a/tags/list?n={long}")]
    {
        let reply = b.get(path).await.expect(400);
        assert!(reply.body.len() < 500, "{}", reply.body.len());
    }
}
