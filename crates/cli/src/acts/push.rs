//! `wharf push`

use clap::Args;

use super::copy::{ResultFile, Way, carried, carry};
use super::files::ToPack;
use super::{Carrying, digest_alone, told};
use crate::completing::places;
use crate::copy::{Options, Which};
use crate::place::{AtRegistry, MoreNames, Place};
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::verb::Act;
use crate::{Error, Result, local};

#[derive(Debug, Args)]
#[command(mut_arg("json", told), mut_arg("quiet", digest_alone))]
#[command(
    after_help = "Without --from the image is looked for by that name, then as localhost/NAME, then as NAME alone:\nin podman's storage, then at docker, then in a folder of that name with an OCI layout. A name\nwithout a transport after --from is looked for in the same way, and then at its registry.\n\n\
    Examples:\n  wharf push team/app:v1\n  wharf push team/app:v1 --from oci:layout\n  \
    wharf push team/app:v1 --tag latest --from docker-archive:app.tar\n  \
    wharf push registry.example.com/team/app:v1 --all --from oci-archive:app.tar\n  \
    wharf push team/report:v1 report.pdf figures/\n  \
    pg_dump app | wharf push team/dump:v1 - --name app.sql"
)]
pub(crate) struct Push {
    /// What it is to be called, as [HOST/]NAME[:TAG]; without a host at the current context's registry
    #[arg(value_name = "REF")]
    name: AtRegistry,
    /// Where the image is; `wharf copy --help` lists the places [default: looked for on this machine]
    #[arg(long, value_name = "SOURCE", add = places())]
    from: Option<Place>,
    #[command(flatten)]
    files: ToPack,
    #[command(flatten)]
    carrying: Carrying,
    #[command(flatten)]
    more: MoreNames,
    #[command(flatten)]
    result: ResultFile,
    #[command(flatten)]
    access: Access,
}

impl Act for Push {
    async fn run(self, session: &Session) -> Result<()> {
        let reach = Reach::new(session, self.access)?;
        let destination = Place::Registry(self.name.clone());
        if !self.files.is_empty() {
            let progress = Progress::new(session.out);
            let target = reach.target(&destination, &self.more).await?;
            let origin = self.files.pack().await?;
            return carried(session, &origin, target, &Options::unchanged(Which::All), progress, &self.result).await;
        }
        let source = source(self.from, &self.name, &reach, &Progress::new(session.out)).await?;
        let way = Way { from: &reach, source: &source, to: &reach, destination: &destination };
        carry(session, &way, &self.carrying, &self.more, &self.result).await
    }
}

/// Where the image is. What is named without a transport is first looked for where podman, docker and people keep what
/// they built, with or without --from.
async fn source(from: Option<Place>, name: &AtRegistry, reach: &Reach, progress: &Progress) -> Result<Place> {
    let found = match from {
        None => local::found_as(&reach.full(name)?).await?,
        Some(Place::Registry(at)) if !at.is_docker => {
            let image = reach.full(&at).unwrap_or_else(|_| at.image.clone());
            match local::found_as(&image).await {
                Err(Error::NotFound(_)) => Place::Registry(at),
                found => found?,
            }
        }
        Some(place) => return Ok(place),
    };
    progress.note(match &found {
        Place::Registry(at) => format!("taking {} of its registry: it is not on this machine", reach.full(at)?),
        found => format!("taking {found}"),
    });
    Ok(found)
}
