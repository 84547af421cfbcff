use std::io;
use std::time::Duration;

use http::StatusCode;
use wharf_oci::Digest;

use crate::wire::{self, Refusal, is_passing};

/// Why a registry gave or took nothing. The text names registry and repository, quotes the server and says what to do
/// next; there is no secret in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be asked, or gave no answer.
    #[error(transparent)]
    Wire(#[from] wire::Error),
    /// Nobody is signed in, or no longer.
    #[error("{place}: {said}{}wharf auth login {host}", wire::to_sign_in(said))]
    SignInNeeded {
        /// `host/name`.
        place: String,
        /// The registry.
        host: String,
        /// Its own words.
        said: String,
    },
    /// Who is signed in may not.
    #[error("{place}: denied: {said}; {next}")]
    Denied {
        /// `host/name`.
        place: String,
        /// The registry's own words.
        said: String,
        /// What to do about it.
        next: String,
    },
    /// It is not there, or not for who asks.
    #[error("{place} has no {what} ({said}); check the name, and that you may read it")]
    NotFound {
        /// `host/name`.
        place: String,
        /// `manifest v1`
        what: String,
        /// The registry's own words.
        said: String,
    },
    /// It said no.
    #[error("{place}: {doing}: {refusal}")]
    Refused {
        /// `host/name`.
        place: String,
        /// `cannot push manifest v1`
        doing: String,
        /// Its own words.
        refusal: Box<Refusal>,
    },
    /// What it gave is not what was asked for. None of it was kept.
    #[error(
        "{place}: {what} came with digest {found}; what the registry holds or sends is damaged, none of it was used"
    )]
    WrongDigest {
        /// `host/name`.
        place: String,
        /// What was asked for, by digest or tag.
        what: String,
        /// What came.
        found: String,
    },
    /// It gave more or less than there is.
    #[error("{place}: {what} came with {found} bytes, not {expected}; none of it was used")]
    WrongSize {
        /// `host/name`.
        place: String,
        /// What was asked for.
        what: String,
        /// In bytes.
        expected: u64,
        /// In bytes.
        found: u64,
    },
    /// It did not get on, however often it was tried.
    #[error("{place}: {what} did not get beyond byte {at} ({problem}); try again later")]
    Cut {
        /// `host/name`.
        place: String,
        /// What was being moved.
        what: String,
        /// How far it came.
        at: u64,
        /// The last failure.
        problem: String,
    },
    /// It answers, but not as a registry does.
    #[error("{place} does not answer as a registry does ({problem}): check the address, and what stands between")]
    NotUnderstood {
        /// `host/name`.
        place: String,
        /// What came instead.
        problem: String,
    },
    /// What was to be pushed could not be read.
    #[error("what was to be pushed to {place} cannot be read: {source}")]
    Source {
        /// `host/name`.
        place: String,
        /// What its reader says.
        source: io::Error,
    },
    /// What was to be pushed is something else than was announced.
    #[error("what was to be pushed to {place} as {expected} is {found}: it changed, or is damaged; nothing was pushed")]
    Changed {
        /// `host/name`.
        place: String,
        /// Digest or size that was announced.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl Error {
    /// What `host` refuses to who is known there.
    pub(super) fn denied(place: String, host: &str, refusal: Refusal) -> Self {
        // Our own server says whom to ask.
        let ask = if refusal.said.contains("ask an owner") { "" } else { "ask an owner of the repository, or " };
        let usual = || format!("{ask}sign in as somebody who may: wharf auth login {host}");
        Self::Denied { place, said: refusal.said, next: refusal.next.unwrap_or_else(usual) }
    }

    /// Whether it is only that there is no such thing there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether a registry would not take bytes as what they were said to be.
    pub fn is_wrong_content(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => refusal.status == StatusCode::BAD_REQUEST,
            error => matches!(error, Self::WrongDigest { .. }),
        }
    }

    /// Whether it may go well later: nobody answered, or who did is busy or in trouble.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Wire(wire::Error::Unreachable { .. } | wire::Error::Busy { .. }) => true,
            Self::Refused { refusal, .. } => is_passing(refusal.status),
            _ => false,
        }
    }

    /// When a busy server said to come back.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Wire(wire::Error::Busy { after, .. }) => Some(*after),
            _ => None,
        }
    }
}

/// `blob sha256:…`, short enough for a line.
pub(super) fn blob(digest: &Digest) -> String {
    format!("blob {digest}")
}
