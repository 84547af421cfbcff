//! The token dance (distribution spec/auth: token.md for GET, oauth.md for POST).

use std::time::Duration;

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;
use wharf_oci::Challenge;

use super::transport::{Again, Reply};
use super::{Error, Server, refusal};
use crate::Secret;

/// What a client of ours calls itself: shown to people beside their sign-ins.
pub(super) const CLIENT: &str = "wharf";
/// What the admin API asks for.
pub(super) const API: &str = "registry:api:*";
/// Before its end, a token is not used any more: the request has to arrive.
const MARGIN: Duration = Duration::from_secs(10);

/// Who a person or a program is to a server.
#[derive(Clone, Debug)]
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
    /// How long it was good for when it was given.
    pub lifetime: Duration,
    until: Instant,
}

impl AccessToken {
    pub(super) fn is_good(&self) -> bool {
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
}

impl Server {
    /// Asks how it wants to be asked.
    pub async fn door(&self) -> Result<Door, Error> {
        let url = self.address.at("/v2/");
        let reply = self.transport.send(Again::Yes, |http| http.get(&url)).await?;
        match reply.status {
            StatusCode::OK => Ok(Door::Open),
            StatusCode::UNAUTHORIZED => self.door_of(&reply),
            status => Err(self.transport.not_understood(format!("{status} at /v2/"))),
        }
    }

    fn door_of(&self, reply: &Reply) -> Result<Door, Error> {
        let challenges = challenges(reply);
        let of = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
        if let Some(bearer) = of("bearer") {
            let realm = bearer.get("realm").unwrap_or_default();
            self.check_realm(realm)?;
            let service = bearer.get("service").unwrap_or_default().into();
            return Ok(Door::Token { realm: realm.into(), service });
        }
        of("basic").map(|_| Door::Basic).ok_or_else(|| self.transport.not_understood("401 without a known challenge"))
    }

    fn check_realm(&self, realm: &str) -> Result<(), Error> {
        let url =
            Url::parse(realm).map_err(|_| self.transport.not_understood("its challenge names no token endpoint"))?;
        if self.address.trusts(&url) {
            return Ok(());
        }
        let problem = format!("it wants passwords sent to {realm}, where they could be read on the way");
        Err(self.transport.not_understood(problem))
    }

    /// A token for these scopes. `lasting` asks for a refresh token with it, which only passwords are given.
    pub async fn access_token(&self, door: &Door, scopes: &[&str], lasting: bool) -> Result<AccessToken, Error> {
        let Door::Token { realm, service } = door else {
            return Err(self.transport.not_understood("it gives out no tokens"));
        };
        let mut form = vec![("client_id", CLIENT), ("service", service.as_str())];
        let reply = match &self.credential {
            Credential::Refresh(token) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", token.expose())]);
                self.post_form(realm, form, scopes).await?
            }
            Credential::Password { user, password } => {
                form.extend([("grant_type", "password"), ("username", user), ("password", password.expose())]);
                form.extend(lasting.then_some(("access_type", "offline")));
                self.post_form(realm, form, scopes).await?
            }
            Credential::ApiToken(token) => self.get_token(realm, form, scopes, Some(token)).await?,
            Credential::Anonymous => self.get_token(realm, form, scopes, None).await?,
        };
        self.issued(&reply)
    }

    async fn post_form(&self, to: &str, mut form: Vec<(&str, &str)>, scopes: &[&str]) -> Result<Reply, Error> {
        let scopes = scopes.join(" ");
        form.push(("scope", &scopes));
        self.transport.send(Again::Yes, |http| http.post(to).form(&form)).await
    }

    /// By GET with Basic, whose user name the server does not look at: the token says whose it is.
    async fn get_token(
        &self,
        realm: &str,
        form: Vec<(&str, &str)>,
        scopes: &[&str],
        token: Option<&Secret>,
    ) -> Result<Reply, Error> {
        let scopes = scopes.iter().map(|scope| ("scope", *scope));
        let query: Vec<(&str, &str)> = form.into_iter().chain(scopes).collect();
        let ask = |http: &reqwest::Client| {
            let request = http.get(realm).query(&query);
            match token {
                // The endpoint takes it where docker puts it.
                Some(token) => request.basic_auth("token", Some(token.expose())),
                None => request,
            }
        };
        self.transport.send(Again::Yes, ask).await
    }

    pub(super) fn issued(&self, reply: &Reply) -> Result<AccessToken, Error> {
        if !reply.status.is_success() {
            return Err(self.refused(reply));
        }
        let issued: Issued = serde_json::from_slice(&reply.body)
            .map_err(|_| self.transport.not_understood("its token endpoint answers something else"))?;
        let token = issued.token.or(issued.access_token);
        let token = token.ok_or_else(|| self.transport.not_understood("its token endpoint gives no token"))?;
        // 60 s when nothing is said: token.md.
        let lifetime = Duration::from_secs(issued.expires_in.unwrap_or(60).min(86_400));
        let until = Instant::now() + lifetime;
        Ok(AccessToken {
            token: Secret::new(token),
            refresh_token: issued.refresh_token.map(Secret::new),
            lifetime,
            until,
        })
    }

    /// Posts a form whose errors are the caller's to read (RFC 6749 §5.2).
    pub(super) async fn ask_oauth(&self, url: &str, form: &[(&str, &str)]) -> Result<Result<Reply, String>, Error> {
        let reply = self.transport.send(Again::Yes, |http| http.post(url).form(form)).await?;
        if reply.status.is_success() {
            return Ok(Ok(reply));
        }
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        match body["error"].as_str() {
            Some(code) => Ok(Err(code.to_owned())),
            None => Err(self.refused(&reply)),
        }
    }

    /// An answer that says no.
    pub(super) fn refused(&self, reply: &Reply) -> Error {
        let refusal = refusal::read(reply);
        if refusal.status != StatusCode::UNAUTHORIZED {
            return Error::Refused(refusal);
        }
        let (host, said) = (self.address.host(), refusal.said);
        // RFC 6750 §3.1
        if challenges(reply).iter().any(|challenge| challenge.get("error") == Some("insufficient_scope")) {
            return Error::TooNarrow { host, said };
        }
        Error::SignInNeeded { server: self.address.to_string(), host, said }
    }
}

fn challenges(reply: &Reply) -> Vec<Challenge> {
    let headers = reply.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    headers.flat_map(Challenge::parse_all).collect()
}
