//! Rates: who shares which, what costs, and what answers say of them.

use std::future::IntoFuture as _;

use wharf_registry::{Anonymous, Caller, Class, Per};

use super::*;

const MANIFEST: &str = "/v2/team/app/manifests/v1";
const HEADERS: [&str; 4] = ["ratelimit-policy", "ratelimit", "ratelimit-limit", "ratelimit-remaining"];
const HOUR: Duration = Duration::from_hours(1);

async fn limit(b: &Boxed, class: Class, per: Per, requests: u64) {
    b.registry.set_limit(&Caller::operator(), class, per, Some(requests), HOUR).await.unwrap();
}

/// A public image in `team/app`, in a box that lets anybody pull.
async fn open_box() -> (Boxed, Image) {
    let b = Boxed::builder().settings(|s| s.anonymous = Anonymous::Pull).open().await;
    let image = b.push_image("team/app", "v1").await;
    b.set_visibility("team/app", "public");
    (b, image)
}

fn left(reply: &Reply) -> u64 {
    reply.header("ratelimit-remaining").split(';').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_defaults_limit_callers_without_an_account_and_leave_others_alone() {
    let (b, _) = open_box().await;
    let reply = b.get(MANIFEST).anonymous().await.expect(200);
    assert_eq!(reply.header("ratelimit-policy"), "\"manifest-pulls/anonymous\";q=1000;w=3600");
    assert_eq!(reply.header("ratelimit"), "\"manifest-pulls/anonymous\";r=999;t=4");
    assert_eq!(reply.header("ratelimit-limit"), "1000;w=3600");
    assert_eq!(reply.header("ratelimit-remaining"), "999;w=3600");
    let own = b.get(MANIFEST).await.expect(200);
    assert!(HEADERS.iter().all(|name| own.get(name).is_none()), "{:?}", own.headers);
}

#[tokio::test]
async fn head_shows_what_is_left_and_costs_nothing() {
    let (b, _) = open_box().await;
    for _ in 0..3 {
        assert_eq!(left(&b.head(MANIFEST).anonymous().await.expect(200)), 1000);
    }
    b.get(MANIFEST).anonymous().await.expect(200);
    assert_eq!(left(&b.head(MANIFEST).anonymous().await.expect(200)), 999);
}

#[tokio::test]
async fn whoever_has_used_theirs_up_is_429_and_told_when_to_come_back() {
    let (b, _) = open_box().await;
    limit(&b, Class::ManifestPulls, Per::Anonymous, 2).await;
    for _ in 0..2 {
        b.get(MANIFEST).anonymous().await.expect(200);
    }
    let refused = b.get(MANIFEST).anonymous().await.refused(429, "TOOMANYREQUESTS");
    assert!(refused.message().contains("manifest-pulls/anonymous allows 2 in 1 hour"), "{}", refused.message());
    assert_eq!(refused.header("retry-after"), "1800");
    assert_eq!(refused.header("ratelimit-remaining"), "0;w=3600");
    assert_eq!(refused.header("ratelimit"), "\"manifest-pulls/anonymous\";r=0;t=3600");
    // Looking is free still, and so is everybody else.
    b.head(MANIFEST).anonymous().await.expect(200);
    b.get(MANIFEST).await.expect(200);
    b.get(MANIFEST).anonymous().from("192.0.2.9").await.expect(200);
    b.clock.advance(Duration::from_mins(30));
    b.get(MANIFEST).anonymous().await.expect(200);
    b.get(MANIFEST).anonymous().await.refused(429, "TOOMANYREQUESTS");
}

#[tokio::test]
async fn an_unchanged_manifest_costs_as_much_as_a_changed_one() {
    let (b, image) = open_box().await;
    let etag = format!("\"{}\"", image.manifest.digest);
    let reply = b.get(MANIFEST).anonymous().header("if-none-match", etag).await.expect(304);
    assert_eq!(left(&reply), 999);
}

#[tokio::test]
async fn a_blob_costs_when_its_content_is_served() {
    let (b, image) = open_box().await;
    let blob = format!("/v2/team/app/blobs/{}", image.layers[0].digest);
    let reply = b.get(&blob).anonymous().await.expect(200);
    assert!(reply.header("ratelimit-policy").starts_with("\"blob-pulls/anonymous\";q=10000"));
    assert_eq!(left(&reply), 9999);
    let etag = format!("\"{}\"", image.layers[0].digest);
    assert_eq!(left(&b.get(&blob).anonymous().header("if-none-match", etag).await.expect(304)), 9999);
    assert_eq!(left(&b.get(format!("/v2/team/app/blobs/{NOWHERE}")).anonymous().await.expect(404)), 9999);
    assert_eq!(left(&b.get(&blob).anonymous().header("range", "bytes=0-1").await.expect(206)), 9998);
    // A manifest is another matter.
    assert_eq!(left(&b.head(MANIFEST).anonymous().await.expect(200)), 1000);
}

#[tokio::test]
async fn each_caller_has_a_limit_of_their_own() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    b.make_user("bob");
    b.grant("bob", "team", "reader");
    limit(&b, Class::ManifestPulls, Per::Caller, 1).await;
    b.get(MANIFEST).bob().from("192.0.2.1").await.expect(200);
    let refused = b.get(MANIFEST).bob().from("192.0.2.2").await.refused(429, "TOOMANYREQUESTS");
    assert!(refused.message().contains("manifest-pulls/caller"));
    b.get(MANIFEST).from("192.0.2.1").await.expect(200);
    // A token is its owner's.
    let token = b.get("/token?scope=repository:team/app:pull").bob().await.expect(200).json();
    b.get(MANIFEST).bearer(token["token"].as_str().unwrap()).await.refused(429, "TOOMANYREQUESTS");
}

#[tokio::test]
async fn addresses_are_hosts_of_ipv4_and_customers_of_ipv6() {
    let (b, _) = open_box().await;
    limit(&b, Class::ManifestPulls, Per::Anonymous, 1).await;
    b.get(MANIFEST).anonymous().from("192.0.2.1").await.expect(200);
    b.get(MANIFEST).anonymous().from("::ffff:192.0.2.1").await.refused(429, "TOOMANYREQUESTS");
    b.get(MANIFEST).anonymous().from("192.0.2.2").await.expect(200);
    b.get(MANIFEST).anonymous().from("2001:db8:1:2::1").await.expect(200);
    b.get(MANIFEST).anonymous().from("2001:db8:1:2:ffff::1").await.refused(429, "TOOMANYREQUESTS");
    b.get(MANIFEST).anonymous().from("2001:db8:1:3::1").await.expect(200);
}

#[tokio::test]
async fn a_limit_per_address_holds_whoever_calls() {
    let (b, _) = open_box().await;
    limit(&b, Class::ManifestPulls, Per::Address, 2).await;
    b.get(MANIFEST).from("192.0.2.1").await.expect(200);
    b.get(MANIFEST).anonymous().from("192.0.2.1").await.expect(200);
    b.get(MANIFEST).from("192.0.2.1").await.refused(429, "TOOMANYREQUESTS");
    // Refused by one limit, a request takes nothing of the others.
    let refused = b.get(MANIFEST).anonymous().from("192.0.2.1").await.refused(429, "TOOMANYREQUESTS");
    assert!(refused.header("ratelimit").contains("\"manifest-pulls/anonymous\";r=999"), "{:?}", refused.headers);
    assert!(refused.header("ratelimit").contains("\"manifest-pulls/address\";r=0"));
    assert_eq!(refused.header("ratelimit-limit"), "2;w=3600");
    b.get(MANIFEST).from("192.0.2.2").await.expect(200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_it_is_the_clients_address_that_counts() {
    let (b, _) = open_box().await;
    limit(&b, Class::ManifestPulls, Per::Anonymous, 1).await;
    let ask = |client: &str| {
        let close = "Host: x\r\nConnection: close";
        format!("GET {MANIFEST} HTTP/1.1\r\n{close}\r\nX-Forwarded-For: {client}\r\n\r\n").into_bytes()
    };
    let server = b.serve_behind_a_proxy().await;
    assert!(server.talk(&ask("192.0.2.1")).await.starts_with("HTTP/1.1 200"));
    assert!(server.talk(&ask("192.0.2.2")).await.starts_with("HTTP/1.1 200"));
    // What stands before the address that the proxy added is the client's own word.
    assert!(server.talk(&ask("198.51.100.7, 192.0.2.2")).await.starts_with("HTTP/1.1 429"));
}

#[tokio::test]
async fn nobody_gets_a_fresh_limit_by_claiming_another_address() {
    let (b, _) = open_box().await;
    limit(&b, Class::ManifestPulls, Per::Anonymous, 1).await;
    let server = b.serve().await;
    let ask = |client: &str| {
        let close = "Host: x\r\nConnection: close";
        format!("GET {MANIFEST} HTTP/1.1\r\n{close}\r\nX-Forwarded-For: {client}\r\n\r\n").into_bytes()
    };
    assert!(server.talk(&ask("192.0.2.1")).await.starts_with("HTTP/1.1 200"));
    assert!(server.talk(&ask("192.0.2.2")).await.starts_with("HTTP/1.1 429"));
}

#[tokio::test]
async fn a_repositorys_limit_is_shared_by_all_who_may_pull_there_and_by_nobody_else() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    b.push_image("team/other", "v1").await;
    b.make_user("bob");
    b.make_user("eve");
    b.grant("bob", "team", "reader");
    limit(&b, Class::ManifestPulls, Per::Repository, 2).await;
    b.get(MANIFEST).bob().await.expect(200);
    let last = b.get(MANIFEST).await.expect(200);
    assert_eq!(last.header("ratelimit"), "\"manifest-pulls/repository\";r=0;t=3600");
    b.get(MANIFEST).bob().await.refused(429, "TOOMANYREQUESTS");
    b.get("/v2/team/other/manifests/v1").bob().await.expect(200);
    // Who may not pull there neither takes from it nor learns that it is there.
    let hidden = b.get(MANIFEST).user("eve").await.expect(404);
    let absent = b.get("/v2/team/none/manifests/v1").user("eve").await.expect(404);
    for reply in [hidden, absent] {
        assert!(HEADERS.iter().all(|name| reply.get(name).is_none()), "{:?}", reply.headers);
    }
}

#[tokio::test]
async fn every_answer_to_a_limited_caller_says_so_and_nothing_else() {
    let (b, image) = open_box().await;
    b.push_image("team/private", "v1").await;
    let upload = start(&b, "team/app").await;
    let cases = [
        ("GET", "/v2/".to_owned(), 401),
        ("HEAD", "/v2/".into(), 401),
        ("HEAD", MANIFEST.into(), 200),
        ("GET", MANIFEST.into(), 200),
        ("GET", "/v2/team/app/manifests/none".into(), 404),
        ("GET", "/v2/team/private/manifests/v1".into(), 401),
        ("GET", "/v2/team/none/manifests/v1".into(), 401),
        ("PUT", MANIFEST.into(), 401),
        ("DELETE", MANIFEST.into(), 401),
        ("GET", format!("/v2/team/app/blobs/{}", image.config.digest), 200),
        ("HEAD", format!("/v2/team/app/blobs/{NOWHERE}"), 404),
        ("POST", "/v2/team/app/blobs/uploads/".into(), 401),
        ("PATCH", upload.clone(), 401),
        ("GET", "/v2/_catalog".into(), 200),
        ("GET", "/v2/team/app/tags/list".into(), 200),
        ("GET", "/v2/team/app/nonsense".into(), 404),
        ("POST", "/v2/".into(), 405),
        ("GET", "/token".into(), 200),
        ("POST", "/token".into(), 400),
        ("GET", "/v1/search?q=app".into(), 200),
        ("GET", "/v1/search?q=none".into(), 401),
    ];
    for (method, path, status) in cases {
        let reply = b.ask(method, &path).anonymous().await.expect(status);
        for name in HEADERS {
            assert!(reply.get(name).is_some(), "{method} {path}: no {name}");
        }
    }
    let text = |reply: Reply| HEADERS.map(|name| reply.header(name).to_owned());
    let hidden = text(b.get("/v2/team/private/manifests/v1").anonymous().await);
    let absent = text(b.get("/v2/team/none/manifests/v1").anonymous().await);
    assert_eq!(hidden, absent);
    // Wrong credentials are a stranger's.
    let wrong = b.get(MANIFEST).basic("admin", "wrong").await.expect(401);
    assert!(wrong.header("ratelimit-policy").contains("anonymous"));
    cancel(&b, &upload).await;
}

#[tokio::test]
async fn being_asked_to_sign_in_costs_nothing() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    limit(&b, Class::ManifestPulls, Per::Anonymous, 1).await;
    for _ in 0..5 {
        let reply = b.get(MANIFEST).anonymous().await.expect(401);
        assert_eq!(left(&reply), 1);
    }
}

#[tokio::test]
async fn pushes_are_manifests_and_uploads_begun_and_are_refused_before_their_body() {
    let b = Boxed::new().await;
    let image = Image::random();
    limit(&b, Class::Pushes, Per::Caller, 4).await;
    // One for each of its blobs, begun and finished in one request, and one for the manifest.
    let blobs: Vec<&Content> = image.blobs().collect();
    assert!(blobs.len() <= 3, "{}", blobs.len());
    b.push("team/app", "v1", &image).await;
    let left_now = left(&b.get("/v2/").await.expect(200));
    assert_eq!(left_now, 4 - blobs.len() as u64 - 1);
    limit(&b, Class::Pushes, Per::Caller, 1).await;
    let location = start(&b, "team/app").await;
    // What has begun may end.
    b.patch(&location).body("goods").await.expect(202);
    let put = b.put(MANIFEST).header("content-type", &image.manifest.media_type);
    let post = b.post(format!("/v2/team/app/blobs/uploads/?digest={NOWHERE}"));
    for ask in [put, post] {
        let asked = ask.stalled("never read").into_future();
        let refused = tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap();
        refused.refused(429, "TOOMANYREQUESTS");
    }
    cancel(&b, &location).await;
}

#[tokio::test]
async fn tokens_are_limited_by_caller_and_for_strangers_by_address() {
    let (b, _) = open_box().await;
    limit(&b, Class::Tokens, Per::Anonymous, 2).await;
    limit(&b, Class::Tokens, Per::Caller, 1).await;
    assert_eq!(left(&b.get("/token").anonymous().await.expect(200)), 1);
    b.get("/token").anonymous().await.expect(200);
    let refused = b.get("/token").anonymous().await.refused(429, "TOOMANYREQUESTS");
    assert!(refused.message().contains("tokens/anonymous") && refused.get("retry-after").is_some());
    assert!(refused.get("www-authenticate").is_none());
    b.get("/token").await.expect(200);
    b.post("/token").form("grant_type=password&username=admin&password=secret").await.refused(429, "TOOMANYREQUESTS");
    // Tokens that were given out go on working.
    b.get(MANIFEST).await.expect(200);
}

#[tokio::test]
async fn lists_and_searches_of_strangers_are_limited_and_a_search_costs_though_it_finds_nothing() {
    let (b, _) = open_box().await;
    limit(&b, Class::Lists, Per::Anonymous, 5).await;
    let referrers = format!("/v2/team/app/referrers/{NOWHERE}");
    let lists = ["/v2/_catalog", "/v2/team/app/tags/list", referrers.as_str()];
    for (before, path) in lists.into_iter().enumerate() {
        let reply = b.get(path).anonymous().await.expect(200);
        assert_eq!(left(&reply), 4 - before as u64, "{path}");
    }
    assert_eq!(left(&b.head("/v2/_catalog").anonymous().await.expect(200)), 1, "as much work as GET");
    assert_eq!(left(&b.get("/v2/none/of/it/tags/list").anonymous().await.expect(401)), 1, "none");
    let reply = b.get("/v1/search?q=nothing").anonymous().await.expect(401);
    assert_eq!(left(&reply), 0);
    for path in lists.into_iter().chain(["/v1/search?q=app"]) {
        let refused = b.get(path).anonymous().await.refused(429, "TOOMANYREQUESTS");
        assert!(refused.message().contains("lists/anonymous allows 5 in 1 hour"), "{}", refused.message());
        b.get(path).await.expect(200);
    }
    b.head("/v2/_catalog").anonymous().await.expect(429);
    b.get(MANIFEST).anonymous().await.expect(200);
}

#[tokio::test]
async fn strangers_lists_are_limited_unless_somebody_says_otherwise() {
    let (b, _) = open_box().await;
    let reply = b.get("/v2/_catalog").anonymous().await.expect(200);
    assert_eq!(reply.header("ratelimit-policy"), "\"lists/anonymous\";q=3000;w=3600");
    assert!(b.get("/v2/_catalog").await.expect(200).get("ratelimit-policy").is_none());
    assert!(b.get("/api/v1/orgs").await.expect(200).get("ratelimit-policy").is_none());
}

#[tokio::test]
async fn what_the_admin_api_changes_is_counted_whatever_comes_of_it() {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.make_user("eve");
    limit(&b, Class::Changes, Per::Caller, 3).await;
    let token = serde_json::json!({ "name": "laptop", "scope": "read" });
    let make = || b.post("/api/v1/self/tokens").json(&token);
    assert_eq!(left(&make().bob().await.expect(201)), 2);
    assert_eq!(left(&make().bob().await.expect(409)), 1);
    assert_eq!(left(&b.delete("/api/v1/orgs/none").bob().await.expect(404)), 0);
    let refused = make().bob().await;
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(left(&refused), 0);
    refused.problem(429, "");
    // Not reading, nobody else, and nobody who has not signed in.
    b.get("/api/v1/self/tokens").bob().await.expect(200);
    make().user("eve").await.expect(201);
    make().anonymous().await.expect(401);
    b.clock.advance(HOUR);
    make().bob().await.expect(409);
    limit(&b, Class::Changes, Per::Address, 1).await;
    make().user("eve").await.expect(409);
    make().bob().await.problem(429, "");
}

#[tokio::test]
async fn a_limit_on_changes_can_be_taken_back_by_who_has_used_it_up() {
    let b = Boxed::new().await;
    b.put("/api/v1/limits/changes/caller")
        .json(&serde_json::json!({ "requests": 1, "seconds": 3600 }))
        .await
        .expect(200);
    let org = serde_json::json!({ "name": "team" });
    b.post("/api/v1/orgs").json(&org).await.expect(201);
    b.post("/api/v1/orgs").json(&org).await.problem(429, "");
    b.delete("/api/v1/limits/changes/caller").await.expect(204);
    b.post("/api/v1/orgs").json(&org).await.expect(200);
    let strangers = serde_json::json!({ "requests": 1, "seconds": 60 });
    b.put("/api/v1/limits/changes/anonymous").json(&strangers).await.problem(400, "per");
}

#[tokio::test]
async fn lists_of_the_admin_api_are_lists() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    limit(&b, Class::Lists, Per::Caller, 2).await;
    assert_eq!(left(&b.get("/api/v1/orgs").await.expect(200)), 1);
    b.get("/api/v1/orgs/team").await.expect(200);
    b.get("/api/v1/repositories/team%2Fapp/tags").await.expect(200);
    for path in ["/api/v1/users", "/api/v1/audit"] {
        b.get(path).await.problem(429, "");
    }
    b.get("/v2/_catalog").await.refused(429, "TOOMANYREQUESTS");
    b.get("/api/v1/orgs/team").await.expect(200);
}

#[tokio::test]
async fn what_an_administrator_sets_holds_at_once_and_can_be_taken_back() {
    let (b, _) = open_box().await;
    limit(&b, Class::ManifestPulls, Per::Anonymous, 1).await;
    b.get(MANIFEST).anonymous().await.expect(200);
    b.get(MANIFEST).anonymous().await.refused(429, "TOOMANYREQUESTS");
    limit(&b, Class::ManifestPulls, Per::Anonymous, 5).await;
    assert_eq!(left(&b.get(MANIFEST).anonymous().await.expect(200)), 4);
    let operator = Caller::operator();
    b.registry.set_limit(&operator, Class::ManifestPulls, Per::Anonymous, None, HOUR).await.unwrap();
    let free = b.get(MANIFEST).anonymous().await.expect(200);
    assert!(!free.header("ratelimit-policy").contains("manifest-pulls"), "{:?}", free.headers);
    b.registry.unset_limit(&operator, Class::ManifestPulls, Per::Anonymous).await.unwrap();
    assert_eq!(left(&b.head(MANIFEST).anonymous().await.expect(200)), 1000);
}

#[tokio::test]
async fn only_administrators_see_and_set_limits_and_nonsense_is_refused() {
    let b = Boxed::new().await;
    let operator = Caller::operator();
    let stranger = Caller::anonymous(wharf_registry::Source::here());
    let set = |requests, seconds| {
        let window = Duration::from_secs(seconds);
        b.registry.set_limit(&operator, Class::Pushes, Per::Caller, requests, window)
    };
    assert!(b.registry.limits(&stranger).await.is_err());
    assert!(b.registry.set_limit(&stranger, Class::Pushes, Per::Caller, None, HOUR).await.is_err());
    assert!(b.registry.unset_limit(&stranger, Class::Pushes, Per::Caller).await.is_err());
    assert!(set(Some(0), 60).await.is_err());
    assert!(set(Some(10), 0).await.is_err());
    assert!(set(Some(10), 40 * 86_400).await.is_err());
    assert!(b.registry.set_limit(&operator, Class::Tokens, Per::Repository, Some(1), HOUR).await.is_err());
    let made = set(Some(10), 60).await.unwrap();
    assert_eq!((made.requests, made.window, made.is_default), (Some(10), Duration::from_mins(1), false));
    assert!(b.registry.limits(&operator).await.unwrap().contains(&made));
}

#[tokio::test]
async fn limits_outlive_a_restart() {
    let (b, _) = open_box().await;
    limit(&b, Class::ManifestPulls, Per::Anonymous, 7).await;
    let b = b.close().settings(|s| s.anonymous = Anonymous::Pull).open().await;
    assert_eq!(left(&b.head(MANIFEST).anonymous().await.expect(200)), 7);
}

#[tokio::test]
async fn refusals_are_counted_by_class() {
    let (b, _) = open_box().await;
    limit(&b, Class::ManifestPulls, Per::Anonymous, 1).await;
    b.get(MANIFEST).anonymous().await.expect(200);
    for _ in 0..3 {
        b.get(MANIFEST).anonymous().await.expect(429);
    }
    let metrics = b.get("/metrics").await.expect(200);
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(text.contains("wharf_requests_limited_total{class=\"manifest-pulls\"} 3"), "{text}");
}
