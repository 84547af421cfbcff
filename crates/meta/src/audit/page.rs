//! The audit, page by page. However little a filter lets through, one page looks at a bounded number of rows.

use super::filter::{AuditFilter, Order};
use super::lanes::Lanes;
use super::{AuditRow, retention};
use crate::{Meta, Result};

/// Rows that one page looks at.
const LOOKED_AT: usize = 2048;

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
            let lowest = filter.since_id.map_or(lowest, |id| lowest.max(id.saturating_add(1)));
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
