//! Manifests, once all that they name is there; the one that gets a name last.

use wharf_image::Stored;

use super::parts::Became;
use super::plan::{Plan, Planned};
use crate::progress::{Event, Progress, Shown};
use crate::target::Target;
use crate::{Error, Result};

/// Puts them; the root as it is at the target.
pub(super) async fn put(target: Target, plan: Plan, _became: &Became, progress: &Progress) -> Result<Stored> {
    let Plan { root, manifests, .. } = plan;
    let (mut roots, others): (Vec<Planned>, Vec<Planned>) =
        manifests.into_iter().partition(|planned| planned.stored.digest == root);
    for planned in others {
        target.put_manifest(&planned.stored, planned.tag.as_ref()).await?;
        tell(progress, &planned.stored, planned.tag.iter().map(ToString::to_string).collect());
    }
    let root = roots.pop().ok_or_else(|| Error::Failed("there is no manifest to name".into()))?;
    let tags = target.tags().iter().map(ToString::to_string).collect();
    target.finish(&root.stored).await?;
    tell(progress, &root.stored, tags);
    Ok(root.stored)
}

fn tell(progress: &Progress, stored: &Stored, tags: Vec<String>) {
    progress.tell(&Event::Manifest {
        digest: Shown(stored.digest.clone()),
        media_type: stored.media_type.to_string(),
        size: stored.size(),
        tags,
    });
}
