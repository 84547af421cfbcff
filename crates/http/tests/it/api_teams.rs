//! `/api/v1/orgs/{org}/teams` and `…/robots`.

use serde_json::json;
use wharf_testkit::boxed::PASSWORD;

use super::*;

async fn team() -> Boxed {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.post("/api/v1/orgs").json(&json!({ "name": "team" })).await.expect(201);
    b
}

#[tokio::test]
async fn a_team_is_made_changed_and_deleted() {
    let b = team().await;
    let create = |about: &str| b.post("/api/v1/orgs/team/teams").json(&json!({ "name": "dev", "description": about }));
    let made = create("Developers").await.expect(201);
    assert_eq!(made.header("location"), "/api/v1/orgs/team/teams/dev");
    create("Developers").await.expect(200);
    create("Others").await.problem(409, "description");
    let changed = b.patch(made.header("location")).json(&json!({ "description": "" })).await.expect(200);
    assert_eq!((&changed.json()["description"], changed.header("etag")), (&json!(""), "\"2\""));
    b.patch(made.header("location")).json(&json!({ "description": null })).await.problem(400, "description");
    b.patch(made.header("location")).json(&json!({ "description": "a\nb" })).await.problem(400, "description");
    assert_eq!(b.get("/api/v1/orgs/team/teams").await.expect(200).json()["items"][0]["name"], "dev");
    b.delete(made.header("location")).await.expect(204);
    b.get(made.header("location")).await.problem(404, "");
    b.delete(made.header("location")).await.problem(404, "");
}

#[tokio::test]
async fn who_is_in_a_team_is_set_by_name() {
    let b = team().await;
    b.post("/api/v1/orgs/team/teams").json(&json!({ "name": "dev" })).await.expect(201);
    let bob = "/api/v1/orgs/team/teams/dev/members/bob";
    assert_eq!(b.put(bob).await.expect(201).json()["user"], "bob");
    b.put(bob).await.expect(200);
    let listed = b.get("/api/v1/orgs/team/teams/dev/members").await.expect(200).json();
    assert_eq!((&listed["items"][0]["user"], &listed["next"]), (&json!("bob"), &json!(null)));
    b.delete(bob).await.expect(204);
    b.delete(bob).await.expect(404);
    b.put("/api/v1/orgs/team/teams/none/members/bob").await.expect(404);
}

#[tokio::test]
async fn a_robot_signs_in_with_its_tokens_until_it_is_disabled() {
    let b = team().await;
    let made = b.post("/api/v1/orgs/team/robots").json(&json!({ "name": "ci" })).await.expect(201);
    assert_eq!((&made.json()["name"], made.header("location")), (&json!("team+ci"), "/api/v1/orgs/team/robots/ci"));
    let token = json!({ "name": "first", "scope": "write", "on": "team", "expires_in": 3600 });
    let token = b.post("/api/v1/orgs/team/robots/ci/tokens").json(&token).await.expect(201);
    assert_eq!((&token.json()["token"]["scope"], &token.json()["token"]["on"]), (&json!("write"), &json!("team")));
    let secret = token.json()["secret"].as_str().unwrap().to_owned();
    let who = b.get("/api/v1/self").basic("team+ci", &secret).await.expect(200).json();
    assert_eq!((&who["name"], &who["kind"], &who["via"]), (&json!("team+ci"), &json!("robot"), &json!("token:first")));
    assert_eq!((&who["scope"], &who["on"]), (&json!("write"), &json!("team")));
    b.get("/api/v1/self").bearer(&secret).await.expect(200);
    let listed = b.get("/api/v1/orgs/team/robots/ci/tokens").await.expect(200);
    assert!(!String::from_utf8_lossy(&listed.body).contains(&secret), "a token is shown once");
    b.patch(made.header("location")).json(&json!({ "is_disabled": true })).await.expect(200);
    b.get("/api/v1/self").bearer(&secret).await.problem(401, "");
    b.patch(made.header("location")).json(&json!({ "is_disabled": false })).await.expect(200);
    b.get("/api/v1/self").bearer(&secret).await.expect(200);
    b.delete(token.header("location")).await.expect(204);
    b.get("/api/v1/self").bearer(&secret).await.problem(401, "");
}

/// Not even with the scope `admin`: that is a maintainer's.
#[tokio::test]
async fn a_token_manages_nothing_that_its_owner_alone_may() {
    let b = team().await;
    let token = json!({ "name": "all", "scope": "admin" });
    let token = b.post("/api/v1/self/tokens").json(&token).await.expect(201).json();
    let secret = token["secret"].as_str().unwrap();
    for ask in [
        b.get("/api/v1/users"),
        b.post("/api/v1/users").json(&json!({ "name": "carol" })),
        b.post("/api/v1/self/tokens").json(&json!({ "name": "more", "scope": "admin" })),
        b.put("/api/v1/self/password").json(&json!({ "current": PASSWORD, "new": "correct horse" })),
        b.post("/api/v1/orgs/team/robots").json(&json!({ "name": "ci" })),
        b.put("/api/v1/orgs/team/members/bob").json(&json!({ "role": "owner" })),
        b.put("/api/v1/limits/tokens/caller").json(&json!({ "requests": 1, "seconds": 1 })),
    ] {
        let reply = ask.bearer(secret).await;
        assert!(matches!(reply.status.as_u16(), 401 | 403), "{reply:?}");
    }
}
