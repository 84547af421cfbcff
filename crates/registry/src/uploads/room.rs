//! Room for the bytes of one upload in its org's quota, reserved before they are taken.
//!
//! Where a request tells its length, all of it is reserved before the first byte; else in steps as bytes arrive. What
//! a request reserved and did not use is free again when it ends; the rest goes with the upload.

use wharf_blob::UploadId;
use wharf_meta::RepoId;

use crate::{Registry, Result};

/// Bytes reserved at a time, where nobody tells how many will come and there is plenty left.
const STEP: u64 = 64 * 1024 * 1024;

/// What one upload may grow to; without a quota to anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    id: UploadId,
    repo: RepoId,
    /// `None`: without limit.
    bytes: Option<u64>,
}

impl Registry {
    /// Room for an upload of `size` bytes that `length` more are about to join, if that is known.
    pub(super) async fn room(&self, id: UploadId, repo: RepoId, size: u64, length: Option<u64>) -> Result<Room> {
        let mut room = Room { id, repo, bytes: None };
        if self.meta.bytes_are_limited(repo).await? {
            if let Some(length) = length {
                let whole = size.saturating_add(length).max(1);
                room.bytes = self.meta.reserve(&id.to_string(), repo, whole, whole).await?;
            } else {
                room.bytes = Some(0);
                self.widen(&mut room, size.saturating_add(1)).await?;
            }
        }
        Ok(room)
    }

    /// Makes sure that the upload may grow to `size` bytes.
    pub(super) async fn widen(&self, room: &mut Room, size: u64) -> Result<()> {
        if room.bytes.is_some_and(|bytes| bytes < size) {
            let wanted = size.saturating_add(STEP - 1);
            room.bytes = self.meta.reserve(&room.id.to_string(), room.repo, wanted, size).await?;
        }
        Ok(())
    }

    /// Gives back what was reserved beyond `size`. Best effort: the rest goes with the upload.
    pub(super) async fn narrow(&self, room: &Room, size: u64) {
        if room.bytes.is_some_and(|bytes| bytes > size)
            && let Err(error) = self.meta.reserve_no_more_than(&room.id.to_string(), size).await
        {
            tracing::warn!(upload = %room.id, %error, "what an upload had reserved beyond its bytes stays reserved");
        }
    }
}
