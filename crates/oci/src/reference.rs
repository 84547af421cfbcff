//! What may stand after `/manifests/`: a tag or a digest.

use std::fmt;
use std::str::FromStr;

use crate::digest::shorten;
use crate::{Digest, DigestError};

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`, case kept, ordered by bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Box<str>);

/// A text that is not a tag.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("\"{0}\" is not a tag: expected up to 128 letters, digits, '_', '.' or '-', not starting with '.' or '-'")]
pub struct TagError(String);

impl Tag {
    /// Longest tag, in characters.
    pub const LONGEST: usize = 128;

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let mut bytes = text.bytes();
        let legal = text.len() <= Self::LONGEST
            && bytes.next().is_some_and(is_word)
            && bytes.all(|b| is_word(b) || b == b'.' || b == b'-');
        if legal { Ok(Self(text.into())) } else { Err(TagError(shorten(text))) }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A manifest by tag or by digest.
///
/// A tag that looks like a digest with a dash (`sha256-<hex>`, the referrers tag schema) is a plain tag:
/// resolving it as a digest hands clients the wrong manifest (oras-project/oras-go#1396).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// By name, may move.
    Tag(Tag),
    /// By content, never moves.
    Digest(Digest),
}

/// Why a text is neither tag nor digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ReferenceError {
    /// It has a colon and is not a digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// It has no colon and is not a tag.
    #[error(transparent)]
    Tag(#[from] TagError),
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.contains(':') { Ok(Self::Digest(text.parse()?)) } else { Ok(Self::Tag(text.parse()?)) }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
