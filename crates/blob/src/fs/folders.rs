//! Folders whose own names survive a power cut.
//!
//! A folder counts as durable once *this process* has synced its parent: an earlier process may have been killed
//! between making the folder and that sync, so finding it there proves nothing.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Disk;
use crate::{Error, Result};

pub(super) struct Folders {
    disk: Arc<dyn Disk>,
    durable: Mutex<HashSet<PathBuf>>,
}

impl Folders {
    /// Makes `root` where needed. Everything later asked for must lie below it.
    pub(super) fn open(disk: Arc<dyn Disk>, root: &Path) -> Result<Self> {
        make_root(&*disk, root)?;
        Ok(Self { disk, durable: Mutex::new(HashSet::from([root.to_owned()])) })
    }

    pub(super) fn is_durable(&self, folder: &Path) -> bool {
        self.durable().contains(folder)
    }

    /// Makes `folders`, all of them children of `parent`, with one sync of it.
    pub(super) fn make(&self, parent: &Path, folders: &[PathBuf]) -> Result<()> {
        if let (false, Some(above)) = (self.is_durable(parent), parent.parent()) {
            self.make(above, &[parent.to_owned()])?;
        }
        for folder in folders {
            mkdir(&*self.disk, folder)?;
        }
        self.disk.fsync_dir(parent).map_err(|error| Error::io("fsync", parent, error))?;
        self.durable().extend(folders.iter().cloned());
        Ok(())
    }

    fn durable(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the folder is new.
fn mkdir(disk: &dyn Disk, folder: &Path) -> Result<bool> {
    match disk.mkdir(folder) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io("mkdir", folder, error)),
    }
}

fn make_root(disk: &dyn Disk, root: &Path) -> Result<()> {
    let Some(parent) = root.parent() else { return Ok(()) };
    let new = match mkdir(disk, root) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            make_root(disk, parent)?;
            mkdir(disk, root)?
        }
        other => other?,
    };
    match disk.fsync_dir(parent) {
        // A folder in a place that is closed to us was made, and is kept, by somebody else.
        Err(error) if !new && error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other.map_err(|error| Error::io("fsync", parent, error)),
    }
}
