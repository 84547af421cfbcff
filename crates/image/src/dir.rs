//! `dir:path`: the files of one image side by side, as skopeo's directory transport has them.
//!
//! An image that is there stays until the new one is whole: content is named by its digest, so the two do not meet, and
//! `manifest.json` changes from one to the other at once. What only the old one had goes after that.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wharf_oci::{Algorithm, Descriptor, Digest};

use crate::disk::{self, Lock, Unfinished};
use crate::error::{Error, Result};
use crate::{Accepts, Destination, Formats, LONGEST_MANIFEST, Layers, Source, Stored, Verified, layout, verified};

const VERSION_FILE: &str = "version";
const ROOT_FILE: &str = "manifest.json";
const VERSION_START: &str = "Directory Transport Version: 1.";
const EXPECTED: &str = "a dir: image";

/// Content of SHA-256 goes by its digits alone.
fn blob_name(digest: &Digest) -> String {
    match digest.algorithm() {
        Algorithm::Sha256 => digest.hex().to_owned(),
        other @ Algorithm::Sha512 => format!("{other}-{}", digest.hex()),
    }
}

fn manifest_name(digest: &Digest) -> String {
    format!("{}.manifest.json", blob_name(digest))
}

fn not_one(path: &Path, reason: impl Into<String>) -> Error {
    Error::NotA { path: path.to_owned(), expected: EXPECTED, reason: reason.into() }
}

/// Errors when the folder says that it is of a kind that is not known. Nothing said is well.
fn check_version(path: &Path) -> Result<bool> {
    let file = path.join(VERSION_FILE);
    if !file.exists() {
        return Ok(false);
    }
    let text = disk::read(&file, 1024)?;
    if text.starts_with(VERSION_START.as_bytes()) {
        return Ok(true);
    }
    Err(not_one(path, format!("its file version does not begin with {VERSION_START:?}")))
}

/// An image in a folder.
#[derive(Clone, Debug)]
pub struct DirSource {
    path: PathBuf,
    root: Stored,
}

impl DirSource {
    /// Reads the root manifest. Errors when the folder is none of this kind.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        check_version(&path)?;
        let file = path.join(ROOT_FILE);
        if path.is_dir() && !file.exists() {
            return Err(not_one(&path, format!("it has no file {ROOT_FILE}")));
        }
        let bytes = disk::read(&file, LONGEST_MANIFEST)?;
        let place = file.display().to_string();
        let root = Stored::new(None, bytes).map_err(|source| Error::Manifest { place, source })?;
        Ok(Self { path, root })
    }

    fn existing(&self, digest: &Digest, name: String) -> Result<PathBuf> {
        let path = self.path.join(name);
        if path.exists() { Ok(path) } else { Err(Error::Missing { path: self.path.clone(), digest: digest.clone() }) }
    }
}

impl Source for DirSource {
    fn root(&self) -> Result<Stored> {
        Ok(self.root.clone())
    }

    fn manifest(&self, digest: &Digest) -> Result<Stored> {
        if *digest == self.root.digest {
            return Ok(self.root.clone());
        }
        let path = self.existing(digest, manifest_name(digest))?;
        let bytes = disk::read(&path, LONGEST_MANIFEST)?;
        Stored::checked(digest, None, bytes, path.display().to_string())
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let path = self.existing(&descriptor.digest, blob_name(&descriptor.digest))?;
        let (file, _) = disk::open(&path)?;
        Ok(Box::new(Verified::new(file, descriptor, path.display().to_string())))
    }

    fn referrers(&self, _: &Digest) -> Result<Vec<Descriptor>> {
        Ok(Vec::new())
    }
}

/// An image on its way into a folder.
#[derive(Debug)]
pub struct DirDestination {
    path: PathBuf,
    /// Files of the new image.
    names: Mutex<HashSet<String>>,
}

impl DirDestination {
    /// Makes the folder when it is missing. Errors when it holds something else than an image of this kind.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        disk::make_folder(&path)?;
        if !check_version(&path)? {
            let entries = path.read_dir().map_err(Error::io("read", &path))?;
            let mut names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            if let Some(name) = names.find(|name| !name.starts_with(disk::UNFINISHED)) {
                let reason = format!("it holds {name} and no file {VERSION_FILE}; name a new or an empty folder");
                return Err(not_one(&path, reason));
            }
        }
        disk::sweep(&path);
        disk::write(&path.join(VERSION_FILE), format!("{VERSION_START}1\n").as_bytes())?;
        Ok(Self { path, names: Mutex::default() })
    }

    fn names(&self) -> MutexGuard<'_, HashSet<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `file` under `name`.
    fn keep(&self, file: Unfinished, name: String) -> Result<()> {
        file.finish(&self.path.join(&name))?;
        self.names().insert(name);
        Ok(())
    }

    /// Removes what the image that was there had for itself. Only files that such an image has.
    fn remove_others(&self, keep: &HashSet<String>) -> Result<()> {
        let entries = self.path.read_dir().map_err(Error::io("read", &self.path))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_ours(&name) && !keep.contains(&name) {
                fs::remove_file(entry.path()).map_err(Error::io("remove", &entry.path()))?;
            }
        }
        disk::sync_folder(&self.path)
    }
}

/// Whether an image of this kind has files of that name besides `manifest.json` and `version`.
fn is_ours(name: &str) -> bool {
    let of_digest = |text: &str| {
        let digest = if text.contains('-') { text.replacen('-', ":", 1) } else { format!("sha256:{text}") };
        digest.parse::<Digest>().is_ok()
    };
    let stem = name.strip_suffix(".manifest.json").unwrap_or(name);
    let signed = stem.split_once(".signature-").map_or(stem, |(stem, _)| stem);
    of_digest(signed) || name.starts_with("signature-")
}

impl Destination for DirDestination {
    fn accepts(&self) -> Accepts {
        Accepts { indexes: true, formats: Formats::Both, layers: Layers::AsTheyAre, beside: false }
    }

    fn has_blob(&self, descriptor: &Descriptor) -> Result<bool> {
        let name = blob_name(&descriptor.digest);
        let has = disk::has(&self.path.join(&name), descriptor.size)?;
        if has {
            self.names().insert(name);
        }
        Ok(has)
    }

    fn put_blob(&self, descriptor: &Descriptor, content: &mut dyn Read) -> Result<()> {
        let file = Unfinished::new(&self.path)?;
        verified::copy_named(descriptor, content, &mut file.file(), file.path())?;
        self.keep(file, blob_name(&descriptor.digest))
    }

    fn put_unnamed(&self, content: &mut dyn Read) -> Result<(Digest, u64)> {
        let file = Unfinished::new(&self.path)?;
        let (digest, size) = verified::copy_unnamed(content, &mut file.file(), file.path())?;
        self.keep(file, blob_name(&digest))?;
        Ok((digest, size))
    }

    fn put_manifest(&self, manifest: &Stored) -> Result<()> {
        layout::check_manifest(manifest)?;
        let file = Unfinished::new(&self.path)?;
        let bytes = &mut &manifest.bytes[..];
        verified::copy_named(&manifest.descriptor(), bytes, &mut file.file(), file.path())?;
        self.keep(file, manifest_name(&manifest.digest))
    }

    fn finish(self: Box<Self>, root: &Descriptor) -> Result<()> {
        let name = manifest_name(&root.digest);
        if !self.names().contains(&name) {
            return Err(Error::Missing { path: self.path.clone(), digest: root.digest.clone() });
        }
        let bytes = disk::read(&self.path.join(&name), LONGEST_MANIFEST)?;
        verified::check(&bytes, &root.digest, self.path.join(&name).display().to_string())?;
        disk::sync_folder(&self.path)?;
        let lock = Lock::exclusive(&self.path)?;
        disk::write_under(&lock, &self.path.join(ROOT_FILE), &bytes)?;
        disk::sync_folder(&self.path)?;
        let mut keep = self.names().clone();
        // The root goes by its other name.
        keep.remove(&name);
        self.remove_others(&keep)
    }
}

#[cfg(test)]
mod tests;
