//! The token endpoint (distribution spec/auth: token, oauth, scope).

use super::*;
use serde_json::Value;

async fn get(b: &Boxed, query: &str) -> Value {
    let reply = b.get(format!("/token?service=wharf&{query}")).await.expect(200);
    assert_eq!((reply.header("content-type"), reply.header("cache-control")), ("application/json", "no-store"));
    reply.json()
}

async fn pulls(b: &Boxed, answer: &Value, name: &str) -> bool {
    let token = answer["access_token"].as_str().unwrap();
    b.get(format!("/v2/{name}/tags/list")).bearer(token).await.status == 200
}

#[tokio::test]
async fn an_answer_has_both_names_a_lifetime_and_a_time() {
    let b = Boxed::new().await;
    let answer = get(&b, "scope=repository:team/app:pull&account=admin&client_id=docker").await;
    assert_eq!(answer["token"], answer["access_token"]);
    assert_eq!(
        (answer["expires_in"].as_u64(), answer["issued_at"].as_str()),
        (Some(300), Some("2027-01-15T08:00:00Z"))
    );
    assert_eq!((answer["scope"].as_str(), answer.get("refresh_token")), (Some("repository:team/app:pull"), None));
}

/// goharbor/harbor#2411, #84, cesanta/docker_auth#67, google/go-containerregistry#724
#[tokio::test]
async fn every_scope_counts_repeated_or_spaced() {
    let b = Boxed::new().await;
    for name in ["a/one", "a/two", "a/three"] {
        b.push_image(name, "v1").await;
    }
    for query in [
        "scope=repository:a/one:pull&scope=repository:a/two:pull",
        "scope=repository:a/one:pull%20repository:a/two:pull",
        "scope=repository:a/one:pull+repository:a/two:push,pull,pull",
        "scope=repository(plugin):a/one:*&scope=repository:a/two:*&scope=unknown:x:y&scope=&scope=garbage",
    ] {
        let answer = get(&b, query).await;
        assert!(pulls(&b, &answer, "a/one").await && pulls(&b, &answer, "a/two").await, "{query}");
        assert!(!pulls(&b, &answer, "a/three").await, "{query}");
    }
    let form = "grant_type=password&username=admin&password=secret&service=wharf&client_id=x\
                &scope=repository:a/one:pull&scope=repository:a/two:pull";
    let answer = b.post("/token").anonymous().form(form).await.expect(200).json();
    assert!(pulls(&b, &answer, "a/one").await && pulls(&b, &answer, "a/two").await);
    assert_eq!(answer["scope"], "repository:a/one:pull repository:a/two:pull");
}

#[tokio::test]
async fn nothing_granted_is_still_an_answer() {
    let b = Boxed::new().await;
    b.make_user("bob");
    b.push_image("team/app", "v1").await;
    let answer = b.get("/token?scope=repository:team/app:pull,push").bob().await.expect(200).json();
    assert_eq!(answer["scope"], "");
    b.get("/v2/").bearer(answer["token"].as_str().unwrap()).await.expect(200);
    assert!(!pulls(&b, &answer, "team/app").await);
}

#[tokio::test]
async fn nobody_gets_a_token_where_nobody_may_anything() {
    let b = Boxed::new().await;
    b.get("/token?scope=repository:team/app:pull").anonymous().await.refused(401, "UNAUTHORIZED");
    b.get("/token").header("authorization", "Basic Og==").await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn wrong_credentials_are_401_and_never_a_token() {
    let b = Boxed::new().await;
    b.get("/token").header("authorization", "Basic YWRtaW46d3Jvbmc=").await.refused(401, "UNAUTHORIZED");
    for form in [
        "grant_type=password&username=admin&password=wrong",
        "grant_type=password&username=nobody&password=secret",
        "grant_type=refresh_token&refresh_token=garbage",
        "grant_type=refresh_token",
    ] {
        b.post("/token").anonymous().form(form).await.refused(401, "UNAUTHORIZED");
    }
    let access = b.token(&[]).await;
    b.get("/token").bearer(&access).await.refused(401, "UNAUTHORIZED");
}

/// buildkit falls back to GET on 400, 401, 404 and 405 only
#[tokio::test]
async fn an_unsupported_grant_is_no_415() {
    let b = Boxed::new().await;
    let bodies = [
        ("grant_type=client_credentials", "unsupported_grant_type"),
        ("", "invalid_request"),
        ("{\"grant_type\":\"password\"}", "invalid_request"),
        ("grant_type=%ff", "unsupported_grant_type"),
    ];
    for (body, code) in bodies {
        // RFC 6749 §5.2.
        let answer = b.post("/token").anonymous().body(body).await.expect(400).json();
        assert_eq!(answer["error"], code, "{body}");
        let said = answer["error_description"].as_str().unwrap();
        assert!(said.contains("grant_type") && said.contains("expected password, refresh_token,"), "{said}");
        b.post("/token").anonymous().header("content-type", "application/json").body(body).await.expect(400);
    }
    b.post("/token").body(vec![0xff, 0xfe]).await.refused(400, "UNSUPPORTED");
    let allow = b.put("/token").await.refused(405, "UNSUPPORTED");
    assert_eq!(allow.header("allow"), "GET, HEAD, POST");
    b.post("/token").body("x".repeat(100_000)).await.refused(413, "SIZE_INVALID");
}

/// regclient/regclient#865, moby/moby#39718, artifact-keeper/artifact-keeper#2477
#[tokio::test]
async fn a_refresh_token_is_reusable_and_never_rotated() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    let first = get(&b, "offline_token=true&scope=repository:team/app:pull&client_id=docker").await;
    assert!(pulls(&b, &first, "team/app").await, "the access token beside it is good");
    let refresh = first["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}&service=wharf&scope=repository:team/app:pull");
    for _ in 0..3 {
        b.clock.advance(Duration::from_hours(24));
        let answer = b.post("/token").anonymous().form(form.clone()).await.expect(200).json();
        assert_eq!(answer["refresh_token"], refresh);
        assert!(pulls(&b, &answer, "team/app").await);
    }
    b.get("/v2/").bearer(refresh).await.refused(401, "UNAUTHORIZED");
    b.clock.advance(Duration::from_hours(91 * 24));
    b.post("/token").anonymous().form(form).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_refresh_token_comes_when_asked_for() {
    let b = Boxed::new().await;
    let form = "grant_type=password&username=admin&password=secret&client_id=helm&access_type=offline";
    let answer = b.post("/token").anonymous().form(form).await.expect(200).json();
    assert!(answer["refresh_token"].is_string());
    let form = "grant_type=password&username=admin&password=secret&client_id=helm";
    assert_eq!(b.post("/token").anonymous().form(form).await.expect(200).json().get("refresh_token"), None);
    let b = Boxed::builder().settings(|s| s.anonymous = wharf_registry::Anonymous::Pull).open().await;
    let anonymous = b.get("/token?offline_token=true").anonymous().await.expect(200).json();
    assert_eq!(anonymous.get("refresh_token"), None);
}

#[tokio::test]
async fn a_new_password_ends_refresh_tokens() {
    let b = Boxed::new().await;
    let refresh = get(&b, "offline_token=true").await["refresh_token"].as_str().unwrap().to_owned();
    b.registry.reset_password("admin", None).await.unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    b.post("/token").anonymous().form(form).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn an_access_token_expires() {
    let b = Boxed::new().await;
    b.push_image("team/app", "v1").await;
    let token = b.token(&["repository:team/app:pull"]).await;
    b.clock.advance(Duration::from_secs(299));
    b.get("/v2/team/app/tags/list").bearer(&token).await.expect(200);
    b.clock.advance(Duration::from_secs(32));
    let wanted = [("/v2/", ""), ("/v2/team/app/tags/list", ",scope=\"repository:team/app:pull\"")];
    for (path, scope) in wanted {
        let refused = b.get(path).bearer(&token).await.refused(401, "UNAUTHORIZED");
        let challenge = refused.header("www-authenticate");
        assert!(challenge.ends_with(&format!("service=\"wharf\"{scope},error=\"invalid_token\"")), "{challenge}");
    }
    let push = b.post("/v2/team/app/blobs/uploads/").bearer(&token).await.refused(401, "UNAUTHORIZED");
    assert!(push.header("www-authenticate").contains("scope=\"repository:team/app:pull,push\""));
}

#[tokio::test]
async fn a_token_of_another_registry_or_touched_is_no_good() {
    let (b, other) = (Boxed::new().await, Boxed::new().await);
    let foreign = other.token(&[]).await;
    let own = b.token(&["repository:team/app:pull"]).await;
    let parts: Vec<&str> = own.split('.').collect();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    let swapped = format!("{}.{}.{}", parts[0], foreign.split('.').nth(1).unwrap(), parts[2]);
    for token in [foreign.clone(), unsigned, swapped, format!("{own}x"), parts[1].to_owned()] {
        let refused = b.get("/v2/").bearer(&token).await.refused(401, "UNAUTHORIZED");
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""), "{token}");
    }
}

#[tokio::test]
async fn tokens_outlive_a_restart() {
    let b = Boxed::new().await;
    let token = b.token(&[]).await;
    let b = b.close().open().await;
    b.get("/v2/").bearer(&token).await.expect(200);
}

#[tokio::test]
async fn one_name_for_one_repository_in_scopes_too() {
    let b = Boxed::new().await;
    b.push_image("alpine", "v1").await;
    for scope in ["repository:alpine:pull", "repository:library/alpine:pull"] {
        let token = b.token(&[scope]).await;
        for name in ["alpine", "library/alpine"] {
            b.get(format!("/v2/{name}/tags/list")).bearer(&token).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_new_password_ends_access_and_refresh_tokens_at_once() {
    let b = Boxed::new().await;
    let issued = b.get("/token?service=wharf&offline_token=true&client_id=t").await.expect(200).json();
    let (access, refresh) = (issued["token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
    b.get("/v2/").bearer(access).await.expect(200);
    b.registry.reset_password("admin", None).await.unwrap();
    b.get("/v2/").bearer(access).await.refused(401, "UNAUTHORIZED");
    let form = format!("grant_type=refresh_token&service=wharf&client_id=t&refresh_token={refresh}");
    b.post("/token").anonymous().body(form).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_token_for_anybody_does_not_tell_what_there_is() {
    let b = Boxed::builder().settings(|settings| settings.anonymous = wharf_registry::Anonymous::Pull).open().await;
    b.push_image("team/private", "v1").await;
    b.set_visibility("team/private", "private");
    for name in ["team/private", "team/missing"] {
        let token = b.get(format!("/token?service=wharf&scope=repository:{name}:pull")).anonymous().await.expect(200);
        assert_eq!(token.json()["scope"], "", "{name}");
    }
}
