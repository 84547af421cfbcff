//! What counts as a token of an issuer's, and what does not.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use wharf_client::oidc::{Claims, Error, Expected, Invalid, unverified_issuer};
use wharf_testkit::issuer::Forgery;

use crate::Scene;

async fn verify(scene: &Scene, token: &str) -> Result<Claims, Error> {
    let issuer = scene.issuer.url();
    let audiences = Some(&["wharf", "other"][..]);
    scene.issuers.verify(token, Expected { issuer: &issuer, audiences }, scene.now()).await
}

async fn refused(scene: &Scene, token: &str) -> Invalid {
    match verify(scene, token).await {
        Err(Error::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

/// With these claims beside the right audience.
fn claims(more: &Value) -> Value {
    let mut claims = json!({ "aud": "wharf", "sub": "me" });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

#[tokio::test]
async fn each_kind_of_signature_is_verified() {
    let scene = Scene::new().await;
    for algorithm in [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA] {
        let token = scene.issuer.mint_by(algorithm, claims(&json!({})));
        assert_eq!(verify(&scene, &token).await.unwrap()["sub"], "me", "{algorithm:?}");
    }
}

#[tokio::test]
async fn what_is_no_signature_of_the_issuer_is_refused() {
    let scene = Scene::new().await;
    let forged = |forgery| scene.issuer.forge(forgery, claims(&json!({})));
    let expected = [
        (Forgery::Unsigned, Invalid::Algorithm("none".into())),
        (Forgery::PublicKeyAsSecret, Invalid::Algorithm("HS256".into())),
        (Forgery::OtherKey, Invalid::Signature),
        (Forgery::OtherPayload, Invalid::Signature),
        (Forgery::OwnKey, Invalid::Signature),
        (Forgery::Critical, Invalid::Critical),
    ];
    for (forgery, invalid) in expected {
        assert_eq!(refused(&scene, &forged(forgery)).await, invalid, "{forgery:?}");
    }
}

#[tokio::test]
async fn a_signature_proves_nothing_under_another_name_of_its_algorithm() {
    let scene = Scene::new().await;
    let token = scene.issuer.mint_by(Algorithm::RS256, claims(&json!({})));
    let rest = token.split_once('.').unwrap().1;
    // {"alg":"PS256","kid":"RS256-0"}: that key is for RS256 alone.
    let other = format!("eyJhbGciOiJQUzI1NiIsImtpZCI6IlJTMjU2LTAifQ.{rest}");
    assert_eq!(refused(&scene, &other).await, Invalid::UnknownKey("RS256-0".into()));
}

#[tokio::test]
async fn the_audience_must_be_ours() {
    let scene = Scene::new().await;
    for audience in [json!("wharf"), json!(["wharf"]), json!(["someone", "other"])] {
        verify(&scene, &scene.issuer.mint(json!({ "aud": audience }))).await.unwrap();
    }
    for audience in [json!("Wharf"), json!("wharf "), json!(["wharfinger"]), json!([])] {
        let invalid = refused(&scene, &scene.issuer.mint(json!({ "aud": audience }))).await;
        assert!(matches!(invalid, Invalid::Audience { .. }), "{audience}: {invalid}");
    }
    for audience in [json!(null), json!(1), json!({ "wharf": 1 }), json!([["wharf"]])] {
        let invalid = refused(&scene, &scene.issuer.mint(json!({ "aud": audience }))).await;
        assert_eq!(invalid, Invalid::Claim("aud"), "{audience}");
    }
}

#[tokio::test]
async fn the_issuer_must_be_the_one_that_was_asked() {
    let scene = Scene::new().await;
    let slash = format!("{}/", scene.issuer.url());
    for issuer in ["https://token.actions.githubusercontent.com", slash.as_str(), ""] {
        let invalid = refused(&scene, &scene.issuer.mint(claims(&json!({ "iss": issuer })))).await;
        assert!(matches!(invalid, Invalid::Issuer { .. }), "{issuer}: {invalid}");
    }
    // jsonwebtoken itself would take a list.
    for issuer in [json!(null), json!([scene.issuer.url()])] {
        assert_eq!(refused(&scene, &scene.issuer.mint(claims(&json!({ "iss": issuer })))).await, Invalid::Claim("iss"));
    }
}

#[tokio::test]
async fn a_token_is_good_from_a_minute_before_its_issue_to_its_expiry() {
    let scene = Scene::new().await;
    let now = scene.now() / 1000;
    let minted = |times: Value| scene.issuer.mint(claims(&times));
    for good in [json!({ "exp": now + 1 }), json!({ "iat": now + 60 }), json!({ "nbf": null }), json!({ "exp": 1e300 })]
    {
        verify(&scene, &minted(good.clone())).await.unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    let bad = [
        (json!({ "exp": now }), Invalid::Expired),
        (json!({ "exp": 0 }), Invalid::Expired),
        (json!({ "iat": now + 61 }), Invalid::TooEarly),
        (json!({ "nbf": now + 61 }), Invalid::TooEarly),
        (json!({ "exp": null }), Invalid::Claim("exp")),
        (json!({ "exp": "9999999999" }), Invalid::Claim("exp")),
        (json!({ "exp": -1 }), Invalid::Claim("exp")),
        (json!({ "iat": null }), Invalid::Claim("iat")),
        (json!({ "nbf": [] }), Invalid::Claim("nbf")),
    ];
    for (times, invalid) in bad {
        assert_eq!(refused(&scene, &minted(times.clone())).await, invalid, "{times}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking_anybody() {
    let scene = Scene::new().await;
    let long = format!("{}.e30.AA", "A".repeat(20_000));
    for text in ["", "a", "a.b", "a.b.c", "a.b.c.d", "e30.e30.AA", "bnVsbA.e30.AA", "é.e30.AA", &long] {
        assert!(matches!(refused(&scene, text).await, Invalid::Malformed(_)), "{text}");
        assert_eq!(unverified_issuer(text), None);
    }
    assert_eq!(scene.issuer.asked("/keys"), 0);
}

#[tokio::test]
async fn a_refusal_says_why_and_never_holds_the_token() {
    let scene = Scene::new().await;
    let token = scene.issuer.mint(json!({ "aud": "https://github.com/octo" }));
    let text = verify(&scene, &token).await.unwrap_err().to_string();
    let expected =
        "the token is not accepted: its audience is \"https://github.com/octo\", expected \"wharf\" or \"other\"";
    assert_eq!(text, expected);
    assert!(!text.contains(token.rsplit('.').next().unwrap()));
}
