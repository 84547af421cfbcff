//! What somebody is signed in with: the secret in the system's keyring where there is one, else in the file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wharf_client::Secret;
use wharf_client::credentials::Login;
use wharf_client::server::Credential;

use crate::keyring::Keyring;
use crate::{Error, Result};

/// Whose sign-in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    /// That of a context.
    Context(&'a str),
    /// That of a registry that is no context's, by the URL that docker or podman calls it.
    Registry(&'a str),
}

impl<'a> Whose<'a> {
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Context(name) | Self::Registry(name) => name,
        }
    }
}

/// `credentials.json`
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Credentials {
    #[serde(default, rename = "credentials")]
    contexts: BTreeMap<String, Filed>,
    /// By URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    registries: BTreeMap<String, Filed>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Credentials {
    fn of(&mut self, whose: Whose<'_>) -> &mut BTreeMap<String, Filed> {
        match whose {
            Whose::Context(_) => &mut self.contexts,
            Whose::Registry(_) => &mut self.registries,
        }
    }

    pub(super) fn take(&mut self, whose: Whose<'_>) -> Option<Filed> {
        self.of(whose).remove(whose.name())
    }

    /// Returns what was there.
    pub(super) fn put(&mut self, whose: Whose<'_>, filed: Filed) -> Option<Filed> {
        self.of(whose).insert(whose.name().into(), filed)
    }

    pub(super) fn users(self) -> [BTreeMap<String, String>; 2] {
        [self.contexts, self.registries].map(|all| all.into_iter().map(|(name, filed)| (name, filed.user)).collect())
    }
}

/// What somebody is signed in with.
#[derive(Clone, Debug, PartialEq)]
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

    /// As docker and podman understand it: an API token is as good as a password.
    pub(crate) fn login(self) -> Login {
        match self.kind {
            Kind::RefreshToken => Login::IdentityToken { user: self.user, token: self.secret },
            Kind::ApiToken | Kind::Password => Login::Password { user: self.user, password: self.secret },
        }
    }
}

/// An entry of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Filed {
    user: String,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    /// What the keyring has it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyring: Option<String>,
}

impl Filed {
    /// A keyring that does not keep it, because it is locked or away, is no reason not to.
    pub(super) fn new(kept: Kept, keyring: Option<&Keyring>, name: &str) -> Self {
        let Kept { user, kind, secret } = kept;
        let id = keyring.and_then(|keyring| keyring.keep(&format!("wharf: {name}"), &secret));
        Self { user, kind, secret: id.is_none().then_some(secret), keyring: id }
    }

    pub(super) fn is_in_keyring(&self) -> bool {
        self.keyring.is_some()
    }

    pub(super) fn open(self, keyring: Option<&Keyring>, whose: Whose<'_>) -> Result<Kept> {
        let Self { user, kind, secret, keyring: id } = self;
        let secret = match (secret, id) {
            (Some(secret), _) => secret,
            (None, Some(id)) => match keyring {
                Some(keyring) => keyring.find(&id),
                None => Err("there is none in this session".into()),
            }
            .map_err(|problem| lost(whose, &problem))?,
            (None, None) => return Err(lost(whose, "nothing says where it is")),
        };
        Ok(Kept { user, kind, secret })
    }

    pub(super) fn dispose(self, keyring: Option<&Keyring>) {
        if let (Some(keyring), Some(id)) = (keyring, self.keyring) {
            keyring.forget(&id);
        }
    }
}

fn lost(whose: Whose<'_>, problem: &str) -> Error {
    let name = whose.name();
    Error::NotSignedIn(format!(
        "the secret for {name} is in the system's keyring, which does not give it out ({problem}): unlock it, or sign in \
         again: wharf auth login --no-keyring {}",
        if matches!(whose, Whose::Context(_)) { format!("--context {name}") } else { name.to_owned() }
    ))
}
