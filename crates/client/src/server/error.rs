use std::fmt::Write as _;
use std::time::Duration;

use http::StatusCode;

/// Why a call to a server gave nothing. The text says what to do next.
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
    /// The certificates to trust cannot be used.
    #[error("cannot use the certificates of {file}: {problem}")]
    Authority {
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
        next: &'static str,
    },
    /// It asks to be left alone for longer than is sensible to wait.
    #[error("{server} is busy: {said}; try again in {} s", .after.as_secs())]
    Busy {
        /// Its address.
        server: String,
        /// Its own words.
        said: String,
        /// When it said to come back, or a guess.
        after: Duration,
    },
    /// Nobody is signed in, or no longer.
    #[error("{server}: {said}; sign in: wharf auth login {host}")]
    SignInNeeded {
        /// Its address.
        server: String,
        /// Its name for people.
        host: String,
        /// Its own words.
        said: String,
    },
    /// What is signed in with gives less than this needs.
    #[error("{said}; sign in with what gives more: wharf auth login {host}")]
    TooNarrow {
        /// Its name for people.
        host: String,
        /// Its own words.
        said: String,
    },
    /// The server said no.
    #[error("{0}")]
    Refused(Refusal),
    /// It answers, but not as our server does.
    #[error("{server} does not answer as a Wharfinger server does ({problem}): check the address, and both versions")]
    NotUnderstood {
        /// Its address.
        server: String,
        /// What came instead.
        problem: String,
    },
    /// It sends its callers elsewhere.
    #[error("{server} sends its callers to {to}: sign in to that address instead")]
    Moved {
        /// Its address.
        server: String,
        /// Where it points.
        to: String,
    },
    /// The person said no on the other device, or said nothing in time.
    #[error("not signed in: {0}")]
    NotAllowed(&'static str),
}

/// A call that the server refused, in its own words (RFC 9457, or the errors of the distribution specification).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its status.
    pub status: StatusCode,
    /// One or more sentences.
    pub said: String,
    /// The field of the request that it is about.
    pub field: Option<String>,
    /// What to quote to whoever runs the server.
    pub request: Option<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.field {
            Some(field) if !self.said.contains(field.as_str()) => write!(f, "{field}: {}", self.said)?,
            _ => f.write_str(&self.said)?,
        }
        match (self.status, &self.request) {
            (StatusCode::PRECONDITION_FAILED, _) => {
                f.write_str("; look at it again, and repeat the change if it still fits")
            }
            (status, Some(request)) if status.is_server_error() => write!(f, " (request {request})"),
            _ => Ok(()),
        }
    }
}

/// Every cause of an error, outermost first, each said once.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = String::new();
    for cause in chain(error) {
        let text = cause.to_string();
        // The first sentences have the URL, which stands before them already, and a word of the library's.
        if cause.is::<reqwest::Error>() || text.starts_with("client error (") || said.contains(&text) {
            continue;
        }
        let _ = write!(said, "{}{text}", if said.is_empty() { "" } else { ": " });
    }
    if said.is_empty() { error.to_string() } else { said }
}

/// An error and what it came from. `io::Error` hides the one it wraps from `source`.
pub(super) fn chain<'a>(
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
