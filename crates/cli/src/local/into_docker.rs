//! Into docker, by `docker load`'s call of its engine.

use std::io::Read;
use std::path::PathBuf;

use tokio::runtime::Handle;
use wharf_client::docker::Engine;
use wharf_image::archive::DockerDestination;
use wharf_image::{Accepts, Destination, Error, Result, Stored, TemporaryFolder};
use wharf_oci::{Descriptor, Digest, ImageName};

use crate::environment;

/// An image on its way into docker, which sees it when all of it is there.
pub(super) struct IntoDocker {
    archive: Box<DockerDestination>,
    file: PathBuf,
    engine: Engine,
    runtime: Handle,
    _folder: TemporaryFolder,
}

impl IntoDocker {
    /// The archive grows in `folder`. `runtime` is what asks the engine, from a thread that may block.
    pub(super) fn new(engine: Engine, name: &ImageName, folder: TemporaryFolder, runtime: Handle) -> Result<Self> {
        let file = folder.path().join("image.tar");
        let archive = Box::new(DockerDestination::new(&file, std::slice::from_ref(name), &environment::temporary())?);
        Ok(Self { archive, file, engine, runtime, _folder: folder })
    }
}

impl Destination for IntoDocker {
    fn accepts(&self) -> Accepts {
        self.archive.accepts()
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
        let Self { archive, file, engine, runtime, _folder } = *self;
        archive.finish(root)?;
        let loaded = runtime.block_on(async {
            let archive = tokio::fs::File::open(&file).await.map_err(|error| error.to_string())?;
            engine.load(archive).await.map_err(|error| error.to_string())
        });
        loaded.map(drop).map_err(|error| Error::Foreign(format!("docker did not take the image: {error}")))
    }
}
