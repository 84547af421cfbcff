//! What happens again and again within a minute, as few rows.
//!
//! The first of its kind is written soon, those alike that follow are counted and written as one row when the minute
//! is over. However many kinds there are, and whoever makes them up, the rows of a minute are bounded: beyond
//! [`KINDS_OF_ADDRESS`] one address no longer has its targets told apart, and beyond [`KINDS`] all that is left is a
//! number.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;

use serde_json::json;
use wharf_meta::{Actor, Event, Millis, Noted, Outcome};

/// How long what is alike is held together.
pub(super) const MINUTE: Millis = 60_000;
/// Kinds told apart in a minute.
pub(super) const KINDS: usize = 1000;
/// Of those, kinds from one address, or one /64 of IPv6.
pub(super) const KINDS_OF_ADDRESS: usize = 64;
/// Kinds beyond, counted apart as far as this.
const COUNTED: usize = 20_000;
/// Rows that wait because they could not be written; beyond, the oldest are lost and counted.
pub(super) const WAITING: usize = 4 * KINDS;
/// Whatever it was.
const ANY: &str = "*";
/// The registry itself, as an actor: no name that anybody can have.
const ITSELF: &str = "-";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    actor: String,
    via: String,
    action: &'static str,
    target: String,
    org: Option<String>,
    address: Option<IpAddr>,
    outcome: Outcome,
    /// [`cause`]
    cause: String,
}

struct Held {
    /// The first of those that are not written; its `times` says how many they are.
    noted: Noted,
    /// One like it is written.
    is_known: bool,
    /// Which it was of the minute's kinds: what came at the same time is written in the order of coming.
    number: usize,
}

/// What was noted and is not written.
pub(super) struct Window {
    began: Millis,
    kinds: HashMap<Kind, Held>,
    of_address: HashMap<Option<IpAddr>, usize>,
    more: More,
    waiting: Vec<Noted>,
    lost: u64,
    hasher: RandomState,
}

/// What came when there were too many kinds.
#[derive(Default)]
struct More {
    since: Millis,
    until: Millis,
    events: u64,
    kinds: HashSet<u64>,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            began: 0,
            kinds: HashMap::new(),
            of_address: HashMap::new(),
            more: More::default(),
            waiting: Vec::new(),
            lost: 0,
            hasher: RandomState::new(),
        }
    }

    /// Counts one event.
    pub(super) fn note(&mut self, noted: Noted) {
        let now = noted.at;
        self.turn(now);
        let kind = Kind::of(&noted);
        if self.count(&kind, &noted) {
            return;
        }
        let place = place_of(kind.address);
        let from_there = self.of_address.get(&place).copied().unwrap_or(0);
        let noted = if from_there < KINDS_OF_ADDRESS { noted } else { broad(noted, place) };
        let kind = Kind::of(&noted);
        if self.count(&kind, &noted) {
            return;
        }
        if self.kinds.len() < KINDS {
            *self.of_address.entry(place).or_default() += 1;
            self.kinds.insert(kind, Held { noted, is_known: false, number: self.kinds.len() });
            return;
        }
        if self.more.events == 0 {
            self.more.since = now;
        }
        self.more.until = now;
        self.more.events += noted.times;
        if self.more.kinds.len() < COUNTED {
            self.more.kinds.insert(self.hasher.hash_one(&kind));
        }
    }

    /// What is to be written now.
    pub(super) fn take(&mut self, now: Millis) -> Vec<Noted> {
        self.turn(now);
        let mut rows = std::mem::take(&mut self.waiting);
        let mut fresh: Vec<_> = self.kinds.values_mut().filter(|held| !held.is_known).collect();
        fresh.sort_by_key(|held| held.number);
        for held in fresh {
            held.is_known = true;
            rows.push(held.noted.clone());
            held.noted.times = 0;
        }
        if self.lost > 0 {
            rows.push(about_itself(
                (now, now),
                "audit.lost",
                self.lost,
                json!({ "reason": "they could not be written" }),
            ));
            self.lost = 0;
        }
        rows.sort_by_key(|noted| noted.at);
        rows
    }

    /// Takes back what could not be written.
    pub(super) fn give_back(&mut self, rows: Vec<Noted>) {
        let newer = std::mem::replace(&mut self.waiting, rows);
        self.wait(newer);
    }

    /// Everything, as if the minute were over: nothing comes after.
    pub(super) fn end(&mut self, now: Millis) -> Vec<Noted> {
        self.began = Millis::MIN;
        self.take(now)
    }

    fn count(&mut self, kind: &Kind, noted: &Noted) -> bool {
        let Some(held) = self.kinds.get_mut(kind) else { return false };
        if held.noted.times == 0 {
            held.noted = noted.clone();
        } else {
            held.noted.times += noted.times;
            held.noted.until = noted.until;
        }
        true
    }

    /// Ends the minute if it is over, or if the clock was set back.
    fn turn(&mut self, now: Millis) {
        if (self.began..self.began.saturating_add(MINUTE)).contains(&now) {
            return;
        }
        self.began = now;
        self.of_address.clear();
        let mut kinds: Vec<Held> = self.kinds.drain().map(|(_, held)| held).collect();
        kinds.sort_by_key(|held| held.number);
        let mut rows: Vec<Noted> = kinds.into_iter().map(|held| held.noted).collect();
        rows.retain(|noted| noted.times > 0);
        let more = std::mem::take(&mut self.more);
        if more.events > 0 {
            let details = json!({ "reason": "too many kinds in a minute to tell apart", "kinds": more.kinds.len() });
            rows.push(about_itself((more.since, more.until), "audit.more", more.events, details));
        }
        self.wait(rows);
    }

    fn wait(&mut self, rows: Vec<Noted>) {
        self.waiting.extend(rows);
        let excess = self.waiting.len().saturating_sub(WAITING);
        self.lost += self.waiting.drain(..excess).map(|noted| noted.times).sum::<u64>();
    }
}

impl Kind {
    fn of(noted: &Noted) -> Self {
        let Noted { actor, event, outcome, .. } = noted;
        Self {
            actor: actor.name.clone(),
            via: actor.via.clone(),
            action: event.action,
            target: event.target.clone(),
            org: event.org.clone(),
            address: actor.address,
            outcome: *outcome,
            cause: cause(&event.details),
        }
    }
}

/// What was said of it but numbers, with their units: they differ where the cause is the same.
fn cause(details: &serde_json::Value) -> String {
    let mut is_after_number = false;
    let mut told = String::new();
    for word in details.to_string().split(' ') {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        if !is_number && !is_after_number {
            told.extend(word.chars().filter(|c| !c.is_ascii_digit()));
        }
        is_after_number = is_number;
    }
    told
}

fn broad(noted: Noted, address: Option<IpAddr>) -> Noted {
    let details = json!({ "reason": "too many targets in a minute from this address to tell apart" });
    let event = Event { target: ANY.into(), org: None, details, ..noted.event };
    Noted { event, actor: Actor { address, ..noted.actor }, ..noted }
}

fn about_itself((at, until): (Millis, Millis), action: &'static str, times: u64, details: serde_json::Value) -> Noted {
    let actor = Actor { name: ITSELF.into(), via: "none".into(), address: None, request: None };
    let event = Event { action, org: None, target: ANY.into(), details };
    Noted { at, actor, event, outcome: Outcome::Done, times, until }
}

/// Whoever has one address of IPv6 has a /64 of them.
fn place_of(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
    })
}

#[cfg(test)]
mod tests;
