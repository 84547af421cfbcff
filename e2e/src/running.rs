//! A command that runs while a test does something to it.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use crate::program;

/// Killed when dropped.
pub struct Running {
    child: Child,
    line: String,
    log: PathBuf,
}

impl Running {
    pub(crate) fn start(mut command: Command, line: &str, log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file).stdin(std::process::Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        Self { child, line: line.into(), log }
    }

    /// `kill -9`
    pub fn kill(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "ended by itself: {}", self.said());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ctrl-C; how it ends.
    pub fn interrupt(mut self) -> ExitStatus {
        program::signal(&self.child, Signal::INT);
        self.wait(30)
    }

    /// Waits for it to end well; the most memory that it held, in MiB.
    pub fn peak_mib(mut self) -> u64 {
        let mut peak = 0;
        while self.child.try_wait().unwrap().is_none() {
            peak = peak.max(high_water_kib(self.child.id()));
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.wait(1);
        assert!(status.success(), "{}", self.said());
        peak / 1024
    }

    fn wait(&mut self, seconds: u64) -> ExitStatus {
        program::wait(&mut self.child, Duration::from_secs(seconds))
            .unwrap_or_else(|| panic!("no end: {}", self.said()))
    }

    fn said(&self) -> String {
        format!("$ {}\n{}", self.line, std::fs::read_to_string(&self.log).unwrap_or_default())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory a process has ever held; 0 once it has ended.
fn high_water_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
