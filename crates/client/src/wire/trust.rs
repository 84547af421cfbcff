//! Whose certificates are believed, which is shown, and how people say so.

use std::path::{Path, PathBuf};

use reqwest::Certificate;

use super::error::causes;
use super::{Address, Error};

/// Whose certificates are believed, and which is shown.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM files with authorities, beside those of the system.
    pub authorities: Vec<PathBuf>,
    /// What the server is shown when it asks who connects.
    pub identity: Option<Identity>,
    /// Believe anybody.
    pub insecure: bool,
    /// How people say all this.
    pub words: Words,
}

/// The options that people say by whom to believe: advice is given in the words of the command that they used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Words {
    /// Those of `wharf auth login`, which other commands follow.
    #[default]
    SignIn,
    /// Those of commands that carry images.
    Images,
}

/// A certificate of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// PEM file with the certificate and those between it and its authority.
    pub certificate: PathBuf,
    /// PEM file with its key.
    pub key: PathBuf,
}

impl Trust {
    /// What is believed beside the system's authorities.
    pub(super) fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        let read = self.authorities.iter().map(|file| authorities(file)).collect::<Result<Vec<_>, _>>()?;
        Ok(read.concat())
    }
}

impl Identity {
    pub(super) fn read(&self) -> Result<reqwest::Identity, Error> {
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        let both = [certificate, b"\n".to_vec(), key].concat();
        reqwest::Identity::from_pem(&both).map_err(|error| unusable(&self.certificate, causes(&error)))
    }
}

impl Words {
    pub(super) fn own_authority(self, address: &Address) -> String {
        match self {
            Self::SignIn => format!("; if that is your own: wharf auth login {} --ca FILE", address.host()),
            Self::Images => "; if that is your own: --cert-dir FOLDER, with its certificate in it as ca.crt".into(),
        }
    }

    pub(super) fn believe_anyway(self, address: &Address) -> String {
        let believe = match self {
            Self::SignIn => format!("wharf auth login {} --insecure", address.host()),
            Self::Images => "--tls-verify=false".into(),
        };
        format!("; {believe} would believe it anyway, as it would anybody")
    }

    pub(super) fn in_clear(self, address: &Address) -> String {
        let insecure = if address.is_loopback() { "" } else { " --insecure" };
        match self {
            Self::SignIn => format!("; if it has no TLS: wharf auth login http://{}{insecure}", address.host()),
            Self::Images => "; if it has no TLS: --tls-verify=false".into(),
        }
    }
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, Error> {
    let pem = read(file)?;
    let authorities = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(file, causes(&error)))?;
    if authorities.is_empty() {
        return Err(unusable(file, "there is no PEM certificate in it".into()));
    }
    Ok(authorities)
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(file).map_err(|error| unusable(file, error.to_string()))
}

fn unusable(file: &Path, problem: String) -> Error {
    Error::Certificates { file: file.display().to_string(), problem }
}
