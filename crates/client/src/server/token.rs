//! Tokens of a server of ours.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use wharf_api::ProblemKind;

use super::{Error, LARGEST, Server};
use crate::wire::{self, AccessToken, Again, Asking, Door, Reply, Way, challenges, read_refusal};

/// What the admin API asks for.
pub(super) const API: &str = "registry:api:*";

impl Server {
    /// Asks how it wants to be asked.
    pub async fn door(&self) -> Result<Door, Error> {
        let url = self.address.at("/v2/");
        let reply = self.transport.send(Again::Yes, LARGEST, |http| http.get(&url)).await?;
        let reply = self.transport.moved(reply)?;
        match reply.status {
            StatusCode::OK => Ok(Door::Open),
            StatusCode::UNAUTHORIZED => {
                Door::of(&self.address, &challenges(&reply)).map_err(|problem| self.not_understood(problem))
            }
            status => Err(self.speaks_tls(&reply).unwrap_or_else(|| self.not_understood(format!("{status} at /v2/")))),
        }
    }

    /// What ports with TLS say to who speaks without is 400, of our server as of others, and no API's answer.
    pub(super) fn speaks_tls(&self, reply: &Reply) -> Option<Error> {
        let is_json = reply.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.contains("json"));
        let is_so = reply.status == StatusCode::BAD_REQUEST && self.address.is_clear() && !is_json;
        is_so.then(|| self.not_understood(format!("400; if it speaks TLS, say https://{}", self.address.host())))
    }

    /// A token for these scopes. `lasting` asks for a refresh token with it, which only passwords are given.
    pub async fn access_token(&self, door: &Door, scopes: &[&str], lasting: bool) -> Result<AccessToken, Error> {
        let Door::Token { realm, service } = door else {
            return Err(self.not_understood("it gives out no tokens"));
        };
        let asking = Asking { realm, service, scopes };
        let reply = asking.by(&self.transport, &self.credential, Way::Form { lasting }).await?;
        self.issued(&reply)
    }

    pub(super) fn issued(&self, reply: &Reply) -> Result<AccessToken, Error> {
        if !reply.status.is_success() {
            return Err(self.refused(reply));
        }
        wire::issued(reply).map_err(|problem| self.not_understood(problem))
    }

    /// Posts a form whose errors are the caller's to read (RFC 6749 §5.2).
    pub(super) async fn ask_oauth(&self, url: &str, form: &[(&str, &str)]) -> Result<Result<Reply, String>, Error> {
        let reply = self.transport.send(Again::Yes, LARGEST, |http| http.post(url).form(form)).await?;
        let reply = self.transport.moved(reply)?;
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
        let refusal = read_refusal(reply);
        // RFC 6750 §3.1, or where no other access token would help.
        let is_too_narrow = refusal.kind == Some(ProblemKind::TokenTooNarrow)
            || challenges(reply).iter().any(|challenge| challenge.get("error") == Some("insufficient_scope"));
        if refusal.status != StatusCode::UNAUTHORIZED && !is_too_narrow {
            return Error::Refused(refusal);
        }
        let next = self.sign_in.clone().unwrap_or_else(|| format!("wharf auth login {}", self.address.host()));
        let said = refusal.said;
        if is_too_narrow {
            return Error::TooNarrow { said, next };
        }
        // Our server advises the same to clients that have no command for it.
        let said = said.strip_suffix(": sign in again").unwrap_or(&said).to_owned();
        Error::SignInNeeded { server: self.address.to_string(), said, next }
    }

    pub(super) fn not_understood(&self, problem: impl Into<String>) -> Error {
        Error::NotUnderstood { server: self.address.to_string(), problem: problem.into() }
    }
}
