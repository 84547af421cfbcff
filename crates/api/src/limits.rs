//! Rate limits.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;
use crate::{Requests, Seconds};

words! {
    /// What is counted together.
    LimitClass {
        /// Manifests asked for by GET.
        ManifestPulls = "manifest-pulls",
        /// Blobs asked for by GET.
        BlobPulls = "blob-pulls",
        /// Manifests and uploads begun.
        Pushes = "pushes",
        /// Wrong passwords.
        SignIns = "sign-ins",
        /// Access tokens asked for.
        Tokens = "tokens",
        /// Requests that change something by this API.
        Changes = "changes",
        /// Searches, and pages of lists.
        Lists = "lists",
    }
}

words! {
    /// For whom it is counted.
    LimitPer {
        /// Each user and each robot.
        Caller = "caller",
        /// Everybody without an account, by address.
        Anonymous = "anonymous",
        /// Each address, whoever asks from it.
        Address = "address",
        /// Each repository, whoever asks for it.
        Repository = "repository",
    }
}

/// How often something may be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateLimit {
    /// What.
    pub class: LimitClass,
    /// For whom.
    pub per: LimitPer,
    /// So many requests; `null`: no limit.
    pub requests: Option<u64>,
    /// In so many seconds.
    pub seconds: u64,
    /// Whether it is the server's own, not set by anybody.
    pub is_default: bool,
}

/// A limit to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRateLimit {
    /// So many requests; `null`: no limit.
    pub requests: Option<Requests>,
    /// In so many seconds.
    pub seconds: Seconds,
}
