//! `wharf tags`

use clap::Subcommand;
use serde_json::json;
use wharf_oci::{ImageName, Reference, Tag};

use crate::listing::Lister;
use crate::output::{lines, note, print, print_json, printable};
use crate::place::AtRegistry;
use crate::reach::{Access, Reach, reference};
use crate::session::{Confirmed, Session};
use crate::verb::Verb;
use crate::{Error, Result, ask};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List a repository's tags
    #[command(
        after_help = "--json prints what skopeo list-tags prints.\n\nExamples:\n  wharf tags list team/app\n  wharf tags list docker://quay.io/podman/hello"
    )]
    List {
        /// Which, as [HOST/]NAME
        #[arg(value_name = "REPOSITORY")]
        repository: AtRegistry,
        #[command(flatten)]
        access: Access,
    },
    /// Give an image more names; one that another image has moves to this one. No bytes are moved
    #[command(after_help = "Example:\n  wharf tags add team/app:v1.2.3 v1.2 v1 latest")]
    Add {
        /// Which image, as [HOST/]NAME:TAG or [HOST/]NAME@DIGEST
        #[arg(value_name = "IMAGE")]
        image: AtRegistry,
        /// Its new names
        #[arg(value_name = "TAG", required = true)]
        tags: Vec<Tag>,
        #[command(flatten)]
        access: Access,
    },
    /// Delete tags; the images stay, by digest and under their other tags
    #[command(after_help = "Examples:\n  wharf tags delete team/app:v1\n  wharf tags delete team/app:v1 rc1 rc2 --yes")]
    Delete {
        /// Which, as [HOST/]NAME:TAG, or a repository and its tags
        #[arg(value_name = "REPOSITORY[:TAG]")]
        image: AtRegistry,
        /// More of the repository's tags
        #[arg(value_name = "TAG")]
        tags: Vec<Tag>,
        #[command(flatten)]
        confirmed: Confirmed,
        #[command(flatten)]
        access: Access,
    },
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { repository, access } => list(session, &Reach::new(session, access)?, &repository).await,
            Self::Add { image, tags, access } => add(session, &Reach::new(session, access)?, &image, &tags).await,
            Self::Delete { image, tags, confirmed, access } => {
                delete(session, &Reach::new(session, access)?, &image, tags, confirmed).await
            }
        }
    }
}

async fn list(session: &Session, reach: &Reach, at: &AtRegistry) -> Result<()> {
    at.repository_only().map_err(Error::Usage)?;
    let image = reach.full(at)?;
    let tags = reach.to_write(&image)?.tags().await?;
    if session.out.json {
        return print_json(&json!({ "Repository": image.to_string(), "Tags": tags }));
    }
    if tags.is_empty() {
        note(&format!("{image} has no tags"));
    }
    print(&lines(tags.iter().map(|tag| printable(tag))))
}

async fn add(session: &Session, reach: &Reach, at: &AtRegistry, tags: &[Tag]) -> Result<()> {
    let image = reach.full(at)?;
    let repository = reach.to_write(&image)?;
    let manifest = repository.manifest(&reference(&image)?).await?;
    for tag in tags {
        let bytes = manifest.bytes.clone();
        repository.put_manifest(&Reference::Tag(tag.clone()), &manifest.media_type, bytes).await?;
    }
    let names: Vec<String> = tags.iter().map(ToString::to_string).collect();
    let raw = json!({ "repository": bare(&image).to_string(), "digest": manifest.digest.to_string(), "tags": names });
    session.out.done(Some(&raw), &format!("{image} is also {}", names.join(", ")))
}

async fn delete(session: &Session, reach: &Reach, at: &AtRegistry, more: Vec<Tag>, confirmed: Confirmed) -> Result<()> {
    let image = reach.full(at)?;
    if image.digest.is_some() {
        return Err(Error::Usage(format!(
            "{image} is no tag; to delete an image with all its tags: wharf delete {image}"
        )));
    }
    let tags: Vec<Tag> = image.tag.iter().cloned().chain(more).collect();
    if tags.is_empty() {
        return Err(Error::Usage(format!("say which tags of {image}, as in {image}:v1")));
    }
    let lister = Lister::new(reach.to_write(&image)?);
    let names = tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let place = bare(&image);
    ask::confirm(&format!("Delete the tags {names} of {place}?"), confirmed.yes).await?;
    for tag in &tags {
        lister.delete_tag(tag, &place).await?;
    }
    session.out.done(None, &format!("{names} of {place} deleted"))
}

/// The repository alone.
pub(crate) fn bare(image: &ImageName) -> ImageName {
    ImageName { tag: None, digest: None, ..image.clone() }
}
