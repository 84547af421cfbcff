//! What a later process needs to go on with an upload: one small file for each.
//!
//! A file is replaced whole and readable by its owner alone: an upload's address may hold the right to go on with it. A
//! lock says that a process is at it; another one pushes the same anew.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;
use wharf_oci::{Algorithm, Digest};

use super::session::Session;

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
}

impl State {
    fn session(self) -> Option<Session> {
        Some(Session { location: Url::parse(&self.location).ok()?, least_chunk: self.least_chunk })
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
        let lock = private().create(true).write(true).truncate(false).open(file.with_extension("lock")).ok()?;
        lock.try_lock().ok()?;
        let state: Option<State> = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let state = state.filter(|state| state.place == place && state.key == key);
        let session = state.and_then(State::session);
        Some(Kept { file, place: place.into(), key: key.into(), session, _lock: lock })
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
        let state = State { place, key, location: session.location.to_string(), least_chunk: session.least_chunk };
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
