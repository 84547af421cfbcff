//! What is limited, and who shares a limit.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// GET of a manifest.
    ManifestPulls,
    /// GET of a blob that is answered with its content.
    BlobPulls,
    /// PUT of a manifest, and each upload begun.
    Pushes,
    /// Passwords that were wrong.
    SignIns,
    /// Requests to `/token`.
    Tokens,
    /// Requests that change something by the admin API.
    Changes,
    /// Searches, and pages of lists.
    Lists,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::ManifestPulls, Self::BlobPulls, Self::Pushes, Self::SignIns, Self::Tokens, Self::Changes, Self::Lists];
    /// What one does in a repository.
    pub(super) const CONTENT: [Self; 3] = [Self::ManifestPulls, Self::BlobPulls, Self::Pushes];

    /// As the API and the database have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ManifestPulls => "manifest-pulls",
            Self::BlobPulls => "blob-pulls",
            Self::Pushes => "pushes",
            Self::SignIns => "sign-ins",
            Self::Tokens => "tokens",
            Self::Changes => "changes",
            Self::Lists => "lists",
        }
    }

    /// Only content is pulled and pushed in a repository, and nobody changes anything without signing in.
    pub(super) fn counts_per(self, per: Per) -> bool {
        match per {
            Per::Repository => Self::CONTENT.contains(&self),
            Per::Anonymous => self != Self::Changes,
            Per::Caller | Per::Address => true,
        }
    }
}

/// Who shares a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Per {
    /// Each user and robot. Of sign-ins: one user name at one address.
    Caller,
    /// Callers without an account, by their address. Of sign-ins: one user name, at all addresses together that have
    /// not signed in as that user lately.
    Anonymous,
    /// Each address, whoever calls.
    Address,
    /// Each repository, whoever calls.
    Repository,
}

impl Per {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Caller, Self::Anonymous, Self::Address, Self::Repository];

    /// As the API and the database have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Anonymous => "anonymous",
            Self::Address => "address",
            Self::Repository => "repository",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Class {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text).ok_or_else(|| Error::Invalid {
            field: "class",
            message: format!("{text:?} is nothing that is limited: expected {}", list(&Self::ALL)),
        })
    }
}

impl FromStr for Per {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|per| per.as_str() == text).ok_or_else(|| Error::Invalid {
            field: "per",
            message: format!("nothing is limited per {text:?}: expected {}", list(&Self::ALL)),
        })
    }
}

fn list(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
