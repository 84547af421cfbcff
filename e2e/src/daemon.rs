//! A program that runs beside a test until the test ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::Signal;

use crate::machine::wait_for;
use crate::program;

/// Ends with SIGTERM when dropped; fails the test when it had ended before.
pub struct Daemon {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Daemon {
    /// Starts it with its output in `log`, and waits until `ready`.
    pub fn start(mut command: Command, log: &Path, ready: impl Fn() -> bool) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let file = File::create(log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut daemon = Self { child, name, log: log.into() };
        wait_for(&format!("{} gets ready", daemon.name), 30, || {
            daemon.assert_running();
            ready().then_some(())
        });
        daemon
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has printed.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{} ended ({status}):\n{}", self.name, self.printed());
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        program::signal(&self.child, Signal::TERM);
        if program::wait(&mut self.child, Duration::from_secs(20)).is_none() {
            program::signal(&self.child, Signal::KILL);
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            let printed = self.printed();
            let from = printed.char_indices().rev().nth(4000).map_or(0, |(at, _)| at);
            eprintln!("--- {} printed:\n{}", self.name, &printed[from..]);
        }
    }
}
