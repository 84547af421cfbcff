//! Signing in to a registry that is no Wharfinger: checked there, and kept for all who ask our helper, else where podman
//! keeps it.

use std::path::Path;

use serde_json::json;
use wharf_client::Secret;
use wharf_client::credentials::{AuthFile, Credentials, Login, Source};
use wharf_client::registry::{Address, Endpoint, Error as RegistryError, Registry, Trust};
use wharf_oci::hub;

use super::login::Keeping;
use crate::contexts::{Kept, Kind, Whose};
use crate::output::{note, print_json};
use crate::session::Session;
use crate::{Error, Result, environment, helper};

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
        keeping: &Keeping,
    ) -> Result<()> {
        let login = Login::Password { user: user.clone(), password: password.clone() };
        let endpoint = Endpoint { trust: self.trust, ..Endpoint::new(self.address) };
        match Registry::new(endpoint, login.credential())?.ping().await {
            Err(RegistryError::SignInNeeded { said, .. }) => {
                return Err(Error::NotSignedIn(format!("{}: {said}", self.host)));
            }
            other => other?,
        }
        let file = AuthFile::containers(keeping.authfile.clone().unwrap_or_else(environment::auth_file));
        // What somebody else's helper is asked for stays its.
        let is_ours = file.helper(&self.host)?.is_none_or(|name| name == helper::NAME);
        let (kept_in, along) = if is_ours && !keeping.no_helper && helper::is_found() {
            let usual = session.store.clone();
            let store = if keeping.no_keyring { usual.without_keyring() } else { usual };
            let whose = Whose::Registry(&self.host);
            // What was kept in the file moves to the keyring.
            session.store.forget(whose)?;
            store.renew(whose, Kept { user: user.clone(), kind: Kind::Password, secret: password })?;
            helper::set_up(&self.host, keeping.authfile.as_deref());
            ("wharf".to_owned(), ", and so are podman and docker".to_owned())
        } else {
            file.store(&self.host, &login)?;
            let kept_in = file.path().display().to_string();
            (kept_in.clone(), format!(" (kept in {kept_in}, as podman does)"))
        };
        let host = self.host;
        if session.out.json {
            return print_json(&json!({ "registry": host, "user": user, "kept_in": kept_in }));
        }
        session.out.done(None, &format!("{user} is signed in to {host}{along}"))
    }
}

/// Forgets what is kept for a registry: by us, and in podman's file.
pub(super) fn sign_out(session: &Session, host: &str, file: Option<&Path>) -> Result<()> {
    let own = AuthFile::containers(file.map_or_else(environment::auth_file, Path::to_owned));
    let host = hub::name_of(host);
    let was_ours = session.store.forget(Whose::Registry(host))?;
    helper::take_away(host, file);
    let was_there = own.erase(host)? || was_ours;
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
