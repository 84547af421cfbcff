//! `wharf sessions`

use clap::Subcommand;
use wharf_api::{Name, Session as SignIn, paths};
use wharf_client::server::Call;

use crate::output::{Seen, Show, opt};
use crate::session::{Confirmed, Session};
use crate::verb::Verb;
use crate::{Error, Result};

/// Characters of an id: a SHA-256 in hex.
const WHOLE: usize = 64;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List where you are signed in
    List {
        /// Where somebody else is (administrators)
        #[arg(long)]
        user: Option<Name>,
    },
    /// End a sign-in at once
    Revoke {
        /// Its id, as the list has it, or how that begins
        id: String,
        /// Somebody else's (administrators)
        #[arg(long)]
        user: Option<Name>,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

impl Show for SignIn {
    const COLUMNS: usize = 5;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.clone()),
            ("client", self.client.clone()),
            ("since", self.created_at.to_string()),
            ("last used", opt(self.used_at.as_ref())),
            ("expires", self.expires_at.to_string()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { user } => session.list::<SignIn>(all(user.as_ref()), "nobody is signed in that way").await,
            Self::Revoke { id, user, confirmed } => {
                let id = whole(session, id, user.as_ref()).await?;
                let path = user.map_or_else(|| paths::own_session(&id), |user| paths::user_session(user.as_str(), &id));
                session.delete(Call::delete(path), format!("sign-in {id}"), confirmed).await
            }
        }
    }
}

fn all(user: Option<&Name>) -> Call {
    Call::get(user.map_or_else(paths::own_sessions, |user| paths::user_sessions(user.as_str())))
}

/// The id that begins so. A whole one is not looked for: what is over by now is told by the server.
async fn whole(session: &Session, id: String, user: Option<&Name>) -> Result<String> {
    if id.len() >= WHOLE {
        return Ok(id);
    }
    let known: Vec<Seen<SignIn>> = session.fetch_all(all(user)).await?;
    let mut found = known.into_iter().map(|seen| seen.item.id).filter(|known| known.starts_with(&id));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Error::Usage(format!("several sign-ins begin with {id}: give more of the id"))),
        (None, _) => Err(Error::NotFound(format!("there is no sign-in {id}: see wharf sessions list"))),
    }
}
