//! `wharf diff`

use clap::Args;
use wharf_image::layer::{differences, trees};
use wharf_oci::Descriptor;

use super::Choice;
use crate::at_hand::{AtHand, Image};
use crate::comparison::{Comparison, FileChange, configs};
use crate::completing::places;
use crate::origin::Origin;
use crate::output::{print, print_json};
use crate::place::Place;
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::stream::blocking;
use crate::verb::Act;
use crate::{Error, Result};

#[derive(Debug, Args)]
#[command(after_help = "When files were written does not count, nor when the images were built.\n\n\
    Examples:\n  wharf diff team/app:v1 team/app:v2\n  wharf diff team/app:v1 oci-archive:app.tar --json\n  \
    wharf diff team/app:v1 team/app:v2 --layers-only")]
pub(crate) struct Diff {
    /// One image; `wharf copy --help` lists the places
    #[arg(value_name = "A", add = places())]
    before: Place,
    /// The other
    #[arg(value_name = "B", add = places())]
    after: Place,
    /// Compare configurations and layers only, without reading any files
    #[arg(long)]
    layers_only: bool,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    access: Access,
}

impl Act for Diff {
    async fn run(self, session: &Session) -> Result<()> {
        match self.compare(session).await {
            Err(error @ (Error::Different(_) | Error::Enough)) => Err(error),
            Err(error) => Err(Error::NotCompared(Box::new(error))),
            Ok(()) => Ok(()),
        }
    }
}

impl Diff {
    async fn compare(self, session: &Session) -> Result<()> {
        let reach = Reach::new(session, self.access)?;
        let progress = Progress::aside(session.out);
        let before = reach.origin(&self.before, &progress).await?;
        let after = reach.origin(&self.after, &progress).await?;
        let wanted = self.choice.wanted();
        let views = [
            before.view(&before.image_for(before.root().await?, &wanted).await?)?,
            after.view(&after.image_for(after.root().await?, &wanted).await?)?,
        ];
        let mut comparison = Comparison::of_layers(&views[0].layers, &views[1].layers);
        comparison.shown = [before.shown.clone(), after.shown.clone()];
        let [one, other] = &views;
        comparison.config =
            configs(&config(&before, one.config.as_ref()).await?, &config(&after, other.config.as_ref()).await?);
        if !self.layers_only && !comparison.has_same_layers() {
            let mut at_hand = AtHand::new()?;
            let images =
                [at_hand.bring(&before, &wanted, &progress).await?, at_hand.bring(&after, &wanted, &progress).await?];
            comparison.files = blocking(move || compared(&images)).await?;
        }
        drop(progress);
        if session.out.json {
            print_json(&comparison)?;
        } else if !session.out.quiet {
            print(&comparison.as_text())?;
        }
        if comparison.is_same() {
            return Ok(());
        }
        Err(Error::Different(format!("{} and {} are different", before.shown, after.shown)))
    }
}

async fn config(origin: &Origin, descriptor: Option<&Descriptor>) -> Result<serde_json::Value> {
    let missing = || Error::Failed(format!("{}: its manifest names no configuration", origin.shown));
    let bytes = origin.config(descriptor.ok_or_else(missing)?).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::Failed(format!("{}: its configuration is not JSON: {error}", origin.shown)))
}

fn compared(images: &[Image; 2]) -> Result<Vec<FileChange>> {
    let [before, after] = images;
    let (before, after) = trees((&*before.source, &before.view.layers), (&*after.source, &after.view.layers))?;
    Ok(differences(&before, &after).map(FileChange::from).collect())
}
