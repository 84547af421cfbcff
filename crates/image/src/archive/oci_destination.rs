//! Writing `oci-archive:path[:ref]`: one image, in place of what the file held.

use std::io::Read;
use std::path::Path;

use wharf_oci::{Descriptor, Digest};

use super::oci::entry_name;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::layout::AllBeside;
use crate::{Accepts, Destination, Formats, Layers, Stored, Temporary, layout};

/// An image on its way into an archive.
#[derive(Debug)]
pub struct OciDestination {
    writer: Writer,
    name: Option<String>,
    beside: AllBeside,
}

impl OciDestination {
    /// `name` is what the image is called in the archive, if anything. A `path` that is a pipe or a device gets the archive
    /// when it is whole.
    pub fn new(path: &Path, name: Option<&str>, temporary: &Temporary) -> Result<Self> {
        Ok(Self { writer: Writer::new(path, temporary)?, name: name.map(str::to_owned), beside: AllBeside::default() })
    }
}

impl Destination for OciDestination {
    fn accepts(&self) -> Accepts {
        Accepts { indexes: true, formats: Formats::Oci, layers: Layers::AsTheyAre, beside: true }
    }

    fn has_blob(&self, descriptor: &Descriptor) -> Result<bool> {
        Ok(self.writer.has(&descriptor.digest, descriptor.size))
    }

    fn put_blob(&self, descriptor: &Descriptor, content: &mut dyn Read) -> Result<()> {
        self.writer.put(descriptor, content)
    }

    fn put_unnamed(&self, content: &mut dyn Read) -> Result<(Digest, u64)> {
        self.writer.put_unnamed(content)
    }

    fn put_manifest(&self, manifest: &Stored) -> Result<()> {
        self.beside.put(self, manifest, None)
    }

    fn put_named(&self, manifest: &Stored, tag: &str) -> Result<()> {
        self.beside.put(self, manifest, Some(layout::beside(self.name.as_deref(), tag)))
    }

    fn finish(self: Box<Self>, root: &Descriptor) -> Result<()> {
        if !self.has_blob(root)? {
            return Err(Error::Missing { path: self.writer.path().to_owned(), digest: root.digest.clone() });
        }
        let index = layout::new_index(root, self.name.as_deref(), &self.beside.into_vec())?;
        let files = [("oci-layout", layout::VERSION.to_vec()), ("index.json", index)];
        self.writer.finish(entry_name, &files)
    }
}
