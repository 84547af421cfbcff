//! Signing in by a provider.

use std::time::Duration;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use wharf_client::oidc::{self, Ceremony, Client};
use wharf_meta::{Actor, By, Newcomer, Provider, SignIn};

use super::name::name_from;
use crate::access::{Source, Via};
use crate::{Caller, Error, Registry, Result, Secret, federation};

/// How long somebody may take at the provider.
const PATIENCE: Duration = Duration::from_mins(15);
/// Providers to choose from.
const CHOICE: usize = 100;
/// Groups of a person that are looked at.
const GROUPS: usize = 1000;

/// A provider to sign in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderChoice {
    /// Its name here.
    pub name: String,
    /// On the button.
    pub title: String,
}

/// What a browser brings back from a provider.
#[derive(Clone, Debug)]
pub struct Callback {
    /// What it was sent with.
    pub state: Secret,
    /// What the provider's word is had for; else why it gives none.
    pub code: Result<Secret, String>,
    /// Who sent it back, if it says so (RFC 9207).
    pub issuer: Option<String>,
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// What their browser shows from then on.
    pub session: Secret,
    /// Who they are.
    pub user: String,
    /// Where they wanted to go.
    pub return_to: String,
}

impl Registry {
    /// Providers that one can sign in by.
    pub async fn provider_choices(&self) -> Result<Vec<ProviderChoice>> {
        let all = self.meta.providers("", CHOICE).await?;
        let enabled = all.into_iter().filter(|provider| provider.is_enabled);
        Ok(enabled.map(|Provider { name, title, .. }| ProviderChoice { name, title }).collect())
    }

    /// Where to send a browser that wants to sign in by a provider; `redirect` is where it must come back. It can only
    /// be ended by that browser.
    pub async fn begin_sign_in(
        &self,
        provider: &str,
        browser: &Secret,
        redirect: &str,
        return_to: &str,
        source: &Source,
    ) -> Result<String> {
        let provider = self.enabled_provider(provider).await?;
        let ceremony = Ceremony::new().map_err(|error| failure(&provider, &error, source))?;
        let scopes = provider.scopes.join(" ");
        let url = self
            .issuers
            .of_providers()
            .sign_in_url(&client(&provider, redirect, &scopes, &[]), &ceremony, self.now())
            .await;
        let url = url.map_err(|error| failure(&provider, &error, source))?;
        let Ceremony { state, nonce, verifier } = ceremony;
        let (provider_id, return_to, expires_at) = (provider.id, return_to.to_owned(), self.after(PATIENCE));
        let state_hash = of_browser(&Secret::new(state), browser);
        let row = SignIn { state_hash, provider_id, nonce, verifier, return_to, expires_at };
        self.meta.begin_sign_in(row, self.now()).await?;
        Ok(url.into())
    }

    /// Signs in who came back from a provider with `browser`.
    pub async fn finish_sign_in(
        &self,
        provider: &str,
        browser: &Secret,
        redirect: &str,
        callback: Callback,
        source: Source,
    ) -> Result<SignedIn> {
        let outcome = self.finish(provider, browser, redirect, callback, &source).await;
        match &outcome {
            Ok((caller, _)) => self.signed_in(caller),
            Err(
                error @ (Error::SignInFailed { .. }
                | Error::Exists { .. }
                | Error::MustStay { .. }
                | Error::NotFound { .. }),
            ) => {
                self.sign_in_failed("provider", None, &source, &error.to_string()).await;
            }
            Err(_) => {}
        }
        outcome.map(|(_, signed_in)| signed_in)
    }

    async fn finish(
        &self,
        provider: &str,
        browser: &Secret,
        redirect: &str,
        callback: Callback,
        source: &Source,
    ) -> Result<(Caller, SignedIn)> {
        let failed = |reason: String| Error::SignInFailed { reason };
        let provider = self.enabled_provider(provider).await?;
        let begun = self.meta.end_sign_in(&of_browser(&callback.state, browser), self.now()).await?;
        // A provider must not pass off its answer as another's.
        let begun = begun.filter(|begun| begun.provider_id == provider.id);
        let begun =
            begun.ok_or_else(|| failed("it was not begun with this browser, or too long ago: begin again".into()))?;
        if callback.issuer.is_some_and(|issuer| issuer != provider.issuer) {
            return Err(failed("another provider answered".into()));
        }
        let code = callback.code.map_err(|reason| failed(format!("{} says: {reason}", provider.title)))?;
        let ceremony = Ceremony { state: String::new(), nonce: begun.nonce, verifier: begun.verifier };
        let scopes = provider.scopes.join(" ");
        let groups = provider.groups_claim.clone().filter(|name| !name.starts_with('/'));
        let wanted: Vec<&str> = ["email", "preferred_username"].into_iter().chain(groups.as_deref()).collect();
        let client = client(&provider, redirect, &scopes, &wanted);
        let claims = self.issuers.of_providers().redeem(&client, code.expose(), &ceremony, self.now()).await;
        let claims = claims.map_err(|error| failure(&provider, &error, source))?;
        let newcomer = newcomer(&provider, &claims).map_err(failed)?;
        let anonymous = Caller::anonymous(source.clone()).actor();
        let actor = Actor { via: format!("provider:{}", provider.name), ..anonymous };
        let (account, is_new) = self.meta.welcome(newcomer, By { actor, now: self.now() }).await?;
        tracing::info!(user = account.name, provider = provider.name, is_new, "signed in by a provider");
        let row = self.account(account.id).await?.ok_or_else(|| failed("the account is disabled".into()))?;
        let caller = Caller::of_account(row, Via::Session, source.clone());
        let session = self.start_session(account.id, &caller).await?;
        Ok((caller, SignedIn { session, user: account.name, return_to: begun.return_to }))
    }

    async fn enabled_provider(&self, name: &str) -> Result<Provider> {
        let provider = self.meta.provider(name).await?.filter(|provider| provider.is_enabled);
        provider.ok_or_else(|| Error::NotFound { what: format!("provider {name}") })
    }
}

/// What a token or a refusal says is for the person; where the provider is and why it cannot be reached is the
/// operator's to know.
fn failure(provider: &Provider, error: &oidc::Error, source: &Source) -> Error {
    tracing::warn!(provider = provider.name, %error, "a sign-in by a provider failed");
    let reason = match error {
        oidc::Error::Refused { reason, .. } => format!("{} says: {reason}", provider.title),
        oidc::Error::Invalid(invalid) => format!("the word of {} is not accepted: {invalid}", provider.title),
        oidc::Error::Outgoing(error) if error.is_of_settings() => format!(
            "this registry's settings do not let it ask {}: tell an administrator the number of this request, {}, by which the log says more",
            provider.title, source.request
        ),
        _ => format!(
            "{} cannot be asked at the moment: tell an administrator the number of this request, {}, by which the log says why",
            provider.title, source.request
        ),
    };
    Error::SignInFailed { reason }
}

/// Bound to the browser: whoever has only one of both has nothing.
fn of_browser(state: &Secret, browser: &Secret) -> Vec<u8> {
    let parts = [state.expose().as_bytes(), &[0], browser.expose().as_bytes()];
    parts.into_iter().fold(Sha256::new(), Sha256::chain_update).finalize().to_vec()
}

fn client<'a>(provider: &'a Provider, redirect: &'a str, scopes: &'a str, wanted: &'a [&'a str]) -> Client<'a> {
    let Provider { issuer, client_id, client_secret, .. } = provider;
    Client { issuer, id: client_id, secret: client_secret, redirect, scopes, wanted }
}

fn newcomer(provider: &Provider, claims: &Map<String, Value>) -> Result<Newcomer, String> {
    let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
    Ok(Newcomer {
        provider_id: provider.id,
        issuer: provider.issuer.clone(),
        subject: subject.ok_or_else(|| format!("{} does not say who you are (sub)", provider.title))?.to_owned(),
        email: vouched(provider, claims),
        name: name_from(claims),
        groups: provider.groups_claim.as_deref().and_then(|name| groups(claims, name)),
        makes_user: provider.makes_users,
    })
}

/// The address, if the provider says that it is theirs and is trusted to say so of that domain.
fn vouched(provider: &Provider, claims: &Map<String, Value>) -> Option<String> {
    let is_verified = match claims.get("email_verified") {
        Some(Value::Bool(is)) => *is,
        // Some providers write it as a text.
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    let email = claims.get("email")?.as_str()?.to_ascii_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let is_trusted = provider.trusted_domains.iter().any(|trusted| trusted == domain);
    let is_plain = !local.is_empty() && email.len() <= 254 && email.chars().all(|c| c.is_ascii_graphic());
    (is_verified && is_trusted && is_plain).then_some(email)
}

/// What the claim lists. A claim that is not there lists nothing, unless it says that it is elsewhere, as Entra does
/// for people with very many groups (OpenID Connect Core §5.6.2).
fn groups(claims: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    match federation::claim(claims, name) {
        Some(Value::Array(all)) => Some(all.iter().filter_map(Value::as_str).take(GROUPS).map(str::to_owned).collect()),
        Some(Value::String(one)) => Some(vec![one.clone()]),
        _ if claims.get("_claim_names").and_then(|names| names.get(name)).is_some() => {
            tracing::warn!(name, "a provider lists groups elsewhere: nobody's teams were changed");
            None
        }
        _ => Some(vec![]),
    }
}

#[cfg(test)]
mod tests;
