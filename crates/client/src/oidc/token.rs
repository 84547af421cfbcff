//! Whether a token is what it claims to be (RFC 7519, OpenID Connect Core §3.1.3.7).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use super::{Claims, Invalid, Millis, keys};

/// Bytes of a token, at most: more is no identity.
const SIZE: usize = 16 * 1024;
/// Seconds by which the issuer's clock may be ahead.
const LEEWAY: i64 = 60;

/// A token's own word on how it was signed.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key: Option<String>,
}

impl Header {
    pub(super) fn of(token: &str) -> Result<Self, Invalid> {
        let header = segment(token, 0)?;
        if header.contains_key("crit") {
            return Err(Invalid::Critical);
        }
        let name = header.get("alg").and_then(Value::as_str).ok_or(Invalid::Malformed("its header has no alg"))?;
        let algorithm = keys::algorithm(name).ok_or_else(|| Invalid::Algorithm(name.chars().take(32).collect()))?;
        let key =
            header.get("kid").map(|id| id.as_str().map(str::to_owned).ok_or(Invalid::Malformed("its kid is no text")));
        Ok(Self { algorithm, key: key.transpose()? })
    }
}

/// Who a token says it is from: only good for choosing whom to verify it against.
pub fn unverified_issuer(token: &str) -> Option<String> {
    Some(segment(token, 1).ok()?.get("iss")?.as_str()?.to_owned())
}

fn segment(token: &str, index: usize) -> Result<Claims, Invalid> {
    if token.len() > SIZE {
        return Err(Invalid::Malformed("it is too long"));
    }
    if token.split('.').count() != 3 {
        return Err(Invalid::Malformed("it has not three parts"));
    }
    let text = token.split('.').nth(index).unwrap_or_default();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| Invalid::Malformed("it is not base64url"))?;
    serde_json::from_slice(&bytes).map_err(|_| Invalid::Malformed("it holds no JSON"))
}

/// The claims, when the signature is right.
pub(super) fn claims(token: &str, algorithm: Algorithm, key: &DecodingKey) -> Option<Claims> {
    let mut validation = Validation::new(algorithm);
    // Compared below, by a clock that is an argument, and every one of them.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode(token, key, &validation).ok().map(|token| token.claims)
}

/// Who must have signed a token, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Exactly.
    pub issuer: &'a str,
    /// One of them must be among the token's. `None` where the caller compares it with what the claims lead to.
    pub audiences: Option<&'a [&'a str]>,
}

impl Expected<'_> {
    pub(super) fn check(&self, claims: &Claims, now: Millis) -> Result<(), Invalid> {
        self.check_issuer(claims)?;
        let found = audiences(claims)?;
        if let Some(ours) = self.audiences
            && !found.iter().any(|audience| ours.contains(audience))
        {
            return Err(Invalid::Audience { found: shown(&found), expected: shown(ours) });
        }
        let now = now / 1000;
        // No leeway at its end (RFC 7519 §4.1.4 only allows it): what was given for a time is not taken after it.
        if now >= seconds(claims, "exp")?.ok_or(Invalid::Claim("exp"))? {
            return Err(Invalid::Expired);
        }
        let issued = seconds(claims, "iat")?.ok_or(Invalid::Claim("iat"))?;
        let not_before = seconds(claims, "nbf")?.unwrap_or(issued).max(issued);
        if not_before > now.saturating_add(LEEWAY) { Err(Invalid::TooEarly) } else { Ok(()) }
    }

    pub(super) fn check_issuer(&self, claims: &Claims) -> Result<(), Invalid> {
        let found = claims.get("iss").and_then(Value::as_str).ok_or(Invalid::Claim("iss"))?;
        if found == self.issuer {
            return Ok(());
        }
        Err(Invalid::Issuer { found: found.chars().take(200).collect(), expected: self.issuer.to_owned() })
    }
}

/// What an ID token needs besides: it must have been given to this client, for this very sign-in.
pub(super) fn check_sign_in(claims: &Claims, client_id: &str, nonce: &str) -> Result<(), Invalid> {
    let party = claims.get("azp").map(|party| party.as_str().ok_or(Invalid::Claim("azp"))).transpose()?;
    match party {
        Some(party) if party != client_id => return Err(Invalid::AuthorizedParty),
        None if audiences(claims)?.len() > 1 => return Err(Invalid::AuthorizedParty),
        _ => {}
    }
    let found = claims.get("nonce").and_then(Value::as_str).ok_or(Invalid::Nonce)?;
    let same: bool = subtle::ConstantTimeEq::ct_eq(found.as_bytes(), nonce.as_bytes()).into();
    if same { Ok(()) } else { Err(Invalid::Nonce) }
}

/// Whom the token is for: a text, or a list of them.
pub fn audiences(claims: &Claims) -> Result<Vec<&str>, Invalid> {
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(all)) => {
            all.iter().map(|one| one.as_str().ok_or(Invalid::Claim("aud"))).collect::<Result<_, _>>()
        }
        _ => Err(Invalid::Claim("aud")),
    }
}

/// A time in seconds since 1970 (`NumericDate`), which may have a fraction.
#[expect(clippy::cast_possible_truncation, reason = "of a time; what is too large saturates")]
fn seconds(claims: &Claims, name: &'static str) -> Result<Option<i64>, Invalid> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let whole = value.as_i64().or_else(|| value.as_f64().map(|time| time as i64));
    whole.filter(|time| *time >= 0).map(Some).ok_or(Invalid::Claim(name))
}

/// When the token was issued, in seconds since 1970.
pub fn issued_at(claims: &Claims) -> Option<i64> {
    seconds(claims, "iat").ok().flatten()
}

/// When the token ends, in seconds since 1970.
pub fn expires_at(claims: &Claims) -> Option<i64> {
    seconds(claims, "exp").ok().flatten()
}

fn shown(texts: &[&str]) -> String {
    let shorten = |text: &&str| format!("\"{}\"", text.chars().take(200).collect::<String>());
    texts.iter().take(5).map(shorten).collect::<Vec<_>>().join(" or ")
}
