//! The system's keyring, by `secret-tool` of libsecret, which speaks to GNOME's, KDE's and KeePassXC's alike.
//!
//! It is asked in bounded time, and what it does not keep is kept elsewhere: a machine without one, or with one that
//! nobody can unlock, is an ordinary machine. Secrets go by standard input and output, never on its command line.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use wharf_client::Secret;

/// Bytes that it may answer.
const LARGEST: u64 = 1 << 20;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Keyring {
    program: PathBuf,
    patience: Duration,
}

/// How it ended, and what it wrote.
struct Ended {
    is_good: bool,
    output: Vec<u8>,
    said: String,
}

impl Keyring {
    pub(crate) const PROGRAM: &str = "secret-tool";

    pub(crate) fn new(program: PathBuf, patience: Duration) -> Self {
        Self { program, patience }
    }

    /// Keeps a secret under a new id, which it returns. `None` if it would not.
    pub(crate) fn keep(&self, label: &str, secret: &Secret) -> Option<String> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).ok()?;
        let id = format!("{:032x}", u128::from_be_bytes(id));
        let label = format!("--label={label}");
        // It leaves for where it is kept.
        let ended = self.run(&["store", &label, "application", "wharf", "id", &id], secret.expose().as_bytes());
        // Some say that all is well when they are locked: what can be read again is kept.
        let is_kept = ended.is_ok_and(|ended| ended.is_good) && self.find(&id).is_ok_and(|found| found == *secret);
        is_kept.then_some(id)
    }

    /// The error is a sentence without a secret.
    pub(crate) fn find(&self, id: &str) -> Result<Secret, String> {
        let ended = self.run(&["lookup", "application", "wharf", "id", id], b"")?;
        match String::from_utf8(ended.output) {
            Ok(secret) if ended.is_good && !secret.is_empty() => Ok(Secret::new(secret)),
            _ if ended.said.is_empty() => Err("it is not there".into()),
            _ => Err(ended.said),
        }
    }

    /// What it does not forget is of no use to anybody but its owner.
    pub(crate) fn forget(&self, id: &str) {
        drop(self.run(&["clear", "application", "wharf", "id", id], b""));
    }

    fn run(&self, words: &[&str], input: &[u8]) -> Result<Ended, String> {
        let mut command = Command::new(&self.program);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read says with its exit code whether that matters.
            let _ = stdin.write_all(input);
        }
        let written = self.written(&mut child);
        if written.is_none() {
            // It may have ended just now.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        let (output, said) = written.ok_or_else(|| format!("no answer in {} seconds", self.patience.as_secs()))?;
        let said = said.trim().chars().filter(|c| !c.is_control()).take(300).collect();
        Ok(Ended { is_good: status.success(), output, said })
    }

    /// What it writes until it ends; `None` if that takes too long.
    fn written(&self, child: &mut Child) -> Option<(Vec<u8>, String)> {
        let (stdout, stderr) = (child.stdout.take()?, child.stderr.take()?);
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut output, mut said) = (vec![], vec![]);
            let all =
                stdout.take(LARGEST).read_to_end(&mut output).and_then(|_| stderr.take(LARGEST).read_to_end(&mut said));
            if all.is_ok() {
                // Nobody listens any more when it took too long.
                let _ = tell.send((output, String::from_utf8_lossy(&said).into_owned()));
            }
        });
        told.recv_timeout(self.patience).ok()
    }
}

#[cfg(test)]
mod tests;
