//! What an issuer says about itself (OpenID Connect Discovery 1.0, RFC 8414).

use std::time::Duration;

use http::header::{ACCEPT, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use url::Url;

use super::keys::Keys;
use super::{Error, Millis};
use crate::outgoing::{Answer, Ask, Outgoing};

/// Bytes of a discovery document or key set.
const DOCUMENT: usize = 512 * 1024;
/// How long what was fetched counts as fresh, whatever the issuer says.
const FRESH: (Duration, Duration) = (Duration::from_mins(5), Duration::from_hours(6));
/// And when it says nothing.
const USUALLY: Duration = Duration::from_hours(1);

/// How a client proves itself at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientProof {
    Basic,
    Form,
}

/// An issuer's own word.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    pub(super) authorization: Option<Url>,
    pub(super) token: Option<Url>,
    pub(super) userinfo: Option<Url>,
    pub(super) proof: ClientProof,
    jwks: Url,
}

/// Everything known of an issuer.
pub(super) struct Known {
    pub(super) metadata: Metadata,
    pub(super) keys: Keys,
    pub(super) fetched_at: Millis,
    pub(super) fresh_until: Millis,
}

/// Asks the issuer for both.
pub(super) async fn fetch(outgoing: &Outgoing, issuer: &str, now: Millis) -> Result<Known, Error> {
    let wrong = |reason: String| Error::Provider { issuer: issuer.to_owned(), reason };
    let url = discovery_url(issuer).map_err(wrong)?;
    let (_, document) = get(outgoing, &url).await?.map_err(wrong)?;
    let metadata = Metadata::parse(issuer, &document).map_err(wrong)?;
    let (answer, set) = get(outgoing, &metadata.jwks).await?.map_err(wrong)?;
    let keys = Keys::parse(&set).ok_or_else(|| wrong(format!("{} holds no keys", metadata.jwks)))?;
    let fresh = i64::try_from(freshness(&answer.headers).as_millis()).unwrap_or(i64::MAX);
    Ok(Known { metadata, keys, fetched_at: now, fresh_until: now.saturating_add(fresh) })
}

/// `<issuer>/.well-known/openid-configuration`, whether or not the issuer ends in a slash.
fn discovery_url(issuer: &str) -> Result<Url, String> {
    let base = Url::parse(issuer).map_err(|error| format!("\"{issuer}\" is no URL: {error}"))?;
    if base.query().is_some() || base.fragment().is_some() {
        return Err("an issuer's URL has neither query nor fragment".into());
    }
    let text = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    Url::parse(&text).map_err(|error| error.to_string())
}

async fn get(outgoing: &Outgoing, url: &Url) -> Result<Result<(Answer, Value), String>, Error> {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    let answer = outgoing.ask(url, Ask::Get(headers), DOCUMENT).await?;
    if !answer.status.is_success() {
        return Ok(Err(format!("{url} answers with status {}", answer.status.as_u16())));
    }
    Ok(match serde_json::from_slice(&answer.body) {
        Ok(document) => Ok((answer, document)),
        Err(_) => Err(format!("{url} is not JSON")),
    })
}

impl Metadata {
    fn parse(issuer: &str, document: &Value) -> Result<Self, String> {
        let found = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if found != issuer {
            let found: String = found.chars().take(200).collect();
            return Err(format!("its discovery document is of issuer \"{found}\": configure exactly that one"));
        }
        let url = |name: &str| match document.get(name).and_then(Value::as_str) {
            None => Ok(None),
            Some(text) => Url::parse(text).map(Some).map_err(|error| format!("its {name} is no URL: {error}")),
        };
        let proofs = document.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let offers = |name: &str| proofs.is_none_or(|all| all.iter().any(|one| one.as_str() == Some(name)));
        // Basic when nothing is said (Discovery §3).
        let basic = offers("client_secret_basic") || !offers("client_secret_post");
        Ok(Self {
            authorization: url("authorization_endpoint")?,
            token: url("token_endpoint")?,
            userinfo: url("userinfo_endpoint")?,
            proof: if basic { ClientProof::Basic } else { ClientProof::Form },
            jwks: url("jwks_uri")?.ok_or("its discovery document has no jwks_uri")?,
        })
    }
}

/// `max-age`, within bounds (RFC 9111).
fn freshness(headers: &HeaderMap) -> Duration {
    let control = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let directives = || control.split(',').map(str::trim);
    if directives().any(|one| one.eq_ignore_ascii_case("no-store") || one.eq_ignore_ascii_case("no-cache")) {
        return FRESH.0;
    }
    let age = directives().find_map(|one| one.to_ascii_lowercase().strip_prefix("max-age=")?.parse().ok());
    age.map_or(USUALLY, Duration::from_secs).clamp(FRESH.0, FRESH.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caching_is_as_the_issuer_says_within_bounds() {
        let fresh = |control: &'static str| {
            freshness(&HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(control))])).as_secs()
        };
        assert_eq!(fresh("public, max-age=7200"), 7200);
        assert_eq!(fresh("Max-Age=7200"), 7200);
        assert_eq!(fresh("max-age=1"), 300);
        assert_eq!(fresh("no-store"), 300);
        assert_eq!(fresh("max-age=999999999"), 6 * 3600);
        assert_eq!(fresh("max-age=soon"), 3600);
        assert_eq!(freshness(&HeaderMap::new()).as_secs(), 3600);
    }

    #[test]
    fn discovery_is_below_the_issuer() {
        let url = |issuer| discovery_url(issuer).map(String::from);
        assert_eq!(url("https://a.example").unwrap(), "https://a.example/.well-known/openid-configuration");
        assert_eq!(url("https://a.example/").unwrap(), "https://a.example/.well-known/openid-configuration");
        assert_eq!(url("https://a.example/x/y").unwrap(), "https://a.example/x/y/.well-known/openid-configuration");
        for issuer in ["a.example", "https://a.example/?x", "https://a.example/#x", ""] {
            url(issuer).unwrap_err();
        }
    }
}
