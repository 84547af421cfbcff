//! Guessing passwords is slow, and nobody can lock the owner out.
//!
//! Wrong passwords count for the user name at the address they come from, for that address, and for the user name at
//! all addresses together that are strange to it. An address that has signed in as that user lately is not strange:
//! others' wrong guesses, from elsewhere or for other names, do not touch it. Names that nobody has are treated like
//! those that somebody has.
//!
//! Only passwords count: an API token is too long to guess, and a job that goes on with a revoked one must not keep
//! people from signing in (artifact-keeper/artifact-keeper#1195).

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::time::Duration;

use quick_cache::sync::Cache;

use super::bucket::{Nanos, nanos};
use super::{Bucket, Class, Key, Net, Per, Table, Who};
use crate::{Registry, Result};

/// Pairs of a user and an address that are remembered.
const KNOWN: usize = 20_000;
/// How long an address stays known to a user who does not sign in from it again.
const LATELY: Duration = Duration::from_hours(30 * 24);

/// Where people sign in from. In memory only: after a restart everybody signs in once more.
pub(crate) struct SignIns {
    /// When each last did.
    known: Cache<(u64, Net), Nanos>,
    hasher: RandomState,
}

/// Somebody who says that they are a user, and has not proved it yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    name: u64,
    net: Net,
}

/// A password about to be checked. Dropped, it was wrong.
#[derive(Debug)]
pub(crate) struct Attempt {
    claim: Claim,
    buckets: Vec<Bucket>,
}

impl SignIns {
    pub(crate) fn new() -> Self {
        Self { known: Cache::new(KNOWN), hasher: RandomState::new() }
    }

    fn is_known(&self, claim: &Claim, now: Nanos) -> bool {
        let last = self.known.get(&(claim.name, claim.net));
        last.is_some_and(|last| now.saturating_sub(last) <= nanos(LATELY))
    }

    /// What wrong passwords are counted in.
    fn keys(&self, claim: &Claim, table: &Table, now: Nanos) -> Vec<Key> {
        let Claim { name, net } = *claim;
        let mut counted = vec![(Per::Caller, Who::NameAt(name, net))];
        if !self.is_known(claim, now) {
            counted.extend([(Per::Anonymous, Who::Name(name)), (Per::Address, Who::Net(net))]);
        }
        let class = Class::SignIns;
        let key = |(per, who)| Some(Key { class, per, rate: table.rate(class, per)?, who });
        counted.into_iter().filter_map(key).collect()
    }
}

impl Registry {
    /// Whether another password may be tried at all: asked before anything is compared with it.
    pub(crate) async fn claim(&self, user: &str, address: Option<IpAddr>) -> Result<Claim> {
        let claim = Claim { name: self.sign_ins.hasher.hash_one(user), net: Net::of(address) };
        let (table, now) = (self.rates().await?, self.elapsed());
        for key in self.sign_ins.keys(&claim, &table, now) {
            let bucket = self.limits.buckets.look(key);
            bucket.wait(now).map_err(|wait| self.limits.refusal(&bucket, wait))?;
        }
        Ok(claim)
    }

    /// Counts a password that is checked now, as if it were wrong.
    pub(crate) fn attempt(&self, claim: Claim) -> Result<Attempt> {
        let (table, now) = (self.limits.table(), self.elapsed());
        let keys = self.sign_ins.keys(&claim, &table, now);
        let mut attempt =
            Attempt { claim, buckets: keys.into_iter().map(|key| self.limits.buckets.open(key)).collect() };
        for index in 0..attempt.buckets.len() {
            if let Err(wait) = attempt.buckets[index].take(now) {
                attempt.buckets.iter_mut().for_each(|bucket| bucket.give_back(now));
                return Err(self.limits.refusal(&attempt.buckets[index], wait));
            }
        }
        Ok(attempt)
    }

    /// It was right: it does not count, and the address is known from now on.
    pub(crate) fn proved(&self, mut attempt: Attempt) {
        let now = self.elapsed();
        attempt.buckets.iter_mut().for_each(|bucket| bucket.give_back(now));
        self.sign_ins.known.insert((attempt.claim.name, attempt.claim.net), now);
    }

    /// The password was one that had been checked before: the address is known from now on.
    pub(crate) fn known_again(&self, claim: Claim) {
        self.sign_ins.known.insert((claim.name, claim.net), self.elapsed());
    }
}
