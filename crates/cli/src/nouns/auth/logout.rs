//! `wharf auth logout`

use std::path::PathBuf;

use clap::Args;

use super::elsewhere;
use crate::contexts::{Contexts, Kind, Whose};
use crate::output::note;
use crate::session::{Session, open};
use crate::{Result, helper, sign_ins};

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
    pub(super) async fn sign_out(self, session: &Session) -> Result<()> {
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
                    if kept.kind == Kind::ApiToken {
                        note("the API token stays good elsewhere: wharf tokens revoke ends it");
                    }
                    if let Err(error) = sign_ins::end(&open(contexts, name)?.signed_in(kept.credential()), &kept).await
                    {
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
        for name in names {
            helper::take_away_unused(session, contexts, name, self.authfile.as_deref())?;
        }
        Ok(())
    }
}
