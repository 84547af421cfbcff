//! Where an image is written to, whether a registry or a file.

use std::io::{self, Read as _};
use std::sync::Arc;

use async_trait::async_trait;
use wharf_client::registry::{self, Content, Push, Reader, Registry, Repository, ResumeStore};
use wharf_image::{Accepts, Destination, Formats, Layers, Stored};
use wharf_oci::{Descriptor, Digest, Reference, RepoName, Tag};

use crate::origin::{At, Origin, blob_unchecked, stored};
use crate::packing::{Outcome, Packing};
use crate::stream::{Stop, Stream, blocking};
use crate::{Error, Result};

/// One image, to be written.
pub(crate) struct Target {
    /// As people call it.
    pub(crate) shown: String,
    /// Its readers expect layers that are compressed.
    pub(crate) packs: bool,
    /// It holds images that are run, and nothing else.
    pub(crate) runs: bool,
    pub(crate) to: To,
}

/// What it is to lie in.
pub(crate) enum To {
    /// Under these tags, or by its digest alone.
    Registry {
        repository: Repository,
        tags: Vec<Tag>,
        digest: Option<Digest>,
        resume: Option<ResumeStore>,
    },
    Local(Arc<Box<dyn Destination>>),
}

impl Target {
    /// What may be put there.
    pub(crate) fn accepts(&self) -> Accepts {
        match &self.to {
            To::Registry { .. } => {
                Accepts { indexes: true, formats: Formats::Both, layers: Layers::AsTheyAre, beside: true }
            }
            To::Local(destination) => destination.accepts(),
        }
    }

    /// The registry that it is to lie at.
    pub(crate) fn registry(&self) -> Option<Registry> {
        match &self.to {
            To::Registry { repository, .. } => Some(repository.registry()),
            To::Local(_) => None,
        }
    }

    /// The names that it gets at a registry.
    pub(crate) fn tags(&self) -> Vec<Tag> {
        match &self.to {
            To::Registry { tags, .. } => tags.clone(),
            To::Local(_) => vec![],
        }
    }

    /// The repository that blobs need not be moved from, because both are on one registry.
    pub(crate) fn can_mount_from<'a>(&self, origin: &'a Origin) -> Option<&'a RepoName> {
        let (To::Registry { repository: to, .. }, At::Registry { repository: from, .. }) = (&self.to, &origin.at)
        else {
            return None;
        };
        let is_same = to.registry().address() == from.registry().address();
        (is_same && to.name() != from.name()).then(|| from.name())
    }

    /// What it would take the place of there, if it were put under that tag beside its own. Who may not look does not know.
    pub(crate) async fn tagged(&self, tag: &Tag) -> Result<Option<Stored>> {
        let repository = match &self.to {
            To::Registry { repository, .. } => repository,
            To::Local(destination) => {
                let (destination, tag) = (Arc::clone(destination), tag.clone());
                return blocking(move || Ok(destination.named(tag.as_str())?)).await;
            }
        };
        match repository.manifest(&Reference::Tag(tag.clone())).await {
            Ok(manifest) => Ok(Some(stored(manifest))),
            Err(
                registry::Error::NotFound { .. }
                | registry::Error::Denied { .. }
                | registry::Error::SignInNeeded { .. },
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a person may do about a tag there that is in the way.
    pub(crate) fn without_that_tag(&self) -> &'static str {
        match &self.to {
            To::Registry { .. } => "delete that tag",
            To::Local(_) => "give the image a name with a repository of its own, as in app:v1",
        }
    }

    /// Refuses another image than the one that it is named by the digest of.
    pub(crate) fn is_to_be(&self, found: &Digest) -> Result<()> {
        match &self.to {
            To::Registry { digest: Some(digest), .. } if digest != found => {
                Err(Error::Usage(format!("{} is to be that digest, and what was to go there is {found}", self.shown)))
            }
            _ => Ok(()),
        }
    }

    /// Says whether the registry did.
    pub(crate) async fn mount(&self, descriptor: &Descriptor, from: &RepoName) -> Result<bool> {
        match &self.to {
            To::Registry { repository, .. } => Ok(repository.mount(&descriptor.digest, from).await?),
            To::Local(_) => Ok(false),
        }
    }

    /// Whether it has this already.
    pub(crate) async fn has_blob(&self, descriptor: &Descriptor) -> Result<bool> {
        match &self.to {
            To::Registry { repository, resume, .. } => {
                let found = repository.already_has(&descriptor.digest).await?;
                let is_there = found.is_some_and(|size| size == descriptor.size);
                if let Some(store) = resume.as_ref().filter(|_| is_there) {
                    // Of a process that was killed before it could say so itself.
                    repository.forget_upload(store, descriptor.digest.as_str());
                }
                Ok(is_there)
            }
            To::Local(destination) => {
                let (destination, descriptor) = (Arc::clone(destination), descriptor.clone());
                blocking(move || Ok(destination.has_blob(&descriptor)?)).await
            }
        }
    }

    /// Carries a blob there; `see` is told how far it has come, in bytes.
    pub(crate) async fn put_blob(
        &self,
        origin: &Origin,
        descriptor: &Descriptor,
        see: impl Fn(u64) + Send + Sync + Unpin + 'static,
        stop: &Stop,
    ) -> Result<()> {
        match &self.to {
            To::Registry { repository, resume, .. } => {
                let content = FromOrigin { origin: origin.clone(), descriptor: descriptor.clone(), stop: stop.clone() };
                let push = Push {
                    digest: Some(&descriptor.digest),
                    size: Some(descriptor.size),
                    resume: resume.as_ref().map(|store| (store, descriptor.digest.as_str())),
                    progress: Some(&see),
                    ..Push::default()
                };
                match repository.push_blob(&content, push).await {
                    Ok(_) => Ok(()),
                    // It compares the digest, so that we need not; which end is wrong it cannot know.
                    Err(error) if error.is_wrong_content() => {
                        Err(origin.damage(descriptor).await.unwrap_or_else(|| error.into()))
                    }
                    Err(error) => Err(error.into()),
                }
            }
            To::Local(destination) => {
                let stream = origin.open(descriptor).await?.seen(stop.clone(), see);
                let mut read = stream.blocking();
                let (destination, descriptor) = (Arc::clone(destination), descriptor.clone());
                blocking(move || Ok(destination.put_blob(&descriptor, &mut read)?)).await
            }
        }
    }

    /// Carries a layer there, compressed anew; `see` is told how much of the source has been read. Its new digest and
    /// size.
    pub(crate) async fn put_packed(
        &self,
        origin: &Origin,
        descriptor: &Descriptor,
        packing: &Packing,
        see: impl Fn(u64) + Clone + Send + Sync + Unpin + 'static,
        stop: &Stop,
    ) -> Result<(Digest, u64)> {
        let outcome = Outcome::default();
        let packed = match &self.to {
            To::Registry { repository, resume, .. } => {
                let content = PackedFromOrigin {
                    from: FromOrigin { origin: origin.clone(), descriptor: descriptor.clone(), stop: stop.clone() },
                    packing: packing.clone(),
                    see,
                    outcome: outcome.clone(),
                };
                let key = packing.key();
                let resume = resume.as_ref().zip(key.as_deref());
                let landed = repository.push_blob(&content, Push { resume, ..Push::default() }).await?;
                (landed.digest, landed.size)
            }
            To::Local(destination) => {
                let content = to_pack(origin, descriptor, packing).await?.seen(stop.clone(), see).blocking();
                let (destination, packing, outcome) = (Arc::clone(destination), packing.clone(), outcome.clone());
                let shown = origin.shown.clone();
                blocking(move || {
                    let packed = packing.pack(content, &outcome);
                    let mut packed = packed.map_err(|source| Error::Read { shown, source })?;
                    Ok(destination.put_unnamed(&mut packed)?)
                })
                .await?
            }
        };
        packing.check(&outcome)?;
        Ok(packed)
    }

    /// A manifest that another one names, or that has a name of its own.
    pub(crate) async fn put_manifest(&self, manifest: &Stored, tag: Option<&Tag>) -> Result<()> {
        match &self.to {
            To::Registry { repository, .. } => {
                let reference = tag.cloned().map_or_else(|| Reference::Digest(manifest.digest.clone()), Reference::Tag);
                push_manifest(repository, &reference, manifest).await
            }
            To::Local(destination) => {
                let (destination, manifest, tag) = (Arc::clone(destination), manifest.clone(), tag.cloned());
                blocking(move || {
                    let put = match tag {
                        Some(tag) => destination.put_named(&manifest, tag.as_str()),
                        None => destination.put_manifest(&manifest),
                    };
                    Ok(put?)
                })
                .await
            }
        }
    }

    /// The manifest that the names are for; from now on the image is seen.
    pub(crate) async fn finish(self, root: &Stored) -> Result<()> {
        self.is_to_be(&root.digest)?;
        self.put_manifest(root, self.tags().first()).await?;
        match self.to {
            To::Registry { repository, tags, .. } => {
                for tag in tags.into_iter().skip(1) {
                    push_manifest(&repository, &Reference::Tag(tag), root).await?;
                }
                Ok(())
            }
            To::Local(destination) => {
                let descriptor = root.descriptor();
                blocking(move || {
                    let destination = Arc::into_inner(destination);
                    let destination =
                        destination.ok_or_else(|| Error::Failed("a part is still being written".into()))?;
                    Ok(destination.finish(&descriptor)?)
                })
                .await
            }
        }
    }
}

async fn push_manifest(repository: &Repository, reference: &Reference, manifest: &Stored) -> Result<()> {
    repository.put_manifest(reference, &manifest.media_type, manifest.bytes.clone()).await?;
    Ok(())
}

/// A blob of somewhere else, which can be read again when a registry lost some of it.
struct FromOrigin {
    origin: Origin,
    descriptor: Descriptor,
    stop: Stop,
}

#[async_trait]
impl Content for FromOrigin {
    async fn open(&self, offset: u64) -> io::Result<Reader> {
        if let At::Registry { repository, own, .. } = &self.origin.at {
            let blob = blob_unchecked(repository, own.as_ref(), &self.descriptor, offset).await;
            let blob = blob.map_err(io::Error::other)?;
            return Ok(Reader::Blob(Box::new(blob)));
        }
        let stream = self.origin.open_unchecked(&self.descriptor, offset).await.map_err(io::Error::other)?;
        Ok(match stream.seen(self.stop.clone(), |_| ()) {
            Stream::Remote(read) => Reader::of(read),
            Stream::Local(read) => Reader::blocking(read),
        })
    }
}

/// What is packed is compared with the digest of its content, where that is known, and else with its own.
async fn to_pack(origin: &Origin, descriptor: &Descriptor, packing: &Packing) -> Result<Stream> {
    match packing.diff_id {
        Some(_) => origin.open_unchecked(descriptor, 0).await,
        None => origin.open(descriptor).await,
    }
}

/// The same, packed on the way.
struct PackedFromOrigin<F> {
    from: FromOrigin,
    packing: Packing,
    see: F,
    outcome: Outcome,
}

#[async_trait]
impl<F: Fn(u64) + Clone + Send + Sync + Unpin + 'static> Content for PackedFromOrigin<F> {
    async fn open(&self, offset: u64) -> io::Result<Reader> {
        let FromOrigin { origin, descriptor, stop } = &self.from;
        let stream = to_pack(origin, descriptor, &self.packing).await.map_err(io::Error::other)?;
        let content = stream.seen(stop.clone(), self.see.clone()).blocking();
        let (packing, outcome) = (self.packing.clone(), self.outcome.clone());
        let skip = move || {
            // The same bytes come again: what the registry has of them is passed over.
            let mut packed = packing.pack(content, &outcome)?;
            io::copy(&mut packed.by_ref().take(offset), &mut io::sink())?;
            Ok(Reader::blocking(packed))
        };
        tokio::task::spawn_blocking(skip).await.map_err(io::Error::other)?
    }
}
