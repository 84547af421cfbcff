//! How long rows stay: until they are too old, or until they take too much room. Room is taken back from what anybody
//! can cause first, and then from whoever has the most rows: nobody's flood washes away what others did.

use std::collections::HashMap;

use rusqlite::Row;

use super::settings;
use crate::db::{Tx, signed, statements, unsigned};
use crate::{Meta, Millis, Result};

/// Rows measured, and rows removed, in one transaction.
const BATCH: usize = 500;
/// Rows looked at to find who has the most.
const SAMPLE: i64 = 200;
/// Rows that stay however little room there is.
const NEWEST: i64 = 100;
/// Clocks are set back now and then: rows this far out of order are still found by their time.
const DISORDER: Millis = 24 * 60 * 60 * 1000;
/// Which row was measured last, and how many bytes there are up to it: `id bytes`.
const MEASURED: &str = "audit.measured";

/// What a row takes, its entries in the indexes included. Every column that an index has counts twice.
macro_rules! bytes {
    () => {
        "160 + 2 * (octet_length(actor) + octet_length(action) + octet_length(target) + coalesce(octet_length(org), 0))
          + octet_length(via) + coalesce(octet_length(address), 0) + coalesce(octet_length(request), 0)
          + coalesce(octet_length(details), 0)"
    };
}

statements! {
    MEASURE = concat!("SELECT id, ", bytes!(), " FROM audit WHERE id > $1 ORDER BY id LIMIT $2");
    AGED = concat!("SELECT id, ", bytes!(), " FROM audit WHERE at < $1 ORDER BY at, id LIMIT $2");
    OLDEST_BY = concat!("SELECT id, ", bytes!(), " FROM audit WHERE actor = $1 AND id <= $2 ORDER BY id LIMIT $3");
    OLDEST_OF = concat!("SELECT id, ", bytes!(), " FROM audit WHERE action = $1 AND id <= $2 ORDER BY id LIMIT $3");
    FIRST = "SELECT coalesce(min(id), 0) FROM audit";
    ACTOR_AT = "SELECT id, actor FROM audit WHERE id <= $1 ORDER BY id DESC LIMIT 1";
    REMOVE = "DELETE FROM audit WHERE id = $1";
    LAST_BEFORE = "SELECT id FROM audit WHERE at < $1 ORDER BY at DESC, id DESC LIMIT 1";
    FIRST_FROM = "SELECT id FROM audit WHERE at >= $1 ORDER BY at, id LIMIT 1";
}

/// How much of the audit is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditLimits {
    /// Rows from before this time go.
    pub since: Millis,
    /// Rows go until what stays takes no more than this.
    pub bytes: u64,
    /// Actions that anybody can cause as often as they like: their rows go first when room is short.
    pub cheap: &'static [&'static str],
}

/// What one round of it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditSwept {
    /// Rows removed.
    pub removed: usize,
    /// What the rows take, by estimate.
    pub bytes: u64,
    /// There is more to do: call again.
    pub more: bool,
}

impl Meta {
    /// Removes a few of the rows that `limits` does not keep. May be run twice, and stopped between any two rounds.
    pub async fn sweep_audit(&self, limits: AuditLimits) -> Result<AuditSwept> {
        self.db.write(move |tx| sweep(tx, &limits)).await
    }
}

fn sweep(tx: &Tx<'_>, limits: &AuditLimits) -> Result<AuditSwept> {
    let (mut last, mut bytes) = measured(tx)?;
    let fresh = tx.all(MEASURE, (last, signed(BATCH as u64)), sized)?;
    bytes += fresh.iter().map(|(_, bytes)| bytes).sum::<u64>();
    last = fresh.last().map_or(last, |(id, _)| *id);
    // What is not measured yet must not be taken off the sum.
    let doomed = if fresh.len() < BATCH { doomed(tx, limits, last, bytes)? } else { vec![] };
    for (id, size) in &doomed {
        tx.run(REMOVE, [id])?;
        bytes = bytes.saturating_sub(*size);
    }
    if !fresh.is_empty() || !doomed.is_empty() {
        settings::keep(tx, MEASURED, &format!("{last} {bytes}"))?;
    }
    let more = fresh.len() == BATCH || doomed.len() == BATCH || (bytes > limits.bytes && !doomed.is_empty());
    Ok(AuditSwept { removed: doomed.len(), bytes, more })
}

/// A batch of rows to remove: those too old; else, while there is too little room, the cheap, and then those of whoever
/// has the most; always the oldest of them.
fn doomed(tx: &Tx<'_>, limits: &AuditLimits, last: i64, bytes: u64) -> Result<Vec<(i64, u64)>> {
    let batch = signed(BATCH as u64);
    let aged = tx.all(AGED, (limits.since, batch), sized)?;
    if !aged.is_empty() || bytes <= limits.bytes {
        return Ok(aged);
    }
    let (last, excess) = (last.saturating_sub(NEWEST), bytes - limits.bytes);
    let mut cheap = Vec::new();
    for action in limits.cheap {
        cheap.extend(tx.all(OLDEST_OF, (action, last, batch), sized)?);
    }
    cheap.sort_unstable();
    let found = match busiest(tx, last)? {
        Some(actor) if cheap.is_empty() => tx.all(OLDEST_BY, (actor, last, batch), sized)?,
        _ => cheap,
    };
    let mut freed = 0;
    let needed = |(_, size): &(i64, u64)| {
        let is_needed = freed < excess;
        freed += size;
        is_needed
    };
    Ok(found.into_iter().take(BATCH).take_while(needed).collect())
}

/// Whose rows are the most up to `last`, by a sample spread evenly: counting them all would hold up the writer.
fn busiest(tx: &Tx<'_>, last: i64) -> Result<Option<String>> {
    let first: i64 = tx.one(FIRST, [], |row| Ok(row.get(0)?))?.unwrap_or(0);
    let (mut counts, mut seen) = (HashMap::<String, usize>::new(), 0);
    for nth in 1..=SAMPLE {
        let at = first.saturating_add((last - first).saturating_mul(nth) / SAMPLE);
        let found: Option<(i64, String)> = tx.one(ACTOR_AT, [at], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // Where rows have gone, every look ends at the one before the gap: it counts once.
        if let Some((id, actor)) = found.filter(|(id, _)| *id != seen) {
            seen = id;
            *counts.entry(actor).or_default() += 1;
        }
    }
    Ok(counts
        .into_iter()
        .max_by(|(one, few), (other, many)| few.cmp(many).then(other.cmp(one)))
        .map(|(actor, _)| actor))
}

fn measured(tx: &Tx<'_>) -> Result<(i64, u64)> {
    let text = settings::kept(tx, MEASURED)?.unwrap_or_default();
    let parts = text.split_once(' ').and_then(|(last, bytes)| Some((last.parse().ok()?, bytes.parse().ok()?)));
    Ok(parts.unwrap_or((0, 0)))
}

/// The lowest and the highest id that a row of that time can have. Rows are written up to [`DISORDER`] after what they
/// tell of: what is older than that before `since` was written before all that is wanted, and so has a lower id.
pub(super) fn bounds(tx: &Tx<'_>, since: Option<Millis>, until: Option<Millis>) -> Result<(i64, i64)> {
    let find = |sql, at: Option<Millis>| match at {
        Some(at) => tx.one(sql, [at], |row| Ok(row.get::<_, i64>(0)?)),
        None => Ok(None),
    };
    let lowest = find(LAST_BEFORE, since.map(|at| at.saturating_sub(DISORDER)))?;
    let highest = find(FIRST_FROM, until.map(|at| at.saturating_add(DISORDER)))?;
    Ok((lowest.map_or(1, |id| id + 1), highest.map_or(i64::MAX - 1, |id| id - 1)))
}

fn sized(row: &Row<'_>) -> Result<(i64, u64)> {
    Ok((row.get(0)?, unsigned(row, 1)?))
}
