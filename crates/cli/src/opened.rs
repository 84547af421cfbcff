//! From the name of a place to what is read or written there.

use std::path::Path;
use std::sync::Arc;

use wharf_image::archive::{DockerArchive, DockerDestination, Limits, OciArchive, OciDestination};
use wharf_image::dir::{DirDestination, DirSource};
use wharf_image::layout::Layout;
use wharf_image::{Destination, Source};
use wharf_oci::{ImageName, Tag};

use crate::origin::{At, Origin};
use crate::place::{AtRegistry, MoreNames, Place};
use crate::progress::Progress;
use crate::reach::{Reach, latest};
use crate::stream::blocking;
use crate::target::{Target, To};
use crate::{Error, Result, environment, local};

impl Reach {
    /// What is read there.
    pub(crate) async fn origin(&self, place: &Place, progress: &Progress) -> Result<Origin> {
        let at = match place.clone() {
            Place::Registry(at) => return self.origin_at(&at, progress).await,
            Place::Docker(name) => local::in_docker(&name).await?,
            place => blocking(move || source(&place)).await?,
        };
        Ok(Origin {
            shown: place.to_string(),
            at: At::Local(at),
            unpacks: matches!(place, Place::DockerArchive { .. }),
        })
    }

    /// From the first mirror that has it, else from its own place.
    pub(crate) async fn origin_at(&self, at: &AtRegistry, progress: &Progress) -> Result<Origin> {
        let image = self.full(at)?;
        let mut spots = self.to_read(&image)?;
        for (repository, _) in &spots {
            progress.watches(&repository.registry());
        }
        let own = spots.pop().ok_or_else(|| Error::Failed(format!("{image} lies nowhere")))?;
        for (repository, reference) in spots {
            match repository.head(&reference).await {
                Ok(Some(_)) => {
                    let at = At::Registry { repository, reference, own: Some(own.0) };
                    return Ok(Origin { shown: image.to_string(), at, unpacks: false });
                }
                Ok(None) => progress.note(format!("the mirror {} has no {reference}", repository.place())),
                Err(error) => progress.note(format!("the mirror {} is passed over: {error}", repository.place())),
            }
        }
        let (repository, reference) = own;
        let at = At::Registry { repository, reference, own: None };
        Ok(Origin { shown: image.to_string(), at, unpacks: false })
    }

    /// What is written there. The image gets `more` names beside its own.
    pub(crate) async fn target(&self, place: &Place, more: &MoreNames) -> Result<Target> {
        let shown = place.to_string();
        if !more.images.is_empty() && !matches!(place, Place::DockerArchive { .. }) {
            let said = "--additional-tag gives names in docker-archive: files only, and --tag at registries";
            return Err(Error::Usage(format!("{place} is none of them: {said}")));
        }
        let Place::Registry(at) = place.clone() else {
            if !more.tags.is_empty() {
                return Err(Error::Usage(format!("{place} is no registry: tags are given at registries only")));
            }
            let packs = matches!(place, Place::Layout { .. } | Place::LayoutArchive { .. });
            let runs = matches!(place, Place::Podman(_) | Place::Docker(_) | Place::DockerArchive { .. });
            if let Place::LayoutArchive { path, .. } | Place::DockerArchive { path, .. } = place {
                folder_is_there(path)?;
            }
            let destination = match place.clone() {
                Place::Docker(name) => local::into_docker(&name).await?,
                place => {
                    let more = more.images.clone();
                    blocking(move || destination(&place, more)).await?
                }
            };
            return Ok(Target { shown, packs, runs, to: To::Local(Arc::new(destination)) });
        };
        let mut image = self.full(&at)?;
        let repository = self.to_write(&image)?;
        if image.tag.is_none() && image.digest.is_none() {
            image.tag = more.tags.first().cloned().map_or_else(latest, Ok).map(Some)?;
        }
        let mut tags: Vec<Tag> = image.tag.iter().cloned().collect();
        tags.extend(more.tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect::<Vec<_>>());
        let resume = self.uploads().await?;
        let shown = image.to_string();
        Ok(Target {
            shown,
            packs: true,
            runs: false,
            to: To::Registry { repository, tags, digest: image.digest, resume },
        })
    }
}

/// Refuses a file in a folder that is not there: it may have been mistyped, and nobody asked for it to be made.
pub(crate) fn folder_is_there(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let (folder, file) = (folder.display(), file.display());
            Err(Error::NotFound(format!("there is no folder {folder} to write {file} into: make it first")))
        }
        _ => Ok(()),
    }
}

fn source(place: &Place) -> Result<Arc<dyn Source>> {
    Ok(match place {
        Place::Layout { path, name } => Arc::new(Layout::open(path)?.source(name.as_deref())?),
        Place::Podman(name) => local::in_podman(name)?,
        Place::LayoutArchive { path, name } => {
            Arc::new(OciArchive::open(path, &Limits::usual(environment::temporary()))?.source(name.as_deref())?)
        }
        Place::DockerArchive { path, image } => {
            Arc::new(DockerArchive::open(path, &Limits::usual(environment::temporary()))?.source(image.as_deref())?)
        }
        Place::Folder(path) => Arc::new(DirSource::open(path)?),
        Place::Registry(_) | Place::Docker(_) => return Err(Error::Usage(format!("{place} is no file"))),
    })
}

fn destination(place: &Place, more: Vec<ImageName>) -> Result<Box<dyn Destination>> {
    Ok(match place {
        Place::Layout { path, name } => Box::new(Layout::create(path)?.destination(name.as_deref())),
        Place::LayoutArchive { path, name } => {
            Box::new(OciDestination::new(path, name.as_deref(), &environment::temporary())?)
        }
        Place::DockerArchive { path, image } => {
            Box::new(DockerDestination::new(path, &names(image.as_deref(), more)?, &environment::temporary())?)
        }
        Place::Folder(path) => Box::new(DirDestination::create(path)?),
        Place::Podman(name) => local::into_podman(name)?,
        Place::Registry(_) | Place::Docker(_) => return Err(Error::Usage(format!("{place} is no file"))),
    })
}

/// The one in the place's own name, and more.
fn names(image: Option<&str>, more: Vec<ImageName>) -> Result<Vec<ImageName>> {
    let name = |text: &str| text.parse().map_err(|error: wharf_oci::ImageNameError| Error::Usage(error.to_string()));
    let mut names: Vec<ImageName> = image.map(name).transpose()?.into_iter().collect();
    names.extend(more);
    Ok(names)
}
