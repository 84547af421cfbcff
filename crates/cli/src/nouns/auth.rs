//! `wharf auth`

use clap::Subcommand;
use serde_json::json;
use wharf_api::{Session as SignIn, Timestamp, Whoami, paths};
use wharf_client::server::{Call, Credential, Door, Error as ServerError, Server};

use crate::contexts::{Kind, Whose};
use crate::output::{Seen, block, print, print_json};
use crate::session::Session;
use crate::verb::{Act, Verb};
use crate::{Error, Result, sign_ins};

mod change;
mod earlier;
mod elsewhere;
mod login;
mod logout;
mod scopes;

pub(crate) use login::Login;
pub(crate) use logout::Logout;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// Sign in to a server, or to any other registry
    ///
    /// Keeps what the server gives for the password, and the password itself only where it gives nothing: in the system's
    /// keyring, else in a file that only you can read. The server becomes the current context, and podman and docker are
    /// signed in along with you. Of a registry that is no Wharfinger the password is kept.
    #[command(
        after_help = "On a terminal it asks for what is missing; without a user's name you sign in by a browser.\n\n\
        Examples:\n  wharf auth login registry.example.com -u alice\n  wharf auth login registry.example.com --device\n  \
        wharf auth login localhost:5000 -u admin --password-stdin < password.txt\n  \
        wharf auth login registry.example.com --token-stdin --context ci < token\n  \
        wharf auth login quay.io -u alice"
    )]
    Login(login::Login),
    /// Sign out: end the sign-in on the server, and forget it here
    ///
    /// podman and docker are signed out along with it, if `wharf auth login` signed them in.
    Logout(logout::Logout),
    /// Say who you are, where, by what, and until when; exit code 1 when nobody is signed in
    Status,
    /// Give yourself another password, which ends every sign-in but this
    ChangePassword(change::Change),
    /// Print an access token, for curl and the like; it is good for minutes
    #[command(
        after_help = "Examples:\n  printf 'Authorization: Bearer %s' \"$(wharf auth token)\" | curl -H @- https://registry.example.com/api/v1/self\n  \
        wharf auth token --scope repository:team/app:pull,push"
    )]
    Token {
        /// What it is to be good for
        #[arg(long = "scope", value_name = "SCOPE", default_value = "registry:api:*")]
        scopes: Vec<String>,
    },
}

impl Act for Login {
    async fn run(self, session: &Session) -> Result<()> {
        self.sign_in(session).await
    }
}

impl Act for Logout {
    async fn run(self, session: &Session) -> Result<()> {
        self.sign_out(session).await
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::Login(login) => login.sign_in(session).await,
            Self::Logout(logout) => logout.sign_out(session).await,
            Self::Status => status(session).await,
            Self::ChangePassword(change) => change.run(session).await,
            Self::Token { scopes } => token(session, &scopes).await,
        }
    }
}

async fn status(session: &Session) -> Result<()> {
    let contexts = session.store.contexts()?;
    let (name, kept) = match contexts.meant(session.asked.as_deref()) {
        Ok(name) => (name.clone(), session.store.kept(Whose::Context(&name))?.map(|kept| kept.kind)),
        Err(Error::NotSignedIn(said)) => return Err(Error::Failed(said)),
        Err(error) => return Err(error),
    };
    let server = match session.server().await {
        Err(Error::NotSignedIn(said)) => return Err(Error::Failed(said)),
        other => other?,
    };
    let seen: Seen<Whoami> = match server.call(Call::get(paths::whoami())).await {
        Err(error @ ServerError::SignInNeeded { .. }) => return Err(Error::Failed(error.to_string())),
        other => other?.value,
    };
    let refresh = match server.credential() {
        // Its name is made of it; it stays here.
        Credential::Refresh(token) => Some(token.expose()),
        _ => None,
    };
    let until = until(server, &seen.item, refresh).await;
    let token = seen.item.via.strip_prefix("token:");
    let by = match (token, kept) {
        (Some(name), _) => format!("the API token {name}"),
        (None, Some(Kind::RefreshToken)) => "a password or a browser".into(),
        (None, Some(Kind::ApiToken)) => "an API token".into(),
        (None, Some(Kind::Password)) => "the password".into(),
        (None, None) => "nothing".into(),
    };
    let end = match &until {
        Some(time) => time.to_string(),
        None if token.is_some() => "it is revoked".into(),
        None => "somebody ends it".into(),
    };
    let address = server.address().to_string();
    if session.out.json {
        return print_json(
            &json!({ "context": name, "server": address, "by": by, "expires_at": until, "self": seen.raw }),
        );
    }
    if session.out.quiet {
        return print(&format!("{}\n", seen.item.name));
    }
    let bound = seen.item.scope.map(|scope| format!("{scope} on {}", seen.item.on.as_deref().unwrap_or("everything")));
    print(&block(&[
        ("context", name),
        ("server", address),
        ("user", seen.item.name),
        ("kind", seen.item.kind.to_string()),
        ("administrator", crate::output::yes(seen.item.is_admin)),
        ("signed in by", by),
        ("at most", bound.unwrap_or_else(|| "all that they may".into())),
        ("until", end),
    ]))
}

/// When it ends, if the server says: of a sign-in by the list of them.
async fn until(server: &Server, who: &Whoami, own: Option<&str>) -> Option<Timestamp> {
    if who.expires_at.is_some() {
        return who.expires_at;
    }
    let id = sign_ins::session_id(own?);
    let sign_ins: Vec<SignIn> = server.list(Call::get(paths::own_sessions())).all().await.ok()?;
    sign_ins.into_iter().find(|sign_in| sign_in.id == id).map(|sign_in| sign_in.expires_at)
}

async fn token(session: &Session, scopes: &[String]) -> Result<()> {
    let asked = scopes::read(scopes)?;
    let server = session.server().await?;
    let door = sign_ins::door(server).await?;
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    if door == Door::Basic {
        return Err(Error::Failed("this server gives out no tokens: it takes the password at each request".into()));
    }
    let access = server.access_token(&door, &scopes, false).await?;
    if let Some(granted) = &access.scope {
        scopes::compare(&asked, granted)?;
    }
    if session.out.json {
        let lifetime = access.lifetime.as_secs();
        return print_json(
            &json!({ "token": access.token.expose(), "expires_in": lifetime, "scope": access.scope.unwrap_or_else(|| scopes.join(" ")) }),
        );
    }
    print(&format!("{}\n", access.token.expose()))
}
