//! Which rows of the audit somebody wants to see, and in what order.

use super::{AuditRow, Outcome};
use crate::Millis;

/// Which rows are wanted: those that fit all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Done by.
    pub actor: Option<String>,
    /// The action, or how it begins: `grant.`
    pub action: Option<String>,
    /// The target, or how it begins: `team/`
    pub target: Option<String>,
    /// In that org.
    pub org: Option<String>,
    /// Ended so.
    pub outcome: Option<Outcome>,
    /// At this time or later.
    pub since: Option<Millis>,
    /// Before this time.
    pub until: Option<Millis>,
    /// Written after the row of this id.
    pub since_id: Option<i64>,
}

impl AuditFilter {
    pub(super) fn fits(&self, row: &AuditRow) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let begins = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|w| found.starts_with(w));
        is(&self.actor, &row.actor)
            && begins(&self.action, &row.action)
            && begins(&self.target, &row.target)
            && self.org.as_ref().is_none_or(|org| row.org.as_ref() == Some(org))
            && self.outcome.is_none_or(|outcome| outcome == row.outcome)
            && self.since.is_none_or(|since| since <= row.at)
            && self.until.is_none_or(|until| row.at < until)
    }
}

/// Which end a list begins at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What happened last.
    #[default]
    NewestFirst,
    /// What happened first.
    OldestFirst,
}

impl Order {
    pub(super) fn precedes(self, one: i64, other: i64) -> bool {
        match self {
            Self::NewestFirst => one > other,
            Self::OldestFirst => one < other,
        }
    }

    /// Before every row.
    pub(super) fn start(self) -> i64 {
        match self {
            Self::NewestFirst => i64::MAX,
            Self::OldestFirst => 0,
        }
    }
}
