//! Values of settings: one grammar of text for files, environment and flags, and it can be printed back.

mod listen;
mod network;
mod peer;
mod quantity;
mod url;

pub use listen::Listen;
pub use network::Network;
pub use peer::Peer;
pub use quantity::ByteSize;
pub use url::{HostName, PublicUrl};

use std::path::PathBuf;

/// A value as it was given, or as it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// One text; where a list is wanted, its parts are separated by commas.
    Text(String),
    /// Parts that are already apart.
    List(Vec<String>),
}

/// A single value.
pub(super) trait Item: Sized {
    /// In TOML it must stand in quotes.
    const QUOTED: bool = true;
    /// It is never printed.
    const SECRET: bool = false;

    /// What it looks like, in a few words.
    fn kind() -> String;
    /// Errors say what was wrong and what was expected, as the end of a sentence.
    fn parse(text: &str) -> Result<Self, String>;
    /// A text that [`Item::parse`] takes back, unless it is secret.
    fn show(&self) -> String;
}

/// The value of a setting: an item, perhaps none, or a list.
pub(super) trait Value: Sized {
    const QUOTED: bool;
    const SECRET: bool;

    fn kind() -> String;
    fn from_raw(raw: &Raw) -> Result<Self, String>;
    /// `None` when there is no value.
    fn to_raw(&self) -> Option<Raw>;
}

impl<T: Item> Value for T {
    const QUOTED: bool = T::QUOTED;
    const SECRET: bool = T::SECRET;

    fn kind() -> String {
        T::kind()
    }

    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            // Spaces around a value are slips, but a password may begin with one.
            Raw::Text(text) => T::parse(if T::SECRET { text } else { text.trim() }),
            Raw::List(_) => Err("is a list: expected a single value".into()),
        }
    }

    fn to_raw(&self) -> Option<Raw> {
        Some(Raw::Text(self.show()))
    }
}

/// An empty text is no value, so that a variable can take back what the file says.
impl<T: Item> Value for Option<T> {
    const QUOTED: bool = T::QUOTED;
    const SECRET: bool = T::SECRET;

    fn kind() -> String {
        T::kind()
    }

    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(text) if text.trim().is_empty() => Ok(None),
            raw => T::from_raw(raw).map(Some),
        }
    }

    fn to_raw(&self) -> Option<Raw> {
        self.as_ref().map(|item| Raw::Text(item.show()))
    }
}

impl<T: Item> Value for Vec<T> {
    const QUOTED: bool = T::QUOTED;
    const SECRET: bool = T::SECRET;

    fn kind() -> String {
        format!("a list, each {}", T::kind())
    }

    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(text) if text.trim().is_empty() => Ok(vec![]),
            Raw::Text(text) => text.split(',').map(|part| T::parse(part.trim())).collect(),
            Raw::List(parts) => parts.iter().map(|part| T::parse(part.trim())).collect(),
        }
    }

    fn to_raw(&self) -> Option<Raw> {
        Some(Raw::List(self.iter().map(Item::show).collect()))
    }
}

impl Item for bool {
    const QUOTED: bool = false;

    fn kind() -> String {
        "`true` or `false`".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("\"{text}\" is neither true nor false"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Item for u32 {
    const QUOTED: bool = false;

    fn kind() -> String {
        "a number".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("\"{text}\" is not a number: expected digits only, at most {}", Self::MAX))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A relative path is taken from the folder in which the server is started.
impl Item for PathBuf {
    fn kind() -> String {
        "a path".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("is empty: expected a path".into()),
            text if text.contains('\0') => Err("has a NUL byte: no path can have one".into()),
            text => Ok(text.into()),
        }
    }

    fn show(&self) -> String {
        self.to_string_lossy().into_owned()
    }
}

/// `a, b or c`, each between `quote`s.
pub(super) fn one_of(words: &[&str], quote: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("{quote}{word}{quote}")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests;
