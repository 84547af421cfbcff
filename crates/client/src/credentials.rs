//! Sign-ins as podman and docker keep them: `auth.json`, `config.json`, and credential helpers.
//!
//! What they wrote is found by the rules they have, and what is written here is found by them. Files are replaced whole,
//! readable by their owner alone; what is in them besides stays. Nothing here looks at the environment: whoever calls
//! says which files there are, and in which order they are asked. All of it blocks.
//!
//! Sources: containers-auth.json(5), docker/cli `cli/config`, docker/docker-credential-helpers.

mod file;
mod helper;
mod serve;

use std::path::PathBuf;

use wharf_oci::hub;

use crate::Secret;
use crate::wire::Credential;
pub use file::AuthFile;
pub use serve::{Keeper, serve};

type Result<T> = std::result::Result<T, Error>;

/// The user name that marks a helper's secret as an identity token.
const TOKEN_USER: &str = "<token>";

/// Why sign-ins could not be read or written. There is no secret in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that is something else.
    #[error("{place} cannot be read as sign-ins ({problem}): repair it, or move it away and sign in again")]
    Malformed {
        /// Its path, or the variable that it came in.
        place: String,
        /// What is wrong, and where.
        problem: String,
    },
    /// A helper that is not there, or failed.
    #[error("the credential helper {program} {problem}")]
    Helper {
        /// Its program.
        program: String,
        /// What went wrong, in its own words where it has any.
        problem: String,
    },
}

/// Somebody's sign-in to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// By name and password.
    Password {
        /// Whose.
        user: String,
        /// The password.
        password: Secret,
    },
    /// By what a token endpoint gave for a password.
    IdentityToken {
        /// Whose, where that is known; may be empty.
        user: String,
        /// The token.
        token: Secret,
    },
    /// By a token that requests carry as it is.
    AccessToken(Secret),
}

impl Login {
    /// Whose; empty where that is not known.
    pub fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::IdentityToken { user, .. } => user,
            Self::AccessToken(_) => "",
        }
    }

    /// For [`crate::registry`].
    pub fn credential(&self) -> Credential {
        match self.clone() {
            Self::Password { user, password } => Credential::Password { user, password },
            Self::IdentityToken { token, .. } => Credential::Refresh(token),
            Self::AccessToken(token) => Credential::AccessToken(token),
        }
    }
}

/// A place where sign-ins are.
#[derive(Clone, Debug)]
pub enum Source {
    /// `auth.json`, by podman's rules. A file that is not there has nothing.
    Containers(PathBuf),
    /// `config.json`, by docker's.
    Docker(PathBuf),
    /// `.dockercfg`: what both had before, hosts alone.
    Legacy(PathBuf),
    /// The value of `DOCKER_AUTH_CONFIG`.
    Given(Secret),
    /// A helper for every registry, by the name after `docker-credential-`.
    Helper(String),
}

/// The places, in the order they are asked.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    sources: Vec<Source>,
    programs: Option<PathBuf>,
}

/// A sign-in, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// It.
    pub login: Login,
    /// A file, a helper, or `DOCKER_AUTH_CONFIG`.
    pub from: String,
}

impl Credentials {
    /// These places; the first that knows something is right.
    pub fn new(sources: Vec<Source>) -> Self {
        Self { sources, programs: None }
    }

    /// Looks for helpers in that folder only, instead of where programs usually are.
    #[must_use]
    pub fn with_helpers_in(self, folder: impl Into<PathBuf>) -> Self {
        Self { programs: Some(folder.into()), ..self }
    }

    /// The sign-in for `repository` of `host`; `None` if there is none.
    pub fn find(&self, host: &str, repository: &str) -> Result<Option<Found>> {
        for source in &self.sources {
            if let Some(found) = self.ask(source, hub::name_of(host), repository)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn ask(&self, source: &Source, host: &str, repository: &str) -> Result<Option<Found>> {
        let (text, place, asks_store) = match source {
            Source::Helper(name) => return self.ask_helper(name, host),
            Source::Given(text) => (Some(text.expose().as_bytes().to_vec()), "DOCKER_AUTH_CONFIG".to_owned(), true),
            Source::Containers(path) | Source::Legacy(path) => (file::read(path)?, path.display().to_string(), false),
            Source::Docker(path) => (file::read(path)?, path.display().to_string(), true),
        };
        let Some(text) = text else { return Ok(None) };
        let entries = match source {
            Source::Legacy(_) => file::Contents::legacy(&text),
            _ => file::Contents::parse(&text),
        };
        let entries = entries.map_err(|problem| Error::Malformed { place: place.clone(), problem })?;
        if let Some((key, helper)) = entries.helper(host) {
            return self.ask_helper(helper, key);
        }
        if asks_store && let Some(store) = entries.store() {
            let asked = if hub::is_it(host) { hub::KEY } else { host };
            match self.ask_helper(store, asked) {
                Ok(None) => {}
                // A file that came along with a home folder names what is not on this machine: what else it has counts.
                Err(Error::Helper { problem, .. }) if problem == helper::ABSENT => {
                    tracing::warn!("{place} names the credential helper {store}, which is not installed");
                }
                other => return other,
            }
        }
        let login =
            entries.login(host, repository).map_err(|problem| Error::Malformed { place: place.clone(), problem })?;
        Ok(login.map(|login| Found { login, from: place }))
    }

    fn ask_helper(&self, name: &str, key: &str) -> Result<Option<Found>> {
        let helper = helper::Helper::new(name, self.programs.as_deref())?;
        Ok(helper.get(key)?.map(|login| Found { login, from: helper.program().to_owned() }))
    }
}

/// The keys by which `repository` of `host` may be known, the narrowest first.
fn keys(host: &str, repository: &str) -> Vec<String> {
    let whole = if repository.is_empty() { host.to_owned() } else { format!("{host}/{repository}") };
    let mut keys = vec![whole];
    while let Some((shorter, _)) = keys.last().and_then(|key| key.rsplit_once('/')) {
        keys.push(shorter.to_owned());
    }
    keys
}

/// The host that a key is for when it is a URL, as docker wrote them: `https://host/v1/`.
fn host_of_url(key: &str) -> Option<&str> {
    let is_url = key.starts_with("https://") || key.starts_with("http://");
    is_url.then(|| hub::host_of(key))
}

#[cfg(test)]
mod tests;
