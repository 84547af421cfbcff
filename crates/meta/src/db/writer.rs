//! One thread owns the writing connection. It takes every write that is waiting, runs each in a savepoint of one
//! transaction, commits once, and only then answers: a commit's disk sync is shared by all that waited for it. A group
//! in which nobody asked for a sync goes without: the log is whole all the same, and the next sync covers it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{Durability, Tx};
use crate::{Error, Result};

/// Writes that may wait; beyond it, callers do.
const QUEUE: usize = 1024;
/// Writes in one commit: bounds how long the first of them waits for the last.
const GROUP: usize = 128;

#[derive(Debug)]
pub(super) struct Writer {
    queue: SyncSender<Job>,
}

/// One write that waits.
struct Job {
    needs: Durability,
    work: Work,
}

/// Does its work, or when there is no transaction to do it in is told why, and returns what tells its caller.
type Work = Box<dyn FnOnce(Result<&Tx<'_>>) -> Worked + Send>;

struct Worked {
    failed: Option<Error>,
    tell: Box<dyn FnOnce(Result<()>) + Send>,
}

impl Writer {
    /// `most` is what the connection was opened with.
    pub(super) fn start(connection: Connection, most: Durability) -> Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("meta-writer".into())
            .spawn(move || Committer { connection, most, now: most, is_unsure: false }.run(&jobs))
            .map_err(|error| Error::Damaged(format!("no thread for the database writer ({error})")))?;
        Ok(Self { queue })
    }

    pub(super) async fn run<T, F>(&self, needs: Durability, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |tx| {
            // A panic undoes this write alone.
            let outcome = tx.and_then(|tx| catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(Error::Stopped)));
            Worked {
                failed: outcome.as_ref().err().cloned(),
                tell: Box::new(move |committed| drop(answer.send(outcome.and_then(|value| committed.map(|()| value))))),
            }
        });
        if let Err(TrySendError::Full(job)) = self.queue.try_send(Job { needs, work }) {
            let queue = self.queue.clone();
            // Wait for room without holding up this worker's other tasks.
            drop(tokio::task::spawn_blocking(move || queue.send(job)).await);
        }
        answered.await.unwrap_or(Err(Error::Stopped))
    }
}

struct Committer {
    connection: Connection,
    most: Durability,
    /// What commits wait for now.
    now: Durability,
    /// Whether a sync of the log failed: how much of it the disk has is not known, and no later sync tells.
    is_unsure: bool,
}

impl Committer {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut group = vec![first];
            group.extend(jobs.try_iter().take(GROUP - 1));
            self.commit(group);
        }
    }

    fn commit(&mut self, group: Vec<Job>) {
        let is_synced = group.iter().any(|job| job.needs == Durability::Synced);
        let needed = if is_synced { Durability::Synced } else { Durability::Buffered };
        let begun = self.mend().and_then(|()| self.wait_for(needed));
        let connection = &self.connection;
        let mut state = begun.and_then(|()| Ok(connection.execute_batch("BEGIN IMMEDIATE")?));
        let mut worked = Vec::with_capacity(group.len());
        for job in group {
            worked.push(match &state {
                Ok(()) => savepoint(connection, job.work, &mut state),
                Err(error) => (job.work)(Err(error.clone())),
            });
        }
        let state = state.and_then(|()| connection.execute_batch("COMMIT").map_err(Error::of_commit));
        if state.is_err() && !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
        self.is_unsure |= matches!(state, Err(Error::Uncertain(_)));
        for done in worked {
            (done.tell)(state.clone());
        }
    }

    /// After a sync that failed, the log as the system has it goes into the database, and is begun anew: what was noted
    /// without a sync may be missing on the disk, and the next sync would promise what lies behind the gap. Nothing is
    /// written before that.
    fn mend(&mut self) -> Result<()> {
        if self.is_unsure {
            let is_busy = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
            if self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], is_busy)? {
                let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                return Err(rusqlite::Error::SqliteFailure(busy, None).into());
            }
            self.is_unsure = false;
        }
        Ok(())
    }

    /// Between transactions: SQLite does not change it within one.
    fn wait_for(&mut self, needed: Durability) -> Result<()> {
        if self.most == Durability::Synced && self.now != needed {
            // NORMAL still syncs where the log's order needs it: what a power cut takes is the newest, never a part.
            let synchronous = if needed == Durability::Synced { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", synchronous)?;
            self.now = needed;
        }
        Ok(())
    }
}

/// A full or failing disk ends SQLite's whole transaction, not only the savepoint: then `state` says so for the group.
fn savepoint(connection: &Connection, work: Work, state: &mut Result<()>) -> Worked {
    if let Err(error) = connection.execute_batch("SAVEPOINT job") {
        let error = Error::from(error);
        *state = Err(error.clone());
        return work(Err(error));
    }
    let worked = work(Ok(&Tx(connection)));
    let end = if worked.failed.is_none() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    if let Err(error) = connection.execute_batch(end) {
        *state = Err(worked.failed.clone().unwrap_or_else(|| error.into()));
    }
    worked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_sync_that_failed_nothing_is_written_before_the_log_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wharf.db");
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (1)").unwrap();
        let reader = Connection::open(&file).unwrap();
        let rows = || reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, u32>(0)).unwrap();
        let most = Durability::Synced;
        let mut committer = Committer { connection, most, now: most, is_unsure: true };
        let mut write = || {
            let (answer, mut answered) = oneshot::channel();
            let work: Work = Box::new(move |tx| {
                let outcome = tx.and_then(|tx| Ok(tx.0.execute_batch("INSERT INTO t VALUES (2)")?));
                Worked {
                    failed: outcome.as_ref().err().cloned(),
                    tell: Box::new(move |committed| drop(answer.send(outcome.and(committed)))),
                }
            });
            committer.commit(vec![Job { needs: Durability::Synced, work }]);
            answered.try_recv().unwrap()
        };
        // Who reads an older state keeps the log as it is.
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(rows(), 1);
        assert!(write().is_err());
        assert_eq!(rows(), 1);
        reader.execute_batch("COMMIT").unwrap();
        write().unwrap();
        assert_eq!(rows(), 2);
        let frame = 4096 + 24;
        assert_eq!(std::fs::metadata(folder.path().join("wharf.db-wal")).unwrap().len(), 32 + frame);
    }
}
