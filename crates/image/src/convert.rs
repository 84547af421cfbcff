//! Manifests of Docker and of OCI, each as the other. Pure: bytes to bytes.
//!
//! Configurations are the same in both but for their media type, so their bytes, and with them the image's id, stay.
//! Annotations have no place in Docker's manifests and are dropped there; what would change what the image *is* (an
//! artifact, a subject, a compression that Docker does not read) is refused.

use std::collections::HashMap;
use std::str::FromStr;

use serde_json::value::RawValue;
use wharf_oci::{Descriptor, Digest, Kind, ManifestError, MediaType};

use crate::compress::Compression;
use crate::members::Members;
use crate::{LONGEST_MANIFEST, Stored};

/// Whose manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Of the Open Container Initiative.
    Oci,
    /// Docker's schema 2.
    Docker,
}

/// Why a manifest cannot be converted.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ConvertError {
    /// The bytes are no manifest.
    #[error("manifest {digest}: {source}")]
    Manifest {
        /// Of the manifest.
        digest: Digest,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// The other format has no word for it.
    #[error("manifest {digest} cannot be converted to {to}: {reason}")]
    Inexpressible {
        /// Of the manifest.
        digest: Digest,
        /// Where to.
        to: Format,
        /// What cannot be said there.
        reason: String,
    },
}

/// What replaces what a manifest names, by the digest that it names now: recompressed layers, converted children.
pub type Replacements = HashMap<Digest, Descriptor>;

/// As `--format` and messages name it.
impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Oci => "oci",
            Self::Docker => "docker",
        })
    }
}

impl FromStr for Format {
    type Err = String;

    /// `oci`; `docker`, or skopeo's `v2s2`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "oci" => Ok(Self::Oci),
            "docker" | "v2s2" => Ok(Self::Docker),
            _ => Err(format!("\"{text}\" is not a format of manifests: expected oci or docker")),
        }
    }
}

impl Format {
    /// Whose a manifest of that type is; `None` for types that are neither.
    pub fn of(media_type: &MediaType) -> Option<Self> {
        match media_type.as_str() {
            MediaType::OCI_MANIFEST | MediaType::OCI_INDEX => Some(Self::Oci),
            MediaType::DOCKER_MANIFEST | MediaType::DOCKER_LIST => Some(Self::Docker),
            _ => None,
        }
    }

    /// The type of a layer in that compression; `None` where Docker has none for it.
    pub fn layer_type(self, compression: Compression) -> Option<&'static str> {
        match (self, compression) {
            (Self::Oci, Compression::None) => Some("application/vnd.oci.image.layer.v1.tar"),
            (Self::Oci, Compression::Gzip { .. }) => Some("application/vnd.oci.image.layer.v1.tar+gzip"),
            (Self::Oci, Compression::Zstd { .. }) => Some("application/vnd.oci.image.layer.v1.tar+zstd"),
            (Self::Docker, Compression::None) => Some("application/vnd.docker.image.rootfs.diff.tar"),
            (Self::Docker, Compression::Gzip { .. }) => Some("application/vnd.docker.image.rootfs.diff.tar.gzip"),
            (Self::Docker, Compression::Zstd { .. }) => None,
        }
    }

    /// The type of an image's configuration.
    pub fn config_type(self) -> &'static str {
        match self {
            Self::Oci => MediaType::OCI_CONFIG,
            Self::Docker => MediaType::DOCKER_CONFIG,
        }
    }

    fn manifest_type(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Oci, Kind::Index) => MediaType::OCI_INDEX,
            (Self::Oci, _) => MediaType::OCI_MANIFEST,
            (Self::Docker, Kind::Index) => MediaType::DOCKER_LIST,
            (Self::Docker, _) => MediaType::DOCKER_MANIFEST,
        }
    }
}

/// The other format's word for a layer's type.
const LAYERS: [(&str, &str); 4] = [
    ("application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"),
    ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    ("application/vnd.oci.image.layer.nondistributable.v1.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar"),
    (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ),
];

/// How annotations begin that say where in a layer's compressed bytes its files lie: those of zstd:chunked and eStargz.
const OF_COMPRESSED_BYTES: [&str; 4] = [
    "io.github.containers.zstd-chunked.",
    "io.containers.zstd-chunked.",
    "containerd.io/snapshot/stargz/",
    "io.containers.estargz.",
];

/// The manifest or index in the form of `to`, with what it names replaced as `replaced` says. A replacement's media type
/// may be of either format. With nothing to change, it comes back as it was, to the byte.
pub fn convert(stored: &Stored, to: Format, replaced: &Replacements) -> Result<Stored, ConvertError> {
    let job = Job { stored, to, replaced };
    let view = stored.view().map_err(|source| job.broken(source))?;
    let from = Format::of(&stored.media_type);
    let names = || view.config.iter().chain(&view.layers).chain(&view.children);
    if from == Some(to) && !names().any(|named| replaced.contains_key(&named.digest)) {
        return Ok(stored.clone());
    }
    let is_image = view.artifact_type.is_none()
        && view.config.as_ref().is_none_or(|config| MediaType::is_image_config(&config.media_type));
    match from {
        None => return Err(job.no(format!("its type is {}", stored.media_type))),
        Some(from) if from != to && !is_image => return Err(job.no("it is an artifact, not an image".to_owned())),
        Some(from) if from != to && view.subject.is_some() => {
            return Err(job.no("it refers to a subject by digest, as a signature does".to_owned()));
        }
        _ => {}
    }
    job.rewrite(view.kind, from != Some(to))
}

struct Job<'a> {
    stored: &'a Stored,
    to: Format,
    replaced: &'a Replacements,
}

impl Job<'_> {
    fn no(&self, reason: String) -> ConvertError {
        ConvertError::Inexpressible { digest: self.stored.digest.clone(), to: self.to, reason }
    }

    fn broken(&self, source: ManifestError) -> ConvertError {
        ConvertError::Manifest { digest: self.stored.digest.clone(), source }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
    fn odd(&self, error: serde_json::Error) -> ConvertError {
        self.broken(ManifestError::NotJson { reason: error.to_string() })
    }

    /// `is_other`: into the other format, where only members that both know go over.
    fn rewrite(&self, kind: Kind, is_other: bool) -> Result<Stored, ConvertError> {
        let odd = |error| self.odd(error);
        let old = Members::parse(&self.stored.bytes).map_err(odd)?;
        let mut new = if is_other { Members::default() } else { old.clone() };
        new.set("schemaVersion", &2).map_err(odd)?;
        new.set("mediaType", &self.to.manifest_type(kind)).map_err(odd)?;
        if let Some(config) = old.get("config").filter(|_| kind != Kind::Index) {
            new.set("config", &self.descriptor(config, is_other, Role::Config)?).map_err(odd)?;
        }
        let (list, role) = if kind == Kind::Index { ("manifests", Role::Child) } else { ("layers", Role::Layer) };
        let items = old.get(list).map_or("[]", RawValue::get);
        let items: Option<Vec<&RawValue>> = serde_json::from_str(items).map_err(odd)?;
        let items: Result<Vec<Members>, _> =
            items.unwrap_or_default().into_iter().map(|item| self.descriptor(item, is_other, role)).collect();
        new.set(list, &items?).map_err(odd)?;
        let annotations = old.get("annotations").filter(|_| is_other && self.to == Format::Oci);
        if let Some(annotations) = annotations {
            new.set("annotations", &annotations).map_err(odd)?;
        }
        let bytes = new.to_bytes().map_err(odd)?;
        if bytes.len() as u64 > LONGEST_MANIFEST {
            return Err(self.no(format!("it would have more than {LONGEST_MANIFEST} bytes")));
        }
        Stored::new(Some(self.to.manifest_type(kind)), bytes).map_err(|source| self.broken(source))
    }

    fn descriptor(&self, raw: &RawValue, is_other: bool, role: Role) -> Result<Members, ConvertError> {
        let odd = |error| self.odd(error);
        let old = Members::parse(raw.get().as_bytes()).map_err(odd)?;
        let text = |name: &str| -> Result<String, ConvertError> {
            serde_json::from_str(old.get(name).map_or("null", RawValue::get)).map_err(odd)
        };
        let named: Digest = text("digest")?
            .parse()
            .map_err(|source| self.broken(ManifestError::Digest { path: "digest".to_owned(), source }))?;
        let replacement = self.replaced.get(&named);
        let media_type = match replacement {
            Some(replacement) => replacement.media_type.clone(),
            None => text("mediaType")?,
        };
        let mut new = if is_other { Members::default() } else { old.clone() };
        new.set("mediaType", &self.media_type(&media_type, &named, role, is_other)?).map_err(odd)?;
        // The order in which either format's tools write them, so that the digests are those that others' conversions give.
        let order = if self.to == Format::Docker { ["size", "digest"] } else { ["digest", "size"] };
        for name in order {
            match replacement {
                None => new.set(name, &old.get(name)),
                Some(replacement) if name == "size" => new.set(name, &replacement.size),
                Some(replacement) => new.set(name, &replacement.digest),
            }
            .map_err(odd)?;
        }
        for name in if is_other { self.kept(role) } else { &[] } {
            if let Some(value) = old.get(name) {
                new.set(name, &value).map_err(odd)?;
            }
        }
        if replacement.is_some() {
            new.remove("data");
            self.forget_compression(&mut new)?;
        }
        if self.to == Format::Docker && role == Role::Child && new.get("platform").is_none() {
            return Err(self.no(format!("its child {named} names no platform, which Docker's lists must")));
        }
        Ok(new)
    }

    /// What else goes over from a descriptor of the other format.
    fn kept(&self, role: Role) -> &'static [&'static str] {
        match (self.to, role) {
            (Format::Docker, Role::Child) => &["platform"],
            (Format::Docker, _) => &["urls"],
            (Format::Oci, _) => &["urls", "platform", "annotations"],
        }
    }

    /// Leaves out what annotations say of a layer's compressed bytes, which are others now.
    fn forget_compression(&self, descriptor: &mut Members) -> Result<(), ConvertError> {
        let odd = |error| self.odd(error);
        let Some(annotations) = descriptor.get("annotations") else { return Ok(()) };
        let mut annotations = Members::parse(annotations.get().as_bytes()).map_err(odd)?;
        annotations.retain(|name| !OF_COMPRESSED_BYTES.iter().any(|start| name.starts_with(start)));
        if annotations.is_empty() {
            descriptor.remove("annotations");
            return Ok(());
        }
        descriptor.set("annotations", &annotations).map_err(odd)
    }

    fn media_type(&self, old: &str, named: &Digest, role: Role, is_other: bool) -> Result<String, ConvertError> {
        let theirs = match role {
            Role::Config => MediaType::is_image_config(old).then(|| self.to.config_type()),
            Role::Layer => {
                LAYERS.iter().find(|(oci, docker)| old == *oci || old == *docker).map(|(oci, docker)| match self.to {
                    Format::Oci => *oci,
                    Format::Docker => *docker,
                })
            }
            // podman's lists are Docker's, of whatever images they were made of.
            Role::Child if !is_other => return Ok(old.to_owned()),
            Role::Child => {
                let format = MediaType::parse(old).ok().and_then(|media_type| Format::of(&media_type));
                if format.is_some_and(|format| format != self.to) {
                    return Err(self.no(format!("its child {named} is {old}, and was not converted with it")));
                }
                format.map(|_| old)
            }
        };
        match theirs {
            Some(theirs) => Ok(theirs.to_owned()),
            None if self.to == Format::Oci => Ok(old.to_owned()),
            None => Err(self.no(format!("{named} is of type {old}, which Docker does not know"))),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Config,
    Layer,
    Child,
}

#[cfg(test)]
mod tests;
