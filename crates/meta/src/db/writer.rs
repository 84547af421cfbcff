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
            .spawn(move || Committer { connection, most, now: most }.run(&jobs))
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
        let begun = self.wait_for(if is_synced { Durability::Synced } else { Durability::Buffered });
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
        for done in worked {
            (done.tell)(state.clone());
        }
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
