//! `/api/v1/repositories`, their tags and manifests, and quotas.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_repository_is_made_changed_and_deleted() {
    let b = Boxed::new().await;
    b.post("/api/v1/orgs").json(&json!({ "name": "team" })).await.expect(201);
    let create =
        |readers: &str| b.post("/api/v1/repositories").json(&json!({ "name": "team/app/web", "visibility": readers }));
    let first = create("internal").await.expect(201);
    assert_eq!(first.header("location"), "/api/v1/repositories/team%2Fapp%2Fweb");
    create("internal").await.expect(200);
    create("public").await.problem(409, "visibility");
    let found = b.get(first.header("location")).await.expect(200);
    assert_eq!(found.json()["name"], "team/app/web");
    let patch = b.patch(first.header("location")).json(&json!({ "visibility": null }));
    let changed = patch.header("if-match", found.header("etag")).await.expect(200).json();
    assert_eq!((&changed["visibility"], &changed["effective_visibility"]), (&json!(null), &json!("private")));
    let patch = b.patch(first.header("location")).json(&json!({ "visibility": "public" }));
    patch.header("if-match", found.header("etag")).await.problem(412, "");
    b.delete(first.header("location")).await.expect(204);
    b.get(first.header("location")).await.problem(404, "");
    b.post("/api/v1/repositories").json(&json!({ "name": "Team/app" })).await.problem(400, "name");
    b.get("/api/v1/repositories/team/app").await.problem(404, "");
    b.get("/api/v1/repositories/Team%2Fapp").await.problem(400, "name");
}

#[tokio::test]
async fn repositories_are_listed_to_those_who_may_read_them() {
    let b = Boxed::new().await;
    b.make_user("bob");
    for name in ["team/app", "team/web", "other/app"] {
        b.push_image(name, "v1").await;
    }
    let names = |reply: Reply| -> Vec<String> {
        let items = reply.expect(200).json()["items"].as_array().unwrap().clone();
        items.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(b.get("/api/v1/repositories").await), ["other/app", "team/app", "team/web"]);
    assert_eq!(names(b.get("/api/v1/repositories?org=team&q=app").await), ["team/app"]);
    assert_eq!(names(b.get("/api/v1/repositories").bob().await), [""; 0]);
    assert_eq!(names(b.get("/api/v1/repositories?org=nowhere").bob().await), [""; 0]);
    b.grant("bob", "team/web", "reader");
    assert_eq!(names(b.get("/api/v1/repositories").bob().await), ["team/web"]);
    let page = b.get("/api/v1/repositories?limit=2").await.expect(200);
    assert_eq!(page.next().unwrap(), "/api/v1/repositories?limit=2&after=team%2Fapp");
    assert_eq!(names(b.get(page.next().unwrap()).await), ["team/web"]);
}

#[tokio::test]
async fn tags_and_manifests_are_listed_and_deleted() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let image = b.push_image("team/app", "v1").await;
    b.push("team/app", "v2", &image).await;
    let tags = b.get("/api/v1/repositories/team%2Fapp/tags?limit=1").await.expect(200);
    assert_eq!(tags.json()["items"][0]["name"], "v1");
    assert_eq!(tags.json()["items"][0]["digest"], image.manifest.digest.to_string());
    assert_eq!(tags.next().unwrap(), "/api/v1/repositories/team%2Fapp/tags?limit=1&after=v1");
    let contents = b.get("/api/v1/repositories/team%2Fapp/contents").await.expect(200).json();
    assert_eq!((&contents["tags"], &contents["manifests"]), (&json!(2), &json!(1)));
    let manifests = b.get("/api/v1/repositories/team%2Fapp/manifests").await.expect(200).json();
    assert_eq!(manifests["items"][0]["tags"], json!(["v1", "v2"]));
    let manifest = format!("/api/v1/repositories/team%2Fapp/manifests/{}", image.manifest.digest);
    assert_eq!(b.get(&manifest).await.expect(200).json(), manifests["items"][0]);
    b.delete("/api/v1/repositories/team%2Fapp/tags/v1").bob().await.problem(403, "");
    b.delete("/api/v1/repositories/team%2Fapp/tags/v1").await.expect(204);
    b.delete("/api/v1/repositories/team%2Fapp/tags/v1").await.problem(404, "");
    b.delete("/api/v1/repositories/team%2Fapp/tags/-v1").await.problem(400, "tag");
    b.get("/v2/team/app/manifests/v2").await.expect(200);
    b.delete(&manifest).await.expect(204);
    b.get("/v2/team/app/manifests/v2").await.expect(404);
    b.get("/api/v1/repositories/team%2Fapp/manifests/latest").await.problem(400, "digest");
}

#[tokio::test]
async fn a_quota_is_set_as_a_whole_and_shown_with_its_use() {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.push_image("team/app", "v1").await;
    let path = "/api/v1/orgs/team/quota";
    let none = b.get(path).await.expect(200);
    assert_eq!((&none.json()["tags"]["used"], &none.json()["tags"]["limit"]), (&json!(1), &json!(null)));
    let set = b.put(path).json(&json!({ "tags": 1, "bytes": 1_000_000 })).await.expect(200);
    assert_eq!((&set.json()["tags"]["limit"], &set.json()["repositories"]["limit"]), (&json!(1), &json!(null)));
    b.put(path).json(&json!({})).header("if-match", none.header("etag")).await.problem(412, "");
    for body in [json!({ "tags": -1 }), json!({ "tags": 1.5 }), json!({ "tags": 9_007_199_254_740_992_u64 })] {
        b.put(path).json(&body).await.problem(400, "tags");
    }
    b.get(path).bob().await.problem(404, "");
    b.put(path).bob().json(&json!({})).await.problem(403, "");
}

#[tokio::test]
async fn the_numbers_are_for_administrators() {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.push_image("team/app", "v1").await;
    let stats = b.get("/api/v1/stats").await.expect(200).json();
    assert_eq!((&stats["users"], &stats["repositories"], &stats["tags"]), (&json!(2), &json!(1), &json!(1)));
    b.get("/api/v1/stats").bob().await.problem(403, "");
}
