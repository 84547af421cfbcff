//! Paths under `/v2`: each has one meaning, found from its end, since names may contain the words that routes are made of.

use percent_encoding::percent_decode_str;

use crate::{Digest, DigestError, NameError, Reference, ReferenceError, RepoName};

/// What a path is about (distribution-spec §Endpoints); which methods it takes is `http`'s matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/v2`, `/v2/`
    Ping,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/_oci/ext/discover`, `/v2/<name>/_oci/ext/discover`
    Extensions(Option<RepoName>),
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepoName, Digest),
    /// `/v2/<name>/blobs/uploads`, `/v2/<name>/blobs/uploads/`
    Uploads(RepoName),
    /// `/v2/<name>/blobs/uploads/<id>`: 1 to 64 of `[A-Za-z0-9-]`
    Upload(RepoName, String),
    /// `/v2/<name>/manifests/<tag or digest>`
    Manifest(RepoName, Reference),
    /// `/v2/<name>/tags/list`
    Tags(RepoName),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepoName, Digest),
}

/// Why a path has no meaning. The parts stay apart because the answer depends on the method: a malformed
/// reference is 404 to GET and 400 to PUT.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum RouteError {
    /// No such path.
    #[error("no such path: see the endpoints of the OCI distribution specification")]
    NotFound,
    /// The repository's name is outside the grammar.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Blob or referrers path with something else than a digest.
    #[error("{source}")]
    Digest {
        /// The repository that was asked.
        name: RepoName,
        /// What is wrong.
        source: DigestError,
    },
    /// Manifest path with neither tag nor digest.
    #[error("{source}")]
    Reference {
        /// The repository that was asked.
        name: RepoName,
        /// The reference as sent, decoded.
        text: String,
        /// What is wrong.
        source: ReferenceError,
    },
    /// An escape that is not two hex digits, or escapes that are not UTF-8.
    #[error("the path is not valid: expected each % to be followed by two hex digits, and UTF-8 in all")]
    Encoding,
}

/// Longest upload session id, in characters.
const LONGEST_SESSION: usize = 64;

impl Route {
    /// The repository it is about, if it is about one.
    pub fn name(&self) -> Option<&RepoName> {
        match self {
            Self::Ping | Self::Catalog => None,
            Self::Extensions(name) => name.as_ref(),
            Self::Uploads(name)
            | Self::Tags(name)
            | Self::Blob(name, _)
            | Self::Referrers(name, _)
            | Self::Upload(name, _)
            | Self::Manifest(name, _) => Some(name),
        }
    }

    /// Takes the path as it came, not decoded. Each segment is decoded exactly once, so `%2F` never makes a new one.
    pub fn parse(path: &str) -> Result<Self, RouteError> {
        let rest = match path.strip_prefix("/v2").ok_or(RouteError::NotFound)? {
            "" | "/" => return Ok(Self::Ping),
            rest => rest.strip_prefix('/').ok_or(RouteError::NotFound)?,
        };
        let segments = rest.split('/').map(decode).collect::<Result<Vec<_>, _>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Self::from_segments(&segments)
    }

    fn from_segments(segments: &[&str]) -> Result<Self, RouteError> {
        match segments {
            ["_catalog"] => Ok(Self::Catalog),
            ["_oci", "ext", "discover"] => Ok(Self::Extensions(None)),
            [name @ .., "_oci", "ext", "discover"] => Ok(Self::Extensions(Some(repository(name)?))),
            [name @ .., "tags", "list"] => Ok(Self::Tags(repository(name)?)),
            [name @ .., "blobs", "uploads"] | [name @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads(repository(name)?))
            }
            [.., ""] => Err(RouteError::NotFound),
            [name @ .., "blobs", "uploads", id] => Ok(Self::Upload(repository(name)?, session(id)?)),
            [name @ .., "blobs", text] => {
                digest(repository(name)?, text).map(|(name, digest)| Self::Blob(name, digest))
            }
            [name @ .., "referrers", text] => {
                digest(repository(name)?, text).map(|(name, digest)| Self::Referrers(name, digest))
            }
            [name @ .., "manifests", text] => manifest(repository(name)?, text),
            _ => Err(RouteError::NotFound),
        }
    }
}

/// One segment, decoded. `percent_encoding` leaves bad escapes in place; here they are refused.
fn decode(segment: &str) -> Result<String, RouteError> {
    let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    let escapes = segment.bytes().filter(|b| *b == b'%').count();
    let sound = segment.as_bytes().windows(3).filter(|w| w[0] == b'%' && is_hex(&w[1..])).count();
    if escapes != sound {
        return Err(RouteError::Encoding);
    }
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| RouteError::Encoding)?;
    Ok(decoded.into_owned())
}

/// A slash inside a segment came from `%2F`. It must not join the name's own, so its escape is put back,
/// and the grammar refuses that.
fn repository(segments: &[&str]) -> Result<RepoName, RouteError> {
    let escaped: Vec<String> = segments.iter().map(|segment| segment.replace('/', "%2F")).collect();
    Ok(escaped.join("/").parse::<RepoName>()?)
}

fn session(id: &str) -> Result<String, RouteError> {
    let legal = id.len() <= LONGEST_SESSION && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if legal { Ok(id.to_owned()) } else { Err(RouteError::NotFound) }
}

fn digest(name: RepoName, text: &str) -> Result<(RepoName, Digest), RouteError> {
    match text.parse() {
        Ok(digest) => Ok((name, digest)),
        Err(source) => Err(RouteError::Digest { name, source }),
    }
}

fn manifest(name: RepoName, text: &str) -> Result<Route, RouteError> {
    match text.parse() {
        Ok(reference) => Ok(Route::Manifest(name, reference)),
        Err(source) => Err(RouteError::Reference { name, text: text.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests;
