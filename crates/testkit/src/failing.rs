//! A store that fails, stalls or is cut where a test says so, in front of one that works.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use wharf_blob::{Appender, BlobStore, Checkpoint, Error, Location, Result, Space, UploadId};
use wharf_oci::{Algorithm, Digest};

/// The calls that can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are the methods of `BlobStore` and `Appender`")]
pub enum Operation {
    Start,
    Append,
    Write,
    Checkpoint,
    Rehash,
    Seal,
    Abort,
    Uploads,
    Open,
    Remove,
    Space,
}

/// The wrapper. Clones share their faults, so a test keeps one and gives the other away.
#[derive(Clone)]
pub struct FailingStore {
    store: Arc<dyn BlobStore>,
    faults: Arc<Mutex<Faults>>,
    /// Told of each call.
    called: Arc<watch::Sender<()>>,
}

/// Calls wait as long as this is there.
#[must_use]
pub struct Hold {
    _sender: watch::Sender<()>,
}

type MakeError = Arc<dyn Fn() -> Error + Send + Sync>;

#[derive(Default)]
struct Faults {
    before: HashMap<Operation, MakeError>,
    after: HashMap<Operation, MakeError>,
    delays: HashMap<Operation, Duration>,
    holds: HashMap<Operation, watch::Receiver<()>>,
    calls: HashMap<Operation, usize>,
    /// Bytes that may still be written, and what comes then.
    cut: Option<(usize, MakeError)>,
}

impl FailingStore {
    /// Passes everything on to `store` until told otherwise.
    pub fn over(store: Arc<dyn BlobStore>) -> Self {
        Self { store, faults: Arc::default(), called: Arc::default() }
    }

    /// Fails each such call before it has any effect.
    #[must_use]
    pub fn fail(self, operation: Operation, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        self.faults().before.insert(operation, Arc::new(error));
        self
    }

    /// Lets each such call take effect, and then answers with an error.
    #[must_use]
    pub fn fail_after(self, operation: Operation, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        self.faults().after.insert(operation, Arc::new(error));
        self
    }

    /// Makes each such call wait first (by tokio's clock, which a test may pause).
    #[must_use]
    pub fn delay(self, operation: Operation, delay: Duration) -> Self {
        self.faults().delays.insert(operation, delay);
        self
    }

    /// Makes each such call wait first, until what is returned is dropped.
    pub fn hold(&self, operation: Operation) -> Hold {
        let (sender, receiver) = watch::channel(());
        self.faults().holds.insert(operation, receiver);
        Hold { _sender: sender }
    }

    /// Waits until the operation was called that often.
    pub async fn called(&self, operation: Operation, times: usize) {
        let mut news = self.called.subscribe();
        while self.calls(operation) < times {
            // The sender is here.
            news.changed().await.ok();
        }
    }

    /// Takes `bytes` more bytes over all appenders; the write that goes beyond is cut there and fails, as do all later.
    #[must_use]
    pub fn cut_after(self, bytes: usize, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        self.faults().cut = Some((bytes, Arc::new(error)));
        self
    }

    /// Lets everything through again; [`FailingStore::calls`] goes on counting.
    pub fn heal(&self) {
        let mut faults = self.faults();
        let calls = std::mem::take(&mut faults.calls);
        *faults = Faults { calls, ..Faults::default() };
    }

    /// How often the operation was called, failed calls included.
    pub fn calls(&self, operation: Operation) -> usize {
        self.faults().calls.get(&operation).copied().unwrap_or_default()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn around<T>(&self, operation: Operation, call: impl Future<Output = Result<T>>) -> Result<T> {
        let (delay, held, before) = {
            let mut faults = self.faults();
            *faults.calls.entry(operation).or_default() += 1;
            let held = faults.holds.get(&operation).cloned();
            (faults.delays.get(&operation).copied(), held, faults.before.get(&operation).cloned())
        };
        self.called.send_replace(());
        if let Some(mut held) = held {
            while held.changed().await.is_ok() {}
        }
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        if let Some(error) = before {
            return Err(error());
        }
        let result = call.await?;
        let after = self.faults().after.get(&operation).cloned();
        after.map_or(Ok(result), |error| Err(error()))
    }
}

#[async_trait]
impl BlobStore for FailingStore {
    async fn start(&self, id: UploadId) -> Result<()> {
        self.around(Operation::Start, self.store.start(id)).await
    }

    async fn append(&self, id: UploadId, from: Checkpoint) -> Result<Box<dyn Appender>> {
        let appender = self.around(Operation::Append, self.store.append(id, from)).await?;
        Ok(Box::new(FailingAppender { appender, store: self.clone() }))
    }

    async fn rehash(&self, id: UploadId, algorithm: Algorithm, limit: u64) -> Result<Checkpoint> {
        self.around(Operation::Rehash, self.store.rehash(id, algorithm, limit)).await
    }

    async fn seal(&self, id: UploadId, digest: &Digest, size: u64) -> Result<Location> {
        self.around(Operation::Seal, self.store.seal(id, digest, size)).await
    }

    async fn abort(&self, id: UploadId) -> Result<()> {
        self.around(Operation::Abort, self.store.abort(id)).await
    }

    async fn uploads(&self) -> Result<Vec<UploadId>> {
        self.around(Operation::Uploads, self.store.uploads()).await
    }

    async fn open(&self, location: &Location, size: u64) -> Result<std::fs::File> {
        self.around(Operation::Open, self.store.open(location, size)).await
    }

    async fn remove(&self, location: &Location) -> Result<()> {
        self.around(Operation::Remove, self.store.remove(location)).await
    }

    async fn space(&self) -> Result<Space> {
        self.around(Operation::Space, self.store.space()).await
    }
}

struct FailingAppender {
    appender: Box<dyn Appender>,
    store: FailingStore,
}

#[async_trait]
impl Appender for FailingAppender {
    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        let cut = self.store.faults().cut(&mut bytes);
        self.store.around(Operation::Write, self.appender.write(bytes)).await?;
        cut.map_or(Ok(()), |error| Err(error()))
    }

    async fn checkpoint(&mut self) -> Result<Checkpoint> {
        self.store.around(Operation::Checkpoint, self.appender.checkpoint()).await
    }
}

impl Faults {
    fn cut(&mut self, bytes: &mut Bytes) -> Option<MakeError> {
        let (left, error) = self.cut.as_mut()?;
        let over = bytes.len() > *left;
        bytes.truncate(*left);
        *left -= bytes.len();
        over.then(|| Arc::clone(error))
    }
}

#[cfg(test)]
mod tests;
