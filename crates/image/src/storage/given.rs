//! An image that an engine gave out. Its layers are plain tars, which they were not when the engine got them.

use std::io::Read;

use wharf_oci::{Descriptor, Digest};

use crate::compress::Compression;
use crate::convert::Format;
use crate::temporary::TemporaryFolder;
use crate::{Result, Source, Stored};

/// What `source` has, its plain layers to be compressed on their way.
pub struct Given {
    source: Box<dyn Source>,
    _folder: TemporaryFolder,
}

impl Given {
    /// What an engine wrote into a folder, which goes with it.
    pub fn new(source: Box<dyn Source>, folder: TemporaryFolder) -> Self {
        Self { source, _folder: folder }
    }
}

impl Source for Given {
    fn root(&self) -> Result<Stored> {
        self.source.root()
    }

    fn manifest(&self, digest: &Digest) -> Result<Stored> {
        self.source.manifest(digest)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        self.source.blob(descriptor)
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        self.source.referrers(subject)
    }

    fn unpacked(&self, layer: &Descriptor) -> Result<Option<Descriptor>> {
        let plain = [Format::Oci, Format::Docker].map(|format| format.layer_type(Compression::None));
        Ok(plain.contains(&Some(&layer.media_type)).then(|| layer.clone()))
    }
}
