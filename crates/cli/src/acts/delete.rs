//! `wharf delete`

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wharf_client::registry::Repository;
use wharf_oci::{Digest, ImageName, Reference, Tag};

use crate::nouns::tags::{bare, delete_tag};
use crate::parse::count;
use crate::place::AtRegistry;
use crate::reach::{Access, Reach};
use crate::session::{Confirmed, Session};
use crate::verb::Act;
use crate::{Error, Result, ask};

/// Tags that are asked about at once.
const AT_ONCE: usize = 8;
/// Names in a question, at most.
const NAMED: usize = 10;

#[derive(Debug, Args)]
#[command(
    after_help = "A tag goes alone, and its image stays by digest. A digest goes with all its tags; on a terminal you are told which.\n\n\
    Examples:\n  wharf delete team/app:v1\n  wharf delete team/app@$(wharf digest team/app:v1)"
)]
pub(crate) struct Delete {
    /// Which tag or image, as [HOST/]NAME:TAG or [HOST/]NAME@DIGEST
    #[arg(value_name = "IMAGE")]
    image: AtRegistry,
    #[command(flatten)]
    confirmed: Confirmed,
    #[command(flatten)]
    access: Access,
}

impl Act for Delete {
    const ASKS: bool = true;

    async fn run(self, session: &Session) -> Result<()> {
        let reach = Reach::new(session, self.access)?;
        let image = reach.full(&self.image)?;
        let repository = reach.to_write(&image)?;
        match (&image.digest, &image.tag) {
            (Some(digest), _) => by_digest(session, &repository, &image, digest, self.confirmed).await,
            (None, Some(tag)) => by_tag(session, &repository, &image, tag, self.confirmed).await,
            (None, None) => Err(Error::Usage(format!(
                "{image} is a repository; name a tag or a digest of it, or delete it whole: wharf repos delete"
            ))),
        }
    }
}

async fn by_tag(
    session: &Session,
    repository: &Repository,
    image: &ImageName,
    tag: &Tag,
    confirmed: Confirmed,
) -> Result<()> {
    let found = repository.head(&Reference::Tag(tag.clone())).await?;
    let found = found.ok_or_else(|| Error::NotFound(format!("there is no {image}")))?;
    ask::confirm(&format!("Delete {image}? Its image stays as {}.", found.digest), confirmed.yes).await?;
    delete_tag(repository, tag, &bare(image)).await?;
    session.out.done(None, &format!("{image} is deleted; its image was {}", found.digest))
}

async fn by_digest(
    session: &Session,
    repository: &Repository,
    image: &ImageName,
    digest: &Digest,
    confirmed: Confirmed,
) -> Result<()> {
    if !confirmed.yes && ask::is_possible() {
        let goes = along(repository, digest).await?;
        ask::confirm(&format!("Delete {image}?{goes}"), false).await?;
    }
    repository.delete(&Reference::Digest(digest.clone())).await?;
    session.out.done(None, &format!("{image} is deleted"))
}

/// What else goes, and what stays behind.
async fn along(repository: &Repository, digest: &Digest) -> Result<String> {
    let tags = repository.tags().await?;
    let of = tags.into_iter().filter_map(|tag| tag.parse::<Tag>().ok()).map(|tag| async move {
        let found = repository.head(&Reference::Tag(tag.clone())).await?;
        Ok::<_, Error>(found.filter(|found| found.digest == *digest).map(|_| tag.to_string()))
    });
    let tags: Vec<Option<String>> = stream::iter(of).buffered(AT_ONCE).try_collect().await?;
    let tags: Vec<String> = tags.into_iter().flatten().collect();
    let referrers = repository.referrers(digest, None).await?.len();
    let of_tags = match tags.len() {
        0 => " No tag has it.".to_owned(),
        count if count > NAMED => format!(" Its {count} tags go too: {}, …", tags[..NAMED].join(", ")),
        _ => format!(" Its tags go too: {}.", tags.join(", ")),
    };
    let stays = match referrers {
        0 => String::new(),
        _ => format!(" {} of it stay without it.", count(referrers, "signature or other referrer")),
    };
    Ok(of_tags + &stays)
}
