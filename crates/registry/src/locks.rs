//! One request at a time per upload: the loser of two concurrent chunks must see the winner's offset.
//!
//! Whoever waits makes itself known. A request whose client sends nothing meanwhile gives way: most likely its
//! connection is dead, and the one who waits is the same client on a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedMutexGuard};
use wharf_blob::UploadId;

/// How long a request may receive nothing while another waits.
const STALLED: Duration = Duration::from_secs(1);
/// How long the other waits.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(crate) struct UploadLocks(Mutex<HashMap<UploadId, Arc<Lock>>>);

#[derive(Debug, Default)]
struct Lock {
    held: Arc<tokio::sync::Mutex<()>>,
    waiting: AtomicUsize,
    came: Notify,
}

/// An upload in one request's hands, until dropped.
#[derive(Debug)]
pub(crate) struct Held {
    lock: Arc<Lock>,
    _guard: OwnedMutexGuard<()>,
}

impl UploadLocks {
    /// Waits until no other request holds the upload; `None` when one does for too long.
    pub(crate) async fn lock(&self, id: UploadId) -> Option<Held> {
        let lock = self.entry(id);
        let _waiting = Waiting::count(&lock);
        let guard = tokio::time::timeout(PATIENCE, Arc::clone(&lock.held).lock_owned()).await.ok()?;
        Some(Held { lock: Arc::clone(&lock), _guard: guard })
    }

    /// The lock, unless some request holds it.
    pub(crate) fn try_lock(&self, id: UploadId) -> Option<Held> {
        let lock = self.entry(id);
        let guard = Arc::clone(&lock.held).try_lock_owned().ok()?;
        Some(Held { lock, _guard: guard })
    }

    fn entry(&self, id: UploadId) -> Arc<Lock> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Entries that nobody holds or waits for are dropped when the map has grown, not at each unlock.
        if locks.len() > 1024 {
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        Arc::clone(locks.entry(id).or_default())
    }
}

impl Held {
    /// Resolves when somebody has waited for a while. To be asked anew after each sign of life.
    pub(crate) async fn wanted_while_stalled(&self) {
        loop {
            let came = self.lock.came.notified();
            if self.lock.waiting.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(STALLED).await;
                return;
            }
            came.await;
        }
    }
}

struct Waiting<'l>(&'l Lock);

impl<'l> Waiting<'l> {
    fn count(lock: &'l Lock) -> Self {
        lock.waiting.fetch_add(1, Ordering::SeqCst);
        lock.came.notify_waiters();
        Self(lock)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
