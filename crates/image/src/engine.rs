//! Images that other engines give out and take in, through a folder that goes afterwards.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use wharf_oci::{Descriptor, Digest};

use crate::compress::Compression;
use crate::convert::Format;
use crate::temporary::TemporaryFolder;
use crate::{Accepts, Destination, Error, Result, Source, Stored};

/// What an engine gave out. Its layers are plain tars, which they were not when the engine got them: they are to be
/// compressed on their way.
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

/// How an engine takes in an archive that is whole.
type Take = Box<dyn FnOnce(File) -> io::Result<()> + Send + Sync>;

/// One image on its way into an engine, which sees it when all of it is there.
pub struct Handed {
    engine: &'static str,
    archive: Box<dyn Destination>,
    file: PathBuf,
    take: Take,
    _folder: TemporaryFolder,
}

impl Handed {
    /// The archive that `begin` makes grows in `folder`. `engine` names who takes it, for messages.
    pub fn new<A: Destination + 'static>(
        engine: &'static str,
        folder: TemporaryFolder,
        begin: impl FnOnce(&Path) -> Result<A>,
        take: impl FnOnce(File) -> io::Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        let file = folder.path().join("image.tar");
        Ok(Self { engine, archive: Box::new(begin(&file)?), file, take: Box::new(take), _folder: folder })
    }
}

impl Destination for Handed {
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
        let Self { engine, archive, file, take, _folder } = *self;
        archive.finish(root)?;
        let archive = File::open(&file).map_err(Error::io("open", &file))?;
        take(archive).map_err(|error| Error::Foreign(format!("{engine} did not take the image: {error}")))
    }
}
