//! What changes on the way, and what must not: whose manifests, and how layers are compressed.

use wharf_image::compress::Compression;
use wharf_image::convert::Format;
use wharf_image::{Accepts, Formats, Layers};
use wharf_oci::{Descriptor, MediaType};

use super::plan::Options;
use crate::{Error, Result};

/// Every image is made so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    /// Whose manifests there are to be; those that come, if nothing is said.
    pub(super) format: Option<Format>,
    layers: Pack,
}

/// How layers are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pack {
    /// As they are.
    Keep,
    /// Those that are not compressed, in this way.
    Bare(Compression),
    /// All of them.
    All(Compression),
}

/// What a person says of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing: what a file holds without compression is compressed for registries and layouts.
    Usual,
    /// So, whatever it was.
    As(Compression),
}

/// Which of both ends matter for layers that nobody has said anything of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The source's format keeps layers without compression, whatever they were.
    pub(crate) unpacks: bool,
    /// The destination's readers expect compressed layers.
    pub(crate) packs: bool,
}

impl Recipe {
    /// Refuses what contradicts itself.
    pub(super) fn new(accepts: Accepts, ends: Ends, options: &Options) -> Result<Self> {
        let layers = match (accepts.layers, options.compress) {
            (Layers::Uncompressed, Wish::As(Compression::None) | Wish::Usual) => Pack::All(Compression::None),
            (Layers::Uncompressed, Wish::As(_)) => {
                return Err(Error::Usage("a file of that kind holds layers without compression".into()));
            }
            (Layers::AsTheyAre, Wish::As(compression)) => Pack::All(compression),
            (Layers::AsTheyAre, Wish::Usual) if ends.unpacks && ends.packs => Pack::Bare(Compression::GZIP),
            (Layers::AsTheyAre, Wish::Usual) => Pack::Keep,
        };
        Ok(Self { format: format(accepts.formats, layers, options)?, layers })
    }

    /// What a layer is compressed with anew; `None` leaves it.
    pub(super) fn pack(self, layer: &Descriptor) -> Option<Compression> {
        let now = compression_of(&layer.media_type)?;
        let is_kind = |wanted: Compression| std::mem::discriminant(&wanted) == std::mem::discriminant(&now);
        // Docker's manifests have no word for zstd.
        let is_unsaid = self.format == Some(Format::Docker) && matches!(now, Compression::Zstd { .. });
        match self.layers {
            Pack::All(wanted) if !is_kind(wanted) => Some(wanted),
            Pack::Bare(wanted) if now == Compression::None => Some(wanted),
            Pack::Keep | Pack::Bare(_) if is_unsaid => Some(Compression::GZIP),
            _ => None,
        }
    }

    /// What a layer is compressed with that its source keeps unpacked, when the target has not what it was.
    pub(super) fn pack_bare(self) -> Compression {
        match self.layers {
            Pack::Keep => Compression::GZIP,
            Pack::Bare(wanted) | Pack::All(wanted) => wanted,
        }
    }
}

fn format(formats: Formats, layers: Pack, options: &Options) -> Result<Option<Format>> {
    let is_zstd = matches!(layers, Pack::All(Compression::Zstd { .. }));
    match (options.format, formats) {
        (Some(Format::Docker), _) if is_zstd => {
            Err(Error::Usage("Docker's manifests know no zstd: take --format oci, or --compress gzip".into()))
        }
        (Some(Format::Oci), Formats::Docker) => {
            Err(Error::Usage("a file of that kind holds Docker's manifests: leave --format out".into()))
        }
        (Some(format), _) => Ok(Some(format)),
        (None, Formats::Docker) => Ok(Some(Format::Docker)),
        (None, Formats::Oci) if !options.preserve_digests => Ok(Some(Format::Oci)),
        (None, _) => Ok(is_zstd.then_some(Format::Oci)),
    }
}

/// What a layer's type says; `None` of what is no layer of an image.
pub(crate) fn compression_of(media_type: &str) -> Option<Compression> {
    let is_layer = media_type.starts_with("application/vnd.oci.image.layer.v1.tar")
        || media_type.starts_with("application/vnd.docker.image.rootfs.diff.tar");
    let ending = media_type.rsplit_once("tar").map_or("", |(_, ending)| ending);
    let compression = match ending {
        "" => Compression::None,
        "+gzip" | ".gzip" => Compression::GZIP,
        "+zstd" | ".zstd" => Compression::ZSTD,
        _ => return None,
    };
    is_layer.then_some(compression)
}

/// The type of a layer so compressed; the manifest that names it says it in its own format's words.
pub(super) fn layer_type(compression: Compression) -> &'static str {
    Format::Oci.layer_type(compression).unwrap_or(MediaType::OCI_EMPTY)
}

#[cfg(test)]
mod tests;
