//! An issuer's public keys (RFC 7517), and which signatures they may prove.
//!
//! A key proves only signatures of its own kind: were the token's word taken for it, a public key could be used as
//! the shared secret that anybody knows.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// Keys of one issuer that are looked at.
const MOST: usize = 100;

/// Keys that are tried on one signature: a set without names must not make each token cost a hundred checks.
const TRIES: usize = 5;

/// Every algorithm that is accepted.
const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
    // The same, fully specified (RFC 9864).
    ("Ed25519", Algorithm::EdDSA),
];

/// The algorithm of that name, if it is accepted.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
}

/// An issuer's keys.
pub(super) struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    kind: Kind,
    /// When the key itself says that it is for one algorithm only.
    only: Option<Algorithm>,
    public: DecodingKey,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Kind {
    fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => Some(Self::Rsa),
            Algorithm::ES256 => Some(Self::P256),
            Algorithm::ES384 => Some(Self::P384),
            Algorithm::EdDSA => Some(Self::Ed25519),
            _ => None,
        }
    }
}

impl Keys {
    /// Of a key set. Keys of unknown kinds, for encryption, or malformed are passed over: others may be good.
    pub(super) fn parse(set: &Value) -> Option<Self> {
        let keys = set.get("keys")?.as_array()?;
        Some(Self(keys.iter().take(MOST).filter_map(Key::parse).collect()))
    }

    /// Those that may have made a signature by `algorithm`, any of that kind when the token names none; at most 5.
    pub(super) fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &DecodingKey> {
        let named = move |key: &&Key| id.is_none_or(|id| key.id.as_deref() == Some(id));
        let fits =
            move |key: &&Key| Kind::of(algorithm) == Some(key.kind) && key.only.is_none_or(|only| only == algorithm);
        self.0.iter().filter(named).filter(fits).take(TRIES).map(|key| &key.public)
    }
}

impl Key {
    fn parse(json: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json.clone()).ok()?;
        if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
            return None;
        }
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Kind::Rsa,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Kind::P256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => Kind::P384,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Kind::Ed25519,
            _ => return None,
        };
        let only = match json.get("alg").map(|name| name.as_str().and_then(algorithm)) {
            None => None,
            Some(Some(only)) => Some(only),
            // For something that is not accepted here.
            Some(None) => return None,
        };
        Some(Self { id: jwk.common.key_id.clone(), kind, only, public: DecodingKey::from_jwk(&jwk).ok()? })
    }
}

#[cfg(test)]
mod tests;
