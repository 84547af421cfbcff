//! `wharf verify`

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};

use clap::Args;
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use wharf_image::Stored;
use wharf_image::compress::Unpacked;
use wharf_image::tar::Limits;
use wharf_oci::{Algorithm, Descriptor, Digest, Hasher, ImageConfig, Manifest, MediaType};

use crate::budget::Budget;
use crate::completing::places;
use crate::copy::{compression_of, is_manifest};
use crate::origin::Origin;
use crate::output::{lines, print, print_json, printable};
use crate::parse::{count, human};
use crate::place::Place;
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::stream::blocking;
use crate::verb::Act;
use crate::{Error, Result};

/// Blobs that are read at once.
const AT_ONCE: usize = 6;
/// Bytes that are read at once.
const BLOCK: usize = 256 * 1024;

#[derive(Debug, Args)]
#[command(after_help = "All platforms of an index are read, whatever this machine is.\n\n\
    Examples:\n  wharf verify team/app:v1\n  wharf verify oci-archive:app.tar")]
pub(crate) struct Verify {
    /// Which image; `wharf copy --help` lists the places
    #[arg(value_name = "IMAGE", add = places())]
    place: Place,
    #[command(flatten)]
    access: Access,
}

/// What was found.
#[derive(Default)]
struct Findings {
    manifests: usize,
    blobs: usize,
    bytes: u64,
    problems: Vec<(Digest, String)>,
}

impl Act for Verify {
    async fn run(self, session: &Session) -> Result<()> {
        let reach = Reach::new(session, self.access)?;
        let progress = Progress::aside(session.out);
        let origin = reach.origin(&self.place, &progress).await?;
        let root = origin.root().await?;
        let digest = root.digest.clone();
        let mut walk = Walk::new(&origin);
        walk.manifests(root).await?;
        let findings = walk.read_blobs().await?;
        if session.out.json {
            print_json(&findings.as_json(&origin.shown, &digest))?;
        } else if !session.out.quiet {
            print(&findings.as_text(&origin.shown, &digest))?;
        }
        findings.verdict(&origin.shown)
    }
}

impl Findings {
    /// A registry that was cut or is busy says nothing of what it holds.
    fn add(&mut self, digest: Digest, error: Error) -> Result<()> {
        if !error.is_damage() {
            return Err(error);
        }
        self.problems.push((digest, error.to_string()));
        Ok(())
    }

    fn as_json(&self, shown: &str, digest: &Digest) -> serde_json::Value {
        let problem =
            |(digest, problem): &(Digest, String)| json!({ "digest": digest.to_string(), "problem": problem });
        json!({
            "image": shown, "digest": digest.to_string(),
            "manifests": self.manifests, "blobs": self.blobs, "bytes": self.bytes,
            "problems": self.problems.iter().map(problem).collect::<Vec<_>>(),
        })
    }

    fn as_text(&self, shown: &str, digest: &Digest) -> String {
        let (manifests, blobs) = (count(self.manifests, "manifest"), count(self.blobs, "blob"));
        let read = format!("{shown} {digest}: {manifests} and {blobs} of {} read", human(self.bytes));
        if self.problems.is_empty() {
            return format!("{read}, all as they are named\n");
        }
        let problems = self.problems.iter().map(|(digest, problem)| format!("{digest}: {}", printable(problem)));
        format!("{read}\n{}", lines(problems))
    }

    fn verdict(&self, shown: &str) -> Result<()> {
        match self.problems.as_slice() {
            [] => Ok(()),
            [(digest, problem)] => Err(Error::Failed(format!("{shown} is damaged: {digest}: {problem}"))),
            [(digest, problem), rest @ ..] => {
                let more = rest.len();
                Err(Error::Failed(format!("{shown} is damaged: {digest}: {problem}; and {more} more")))
            }
        }
    }
}

struct Walk<'a> {
    origin: &'a Origin,
    budget: Budget,
    findings: Findings,
    known: HashSet<Digest>,
    blobs: Vec<Descriptor>,
    /// What layers are to be without compression, as images say.
    diff_ids: HashMap<Digest, Digest>,
}

impl<'a> Walk<'a> {
    fn new(origin: &'a Origin) -> Self {
        Self {
            origin,
            budget: Budget::new(&origin.shown),
            findings: Findings::default(),
            known: HashSet::new(),
            blobs: vec![],
            diff_ids: HashMap::new(),
        }
    }

    /// All manifests that the root leads to; what is damaged is a finding and not the end.
    async fn manifests(&mut self, root: Stored) -> Result<()> {
        let mut left = vec![root];
        while let Some(stored) = left.pop() {
            if !self.known.insert(stored.digest.clone()) {
                continue;
            }
            self.findings.manifests += 1;
            let view = match self.origin.view(&stored) {
                Ok(view) => view,
                Err(error) => {
                    self.findings.add(stored.digest, error)?;
                    continue;
                }
            };
            let (children, blobs): (Vec<_>, Vec<_>) = view.children.iter().partition(|child| is_manifest(child));
            for child in children {
                left.extend(self.manifest(child).await?);
            }
            self.layers(&view).await;
            let blobs = blobs.into_iter().chain(&view.layers).chain(&view.config);
            for blob in blobs.filter(|blob| !blob.has_urls && !MediaType::is_foreign_layer(&blob.media_type)) {
                if self.known.insert(blob.digest.clone()) {
                    self.blobs.push(blob.clone());
                }
            }
        }
        Ok(())
    }

    /// What its configuration says of its layers. One that cannot be read is found out when it is read as a blob.
    async fn layers(&mut self, view: &Manifest) {
        let Some(config) = view.image_config() else { return };
        let Ok(bytes) = self.origin.config(config).await else { return };
        // Artifacts have configurations of that type, too, with nothing in them.
        let diff_ids = ImageConfig::parse(&bytes).map(|config| config.diff_ids).unwrap_or_default();
        if diff_ids.is_empty() {
            return;
        }
        if diff_ids.len() != view.layers.len() {
            let (says, has) = (count(diff_ids.len(), "layer"), view.layers.len());
            let problem = format!("it is the configuration of an image with {says}, and its manifest has {has}");
            self.findings.problems.push((config.digest.clone(), problem));
            return;
        }
        let layers = view.layers.iter().zip(diff_ids);
        for (layer, diff_id) in layers.filter(|(layer, _)| compression_of(&layer.media_type).is_some()) {
            let said = self.diff_ids.entry(layer.digest.clone()).or_insert_with(|| diff_id.clone());
            if *said != diff_id {
                let problem = format!("layer {} cannot be {said} and {diff_id} unpacked", layer.digest);
                self.findings.problems.push((config.digest.clone(), problem));
            }
        }
    }

    async fn manifest(&mut self, child: &Descriptor) -> Result<Option<Stored>> {
        if self.known.contains(&child.digest) {
            return Ok(None);
        }
        let problem = match self.origin.manifest(&child.digest).await {
            Ok(stored) if stored.size() == child.size => {
                self.budget.spend(&stored)?;
                return Ok(Some(stored));
            }
            Ok(stored) => Error::Damaged(format!("it has {} bytes, and its index says {}", stored.size(), child.size)),
            Err(error) => error,
        };
        self.findings.add(child.digest.clone(), problem)?;
        Ok(None)
    }

    async fn read_blobs(self) -> Result<Findings> {
        let Self { origin, mut findings, blobs, diff_ids, .. } = self;
        let diff_ids = &diff_ids;
        let read = blobs.into_iter().map(|blob| async move {
            let outcome = read(origin, &blob, diff_ids.get(&blob.digest)).await;
            (blob, outcome)
        });
        let mut read = stream::iter(read).buffered(AT_ONCE);
        while let Some((blob, outcome)) = read.next().await {
            findings.blobs += 1;
            findings.bytes += blob.size;
            match outcome {
                // Its bytes are in its manifest, and were compared there.
                Err(error) if blob.data_matches && error.is_not_found() => {}
                Err(error) => findings.add(blob.digest, error)?,
                Ok(()) => {}
            }
        }
        Ok(findings)
    }
}

/// To its end, where its reader compares it with its digest. A layer is unpacked on the way, and compared with what its
/// image says of it.
async fn read(origin: &Origin, blob: &Descriptor, diff_id: Option<&Digest>) -> Result<()> {
    let unpacked = origin.unpacked(blob).await?;
    let from = unpacked.as_ref().unwrap_or(blob);
    let content = origin.open(from).await?;
    if let Some(diff_id) = diff_id.filter(|diff_id| **diff_id != from.digest) {
        let (content, size, diff_id) = (content.blocking(), from.size, diff_id.clone());
        let origin = origin.clone();
        return blocking(move || compare(&origin, content, size, &diff_id)).await;
    }
    let mut read = content.waiting();
    let mut block = vec![0; BLOCK];
    while read.read(&mut block).await.map_err(|error| origin.failed(error))? > 0 {}
    Ok(())
}

fn compare(origin: &Origin, mut content: impl Read, size: u64, diff_id: &Digest) -> Result<()> {
    let found = unpacked(&mut content, size, diff_id.algorithm());
    // What was damaged is better said by what came than by how that does not unpack.
    io::copy(&mut content, &mut io::sink()).map_err(|error| origin.failed(error))?;
    let found = found.map_err(|error| Error::Damaged(format!("it cannot be unpacked: {error}")))?;
    if found == *diff_id {
        return Ok(());
    }
    Err(Error::Damaged(format!("it unpacks to {found}, and its image says {diff_id}")))
}

fn unpacked(content: &mut impl Read, size: u64, algorithm: Algorithm) -> io::Result<Digest> {
    let mut unpacked = Unpacked::new(content, Limits::of(size).bytes)?;
    let mut hasher = Hasher::new(algorithm);
    let mut block = vec![0; BLOCK];
    loop {
        match unpacked.read(&mut block)? {
            0 => return Ok(hasher.digest()),
            read => hasher.update(&block[..read]),
        }
    }
}
