//! Ids of rows in order, by whichever index leaves the fewest to look at.
//!
//! Every index ends in the id, so rows of one actor (action, target, org) come in order. Rows of several, such as of
//! all actions that begin alike, are as many lanes, merged.

use std::collections::VecDeque;

use super::filter::{AuditFilter, Order};
use crate::Result;
use crate::db::{Tx, signed, statements};

/// Ids read ahead in a lane.
const AHEAD: usize = 64;
/// Lanes at once. What begins alike in more ways than this is looked for among all rows.
const LANES: usize = 64;
/// Sorts after every text that begins with what it follows.
const AFTER_ALL: char = char::MAX;
/// The text that follows a text directly, NUL aside, which none has.
const NEXT: char = '\u{1}';

statements! {
    ALL_DOWN = "SELECT id FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2";
    ALL_UP = "SELECT id FROM audit WHERE id > $1 ORDER BY id LIMIT $2";
    ACTOR_DOWN = "SELECT id FROM audit WHERE actor = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    ACTOR_UP = "SELECT id FROM audit WHERE actor = $1 AND id > $2 ORDER BY id LIMIT $3";
    ACTION_DOWN = "SELECT id FROM audit WHERE action = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    ACTION_UP = "SELECT id FROM audit WHERE action = $1 AND id > $2 ORDER BY id LIMIT $3";
    TARGET_DOWN = "SELECT id FROM audit WHERE target = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    TARGET_UP = "SELECT id FROM audit WHERE target = $1 AND id > $2 ORDER BY id LIMIT $3";
    ORG_DOWN = "SELECT id FROM audit WHERE org = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    ORG_UP = "SELECT id FROM audit WHERE org = $1 AND id > $2 ORDER BY id LIMIT $3";
    NEXT_ACTION = "SELECT action FROM audit WHERE action >= $1 AND action < $2 ORDER BY action LIMIT 1";
    NEXT_TARGET = "SELECT target FROM audit WHERE target >= $1 AND target < $2 ORDER BY target LIMIT 1";
}

#[derive(Clone, Copy)]
enum By {
    All,
    Actor,
    Action,
    Target,
    Org,
}

struct Lane {
    by: By,
    key: String,
    ahead: VecDeque<i64>,
    /// Behind this it goes on; `None` at its end.
    at: Option<i64>,
}

/// Ids of all rows that may match a filter.
pub(super) struct Lanes<'t> {
    tx: &'t Tx<'t>,
    order: Order,
    merged: Vec<Lane>,
}

impl<'t> Lanes<'t> {
    /// From behind `at` on.
    pub(super) fn open(tx: &'t Tx<'t>, filter: &AuditFilter, order: Order, at: i64) -> Result<Self> {
        let lane = |(by, key)| Lane { by, key, ahead: VecDeque::new(), at: Some(at) };
        let merged = ways(tx, filter)?.into_iter().map(lane).collect();
        Ok(Self { tx, order, merged })
    }

    /// The next id, which stays until it is taken.
    pub(super) fn peek(&mut self) -> Result<Option<i64>> {
        Ok(self.first()?.map(|(_, id)| id))
    }

    pub(super) fn take(&mut self) -> Result<Option<i64>> {
        let Some((lane, _)) = self.first()? else { return Ok(None) };
        Ok(self.merged[lane].ahead.pop_front())
    }

    fn first(&mut self) -> Result<Option<(usize, i64)>> {
        let mut first: Option<(usize, i64)> = None;
        for (n, lane) in self.merged.iter_mut().enumerate() {
            lane.fill(self.tx, self.order)?;
            let Some(&id) = lane.ahead.front() else { continue };
            if first.is_none_or(|(_, best)| self.order.precedes(id, best)) {
                first = Some((n, id));
            }
        }
        Ok(first)
    }
}

impl Lane {
    fn fill(&mut self, tx: &Tx<'_>, order: Order) -> Result<()> {
        let Some(at) = self.at.filter(|_| self.ahead.is_empty()) else { return Ok(()) };
        let (sql, is_keyed) = statement(self.by, order);
        let limit = signed(AHEAD as u64);
        let id = |row: &rusqlite::Row<'_>| Ok(row.get(0)?);
        let found: Vec<i64> =
            if is_keyed { tx.all(sql, (&self.key, at, limit), id)? } else { tx.all(sql, (at, limit), id)? };
        self.at = found.last().copied();
        self.ahead = found.into();
        Ok(())
    }
}

fn statement(by: By, order: Order) -> (&'static str, bool) {
    let (down, up, is_keyed) = match by {
        By::All => (ALL_DOWN, ALL_UP, false),
        By::Actor => (ACTOR_DOWN, ACTOR_UP, true),
        By::Action => (ACTION_DOWN, ACTION_UP, true),
        By::Target => (TARGET_DOWN, TARGET_UP, true),
        By::Org => (ORG_DOWN, ORG_UP, true),
    };
    (if order == Order::NewestFirst { down } else { up }, is_keyed)
}

/// The lanes to take, narrow ones first: what is one repository's, then one person's, then of one kind.
fn ways(tx: &Tx<'_>, filter: &AuditFilter) -> Result<Vec<(By, String)>> {
    if let Some(prefix) = &filter.target
        && let Some(targets) = beginning(tx, NEXT_TARGET, prefix)?
    {
        return Ok(targets.into_iter().map(|target| (By::Target, target)).collect());
    }
    if let Some(actor) = &filter.actor {
        return Ok(vec![(By::Actor, actor.clone())]);
    }
    if let Some(prefix) = &filter.action
        && let Some(actions) = beginning(tx, NEXT_ACTION, prefix)?
    {
        return Ok(actions.into_iter().map(|action| (By::Action, action)).collect());
    }
    Ok(match &filter.org {
        Some(org) => vec![(By::Org, org.clone())],
        None => vec![(By::All, String::new())],
    })
}

/// Every value that begins so, each found by one step in the index; `None` when they are too many.
fn beginning(tx: &Tx<'_>, next: &'static str, prefix: &str) -> Result<Option<Vec<String>>> {
    let end = format!("{prefix}{AFTER_ALL}");
    let (mut found, mut from) = (Vec::new(), prefix.to_owned());
    while let Some(value) = tx.one(next, (&from, &end), |row| Ok(row.get::<_, String>(0)?))? {
        if found.len() == LANES {
            return Ok(None);
        }
        from = format!("{value}{NEXT}");
        found.push(value);
    }
    Ok(Some(found))
}
