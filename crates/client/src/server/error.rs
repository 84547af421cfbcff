use super::Refusal;
use crate::wire;

/// Why a call to a server gave nothing. The text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be asked, or gave no answer.
    #[error(transparent)]
    Wire(#[from] wire::Error),
    /// Nobody is signed in, or no longer.
    #[error("{server}: {said}{}{next}", wire::to_sign_in(said))]
    SignInNeeded {
        /// Its address.
        server: String,
        /// Its own words.
        said: String,
        /// The command.
        next: String,
    },
    /// What is signed in with gives less than this needs.
    #[error("{said}: {next}")]
    TooNarrow {
        /// Its own words.
        said: String,
        /// The command.
        next: String,
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
    /// The person said no on the other device, or said nothing in time.
    #[error("not signed in: {0}")]
    NotAllowed(&'static str),
}
