//! `wharf contexts`

use clap::Subcommand;
use serde_json::json;

use crate::contexts::{Contexts, Whose};
use crate::output::{Seen, Show};
use crate::session::{Confirmed, Session};
use crate::verb::Verb;
use crate::{Result, ask, completing, helper, sign_ins};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List the servers that you work with; * is the current one
    List,
    /// Work with that one from now on
    Use {
        /// Which
        #[arg(add = completing::contexts())]
        name: String,
    },
    /// Forget a server: sign out there, and keep nothing of it
    #[command(after_help = "A server that cannot be reached is forgotten all the same.")]
    Delete {
        /// Which
        #[arg(add = completing::contexts())]
        name: String,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

/// As it is listed.
#[derive(serde::Deserialize)]
struct Listed {
    name: String,
    server: String,
    user: Option<String>,
    is_current: bool,
}

impl Show for Listed {
    const COLUMNS: usize = 4;

    fn show(&self) -> Vec<(&'static str, String)> {
        let current = if self.is_current { "*" } else { "" };
        vec![
            ("name", self.name.clone()),
            ("current", current.into()),
            ("server", self.server.clone()),
            ("user", self.user.clone().unwrap_or_default()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List => list(session),
            Self::Use { name } => {
                session.store.select(&name)?;
                session.out.done(None, &format!("{name} is the current context"))
            }
            Self::Delete { name, confirmed } => {
                let contexts = session.store.contexts()?;
                contexts.get(&name)?;
                ask::confirm(&format!("Forget context {name}?"), confirmed.yes).await?;
                delete(session, &contexts, &name).await?;
                session.out.done(None, &format!("context {name} is deleted"))
            }
        }
    }
}

async fn delete(session: &Session, contexts: &Contexts, name: &str) -> Result<()> {
    let kept = session.store.kept(Whose::Context(name));
    session.store.delete(name)?;
    sign_ins::end_of(contexts, name, kept).await;
    helper::take_away_unused(session, contexts, name, None)
}

fn list(session: &Session) -> Result<()> {
    let contexts = session.store.contexts()?;
    let current = contexts.meant(session.asked.as_deref()).ok();
    let ([mut users, _], mut listed) = (session.store.users()?, vec![]);
    for (name, context) in &contexts.known {
        let user = users.remove(name);
        let is_current = current.as_ref() == Some(name);
        let raw = json!({ "name": name, "server": context.server, "user": user, "is_current": is_current });
        listed
            .push(Seen { item: Listed { name: name.clone(), server: context.server.clone(), user, is_current }, raw });
    }
    session.out.list(&listed, "you work with no server yet: wharf auth login HOST")
}
