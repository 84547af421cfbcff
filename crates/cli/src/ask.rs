//! Questions to the person at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use wharf_client::Secret;

use crate::{Error, Result};

/// Bytes of a secret on standard input, at most.
const LONGEST: u64 = 64 * 1024;

/// Whether somebody can be asked.
pub(crate) fn is_possible() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks for a line.
pub(crate) async fn line(question: &str) -> Result<String> {
    ask(question, false).await
}

/// Asks for a line that is not shown.
pub(crate) async fn secret(question: &str) -> Result<Secret> {
    Ok(Secret::new(ask(question, true).await?))
}

/// On a terminal, asks whether to go on. Elsewhere nobody could answer: a script means what it says.
pub(crate) async fn confirm(question: &str, is_confirmed: bool) -> Result<()> {
    if is_confirmed || !is_possible() {
        return Ok(());
    }
    let answer = line(&format!("{question} [y/N] ")).await?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") { Ok(()) } else { Err(Error::Declined) }
}

/// All of standard input, without the line's end.
pub(crate) fn secret_from_stdin(what: &str) -> Result<Secret> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| Error::Failed(format!("cannot read the {what} from standard input: {error}")))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Error::Usage(format!("standard input has no {what}"))),
        secret => Ok(Secret::new(secret)),
    }
}

/// At `/dev/tty`: standard output may be a file.
async fn ask(question: &str, is_secret: bool) -> Result<String> {
    let failed = |error: std::io::Error| Error::Failed(format!("cannot ask at the terminal: {error}"));
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(failed)?;
    // Listened for before anything is changed: Ctrl-C must not leave a terminal that shows nothing of what is typed.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(failed)?;
    let _hidden = is_secret.then(|| Hidden::on(&terminal)).transpose().map_err(failed)?;
    terminal.write_all(question.as_bytes()).map_err(failed)?;
    let read = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        BufReader::new(terminal).read_line(&mut text).map(|_| text)
    });
    let text = tokio::select! {
        read = read => read.map_err(|error| failed(error.into()))?.map_err(failed)?,
        _ = interrupts.recv() => return Err(Error::Interrupted),
    };
    if text.is_empty() { Err(Error::Interrupted) } else { Ok(text.trim_end_matches(['\r', '\n']).to_owned()) }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    fn on(terminal: &File) -> std::io::Result<Self> {
        let terminal = terminal.try_clone()?;
        let before = tcgetattr(&terminal)?;
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ECHO);
        now.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Flush, &now)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The terminal may be gone, and then there is nothing to restore.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
