//! An image of the storage, as a source: its manifest as podman keeps it, and its layers as plain tars.

use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;

use wharf_oci::{Descriptor, Digest, ImageConfig, Kind, Manifest};

use super::records::{self, ImageRecord, MANIFEST};
use super::{Found, Parts, Podman, Storage};
use crate::verified::check;
use crate::{Error, LONGEST_MANIFEST, Result, Source, Stored, Verified, disk};

/// An image, or an index with those of its images that are here. Its lists are read once, when it is opened.
#[derive(Debug)]
pub struct Image {
    place: PathBuf,
    podman: Podman,
    storage: Storage,
    root: Stored,
    ones: Vec<One>,
}

/// One platform's.
#[derive(Debug)]
struct One {
    manifest: Stored,
    config: Descriptor,
    config_file: PathBuf,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    id: String,
    /// As the manifest has it.
    named: Descriptor,
    /// As it can be read.
    tar: Descriptor,
    parts: Parts,
}

impl Image {
    /// [`Error::Foreign`] when podman has to be asked.
    pub(super) fn open(found: &Found) -> Result<Self> {
        let storage = &found.storage;
        let images = storage.kind_of(&found.root, "images");
        let root = manifest(&images, &found.record, &found.name)?;
        let ones = match view(&root)?.kind {
            Kind::Index => children(storage, &root)?,
            _ => vec![One::open(storage, &images, &found.record, root.clone())?],
        };
        let place = images.join(&found.record.id);
        Ok(Self { place, podman: storage.podman.clone(), storage: storage.clone(), root, ones })
    }

    fn missing(&self, digest: &Digest) -> Error {
        Error::Missing { path: self.place.clone(), digest: digest.clone() }
    }

    fn layer(&self, is_it: impl Fn(&Layer) -> bool) -> Option<&Layer> {
        self.ones.iter().flat_map(|one| &one.layers).find(|layer| is_it(layer))
    }

    fn layer_tar(&self, descriptor: &Descriptor) -> Result<(&Layer, Box<dyn Read + Send>)> {
        let layer = self.layer(|layer| layer.tar.digest == descriptor.digest);
        let layer = layer.ok_or_else(|| self.missing(&descriptor.digest))?;
        let tar = self.tar(layer).map_err(self.storage.layer_error(&layer.id))?;
        Ok((layer, tar))
    }

    fn tar(&self, layer: &Layer) -> io::Result<Box<dyn Read + Send>> {
        if self.podman.is_needed_to_read() && !may_read(&layer.parts)? {
            return self.podman.layer(&self.storage.places, &layer.id);
        }
        Ok(Box::new(layer.parts.tar()?))
    }
}

impl Source for Image {
    fn root(&self) -> Result<Stored> {
        Ok(self.root.clone())
    }

    fn manifest(&self, digest: &Digest) -> Result<Stored> {
        let ones = self.ones.iter().map(|one| &one.manifest);
        let found = ones.chain([&self.root]).find(|manifest| manifest.digest == *digest);
        found.cloned().ok_or_else(|| self.missing(digest))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        if let Some(one) = self.ones.iter().find(|one| one.config.digest == descriptor.digest) {
            let (file, _) = disk::open(&one.config_file)?;
            return Ok(Box::new(Verified::new(file, descriptor, one.config_file.display().to_string())));
        }
        let (layer, tar) = self.layer_tar(descriptor)?;
        Ok(Box::new(Verified::new(tar, descriptor, format!("layer {} of podman's storage", layer.id))))
    }

    fn unchecked(&self, descriptor: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>> {
        if offset > 0 || self.ones.iter().any(|one| one.config.digest == descriptor.digest) {
            return crate::after(offset, self.blob(descriptor)?);
        }
        self.layer_tar(descriptor).map(|(_, tar)| tar)
    }

    fn referrers(&self, _subject: &Digest) -> Result<Vec<Descriptor>> {
        Ok(Vec::new())
    }

    fn unpacked(&self, layer: &Descriptor) -> Result<Option<Descriptor>> {
        Ok(self.layer(|known| known.named.digest == layer.digest).map(|layer| layer.tar.clone()))
    }
}

/// The manifest that `name` asks for by digest, where it is an image's own, or the one the image goes by.
fn manifest(images: &std::path::Path, record: &ImageRecord, name: &str) -> Result<Stored> {
    let digest = name.rsplit_once('@').map_or(name, |(_, digest)| digest);
    let asked = records::big_data(images, &record.id, &format!("{MANIFEST}-{digest}"));
    if digest.parse::<Digest>().is_ok() && asked.is_file() {
        let stored = read(&asked)?;
        // An index is kept with the one image that was pulled by it.
        if view(&stored)?.kind == Kind::Image {
            return Ok(stored);
        }
    }
    read(&records::big_data(images, &record.id, MANIFEST))
}

fn read(file: &std::path::Path) -> Result<Stored> {
    let bytes = disk::read(file, LONGEST_MANIFEST)?;
    // Docker's first schema is one that podman turns into another when it saves.
    Stored::new(None, bytes).map_err(|error| Error::Foreign(format!("{}: {error}", file.display())))
}

fn view(stored: &Stored) -> Result<Manifest> {
    stored.view().map_err(|source| Error::Manifest { place: stored.digest.to_string(), source })
}

/// Those of an index's images that are in the storage.
fn children(storage: &Storage, index: &Stored) -> Result<Vec<One>> {
    let mut ones = Vec::new();
    for child in view(index)?.children {
        if let Some(found) = storage.find(child.digest.as_str())? {
            let images = storage.kind_of(&found.root, "images");
            let manifest = manifest(&images, &found.record, child.digest.as_str())?;
            if manifest.digest == child.digest {
                ones.push(One::open(storage, &images, &found.record, manifest)?);
            }
        }
    }
    Ok(ones)
}

impl One {
    fn open(storage: &Storage, images: &std::path::Path, record: &ImageRecord, manifest: Stored) -> Result<Self> {
        let view = view(&manifest)?;
        let place = images.join(&record.id).display().to_string();
        let damaged = |reason: String| Error::Damaged { place: place.clone(), reason };
        let config = view.config.ok_or_else(|| damaged("its manifest names no configuration".into()))?;
        let config_file = records::big_data(images, &record.id, config.digest.as_str());
        let bytes = disk::read(&config_file, LONGEST_MANIFEST)?;
        check(&bytes, &config.digest, &place)?;
        let diff_ids = ImageConfig::parse(&bytes).map_err(|source| Error::Config { place: place.clone(), source })?;
        let diff_ids = diff_ids.diff_ids;
        let all = storage.layers()?;
        let chain = storage.chain(record.layer.as_deref().unwrap_or_default(), &all)?;
        if chain.len() != view.layers.len() || chain.len() != diff_ids.len() {
            let (named, there) = (view.layers.len(), chain.len());
            return Err(damaged(format!("its manifest names {named} layers, and {there} are there")));
        }
        let mut layers = Vec::new();
        for ((named, layer), diff_id) in view.layers.into_iter().zip(chain).zip(diff_ids) {
            if layer.diff_id().is_some_and(|own| own != diff_id) {
                return Err(damaged(format!("layer {} is not the one that its configuration names", layer.id)));
            }
            let parts = storage.parts(layer, &all)?;
            let size = match layer.size() {
                Some(size) => size,
                None => parts
                    .recipe()
                    .and_then(super::tar_split::Recipe::measure)
                    .map_err(storage.layer_error(&layer.id))?,
            };
            let tar = Descriptor::new(plain(&named.media_type), diff_id, size);
            layers.push(Layer { id: layer.id.clone(), named, tar, parts });
        }
        Ok(Self { manifest, config, config_file, layers })
    }
}

/// The type of a layer of that type when it is not compressed.
fn plain(media_type: &str) -> &'static str {
    if media_type.starts_with("application/vnd.docker.") {
        "application/vnd.docker.image.rootfs.diff.tar"
    } else {
        "application/vnd.oci.image.layer.v1.tar"
    }
}

/// Whether all files of a layer may be read. Those of a user's storage belong to the users of containers, and their own
/// modes hold.
fn may_read(parts: &Parts) -> io::Result<bool> {
    let folders = super::layer_tar::Folders::open(&parts.folders)?;
    for entry in parts.recipe()? {
        let super::tar_split::Entry::File(content) = entry? else { continue };
        match folders.file(&content) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(false),
            file => drop(file?),
        }
    }
    Ok(true)
}
