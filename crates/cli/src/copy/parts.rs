//! Blobs: several at a time, none that is there already.

use std::collections::HashMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wharf_oci::{Descriptor, Digest};

use super::plan::{Part, Plan};
use crate::Result;
use crate::origin::Origin;
use crate::progress::{self, Event, How, Progress, Shown};
use crate::stream::Stop;
use crate::target::Target;

/// Blobs on their way at once: what skopeo and docker do, and enough to hide waiting.
const AT_ONCE: usize = 6;

/// What blobs have become at the target, by what they were. Those that stay as they are are not in it.
pub(super) type Became = HashMap<Digest, Descriptor>;

/// Carries all parts.
pub(super) async fn carry(
    origin: &Origin,
    target: &Target,
    plan: &Plan,
    progress: &Progress,
    stop: &Stop,
) -> Result<Became> {
    let carrier = Carrier { origin, target, progress, stop };
    let each = plan.parts.iter().map(|part| carrier.part(part));
    let all: Vec<Option<(Digest, Descriptor)>> = stream::iter(each).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(all.into_iter().flatten().collect())
}

struct Carrier<'a> {
    origin: &'a Origin,
    target: &'a Target,
    progress: &'a Progress,
    stop: &'a Stop,
}

impl Carrier<'_> {
    async fn part(&self, part: &Part) -> Result<Option<(Digest, Descriptor)>> {
        let how = self.carry(part).await?;
        self.progress.tell(&Event::Finished { part: shown(part), how, became: None });
        Ok(None)
    }

    async fn carry(&self, part: &Part) -> Result<How> {
        let descriptor = &part.descriptor;
        if let Some(from) = self.target.can_mount_from(self.origin)
            && self.target.mount(descriptor, from).await?
        {
            return Ok(How::Mounted);
        }
        if self.target.has_blob(descriptor).await? {
            return Ok(How::There);
        }
        if part.is_optional && !self.is_there(part).await? {
            return Ok(How::There);
        }
        self.progress.tell(&Event::Started(shown(part)));
        self.target.put_blob(self.origin, descriptor, self.see(part), self.stop).await?;
        Ok(How::Copied)
    }

    /// Whether the source has what its manifest carries anyway.
    async fn is_there(&self, part: &Part) -> Result<bool> {
        match self.origin.open(&part.descriptor).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn see(&self, part: &Part) -> impl Fn(u64) + Clone + Send + Sync + Unpin + 'static {
        let (progress, digest, size) =
            (self.progress.clone(), Shown(part.descriptor.digest.clone()), part.descriptor.size);
        move |bytes| progress.tell(&Event::Progress { digest: digest.clone(), bytes, size })
    }
}

fn shown(part: &Part) -> progress::Part {
    progress::Part { kind: part.kind, digest: Shown(part.descriptor.digest.clone()), size: part.descriptor.size }
}
