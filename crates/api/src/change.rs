//! A field of an update: not mentioned, or to be something.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an update does to one field. `Change<Option<T>>` tells a field that is left out (keep) from `null` (clear);
/// `Change<T>` refuses `null`.
///
/// Fields of this type need serde's `default` and `skip_serializing_if = "Change::is_keep"`, and for their schema the
/// type within.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Make it this.
    To(T),
}

impl<T> Change<T> {
    /// Whether nothing is to change.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// What it is to be, if it is to change.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::To(value) => Some(value),
        }
    }
}

impl<T> From<Option<T>> for Change<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::To)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep => serializer.serialize_none(),
            Self::To(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::To)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Update {
        #[serde(default, skip_serializing_if = "Change::is_keep")]
        email: Change<Option<String>>,
        #[serde(default, skip_serializing_if = "Change::is_keep")]
        is_admin: Change<bool>,
    }

    #[test]
    fn absent_is_not_null() {
        let read = |text| serde_json::from_str::<Update>(text);
        let keep = Update { email: Change::Keep, is_admin: Change::Keep };
        assert_eq!(read("{}").unwrap(), keep);
        assert_eq!(serde_json::to_string(&keep).unwrap(), "{}");
        let clear = Update { email: Change::To(None), is_admin: Change::To(true) };
        assert_eq!(read(r#"{"email":null,"is_admin":true}"#).unwrap(), clear);
        assert_eq!(serde_json::to_string(&clear).unwrap(), r#"{"email":null,"is_admin":true}"#);
        assert_eq!(read(r#"{"email":"a@b.c"}"#).unwrap().email, Change::To(Some("a@b.c".into())));
        assert!(read(r#"{"is_admin":null}"#).is_err());
        assert!(read(r#"{"isAdmin":true}"#).is_err());
    }
}
