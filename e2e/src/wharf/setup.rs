//! How a server is to be started.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::{Wharf, binary};
use crate::machine::free_port;
use crate::wharf::logs::Logs;

/// Flags, environment, and what may be in the log at the end.
#[derive(Clone, Default)]
#[must_use]
pub struct Setup {
    pub(super) tls: bool,
    pub(super) keeps_uploads: bool,
    pub(super) data: Option<PathBuf>,
    pub(super) allowed: Vec<String>,
    flags: String,
    env: Vec<(String, String)>,
    makes_up_password: bool,
}

impl Setup {
    pub(super) const PASSWORD: &'static str = "correct horse battery";

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a certificate of its own making.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self.flags("--tls-self-signed")
    }

    /// More flags.
    pub fn flags(mut self, flags: &str) -> Self {
        self.flags = format!("{} {flags}", self.flags);
        self
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// With no password given: it makes one up.
    pub fn without_password(mut self) -> Self {
        self.makes_up_password = true;
        self
    }

    /// Another data folder than one of its own.
    pub fn data(mut self, folder: &Path) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Log lines of WARN or ERROR with these words are expected.
    pub fn allow(mut self, words: &str) -> Self {
        self.allowed.push(words.into());
        self
    }

    /// Unfinished uploads are meant to stay.
    pub fn keeps_uploads(mut self) -> Self {
        self.keeps_uploads = true;
        self
    }

    /// Starts the server, and waits until it answers.
    pub fn start(self) -> Wharf {
        let folder = tempfile::Builder::new().prefix("wh-").tempdir_in("/tmp").unwrap();
        let (port, logs) = (free_port(), Logs::default());
        let data = self.data.clone().unwrap_or_else(|| folder.path().join("data"));
        let child = self.spawn(port, &data, &folder.path().join("wharf.sock"), &logs);
        let mut wharf = Wharf { setup: self, child: Some(child), logs, port, folder };
        wharf.wait_until_it_answers();
        wharf
    }

    pub(super) fn spawn(&self, port: u16, data: &Path, socket: &Path, logs: &Logs) -> Child {
        let (data, socket) = (data.display(), socket.display());
        let listen = format!("--listen 127.0.0.1:{port} --listen unix:{socket}");
        let mut command = binary::command(&format!("serve {listen} --data {data} {}", self.flags));
        if !self.makes_up_password {
            command.env("WHARF_ADMIN_PASSWORD", Self::PASSWORD);
        }
        command.envs(self.env.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("wharf serve: {error}"));
        logs.follow(&mut child);
        child
    }
}
