//! Running a program to its end: nothing inherited, output kept, a time limit, judged by exit code.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::machine::since_start;

/// No command of the tests should come near; a client that waits for a terminal or a network would never end.
const TIME_LIMIT: Duration = Duration::from_mins(3);

/// Where programs are looked for: ours first, then Debian's.
pub(crate) fn search_path() -> String {
    format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", root().join(".tools/bin").display())
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The program's file. A test whose program is missing fails, and says what to do.
pub fn tool(name: &str) -> PathBuf {
    if name.starts_with('/') {
        return name.into();
    }
    let path = search_path();
    let found = path.split(':').map(|folder| Path::new(folder).join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed: run e2e/tools/install"))
}

/// A command that ended.
pub struct Ran {
    /// As it was asked for.
    pub line: String,
    /// Everything it wrote to stdout.
    pub stdout: String,
    /// Everything it wrote to stderr.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
}

impl Ran {
    /// Its stdout without white space around it; fails if the command did.
    pub fn ok(self) -> String {
        assert!(self.status.success(), "{self}");
        self.stdout.trim().to_owned()
    }

    /// Fails unless the command did.
    pub fn fails(self) -> Self {
        self.fails_with("")
    }

    /// Fails unless the command did, with `words` in its output.
    pub fn fails_with(self, words: &str) -> Self {
        assert!(!self.status.success(), "should have failed: {self}");
        let said = format!("{}\n{}", self.stdout, self.stderr).to_lowercase();
        assert!(said.contains(&words.to_lowercase()), "did not say '{words}': {self}");
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ {}\n{}{}({})", self.line, self.stdout, self.stderr, self.status)
    }
}

/// Runs it to its end, with `input` on stdin.
pub(crate) fn run(mut command: Command, line: &str, input: &[u8]) -> Ran {
    let file = || tempfile::tempfile().expect("a temporary file");
    let (out, err) = (file(), file());
    command.stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
    command.stdin(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read is its own matter.
        let _ = stdin.write_all(input);
    }
    let status = wait(&mut child, TIME_LIMIT);
    if status.is_none() {
        let _ = kill_process_group(pid(&child), Signal::KILL);
    }
    let ended = child.wait().unwrap();
    let ran = Ran { line: line.into(), stdout: text(out), stderr: text(err), status: ended };
    assert!(status.is_some(), "did not end in {TIME_LIMIT:?}: {ran}");
    ran
}

/// The child's end, if it comes in time.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = since_start() + limit;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if since_start() > end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    let _ = kill_process(pid(child), signal);
}

fn text(mut file: std::fs::File) -> String {
    use std::io::{Read as _, Seek as _};
    let mut bytes = vec![];
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A command line into its words: white space parts them, `'…'` keeps them together.
pub fn split(line: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
