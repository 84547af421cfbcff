//! `wharf sessions`

use clap::Subcommand;
use wharf_api::{Name, Session as SignIn, paths};
use wharf_client::server::Call;

use crate::Result;
use crate::output::{Show, opt};
use crate::session::{Confirmed, Session};
use crate::verb::Verb;

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
        /// Its id, as the list has it
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
            Self::List { user } => {
                let path = user.map_or_else(paths::own_sessions, |user| paths::user_sessions(user.as_str()));
                session.list::<SignIn>(Call::get(path), "nobody is signed in that way").await
            }
            Self::Revoke { id, user, confirmed } => {
                let path = user.map_or_else(|| paths::own_session(&id), |user| paths::user_session(user.as_str(), &id));
                session.delete(Call::delete(path), format!("sign-in {id}"), confirmed).await
            }
        }
    }
}
