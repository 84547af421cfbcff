//! A program at a terminal of its own, as a person sees it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::machine::wait_for;
use crate::program;

/// The terminal, and what runs at it.
pub struct Terminal {
    child: Child,
    keys: File,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts it: `setsid` makes the terminal its own, so that Ctrl-C reaches it and `/dev/tty` is it.
    pub(crate) fn start(program: &Command) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = PathBuf::from(ptsname(&keys, vec![]).unwrap().into_string().unwrap());
        let open = || File::from(rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap());
        let mut command = Command::new(program::tool("setsid"));
        command.args(["--ctty", "--wait"]).arg(program.get_program()).args(program.get_args()).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().unwrap();
        let keys = File::from(keys);
        let screen = Arc::new(Mutex::new(String::new()));
        copy(keys.try_clone().unwrap(), &screen);
        Self { child, keys, screen }
    }

    /// Everything that was shown so far.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// Waits until `words` are shown.
    pub fn sees(&self, words: &str) -> &Self {
        wait_for(&format!("the terminal shows '{words}': {}", self.screen()), 10, || {
            self.screen().contains(words).then_some(())
        });
        self
    }

    /// Waits until the program is ready to be interrupted: before that, Ctrl-C ends it as it ends any.
    pub fn catches_ctrl_c(&self) -> &Self {
        let id = self.child.id();
        wait_for("it catches SIGINT", 10, || {
            // `setsid` may have become the program, or have started it.
            let started = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
            let mut ids = started.split_whitespace().map(str::to_owned).chain([id.to_string()]);
            ids.any(|id| catches_ctrl_c(&id)).then_some(())
        });
        self
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        self.keys.write_all(format!("{line}\r").as_bytes()).unwrap();
    }

    /// Ctrl-C.
    pub fn interrupts(&mut self) {
        self.keys.write_all(b"\x03").unwrap();
    }

    /// Waits for its end: its exit code, and all that was shown.
    pub fn ends(mut self) -> (i32, String) {
        let status = program::wait(&mut self.child, Duration::from_secs(20));
        let status = status.unwrap_or_else(|| panic!("did not end: {}", self.screen()));
        // What was shown last is still on its way.
        std::thread::sleep(Duration::from_millis(50));
        (status.code().unwrap_or(-1), self.screen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        program::signal(&self.child, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// `SigCgt` of proc(5): a bit for each signal, from 1 on.
fn catches_ctrl_c(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|signals| u64::from_str_radix(signals.trim(), 16).ok());
    caught.is_some_and(|signals| signals >> (Signal::INT.as_raw() - 1) & 1 == 1)
}

/// Reading fails when nobody has the terminal open any more.
fn copy(mut from: File, to: &Arc<Mutex<String>>) {
    let to = Arc::clone(to);
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(length) = from.read(&mut buffer) {
            to.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    });
}
