//! The servers that a person works with, and what they are signed in with.
//!
//! `contexts.json` says which servers there are and which is meant; `credentials.json` holds the secrets that no keyring
//! keeps, and is readable by its owner alone. Both are replaced whole, under a lock, so that two commands at once lose
//! nothing and a cut leaves the old or the new; keys that this version does not know stay.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wharf_client::server::{Address, Door, Identity, Trust};

use crate::certificates::Certificates;
use crate::keyring::Keyring;
use crate::{Error, Result, environment};

mod files;
mod kept;

use kept::{Credentials, Filed};
pub(crate) use kept::{Kept, Kind, Whose};

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

    pub(crate) fn address(&self) -> Result<Address> {
        Ok(Address::parse(&self.server, false)?)
    }

    pub(crate) fn trust(&self) -> Result<Trust> {
        trust(&self.address()?.host(), self.ca.as_ref(), self.insecure)
    }

    pub(crate) fn door(&self) -> Option<Door> {
        let Tokens { realm, service } = self.tokens.clone()?;
        Some(Door::Token { realm, service })
    }
}

/// Whose certificates are believed at a host, and which is shown: as certs.d has it for images, and as the flags say.
pub(crate) fn trust(host: &str, ca: Option<&PathBuf>, insecure: bool) -> Result<Trust> {
    let Certificates { mut authorities, client } = Certificates::of(host, &environment::certificate_folders())?;
    authorities.extend(ca.cloned());
    let identity = client.map(|(certificate, key)| Identity { certificate, key });
    Ok(Trust { authorities, identity, insecure, ..Trust::default() })
}

/// The files, and the keyring where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    keyring: Option<Keyring>,
}

impl Store {
    const CONTEXTS: &str = "contexts.json";
    const CREDENTIALS: &str = "credentials.json";

    pub(crate) fn usual() -> Result<Self> {
        Ok(Self { folder: environment::config_folder()?, keyring: environment::keyring() })
    }

    /// What is kept from now on goes to the file.
    pub(crate) fn without_keyring(&self) -> Self {
        Self { keyring: None, ..self.clone() }
    }

    pub(crate) fn contexts(&self) -> Result<Contexts> {
        files::read(&self.folder.join(Self::CONTEXTS))
    }

    fn credentials(&self) -> Result<Credentials> {
        let file = self.folder.join(Self::CREDENTIALS);
        files::warn_if_readable(&file);
        files::read(&file)
    }

    /// What somebody is signed in with there.
    pub(crate) fn kept(&self, whose: Whose<'_>) -> Result<Option<Kept>> {
        let filed = self.credentials()?.take(whose);
        filed.map(|filed| filed.open(self.keyring.as_ref(), whose)).transpose()
    }

    /// Who is signed in, by context and by registry.
    pub(crate) fn users(&self) -> Result<[BTreeMap<String, String>; 2]> {
        Ok(self.credentials()?.users())
    }

    /// Signs in: makes the context, or replaces it, and means it from now on.
    pub(crate) fn keep(&self, name: &str, context: Context, kept: Kept) -> Result<()> {
        let filed = Filed::new(kept, self.keyring.as_ref(), name);
        let old = self.change(|contexts, credentials| {
            let old = contexts.known.remove(name);
            contexts.known.insert(name.into(), context.over(old));
            contexts.current = Some(name.into());
            Ok(credentials.put(Whose::Context(name), filed))
        })?;
        self.dispose(old);
        Ok(())
    }

    /// Keeps something else for who is signed in already, where that was kept; or for a registry that is no context.
    pub(crate) fn renew(&self, whose: Whose<'_>, kept: Kept) -> Result<()> {
        let was_filed = self.credentials()?.take(whose).is_some_and(|filed| !filed.is_in_keyring());
        let filed = Filed::new(kept, self.keyring.as_ref().filter(|_| !was_filed), whose.name());
        let old = self.change(|_, credentials| Ok(credentials.put(whose, filed)))?;
        self.dispose(old);
        Ok(())
    }

    /// Signs out. Says whether somebody was signed in.
    pub(crate) fn forget(&self, whose: Whose<'_>) -> Result<bool> {
        let old = self.change(|_, credentials| Ok(credentials.take(whose)))?;
        let was_there = old.is_some();
        self.dispose(old);
        Ok(was_there)
    }

    /// Deletes a context and what is kept for it.
    pub(crate) fn delete(&self, name: &str) -> Result<()> {
        let old = self.change(|contexts, credentials| {
            contexts.known.remove(name).ok_or_else(|| contexts.unknown(name))?;
            contexts.current.take_if(|current| current == name);
            Ok(credentials.take(Whose::Context(name)))
        })?;
        self.dispose(old);
        Ok(())
    }

    /// Means that context from now on.
    pub(crate) fn select(&self, name: &str) -> Result<()> {
        self.change(|contexts, _| {
            contexts.get(name)?;
            contexts.current = Some(name.into());
            Ok(())
        })
    }

    /// Only once no file names it any more: what is left over in a keyring does no harm, what is missing there does.
    fn dispose(&self, old: Option<Filed>) {
        if let Some(old) = old {
            old.dispose(self.keyring.as_ref());
        }
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

    /// The contexts of a server, by `host[:port]`; the one that is meant comes first.
    pub(crate) fn of_host(&self, host: &str, asked: Option<&str>) -> Vec<(&str, &Context)> {
        let meant = self.meant(asked).ok();
        let is_there = |context: &Context| context.address().is_ok_and(|address| address.host() == host);
        let known = self.known.iter().map(|(name, context)| (name.as_str(), context));
        let mut found: Vec<_> = known.filter(|(_, context)| is_there(context)).collect();
        found.sort_by_key(|(name, _)| meant.as_deref() != Some(name));
        found
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self.known.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none: wharf auth login HOST makes one".into() } else { known.join(", ") };
        Error::Usage(format!("there is no context {name}; known are {known}"))
    }
}

#[cfg(test)]
mod tests;
