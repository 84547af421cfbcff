//! What an org may keep, and what it keeps.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Amount;

/// An org's quota and its use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quota {
    /// The org.
    pub org: String,
    /// Bytes of content, each blob and manifest counted once however many of the org's repositories have it.
    pub bytes: Usage,
    /// Repositories.
    pub repositories: Usage,
    /// Tags.
    pub tags: Usage,
    /// Counts changes; the `ETag`.
    pub version: u64,
}

/// How much of something there is, and may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// So much there is.
    pub used: u64,
    /// So much pushes under way may still bring.
    pub reserved: u64,
    /// So much there may be; `null`: no limit.
    pub limit: Option<u64>,
}

/// A quota to set. What is left out or `null` has no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuota {
    /// Bytes of content.
    #[serde(default)]
    pub bytes: Option<Amount>,
    /// Repositories.
    #[serde(default)]
    pub repositories: Option<Amount>,
    /// Tags.
    #[serde(default)]
    pub tags: Option<Amount>,
}
