//! Reading an image from a layout.

use std::io::Read;

use wharf_oci::{Descriptor, Digest};

use super::{Layout, is_manifest, listed, name_of};
use crate::error::{Error, Mismatch, Result};
use crate::{Source, Stored, Verified, disk};

/// One image of a layout.
#[derive(Clone, Debug)]
pub struct LayoutSource {
    layout: Layout,
    root: Descriptor,
}

impl LayoutSource {
    pub(super) fn new(layout: Layout, reference: Option<&str>) -> Result<Self> {
        let entries = layout.entries()?;
        let found = match reference {
            None => only(&layout, &entries),
            Some(reference) => named(&entries, reference),
        };
        match found {
            Ok(root) => Ok(Self { root: root.clone(), layout }),
            Err(reason) => Err(Error::Reference { path: layout.path, reason }),
        }
    }

    /// The entry that was picked, as `index.json` has it.
    pub fn descriptor(&self) -> &Descriptor {
        &self.root
    }
}

/// The only entry that is no referrer of another one.
fn only<'a>(layout: &Layout, entries: &'a [Descriptor]) -> Result<&'a Descriptor, String> {
    if let [entry] = entries {
        return Ok(entry);
    }
    let refers_to_another = |entry: &Descriptor| {
        let manifest = layout.manifest(&entry.digest, Some(&entry.media_type)).ok();
        let subject = manifest.and_then(|manifest| manifest.view().ok()).and_then(|view| view.subject);
        subject.is_some_and(|subject| entries.iter().any(|other| other.digest == subject.digest))
    };
    // A long list is ambiguous anyhow: no need to open them all.
    let own: Vec<&Descriptor> = entries.iter().filter(|entry| !refers_to_another(entry)).take(2).collect();
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

impl Source for LayoutSource {
    fn root(&self) -> Result<Stored> {
        let stored = self.layout.manifest(&self.root.digest, Some(&self.root.media_type))?;
        let expected = self.root.size;
        let what = match stored.size() {
            found if found < expected => Mismatch::Short { expected, found },
            found if found > expected => Mismatch::Long { expected },
            _ => return Ok(stored),
        };
        Err(Error::Content { place: self.layout.blob_path(&self.root.digest).display().to_string(), what })
    }

    fn manifest(&self, digest: &Digest) -> Result<Stored> {
        self.layout.manifest(digest, None)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let path = self.layout.existing(&descriptor.digest)?;
        let (file, _) = disk::open(&path)?;
        Ok(Box::new(Verified::new(file, descriptor, path.display().to_string())))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let mut referrers = Vec::new();
        for entry in self.layout.entries()?.into_iter().filter(is_manifest) {
            let stored = self.layout.manifest(&entry.digest, Some(&entry.media_type))?;
            let place = || self.layout.blob_path(&entry.digest).display().to_string();
            let view = stored.view().map_err(|source| Error::Manifest { place: place(), source })?;
            if view.subject.as_ref().is_some_and(|of| of.digest == *subject) {
                let artifact_type = view.referrer_type().map(str::to_owned);
                referrers.push(Descriptor { artifact_type, annotations: view.annotations, ..stored.descriptor() });
            }
        }
        Ok(referrers)
    }
}
