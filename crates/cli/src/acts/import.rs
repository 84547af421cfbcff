//! `wharf import`

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use wharf_image::compress::Compression;
use wharf_image::layer::{Changes, Wishes, import};
use wharf_oci::Platform;

use super::copy::{ResultFile, carried};
use super::{digest_alone, told};
use crate::completing::places;
use crate::copy::{Options, Which};
use crate::origin::{At, Origin};
use crate::place::{MoreNames, Place, destination};
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::stream::blocking;
use crate::verb::Act;
use crate::{Error, Result, environment};

#[derive(Debug, Args)]
#[command(mut_arg("json", told), mut_arg("quiet", digest_alone))]
#[command(after_help = "Examples:\n  wharf import rootfs.tar.gz team/base:v1 --change 'CMD [\"/bin/sh\"]'\n  \
    tar -C rootfs -c . | wharf import - team/base:v1 --platform linux/arm64\n  \
    wharf import rootfs.tar oci:layout:base")]
pub(crate) struct Import {
    /// A tar file of all its files, compressed with gzip, zstd, bzip2 or xz, or not at all; - is standard input
    #[arg(value_name = "TAR")]
    tar: PathBuf,
    /// What the image is to be; `wharf copy --help` lists the places
    #[arg(value_name = "REF", value_parser = destination, add = places())]
    destination: Place,
    /// A line of a Containerfile that says how it runs: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or
    /// WORKDIR; may be repeated
    #[arg(long, short, value_name = "LINE")]
    change: Vec<String>,
    /// What its history is to say
    #[arg(long, short, value_name = "TEXT", default_value = "imported from a tar file")]
    message: String,
    /// How its layer is to be compressed
    #[arg(long, value_name = "HOW", default_value = "gzip", alias = "compression")]
    compress: How,
    /// What it is to run on, as os/architecture[/variant] [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    #[command(flatten)]
    more: MoreNames,
    #[command(flatten)]
    result: ResultFile,
    #[command(flatten)]
    access: Access,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum How {
    Gzip,
    Zstd,
    None,
}

impl Act for Import {
    async fn run(self, session: &Session) -> Result<()> {
        let changes = Changes::parse(&self.change).map_err(Error::Usage)?;
        let reach = Reach::new(session, self.access)?;
        let progress = Progress::new(session.out);
        let platform = self.platform.unwrap_or_else(Platform::of_this_machine);
        let target = reach.target(&self.destination, &self.more).await?;
        let wishes = wishes(platform, self.compress, changes, self.message);
        let (shown, tar) = (self.tar.display().to_string(), self.tar);
        let made = blocking(move || Ok(import(opened(&tar)?, &wishes, &environment::temporary())?)).await?;
        let origin = Origin { shown, at: At::Local(Arc::new(made)), unpacks: false };
        carried(session, &origin, target, &Options::unchanged(Which::All), progress, &self.result).await
    }
}

fn wishes(platform: Platform, how: How, changes: Changes, comment: String) -> Wishes {
    let compression = match how {
        How::Gzip => Compression::GZIP,
        How::Zstd => Compression::ZSTD,
        How::None => Compression::None,
    };
    Wishes { platform, compression, changes, comment }
}

fn opened(path: &PathBuf) -> Result<Box<dyn Read>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    if path.is_dir() {
        let shown = path.display();
        let said =
            format!("{shown} is a folder: tar -C {shown} -c . | wharf import - REF makes an image of what is in it");
        return Err(Error::Usage(said));
    }
    Ok(Box::new(File::open(path).map_err(Error::file(path))?))
}
