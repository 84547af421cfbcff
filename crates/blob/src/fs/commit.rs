//! The last step of a seal, for everybody who waits for it at once: rename all, sync each folder once, answer.
//!
//! Only the folder that a blob comes to is synced. The uploads' folder is not: an upload whose old name is back after
//! a power cut has either no row any more, and is only ever removed (which leaves the blob's own name alone), or its
//! row is still there, and then the database commit was lost and nothing names the blob.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::Disk;
use super::folders::Folders;
use super::turns::Turn;
use crate::{Error, Result};

pub(super) struct Commits {
    disk: Arc<dyn Disk>,
    folders: Folders,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Commit>,
    /// Whether a job runs that will look at `waiting` again before it ends.
    led: bool,
}

/// One synced upload on its way to its location.
struct Commit {
    from: PathBuf,
    to: PathBuf,
    answer: oneshot::Sender<Result<()>>,
    /// Nobody may open the upload to write to it until it is gone from there.
    _turn: Turn,
}

impl Commits {
    pub(super) fn new(disk: Arc<dyn Disk>, folders: Folders) -> Self {
        Self { disk, folders, queue: Mutex::default() }
    }

    /// Moves a synced file for good. What has begun is finished even when the caller stops waiting.
    pub(super) async fn commit(self: &Arc<Self>, from: PathBuf, to: PathBuf, turn: Turn) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let path = to.clone();
        if self.enqueue(Commit { from, to, answer, _turn: turn }) {
            let commits = Arc::clone(self);
            spawn_blocking(move || commits.lead());
        }
        answered.await.unwrap_or_else(|error| Err(Error::io("commit", &path, io::Error::other(error))))
    }

    /// Whether the caller has to see to it that somebody leads.
    fn enqueue(&self, commit: Commit) -> bool {
        let mut queue = self.queue();
        queue.waiting.push(commit);
        !std::mem::replace(&mut queue.led, true)
    }

    fn lead(&self) {
        let _reign = Reign(self);
        while let Some(batch) = self.next_batch() {
            self.run(batch);
        }
    }

    fn next_batch(&self) -> Option<Vec<Commit>> {
        let mut queue = self.queue();
        queue.led = !queue.waiting.is_empty();
        queue.led.then(|| std::mem::take(&mut queue.waiting))
    }

    fn run(&self, batch: Vec<Commit>) {
        let mut groups: BTreeMap<PathBuf, Vec<Commit>> = BTreeMap::new();
        // What nobody waits for any more stays an upload, which the caller's abort then frees.
        for commit in batch.into_iter().filter(|commit| !commit.answer.is_closed()) {
            let folder = commit.to.parent().unwrap_or(Path::new("/")).to_owned();
            groups.entry(folder).or_default().push(commit);
        }
        self.make_folders(&mut groups);
        for commits in groups.values_mut() {
            *commits = std::mem::take(commits).into_iter().filter_map(|commit| self.rename(commit)).collect();
        }
        for (folder, commits) in groups {
            self.finish(&folder, commits);
        }
    }

    /// Makes the folders that are not known to be durable, with one sync per parent, and drops the groups whose folder
    /// could not be made.
    fn make_folders(&self, groups: &mut BTreeMap<PathBuf, Vec<Commit>>) {
        let mut missing: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for folder in groups.keys().filter(|folder| !self.folders.is_durable(folder)) {
            let parent = folder.parent().unwrap_or(folder).to_owned();
            missing.entry(parent).or_default().push(folder.clone());
        }
        for (parent, folders) in missing {
            let Err(error) = self.folders.make(&parent, &folders) else { continue };
            for commit in folders.iter().filter_map(|folder| groups.remove(folder)).flatten() {
                commit.answer(Err(error.share()));
            }
        }
    }

    fn rename(&self, commit: Commit) -> Option<Commit> {
        match self.disk.rename(&commit.from, &commit.to) {
            Ok(()) => Some(commit),
            Err(error) => {
                let error = Error::io("rename", &commit.from, error);
                commit.answer(Err(error));
                None
            }
        }
    }

    fn finish(&self, folder: &Path, commits: Vec<Commit>) {
        if commits.is_empty() {
            return;
        }
        let synced = self.disk.fsync_dir(folder).map_err(|error| Error::io("fsync", folder, error));
        for commit in commits {
            if synced.is_err() {
                self.take_back(&commit.to);
            }
            commit.answer(synced.as_ref().map(|&()| ()).map_err(Error::share));
        }
    }

    /// Removes a blob that may or may not survive a power cut, and that nobody will hear of.
    fn take_back(&self, path: &Path) {
        if let Err(error) = self.disk.remove_file(path) {
            tracing::debug!(path = %path.display(), %error, "a blob whose folder could not be synced stays");
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Commit {
    /// Nobody to tell is no error: the location is an orphan then, and collected as one.
    fn answer(self, result: Result<()>) {
        let _ = self.answer.send(result);
    }
}

/// Lets the next commit find a leader when this one panics.
struct Reign<'a>(&'a Commits);

impl Drop for Reign<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue().led = false;
        }
    }
}
