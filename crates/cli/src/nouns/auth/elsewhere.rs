//! Signing in to a registry that is no Wharfinger: checked there, and kept where podman keeps it.

use std::path::Path;

use serde_json::json;
use wharf_client::Secret;
use wharf_client::credentials::{AuthFile, Credentials, Login, Source};
use wharf_client::registry::{Address, Endpoint, Error as RegistryError, Registry, Trust};

use crate::output::{note, print_json};
use crate::session::Session;
use crate::{Error, Result, environment};

/// A registry that somebody signs in to.
pub(super) struct Elsewhere {
    /// As images name it.
    pub(super) host: String,
    pub(super) address: Address,
    pub(super) trust: Trust,
}

impl Elsewhere {
    /// What is not good is not kept.
    pub(super) async fn sign_in(
        self,
        session: &Session,
        user: String,
        password: Secret,
        file: Option<&Path>,
    ) -> Result<()> {
        let login = Login::Password { user: user.clone(), password };
        let endpoint = Endpoint { trust: self.trust, ..Endpoint::new(self.address) };
        match Registry::new(endpoint, login.credential())?.ping().await {
            Err(RegistryError::SignInNeeded { said, .. }) => {
                return Err(Error::NotSignedIn(format!("{}: {said}", self.host)));
            }
            other => other?,
        }
        let file = AuthFile::containers(file.map_or_else(environment::auth_file, Path::to_owned));
        file.store(&self.host, &login)?;
        let (host, kept_in) = (self.host, file.path().display());
        if session.out.json {
            return print_json(&json!({ "registry": host, "user": user, "kept_in": kept_in.to_string() }));
        }
        session.out.done(None, &format!("{user} is signed in to {host} (kept in {kept_in}, as podman does)"))
    }
}

/// Forgets what podman's file has for a registry.
pub(super) fn sign_out(session: &Session, host: &str, file: Option<&Path>) -> Result<()> {
    let own = AuthFile::containers(file.map_or_else(environment::auth_file, Path::to_owned));
    let was_there = own.erase(host)?;
    let others = file.map_or_else(|| environment::sign_ins(&[]), |file| vec![Source::Containers(file.to_owned())]);
    if let Some(found) = Credentials::new(others).find(host, "")? {
        note(&format!("wharf: {} still has a sign-in to {host}: docker logout {host}", found.from));
    }
    let said = if was_there {
        format!("signed out of {host}")
    } else {
        format!("nobody was signed in to {host}, in {}", own.path().display())
    };
    session.out.done(None, &said)
}
