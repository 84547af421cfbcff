//! Media types without parameters: a stored type goes back exactly as it was pushed, never with `; charset`.

use std::fmt;

use crate::digest::shorten;

/// `type/subtype` in the characters of RFC 6838 §4.2, case kept, no parameters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MediaType(Box<str>);

/// A text that is not a media type.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("\"{0}\" is not a media type: expected type/subtype, such as {oci}", oci = MediaType::OCI_MANIFEST)]
pub struct MediaTypeError(String);

impl MediaType {
    /// OCI image manifest.
    pub const OCI_MANIFEST: &'static str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    pub const OCI_INDEX: &'static str = "application/vnd.oci.image.index.v1+json";
    /// OCI image configuration.
    pub const OCI_CONFIG: &'static str = "application/vnd.oci.image.config.v1+json";
    /// The two bytes `{}` (image-spec, manifest.md §Guidance for an Empty Descriptor).
    pub const OCI_EMPTY: &'static str = "application/vnd.oci.empty.v1+json";
    /// Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: &'static str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    pub const DOCKER_LIST: &'static str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker manifest, schema 1: refused.
    pub const DOCKER_SCHEMA1: &'static str = "application/vnd.docker.distribution.manifest.v1+json";
    /// Docker manifest, schema 1, signed: refused.
    pub const DOCKER_SCHEMA1_SIGNED: &'static str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    /// Docker image configuration.
    pub const DOCKER_CONFIG: &'static str = "application/vnd.docker.container.image.v1+json";
    /// Artifact manifest of image-spec 1.1 release candidates, dropped before 1.1.
    pub const OCI_ARTIFACT_LEGACY: &'static str = "application/vnd.oci.artifact.manifest.v1+json";
    /// Artifact manifest of ORAS, before OCI had `subject`.
    pub const ORAS_ARTIFACT_LEGACY: &'static str = "application/vnd.cncf.oras.artifact.manifest.v1+json";

    /// Longest restricted name on either side of the slash (RFC 6838 §4.2), so 255 characters in all.
    const LONGEST_NAME: usize = 127;

    /// Takes a `Content-Type` header's value; parameters after `;` are cut (image-spec leaves no use for them).
    pub fn parse(header: &str) -> Result<Self, MediaTypeError> {
        let essence = header.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
        match essence.split_once('/') {
            Some((top, sub)) if is_restricted_name(top) && is_restricted_name(sub) => Ok(Self(essence.into())),
            _ => Err(MediaTypeError(shorten(header))),
        }
    }

    /// The type's text, case as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the manifest and the list of Docker's schema 2.
    pub fn is_docker(&self) -> bool {
        matches!(self.as_str(), Self::DOCKER_MANIFEST | Self::DOCKER_LIST)
    }

    /// True for the configuration of an image, whose form is known; an artifact's is anything at all.
    pub fn is_image_config(text: &str) -> bool {
        matches!(text, Self::OCI_CONFIG | Self::DOCKER_CONFIG)
    }

    /// True for layers that lie elsewhere and need not be pushed (docker/hub-feedback#2132, google/go-containerregistry#1418).
    pub fn is_foreign_layer(text: &str) -> bool {
        text.starts_with("application/vnd.docker.image.rootfs.foreign") || text.contains("nondistributable")
    }
}

/// RFC 6838 §4.2, restricted-name.
fn is_restricted_name(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
    text.len() <= MediaType::LONGEST_NAME
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && text.bytes().all(legal)
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
