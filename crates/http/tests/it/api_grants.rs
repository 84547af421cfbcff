//! `/api/v1/grants` and `/api/v1/access`.

use serde_json::json;

use super::*;

async fn known() -> Boxed {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.push_image("team/app", "v1").await;
    b
}

#[tokio::test]
async fn a_grant_opens_the_next_request_and_taking_it_back_closes_the_one_after() {
    let b = known().await;
    let pull = || b.get("/v2/team/app/manifests/v1").bob();
    let give =
        |role: &str| b.post("/api/v1/grants").json(&json!({ "target": "team/app", "role": role, "user": "bob" }));
    pull().await.expect(404);
    let grant = give("reader").await.expect(201);
    assert_eq!((&grant.json()["user"], &grant.json()["granted_by"]), (&json!("bob"), &json!("admin")));
    assert_eq!(grant.json().get("team"), None);
    pull().await.expect(200);
    give("reader").await.expect(200);
    give("writer").await.problem(409, "role");
    b.put(grant.header("location")).json(&json!({ "role": "maintainer" })).await.expect(200);
    b.get("/api/v1/grants?target=team").bob().await.problem(403, "");
    assert_eq!(b.get("/api/v1/grants?target=team%2Fapp").bob().await.expect(200).json()["items"][0]["user"], "bob");
    assert_eq!(b.get("/api/v1/grants").bob().await.expect(200).json()["items"][0]["target"], "team/app");
    b.delete(grant.header("location")).await.expect(204);
    pull().await.expect(404);
    b.get(grant.header("location")).await.problem(404, "");
    b.get("/api/v1/grants/x").await.problem(404, "");
}

#[tokio::test]
async fn a_grant_is_to_exactly_one() {
    let b = known().await;
    let table = [
        (json!({ "target": "team", "role": "reader" }), ""),
        (json!({ "target": "team", "role": "reader", "user": "bob", "team": "dev" }), ""),
        (json!({ "target": "team", "role": "reader", "user": "bob", "team": null }), "team"),
        (json!({ "target": "team", "role": "reader", "user": "nobody" }), "user"),
        (json!({ "target": "team", "role": "reader", "team": "none" }), "team"),
        (json!({ "target": "team", "role": "reader", "robot": "team+none" }), "robot"),
        (json!({ "target": "team", "role": "reader", "email": "nobody" }), "email"),
        (json!({ "target": "team", "role": "owner", "user": "bob" }), "role"),
    ];
    for (body, field) in table {
        b.post("/api/v1/grants").json(&body).await.problem(400, field);
    }
    let email = json!({ "target": "team", "role": "reader", "email": "New@Example.org" });
    let made = b.post("/api/v1/grants").json(&email).await.expect(201);
    assert_eq!(made.json()["email"], "new@example.org");
}

#[tokio::test]
async fn who_may_not_grant_somewhere_grants_nothing_there() {
    let b = known().await;
    let ask =
        |target: &str| b.post("/api/v1/grants").json(&json!({ "target": target, "role": "reader", "user": "bob" }));
    for target in ["team", "team/app", "nowhere", "nowhere/app"] {
        let reply = ask(target).bob().await;
        assert!(matches!(reply.status.as_u16(), 403 | 404), "{reply:?}");
    }
    ask("bob/app").bob().await;
    b.grant("bob", "team/app", "writer");
    ask("team/app").bob().await.problem(403, "");
}

#[tokio::test]
async fn a_decision_is_explained() {
    let b = known().await;
    let ask = |target: &str| b.get(format!("/api/v1/access?user=bob&action=pull&target={target}"));
    let denied = ask("team/app").await.expect(200).json();
    assert_eq!((&denied["is_allowed"], &denied["action"]), (&json!(false), &json!("pull")));
    assert!(denied["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{denied}");
    b.grant("bob", "team/app", "reader");
    let allowed = ask("team/app").await.expect(200).json();
    assert_eq!(allowed["is_allowed"], true);
    assert!(!allowed["because"].as_array().unwrap().is_empty());
    for (query, field) in [
        ("user=bob&action=pull", "target"),
        ("user=bob&action=paint&target=team", "action"),
        ("user=Bob&action=pull&target=team", "user"),
        ("user=bob&action=pull&target=team&more=1", "more"),
    ] {
        b.get(format!("/api/v1/access?{query}")).await.problem(400, field);
    }
    b.get("/api/v1/access?user=admin&action=pull&target=team").bob().await;
}
