//! Files instead of an image: `wharf push REF FILE…` and `wharf pull REF [DIR] --unpack`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use wharf_api::Amount;
use wharf_image::Stored;
use wharf_image::files::{Input, Packing, Unpacking, lone_file, pack};
use wharf_oci::Descriptor;

use crate::origin::{At, Origin};
use crate::parse::{Most, count, most_bytes, pair};
use crate::place::Place;
use crate::progress::{Event, How, Kind, Part, Progress, Shown};
use crate::session::Session;
use crate::stream::{Stop, blocking};
use crate::{Error, Result, environment};

/// Layers that are unpacked at once.
const AT_ONCE: usize = 4;

/// Files to push.
#[derive(Clone, Debug, Args)]
pub(crate) struct ToPack {
    /// Files and folders to push instead of an image, each as FILE or FILE:TYPE; - is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["from", "all", "platform"])]
    files: Vec<String>,
    /// What the files are together, as a media type
    #[arg(long, value_name = "TYPE", requires = "files", help_heading = "Files")]
    artifact_type: Option<String>,
    /// Something to say about them; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair::<String, String>, requires = "files", help_heading = "Files")]
    annotation: Vec<(String, String)>,
    /// What standard input is to be called [default: stdin]
    #[arg(long = "name", value_name = "NAME", requires = "files", help_heading = "Files")]
    input_name: Option<String>,
}

impl ToPack {
    /// Whether an image is meant.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// As an image that can be carried.
    pub(super) async fn pack(self) -> Result<Origin> {
        let shown = self.files.join(", ");
        if let Some(said) = &self.artifact_type
            && !wharf_oci::MediaType::parse(said).is_ok_and(|parsed| parsed.as_str() == said)
        {
            return Err(Error::Usage(format!(
                "{said:?} is no media type; expected such as application/vnd.example.v1"
            )));
        }
        let inputs: Vec<Input> = self.files.iter().map(|text| Input::parse(text)).collect();
        let packing = Packing {
            artifact_type: self.artifact_type,
            annotations: self.annotation.into_iter().collect(),
            name_of_input: self.input_name,
        };
        let made =
            blocking(move || Ok(pack(&inputs, &packing, &environment::temporary(), &mut io::stdin().lock())?)).await?;
        Ok(Origin { shown, at: At::Local(Arc::new(made)), unpacks: false })
    }
}

/// Where files are unpacked.
#[derive(Clone, Debug, Args)]
pub(crate) struct ToUnpack {
    /// Write the files that it holds, with their names and permissions, instead of carrying an image
    #[arg(long, conflicts_with_all = ["to", "all"])]
    unpack: bool,
    /// With --unpack: the folder to write into [default: .]; - writes a lone file to standard output
    #[arg(value_name = "DIR", conflicts_with = "to")]
    folder: Option<PathBuf>,
    /// With --unpack: bytes that a folder may unpack to, or none for no limit [default: 8GiB, or 200 times what it is packed]
    #[arg(long = "unpack-limit", value_name = "SIZE", value_parser = most_bytes, conflicts_with = "to")]
    limit: Option<Most>,
}

impl ToUnpack {
    /// Refuses what says neither that files are wanted nor where an image is.
    pub(super) fn is_meant(&self, image: &Place) -> Result<()> {
        if self.unpack {
            return Ok(());
        }
        let said = match &self.folder {
            Some(folder) => {
                let folder = folder.display();
                format!(
                    "--unpack writes the files of an artifact into {folder}; an image goes --to oci:{folder} or --to dir:{folder}"
                )
            }
            None => format!(
                "say where {image} is to be: --to containers-storage:NAME for podman, docker-daemon:NAME for docker, \
                 oci-archive:FILE, docker-archive:FILE, oci:FOLDER or dir:FOLDER; --unpack writes the files of an artifact"
            ),
        };
        Err(Error::Usage(said))
    }

    /// Writes them.
    pub(super) async fn run(self, session: &Session, origin: &Origin, image: &Stored) -> Result<()> {
        let folder = self.folder.unwrap_or_else(|| ".".into());
        if folder.as_os_str() == "-" {
            return to_output(origin, &lone_file(&origin.view(image)?)?).await;
        }
        let progress = Progress::new(session.out);
        if let Some(registry) = origin.registry() {
            progress.watches(&registry);
        }
        let unpacking = unpack(origin, image, &folder, self.limit, &progress).await?;
        drop(progress);
        let names: Vec<String> = unpacking.layers().map(|(name, _)| name).collect();
        let without_name = unpacking.without_name();
        blocking(move || Ok(unpacking.finish()?)).await?;
        if session.out.json {
            let done = json!({
                "event": "done", "source": origin.shown, "destination": folder.display().to_string(),
                "digest": image.digest.to_string(), "media_type": image.media_type.to_string(), "size": image.size(),
                "tags": [], "files": names,
            });
            return crate::output::print(&format!("{done}\n"));
        }
        if without_name > 0 {
            let layers = count(without_name, "layer");
            crate::output::note(&format!("{layers} without a name left out"));
        }
        if session.out.quiet {
            return crate::output::print(&crate::output::lines(names));
        }
        session.out.done(None, &format!("{} unpacked into {}", names.join(", "), folder.display()))
    }
}

/// All into the staging folder.
async fn unpack(
    origin: &Origin,
    image: &Stored,
    folder: &Path,
    limit: Option<Most>,
    progress: &Progress,
) -> Result<Unpacking> {
    let view = origin.view(image)?;
    let unpacking = {
        let folder = folder.to_owned();
        let unpacking = blocking(move || Ok(Unpacking::new(&folder, &view)?)).await?;
        Arc::new(match limit {
            Some(Most(most)) => unpacking.limited_to(most.map_or(u64::MAX, Amount::get)),
            None => unpacking,
        })
    };
    let layers: Vec<Descriptor> = unpacking.layers().map(|(_, descriptor)| descriptor.clone()).collect();
    let bytes = layers.iter().map(|layer| layer.size).sum();
    progress.tell(&Event::Planned { manifests: 1, parts: layers.len(), bytes });
    let stop = Stop::default();
    let guard = (stop.on_drop(), progress.clear_on_drop());
    let each = layers.iter().enumerate().map(|(at, layer)| put(origin, &unpacking, at, layer, progress, &stop));
    stream::iter(each).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    drop(guard);
    Arc::into_inner(unpacking).ok_or_else(|| Error::Failed("a file is still being written".into()))
}

async fn put(
    origin: &Origin,
    unpacking: &Arc<Unpacking>,
    at: usize,
    layer: &Descriptor,
    progress: &Progress,
    stop: &Stop,
) -> Result<()> {
    let part = Part { kind: Kind::Layer, digest: Shown(layer.digest.clone()), size: layer.size };
    progress.tell(&Event::Started { part: part.clone(), planned: layer.size });
    let see = {
        let (progress, digest, size) = (progress.clone(), part.digest.clone(), part.size);
        move |bytes| progress.tell(&Event::Progress { digest: digest.clone(), bytes, size })
    };
    let mut content = origin.open(layer).await?.seen(stop.clone(), see).blocking();
    let unpacking = Arc::clone(unpacking);
    blocking(move || Ok(unpacking.put(at, &mut content)?)).await?;
    progress.tell(&Event::Finished { part, how: How::Copied, became: None });
    Ok(())
}

/// The last bytes come only if all are right.
async fn to_output(origin: &Origin, layer: &Descriptor) -> Result<()> {
    let mut content = origin.open(layer).await?.blocking();
    let shown = origin.shown.clone();
    blocking(move || {
        let mut out = io::stdout().lock();
        let copied = io::copy(&mut content, &mut out).and_then(|_| out.flush());
        copied.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::Enough,
            _ => Error::Read { shown, source: error },
        })
    })
    .await
}
