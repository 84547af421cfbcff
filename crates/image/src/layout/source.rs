//! Reading an image from a layout.

use std::io::{Read, Seek as _, SeekFrom};

use wharf_oci::{Descriptor, Digest};

use super::{Layout, Reading as _, reading};
use crate::error::{Error, Result};
use crate::{Source, Stored, Verified, disk};

/// One image of a layout.
#[derive(Clone, Debug)]
pub struct LayoutSource {
    layout: Layout,
    root: Descriptor,
}

impl LayoutSource {
    pub(super) fn new(layout: Layout, reference: Option<&str>) -> Result<Self> {
        let entries = layout.entries()?;
        match reading::pick(&layout, &entries, reference) {
            Ok(root) => Ok(Self { root: root.clone(), layout }),
            Err(reason) => Err(Error::Reference { path: layout.path, reason }),
        }
    }

    /// The entry that was picked, as `index.json` has it.
    pub fn descriptor(&self) -> &Descriptor {
        &self.root
    }
}

impl Source for LayoutSource {
    fn root(&self) -> Result<Stored> {
        reading::root(&self.layout, &self.root)
    }

    fn manifest(&self, digest: &Digest) -> Result<Stored> {
        self.layout.manifest(digest, None)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let path = self.layout.existing(&descriptor.digest)?;
        let (file, _) = disk::open(&path)?;
        Ok(Box::new(Verified::new(file, descriptor, path.display().to_string())))
    }

    fn unchecked(&self, descriptor: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>> {
        let path = self.layout.existing(&descriptor.digest)?;
        let (mut file, length) = disk::open(&path)?;
        reading::has_size(descriptor, length, || path.display().to_string())?;
        file.seek(SeekFrom::Start(offset)).map_err(Error::io("read", &path))?;
        Ok(Box::new(file.take(length.saturating_sub(offset))))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        reading::referrers(&self.layout, &self.layout.entries()?, subject)
    }

    fn named(&self, tag: &str) -> Result<Option<Stored>> {
        reading::beside_of(&self.layout, &self.layout.entries()?, &self.root, tag)
    }
}
