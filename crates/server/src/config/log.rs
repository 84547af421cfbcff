//! `[log]`

use tracing_subscriber::EnvFilter;

use super::setting::{choice, section};
use super::value::Item;

section! {
    /// What the server writes to its standard error.
    pub struct Log in [log] {
        /// `text` is for people, `json` is one object a line, `auto` is text on a terminal and JSON otherwise.
        format: LogFormat = LogFormat::Auto => flag("--log-format");

        /// The least important that is written: `error`, `warn`, `info`, `debug`, `trace` or `off`. Modules may have their
        /// own, as in `info,wharf_http=debug`.
        level: LogFilter = LogFilter::default() => flag("--log-level");
    }
}

choice! {
    /// How a line of the log looks.
    pub enum LogFormat {
        /// Text on a terminal, JSON otherwise.
        Auto = "auto",
        /// For people.
        Text = "text",
        /// One object a line.
        Json = "json",
    }
}

/// Directives that [`EnvFilter`] takes, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The directives, for `EnvFilter::builder().parse_lossy`, which then loses nothing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".into())
    }
}

impl Item for LogFilter {
    fn kind() -> String {
        "a log level, or directives of tracing".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected a level such as info, or directives such as info,wharf_http=debug";
        if text.trim().is_empty() {
            return Err(format!("is empty: {expected}"));
        }
        // A lone word that is no level would be taken for the name of a module, and silence everything else.
        let levels = ["off", "error", "warn", "info", "debug", "trace"];
        if text.bytes().all(|b| b.is_ascii_alphanumeric()) && !levels.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(format!("\"{text}\" is not a log level: {expected}"));
        }
        match EnvFilter::builder().parse(text) {
            Ok(_) => Ok(Self(text.into())),
            Err(error) => Err(format!("\"{text}\" is not a log level: {error}; {expected}")),
        }
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}
