//! Who may do what: HOUSE.md, "Answers".

use wharf_registry::Anonymous;

use super::*;

/// Method and path of everything in a repository, by the right it takes.
fn everything(name: &str, upload: &str) -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("GET", format!("/v2/{name}/manifests/v1"), "pull"),
        ("HEAD", format!("/v2/{name}/manifests/v1"), "pull"),
        ("GET", format!("/v2/{name}/blobs/{NOWHERE}"), "pull"),
        ("HEAD", format!("/v2/{name}/blobs/{NOWHERE}"), "pull"),
        ("GET", format!("/v2/{name}/tags/list"), "pull"),
        ("GET", format!("/v2/{name}/referrers/{NOWHERE}"), "pull"),
        ("GET", format!("/v2/{name}/_oci/ext/discover"), "pull"),
        ("PUT", format!("/v2/{name}/manifests/v1"), "pull,push"),
        ("POST", format!("/v2/{name}/blobs/uploads/"), "pull,push"),
        ("POST", format!("/v2/{name}/blobs/uploads/?digest={NOWHERE}"), "pull,push"),
        ("POST", format!("/v2/{name}/blobs/uploads/?mount={NOWHERE}&from=a/b"), "pull,push"),
        ("GET", upload.to_owned(), "pull,push"),
        ("PATCH", upload.to_owned(), "pull,push"),
        ("PUT", format!("{upload}?digest={NOWHERE}"), "pull,push"),
        ("DELETE", upload.to_owned(), "pull,push"),
        ("DELETE", format!("/v2/{name}/manifests/v1"), "delete"),
        ("DELETE", format!("/v2/{name}/blobs/{NOWHERE}"), "delete"),
    ]
}

async fn known() -> (Boxed, String) {
    let b = Boxed::new().await.leaving_uploads();
    b.push_image("team/app", "v1").await;
    b.make_user("bob");
    let upload = start(&b, "team/app").await;
    (b, upload)
}

/// containers/container-libs#1009, containerd/containerd#3291
#[tokio::test]
async fn without_credentials_everything_asks_for_them_known_or_not() {
    let (b, upload) = known().await;
    for name in ["team/app", "team/nowhere"] {
        for (method, path, actions) in everything(name, &upload.replace("team/app", name)) {
            let reply = b.ask(method, &path).anonymous().body("body").await.expect(401);
            let challenge = format!(
                "Bearer realm=\"http://localhost/token\",service=\"wharf\",scope=\"repository:{name}:{actions}\""
            );
            assert_eq!(reply.all("www-authenticate"), [challenge], "{method} {path}");
        }
    }
}

#[tokio::test]
async fn who_has_not_the_right_finds_nothing_and_may_not_write() {
    let (b, upload) = known().await;
    for name in ["team/app", "team/nowhere"] {
        for (method, path, actions) in everything(name, &upload.replace("team/app", name)) {
            let reply = b.ask(method, &path).bob().body("body").await;
            let status = if actions == "pull" { 404 } else { 403 };
            let reply = reply.expect(status);
            if method != "HEAD" {
                assert_eq!(reply.codes(), [if status == 404 { "NAME_UNKNOWN" } else { "DENIED" }], "{method} {path}");
                let same = reply.message().replace("team/app", "x").replace("team/nowhere", "x");
                assert!(status == 404 || same.starts_with("bob may not "), "{same}");
            }
        }
    }
}

/// moby/buildkit#2454, oras-project/rust-oci-client#235
#[tokio::test]
async fn a_token_too_narrow_is_told_what_to_ask_for() {
    let (b, upload) = known().await;
    let nothing = b.token(&[]).await;
    let elsewhere = b.token(&["repository:team/other:pull,push,delete"]).await;
    for token in [nothing, elsewhere] {
        for (method, path, actions) in everything("team/app", &upload) {
            let reply = b.ask(method, &path).bearer(&token).body("body").await.expect(401);
            let wanted = format!("scope=\"repository:team/app:{actions}\",error=\"insufficient_scope\"");
            assert!(reply.header("www-authenticate").ends_with(&wanted), "{reply:?}");
        }
    }
    let pull = b.token(&["repository:team/app:pull"]).await;
    b.get("/v2/team/app/manifests/v1").bearer(&pull).await.expect(200);
    b.get(&upload).bearer(&pull).await.expect(204);
    for (method, path, actions) in everything("team/app", &upload) {
        if actions != "pull" && (method, &path) != ("GET", &upload) {
            b.ask(method, path).bearer(&pull).body("body").await.expect(401);
        }
    }
}

/// distribution/distribution: deleting an upload needed `delete`
#[tokio::test]
async fn pushing_is_enough_to_cancel_ones_upload() {
    let b = Boxed::new().await;
    let push = b.token(&["repository:team/app:push"]).await;
    let location = b.post("/v2/team/app/blobs/uploads/").bearer(&push).await.expect(202).header("location").to_owned();
    b.get(&location).bearer(&push).await.expect(204);
    b.delete(&location).bearer(&push).await.expect(204);
}

#[tokio::test]
async fn deleting_needs_its_own_scope() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    let push = b.token(&["repository:team/app:pull,push"]).await;
    let delete = b.token(&["repository:team/app:delete"]).await;
    b.delete("/v2/team/app/manifests/v1").bearer(&push).await.refused(401, "UNAUTHORIZED");
    b.get("/v2/team/app/manifests/v1").bearer(&delete).await.refused(401, "UNAUTHORIZED");
    b.delete("/v2/team/app/manifests/v1").bearer(&delete).await.expect(202);
}

#[tokio::test]
async fn the_ping_always_asks_and_believes_any_good_credentials() {
    for anonymous in [Anonymous::Nothing, Anonymous::Pull] {
        let b = Boxed::builder().settings(|s| s.anonymous = anonymous).open().await;
        for path in ["/v2/", "/v2"] {
            let refused = b.get(path).anonymous().await.refused(401, "UNAUTHORIZED");
            assert_eq!(refused.all("www-authenticate"), ["Bearer realm=\"http://localhost/token\",service=\"wharf\""]);
            b.head(path).anonymous().await.expect(401);
            b.get(path).header("authorization", "Basic Og==").await.refused(401, "UNAUTHORIZED");
            let reply = b.get(path).await.expect(200);
            assert_eq!((reply.header("content-type"), &reply.body[..]), ("application/json", &b"{}"[..]));
            let token = b.token(&[]).await;
            b.get(path).bearer(&token).await.expect(200);
        }
    }
}

/// nora#780, nexus#328
#[tokio::test]
async fn with_anonymous_pull_a_token_for_nobody_pulls() {
    let b = Boxed::builder().settings(|s| s.anonymous = Anonymous::Pull).open().await;
    let image = b.push_image("team/app", "v1").await;
    b.set_visibility("team/app", "public");
    b.get("/v2/team/app/manifests/v1").anonymous().await.expect(200);
    for ask in [b.get("/token?scope=repository:team/app:pull,push"), b.get("/token?scope=repository:team/app:pull")] {
        let token = ask.anonymous().await.expect(200).json()["token"].as_str().unwrap().to_owned();
        b.get("/v2/").bearer(&token).await.expect(200);
        b.get("/v2/team/app/manifests/v1").bearer(&token).await.expect(200);
        b.get(format!("/v2/team/app/blobs/{}", image.layers[0].digest)).bearer(&token).await.expect(200);
        b.post("/v2/team/app/blobs/uploads/").bearer(&token).await.refused(401, "UNAUTHORIZED");
        b.delete("/v2/team/app/manifests/v1").bearer(&token).await.refused(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn without_an_account_unknown_and_unreadable_look_alike() {
    let b = Boxed::builder().settings(|s| s.anonymous = Anonymous::Pull).open().await;
    b.push_image("team/private", "v1").await;
    b.set_visibility("team/private", "private");
    for name in ["team/private", "team/nowhere"] {
        for path in ["manifests/v1", "tags/list", &format!("referrers/{NOWHERE}"), &format!("blobs/{NOWHERE}")] {
            b.get(format!("/v2/{name}/{path}")).anonymous().await.refused(401, "UNAUTHORIZED");
        }
    }
}

#[tokio::test]
async fn garbage_is_no_sign_in_even_where_none_is_needed() {
    let b = Boxed::builder().settings(|s| s.anonymous = Anonymous::Pull).open().await;
    b.push_image("team/app", "v1").await;
    let garbage = [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWRtaW4=",
        "Bearer",
        "Bearer ",
        "Bearer x.y.z",
        "Bearer \u{e9}",
        "Basic YWRtaW46d3Jvbmc=",
        "Basic bm9ib2R5OnNlY3JldA==",
        "Digest username=\"x\"",
        "Negotiate abc",
        "Basic /w==",
    ];
    for authorization in garbage {
        for path in ["/v2/", "/v2/team/app/manifests/v1", "/v2/_catalog", "/v1/search?q=x"] {
            let refused = b.get(path).header("authorization", authorization).await.refused(401, "UNAUTHORIZED");
            assert!(refused.header("www-authenticate").starts_with("Bearer realm="), "{authorization}");
        }
        let token = b.get("/token").header("authorization", authorization).await.refused(401, "UNAUTHORIZED");
        assert!(token.header("www-authenticate").starts_with("Basic realm="), "{authorization}");
    }
}

#[tokio::test]
async fn schemes_are_read_in_any_case() {
    let b = Boxed::new().await;
    let token = b.token(&[]).await;
    b.get("/v2/").header("authorization", "bASIC YWRtaW46c2VjcmV0").await.expect(200);
    b.get("/v2/").header("authorization", format!("BEARER {token}")).await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_the_old_one_at_once() {
    let b = Boxed::new().await;
    b.get("/v2/").await.expect(200);
    let new = wharf_registry::Secret::new("quite another");
    b.registry.reset_password("admin", Some(new)).await.unwrap();
    b.get("/v2/").await.refused(401, "UNAUTHORIZED");
    b.get("/v2/").basic("admin", "quite another").await.expect(200);
}
