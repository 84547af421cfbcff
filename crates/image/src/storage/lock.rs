//! The locks of containers/storage, shared, while its lists are read.
//!
//! They are record locks of POSIX, which belong to the process: whoever closes *any* descriptor of the file drops them
//! for all. So only one is held here at a time.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};

use crate::{Error, Result};

static HELD: Mutex<()> = Mutex::new(());

/// Runs `read` under the lock `file`, after waiting for whoever writes. A storage that is only ever read, such as an
/// additional one on a read-only mount, may have no lock.
pub(super) fn shared<T>(file: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    let _one = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let lock = match File::open(file) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return read(),
        Err(error) => return Err(Error::io("read", file)(error)),
    };
    wait(&lock).map_err(Error::io("lock", file))?;
    let result = read();
    drop(lock);
    result
}

fn wait(lock: &File) -> io::Result<()> {
    loop {
        match fcntl_lock(lock, FlockOperation::LockShared) {
            Err(rustix::io::Errno::INTR) => {}
            done => return Ok(done?),
        }
    }
}

#[cfg(test)]
mod tests;
