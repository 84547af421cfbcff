//! Being let in, by registries that ask in every way.

use wharf_testkit::fake_registry::{Answer, Door, FakeRegistry, USER, USER_PASSWORD};
use wharf_testkit::image::Image;

use super::*;

async fn holding(door: Door) -> (FakeRegistry, Image) {
    let (fake, image) = (FakeRegistry::start().await, Image::random());
    fake.hold_manifest("team/app", "v1", &image.manifest);
    for blob in image.blobs() {
        fake.hold_blob("team/app", blob);
    }
    fake.door(door);
    (fake, image)
}

fn as_who(fake: &FakeRegistry, credential: Credential) -> Repository {
    Registry::new(endpoint(fake.host()), credential).unwrap().repository(&name("team/app"))
}

fn jane(fake: &FakeRegistry) -> Repository {
    as_who(fake, by_password(USER, USER_PASSWORD))
}

#[tokio::test]
async fn a_password_is_shown_where_it_is_asked_for_and_from_then_on() {
    let (fake, _) = holding(Door::Basic).await;
    let repository = jane(&fake);
    repository.manifest(&reference("v1")).await.unwrap();
    repository.tags().await.unwrap();
    let asked = fake.asked();
    let shown: Vec<bool> = asked.iter().map(|request| request.header("authorization").is_some()).collect();
    assert_eq!(shown, [false, true, true]);
}

#[tokio::test]
async fn one_token_serves_all_that_it_is_good_for() {
    let (fake, image) = holding(Door::Tokens).await;
    let repository = jane(&fake);
    repository.manifest(&reference("v1")).await.unwrap();
    let layer = descriptor(&image.layers[0]);
    let reads = (0..8).map(|_| read(&repository, &layer));
    for bytes in futures_util::future::join_all(reads).await {
        assert_eq!(bytes.unwrap(), image.layers[0].bytes);
    }
    assert_eq!(fake.count("GET /token"), 1);
    let asked = fake.asked();
    let token = asked.iter().find(|request| request.is("GET /token")).unwrap();
    assert_eq!(token.query("scope").as_deref(), Some("repository:team/app:pull"));
    assert!(!token.target.contains("word"), "no password in a URL");
}

#[tokio::test]
async fn who_pushes_asks_by_the_token_that_pushing_needs() {
    let (fake, image) = holding(Door::Tokens).await;
    let repository = jane(&fake);
    let digest = &image.layers[0].digest;
    assert_eq!(repository.already_has(digest).await.unwrap(), Some(1024));
    let push = wharf_client::registry::Push { digest: Some(digest), size: Some(1024), ..Default::default() };
    repository.push_blob(&image.layers[0].bytes, push).await.unwrap();
    let asked = fake.asked();
    let scopes = asked.iter().filter(|request| request.is("GET /token")).map(|token| token.query("scope"));
    assert_eq!(scopes.collect::<Vec<_>>(), [Some("repository:team/app:pull,push".to_owned())]);
    // A registry that makes a repository at its first push may turn away who looks before.
    for status in [401, 403] {
        let realm = format!("Bearer realm=\"http://{}/token\"", fake.host());
        fake.spoil("HEAD /v2/team/app/blobs/", usize::MAX, move |_, answer| {
            answer.status(status).set("www-authenticate", &realm)
        });
        assert_eq!(repository.already_has(digest).await.unwrap(), None, "{status}");
        fake.behave();
    }
}

#[tokio::test]
async fn a_mount_that_is_turned_away_is_none() {
    // distribution answers 401 to whose token has nothing of the source.
    let (fake, image) = holding(Door::Tokens).await;
    let repository = jane(&fake);
    for status in [401, 403, 404] {
        let realm = format!("Bearer realm=\"http://{}/token\",error=\"insufficient_scope\"", fake.host());
        fake.spoil("POST /v2/team/app/blobs/uploads/?mount", usize::MAX, move |_, _| {
            Answer::new(status).set("www-authenticate", &realm)
        });
        let is_mounted = repository.mount(&image.layers[0].digest, &name("team/base")).await;
        assert!(!is_mounted.unwrap(), "{status}");
        fake.behave();
    }
}

#[tokio::test]
async fn a_token_that_is_refused_to_somebody_is_not_for_want_of_a_sign_in() {
    let (fake, _) = holding(Door::Tokens).await;
    fake.spoil("GET /token", usize::MAX, |_, answer| answer.status(403));
    let error = jane(&fake).tags().await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    let error = as_who(&fake, Credential::Anonymous).tags().await.unwrap_err();
    assert!(matches!(error, Error::SignInNeeded { .. }), "{error}");
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_by_post() {
    let (fake, _) = holding(Door::Tokens).await;
    as_who(&fake, Credential::Refresh(Secret::new("refresh-jane"))).manifest(&reference("v1")).await.unwrap();
    assert_eq!((fake.count("POST /token"), fake.count("GET /token")), (1, 0));
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_replaced() {
    let (fake, image) = holding(Door::Tokens).await;
    let repository = jane(&fake);
    repository.manifest(&reference("v1")).await.unwrap();
    fake.end_tokens();
    assert_eq!(read(&repository, &descriptor(&image.config)).await.unwrap(), image.config.bytes);
    assert_eq!(fake.count("GET /token"), 2);
}

#[tokio::test]
async fn a_challenge_that_wants_more_gets_it_once() {
    // rust-oci-client#235: what a registry asks for may be more than what the specification says.
    let (fake, _) = holding(Door::Tokens).await;
    let host = fake.host().to_owned();
    let realm =
        format!("Bearer realm=\"http://{host}/token\",service=\"s\",scope=\"repository:team/base:pull registry:x:*\"");
    fake.spoil("GET /v2/team/app/tags", 2, move |_, answer| answer.status(401).set("www-authenticate", &realm));
    jane(&fake).tags().await.unwrap_err();
    fake.behave();
    assert_eq!(fake.count("GET /v2/team/app/tags"), 2);
    let asked = fake.asked();
    let scopes = asked.iter().filter(|request| request.is("GET /token")).map(|token| token.target.clone());
    let scopes: Vec<String> = scopes.collect();
    assert_eq!(scopes.len(), 2);
    for scope in ["repository%3Ateam%2Fapp%3Apull", "repository%3Ateam%2Fbase%3Apull", "registry%3Ax%3A*"] {
        assert!(scopes[1].contains(scope), "{scopes:?}");
    }
}

#[tokio::test]
async fn tokens_that_never_work_are_not_asked_for_without_end() {
    let (fake, _) = holding(Door::Tokens).await;
    let token = serde_json::json!({ "token": "of no use" });
    fake.spoil("GET /token", usize::MAX, move |_, answer| answer.json(&token));
    let error = jane(&fake).manifest(&reference("v1")).await.unwrap_err();
    assert!(matches!(error, Error::SignInNeeded { .. }), "{error}");
    assert!(error.to_string().contains("sign in first: wharf auth login"), "{error}");
    assert!(fake.count("GET /token") <= 3 && fake.count("GET /v2/") <= 4, "{}", fake.asked().len());
}

#[tokio::test]
async fn a_challenge_that_changes_each_time_is_answered_three_times_at_most() {
    let (fake, _) = holding(Door::Tokens).await;
    let host = fake.host().to_owned();
    let times = std::sync::atomic::AtomicU32::new(0);
    fake.spoil("GET /v2/", usize::MAX, move |_, answer| {
        let at = times.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let realm = format!("Bearer realm=\"http://{host}/token\",service=\"s\",scope=\"repository:x{at}:pull\"");
        answer.status(401).set("www-authenticate", realm)
    });
    let error = jane(&fake).manifest(&reference("v1")).await.unwrap_err();
    assert!(matches!(error, Error::SignInNeeded { .. }), "{error}");
    assert_eq!(fake.count("GET /token"), 3);
}

#[tokio::test]
async fn wrong_passwords_are_said_to_be_wrong_and_not_shown_in_errors() {
    for door in [Door::Basic, Door::Tokens] {
        let (fake, _) = holding(door).await;
        let wrong = as_who(&fake, by_password(USER, "hunter2"));
        let error = wrong.manifest(&reference("v1")).await.unwrap_err();
        assert!(matches!(error, Error::SignInNeeded { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        let nobody = as_who(&fake, Credential::Anonymous).manifest(&reference("v1")).await.unwrap_err();
        assert!(matches!(nobody, Error::SignInNeeded { .. }), "{nobody}");
    }
}

#[tokio::test]
async fn challenges_that_make_no_sense_are_refused() {
    let (fake, _) = holding(Door::Tokens).await;
    for (challenge, said) in [
        ("", "401 without a known challenge"),
        ("Negotiate abc", "401 without a known challenge"),
        ("Bearer service=\"s\"", "no token endpoint"),
        ("Bearer realm=\"not a url\"", "no token endpoint"),
        ("Bearer realm=\"ftp://a/token\"", "could be read on the way"),
    ] {
        fake.behave();
        fake.spoil("GET /v2/", usize::MAX, move |_, answer| answer.status(401).set("www-authenticate", challenge));
        let error = jane(&fake).manifest(&reference("v1")).await.unwrap_err();
        assert!(error.to_string().contains(said), "{challenge}: {error}");
    }
    assert_eq!(fake.count("GET /token"), 0);
}

#[tokio::test]
async fn token_endpoints_that_answer_otherwise_are_not_believed() {
    let (fake, _) = holding(Door::Tokens).await;
    let spoil = |body: &'static str| {
        fake.behave();
        fake.spoil("GET /token", usize::MAX, move |_, answer| answer.body(body));
    };
    for body in ["<html>", "{}", "{\"token\":\"\"}", "{\"token\":null}"] {
        spoil(body);
        let error = jane(&fake).manifest(&reference("v1")).await.unwrap_err();
        assert!(error.to_string().contains("its token endpoint"), "{body}: {error}");
    }
    fake.behave();
    fake.spoil("GET /token", 1, |_, answer| answer.status(302).set("location", "https://elsewhere.example/token"));
    let error = jane(&fake).manifest(&reference("v1")).await.unwrap_err();
    assert!(error.to_string().contains("https://elsewhere.example/token"), "{error}");
}
