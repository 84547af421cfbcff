//! Options that people know from skopeo and that are not taken here: each is answered by what to say instead.
//!
//! What was given with one is never repeated: it may be a secret.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

const SECRET: &str = "a secret on the command line can be read by every user of this machine: sign in with wharf auth \
                      login HOST, where --password-stdin takes it, or name a file by --authfile (--src-authfile, \
                      --dest-authfile)";
const ENGINE: &str = "docker is looked for at DOCKER_HOST, else where its current context is";
const PLATFORM: &str =
    "--platform OS/ARCHITECTURE[/VARIANT] says which of several images, as in --platform linux/arm64";

/// Of commands that ask registries.
const OF_IMAGES: [(&str, &str); 21] = [
    ("creds", SECRET),
    ("src-creds", SECRET),
    ("dest-creds", SECRET),
    ("username", SECRET),
    ("src-username", SECRET),
    ("dest-username", SECRET),
    ("password", SECRET),
    ("src-password", SECRET),
    ("dest-password", SECRET),
    ("registry-token", SECRET),
    ("src-registry-token", SECRET),
    ("dest-registry-token", SECRET),
    ("daemon-host", ENGINE),
    ("src-daemon-host", ENGINE),
    ("dest-daemon-host", ENGINE),
    ("override-os", PLATFORM),
    ("override-arch", PLATFORM),
    ("override-variant", PLATFORM),
    ("policy", "policy.json is not read here: where only what it allows may arrive, carry images by skopeo or podman"),
    ("tmpdir", "temporary data goes to the folder that TMPDIR names"),
    ("command-timeout", "timeout(1) ends a command, as in timeout 10m wharf copy …"),
];

/// Before any command.
const OF_ALL: [(&str, &str); 6] = [
    ("override-os", PLATFORM),
    ("override-arch", PLATFORM),
    ("override-variant", PLATFORM),
    OF_IMAGES[18],
    OF_IMAGES[19],
    OF_IMAGES[20],
];

/// What skopeo takes before its commands.
#[derive(Debug, Args)]
pub struct Habits {
    /// No policy is checked here anyway
    #[arg(long, hide = true)]
    insecure_policy: bool,
    #[command(flatten)]
    instead: InsteadOfAll,
}

macro_rules! refused {
    ($($(#[$doc:meta])* $visibility:vis $name:ident($table:expr),)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        $visibility struct $name;

        impl FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> clap::error::Result<Self> {
                refuse(&$table, matches).map(|()| Self)
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> clap::error::Result<()> {
                refuse(&$table, matches)
            }
        }

        impl Args for $name {
            fn augment_args(command: Command) -> Command {
                command.args(hidden(&$table))
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }
    )*};
}

refused! {
    /// See [`OF_IMAGES`].
    pub(crate) Instead(OF_IMAGES),
    /// See [`OF_ALL`].
    InsteadOfAll(OF_ALL),
}

fn hidden(words: &'static [(&str, &str)]) -> impl Iterator<Item = Arg> {
    words.iter().map(|(word, _)| Arg::new(*word).long(*word).hide(true).help("Not taken here").num_args(1))
}

fn refuse(words: &[(&str, &str)], matches: &ArgMatches) -> clap::error::Result<()> {
    match words.iter().find(|(word, _)| matches.contains_id(word)) {
        Some((word, instead)) => {
            Err(clap::Error::raw(ErrorKind::UnknownArgument, format!("--{word} is not taken: {instead}\n")))
        }
        None => Ok(()),
    }
}
