//! A person's way through a provider.

use serde_json::json;
use wharf_client::oidc::{Ceremony, Claims, Client, Error, Invalid};
use wharf_testkit::issuer::{CLIENT, CLIENT_SECRET};

use crate::Scene;

const REDIRECT: &str = "https://registry.example/sign-in/jane/callback";

struct Visit {
    ceremony: Ceremony,
    code: String,
}

fn client<'a>(issuer: &'a str, secret: &'a str) -> Client<'a> {
    Client { issuer, id: CLIENT, secret, redirect: REDIRECT, scopes: "profile email", wanted: &["sub", "email"] }
}

/// To the provider and back.
async fn visit(scene: &Scene) -> Visit {
    let (issuer, ceremony) = (scene.issuer.url(), Ceremony::new().unwrap());
    let url = scene.issuers.sign_in_url(&client(&issuer, CLIENT_SECRET), &ceremony, scene.now()).await.unwrap();
    let back = url::Url::parse(&scene.issuer.authorize(url.as_str())).unwrap();
    assert!(back.as_str().starts_with(REDIRECT));
    let field = |name: &str| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(field("state"), ceremony.state);
    Visit { ceremony, code: field("code") }
}

async fn redeem(scene: &Scene, secret: &str, visit: &Visit) -> Result<Claims, Error> {
    let issuer = scene.issuer.url();
    scene.issuers.redeem(&client(&issuer, secret), &visit.code, &visit.ceremony, scene.now()).await
}

#[tokio::test]
async fn who_is_signed_in_at_the_provider_is_told() {
    let scene = Scene::new().await;
    scene.issuer.person(json!({ "sub": "42", "preferred_username": "jane", "email": "jane@example.com" }));
    let claims = redeem(&scene, CLIENT_SECRET, &visit(&scene).await).await.unwrap();
    assert_eq!((&claims["sub"], &claims["preferred_username"]), (&json!("42"), &json!("jane")));
    assert_eq!(scene.issuer.asked("/userinfo"), 0);
}

#[tokio::test]
async fn what_the_token_lacks_the_userinfo_endpoint_tells() {
    let scene = Scene::new().await;
    scene.issuer.person(json!({ "sub": "42", "name": "Jane" }));
    scene.issuer.person_more(json!({ "sub": "42", "name": "Eve", "email": "jane@example.com" }));
    let claims = redeem(&scene, CLIENT_SECRET, &visit(&scene).await).await.unwrap();
    assert_eq!((&claims["email"], &claims["name"]), (&json!("jane@example.com"), &json!("Jane")));
    scene.issuer.person_more(json!({ "sub": "43", "email": "eve@example.com" }));
    let claims = redeem(&scene, CLIENT_SECRET, &visit(&scene).await).await.unwrap();
    assert!(!claims.contains_key("email"), "another's");
}

#[tokio::test]
async fn the_secret_is_sent_as_the_provider_wants_it() {
    let scene = Scene::new().await;
    scene.issuer.take_secret_in_form(CLIENT_SECRET);
    redeem(&scene, CLIENT_SECRET, &visit(&scene).await).await.unwrap();
    let scene = Scene::new().await;
    scene.issuer.take_secret_in_form("");
    redeem(&scene, "", &visit(&scene).await).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_refuses_is_quoted_without_its_control_characters() {
    let scene = Scene::new().await;
    let visit = visit(&scene).await;
    let error = redeem(&scene, "wrong", &visit).await.unwrap_err().to_string();
    assert!(error.ends_with("refused to complete the sign-in: invalid_client: not so"), "{error}");
    redeem(&scene, CLIENT_SECRET, &visit).await.unwrap();
    let error = redeem(&scene, CLIENT_SECRET, &visit).await.unwrap_err().to_string();
    assert!(error.contains("invalid_grant"), "a code is good once: {error}");
}

#[tokio::test]
async fn who_did_not_begin_the_sign_in_cannot_end_it() {
    let scene = Scene::new().await;
    let mut stolen = visit(&scene).await;
    stolen.ceremony.verifier = Ceremony::new().unwrap().verifier;
    assert!(matches!(redeem(&scene, CLIENT_SECRET, &stolen).await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn an_id_token_of_another_sign_in_or_client_is_refused() {
    let expected = [
        (json!({ "nonce": "another" }), Invalid::Nonce),
        (json!({ "nonce": null }), Invalid::Nonce),
        (json!({ "azp": "another" }), Invalid::AuthorizedParty),
        (json!({ "aud": [CLIENT, "another"] }), Invalid::AuthorizedParty),
        (json!({ "exp": 1 }), Invalid::Expired),
    ];
    for (spoilt, invalid) in expected {
        let scene = Scene::new().await;
        scene.issuer.spoil_id_tokens(spoilt.clone());
        match redeem(&scene, CLIENT_SECRET, &visit(&scene).await).await {
            Err(Error::Invalid(found)) => assert_eq!(found, invalid, "{spoilt}"),
            other => panic!("{spoilt}: {other:?}"),
        }
    }
    let scene = Scene::new().await;
    scene.issuer.spoil_id_tokens(json!({ "aud": [CLIENT, "another"], "azp": CLIENT }));
    redeem(&scene, CLIENT_SECRET, &visit(&scene).await).await.unwrap();
    scene.issuer.spoil_id_tokens(json!({ "aud": "another" }));
    let error = redeem(&scene, CLIENT_SECRET, &visit(&scene).await).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(Invalid::Audience { .. })), "{error}");
}

#[tokio::test]
async fn nothing_is_used_twice() {
    let (one, two) = (Ceremony::new().unwrap(), Ceremony::new().unwrap());
    assert!(one.state != two.state && one.nonce != two.nonce && one.verifier != two.verifier);
    assert!(one.verifier.len() >= 43, "RFC 7636 §4.1");
}
