//! Where an image is read from, whether a registry or a file.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use wharf_client::registry::{self, Blob, Registry, Repository};
use wharf_image::{Source, Stored};
use wharf_oci::{Descriptor, Digest, ImageConfig, Manifest, Platform, Reference, Tag};

use crate::stream::{Stream, blocking};
use crate::{Error, Result};

/// Longest configuration that is read into memory, in bytes.
const LONGEST_CONFIG: u64 = 16 << 20;
/// Indexes within indexes.
const DEEPEST: usize = 8;

/// Which of an index's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) platform: Platform,
    /// A person said so: an image for something else is none of those.
    pub(crate) is_named: bool,
}

impl Wanted {
    /// This machine's where nothing is said.
    pub(crate) fn new(named: Option<&Platform>) -> Self {
        let platform = named.cloned().unwrap_or_else(Platform::of_this_machine);
        Self { platform, is_named: named.is_some() }
    }
}

/// One image, to be read. A clone reads the same one.
#[derive(Clone)]
pub(crate) struct Origin {
    /// As people call it.
    pub(crate) shown: String,
    pub(crate) at: At,
    /// Its format keeps layers without compression, whatever they were before.
    pub(crate) unpacks: bool,
}

/// What it lies in.
#[derive(Clone)]
pub(crate) enum At {
    Registry {
        repository: Repository,
        reference: Reference,
        /// Where that of which this is a mirror lies: it has what the mirror has not.
        own: Option<Repository>,
    },
    Local(Arc<dyn Source>),
}

impl Origin {
    /// The registry that it lies at.
    pub(crate) fn registry(&self) -> Option<Registry> {
        match &self.at {
            At::Registry { repository, .. } => Some(repository.registry()),
            At::Local(_) => None,
        }
    }

    /// What a registry says of it without sending the manifest; `None` where that is not asked of a registry.
    pub(crate) async fn head(&self) -> Result<Option<Descriptor>> {
        match &self.at {
            At::Registry { repository, reference, .. } => Ok(repository.head(reference).await?),
            At::Local(_) => Ok(None),
        }
    }

    /// What its name stands for: an index, or a manifest.
    pub(crate) async fn root(&self) -> Result<Stored> {
        match &self.at {
            At::Registry { repository, reference, own } => manifest(repository, own.as_ref(), reference).await,
            At::Local(source) => {
                let source = Arc::clone(source);
                blocking(move || Ok(source.root()?)).await
            }
        }
    }

    /// A manifest that another one names.
    pub(crate) async fn manifest(&self, digest: &Digest) -> Result<Stored> {
        match &self.at {
            At::Registry { repository, own, .. } => {
                manifest(repository, own.as_ref(), &Reference::Digest(digest.clone())).await
            }
            At::Local(source) => {
                let (source, digest) = (Arc::clone(source), digest.clone());
                blocking(move || Ok(source.manifest(&digest)?)).await
            }
        }
    }

    /// A blob's bytes, which end in an error if they are not what the descriptor says.
    pub(crate) async fn open(&self, descriptor: &Descriptor) -> Result<Stream> {
        match &self.at {
            At::Registry { repository, own, .. } => {
                let blob = match (repository.blob(descriptor).await, own) {
                    (Err(_), Some(own)) => own.blob(descriptor).await?,
                    (blob, _) => blob?,
                };
                Ok(Stream::Remote(Box::new(blob.into_read())))
            }
            At::Local(source) => {
                let (source, descriptor) = (Arc::clone(source), descriptor.clone());
                Ok(Stream::Local(blocking(move || Ok(source.blob(&descriptor)?)).await?))
            }
        }
    }

    /// The plain tar of a layer that is kept unpacked.
    pub(crate) async fn unpacked(&self, layer: &Descriptor) -> Result<Option<Descriptor>> {
        match &self.at {
            At::Registry { .. } => Ok(None),
            At::Local(source) => {
                let (source, layer) = (Arc::clone(source), layer.clone());
                blocking(move || Ok(source.unpacked(&layer)?)).await
            }
        }
    }

    /// As [`Origin::open`] from `offset` on, for a registry that compares it with its digest.
    pub(crate) async fn open_unchecked(&self, descriptor: &Descriptor, offset: u64) -> Result<Stream> {
        match &self.at {
            At::Registry { repository, own, .. } => {
                let blob = blob_unchecked(repository, own.as_ref(), descriptor, offset).await?;
                Ok(Stream::Remote(Box::new(blob.into_read())))
            }
            At::Local(source) => {
                let (source, descriptor) = (Arc::clone(source), descriptor.clone());
                Ok(Stream::Local(blocking(move || Ok(source.unchecked(&descriptor, offset)?)).await?))
            }
        }
    }

    /// What is wrong with a blob here, after a registry would not take it as what it is said to be.
    pub(crate) async fn damage(&self, descriptor: &Descriptor) -> Option<Error> {
        let stream = match self.open(descriptor).await {
            Ok(stream) => stream,
            Err(error) => return Some(error),
        };
        let mut read = stream.waiting();
        tokio::io::copy(&mut read, &mut tokio::io::sink()).await.err().map(|error| self.failed(error))
    }

    /// The whole of a configuration.
    pub(crate) async fn config(&self, descriptor: &Descriptor) -> Result<Bytes> {
        if descriptor.size > LONGEST_CONFIG {
            let said = format!("{}: its configuration of {} bytes is too large to read", self.shown, descriptor.size);
            return Err(Error::Failed(said));
        }
        let mut read = self.open(descriptor).await?.waiting();
        let mut bytes = Vec::new();
        read.read_to_end(&mut bytes).await.map_err(|error| self.failed(error))?;
        Ok(bytes.into())
    }

    /// Manifests that say they are about this one.
    pub(crate) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        match &self.at {
            At::Registry { repository, .. } => Ok(repository.referrers(subject, None).await?),
            At::Local(source) => {
                let (source, subject) = (Arc::clone(source), subject.clone());
                blocking(move || Ok(source.referrers(&subject)?)).await
            }
        }
    }

    /// The manifest that a tag beside this one stands for, where there are tags.
    pub(crate) async fn tagged(&self, tag: Tag) -> Result<Option<Stored>> {
        let repository = match &self.at {
            At::Registry { repository, .. } => repository,
            At::Local(source) => {
                let source = Arc::clone(source);
                return blocking(move || Ok(source.named(tag.as_str())?)).await;
            }
        };
        match repository.manifest(&Reference::Tag(tag)).await {
            Ok(manifest) => Ok(Some(stored(manifest))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Its repository as images are named, or nothing.
    pub(crate) fn repository(&self) -> String {
        match &self.at {
            At::Registry { .. } => {
                let name = self.shown.split_once('@').map_or(self.shown.as_str(), |(name, _)| name);
                let tag = name.rfind(':').filter(|at| !name[*at..].contains('/'));
                name[..tag.unwrap_or(name.len())].to_owned()
            }
            At::Local(_) => String::new(),
        }
    }

    /// What a manifest's bytes refer to.
    pub(crate) fn view(&self, manifest: &Stored) -> Result<Manifest> {
        manifest
            .view()
            .map_err(|error| Error::Damaged(format!("{}: manifest {}: {error}", self.shown, manifest.digest)))
    }

    /// The image for a platform: `root` itself, or one of those that it lists.
    pub(crate) async fn image_for(&self, root: Stored, wanted: &Wanted) -> Result<Stored> {
        if wanted.is_named && !root.is_index() {
            self.check_platform(&root, &wanted.platform).await?;
        }
        let mut found = root;
        for _ in 0..DEEPEST {
            if !found.is_index() {
                return Ok(found);
            }
            let index = self.view(&found)?;
            let digest = self.choose(&index, &wanted.platform)?;
            found = self.manifest(&digest).await?;
        }
        Err(Error::Failed(format!("{}: it has indexes in indexes, more than {DEEPEST} deep", self.shown)))
    }

    /// Refuses an image that says that it runs on something else. What is no image runs on nothing.
    async fn check_platform(&self, image: &Stored, wanted: &Platform) -> Result<()> {
        let view = self.view(image)?;
        let Some(config) = view.image_config() else { return Ok(()) };
        let Ok(ImageConfig { platform, .. }) = ImageConfig::parse(&self.config(config).await?) else { return Ok(()) };
        if platform.os.is_empty() || platform.architecture.is_empty() || wanted.takes(&platform) {
            return Ok(());
        }
        let shown = &self.shown;
        Err(Error::NotFound(format!("{shown} has no image for {wanted}; it is one image, for {platform}")))
    }

    fn choose(&self, index: &Manifest, platform: &Platform) -> Result<Digest> {
        let offers = index.children.iter().filter_map(|child| Some((child, child.platform.as_ref()?)));
        if let Some(child) = platform.choose(offers) {
            return Ok(child.digest.clone());
        }
        // What says nothing of platforms and lists one image means that one.
        if let [only] = index.children.as_slice()
            && only.platform.is_none()
        {
            return Ok(only.digest.clone());
        }
        let has: Vec<String> =
            index.children.iter().filter_map(|child| Some(child.platform.as_ref()?.to_string())).collect();
        let has = if has.is_empty() {
            "it says of none what it runs on".into()
        } else {
            format!("it has {}", has.join(", "))
        };
        let shown = &self.shown;
        Err(Error::NotFound(format!(
            "{shown} has no image for {platform}; {has}: choose with --platform, or take --all"
        )))
    }

    /// Reading it came to an end too early.
    pub(crate) fn failed(&self, source: std::io::Error) -> Error {
        Error::Read { shown: self.shown.clone(), source }
    }
}

/// A manifest of a mirror, or of what it mirrors.
async fn manifest(repository: &Repository, own: Option<&Repository>, reference: &Reference) -> Result<Stored> {
    let manifest = match (repository.manifest(reference).await, own) {
        (Err(_), Some(own)) => own.manifest(reference).await?,
        (manifest, _) => manifest?,
    };
    Ok(stored(manifest))
}

/// A blob of a mirror, or of what it mirrors; its reader does not compare it with its digest.
pub(crate) async fn blob_unchecked(
    repository: &Repository,
    own: Option<&Repository>,
    descriptor: &Descriptor,
    offset: u64,
) -> Result<Blob> {
    Ok(match (repository.blob_unchecked(descriptor, offset).await, own) {
        (Err(_), Some(own)) => own.blob_unchecked(descriptor, offset).await?,
        (blob, _) => blob?,
    })
}

pub(crate) fn stored(manifest: registry::Stored) -> Stored {
    Stored { media_type: manifest.media_type, digest: manifest.digest, bytes: manifest.bytes }
}
