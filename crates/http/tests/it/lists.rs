//! The catalog, search, and pages of both.

use super::*;

#[tokio::test]
async fn the_catalog_lists_what_holds_something() {
    let b = Boxed::new().await;
    assert_eq!(b.get("/v2/_catalog").await.expect(200).strings("repositories"), [""; 0]);
    for name in ["b/x", "a/y", "alpine"] {
        b.push_image(name, "v1").await;
    }
    b.push_blob("only/blobs", &Content::random(9)).await;
    assert_eq!(b.get("/v2/_catalog").await.strings("repositories"), ["a/y", "b/x", "library/alpine"]);
}

/// distribution/distribution#3678, Joxit/docker-registry-ui#306
#[tokio::test]
async fn catalog_pages_end() {
    let b = Boxed::builder().options(|o| o.page = 2).open().await;
    for n in 0..5 {
        b.push_image(&format!("team/app{n}"), "v1").await;
    }
    for start in ["/v2/_catalog", "/v2/_catalog?n=1000", "/v2/_catalog?n=1"] {
        let (mut path, mut all) = (Some(start.to_owned()), vec![]);
        while let Some(page) = path.take() {
            let reply = b.get(page).await.expect(200);
            all.extend(reply.strings("repositories"));
            path = reply.next().inspect(|next| assert!(next.starts_with("/v2/_catalog?n="), "{next}"));
            assert!(all.len() <= 5, "{all:?}");
        }
        assert_eq!(all, ["team/app0", "team/app1", "team/app2", "team/app3", "team/app4"]);
    }
    let none = b.get("/v2/_catalog?n=0").await.expect(200);
    assert_eq!((none.strings("repositories").len(), none.next()), (0, None));
    assert_eq!(b.get("/v2/_catalog?last=team/app3").await.strings("repositories"), ["team/app4"]);
    for n in ["-1", "x", ""] {
        b.get(format!("/v2/_catalog?n={n}")).await.expect(400);
    }
}

#[tokio::test]
async fn the_catalog_shows_what_the_caller_can_read() {
    let b = Boxed::builder().settings(|s| s.anonymous = wharf_registry::Anonymous::Pull).open().await;
    for (name, visibility) in [("a/private", "private"), ("a/internal", "internal"), ("a/public", "public")] {
        b.push_image(name, "v1").await;
        b.set_visibility(name, visibility);
    }
    b.make_user("bob");
    let seen = async |ask: wharf_testkit::boxed::Ask<'_>| ask.await.expect(200).strings("repositories");
    assert_eq!(seen(b.get("/v2/_catalog")).await, ["a/internal", "a/private", "a/public"]);
    assert_eq!(seen(b.get("/v2/_catalog").bob()).await, ["a/internal", "a/public"]);
    assert_eq!(seen(b.get("/v2/_catalog").anonymous()).await, ["a/public"]);
}

#[tokio::test]
async fn a_catalog_token_is_for_the_catalog() {
    let b = Boxed::new().await;
    let catalog = b.token(&["registry:catalog:*"]).await;
    let other = b.token(&["repository:team/app:pull"]).await;
    b.get("/v2/_catalog").bearer(&catalog).await.expect(200);
    let refused = b.get("/v2/_catalog").bearer(&other).await.refused(401, "UNAUTHORIZED");
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("scope=\"registry:catalog:*\",error=\"insufficient_scope\""), "{challenge}");
    let refused = b.get("/v2/_catalog").anonymous().await.refused(401, "UNAUTHORIZED");
    assert!(refused.header("www-authenticate").contains("registry:catalog:*"));
}

#[tokio::test]
async fn docker_search_finds_repositories() {
    let b = Boxed::new().await;
    for name in ["team/app", "team/other", "app"] {
        b.push_image(name, "v1").await;
    }
    assert_eq!(b.get("/v1/_ping").anonymous().await.expect(200).header("content-type"), "application/json");
    let found = b.get("/v1/search?q=App&n=25").await.expect(200).json();
    assert_eq!((found["num_results"].as_u64(), found["query"].as_str()), (Some(2), Some("App")));
    for result in found["results"].as_array().unwrap() {
        assert!(result["name"].as_str().unwrap().contains("app"));
        for member in ["description", "star_count", "is_official", "is_automated"] {
            assert!(!result[member].is_null(), "{member}");
        }
    }
    assert_eq!(b.get("/v1/search?q=app&n=1").await.json()["num_results"], 1);
    assert_eq!(b.get("/v1/search?q=%25_").await.json()["num_results"], 0, "no pattern of SQL");
    b.get("/v1/search?q=x&n=junk").await.expect(400);
}

#[tokio::test]
async fn search_without_an_account_asks_to_sign_in_when_it_finds_nothing() {
    let b = Boxed::builder().settings(|s| s.anonymous = wharf_registry::Anonymous::Pull).open().await;
    b.push_image("team/app", "v1").await;
    b.set_visibility("team/app", "public");
    assert_eq!(b.get("/v1/search?q=app").anonymous().await.expect(200).json()["num_results"], 1);
    let refused = b.get("/v1/search?q=nowhere").anonymous().await.refused(401, "UNAUTHORIZED");
    assert!(refused.header("www-authenticate").starts_with("Bearer realm="));
    assert_eq!(b.get("/v1/search?q=nowhere").await.expect(200).json()["num_results"], 0);
}

#[tokio::test]
async fn an_extension_that_is_not_there_is_said_to_be_one() {
    let b = Boxed::new().await;
    for path in ["/v2/_oci/ext/nothing", "/v2/team/app/_oci/ext/nothing"] {
        b.get(path).await.refused(404, "EXTENSION_UNKNOWN");
    }
    b.get("/v2/team/app/nothing").await.refused(404, "UNSUPPORTED");
}
