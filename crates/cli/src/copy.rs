//! Carrying an image from one place to another: plan, parts, manifests.
//!
//! Nothing is written where it can be seen before all parts are there: blobs come first, each once, several at a time;
//! then manifests, children before parents; the name comes last. What is not asked to change keeps its bytes, and so its
//! digest; layers that their source keeps unpacked are compressed, unless the target has what they were.

use wharf_image::Stored;

use crate::origin::Origin;
use crate::progress::{Event, Progress, Shown};
use crate::stream::Stop;
use crate::target::Target;
use crate::{Error, Result};

mod known;
mod manifests;
mod parts;
mod plan;
mod recipe;
mod tagged;

use plan::Plan;
pub(crate) use plan::{Options, Which, cosigns, is_manifest};
pub(crate) use recipe::{Wish, compression_of};
pub(crate) use tagged::Fate;

/// Carries an image. Returns its root as it is at the target.
pub(crate) async fn copy(origin: &Origin, target: Target, options: &Options, progress: &Progress) -> Result<Stored> {
    for registry in origin.registry().into_iter().chain(target.registry()) {
        progress.watches(&registry);
    }
    let plan = Plan::new(origin, &target, options).await?;
    if !plan.left_out.is_empty() && target.registry().is_some() {
        let left_out = plan.left_out.join(", ");
        progress.note(format!("{} also has images for {left_out}: --all takes them along", origin.shown));
    }
    progress.tell(&Event::Planned {
        manifests: plan.manifests.len(),
        parts: plan.parts.len(),
        bytes: plan.parts.iter().map(|part| part.descriptor.size).sum(),
    });
    let stop = Stop::default();
    let _cleared = progress.clear_on_drop();
    let guard = stop.on_drop();
    let became = parts::carry(origin, &target, &plan, progress, &stop).await?;
    drop(guard);
    if options.preserve_digests && !became.is_empty() {
        let said = "its layers are not there as they were packed, and --preserve-digests forbids to pack them anew";
        return Err(Error::Failed(format!("{}: {said}", origin.shown)));
    }
    let (shown, tags) = (target.shown.clone(), target.tags());
    let root = manifests::put(target, plan, became, progress).await?;
    progress.tell(&Event::Done {
        source: origin.shown.clone(),
        destination: shown,
        digest: Shown(root.digest.clone()),
        media_type: root.media_type.to_string(),
        size: root.size(),
        tags: tags.iter().map(ToString::to_string).collect(),
    });
    Ok(root)
}
