//! Blobs: several at a time, none that is there already.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;
use wharf_image::compress::Compression;
use wharf_image::convert::Replacements;
use wharf_oci::{Descriptor, Digest};

use super::known::Known;
use super::plan::{Part, Plan};
use super::recipe::{Recipe, layer_type};
use crate::origin::Origin;
use crate::packing::Packing;
use crate::progress::{self, Event, How, Kind, Progress, Shown};
use crate::stream::Stop;
use crate::target::Target;
use crate::{Result, environment};

/// Blobs on their way at once: what skopeo and docker do, and enough to hide waiting.
const AT_ONCE: usize = 6;
/// What is under way gets so long to end when something else has failed.
const TO_END: Duration = Duration::from_secs(10);
/// Layers that are compressed at once, each on several cores: one more than there is work for, so that none waits.
const PACKED_AT_ONCE: usize = 2;

/// Carries all parts. Returns what they have become at the target, by what they were; those that stay as they are are not
/// in it.
pub(super) async fn carry(
    origin: &Origin,
    target: &Target,
    plan: &Plan,
    progress: &Progress,
    stop: &Stop,
) -> Result<Replacements> {
    let known = Known::new(environment::cache_folder());
    let turns = Semaphore::new(PACKED_AT_ONCE);
    let carrier = Carrier { origin, target, recipe: plan.recipe, progress, stop, known, turns };
    let each = plan.parts.iter().map(|part| carrier.part(part));
    let mut each = stream::iter(each).buffer_unordered(AT_ONCE);
    let mut all = Replacements::new();
    while let Some(outcome) = each.next().await {
        match outcome {
            Ok(became) => all.extend(became),
            Err(error) => {
                // Those that are under way end theirs at the registry: dropped, they would stay open there.
                stop.set();
                let rest = each.for_each(|_| std::future::ready(()));
                let _in_time = tokio::time::timeout(TO_END, rest).await;
                return Err(error);
            }
        }
    }
    Ok(all)
}

struct Carrier<'a> {
    origin: &'a Origin,
    target: &'a Target,
    recipe: Recipe,
    progress: &'a Progress,
    stop: &'a Stop,
    known: Known,
    turns: Semaphore,
}

/// How a part got there, and what it is there if it is not what it was.
type Outcome = (How, Option<Descriptor>);

impl Carrier<'_> {
    async fn part(&self, part: &Part) -> Result<Option<(Digest, Descriptor)>> {
        self.stop.check().map_err(|error| self.origin.failed(error))?;
        let (how, became) = match &part.packing {
            Some(packing) => {
                let tar = self.origin.unpacked(&part.descriptor).await?;
                self.pack(part, tar.as_ref().unwrap_or(&part.descriptor), packing).await?
            }
            None => self.carry(part).await?,
        };
        let told = became.as_ref().map(|became| shown_as(part.kind, became));
        self.progress.tell(&Event::Finished { part: shown(part), how, became: told });
        Ok(became.map(|became| (part.descriptor.digest.clone(), became)))
    }

    async fn carry(&self, part: &Part) -> Result<Outcome> {
        let descriptor = &part.descriptor;
        if let Some(from) = self.target.can_mount_from(self.origin)
            && self.target.mount(descriptor, from).await?
        {
            return Ok((How::Mounted, None));
        }
        if self.target.has_blob(descriptor).await? || part.is_optional && !self.is_there(part).await? {
            return Ok((How::There, None));
        }
        if part.kind == Kind::Layer
            && let Some(tar) = self.origin.unpacked(descriptor).await?
        {
            let packing = Packing { compression: self.recipe.pack_bare(), diff_id: Some(tar.digest.clone()) };
            return self.pack(part, &tar, &packing).await;
        }
        self.progress.tell(&Event::Started { part: shown(part), planned: descriptor.size });
        self.target.put_blob(self.origin, descriptor, self.see(descriptor, descriptor.size), self.stop).await?;
        Ok((How::Copied, None))
    }

    /// Carries a layer in another compression than it has; `from` is what there is of it.
    async fn pack(&self, part: &Part, from: &Descriptor, packing: &Packing) -> Result<Outcome> {
        let (compression, media_type) = (packing.compression, layer_type(packing.compression));
        let diff_id = packing.diff_id.as_ref();
        if let Some(known) = diff_id.and_then(|diff_id| self.known.get(diff_id, compression, media_type))
            && self.target.has_blob(&known).await?
        {
            return Ok((How::There, changed(part, known)));
        }
        let see = self.see(&part.descriptor, from.size);
        let (size, planned) = (from.size, part.descriptor.size);
        self.progress.tell(&Event::Started { part: progress::Part { size, ..shown(part) }, planned });
        if compression == Compression::None && diff_id == Some(&from.digest) {
            self.target.put_blob(self.origin, from, see, self.stop).await?;
            return Ok((How::Copied, changed(part, Descriptor::new(media_type, from.digest.clone(), from.size))));
        }
        // Nobody closes it: without a turn it would only take more memory.
        let _turn = self.turns.acquire().await.ok();
        let (digest, size) = self.target.put_packed(self.origin, from, packing, see, self.stop).await?;
        let packed = Descriptor::new(media_type, digest, size);
        if let Some(diff_id) = diff_id {
            self.known.keep(diff_id, compression, &packed);
        }
        Ok((How::Copied, changed(part, packed)))
    }

    /// Whether the source has what its manifest carries anyway.
    async fn is_there(&self, part: &Part) -> Result<bool> {
        match self.origin.open(&part.descriptor).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn see(&self, part: &Descriptor, size: u64) -> impl Fn(u64) + Clone + Send + Sync + Unpin + 'static {
        let (progress, digest) = (self.progress.clone(), Shown(part.digest.clone()));
        move |bytes| progress.tell(&Event::Progress { digest: digest.clone(), bytes, size })
    }
}

/// None if it has become what it was when it was pulled.
fn changed(part: &Part, became: Descriptor) -> Option<Descriptor> {
    (became.digest != part.descriptor.digest).then_some(became)
}

fn shown(part: &Part) -> progress::Part {
    shown_as(part.kind, &part.descriptor)
}

fn shown_as(kind: Kind, descriptor: &Descriptor) -> progress::Part {
    progress::Part { kind, digest: Shown(descriptor.digest.clone()), size: descriptor.size }
}
