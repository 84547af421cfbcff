//! Signatures under tags of their own, as cosign keeps them: what the destination has there is never lost.

use std::collections::HashSet;

use wharf_oci::{Digest, Manifest};

use super::plan::Planned;
use crate::target::Target;
use crate::{Error, Result};

/// Those that are to be carried. One that the destination has with more in it stays there as it is; two that each have
/// something of their own are refused, before anything is written.
pub(super) async fn settled(manifests: Vec<Planned>, root: &Digest, target: &Target) -> Result<Vec<Planned>> {
    let mut settled = vec![];
    for planned in manifests {
        let there = match &planned.tag {
            Some(tag) if planned.stored.digest != *root => target.tagged(tag).await?,
            _ => None,
        };
        let Some(there) = there.filter(|there| there.digest != planned.stored.digest) else {
            settled.push(planned);
            continue;
        };
        let held = there.view().map(|view| named(&view)).unwrap_or_default();
        let ours = named(&planned.view);
        if held.is_subset(&ours) {
            settled.push(planned);
        } else if !ours.is_subset(&held) {
            let (tag, shown) = (planned.tag.map(|tag| tag.to_string()).unwrap_or_default(), &target.shown);
            return Err(Error::Failed(format!(
                "{shown} has signatures of its own under {tag} ({}), and those that were to go there ({}) would replace \
                 them: leave --referrers out, or delete that tag",
                there.digest, planned.stored.digest
            )));
        }
    }
    Ok(settled)
}

/// Each signature is a layer.
fn named(view: &Manifest) -> HashSet<Digest> {
    view.layers.iter().chain(&view.children).map(|layer| layer.digest.clone()).collect()
}
