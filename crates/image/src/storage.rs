//! Images of podman, buildah and CRI-O, read where they lie (containers/storage).
//!
//! Podman keeps layers unpacked, and beside each the recipe of its tar: with both, the very bytes whose digest the image's
//! configuration names are put together again. The compressed blobs that the manifest names are not kept:
//! [`Source::unpacked`] says what there is in their place.
//!
//! The storage's locks are held while its lists are read, never while content goes out: a slow push does not stop podman.
//! What is removed or changed meanwhile is found by each file's checksum and each layer's digest, and is an error.
//! What podman keeps in a form that is not known here is taken from `podman save`.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use wharf_oci::{Digest, ImageName};

mod crc64;
mod image;
mod layer_tar;
mod lock;
mod places;
mod podman;
mod records;
mod tar_split;

pub use image::Image;
pub use places::{Places, Surroundings};
pub use podman::Podman;

use crate::{Error, Result, Source};
use records::{ImageRecord, LayerRecord};

/// A storage on this machine.
#[derive(Clone, Debug)]
pub struct Storage {
    places: Places,
    podman: Podman,
}

impl Storage {
    /// Nothing is read yet. `podman` is asked where reading is not enough.
    pub fn new(places: Places, podman: Podman) -> Self {
        Self { places, podman }
    }

    /// How podman is run for it.
    pub fn podman(&self) -> &Podman {
        &self.podman
    }

    /// Finds the image that `name` stands for: a full name (`localhost/team/app:v1`; no tag means `latest`), a name with a
    /// digest, an id or the beginning of one, or the digest of a manifest.
    pub fn find(&self, name: &str) -> Result<Option<Found>> {
        for root in &self.places.roots {
            let images = records::images(&self.kind_of(root, "images"))?;
            if let Some(record) = choose(&images, name).map_err(|reason| self.no_image(reason))? {
                return Ok(Some(Found {
                    storage: self.clone(),
                    root: root.clone(),
                    record: record.clone(),
                    name: name.to_owned(),
                }));
            }
        }
        Ok(None)
    }

    /// Writes the tar of the layer with this id, for who may not read its files themselves: see [`Podman`].
    pub fn write_layer(&self, id: &str, out: &mut dyn Write) -> Result<()> {
        let layers = self.layers()?;
        let layer = layers.get(id).ok_or_else(|| self.no_image(format!("there is no layer {id}")))?;
        let mut tar = self.parts(layer, &layers)?.tar().map_err(self.layer_error(id))?;
        std::io::copy(&mut tar, out).map(drop).map_err(self.layer_error(id))
    }

    fn kind_of(&self, root: &Path, kind: &str) -> PathBuf {
        root.join(format!("{}-{kind}", self.places.driver))
    }

    fn no_image(&self, reason: String) -> Error {
        Error::Reference { path: self.place().to_owned(), reason }
    }

    /// The storage's own folder, for messages.
    fn place(&self) -> &Path {
        self.places.roots.first().map_or(Path::new(""), PathBuf::as_path)
    }

    fn layer_error(&self, id: &str) -> impl Fn(std::io::Error) -> Error {
        let path = self.place().join(format!("layer {id}"));
        move |source| Error::Io { doing: "read", path: path.clone(), source }
    }

    /// All layers, by id.
    fn layers(&self) -> Result<HashMap<String, LayerRecord>> {
        let mut all = HashMap::new();
        for root in &self.places.roots {
            for layer in records::layers(&self.kind_of(root, "layers"))? {
                // As with images, what a root has hides what later ones have.
                all.entry(layer.id.clone()).or_insert(layer);
            }
        }
        Ok(all)
    }

    /// The layers below and including `top`, lowest first.
    fn chain<'a>(&self, top: &str, layers: &'a HashMap<String, LayerRecord>) -> Result<Vec<&'a LayerRecord>> {
        let mut chain = Vec::new();
        let mut id = top;
        while !id.is_empty() {
            let layer = layers.get(id);
            // A chain that is longer than there are layers goes in a circle.
            let layer = layer.filter(|_| chain.len() < layers.len());
            let layer = layer.ok_or_else(|| self.no_image(format!("layer {id} is not there (any more)")))?;
            if layer.is_incomplete() {
                let reason = "it is incomplete: podman was stopped while it made it; pull or build the image again";
                return Err(Error::Damaged {
                    place: format!("{}: layer {id}", self.place().display()),
                    reason: reason.into(),
                });
            }
            chain.push(layer);
            id = &layer.parent;
        }
        chain.reverse();
        Ok(chain)
    }

    /// What a layer's tar is made of.
    fn parts(&self, layer: &LayerRecord, layers: &HashMap<String, LayerRecord>) -> Result<Parts> {
        let recipes = self.places.roots.iter().map(|root| self.kind_of(root, "layers"));
        let recipe =
            recipes.map(|folder| folder.join(format!("{}.tar-split.gz", layer.id))).find(|file| file.is_file());
        let recipe = recipe.ok_or_else(|| foreign(&layer.id, "it was kept without the list of its tar's parts"))?;
        let chain = self.chain(&layer.id, layers)?;
        let folders = chain.iter().rev().map(|layer| self.folder(&layer.id)).collect::<Result<_>>()?;
        Ok(Parts { recipe, folders })
    }

    /// Where the files of a layer lie.
    fn folder(&self, id: &str) -> Result<PathBuf> {
        let path = match self.places.driver.as_str() {
            "overlay" => Path::new("overlay").join(id),
            "vfs" => Path::new("vfs/dir").join(id),
            other => return Err(foreign(id, &format!("the driver {other} keeps it"))),
        };
        let found = self.places.roots.iter().map(|root| root.join(&path)).find(|path| path.is_dir());
        let folder = found.ok_or_else(|| self.no_image(format!("the files of layer {id} are not there (any more)")))?;
        if self.places.driver == "vfs" {
            return Ok(folder);
        }
        if folder.join("composefs-data").exists() {
            return Err(foreign(id, "it is kept as composefs"));
        }
        Ok(folder.join("diff"))
    }
}

/// Reading is not enough; podman itself can give it.
fn foreign(layer: &str, why: &str) -> Error {
    Error::Foreign(format!("layer {layer} of podman's storage cannot be read directly: {why}"))
}

/// The files that a layer's tar is made of.
#[derive(Clone, Debug)]
struct Parts {
    recipe: PathBuf,
    folders: Vec<PathBuf>,
}

impl Parts {
    fn recipe(&self) -> std::io::Result<tar_split::Recipe> {
        Ok(tar_split::Recipe::new(std::fs::File::open(&self.recipe)?))
    }

    fn tar(&self) -> std::io::Result<layer_tar::LayerTar> {
        Ok(layer_tar::LayerTar::new(self.recipe()?, layer_tar::Folders::open(&self.folders)?))
    }
}

/// An image that is there.
#[derive(Clone, Debug)]
pub struct Found {
    storage: Storage,
    root: PathBuf,
    record: ImageRecord,
    /// As it was asked for.
    name: String,
}

impl Found {
    /// Its id: the hex digits of its configuration's digest.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// Its names, full, with tags.
    pub fn names(&self) -> &[String] {
        self.record.names.as_deref().unwrap_or_default()
    }

    /// Opens it: directly, or by `podman save` where that is what it takes.
    pub fn open(&self) -> Result<Box<dyn Source>> {
        match Image::open(self) {
            Err(Error::Foreign(reason)) => Ok(Box::new(self.storage.podman.save(&self.record.id, &reason)?)),
            image => Ok(Box::new(image?)),
        }
    }
}

/// The image that `name` stands for, or why that cannot be told.
fn choose<'a>(images: &'a [ImageRecord], name: &str) -> std::result::Result<Option<&'a ImageRecord>, String> {
    if let Some(image) = images.iter().find(|image| image.id == name || image.has_name(name)) {
        return Ok(Some(image));
    }
    let (repository, digest) = name.rsplit_once('@').unwrap_or(("", name));
    if digest.parse::<Digest>().is_ok() {
        let repository = repository_of(repository);
        let is_of = |name: &String| repository.is_empty() || repository_of(name) == repository;
        let is_named = |image: &&ImageRecord| repository.is_empty() || image.names.iter().flatten().any(is_of);
        let found = images.iter().filter(|image| image.has_manifest(digest)).find(is_named);
        if found.is_some() || !repository.is_empty() {
            return Ok(found);
        }
    }
    if let Ok(ImageName { tag: None, .. }) = name.parse() {
        let latest = format!("{name}:{}", ImageName::DEFAULT_TAG);
        if let Some(image) = images.iter().find(|image| image.has_name(&latest)) {
            return Ok(Some(image));
        }
    }
    by_short_id(images, name.strip_prefix("sha256:").unwrap_or(name))
}

/// A name without its tag and digest.
fn repository_of(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or_default();
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// Podman takes any beginning; one or two digits are more likely to be a name.
const SHORTEST_ID: usize = 3;

fn by_short_id<'a>(images: &'a [ImageRecord], id: &str) -> std::result::Result<Option<&'a ImageRecord>, String> {
    if id.len() < SHORTEST_ID || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let mut matching = images.iter().filter(|image| image.id.starts_with(id));
    match (matching.next(), matching.next()) {
        (Some(_), Some(_)) => Err(format!("several images have ids that begin with {id}: write more of it")),
        (found, _) => Ok(found),
    }
}

#[cfg(test)]
mod tests;
