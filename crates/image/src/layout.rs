//! OCI image layouts, `oci:path[:ref]` (image-spec, image-layout.md).
//!
//! `index.json` is replaced under a lock, after all that it will name is on the disk: two writers keep both of their
//! images, and a reader sees the layout before or after, never between. What others wrote into it is kept.

use std::path::PathBuf;

use wharf_oci::{Algorithm, Descriptor, Digest, Manifest};

use crate::error::{Error, Result};
use crate::{LONGEST_MANIFEST, Stored, disk};

mod destination;
mod index;
mod names;
mod reading;
mod source;

pub use destination::LayoutDestination;
pub(crate) use index::{new as new_index, view as view_index};
pub(crate) use names::beside;
pub use names::repository_of;
pub(crate) use reading::{AllBeside, Beside, Reading, beside_of, check_manifest, pick, referrers, root};
pub use source::LayoutSource;

/// The annotation that names an entry of `index.json`.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Longest `index.json`, in bytes: a layout of 50,000 images fits.
const LONGEST_INDEX: u64 = 32 << 20;

/// What the file `oci-layout` says.
pub(crate) const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

const LAYOUT_FILE: &str = "oci-layout";
const INDEX_FILE: &str = "index.json";
const EXPECTED: &str = "an OCI layout";

/// A folder in the form of the OCI image layout.
#[derive(Clone, Debug)]
pub struct Layout {
    path: PathBuf,
}

impl Layout {
    /// A layout that is there. Errors when the folder is none, or of a version that is not known.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let layout = Self { path: path.into() };
        layout.check_version()?;
        Ok(layout)
    }

    /// A layout to write into: one that is there, or a new one, which is made when something is put into it. Errors when
    /// the folder holds something else.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let layout = Self { path: path.into() };
        if layout.path.join(LAYOUT_FILE).exists() {
            layout.check_version()?;
        } else if layout.path.exists() {
            layout.check_empty()?;
        }
        Ok(layout)
    }

    /// Makes it, if it is not there.
    fn make(&self) -> Result<()> {
        let file = self.path.join(LAYOUT_FILE);
        if file.exists() {
            return Ok(());
        }
        disk::make_folder(&self.path)?;
        disk::write(&file, VERSION)
    }

    /// What `index.json` lists, in its order.
    pub fn entries(&self) -> Result<Vec<Descriptor>> {
        Ok(self.index()?.children)
    }

    /// The image of that name. `None`: the only one there. `@N`: the one at position N, counted from 0; `@sha256:…`: the
    /// one with that digest.
    pub fn source(&self, reference: Option<&str>) -> Result<LayoutSource> {
        source::LayoutSource::new(self.clone(), reference)
    }

    /// Where an image is to go under a name, or without one. What killed writers left there is removed.
    pub fn destination(&self, name: Option<&str>) -> LayoutDestination {
        destination::LayoutDestination::new(self.clone(), name)
    }

    fn check_version(&self) -> Result<()> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            image_layout_version: String,
        }

        let file = self.path.join(LAYOUT_FILE);
        if self.path.is_dir() && !file.exists() {
            return Err(self.is_none(format!("it has no file {LAYOUT_FILE}")));
        }
        let bytes = disk::read(&file, LONGEST_MANIFEST)?;
        let version: Version =
            serde_json::from_slice(&bytes).map_err(|error| self.is_none(format!("{LAYOUT_FILE}: {error}")))?;
        // Minor versions only add (image-spec, image-layout.md §oci-layout file).
        if version.image_layout_version.starts_with("1.") {
            return Ok(());
        }
        Err(self.is_none(format!("its version is {:?}, and only 1.x is known", version.image_layout_version)))
    }

    fn check_empty(&self) -> Result<()> {
        let entries = self.path.read_dir().map_err(Error::io("read", &self.path))?;
        let mut names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        match names.find(|name| !name.starts_with(disk::UNFINISHED)) {
            // Another writer has made it meanwhile.
            Some(_) if self.path.join(LAYOUT_FILE).exists() => self.check_version(),
            Some(name) => {
                Err(self.is_none(format!("it holds {name} and no {LAYOUT_FILE}; name a new or an empty folder")))
            }
            None => Ok(()),
        }
    }

    fn is_none(&self, reason: String) -> Error {
        Error::NotA { path: self.path.clone(), expected: EXPECTED, reason }
    }

    fn index_file(&self) -> PathBuf {
        self.path.join(INDEX_FILE)
    }

    fn index(&self) -> Result<Manifest> {
        let bytes = disk::read(&self.index_file(), LONGEST_INDEX)?;
        index::view(&bytes, &self.index_file().display().to_string())
    }

    fn blob_folder(&self, algorithm: Algorithm) -> PathBuf {
        self.path.join("blobs").join(algorithm.as_str())
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blob_folder(digest.algorithm()).join(digest.hex())
    }

    fn existing(&self, digest: &Digest) -> Result<PathBuf> {
        let path = self.blob_path(digest);
        if path.exists() { Ok(path) } else { Err(Error::Missing { path: self.path.clone(), digest: digest.clone() }) }
    }
}

impl Reading for Layout {
    fn manifest(&self, digest: &Digest, media_type: Option<&str>) -> Result<Stored> {
        let path = self.existing(digest)?;
        let bytes = disk::read(&path, LONGEST_MANIFEST)?;
        Stored::checked(digest, media_type, bytes, path.display().to_string())
    }

    fn place(&self, digest: &Digest) -> String {
        self.blob_path(digest).display().to_string()
    }
}

fn name_of(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(REF_NAME).map(String::as_str)
}

/// For messages; a layout may hold thousands.
pub(crate) fn listed(names: &[&str]) -> String {
    const MOST: usize = 8;
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{shown} and {} more", names.len() - MOST) } else { shown }
}

#[cfg(test)]
mod tests;
