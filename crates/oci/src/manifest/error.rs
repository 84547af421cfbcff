//! Why bytes are not a manifest that can be kept. Every variant is the pusher's to mend.

use crate::digest::shorten;
use crate::{DigestError, MediaType, MediaTypeError};

/// Why a manifest is refused. Answered with 400 MANIFEST_INVALID.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ManifestError {
    /// Empty, not UTF-8, behind a byte order mark, not an object, or broken.
    #[error("the manifest is not a JSON object: {reason}")]
    NotJson {
        /// What is wrong, and where.
        reason: String,
    },
    /// An object has two members of one name.
    #[error(
        "the manifest has the key \"{0}\" twice in one object: readers differ in which one counts, so write it once"
    )]
    DuplicateKey(String),
    /// A member that differs from one of ours in case only; Go's JSON reader takes it for that one.
    #[error(
        "the manifest has the key \"{key}\", which some clients read as \"{meant}\": write it so, or name it otherwise"
    )]
    Misspelt {
        /// As it stands.
        key: String,
        /// As it is read by some.
        meant: &'static str,
    },
    /// Nested deeper than anything real.
    #[error("the manifest is nested deeper than 32 levels: make it flatter")]
    TooDeep,
    /// The header and the body's `mediaType` differ.
    #[error("Content-Type says {header}, but the manifest's mediaType says {body}: make them equal")]
    TypeMismatch {
        /// From the request.
        header: String,
        /// From the body.
        body: String,
    },
    /// An image and an index at once.
    #[error(
        "the manifest has members of both an image (config, layers, fsLayers) and an index (manifests): keep one kind"
    )]
    Ambiguous,
    /// Docker schema 1.
    #[error("Docker schema 1 manifests are not accepted: push as {oci} or {docker}",
        oci = MediaType::OCI_MANIFEST, docker = MediaType::DOCKER_MANIFEST)]
    Schema1,
    /// Neither header, nor body, nor shape tell what it is.
    #[error("cannot tell what kind of manifest this is: set Content-Type or mediaType, such as {oci}", oci = MediaType::OCI_MANIFEST)]
    UnknownType,
    /// `schemaVersion` of an image or index is absent or not 2.
    #[error("manifest member schemaVersion is {found}: expected 2")]
    SchemaVersion {
        /// As it stands, or "absent".
        found: String,
    },
    /// The header, or the body's `mediaType`, is no media type.
    #[error(transparent)]
    MediaType(#[from] MediaTypeError),
    /// A member is missing or not of its type.
    #[error("manifest member {path} is not valid: expected {expected}")]
    Field {
        /// Such as `layers[3].size`.
        path: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// A descriptor's digest cannot be held.
    #[error("manifest member {path} is not valid: {source}")]
    Digest {
        /// Such as `layers[3].digest`.
        path: String,
        /// What is wrong with it.
        source: DigestError,
    },
}

impl ManifestError {
    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
    pub(super) fn not_json(error: serde_json::Error) -> Self {
        Self::NotJson { reason: shorten(&error.to_string()) }
    }

    pub(super) fn field(path: &str, expected: &'static str) -> Self {
        Self::Field { path: path.to_owned(), expected }
    }

    pub(super) fn mismatch(header: &MediaType, body: &str) -> Self {
        Self::TypeMismatch { header: header.to_string(), body: shorten(body) }
    }

    pub(super) fn schema_version(found: Option<&str>) -> Self {
        Self::SchemaVersion { found: found.map_or_else(|| "absent".to_owned(), shorten) }
    }

    /// The same error, seen from the object that holds the failing one under `member`.
    pub(super) fn within(self, member: &str) -> Self {
        let join = |path: String| if path.is_empty() { member.to_owned() } else { format!("{member}.{path}") };
        match self {
            Self::Field { path, expected } => Self::Field { path: join(path), expected },
            Self::Digest { path, source } => Self::Digest { path: join(path), source },
            other => other,
        }
    }
}
