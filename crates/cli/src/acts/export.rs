//! `wharf export`

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use wharf_image::layer::flatten;

use super::Choice;
use crate::at_hand::AtHand;
use crate::completing::places;
use crate::opened::folder_is_there;
use crate::place::Place;
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::stream::blocking;
use crate::verb::Act;
use crate::{Error, Result};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wharf export team/app:v1 -o app.tar\n  \
    wharf export team/app:v1 --platform linux/arm64 | tar -tv\n  \
    wharf export oci-archive:app.tar -o - | tar -x -C rootfs")]
pub(crate) struct Export {
    /// Which image; `wharf copy --help` lists the places
    #[arg(value_name = "IMAGE", add = places())]
    place: Place,
    /// The tar file to write; - is standard output
    #[arg(long, short, value_name = "TAR", default_value = "-")]
    output: PathBuf,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    access: Access,
}

impl Act for Export {
    async fn run(self, session: &Session) -> Result<()> {
        let to_output = self.output.as_os_str() == "-";
        if to_output && io::stdout().is_terminal() {
            return Err(Error::Usage(
                "a terminal shows no tar file: name a file with -o, or give it to a program".into(),
            ));
        }
        if !to_output {
            folder_is_there(&self.output)?;
        }
        let reach = Reach::new(session, self.access)?;
        let progress = Progress::aside(session.out);
        let origin = reach.origin(&self.place, &progress).await?;
        let mut at_hand = AtHand::new()?;
        let image = at_hand.bring(&origin, &self.choice.wanted(), &progress).await?;
        drop(progress);
        let output = self.output.clone();
        blocking(move || {
            let write = |out: &mut dyn Write| Ok(flatten(&*image.source, &image.view.layers, out)?);
            if to_output { to_standard_output(write) } else { to_file(&output, write) }
        })
        .await?;
        if to_output {
            return Ok(());
        }
        session.out.done(None, &format!("the files of {} are in {}", origin.shown, self.output.display()))
    }
}

fn to_standard_output(write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut out = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    let written = write(&mut out).and_then(|()| out.flush().map_err(|error| Error::Failed(error.to_string())));
    match written {
        Err(Error::Image(wharf_image::Error::Outgoing(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Error::Enough)
        }
        other => other,
    }
}

/// A file, or the one that a link leads to, has its name once it is whole. Pipes and devices stay what they are.
fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let found = path.metadata().ok();
    if found.as_ref().is_some_and(|found| !found.is_file() && !found.is_dir()) {
        let file = File::options().write(true).open(path).map_err(Error::file(path))?;
        let mut out = BufWriter::with_capacity(256 * 1024, file);
        write(&mut out)?;
        return out.flush().map_err(Error::file(path));
    }
    let real = found.map(|_| path.canonicalize()).transpose().map_err(Error::file(path))?;
    let path = real.as_deref().unwrap_or(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let file =
        tempfile::Builder::new().prefix(".wharf-").permissions(Permissions::from_mode(0o644)).tempfile_in(folder);
    let file = file.map_err(Error::file(folder))?;
    let mut out = BufWriter::with_capacity(256 * 1024, file);
    write(&mut out)?;
    let file = out.into_inner().map_err(|error| Error::file(path)(error.into_error()))?;
    file.as_file().sync_all().map_err(Error::file(path))?;
    file.persist(path).map(drop).map_err(|error| Error::file(path)(error.error))
}
