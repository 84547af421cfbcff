//! Manifests, once all that they name is there; the one that gets a name last.

use wharf_image::Stored;
use wharf_image::convert::{Format, Replacements, convert};

use super::plan::{Plan, Planned};
use crate::progress::{Event, Progress, Shown};
use crate::target::Target;
use crate::{Error, Result};

/// Puts them, with what they name called what it has become; the root as it is at the target.
pub(super) async fn put(target: Target, plan: Plan, became: Replacements, progress: &Progress) -> Result<Stored> {
    let Plan { root, manifests, .. } = plan;
    let mut became = became;
    let mut named = None;
    for planned in manifests {
        let is_root = planned.stored.digest == root;
        let planned = rewritten(planned, &mut became)?;
        if is_root {
            named = Some(planned.stored);
            continue;
        }
        target.put_manifest(&planned.stored, planned.tag.as_ref()).await?;
        tell(progress, &planned.stored, planned.tag.iter().map(ToString::to_string).collect());
    }
    let root = named.ok_or_else(|| Error::Failed("there is no manifest to name".into()))?;
    let tags = target.tags().iter().map(ToString::to_string).collect();
    target.finish(&root).await?;
    tell(progress, &root, tags);
    Ok(root)
}

/// Children come before their parents, so that what they have become is known.
fn rewritten(planned: Planned, became: &mut Replacements) -> Result<Planned> {
    let was = &planned.stored;
    let Some(format) = Format::of(&was.media_type).filter(|_| !became.is_empty()) else { return Ok(planned) };
    let stored = convert(was, format, became).map_err(|error| Error::Failed(error.to_string()))?;
    if stored.digest != was.digest {
        became.insert(was.digest.clone(), stored.descriptor());
    }
    Ok(Planned { stored, ..planned })
}

fn tell(progress: &Progress, stored: &Stored, tags: Vec<String>) {
    progress.tell(&Event::Manifest {
        digest: Shown(stored.digest.clone()),
        media_type: stored.media_type.to_string(),
        size: stored.size(),
        tags,
    });
}
