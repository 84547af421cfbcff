//! What uploads and sealed blobs are called; a name here says nothing about where a backend keeps them.

use std::fmt;
use std::str::FromStr;

/// Names one upload for ever: its row, its file, and the location it may become (UUIDv7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId(uuid::Uuid);

impl UploadId {
    /// The caller makes the UUID, because a UUIDv7 holds the time.
    pub fn from_uuid(uuid: uuid::Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Why a text is not an upload's name.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("not an upload id: expected a UUID in lower case with hyphens")]
pub struct UploadIdError;

impl FromStr for UploadId {
    type Err = UploadIdError;

    /// Only the form that `Display` writes: two spellings of one upload would be two keys elsewhere.
    fn from_str(text: &str) -> Result<Self, UploadIdError> {
        let id = Self(uuid::Uuid::try_parse(text).map_err(|_| UploadIdError)?);
        let mut canonical = [0; uuid::fmt::Hyphenated::LENGTH];
        if id.0.hyphenated().encode_lower(&mut canonical) == text { Ok(id) } else { Err(UploadIdError) }
    }
}

/// The backend's own key of a sealed blob (fs: `sha256/ab/<hex>.<upload id>`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location(Box<str>);

impl Location {
    /// What a row holds. The backend checks it at every use, because a row may have come from anywhere.
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    /// The text for the row.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
