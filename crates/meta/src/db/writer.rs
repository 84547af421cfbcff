//! One thread owns the writing connection. It takes every write that is waiting, runs each in a savepoint of one
//! transaction, commits once, and only then answers: a commit's disk sync is shared by all that waited for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::Tx;
use crate::{Error, Result};

/// Writes that may wait; beyond it, callers do.
const QUEUE: usize = 1024;
/// Writes in one commit: bounds how long the first of them waits for the last.
const GROUP: usize = 128;

#[derive(Debug)]
pub(super) struct Writer {
    queue: SyncSender<Job>,
}

/// Does its work, or when there is no transaction to do it in is told why, and returns what tells its caller.
type Job = Box<dyn FnOnce(Result<&Tx<'_>>) -> Worked + Send>;

struct Worked {
    failed: Option<Error>,
    tell: Box<dyn FnOnce(Result<()>) + Send>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("meta-writer".into())
            .spawn(move || run(&connection, &jobs))
            .map_err(|error| Error::Damaged(format!("no thread for the database writer ({error})")))?;
        Ok(Self { queue })
    }

    pub(super) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            // A panic undoes this write alone.
            let outcome = tx.and_then(|tx| catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(Error::Stopped)));
            Worked {
                failed: outcome.as_ref().err().cloned(),
                tell: Box::new(move |committed| drop(answer.send(outcome.and_then(|value| committed.map(|()| value))))),
            }
        });
        if let Err(TrySendError::Full(job)) = self.queue.try_send(job) {
            let queue = self.queue.clone();
            // Wait for room without holding up this worker's other tasks.
            drop(tokio::task::spawn_blocking(move || queue.send(job)).await);
        }
        answered.await.unwrap_or(Err(Error::Stopped))
    }
}

fn run(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        commit(connection, group);
    }
}

fn commit(connection: &Connection, group: Vec<Job>) {
    let mut state = connection.execute_batch("BEGIN IMMEDIATE").map_err(Error::from);
    let mut worked = Vec::with_capacity(group.len());
    for job in group {
        worked.push(match &state {
            Ok(()) => savepoint(connection, job, &mut state),
            Err(error) => job(Err(error.clone())),
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

/// A full or failing disk ends SQLite's whole transaction, not only the savepoint: then `state` says so for the group.
fn savepoint(connection: &Connection, job: Job, state: &mut Result<()>) -> Worked {
    if let Err(error) = connection.execute_batch("SAVEPOINT job") {
        let error = Error::from(error);
        *state = Err(error.clone());
        return job(Err(error));
    }
    let worked = job(Ok(&Tx(connection)));
    let end = if worked.failed.is_none() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    if let Err(error) = connection.execute_batch(end) {
        *state = Err(worked.failed.clone().unwrap_or_else(|| error.into()));
    }
    worked
}
