//! Reading `docker-archive:path[:ref]`, what `docker save` and `podman save` write.
//!
//! Such an archive has no manifest: one is made, of Docker's schema 2, that names the layers as they are without compression.
//! So the digests are the configuration's diff_ids, and content is checked against those.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wharf_oci::{Algorithm, Descriptor, Digest, ImageConfig, ImageName, MediaType};

use super::{Index, LONGEST_LIST, Limits, open};
use crate::compress::{Compression, Unpacked};
use crate::convert::Format;
use crate::error::{Error, Mismatch, Result};
use crate::{LONGEST_MANIFEST, Source, Stored, Verified, verified};

/// Longest configuration, in bytes.
const LONGEST_CONFIG: u64 = LONGEST_MANIFEST;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

/// One or several images in one file.
#[derive(Clone, Debug)]
pub struct DockerArchive {
    index: Arc<Index>,
    images: Vec<Image>,
    limit: u64,
}

/// One image of an archive.
#[derive(Clone, Debug)]
pub struct DockerSource {
    index: Arc<Index>,
    config: Vec<u8>,
    manifest: Stored,
    /// Entries by the digests that the manifest names.
    layers: HashMap<Digest, String>,
    limit: u64,
}

/// In the order that Docker writes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    schema_version: u8,
    media_type: &'static str,
    config: Named,
    layers: Vec<Named>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    media_type: &'static str,
    size: u64,
    digest: Digest,
}

impl DockerArchive {
    /// Reads which images there are; of a compressed archive all is unpacked first.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let index = open(path, limits)?;
        let Some(bytes) = index.read("manifest.json", LONGEST_LIST)? else {
            let hint = if index.has("index.json") { "; it looks like one of oci-archive:" } else { "" };
            let reason = format!("it has no entry manifest.json{hint}");
            return Err(Error::NotA { path: path.to_owned(), expected: "a Docker archive", reason });
        };
        let images = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Damaged { place: index.place("manifest.json"), reason: error.to_string() })?;
        Ok(Self { index: Arc::new(index), images, limit: limits.unpacked })
    }

    /// The names of each image, as they stand there.
    pub fn names(&self) -> impl Iterator<Item = &[String]> {
        self.images.iter().map(|image| image.repo_tags.as_deref().unwrap_or_default())
    }

    /// The image of that name, however it is spelt. `None`: the only one there. `@N`: the one at position N, counted from 0.
    pub fn source(&self, reference: Option<&str>) -> Result<DockerSource> {
        let image =
            self.pick(reference).map_err(|reason| Error::Reference { path: self.index.path().to_owned(), reason });
        DockerSource::new(Arc::clone(&self.index), image?, self.limit)
    }

    fn pick(&self, reference: Option<&str>) -> Result<&Image, String> {
        let Some(reference) = reference else {
            return match self.images.as_slice() {
                [image] => Ok(image),
                [] => Err("there is no image in it".to_owned()),
                images => {
                    let (count, choices) = (images.len(), self.choices());
                    Err(format!("it holds {count} images; name one of them: {choices}; wharf sync takes them all"))
                }
            };
        };
        let at = reference.strip_prefix('@').and_then(|at| at.parse::<usize>().ok()).and_then(|at| self.images.get(at));
        let wanted = spelt_out(reference);
        let is_wanted = |image: &&Image| image.repo_tags.iter().flatten().any(|name| spelt_out(name) == wanted);
        at.or_else(|| self.images.iter().find(is_wanted))
            .ok_or_else(|| format!("it holds no image {reference}; it has {}", self.choices()))
    }

    fn choices(&self) -> String {
        let positions: Vec<String> = (0..self.images.len()).map(|at| format!("@{at}")).collect();
        let names = self.names().zip(&positions);
        let names = names.map(|(names, at)| names.first().map_or(at.as_str(), String::as_str));
        crate::layout::listed(&names.collect::<Vec<_>>())
    }
}

/// Names are compared whole; what is none is compared as it stands.
fn spelt_out(name: &str) -> String {
    name.parse::<ImageName>().map_or_else(|_| name.to_owned(), |name| name.spelt_out())
}

impl DockerSource {
    fn new(index: Arc<Index>, image: &Image, limit: u64) -> Result<Self> {
        let place = index.place(&image.config);
        let missing = |name: &str| Error::Damaged {
            place: index.place(name),
            reason: "manifest.json names it, and it is not there".to_owned(),
        };
        let config = index.read(&image.config, LONGEST_CONFIG)?.ok_or_else(|| missing(&image.config))?;
        let digest = Digest::of(Algorithm::Sha256, &config);
        check_name(&image.config, &digest, &place)?;
        let view = ImageConfig::parse(&config).map_err(|source| Error::Config { place: place.clone(), source })?;
        let names = image.layers.clone().unwrap_or_default();
        if names.len() != view.diff_ids.len() {
            let reason = format!("it names {} layers, and manifest.json has {}", view.diff_ids.len(), names.len());
            return Err(Error::Damaged { place, reason });
        }
        let mut layers = Vec::new();
        for (name, diff_id) in names.iter().zip(&view.diff_ids) {
            let section = index.open(name)?.ok_or_else(|| missing(name))?;
            let size = unpacked_size(section, &index.place(name), limit)?;
            let media_type = Format::Docker.layer_type(Compression::None).unwrap_or_default();
            layers.push(Named { media_type, size, digest: diff_id.clone() });
        }
        let config_of = Named { media_type: MediaType::DOCKER_CONFIG, size: config.len() as u64, digest };
        let body = Body { schema_version: 2, media_type: MediaType::DOCKER_MANIFEST, config: config_of, layers };
        let damaged = |reason: String| Error::Damaged { place: place.clone(), reason };
        let bytes = serde_json::to_vec(&body).map_err(|error| damaged(error.to_string()))?;
        let manifest = Stored::new(None, bytes).map_err(|error| damaged(error.to_string()))?;
        Ok(Self { manifest, config, layers: view.diff_ids.into_iter().zip(names).collect(), limit, index })
    }
}

/// A configuration that is called by a digest must have it.
fn check_name(name: &str, digest: &Digest, place: &str) -> Result<()> {
    let stem = name.rsplit('/').next().unwrap_or(name);
    let stem = stem.strip_suffix(".json").unwrap_or(stem);
    let stem = stem.strip_prefix("sha256:").unwrap_or(stem);
    match format!("sha256:{stem}").parse::<Digest>() {
        Ok(expected) if expected != *digest => {
            let what = Mismatch::Digest { expected, found: digest.clone() };
            Err(Error::Content { place: place.to_owned(), what })
        }
        _ => Ok(()),
    }
}

/// Of a compressed layer only unpacking tells; nothing is kept.
fn unpacked_size(section: crate::disk::Section, place: &str, limit: u64) -> Result<u64> {
    let size = section.len();
    let damaged = |error: std::io::Error| Error::Damaged { place: place.to_owned(), reason: error.to_string() };
    let mut content = Unpacked::new(section, limit).map_err(damaged)?;
    if content.was_compressed() {
        return std::io::copy(&mut content, &mut std::io::sink()).map_err(damaged);
    }
    Ok(size)
}

impl Source for DockerSource {
    fn root(&self) -> Result<Stored> {
        Ok(self.manifest.clone())
    }

    fn manifest(&self, digest: &Digest) -> Result<Stored> {
        if *digest == self.manifest.digest {
            return Ok(self.manifest.clone());
        }
        Err(Error::Missing { path: self.index.path().to_owned(), digest: digest.clone() })
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        if let Some(name) = self.layers.get(&descriptor.digest) {
            let place = self.index.place(name);
            let damaged =
                |error: std::io::Error| Error::Damaged { place: self.index.place(name), reason: error.to_string() };
            let missing = || Error::Missing { path: self.index.path().to_owned(), digest: descriptor.digest.clone() };
            let section = self.index.open(name)?.ok_or_else(missing)?;
            let content = Unpacked::new(section, self.limit).map_err(damaged)?;
            return Ok(Box::new(Verified::new(content, descriptor, place)));
        }
        verified::check(&self.config, &descriptor.digest, self.index.path().display().to_string())
            .map_err(|_| Error::Missing { path: self.index.path().to_owned(), digest: descriptor.digest.clone() })?;
        let config = std::io::Cursor::new(self.config.clone());
        Ok(Box::new(Verified::new(config, descriptor, self.index.path().display().to_string())))
    }

    fn referrers(&self, _: &Digest) -> Result<Vec<Descriptor>> {
        Ok(Vec::new())
    }
}
