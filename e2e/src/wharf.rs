//! `wharf serve` as a process.

mod binary;
mod logs;
mod setup;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::client::Api;
use crate::machine::wait_for;
use crate::program::{self, Ran};
use logs::Logs;
pub use setup::Setup;

/// A running server. Dropping it asks it to end, and fails the test unless it ends well: exit code 0, no WARN or ERROR that
/// was not expected, no upload left behind.
pub struct Wharf {
    setup: Setup,
    child: Option<Child>,
    logs: Logs,
    port: u16,
    folder: TempDir,
}

impl Wharf {
    /// With the defaults.
    pub fn start() -> Self {
        Setup::new().start()
    }

    /// `host:port`, as clients name it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `http://…` or `https://…`.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.setup.tls { "https" } else { "http" }, self.host())
    }

    /// Its authority's certificate, if it has one.
    pub fn ca(&self) -> Option<PathBuf> {
        self.setup.tls.then(|| self.data().join("tls/ca.crt"))
    }

    /// The administrator's password.
    pub fn password(&self) -> &str {
        Setup::PASSWORD
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.setup.data.clone().unwrap_or_else(|| self.folder.path().join("data"))
    }

    /// A file beside the data folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The tests' own client, without credentials.
    pub fn anonymous(&self) -> Api {
        Api::new(self.socket(), self.host())
    }

    /// The tests' own client as the administrator.
    pub fn api(&self) -> Api {
        self.anonymous().basic("admin", self.password())
    }

    /// The unix socket that every server of the tests also listens on.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("wharf.sock")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("a running server").id()
    }

    /// What it has printed on stdout.
    pub fn printed(&self) -> String {
        self.logs.printed()
    }

    /// What it has logged.
    pub fn logged(&self) -> String {
        self.logs.logged()
    }

    /// Waits until it has logged `words`.
    pub fn wait_for_log(&self, words: &str) {
        wait_for(&format!("the log says '{words}'"), 10, || self.logged().contains(words).then_some(()));
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        program::signal(self.child.as_ref().expect("a running server"), signal);
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.take().expect("a running server").wait().unwrap();
    }

    /// Starts it again on the same data and the same port.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "it still runs");
        self.child = Some(self.setup.spawn(self.port, &self.data(), &self.socket(), &self.logs));
        self.wait_until_it_answers();
    }

    /// Tells it to end, and waits for it.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits for it to end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a running server");
        let status = program::wait(&mut child, Duration::from_secs(75));
        if status.is_none() {
            program::signal(&child, Signal::KILL);
        }
        let _ = child.wait();
        status.unwrap_or_else(|| panic!("did not end on SIGTERM:\n{}", self.logged()))
    }

    /// Runs another `wharf` command on the same data folder.
    pub fn command(&self, line: &str, input: &str) -> Ran {
        binary::run(&format!("{line} --data {}", self.data().display()), input)
    }

    fn wait_until_it_answers(&mut self) {
        let (child, logs) = (self.child.as_mut().expect("a child"), &self.logs);
        wait_for("wharf serve answers", 30, || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("wharf serve ended ({status}):\n{}", logs.logged());
            }
            logs.is_ready().then_some(())
        });
    }

    fn assert_ended_well(&mut self) {
        if self.child.is_some() {
            let status = self.stop();
            assert!(status.success(), "SIGTERM should end it with exit code 0, not {status}:\n{}", self.logged());
        }
        let unexpected = self.logs.unexpected(&self.setup.allowed);
        assert!(unexpected.is_empty(), "unexpected in the log:\n{}", unexpected.join("\n"));
        if !self.setup.keeps_uploads {
            let left = names_in(&self.data().join("uploads"));
            assert!(left.is_empty(), "uploads left behind: {left:?}");
        }
    }
}

impl Drop for Wharf {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return self.assert_ended_well();
        }
        if let Some(mut child) = self.child.take() {
            program::signal(&child, Signal::KILL);
            let _ = child.wait();
        }
        eprintln!("--- the server's last log lines:\n{}", self.logs.tail());
    }
}

/// Runs `wharf` to its end, without a server.
pub use binary::{path as binary, run as run_wharf};

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect()
}
