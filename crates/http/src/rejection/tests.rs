//! Every refusal as a client gets it: status, headers, body. A change here is a change of the protocol.

use wharf_oci::{Actions, Digest, ManifestError, Reference, RepoName, Resource};

use wharf_registry::Role;

use super::*;

fn name() -> RepoName {
    "team/app".parse().unwrap()
}

fn digest() -> Digest {
    format!("sha256:{}", "0".repeat(64)).parse().unwrap()
}

fn errors() -> Vec<Error> {
    let scope = || Scope { resource: Resource::Repository(name()), actions: Actions::PULL | Actions::PUSH };
    let reference: Reference = "v1".parse().unwrap();
    let io = || std::io::Error::other("the inside");
    vec![
        Error::SignInNeeded { scope: None },
        Error::SignInNeeded { scope: Some(scope()) },
        Error::BadCredentials,
        Error::BadRefreshToken,
        Error::BadToken,
        Error::Device(DeviceAnswer::Waiting),
        Error::SignInFailed { reason: "the provider says: access_denied".into() },
        Error::OutsideToken { reason: "its signature is wrong".into(), why: None },
        Error::IssuerSilent { issuer: "https://ci.example".into() },
        Error::TokenTooNarrow { scope: scope(), token: "the token".into(), takes: Takes::AccessToken },
        Error::Denied { caller: "bob".into(), action: "push", name: "team/app".into(), takes: Some(Role::Writer) },
        Error::Denied { caller: "bob".into(), action: "change members", name: "team".into(), takes: None },
        Error::NotFound { what: "org team".into() },
        Error::Exists { field: "name", message: "there is an org team already".into() },
        Error::Invalid { field: "name", message: "expected lower-case letters".into() },
        Error::Stale,
        Error::NameUnknown(name()),
        Error::BlobUnknown { name: name(), digest: digest() },
        Error::ManifestUnknown { name: name(), reference },
        Error::UploadUnknown(name()),
        Error::WrongLength { expected: 5 },
        Error::DigestMismatch { expected: digest(), found: digest() },
        Error::ManifestInvalid(ManifestError::Schema1),
        Error::DockerRefused("application/vnd.docker.distribution.manifest.v2+json".into()),
        Error::MissingReferences { name: name(), digests: vec![digest(), digest()] },
        Error::ConditionFailed,
        Error::Body(BodyError::Cut),
        Error::Body(BodyError::Idle),
        Error::Body(BodyError::TooLarge),
        Error::Busy,
        Error::TooManyUploads { caller: "bob".into() },
        Error::Full(Box::new(io())),
        Error::Internal("the inside".into()),
    ]
}

async fn text(rejection: Rejection) -> String {
    let response = rejection.at(&Realm::Token("https://registry.example".into())).into_response();
    let status = response.status();
    let fixed = [CONTENT_TYPE, CONTENT_LENGTH];
    let headers = response.headers().iter().filter(|(name, _)| !fixed.contains(name));
    let headers: Vec<_> = headers.map(|(name, value)| format!("\n  {name}: {}", value.to_str().unwrap())).collect();
    let headers = headers.concat();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    format!("{status}{headers}\n  {}\n", String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn every_error_has_one_answer() {
    let mut answers = String::new();
    for error in errors() {
        answers.push_str(&text(Rejection::from(error)).await);
    }
    for rejection in [Rejection::method("GET, HEAD"), Rejection::range(2048)] {
        answers.push_str(&text(rejection).await);
    }
    insta::assert_snapshot!(answers);
}

#[tokio::test]
async fn what_went_wrong_inside_stays_inside() {
    for error in [Error::Internal("the inside".into()), Error::Full(Box::new(std::io::Error::other("the inside")))] {
        assert!(!text(Rejection::from(error)).await.contains("the inside"));
    }
}
