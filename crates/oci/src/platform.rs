//! What an image runs on (image-spec, image-index.md §Image Index Property Descriptions), and which of several to take.
//!
//! Spellings are levelled before they are compared (`x86_64` is `amd64`, `arm64/v8` is `arm64`), as containerd does;
//! what is read from an index is kept as it stands there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::shorten;

/// Operating system and processor of an image. Written `os/architecture[/variant]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`, …: a GOOS.
    pub os: String,
    /// `amd64`, `arm64`, …: a GOARCH.
    pub architecture: String,
    /// `v7` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Build of Windows, such as `10.0.20348.1006`.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
}

/// A text that is not a platform.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("\"{0}\" is not a platform: expected os/architecture[/variant], such as linux/amd64 or linux/arm/v7")]
pub struct PlatformError(String);

impl Platform {
    /// The platform whose images run on this machine: Linux's, other than on Windows, since only virtual machines with
    /// Linux run containers elsewhere.
    pub fn of_this_machine() -> Self {
        let os = if cfg!(windows) { "windows" } else { "linux" };
        let variant = if std::env::consts::ARCH == "arm" { Some("v7") } else { None };
        Self::new(os, std::env::consts::ARCH, variant)
    }

    fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let (architecture, variant) = levelled(architecture, variant);
        Self { os: os.to_ascii_lowercase(), architecture, variant, os_version: None }
    }

    /// Which of `offers` to take where this is wanted: the one that fits best, the first among equals. None fits when
    /// the system or the processor differ, when it needs a newer processor, or another build of Windows.
    pub fn choose<'a, T>(&self, offers: impl IntoIterator<Item = (T, &'a Self)>) -> Option<T> {
        let fits = offers.into_iter().filter_map(|(item, offer)| Some((self.distance(offer)?, item)));
        fits.min_by_key(|(distance, _)| *distance).map(|(_, item)| item)
    }

    /// Whether an image for `offer` serves where this is wanted.
    pub fn takes(&self, offer: &Self) -> bool {
        self.distance(offer).is_some()
    }

    /// Generations of processor between what is wanted and what is offered.
    fn distance(&self, offer: &Self) -> Option<u32> {
        let wanted = Self::new(&self.os, &self.architecture, self.variant.as_deref());
        let offered = Self::new(&offer.os, &offer.architecture, offer.variant.as_deref());
        let same_machine = wanted.os == offered.os && wanted.architecture == offered.architecture;
        if !same_machine || !self.takes_build(offer.os_version.as_deref()) {
            return None;
        }
        match (wanted.generation(), offered.generation()) {
            _ if wanted.variant == offered.variant => Some(0),
            // Who names no variant takes any, and rather the oldest, which runs everywhere.
            (_, offered) if wanted.variant.is_none() => Some(offered.unwrap_or(u32::MAX)),
            (Some(wanted), Some(offered)) => wanted.checked_sub(offered),
            _ => None,
        }
    }

    /// The number of a variant `v<number>`; what names none is the first generation.
    fn generation(&self) -> Option<u32> {
        let Some(variant) = &self.variant else { return Some(if self.architecture == "arm64" { 8 } else { 1 }) };
        variant.strip_prefix('v')?.parse().ok()
    }

    /// Windows containers run on their own build only; its last number is the patch level.
    fn takes_build(&self, offer: Option<&str>) -> bool {
        fn build(text: &str) -> Vec<&str> {
            text.split('.').take(3).collect()
        }
        match (&self.os_version, offer) {
            (Some(wanted), Some(offer)) => build(wanted) == build(offer),
            _ => true,
        }
    }
}

/// Architecture and variant in the spelling of Go's GOARCH, as containerd levels them.
fn levelled(architecture: &str, variant: Option<&str>) -> (String, Option<String>) {
    let architecture = architecture.to_ascii_lowercase();
    let variant = variant.map(str::to_ascii_lowercase).filter(|variant| !variant.is_empty());
    let numbered = |variant: String| {
        if variant.starts_with(|c: char| c.is_ascii_digit()) { format!("v{variant}") } else { variant }
    };
    let variant = variant.map(numbered);
    let (architecture, variant) = match (architecture.as_str(), variant.as_deref()) {
        ("x86_64" | "x86-64" | "amd64", None | Some("v1")) => ("amd64", None),
        ("x86_64" | "x86-64", _) => ("amd64", variant),
        ("i386" | "i486" | "i586" | "i686" | "x86" | "386", _) => ("386", None),
        ("aarch64" | "arm64", None | Some("v8")) => ("arm64", None),
        ("aarch64", _) => ("arm64", variant),
        ("armhf" | "armv7l", None) => ("arm", Some("v7".to_owned())),
        ("armel", None) => ("arm", Some("v6".to_owned())),
        ("powerpc64le", _) => ("ppc64le", variant),
        (_, _) => return (architecture, variant),
    };
    (architecture.to_owned(), variant)
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let is_word = |part: &&str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, architecture] if parts.iter().all(is_word) => Ok(Self::new(os, architecture, None)),
            [os, architecture, variant] if parts.iter().all(is_word) => Ok(Self::new(os, architecture, Some(variant))),
            _ => Err(PlatformError(shorten(text))),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
