//! Changes that people make: what stands against one is found inside its transaction, and what was done is recorded
//! in it, with what was before and what is after.

use serde_json::{Map, Value};

use crate::audit::{self, Event};
use crate::db::{Tx, unsigned};
use crate::{Actor, Error, Millis, Result};

/// What stands against a change. Nothing of it happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is nothing of that name, or not any more.
    #[error("there is no {what}")]
    Unknown {
        /// `user alice`
        what: String,
    },
    /// What is there already says otherwise.
    #[error("{message}")]
    Exists {
        /// What differs, or is taken.
        field: &'static str,
        /// A sentence.
        message: String,
    },
    /// A field of the change is not what it must be.
    #[error("{message}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// A sentence.
        message: String,
    },
    /// It was changed since the version that the change was made for.
    #[error("it was changed in the meantime: read it again and repeat the change")]
    Stale,
    /// There are as many as there may be.
    #[error("{message}")]
    Enough {
        /// The field of the request that asks for one more.
        field: &'static str,
        /// A sentence.
        message: String,
    },
    /// Something must stay as it is, such as the last owner.
    #[error("{message}")]
    Kept {
        /// What of the request is in conflict with it.
        field: &'static str,
        /// A sentence.
        message: String,
    },
}

impl Refusal {
    pub(crate) fn unknown(what: impl Into<String>) -> Error {
        Error::Refused(Self::Unknown { what: what.into() })
    }

    pub(crate) fn exists(field: &'static str, message: impl Into<String>) -> Error {
        Error::Refused(Self::Exists { field, message: message.into() })
    }

    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Error {
        Error::Refused(Self::Invalid { field, message: message.into() })
    }

    pub(crate) fn kept(field: &'static str, message: impl Into<String>) -> Error {
        Error::Refused(Self::Kept { field, message: message.into() })
    }
}

/// How many of something one org, or one user, may have: nobody fills the registry with what costs nothing to make.
#[derive(Clone, Copy)]
pub(crate) struct Most {
    /// Counts what there is, by the row of who has it.
    pub(crate) count: &'static str,
    pub(crate) limit: u64,
    /// `teams`
    pub(crate) what: &'static str,
    /// The field of the request that asks for one more.
    pub(crate) field: &'static str,
}

impl Most {
    /// Refuses one more where there are as many as there may be.
    pub(crate) fn leaves_room(self, tx: &Tx<'_>, id: i64, whose: &str) -> Result<()> {
        let Self { count, limit, what, field } = self;
        if tx.one(count, [id], |row| unsigned(row, 0))?.unwrap_or(0) < limit {
            return Ok(());
        }
        let message = format!("{whose} has {limit} {what}, and may not have more: delete one that is not needed");
        Err(Error::Refused(Refusal::Enough { field, message }))
    }
}

/// What a creation came to: asking again for what is there already changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made<T> {
    /// As it is now.
    pub value: T,
    /// Whether it was not there before.
    pub is_new: bool,
}

impl<T> Made<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value, is_new: true }
    }

    pub(crate) fn known(value: T) -> Self {
        Self { value, is_new: false }
    }
}

/// Who changes something, and when.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// When.
    pub now: Millis,
}

impl By {
    /// Records what was done in this transaction. `before` and `after` are objects, or null where there was nothing.
    pub(crate) fn record(&self, tx: &Tx<'_>, what: What<'_>, before: Value, after: Value) -> Result<()> {
        let sides = [("before", before), ("after", after)];
        let details: Map<_, _> =
            sides.into_iter().filter(|side| !side.1.is_null()).map(|(k, v)| (k.into(), v)).collect();
        let details = if details.is_empty() { Value::Null } else { Value::Object(details) };
        let What { action, org, target } = what;
        let event = Event { action, org: org.map(str::to_owned), target: target.to_owned(), details };
        audit::record(tx, &self.actor, self.now, &event)
    }
}

/// What was done to what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct What<'a> {
    pub(crate) action: &'static str,
    /// Whose owners may read it.
    pub(crate) org: Option<&'a str>,
    pub(crate) target: &'a str,
}

/// An update is made for a version; no version is any.
pub(crate) fn check_version(expected: Option<i64>, found: i64) -> Result<()> {
    if expected.is_some_and(|expected| expected != found) { Err(Error::Refused(Refusal::Stale)) } else { Ok(()) }
}
