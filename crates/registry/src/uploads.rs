//! Pushing blobs (distribution-spec §Pushing blobs; the state machine of protocol.md §1.4).
//!
//! What an upload has acknowledged is in its row: offset and hash of exactly those bytes. Anything beyond it in
//! the store was never promised and is dropped when the upload goes on. The row goes and the blob appears in one
//! transaction, after the bytes are durable.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::SemaphorePermit;
use wharf_blob::{Checkpoint, Location, UploadId};
use wharf_meta::{NewBlob, RepoId, Upload};
use wharf_oci::{Algorithm, ContentRange, Digest, RepoName};

use crate::access::{Action, Caller};
use crate::{Body, Error, Registry, Result};

mod room;
mod session;

/// How long the bytes of a replaced copy stay for those who are reading them.
const DOOM_GRACE: Duration = Duration::from_hours(1);
/// How long an upload waits for its turn before the client is asked to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// How far an upload has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// The repository, as asked.
    pub name: RepoName,
    /// The upload.
    pub id: UploadId,
    /// Bytes acknowledged: where the next chunk must start.
    pub size: u64,
}

/// A part of a blob on its way in.
pub struct Chunk {
    /// Where the client says it belongs; `None` appends.
    pub at: Option<ContentRange>,
    /// Its length, when the request tells.
    pub length: Option<u64>,
    /// Its bytes; `None` when the request has no body.
    pub body: Option<Body>,
}

/// What a request says of its body's length.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    /// By Content-Length.
    told: Option<u64>,
    /// By Content-Range: what it must be.
    expected: Option<u64>,
}

impl Registry {
    /// Starts an upload. Its bytes are hashed with `algorithm` as they come.
    pub async fn start_upload(&self, caller: &Caller, name: &RepoName, algorithm: Algorithm) -> Result<UploadStatus> {
        let outcome = self.begin_blob(caller, name, algorithm).await;
        self.recorded(caller, name, outcome)
    }

    async fn begin_blob(&self, caller: &Caller, name: &RepoName, algorithm: Algorithm) -> Result<UploadStatus> {
        self.authorize(caller, Action::Push, name).await?;
        let repo = self.meta.ensure_repository(name, &caller.actor(), self.now()).await?;
        let id = new_id();
        self.store.start(id).await?;
        let row = Upload {
            id: id.to_string(),
            repo,
            caller: caller.identity().key(),
            size: 0,
            hasher: Checkpoint::empty(algorithm).hasher,
            boot: self.settings.boot.clone(),
            expires_at: self.after(self.settings.upload_expiry),
        };
        let refusal = match self.meta.start_upload(row).await {
            Ok(true) => return Ok(UploadStatus { name: name.clone(), id, size: 0 }),
            Ok(false) => Error::TooManyUploads { caller: caller.name().into() },
            Err(error) => error.into(),
        };
        self.store.abort(id).await.ok();
        Err(refusal)
    }

    /// How far an upload has come; a token for pulling is enough. Waits for nobody: a running chunk shows up when
    /// it is acknowledged.
    pub async fn upload(&self, caller: &Caller, name: &RepoName, id: &str) -> Result<UploadStatus> {
        let action = match self.authorize(caller, Action::Push, name).await {
            Err(Error::TokenTooNarrow { .. }) if self.authorize(caller, Action::Pull, name).await.is_ok() => {
                Action::Pull
            }
            _ => Action::Push,
        };
        let (found, row) = self.find_upload(caller, action, name, id).await?;
        if row.boot != self.settings.boot {
            // What an earlier boot did not sync may be gone: count before saying how far.
            return Ok(self.session(caller, action, name, id).await?.status());
        }
        Ok(UploadStatus { name: name.clone(), id: found, size: row.size })
    }

    /// Takes the next chunk. When its body is cut, what arrived is kept and acknowledged by [`Registry::upload`].
    pub async fn append(&self, caller: &Caller, name: &RepoName, id: &str, chunk: Chunk) -> Result<UploadStatus> {
        let mut session = self.session(caller, Action::Push, name, id).await?;
        session.admit(&chunk)?;
        if let Some(body) = chunk.body {
            let lengths = Lengths { told: chunk.length, expected: chunk.at.map(|at| at.len()) };
            let outcome = self.receive(&mut session, body, lengths, true).await;
            self.recorded(caller, name, outcome)?;
        }
        Ok(session.status())
    }

    /// Takes the last chunk, if any, and makes the upload a blob if it hashes to `digest`. If it does not, the
    /// upload is dropped.
    pub async fn finish_upload(
        &self,
        caller: &Caller,
        name: &RepoName,
        id: &str,
        chunk: Chunk,
        digest: &Digest,
    ) -> Result<()> {
        let outcome = self.finish_blob(caller, name, id, chunk, digest).await;
        self.recorded(caller, name, outcome)
    }

    async fn finish_blob(
        &self,
        caller: &Caller,
        name: &RepoName,
        id: &str,
        chunk: Chunk,
        digest: &Digest,
    ) -> Result<()> {
        let mut session = self.session(caller, Action::Push, name, id).await?;
        session.admit(&chunk)?;
        if let Some(body) = chunk.body {
            let lengths = Lengths { told: chunk.length, expected: chunk.at.map(|at| at.len()) };
            self.receive(&mut session, body, lengths, false).await?;
        }
        let Upload { size, hasher, repo, .. } = &session.row;
        let found = if hasher.algorithm() == digest.algorithm() {
            hasher.digest()
        } else {
            match self.store.rehash(session.id, digest.algorithm(), *size).await {
                Ok(rehashed) => rehashed.hasher.digest(),
                Err(error) => {
                    self.drop_upload(session.id).await;
                    return Err(gone(error, name));
                }
            }
        };
        if found != *digest {
            self.drop_upload(session.id).await;
            return Err(Error::DigestMismatch { expected: digest.clone(), found });
        }
        self.commit(session.id, true, *repo, name, digest, *size).await
    }

    /// Takes a whole blob in one request.
    pub async fn push_blob(&self, caller: &Caller, name: &RepoName, chunk: Chunk, digest: &Digest) -> Result<()> {
        let outcome = self.take_blob(caller, name, chunk, digest).await;
        self.recorded(caller, name, outcome)
    }

    async fn take_blob(&self, caller: &Caller, name: &RepoName, chunk: Chunk, digest: &Digest) -> Result<()> {
        self.authorize(caller, Action::Push, name).await?;
        let repo = self.meta.ensure_repository(name, &caller.actor(), self.now()).await?;
        let id = new_id();
        self.store.start(id).await?;
        let stored = self.receive_whole(id, repo, chunk, digest).await;
        let found = stored.map(|checkpoint| (checkpoint.hasher.digest(), checkpoint.offset));
        match found {
            Ok((found, size)) if found == *digest => self.commit(id, false, repo, name, digest, size).await,
            Ok((found, _)) => {
                self.drop_upload(id).await;
                Err(Error::DigestMismatch { expected: digest.clone(), found })
            }
            Err(error) => {
                self.drop_upload(id).await;
                Err(error)
            }
        }
    }

    /// Ends an upload and frees its space.
    pub async fn cancel_upload(&self, caller: &Caller, name: &RepoName, id: &str) -> Result<()> {
        let session = self.session(caller, Action::Push, name, id).await?;
        self.meta.delete_upload(&session.row.id).await?;
        self.store.abort(session.id).await?;
        Ok(())
    }

    /// Drops uploads that have expired and that no request holds; says how many.
    pub async fn sweep_uploads(&self) -> Result<usize> {
        let (mut swept, now) = (0, self.now());
        for id in self.meta.expired_uploads(now, 1000).await? {
            let Ok(id) = id.parse::<UploadId>() else { continue };
            let Some(_lock) = self.locks.try_lock(id) else { continue };
            if self.meta.delete_expired_upload(&id.to_string(), now).await? {
                swept += 1;
                if let Err(error) = self.store.abort(id).await {
                    tracing::warn!(upload = %id, %error, "an expired upload's space is freed at the next start");
                }
            }
        }
        Ok(swept)
    }

    /// Makes uploads in the store and their rows one again after a crash: bytes without a row are those of a
    /// one-request push, a row without bytes was about to become a blob's. Only before the first request is served.
    pub async fn sweep_strays(&self) -> Result<usize> {
        let mut swept = 0;
        let stored: HashSet<String> = self.store.uploads().await?.iter().map(ToString::to_string).collect();
        let known: HashSet<String> = self.meta.expired_uploads(i64::MAX, usize::MAX).await?.into_iter().collect();
        for id in stored.difference(&known).filter_map(|id| id.parse().ok()) {
            self.store.abort(id).await?;
            swept += 1;
        }
        for id in known.difference(&stored) {
            swept += usize::from(self.meta.delete_upload(id).await?);
        }
        self.meta.release_strays().await?;
        Ok(swept)
    }

    async fn receive_whole(&self, id: UploadId, repo: RepoId, chunk: Chunk, digest: &Digest) -> Result<Checkpoint> {
        let length = if chunk.body.is_some() { chunk.length } else { Some(0) };
        let mut room = self.room(id, repo, 0, length).await?;
        let empty = Checkpoint::empty(digest.algorithm());
        let Some(mut body) = chunk.body else { return Ok(empty) };
        let _slot = self.slot().await?;
        let mut appender = self.store.append(id, empty).await?;
        let mut size = 0;
        while let Some(bytes) = body.next().await {
            let bytes = bytes?;
            size += bytes.len() as u64;
            self.widen(&mut room, size).await?;
            appender.write(bytes).await?;
        }
        Ok(appender.checkpoint().await?)
    }

    /// Bytes durable, then the row that names them. The order is the promise.
    async fn commit(
        &self,
        id: UploadId,
        has_row: bool,
        repo: RepoId,
        name: &RepoName,
        digest: &Digest,
        size: u64,
    ) -> Result<()> {
        let location = match self.store.seal(id, digest, size).await {
            Ok(location) => location,
            Err(error) => {
                self.drop_upload(id).await;
                return Err(gone(error, name));
            }
        };
        let blob = NewBlob {
            upload: id.to_string(),
            has_row,
            digest: digest.clone(),
            size,
            location: location.as_str().into(),
        };
        match self.meta.commit_blob(repo, blob, self.now(), self.after(DOOM_GRACE)).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.discard(&location).await;
                Err(Error::UploadUnknown(name.clone()))
            }
            // The row may be there or not: the bytes stay. The orphan pass knows which.
            Err(error @ wharf_meta::Error::Uncertain(_)) => Err(error.into()),
            // Nothing was written, and the upload's bytes have moved: it cannot go on.
            Err(error) => {
                self.discard(&location).await;
                self.drop_upload(id).await;
                Err(error.into())
            }
        }
    }

    /// Best effort on the way out of an error: a row or file left over is found by the sweeps.
    async fn drop_upload(&self, id: UploadId) {
        if let Err(error) = self.store.abort(id).await {
            tracing::warn!(upload = %id, %error, "could not free an upload's space");
        }
        if let Err(error) = self.meta.delete_upload(&id.to_string()).await {
            tracing::warn!(upload = %id, %error, "could not forget an upload");
        }
    }

    async fn discard(&self, location: &Location) {
        if let Err(error) = self.store.remove(location).await {
            tracing::warn!(location = location.as_str(), %error, "could not free a blob that was not committed");
        }
    }

    async fn slot(&self) -> Result<SemaphorePermit<'_>> {
        let turn = tokio::time::timeout(PATIENCE, self.running.acquire()).await.map_err(|_| Error::Busy)?;
        turn.map_err(|error| Error::Internal(error.to_string()))
    }
}

/// A crash between a seal's rename and the commit of its row leaves an upload without bytes: the client starts over.
fn gone(error: wharf_blob::Error, name: &RepoName) -> Error {
    match error {
        wharf_blob::Error::NotFound => Error::UploadUnknown(name.clone()),
        error => error.into(),
    }
}

fn new_id() -> UploadId {
    UploadId::from_uuid(uuid::Uuid::now_v7())
}
