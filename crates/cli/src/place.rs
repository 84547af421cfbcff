//! Names of places that images are at, in the words of skopeo (containers-transports(5)) and in fewer.
//!
//! `host/team/app:v1` is an image of that registry, `team/app:v1` one of the current context's; everything else says what
//! it is by a transport: `oci:PATH`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use wharf_oci::{ImageName, Tag};

/// Where an image is, or is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At a registry.
    Registry(AtRegistry),
    /// In a folder in the form of an OCI layout, under a name if one is given.
    Layout { path: PathBuf, name: Option<String> },
    /// In a file with an OCI layout in it.
    LayoutArchive { path: PathBuf, name: Option<String> },
    /// In a file in the form of `docker save`, as this image if one is named.
    DockerArchive { path: PathBuf, image: Option<String> },
    /// In a folder of its own: a manifest and its parts.
    Folder(PathBuf),
    /// In podman's storage, by a name that is known there.
    Podman(String),
    /// At docker's engine, by a name that is known there.
    Docker(String),
}

/// An image of a registry, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AtRegistry {
    pub(crate) image: ImageName,
    /// Written with `docker://`, where a name without a host is none of the context's.
    pub(crate) is_docker: bool,
}

impl AtRegistry {
    /// Refuses what names both, or neither, where one is needed to write to.
    pub(crate) fn repository_only(&self) -> std::result::Result<&ImageName, String> {
        if self.image.tag.is_some() || self.image.digest.is_some() {
            return Err(format!("{self} names an image; a repository is expected, as in team/app"));
        }
        Ok(&self.image)
    }
}

/// Names beside the one that is written out.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct MoreNames {
    /// Another tag to give it at its registry; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// Another name to give it in a docker-archive: file; may be repeated
    #[arg(long = "additional-tag", value_name = "NAME")]
    pub(crate) images: Vec<ImageName>,
}

/// Transports of skopeo that are not spoken here, which would read as images' names otherwise.
const FOREIGN: [&str; 3] = ["ostree", "sif", "tarball"];
const EXPECTED: &str = "[HOST/]NAME[:TAG|@DIGEST], docker://…, oci:PATH[:NAME], oci-archive:FILE[:NAME], \
                        docker-archive:FILE[:IMAGE], dir:PATH, containers-storage:NAME or docker-daemon:NAME";

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("docker://") {
            return text.parse().map(Self::Registry);
        }
        let (transport, rest) = text.split_once(':').unwrap_or(("", text));
        // Paths end at the first colon, as skopeo has it.
        let (path, name) = rest.split_once(':').unwrap_or((rest, ""));
        let name = (!name.is_empty()).then(|| name.to_owned());
        let place = match transport {
            "oci" => Self::Layout { path: path.into(), name },
            "oci-archive" => Self::LayoutArchive { path: path.into(), name },
            "docker-archive" => Self::DockerArchive { path: path.into(), image: name },
            "containers-storage" | "docker-daemon" if rest.is_empty() => {
                return Err(format!("{text} names no image; expected {EXPECTED}"));
            }
            "containers-storage" => return Ok(Self::Podman(rest.to_owned())),
            "docker-daemon" => return Ok(Self::Docker(rest.to_owned())),
            "dir" => return path_of(rest, text).map(|path| Self::Folder(path.into())),
            foreign if FOREIGN.contains(&foreign) => {
                return Err(format!("{foreign}: is not read or written; expected {EXPECTED}"));
            }
            _ => return text.parse().map(Self::Registry),
        };
        path_of(path, text).map(|_| place)
    }
}

/// Transports as they stand before the colon.
const OURS: [&str; 6] = ["oci", "oci-archive", "docker-archive", "dir", "containers-storage", "docker-daemon"];

/// A place that says what it is: what is pulled goes anywhere, and a file whose transport was forgotten would be an
/// image of the registry.
pub(crate) fn with_transport(text: &str) -> Result<Place, String> {
    match text.parse()? {
        Place::Registry(at) if !at.is_docker && OURS.contains(&text) => Err(format!("expected {text}:NAME")),
        Place::Registry(at) if !at.is_docker => Err(format!(
            "it does not say what it is: oci-archive:{text}, docker-archive:{text}, oci:{text} and dir:{text} are files \
             and folders, docker://HOST/NAME is at another registry"
        )),
        place => Ok(place),
    }
}

/// A place to write to. What has a tar file's name and nothing of an image's is asked about.
pub(crate) fn destination(text: &str) -> Result<Place, String> {
    let place: Place = text.parse()?;
    let is_bare = |at: &AtRegistry| !at.is_docker && at.image.host.is_none() && at.image.tag.is_none();
    match &place {
        Place::Registry(at) if is_bare(at) && [".tar", ".tgz", ".tar.gz"].iter().any(|end| text.ends_with(end)) => {
            Err(format!("a file is oci-archive:{text} or docker-archive:{text}, an image of a registry {text}:latest"))
        }
        _ => Ok(place),
    }
}

fn path_of<'a>(path: &'a str, text: &str) -> Result<&'a str, String> {
    if path.is_empty() { Err(format!("{text} names no file; expected {EXPECTED}")) } else { Ok(path) }
}

impl FromStr for AtRegistry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (is_docker, name) = match text.strip_prefix("docker://") {
            Some(name) => (true, name),
            None => (false, text),
        };
        if !is_docker && let Some((transport, rest)) = name.split_once(':') {
            if let ("http" | "https", Some(rest)) = (transport, rest.strip_prefix("//")) {
                return Err(format!(
                    "an image is named without {transport}://, as in {rest}; --tls-verify says the rest"
                ));
            }
            if OURS.contains(&transport) {
                return Err(format!(
                    "{transport}: is a place, and a registry's image is expected, as in team/app:v1; wharf copy goes from anywhere to anywhere"
                ));
            }
        }
        let image = name.parse().map_err(|error: wharf_oci::ImageNameError| error.to_string())?;
        Ok(Self { image, is_docker })
    }
}

impl fmt::Display for AtRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_docker {
            f.write_str("docker://")?;
        }
        self.image.fmt(f)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut named = |transport: &str, path: &PathBuf, name: &Option<String>| {
            write!(f, "{transport}:{}", path.display())?;
            name.as_ref().map_or(Ok(()), |name| write!(f, ":{name}"))
        };
        match self {
            Self::Registry(at) => at.fmt(f),
            Self::Layout { path, name } => named("oci", path, name),
            Self::LayoutArchive { path, name } => named("oci-archive", path, name),
            Self::DockerArchive { path, image } => named("docker-archive", path, image),
            Self::Folder(path) => named("dir", path, &None),
            Self::Podman(name) => write!(f, "containers-storage:{name}"),
            Self::Docker(name) => write!(f, "docker-daemon:{name}"),
        }
    }
}

#[cfg(test)]
mod tests;
