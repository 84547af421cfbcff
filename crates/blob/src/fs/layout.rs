//! Which file holds what. A path is only ever built from values that were parsed, never from text as it came.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use wharf_oci::Digest;

use crate::{Error, Location, Result, UploadId};

pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(super) fn upload(&self, id: UploadId) -> PathBuf {
        self.uploads().join(id.to_string())
    }

    /// The upload's id makes the location new for every upload; 256 folders keep each of them short.
    pub(super) fn location(digest: &Digest, id: UploadId) -> Location {
        let hex = digest.hex();
        Location::from_stored(format!("{}/{}/{hex}.{id}", digest.algorithm(), &hex[..2]))
    }

    /// The file of a location, if [`Layout::location`] can have made it: `..` or `/etc` cannot come through.
    pub(super) fn blob(&self, location: &Location) -> Result<PathBuf> {
        let path = self.blobs().join(location.as_str());
        if parse(location.as_str()).is_some_and(|(digest, id)| Self::location(&digest, id) == *location) {
            return Ok(path);
        }
        let reason = "not a location of this store: expected <algorithm>/<two digits>/<hex>.<upload id>";
        Err(Error::io("locate", Path::new(location.as_str()), io::Error::new(io::ErrorKind::InvalidInput, reason)))
    }
}

fn parse(location: &str) -> Option<(Digest, UploadId)> {
    let (algorithm, rest) = location.split_once('/')?;
    let (_, name) = rest.split_once('/')?;
    let (hex, id) = name.split_once('.')?;
    Some((format!("{algorithm}:{hex}").parse().ok()?, id.parse().ok()?))
}

/// The upload that a file among the uploads belongs to. Other files are somebody else's and stay.
pub(super) fn upload_of(name: &OsStr) -> Option<UploadId> {
    let id = name.to_str().and_then(|name| name.parse().ok());
    if id.is_none() {
        tracing::debug!(?name, "a file among the uploads is no upload");
    }
    id
}

#[cfg(test)]
mod tests;
