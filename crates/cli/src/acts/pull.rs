//! `wharf pull`

use clap::Args;

use super::copy::{ResultFile, Way, carry};
use super::files::ToUnpack;
use super::{Carrying, digest_alone, told};
use crate::Result;
use crate::completing::places;
use crate::place::{AtRegistry, MoreNames, Place, with_transport};
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::verb::Act;

#[derive(Debug, Args)]
#[command(mut_arg("json", told), mut_arg("quiet", digest_alone))]
#[command(after_help = "Examples:\n  wharf pull team/app:v1 --to oci:layout:v1\n  \
    wharf pull team/app:v1 --platform linux/arm64 --to docker-archive:app.tar:team/app:v1\n  \
    wharf pull team/app@sha256:… --to dir:app\n  \
    wharf pull team/report:v1 --unpack\n  \
    wharf pull team/dump:v1 - --unpack | psql app")]
pub(crate) struct Pull {
    /// Which image, as [HOST/]NAME[:TAG|@DIGEST]; without a host of the current context's registry
    #[arg(value_name = "REF")]
    name: AtRegistry,
    /// Where it is to be; `wharf copy --help` lists the places
    #[arg(long, value_name = "DEST", value_parser = with_transport, add = places())]
    to: Option<Place>,
    #[command(flatten)]
    unpack: ToUnpack,
    #[command(flatten)]
    carrying: Carrying,
    #[command(flatten)]
    result: ResultFile,
    #[command(flatten)]
    access: Access,
}

impl Act for Pull {
    async fn run(self, session: &Session) -> Result<()> {
        let source = Place::Registry(self.name);
        if self.to.is_none() {
            self.unpack.is_meant(&source)?;
        }
        let reach = Reach::new(session, self.access)?;
        let Some(destination) = &self.to else {
            let origin = reach.origin(&source, &Progress::aside(session.out)).await?;
            let image = origin.image_for(origin.root().await?, &self.carrying.choice.wanted()).await?;
            return self.unpack.run(session, &origin, &image).await;
        };
        let way = Way { from: &reach, source: &source, to: &reach, destination };
        carry(session, &way, &self.carrying, &MoreNames::default(), &self.result).await
    }
}
