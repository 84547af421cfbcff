//! What happened: only ever added to. What changes rights is recorded in the transaction that changes them, so that
//! neither is there without the other.

use serde_json::Value;

use crate::db::{Tx, statements};
use crate::{Actor, Millis, Result};

/// Something that happened, or was refused.
#[derive(Clone, Debug)]
pub struct Event {
    /// `grant.create`, `sign-in.failure`: a thing and what was done with it.
    pub action: &'static str,
    /// Whose owners may read it.
    pub org: Option<String>,
    /// What it was done to: a user, an org, a repository with tag or digest.
    pub target: String,
    /// JSON: before, after, reason. Never a secret.
    pub details: Value,
}

statements! {
    RECORD = "INSERT INTO audit (at, actor, via, address, request, action, outcome, org, target, times, details)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
}

/// Records what was done in this transaction.
pub(crate) fn record(tx: &Tx<'_>, actor: &Actor, now: Millis, event: &Event) -> Result<()> {
    let details = Some(&event.details).filter(|details| !details.is_null()).map(Value::to_string);
    let address = actor.address.map(|address| address.to_string());
    tx.run(
        RECORD,
        (
            now,
            &actor.name,
            &actor.via,
            address,
            &actor.request,
            event.action,
            "done",
            &event.org,
            &event.target,
            1,
            details,
        ),
    )
    .map(drop)
}
