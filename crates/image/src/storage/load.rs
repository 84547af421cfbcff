//! Into podman's storage, by `podman load`, which takes a file with an OCI layout and keeps the name that is in it.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use wharf_oci::{Descriptor, Digest};

use super::Podman;
use crate::archive::OciDestination;
use crate::temporary::TemporaryFolder;
use crate::{Accepts, Destination, Error, Result, Stored};

/// An image on its way into podman's storage. Podman sees it when all of it is there.
#[derive(Debug)]
pub struct Load {
    archive: Box<OciDestination>,
    file: PathBuf,
    podman: Podman,
    _folder: TemporaryFolder,
}

impl Load {
    /// `name` is what podman will call it, in full: `localhost/team/app:v1`.
    pub fn new(podman: Podman, name: &str) -> Result<Self> {
        let folder = podman.temporary.folder()?;
        let file = folder.path().join("image.tar");
        Ok(Self {
            archive: Box::new(OciDestination::new(&file, Some(name), &podman.temporary)?),
            file,
            podman,
            _folder: folder,
        })
    }
}

impl Destination for Load {
    fn accepts(&self) -> Accepts {
        Accepts { indexes: false, beside: false, ..self.archive.accepts() }
    }

    fn has_blob(&self, descriptor: &Descriptor) -> Result<bool> {
        self.archive.has_blob(descriptor)
    }

    fn put_blob(&self, descriptor: &Descriptor, content: &mut dyn Read) -> Result<()> {
        self.archive.put_blob(descriptor, content)
    }

    fn put_unnamed(&self, content: &mut dyn Read) -> Result<(Digest, u64)> {
        self.archive.put_unnamed(content)
    }

    fn put_manifest(&self, manifest: &Stored) -> Result<()> {
        self.archive.put_manifest(manifest)
    }

    fn finish(self: Box<Self>, root: &Descriptor) -> Result<()> {
        let Self { archive, file, podman, _folder } = *self;
        archive.finish(root)?;
        let archive = File::open(&file).map_err(Error::io("open", &file))?;
        podman.take_in(archive).map_err(|error| Error::Foreign(format!("podman did not take the image: {error}")))
    }
}
