//! Access and refresh tokens (distribution spec/auth: token, oauth, scope, jwt).
//!
//! An access token says who, and bounds what was asked; rights are looked up at every request, so taking one
//! away works at once, and so does a new password. Refresh tokens are rows, reusable and never rotated: docker keeps the first it is given
//! and drops the password (moby/moby#39718).

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wharf_meta::{Meta, Millis, RefreshToken, SigningKey, User};
use wharf_oci::{Actions, Resource, Scope};

use super::{Action, Caller, Credentials, Decision, Identity};
use crate::{Error, Registry, Result, Secret};

/// Issuer and audience: this registry, whatever name it is reached by.
const SERVICE: &str = "wharf";
/// Clocks of replicas may differ by this much.
const LEEWAY: Duration = Duration::from_secs(30);

/// What a client asks the token endpoint for.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Password, nothing, or for the refresh grant the refresh token as [`Credentials::Bearer`].
    pub credentials: Credentials,
    /// What it wants to do.
    pub scopes: Vec<Scope>,
    /// Whether it wants a refresh token.
    pub offline: bool,
    /// What it calls itself.
    pub client_id: String,
}

/// What it gets.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// Whose it is.
    pub caller: String,
    /// The access token.
    pub token: Secret,
    /// The refresh token, when one was asked for.
    pub refresh_token: Option<Secret>,
    /// Asked for and allowed.
    pub granted: Vec<Scope>,
    /// How long the access token is good for.
    pub lifetime: Duration,
    /// When it was issued.
    pub issued_at: Millis,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The user's row; empty for the anonymous.
    sub: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    /// Names the password it was given out under: a new one ends it.
    #[serde(default)]
    pwd: String,
    access: Vec<Access>,
}

#[derive(Serialize, Deserialize)]
struct Access {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

pub(crate) struct Tokens {
    id: String,
    encoding: EncodingKey,
    decoding: Vec<(String, DecodingKey)>,
    lifetime: Duration,
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
        Ok(Self { id: newest.id.clone(), encoding: EncodingKey::from_ed_der(&newest.secret), decoding, lifetime })
    }

    fn sign(&self, claims: &Claims) -> Result<Secret> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, claims, &self.encoding).map_err(|error| broken_key(&error))?;
        Ok(Secret::new(token))
    }

    /// The claims of a token that one of our keys signed and that is good at `now`.
    fn verify(&self, token: &Secret, now: Millis) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token.expose()).ok()?.kid?;
        let (_, key) = self.decoding.iter().find(|(id, _)| *id == kid)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[SERVICE]);
        validation.set_issuer(&[SERVICE]);
        // Times are compared below, by our own clock.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token.expose(), key, &validation).ok()?.claims;
        let (now, leeway) = (now / 1000, i64::try_from(LEEWAY.as_secs()).ok()?);
        (claims.nbf <= now + leeway && now < claims.exp + leeway).then_some(claims)
    }
}

impl Registry {
    /// Issues an access token for what was asked and is allowed; that may be nothing at all.
    pub async fn issue_token(&self, request: TokenRequest) -> Result<IssuedToken> {
        let identity = match request.credentials {
            Credentials::Bearer(refresh_token) => self.identity_by_refresh_token(&refresh_token).await?,
            other => self.authenticate(other).await?.identity,
        };
        if identity == Identity::Anonymous && self.settings.anonymous == super::Anonymous::Nothing {
            return Err(Error::SignInNeeded { scope: None });
        }
        let caller = Caller { identity, token: None };
        let granted = self.grantable(&caller, request.scopes).await?;
        let issued_at = self.now();
        let mut claims = claims(&caller.identity, &granted, issued_at, self.tokens.lifetime);
        if let Identity::User { id, .. } = &caller.identity {
            let account = self.account(*id).await?.ok_or(Error::BadCredentials)?;
            claims.pwd = fingerprint(&account);
        }
        let token = self.tokens.sign(&claims)?;
        let refresh_token = match &caller.identity {
            Identity::User { id, .. } if request.offline => self.make_refresh_token(*id, request.client_id).await?,
            _ => None,
        };
        let (caller, lifetime) = (caller.name().to_owned(), self.tokens.lifetime);
        Ok(IssuedToken { caller, token, refresh_token, granted, lifetime, issued_at })
    }

    /// Of the scopes asked for, those actions that the caller may do.
    async fn grantable(&self, caller: &Caller, scopes: Vec<Scope>) -> Result<Vec<Scope>> {
        let mut granted = Vec::with_capacity(scopes.len());
        for scope in scopes {
            let actions = match &scope.resource {
                Resource::Catalog => scope.actions,
                Resource::Repository(name) => {
                    let repository = self.meta.repository(name).await?;
                    let may = |action| self.decide(caller, action, name, repository.as_ref()) == Decision::Allow;
                    let all = [
                        (Action::Pull, Actions::PULL),
                        (Action::Push, Actions::PUSH),
                        (Action::Delete, Actions::DELETE),
                    ];
                    let allowed = all.into_iter().filter(|(action, bit)| scope.actions.contains(*bit) && may(*action));
                    allowed.fold(Actions::NONE, |sum, (_, bit)| sum | bit)
                }
            };
            if actions != Actions::NONE {
                granted.push(Scope { actions, ..scope });
            }
        }
        Ok(granted)
    }

    pub(super) async fn caller_by_token(&self, token: &Secret) -> Result<Caller> {
        let bad = || Error::BadToken;
        let claims = self.tokens.verify(token, self.now()).ok_or_else(bad)?;
        let identity = if claims.sub.is_empty() {
            Identity::Anonymous
        } else {
            let account = self.account(claims.sub.parse().map_err(|_| bad())?).await?;
            identity(account.filter(|account| fingerprint(account) == claims.pwd).ok_or_else(bad)?)
        };
        let texts = claims.access.iter().map(|a| format!("{}:{}:{}", a.kind, a.name, a.actions.join(",")));
        let texts: Vec<String> = texts.collect();
        Ok(Caller { identity, token: Some(Scope::parse_all(texts.iter().map(String::as_str))) })
    }

    async fn identity_by_refresh_token(&self, token: &Secret) -> Result<Identity> {
        let now = self.now();
        let row = self.meta.refresh_token(&hash(token)).await?;
        let row = row.filter(|row| row.expires_at > now).ok_or(Error::BadRefreshToken)?;
        // For the owner's eyes: a full disk must not keep anybody from pulling.
        if let Err(error) = self.meta.touch_refresh_token(&row.hash, now).await {
            tracing::warn!(%error, "the use of a refresh token was not recorded");
        }
        Ok(identity(self.account(row.user_id).await?.ok_or(Error::BadRefreshToken)?))
    }

    /// The account, unless it is disabled.
    async fn account(&self, id: i64) -> Result<Option<User>> {
        Ok(self.meta.user_by_id(id).await?.filter(|user| !user.is_disabled))
    }

    /// `None` when the disk is full: the client has its password, and an access token to pull with.
    async fn make_refresh_token(&self, user_id: i64, client_id: String) -> Result<Option<Secret>> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
        let token = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        let expires_at = self.after(self.settings.refresh_lifetime);
        let row = RefreshToken { hash: hash(&token), user_id, client_id, expires_at };
        match self.meta.keep_refresh_token(row, self.now()).await {
            Ok(()) => Ok(Some(token)),
            Err(error @ wharf_meta::Error::Full) => {
                tracing::warn!(%error, "no refresh token was made");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn claims(identity: &Identity, granted: &[Scope], now: Millis, lifetime: Duration) -> Claims {
    let seconds = now / 1000;
    let access = granted.iter().map(|scope| {
        let (kind, name) = match &scope.resource {
            Resource::Repository(name) => ("repository", name.as_str()),
            Resource::Catalog => ("registry", "catalog"),
        };
        let actions = scope.actions.names().map(str::to_owned).collect();
        Access { kind: kind.into(), name: name.into(), actions }
    });
    Claims {
        iss: SERVICE.into(),
        sub: if let Identity::User { id, .. } = identity { id.to_string() } else { String::new() },
        aud: SERVICE.into(),
        exp: seconds.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)),
        nbf: seconds,
        iat: seconds,
        jti: uuid::Uuid::now_v7().to_string(),
        pwd: String::new(),
        access: access.collect(),
    }
}

pub(super) fn identity(account: User) -> Identity {
    Identity::User { id: account.id, name: account.name, is_admin: account.is_admin }
}

/// Changes with the password, and says nothing about it.
fn fingerprint(account: &User) -> String {
    let hash = Sha256::digest(account.password_hash.as_deref().unwrap_or_default().as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash[..9])
}

fn hash(token: &Secret) -> Vec<u8> {
    Sha256::digest(token.expose().as_bytes()).to_vec()
}

fn decoding_key(key: &SigningKey) -> Result<(String, DecodingKey)> {
    let pair = Ed25519KeyPair::from_pkcs8(&key.secret).map_err(|error| broken_key(&error))?;
    Ok((key.id.clone(), DecodingKey::from_ed_der(pair.public_key().as_ref())))
}

fn broken_key(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("token signing key: {error}"))
}
