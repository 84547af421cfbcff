//! JSON that every reader understands alike (I-JSON, RFC 7493; image-spec, considerations.md): no repeated keys at any
//! level, UTF-8 without a mark, bounded nesting. Checked in one pass that keeps only the keys of open objects.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::ManifestError;
use crate::digest::shorten;

/// Objects and arrays inside one another, the outermost included.
const DEEPEST: u8 = 32;

/// What keeps a JSON reader from beginning an object here; a byte order mark some readers skip and others refuse.
fn obstacle(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("the body is empty");
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Some("it starts with a byte order mark: leave that out");
    }
    let first = bytes.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
    (first != Some(&b'{')).then_some("expected { at its beginning")
}

/// The text of `bytes`, which is one JSON object that passes every rule of this module.
pub(super) fn object(bytes: &[u8]) -> Result<&str, ManifestError> {
    if let Some(reason) = obstacle(bytes) {
        return Err(ManifestError::NotJson { reason: reason.to_owned() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ManifestError::NotJson { reason: error.to_string() })?;
    let fault = Cell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    let walked = Walk { depth: 0, fault: &fault }.deserialize(&mut json).and_then(|()| json.end());
    match (fault.take(), walked) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) => Err(ManifestError::not_json(error)),
        (None, Ok(())) => Ok(text),
    }
}

/// Visits every value and keeps none. `fault` carries our error past serde's, which is text only.
#[derive(Clone, Copy)]
struct Walk<'f> {
    depth: u8,
    fault: &'f Cell<Option<ManifestError>>,
}

impl Walk<'_> {
    fn fail<E: serde::de::Error>(self, fault: ManifestError) -> E {
        self.fault.set(Some(fault));
        E::custom("refused")
    }

    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEEPEST {
            Err(self.fail(ManifestError::TooDeep))
        } else {
            Ok(Self { depth: self.depth + 1, ..self })
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A key, borrowed from the text unless it holds escapes.
#[derive(Deserialize, PartialEq, Eq, Hash)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        while seq.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        let mut seen: HashSet<Key<'de>> = HashSet::new();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            if let Some(first) = seen.get(&key) {
                return Err(self.fail(ManifestError::DuplicateKey(shorten(&first.0))));
            }
            seen.insert(key);
            map.next_value_seed(inside)?;
        }
        Ok(())
    }
}

/// Refuses keys of `object` that are one of `names` but for their case: Go's encoding/json, which most clients use,
/// takes them for that name, so to it `Layers` after `layers` is a repeated key.
pub(super) fn check_spelling(object: &str, names: &'static [&'static str]) -> Result<(), ManifestError> {
    let fault = Cell::new(None);
    let result = serde_json::Deserializer::from_str(object).deserialize_map(Spelling { names, fault: &fault });
    match (fault.take(), result) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) => Err(ManifestError::not_json(error)),
        (None, Ok(())) => Ok(()),
    }
}

struct Spelling<'f> {
    names: &'static [&'static str],
    fault: &'f Cell<Option<ManifestError>>,
}

impl<'de> Visitor<'de> for Spelling<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Key(key), IgnoredAny)) = map.next_entry::<Key<'de>, IgnoredAny>()? {
            if let Some(meant) = self.names.iter().find(|name| key != **name && folds_to(&key, name)) {
                self.fault.set(Some(ManifestError::Misspelt { key: shorten(&key), meant }));
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// Go's folding of keys (encoding/json/fold.go): ASCII case, and the two letters outside ASCII that fold into it.
fn folds_to(key: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}
