//! The servers that a person works with, and what they are signed in with.
//!
//! `contexts.json` says which servers there are and which is meant; `credentials.json` holds the secrets and is readable
//! by its owner alone. Both are replaced whole, under a lock, so that two commands at once lose nothing and a cut leaves
//! the old or the new; keys that this version does not know stay.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wharf_client::Secret;
use wharf_client::server::{Credential, Door, Trust};

use crate::{Error, Result, environment};

mod files;

/// `contexts.json`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Contexts {
    /// The one that is meant when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// By name.
    #[serde(default, rename = "contexts")]
    pub(crate) known: BTreeMap<String, Context>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A server, and how it is to be trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Context {
    /// Its address, with the scheme.
    pub(crate) server: String,
    /// File with the authority that its certificate is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// Its certificate is not looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) insecure: bool,
    /// How it wants to be asked, as it said when somebody signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<Tokens>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Where a server gives out tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    realm: String,
    service: String,
}

impl Context {
    pub(crate) fn new(server: String, ca: Option<PathBuf>, insecure: bool, door: &Door) -> Self {
        let tokens = match door {
            Door::Token { realm, service } => Some(Tokens { realm: realm.clone(), service: service.clone() }),
            Door::Basic | Door::Open => None,
        };
        Self { server, ca, insecure, tokens, rest: Map::new() }
    }

    /// Takes over what another version keeps here.
    fn over(mut self, old: Option<Self>) -> Self {
        self.rest = old.map(|old| old.rest).unwrap_or_default();
        self
    }

    pub(crate) fn trust(&self) -> Trust {
        trust(self.ca.as_ref(), self.insecure)
    }

    pub(crate) fn door(&self) -> Option<Door> {
        let Tokens { realm, service } = self.tokens.clone()?;
        Some(Door::Token { realm, service })
    }
}

/// Whose certificates are believed, as the flags say.
pub(crate) fn trust(ca: Option<&PathBuf>, insecure: bool) -> Trust {
    Trust { authorities: ca.into_iter().cloned().collect(), insecure, ..Trust::default() }
}

/// `credentials.json`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Credentials {
    /// By context.
    #[serde(default)]
    pub(crate) credentials: BTreeMap<String, Kept>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// What somebody is signed in with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// As whom.
    pub(crate) user: String,
    /// What `secret` is.
    pub(crate) kind: Kind,
    /// It.
    pub(crate) secret: Secret,
}

/// What can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// What the server gave for a password, or for consent on another device.
    RefreshToken,
    /// An API token.
    ApiToken,
    /// The password itself, for a server without tokens.
    Password,
}

impl Kept {
    pub(crate) fn credential(&self) -> Credential {
        let secret = self.secret.clone();
        match self.kind {
            Kind::RefreshToken => Credential::Refresh(secret),
            Kind::ApiToken => Credential::ApiToken(secret),
            Kind::Password => Credential::Password { user: self.user.clone(), password: secret },
        }
    }
}

/// The files.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    const CONTEXTS: &str = "contexts.json";
    const CREDENTIALS: &str = "credentials.json";

    pub(crate) fn usual() -> Result<Self> {
        Ok(Self { folder: environment::config_folder()? })
    }

    pub(crate) fn contexts(&self) -> Result<Contexts> {
        files::read(&self.folder.join(Self::CONTEXTS))
    }

    /// What somebody is signed in with there.
    pub(crate) fn kept(&self, context: &str) -> Result<Option<Kept>> {
        let file = self.folder.join(Self::CREDENTIALS);
        files::warn_if_readable(&file);
        let mut all: Credentials = files::read(&file)?;
        Ok(all.credentials.remove(context))
    }

    /// Signs in: makes the context, or replaces it, and means it from now on.
    pub(crate) fn keep(&self, name: &str, context: Context, kept: Kept) -> Result<()> {
        self.change(|contexts, credentials| {
            let old = contexts.known.remove(name);
            contexts.known.insert(name.into(), context.over(old));
            contexts.current = Some(name.into());
            credentials.credentials.insert(name.into(), kept);
            Ok(())
        })
    }

    /// Signs out. Says whether somebody was signed in.
    pub(crate) fn forget(&self, name: &str) -> Result<bool> {
        self.change(|_, credentials| Ok(credentials.credentials.remove(name).is_some()))
    }

    /// Deletes a context and what is kept for it.
    pub(crate) fn delete(&self, name: &str) -> Result<()> {
        self.change(|contexts, credentials| {
            contexts.known.remove(name).ok_or_else(|| contexts.unknown(name))?;
            credentials.credentials.remove(name);
            contexts.current.take_if(|current| current == name);
            Ok(())
        })
    }

    /// Means that context from now on.
    pub(crate) fn select(&self, name: &str) -> Result<()> {
        self.change(|contexts, _| {
            contexts.get(name)?;
            contexts.current = Some(name.into());
            Ok(())
        })
    }

    /// Credentials are written first: a context whose secret is missing asks to sign in, a secret alone does no harm.
    fn change<T>(&self, change: impl FnOnce(&mut Contexts, &mut Credentials) -> Result<T>) -> Result<T> {
        let _lock = files::lock(&self.folder)?;
        let files = [self.folder.join(Self::CREDENTIALS), self.folder.join(Self::CONTEXTS)];
        let (mut credentials, mut contexts) = (files::read(&files[0])?, files::read(&files[1])?);
        let outcome = change(&mut contexts, &mut credentials)?;
        files::write(&files[0], &credentials)?;
        files::write(&files[1], &contexts)?;
        Ok(outcome)
    }
}

impl Contexts {
    pub(crate) fn get(&self, name: &str) -> Result<&Context> {
        self.known.get(name).ok_or_else(|| self.unknown(name))
    }

    /// The one that is meant: `asked`, else `$WHARF_CONTEXT`, else the current one.
    pub(crate) fn meant(&self, asked: Option<&str>) -> Result<String> {
        let name = asked.map(str::to_owned).or_else(environment::context).or_else(|| self.current.clone());
        let name = name.ok_or_else(|| {
            let next = if self.known.is_empty() {
                "sign in: wharf auth login HOST"
            } else {
                "choose one: wharf contexts use NAME"
            };
            Error::NotSignedIn(format!("no server is chosen; {next}"))
        })?;
        self.get(&name).map(|_| name)
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self.known.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none: wharf auth login HOST makes one".into() } else { known.join(", ") };
        Error::Usage(format!("there is no context {name}; known are {known}"))
    }
}

#[cfg(test)]
mod tests;
