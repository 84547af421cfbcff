//! Images as files on this machine: read without trust, written whole or not at all.
//!
//! Blocking, without network. What every [`Source`] keeps true: a manifest or blob that was asked for by digest is given
//! with that digest and size, or an error says which file and entry lied; the last bytes of a blob are held back until
//! its digest is known to be right. What every [`Destination`] keeps true: nothing has its final name before
//! all of it is on the disk, and no image before all its parts are.

use std::io::{self, Read};

use bytes::Bytes;
use wharf_oci::{Algorithm, Descriptor, Digest, Kind, Manifest, ManifestError, MediaType};

pub mod archive;
pub mod compress;
pub mod convert;
pub mod dir;
mod disk;
mod engine;
mod error;
pub mod files;
mod hashed;
pub mod layer;
pub mod layout;
mod made;
mod members;
mod output;
pub mod storage;
pub mod tar;
mod temporary;
mod verified;

pub use engine::{Given, Handed};
pub use error::{Error, Result};
pub use made::Made;
pub use temporary::{Temporary, TemporaryFolder};
pub use verified::Verified;

/// Longest manifest that is read or written, in bytes: what other readers take (distribution-spec §Pushing Manifests).
pub(crate) const LONGEST_MANIFEST: u64 = 4 << 20;

/// A manifest as stored: its exact bytes and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The type it was stored under, else its own `mediaType`, else what its shape tells.
    pub media_type: MediaType,
    /// Of `bytes`.
    pub digest: Digest,
    /// As they were pushed.
    pub bytes: Bytes,
}

impl Stored {
    /// Names `bytes` by their SHA-256. Errors when they are no manifest of a kind that is known.
    pub fn new(media_type: Option<&str>, bytes: impl Into<Bytes>) -> std::result::Result<Self, ManifestError> {
        let bytes = bytes.into();
        let manifest = Manifest::parse(media_type, &bytes)?;
        Ok(Self { media_type: manifest.media_type, digest: Digest::of(Algorithm::Sha256, &bytes), bytes })
    }

    /// Bytes from `place` that are to have `digest`; `media_type` as something else says it.
    pub(crate) fn checked(digest: &Digest, media_type: Option<&str>, bytes: Vec<u8>, place: String) -> Result<Self> {
        verified::check(&bytes, digest, place.as_str())?;
        let manifest = Manifest::parse(media_type, &bytes).map_err(|source| Error::Manifest { place, source })?;
        Ok(Self { media_type: manifest.media_type, digest: digest.clone(), bytes: bytes.into() })
    }

    /// What it refers to.
    pub fn view(&self) -> std::result::Result<Manifest, ManifestError> {
        Manifest::parse(Some(self.media_type.as_str()), &self.bytes)
    }

    /// Itself, as others name it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.as_str(), self.digest.clone(), self.size())
    }

    /// Length in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether it is an index (or a manifest list) of further manifests.
    pub fn is_index(&self) -> bool {
        self.view().is_ok_and(|manifest| manifest.kind == Kind::Index)
    }
}

/// Where an image is read from on this machine. Blocking. What is given has been checked as each method says.
pub trait Source: Send + Sync {
    /// The index or image manifest that the reference names.
    fn root(&self) -> Result<Stored>;

    /// The manifest with this digest; checked against it.
    fn manifest(&self, digest: &Digest) -> Result<Stored>;

    /// The content that `descriptor` names. The reader gives exactly `size` bytes with that digest, or fails before the
    /// last of them with [`std::io::ErrorKind::InvalidData`] or `UnexpectedEof`.
    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>>;

    /// The same from `offset` on, in bytes, and perhaps not compared with the digest: for whoever hands it to somebody who
    /// does. It costs no second hash, and no reading of what was handed over before.
    fn unchecked(&self, descriptor: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>> {
        after(offset, self.blob(descriptor)?)
    }

    /// Manifests here whose `subject` is `subject`; empty where the format has no room for them.
    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>>;

    /// The manifest that has a tag of its own beside the image's, as cosign's signatures have one made of a digest.
    fn named(&self, _tag: &str) -> Result<Option<Stored>> {
        Ok(None)
    }

    /// For a layer that is kept unpacked, whatever it was: its plain tar, under the digest (the diff_id) and size that
    /// [`Source::blob`] takes for it. It is to be compressed on its way. None where layers are kept as they are named.
    fn unpacked(&self, _layer: &Descriptor) -> Result<Option<Descriptor>> {
        Ok(None)
    }
}

/// What follows the first `offset` bytes of `content`, which are read.
fn after(offset: u64, mut content: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>> {
    io::copy(&mut content.by_ref().take(offset), &mut io::sink()).map_err(Error::incoming)?;
    Ok(content)
}

/// Where an image is written to on this machine. Blocking; blobs may be put from several threads at once.
pub trait Destination: Send + Sync {
    /// What the format's readers expect.
    fn accepts(&self) -> Accepts;

    /// Whether content of this digest and size is there already. Its bytes are not read again.
    fn has_blob(&self, descriptor: &Descriptor) -> Result<bool>;

    /// Takes `content`, which is hashed and measured: a wrong or cut blob is an error and leaves nothing.
    fn put_blob(&self, descriptor: &Descriptor, content: &mut dyn Read) -> Result<()>;

    /// Takes content whose digest (SHA-256) and size show only at its end, and says them.
    fn put_unnamed(&self, content: &mut dyn Read) -> Result<(Digest, u64)>;

    /// Takes a manifest; its bytes are compared with its digest.
    fn put_manifest(&self, manifest: &Stored) -> Result<()>;

    /// What [`Destination::put_named`] with this tag would take the place of.
    fn named(&self, _tag: &str) -> Result<Option<Stored>> {
        Ok(None)
    }

    /// The same for one that has a tag of its own, where [`Accepts::beside`] says that there is room for it.
    fn put_named(&self, manifest: &Stored, _tag: &str) -> Result<()> {
        self.put_manifest(manifest)
    }

    /// Makes the image visible under `root`, which was put before. Without this call nobody takes the parts for an image.
    fn finish(self: Box<Self>, root: &Descriptor) -> Result<()>;
}

/// What may be put into a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts {
    /// Whether an index of several platforms may be the root, or an image only.
    pub indexes: bool,
    /// Whose manifests its readers understand.
    pub formats: Formats,
    /// How layers are kept.
    pub layers: Layers,
    /// Whether there is room for what refers to an image or is named after it: signatures and the like.
    pub beside: bool,
}

/// Whose manifests are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formats {
    /// OCI's; Docker's are stored when they are put, but some readers refuse them.
    Oci,
    /// Docker's schema 2 only.
    Docker,
    /// Either.
    Both,
}

/// How layers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
    /// With whatever compression they have.
    AsTheyAre,
    /// As plain tar files: decompress them first, and name them by their diff_id.
    Uncompressed,
}
