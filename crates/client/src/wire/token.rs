//! The token dance (distribution spec/auth: token.md for GET, oauth.md for POST).

use std::time::Duration;

use http::header::WWW_AUTHENTICATE;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;
use wharf_oci::Challenge;

use super::reply::Reply;
use super::transport::{Again, Transport};
use super::{Address, Error, refusal};
use crate::Secret;

/// What a client of ours calls itself: shown to people beside their sign-ins.
pub(crate) const CLIENT: &str = "wharf";
/// Before its end, a token is not used any more: the request has to arrive.
const MARGIN: Duration = Duration::from_secs(10);
/// Bytes that the answer of a token endpoint may have.
const LARGEST: usize = 1024 * 1024;

/// Who a person or a program is to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nobody.
    Anonymous,
    /// A user's password.
    Password {
        /// Whose.
        user: String,
        /// The password.
        password: Secret,
    },
    /// What a sign-in left.
    Refresh(Secret),
    /// An API token: a user's or a robot's.
    ApiToken(Secret),
    /// A token that requests carry as it is.
    AccessToken(Secret),
}

/// How a server wants to be asked, from its challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// With a token, from there.
    Token {
        /// Where tokens are given out.
        realm: String,
        /// What they are for.
        service: String,
    },
    /// With the password at each request (`token_auth = off`).
    Basic,
    /// It asks for nothing.
    Open,
}

/// A token that requests carry.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// What a password or another device's consent is exchanged for.
    pub refresh_token: Option<Secret>,
    /// What it is good for, where the server says so.
    pub scope: Option<String>,
    /// How long it was good for when it was given.
    pub lifetime: Duration,
    until: Instant,
}

impl AccessToken {
    pub(crate) fn is_good(&self) -> bool {
        Instant::now() + MARGIN < self.until
    }
}

/// Either spelling (token.md: `token` and `access_token` are the same).
#[derive(Deserialize)]
struct Issued {
    token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
    scope: Option<String>,
}

impl Door {
    /// What the challenges of a 401 ask for, or what is wrong with them.
    pub(crate) fn of(address: &Address, challenges: &[Challenge]) -> Result<Self, String> {
        let of = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
        if let Some(bearer) = of("bearer") {
            let realm = bearer.get("realm").unwrap_or_default();
            check_realm(address, realm)?;
            let service = bearer.get("service").unwrap_or_default().into();
            return Ok(Self::Token { realm: realm.into(), service });
        }
        of("basic").map(|_| Self::Basic).ok_or_else(|| "401 without a known challenge".into())
    }
}

fn check_realm(address: &Address, realm: &str) -> Result<(), String> {
    let url = Url::parse(realm).map_err(|_| "its challenge names no token endpoint")?;
    if address.trusts(&url) {
        return Ok(());
    }
    Err(format!("it wants passwords sent to {}, where they could be read on the way", refusal::printable(realm)))
}

/// How a token endpoint is told a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// GET with Basic: every registry has it.
    Basic,
    /// POST of a form; `lasting` asks for a refresh token with the token.
    Form { lasting: bool },
}

/// One question to a token endpoint.
pub(crate) struct Asking<'a> {
    pub(crate) realm: &'a str,
    pub(crate) service: &'a str,
    pub(crate) scopes: &'a [&'a str],
}

impl Asking<'_> {
    /// Asks as whom `credential` says.
    pub(crate) async fn by(&self, transport: &Transport, credential: &Credential, way: Way) -> Result<Reply, Error> {
        match (credential, way) {
            (Credential::Refresh(token), _) => {
                self.post(transport, &[("grant_type", "refresh_token"), ("refresh_token", token.expose())]).await
            }
            (Credential::Password { user, password }, Way::Form { lasting }) => {
                let mut form = vec![("grant_type", "password"), ("username", user), ("password", password.expose())];
                form.extend(lasting.then_some(("access_type", "offline")));
                self.post(transport, &form).await
            }
            (Credential::Password { user, password }, Way::Basic) => self.get(transport, Some((user, password))).await,
            // The endpoint takes it where docker puts it, and does not look at the name: the token says whose it is.
            (Credential::ApiToken(token), _) => self.get(transport, Some(("token", token))).await,
            (Credential::Anonymous | Credential::AccessToken(_), _) => self.get(transport, None).await,
        }
    }

    async fn post(&self, transport: &Transport, form: &[(&str, &str)]) -> Result<Reply, Error> {
        let scopes = self.scopes.join(" ");
        let mut all = vec![("client_id", CLIENT), ("service", self.service)];
        all.extend(form);
        all.push(("scope", &scopes));
        transport.moved(transport.send(Again::Yes, LARGEST, |http| http.post(self.realm).form(&all)).await?)
    }

    async fn get(&self, transport: &Transport, basic: Option<(&str, &Secret)>) -> Result<Reply, Error> {
        let mut query = vec![("client_id", CLIENT), ("service", self.service)];
        query.extend(self.scopes.iter().map(|scope| ("scope", *scope)));
        let ask = |http: &reqwest::Client| {
            let request = http.get(self.realm).query(&query);
            match basic {
                Some((user, password)) => request.basic_auth(user, Some(password.expose())),
                None => request,
            }
        };
        transport.moved(transport.send(Again::Yes, LARGEST, ask).await?)
    }
}

/// The token of an answer that is a success, or what is wrong with it.
pub(crate) fn issued(reply: &Reply) -> Result<AccessToken, &'static str> {
    let issued: Issued =
        serde_json::from_slice(&reply.body).map_err(|_| "its token endpoint answers something else")?;
    let token = issued.token.or(issued.access_token).filter(|token| !token.is_empty());
    let token = token.ok_or("its token endpoint gives no token")?;
    // 60 s when nothing is said: token.md.
    let lifetime = Duration::from_secs(issued.expires_in.unwrap_or(60).min(86_400));
    let until = Instant::now() + lifetime;
    let refresh_token = issued.refresh_token.map(Secret::new);
    Ok(AccessToken { token: Secret::new(token), refresh_token, scope: issued.scope, lifetime, until })
}

/// What a 401 asks for.
pub(crate) fn challenges(reply: &Reply) -> Vec<Challenge> {
    let headers = reply.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    headers.flat_map(Challenge::parse_all).collect()
}
