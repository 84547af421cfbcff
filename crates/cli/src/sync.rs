//! Many images from one place to another: which there are, and what each is called where it goes.
//!
//! Names are those of skopeo's sync: `quay.io/podman/hello:v1` goes to `DESTINATION/hello:v1`, with `--scoped` to
//! `DESTINATION/quay.io/podman/hello:v1`.

use std::path::PathBuf;
use std::str::FromStr;

use crate::place::{AtRegistry, Place};
use crate::{Error, Result};

mod filter;
mod found;
mod list;
mod report;
mod run;
mod versions;

pub(crate) use filter::Filter;
pub(crate) use found::{Found, Whole, of_archive, of_folders, of_layout, of_repository, repository_name};
pub(crate) use list::read;
pub(crate) use report::Report;
pub(crate) use run::{Job, Run};
pub(crate) use versions::Range;

/// Where images come from.
#[derive(Clone, Debug)]
pub(crate) enum Whence {
    /// A repository, or one of its images.
    Repository(AtRegistry),
    /// A folder with `dir:` images in it, at any depth.
    Folders(PathBuf),
    /// All named images of an OCI layout.
    Layout(PathBuf),
    /// All named images of a file as docker save writes it.
    DockerArchive(PathBuf),
    /// A list of repositories.
    List(PathBuf),
}

impl FromStr for Whence {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if let Some(path) = text.strip_prefix("yaml:").filter(|path| !path.is_empty()) {
            return Ok(Self::List(path.into()));
        }
        match text.parse()? {
            Place::Registry(at) => Ok(Self::Repository(at)),
            Place::Folder(path) => Ok(Self::Folders(path)),
            Place::Layout { path, name: None } => Ok(Self::Layout(path)),
            Place::DockerArchive { path, image: None } => Ok(Self::DockerArchive(path)),
            _ => Err("images come from [HOST/]NAME[:TAG], yaml:FILE, dir:PATH, oci:PATH or docker-archive:FILE".into()),
        }
    }
}

/// Where images go.
#[derive(Clone, Debug)]
pub(crate) enum Whither {
    /// Below this name of a registry.
    Registry(String),
    /// Into folders below this one, a `dir:` image each.
    Folders(PathBuf),
    /// Into one OCI layout.
    Layout(PathBuf),
}

impl FromStr for Whither {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let trimmed = text.trim_end_matches('/');
        let bare = trimmed.strip_prefix("docker://").unwrap_or(trimmed);
        // A registry alone is a place for images too, and no name of one.
        if is_host(bare) {
            return Ok(Self::Registry(trimmed.to_owned()));
        }
        match trimmed.parse()? {
            Place::Registry(at) => at.repository_only().map(|_| Self::Registry(trimmed.to_owned())),
            Place::Folder(path) => Ok(Self::Folders(path)),
            Place::Layout { path, name: None } => Ok(Self::Layout(path)),
            _ => Err("images go to [HOST/]NAME, HOST, dir:PATH or oci:PATH".into()),
        }
    }
}

impl Whither {
    /// Where the image of that name goes.
    pub(crate) fn place(&self, name: &str) -> Result<Place> {
        match self {
            Self::Registry(prefix) => format!("{prefix}/{name}").parse().map_err(Error::Usage),
            Self::Folders(folder) => Ok(Place::Folder(folder.join(name))),
            Self::Layout(path) => Ok(Place::Layout { path: path.clone(), name: Some(name.to_owned()) }),
        }
    }
}

/// skopeo says with an option what stands before the colon here.
pub(crate) fn in_words_of(transport: Option<&str>, text: &str) -> String {
    match transport {
        None => text.to_owned(),
        Some("docker") if text.starts_with("docker://") => text.to_owned(),
        Some("docker") => format!("docker://{text}"),
        Some(transport) => format!("{transport}:{text}"),
    }
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "0"));
    let is_name = text.contains(':') || name.contains('.') || name == "localhost";
    is_name
        && !name.is_empty()
        && !port.is_empty()
        && !text.contains('/')
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
