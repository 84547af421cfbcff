//! What has gone wrong elsewhere, tried here: mostly artifact-keeper/artifact-keeper, whose threads and advisories are
//! cited. Each test is the attack. What a route or a verb decides for whom is the whole table in `access.rs`.

use serde_json::json;
use wharf_registry::{Anonymous, AuditFilter, Caller, Order};

use super::*;

/// A repository of `team` with an image; `bob`, who has nothing there and an org of his own; `alice`, who may push.
async fn harbor() -> (Boxed, Image) {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    b.make_user("alice");
    b.make_user("bob");
    b.grant("alice", "team/app", "writer");
    (b, image)
}

/// A token of alice's, as `/api/v1` makes it.
async fn api_token(b: &Boxed, name: &str, scope: &str, on: Option<&str>) -> (String, String) {
    let new = json!({ "name": name, "scope": scope, "on": on });
    let made = b.post("/api/v1/self/tokens").user("alice").json(&new).await.expect(201);
    (made.json()["secret"].as_str().unwrap().to_owned(), made.header("location").to_owned())
}

/// The access token that `/token` gives for an API token in the password's place.
async fn exchanged(b: &Boxed, user: &str, secret: &str, query: &str) -> serde_json::Value {
    b.get(format!("/token?service=wharf&{query}")).basic(user, secret).await.expect(200).json()
}

/// §4.1: `/v2` stood outside the middleware that authorises, and being signed in was enough (artifact-keeper#3261).
#[tokio::test]
async fn being_signed_in_opens_nothing() {
    let (b, image) = harbor().await;
    for path in [
        "/v2/team/app/manifests/v1".to_owned(),
        format!("/v2/team/app/manifests/{}", image.manifest.digest),
        format!("/v2/team/app/blobs/{}", image.config.digest),
    ] {
        b.get(&path).bob().await.expect(404);
        b.get(&path).user("alice").await.expect(200);
        let token = b.get("/token?scope=repository:team/app:pull,push").bob().await.expect(200).json();
        b.get(&path).bearer(token["token"].as_str().unwrap()).await.expect(404);
    }
}

/// §4.2: a sibling of the endpoint that was looked after was not: lists (#3320, #3269), HEAD beside GET (#3258),
/// reading verbs without the token's scope (#3408).
#[tokio::test]
async fn no_sibling_of_an_endpoint_says_more_than_it() {
    let (b, image) = harbor().await;
    let reads = [
        "/v2/team/app/manifests/v1".to_owned(),
        format!("/v2/team/app/manifests/{}", image.manifest.digest),
        format!("/v2/team/app/blobs/{}", image.config.digest),
        "/v2/team/app/tags/list".to_owned(),
        format!("/v2/team/app/referrers/{}", image.manifest.digest),
    ];
    let (elsewhere, _) = api_token(&b, "elsewhere", "admin", Some("alice")).await;
    for path in &reads {
        for method in ["GET", "HEAD"] {
            b.ask(method, path).bob().await.expect(404);
            b.ask(method, path).user("alice").await.expect(200);
            let limited = b.ask(method, path).bearer(&elsewhere).await.status.as_u16();
            assert!([401, 404].contains(&limited), "{method} {path}: {limited}");
        }
    }
    let lists = |caller: &str| {
        let bearer = caller.to_owned();
        let b = &b;
        async move {
            let ask = |path| if bearer == "bob" { b.get(path).bob() } else { b.get(path).basic("alice", &bearer) };
            let catalog = ask("/v2/_catalog").await;
            let search = ask("/v1/search?q=app").await;
            String::from_utf8_lossy(&catalog.body).into_owned() + &String::from_utf8_lossy(&search.body)
        }
    };
    assert!(!lists("bob").await.contains("team/app"));
    assert!(!lists(&elsewhere).await.contains("team/app"));
    assert!(lists("secret").await.contains("team/app"));
}

/// §4.3: a token limited to reading, or to one repository, was changed into one that was not (#2290, #2430, #3316,
/// GHSA-vvc3-h39c-mrq5).
#[tokio::test]
async fn no_exchange_of_tokens_gives_more_than_was_shown() {
    let (b, _) = harbor().await;
    b.push_image("team/other", "v1").await;
    b.grant("alice", "team", "maintainer");
    let (reads, place) = api_token(&b, "reads", "read", Some("team/app")).await;
    let wide = "scope=repository:team/app:pull,push,delete&scope=repository:team/other:pull&scope=registry:api:*\
                &offline_token=true";
    let issued = exchanged(&b, "alice", &reads, wide).await;
    assert!(issued["scope"].as_str().unwrap().starts_with("repository:team/app:pull"), "{issued}");
    assert!(!issued["scope"].as_str().unwrap().contains("push") && issued.get("refresh_token").is_none());
    let token = issued["token"].as_str().unwrap();
    let writes = [
        b.post("/v2/team/app/blobs/uploads/"),
        b.put("/v2/team/app/manifests/v2").body("{}"),
        b.delete("/v2/team/app/manifests/v1"),
        b.get("/v2/team/other/manifests/v1"),
        b.post("/api/v1/self/tokens").json(&json!({ "name": "more", "scope": "admin" })),
        b.post("/api/v1/grants").json(&json!({ "target": "team/app", "role": "maintainer", "user": "bob" })),
    ];
    for ask in writes {
        let reply = ask.bearer(token).await;
        assert!([401, 403, 404].contains(&reply.status.as_u16()), "{}: {}", reply.asked, reply.status);
    }
    b.get("/v2/team/app/manifests/v1").bearer(token).await.expect(200);
    // Nor is an access token shown for another: it would never end.
    b.get("/token?scope=repository:team/app:pull").bearer(token).await.expect(401);
    b.get("/token?scope=repository:team/app:push").basic("alice", token).await.expect(401);
    let form = format!("grant_type=refresh_token&service=wharf&refresh_token={reads}");
    b.post("/token").anonymous().form(form).await.expect(401);
    // What was given out for it ends with it.
    b.delete(place).user("alice").await.expect(204);
    b.get("/v2/team/app/manifests/v1").bearer(token).await.expect(401);
}

/// §4.3: renewed, a token's owner has what they have now, not what they had.
#[tokio::test]
async fn a_refresh_token_keeps_no_right_that_was_taken() {
    let (b, _) = harbor().await;
    let query = "scope=repository:team/app:pull,push&offline_token=true&client_id=docker";
    let first = exchanged(&b, "alice", "secret", query).await;
    assert_eq!(first["scope"], "repository:team/app:pull,push");
    b.revoke("alice");
    let form = format!(
        "grant_type=refresh_token&service=wharf&client_id=docker&scope=repository:team/app:pull,push&refresh_token={}",
        first["refresh_token"].as_str().unwrap()
    );
    let second = b.post("/token").anonymous().form(form).await.expect(200).json();
    assert_eq!(second["scope"], "");
    for token in [&first["token"], &second["token"]] {
        b.get("/v2/team/app/manifests/v1").bearer(token.as_str().unwrap()).await.expect(404);
        b.post("/v2/team/app/blobs/uploads/").bearer(token.as_str().unwrap()).await.refused(403, "DENIED");
    }
}

/// §4.4: an upload begun in one repository was finished through another (#1317), and by anybody.
#[tokio::test]
async fn a_stolen_upload_id_is_useless() {
    let (b, _) = harbor().await;
    b.push_image("bob/app", "v1").await;
    b.make_user("eve");
    b.grant("eve", "team/app", "maintainer");
    let goods = Content::random(100);
    let location = b.post("/v2/team/app/blobs/uploads/").user("alice").await.expect(202).header("location").to_owned();
    b.patch(&location).user("alice").body(goods.bytes.slice(..50)).await.expect(202);
    let in_own_org = location.replace("/team/app/", "/bob/app/");
    for (user, place) in [("eve", &location), ("bob", &in_own_org), ("alice", &in_own_org), ("bob", &location)] {
        for ask in [
            b.get(place),
            b.patch(place).body("stolen"),
            b.put(format!("{place}?digest={}", goods.digest)).body(goods.bytes.slice(50..)),
            b.delete(place),
        ] {
            let reply = ask.user(user).await;
            assert!([403, 404].contains(&reply.status.as_u16()), "{user} {}: {}", reply.asked, reply.status);
        }
    }
    b.put(format!("{location}?digest={}", goods.digest)).user("alice").body(goods.bytes.slice(50..)).await.expect(201);
    b.get(format!("/v2/bob/app/blobs/{}", goods.digest)).bob().await.refused(404, "BLOB_UNKNOWN");
}

/// §4.5: in shared storage, knowing a digest was enough to read it (#1681). A mount that may not be looks like one of
/// nothing.
#[tokio::test]
async fn knowing_a_digest_is_no_right() {
    let (b, image) = harbor().await;
    b.push_image("bob/app", "v1").await;
    let layer = &image.layers[0];
    for digest in [&layer.digest, &image.config.digest] {
        b.get(format!("/v2/bob/app/blobs/{digest}")).bob().await.refused(404, "BLOB_UNKNOWN");
        b.head(format!("/v2/bob/app/blobs/{digest}")).bob().await.expect(404);
    }
    b.get(format!("/v2/bob/app/manifests/{}", image.manifest.digest)).bob().await.refused(404, "MANIFEST_UNKNOWN");
    let mut answers = vec![];
    for digest in [layer.digest.to_string(), NOWHERE.to_owned()] {
        for from in ["&from=team/app", "&from=nowhere/app", ""] {
            let mount = b.post(format!("/v2/bob/app/blobs/uploads/?mount={digest}{from}")).bob().await.expect(202);
            let names: Vec<_> = mount.headers.keys().map(ToString::to_string).collect();
            answers.push((mount.status, names, mount.body.clone()));
            cancel_as_bob(&b, mount.header("location")).await;
        }
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:#?}");
    let put = b.put("/v2/bob/app/manifests/stolen").bob().header("content-type", &image.manifest.media_type);
    put.body(image.manifest.bytes.clone()).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
}

async fn cancel_as_bob(b: &Boxed, location: &str) {
    b.delete(location).bob().await.expect(204);
}

/// §4.6: a bearer that had ended was taken for nobody, who may read what is public.
#[tokio::test]
async fn what_has_ended_never_becomes_anonymous() {
    let b = Boxed::builder().settings(|s| s.anonymous = Anonymous::Pull).open().await;
    b.push_image("team/app", "v1").await;
    b.set_visibility("team/app", "public");
    b.make_user("alice");
    b.get("/v2/team/app/manifests/v1").anonymous().await.expect(200);
    let (revoked, place) = api_token(&b, "old", "read", None).await;
    let of_revoked = exchanged(&b, "alice", &revoked, "scope=repository:team/app:pull").await;
    let expired = exchanged(&b, "alice", "secret", "scope=repository:team/app:pull").await;
    b.delete(place).user("alice").await.expect(204);
    b.clock.advance(Duration::from_mins(10));
    let bearers = ["garbage", &revoked, of_revoked["token"].as_str().unwrap(), expired["token"].as_str().unwrap()];
    for bearer in bearers {
        for path in ["/v2/team/app/manifests/v1", "/v2/", "/v2/team/app/tags/list", "/v1/search?q=app"] {
            let refused = b.get(path).bearer(bearer).await.expect(401);
            assert!(refused.header("www-authenticate").contains("invalid_token"), "{:?}", refused.headers);
        }
        b.get("/token?scope=repository:team/app:pull").bearer(bearer).await.expect(401);
        b.get("/token?scope=repository:team/app:pull").basic("alice", bearer).await.expect(401);
        let form = format!("grant_type=refresh_token&service=wharf&refresh_token={bearer}");
        b.post("/token").anonymous().form(form).await.expect(401);
    }
}

/// §4.6: jobs that went on with a revoked token locked its owner out (#1195).
#[tokio::test]
async fn a_revoked_token_in_a_loop_locks_nobody_out() {
    let (b, _) = harbor().await;
    let (revoked, place) = api_token(&b, "job", "read", None).await;
    b.delete(place).user("alice").await.expect(204);
    for _ in 0..200 {
        b.get("/v2/").basic("alice", &revoked).from("192.0.2.1").await.expect(401);
    }
    b.get("/v2/").user("alice").from("192.0.2.1").await.expect(200);
}

/// §4.8: a decoded path went into a header (CR, LF), a manifest's own words became the Content-Type, and a range at
/// the end of numbers was a panic.
#[tokio::test]
async fn nothing_that_is_sent_breaks_out_of_a_header_or_overflows() {
    let (b, image) = harbor().await;
    for path in [
        "/v2/team/app%0d%0aX-Evil:%201/manifests/v1",
        "/v2/team%22,error=%22x/manifests/v1",
        "/v2/team/app/manifests/v1%0d%0aX-Evil:1",
        "/v2/team/app/blobs/uploads/%0d%0aX-Evil:1",
    ] {
        for method in ["GET", "PUT", "POST", "DELETE"] {
            let reply = b.ask(method, path).anonymous().await;
            assert!(!reply.status.is_server_error() && reply.get("x-evil").is_none(), "{reply:?}");
            let headers = format!("{:?}", reply.headers);
            assert!(!headers.contains("Evil") && !headers.contains("error=\"x"), "{headers}");
        }
    }
    let evil = br#"{"schemaVersion":2,"mediaType":"text/html\r\nX-Evil: 1","layers":[]}"#;
    let put = b.put("/v2/team/app/manifests/evil").header("content-type", "text/html").body(&evil[..]).await;
    assert!(put.status.is_client_error(), "{put:?}");
    let location = start(&b, "team/app").await;
    for range in ["0-9223372036854775807", "0-18446744073709551615", "18446744073709551615-0", "-1", "9-5", "x"] {
        let reply = b.patch(&location).header("content-range", range).body("x").await;
        assert!(reply.status.is_client_error(), "{range}: {}", reply.status);
    }
    cancel(&b, &location).await;
    let blob = format!("/v2/team/app/blobs/{}", image.config.digest);
    for range in ["bytes=0-9223372036854775807", "bytes=18446744073709551616-", "bytes=-99999999999999999999"] {
        let reply = b.get(&blob).header("range", range).await;
        assert!(!reply.status.is_server_error(), "{range}: {}", reply.status);
    }
}

/// §4.10: the left-most of `X-Forwarded-For`, which anybody can write, was taken for the client's address
/// (GHSA-8jm4-4x6c-6787).
#[tokio::test]
async fn an_address_that_the_client_wrote_is_not_believed() {
    let (b, _) = harbor().await;
    let ask = |forwarded: &str| {
        format!(
            "GET /v2/ HTTP/1.1\r\nHost: r\r\nAuthorization: Basic YWxpY2U6d3Jvbmc=\r\nConnection: close\r\n\
             X-Forwarded-For: {forwarded}\r\nX-Real-IP: 203.0.113.5\r\nForwarded: for=203.0.113.6\r\n\r\n"
        )
    };
    b.serve().await.talk(ask("203.0.113.1").as_bytes()).await;
    b.serve_behind_a_proxy().await.talk(ask("203.0.113.2, 198.51.100.7").as_bytes()).await;
    b.serve_behind_a_proxy().await.talk(ask("203.0.113.3, 198.51.100.8, 127.0.0.9").as_bytes()).await;
    let filter = AuditFilter { action: Some("sign-in.failure".into()), ..AuditFilter::default() };
    let page = b.registry.audit(&Caller::operator(), filter, Order::OldestFirst, None, 100).await.unwrap();
    let mut found: Vec<_> = page.rows.iter().filter_map(|row| row.address.as_deref()).collect();
    found.sort_unstable();
    assert_eq!(found, ["127.0.0.1", "198.51.100.7", "198.51.100.8"]);
}

/// §4.10: passwords could be guessed at the token endpoint without end (#4020).
#[tokio::test]
async fn passwords_are_not_guessed_at_the_token_endpoint() {
    let (b, _) = harbor().await;
    let mut statuses = vec![];
    for n in 0..40 {
        let form = format!("grant_type=password&username=alice&password=guess{n}&service=wharf");
        let ask = if n % 2 == 0 {
            b.get("/token?service=wharf").basic("alice", &format!("guess{n}"))
        } else {
            b.post("/token").anonymous().form(form)
        };
        statuses.push(ask.from("192.0.2.66").await.status.as_u16());
    }
    assert!(statuses.iter().filter(|status| **status == 401).count() <= 20, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    b.get("/token?service=wharf").user("alice").from("192.0.2.1").await.expect(200);
}

/// §4.10: the text of a database's or store's error reached clients, and a refusal on `/v2` had another shape than
/// clients read (#3284; every refusal in these tests is looked at).
#[tokio::test]
async fn no_answer_tells_what_failed_inside() {
    let b = Boxed::builder().fails().open().await;
    let image = b.push_image("team/app", "v1").await;
    b.break_audit(true);
    for ask in [
        b.delete("/v2/team/app/manifests/v1"),
        b.put("/v2/team/app/manifests/v2")
            .header("content-type", &image.manifest.media_type)
            .body(image.manifest.bytes),
        b.post("/v2/new/app/blobs/uploads/"),
        b.post("/api/v1/orgs").json(&json!({ "name": "new" })),
    ] {
        let reply = ask.await;
        let body = String::from_utf8_lossy(&reply.body).to_lowercase();
        assert!(reply.status.is_server_error(), "{}: {}", reply.asked, reply.status);
        for word in ["sql", "broken by a test", "audit", "trigger", "/tmp", "constraint"] {
            assert!(!body.contains(word), "{}: {body}", reply.asked);
        }
    }
}

/// §4.11: whole bodies were held in memory (#1522, #1528): a manifest of 10 GiB was. Told or not told how long.
#[tokio::test]
async fn a_body_that_is_held_in_memory_is_bounded() {
    let (b, _) = harbor().await;
    let many = |piece: &[u8], count: usize| vec![piece.to_vec(); count].concat();
    let large = many(b" ", 5 << 20);
    let put =
        || b.put("/v2/team/app/manifests/v2").header("content-type", "application/vnd.oci.image.manifest.v1+json");
    put().body(large.clone()).await.refused(413, "SIZE_INVALID");
    put().chunked(large.clone()).await.refused(413, "SIZE_INVALID");
    let form = [b"grant_type=password&username=alice&password=".to_vec(), many(b"x", 1 << 20)].concat();
    let reply = b.post("/token").anonymous().form(form).await;
    assert!(reply.status.is_client_error(), "{reply:?}");
    let name = "x".repeat(4 << 20);
    let reply = b.post("/api/v1/orgs").json(&json!({ "name": name })).await;
    assert!(reply.status.is_client_error() && reply.body.len() < 10_000, "{}", reply.status);
    // A length that is announced is not believed: nothing is reserved for it, and what is missing is missing.
    let announced = b.put("/v2/team/app/manifests/v2").body("{}").header("content-length", "9223372036854775807").await;
    announced.refused(413, "SIZE_INVALID");
}

/// §4.11: a flood of sign-ins kept every core busy with hashing (artifact-keeper#2298).
#[tokio::test]
async fn a_flood_of_sign_ins_keeps_nobody_with_a_token_waiting() {
    let (b, _) = harbor().await;
    let token = exchanged(&b, "alice", "secret", "scope=repository:team/app:pull").await;
    let token = token["token"].as_str().unwrap();
    let guess = async |n: usize| {
        let address = format!("198.51.100.{}", n % 250);
        b.get("/v2/").basic("nobody", &format!("guess{n}")).from(&address).await.status.as_u16()
    };
    let flood = futures_util::future::join_all((0..500).map(guess));
    let read = async { b.get("/v2/team/app/manifests/v1").bearer(token).await.expect(200) };
    let (statuses, _) = tokio::join!(flood, read);
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 429).count() > 300, "{statuses:?}");
}
