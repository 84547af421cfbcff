//! The signature on access tokens (RFC 7519): EdDSA, by keys that are rows.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wharf_meta::{Meta, Millis, SigningKey};

use crate::{Error, Result, Secret};

/// Issuer and audience: this registry, whatever name it is reached by.
pub(super) const SERVICE: &str = "wharf";
/// Clocks of replicas may differ by this much.
const LEEWAY: Duration = Duration::from_secs(30);
/// A token's last use is recorded to the minute.
const TOUCH: Millis = 60_000;
/// Tokens whose signatures are remembered.
const VERIFIED: usize = 4096;

#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    /// `user:` or `robot:` and the row; empty for the anonymous.
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) exp: i64,
    pub(super) nbf: i64,
    pub(super) iat: i64,
    pub(super) jti: String,
    /// Names the password it was given out under: a new one ends it.
    #[serde(default)]
    pub(super) pwd: String,
    /// The API token it was given out for: revoked, it ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tok: Option<String>,
    /// The trust rule it was given out by and that rule's version: changed, it ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<(i64, i64)>,
    pub(super) access: Vec<Access>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Access {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) actions: Vec<String>,
}

pub(crate) struct Tokens {
    id: String,
    /// The newest key, hashed: what other keys are derived from.
    root: [u8; 32],
    encoding: EncodingKey,
    decoding: Vec<(String, DecodingKey)>,
    pub(super) lifetime: Duration,
    /// By SHA-256, tokens whose signature was found good: that never changes, and checking it is what costs most of
    /// a request for a manifest. Whether they have expired or ended is asked each time.
    verified: Cache<[u8; 32], Arc<Claims>>,
    /// When the use of a token was recorded last, by its row: one write a minute, however many ask at once.
    touched: Cache<String, Millis>,
}

impl Tokens {
    /// Reads the signing keys, and makes the first.
    pub(crate) async fn open(meta: &Meta, now: Millis, lifetime: Duration) -> Result<Self> {
        let mut keys = meta.signing_keys().await?;
        if keys.is_empty() {
            let secret = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|error| broken_key(&error))?;
            let key = SigningKey { id: uuid::Uuid::now_v7().to_string(), secret: secret.as_ref().to_vec() };
            meta.keep_signing_key(key.clone(), now).await?;
            keys.push(key);
        }
        let decoding = keys.iter().map(decoding_key).collect::<Result<_>>()?;
        let newest = &keys[0];
        let encoding = EncodingKey::from_ed_der(&newest.secret);
        Ok(Self {
            id: newest.id.clone(),
            root: Sha256::digest(&newest.secret).into(),
            encoding,
            decoding,
            lifetime,
            verified: Cache::new(VERIFIED),
            touched: Cache::new(VERIFIED),
        })
    }

    /// A key for another purpose, the same as long as the signing key is.
    pub(crate) fn derived(&self, purpose: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.root).chain_update(purpose).finalize().into()
    }

    pub(super) fn sign(&self, claims: &Claims) -> Result<Secret> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, claims, &self.encoding).map_err(|error| broken_key(&error))?;
        Ok(Secret::new(token))
    }

    /// Whether the use of the token of that row is to be recorded now; whoever asks is expected to do it.
    pub(super) fn is_to_touch(&self, id: &str, used_at: Option<Millis>, now: Millis) -> bool {
        let recent = |at: Millis| now - at < TOUCH;
        if used_at.is_some_and(recent) || self.touched.get(id).is_some_and(recent) {
            return false;
        }
        self.touched.insert(id.to_owned(), now);
        true
    }

    /// The claims of a token that one of our keys signed and that is good at `now`.
    pub(super) fn verify(&self, token: &Secret, now: Millis) -> Option<Arc<Claims>> {
        let key = token.sha256();
        let claims = if let Some(claims) = self.verified.get(&key) {
            claims
        } else {
            let claims = Arc::new(self.check(token)?);
            self.verified.insert(key, Arc::clone(&claims));
            claims
        };
        let (now, leeway) = (now / 1000, i64::try_from(LEEWAY.as_secs()).ok()?);
        (claims.nbf <= now + leeway && now < claims.exp + leeway).then_some(claims)
    }

    /// The claims of a token that one of our keys signed, whenever that was.
    fn check(&self, token: &Secret) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token.expose()).ok()?.kid?;
        let (_, key) = self.decoding.iter().find(|(id, _)| *id == kid)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[SERVICE]);
        validation.set_issuer(&[SERVICE]);
        // Times are compared by our own clock.
        validation.validate_exp = false;
        Some(jsonwebtoken::decode::<Claims>(token.expose(), key, &validation).ok()?.claims)
    }
}

/// Whether a secret has the shape of a JWT, whoever signed it.
pub(super) fn is_jwt(secret: &Secret) -> bool {
    secret.expose().starts_with("eyJ") && secret.expose().split('.').count() == 3
}

fn decoding_key(key: &SigningKey) -> Result<(String, DecodingKey)> {
    let pair = Ed25519KeyPair::from_pkcs8(&key.secret).map_err(|error| broken_key(&error))?;
    Ok((key.id.clone(), DecodingKey::from_ed_der(pair.public_key().as_ref())))
}

fn broken_key(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("token signing key: {error}"))
}
