//! The program itself, as a person runs it, against a registry in a box.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use wharf_testkit::boxed::{ADMIN, Boxed, Builder, PASSWORD, Served};

mod auth;
mod contexts;
mod credentials;
mod images;
mod operating;
mod papers;
mod people;
mod rights;
mod tokens;

/// A person's machine, and a registry on the network.
struct Desk {
    boxed: Boxed,
    served: Served,
    home: TempDir,
    env: Vec<(&'static str, String)>,
}

/// A command that ended.
struct Ran {
    line: String,
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    /// Nobody is signed in.
    async fn new() -> Self {
        Self::with(Boxed::builder()).await
    }

    async fn with(builder: Builder) -> Self {
        let boxed = builder.open().await;
        let served = boxed.serve().await;
        Self { boxed, served, home: tempfile::tempdir().unwrap(), env: vec![] }
    }

    /// The administrator is signed in.
    async fn of_admin() -> Self {
        let desk = Self::new().await;
        desk.sign_in(ADMIN, "").await;
        desk
    }

    fn host(&self) -> String {
        self.served.addr.to_string()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join("wharf").join(name)
    }

    async fn sign_in(&self, user: &str, flags: &str) {
        self.feed(PASSWORD, &format!("auth login {} -u {user} --password-stdin {flags}", self.host())).await.ok();
    }

    async fn wharf(&self, line: &str) -> Ran {
        self.feed("", line).await
    }

    /// With `input` on standard input; the line is parted at spaces, except within `'…'`.
    async fn feed(&self, input: &str, line: &str) -> Ran {
        run(self.command(line), input, line).await
    }

    fn command(&self, line: &str) -> Command {
        self.program(env!("CARGO_BIN_EXE_wharf").as_ref(), line)
    }

    fn program(&self, file: &Path, line: &str) -> Command {
        let mut command = Command::new(file);
        command.args(words(line)).env_clear().env("XDG_CONFIG_HOME", self.home.path());
        command.envs(self.env.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What the API answers to a command with `--json`.
    async fn json(&self, line: &str) -> Value {
        let out = self.wharf(&format!("{line} --json")).await.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{line}: {error}: {out}"))
    }
}

impl Ran {
    /// Its standard output; fails unless it did well.
    fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self}");
        self.out
    }

    /// Fails unless it ended with that code, and said `words` on standard error and nothing on standard output.
    fn fails(self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{self}");
        assert!(self.err.contains(words), "did not say '{words}': {self}");
        assert_eq!(self.out, "", "{self}");
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ wharf {} ({})\n{}{}", self.line, self.code, self.out, self.err)
    }
}

async fn run(mut command: Command, input: &str, line: &str) -> Ran {
    let (line, input) = (line.to_owned(), input.to_owned());
    let run = move || {
        let mut child = command.spawn().expect("it runs");
        // A command that does not read is its own matter.
        drop(child.stdin.take().expect("a pipe").write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code().expect("it was not killed");
        Ran { line, code, out: text(output.stdout), err: text(output.stderr) }
    };
    tokio::task::spawn_blocking(run).await.expect("it ran")
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 { words.push(part.to_owned()) } else { words.extend(part.split_whitespace().map(str::to_owned)) }
    }
    words
}
