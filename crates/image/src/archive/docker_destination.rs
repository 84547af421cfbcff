//! Writing `docker-archive:path[:ref]`: one image, under any number of names, as `docker load` and `podman load` take it.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use wharf_oci::{Descriptor, Digest, ImageConfig, ImageName, Kind, MediaType};

use super::writer::Writer;
use crate::compress::Compression;
use crate::convert::Format;
use crate::error::{Error, Result};
use crate::{Accepts, Destination, Formats, LONGEST_MANIFEST, Layers, Stored, Temporary, layout};

/// An image on its way into an archive.
#[derive(Debug)]
pub struct DockerDestination {
    writer: Writer,
    names: Vec<String>,
    manifests: Mutex<HashMap<Digest, Stored>>,
    /// Small blobs, one of which is the configuration.
    configs: Mutex<HashMap<Digest, Vec<u8>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Image<'a> {
    config: String,
    repo_tags: &'a [String],
    layers: Vec<String>,
}

impl DockerDestination {
    /// `names` are what the image is called; what has no tag gets `latest`, what has only a digest cannot be said there.
    /// Errors when the file is there and not empty: an archive cannot be added to. A pipe or a device gets the archive when
    /// it is whole.
    pub fn new(path: &Path, names: &[ImageName], temporary: &Temporary) -> Result<Self> {
        if path.metadata().is_ok_and(|metadata| metadata.len() > 0) {
            let reason =
                "the file is there already, and a Docker archive cannot be added to; remove it or name another";
            return Err(Error::Unsupported { path: path.to_owned(), reason: reason.to_owned() });
        }
        let tagged = names.iter().filter(|name| name.tag.is_some() || name.digest.is_none());
        let names = tagged.map(|name| ImageName { digest: None, ..name.clone() }.spelt_out()).collect();
        Ok(Self {
            writer: Writer::new(path, temporary)?,
            names,
            manifests: Mutex::default(),
            configs: Mutex::default(),
        })
    }

    fn no(&self, reason: String) -> Error {
        Error::Unsupported { path: self.writer.path().to_owned(), reason }
    }

    /// The configuration and the layers of `root`, once they are what they should be to each other.
    fn parts(&self, root: &Descriptor) -> Result<(Digest, Vec<Digest>)> {
        let missing = |digest: &Digest| Error::Missing { path: self.writer.path().to_owned(), digest: digest.clone() };
        let manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        let manifest = manifests.get(&root.digest).ok_or_else(|| missing(&root.digest))?;
        let place = format!("manifest {}", manifest.digest);
        let view = manifest.view().map_err(|source| Error::Manifest { place, source })?;
        let (Kind::Image, Some(config)) = (view.kind, view.config) else {
            return Err(self.no("it is not an image of one platform; choose one".to_owned()));
        };
        let plain = [Format::Docker, Format::Oci].map(|format| format.layer_type(Compression::None));
        if let Some(layer) = view.layers.iter().find(|layer| !plain.contains(&Some(&layer.media_type))) {
            return Err(self.no(format!("layer {} is {}, not an uncompressed tar", layer.digest, layer.media_type)));
        }
        let configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = configs.get(&config.digest).ok_or_else(|| missing(&config.digest))?;
        let place = format!("configuration {}", config.digest);
        let parsed = ImageConfig::parse(bytes).map_err(|source| Error::Config { place: place.clone(), source })?;
        let layers: Vec<Digest> = view.layers.into_iter().map(|layer| layer.digest).collect();
        if parsed.diff_ids != layers {
            return Err(Error::Damaged { place, reason: "its diff_ids are not the manifest's layers".to_owned() });
        }
        Ok((config.digest, layers))
    }
}

impl Destination for DockerDestination {
    fn accepts(&self) -> Accepts {
        Accepts { indexes: false, formats: Formats::Docker, layers: Layers::Uncompressed, beside: false }
    }

    fn has_blob(&self, descriptor: &Descriptor) -> Result<bool> {
        Ok(self.writer.has(&descriptor.digest, descriptor.size))
    }

    fn put_blob(&self, descriptor: &Descriptor, content: &mut dyn Read) -> Result<()> {
        if !MediaType::is_image_config(&descriptor.media_type) {
            return self.writer.put(descriptor, content);
        }
        if descriptor.size > LONGEST_MANIFEST {
            return Err(
                self.no(format!("its configuration has {} bytes, of at most {LONGEST_MANIFEST}", descriptor.size))
            );
        }
        let mut bytes = Vec::new();
        crate::verified::copy_named(descriptor, content, &mut bytes, self.writer.path())?;
        self.writer.put(descriptor, &mut &bytes[..])?;
        self.configs.lock().unwrap_or_else(PoisonError::into_inner).insert(descriptor.digest.clone(), bytes);
        Ok(())
    }

    fn put_unnamed(&self, content: &mut dyn Read) -> Result<(Digest, u64)> {
        self.writer.put_unnamed(content)
    }

    fn put_manifest(&self, manifest: &Stored) -> Result<()> {
        layout::check_manifest(manifest)?;
        crate::verified::check(&manifest.bytes, &manifest.digest, format!("manifest {}", manifest.digest))?;
        let mut manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        manifests.insert(manifest.digest.clone(), manifest.clone());
        Ok(())
    }

    fn finish(self: Box<Self>, root: &Descriptor) -> Result<()> {
        let (config, layers) = self.parts(root)?;
        let missing = |digest: &&Digest| !self.writer.contains(digest);
        if let Some(digest) = layers.iter().find(missing) {
            return Err(Error::Missing { path: self.writer.path().to_owned(), digest: digest.clone() });
        }
        let name = |digest: &Digest| {
            let kind = if *digest == config { "json" } else { "tar" };
            format!("{}.{kind}", digest.hex())
        };
        let image = Image { config: name(&config), repo_tags: &self.names, layers: layers.iter().map(name).collect() };
        let damaged = |error: serde_json::Error| self.no(error.to_string());
        let files = [("manifest.json", serde_json::to_vec(&[image]).map_err(damaged)?)];
        self.writer.finish(name, &files)
    }
}
