//! Everybody's buckets, in bounded memory.
//!
//! A bucket that nobody took from lately is full, and then it is the same as none; so the least used may be forgotten.
//! Whoever has many addresses can make the registry forget others' buckets, to the good of those others: a limit is
//! then too generous, never too strict.
//!
//! Not `governor`: its store of keys only grows until it is swept, and it cannot be asked what is left without taking
//! one, which every answer's headers must say.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache;
use wharf_meta::{Principal, RepoId};

use super::bucket::{Level, Nanos, Rate};
use super::{Class, Per};

/// Some 100 bytes each.
const BUCKETS: usize = 100_000;

/// Whose bucket it is. With the rate, so that one newly set begins with full buckets and an old one's are forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) class: Class,
    pub(super) per: Per,
    pub(super) rate: Rate,
    pub(super) who: Who,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Principal(Principal),
    Net(Net),
    Repository(RepoId),
    /// A user name that somebody typed, as its keyed hash: it may be long, and need not exist.
    Name(u64),
    NameAt(u64, Net),
}

/// What counts as one address: of IPv6 a /64, which is the least that one customer gets (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Net {
    V4(Ipv4Addr),
    V6([u16; 4]),
    /// A unix socket.
    Here,
}

impl Net {
    pub(crate) fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Here,
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

pub(super) struct Buckets {
    levels: Cache<Key, Arc<Water>>,
}

#[derive(Debug, Default)]
struct Water {
    full_at: AtomicU64,
    /// All that was ever given back, wrapping: by so much at most is a bucket full earlier than was said when something was taken.
    given_back: AtomicU64,
}

/// What was taken from a bucket, and may be given back.
#[derive(Clone, Copy, Debug)]
struct Taken {
    /// When it will be back by itself, unless more is given back.
    back_at: Nanos,
    given_back: Nanos,
}

/// One bucket, whatever happens to the others meanwhile.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) key: Key,
    water: Option<Arc<Water>>,
    taken: Option<Taken>,
}

impl Buckets {
    pub(super) fn new() -> Self {
        Self { levels: Cache::new(BUCKETS) }
    }

    /// To look into. One that is not there is full.
    pub(super) fn look(&self, key: Key) -> Bucket {
        let water = self.levels.get(&key);
        Bucket { key, water, taken: None }
    }

    /// To take from.
    pub(super) fn open(&self, key: Key) -> Bucket {
        let made = self.levels.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let water = match made {
            Ok(water) => Some(water),
            Err(never) => match never {},
        };
        Bucket { key, water, taken: None }
    }
}

impl Bucket {
    pub(super) fn level(&self, now: Nanos) -> Level {
        self.key.rate.level(self.full_at(), now)
    }

    /// How long to wait for one to take, if there is none.
    pub(super) fn wait(&self, now: Nanos) -> Result<(), Duration> {
        self.key.rate.take(self.full_at(), now).map(drop)
    }

    fn full_at(&self) -> Nanos {
        self.water.as_ref().map_or(0, |water| water.full_at.load(Ordering::Relaxed))
    }

    /// Takes one request; or how long to wait for one.
    pub(super) fn take(&mut self, now: Nanos) -> Result<(), Duration> {
        let Some(water) = &self.water else { return Ok(()) };
        let given_back = water.given_back.load(Ordering::Relaxed);
        let mut full_at = water.full_at.load(Ordering::Relaxed);
        loop {
            let back_at = self.key.rate.take(full_at, now)?;
            match water.full_at.compare_exchange_weak(full_at, back_at, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.taken = Some(Taken { back_at, given_back });
                    return Ok(());
                }
                Err(found) => full_at = found,
            }
        }
    }

    /// Takes one request whether there is one or not.
    pub(super) fn charge(&self, now: Nanos) {
        if let Some(water) = &self.water {
            let charge = |full_at| Some(self.key.rate.charge(full_at, now));
            // The closure never says no.
            let _ = water.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charge);
        }
    }

    /// Puts back what was taken, if it was, as far as it has not come back by itself since: else somebody would get
    /// one too many.
    pub(super) fn give_back(&mut self, now: Nanos) {
        let (Some(water), Some(taken)) = (&self.water, self.taken.take()) else { return };
        let sooner = water.given_back.load(Ordering::Relaxed).wrapping_sub(taken.given_back);
        let still_out = taken.back_at.saturating_sub(sooner).saturating_sub(now).min(self.key.rate.interval());
        let back = |full_at: Nanos| Some(full_at.saturating_sub(still_out));
        // The closure never says no.
        let _ = water.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, back);
        water.given_back.fetch_add(still_out, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
