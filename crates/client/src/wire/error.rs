use std::fmt::Write as _;
use std::time::Duration;

use http::StatusCode;
use wharf_api::ProblemKind;

/// Why a server could not be asked, or gave no answer. The text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the address of a server.
    #[error("'{text}' is not the address of a server: {problem}; for example registry.example.com or localhost:5000")]
    Address {
        /// As given.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The certificates to trust, or to show, cannot be used.
    #[error("cannot use the certificates of {file}: {problem}")]
    Certificates {
        /// Where they were to be.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No connection, or one that ended in the middle.
    #[error("cannot reach {server}: {problem}{next}")]
    Unreachable {
        /// Its address.
        server: String,
        /// Every cause, outermost first.
        problem: String,
        /// What to do, begun by a separator; may be empty.
        next: String,
        /// It answered, by a certificate that is not believed.
        is_distrusted: bool,
    },
    /// It asks to be left alone for longer than is sensible to wait.
    #[error("{server} is busy: {said}{}", come_back(said, *after))]
    Busy {
        /// Its address.
        server: String,
        /// Its own words.
        said: String,
        /// When it said to come back, or a guess.
        after: Duration,
    },
    /// It says more than any answer to that question has.
    #[error("{server} answers with more than {limit} bytes, which were not read: check the address")]
    Endless {
        /// Its address.
        server: String,
        /// Bytes that the answer may have.
        limit: usize,
    },
    /// It sends its callers elsewhere.
    #[error("{server} sends its callers to {to}: use that address instead")]
    Moved {
        /// Its address.
        server: String,
        /// Where it points.
        to: String,
    },
}

/// A call that the server refused, in its own words (RFC 9457, or the errors of the distribution specification).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its status.
    pub status: StatusCode,
    /// What kind of problem it is, if the server says so.
    pub kind: Option<ProblemKind>,
    /// One or more sentences.
    pub said: String,
    /// What can be done about it, if one of our servers said enough to know.
    pub next: Option<String>,
    /// The field of the request that it is about.
    pub field: Option<String>,
    /// What to quote to whoever runs the server.
    pub request: Option<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the field: it is the API's name of something that people know by another.
        f.write_str(&self.said)?;
        match &self.request {
            Some(request) if self.status.is_server_error() => write!(f, " (request {request})"),
            _ => Ok(()),
        }
    }
}

/// When to try again, unless the server has said so itself, as ours does.
fn come_back(said: &str, after: Duration) -> String {
    match after.as_secs() {
        _ if said.contains("come back in ") => String::new(),
        seconds if seconds >= 7200 => format!("; try again in {} hours", seconds.div_ceil(3600)),
        seconds if seconds >= 120 => format!("; try again in {} minutes", seconds.div_ceil(60)),
        seconds => format!("; try again in {seconds} seconds"),
    }
}

/// Every cause of an error, outermost first, each said once.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = String::new();
    for cause in chain(error) {
        let text = cause.to_string();
        // The first sentences have the URL, which stands before them already, and a word of the library's.
        if cause.is::<reqwest::Error>() || text.starts_with("client error (") || said.contains(&text) {
            continue;
        }
        let _ = write!(said, "{}{text}", if said.is_empty() { "" } else { ": " });
    }
    // Its own sentence would have the URL, in which there may be a secret.
    if said.is_empty() { "the connection failed".into() } else { said }
}

/// An error and what it came from. `io::Error` hides the one it wraps from `source`.
pub(crate) fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match inner {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        }
    })
}

/// What joins a server's words to the command that signs in: what it says already is not said again.
pub(crate) fn to_sign_in(said: &str) -> &'static str {
    if said.contains("sign in") { ": " } else { "; sign in: " }
}
