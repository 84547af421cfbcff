//! ETag, If-None-Match, If-Match.

use super::*;

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    for (path, digest) in [
        ("manifests/v1".to_owned(), image.manifest.digest.as_str()),
        (format!("blobs/{}", image.layers[0].digest), image.layers[0].digest.as_str()),
    ] {
        let quoted = format!("\"{digest}\"");
        for tag in [digest.to_owned(), quoted.clone(), format!("W/{quoted}"), "*".into(), format!("\"x\", {quoted}")] {
            for method in ["GET", "HEAD"] {
                let ask = b.ask(method, format!("/v2/team/app/{path}")).header("if-none-match", &tag);
                let reply = ask.await.expect(304);
                assert!(reply.body.is_empty());
                assert_eq!(reply.header("etag"), quoted);
                assert_eq!(reply.header("docker-content-digest"), digest);
            }
        }
        for tag in [NOWHERE, "\"\"", ""] {
            b.get(format!("/v2/team/app/{path}")).header("if-none-match", tag).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_tag_is_made_only_if_it_is_absent() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let put = |tag: &str| {
        let put = b.put(format!("/v2/team/app/manifests/{tag}")).header("content-type", &image.manifest.media_type);
        put.body(image.manifest.bytes.clone())
    };
    put("v1").header("if-none-match", "*").await.refused(412, "DENIED");
    put("v2").header("if-none-match", "*").await.expect(201);
    put("v2").header("if-none-match", "*").await.refused(412, "DENIED");
}

#[tokio::test]
async fn a_tag_is_moved_only_if_it_is_where_the_client_saw_it() {
    let b = Boxed::new().await;
    let (old, new) = (b.push_image("team/app", "v1").await, b.push_image("team/app", "new").await);
    let move_to = |image: &Image, condition: &str| {
        let put = b.put("/v2/team/app/manifests/v1").header("content-type", &image.manifest.media_type);
        put.header("if-match", condition).body(image.manifest.bytes.clone())
    };
    let seen = format!("\"{}\"", old.manifest.digest);
    move_to(&new, &format!("\"{NOWHERE}\"")).await.refused(412, "DENIED");
    move_to(&new, "\"not-a-digest\"").await.refused(412, "DENIED");
    assert_eq!(b.get("/v2/team/app/manifests/v1").await.body, old.manifest.bytes, "nothing moved");
    move_to(&new, &format!("\"{NOWHERE}\", {seen}")).await.expect(201);
    move_to(&old, &seen).await.refused(412, "DENIED");
    move_to(&old, "*").await.expect(201);
    let absent = b.put("/v2/team/app/manifests/absent").header("content-type", &new.manifest.media_type);
    absent.header("if-match", "*").body(new.manifest.bytes.clone()).await.refused(412, "DENIED");
}
