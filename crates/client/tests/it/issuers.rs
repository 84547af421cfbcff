//! How an issuer's keys are fetched, kept, renewed, and done without.

use std::time::Duration;

use serde_json::json;
use wharf_client::oidc::{Claims, Error, Expected, Invalid, Issuers};
use wharf_client::outgoing::{self, Allowed, Outgoing, Roots, Settings};
use wharf_testkit::clock::{Clock as _, ManualClock};
use wharf_testkit::issuer::{Issuer, Mood};

use crate::Scene;

async fn verify(scene: &Scene, token: &str) -> Result<Claims, Error> {
    let issuer = scene.issuer.url();
    scene.issuers.verify(token, Expected { issuer: &issuer, audiences: Some(&["wharf"]) }, scene.now()).await
}

fn token(scene: &Scene) -> String {
    scene.issuer.mint(json!({ "aud": "wharf", "exp": 9_999_999_999_i64 }))
}

#[tokio::test]
async fn keys_are_fetched_once_however_many_ask() {
    let scene = Scene::new().await;
    let token = token(&scene);
    let all = futures_util::future::join_all((0..50).map(|_| verify(&scene, &token))).await;
    assert!(all.iter().all(Result::is_ok));
    verify(&scene, &token).await.unwrap();
    assert_eq!((scene.issuer.asked("/keys"), scene.issuer.asked("/.well-known/openid-configuration")), (1, 1));
}

#[tokio::test]
async fn keys_are_fetched_again_when_the_issuer_says_so() {
    let scene = Scene::new().await;
    scene.issuer.set_cache_control("max-age=600");
    let token = token(&scene);
    verify(&scene, &token).await.unwrap();
    scene.clock.advance(Duration::from_secs(599));
    verify(&scene, &token).await.unwrap();
    assert_eq!(scene.issuer.asked("/keys"), 1);
    scene.clock.advance(Duration::from_secs(1));
    verify(&scene, &token).await.unwrap();
    assert_eq!(scene.issuer.asked("/keys"), 2);
}

#[tokio::test]
async fn a_new_key_is_found_and_one_taken_away_is_no_longer_believed() {
    let scene = Scene::new().await;
    let old = token(&scene);
    verify(&scene, &old).await.unwrap();
    scene.issuer.rotate();
    scene.clock.advance(Duration::from_mins(1));
    verify(&scene, &token(&scene)).await.unwrap();
    assert_eq!(scene.issuer.asked("/keys"), 2);
    assert!(matches!(verify(&scene, &old).await, Err(Error::Invalid(Invalid::UnknownKey(_)))));
}

#[tokio::test]
async fn made_up_keys_make_the_issuer_be_asked_once_a_minute() {
    let scene = Scene::new().await;
    verify(&scene, &token(&scene)).await.unwrap();
    scene.issuer.rotate();
    let unknown = token(&scene);
    // Just asked: not again within a minute of it.
    for _ in 0..5 {
        assert!(matches!(verify(&scene, &unknown).await, Err(Error::Invalid(Invalid::UnknownKey(_)))));
    }
    assert_eq!(scene.issuer.asked("/keys"), 1);
    scene.issuer.rotate();
    scene.clock.advance(Duration::from_mins(1));
    let all = futures_util::future::join_all((0..20).map(|_| verify(&scene, &unknown))).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(scene.issuer.asked("/keys"), 2);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_believed_for_a_day() {
    let scene = Scene::new().await;
    let token = token(&scene);
    verify(&scene, &token).await.unwrap();
    scene.issuer.behave(Mood::Down);
    scene.clock.advance(Duration::from_hours(2));
    verify(&scene, &token).await.unwrap();
    verify(&scene, &token).await.unwrap();
    assert_eq!(scene.issuer.asked("/.well-known/openid-configuration"), 2, "asked again at once");
    scene.clock.advance(Duration::from_hours(22));
    assert!(matches!(verify(&scene, &token).await, Err(Error::Provider { .. })));
    scene.issuer.behave(Mood::Well);
    scene.clock.advance(Duration::from_secs(10));
    verify(&scene, &token).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_misbehaves_is_not_believed_and_said_to() {
    let expected = [
        (Mood::OtherIssuer, "its discovery document is of issuer \"https://other.example\""),
        (Mood::Slow, "did not answer within"),
        (Mood::Huge, "is longer than"),
        (Mood::Redirecting, "redirects to http://127.0.0.1:1/elsewhere"),
        (Mood::Down, "answers with status 503"),
        (Mood::Garbled, "is not JSON"),
    ];
    for (mood, reason) in expected {
        let scene = Scene::new().await;
        let token = token(&scene);
        scene.issuer.behave(mood);
        let error = verify(&scene, &token).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{mood:?}: {error}");
        // Not asked again for a while, but the answer is the same.
        assert_eq!(verify(&scene, &token).await.unwrap_err().to_string(), error);
        assert_eq!(scene.issuer.asked("/.well-known/openid-configuration"), 1, "{mood:?}");
    }
}

#[tokio::test]
async fn keys_that_are_not_for_this_are_not_used() {
    let scene = Scene::new().await;
    scene.issuer.behave(Mood::StrangeKeys);
    assert!(matches!(verify(&scene, &token(&scene)).await, Err(Error::Invalid(Invalid::UnknownKey(_)))));
}

#[tokio::test]
async fn an_issuer_inside_is_not_asked_unless_allowed() {
    let scene = Scene::new().await;
    let issuers = Issuers::new(Outgoing::new(Settings::default()));
    let error = issuers.check(&scene.issuer.url(), scene.now()).await.unwrap_err();
    assert!(matches!(error, Error::Outgoing(outgoing::Error::Refused { .. })), "{error}");
    assert_eq!(scene.issuer.asked("/.well-known/openid-configuration"), 0);
}

/// `outgoing.ca`
#[tokio::test]
async fn a_certificate_is_believed_of_an_authority_that_was_added_and_no_other() {
    let clock = ManualClock::default();
    let (issuer, authority) = Issuer::start_tls(&clock).await;
    let (_other, stranger) = Issuer::start_tls(&clock).await;
    let ask = |roots: Roots| {
        let allow = Allowed::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let issuers = Issuers::new(Outgoing::new(Settings { allow, roots, ..Settings::default() }));
        let (url, now) = (issuer.url(), clock.now());
        async move { issuers.check(&url, now).await }
    };
    let roots = |pem: &str| Roots::from_pem(pem.as_bytes()).unwrap();
    ask(roots(&authority)).await.unwrap();
    ask(roots(&format!("{stranger}{authority}"))).await.unwrap();
    for unknown in [Roots::default(), roots(&stranger)] {
        let error = ask(unknown).await.unwrap_err();
        assert!(matches!(error, Error::Outgoing(outgoing::Error::Unreachable { .. })), "{error}");
    }
    assert_eq!(issuer.asked("/keys"), 2);
}
