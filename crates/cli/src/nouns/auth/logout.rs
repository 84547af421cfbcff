//! `wharf auth logout`

use std::path::PathBuf;

use clap::Args;
use wharf_api::paths;
use wharf_client::server::{Call, Server};

use super::{elsewhere, session_id};
use crate::contexts::{Contexts, Kept, Kind, Whose};
use crate::output::note;
use crate::session::{Session, open};
use crate::{Result, helper};

/// Of what to sign out.
#[derive(Debug, Args)]
pub(crate) struct Logout {
    /// A server or registry, as images name it [default: the current context's]
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// podman's file to change, instead of $REGISTRY_AUTH_FILE or the usual one
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
}

impl Logout {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let contexts = session.store.contexts()?;
        let names: Vec<String> = match &self.host {
            Some(host) => {
                let found = contexts.of_host(host, session.asked.as_deref());
                let found = found.into_iter().map(|(name, _)| name.to_owned());
                found.filter(|name| session.asked.as_ref().is_none_or(|asked| asked == name)).collect()
            }
            None => vec![contexts.meant(session.asked.as_deref())?],
        };
        match (&self.host, names.is_empty()) {
            (Some(host), true) => elsewhere::sign_out(session, host, self.authfile.as_deref()),
            _ => self.of_contexts(session, &contexts, &names).await,
        }
    }

    async fn of_contexts(&self, session: &Session, contexts: &Contexts, names: &[String]) -> Result<()> {
        for name in names {
            let kept = session.store.kept(Whose::Context(name));
            // Forgotten first: a server that is away must not keep anybody signed in here, nor a keyring that is locked.
            let was_there = session.store.forget(Whose::Context(name))?;
            let said = match kept? {
                Some(kept) => {
                    if let Err(error) = end(&open(contexts, name)?.signed_in(kept.credential()), &kept).await {
                        note(&format!(
                            "wharf: the sign-in is forgotten here, but its end could not be told to the server: {error}"
                        ));
                    }
                    format!("{} is signed out of {name}", kept.user)
                }
                None if was_there => format!("signed out of {name}"),
                None => format!("nobody was signed in to {name}"),
            };
            session.out.done(None, &said)?;
        }
        self.take_helper_away(session, contexts, names)
    }

    /// Unless another context of the same server still is what they ask for.
    fn take_helper_away(&self, session: &Session, contexts: &Contexts, names: &[String]) -> Result<()> {
        let [users, _] = session.store.users()?;
        for name in names {
            let host = contexts.get(name)?.address()?.host();
            if !contexts.of_host(&host, None).iter().any(|(name, _)| users.contains_key(*name)) {
                helper::take_away(&host, self.authfile.as_deref());
            }
        }
        Ok(())
    }
}

/// Ends the sign-in on the server. An API token was made by itself, and lives on.
pub(super) async fn end(server: &Server, kept: &Kept) -> Result<()> {
    match kept.kind {
        Kind::RefreshToken => {
            let id = session_id(kept.secret.expose());
            server.call::<serde_json::Value>(Call::delete(paths::own_session(&id))).await?;
        }
        Kind::ApiToken => note("the API token stays good elsewhere: wharf tokens revoke ends it"),
        Kind::Password => {}
    }
    Ok(())
}
