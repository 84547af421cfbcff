//! Manifests: exact bytes in, exact bytes out.

use wharf_meta::{NewManifest, PutOutcome, RefKind, StoredManifest, TagCondition};
use wharf_oci::{Algorithm, Descriptor, Digest, Kind, Manifest, Reference, RepoName, Tag};

use crate::access::{Action, Caller};
use crate::{Error, Registry, Result};

/// What a manifest's references must satisfy for it to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Strictness {
    /// Config and layers of an image must be in the repository. Children of an index need not (sparse indexes),
    /// nor anything of a manifest with a subject: `cosign load` writes signatures before their layers.
    #[default]
    Layers,
    /// Config, layers and children must be there, without exception.
    All,
    /// Nothing must be there.
    None,
}

/// A manifest as a request brings it.
#[derive(Clone, Debug)]
pub struct ManifestPush {
    /// The Content-Type header.
    pub content_type: Option<String>,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// Tags besides the one it is pushed to (`?tag=`).
    pub tags: Vec<Tag>,
    /// For a push by tag: the digest the client expects, which also chooses the algorithm.
    pub digest: Option<Digest>,
    /// What must hold of the tag.
    pub condition: Option<TagCondition>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Its digest, of the algorithm it was pushed with.
    pub digest: Digest,
    /// What it is about.
    pub subject: Option<Digest>,
    /// Tags from `?tag=` that point at it now, each once.
    pub tags: Vec<Tag>,
}

impl Registry {
    /// The manifest that `reference` names.
    pub async fn manifest(&self, caller: &Caller, name: &RepoName, reference: &Reference) -> Result<StoredManifest> {
        let repository = self.authorize_known(caller, Action::Pull, name).await?;
        let found = self.meta.manifest(repository.id, reference).await?;
        found.ok_or_else(|| unknown(name, reference))
    }

    /// Stores a manifest, and points the tags at it: all of it or nothing.
    pub async fn push_manifest(
        &self,
        caller: &Caller,
        name: &RepoName,
        reference: &Reference,
        push: ManifestPush,
    ) -> Result<Pushed> {
        self.authorize(caller, Action::Push, name).await?;
        let manifest = Manifest::parse(push.content_type.as_deref(), &push.bytes)?;
        if manifest.media_type.is_docker() && !self.settings.docker_manifests {
            return Err(Error::DockerRefused(manifest.media_type.to_string()));
        }
        let digest = digest_of(reference, &push)?;
        let subject = manifest.subject.as_ref().map(|subject| subject.digest.clone());
        let tags = unique(push.tags);
        let (required_blobs, required_children) = required(self.settings.strictness, &manifest);
        let new = NewManifest {
            digest: digest.clone(),
            media_type: manifest.media_type.clone(),
            bytes: push.bytes,
            artifact_type: crate::lists::listed_type(&manifest),
            annotations: crate::lists::listed_annotations(&manifest),
            refs: refs(&manifest),
            required_blobs,
            required_children,
            tags: all_tags(reference, &tags),
            condition: push.condition,
            by: caller.actor(),
        };
        let repo = self.meta.ensure_repository(name, &caller.actor(), self.now()).await;
        let repo = self.recorded(caller, name, repo)?;
        let outcome = self.meta.put_manifest(repo, new, self.now()).await;
        match self.recorded(caller, name, outcome)? {
            PutOutcome::Stored => {
                tracing::info!(repository = name.as_str(), %reference, %digest, by = caller.name(), "manifest pushed");
                Ok(Pushed { digest, subject, tags })
            }
            PutOutcome::Missing(digests) => Err(Error::MissingReferences { name: name.clone(), digests }),
            PutOutcome::ConditionFailed => Err(Error::ConditionFailed),
        }
    }

    /// Deletes a tag, or by digest a manifest with every tag on it.
    pub async fn delete_manifest(&self, caller: &Caller, name: &RepoName, reference: &Reference) -> Result<()> {
        let repository = self.authorize_known(caller, Action::Delete, name).await?;
        let (now, by) = (self.now(), caller.actor());
        let deleted = match reference {
            Reference::Tag(tag) => self.meta.delete_tag(repository.id, tag, &by, now).await?.is_some(),
            Reference::Digest(digest) => self.meta.delete_manifest(repository.id, digest, &by, now).await?.is_some(),
        };
        if !deleted {
            return Err(unknown(name, reference));
        }
        tracing::info!(repository = name.as_str(), %reference, by = by.name, "manifest or tag deleted");
        Ok(())
    }
}

fn unknown(name: &RepoName, reference: &Reference) -> Error {
    Error::ManifestUnknown { name: name.clone(), reference: reference.clone() }
}

/// By digest, the bytes must hash to it. By tag, the client may name the digest it expects.
fn digest_of(reference: &Reference, push: &ManifestPush) -> Result<Digest> {
    let expected = match reference {
        Reference::Digest(digest) => Some(digest),
        Reference::Tag(_) => push.digest.as_ref(),
    };
    let algorithm = expected.map_or(Algorithm::Sha256, Digest::algorithm);
    let found = Digest::of(algorithm, &push.bytes);
    match expected {
        Some(expected) if *expected != found => Err(Error::DigestMismatch { expected: expected.clone(), found }),
        _ => Ok(found),
    }
}

fn unique(tags: Vec<Tag>) -> Vec<Tag> {
    let mut unique = Vec::with_capacity(tags.len());
    for tag in tags {
        if !unique.contains(&tag) {
            unique.push(tag);
        }
    }
    unique
}

fn all_tags(reference: &Reference, extra: &[Tag]) -> Vec<Tag> {
    let pushed_to = if let Reference::Tag(tag) = reference { Some(tag.clone()) } else { None };
    unique(pushed_to.into_iter().chain(extra.iter().cloned()).collect())
}

fn refs(manifest: &Manifest) -> Vec<(RefKind, Digest)> {
    let one = |kind, descriptor: &Descriptor| (kind, descriptor.digest.clone());
    let config = manifest.config.iter().map(|d| one(RefKind::Config, d));
    let layers = manifest.layers.iter().map(|d| one(RefKind::Layer, d));
    let children = manifest.children.iter().map(|d| one(RefKind::Manifest, d));
    let subject = manifest.subject.iter().map(|d| one(RefKind::Subject, d));
    config.chain(layers).chain(children).chain(subject).collect()
}

/// The blobs, and the children, that must be in the repository. Never the subject.
fn required(strictness: Strictness, manifest: &Manifest) -> (Vec<Digest>, Vec<Digest>) {
    let digests = |descriptors: &mut dyn Iterator<Item = &Descriptor>| {
        descriptors.filter(|d| d.is_required()).map(|d| d.digest.clone()).collect::<Vec<_>>()
    };
    let mut blobs = manifest.config.iter().chain(&manifest.layers);
    match (strictness, manifest.kind) {
        (Strictness::None, _) | (_, Kind::Opaque) => (vec![], vec![]),
        (Strictness::Layers, _) if manifest.subject.is_some() => (vec![], vec![]),
        (Strictness::Layers, _) => (digests(&mut blobs), vec![]),
        (Strictness::All, _) => (digests(&mut blobs), digests(&mut manifest.children.iter())),
    }
}
