//! Guessing passwords is slow, and nobody can lock the owner out.
//!
//! Wrong passwords count for the user name at the address they come from, for that address, and for the user name at
//! all addresses together that are strange to it. An address that has signed in as that user lately is not strange:
//! others' wrong guesses, from elsewhere or for other names, do not touch it. An address from which nothing failed
//! lately has one try, whatever goes on elsewhere. Names that nobody has are treated like
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
    /// Somebody says that they are that user.
    pub(crate) async fn claim(&self, user: &str, address: Option<IpAddr>) -> Result<Claim> {
        self.rates().await?;
        Ok(Claim { name: self.sign_ins.hasher.hash_one(user), net: Net::of(address) })
    }

    /// Whether a password may be tried at all: asked before anything is compared with it, and again when its turn to be
    /// checked has come.
    pub(crate) fn may_try(&self, claim: Claim) -> Result<()> {
        let now = self.elapsed();
        let keys = self.sign_ins.keys(&claim, &self.limits.table(), now);
        let buckets: Vec<_> = keys.into_iter().map(|key| self.limits.buckets.look(key)).collect();
        // Where nothing failed lately there is one try, whatever goes on elsewhere: else strangers could keep the owner
        // from every place that is new.
        let is_spotless = |bucket: &Bucket| bucket.level(now).reset.is_zero();
        let from_here = |bucket: &&Bucket| bucket.key.per != Per::Anonymous;
        let has_one_try =
            buckets.iter().any(|bucket| from_here(&bucket)) && buckets.iter().filter(from_here).all(is_spotless);
        let asked = buckets.iter().filter(|bucket| !has_one_try || from_here(bucket));
        for bucket in asked {
            bucket.wait(now).map_err(|wait| self.limits.refusal(bucket, wait))?;
        }
        Ok(())
    }

    /// After [`Registry::may_try`] has refused: whether a password that was found right before is let in all the same,
    /// at an address that the user signs in from. Somebody else's wrong ones there must not keep the user out; nor may
    /// that be a way to try as many as one likes, so the address has a limit of its own.
    pub(crate) fn is_let_in_anyway(&self, claim: Claim, was_right_before: bool) -> bool {
        let (now, class, per) = (self.elapsed(), Class::SignIns, Per::Address);
        let Some(rate) = self.limits.table().rate(class, per) else { return false };
        let bucket = self.limits.buckets.open(Key { class, per, rate, who: Who::Net(claim.net) });
        if !self.sign_ins.is_known(&claim, now) || bucket.wait(now).is_err() {
            return false;
        }
        if !was_right_before {
            bucket.charge(now);
        }
        was_right_before
    }

    /// The password was wrong. It is counted only now, since right ones may be checked beside it; so as many as are
    /// checked at once may be too many, and are owed.
    pub(crate) fn disproved(&self, claim: Claim) {
        let now = self.elapsed();
        for key in self.sign_ins.keys(&claim, &self.limits.table(), now) {
            self.limits.buckets.open(key).charge(now);
        }
    }

    /// The password was right: the address is known from now on.
    pub(crate) fn proved(&self, claim: Claim) {
        self.sign_ins.known.insert((claim.name, claim.net), self.elapsed());
    }
}
