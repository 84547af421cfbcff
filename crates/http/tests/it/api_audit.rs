//! `/api/v1/audit`, and `/api/v1/orgs/{org}/trust-rules`.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn what_was_changed_is_in_the_audit_with_who_and_by_which_request() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let made = b.post("/api/v1/orgs").json(&json!({ "name": "team" })).await.expect(201);
    let events = b.get("/api/v1/audit?action=org.create").await.expect(200).json();
    let event = &events["items"][0];
    assert_eq!((&event["actor"], &event["target"]), (&json!("admin"), &json!("team")), "{event}");
    assert_eq!((&event["via"], &event["outcome"]), (&json!("password"), &json!("done")), "{event}");
    assert_eq!(event["request"], made.header("x-request-id"));
    assert_eq!(b.get("/api/v1/audit?org=nowhere").await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn the_audit_is_read_in_pages_the_newest_first() {
    let b = Boxed::new().await;
    for name in ["one", "two", "three"] {
        b.post("/api/v1/orgs").json(&json!({ "name": name })).await.expect(201);
    }
    let targets = |reply: &Reply| -> Vec<String> {
        let items = reply.json()["items"].as_array().unwrap().clone();
        items.iter().map(|one| one["target"].as_str().unwrap().to_owned()).collect()
    };
    let mut page = b.get("/api/v1/audit?action=org.create&limit=2").await.expect(200);
    let mut seen = targets(&page);
    while let Some(next) = page.next() {
        page = b.get(next).await.expect(200);
        seen.extend(targets(&page));
    }
    assert_eq!(seen, ["three", "two", "one"]);
    for (query, field) in
        [("after=x", "after"), ("since=yesterday", "since"), ("outcome=maybe", "outcome"), ("actors=bob", "actors")]
    {
        b.get(format!("/api/v1/audit?{query}")).await.problem(400, field);
    }
    b.get("/api/v1/audit?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00%2B01:00").await.expect(200);
}

#[tokio::test]
async fn the_audit_goes_out_as_lines_the_oldest_first() {
    let b = Boxed::new().await;
    b.make_user("bob");
    for name in ["one", "two"] {
        b.post("/api/v1/orgs").json(&json!({ "name": name })).await.expect(201);
    }
    let all = b.get("/api/v1/audit?action=org.create").header("accept", "application/x-ndjson").await.expect(200);
    assert_eq!(all.header("content-type"), "application/x-ndjson");
    let text = String::from_utf8(all.body.to_vec()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let targets: Vec<&str> = lines.iter().map(|line| line["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["one", "two"]);
    let refused = b.get("/api/v1/audit?org=one").header("accept", "application/x-ndjson").bob().await;
    assert!(matches!(refused.status.as_u16(), 403 | 404), "{refused:?}");
}

#[tokio::test]
async fn everybody_sees_what_they_did_and_owners_what_was_done_in_their_org() {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.post("/api/v1/orgs").json(&json!({ "name": "team" })).await.expect(201);
    for path in ["/api/v1/audit?org=team", "/api/v1/audit?org=nowhere", "/api/v1/audit?actor=admin"] {
        let reply = b.get(path).bob().await;
        assert!(matches!(reply.status.as_u16(), 403 | 404), "{reply:?}");
    }
    let own = b.get("/api/v1/audit").bob().await.expect(200).json();
    assert!(own["items"].as_array().unwrap().iter().all(|event| event["actor"] == "bob"), "{own}");
    b.post("/api/v1/self/tokens").bob().json(&json!({ "name": "laptop", "scope": "read" })).await.expect(201);
    let own = b.get("/api/v1/audit?actor=bob&action=token.create").bob().await.expect(200).json();
    assert_eq!(own["items"][0]["actor"], "bob", "{own}");
    b.clock.advance(Duration::from_secs(1));
    b.put("/api/v1/orgs/team/members/bob").json(&json!({ "role": "owner" })).await.expect(201);
    b.get("/api/v1/audit?org=team").bob().await.expect(200);
}

#[tokio::test]
async fn a_provider_is_made_changed_and_deleted_and_its_secret_never_shown() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let provider = json!({
        "name": "company", "issuer": "https://id.example.org", "client_id": "wharf", "client_secret": "s3cr3t-s3cr3t",
        "trusted_domains": ["Example.org"],
    });
    for issuer in ["http://id.example.org", "https://10.0.0.1", "http://127.0.0.1:5556/dex"] {
        let mut inside = provider.clone();
        inside["issuer"] = issuer.into();
        b.post("/api/v1/providers").json(&inside).await.problem(400, "issuer");
    }
    let first = b.post("/api/v1/providers").json(&provider).await.expect(201);
    assert_eq!((&first.json()["title"], &first.json()["scopes"][0]), (&json!("company"), &json!("openid")));
    assert_eq!(first.json()["trusted_domains"], json!(["example.org"]));
    for reply in [first, b.get("/api/v1/providers").await, b.get("/api/v1/audit").await] {
        assert!(reply.status.is_success() && !String::from_utf8_lossy(&reply.body).contains("s3cr3t"), "{reply:?}");
    }
    let patch = |body: Value| b.patch("/api/v1/providers/company").json(&body);
    assert_eq!(patch(json!({ "is_enabled": false })).await.expect(200).json()["is_enabled"], false);
    patch(json!({ "client_secret": "" })).await.problem(400, "client_secret");
    patch(json!({ "scopes": vec!["x"; 17] })).await.problem(400, "scopes");
    patch(json!({ "trusted_domains": ["*"] })).await.problem(400, "trusted_domains[0]");
    patch(json!({ "groups": [["a", "b", "c"]] })).await;
    b.get("/api/v1/providers").bob().await.problem(403, "");
    b.delete("/api/v1/providers/company").await.expect(204);
    b.get("/api/v1/providers/company").await.problem(404, "");
}

#[tokio::test]
async fn a_trust_rule_is_made_changed_and_deleted() {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.post("/api/v1/orgs").json(&json!({ "name": "team" })).await.expect(201);
    b.post("/api/v1/orgs/team/robots").json(&json!({ "name": "ci" })).await.expect(201);
    let rule = json!({
        "name": "github", "robot": "ci", "issuer": "https://token.actions.githubusercontent.com",
        "audience": "https://registry.example.org", "role": "writer",
        "claims": { "repository": "company/app", "repository_owner_id": "1234" },
    });
    let path = "/api/v1/orgs/team/trust-rules";
    let first = b.post(path).json(&rule).await.expect(201);
    assert_eq!((&first.json()["robot"], &first.json()["lifetime"]), (&json!("team+ci"), &json!(900)));
    b.post(path).json(&rule).await.expect(200);
    let with = |field: &str, value: Value| {
        let mut other = rule.clone();
        other[field] = value;
        other
    };
    b.post(path).json(&with("audience", json!("other"))).await.problem(409, "audience");
    for (field, value) in [
        ("claims", json!({})),
        ("issuer", json!("ftp://example.org")),
        ("issuer", json!("http://example.org")),
        ("issuer", json!("https://127.0.0.1")),
        ("issuer", json!("https://169.254.169.254/x")),
        ("issuer", json!("https://[::1]:8443")),
        ("role", json!("owner")),
        ("lifetime", json!(1)),
        ("audience", json!("")),
        ("robot", json!("nobody")),
    ] {
        b.post(path).json(&with(field, value)).await.problem(400, field);
    }
    let change = b.patch(first.header("location")).json(&json!({ "is_enabled": false, "lifetime": 60 }));
    let changed = change.header("if-match", first.header("etag")).await.expect(200).json();
    assert_eq!((&changed["is_enabled"], &changed["lifetime"]), (&json!(false), &json!(60)));
    b.patch(first.header("location")).json(&json!({ "issuer": "https://example.org" })).await.problem(400, "issuer");
    b.patch(first.header("location")).json(&json!({ "robot": "nobody" })).await.problem(400, "robot");
    b.get(path).bob().await.problem(404, "");
    b.post(path).bob().json(&with("robot", json!("nobody"))).await.problem(404, "");
    assert_eq!(b.get(path).await.expect(200).json()["items"][0]["name"], "github");
    b.delete(first.header("location")).await.expect(204);
    b.get(first.header("location")).await.problem(404, "");
}

/// Once an hour is enough for a sign-in that leaves nothing behind, and not for one that lasts three months.
#[tokio::test]
async fn every_sign_in_that_lasts_is_on_record() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let lasting = |client: &str| {
        b.get(format!("/token?service=wharf&offline_token=true&client_id={client}&scope=registry:api:*"))
            .bob()
            .from("203.0.113.9")
    };
    for client in ["docker", "docker", "podman"] {
        assert!(lasting(client).await.expect(200).json()["refresh_token"].is_string());
    }
    let listed = b.get("/api/v1/audit?action=session.create").await.expect(200).json();
    let rows = listed["items"].as_array().unwrap();
    let clients: Vec<_> = rows.iter().map(|row| row["details"]["after"]["client"].as_str().unwrap()).collect();
    assert_eq!(clients, ["podman", "docker", "docker"]);
    for row in rows {
        assert_eq!((&row["actor"], &row["target"], &row["via"]), (&json!("bob"), &json!("bob"), &json!("password")));
        assert!(row["address"] == "203.0.113.9" && row["details"]["after"]["expires_at"].is_u64(), "{row}");
    }
}

#[tokio::test]
async fn who_reads_on_by_id_gets_each_event_once() {
    let b = Boxed::new().await;
    let export = async |since: u64| {
        let reply = b.get(format!("/api/v1/audit?since_id={since}&action=org."));
        let text = reply.header("accept", "application/x-ndjson").await.expect(200).text();
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.map(|row| (row["id"].as_u64().unwrap(), row["target"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    b.post("/api/v1/orgs").json(&json!({ "name": "one" })).await.expect(201);
    let first = export(0).await;
    b.post("/api/v1/orgs").json(&json!({ "name": "two" })).await.expect(201);
    let second = export(first.last().unwrap().0).await;
    let targets: Vec<_> = first.iter().chain(&second).map(|(_, target)| target.as_str()).collect();
    assert_eq!((targets, second.len()), (vec!["one", "two"], 1));
    assert_eq!(export(i64::MAX.unsigned_abs()).await, []);
    let listed = b.get(format!("/api/v1/audit?since_id={}", second[0].0 - 1)).await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().last().unwrap()["id"], second[0].0);
    for none in ["-1", "9223372036854775808"] {
        b.get(format!("/api/v1/audit?since_id={none}")).await.problem(400, "since_id");
    }
}
