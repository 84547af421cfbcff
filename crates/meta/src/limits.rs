//! Rates that an administrator has set. What has no row has its default, which is not a fact but a decision.

use serde_json::{Value, json};

use crate::db::{Tx, signed, statements, unsigned};
use crate::{Actor, Event, Meta, Millis, Result, audit};

/// A rate that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRow {
    /// What is limited.
    pub class: String,
    /// Per what.
    pub per: String,
    /// How many requests in the time; `None`: as many as anybody likes.
    pub requests: Option<u64>,
    /// The time, in seconds.
    pub seconds: u64,
}

impl RateRow {
    fn json(&self) -> Value {
        json!({ "requests": self.requests, "seconds": self.seconds })
    }
}

statements! {
    LIST = "SELECT class, per, requests, seconds FROM rate_limits WHERE class >= '' ORDER BY class, per";
    FIND = "SELECT class, per, requests, seconds FROM rate_limits WHERE class = $1 AND per = $2";
    SET = "INSERT INTO rate_limits (class, per, requests, seconds) VALUES ($1, $2, $3, $4)
            ON CONFLICT (class, per) DO UPDATE SET requests = excluded.requests, seconds = excluded.seconds";
    UNSET = "DELETE FROM rate_limits WHERE class = $1 AND per = $2";
}

impl Meta {
    /// Every rate that was set.
    pub async fn rate_limits(&self) -> Result<Vec<RateRow>> {
        self.db.read(|tx| tx.all(LIST, [], row))
    }

    /// Sets a rate.
    pub async fn set_rate_limit(&self, actor: &Actor, new: RateRow, now: Millis) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let before = find(tx, &new.class, &new.per)?;
                if before.as_ref() == Some(&new) {
                    return Ok(());
                }
                tx.run(SET, (&new.class, &new.per, new.requests.map(signed), signed(new.seconds)))?;
                record(tx, &actor, now, "limit.set", (&new.class, &new.per), before.as_ref(), Some(&new))
            })
            .await
    }

    /// Goes back to a rate's default. `false` when it had not been set.
    pub async fn unset_rate_limit(&self, actor: &Actor, class: &str, per: &str, now: Millis) -> Result<bool> {
        let (actor, class, per) = (actor.clone(), class.to_owned(), per.to_owned());
        self.db
            .write(move |tx| {
                let Some(before) = find(tx, &class, &per)? else { return Ok(false) };
                tx.run(UNSET, (&class, &per))?;
                record(tx, &actor, now, "limit.unset", (&class, &per), Some(&before), None)?;
                Ok(true)
            })
            .await
    }
}

fn find(tx: &Tx<'_>, class: &str, per: &str) -> Result<Option<RateRow>> {
    tx.one(FIND, (class, per), row)
}

fn row(row: &rusqlite::Row<'_>) -> Result<RateRow> {
    let requests = row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs);
    Ok(RateRow { class: row.get(0)?, per: row.get(1)?, requests, seconds: unsigned(row, 3)? })
}

fn record(
    tx: &Tx<'_>,
    actor: &Actor,
    now: Millis,
    action: &'static str,
    (class, per): (&str, &str),
    before: Option<&RateRow>,
    after: Option<&RateRow>,
) -> Result<()> {
    let details = json!({ "before": before.map(RateRow::json), "after": after.map(RateRow::json) });
    audit::record(tx, actor, now, &Event { action, org: None, target: format!("{class}/{per}"), details })
}
