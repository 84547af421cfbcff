//! `wharf copy`

use std::path::PathBuf;

use clap::Args;

use super::{Carrying, digest_alone, told};
use crate::completing::places;
use crate::copy::{Options, copy};
use crate::origin::Origin;
use crate::place::{MoreNames, Place, destination};
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::sides::Sides;
use crate::target::Target;
use crate::verb::Act;
use crate::{Error, Result};

#[derive(Debug, Args)]
#[command(mut_arg("json", told), mut_arg("quiet", digest_alone))]
#[command(
    after_help = "Places:\n  [HOST/]NAME[:TAG|@DIGEST]     an image of a registry; without a host, of the current context\n  \
    docker://[HOST/]NAME[:TAG]    the same, without a host of Docker Hub\n  \
    oci:PATH[:NAME]               a folder in the form of an OCI layout\n  \
    oci-archive:FILE[:NAME]       a file with an OCI layout in it\n  \
    docker-archive:FILE[:IMAGE]   a file as docker save and podman save write it\n  \
    dir:PATH                      a folder with a manifest and its parts\n  \
    containers-storage:NAME       an image that podman keeps on this machine\n  \
    docker-daemon:NAME            an image of docker's\n\n\
    Examples:\n  wharf copy docker://quay.io/podman/hello:latest team/hello:v1\n  \
    wharf copy --all team/app:v1 oci:layout:v1\n  \
    wharf copy team/app:v1 other/app:v1 --tag stable --referrers"
)]
pub(crate) struct Copy {
    /// Where the image is
    #[arg(add = places())]
    source: Place,
    /// Where it is to be
    #[arg(value_parser = destination, add = places())]
    destination: Place,
    #[command(flatten)]
    carrying: Carrying,
    #[command(flatten)]
    more: MoreNames,
    #[command(flatten)]
    result: ResultFile,
    #[command(flatten)]
    sides: Sides,
    #[command(flatten)]
    access: Access,
}

/// Where a script finds what came of it.
#[derive(Debug, Args)]
pub(crate) struct ResultFile {
    /// Write the digest that it has there into this file
    #[arg(long, value_name = "FILE")]
    digestfile: Option<PathBuf>,
}

impl Act for Copy {
    async fn run(self, session: &Session) -> Result<()> {
        let from = Reach::new(session, self.sides.source(&self.access))?;
        let to = Reach::new(session, self.sides.destination(&self.access))?;
        let way = Way { from: &from, source: &self.source, to: &to, destination: &self.destination };
        carry(session, &way, &self.carrying, &self.more, &self.result).await
    }
}

/// From where to where.
pub(super) struct Way<'a> {
    pub(super) from: &'a Reach,
    pub(super) source: &'a Place,
    pub(super) to: &'a Reach,
    pub(super) destination: &'a Place,
}

/// Carries it and says what came of it.
pub(super) async fn carry(
    session: &Session,
    way: &Way<'_>,
    carrying: &Carrying,
    more: &MoreNames,
    result: &ResultFile,
) -> Result<()> {
    let progress = Progress::new(session.out);
    let origin = way.from.origin(way.source, &progress).await?;
    let target = way.to.target(way.destination, more).await?;
    carried(session, &origin, target, &carrying.options()?, progress, result).await
}

/// The same for what has been opened.
pub(super) async fn carried(
    session: &Session,
    origin: &Origin,
    target: Target,
    options: &Options,
    progress: Progress,
    result: &ResultFile,
) -> Result<()> {
    let shown = target.shown.clone();
    let root = copy(origin, target, options, &progress).await?;
    drop(progress);
    if let Some(file) = &result.digestfile {
        std::fs::write(file, format!("{}\n", root.digest)).map_err(Error::file(file))?;
    }
    if session.out.quiet {
        return crate::output::print(&format!("{}\n", root.digest));
    }
    session.out.done(None, &format!("{shown} is {}", root.digest))
}
