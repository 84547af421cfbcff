//! What a server prints and logs, over all its starts.

use std::io::{BufRead as _, BufReader, Read};
use std::process::Child;
use std::sync::{Arc, Mutex};

type Text = Arc<Mutex<String>>;

#[derive(Clone, Default)]
pub(crate) struct Logs {
    printed: Text,
    logged: Text,
}

impl Logs {
    /// Follows another process from here on.
    pub(super) fn follow(&self, child: &mut Child) {
        self.printed.lock().unwrap().clear();
        copy(child.stdout.take().expect("a pipe"), &self.printed);
        copy(child.stderr.take().expect("a pipe"), &self.logged);
    }

    /// The banner is printed once the listeners are open.
    pub(super) fn is_ready(&self) -> bool {
        self.printed().contains("Push an image")
    }

    pub(super) fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    pub(super) fn logged(&self) -> String {
        self.logged.lock().unwrap().clone()
    }

    pub(super) fn tail(&self) -> String {
        let logged = self.logged();
        let lines: Vec<_> = logged.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Lines that are no log line, such as a panic's, and those of WARN and ERROR without any of the `allowed` words.
    pub(super) fn unexpected(&self, allowed: &[String]) -> Vec<String> {
        let logged = self.logged();
        let harmless = |line: &str| {
            let parsed = serde_json::from_str::<serde_json::Value>(line).ok();
            let level = parsed.as_ref().and_then(|line| line["level"].as_str());
            matches!(level, Some("INFO" | "DEBUG" | "TRACE"))
        };
        let expected = |line: &str| allowed.iter().any(|words| line.contains(words.as_str()));
        logged.lines().filter(|line| !harmless(line) && !expected(line)).map(str::to_owned).collect()
    }
}

fn copy(from: impl Read + Send + 'static, to: &Text) {
    let to = Arc::clone(to);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut to = to.lock().unwrap();
            to.push_str(&line);
            to.push('\n');
        }
    });
}
