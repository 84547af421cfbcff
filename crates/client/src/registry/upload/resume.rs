//! What a later process needs to go on with an upload: one small file for each.
//!
//! A file is replaced whole and readable by its owner alone: an upload's address may hold the right to go on with it. A
//! lock says that a process is at it; another one pushes the same anew.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use wharf_oci::{Algorithm, Digest};

use super::session::Session;

/// How long a state is kept that nobody goes on with.
const LONGEST_KEPT: Duration = Duration::from_hours(7 * 24);

/// A folder with the states of uploads.
#[derive(Clone, Debug)]
pub struct ResumeStore {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct State {
    place: String,
    key: String,
    location: String,
    #[serde(default)]
    least_chunk: u64,
    #[serde(default)]
    keeps_cut: bool,
}

impl State {
    fn session(self) -> Option<Session> {
        let Self { location, least_chunk, keeps_cut, .. } = self;
        Some(Session { location: Url::parse(&location).ok()?, least_chunk, keeps_cut })
    }
}

/// The state of one upload, held by this process.
pub(super) struct Kept {
    file: PathBuf,
    place: String,
    key: String,
    session: Option<Session>,
    _lock: File,
}

impl ResumeStore {
    /// In that folder, which is made when it is needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Takes away what was begun a week ago and not gone on with: registries keep no upload for so long.
    pub fn sweep(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        let files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        for lock in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "lock")) {
            let state = lock.with_extension("json");
            // While it goes on the state is younger than the lock.
            let is_old = [lock, &state].into_iter().all(|file| is_old(file));
            let held = private().write(true).open(lock).ok().filter(|lock| is_old && lock.try_lock().is_ok());
            if held.is_some() {
                for file in [&state, &lock.with_extension("new"), lock] {
                    // What stays is there the next time.
                    let _ = std::fs::remove_file(file);
                }
            }
        }
    }

    fn file(&self, place: &str, key: &str) -> PathBuf {
        let name = Digest::of(Algorithm::Sha256, format!("{place}\n{key}").as_bytes());
        self.folder.join(format!("{}.json", name.hex()))
    }

    /// Forgets the state of that upload, unless a process is at it.
    pub(super) fn forget(&self, place: &str, key: &str) {
        if self.file(place, key).exists()
            && let Some(kept) = self.take(place, key)
        {
            kept.remove();
        }
    }

    /// The state of that upload. `None` when another process has it, or nothing can be kept: then it is not resumed.
    pub(super) fn take(&self, place: &str, key: &str) -> Option<Kept> {
        let file = self.file(place, key);
        std::fs::create_dir_all(&self.folder).ok()?;
        let path = file.with_extension("lock");
        let lock = private().create(true).write(true).truncate(false).open(&path).ok()?;
        lock.try_lock().ok()?;
        // One that was taken away in between is a lock that nobody else sees.
        if std::fs::metadata(&path).ok()?.ino() != lock.metadata().ok()?.ino() {
            return None;
        }
        let state: Option<State> = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let state = state.filter(|state| state.place == place && state.key == key);
        let session = state.and_then(State::session);
        Some(Kept { file, place: place.into(), key: key.into(), session, _lock: lock })
    }
}

/// Whether it was written last longer ago than anybody keeps it, or is not there. By a clock that is ahead of ours, a
/// file may be of the future: that is not old.
fn is_old(file: &Path) -> bool {
    match std::fs::metadata(file).and_then(|found| found.modified()) {
        Ok(written) => written.elapsed().is_ok_and(|age| age > LONGEST_KEPT),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

impl Kept {
    /// What an earlier process began.
    pub(super) fn session(&self) -> Option<Session> {
        self.session.clone()
    }

    /// Notes how it goes on. What cannot be noted is only not resumed.
    pub(super) fn note(&mut self, session: &Session) {
        if self.session.as_ref() == Some(session) {
            return;
        }
        let (place, key) = (self.place.clone(), self.key.clone());
        let &Session { least_chunk, keeps_cut, .. } = session;
        let state = State { place, key, location: session.location.to_string(), least_chunk, keeps_cut };
        match replace(&self.file, &state) {
            Ok(()) => self.session = Some(session.clone()),
            Err(error) => tracing::debug!(%error, "the state of an upload was not kept"),
        }
    }

    /// The upload is lost.
    pub(super) fn forget(&mut self) {
        self.session = None;
        // Whatever stays is found to be unknown to the registry.
        let _ = std::fs::remove_file(&self.file);
    }

    /// The upload is done.
    pub(super) fn remove(mut self) {
        self.forget();
        // While the lock is held: another process that waits for nothing makes its own.
        let _ = std::fs::remove_file(self.file.with_extension("lock"));
    }
}

fn replace(file: &Path, state: &State) -> std::io::Result<()> {
    let new = file.with_extension("new");
    let mut written = private().create(true).write(true).truncate(true).open(&new)?;
    written.write_all(&serde_json::to_vec(state)?)?;
    std::fs::rename(&new, file)
}

#[cfg(test)]
mod tests;
