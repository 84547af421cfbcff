use std::io::Write as _;
use std::process::ExitCode;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use crate::nouns::{
    access, audit, auth, authorizations, contexts, limits, members, orgs, providers, quotas, repos, robots, sessions,
    teams, tokens, trust, users,
};
use crate::session::{Global, Session};
use crate::verb::Verb;
use crate::{Error, Result};

/// Everything that a person does with their servers.
#[derive(Debug)]
pub struct Command(Nouns);

impl Command {
    /// Runs it. What fails is told on standard error; docs/cli.md has the exit codes.
    pub fn run(self) -> ExitCode {
        self.0.run()
    }
}

impl FromArgMatches for Command {
    fn from_arg_matches(matches: &ArgMatches) -> clap::error::Result<Self> {
        Nouns::from_arg_matches(matches).map(Self)
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

macro_rules! nouns {
    ($($(#[$doc:meta])* $variant:ident($verbs:ty),)*) => {
        #[derive(Debug, Subcommand)]
        enum Nouns {
            $($(#[$doc])* $variant(Noun<$verbs>),)*
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
    Auth(auth::Verbs),
    /// Work with several servers
    Contexts(contexts::Verbs),
    /// Orgs, which own repositories
    Orgs(orgs::Verbs),
    /// Who belongs to an org
    Members(members::Verbs),
    /// Groups of an org's members that are given roles together
    Teams(teams::Verbs),
    /// Repositories
    Repos(repos::Verbs),
    /// Who may do what on an org or a repository
    #[command(visible_alias = "grants")]
    Authorizations(authorizations::Verbs),
    /// Why somebody may do something, or not
    Access(access::Verbs),
    /// Accounts of machines
    Robots(robots::Verbs),
    /// API tokens, of your own or of a robot
    Tokens(tokens::Verbs),
    /// Where you are signed in
    Sessions(sessions::Verbs),
    /// Outside tokens, such as a CI job's, that stand for a robot
    Trust(trust::Verbs),
    /// What an org may keep, and what it keeps
    Quotas(quotas::Verbs),
    /// What happened, and who did it
    Audit(audit::Verbs),
    /// Accounts of people (administrators)
    Users(users::Verbs),
    /// Where people may sign in from (administrators)
    Providers(providers::Verbs),
    /// How often what may be done (administrators)
    Limits(limits::Verbs),
}

impl<T: Verb> Noun<T> {
    fn run(self) -> ExitCode {
        match self.try_run() {
            Ok(()) | Err(Error::Enough) => ExitCode::SUCCESS,
            Err(error) => {
                drop(writeln!(std::io::stderr(), "wharf: {error}"));
                ExitCode::from(error.exit_code())
            }
        }
    }

    fn try_run(self) -> Result<()> {
        let session = Session::new(self.global)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Failed(format!("cannot start: {error}")))?;
        let outcome = runtime.block_on(self.verb.run(&session));
        // A question at the terminal that was interrupted still waits for its line.
        runtime.shutdown_background();
        outcome
    }
}
