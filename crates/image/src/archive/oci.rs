//! Reading `oci-archive:path[:ref]`, an OCI layout in a tar file.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use wharf_oci::{Descriptor, Digest};

use super::{Index, LONGEST_LIST, Limits, open};
use crate::error::{Error, Result};
use crate::layout::{self, Reading};
use crate::{LONGEST_MANIFEST, Source, Stored, Verified};

/// An OCI layout in one file.
#[derive(Clone, Debug)]
pub struct OciArchive {
    index: Arc<Index>,
    entries: Vec<Descriptor>,
}

/// One image of an archive.
#[derive(Clone, Debug)]
pub struct OciSource {
    archive: OciArchive,
    root: Descriptor,
}

impl OciArchive {
    /// Reads which entries there are; of a compressed archive all is unpacked first.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let index = open(path, limits)?;
        let Some(bytes) = index.read("index.json", LONGEST_LIST)? else {
            let hint = if index.has("manifest.json") { "; it looks like one of docker-archive:" } else { "" };
            let reason = format!("it has no entry index.json{hint}");
            return Err(Error::NotA { path: path.to_owned(), expected: "an OCI archive", reason });
        };
        let view = layout::view_index(&bytes, &index.place("index.json"))?;
        Ok(Self { index: Arc::new(index), entries: view.children })
    }

    /// What `index.json` lists, in its order.
    pub fn entries(&self) -> &[Descriptor] {
        &self.entries
    }

    /// As [`layout::Layout::source`].
    pub fn source(&self, reference: Option<&str>) -> Result<OciSource> {
        match layout::pick(self, &self.entries, reference) {
            Ok(root) => Ok(OciSource { archive: self.clone(), root: root.clone() }),
            Err(reason) => Err(Error::Reference { path: self.index.path().to_owned(), reason }),
        }
    }

    fn missing(&self, digest: &Digest) -> Error {
        Error::Missing { path: self.index.path().to_owned(), digest: digest.clone() }
    }
}

pub(super) fn entry_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

impl Reading for OciArchive {
    fn manifest(&self, digest: &Digest, media_type: Option<&str>) -> Result<Stored> {
        let name = entry_name(digest);
        let bytes = self.index.read(&name, LONGEST_MANIFEST)?.ok_or_else(|| self.missing(digest))?;
        Stored::checked(digest, media_type, bytes, self.index.place(&name))
    }

    fn place(&self, digest: &Digest) -> String {
        self.index.place(&entry_name(digest))
    }
}

impl Source for OciSource {
    fn root(&self) -> Result<Stored> {
        layout::root(&self.archive, &self.root)
    }

    fn manifest(&self, digest: &Digest) -> Result<Stored> {
        self.archive.manifest(digest, None)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let name = entry_name(&descriptor.digest);
        let section = self.archive.index.open(&name)?.ok_or_else(|| self.archive.missing(&descriptor.digest))?;
        Ok(Box::new(Verified::new(section, descriptor, self.archive.index.place(&name))))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        layout::referrers(&self.archive, &self.archive.entries, subject)
    }

    fn named(&self, tag: &str) -> Result<Option<Stored>> {
        layout::beside_of(&self.archive, &self.archive.entries, &self.root, tag)
    }
}
