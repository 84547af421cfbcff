//! `wharf auth login`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use wharf_api::{Whoami, paths};
use wharf_client::Secret;
use wharf_client::server::{Address, Call, Door, Server};
use wharf_oci::hub;

use super::earlier::Earlier;
use super::elsewhere::Elsewhere;
use crate::contexts::{Context, Contexts, Kept, Kind, trust};
use crate::output::{Seen, note, print_json};
use crate::session::{Session, open};
use crate::{Error, Result, ask, helper, sign_ins};

/// How somebody signs in.
#[derive(Debug, Args)]
#[command(arg(docker_s_password()))]
pub(crate) struct Login {
    /// The server: registry.example.com, localhost:5000 or a URL [default: the current context's]
    #[arg(value_name = "HOST")]
    host: Option<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    trust: Trusted,
    #[command(flatten)]
    keeping: Keeping,
}

/// Where the sign-in is kept, and who else gets it.
#[derive(Debug, Args)]
pub(super) struct Keeping {
    /// Sign out whoever else is signed in there, in this context
    #[arg(long)]
    replace: bool,
    /// Keep the secret in a file that only you can read, even where there is a keyring
    #[arg(long)]
    pub(super) no_keyring: bool,
    /// Do not have podman and docker ask docker-credential-wharf for this server
    #[arg(long)]
    pub(super) no_helper: bool,
    /// podman's file to change, instead of $REGISTRY_AUTH_FILE or the usual one
    #[arg(long, value_name = "FILE")]
    pub(super) authfile: Option<PathBuf>,
}

/// What somebody proves who they are by.
#[derive(Debug, Args)]
struct How {
    /// Who you are
    #[arg(long, short, value_name = "NAME")]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Read an API token from standard input
    #[arg(long, conflicts_with_all = ["username", "password_stdin", "device"])]
    token_stdin: bool,
    /// Sign in by a browser, on this device or another
    #[arg(long, conflicts_with_all = ["username", "password_stdin"])]
    device: bool,
}

/// What people know from docker, to say what is taken instead.
fn docker_s_password() -> clap::Arg {
    let refused = |_: &str| -> std::result::Result<String, &str> {
        Err("every user of this machine could read it: --password-stdin takes it, or leave it out and be asked")
    };
    clap::Arg::new("password")
        .long("password")
        .short('p')
        .hide(true)
        .help("Docker's, and not taken here")
        .value_parser(refused)
}

/// Whom to believe to be the server.
#[derive(Debug, Args)]
struct Trusted {
    /// A PEM file with the authority that the server's certificate is from, beside those of the system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Believe any certificate, and speak http:// to other machines: who is on the way can read and change everything
    #[arg(long)]
    insecure: bool,
}

/// Where to sign in, and what to call it.
struct Place {
    name: String,
    /// As images name it.
    host: String,
    server: Server,
    ca: Option<PathBuf>,
    insecure: bool,
}

impl Login {
    pub(super) async fn sign_in(self, session: &Session) -> Result<()> {
        let place = self.place(session).await?;
        if !place.server.is_ours().await? {
            return self.elsewhere(session, place).await;
        }
        let mut before = Earlier::of(session, &place.name, self.keeping.replace)?;
        if let Some(user) = &self.how.username {
            before.yields_to(user).await?;
        }
        let door = sign_ins::door(&place.server).await?;
        let (server, kept) = self.how.sign_in(place.server, &door).await?;
        // What is not good is not kept.
        let seen: Seen<Whoami> = server.call(Call::get(paths::whoami())).await.map_err(sign_ins::refused)?.value;
        let kept = Kept { user: seen.item.name.clone(), ..kept };
        if let Err(stays) = before.yields_to(&kept.user).await {
            give_up(server, &kept).await;
            return Err(stays);
        }
        let before = before.take(session).filter(|before| before.secret != kept.secret);
        let (address, host) = (server.address().to_string(), server.address().host());
        if kept.kind == Kind::Password {
            note("wharf: this server gives out no tokens, so the password itself is kept");
        }
        let store = if self.keeping.no_keyring { session.store.without_keyring() } else { session.store.clone() };
        let context = Context::new(address, place.ca, place.insecure, &door);
        if let Err(full) = store.keep(&place.name, context, kept.clone()) {
            give_up(server, &kept).await;
            return Err(full);
        }
        let file = self.keeping.authfile.as_deref();
        if let Some(before) = before {
            sign_ins::end_former(open(&session.store.contexts()?, &place.name)?, &before).await;
        }
        let along = if self.keeping.no_helper { vec![] } else { helper::set_up(&host, file) };
        if session.out.json {
            let (address, along) = (server.address().to_string(), along.iter().map(|file| file.display().to_string()));
            return print_json(&json!({
                "context": place.name, "server": address, "self": seen.raw, "helper_in": along.collect::<Vec<_>>(),
            }));
        }
        let along = if along.is_empty() { "" } else { ", and so are podman and docker" };
        session.out.done(None, &format!("{} is signed in to {host} (context {}){along}", seen.item.name, place.name))
    }

    /// A registry that is no Wharfinger.
    async fn elsewhere(&self, session: &Session, place: Place) -> Result<()> {
        if let Some(context) = &session.asked {
            let said = format!("{} is no Wharfinger, and so no context: leave out --context {context}", place.host);
            return Err(Error::Usage(said));
        }
        if self.how.device || self.how.token_stdin {
            let said = format!("{} is no Wharfinger: sign in by -u NAME, with or without --password-stdin", place.host);
            return Err(Error::Usage(said));
        }
        let user = self.how.user("User name: ").await?;
        let password = self.how.password().await?;
        let address = place.server.address().clone();
        let trust = trust(&place.host, place.ca.as_ref(), place.insecure)?;
        let registry = Elsewhere { host: place.host, address, trust };
        registry.sign_in(session, user, password, &self.keeping).await
    }

    async fn place(&self, session: &Session) -> Result<Place> {
        let contexts = session.store.contexts()?;
        let known = self.known(&contexts, session.asked.as_deref()).await?;
        let old = known.name.as_ref().and_then(|name| contexts.known.get(name));
        let ca = self.trust.ca.as_ref().map(|file| std::path::absolute(file).map_err(Error::file(file))).transpose()?;
        let ca = ca.or_else(|| old?.ca.clone());
        let insecure = self.trust.insecure || old.is_some_and(|old| old.insecure);
        let given = hub::api_of(&known.host);
        let address = Address::parse(given, ca.is_some())?;
        if address.is_clear() && !address.is_loopback() && !insecure {
            let said = format!("{address} would be told the password in clear: use https://, or say --insecure");
            return Err(Error::Usage(said));
        }
        let server = sign_ins::server_at(given, ca.as_ref(), insecure).await?;
        let address = server.address();
        let host = hub::name_of(&address.host()).to_owned();
        let name = known.name.unwrap_or_else(|| address.host());
        // Another server under a known name would get what was meant for the first.
        if let Some(other) = contexts.known.get(&name).filter(|context| context.server != address.to_string()) {
            let said = format!(
                "context {name} is {}: wharf contexts delete {name}, or --context NAME for another name",
                other.server
            );
            return Err(Error::Usage(said));
        }
        Ok(Place { name, host, server, ca, insecure })
    }

    async fn known(&self, contexts: &Contexts, asked: Option<&str>) -> Result<Known> {
        if let Some(host) = &self.host {
            return Ok(Known { host: host.clone(), name: asked.map(str::to_owned) });
        }
        match contexts.meant(asked) {
            Ok(name) => Ok(Known { host: contexts.get(&name)?.server.clone(), name: Some(name) }),
            Err(_) if contexts.known.is_empty() && asked.is_none() && ask::is_possible() => {
                Ok(Known { host: ask::line("Server: ").await?, name: None })
            }
            Err(Error::NotSignedIn(_)) => Err(Error::Usage("say to which server: wharf auth login HOST".into())),
            Err(error) => Err(error),
        }
    }
}

impl How {
    /// A server that is signed in to, and what to keep of that.
    async fn sign_in(&self, server: Server, door: &Door) -> Result<(Server, Kept)> {
        if self.token_stdin {
            return Ok(by_token(server, ask::secret_from_stdin("token")?));
        }
        if self.device {
            return by_device(server, door).await;
        }
        let user = self.user("User name (none to sign in by a browser): ").await?;
        if user.trim().is_empty() {
            return by_device(server, door).await;
        }
        let password = self.password().await?;
        // As docker takes it: a token in the password's place.
        if password.expose().starts_with(helper::TOKEN) {
            return Ok(by_token(server, password));
        }
        sign_ins::by_password(server, door, user, password).await
    }
}

impl How {
    async fn user(&self, question: &str) -> Result<String> {
        match &self.username {
            Some(user) => Ok(user.clone()),
            None if ask::is_possible() => ask::line(question).await,
            None => Err(Error::Usage("say how: -u NAME --password-stdin, --token-stdin or --device".into())),
        }
    }

    async fn password(&self) -> Result<Secret> {
        match self.password_stdin {
            true => ask::secret_from_stdin("password"),
            false if ask::is_possible() => ask::secret("Password: ").await,
            false => Err(Error::Usage("give the password by --password-stdin".into())),
        }
    }
}

/// What is known of the server before anything is asked of it.
struct Known {
    host: String,
    name: Option<String>,
}

/// Ends a sign-in that is not kept after all: nobody could. An API token was not made here.
async fn give_up(server: Server, kept: &Kept) {
    if kept.kind == Kind::RefreshToken {
        sign_ins::end_former(server, kept).await;
    }
}

fn by_token(server: Server, token: Secret) -> (Server, Kept) {
    let kept = Kept { user: String::new(), kind: Kind::ApiToken, secret: token };
    (server.signed_in(kept.credential()), kept)
}

async fn by_device(server: Server, door: &Door) -> Result<(Server, Kept)> {
    let device = server.start_device().await?;
    let minutes = device.lifetime.as_secs().div_ceil(60);
    let (uri, code) = (&device.verification_uri, &device.user_code);
    let direct =
        device.verification_uri_complete.as_ref().map(|uri| format!("\nor directly:  {uri}")).unwrap_or_default();
    note(&format!("Open          {uri}\nand enter     {code}{direct}\nWaiting for you, {minutes} minutes at most …"));
    let access = tokio::select! {
        access = server.await_device(door, device) => access?,
        _ = tokio::signal::ctrl_c() => return Err(Error::Interrupted),
    };
    let token = access.refresh_token.ok_or_else(|| Error::Failed("the server gave no refresh token".into()))?;
    Ok(refreshing(server, door, token))
}

fn refreshing(server: Server, door: &Door, token: Secret) -> (Server, Kept) {
    let kept = Kept { user: String::new(), kind: Kind::RefreshToken, secret: token };
    (server.signed_in(kept.credential()).behind(door.clone()), kept)
}
