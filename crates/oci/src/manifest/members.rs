//! Reading one member at a time: exact about what a known type promises, content with what fits where the type is unknown.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Descriptor, ManifestError};

/// Keeps an explicit `null` apart from an absent member.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The member, unless it is `null`.
pub(super) fn given(member: Option<&RawValue>) -> Option<&RawValue> {
    member.filter(|raw| raw.get() != "null")
}

/// Reads members of one document.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// Whether a member that does not have its shape counts as absent, rather than as an error.
    pub(super) lenient: bool,
}

impl Reader {
    fn settle<T: Default>(self, result: Result<T, ManifestError>) -> Result<T, ManifestError> {
        if self.lenient { Ok(result.unwrap_or_default()) } else { result }
    }

    pub(super) fn text(self, path: &str, member: Option<&RawValue>) -> Result<Option<String>, ManifestError> {
        self.settle(text(path, member))
    }

    pub(super) fn annotations(self, member: Option<&RawValue>) -> Result<BTreeMap<String, String>, ManifestError> {
        let Some(raw) = given(member) else { return Ok(BTreeMap::new()) };
        let map = serde_json::from_str(raw.get());
        self.settle(map.map_err(|_| ManifestError::field("annotations", "an object whose values are strings")))
    }

    pub(super) fn descriptor(self, path: &str, member: Option<&RawValue>) -> Result<Option<Descriptor>, ManifestError> {
        let read = |raw| Descriptor::read(raw).map_err(|error| error.within(path));
        self.settle(given(member).map(read).transpose())
    }

    /// An absent or null list is empty. A lenient reader leaves out single elements that are no descriptors.
    pub(super) fn descriptors(self, path: &str, member: Option<&RawValue>) -> Result<Vec<Descriptor>, ManifestError> {
        let Some(raw) = given(member) else { return Ok(Vec::new()) };
        let mut descriptors = Vec::new();
        let mut index = 0_usize;
        let mut fault = None;
        let take = |raw: &RawValue| {
            match Descriptor::read(raw) {
                Ok(descriptor) => descriptors.push(descriptor),
                Err(_) if self.lenient => {}
                Err(error) => fault = Some(error.within(&format!("{path}[{index}]"))),
            }
            index += 1;
            fault.is_none()
        };
        let walked = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Elements(take));
        match (fault, walked) {
            (Some(fault), _) => Err(fault),
            (None, Ok(())) => Ok(descriptors),
            (None, Err(_)) => self.settle(Err(ManifestError::field(path, "an array of descriptors"))),
        }
    }
}

/// The string of `member`; `null` is absent.
pub(super) fn text(path: &str, member: Option<&RawValue>) -> Result<Option<String>, ManifestError> {
    let read = |raw: &RawValue| serde_json::from_str(raw.get()).map_err(|_| ManifestError::field(path, "a string"));
    given(member).map(read).transpose()
}

/// Hands each element over until it hears `false`, so that a long list is never held as a whole.
struct Elements<F>(F);

impl<'de, F: FnMut(&'de RawValue) -> bool> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element()? {
            if !(self.0)(element) {
                break;
            }
        }
        Ok(())
    }
}
