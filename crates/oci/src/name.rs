//! Repository names (distribution-spec §Pulling manifests, `<name>`).

use std::fmt;
use std::str::FromStr;

use crate::digest::shorten;

/// The org of one-component names: `alpine` is repository `library/alpine`.
const LIBRARY: &str = "library";

/// A repository's name, in its canonical form and in the form the caller used.
///
/// `alpine` and `library/alpine` are one repository: equality, order and [`RepoName::as_str`] are canonical;
/// what goes back to the caller (`Location`, `Link`, `name`, challenges) is [`RepoName::asked`].
#[derive(Clone)]
pub struct RepoName {
    canonical: Box<str>,
    short: bool,
}

/// Why a text is not a repository name.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum NameError {
    /// Outside the grammar.
    #[error(
        "\"{0}\" is not a repository name: expected lower-case letters and digits, separated by '.', '_', '__', '-' or '/'"
    )]
    Malformed(String),
    /// Longer than clients can refer to.
    #[error(
        "repository name of {0} characters (with library/ where it has one component) is too long: at most {longest} are allowed",
        longest = RepoName::LONGEST
    )]
    TooLong(usize),
}

impl RepoName {
    /// Of the canonical form. Clients cap `host[:port]/name` at 255 characters.
    pub const LONGEST: usize = 255;
    /// Of the first of several components: an org.
    pub const LONGEST_ORG: usize = Self::LONGEST - "/x".len();

    /// Whether that can be the first of several components.
    pub fn is_org(text: &str) -> bool {
        text.len() <= Self::LONGEST_ORG && is_component(text)
    }

    /// The name that everything is stored and compared under; has at least two components.
    pub fn as_str(&self) -> &str {
        &self.canonical
    }

    /// The name as the caller wrote it.
    pub fn asked(&self) -> &str {
        if self.short { &self.canonical[LIBRARY.len() + 1..] } else { &self.canonical }
    }

    /// The first component of the canonical name.
    pub fn org(&self) -> &str {
        self.canonical.split_once('/').map_or(LIBRARY, |(org, _)| org)
    }
}

impl FromStr for RepoName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let short = !text.contains('/');
        // Of the canonical form: what is stored must be readable as a name again.
        let length = if short { LIBRARY.len() + 1 + text.len() } else { text.len() };
        if length > Self::LONGEST {
            return Err(NameError::TooLong(length));
        }
        if !text.split('/').all(is_component) {
            return Err(NameError::Malformed(shorten(text)));
        }
        let canonical = if short { format!("{LIBRARY}/{text}").into() } else { text.into() };
        Ok(Self { canonical, short })
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(text: &str) -> bool {
    let is_word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    is_word(first)
        && is_word(last)
        && bytes
            .split(is_word)
            .all(|between| matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|b| *b == b'-'))
}

impl PartialEq for RepoName {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for RepoName {}

impl std::hash::Hash for RepoName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl PartialOrd for RepoName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RepoName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

/// The name as the caller wrote it: messages and replies speak the caller's language.
impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.asked())
    }
}

impl fmt::Debug for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical)
    }
}

#[cfg(test)]
mod tests;
