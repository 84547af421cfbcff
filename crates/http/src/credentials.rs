//! The Authorization header (RFC 7617, RFC 6750).

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use wharf_registry::{Caller, Credentials, Error, Registry, Secret, Source};

use crate::middleware::RequestId;
use crate::serve::Peer;

/// What the header holds. One that is malformed, or of another scheme, is wrong credentials, not none: asking again
/// without would look like being signed in.
pub(crate) fn credentials(headers: &HeaderMap) -> Result<Credentials, Error> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Ok(Credentials::None) };
    let header = header.to_str().map_err(|_| Error::BadCredentials)?;
    let (scheme, value) = header.trim().split_once(' ').ok_or(Error::BadCredentials)?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Credentials::Bearer(Secret::new(value)));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Error::BadCredentials);
    }
    let decoded = BASE64_STANDARD.decode(value).map_err(|_| Error::BadCredentials)?;
    let decoded = String::from_utf8(decoded).map_err(|_| Error::BadCredentials)?;
    let (user, password) = decoded.split_once(':').ok_or(Error::BadCredentials)?;
    Ok(Credentials::Basic { user: user.into(), password: Secret::new(password) })
}

/// Where the request comes from.
pub(crate) fn source(parts: &Parts) -> Source {
    let address = parts.extensions.get::<Peer>().and_then(|peer| peer.addr).map(|addr| addr.ip());
    let request = parts.extensions.get::<RequestId>().map_or_else(|| "".into(), |id| Arc::clone(&id.0));
    Source { address, request }
}

/// Who sent the request.
pub(crate) async fn caller(registry: &Registry, parts: &Parts) -> Result<Caller, Error> {
    registry.authenticate(credentials(&parts.headers)?, source(parts)).await
}
