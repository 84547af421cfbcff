//! Access and refresh tokens (distribution spec/auth: token, oauth, scope, jwt).
//!
//! An access token says who, and bounds what was asked; rights are looked up at every request, so taking one
//! away works at once, and so does a new password. Refresh tokens are rows, reusable and never rotated: docker keeps the first it is given
//! and drops the password (moby/moby#39718).

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use wharf_meta::{Millis, RefreshToken, User};
use wharf_oci::{Actions, Resource, Scope};

use super::signing::{Access, Claims, SERVICE};
use super::{Action, Caller, Credentials, Decision, Identity, Shown, Source, Via};
use crate::federation::Meant;
use crate::people::{BROWSER, client_name};
use crate::{Error, Registry, Result, Secret};

/// What a client shows the token endpoint.
#[derive(Clone, Debug)]
pub enum Grant {
    /// Whatever proves who they are at any other request, or nothing.
    Credentials(Credentials),
    /// A refresh token.
    Refresh(Secret),
    /// A device's code (RFC 8628).
    Device(Secret),
    /// An outside issuer's token (RFC 8693), and the robot that it shall stand for: without one, that of the org whose
    /// repositories are asked for.
    Outside {
        /// The token.
        token: Secret,
        /// `team+ci`
        robot: Option<String>,
    },
}

/// What a client asks the token endpoint for.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// What it wants to do.
    pub scopes: Vec<Scope>,
    /// Whether the access token shall last as long as what it is given for, rather than the usual time.
    pub lasting: bool,
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

impl Registry {
    /// Who asks for a token for those scopes.
    pub async fn token_caller(&self, grant: Grant, scopes: &[Scope], source: Source) -> Result<Caller> {
        let caller = match grant {
            Grant::Credentials(credentials) => self.authenticate(credentials, source).await?,
            Grant::Refresh(token) => {
                let outcome = self.caller_by_refresh_token(&token, source.clone()).await;
                self.note_sign_in(Some(Shown::refresh()), &source, &outcome).await;
                outcome?
            }
            Grant::Device(code) => {
                let caller = self.caller_by_device(&code, source).await?;
                self.signed_in(&caller);
                caller
            }
            Grant::Outside { token, robot } => {
                let meant = robot.as_deref().map_or_else(|| Meant::by_scopes(scopes), Meant::robot);
                let org = meant.map(|meant| meant.org);
                let outcome = self.caller_by_outside_token(&token, meant, source.clone()).await;
                self.note_sign_in(Some(Shown::outside(robot.as_deref(), org)), &source, &outcome).await;
                outcome?
            }
        };
        // Else an access token would live for ever.
        if caller.token.is_some() { Err(Error::BadCredentials) } else { Ok(caller) }
    }

    /// Issues an access token for what was asked and is allowed; that may be nothing at all. It never allows more than
    /// what was shown for it does.
    pub async fn issue_token(&self, caller: &Caller, request: TokenRequest) -> Result<IssuedToken> {
        if caller.identity == Identity::Anonymous && self.settings.anonymous == super::Anonymous::Nothing {
            return Err(Error::SignInNeeded { scope: None });
        }
        let granted = self.grantable(caller, request.scopes).await?;
        let issued_at = self.now();
        let lifetime = self.lifetime(caller, request.lasting);
        let claims = claims(caller, &granted, issued_at, lifetime);
        let token = self.tokens.sign(&claims)?;
        // Tokens that were made for programs are renewed by those, and never turn into one that outlives them.
        let refresh_token = match (&caller.identity, &caller.via) {
            (Identity::User { id, .. }, Via::Password) if request.offline => {
                self.make_refresh_token(*id, caller, &request.client_id).await?
            }
            _ => None,
        };
        Ok(IssuedToken { caller: caller.name().to_owned(), token, refresh_token, granted, lifetime, issued_at })
    }

    /// How long an access token for the caller is good. One that an outside token was exchanged for is all that a job
    /// has: it lasts as long as the rule gives.
    fn lifetime(&self, caller: &Caller, lasting: bool) -> Duration {
        let left = caller.until.map(|until| Duration::from_millis(until.saturating_sub(self.now()).unsigned_abs()));
        match left {
            Some(left) if lasting => left,
            Some(left) => left.min(self.tokens.lifetime),
            None => self.tokens.lifetime,
        }
    }

    /// Of the scopes asked for, those actions that the caller may do.
    async fn grantable(&self, caller: &Caller, scopes: Vec<Scope>) -> Result<Vec<Scope>> {
        let mut granted = Vec::with_capacity(scopes.len());
        for scope in scopes {
            let actions = match &scope.resource {
                Resource::Api if caller.identity == Identity::Anonymous => Actions::NONE,
                Resource::Catalog | Resource::Api => scope.actions,
                Resource::Repository(name) => {
                    let place = self.meta.place(caller.identity.principal(), name).await?;
                    let may = |action| matches!(self.decide(caller, action, name, &place), Decision::Allow(_));
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

    pub(super) async fn caller_by_token(&self, token: &Secret, source: Source) -> Result<Caller> {
        let claims = self.tokens.verify(token, self.now()).ok_or(Error::BadToken)?;
        let caller = self.caller_by_claims(&claims, source).await?.ok_or(Error::BadToken)?;
        let texts = claims.access.iter().map(|a| format!("{}:{}:{}", a.kind, a.name, a.actions.join(",")));
        let texts: Vec<String> = texts.collect();
        // All that a job has is the token itself; what others have made it from lives on.
        let until = if claims.rule.is_some() { Some(claims.exp.saturating_mul(1000)) } else { caller.until };
        Ok(Caller { token: Some(Scope::parse_all(texts.iter().map(String::as_str))), until, ..caller })
    }

    /// Who the claims are of, as the rows are now; `None` when what they were given out for has ended.
    async fn caller_by_claims(&self, claims: &Claims, source: Source) -> Result<Option<Caller>> {
        if claims.sub.is_empty() {
            return Ok(Some(Caller::anonymous(source)));
        }
        if let Some(id) = &claims.tok {
            let caller = self.caller_by_token_id(id, source).await?;
            return Ok(caller.filter(|caller| caller.identity.key() == claims.sub));
        }
        if let Some((id, version)) = claims.rule {
            let caller = self.caller_by_rule_id(id, version, source).await?;
            return Ok(caller.filter(|caller| caller.identity.key() == claims.sub));
        }
        let Some(id) = claims.sub.strip_prefix("user:").and_then(|id| id.parse().ok()) else { return Ok(None) };
        let caller = self.account(id).await?.map(|account| Caller::of_account(account, Via::Password, source));
        Ok(caller.filter(|caller| fingerprint(&caller.proved) == claims.pwd))
    }

    async fn caller_by_refresh_token(&self, token: &Secret, source: Source) -> Result<Caller> {
        let now = self.now();
        let found = self.meta.refresh_token(&token.sha256()).await?;
        // A browser's cookie is no client's token.
        let found = found.filter(|found| found.token.client_id != BROWSER);
        let found = found.filter(|found| found.token.expires_at > now && !found.user.is_disabled);
        let found = found.ok_or(Error::BadRefreshToken)?;
        // For the owner's eyes: a full disk must not keep anybody from pulling.
        let id = BASE64_URL_SAFE_NO_PAD.encode(&found.token.hash);
        if self.tokens.is_to_touch(&id, found.used_at, now)
            && let Err(error) = self.meta.touch_refresh_token(&found.token.hash, now).await
        {
            tracing::warn!(%error, "the use of a refresh token was not recorded");
        }
        Ok(Caller::of_account(found.user, Via::Password, source))
    }

    /// `None` when the disk is full: the client has its password, and an access token to pull with.
    async fn make_refresh_token(&self, user_id: i64, caller: &Caller, client_id: &str) -> Result<Option<Secret>> {
        let token = Secret::unguessable()?;
        let expires_at = self.after(self.settings.refresh_lifetime);
        let row =
            RefreshToken { hash: token.sha256().to_vec(), user_id, client_id: client_name(client_id), expires_at };
        match self.meta.keep_refresh_token(row, caller.proved.expose(), self.by(caller)).await {
            Ok(true) => Ok(Some(token)),
            Ok(false) => Err(Error::BadCredentials),
            Err(error @ wharf_meta::Error::Full) => {
                tracing::warn!(%error, "no refresh token was made");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn claims(caller: &Caller, granted: &[Scope], now: Millis, lifetime: Duration) -> Claims {
    let seconds = now / 1000;
    let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    let mut claims = Claims {
        iss: SERVICE.into(),
        sub: caller.identity.key(),
        aud: SERVICE.into(),
        exp: seconds.saturating_add(lifetime),
        nbf: seconds,
        iat: seconds,
        jti: uuid::Uuid::now_v7().to_string(),
        pwd: String::new(),
        tok: None,
        rule: None,
        access: granted.iter().map(access).collect(),
    };
    match (&caller.via, &caller.identity) {
        (Via::ApiToken { id, .. }, _) => claims.tok = Some(id.clone()),
        (Via::Ci { rule, version, .. }, _) => claims.rule = Some((*rule, *version)),
        // Of what was proved, not of what is stored by now: a new password ends what the old one began.
        (_, Identity::User { .. }) => claims.pwd = fingerprint(&caller.proved),
        _ => {}
    }
    claims
}

fn access(scope: &Scope) -> Access {
    let (kind, name) = match &scope.resource {
        Resource::Repository(name) => ("repository", name.as_str()),
        Resource::Catalog => ("registry", "catalog"),
        Resource::Api => ("registry", "api"),
    };
    let actions = scope.actions.names().map(str::to_owned).collect();
    Access { kind: kind.into(), name: name.into(), actions }
}

/// To who sent a token: it is that which is bad.
pub(super) fn as_bad_token(error: Error) -> Error {
    if matches!(error, Error::BadCredentials) { Error::BadToken } else { error }
}

impl From<User> for Identity {
    fn from(account: User) -> Self {
        Self::User { id: account.id, name: account.name, is_admin: account.is_admin }
    }
}

/// Changes with the password, and says nothing about it.
fn fingerprint(stored: &Secret) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&stored.sha256()[..9])
}
