//! Signatures under tags of their own, as cosign keeps them: what the destination has there is never lost.

use std::collections::HashSet;

use wharf_image::Stored;
use wharf_oci::{Digest, Manifest};

use super::plan::Planned;
use crate::target::Target;
use crate::{Error, Result};

/// What comes of signatures that are to go where there are some.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// These are what is there.
    Same,
    /// All that are there are among them.
    Go,
    /// They are all there, with more.
    Stay,
    /// Each has what the other has not.
    Clash,
}

impl Fate {
    pub(crate) fn of(there: &Stored, coming: &Stored) -> Self {
        if there.digest == coming.digest {
            return Self::Same;
        }
        let ours = signatures(coming).unwrap_or_default();
        match signatures(there) {
            Some(held) if held.is_subset(&ours) => Self::Go,
            Some(held) if ours.is_subset(&held) => Self::Stay,
            _ => Self::Clash,
        }
    }
}

/// Those that are to be carried. One that the destination has with more in it stays there as it is; two that each have
/// something of their own are refused, before anything is written.
pub(super) async fn settled(manifests: Vec<Planned>, root: &Digest, target: &Target) -> Result<Vec<Planned>> {
    let mut settled = vec![];
    for planned in manifests {
        let Some(tag) = planned.tag.as_ref().filter(|_| planned.stored.digest != *root) else {
            settled.push(planned);
            continue;
        };
        let Some(there) = target.tagged(tag).await? else {
            settled.push(planned);
            continue;
        };
        match Fate::of(&there, &planned.stored) {
            // What is there may lack some of its parts.
            Fate::Same | Fate::Go => settled.push(planned),
            Fate::Stay => {}
            Fate::Clash => {
                let (shown, otherwise) = (&target.shown, target.without_that_tag());
                return Err(Error::Failed(format!(
                    "{shown} has signatures of its own under {tag} ({}), and those that were to go there ({}) would \
                     replace them: leave --referrers out, or {otherwise}",
                    there.digest, planned.stored.digest
                )));
            }
        }
    }
    Ok(settled)
}

/// Each is a layer; `None` of what cannot be read.
fn signatures(manifest: &Stored) -> Option<HashSet<Digest>> {
    let of = |view: Manifest| view.layers.into_iter().chain(view.children).map(|layer| layer.digest).collect();
    manifest.view().map(of).ok()
}
