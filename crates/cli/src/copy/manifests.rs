//! Manifests, once all that they name is there; the one that gets a name last.

use wharf_image::Stored;
use wharf_image::convert::{Format, Replacements, convert};

use super::plan::{Plan, Planned};
use crate::progress::{Event, Progress, Shown};
use crate::target::Target;
use crate::{Error, Result};

/// Puts them; the root as it is at the target.
pub(super) async fn put(target: Target, plan: Plan, mut replaced: Replacements, progress: &Progress) -> Result<Stored> {
    let Plan { root, recipe, manifests, .. } = plan;
    let mut last = None;
    for planned in manifests {
        let stored = converted(&planned, recipe.format, &mut replaced)?;
        if planned.stored.digest == root {
            last = Some(stored);
            continue;
        }
        target.put_manifest(&stored, planned.tag.as_ref()).await?;
        tell(progress, &stored, planned.tag.iter().map(ToString::to_string).collect());
    }
    let root = last.ok_or_else(|| Error::Failed("there is no manifest to name".into()))?;
    let tags = target.tags().iter().map(ToString::to_string).collect();
    target.finish(&root).await?;
    tell(progress, &root, tags);
    Ok(root)
}

/// A manifest as it is to be, given what those before it have become.
pub(super) fn converted(planned: &Planned, format: Option<Format>, replaced: &mut Replacements) -> Result<Stored> {
    let stored = &planned.stored;
    let own = Format::of(&stored.media_type);
    let wanted = match (own, format) {
        // Artifacts' old manifests are OCI's as much as any.
        (None, None | Some(Format::Oci)) => return Ok(stored.clone()),
        (own, format) => format.or(own).unwrap_or(Format::Oci),
    };
    let new = convert(stored, wanted, replaced)?;
    if new.digest != stored.digest {
        replaced.insert(stored.digest.clone(), new.descriptor());
    }
    Ok(new)
}

fn tell(progress: &Progress, stored: &Stored, tags: Vec<String>) {
    progress.tell(&Event::Manifest {
        digest: Shown(stored.digest.clone()),
        media_type: stored.media_type.to_string(),
        size: stored.size(),
        tags,
    });
}
