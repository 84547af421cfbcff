//! `wharf inspect`

use clap::Args;
use serde_json::Value;
use wharf_image::Stored;
use wharf_oci::{ImageConfig, Manifest};

use crate::acts::OfIndex;
use crate::completing::places;
use crate::inspection::{Image, Members, filled_in, index_as_text};
use crate::origin::{At, Origin};
use crate::output::{print, print_bytes, print_json};
use crate::place::Place;
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::verb::Act;
use crate::{Error, Result};

#[derive(Debug, Args)]
#[command(
    after_help = "Templates are Go's, over what --json prints, or with --config over the configuration's JSON, by its\nown names. They have `json` as a function; `json` alone prints all.\n\n\
    Examples:\n  wharf inspect team/app:v1\n  wharf inspect --platform linux/arm64 team/app:v1\n  \
    wharf inspect --format '{{.Digest}} {{json .Labels}}' docker://quay.io/podman/hello\n  \
    wharf inspect --raw oci:layout | jq ."
)]
pub(crate) struct Inspect {
    /// Which image; `wharf copy --help` lists the places
    #[arg(value_name = "IMAGE", add = places())]
    place: Place,
    /// Print the manifest, or with --config the configuration, byte for byte
    #[arg(long)]
    raw: bool,
    /// Print the configuration
    #[arg(long)]
    config: bool,
    /// Print what this Go template makes of it
    #[arg(long, short, value_name = "TEMPLATE", conflicts_with_all = ["raw", "json"])]
    format: Option<String>,
    /// Do not ask for the repository's tags
    #[arg(long, short)]
    no_tags: bool,
    #[command(flatten)]
    choice: OfIndex,
    #[command(flatten)]
    access: Access,
}

impl Act for Inspect {
    async fn run(self, session: &Session) -> Result<()> {
        let reach = Reach::new(session, self.access.clone())?;
        let progress = Progress::aside(session.out);
        let origin = reach.origin(&self.place, &progress).await?;
        let root = origin.root().await?;
        if root.is_index() && self.means_the_index(session) {
            return self.show_index(&origin, &root);
        }
        let image = origin.image_for(root.clone(), &self.choice.wanted()).await?;
        if self.raw && !self.config {
            return print_bytes(&image.bytes);
        }
        let view = origin.view(&image)?;
        let missing = || Error::Failed(format!("{}: its manifest names no configuration", origin.shown));
        let config = origin.config(view.config.as_ref().ok_or_else(missing)?).await?;
        if self.config {
            return self.show_config(&config);
        }
        let tags = if self.is_for_people(session) { vec![] } else { self.tags(&origin).await? };
        self.show(session, &looked_at(&origin, &root, &image, view, &config, tags))
    }
}

impl Inspect {
    /// Who names a platform, or wants an image's configuration, means that image; who does not may mean the index.
    fn means_the_index(&self, session: &Session) -> bool {
        self.choice.platform.is_none() && !self.config && (self.raw || self.is_for_people(session))
    }

    fn is_for_people(&self, session: &Session) -> bool {
        !session.out.json && self.format.is_none()
    }

    fn show_index(&self, origin: &Origin, root: &Stored) -> Result<()> {
        if self.raw {
            return print_bytes(&root.bytes);
        }
        print(&index_as_text(&origin.shown, &root.digest, &origin.view(root)?))
    }

    fn show_config(&self, config: &[u8]) -> Result<()> {
        if self.raw {
            return print_bytes(config);
        }
        let value: Value = serde_json::from_slice(config).map_err(|error| {
            Error::Failed(format!("its configuration is not JSON ({error}): --raw shows it as it is"))
        })?;
        match &self.format {
            Some(template) => print(&filled_in(template, &value, Members::Any)?),
            None => print_json(&value),
        }
    }

    fn show(&self, session: &Session, image: &Image) -> Result<()> {
        match &self.format {
            Some(template) => print(&filled_in(template, &image.as_skopeo(), Members::Known)?),
            None if session.out.json => print_json(&image.as_skopeo()),
            None if session.out.quiet => print(&format!("{}\n", image.digest)),
            None => print(&image.as_text()),
        }
    }

    async fn tags(&self, origin: &Origin) -> Result<Vec<String>> {
        match &origin.at {
            At::Registry { repository, .. } if !self.no_tags => Ok(repository.tags().await?),
            _ => Ok(vec![]),
        }
    }
}

fn looked_at(
    origin: &Origin,
    root: &Stored,
    image: &Stored,
    view: Manifest,
    config: &[u8],
    tags: Vec<String>,
) -> Image {
    let is_image = view.image_config().is_some();
    Image {
        shown: origin.shown.clone(),
        repository: origin.repository(),
        root: root.digest.clone(),
        digest: image.digest.clone(),
        manifest: view,
        raw: serde_json::from_slice(config).unwrap_or_default(),
        config: ImageConfig::parse(config).ok().filter(|_| is_image),
        tags,
    }
}
