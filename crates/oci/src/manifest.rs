//! A view of a manifest's bytes: what it refers to. The bytes are stored as they came and never written anew.
//!
//! Two readers must not see two documents in one: repeated keys, `manifests` beside `layers`, and a type that
//! contradicts the body are refused (GHSA-77vh-xpmg-72qh). Unknown members are tolerated at any depth.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::MediaType;

mod descriptor;
mod error;
mod members;
mod strict_json;

pub use descriptor::Descriptor;
pub use error::ManifestError;

use members::Reader;

/// What a manifest's media type makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// OCI image manifest, or Docker schema 2.
    Image,
    /// OCI image index, or Docker manifest list.
    Index,
    /// Artifact manifest from before OCI 1.1; its `blobs` are its layers.
    LegacyArtifact,
    /// Any other type, stored as it is. What looks like a reference is taken as one, so that the collector keeps it.
    Opaque,
}

/// The references and labels of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The type it is stored and served under.
    pub media_type: MediaType,
    /// What that type makes of it.
    pub kind: Kind,
    /// Its own `artifactType`; never empty.
    pub artifact_type: Option<String>,
    /// Its own annotations.
    pub annotations: BTreeMap<String, String>,
    /// Always there for [`Kind::Image`].
    pub config: Option<Descriptor>,
    /// `layers`, or the `blobs` of a legacy artifact.
    pub layers: Vec<Descriptor>,
    /// `manifests` of an index; each may be a manifest **or** a blob (moby/buildkit#1143, distribution/distribution#3452).
    pub children: Vec<Descriptor>,
    /// What it refers to. Need not exist, may be itself (oras-project/oras#666).
    pub subject: Option<Descriptor>,
}

/// The members that matter. `null` counts as absent, except for `manifests` and `layers`, where it is an empty list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    schema_version: Option<&'a RawValue>,
    media_type: Option<&'a RawValue>,
    artifact_type: Option<&'a RawValue>,
    annotations: Option<&'a RawValue>,
    config: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "members::present")]
    layers: Option<&'a RawValue>,
    blobs: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "members::present")]
    manifests: Option<&'a RawValue>,
    fs_layers: Option<&'a RawValue>,
    subject: Option<&'a RawValue>,
}

const MEMBERS: [&str; 10] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "annotations",
    "config",
    "layers",
    "blobs",
    "manifests",
    "fsLayers",
    "subject",
];

impl Manifest {
    /// The configuration, where it is an image's: what runs. That of an artifact is anything at all.
    pub fn image_config(&self) -> Option<&Descriptor> {
        self.config.as_ref().filter(|config| MediaType::is_image_config(&config.media_type))
    }

    /// Reads `bytes` as pushed under `content_type`, the request's header.
    ///
    /// Without a header, or with one that says nothing (`application/octet-stream`, `application/json`), the body's
    /// `mediaType` decides, else its shape (containerd/containerd#3110). Never panics, whatever the bytes; time and
    /// memory are linear in them, and nesting is limited to 32.
    pub fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Self, ManifestError> {
        let header = telling_type(content_type)?;
        header.as_ref().map(Kind::of).transpose()?;
        Body::read(strict_json::object(bytes)?)?.view(header)
    }

    /// The `artifactType` that the referrers API lists: its own, else an image's config type, else none.
    pub fn referrer_type(&self) -> Option<&str> {
        let config = self.config.as_ref().filter(|_| self.kind != Kind::Index);
        let of_config = config.map(|config| config.media_type.as_str()).filter(|text| !text.is_empty());
        self.artifact_type.as_deref().or(of_config)
    }
}

impl Kind {
    /// Errors for Docker schema 1 only: clients then retry with another type.
    fn of(media_type: &MediaType) -> Result<Self, ManifestError> {
        match media_type.as_str() {
            MediaType::OCI_MANIFEST | MediaType::DOCKER_MANIFEST => Ok(Self::Image),
            MediaType::OCI_INDEX | MediaType::DOCKER_LIST => Ok(Self::Index),
            MediaType::OCI_ARTIFACT_LEGACY | MediaType::ORAS_ARTIFACT_LEGACY => Ok(Self::LegacyArtifact),
            MediaType::DOCKER_SCHEMA1 | MediaType::DOCKER_SCHEMA1_SIGNED => Err(ManifestError::Schema1),
            _ => Ok(Self::Opaque),
        }
    }
}

/// The header's type, unless it says nothing about the body.
fn telling_type(content_type: Option<&str>) -> Result<Option<MediaType>, ManifestError> {
    let Some(header) = content_type.filter(|header| !header.trim().is_empty()) else { return Ok(None) };
    let media_type = MediaType::parse(header)?;
    // The last is what curl says of any body.
    let says_nothing = matches!(
        media_type.as_str(),
        "application/octet-stream" | "application/json" | "application/x-www-form-urlencoded"
    );
    Ok(Some(media_type).filter(|_| !says_nothing))
}

impl<'a> Body<'a> {
    fn read(object: &'a str) -> Result<Self, ManifestError> {
        strict_json::check_spelling(object, &MEMBERS)?;
        let body: Self = serde_json::from_str(object).map_err(ManifestError::not_json)?;
        body.reject_confusion()?;
        Ok(body)
    }

    /// A document that is an image to one reader and an index to another is neither here.
    fn reject_confusion(&self) -> Result<(), ManifestError> {
        let is_image =
            [self.layers, self.config, self.fs_layers].into_iter().any(|member| members::given(member).is_some());
        if is_image && members::given(self.manifests).is_some() {
            return Err(ManifestError::Ambiguous);
        }
        if self.fs_layers.is_some() { Err(ManifestError::Schema1) } else { Ok(()) }
    }

    fn view(&self, header: Option<MediaType>) -> Result<Manifest, ManifestError> {
        let media_type = self.resolve_type(header)?;
        let kind = Kind::of(&media_type)?;
        self.check_kind(kind)?;
        let reader = Reader { lenient: kind == Kind::Opaque };
        let (layers, blobs, children) = match kind {
            Kind::Image => (self.layers, None, None),
            Kind::Index => (None, None, self.manifests),
            Kind::LegacyArtifact => (None, self.blobs, None),
            Kind::Opaque => (self.layers, self.blobs, self.manifests),
        };
        let config = self.config.filter(|_| matches!(kind, Kind::Image | Kind::Opaque));
        let mut layers = reader.descriptors("layers", layers)?;
        layers.extend(reader.descriptors("blobs", blobs)?);
        Ok(Manifest {
            media_type,
            kind,
            artifact_type: reader.text("artifactType", self.artifact_type)?.filter(|text| !text.is_empty()),
            annotations: reader.annotations(self.annotations)?,
            config: reader.descriptor("config", config)?,
            layers,
            children: reader.descriptors("manifests", children)?,
            subject: reader.descriptor("subject", self.subject)?,
        })
    }

    /// Header, else the body's own word, else its shape.
    fn resolve_type(&self, header: Option<MediaType>) -> Result<MediaType, ManifestError> {
        let own = Reader { lenient: false }.text("mediaType", self.media_type)?.filter(|text| !text.is_empty());
        match (header, own) {
            (Some(header), Some(own)) if header.as_str() != own => Err(ManifestError::mismatch(&header, &own)),
            (Some(header), _) => Ok(header),
            (None, Some(own)) => {
                let media_type = MediaType::parse(&own)?;
                if media_type.as_str() == own {
                    Ok(media_type)
                } else {
                    Err(ManifestError::field("mediaType", "no parameters"))
                }
            }
            (None, None) => self.sniff(),
        }
    }

    fn sniff(&self) -> Result<MediaType, ManifestError> {
        if self.version() == Some("1") {
            return Err(ManifestError::Schema1);
        }
        let name = match (self.manifests, self.config.or(self.layers)) {
            (_, Some(_)) => MediaType::OCI_MANIFEST,
            (Some(_), None) => MediaType::OCI_INDEX,
            (None, None) => return Err(ManifestError::UnknownType),
        };
        Ok(MediaType::parse(name)?)
    }

    fn version(&self) -> Option<&'a str> {
        self.schema_version.map(RawValue::get)
    }

    /// What image-spec requires of the two kinds it defines.
    fn check_kind(&self, kind: Kind) -> Result<(), ManifestError> {
        if !matches!(kind, Kind::Image | Kind::Index) {
            return Ok(());
        }
        match self.version() {
            Some("2") => {}
            Some("1") => return Err(ManifestError::Schema1),
            other => return Err(ManifestError::schema_version(other)),
        }
        let is_image = members::given(self.layers).or(self.config).is_some();
        match kind {
            Kind::Index if is_image => Err(ManifestError::Ambiguous),
            Kind::Index if self.manifests.is_none() => {
                Err(ManifestError::field("manifests", "an array of descriptors"))
            }
            Kind::Image if members::given(self.manifests).is_some() => Err(ManifestError::Ambiguous),
            Kind::Image if self.config.is_none() => Err(ManifestError::field("config", "a descriptor")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
