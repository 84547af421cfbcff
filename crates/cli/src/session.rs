//! One run of a command: which server, and how to print.

use std::fmt::Display;

use clap::Args;
use tokio::sync::OnceCell;
use wharf_api::{Name, Org, paths};
use wharf_client::server::{Answer, Call, Server};

use crate::contexts::{Contexts, Store, Whose};
use crate::output::{Output, Seen, Show};
use crate::{Error, Result, ask, completing};

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Global {
    /// Which of your servers, by its context's name [default: $WHARF_CONTEXT, else the current context]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Common options", add = completing::contexts())]
    pub(crate) context: Option<String>,
    /// Print JSON
    #[arg(long, global = true, help_heading = "Common options")]
    pub(crate) json: bool,
    /// Print names or digests only, or nothing
    #[arg(long, short, global = true, conflicts_with = "json", help_heading = "Common options")]
    pub(crate) quiet: bool,
}

/// A command's asking before it deletes.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Confirmed {
    /// Do not ask
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
}

/// A condition of a change.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Version {
    /// Only if this is still its version, as `get` shows it
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

impl Version {
    pub(crate) fn etag(self) -> Option<String> {
        self.if_version.map(|version| format!("\"{version}\""))
    }
}

/// What a command works with.
pub(crate) struct Session {
    pub(crate) store: Store,
    pub(crate) asked: Option<String>,
    pub(crate) out: Output,
    server: OnceCell<Server>,
}

impl Session {
    pub(crate) fn new(global: Global) -> Result<Self> {
        let out = Output { json: global.json, quiet: global.quiet };
        Ok(Self { store: Store::usual()?, asked: global.context, out, server: OnceCell::new() })
    }

    /// The server of the context that is meant, as who is signed in there.
    pub(crate) async fn server(&self) -> Result<&Server> {
        self.server.get_or_try_init(|| async { self.open() }).await
    }

    fn open(&self) -> Result<Server> {
        let contexts = self.store.contexts()?;
        let name = contexts.meant(self.asked.as_deref())?;
        let server = open(&contexts, &name)?;
        let kept = self.store.kept(Whose::Context(&name))?.ok_or_else(|| {
            let host = server.address().host();
            Error::NotSignedIn(format!("nobody is signed in to {host}; sign in: wharf auth login --context {name}"))
        })?;
        Ok(server.signed_in(kept.credential()))
    }

    pub(crate) async fn fetch<T: Show>(&self, call: Call) -> Result<Answer<Seen<T>>> {
        Ok(self.server().await?.call(call).await?)
    }

    pub(crate) async fn fetch_all<T: Show>(&self, call: Call) -> Result<Vec<Seen<T>>> {
        // Larger pages than the server's own: it is all read anyway.
        Ok(self.server().await?.list(call.query("limit", Some(1000))).all().await?)
    }

    /// Fails where nothing was found because there is no such org. The lists of an org that is not there are empty, to
    /// who may look at all orgs.
    pub(crate) async fn org_is_there(&self, org: Option<&Name>) -> Result<()> {
        let Some(org) = org else { return Ok(()) };
        self.fetch::<Org>(Call::get(paths::org(org.as_str()))).await.map(drop)
    }

    /// Prints a list.
    pub(crate) async fn list<T: Show>(&self, call: Call, nothing: &str) -> Result<()> {
        let items = self.fetch_all::<T>(call).await?;
        self.out.list(&items, nothing)
    }

    /// Prints one object.
    pub(crate) async fn get<T: Show>(&self, call: Call) -> Result<()> {
        let answer = self.fetch::<T>(call).await?;
        self.out.one(&answer.value)
    }

    /// Makes something, or finds that it is there as asked for.
    pub(crate) async fn create<T: Show>(&self, call: Call, what: impl Display) -> Result<()> {
        let answer = self.fetch::<T>(call).await?;
        let said =
            if answer.created { format!("{what} is made") } else { format!("{what} is there already, as asked for") };
        self.out.done(Some(&answer.value.raw), &said)
    }

    /// Changes something.
    pub(crate) async fn update<T: Show>(&self, call: Call, what: impl Display) -> Result<()> {
        let answer = self.fetch::<T>(call).await?;
        self.out.done(Some(&answer.value.raw), &format!("{what} is changed"))
    }

    /// Sets something to what it may be already.
    pub(crate) async fn set<T: Show>(&self, call: Call, sentence: impl Display) -> Result<()> {
        let answer = self.fetch::<T>(call).await?;
        self.out.done(Some(&answer.value.raw), &sentence.to_string())
    }

    /// Does something whose answer says nothing.
    pub(crate) async fn act(&self, call: Call, sentence: impl Display) -> Result<()> {
        self.server().await?.call::<serde_json::Value>(call).await?;
        self.out.done(None, &sentence.to_string())
    }

    /// Deletes something, if the person means it.
    pub(crate) async fn delete(&self, call: Call, what: impl Display, confirmed: Confirmed) -> Result<()> {
        ask::confirm(&format!("Delete {what}?"), confirmed.yes).await?;
        self.act(call, format!("{what} is deleted")).await
    }

    /// Takes something away from somewhere, if the person means it.
    pub(crate) async fn remove(&self, call: Call, what: impl Display, confirmed: Confirmed) -> Result<()> {
        ask::confirm(&format!("Remove {what}?"), confirmed.yes).await?;
        self.act(call, format!("removed {what}")).await
    }
}

/// The server of a context, as nobody.
pub(crate) fn open(contexts: &Contexts, name: &str) -> Result<Server> {
    let context = contexts.get(name)?;
    let server = Server::new(context.address()?, &context.trust()?)?;
    // A context of its server's name is found by that.
    let server = if name == server.address().host() {
        server
    } else {
        server.advising(format!("wharf auth login --context {name}"))
    };
    Ok(match context.door() {
        Some(door) => server.behind(door),
        None => server,
    })
}

/// Refuses an update that would change nothing: what was meant is not known.
pub(crate) fn something_to_change(update: &impl serde::Serialize) -> Result<()> {
    match serde_json::to_value(update) {
        Ok(value) if value.as_object().is_some_and(|fields| !fields.is_empty()) => Ok(()),
        _ => Err(Error::Usage("nothing is to be changed: say what, see --help".into())),
    }
}
