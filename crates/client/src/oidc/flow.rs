//! A person's sign-in by the authorization code flow (OpenID Connect Core §3.1) with PKCE (RFC 7636).

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::metadata::{ClientProof, Metadata};
use super::{Claims, Error, Expected, Issuers, Millis, token};
use crate::outgoing::Ask;

/// Bytes of a token endpoint's answer.
const ANSWER: usize = 256 * 1024;

/// What the registry is to a provider.
pub struct Client<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// The name that the provider gave it.
    pub id: &'a str,
    /// What proves it; empty for a public client.
    pub secret: &'a str,
    /// Where the provider sends people back to.
    pub redirect: &'a str,
    /// What to ask for, separated by spaces; `openid` is always asked for.
    pub scopes: &'a str,
    /// Claims that are asked for at the userinfo endpoint when the ID token lacks them.
    pub wanted: &'a [&'a str],
}

/// What belongs to one sign-in, from its start to its end, and is never used again.
pub struct Ceremony {
    /// Comes back with the person.
    pub state: String,
    /// Comes back inside of the ID token.
    pub nonce: String,
    /// Proves to the provider that who began also ends it.
    pub verifier: String,
}

impl Ceremony {
    /// A new one, from 256 bits of randomness each.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { state: random()?, nonce: random()?, verifier: random()? })
    }
}

fn random() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Randomness)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

impl Issuers {
    /// Where to send the person's browser.
    pub async fn sign_in_url(&self, client: &Client<'_>, ceremony: &Ceremony, now: Millis) -> Result<Url, Error> {
        let known = self.known(client.issuer, now).await?;
        let mut url = endpoint(client, known.metadata.authorization.as_ref(), "authorization_endpoint")?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(ceremony.verifier.as_bytes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client.id)
            .append_pair("redirect_uri", client.redirect)
            .append_pair("scope", &with_openid(client.scopes))
            .append_pair("state", &ceremony.state)
            .append_pair("nonce", &ceremony.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Who the provider says came back with `code`.
    pub async fn redeem(
        &self,
        client: &Client<'_>,
        code: &str,
        ceremony: &Ceremony,
        now: Millis,
    ) -> Result<Claims, Error> {
        let known = self.known(client.issuer, now).await?;
        let answer = self.exchange(client, &known.metadata, code, &ceremony.verifier).await?;
        let wrong = |reason: &str| Error::Provider { issuer: client.issuer.to_owned(), reason: reason.into() };
        let id_token = answer.get("id_token").and_then(Value::as_str);
        let id_token = id_token.ok_or_else(|| wrong("its token endpoint gave no id_token"))?;
        let expected = Expected { issuer: client.issuer, audiences: Some(&[client.id]) };
        let mut claims = self.verify(id_token, expected, now).await?;
        token::check_sign_in(&claims, client.id, &ceremony.nonce)?;
        if client.wanted.iter().any(|name| !claims.contains_key(*name))
            && let Some(access_token) = answer.get("access_token").and_then(Value::as_str)
            && let Some(more) = self.userinfo(&known.metadata, access_token).await
            && more.get("sub") == claims.get("sub")
        {
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(claims)
    }

    async fn exchange(
        &self,
        client: &Client<'_>,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<Claims, Error> {
        let url = endpoint(client, metadata.token.as_ref(), "token_endpoint")?;
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", client.redirect),
            ("code_verifier", verifier),
        ];
        match metadata.proof {
            _ if client.secret.is_empty() => form.push(("client_id", client.id)),
            ClientProof::Form => form.extend([("client_id", client.id), ("client_secret", client.secret)]),
            ClientProof::Basic => drop(headers.insert(AUTHORIZATION, basic(client.id, client.secret))),
        }
        let answer = self.outgoing.ask(&url, Ask::Form(headers, &form), ANSWER).await?;
        let body: Claims = serde_json::from_slice(&answer.body).map_err(|_| Error::Provider {
            issuer: client.issuer.to_owned(),
            reason: format!("its token endpoint answers with status {} and no JSON", answer.status.as_u16()),
        })?;
        if answer.status.is_success() {
            return Ok(body);
        }
        let said = |name| body.get(name).and_then(Value::as_str).map(printable);
        let reason = said("error").unwrap_or_else(|| format!("status {}", answer.status.as_u16()));
        let reason = said("error_description").map_or(reason.clone(), |more| format!("{reason}: {more}"));
        Err(Error::Refused { issuer: client.issuer.to_owned(), reason })
    }

    /// More about the person; what cannot be had is not there.
    async fn userinfo(&self, metadata: &Metadata, access_token: &str) -> Option<Claims> {
        let url = metadata.userinfo.as_ref()?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {access_token}")).ok()?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        match self.outgoing.ask(url, Ask::Get(headers), ANSWER).await {
            Ok(answer) if answer.status.is_success() => serde_json::from_slice(&answer.body).ok(),
            Ok(answer) => {
                tracing::info!(%url, status = answer.status.as_u16(), "the userinfo endpoint gave nothing");
                None
            }
            Err(error) => {
                tracing::info!(%url, %error, "the userinfo endpoint gave nothing");
                None
            }
        }
    }
}

fn endpoint(client: &Client<'_>, url: Option<&Url>, name: &str) -> Result<Url, Error> {
    let missing = || Error::Provider {
        issuer: client.issuer.to_owned(),
        reason: format!("its discovery document has no {name}"),
    };
    url.cloned().ok_or_else(missing)
}

fn with_openid(scopes: &str) -> String {
    let others = scopes.split_ascii_whitespace().filter(|scope| *scope != "openid");
    std::iter::once("openid").chain(others).collect::<Vec<_>>().join(" ")
}

/// Both parts are form-encoded first (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &str) -> HeaderValue {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let both = BASE64_STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    // Base64 has no character that a header cannot.
    let mut value = HeaderValue::try_from(format!("Basic {both}")).unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
