//! One request at a time per upload: the loser of two concurrent chunks must see the winner's offset.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;
use wharf_blob::UploadId;

#[derive(Debug, Default)]
pub(crate) struct UploadLocks(Mutex<HashMap<UploadId, Arc<tokio::sync::Mutex<()>>>>);

impl UploadLocks {
    /// Waits until no other request holds the upload.
    pub(crate) async fn lock(&self, id: UploadId) -> OwnedMutexGuard<()> {
        self.entry(id).lock_owned().await
    }

    /// The lock, unless some request holds it.
    pub(crate) fn try_lock(&self, id: UploadId) -> Option<OwnedMutexGuard<()>> {
        self.entry(id).try_lock_owned().ok()
    }

    fn entry(&self, id: UploadId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Entries that nobody holds or waits for are dropped when the map has grown, not at each unlock.
        if locks.len() > 1024 {
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        Arc::clone(locks.entry(id).or_default())
    }
}
