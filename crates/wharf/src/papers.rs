//! What shells and `man` know of the commands, made from the commands themselves.

use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, Subcommand, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::env::Shells;

mod man;

/// What shells ask with: the name of a shell, in the environment of a command line that is not finished.
const ASKED: &str = "WHARF_COMPLETE";

#[derive(Debug, Subcommand)]
pub(crate) enum Papers {
    /// Print what a shell needs to complete the commands, and the names of contexts and places in them
    #[command(
        after_help = "Examples:\n  wharf completions bash > ~/.local/share/bash-completion/completions/wharf\n  \
        wharf completions zsh > ~/.zfunc/_wharf     # with fpath+=~/.zfunc before compinit\n  \
        wharf completions fish > ~/.config/fish/completions/wharf.fish"
    )]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write a manual page for each command
    #[command(after_help = "Examples:\n  sudo wharf man --to /usr/local/share/man/man1\n  man wharf-auth-login")]
    Man {
        /// Folder to write them into; it is made if it is not there
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
}

/// Those that there are scripts for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// Answers a shell that asks how a command line may go on, and ends the program then.
pub(crate) fn complete(whole: impl Fn() -> Command) {
    CompleteEnv::with_factory(whole).var(ASKED).complete();
}

impl Papers {
    /// Of `whole`, which has all commands.
    pub(crate) fn run(self, whole: Command) -> ExitCode {
        let outcome = match &self {
            Self::Completions { shell } => completions(*shell),
            Self::Man { to } => man::write(to, whole),
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            // Whoever reads it has enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                let place = if let Self::Man { to } = &self { format!("{}: ", to.display()) } else { String::new() };
                // That nobody reads it changes nothing.
                let _ = writeln!(io::stderr(), "wharf: {place}{error}");
                ExitCode::FAILURE
            }
        }
    }
}

/// The script has the shell ask the program that is found then, wherever it lies.
fn completions(shell: Shell) -> io::Result<()> {
    let name = shell.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let shells = Shells::builtins();
    let completer = shells.completer(&name).ok_or(ErrorKind::Unsupported)?;
    let mut script = vec![];
    completer.write_registration(ASKED, "wharf", "wharf", "wharf", &mut script)?;
    io::stdout().lock().write_all(&script)
}
