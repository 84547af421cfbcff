//! What every operation of `/api/v1` has in common: who may ask, how it refuses, what it is described by.

use serde_json::json;
use wharf_testkit::boxed::ADMIN;

use super::*;

#[tokio::test]
async fn who_asks_is_told_who_they_are() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let admin = b.get("/api/v1/self").await.expect(200);
    assert_eq!(admin.header("content-type"), "application/json");
    assert_eq!(admin.header("cache-control"), "no-store");
    let admin = admin.json();
    assert_eq!(admin["name"], ADMIN);
    assert_eq!(admin["is_admin"], true);
    assert_eq!(admin["kind"], "user");
    assert_eq!(admin["via"], "password");
    let bob = b.get("/api/v1/self").bob().await.expect(200).json();
    assert_eq!((&bob["name"], &bob["is_admin"]), (&json!("bob"), &json!(false)));
}

#[tokio::test]
async fn nobody_in_particular_is_asked_to_sign_in_with_the_scope_to_ask_for() {
    let b = Boxed::new().await;
    for ask in [b.get("/api/v1/self"), b.head("/api/v1/self")] {
        let reply = ask.anonymous().await.expect(401);
        let challenge = reply.header("www-authenticate");
        assert!(challenge.contains("realm=\"http://localhost/token\""), "{challenge}");
        assert!(challenge.contains("scope=\"registry:api:*\""), "{challenge}");
    }
    let problem = b.get("/api/v1/self").anonymous().await.json();
    assert_eq!(problem["type"], "/api/docs#sign-in");
}

#[tokio::test]
async fn an_access_token_must_have_been_asked_for_the_api() {
    let b = Boxed::new().await;
    let token = b.token(&["registry:api:*"]).await;
    b.get("/api/v1/self").bearer(&token).await.expect(200);
    let token = b.token(&["repository:team/app:pull,push", "registry:catalog:*"]).await;
    let reply = b.get("/api/v1/self").bearer(&token).await.expect(401);
    assert!(reply.header("www-authenticate").contains("error=\"insufficient_scope\""));
    assert_eq!(reply.json()["type"], "/api/docs#token-too-narrow");
    let reply = b.get("/api/v1/self").bearer("nonsense").await.expect(401);
    assert!(reply.header("www-authenticate").contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let b = Boxed::new().await;
    for path in ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/self", "/api/v1/self/"] {
        for ask in [b.get(path), b.post(path), b.get(path).anonymous()] {
            let reply = ask.await.problem(404, "");
            assert!(reply.json()["detail"].as_str().unwrap().contains("/api/docs"));
        }
    }
}

#[tokio::test]
async fn a_method_that_is_not_supported_is_refused_with_those_that_are() {
    let b = Boxed::new().await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
        let reply = b.ask(method, "/api/v1/self").await.problem(405, "");
        assert_eq!(reply.header("allow"), "GET,HEAD", "{method}");
    }
}

#[tokio::test]
async fn who_takes_no_json_gets_none() {
    let b = Boxed::new().await;
    for accept in ["text/html", "application/json;q=0", "image/png, text/*"] {
        b.get("/api/v1/self").header("accept", accept).await.problem(406, "");
    }
    for accept in ["*/*", "application/*", "text/html, application/json;q=0.1", ""] {
        b.get("/api/v1/self").header("accept", accept).await.expect(200);
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_for_anybody_and_run_nothing() {
    let b = Boxed::new().await;
    let document = b.get("/api/v1/openapi.json").anonymous().await.expect(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/v1/self"]["get"].is_object());
    let page = b.get("/api/docs").anonymous().await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(!text.contains("<script") && !text.contains("style=\"") && !text.contains("//cdn"), "{text}");
    let style = b.get("/api/docs/style.css").anonymous().await.expect(200);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
}

/// The `type` of a problem is a link that leads somewhere.
#[tokio::test]
async fn every_kind_of_problem_and_every_schema_is_on_the_page() {
    let b = Boxed::new().await;
    let page = String::from_utf8(b.get("/api/docs").await.expect(200).body.to_vec()).unwrap();
    for kind in wharf_api::ProblemKind::ALL {
        assert!(page.contains(&format!("id=\"{}\"", kind.slug())), "{kind:?}");
    }
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let links = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    for link in links {
        assert!(ids.contains(&link), "#{link} leads nowhere");
    }
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "two things have one id: {ids:?}");
}
