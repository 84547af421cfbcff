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
    full_at: Cache<Key, Arc<AtomicU64>>,
}

/// One bucket, whatever happens to the others meanwhile.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) key: Key,
    full_at: Option<Arc<AtomicU64>>,
    taken: bool,
}

impl Buckets {
    pub(super) fn new() -> Self {
        Self { full_at: Cache::new(BUCKETS) }
    }

    /// To look into. One that is not there is full.
    pub(super) fn look(&self, key: Key) -> Bucket {
        let full_at = self.full_at.get(&key);
        Bucket { key, full_at, taken: false }
    }

    /// To take from.
    pub(super) fn open(&self, key: Key) -> Bucket {
        let made = self.full_at.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let full_at = match made {
            Ok(full_at) => Some(full_at),
            Err(never) => match never {},
        };
        Bucket { key, full_at, taken: false }
    }
}

impl Bucket {
    pub(super) fn level(&self, now: Nanos) -> Level {
        let full_at = self.full_at.as_ref().map_or(0, |full_at| full_at.load(Ordering::Relaxed));
        self.key.rate.level(full_at, now)
    }

    /// How long to wait for one to take, if there is none.
    pub(super) fn wait(&self, now: Nanos) -> Result<(), Duration> {
        let full_at = self.full_at.as_ref().map_or(0, |full_at| full_at.load(Ordering::Relaxed));
        self.key.rate.take(full_at, now).map(drop)
    }

    /// Takes one request; or how long to wait for one.
    pub(super) fn take(&mut self, now: Nanos) -> Result<(), Duration> {
        let Some(bucket) = &self.full_at else { return Ok(()) };
        let mut full_at = bucket.load(Ordering::Relaxed);
        loop {
            let later = self.key.rate.take(full_at, now)?;
            match bucket.compare_exchange_weak(full_at, later, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break,
                Err(found) => full_at = found,
            }
        }
        self.taken = true;
        Ok(())
    }

    /// Puts back what was taken, if it was.
    pub(super) fn give_back(&mut self) {
        if let Some(bucket) = self.full_at.as_ref().filter(|_| self.taken) {
            let interval = self.key.rate.interval();
            let back = |full_at: Nanos| Some(full_at.saturating_sub(interval));
            // The closure never says no.
            let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, back);
            self.taken = false;
        }
    }
}

#[cfg(test)]
mod tests;
