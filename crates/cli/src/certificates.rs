//! certs.d: what to trust a registry by, and what to show it (containers-certs.d(5)).

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// What there is for one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// Authorities to trust beside the system's: `*.crt`.
    pub(crate) authorities: Vec<PathBuf>,
    /// A certificate to show, with its key: `X.cert` and `X.key`.
    pub(crate) client: Option<(PathBuf, PathBuf)>,
}

impl Certificates {
    /// From the first of `folders` that has one for `host`.
    pub(crate) fn of(host: &str, folders: &[PathBuf]) -> Result<Self> {
        // A host is no path: what has `/` in it is no host.
        let mut found = folders.iter().map(|folder| folder.join(host)).filter(|folder| folder.is_dir());
        found.next().map_or(Ok(Self::default()), |folder| Self::in_folder(&folder))
    }

    /// All that is in one folder.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let mut files: Vec<PathBuf> =
            entries.map_err(Error::file(folder))?.into_iter().map(|entry| entry.path()).collect();
        files.sort();
        let ending = |wanted: &str| {
            let fits = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == wanted);
            files.iter().filter(fits).cloned().collect::<Vec<_>>()
        };
        let pairs = ending("cert").into_iter().map(|cert| (cert.with_extension("key"), cert));
        let client = pairs.map(|(key, cert)| paired(cert, key)).next().transpose()?;
        if let Some(key) = ending("key").into_iter().find(|key| !files.contains(&key.with_extension("cert"))) {
            let (key, cert) = (key.display(), key.with_extension("cert"));
            return Err(Error::Failed(format!(
                "{key} is a key without its certificate: {} is missing",
                cert.display()
            )));
        }
        Ok(Self { authorities: ending("crt"), client })
    }
}

fn paired(cert: PathBuf, key: PathBuf) -> Result<(PathBuf, PathBuf)> {
    match fs::metadata(&key) {
        Ok(_) => Ok((cert, key)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::Failed(format!(
            "{} is a certificate without its key: {} is missing; certificates to trust end in .crt",
            cert.display(),
            key.display()
        ))),
        Err(error) => Err(Error::file(&key)(error)),
    }
}

#[cfg(test)]
mod tests;
