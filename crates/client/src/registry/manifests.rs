//! Manifests: their bytes are what was asked for, or there is an error.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, StatusCode};
use url::Url;
use wharf_oci::{Algorithm, Descriptor, Digest, Manifest, MediaType, Reference};

use super::ask::{Ask, Heard};
use super::auth::Needs;
use super::{Error, Repository, Result};
use crate::wire::Reply;

pub(super) const CONTENT_DIGEST: &str = "docker-content-digest";
const SUBJECT: &str = "oci-subject";

/// In the order of what is liked best. The last is for types that are not known yet.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.artifact.manifest.v1+json, application/vnd.cncf.oras.artifact.manifest.v1+json, */*;q=0.1";

/// A manifest as stored: its exact bytes and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its type.
    pub media_type: MediaType,
    /// Of the bytes, by the algorithm that was asked for.
    pub digest: Digest,
    /// The manifest.
    pub bytes: Bytes,
}

/// A manifest that a registry took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Its digest.
    pub digest: Digest,
    /// What the registry says that it refers to: it lists it there. `None` from a registry without referrers.
    pub subject: Option<Digest>,
}

impl Repository {
    pub(super) async fn manifest_url(&self, reference: &Reference) -> Result<Url> {
        self.shared.url(&format!("/v2/{}/manifests/{reference}", self.name.asked())).await
    }

    /// What a tag or digest names, without its bytes; `None` when there is no such manifest.
    pub async fn head(&self, reference: &Reference) -> Result<Option<Descriptor>> {
        let needs = Needs::of(&self.name, "pull");
        let ask = Ask::new(Method::HEAD, self.manifest_url(reference).await?, &needs).header(ACCEPT, ACCEPTED);
        let heard = self.shared.reply(&ask, Some(&self.name)).await?;
        match heard.reply.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(self.missing(reference, &heard)),
        }
        if let Some(described) = described(&heard.reply, reference) {
            self.check(reference, &described.digest)?;
            return Ok(Some(described));
        }
        // Headers that leave something out (containerd/containerd#3238, goharbor/harbor#13740): the bytes say it.
        match self.manifest(reference).await {
            Ok(stored) => Ok(Some(descriptor(&stored))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A manifest's bytes. Their digest is the one that was asked for, and the one that the registry says it is.
    pub async fn manifest(&self, reference: &Reference) -> Result<Stored> {
        let needs = Needs::of(&self.name, "pull");
        let ask = Ask::new(Method::GET, self.manifest_url(reference).await?, &needs).header(ACCEPT, ACCEPTED);
        let ask = ask.limit(self.shared.endpoint.largest_manifest);
        let heard = self.shared.reply(&ask, Some(&self.name)).await?;
        if heard.reply.status != StatusCode::OK {
            return Err(self.missing(reference, &heard));
        }
        self.shared.transport.done.add();
        self.verified(reference, heard.reply)
    }

    fn verified(&self, reference: &Reference, reply: Reply) -> Result<Stored> {
        let named = named(&reply);
        let algorithm = match (reference, &named) {
            (Reference::Digest(asked), _) => asked.algorithm(),
            (Reference::Tag(_), Some(named)) => named.algorithm(),
            (Reference::Tag(_), None) => Algorithm::Sha256,
        };
        let digest = Digest::of(algorithm, &reply.body);
        let contradicted = named.filter(|named| named.algorithm() == algorithm && *named != digest);
        // A page of HTML has the wrong digest too, but what is wrong is said better by what it is.
        let media_type = self.manifest_type(reference, &reply)?;
        self.check(reference, &digest)?;
        match contradicted {
            None => Ok(Stored { media_type, digest, bytes: reply.body }),
            Some(named) => Err(Error::WrongDigest {
                place: self.place(),
                what: format!("{} (which it says is {named})", manifest_of(reference)),
                found: digest.to_string(),
            }),
        }
    }

    fn manifest_type(&self, reference: &Reference, reply: &Reply) -> Result<MediaType> {
        // What a server says of any file says nothing of this one.
        let header = reply.header(CONTENT_TYPE);
        let header = header.filter(|header| !header.starts_with("text/") && !header.starts_with("binary/"));
        let manifest = Manifest::parse(header, &reply.body);
        manifest.map(|manifest| manifest.media_type).map_err(|error| {
            let problem = format!("what it gives as {} is no manifest: {error}", manifest_of(reference));
            self.shared.not_understood(Some(&self.name), problem)
        })
    }

    fn check(&self, reference: &Reference, found: &Digest) -> Result<()> {
        match reference {
            Reference::Digest(asked) if asked != found => {
                Err(Error::WrongDigest { place: self.place(), what: manifest_of(reference), found: found.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Stores a manifest under a tag or its own digest, byte for byte. One that refers to another is listed there, also
    /// where the registry does not do that.
    pub async fn put_manifest(&self, reference: &Reference, media_type: &MediaType, bytes: Bytes) -> Result<Pushed> {
        let algorithm = match reference {
            Reference::Digest(digest) => digest.algorithm(),
            Reference::Tag(_) => Algorithm::Sha256,
        };
        let digest = Digest::of(algorithm, &bytes);
        if let Reference::Digest(expected) = reference
            && *expected != digest
        {
            let (place, found) = (self.place(), format!("manifest {digest}"));
            return Err(Error::Changed { place, expected: expected.to_string(), found });
        }
        let needs = Needs::of(&self.name, "pull,push");
        let ask = Ask::new(Method::PUT, self.manifest_url(reference).await?, &needs);
        let ask = ask.header(CONTENT_TYPE, media_type.as_str()).body(bytes.clone());
        let heard = self.shared.reply(&ask, Some(&self.name)).await?;
        let named = named(&heard.reply);
        let is_taken = match heard.reply.status {
            StatusCode::CREATED => true,
            // Some registries say so; a page of a proxy has neither header.
            StatusCode::OK | StatusCode::ACCEPTED => named.is_some() || heard.reply.header("location").is_some(),
            _ => false,
        };
        if !is_taken {
            let doing = format!("cannot push {}", manifest_of(reference));
            return Err(self.shared.refused(&doing, Some(&self.name), &heard));
        }
        if let Some(named) = named.filter(|named| named.algorithm() == algorithm && *named != digest) {
            let what = format!("{} was pushed as {digest} and", manifest_of(reference));
            return Err(Error::WrongDigest { place: self.place(), what, found: named.to_string() });
        }
        self.shared.transport.done.add();
        let subject = heard.reply.header(SUBJECT).and_then(|text| text.parse().ok());
        if subject.is_none()
            && let Ok(pushed) = Manifest::parse(Some(media_type.as_str()), &bytes)
        {
            self.list_under_tag(&pushed, &digest, bytes.len()).await?;
        }
        Ok(Pushed { digest, subject })
    }

    /// Deletes a tag, or a manifest with all its tags. What referred to another is taken from the list there.
    pub async fn delete(&self, reference: &Reference) -> Result<()> {
        let Reference::Digest(digest) = reference else { return self.delete_only(reference).await };
        let stored = self.manifest(reference).await.ok();
        let manifest = stored.and_then(|stored| Manifest::parse(Some(stored.media_type.as_str()), &stored.bytes).ok());
        self.delete_only(reference).await?;
        match manifest.and_then(|manifest| manifest.subject) {
            Some(subject) => self.unlist_under_tag(&subject.digest, digest).await,
            None => Ok(()),
        }
    }

    async fn delete_only(&self, reference: &Reference) -> Result<()> {
        let needs = Needs::of(&self.name, "pull,push,delete");
        let ask = Ask::new(Method::DELETE, self.manifest_url(reference).await?, &needs);
        let heard = self.shared.reply(&ask, Some(&self.name)).await?;
        match heard.reply.status {
            StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            StatusCode::NOT_FOUND => Err(self.missing(reference, &heard)),
            _ => {
                let doing = format!("cannot delete {}", manifest_of(reference));
                Err(self.shared.refused(&doing, Some(&self.name), &heard))
            }
        }
    }

    fn missing(&self, reference: &Reference, heard: &Heard) -> Error {
        self.shared.missing(&manifest_of(reference), &self.name, heard)
    }
}

fn manifest_of(reference: &Reference) -> String {
    format!("manifest {reference}")
}

/// The digest that an answer names, if it is one. A blank one is as good as none (oras-project/rust-oci-client#192).
pub(super) fn named(reply: &Reply) -> Option<Digest> {
    reply.header(CONTENT_DIGEST).and_then(|text| text.trim().parse().ok())
}

/// What the headers of a HEAD say, if they say everything.
fn described(reply: &Reply, reference: &Reference) -> Option<Descriptor> {
    let media_type = MediaType::parse(reply.header(CONTENT_TYPE)?).ok()?;
    let size = reply.header(CONTENT_LENGTH)?.parse().ok().filter(|size| *size > 0)?;
    let digest = match reference {
        Reference::Digest(asked) => named(reply).unwrap_or_else(|| asked.clone()),
        Reference::Tag(_) => named(reply)?,
    };
    // A type that any page has is none.
    let is_telling = media_type.as_str().starts_with("application/vnd.");
    is_telling.then(|| Descriptor::new(media_type.as_str(), digest, size))
}

fn descriptor(stored: &Stored) -> Descriptor {
    let size = u64::try_from(stored.bytes.len()).unwrap_or(u64::MAX);
    Descriptor::new(stored.media_type.as_str(), stored.digest.clone(), size)
}
