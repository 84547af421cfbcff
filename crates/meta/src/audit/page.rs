//! The audit, page by page. However little a filter lets through, one page looks at a bounded number of rows.

use super::lanes::Lanes;
use super::{AuditRow, Outcome, retention};
use crate::{Meta, Millis, Result};

/// Rows that one page looks at.
const LOOKED_AT: usize = 2048;

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
    fn start(self) -> i64 {
        match self {
            Self::NewestFirst => i64::MAX,
            Self::OldestFirst => 0,
        }
    }
}

/// Some rows in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The rows; there may be none although more follow, when the filter lets little through.
    pub rows: Vec<AuditRow>,
    /// Where to go on; `None` at the end.
    pub next: Option<i64>,
}

impl Meta {
    /// Rows that fit `filter`, from behind the row `after` on, `limit` at most.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        order: Order,
        after: Option<i64>,
        limit: usize,
    ) -> Result<AuditPage> {
        self.db.read(|tx| {
            let (lowest, highest) = retention::bounds(tx, filter.since, filter.until)?;
            // `bounds` are within, cursors without.
            let edge = match order {
                Order::NewestFirst => highest.saturating_add(1),
                Order::OldestFirst => lowest.saturating_sub(1),
            };
            let after = after.unwrap_or(order.start());
            let from = if order.precedes(after, edge) { edge } else { after };
            let mut lanes = Lanes::open(tx, filter, order, from)?;
            let (mut page, mut seen) = (AuditPage::default(), None);
            for _ in 0..LOOKED_AT {
                let Some(id) = lanes.peek()?.filter(|id| (lowest..=highest).contains(id)) else { return Ok(page) };
                if page.rows.len() == limit {
                    break;
                }
                lanes.take()?;
                seen = Some(id);
                page.rows.extend(super::row(tx, id)?.filter(|row| filter.fits(row)));
            }
            page.next = seen;
            Ok(page)
        })
    }
}
