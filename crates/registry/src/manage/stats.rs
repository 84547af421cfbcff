//! How much there is.

use crate::access::Caller;
use crate::{Registry, Result};

/// What the registry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Accounts of people.
    pub users: u64,
    /// Accounts of machines.
    pub robots: u64,
    /// Orgs, users' own included.
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

impl Registry {
    /// How much there is; counts whole tables. For administrators.
    pub async fn stats(&self, caller: &Caller) -> Result<Stats> {
        self.must_administer(caller, "see what the registry holds")?;
        let (blobs, bytes) = self.meta.count_blobs().await?;
        Ok(Stats {
            users: self.meta.count_users().await?,
            robots: self.meta.count_robots().await?,
            orgs: self.meta.count_orgs().await?,
            repositories: self.meta.count_repositories().await?,
            tags: self.meta.count_tags().await?,
            manifests: self.meta.count_manifests().await?,
            blobs,
            bytes,
            uploads: self.meta.count_uploads().await?,
        })
    }
}
