//! Which `wharf` is tested: `WHARF_E2E_WHARF`, else the one that cargo builds from this workspace, once.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::machine::variable;
use crate::program::{self, Ran, root, search_path, split};

/// The executable under test.
pub fn path() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| variable("WHARF").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "-p", "wharf", "--message-format", "json"]).current_dir(root());
    let output = cargo.output().expect("cargo");
    assert!(output.status.success(), "cargo build -p wharf:\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let of_wharf = messages.filter(|message| message["target"]["name"] == "wharf");
    let file = of_wharf.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    file.expect("cargo names the executable")
}

/// Nothing inherited.
pub(super) fn command(line: &str) -> Command {
    let mut command = Command::new(path());
    command.args(split(line)).env_clear().env("PATH", search_path()).env("HOME", "/nonexistent");
    command
}

/// Runs it to its end.
pub fn run(line: &str, input: &str) -> Ran {
    program::run(command(line), &format!("wharf {line}"), input.as_bytes())
}
