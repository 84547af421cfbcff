//! What happened: only ever added to. What changes rights is recorded in the transaction that changes them, so that
//! neither is there without the other.

use std::fmt;
use std::str::FromStr;

use rusqlite::params;
use serde_json::Value;

use crate::db::{Tx, signed, statements, unsigned};
use crate::{Actor, Error, Meta, Millis, RepoId, Result};

mod filter;
pub(crate) mod lanes;
mod page;
pub(crate) mod retention;
pub(crate) mod settings;
pub(crate) mod since;

pub use filter::{AuditFilter, Order};
pub use page::AuditPage;
pub use retention::{AuditLimits, AuditSwept};

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

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not, because the registry said no.
    Refused,
}

impl Outcome {
    /// As rows and the API have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "done" => Ok(Self::Done),
            "refused" => Ok(Self::Refused),
            _ => Err(format!("\"{text}\" is no outcome: expected done or refused")),
        }
    }
}

/// An event that changes nothing itself, with how often it came within a short while.
#[derive(Clone, Debug)]
pub struct Noted {
    /// When it came first.
    pub at: Millis,
    /// Who.
    pub actor: Actor,
    /// What.
    pub event: Event,
    /// How it ended.
    pub outcome: Outcome,
    /// How often.
    pub times: u64,
    /// When it came last.
    pub until: Millis,
}

/// A row of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Greater than that of every row before it, and never used again.
    pub id: i64,
    /// When; of several alike, the first.
    pub at: Millis,
    /// Who: `alice`, `team+ci`, `anonymous`, `operator`.
    pub actor: String,
    /// What proved it: `password`, `token:NAME`, `session`, `ci:RULE`, `operator`, `none`.
    pub via: String,
    /// Where from.
    pub address: Option<String>,
    /// The request, as `X-Request-Id` has it.
    pub request: Option<String>,
    /// What was done, or asked for.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose owners may read it.
    pub org: Option<String>,
    /// To what.
    pub target: String,
    /// How many alike this row stands for.
    pub times: u64,
    /// Of several alike, when the last was.
    pub until: Option<Millis>,
    /// Before, after, reason; null when there is no more to say.
    pub details: Value,
}

statements! {
    RECORD = "INSERT INTO audit (at, actor, via, address, request, action, outcome, org, target, times, until, details)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    ROW = "SELECT id, at, actor, via, address, request, action, outcome, org, target, times, until, details
            FROM audit
            WHERE id = $1";
    REPOSITORY = "SELECT r.name, o.name FROM repositories r JOIN orgs o ON o.id = r.org_id WHERE r.id = $1";
    NEWEST = "SELECT coalesce(max(id), 0) FROM audit";
}

/// Records what was done in this transaction.
pub(crate) fn record(tx: &Tx<'_>, actor: &Actor, now: Millis, event: &Event) -> Result<()> {
    insert(tx, (now, now), actor, event, Outcome::Done, 1)
}

/// Records what was done to content of a repository; `what` of it is `:tag` or `@digest`.
pub(crate) fn record_in(
    tx: &Tx<'_>,
    repo: RepoId,
    what: &str,
    actor: &Actor,
    now: Millis,
    (action, details): (&'static str, Value),
) -> Result<()> {
    let names = tx.one(REPOSITORY, [repo.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let (name, org) = names.ok_or_else(|| Error::Damaged(format!("no repository {}", repo.0)))?;
    record(tx, actor, now, &Event { action, org: Some(org), target: format!("{name}{what}"), details })
}

impl Meta {
    /// Records what changes nothing itself: all of it in one transaction.
    pub async fn note(&self, noted: Vec<Noted>) -> Result<()> {
        self.db
            .write(move |tx| {
                noted
                    .iter()
                    .try_for_each(|one| insert(tx, (one.at, one.until), &one.actor, &one.event, one.outcome, one.times))
            })
            .await
    }

    /// The id of the newest row; 0 when there is none.
    pub async fn newest_audit(&self) -> Result<i64> {
        self.db.read(|tx| Ok(tx.one(NEWEST, [], |row| Ok(row.get(0)?))?.unwrap_or(0)))
    }
}

fn insert(
    tx: &Tx<'_>,
    (at, until): (Millis, Millis),
    actor: &Actor,
    event: &Event,
    outcome: Outcome,
    times: u64,
) -> Result<()> {
    let details = Some(&event.details).filter(|details| !details.is_null()).map(Value::to_string);
    let address = actor.address.map(|address| address.to_string());
    let (who, what) = ((&actor.name, &actor.via, address, &actor.request), (event.action, outcome.as_str()));
    let until = Some(until).filter(|_| times > 1);
    let row =
        params![at, who.0, who.1, who.2, who.3, what.0, what.1, event.org, event.target, signed(times), until, details];
    tx.run(RECORD, row).map(drop)
}

fn row(tx: &Tx<'_>, id: i64) -> Result<Option<AuditRow>> {
    tx.one(ROW, [id], |row| {
        let details: Option<String> = row.get(12)?;
        let damaged = |error: serde_json::Error| Error::Damaged(format!("details of the audit's row {id}: {error}"));
        Ok(AuditRow {
            id: row.get(0)?,
            at: row.get(1)?,
            actor: row.get(2)?,
            via: row.get(3)?,
            address: row.get(4)?,
            request: row.get(5)?,
            action: row.get(6)?,
            outcome: crate::db::parsed(row, 7)?,
            org: row.get(8)?,
            target: row.get(9)?,
            times: unsigned(row, 10)?,
            until: row.get(11)?,
            details: details.map_or(Ok(Value::Null), |text| serde_json::from_str(&text)).map_err(damaged)?,
        })
    })
}

#[cfg(test)]
mod tests;
