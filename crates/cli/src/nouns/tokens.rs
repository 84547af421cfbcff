//! `wharf tokens`

use clap::{Args, Subcommand};
use wharf_api::{MadeToken, Name, NewToken, Target, Token, TokenLifetime, TokenName, TokenScope, paths};
use wharf_client::server::Call;

use crate::output::{Seen, Show, note, opt, print, print_json};
use crate::parse::{Robot, seconds};
use crate::session::{Confirmed, Session};
use crate::verb::Verb;
use crate::{Error, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List tokens; their secrets are not kept anywhere
    List {
        #[command(flatten)]
        owner: Owner,
    },
    /// Make a token, and print it this once
    #[command(
        after_help = "The token alone goes to standard output. It is a password to docker, podman and the like.\n\n\
        Examples:\n  wharf tokens create laptop --scope write --on team --expires 90d\n  \
        wharf tokens create build --robot team+ci --scope write > token"
    )]
    Create {
        /// What to call it
        name: TokenName,
        /// The most that it gives: read, write or admin
        #[arg(long, default_value_t = TokenScope::Read)]
        scope: TokenScope,
        /// Only there: an org, or a repository
        #[arg(long, value_name = "TARGET")]
        on: Option<Target>,
        /// When it ends, as in 90d [default: never]
        #[arg(long, value_name = "TIME", value_parser = seconds::<TokenLifetime>)]
        expires: Option<TokenLifetime>,
        /// For a robot, instead of for yourself
        #[arg(long, value_name = "ORG+ROBOT")]
        robot: Option<Robot>,
    },
    /// End a token at once
    Revoke {
        /// Its name or its id
        token: String,
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

/// Whose tokens.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Owner {
    /// A robot's, instead of your own
    #[arg(long, value_name = "ORG+ROBOT")]
    robot: Option<Robot>,
    /// A user's, instead of your own (administrators)
    #[arg(long)]
    user: Option<Name>,
}

impl Owner {
    fn list(&self) -> String {
        match (&self.robot, &self.user) {
            (Some(robot), _) => robot_tokens(robot),
            (None, Some(user)) => paths::user_tokens(user.as_str()),
            (None, None) => paths::own_tokens(),
        }
    }

    fn one(&self, id: &str) -> String {
        match (&self.robot, &self.user) {
            (Some(robot), _) => paths::robot_token(robot.org.as_str(), robot.name.as_str(), id),
            (None, Some(user)) => paths::user_token(user.as_str(), id),
            (None, None) => paths::own_token(id),
        }
    }
}

fn robot_tokens(robot: &Robot) -> String {
    paths::robot_tokens(robot.org.as_str(), robot.name.as_str())
}

impl Show for Token {
    const COLUMNS: usize = 7;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", self.name.clone()),
            ("id", self.id.clone()),
            ("ends with", self.hint.clone()),
            ("scope", self.scope.to_string()),
            ("on", self.on.clone().unwrap_or_else(|| "everything".into())),
            ("expires", self.expires_at.map_or_else(|| "never".into(), |time| time.to_string())),
            ("last used", opt(self.used_at.as_ref())),
            ("from", opt(self.used_from.as_ref())),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { owner } => session.list::<Token>(Call::get(owner.list()), "there are no tokens").await,
            Self::Create { name, scope, on, expires, robot } => {
                let path = robot.as_ref().map_or_else(paths::own_tokens, robot_tokens);
                create(session, path, &NewToken { name, scope, on, expires_in: expires }).await
            }
            Self::Revoke { token, owner, confirmed } => {
                let all: Vec<Seen<Token>> = session.fetch_all(Call::get(owner.list())).await?;
                let mut found = all.into_iter().map(|seen| seen.item);
                let found = found.find(|known| known.id == token || known.name == token);
                let found = found
                    .ok_or_else(|| Error::NotFound(format!("there is no token {token}: see wharf tokens list")))?;
                let what = format!("token {}", found.name);
                session.delete(Call::delete(owner.one(&found.id)), what, confirmed).await
            }
        }
    }
}

/// A token is made once however often the connection breaks, so this is never repeated.
async fn create(session: &Session, path: String, new: &NewToken) -> Result<()> {
    let made: Seen<MadeToken> = session.server().await?.call(Call::post(path).body(new)).await?.value;
    if session.out.json {
        return print_json(&made.raw);
    }
    if !session.out.quiet {
        let token = &made.item.token;
        let until = token.expires_at.map_or_else(|| "until it is revoked".into(), |time| format!("until {time}"));
        let on = token.on.as_deref().unwrap_or("everything");
        note(&format!("token {} gives {} on {on}, {until}; it is not shown again:", token.name, token.scope));
    }
    print(&format!("{}\n", made.item.secret.expose()))
}
