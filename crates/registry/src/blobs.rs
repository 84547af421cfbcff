//! Blobs of a repository: looking, reading, mounting, unlinking.

use std::ops::Range;

use wharf_blob::Location;
use wharf_meta::RepoId;
use wharf_oci::{Digest, RepoName};

use crate::access::{Action, Caller};
use crate::{Content, Error, Registry, Result};

/// Repositories asked about a blob that is to be mounted from anywhere.
const MOUNT_CANDIDATES: usize = 64;

/// A blob that is there, open for reading.
#[derive(Debug)]
pub struct BlobInfo {
    /// Bytes.
    pub size: u64,
    file: std::fs::File,
}

impl BlobInfo {
    /// Its bytes, or those in `range`.
    pub fn into_content(self, range: Range<u64>) -> Content {
        Content::File { file: self.file, range }
    }
}

/// How a mount went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mounted {
    /// The repository sees the blob now.
    Yes,
    /// There is none that the caller may read: upload it.
    No,
}

impl Registry {
    /// Looks at a blob. It is opened even only to look: a client must not be told to skip a push of bytes that
    /// are not there.
    pub async fn blob(&self, caller: &Caller, name: &RepoName, digest: &Digest) -> Result<BlobInfo> {
        let repository = self.authorize_known(caller, Action::Pull, name).await?;
        let found = self.open_blob(repository.id, digest).await?;
        found.ok_or_else(|| Error::BlobUnknown { name: name.clone(), digest: digest.clone() })
    }

    /// Takes a blob out of a repository; its bytes stay while anything else needs them.
    pub async fn delete_blob(&self, caller: &Caller, name: &RepoName, digest: &Digest) -> Result<()> {
        let repository = self.authorize_known(caller, Action::Delete, name).await?;
        if self.meta.unlink_blob(repository.id, digest, &caller.actor(), self.now()).await? {
            tracing::info!(repository = name.as_str(), %digest, by = caller.name(), "blob deleted");
            return Ok(());
        }
        Err(Error::BlobUnknown { name: name.clone(), digest: digest.clone() })
    }

    /// Lets `name` see a blob that the caller may read in `from`, or without `from` anywhere. Knowing a digest
    /// is not a right: what the caller could not pull is never mounted.
    pub async fn mount_blob(
        &self,
        caller: &Caller,
        name: &RepoName,
        digest: &Digest,
        from: Option<&RepoName>,
    ) -> Result<Mounted> {
        self.authorize(caller, Action::Push, name).await?;
        let sources = match from {
            Some(from) => vec![from.clone()],
            None => self.meta.blob_holders(digest, MOUNT_CANDIDATES).await?,
        };
        for source in sources {
            let outcome = self.mount_from(caller, name, digest, &source).await;
            if self.recorded(caller, name, outcome)? {
                return Ok(Mounted::Yes);
            }
        }
        Ok(Mounted::No)
    }

    pub(crate) async fn mount_from(
        &self,
        caller: &Caller,
        to: &RepoName,
        digest: &Digest,
        from: &RepoName,
    ) -> Result<bool> {
        let Some(source) = self.readable_source(caller, from).await? else { return Ok(false) };
        if self.open_blob(source.id, digest).await?.is_none() {
            return Ok(false);
        }
        let target = self.meta.ensure_repository(to, &caller.actor(), self.now()).await?;
        Ok(self.meta.mount_blob(source.id, target, digest, self.now()).await?)
    }

    async fn open_blob(&self, repo: RepoId, digest: &Digest) -> Result<Option<BlobInfo>> {
        let Some(blob) = self.meta.blob(repo, digest).await? else { return Ok(None) };
        match self.store.open(&Location::from_stored(blob.location), blob.size).await {
            Ok(file) => Ok(Some(BlobInfo { size: blob.size, file })),
            // Saying "unknown" makes clients push it again, which heals it.
            Err(error @ (wharf_blob::Error::NotFound | wharf_blob::Error::Corrupt { .. })) => {
                tracing::error!(%digest, %error, "a stored blob is damaged; the next push of it heals it");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}
