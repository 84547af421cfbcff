//! Images whose content is to be read more than once: what lies at a registry is brought into a temporary folder first,
//! which goes when the last of them does.

use std::sync::Arc;

use wharf_image::layout::Layout;
use wharf_image::{Source, TemporaryFolder};
use wharf_oci::Manifest;

use crate::copy::{Options, Which, copy};
use crate::origin::{At, Origin, Wanted};
use crate::progress::Progress;
use crate::stream::blocking;
use crate::target::{Target, To};
use crate::{Error, Result, environment};

/// The temporary folder. What two images share is brought once.
pub(crate) struct AtHand {
    folder: Arc<TemporaryFolder>,
    brought: usize,
}

/// An image of which everything can be read at once.
pub(crate) struct Image {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) view: Manifest,
    /// Keeps it there.
    _folder: Arc<TemporaryFolder>,
}

impl AtHand {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { folder: Arc::new(environment::temporary().folder()?), brought: 0 })
    }

    /// The image for a platform. Refuses what is no image of files.
    pub(crate) async fn bring(&mut self, origin: &Origin, wanted: &Wanted, progress: &Progress) -> Result<Image> {
        let stored = origin.image_for(origin.root().await?, wanted).await?;
        let view = origin.view(&stored)?;
        let is_image = view.config.as_ref().is_some_and(|config| config.media_type.contains("image"));
        if !is_image {
            let shown = &origin.shown;
            return Err(Error::Failed(format!(
                "{shown} is no image for containers; files are unpacked by wharf pull --unpack"
            )));
        }
        let source = match &origin.at {
            At::Local(source) => Arc::clone(source),
            At::Registry { .. } => self.fetch(origin, wanted, progress).await?,
        };
        Ok(Image { source, view, _folder: Arc::clone(&self.folder) })
    }

    async fn fetch(&mut self, origin: &Origin, wanted: &Wanted, progress: &Progress) -> Result<Arc<dyn Source>> {
        let (path, name) = (self.folder.path().join("layout"), self.brought.to_string());
        self.brought += 1;
        let layout = blocking(move || Ok(Layout::create(&path)?)).await?;
        let to = To::Local(Arc::new(Box::new(layout.destination(Some(&name)))));
        let target = Target { shown: "a temporary folder".to_owned(), packs: false, runs: false, to };
        copy(origin, target, &Options::unchanged(Which::For(wanted.clone())), progress).await?;
        blocking(move || Ok(Arc::new(layout.source(Some(&name))?) as Arc<dyn Source>)).await
    }
}
