//! `/api/v1` by a browser's session: the cookie is sent whoever makes the browser ask.

use serde_json::json;
use wharf_registry::{Secret, Source};
use wharf_testkit::boxed::PASSWORD;

use super::*;

/// The cookie of somebody who has signed in with a browser.
async fn cookie(b: &Boxed) -> String {
    let session = b.registry.sign_in_browser("bob", Secret::new(PASSWORD), Source::here()).await.unwrap();
    format!("other=1; wharf={}", session.expose())
}

#[tokio::test]
async fn a_browsers_session_reads_and_changes_from_our_own_pages() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let cookie = cookie(&b).await;
    let who = b.get("/api/v1/self").anonymous().header("cookie", &cookie).await.expect(200).json();
    assert_eq!((&who["name"], &who["via"]), (&json!("bob"), &json!("session")));
    let create = |name: &str| {
        let ask = b.post("/api/v1/self/tokens").anonymous().header("cookie", &cookie);
        ask.json(&json!({ "name": name, "scope": "read" }))
    };
    create("by-origin").header("origin", "http://localhost").await.expect(201);
    create("by-site").header("sec-fetch-site", "same-origin").await.expect(201);
}

#[tokio::test]
async fn another_sites_page_changes_nothing_with_it() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let cookie = cookie(&b).await;
    let elsewhere = [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost.evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("x-nothing", "said"),
    ];
    for (name, value) in elsewhere {
        let ask = b.post("/api/v1/self/tokens").json(&json!({ "name": "x", "scope": "read" }));
        ask.anonymous().header("cookie", &cookie).header(name, value).await.problem(403, "");
        let ask = b.delete("/api/v1/self/tokens/x").anonymous().header("cookie", &cookie);
        ask.header(name, value).await.problem(403, "");
    }
    let both = b.delete("/api/v1/self/tokens/x").anonymous().header("cookie", &cookie);
    both.header("origin", "http://evil.example").also("sec-fetch-site", "same-origin").await.problem(403, "");
    assert_eq!(b.get("/api/v1/self/tokens").bob().await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn a_cookie_that_is_no_session_is_nobodys_and_a_header_comes_first() {
    let b = Boxed::new().await;
    b.make_user("bob");
    for cookie in [format!("wharf={}", "a".repeat(43)), "wharf=".into(), "wharf=short".into()] {
        b.get("/api/v1/self").anonymous().header("cookie", cookie).await.problem(401, "");
    }
    let cookie = cookie(&b).await;
    assert_eq!(b.get("/api/v1/self").header("cookie", &cookie).await.expect(200).json()["name"], "admin");
    b.get("/api/v1/self").bearer("nonsense").header("cookie", &cookie).await.problem(401, "");
    b.patch("/api/v1/users/bob").json(&json!({ "is_disabled": true })).await.expect(200);
    b.get("/api/v1/self").anonymous().header("cookie", &cookie).await.problem(401, "");
}
