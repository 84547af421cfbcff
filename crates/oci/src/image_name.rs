//! Names of images as people write them: `[host[:port]/]name[:tag][@digest]`.

use std::fmt;
use std::str::FromStr;

use crate::digest::shorten;
use crate::{Digest, DigestError, NameError, RepoName, Tag, TagError, hub};

/// An image by name. Nothing is filled in: no host means the reader's own default, no tag and no digest likewise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageName {
    /// `host[:port]`, as written.
    pub host: Option<String>,
    /// The repository on that host.
    pub name: RepoName,
    /// What moves.
    pub tag: Option<Tag>,
    /// What never moves; where a tag stands beside it, the digest is what counts.
    pub digest: Option<Digest>,
}

/// Why a text is not the name of an image.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ImageNameError {
    /// There is nothing to name an image with.
    #[error("an image's name is empty: expected [host[:port]/]name[:tag][@digest]")]
    Empty,
    /// The first component has a dot or a colon, and is no host.
    #[error("\"{0}\" is not a host: expected a name or an address, and perhaps :port")]
    Host(String),
    /// The repository's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What follows the last colon.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// What follows the at sign.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl ImageName {
    /// Where Docker looks for an image whose name has no host.
    pub const DOCKER_HUB: &'static str = hub::NAME;

    /// The tag that is meant where nothing is said.
    pub const DEFAULT_TAG: &'static str = "latest";

    /// The name as Docker's tools write it into archives: `docker.io/library/alpine:latest`, with host and tag filled
    /// in. A digest is kept, and a tag beside it dropped, as they do.
    pub fn spelt_out(&self) -> String {
        let host = match self.host.as_deref() {
            None => Self::DOCKER_HUB,
            Some(host) => hub::name_of(host),
        };
        let name = if host == Self::DOCKER_HUB { self.name.as_str() } else { self.name.asked() };
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{host}/{name}@{digest}"),
            (None, Some(tag)) => format!("{host}/{name}:{tag}"),
            (None, None) => format!("{host}/{name}:{}", Self::DEFAULT_TAG),
        }
    }
}

impl FromStr for ImageName {
    type Err = ImageNameError;

    fn from_str(text: &str) -> Result<Self, ImageNameError> {
        if text.is_empty() {
            return Err(ImageNameError::Empty);
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (host, rest) = match rest.split_once('/') {
            Some((first, rest)) if looks_like_host(first) => (Some(host(first)?), rest),
            _ => (None, rest),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) => (name, Some(tag.parse()?)),
            None => (rest, None),
        };
        Ok(Self { host, name: name.parse()?, tag, digest })
    }
}

/// A repository's name has none of these (Docker's distribution reference grammar).
fn looks_like_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.bytes().any(|b| b.is_ascii_uppercase())
}

/// A name or an IPv4 address, or an IPv6 address in brackets, and perhaps a port.
fn host(text: &str) -> Result<String, ImageNameError> {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_name = if text.starts_with('[') {
        name.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        let is_label = |label: &str| {
            label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        name.split('.').all(is_label)
    };
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok());
    if is_name && is_port && text.len() <= RepoName::LONGEST {
        Ok(text.to_owned())
    } else {
        Err(ImageNameError::Host(shorten(text)))
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        self.name.fmt(f)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
