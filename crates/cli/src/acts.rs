//! One file for each command of one word: what it takes, and what it says.

use clap::{Args, ValueEnum};
use wharf_image::compress::Compression;
use wharf_image::convert::Format;
use wharf_oci::Platform;

use crate::copy::{Options, Which, Wish};
use crate::origin::Wanted;
use crate::{Error, Result};

pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod digest;
pub(crate) mod export;
pub(crate) mod files;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod search;
pub(crate) mod storage_layer;
pub(crate) mod sync;
pub(crate) mod verify;

/// Which image of an index.
#[derive(Clone, Debug, Args)]
pub(crate) struct Choice {
    /// Which of several images, as os/architecture[/variant] [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
}

impl Choice {
    fn wanted(&self) -> Wanted {
        Wanted::new(self.platform.as_ref())
    }
}

/// Which image of an index, which may itself be meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct OfIndex {
    /// Which of an index's images, as os/architecture[/variant] [default: the index itself; where one image must be
    /// meant, this machine's]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
}

impl OfIndex {
    fn wanted(&self) -> Wanted {
        Wanted::new(self.platform.as_ref())
    }
}

/// What is carried, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct Carrying {
    /// All platforms, with their index
    #[arg(long, short, conflicts_with = "platform")]
    all: bool,
    #[command(flatten)]
    choice: Choice,
    /// What of an index: system is one image, all is as --all, index-only is the index where its images are already
    #[arg(long, value_name = "WHAT", conflicts_with = "all")]
    multi_arch: Option<MultiArch>,
    /// Signatures and whatever else refers to the image go along
    #[arg(long)]
    referrers: bool,
    /// Whose manifests there are to be: oci or docker [default: as they come, where the destination holds them]
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<Format>,
    /// Refuse what would change a digest
    #[arg(long)]
    preserve_digests: bool,
    /// Compress layers anew that are not compressed so: gzip, zstd, or none
    #[arg(long, value_name = "HOW", visible_alias = "compression-format", alias = "dest-compress-format")]
    compress: Option<Packer>,
    /// How much trouble to take: 1 to 9 for gzip [default: 2], 1 to 19 for zstd [default: 3]
    #[arg(long, value_name = "LEVEL", alias = "dest-compress-level")]
    compression_level: Option<u8>,
    #[command(flatten)]
    habits: Habits,
}

/// skopeo's word for how much of an index goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MultiArch {
    System,
    All,
    IndexOnly,
}

/// A compression by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Packer {
    Gzip,
    Zstd,
    None,
}

/// Words of skopeo's that say what is done anyway, or what has a word of its own here.
#[derive(Clone, Debug, Args)]
struct Habits {
    /// As --compress gzip
    #[arg(long, hide = true, conflicts_with = "dest_decompress")]
    dest_compress: bool,
    /// As --compress none
    #[arg(long, hide = true, conflicts_with = "compress")]
    dest_decompress: bool,
    /// Signatures stay behind unless --referrers takes them along
    #[arg(long, hide = true, conflicts_with = "referrers")]
    remove_signatures: bool,
}

impl Carrying {
    /// Whether tags that hold signatures stay behind, too.
    fn leaves_signatures(&self) -> bool {
        self.habits.remove_signatures
    }

    fn options(&self) -> Result<Options> {
        let which = match self.multi_arch {
            Some(MultiArch::IndexOnly) => Which::Index,
            Some(MultiArch::All) => Which::All,
            _ if self.all => Which::All,
            _ => Which::For(self.choice.wanted()),
        };
        let (format, preserve_digests) = (self.format, self.preserve_digests);
        Ok(Options { which, referrers: self.referrers, format, compress: self.wish()?, preserve_digests })
    }

    fn wish(&self) -> Result<Wish> {
        let compress = match (&self.habits, self.compress) {
            (Habits { dest_decompress: true, .. }, _) => Some(Packer::None),
            (Habits { dest_compress: true, .. }, None) => Some(Packer::Gzip),
            (_, compress) => compress,
        };
        if compress.is_none() && self.compression_level.is_some() {
            return Err(Error::Usage("--compression-level needs --compress, which says what is compressed".into()));
        }
        let most = if compress == Some(Packer::Gzip) { 9 } else { 19 };
        if self.compression_level.is_some_and(|level| !(1..=most).contains(&level)) {
            return Err(Error::Usage(format!("--compression-level goes from 1 to {most} there")));
        }
        Ok(match (compress, self.compression_level) {
            (None, _) => Wish::Usual,
            (Some(Packer::None), _) => Wish::As(Compression::None),
            (Some(Packer::Gzip), None) => Wish::As(Compression::GZIP),
            (Some(Packer::Zstd), None) => Wish::As(Compression::ZSTD),
            (Some(Packer::Gzip), Some(level)) => Wish::As(Compression::Gzip { level }),
            (Some(Packer::Zstd), Some(level)) => Wish::As(Compression::Zstd { level }),
        })
    }
}

/// Help of `--json` where images are carried.
fn told(argument: clap::Arg) -> clap::Arg {
    argument.help("Print what happens as JSON, an object a line")
}

/// Help of `--quiet` where images are carried.
fn digest_alone(argument: clap::Arg) -> clap::Arg {
    argument.help("Print the digest alone")
}
