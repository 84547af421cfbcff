//! `wharf verify`

use std::collections::HashSet;

use clap::Args;
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use wharf_image::Stored;
use wharf_oci::{Descriptor, Digest, MediaType};

use crate::copy::is_manifest;
use crate::origin::Origin;
use crate::output::{lines, print, print_json, printable};
use crate::parse::{count, human};
use crate::place::Place;
use crate::progress::Progress;
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::verb::Act;
use crate::{Error, Result};

/// Blobs that are read at once.
const AT_ONCE: usize = 6;

#[derive(Debug, Args)]
#[command(after_help = "All platforms of an index are read, whatever this machine is.\n\n\
    Examples:\n  wharf verify team/app:v1\n  wharf verify oci-archive:app.tar")]
pub(crate) struct Verify {
    /// Which image; `wharf copy --help` lists the places
    #[arg(value_name = "IMAGE")]
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
        let origin = reach.origin(&self.place, &Progress::for_people()).await?;
        let root = origin.root().await?;
        let digest = root.digest.clone();
        let mut walk = Walk { origin: &origin, findings: Findings::default(), known: HashSet::new(), blobs: vec![] };
        walk.manifests(root).await;
        let findings = walk.read_blobs().await;
        if session.out.json {
            print_json(&findings.as_json(&origin.shown, &digest))?;
        } else if !session.out.quiet {
            print(&findings.as_text(&origin.shown, &digest))?;
        }
        findings.verdict(&origin.shown)
    }
}

impl Findings {
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
    findings: Findings,
    known: HashSet<Digest>,
    blobs: Vec<Descriptor>,
}

impl Walk<'_> {
    /// All manifests that the root leads to; what cannot be read is a finding and not the end.
    async fn manifests(&mut self, root: Stored) {
        let mut left = vec![root];
        while let Some(stored) = left.pop() {
            if !self.known.insert(stored.digest.clone()) {
                continue;
            }
            self.findings.manifests += 1;
            let view = match self.origin.view(&stored) {
                Ok(view) => view,
                Err(error) => {
                    self.findings.problems.push((stored.digest, error.to_string()));
                    continue;
                }
            };
            let (children, blobs): (Vec<_>, Vec<_>) = view.children.iter().partition(|child| is_manifest(child));
            for child in children {
                left.extend(self.manifest(child).await);
            }
            let blobs = blobs.into_iter().chain(&view.layers).chain(&view.config);
            for blob in blobs.filter(|blob| !blob.has_urls && !MediaType::is_foreign_layer(&blob.media_type)) {
                if self.known.insert(blob.digest.clone()) {
                    self.blobs.push(blob.clone());
                }
            }
        }
    }

    async fn manifest(&mut self, child: &Descriptor) -> Option<Stored> {
        let problem = match self.origin.manifest(&child.digest).await {
            Ok(stored) if stored.size() == child.size => return Some(stored),
            Ok(stored) => format!("it has {} bytes, and its index says {}", stored.size(), child.size),
            Err(error) => error.to_string(),
        };
        self.findings.problems.push((child.digest.clone(), problem));
        None
    }

    async fn read_blobs(self) -> Findings {
        let Self { origin, mut findings, blobs, .. } = self;
        let read = blobs.into_iter().map(|blob| async move {
            let outcome = read(origin, &blob).await;
            (blob, outcome)
        });
        let mut read = stream::iter(read).buffered(AT_ONCE);
        while let Some((blob, outcome)) = read.next().await {
            findings.blobs += 1;
            findings.bytes += blob.size;
            match outcome {
                // Its bytes are in its manifest, and were compared there.
                Err(error) if blob.data_matches && error.is_not_found() => {}
                Err(error) => findings.problems.push((blob.digest, error.to_string())),
                Ok(()) => {}
            }
        }
        findings
    }
}

/// To its end, where its reader compares it with its digest.
async fn read(origin: &Origin, blob: &Descriptor) -> Result<()> {
    let unpacked = origin.unpacked(blob).await?;
    let mut read = origin.open(unpacked.as_ref().unwrap_or(blob)).await?.waiting();
    let mut block = vec![0; 256 * 1024];
    while read.read(&mut block).await.map_err(|error| Error::Failed(error.to_string()))? > 0 {}
    Ok(())
}
