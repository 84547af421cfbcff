use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::acts::{
    copy, delete, diff, digest, export, import, inspect, pull, push, search, storage_layer, sync, verify,
};
use crate::nouns::{
    access, audit, auth, authorizations, contexts, images, limits, members, orgs, providers, quotas, repos, robots,
    sessions, tags, teams, tokens, trust, users,
};
use crate::session::{Global, Session};
use crate::verb::{Act, Verb};
use crate::{Error, Result};

/// Time to end well after a signal.
const GRACE: Duration = Duration::from_secs(4);

/// Everything that a person does with their servers.
#[derive(Debug)]
pub struct Command(Box<Nouns>);

impl Command {
    /// Runs it. What fails is told on standard error; docs/cli.md has the exit codes.
    pub fn run(self) -> ExitCode {
        self.0.run()
    }
}

impl FromArgMatches for Command {
    fn from_arg_matches(matches: &ArgMatches) -> clap::error::Result<Self> {
        Nouns::from_arg_matches(matches).map(|nouns| Self(Box::new(nouns)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> clap::error::Result<()> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Subcommand for Command {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        Nouns::augment_subcommands(command)
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Nouns::augment_subcommands_for_update(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Nouns::has_subcommand(name)
    }
}

/// A noun, what to do with it, and what every command takes.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, subcommand_required = true)]
struct Noun<T: Subcommand> {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: T,
}

/// A command of one word: what carries images, and looks at them.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
struct One<T: Args> {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    act: T,
}

macro_rules! nouns {
    ($($(#[$doc:meta])* $variant:ident($words:ty),)*) => {
        #[derive(Debug, Subcommand)]
        enum Nouns {
            $($(#[$doc])* $variant($words),)*
        }

        impl Nouns {
            fn run(self) -> ExitCode {
                match self {
                    $(Self::$variant(noun) => noun.run(),)*
                }
            }
        }
    };
}

nouns! {
    /// Sign in to a server, sign out, see who you are
    Auth(Noun<auth::Verbs>),
    /// Sign in: another word for wharf auth login
    #[command(hide = true, arg_required_else_help = false)]
    Login(One<auth::Login>),
    /// Sign out: another word for wharf auth logout
    #[command(hide = true, arg_required_else_help = false)]
    Logout(One<auth::Logout>),
    /// Work with several servers
    Contexts(Noun<contexts::Verbs>),
    /// Carry an image, wherever it is, to a registry
    Push(One<push::Push>),
    /// Carry an image from a registry to wherever it is wanted
    Pull(One<pull::Pull>),
    /// Carry an image from anywhere to anywhere, without changing it unless asked to
    Copy(One<copy::Copy>),
    /// Carry many images: a repository, or a list of them
    Sync(One<sync::Sync>),
    /// Make an image of a tar file of all its files
    Import(One<import::Import>),
    /// Write all files of an image into one tar file
    Export(One<export::Export>),
    /// Compare two images: configuration, layers, files; exit code 1 if anything differs
    Diff(One<diff::Diff>),
    /// Show what is in an image: platform, entry point, labels, layers, how it was made
    Inspect(One<inspect::Inspect>),
    /// Print the digest that a name stands for
    Digest(One<digest::Digest>),
    /// Read all of an image, and compare every byte with what it is named by; exit code 1 if anything is wrong
    Verify(One<verify::Verify>),
    /// Images of a repository or an org
    Images(Noun<images::Verbs>),
    /// Names of a repository's images
    Tags(Noun<tags::Verbs>),
    /// Delete a tag, or an image with all its tags
    Delete(One<delete::Delete>),
    /// Find repositories by their names, on one registry or all of yours
    Search(One<search::Search>),
    /// Write a layer of podman's storage to standard output
    #[command(hide = true)]
    StorageLayer(One<storage_layer::StorageLayer>),
    /// Orgs, which own repositories
    Orgs(Noun<orgs::Verbs>),
    /// Who belongs to an org
    Members(Noun<members::Verbs>),
    /// Groups of an org's members that are given roles together
    Teams(Noun<teams::Verbs>),
    /// Repositories
    Repos(Noun<repos::Verbs>),
    /// Who may do what on an org or a repository
    #[command(visible_alias = "grants")]
    Authorizations(Noun<authorizations::Verbs>),
    /// Why somebody may do something, or not
    Access(Noun<access::Verbs>),
    /// Accounts of machines
    Robots(Noun<robots::Verbs>),
    /// API tokens, of your own or of a robot
    Tokens(Noun<tokens::Verbs>),
    /// Where you are signed in
    Sessions(Noun<sessions::Verbs>),
    /// Outside tokens, such as a CI job's, that stand for a robot
    Trust(Noun<trust::Verbs>),
    /// What an org may keep, and what it keeps
    Quotas(Noun<quotas::Verbs>),
    /// What happened, and who did it
    Audit(Noun<audit::Verbs>),
    /// Accounts of people (administrators)
    Users(Noun<users::Verbs>),
    /// Where people may sign in from (administrators)
    Providers(Noun<providers::Verbs>),
    /// How often what may be done (administrators)
    Limits(Noun<limits::Verbs>),
}

impl<T: Verb> Noun<T> {
    fn run(self) -> ExitCode {
        ended(self.try_run())
    }

    fn try_run(self) -> Result<()> {
        let session = Session::new(self.global)?;
        let runtime = started(&mut Builder::new_current_thread())?;
        let outcome = runtime.block_on(self.verb.run(&session));
        // A question at the terminal that was interrupted still waits for its line.
        runtime.shutdown_background();
        outcome
    }
}

impl<T: Act> One<T> {
    fn run(self) -> ExitCode {
        ended(self.try_run())
    }

    fn try_run(self) -> Result<()> {
        let session = Session::new(self.global)?;
        let runtime = started(&mut Builder::new_multi_thread())?;
        runtime.spawn(force());
        let outcome = runtime.block_on(async {
            tokio::select! {
                outcome = self.act.run(&session) => outcome,
                interrupted = interrupted() => interrupted,
            }
        });
        let patience = if T::ASKS { Duration::ZERO } else { Duration::from_secs(2) };
        runtime.shutdown_timeout(patience);
        outcome
    }
}

fn started(builder: &mut Builder) -> Result<Runtime> {
    builder.enable_all().build().map_err(|error| Error::Failed(format!("cannot start: {error}")))
}

fn ended(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) | Err(Error::Enough) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "wharf: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Ends the program when it does not end by itself: its own task may wait for another program, such as a credential helper
/// that is silent.
async fn force() {
    if let Err(interrupted @ Error::Interrupted) = interrupted().await {
        tokio::time::sleep(GRACE).await;
        drop(writeln!(std::io::stderr(), "wharf: {interrupted}"));
        std::process::exit(interrupted.exit_code().into());
    }
}

/// Ctrl-C, or whoever stops a job.
async fn interrupted() -> Result<()> {
    let failed = |error: std::io::Error| Error::Failed(format!("cannot listen for signals: {error}"));
    let mut interrupts = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut ends = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        _ = interrupts.recv() => {}
        _ = ends.recv() => {}
    }
    Err(Error::Interrupted)
}
