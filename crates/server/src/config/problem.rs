//! Where values come from, and what is wrong with them.

use std::fmt;
use std::path::PathBuf;

/// Where the value of a setting comes from; higher ones win.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The configuration file.
    File {
        /// As it was found or given.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Env(String),
    /// A flag, by its name: `--listen`, `--set`.
    Flag(String),
}

impl Origin {
    /// How a complaint about `key` begins: where to look, and what for.
    pub(super) fn place(&self, key: &str) -> String {
        match self {
            Self::Default => key.into(),
            Self::File { path, line } => format!("{}:{line}: {key}", path.display()),
            Self::Flag(name) if name == "--set" => format!("--set {key}"),
            Self::Env(name) | Self::Flag(name) => name.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "file {}:{line}", path.display()),
            Self::Env(name) => write!(f, "env {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Something that keeps the server from starting, with the place to put it right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Problem {
    /// `/etc/wharf/wharf.toml:3: limits.drain`, `WHARF_LISTEN`, `--set log.level`, …
    pub place: String,
    /// What was wrong, and what was expected. Holds no secret.
    pub message: String,
}

impl Problem {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}
