//! `wharf delete`

use clap::Args;
use wharf_oci::{Digest, ImageName, Reference, Tag};

use crate::listing::Lister;
use crate::nouns::tags::bare;
use crate::parse::{count, some};
use crate::place::AtRegistry;
use crate::reach::{Access, Reach};
use crate::session::{Confirmed, Session};
use crate::verb::Act;
use crate::{Error, Result, ask};

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
        let lister = Lister::new(reach.to_write(&image)?);
        match (&image.digest, &image.tag) {
            (Some(digest), _) => by_digest(session, &lister, &image, digest, self.confirmed).await,
            (None, Some(tag)) => by_tag(session, &lister, &image, tag, self.confirmed).await,
            (None, None) => Err(Error::Usage(format!(
                "{image} is a repository; name a tag or a digest of it, or delete it whole: wharf repos delete"
            ))),
        }
    }
}

async fn by_tag(session: &Session, lister: &Lister, image: &ImageName, tag: &Tag, confirmed: Confirmed) -> Result<()> {
    let found = lister.repository().head(&Reference::Tag(tag.clone())).await?;
    let found = found.ok_or_else(|| Error::NotFound(format!("there is no {image}")))?;
    ask::confirm(&format!("Delete {image}? Its image stays as {}.", found.digest), confirmed.yes).await?;
    lister.delete_tag(tag, &bare(image)).await?;
    session.out.done(None, &format!("{image} is deleted; its image was {}", found.digest))
}

async fn by_digest(
    session: &Session,
    lister: &Lister,
    image: &ImageName,
    digest: &Digest,
    confirmed: Confirmed,
) -> Result<()> {
    if !confirmed.yes && ask::is_possible() {
        let goes = along(lister, digest).await?;
        ask::confirm(&format!("Delete {image}?{goes}"), false).await?;
    }
    lister.repository().delete(&Reference::Digest(digest.clone())).await?;
    session.out.done(None, &format!("{image} is deleted"))
}

/// What else goes, and what stays behind.
async fn along(lister: &Lister, digest: &Digest) -> Result<String> {
    let tags: Vec<String> = lister.tags_of(digest).await?.iter().map(Tag::to_string).collect();
    let referrers = lister.repository().referrers(digest, None).await?.len();
    let of_tags = match tags.len() {
        0 => " No tag has it.".to_owned(),
        1 => format!(" Its tag {} goes too.", tags[0]),
        many => format!(" Its {many} tags go too: {}.", some(&tags)),
    };
    let stays = match referrers {
        0 => String::new(),
        _ => format!(" {} of it stay without it.", count(referrers, "signature or other referrer")),
    };
    Ok(of_tags + &stays)
}
