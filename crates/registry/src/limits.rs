//! Rates: how often somebody may pull, push, ask for tokens and guess passwords.
//!
//! Refused is before anything is done and before a body is read; what turns out to have cost nothing is given back.
//! What a limit says may be seen by whoever it applies to, and nothing else: a repository's own limit is shown only to
//! those who may do there what it counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use wharf_meta::{Meta, RateRow};
use wharf_oci::{RateLimit, RepoName};

use crate::access::{Action, Caller};
use crate::{Error, Registry, Result};

mod bucket;
mod buckets;
mod class;
mod sentence;
mod sign_ins;
mod table;

use bucket::{Nanos, nanos};
use buckets::{Bucket, Buckets, Key, Net, Who};
pub use class::{Class, Per};
pub(crate) use sentence::sentence;
pub(crate) use sign_ins::SignIns;
pub use table::Limit;
use table::Table;

/// How long the rates that were read are believed.
const READ_AGAIN: Duration = Duration::from_secs(10);

/// Whether a request was let in, and what its answer must say about limits.
#[derive(Debug, Default)]
#[must_use]
pub struct Admission {
    buckets: Vec<Bucket>,
    /// Which bucket was empty, and for how long.
    refused: Option<(usize, Duration)>,
}

impl Admission {
    fn give_back(&mut self, now: Nanos) {
        self.buckets.iter_mut().for_each(|bucket| bucket.give_back(now));
    }

    /// Takes from all or, when one is empty, from none.
    fn take(&mut self, now: Nanos) {
        let taken = self.buckets.iter_mut().enumerate().map(|(index, bucket)| (index, bucket.take(now)));
        self.refused = taken.filter_map(|(index, taken)| Some((index, taken.err()?))).max_by_key(|(_, wait)| *wait);
        if self.refused.is_some() {
            self.give_back(now);
        }
    }
}

/// The rates in force, and what everybody has taken.
pub(crate) struct Limits {
    table: RwLock<Arc<Table>>,
    /// When the table was read last, on the clock that never steps.
    read_at: AtomicU64,
    reading: tokio::sync::Mutex<()>,
    buckets: Buckets,
    refused: [AtomicU64; Class::ALL.len()],
}

impl Limits {
    pub(crate) async fn open(meta: &Meta) -> Result<Self> {
        let table = Table::of(meta.rate_limits().await?);
        Ok(Self {
            table: RwLock::new(Arc::new(table)),
            read_at: AtomicU64::new(0),
            reading: tokio::sync::Mutex::default(),
            buckets: Buckets::new(),
            refused: Default::default(),
        })
    }

    /// The rates in force.
    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The refusal for one who finds that bucket empty.
    fn refusal(&self, bucket: &Bucket, wait: Duration) -> Error {
        let Key { class, per, rate, .. } = bucket.key;
        self.refused[class as usize].fetch_add(1, Ordering::Relaxed);
        Error::RateLimited { class, per, requests: rate.requests(), window: rate.window(), wait }
    }
}

impl Registry {
    /// Lets a request in, or not. With `costs` it takes one of every limit that applies; without it only looks.
    /// `class` is `None` for what is not limited; its answer tells of the limits on everything else.
    pub async fn admit(
        &self,
        caller: &Caller,
        class: Option<Class>,
        name: Option<&RepoName>,
        costs: bool,
    ) -> Result<Admission> {
        let table = self.rates().await?;
        let mut keys = match class {
            Some(class) => self.keys(&table, caller, class, name).await,
            None => Vec::new(),
        };
        let costs = costs && !keys.is_empty();
        if keys.is_empty() {
            for class in Class::CONTENT {
                keys.extend(self.keys(&table, caller, class, name).await);
            }
        }
        let buckets = &self.limits.buckets;
        let bucket = |key| if costs { buckets.open(key) } else { buckets.look(key) };
        let mut admission = Admission { buckets: keys.into_iter().map(bucket).collect(), refused: None };
        if costs {
            admission.take(self.elapsed());
        }
        Ok(admission)
    }

    /// Why the request was not let in, if it was not.
    pub fn refusal(&self, admission: &Admission) -> Option<Error> {
        let (index, wait) = admission.refused?;
        Some(self.limits.refusal(&admission.buckets[index], wait))
    }

    /// The request turned out to cost nothing.
    pub fn give_back(&self, admission: &mut Admission) {
        admission.give_back(self.elapsed());
    }

    /// What is left of every limit that applies, now.
    pub fn standing(&self, admission: &Admission) -> Vec<RateLimit> {
        let now = self.elapsed();
        let standing = |bucket: &Bucket| {
            let (Key { class, per, rate, .. }, level) = (&bucket.key, bucket.level(now));
            let (quota, window) = (rate.requests(), rate.window());
            RateLimit { name: format!("{class}/{per}"), quota, window, remaining: level.remaining, reset: level.reset }
        };
        admission.buckets.iter().map(standing).collect()
    }

    /// Requests refused so far, by class.
    pub fn refused_by_limits(&self) -> [(Class, u64); Class::ALL.len()] {
        Class::ALL.map(|class| (class, self.limits.refused[class as usize].load(Ordering::Relaxed)))
    }

    /// The buckets that such a request takes from.
    async fn keys(&self, table: &Table, caller: &Caller, class: Class, name: Option<&RepoName>) -> Vec<Key> {
        let net = Net::of(caller.source().address);
        let by_caller = match caller.identity().principal() {
            Some(principal) => (Per::Caller, Who::Principal(principal)),
            None => (Per::Anonymous, Who::Net(net)),
        };
        let mut keys: Vec<_> = [by_caller, (Per::Address, Who::Net(net))]
            .into_iter()
            .filter_map(|(per, who)| Some(Key { class, per, rate: table.rate(class, per)?, who }))
            .collect();
        let per = Per::Repository;
        if let (Some(rate), Some(name)) = (table.rate(class, per), name) {
            let action = if class == Class::Pushes { Action::Push } else { Action::Pull };
            // Whoever may not do it there learns nothing about who else does; the handler refuses them.
            if let Some(repository) = self.permitted(caller, action, name).await {
                keys.push(Key { class, per, rate, who: Who::Repository(repository.id) });
            }
        }
        keys
    }

    /// Every limit as it stands; for administrators.
    pub async fn limits(&self, caller: &Caller) -> Result<Vec<Limit>> {
        self.must_administer(caller, "see limits")?;
        Ok(self.rates().await?.all())
    }

    /// Sets a limit, `None` for none; for administrators. In force when this returns, with full buckets.
    pub async fn set_limit(
        &self,
        caller: &Caller,
        class: Class,
        per: Per,
        requests: Option<u64>,
        window: Duration,
    ) -> Result<Limit> {
        self.must_administer(caller, "set limits")?;
        if !class.counts_per(per) {
            return Err(Error::Invalid { field: "per", message: format!("{class} are not counted per {per}") });
        }
        check(requests, window)?;
        let row =
            RateRow { class: class.as_str().into(), per: per.as_str().into(), requests, seconds: window.as_secs() };
        self.meta.set_rate_limit(&caller.actor(), row, self.now()).await?;
        self.read_limits().await?;
        Ok(self.limits.table().limit(class, per))
    }

    /// Goes back to a limit's default; for administrators. In force when this returns.
    pub async fn unset_limit(&self, caller: &Caller, class: Class, per: Per) -> Result<Limit> {
        self.must_administer(caller, "set limits")?;
        self.meta.unset_rate_limit(&caller.actor(), class.as_str(), per.as_str(), self.now()).await?;
        self.read_limits().await?;
        Ok(self.limits.table().limit(class, per))
    }

    /// The rates in force, read again when that was long ago: whoever changed them may have been cut off before it
    /// read what it wrote.
    async fn rates(&self) -> Result<Arc<Table>> {
        if self.are_stale() {
            let _reading = self.limits.reading.lock().await;
            // Whoever had the lock before has read them.
            if self.are_stale() {
                self.read_limits_locked().await?;
            }
        }
        Ok(self.limits.table())
    }

    fn are_stale(&self) -> bool {
        self.elapsed().saturating_sub(self.limits.read_at.load(Ordering::Relaxed)) > nanos(READ_AGAIN)
    }

    /// One at a time, so that the last to read is the last to say.
    async fn read_limits(&self) -> Result<()> {
        let _reading = self.limits.reading.lock().await;
        self.read_limits_locked().await
    }

    async fn read_limits_locked(&self) -> Result<()> {
        let table = Arc::new(Table::of(self.meta.rate_limits().await?));
        *self.limits.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        self.limits.read_at.store(self.elapsed(), Ordering::Relaxed);
        Ok(())
    }

    /// On a clock that never steps.
    fn elapsed(&self) -> Nanos {
        nanos(self.clock.elapsed())
    }
}

fn check(requests: Option<u64>, window: Duration) -> Result<()> {
    let invalid = |field, message: &str| Err(Error::Invalid { field, message: message.into() });
    if bucket::Rate::new(1, window).is_none() {
        return invalid("seconds", "a window is at least one second and at most 31 days long");
    }
    match requests {
        Some(requests) if bucket::Rate::new(requests, window).is_none() => {
            invalid("requests", "a limit is at least 1 and at most 1,000,000,000 requests; leave it out for no limit")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
