//! `wharf digest`

use clap::Args;

use crate::Result;
use crate::acts::OfIndex;
use crate::completing::places;
use crate::output::{print, print_json};
use crate::place::Place;
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::verb::Act;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wharf digest team/app:v1\n  wharf digest team/app:v1 --platform linux/arm64\n  wharf digest oci:layout"
)]
pub(crate) struct Digest {
    /// Which image; `wharf copy --help` lists the places
    #[arg(value_name = "IMAGE", add = places())]
    place: Place,
    #[command(flatten)]
    choice: OfIndex,
    #[command(flatten)]
    access: Access,
}

impl Act for Digest {
    async fn run(self, session: &Session) -> Result<()> {
        let reach = Reach::new(session, self.access)?;
        let progress = Progress::aside(session.out);
        let origin = reach.origin(&self.place, &progress).await?;
        let said = if self.choice.platform.is_none() { origin.head().await? } else { None };
        let digest = match (said, &self.choice.platform) {
            (Some(said), _) => said.digest,
            (None, Some(_)) => origin.image_for(origin.root().await?, &self.choice.wanted()).await?.digest,
            (None, None) => origin.root().await?.digest,
        };
        if session.out.json {
            return print_json(&serde_json::json!({ "digest": digest.to_string() }));
        }
        print(&format!("{digest}\n"))
    }
}
