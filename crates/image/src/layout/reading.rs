//! What a layout's manifests say, wherever the layout lies: in a folder or in an archive.

use std::sync::{Mutex, PoisonError};

use wharf_oci::{Descriptor, Digest, MediaType};

use super::names::{beside, is_of_digest};
use super::{listed, name_of};
use crate::error::{Error, Mismatch, Result};
use crate::{Destination, LONGEST_MANIFEST, Stored};

/// Manifests by digest.
pub(crate) trait Reading {
    /// Checked against `digest`; `media_type` as something else says it.
    fn manifest(&self, digest: &Digest, media_type: Option<&str>) -> Result<Stored>;

    /// Where that content lies, for messages.
    fn place(&self, digest: &Digest) -> String;
}

/// The entry that a reference means: see [`super::Layout::source`]. Errors say what is there instead.
pub(crate) fn pick<'a>(
    from: &impl Reading,
    entries: &'a [Descriptor],
    reference: Option<&str>,
) -> Result<&'a Descriptor, String> {
    match reference {
        None => only(from, entries),
        Some(reference) => named(entries, reference),
    }
}

/// What is called `tag` beside `image`: of its own repository, else of none.
pub(crate) fn beside_of(
    from: &impl Reading,
    entries: &[Descriptor],
    image: &Descriptor,
    tag: &str,
) -> Result<Option<Stored>> {
    let own = beside(name_of(image), tag);
    let called = |name: &str| entries.iter().find(|entry| name_of(entry) == Some(name));
    called(&own).or_else(|| called(tag)).map(|entry| root(from, entry)).transpose()
}

/// The only entry that is neither a referrer of another one nor named after a digest, as cosign's signatures are.
fn only<'a>(from: &impl Reading, entries: &'a [Descriptor]) -> Result<&'a Descriptor, String> {
    if let [entry] = entries {
        return Ok(entry);
    }
    let refers_to_another = |entry: &Descriptor| {
        let manifest = from.manifest(&entry.digest, Some(&entry.media_type)).ok();
        let subject = manifest.and_then(|manifest| manifest.view().ok()).and_then(|view| view.subject);
        subject.is_some_and(|subject| entries.iter().any(|other| other.digest == subject.digest))
    };
    // A long list is ambiguous anyhow: no need to open them all.
    let is_own = |entry: &&Descriptor| !name_of(entry).is_some_and(is_of_digest) && !refers_to_another(entry);
    let own: Vec<&Descriptor> = entries.iter().filter(is_own).take(2).collect();
    match own.as_slice() {
        [entry] => Ok(entry),
        [] => Err("there is no image in it".to_owned()),
        _ => Err(format!("it holds {} images; name one of them: {}", entries.len(), choices(entries))),
    }
}

fn named<'a>(entries: &'a [Descriptor], reference: &str) -> Result<&'a Descriptor, String> {
    let by_name: Vec<&Descriptor> = entries.iter().filter(|entry| name_of(entry) == Some(reference)).collect();
    match by_name.as_slice() {
        [entry] => return Ok(entry),
        [] => {}
        _ => return Err(format!("{} images in it are called {reference}; pick one by @position", by_name.len())),
    }
    let position = reference.strip_prefix('@');
    let at = position.and_then(|at| at.parse::<usize>().ok()).and_then(|at| entries.get(at));
    let by_digest = |digest: Digest| entries.iter().find(|entry| entry.digest == digest);
    at.or_else(|| position.and_then(|text| text.parse().ok()).and_then(by_digest)).ok_or_else(|| match entries {
        [] => format!("it holds no image {reference}; it is empty"),
        _ => format!("it holds no image {reference}; it has {}", choices(entries)),
    })
}

fn choices(entries: &[Descriptor]) -> String {
    let choices: Vec<String> = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| name_of(entry).map_or_else(|| format!("@{at}"), str::to_owned))
        .collect();
    listed(&choices.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The manifest that an entry names, of the size that it says.
pub(crate) fn root(from: &impl Reading, entry: &Descriptor) -> Result<Stored> {
    let stored = from.manifest(&entry.digest, Some(&entry.media_type))?;
    has_size(entry, stored.size(), || from.place(&entry.digest))?;
    Ok(stored)
}

/// Refuses content of another size than its descriptor says.
pub(crate) fn has_size(descriptor: &Descriptor, found: u64, place: impl FnOnce() -> String) -> Result<()> {
    let expected = descriptor.size;
    let what = match found {
        found if found < expected => Mismatch::Short { expected, found },
        found if found > expected => Mismatch::Long { expected },
        _ => return Ok(()),
    };
    Err(Error::Content { place: place(), what })
}

/// The entries whose `subject` is `subject`.
pub(crate) fn referrers(from: &impl Reading, entries: &[Descriptor], subject: &Digest) -> Result<Vec<Descriptor>> {
    let mut referrers = Vec::new();
    for entry in entries.iter().filter(|entry| is_manifest(entry)) {
        let stored = from.manifest(&entry.digest, Some(&entry.media_type))?;
        let referrer = as_referrer(&stored, from.place(&entry.digest))?;
        referrers.extend(referrer.filter(|(of, _)| of == subject).map(|(_, referrer)| referrer));
    }
    Ok(referrers)
}

fn is_manifest(entry: &Descriptor) -> bool {
    matches!(
        entry.media_type.as_str(),
        MediaType::OCI_MANIFEST | MediaType::OCI_INDEX | MediaType::DOCKER_MANIFEST | MediaType::DOCKER_LIST
    )
}

/// Its subject, and itself as a list of referrers names it; `None` for what refers to nothing.
fn as_referrer(manifest: &Stored, place: String) -> Result<Option<(Digest, Descriptor)>> {
    let view = manifest.view().map_err(|source| Error::Manifest { place, source })?;
    let artifact_type = view.referrer_type().map(str::to_owned);
    let annotations = view.annotations;
    let itself = Descriptor { artifact_type, annotations, ..manifest.descriptor() };
    Ok(view.subject.map(|subject| (subject.digest, itself)))
}

/// A manifest beside an image: an entry of its own in `index.json`, since nothing else leads to it.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) descriptor: Descriptor,
    pub(crate) name: Option<String>,
}

/// What was put that way while an image was written.
#[derive(Debug, Default)]
pub(crate) struct AllBeside(Mutex<Vec<Beside>>);

impl AllBeside {
    /// Puts a manifest into `to`, and keeps it in mind if it has a name of its own or refers to a subject. Refuses what no
    /// reader would take.
    pub(crate) fn put(&self, to: &impl Destination, manifest: &Stored, name: Option<String>) -> Result<()> {
        let referrer = check_manifest(manifest)?;
        to.put_blob(&manifest.descriptor(), &mut &manifest.bytes[..])?;
        if name.is_some() || referrer.is_some() {
            let descriptor = referrer.unwrap_or_else(|| manifest.descriptor());
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(Beside { descriptor, name });
        }
        Ok(())
    }

    /// In the order in which they were put.
    pub(crate) fn into_vec(self) -> Vec<Beside> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses what no reader would take. What refers to a subject comes back as a list of referrers names it.
pub(crate) fn check_manifest(manifest: &Stored) -> Result<Option<Descriptor>> {
    let place = format!("manifest {}", manifest.digest);
    if manifest.size() > LONGEST_MANIFEST {
        let reason = format!("{} bytes, of at most {LONGEST_MANIFEST}", manifest.size());
        return Err(Error::TooLarge { place, reason });
    }
    Ok(as_referrer(manifest, place)?.map(|(_, referrer)| referrer))
}
