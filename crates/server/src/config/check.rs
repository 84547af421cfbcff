//! What can be found wrong with the machine before the server starts on it.

use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{Access, access};

use super::{Listen, Loaded, Problem};

impl Loaded {
    /// Whether the files that the configuration names are there and readable, and its folders there or makeable.
    /// Changes nothing.
    pub fn check_files(&self) -> Vec<Problem> {
        let mut problems = vec![];
        let mut check = |key: &str, result: Result<(), String>| {
            if let Err(message) = result {
                problems.push(Problem::new(self.origin(key).place(key), message));
            }
        };
        let tls = &self.config.tls;
        check("tls.certificate", tls.certificate.as_deref().map_or(Ok(()), readable_file));
        check("tls.key", tls.key.as_deref().map_or(Ok(()), readable_file));
        check("outgoing.ca", self.config.outgoing.ca.as_deref().map_or(Ok(()), readable_file));
        check("data", makeable_folder(&self.config.data));
        for listen in &self.config.listen {
            check("listen", place_for_socket(listen));
        }
        check("metrics.listen", self.config.metrics.listen.as_ref().map_or(Ok(()), place_for_socket));
        problems
    }
}

fn readable_file(path: &Path) -> Result<(), String> {
    let about = |error| format!("{}: {error}", path.display());
    // Asking first: opening a named pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(about)?.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    std::fs::File::open(path).map(drop).map_err(about)
}

/// The nearest folder above that exists decides.
fn makeable_folder(path: &Path) -> Result<(), String> {
    let absolute = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let there = absolute.ancestors().find(|folder| folder.symlink_metadata().is_ok()).unwrap_or(&absolute);
    if !there.is_dir() {
        return Err(format!("{} is not a folder", there.display()));
    }
    access(there, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| format!("{}: cannot write there: {}", there.display(), std::io::Error::from(error)))
}

fn place_for_socket(listen: &Listen) -> Result<(), String> {
    let Listen::Unix(path) = listen else { return Ok(()) };
    match path.parent() {
        Some(folder) if folder.is_dir() => makeable_folder(folder).and_then(|()| socket_at(path).map(drop)),
        _ => Err(format!("the folder of {} is not there", path.display())),
    }
}

/// Whether there is a socket at `path`, which a new one may replace. Anything else there is somebody's, and an error.
pub(crate) fn socket_at(path: &Path) -> Result<bool, String> {
    match path.symlink_metadata() {
        Ok(found) if found.file_type().is_socket() => Ok(true),
        Ok(_) => Err(format!("{} is there and is not a socket: remove it, or choose another path", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests;
