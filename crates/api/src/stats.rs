//! How much there is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the registry holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// Accounts of people.
    pub users: u64,
    /// Accounts of machines.
    pub robots: u64,
    /// Orgs, personal ones included.
    pub orgs: u64,
    /// Repositories.
    pub repositories: u64,
    /// Tags.
    pub tags: u64,
    /// Manifests, each once.
    pub manifests: u64,
    /// Blobs, each once.
    pub blobs: u64,
    /// Bytes of the blobs.
    pub bytes: u64,
    /// Uploads under way.
    pub uploads: u64,
}
