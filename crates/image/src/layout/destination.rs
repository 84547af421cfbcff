//! Writing an image into a layout.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use wharf_oci::{Algorithm, Descriptor, Digest};

use super::{AllBeside, Layout, Reading as _, beside, index, name_of};
use crate::disk::{self, Lock, Unfinished};
use crate::error::{Error, Result};
use crate::{Accepts, Destination, Formats, Layers, Stored, verified};

/// An image on its way into a layout.
#[derive(Debug)]
pub struct LayoutDestination {
    layout: Layout,
    name: Option<String>,
    beside: AllBeside,
}

impl LayoutDestination {
    pub(super) fn new(layout: Layout, name: Option<&str>) -> Self {
        disk::sweep(&layout.path);
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            disk::sweep(&layout.blob_folder(algorithm));
        }
        Self { layout, name: name.map(str::to_owned), beside: AllBeside::default() }
    }

    /// The folder of blobs of that digest's algorithm, made when missing.
    fn folder(&self, algorithm: Algorithm) -> Result<std::path::PathBuf> {
        self.layout.make()?;
        let folder = self.layout.blob_folder(algorithm);
        disk::make_folder(&folder)?;
        Ok(folder)
    }

    fn put(&self, digest: &Digest, file: Unfinished) -> Result<()> {
        file.finish(&self.layout.blob_path(digest))
    }

    fn sync_blobs(&self) -> Result<()> {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let folder = self.layout.blob_folder(algorithm);
            if folder.is_dir() {
                disk::sync_folder(&folder)?;
            }
        }
        Ok(())
    }
}

impl Destination for LayoutDestination {
    fn accepts(&self) -> Accepts {
        Accepts { indexes: true, formats: Formats::Oci, layers: Layers::AsTheyAre, beside: true }
    }

    fn has_blob(&self, descriptor: &Descriptor) -> Result<bool> {
        disk::has(&self.layout.blob_path(&descriptor.digest), descriptor.size)
    }

    fn put_blob(&self, descriptor: &Descriptor, content: &mut dyn Read) -> Result<()> {
        let file = Unfinished::new(&self.folder(descriptor.digest.algorithm())?)?;
        verified::copy_named(descriptor, content, &mut file.file(), file.path())?;
        self.put(&descriptor.digest, file)
    }

    fn put_unnamed(&self, content: &mut dyn Read) -> Result<(Digest, u64)> {
        let file = Unfinished::new(&self.folder(Algorithm::Sha256)?)?;
        let (digest, size) = verified::copy_unnamed(content, &mut file.file(), file.path())?;
        self.put(&digest, file)?;
        Ok((digest, size))
    }

    fn put_manifest(&self, manifest: &Stored) -> Result<()> {
        self.beside.put(self, manifest, None)
    }

    fn named(&self, tag: &str) -> Result<Option<Stored>> {
        let name = beside(self.name.as_deref(), tag);
        let file = self.layout.index_file();
        let entries = index::view(&existing_index(&file)?, &file.display().to_string())?.children;
        let Some(entry) = entries.iter().find(|entry| name_of(entry) == Some(&name)) else { return Ok(None) };
        match self.layout.manifest(&entry.digest, Some(&entry.media_type)) {
            // Its name alone is nothing to keep.
            Err(Error::Missing { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    fn put_named(&self, manifest: &Stored, tag: &str) -> Result<()> {
        self.beside.put(self, manifest, Some(beside(self.name.as_deref(), tag)))
    }

    fn finish(self: Box<Self>, root: &Descriptor) -> Result<()> {
        if !self.has_blob(root)? {
            return Err(Error::Missing { path: self.layout.path.clone(), digest: root.digest.clone() });
        }
        self.sync_blobs()?;
        let lock = Lock::exclusive(&self.layout.path)?;
        let file = self.layout.index_file();
        let before = existing_index(&file)?;
        let beside = self.beside.into_vec();
        let after = index::with(&before, &file.display().to_string(), root, self.name.as_deref(), &beside)?;
        disk::write_under(&lock, &file, &after)?;
        disk::sync_folder(&self.layout.path)
    }
}

fn existing_index(file: &Path) -> Result<Vec<u8>> {
    match fs::metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(index::EMPTY.to_vec()),
        _ => disk::read(file, super::LONGEST_INDEX),
    }
}
