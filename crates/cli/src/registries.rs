//! What registries.conf says of an image's name: where it really lies, from where else it may be read, and whether it
//! may be asked for at all (containers-registries.conf(5), version 2).
//!
//! Later files win over earlier ones, entry by entry; mirrors serve only reading.

use std::collections::BTreeMap;

use wharf_oci::{ImageName, NameError};

use crate::{Error, Result};

mod file;

pub(crate) use file::Files;
use file::{Entry, Which};

/// All files, put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registries {
    search: Vec<String>,
    helpers: Vec<String>,
    aliases: BTreeMap<String, String>,
    /// By prefix.
    entries: BTreeMap<String, Entry>,
}

/// A place that an image lies at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// With its host.
    pub(crate) image: ImageName,
    /// Plain http and certificates that nobody vouches for are taken.
    pub(crate) insecure: bool,
}

/// What a name without a registry stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// This one, by an alias or because only one registry is searched.
    Known(ImageName),
    /// One of several; nobody has said which.
    OneOf(Vec<ImageName>),
    /// No file says.
    Unknown,
}

impl Registries {
    /// Where to write it.
    pub(crate) fn write_to(&self, image: &ImageName) -> Result<Spot> {
        let Some((prefix, entry)) = self.entry(image) else {
            return Ok(Spot { image: image.clone(), insecure: false });
        };
        if entry.blocked {
            let shown = image.to_string();
            return Err(Error::Failed(format!(
                "{shown}: this machine's registries.conf blocks {prefix}; whoever runs the machine can change that"
            )));
        }
        let location = entry.location.as_deref().filter(|location| !location.is_empty());
        let moved = location.map_or(Ok(image.clone()), |location| moved(image, prefix, location))?;
        Ok(Spot { image: moved, insecure: entry.insecure })
    }

    /// Where to read it from, best first; the last is its own place.
    pub(crate) fn read_from(&self, image: &ImageName) -> Result<Vec<Spot>> {
        let own = self.write_to(image)?;
        let Some((prefix, entry)) = self.entry(image) else { return Ok(vec![own]) };
        let by_digest = image.digest.is_some();
        let serves = |which: Which| match which {
            Which::All => true,
            Which::DigestOnly => by_digest,
            Which::TagOnly => !by_digest,
        };
        let digest_only = entry.mirror_by_digest_only;
        let mirrors = entry.mirrors.iter().filter(|mirror| serves(mirror.pull_from) && (by_digest || !digest_only));
        let spots = mirrors.map(|mirror| {
            let image = moved(image, prefix, &mirror.location)?;
            Ok(Spot { image, insecure: mirror.insecure })
        });
        spots.chain([Ok(own)]).collect()
    }

    /// What a name without a host stands for.
    pub(crate) fn short(&self, image: &ImageName) -> Result<Short> {
        let with = |full: &str| on(image, full);
        if let Some(full) = self.aliases.get(image.name.asked()) {
            return Ok(Short::Known(with(full)?));
        }
        let found = self.search.iter().map(|host| with(&format!("{host}/{}", image.name.asked())));
        let mut found = found.collect::<Result<Vec<_>>>()?;
        Ok(match found.len() {
            0 => Short::Unknown,
            1 => Short::Known(found.remove(0)),
            _ => Short::OneOf(found),
        })
    }

    /// The registries that are searched for names without one.
    pub(crate) fn searched(&self) -> &[String] {
        &self.search
    }

    /// Credential helpers for all registries, by the names after `docker-credential-`; `containers-auth.json` is the files.
    pub(crate) fn helpers(&self) -> &[String] {
        &self.helpers
    }

    /// The entry with the longest prefix.
    fn entry(&self, image: &ImageName) -> Option<(&str, &Entry)> {
        let full = image.to_string();
        let fitting = self.entries.iter().filter(|(prefix, _)| matched(prefix, &full).is_some());
        fitting.max_by_key(|(prefix, _)| prefix.len()).map(|(prefix, entry)| (prefix.as_str(), entry))
    }
}

/// How much of a name a prefix stands for.
fn matched(prefix: &str, full: &str) -> Option<usize> {
    if let Some(domain) = prefix.strip_prefix('*') {
        // `*.example.com`: hosts below it, all of their images.
        let host = full.split('/').next()?;
        let bare = host.split(':').next()?;
        return (bare.ends_with(domain) && bare.len() > domain.len()).then_some(host.len());
    }
    let rest = full.strip_prefix(prefix)?;
    // After a host a colon begins a port, which is another registry.
    let is_end = rest.is_empty() || rest.starts_with(['/', '@']) || (prefix.contains('/') && rest.starts_with(':'));
    is_end.then_some(prefix.len())
}

/// The image with what the prefix stands for replaced.
fn moved(image: &ImageName, prefix: &str, location: &str) -> Result<ImageName> {
    let name = format!("{}/{}", image.host.as_deref().unwrap_or_default(), image.name.asked());
    let rest = matched(prefix, &name).and_then(|length| name.get(length..)).unwrap_or_default();
    on(image, &format!("{location}{rest}"))
}

/// The same tag and digest under another name, which has a host.
fn on(image: &ImageName, full: &str) -> Result<ImageName> {
    let (host, name) = full.split_once('/').unwrap_or((full, ""));
    let name = name.parse().map_err(|error: NameError| {
        Error::Failed(format!("registries.conf makes {full} of {image}, which is no image's name: {error}"))
    })?;
    Ok(ImageName { host: Some(host.to_owned()), name, ..image.clone() })
}

#[cfg(test)]
mod tests;
