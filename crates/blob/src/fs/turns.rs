//! Who may touch an upload: one job at a time, and only for the newest caller.
//!
//! A caller that goes away may leave a job behind that still writes; the next caller waits for that job. A caller
//! that merely lingers (its connection is dead but nobody noticed) is not waited for: it finds its turn gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::{Error, Result, UploadId};

/// Counts the callers that took the upload over.
type Generation = AsyncMutex<u64>;

#[derive(Default)]
pub(super) struct Turns(Mutex<Uploads>);

/// An upload that nobody holds a turn or a ticket for needs no entry: no older caller is left to keep out.
#[derive(Default)]
struct Uploads {
    held: HashMap<UploadId, Weak<Generation>>,
    sweep_at: usize,
}

/// The right to touch the upload now; held by the job, not by its caller.
pub(super) struct Turn(OwnedMutexGuard<u64>);

/// The right to ask for another turn until somebody else takes the upload over.
pub(super) struct Ticket {
    upload: Arc<Generation>,
    generation: u64,
}

impl Turns {
    /// Takes the upload over once the job that touches it is done.
    pub(super) async fn take(&self, id: UploadId) -> Turn {
        let mut guard = self.upload(id).lock_owned().await;
        *guard += 1;
        Turn(guard)
    }

    fn upload(&self, id: UploadId) -> Arc<Generation> {
        let mut uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(upload) = uploads.held.get(&id).and_then(Weak::upgrade) {
            return upload;
        }
        if uploads.held.len() >= uploads.sweep_at {
            uploads.held.retain(|_, upload| upload.strong_count() > 0);
            uploads.sweep_at = 2 * uploads.held.len() + 64;
        }
        let upload = Arc::default();
        uploads.held.insert(id, Arc::downgrade(&upload));
        upload
    }
}

impl Turn {
    pub(super) fn ticket(&self) -> Ticket {
        Ticket { upload: Arc::clone(OwnedMutexGuard::mutex(&self.0)), generation: *self.0 }
    }
}

impl Ticket {
    /// [`Error::Superseded`] when the upload was taken over since.
    pub(super) async fn turn(&self) -> Result<Turn> {
        let guard = Arc::clone(&self.upload).lock_owned().await;
        if *guard == self.generation { Ok(Turn(guard)) } else { Err(Error::Superseded) }
    }
}

#[cfg(test)]
mod tests;
