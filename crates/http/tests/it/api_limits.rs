//! `/api/v1/limits`.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_limit_is_set_and_goes_back_to_its_default() {
    let b = Boxed::new().await;
    b.make_user("bob");
    let listed = b.get("/api/v1/limits").await.expect(200).json();
    assert!(listed["items"].as_array().unwrap().iter().all(|limit| limit["is_default"] == true));
    let path = "/api/v1/limits/tokens/caller";
    let set = b.put(path).json(&json!({ "requests": 2, "seconds": 60 })).await.expect(200).json();
    assert_eq!(set, json!({ "class": "tokens", "per": "caller", "requests": 2, "seconds": 60, "is_default": false }));
    for _ in 0..2 {
        b.get("/token").bob().await.expect(200);
    }
    b.get("/token").bob().await.expect(429);
    b.delete(path).await.expect(204);
    b.get("/token").bob().await.expect(200);
    for (path, body, field) in [
        ("tokens/caller", json!({ "requests": 0, "seconds": 60 }), "requests"),
        ("tokens/caller", json!({ "requests": 1, "seconds": 0 }), "seconds"),
        ("tokens/caller", json!({ "requests": 1 }), "seconds"),
        ("tokens/everybody", json!({ "requests": 1, "seconds": 1 }), "per"),
        ("naps/caller", json!({ "requests": 1, "seconds": 1 }), "class"),
        ("sign-ins/repository", json!({ "requests": 1, "seconds": 1 }), "per"),
    ] {
        b.put(format!("/api/v1/limits/{path}")).json(&body).await.problem(400, field);
    }
    b.get("/api/v1/limits").bob().await.problem(403, "");
}
