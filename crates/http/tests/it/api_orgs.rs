//! `/api/v1/orgs`: orgs and their members.

use serde_json::json;

use super::*;

/// The org `team` of the administrator's, with `bob`, who is nothing in it.
async fn team() -> Boxed {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.post("/api/v1/orgs").json(&json!({ "name": "team" })).await.expect(201);
    b
}

#[tokio::test]
async fn an_org_is_made_once_and_asking_again_changes_nothing() {
    let b = Boxed::new().await;
    let ask = || b.post("/api/v1/orgs").json(&json!({ "name": "team", "visibility": "internal" }));
    let made = ask().await.expect(201);
    assert_eq!(made.header("location"), "/api/v1/orgs/team");
    assert_eq!(made.header("etag"), "\"1\"");
    assert_eq!(made.json()["effective_visibility"], "internal");
    assert_eq!(made.json()["your_role"], "owner");
    let again = ask().await.expect(200);
    assert_eq!(again.json(), made.json());
    b.post("/api/v1/orgs").json(&json!({ "name": "team", "visibility": "private" })).await.problem(409, "visibility");
    assert_eq!(b.get(made.header("location")).await.expect(200).json(), made.json());
}

#[tokio::test]
async fn an_org_that_a_push_makes_can_be_asked_for_however_long_its_name_is() {
    let b = Boxed::new().await;
    let org = "a".repeat(253);
    b.push_image(&format!("{org}/x"), "v1").await;
    assert_eq!(b.get(format!("/api/v1/orgs/{org}")).await.expect(200).json()["name"], org);
    let grant = json!({ "target": org, "user": "admin", "role": "reader" });
    b.post("/api/v1/grants").json(&grant).await.expect(201);
    let grants = b.get(format!("/api/v1/grants?target={org}")).await.expect(200).json();
    assert_eq!(grants["items"][0]["target"], org);
    let found = b.get(format!("/api/v1/orgs?q={}", "a".repeat(200))).await.expect(200).json();
    assert_eq!(found["items"][0]["name"], org);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_by_field() {
    let b = Boxed::new().await;
    let table = [
        (json!({ "name": "Team" }), "name"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": "a".repeat(254) }), "name"),
        (json!({ "name": "a/b" }), "name"),
        (json!({ "name": 1 }), "name"),
        (json!({}), "name"),
        (json!({ "name": "team", "visibility": "open" }), "visibility"),
        (json!({ "name": "team", "owner": "bob" }), "owner"),
        (json!(["team"]), ""),
    ];
    for (body, field) in table {
        let reply = b.post("/api/v1/orgs").json(&body).await.problem(400, field);
        assert_eq!(reply.json()["type"], "/api/docs#invalid", "{body}");
    }
    for name in ["library", "api", "token"] {
        let reply = b.post("/api/v1/orgs").json(&json!({ "name": name })).await;
        assert!(matches!(reply.status.as_u16(), 201 | 400 | 409), "{reply:?}");
    }
    for body in ["", "{", "{\"name\":\"team\"} x", "nonsense", "\u{feff}{}"] {
        b.post("/api/v1/orgs").header("content-type", "application/json").body(body).await.problem(400, "");
    }
    let broken = |body: &'static str| b.post("/api/v1/orgs").header("content-type", "application/json").body(body);
    for body in ["{\"name\":", "{\"name\":\"te", "", "{\"name\":}"] {
        let said = broken(body).await.problem(400, "").json()["detail"].as_str().unwrap().to_owned();
        assert!(said.starts_with("the body "), "{said}");
    }
    for limit in ["x", "", "-1", "99999999999"] {
        let said = b.get(format!("/api/v1/orgs?limit={limit}")).await.problem(400, "limit");
        let said = said.json()["detail"].as_str().unwrap().to_owned();
        assert!(said.starts_with("limit: a whole number"), "{said}");
    }
    b.get("/api/v1/orgs/UPPER").await.problem(400, "org");
    b.get("/api/v1/orgs/%ff").await.problem(400, "");
    b.get("/api/v1/orgs/team/teams/dev/members/%20").await.expect(405);
    b.delete("/api/v1/orgs/team/teams/dev/members/%20").await.problem(400, "user");
}

#[tokio::test]
async fn a_body_is_json_of_a_bounded_size() {
    let b = Boxed::new().await;
    let body = || json!({ "name": "team" }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data", ""] {
        b.post("/api/v1/orgs").header("content-type", kind).body(body()).await.problem(415, "");
    }
    b.post("/api/v1/orgs").body(body()).await.problem(415, "");
    let large = format!("{{\"name\":\"{}\"}}", "a".repeat(70_000));
    b.post("/api/v1/orgs").header("content-type", "application/json").body(large).await.problem(413, "");
    b.post("/api/v1/orgs").header("content-type", "Application/JSON; charset=utf-8").body(body()).await.expect(201);
}

#[tokio::test]
async fn a_change_mentions_what_it_changes_and_may_name_the_version() {
    let b = team().await;
    let patch = |body: serde_json::Value| b.patch("/api/v1/orgs/team").json(&body);
    let first = b.get("/api/v1/orgs/team").await.expect(200);
    assert_eq!(first.json()["visibility"], json!(null));
    let public = patch(json!({ "visibility": "public" })).header("if-match", first.header("etag")).await.expect(200);
    assert_eq!(public.json()["visibility"], "public");
    assert_ne!(public.header("etag"), first.header("etag"));
    patch(json!({ "visibility": "private" })).header("if-match", first.header("etag")).await.problem(412, "");
    assert_eq!(patch(json!({})).await.expect(200).json()["visibility"], "public");
    assert_eq!(patch(json!({ "visibility": null })).await.expect(200).json()["visibility"], json!(null));
    patch(json!({})).header("if-match", "3").await.problem(400, "If-Match");
    patch(json!({ "name": "other" })).await.problem(400, "name");
}

/// RFC 9110 §13.2: a method whose precondition is false is not performed.
#[tokio::test]
async fn nothing_is_deleted_in_another_version_than_was_looked_at() {
    let b = team().await;
    let rule = json!({
        "name": "main", "robot": "ci", "issuer": "https://id.example.org", "claims": { "sub": "repo:octo/app:*" },
        "role": "writer", "audience": "wharf",
    });
    let provider = json!({
        "name": "corp", "issuer": "https://id.example.org", "client_id": "wharf", "client_secret": "s3cr3t-s3cr3t",
    });
    let all = [
        ("/api/v1/repositories", json!({ "name": "team/app" })),
        ("/api/v1/orgs/team/teams", json!({ "name": "devs" })),
        ("/api/v1/orgs/team/robots", json!({ "name": "ci" })),
        ("/api/v1/orgs/team/trust-rules", rule),
        ("/api/v1/providers", provider),
    ];
    for (path, new) in all {
        b.post(path).json(&new).await.expect(201);
    }
    let paths = [
        "/api/v1/repositories/team%2Fapp",
        "/api/v1/orgs/team/teams/devs",
        "/api/v1/orgs/team/trust-rules/main",
        "/api/v1/orgs/team/robots/ci",
        "/api/v1/providers/corp",
        "/api/v1/users/bob",
        "/api/v1/orgs/team",
    ];
    for path in paths {
        let etag = b.get(path).await.expect(200).header("etag").to_owned();
        for stale in ["\"999\"", "\"18446744073709551615\""] {
            b.delete(path).header("if-match", stale).await.problem(412, "");
        }
        for broken in ["1", "\"1\", \"2\"", "W/\"1\"", "\"x\"", ""] {
            b.delete(path).header("if-match", broken).await.problem(400, "If-Match");
        }
        b.delete(path).header("if-match", &etag).also("if-match", "\"999\"").await.problem(400, "If-Match");
        b.delete(path).header("if-none-match", "*").await.problem(400, "If-None-Match");
        b.get(path).header("if-match", "\"999\"").await.expect(200);
        b.delete(path).header("if-match", &etag).await.expect(204);
    }
}

#[tokio::test]
async fn a_condition_that_cannot_be_looked_at_is_refused_and_nothing_is_done() {
    let b = team().await;
    let member = "/api/v1/orgs/team/members/bob";
    let put = || b.put(member).json(&json!({ "role": "member" }));
    for name in ["if-match", "if-none-match", "if-unmodified-since"] {
        let field = put().header(name, "*").await.expect(400).json()["field"].clone();
        assert!(field.as_str().unwrap().eq_ignore_ascii_case(name), "{field}");
        b.post("/api/v1/orgs").json(&json!({ "name": "other" })).header(name, "\"1\"").await.expect(400);
    }
    b.get("/api/v1/orgs/other").await.expect(404);
    b.delete(member).await.expect(404);
    put().await.expect(201);
    b.delete(member).header("if-match", "\"1\"").await.problem(400, "If-Match");
    b.delete(member).await.expect(204);
}

#[tokio::test]
async fn lists_come_in_pages_and_say_where_to_go_on() {
    let b = Boxed::new().await;
    for name in ["team-a", "team-b", "team-c", "other"] {
        b.post("/api/v1/orgs").json(&json!({ "name": name })).await.expect(201);
    }
    let names = |reply: &Reply| -> Vec<String> {
        let items = reply.json()["items"].as_array().unwrap().clone();
        items.iter().map(|org| org["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = b.get("/api/v1/orgs?q=team&limit=2").await.expect(200);
    assert_eq!(names(&first), ["team-a", "team-b"]);
    assert_eq!(first.json()["next"], "team-b");
    assert_eq!(first.next().unwrap(), "/api/v1/orgs?q=team&limit=2&after=team-b");
    let second = b.get(first.next().unwrap()).await.expect(200);
    assert_eq!((names(&second), second.next()), (vec!["team-c".to_owned()], None));
    assert_eq!(second.json()["next"], json!(null));
    for (query, field) in
        [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("page=2", "page"), ("after=", "after")]
    {
        b.get(format!("/api/v1/orgs?{query}")).await.problem(400, field);
    }
}

#[tokio::test]
async fn an_org_that_one_may_not_know_of_is_not_there() {
    let b = team().await;
    for name in ["team", "nowhere"] {
        let asks = [
            b.get(format!("/api/v1/orgs/{name}")),
            b.patch(format!("/api/v1/orgs/{name}")).json(&json!({})),
            b.delete(format!("/api/v1/orgs/{name}")),
            b.get(format!("/api/v1/orgs/{name}/members")),
            b.put(format!("/api/v1/orgs/{name}/members/bob")).json(&json!({ "role": "owner" })),
        ];
        for ask in asks {
            let reply = ask.bob().await.problem(404, "");
            assert_eq!(reply.json()["detail"], format!("org {name} is not known here"));
        }
    }
    b.post("/api/v1/orgs").bob().json(&json!({ "name": "bobs" })).await.problem(403, "");
}

#[tokio::test]
async fn members_are_set_listed_and_taken_out() {
    let b = team().await;
    let set = |role: &str| b.put("/api/v1/orgs/team/members/bob").json(&json!({ "role": role }));
    assert_eq!(set("member").await.expect(201).json()["role"], "member");
    b.get("/api/v1/orgs/team").bob().await.expect(200);
    b.patch("/api/v1/orgs/team").bob().json(&json!({ "visibility": "public" })).await.problem(403, "");
    assert_eq!(set("owner").await.expect(200).json()["role"], "owner");
    b.patch("/api/v1/orgs/team").bob().json(&json!({ "visibility": "internal" })).await.expect(200);
    let listed = b.get("/api/v1/orgs/team/members").await.expect(200).json();
    let users: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|m| m["user"].as_str().unwrap()).collect();
    assert_eq!(users, ["admin", "bob"]);
    b.put("/api/v1/orgs/team/members/nobody").json(&json!({ "role": "member" })).await.expect(404);
    set("admin").await.problem(400, "role");
    b.delete("/api/v1/orgs/team/members/admin").bob().await.expect(204);
    let last = b.delete("/api/v1/orgs/team/members/bob").bob().await.expect(409).json();
    assert_eq!(last["type"], "/api/docs#must-stay", "{last}");
}

#[tokio::test]
async fn an_org_with_repositories_is_kept() {
    let b = team().await;
    b.push_image("team/app", "v1").await;
    b.delete("/api/v1/orgs/team").await.expect(409);
    b.post("/api/v1/orgs").json(&json!({ "name": "empty" })).await.expect(201);
    b.delete("/api/v1/orgs/empty").await.expect(204);
    b.get("/api/v1/orgs/empty").await.problem(404, "");
}
