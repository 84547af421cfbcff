//! Credential helpers: programs that keep sign-ins, asked by the protocol of docker-credential-helpers.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use super::serve::{Stored, UNKNOWN};
use super::{Error, Login, Result, TOKEN_USER};
use crate::Secret;

/// Bytes that a helper may answer.
const LARGEST: u64 = 1024 * 1024;
/// A helper may ask a person, who gets the time to answer.
const PATIENCE: Duration = Duration::from_mins(2);
/// What is said of a program that is not there.
pub(super) const ABSENT: &str = "is not installed: install it, or take it out of the file that names it";

/// One helper.
pub(super) struct Helper {
    program: String,
    path: PathBuf,
    patience: Duration,
}

impl Helper {
    /// `name` is what stands after `docker-credential-`.
    pub(super) fn new(name: &str, folder: Option<&Path>) -> Result<Self> {
        let program = format!("docker-credential-{name}");
        // A name with a slash would run any file.
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Err(Error::Helper { program, problem: "has a name that no program has".into() });
        }
        let path = folder.map_or_else(|| PathBuf::from(&program), |folder| folder.join(&program));
        Ok(Self { program, path, patience: PATIENCE })
    }

    #[cfg(test)]
    pub(super) fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) fn program(&self) -> &str {
        &self.program
    }

    /// What it keeps for that key; `None` if nothing.
    pub(super) fn get(&self, key: &str) -> Result<Option<Login>> {
        let Some(answer) = self.run("get", key.as_bytes())? else { return Ok(None) };
        let stored: Stored = serde_json::from_slice(&answer).map_err(|_| self.failed("answers with something else"))?;
        let (user, secret) = (stored.username, Secret::new(stored.secret));
        Ok(Some(match user.as_str() {
            TOKEN_USER => Login::IdentityToken { user: String::new(), token: secret },
            _ => Login::Password { user, password: secret },
        }))
    }

    /// Gives it something to keep.
    pub(super) fn store(&self, key: &str, login: &Login) -> Result<()> {
        let (user, secret) = match login {
            Login::Password { user, password } => (user.as_str(), password),
            Login::IdentityToken { token, .. } => (TOKEN_USER, token),
            Login::AccessToken(_) => return Err(self.failed("cannot keep a token that is no password")),
        };
        let stored: Value = json!({ "ServerURL": key, "Username": user, "Secret": secret.expose() });
        match self.run("store", stored.to_string().as_bytes())? {
            Some(_) => Ok(()),
            None => Err(self.failed("keeps nothing")),
        }
    }

    /// Has it forget something.
    pub(super) fn erase(&self, key: &str) -> Result<()> {
        self.run("erase", key.as_bytes()).map(|_| ())
    }

    /// Its answer; `None` when it says that it knows no such thing. Failures are told on standard output.
    fn run(&self, action: &str, input: &[u8]) -> Result<Option<Vec<u8>>> {
        let broken = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => self.failed(ABSENT),
            _ => self.failed(&format!("cannot be run: {error}")),
        };
        // What it says on standard error is for the person, as is what it may ask on the terminal.
        let mut command = Command::new(&self.path);
        let mut child = command.arg(action).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(broken)?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read says with its exit code whether that matters.
            let _ = stdin.write_all(input);
        }
        let answer = self.answer(&mut child);
        if answer.is_none() {
            // It may have ended just now.
            let _ = child.kill();
        }
        let status = child.wait().map_err(broken)?;
        let late = || self.failed(&format!("gave no answer in {} seconds", self.patience.as_secs()));
        let answer = answer.ok_or_else(late)?.map_err(broken)?;
        if status.success() {
            return Ok(Some(answer));
        }
        let said = String::from_utf8_lossy(&answer);
        let said: String = said.trim().chars().filter(|c| !c.is_control()).take(300).collect();
        if said.contains(UNKNOWN) || said.contains("credentials not found") {
            return Ok(None);
        }
        let problem = if said.is_empty() { format!("failed ({status})") } else { format!("failed: {said}") };
        Err(self.failed(&problem))
    }

    /// What it writes until it ends; `None` if that takes too long.
    fn answer(&self, child: &mut Child) -> Option<std::io::Result<Vec<u8>>> {
        let stdout = child.stdout.take()?;
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut answer = vec![];
            let read = stdout.take(LARGEST).read_to_end(&mut answer);
            // Nobody listens any more when it took too long.
            let _ = tell.send(read.map(|_| answer));
        });
        told.recv_timeout(self.patience).ok()
    }

    fn failed(&self, problem: &str) -> Error {
        Error::Helper { program: self.program.clone(), problem: problem.into() }
    }
}
