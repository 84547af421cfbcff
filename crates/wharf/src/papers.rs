//! What shells and `man` know of the commands, made from the commands themselves.

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, Subcommand};
use clap_complete::{Shell, generate};

#[derive(Debug, Subcommand)]
pub(crate) enum Papers {
    /// Print what a shell needs to complete the commands
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

impl Papers {
    /// Of `whole`, which has all commands.
    pub(crate) fn run(self, whole: Command) -> ExitCode {
        let outcome = match &self {
            Self::Completions { shell } => completions(*shell, whole),
            Self::Man { to } => pages(to, whole),
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

fn completions(shell: Shell, mut whole: Command) -> io::Result<()> {
    let mut text = vec![];
    generate(shell, &mut whole, "wharf", &mut text);
    io::stdout().lock().write_all(&text)
}

fn pages(folder: &Path, whole: Command) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(whole, folder)
}
