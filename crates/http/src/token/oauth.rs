//! Grants of plain OAuth 2, which answer with its errors (RFC 6749 §5.2): token exchange (RFC 8693), devices (RFC
//! 8628).

use wharf_oci::{ErrorCode, Query};
use wharf_registry::{Grant, Secret};

use crate::Rejection;

/// By an outside issuer's token.
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// By a device that somebody allowed.
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// Members of an answer beyond those that every token has.
pub(super) type Members = &'static [(&'static str, &'static str)];

/// What the form shows, if its grant is one of these, and what the answer has for it.
pub(super) fn grant(form: &Query) -> Result<Option<(Grant, Members)>, Rejection> {
    match form.get("grant_type") {
        Some(TOKEN_EXCHANGE) => {
            Ok(Some((exchange(form)?, &[("token_type", "Bearer"), ("issued_token_type", ACCESS_TOKEN)])))
        }
        Some(DEVICE_CODE) => {
            let code = form.get("device_code");
            let missing = || Rejection::bad_request(ErrorCode::Unsupported, "parameter device_code is missing");
            Ok(Some((Grant::Device(Secret::new(code.ok_or_else(missing)?)), &[("token_type", "Bearer")])))
        }
        _ => Ok(None),
    }
}

/// What no client speaks that was made for registries.
pub(super) fn no_grant(grant_type: &str) -> Rejection {
    let known = format!("expected password, refresh_token, {TOKEN_EXCHANGE} or {DEVICE_CODE}");
    let rejection = match grant_type {
        "" => Rejection::bad_request(ErrorCode::Unsupported, &format!("parameter grant_type is missing: {known}")),
        _ => Rejection::bad_request(ErrorCode::Unsupported, &format!("this grant_type is not supported: {known}"))
            .coded("unsupported_grant_type"),
    };
    rejection.spoken(true)
}

/// RFC 8693 §2.1. `robot` is ours: which robot the token shall stand for.
fn exchange(form: &Query) -> Result<Grant, Rejection> {
    let invalid = |message: &str| Rejection::bad_request(ErrorCode::Unsupported, message);
    let token = form.get("subject_token").ok_or_else(|| invalid("parameter subject_token is missing"))?;
    if !form.get("subject_token_type").is_some_and(|kind| [JWT, ID_TOKEN].contains(&kind)) {
        return Err(invalid(&format!("subject_token_type must be {JWT} or {ID_TOKEN}")));
    }
    if form.get("requested_token_type").is_some_and(|kind| ![ACCESS_TOKEN, JWT].contains(&kind)) {
        return Err(invalid(&format!("requested_token_type must be {ACCESS_TOKEN}")));
    }
    if form.get("actor_token").is_some() {
        return Err(invalid("an actor_token is not supported: a token stands for one robot"));
    }
    Ok(Grant::Outside { token: Secret::new(token), robot: form.get("robot").map(str::to_owned) })
}
