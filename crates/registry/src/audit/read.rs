//! Who may read the audit: administrators all of it, owners what happened in their org, everybody what they did.
//!
//! Names come back: an org that is made again, or a user of a former one's name, sees nothing from before.

use std::sync::Arc;

use futures_util::Stream;
use wharf_meta::{AuditFilter, AuditPage, AuditRow, Order};

use super::PATIENCE;
use crate::access::{Action, Caller, Power, api_scope};
use crate::error::Takes;
use crate::{Error, Registry, Result};

/// Looks at the audit that one page may take, each bounded itself.
const LOOKS: usize = 16;
/// Rows of a batch.
const BATCH: usize = 500;

impl Registry {
    /// Rows that fit `filter`, from behind the row `after` on, `limit` at most. A page may be short, or empty, and yet
    /// say where to go on. What happened before the question is in the answer.
    pub async fn audit(
        &self,
        caller: &Caller,
        filter: AuditFilter,
        order: Order,
        after: Option<i64>,
        limit: usize,
    ) -> Result<AuditPage> {
        let filter = self.readable_audit(caller, filter).await?;
        // Old rows can be read while new ones cannot be written.
        tokio::time::timeout(PATIENCE, self.flush_audit()).await.ok();
        let mut page = AuditPage { rows: Vec::new(), next: after };
        for _ in 0..LOOKS {
            let found = self.meta.audit(&filter, order, page.next, limit - page.rows.len()).await?;
            page.rows.extend(found.rows);
            page.next = found.next;
            if page.next.is_none() || page.rows.len() == limit {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(page)
    }

    /// All rows that fit `filter`, oldest first, batch by batch. Rights are looked at before each, so that who loses
    /// them gets no further.
    pub fn export_audit(
        self: Arc<Self>,
        caller: Caller,
        filter: AuditFilter,
    ) -> impl Stream<Item = Result<Vec<AuditRow>>> + Send {
        futures_util::stream::try_unfold(Some(None), move |place: Option<Option<i64>>| {
            let (registry, caller, filter) = (Arc::clone(&self), caller.clone(), filter.clone());
            async move {
                let Some(after) = place else { return Ok(None) };
                let page = registry.audit(&caller, filter, Order::OldestFirst, after, BATCH).await?;
                Ok(Some((page.rows, page.next.map(Some))))
            }
        })
    }

    /// The filter, narrowed to what the caller may read.
    async fn readable_audit(&self, caller: &Caller, filter: AuditFilter) -> Result<AuditFilter> {
        if self.administers(caller) {
            return Ok(filter);
        }
        if let Some(org) = &filter.org {
            let seen = self.org_to(caller, Action::Own, "read the audit", org).await?;
            let made = self.meta.org_since(seen.row.id).await?;
            return Ok(AuditFilter { since: filter.since.max(Some(made)), ..filter });
        }
        let principal = self.admitted(caller)?;
        // What somebody did everywhere is not for a token that is good in one place.
        if caller.ceiling(None, None) == Power::Nothing {
            return Err(caller.too_narrow(api_scope(), Takes::Credential));
        }
        if filter.actor.as_deref().is_some_and(|actor| actor != caller.name()) {
            let name = "the audit of others".into();
            return Err(Error::Denied { caller: caller.name().into(), action: "read", name, takes: None });
        }
        let made = self.meta.principal_since(principal).await?;
        Ok(AuditFilter { actor: Some(caller.name().into()), since: filter.since.max(Some(made)), ..filter })
    }
}
