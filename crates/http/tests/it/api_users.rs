//! `/api/v1/users` and what is one's own: password, tokens, sessions.

use serde_json::json;
use wharf_testkit::boxed::PASSWORD;

use super::*;

#[tokio::test]
async fn an_administrator_makes_changes_and_deletes_users() {
    let b = Boxed::new().await;
    let carol = json!({ "name": "carol", "email": "Carol@Example.org", "password": "correct horse" });
    let made = b.post("/api/v1/users").json(&carol).await.expect(201);
    assert_eq!(made.json()["has_password"], true);
    assert!(!String::from_utf8_lossy(&made.body).contains("correct horse"));
    b.post("/api/v1/users").json(&carol).await.expect(200);
    b.post("/api/v1/users").json(&json!({ "name": "carol", "email": "other@example.org" })).await.problem(409, "email");
    let signed_in = || b.get("/api/v1/self").basic("carol", "correct horse");
    assert_eq!(signed_in().await.expect(200).json()["email"], "carol@example.org");
    let cleared = b.patch(made.header("location")).json(&json!({ "email": null })).await.expect(200);
    assert_eq!(cleared.json()["email"], json!(null));
    b.patch(made.header("location")).json(&json!({ "is_disabled": true })).await.expect(200);
    signed_in().await.problem(401, "");
    b.patch(made.header("location")).json(&json!({ "is_disabled": false })).await.expect(200);
    b.put("/api/v1/users/carol/password").json(&json!({ "password": "battery staple" })).await.expect(204);
    signed_in().await.problem(401, "");
    b.get("/api/v1/self").basic("carol", "battery staple").await.expect(200);
    b.delete(made.header("location")).await.expect(204);
    b.get(made.header("location")).await.problem(404, "");
}

#[tokio::test]
async fn users_are_for_administrators_except_oneself() {
    let b = Boxed::new().await;
    b.make_user("bob");
    assert_eq!(b.get("/api/v1/users/bob").bob().await.expect(200).json()["name"], "bob");
    for ask in [b.get("/api/v1/users"), b.get("/api/v1/users/admin"), b.get("/api/v1/users/nobody")] {
        ask.bob().await.problem(403, "");
    }
    b.patch("/api/v1/users/bob").bob().json(&json!({ "is_admin": true })).await.problem(403, "");
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let b = Boxed::new().await;
    b.delete("/api/v1/users/admin").await.expect(409);
    b.patch("/api/v1/users/admin").json(&json!({ "is_admin": false })).await.expect(409);
    b.patch("/api/v1/users/admin").json(&json!({ "is_disabled": true })).await.expect(409);
    b.get("/api/v1/users").await.expect(200);
}

#[tokio::test]
async fn changing_ones_password_takes_the_one_of_now() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let change = |current: &str, new: &str| {
        b.put("/api/v1/self/password").bob().json(&json!({ "current": current, "new": new }))
    };
    change("wrong", "correct horse").await.problem(400, "current");
    change(PASSWORD, "short").await.problem(400, "new");
    change(PASSWORD, "correct horse").await.expect(204);
    b.get("/api/v1/self").bob().await.problem(401, "");
    b.get("/api/v1/self").basic("bob", "correct horse").await.expect(200);
}

#[tokio::test]
async fn ones_tokens_are_made_listed_and_revoked() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let made =
        b.post("/api/v1/self/tokens").bob().json(&json!({ "name": "laptop", "scope": "read" })).await.expect(201);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whf_") && secret.ends_with(made.json()["token"]["hint"].as_str().unwrap()));
    b.post("/api/v1/self/tokens").bob().json(&json!({ "name": "laptop", "scope": "read" })).await.problem(409, "name");
    for (body, field) in [
        (json!({ "name": "x", "scope": "all" }), "scope"),
        (json!({ "name": "x", "scope": "read", "expires_in": 0 }), "expires_in"),
        (json!({ "name": "x", "scope": "read", "on": "nowhere" }), "on"),
        (json!({ "name": " x", "scope": "read" }), "name"),
    ] {
        b.post("/api/v1/self/tokens").bob().json(&body).await.problem(400, field);
    }
    b.get("/api/v1/self").bearer(&secret).await.expect(200);
    assert_eq!(b.get("/api/v1/self/tokens").bob().await.expect(200).json()["items"][0]["name"], "laptop");
    assert_eq!(b.get("/api/v1/users/bob/tokens").await.expect(200).json()["items"][0]["name"], "laptop");
    let id = made.json()["token"]["id"].as_str().unwrap().to_owned();
    b.delete(format!("/api/v1/self/tokens/{id}")).await.problem(404, "");
    b.delete(format!("/api/v1/self/tokens/{id}")).bob().await.expect(204);
    b.get("/api/v1/self").bearer(&secret).await.problem(401, "");
}

#[tokio::test]
async fn a_token_says_when_it_ends_and_what_is_given_out_for_it_ends_no_later() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let new_token = async |body| b.post("/api/v1/self/tokens").bob().json(&body).await.expect(201).json();
    let made = new_token(json!({ "name": "brief", "scope": "read", "expires_in": 90 })).await;
    let secret = made["secret"].as_str().unwrap();
    let who = b.get("/api/v1/self").bearer(secret).await.expect(200).json();
    assert!(who["expires_at"].is_string(), "{who}");
    assert_eq!((&who["via"], &who["expires_at"]), (&json!("token:brief"), &made["token"]["expires_at"]));
    assert_eq!(b.get("/token").basic("bob", secret).await.expect(200).json()["expires_in"], 90);
    let endless = new_token(json!({ "name": "endless", "scope": "read" })).await;
    let secret = endless["secret"].as_str().unwrap();
    assert_eq!(b.get("/api/v1/self").bearer(secret).await.expect(200).json()["expires_at"], json!(null));
    assert_eq!(b.get("/token").basic("bob", secret).await.expect(200).json()["expires_in"], 300);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let sign_in = b.get("/token?offline_token=true&client_id=docker").bob().await.expect(200).json();
    let refresh = sign_in["refresh_token"].as_str().unwrap().to_owned();
    let listed = b.get("/api/v1/self/sessions").bob().await.expect(200);
    assert_eq!(listed.json()["items"][0]["client"], "docker");
    assert!(!String::from_utf8_lossy(&listed.body).contains(&refresh));
    let id = listed.json()["items"][0]["id"].as_str().unwrap().to_owned();
    b.delete(format!("/api/v1/users/bob/sessions/{id}")).bob().await.problem(403, "");
    b.delete(format!("/api/v1/self/sessions/{id}")).bob().await.expect(204);
    b.post("/token").anonymous().form(format!("grant_type=refresh_token&refresh_token={refresh}")).await.expect(401);
    assert_eq!(b.get("/api/v1/users/bob/sessions").await.expect(200).json()["items"], json!([]));
}
