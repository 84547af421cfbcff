//! `wharf images`

use clap::Subcommand;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wharf_oci::{ImageName, Tag};

use crate::listing::{Detail, Lister, Row};
use crate::output::Seen;
use crate::place::AtRegistry;
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::verb::Verb;
use crate::{Error, Result};

/// Images that are looked at at once.
const AT_ONCE: usize = 8;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List the images of a repository, or of all repositories of an org
    #[command(after_help = "A name of one word is an org if it has repositories.\n\n\
        Examples:\n  wharf images list team/app\n  wharf images list team\n  wharf images list docker://quay.io/podman/hello")]
    List {
        /// Which repository or org, as [HOST/]NAME
        #[arg(value_name = "REPOSITORY")]
        of: AtRegistry,
        /// With tags that only programs read: those of signatures and referrers
        #[arg(long, short)]
        all: bool,
        #[command(flatten)]
        access: Access,
    },
    /// Show one image: its tags, its platforms, what refers to it
    Get {
        /// Which, as [HOST/]NAME:TAG or [HOST/]NAME@DIGEST
        #[arg(value_name = "IMAGE")]
        image: AtRegistry,
        #[command(flatten)]
        access: Access,
    },
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { of, all, access } => list(session, &Reach::new(session, access)?, &of, all).await,
            Self::Get { image, access } => get(session, &Reach::new(session, access)?, &image).await,
        }
    }
}

async fn list(session: &Session, reach: &Reach, of: &AtRegistry, all: bool) -> Result<()> {
    of.repository_only().map_err(Error::Usage)?;
    let image = reach.full(of)?;
    let mut rows: Vec<Seen<Row>> = vec![];
    for repository in repositories(reach, of, &image).await? {
        let lister = Lister::new(reach.to_write(&repository)?);
        let tags = lister.tags(all).await?;
        let each = tags.iter().map(|tag| lister.row(tag));
        let found: Vec<Option<Seen<Row>>> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
        rows.extend(found.into_iter().flatten());
    }
    session.out.list(&rows, &format!("there are no images in {image}"))
}

/// The repository, or those of the org.
async fn repositories(reach: &Reach, of: &AtRegistry, image: &ImageName) -> Result<Vec<ImageName>> {
    if of.image.name.asked().contains('/') {
        return Ok(vec![image.clone()]);
    }
    let registry = reach.to_write(image)?.registry();
    let prefix = format!("{}/", of.image.name.asked());
    // A registry without a list of repositories may have this one.
    let names = registry.catalog().await.unwrap_or_default();
    let names = names.iter().filter(|name| name.starts_with(&prefix)).filter_map(|name| name.parse().ok());
    let found: Vec<ImageName> = names.map(|name| ImageName { name, ..image.clone() }).collect();
    Ok(if found.is_empty() { vec![image.clone()] } else { found })
}

async fn get(session: &Session, reach: &Reach, at: &AtRegistry) -> Result<()> {
    let origin = reach.origin_at(at, &Progress::aside(session.out)).await?;
    let image = reach.full(at)?;
    let lister = Lister::new(reach.to_write(&image)?);
    let root = origin.root().await?;
    let tags = lister.tags_of(&root.digest).await?;
    let detail: Seen<Detail> = lister.detail(&root, tags.iter().map(Tag::to_string).collect()).await?;
    session.out.one(&detail)
}
