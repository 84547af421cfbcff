//! One upload in one request's hands: found, locked, believed only as far as its bytes are there, and written to.

use futures_util::future::{BoxFuture, Fuse, FusedFuture as _};
use futures_util::{FutureExt as _, StreamExt};
use wharf_blob::{Checkpoint, UploadId};
use wharf_meta::Upload;
use wharf_oci::RepoName;

use super::room::Room;
use super::{Chunk, Lengths, UploadStatus, gone};
use crate::access::{Action, Caller};
use crate::locks::Held;
use crate::{Body, BodyError, Error, Registry, Result};

/// What an upload has come to, on its way into its row.
type Noting<'a> = Fuse<BoxFuture<'a, Result<()>>>;

/// One upload, held by this request alone.
pub(super) struct Session {
    name: RepoName,
    pub(super) id: UploadId,
    pub(super) row: Upload,
    lock: Held,
}

impl Session {
    pub(super) fn status(&self) -> UploadStatus {
        UploadStatus { name: self.name.clone(), id: self.id, size: self.row.size }
    }

    /// A chunk may only go where the upload ends, and must be as long as it says.
    pub(super) fn admit(&self, chunk: &Chunk) -> Result<()> {
        let Some(at) = chunk.at else { return Ok(()) };
        if at.start != self.row.size {
            return Err(Error::WrongOffset(self.status()));
        }
        match chunk.length.or_else(|| chunk.body.is_none().then_some(0)) {
            Some(length) if length != at.len() => Err(Error::WrongLength { expected: at.len() }),
            _ => Ok(()),
        }
    }
}

impl Registry {
    pub(super) async fn find_upload(
        &self,
        caller: &Caller,
        action: Action,
        name: &RepoName,
        id: &str,
    ) -> Result<(UploadId, Upload)> {
        let repository = self.authorize(caller, action, name).await?;
        let unknown = || Error::UploadUnknown(name.clone());
        let id: UploadId = id.parse().map_err(|_| unknown())?;
        let row = self.meta.upload(&id.to_string()).await?.ok_or_else(unknown)?;
        let own =
            repository.is_some_and(|repository| repository.id == row.repo) && row.caller == caller.identity().key();
        if own { Ok((id, row)) } else { Err(unknown()) }
    }

    /// The upload, held until the session is dropped, its row true about its bytes.
    pub(super) async fn session(&self, caller: &Caller, action: Action, name: &RepoName, id: &str) -> Result<Session> {
        let (id, _) = self.find_upload(caller, action, name, id).await?;
        let lock = self.locks.lock(id).await.ok_or(Error::Busy)?;
        let (_, row) = self.find_upload(caller, action, name, &id.to_string()).await?;
        let mut session = Session { name: name.clone(), id, row, lock };
        if session.row.boot != self.settings.boot {
            self.recount(&mut session).await?;
        }
        Ok(session)
    }

    /// Believes only the bytes that are there: after another boot, those not synced may be gone.
    async fn recount(&self, session: &mut Session) -> Result<()> {
        let row = &mut session.row;
        match self.store.rehash(session.id, row.hasher.algorithm(), row.size).await {
            // All there, and yet not what was written: blocks that never reached the disk read as zeros.
            Ok(Checkpoint { offset, hasher }) if offset == row.size && hasher.digest() != row.hasher.digest() => {
                self.drop_upload(session.id).await;
                Err(Error::UploadUnknown(session.name.clone()))
            }
            Ok(Checkpoint { offset, hasher }) => {
                row.size = offset;
                row.hasher = hasher;
                row.boot.clone_from(&self.settings.boot);
                self.save(session.name.clone(), row.clone()).await
            }
            Err(wharf_blob::Error::NotFound) => {
                self.drop_upload(session.id).await;
                Err(Error::UploadUnknown(session.name.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a body to the end of the upload, acknowledging as it goes, at a cut, and if `acknowledge` at the
    /// end. An upload that the store failed is dropped: its space returns, and no sync is tried twice.
    pub(super) async fn receive(
        &self,
        session: &mut Session,
        body: Body,
        lengths: Lengths,
        acknowledge: bool,
    ) -> Result<()> {
        let _slot = self.slot().await?;
        match self.take(session, body, lengths, acknowledge).await {
            Err(Error::Store(wharf_blob::Error::Lost { .. })) => {
                self.recount(session).await?;
                Err(Error::WrongOffset(session.status()))
            }
            // Somebody else has the upload now; it is theirs.
            Err(Error::Store(wharf_blob::Error::Superseded)) => Err(BodyError::Cut.into()),
            Err(error @ (Error::Full(_) | Error::QuotaExceeded(_) | Error::Store(_))) => {
                self.drop_upload(session.id).await;
                Err(match error {
                    Error::Store(error) => gone(error, &session.name),
                    error => error,
                })
            }
            outcome => outcome,
        }
    }

    /// Writes where there is room.
    async fn take(&self, session: &mut Session, body: Body, lengths: Lengths, acknowledge: bool) -> Result<()> {
        let Lengths { told, expected } = lengths;
        let mut room = self.room(session.id, session.row.repo, session.row.size, told.or(expected)).await?;
        let written = self.write(session, body, expected, acknowledge, &mut room).await;
        // The upload waits now, maybe for long. What ends it, a commit or a failure, frees all it had.
        if matches!((&written, acknowledge), (Ok(()), true) | (Err(Error::Body(_) | Error::WrongLength { .. }), _)) {
            self.narrow(&room, session.row.size).await;
        }
        written
    }

    async fn write(
        &self,
        session: &mut Session,
        body: Body,
        expected: Option<u64>,
        acknowledge: bool,
        room: &mut Room,
    ) -> Result<()> {
        let mut noting = Fuse::terminated();
        let written = self.pour(session, body, expected, acknowledge, room, &mut noting).await;
        if written.is_err() && !noting.is_terminated() {
            // It must not come after what is written by who has the upload next.
            if let Err(error) = noting.await {
                tracing::warn!(%error, "how far an upload came was not noted");
            }
        }
        written
    }

    async fn pour<'a>(
        &'a self,
        session: &mut Session,
        mut body: Body,
        expected: Option<u64>,
        acknowledge: bool,
        room: &mut Room,
        noting: &mut Noting<'a>,
    ) -> Result<()> {
        let from = Checkpoint { offset: session.row.size, hasher: session.row.hasher.clone() };
        let from_offset = from.offset;
        let mut appender = self.store.append(session.id, from).await?;
        let (mut received, mut unacknowledged) = (0_u64, 0_u64);
        let ended = loop {
            let next = tokio::select! {
                biased;
                noted = &mut *noting, if !noting.is_terminated() => {
                    noted?;
                    continue;
                }
                next = body.next() => next,
                // Its client has most likely come back on another connection.
                () = session.lock.wanted_while_stalled() => break Err(BodyError::Cut),
            };
            let bytes = match next {
                None => break Ok(()),
                Some(Err(error)) => break Err(error),
                Some(Ok(bytes)) => bytes,
            };
            received += bytes.len() as u64;
            unacknowledged += bytes.len() as u64;
            if let Some(expected) = expected.filter(|expected| received > *expected) {
                return Err(Error::WrongLength { expected });
            }
            self.widen(room, from_offset + received).await?;
            appender.write(bytes).await?;
            if unacknowledged >= self.settings.upload_checkpoint && noting.is_terminated() {
                self.reached(session, appender.checkpoint().await?);
                // While more is received: it may have to wait for the commits of others.
                *noting = self.save(session.name.clone(), session.row.clone()).boxed().fuse();
                unacknowledged = 0;
            }
        };
        if let Some(expected) = expected.filter(|expected| ended.is_ok() && received < *expected) {
            return Err(Error::WrongLength { expected });
        }
        self.reached(session, appender.checkpoint().await?);
        if acknowledge || ended.is_err() {
            if !noting.is_terminated() {
                noting.await?;
            }
            self.save(session.name.clone(), session.row.clone()).await?;
        }
        Ok(ended?)
    }

    fn reached(&self, session: &mut Session, checkpoint: Checkpoint) {
        session.row.size = checkpoint.offset;
        session.row.hasher = checkpoint.hasher;
        session.row.expires_at = self.after(self.settings.upload_expiry);
    }

    async fn save(&self, name: RepoName, row: Upload) -> Result<()> {
        let saved = self.meta.save_upload(&row).await?;
        if saved { Ok(()) } else { Err(Error::UploadUnknown(name)) }
    }
}
